/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/output.h"

#include "sys/linux/walk.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLACED_MAX ((size_t)64 << 20) /* a file */
#define BESIDE_MAX   ((size_t)1 << 20)  /* a file in a directory */

/* A resolved path, as its directory and its last component. */
struct place {
    char *path;
    const char *name;
    int dir;
};

static enum xr_status find(struct place *out, const char *path, struct xr_error *err)
{
    enum xr_status status = xr_sys_resolve(&out->path, path, err);
    char *slash = NULL;
    int at = -1;

    out->dir = -1;
    if (status != XR_OK)
        return status;
    slash = strrchr(out->path, '/');
    if (slash == NULL || slash[1] == '\0')
        return xr_fail(err, XR_REFUSED, "%s cannot be replaced", path);
    *slash = '\0';
    out->name = slash + 1;
    /* Not through a link that was put there after the path was resolved. */
    at = xr_walk_to(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), out->path, O_PATH);
    if (at >= 0)
        out->dir = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->dir < 0)
        status = xr_fail_errno(err, "%s", path);
    if (at >= 0)
        (void)close(at);
    return status;
}

static void leave(struct place *place)
{
    if (place->dir >= 0)
        (void)close(place->dir);
    free(place->path);
}

static enum xr_status read_there(struct xr_buf *out, int dir, const char *name, size_t limit,
                                 struct xr_error *err)
{
    /* Not through a link that was put there after the path was resolved. */
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    enum xr_status status = XR_OK;

    if (fd < 0)
        return xr_fail_errno(err, "%s", name);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file", name);
    else
        status = xr_sys_read_fd(out, fd, limit, err);
    (void)close(fd);
    return status;
}

enum xr_status xr_sys_output_read(struct xr_buf *out, const char *path, size_t limit,
                                  struct xr_error *err)
{
    struct place place = {0};
    enum xr_status status = find(&place, path, err);

    if (status == XR_OK)
        status = read_there(out, place.dir, place.name, limit, err);
    leave(&place);
    return status;
}

static bool same_file(int dir, const char *name, struct xr_bytes data)
{
    struct xr_buf have = {0};
    bool same = read_there(&have, dir, name, data.len, NULL) == XR_OK && have.len == data.len &&
                (data.len == 0 || memcmp(have.data, data.data, data.len) == 0);

    xr_sys_wipe(&have);
    return same;
}

/* A name of its own, which no reader looks for. */
static bool temp_name(char out[sizeof(XR_TEMP_PREFIX) + 16])
{
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1];

    if (!xr_sys_random(random, sizeof(random)))
        return false;
    xr_hex(hex, random, sizeof(random));
    (void)snprintf(out, sizeof(XR_TEMP_PREFIX) + 16, "%s%s", XR_TEMP_PREFIX, hex);
    return true;
}

/* Nothing has that name yet. shown: the name for people. */
static enum xr_status write_new(int dir, const char *name, const char *shown, struct xr_bytes data,
                                struct xr_error *err)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && xr_sys_write_all(fd, data.data, data.len);

    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok ? XR_OK : xr_fail_errno(err, "cannot write %s", shown);
}

/* May a file that is there go? shown: its name for people. */
static enum xr_status may_go(int dir, const char *name, const char *shown, size_t limit,
                             bool keystores_too, struct xr_error *err)
{
    struct xr_buf old = {0};
    struct xr_error why = {0};
    const char *kept = NULL;
    enum xr_status status = read_there(&old, dir, name, limit, &why);

    if (status != XR_OK)
        status = xr_fail(err, XR_REFUSED, "%s may hold a private key (%.300s)", shown, why.text);
    else
        kept = xr_output_why_kept((struct xr_bytes){(const unsigned char *)old.data, old.len},
                                  keystores_too);
    if (kept != NULL)
        status = xr_fail(err, XR_REFUSED, "%s is not replaced: %s", shown, kept);
    xr_sys_wipe(&old);
    return status;
}

static enum xr_status replace_file(const struct place *place, const struct stat *old,
                                   struct xr_bytes data, struct xr_error *err)
{
    enum xr_status status =
        xr_sys_write_atomic(place->dir, place->name, data, old->st_mode & 0777, err);

    if (status == XR_OK && !xr_sys_sync_dir(place->dir))
        status = xr_fail_errno(err, "cannot write %s", place->name);
    return status;
}

static enum xr_status new_file(const struct place *place, struct xr_bytes data,
                               struct xr_error *err)
{
    char temp[sizeof(XR_TEMP_PREFIX) + 16];
    enum xr_status status = XR_OK;

    if (!temp_name(temp))
        return xr_fail_errno(err, "cannot get random bytes");
    status = write_new(place->dir, temp, place->name, data, err);
    if (status == XR_OK && renameat(place->dir, temp, place->dir, place->name) != 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    if (status != XR_OK)
        (void)unlinkat(place->dir, temp, 0);
    return status;
}

enum xr_status xr_sys_output_file(enum xr_output_state *out, const char *path, struct xr_bytes data,
                                  enum xr_output_how how, bool keystore, struct xr_error *err)
{
    struct place place = {0};
    struct stat st;
    enum xr_status status = find(&place, path, err);

    *out = XR_OUTPUT_NEW;
    if (status != XR_OK)
        goto out;
    if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *out = S_ISREG(st.st_mode) && same_file(place.dir, place.name, data) ? XR_OUTPUT_SAME
                                                                             : XR_OUTPUT_OTHER;
        if (!S_ISREG(st.st_mode))
            status = xr_fail(err, XR_REFUSED, "%s is not a regular file", path);
        else if (how != XR_OUTPUT_CHECK && *out == XR_OUTPUT_OTHER)
            status = may_go(place.dir, place.name, path, REPLACED_MAX, !keystore, err);
        if (status == XR_OK && how >= XR_OUTPUT_PUT && *out == XR_OUTPUT_OTHER)
            status = replace_file(&place, &st, data, err);
    } else if (errno != ENOENT) {
        status = xr_fail_errno(err, "%s", path);
    } else if (how >= XR_OUTPUT_PUT) {
        status = new_file(&place, data, err);
    }
out:
    leave(&place);
    return status;
}

/* ---- directories ---- */

/* What is below a directory, two levels of it. */
struct there {
    struct xr_strings names; /* files and links, with "/" in the second level */
    struct xr_strings dirs;
};

static enum xr_status look(struct there *out, int dir, const char *below, bool deeper,
                           struct xr_error *err)
{
    struct xr_strings names = {0};
    enum xr_status status = xr_sys_names(&names, dir, err);

    for (size_t i = 0; status == XR_OK && i < names.count; i++) {
        struct stat st;
        char *path = xr_format("%s%s%s", below, below[0] ? "/" : "", names.items[i]);

        if (fstatat(dir, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            int fd = deeper ? openat(dir, names.items[i],
                                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                            : -1;

            xr_strings_add(&out->dirs, path);
            if (fd < 0)
                status = xr_fail(err, XR_REFUSED, "%s is a directory", path);
            else
                status = look(out, fd, path, false, err);
            if (fd >= 0)
                (void)close(fd);
        } else {
            xr_strings_add(&out->names, path);
        }
        free(path);
    }
    xr_strings_free(&names);
    return status;
}

static void there_free(struct there *there)
{
    xr_strings_free(&there->names);
    xr_strings_free(&there->dirs);
}

static bool same_link(int dir, const char *name, const char *target)
{
    char have[4096];
    ssize_t len = readlinkat(dir, name, have, sizeof(have));

    return len >= 0 && (size_t)len == strlen(target) && memcmp(have, target, (size_t)len) == 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(struct xr_strings *out, char *text)
{
    xr_strings_add(out, text);
    free(text);
}

static const char **sorted_names(const struct xr_output_entry *entries, size_t count)
{
    const char **names = xr_new(count + 1, sizeof(*names));

    for (size_t i = 0; i < count; i++)
        names[i] = entries[i].name;
    qsort((void *)names, count, sizeof(*names), by_text);
    return names;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    return count > 0 && bsearch((const void *)&name, (const void *)names, count, sizeof(*names),
                                by_text) != NULL;
}

static void compare(struct xr_strings *out, int dir, struct there *there,
                    const struct xr_output_entry *entries, size_t count)
{
    const char **ours = sorted_names(entries, count);

    if (there->names.count > 1)
        qsort(there->names.items, there->names.count, sizeof(char *), by_text);
    for (size_t i = 0; i < count; i++) {
        const struct xr_output_entry *entry = &entries[i];

        if (!is_among(entry->name, (const char *const *)there->names.items, there->names.count))
            add(out, xr_format(N_("%s is missing"), entry->name));
        else if (entry->target != NULL ? !same_link(dir, entry->name, entry->target)
                                       : !same_file(dir, entry->name, entry->content))
            add(out, xr_format(N_("%s differs"), entry->name));
    }
    for (size_t i = 0; i < there->names.count; i++) {
        if (!is_among(there->names.items[i], ours, count))
            add(out, xr_format(N_("%s is surplus"), there->names.items[i]));
    }
    free((void *)ours);
}

/* ---- what must not be lost ---- */

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

/* The ending of a name, with its dot; one for all links by hash; "" without any. */
static const char *ending(const char *name)
{
    const char *base = base_of(name);
    const char *dot = strrchr(base, '.');
    size_t digits = dot != NULL ? strspn(dot + 1, "0123456789") : 0;

    if (dot == NULL || dot == base)
        return "";
    return dot - base == 8 && strspn(base, "0123456789abcdef") == 8 && digits > 0 && digits <= 2 &&
                   dot[1 + digits] == '\0'
               ? "hash"
               : dot;
}

static bool is_our_kind(const char *name, const struct xr_output_entry *entries, size_t count)
{
    const char *kind = ending(name);

    for (size_t i = 0; kind[0] != '\0' && i < count; i++) {
        if (strcmp(ending(entries[i].name), kind) == 0)
            return true;
    }
    return false;
}

static bool is_entered(const char *dir, const struct xr_output_entry *entries, size_t count)
{
    size_t len = strlen(dir);

    for (size_t i = 0; i < count; i++) {
        if (strncmp(entries[i].name, dir, len) == 0 && entries[i].name[len] == '/')
            return true;
    }
    return false;
}

/* Directories are replaced by name, and a name is soon mistaken: what is not plainly of the kind of the
 * new content belongs to somebody else. */
static enum xr_status may_replace(int dir, const struct there *there,
                                  const struct xr_output_entry *entries, size_t count,
                                  struct xr_error *err)
{
    const char **ours = sorted_names(entries, count);
    size_t limit = BESIDE_MAX;
    enum xr_status status = XR_OK;

    /* An earlier content may be as large as the new one, and somewhat larger. */
    for (size_t i = 0; i < count; i++)
        limit = entries[i].content.len > limit / 2 ? entries[i].content.len * 2 : limit;
    for (size_t i = 0; status == XR_OK && i < there->dirs.count; i++) {
        if (!is_entered(there->dirs.items[i], entries, count))
            status = xr_fail(err, XR_REFUSED,
                             "%s is a directory that the new content has not: nothing is replaced",
                             there->dirs.items[i]);
    }
    for (size_t i = 0; status == XR_OK && i < there->names.count; i++) {
        const char *name = there->names.items[i];
        struct stat st;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            status = xr_fail_errno(err, "%s", name);
        else if (strcmp(base_of(name), "key3.db") == 0 || strcmp(base_of(name), "key4.db") == 0)
            status =
                xr_fail(err, XR_REFUSED, "%s may hold private keys: nothing is replaced", name);
        else if (S_ISLNK(st.st_mode))
            continue;
        else if (!S_ISREG(st.st_mode))
            status =
                xr_fail(err, XR_REFUSED, "%s is not a regular file: nothing is replaced", name);
        else if (!is_among(name, ours, count) && !is_our_kind(name, entries, count))
            status = xr_fail(err, XR_REFUSED,
                             "%s is not of the kind of the new files: nothing is replaced", name);
        else
            status = may_go(dir, name, name, limit, true, err);
    }
    free((void *)ours);
    return status;
}

/* ---- a whole new one ---- */

/* -1: as it was made. */
struct owner {
    uid_t uid;
    gid_t gid;
};

/* Of what is in a directory: a user's, if root writes there; and of the group of one with setgid. */
static struct owner owner_below(int dir)
{
    struct owner owner = {(uid_t)-1, (gid_t)-1};
    struct stat st;

    if (dir >= 0 && fstat(dir, &st) == 0) {
        const bool theirs = geteuid() == 0 && st.st_uid != 0;

        owner.uid = theirs ? st.st_uid : owner.uid;
        owner.gid = theirs || (st.st_mode & S_ISGID) != 0 ? st.st_gid : owner.gid;
    }
    return owner;
}

static bool give(int dir, const char *name, struct owner to)
{
    return (to.uid == (uid_t)-1 && to.gid == (gid_t)-1) ||
           fchownat(dir, name, to.uid, to.gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum xr_status put_entry(int dir, const struct xr_output_entry *entry, struct owner owner,
                                struct xr_error *err)
{
    const char *slash = strchr(entry->name, '/');
    enum xr_status status = XR_OK;

    if (slash != NULL) {
        char *below = xr_memdup(entry->name, (size_t)(slash - entry->name));
        bool made = mkdirat(dir, below, 0777) == 0 || errno == EEXIST;

        free(below);
        if (!made)
            return xr_fail_errno(err, "cannot write %s", entry->name);
    }
    if (entry->target == NULL)
        status = write_new(dir, entry->name, entry->name, entry->content, err);
    else if (symlinkat(entry->target, dir, entry->name) != 0)
        status = xr_fail_errno(err, "cannot write %s", entry->name);
    if (status == XR_OK && !give(dir, entry->name, owner))
        status = xr_fail_errno(err, "%s cannot keep its owner", entry->name);
    return status;
}

/* Removes what a directory that is ours to remove has, two levels deep; what it has below that stays. */
static void empty(int dir, bool deeper)
{
    struct xr_strings names = {0};

    (void)fchmod(dir, 0700); /* its owner may not have been allowed to change it */
    (void)xr_sys_names(&names, dir, NULL);
    for (size_t i = 0; i < names.count; i++) {
        int fd = -1;

        if (unlinkat(dir, names.items[i], 0) == 0 || !deeper)
            continue;
        fd = openat(dir, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            empty(fd, false);
            (void)close(fd);
        }
        (void)unlinkat(dir, names.items[i], AT_REMOVEDIR);
    }
    xr_strings_free(&names);
}

/* Gives a new directory the mode and the owner of one that was there. */
static bool liken(int dir, int old)
{
    struct stat to, now;

    return fstat(old, &to) == 0 && fstat(dir, &now) == 0 &&
           ((now.st_uid == to.st_uid && now.st_gid == to.st_gid) ||
            fchown(dir, to.st_uid, to.st_gid) == 0) &&
           fchmod(dir, to.st_mode & 07777) == 0;
}

/* With all that is in it; directories that were not there are like the one that they are in. */
static enum xr_status liken_all(int dir, int old, const char *shown, struct xr_error *err)
{
    struct there made = {0};
    enum xr_status status = look(&made, dir, "", true, err);

    for (size_t i = 0; status == XR_OK && i < made.dirs.count; i++) {
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int to = openat(dir, made.dirs.items[i], flags);
        int from = openat(old, made.dirs.items[i], flags);

        if (to < 0 || (from < 0 && errno != ENOENT) || !liken(to, from >= 0 ? from : old))
            status = xr_fail_errno(err, "%s cannot keep its mode and owner", made.dirs.items[i]);
        if (to >= 0)
            (void)close(to);
        if (from >= 0)
            (void)close(from);
    }
    if (status == XR_OK && !liken(dir, old))
        status = xr_fail_errno(err, "%s cannot keep its mode and owner", shown);
    there_free(&made);
    return status;
}

/* A directory that its owner may change. */
static int make_temp(int parent, const char *temp, mode_t mode)
{
    int dir = -1, code = 0;
    struct stat st;

    if (mkdirat(parent, temp, mode) != 0)
        return -1;
    /* The umask may take even the owner's rights. */
    if (fstatat(parent, temp, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        ((st.st_mode & 0700) == 0700 ||
         fchmodat(parent, temp, (st.st_mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW) == 0))
        dir = openat(parent, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    code = errno;
    if (dir < 0)
        (void)unlinkat(parent, temp, AT_REMOVEDIR);
    errno = code;
    return dir;
}

/* The whole new directory under a name of its own, then at its place in one step. old: what is there;
 * -1: nothing. */
static enum xr_status build(const struct place *place, int old, bool exchange,
                            const struct xr_output_entry *entries, size_t count,
                            struct xr_error *err)
{
    char temp[sizeof(XR_TEMP_PREFIX) + 16];
    const struct owner owner = owner_below(old);
    enum xr_status status = XR_OK;
    bool moved = false;
    int dir = temp_name(temp) ? make_temp(place->dir, temp, old >= 0 ? 0700 : 0777) : -1;

    if (dir < 0)
        return xr_fail_errno(err, "cannot write %s", place->name);
    for (size_t i = 0; status == XR_OK && i < count; i++)
        status = put_entry(dir, &entries[i], owner, err);
    if (status == XR_OK && old >= 0)
        status = liken_all(dir, old, place->name, err);
    if (status == XR_OK && exchange && syncfs(dir) != 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    moved = status == XR_OK && renameat2(place->dir, temp, place->dir, place->name,
                                         exchange ? RENAME_EXCHANGE : 0) == 0;
    if (status == XR_OK && (!moved || (exchange && !xr_sys_sync_dir(place->dir))))
        status = xr_fail_errno(err, "cannot write %s", place->name);
    if (!moved || exchange) {
        empty(moved ? old : dir, true);
        if (unlinkat(place->dir, temp, AT_REMOVEDIR) != 0 && status == XR_OK)
            status = xr_fail(err, XR_FAILED,
                             "it is written, but what was there stays as %s: not all of it can be "
                             "removed",
                             temp);
    }
    (void)close(dir);
    return status;
}

enum xr_status xr_sys_output_directory(enum xr_output_state *out, const char *path,
                                       const struct xr_output_entry *entries, size_t count,
                                       enum xr_output_how how, struct xr_strings *differences,
                                       struct xr_error *err)
{
    struct place place = {0};
    struct there there = {0};
    int dir = -1;
    size_t before = differences->count;
    bool full = false;
    enum xr_status status = find(&place, path, err);

    *out = XR_OUTPUT_NEW;
    if (status != XR_OK)
        goto out;
    dir = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno != ENOENT) {
        status = xr_fail_errno(err, "%s", path);
        goto out;
    }
    if (dir >= 0)
        status = look(&there, dir, "", true, err);
    if (status != XR_OK)
        goto out;
    if (dir >= 0) {
        compare(differences, dir, &there, entries, count);
        *out = differences->count == before ? XR_OUTPUT_SAME : XR_OUTPUT_OTHER;
    }
    if (how == XR_OUTPUT_CHECK || *out == XR_OUTPUT_SAME)
        goto out;
    full = there.names.count + there.dirs.count > 0;
    if (full && how != XR_OUTPUT_REPLACE && how != XR_OUTPUT_TRY_REPLACE)
        status = xr_fail(err, XR_REFUSED,
                         "the directory is not empty; --overwrite replaces all "
                         "that is in it");
    else if (full)
        status = may_replace(dir, &there, entries, count, err);
    if (status == XR_OK && how >= XR_OUTPUT_PUT)
        status = build(&place, dir, full, entries, count, err);
out:
    if (dir >= 0)
        (void)close(dir);
    there_free(&there);
    leave(&place);
    return status;
}
