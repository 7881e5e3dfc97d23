/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/users.h"

#include "sys/linux/walk.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_MAX ((size_t)16 << 20)
#define USERS_MAX  65536u

/* ---- the text of passwd(5) ---- */

/* (uid_t)-1 means "leave it" to the calls that take one. */
static bool get_id(uint32_t *out, const char *text, size_t len)
{
    uint64_t value = 0;

    if (len == 0 || len > 10)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)value;
    return value < UINT32_MAX;
}

enum { NAME, PASSWORD, UID, GID, GECOS, HOME, FIELDS };

static void parse_line(struct xr_users *out, const char *line, size_t len)
{
    const char *field[FIELDS];
    size_t lens[FIELDS], fields = 0;
    uint32_t uid = 0, gid = 0;

    /* Lines that begin with "+" or "-" are for NIS, and are not accounts. */
    if (memchr(line, '\0', len) != NULL || len == 0 || line[0] == '+' || line[0] == '-' ||
        line[0] == '#')
        return;
    for (const char *end = line + len; fields < FIELDS && line <= end; fields++) {
        const char *colon = line < end ? memchr(line, ':', (size_t)(end - line)) : NULL;

        field[fields] = line;
        lens[fields] = (size_t)((colon != NULL ? colon : end) - line);
        line += lens[fields] + 1;
    }
    if (fields < FIELDS || lens[NAME] == 0 || !get_id(&uid, field[UID], lens[UID]) ||
        !get_id(&gid, field[GID], lens[GID]) || lens[HOME] == 0 || field[HOME][0] != '/')
        return;
    *XR_PUSH(out) = (struct xr_user){.name = xr_memdup(field[NAME], lens[NAME]),
                                     .uid = uid,
                                     .gid = gid,
                                     .home = xr_memdup(field[HOME], lens[HOME])};
}

void xr_users_parse(struct xr_users *out, struct xr_bytes text)
{
    const char *at = (const char *)text.data;
    size_t left = text.len;

    while (left > 0 && out->count < USERS_MAX) {
        const char *end = memchr(at, '\n', left);
        size_t len = end != NULL ? (size_t)(end - at) : left;

        parse_line(out, at, len);
        len += end != NULL;
        at += len;
        left -= len;
    }
}

/* ---- which homes count ---- */

static int open_in_root(const char *root, const char *path, int flags)
{
    int base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = base < 0 ? -1 : xr_open_inside(base, path, flags);

    if (base >= 0)
        (void)close(base);
    return fd;
}

/* The home without links, as a path inside the root; NULL if it does not exist. */
static char *real_home(const struct xr_users *users, const char *home, struct xr_error *err)
{
    char link[64], target[4096];
    char *out = NULL;
    ssize_t len = 0;
    size_t root = 0;
    int fd = -1;

    if (users->root == NULL)
        return xr_sys_resolve(&out, home, err) == XR_OK ? out : NULL;
    fd = open_in_root(users->root, home, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return NULL;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, target, sizeof(target) - 1);
    (void)close(fd);
    root = strlen(users->root);
    if (len <= 0 || (size_t)len < root || (size_t)len == sizeof(target) - 1)
        return NULL;
    target[len] = '\0';
    if (strncmp(target, users->root, root) != 0 || (target[root] != '/' && target[root] != '\0'))
        return NULL;
    return xr_strdup(target[root] != '\0' ? target + root : "/");
}

/* Can only root and this user replace what is in this directory? */
static bool leads_safely(const struct stat *st, uint32_t uid)
{
    return (st->st_uid == 0 || st->st_uid == uid) &&
           ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0 || (st->st_mode & S_ISVTX) != 0);
}

/* Of no interest for a note: many systems have such homes. */
static const char theirs[] = N_("belongs to another user");

/* Does home (a path without links) belong to that user, and can nobody else replace it? NULL, or
 * why not; "": it cannot be a home at all. */
static const char *objection(const char *root, const char *home, uint32_t uid)
{
    struct xr_walk w;
    bool there =
        xr_walk_start(&w, open(root != NULL ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC), home);
    bool safe = there && (root != NULL || leads_safely(&w.st, uid));
    const char *why = NULL;

    while (there && xr_walk_next(&w)) {
        there = xr_walk_enter(&w, O_PATH | O_DIRECTORY);
        safe = safe && (w.last || leads_safely(&w.st, uid));
    }
    if (!there)
        why = "";
    else if (w.st.st_uid != uid)
        why = theirs;
    else if (!safe)
        why = N_("it lies below a directory that another user owns or may write to");
    xr_walk_end(&w);
    return why;
}

static bool known(const struct xr_users *users, const char *home)
{
    for (size_t i = 0; i < users->count; i++) {
        if (strcmp(users->items[i].home, home) == 0)
            return true;
    }
    return false;
}

/* Adds a user whose home counts. For others it adds a note, but not for an account whose home
 * belongs to root, as for many services: that surprises nobody. */
static bool settle(struct xr_users *users, const struct xr_user *user)
{
    struct xr_error err = {0};
    char *home = real_home(users, user->home, &err);
    const char *why = home == NULL ? err.status == XR_REFUSED ? err.text : "" : NULL;

    if (home != NULL && strcmp(home, "/") == 0)
        why = "";
    else if (home != NULL)
        why = objection(users->root, home, user->uid);
    if (why == NULL) {
        *XR_PUSH(users) = (struct xr_user){xr_strdup(user->name), user->uid, user->gid, home};
        return true;
    }
    if (why[0] != '\0' && why != theirs) {
        char *note =
            xr_format(N_("the home of %s, %s, is left out: %s"), user->name, user->home,
                      home == NULL ? N_("it is reached through another user's link") : why);

        xr_strings_add(&users->notes, note);
        free(note);
    }
    free(home);
    return false;
}

/* ---- reading ---- */

static int by_home(const void *a, const void *b)
{
    const struct xr_user *one = a, *other = b;
    int order = strcmp(one->home, other->home);

    return order != 0 ? order : (one->uid > other->uid) - (one->uid < other->uid);
}

static int by_uid(const void *a, const void *b)
{
    const struct xr_user *one = a, *other = b;

    if (one->uid != other->uid)
        return one->uid < other->uid ? -1 : 1;
    return strcmp(one->home, other->home);
}

static void sort(struct xr_users *users)
{
    size_t kept = 0;

    if (users->count < 2)
        return;
    qsort(users->items, users->count, sizeof(*users->items), by_home);
    for (size_t i = 0; i < users->count; i++) {
        if (kept > 0 && strcmp(users->items[kept - 1].home, users->items[i].home) == 0)
            xr_user_free(&users->items[i]);
        else
            users->items[kept++] = users->items[i];
    }
    users->count = kept;
    qsort(users->items, users->count, sizeof(*users->items), by_uid);
}

static void take(struct xr_users *out, const struct passwd *entry)
{
    if (entry->pw_name == NULL || entry->pw_dir == NULL || entry->pw_dir[0] != '/' ||
        entry->pw_uid == (uid_t)-1 || entry->pw_gid == (gid_t)-1)
        return;
    *XR_PUSH(out) = (struct xr_user){xr_strdup(entry->pw_name), entry->pw_uid, entry->pw_gid,
                                     xr_strdup(entry->pw_dir)};
}

/* The C library has one position in the database for all threads, so this is under a lock. */
static void read_database(struct xr_users *out)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    const struct passwd *entry = NULL;

    (void)pthread_mutex_lock(&one_at_a_time);
    setpwent();
    while (out->count < USERS_MAX && (entry = getpwent()) != NULL)
        take(out, entry);
    endpwent();
    (void)pthread_mutex_unlock(&one_at_a_time);
}

/* Checked before it is opened, because opening a device or a FIFO of an image may have effects. */
static enum xr_status read_image(struct xr_users *out, const char *root, struct xr_error *err)
{
    int look = open_in_root(root, "etc/passwd", O_PATH), fd = -1;
    struct xr_buf text = {0};
    struct stat st;
    char link[64];
    enum xr_status status = XR_OK;

    if (look < 0 && (errno == ENOENT || errno == ENOTDIR))
        return xr_fail(err, XR_ABSENT, "%s has no etc/passwd, so the homes in it are not known",
                       root);
    if (look < 0)
        return xr_fail_errno(err, "cannot open etc/passwd of %s", root);
    if (fstat(look, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(look);
        return xr_fail(err, XR_INVALID, "etc/passwd of %s is not a regular file", root);
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", look);
    fd = open(link, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    status = fd < 0 ? xr_fail_errno(err, "cannot open etc/passwd of %s", root)
                    : xr_sys_read_fd(&text, fd, PASSWD_MAX, err);
    if (status == XR_OK)
        xr_users_parse(out, (struct xr_bytes){(const unsigned char *)text.data, text.len});
    if (fd >= 0)
        (void)close(fd);
    (void)close(look);
    xr_buf_free(&text);
    return status;
}

enum xr_status xr_users_read(struct xr_users *users, struct xr_error *err)
{
    struct xr_users found = {0};
    enum xr_status status = XR_OK;

    if (users->all)
        return XR_OK;
    if (users->root != NULL)
        status = read_image(&found, users->root, err);
    else
        read_database(&found);
    if (found.count == USERS_MAX)
        xr_strings_add(&users->notes, N_("there are more users than crossroot looks at"));
    for (size_t i = 0; i < found.count; i++)
        (void)settle(users, &found.items[i]);
    sort(users);
    users->all = true; /* trying again would not help */
    xr_users_free(&found);
    return status;
}

/* Adds one user of the password database; SIZE_MAX if there is none, or the home does not count. */
static size_t add_uid(struct xr_users *users, uint32_t uid)
{
    struct xr_users found = {0};
    struct passwd entry, *got = NULL;
    size_t size = 16384, at = SIZE_MAX;
    char *block = xr_new(size, 1);
    int rc = 0;

    while ((rc = getpwuid_r(uid, &entry, block, size, &got)) == ERANGE && size < PASSWD_MAX) {
        free(block);
        size *= 2;
        block = xr_new(size, 1);
    }
    if (rc == 0 && got != NULL)
        take(&found, got);
    if (found.count == 1) {
        char *home = real_home(users, found.items[0].home, NULL);

        if (home == NULL || !known(users, home))
            at = settle(users, &found.items[0]) ? users->count - 1 : SIZE_MAX;
        free(home);
    }
    xr_users_free(&found);
    free(block);
    return at;
}

static size_t index_of(const struct xr_users *users, uint32_t uid)
{
    for (size_t i = 0; i < users->count; i++) {
        if (users->items[i].uid == uid)
            return i;
    }
    return SIZE_MAX;
}

enum xr_status xr_users_find(size_t *at, struct xr_users *users, uint32_t uid, struct xr_error *err)
{
    *at = index_of(users, uid);
    if (*at == SIZE_MAX && users->root == NULL)
        *at = add_uid(users, uid);
    if (*at == SIZE_MAX)
        return xr_fail(err, XR_ABSENT, "the user with UID %lu has no home of their own",
                       (unsigned long)uid);
    return XR_OK;
}

/* ---- paths ---- */

static bool is_home(const struct xr_users *users, const char *path)
{
    size_t at = xr_users_of(users, path);
    size_t root = users->root != NULL ? strlen(users->root) : 0;

    return at != SIZE_MAX && users->items[at].uid != geteuid() &&
           strcmp(path + root, users->items[at].home) == 0;
}

/* The owner of a directory is looked up in the database, which says whose home it is. The whole
 * database must be read only if a second account has the same UID. */
static bool ends_at_home(void *ctx, const char *path, uint32_t owner)
{
    struct xr_users *users = ctx;

    if (owner == geteuid())
        return false;
    if (users->root == NULL && index_of(users, owner) == SIZE_MAX)
        (void)add_uid(users, owner);
    if (!is_home(users, path) && !users->all)
        (void)xr_users_read(users, NULL);
    return is_home(users, path);
}

static bool ends_nowhere(void *ctx, const char *path, uint32_t owner)
{
    (void)ctx;
    (void)path;
    (void)owner;
    return false;
}

enum xr_status xr_users_resolve(char **out, struct xr_users *users, const char *path,
                                struct xr_error *err)
{
    return xr_sys_resolve_to(out, path, geteuid() == 0 ? ends_at_home : ends_nowhere, users, err);
}
