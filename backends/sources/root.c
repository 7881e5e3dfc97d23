/* SPDX-License-Identifier: Apache-2.0 */
/* Files inside the root: of this machine, or of an image whose links must not lead out of it. */
#include "sources.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* To path without its links, and what it ends with; false: see errno. */
static bool resolve(struct xr_trail *t, const struct xr_session *s, bool last_too)
{
    for (;;) {
        switch (xr_trail_next(t)) {
        case XR_TRAIL_END:
            return true;
        case XR_TRAIL_THERE:
            break;
        case XR_TRAIL_LINK:
            if (!last_too && xr_trail_ends(t)) {
                xr_buf_fmt(&t->done, "/%s", t->name);
                return true;
            }
            if (!ca_may_lead(s, &t->st)) {
                errno = CA_FOREIGN_LINK;
                return false;
            }
            if (!xr_trail_follow(t))
                return false;
            break;
        default:
            return false;
        }
    }
}

/* Follows no link of another user, on the way or at the end, whoever moves things meanwhile. */
static int open_guarded(const struct xr_session *s, const char *path, int flags)
{
    struct xr_trail t;
    int fd = xr_open_linkless(s->root, path, flags);
    int code = 0;

    if (fd >= 0 || (errno != ELOOP && errno != ENOSYS && errno != EPERM))
        return fd;
    xr_trail_start(&t, s->root, "", path);
    if (resolve(&t, s, (flags & O_NOFOLLOW) == 0)) {
        const char *done = t.done.data != NULL ? t.done.data : "", *name = ca_name(done);
        char *parent = xr_memdup(done, (size_t)(name - done));
        int dir =
            xr_walk_to(openat(s->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), parent, O_PATH);

        if (dir >= 0)
            fd = openat(dir, name[0] != '\0' ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC);
        code = errno;
        if (dir >= 0)
            (void)close(dir);
        free(parent);
        errno = code;
    }
    code = errno;
    xr_trail_free(&t);
    errno = code;
    return fd;
}

int ca_open(const struct xr_session *s, const char *path, int flags)
{
    int fd = -1;

    if (s->moved != NULL)
        return open_guarded(s, path, flags);
    fd = xr_open_inside(s->root, path, flags);

    /* Kernels before 5.6, and containers that know no openat2: the machine's own root needs no
     * keeping inside. */
    if (fd < 0 && s->live && (errno == ENOSYS || errno == EPERM))
        fd = openat(s->root, path[0] != '\0' ? path : ".", flags | O_CLOEXEC);
    return fd;
}

const char *ca_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int ca_open_parent(const struct xr_session *s, const char *path)
{
    const char *name = ca_name(path);
    char *dir = xr_memdup(path, name == path ? 0 : (size_t)(name - path) - 1);
    int fd = ca_open(s, dir, O_RDONLY | O_DIRECTORY);

    free(dir);
    return fd;
}

struct ca_stamp ca_stamp_of(const struct stat *st)
{
    return (struct ca_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

bool ca_same_stamp(const struct ca_stamp *a, const struct ca_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
           a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

int ca_open_file(const struct xr_session *s, int dir, const char *path, struct stat *st)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = -1;

    if (!s->live) {
        bool there = dir >= 0 ? fstatat(dir, ca_name(path), st, AT_SYMLINK_NOFOLLOW) == 0
                              : ca_stat(st, s, path, true);

        if (!there)
            return -1;
        if (dir >= 0 && S_ISLNK(st->st_mode)) {
            errno = ELOOP;
            return -1;
        }
    }
    if (s->live || S_ISREG(st->st_mode))
        fd = dir >= 0 ? openat(dir, ca_name(path), flags | O_NOFOLLOW) : ca_open(s, path, flags);
    else
        errno = EINVAL;
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        (void)close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

enum xr_status ca_read(struct xr_buf *out, struct ca_stamp *stamp, const struct xr_session *s,
                       const char *path, struct xr_error *err)
{
    struct stat st;
    int fd = ca_open_file(s, -1, path, &st);
    enum xr_status status = XR_OK;

    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
        return xr_fail(err, XR_ABSENT, "/%s: %s", path, strerror(errno));
    if (fd < 0 && errno == EINVAL)
        return xr_fail(err, XR_INVALID, "/%s is not a regular file", path);
    if (fd < 0)
        return xr_fail_errno(err, "cannot open /%s", path);
    if (!xr_read_file(out, fd, (uintmax_t)st.st_size, CA_FILE_MAX))
        status = xr_fail_errno(err, "cannot read /%s", path);
    else if (stamp != NULL)
        *stamp = ca_stamp_of(&st);
    (void)close(fd);
    return status;
}

bool ca_has(struct ca_stamp *stamp, const struct xr_session *s, const char *path,
            struct xr_bytes content)
{
    unsigned char part[16384];
    struct stat st = {0};
    int fd = ca_open_file(s, -1, path, &st);
    bool same = fd >= 0 && (uintmax_t)st.st_size == content.len;
    size_t at = 0;

    while (same) {
        ssize_t got = read(fd, part, sizeof(part));

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            break;
        same = got > 0 && (size_t)got <= content.len - at &&
               memcmp(part, content.data + at, (size_t)got) == 0;
        at += same ? (size_t)got : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    if (stamp != NULL)
        *stamp = ca_stamp_of(&st);
    return same && at == content.len;
}

bool ca_may_lead(const struct xr_session *s, const struct stat *st)
{
    struct stat top;

    return st->st_uid == 0 || st->st_uid == geteuid() ||
           (!s->live && fstat(s->root, &top) == 0 && st->st_uid == top.st_uid);
}

bool ca_own_links(const struct xr_session *s, const char *path, struct xr_error *err)
{
    for (size_t end = 1; path[0] != '\0'; end++) {
        struct stat st;
        char *part = NULL;
        bool there = false, bad = false;

        if (path[end] != '/' && path[end] != '\0')
            continue;
        part = xr_memdup(path, end);
        there = ca_stat(&st, s, part, false);
        bad = there && S_ISLNK(st.st_mode) && !ca_may_lead(s, &st);
        if (bad)
            (void)xr_fail(err, XR_REFUSED, "/%s is another user's link", part);
        /* What is there and no link leads nowhere else. */
        if (!bad && !(there && !S_ISLNK(st.st_mode)) && !ca_stat(&st, s, part, true) &&
            errno == CA_FOREIGN_LINK) {
            (void)xr_fail(err, XR_REFUSED, "/%s leads through another user's link", part);
            bad = true;
        }
        free(part);
        if (bad)
            return false;
        if (path[end] == '\0')
            break;
    }
    return true;
}

bool ca_stat(struct stat *out, const struct xr_session *s, const char *path, bool follow)
{
    int fd = ca_open(s, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    bool ok = fd >= 0 && fstat(fd, out) == 0;

    if (fd >= 0)
        (void)close(fd);
    return ok;
}

char *ca_readlink_at(int dir, const char *name)
{
    char target[4096];
    ssize_t len = readlinkat(dir, name, target, sizeof(target));

    return len > 0 && (size_t)len < sizeof(target) ? xr_memdup(target, (size_t)len) : NULL;
}

char *ca_readlink(const struct xr_session *s, const char *path)
{
    int fd = ca_open_parent(s, path);
    char *target = fd >= 0 ? ca_readlink_at(fd, ca_name(path)) : NULL;

    if (fd >= 0)
        (void)close(fd);
    return target;
}

enum xr_status ca_make_dirs(const struct xr_session *s, const char *path, unsigned mode,
                            struct xr_error *err)
{
    for (size_t end = 1; path[0] != '\0'; end++) {
        char *part = NULL;
        int parent = -1, fd = -1;
        bool made = false;

        if (path[end] != '/' && path[end] != '\0')
            continue;
        part = xr_memdup(path, end);
        fd = ca_open(s, part, O_PATH | O_DIRECTORY);
        if (fd < 0 && errno == ENOENT && (parent = ca_open_parent(s, part)) >= 0)
            made = xr_owner_mkdir(parent, ca_name(part), mode) && fsync(parent) == 0;
        if (fd < 0 && !made) {
            enum xr_status status = xr_fail_errno(err, "cannot make the directory /%s", part);

            free(part);
            if (parent >= 0)
                (void)close(parent);
            return status;
        }
        free(part);
        if (fd >= 0)
            (void)close(fd);
        if (parent >= 0)
            (void)close(parent);
        if (path[end] == '\0')
            break;
    }
    return XR_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ca_dirent *)a)->name, ((const struct ca_dirent *)b)->name);
}

bool ca_cannot_look(int code)
{
    return code == EMFILE || code == ENFILE || code == EIO || code == ENOMEM;
}

bool ca_scan(const struct xr_session *s, const char *path, ca_scan_fn each, void *ctx)
{
    int fd = ca_open(s, path, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;
    int code = dir == NULL ? errno : 0;

    while (dir != NULL) {
        errno = 0;
        entry = readdir(dir);
        code = errno;
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(ctx, dirfd(dir), entry);
    }
    if (dir != NULL)
        (void)closedir(dir);
    else if (fd >= 0)
        (void)close(fd);
    errno = code;
    return !ca_cannot_look(code);
}

struct entering {
    struct ca_entries *out;
    const struct xr_session *s;
    const char *path;
};

static void take_entry(void *ctx, int dir, const struct dirent *entry)
{
    const struct entering *e = ctx;
    struct ca_dirent *made = XR_PUSH(e->out);
    struct stat st;

    made->name = xr_strdup(entry->d_name);
    made->link = entry->d_type == DT_LNK;
    made->directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN && fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        made->link = S_ISLNK(st.st_mode);
        made->directory = S_ISDIR(st.st_mode);
    }
    if (made->link) {
        char *whole = xr_format("%s/%s", e->path, made->name);

        made->directory = ca_stat(&st, e->s, whole, true) && S_ISDIR(st.st_mode);
        free(whole);
    }
}

bool ca_entries(struct ca_entries *out, const struct xr_session *s, const char *path)
{
    struct entering e = {out, s, path};
    bool seen = ca_scan(s, path, take_entry, &e);

    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_name);
    return seen;
}

void ca_entries_free(struct ca_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (struct ca_entries){0};
}

bool ca_names(struct xr_strings *out, const struct xr_session *s, const char *path)
{
    int fd = ca_open(s, path, O_RDONLY | O_DIRECTORY);
    int code = fd < 0 || !xr_dir_names(out, fd, SIZE_MAX) ? errno : 0;

    if (fd >= 0)
        (void)close(fd);
    errno = code;
    return !ca_cannot_look(code);
}
