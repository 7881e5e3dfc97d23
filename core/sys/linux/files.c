/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/linux/owner.h"
#include "sys/linux/walk.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum xr_status xr_sys_read_at(struct xr_buf *out, int dirfd, const char *name, size_t limit,
                              struct xr_error *err)
{
    enum xr_status status = XR_OK;
    struct stat st;
    int fd = xr_open_regular(dirfd, name, &st);

    if (fd < 0 && errno == EINVAL)
        return xr_fail(err, XR_INVALID, "%s is not a regular file", name);
    if (fd < 0)
        return xr_fail_errno(err, "cannot open %s", name);
    status = xr_sys_read_fd(out, fd, limit, err);
    (void)close(fd);
    return status;
}

enum xr_status xr_sys_write_atomic(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err)
{
    enum xr_status status = XR_OK;
    unsigned char random[8] = {0};
    char hex[2 * sizeof(random) + 1];
    char temp[sizeof(XR_TEMP_PREFIX) + sizeof(hex)];
    int fd = -1;

    if (!xr_sys_random(random, sizeof(random)))
        return xr_fail_errno(err, "cannot get random bytes");
    xr_hex(hex, random, sizeof(random));
    (void)snprintf(temp, sizeof(temp), "%s%s", XR_TEMP_PREFIX, hex);

    fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return xr_fail_errno(err, "cannot write %s", name);
    xr_owner_give(fd, dirfd, name);
    if (!xr_sys_write_all(fd, data.data, data.len) || fchmod(fd, (mode_t)mode & 0777) != 0 ||
        fsync(fd) != 0)
        status = xr_fail_errno(err, "cannot write %s", name);
    if (close(fd) != 0 && status == XR_OK)
        status = xr_fail_errno(err, "cannot write %s", name);
    if (status == XR_OK && renameat(dirfd, temp, dirfd, name) != 0)
        status = xr_fail_errno(err, "cannot write %s", name);
    if (status != XR_OK)
        (void)unlinkat(dirfd, temp, 0);
    return status;
}

enum xr_status xr_sys_lock(int fd, bool exclusive, unsigned wait_ms, struct xr_error *err)
{
    const unsigned step_ms = 10;
    const struct timespec pause = {.tv_nsec = (long)step_ms * 1000000};

    for (unsigned waited = 0;; waited += step_ms) {
        if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
            return XR_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return xr_fail_errno(err, "cannot lock");
        if (waited >= wait_ms)
            return xr_fail(err, XR_BUSY, "another process holds the lock");
        (void)nanosleep(&pause, NULL);
    }
}

/*
 * What a path must be. In a user namespace those outside it (its own root of this machine among them)
 * cannot be told apart, but none of them can act here as we do. So their directories may lead to what
 * is ours, as root's may, if nobody else can write to them. What is ours they can put in another's
 * place at most. Code is more: whoever owns it acts as we do. So it must be ours, in a directory of
 * ours, and not reached by a place where anybody can make a directory. The program's own parts are an
 * exception: their path is built in, and they come from where the program itself and the C library
 * come from.
 */
enum trust { TRUST_STATE, TRUST_CODE, TRUST_PARTS };

static bool owner_ok(enum xr_owned owned, const struct xr_walk *w, enum trust trust,
                     bool open_above)
{
    if (owned == XR_OWNED_OUTSIDE)
        return trust == TRUST_PARTS ||
               (!w->last && S_ISDIR(w->st.st_mode) && (trust == TRUST_STATE || !open_above));
    return owned != XR_OWNED_OTHERS;
}

static bool others_write(const struct stat *st)
{
    return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* Walks an absolute path component by component, never through a link, and calls it trusted if
 * nobody but root and the caller can replace what comes next. */
static enum xr_status open_components(int *out, const char *path, bool want_dir, bool make,
                                      enum trust trust, struct xr_error *err)
{
    struct xr_walk w;
    enum xr_owned owned = XR_OWNED_ROOTS;
    enum xr_status status = XR_OK;

    if (!xr_walk_start(&w, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path)) {
        status = xr_fail_errno(err, "cannot open /");
        goto out;
    }
    w.up = true;
    while (xr_walk_next(&w)) {
        const bool file = w.last && !want_dir, open_above = others_write(&w.st);
        bool entered = false;

        if (file && open_above) {
            status = xr_fail(err, XR_REFUSED, "other users can write to the directory of %s", path);
            goto out;
        }
        if (file && owned == XR_OWNED_OUTSIDE && trust == TRUST_CODE) {
            status = xr_fail(err, XR_REFUSED, "the directory of %s belongs to %s", path,
                             xr_owner_text(owned));
            goto out;
        }
        entered = xr_walk_enter(&w, O_RDONLY | (file ? 0 : O_DIRECTORY));
        if (!entered && errno == ENOENT && make) {
            /* A journal that syncs itself is gone with any of these names. */
            if ((!xr_mkdir_exact(w.dir, w.name, 0700) && errno != EEXIST) || fsync(w.dir) != 0) {
                status =
                    errno == EACCES && xr_owned_by(w.dir, &w.st) == XR_OWNED_OUTSIDE
                        ? xr_fail(err, XR_REFUSED, "cannot make %s: its directory belongs to %s",
                                  path, xr_owner_text(XR_OWNED_OUTSIDE))
                        : xr_fail_errno(err, "cannot make %s", path);
                goto out;
            }
            entered = xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
        }
        if (!entered) {
            status = xr_fail_errno(err, "cannot open %s", path);
            goto out;
        }
        owned = xr_owned_by(w.dir, &w.st);
        if (!owner_ok(owned, &w, trust, open_above)) {
            status = xr_fail(err, XR_REFUSED, "%s: \"%s\" belongs to %s", path, w.name,
                             xr_owner_text(owned));
            goto out;
        }
        /* A sticky directory lets nobody replace what belongs to somebody else, and the next
         * component's owner is checked too. */
        if (others_write(&w.st) &&
            (w.last || !S_ISDIR(w.st.st_mode) || (w.st.st_mode & S_ISVTX) == 0)) {
            status = xr_fail(err, XR_REFUSED, "other users can write to %s (\"%s\")", path, w.name);
            goto out;
        }
    }
    if (!want_dir && !S_ISREG(w.st.st_mode))
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file", path);
out:
    if (status == XR_OK)
        *out = w.dir;
    else
        xr_walk_end(&w);
    return status;
}

/* Parents such as ~/.local/state may be missing on a new account, and may be links of the system's;
 * the directory itself may not. */
static enum xr_status state_dir(int *out, const char *path, bool make, struct xr_error *err)
{
    char *copy = xr_strdup(path);
    size_t len = strlen(copy);
    char *slash = NULL;
    char *parent = NULL, *real = NULL, *canonical = NULL;
    struct stat st;
    enum xr_status status = XR_OK;

    if (len == 0) {
        free(copy);
        return xr_fail(err, make ? XR_INVALID : XR_ABSENT, "no state directory is known");
    }
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    slash = strrchr(copy, '/');
    parent = slash == NULL   ? xr_strdup(".")
             : slash == copy ? xr_strdup("/")
                             : xr_memdup(copy, (size_t)(slash - copy));
    status = access(parent, F_OK) == 0 || slash == NULL ? XR_OK : XR_ABSENT;
    if (status == XR_ABSENT && make) {
        int fd = -1;

        status = state_dir(&fd, parent, true, err);
        if (fd >= 0)
            (void)close(fd);
    }
    if (status == XR_ABSENT)
        status = xr_fail(err, XR_ABSENT, "%s does not exist", path);
    if (status == XR_OK)
        status = xr_sys_resolve(&real, parent, err);
    if (status == XR_OK && real == NULL)
        status = xr_fail(err, XR_FAILED, "%s cannot be resolved", path);
    if (status != XR_OK || real == NULL)
        goto out;
    canonical =
        xr_format("%s/%s", strcmp(real, "/") == 0 ? "" : real, slash == NULL ? copy : slash + 1);
    status = open_components(out, canonical, true, make, TRUST_STATE, err);
    if (status == XR_OK && (fstat(*out, &st) != 0 || xr_owned_by(*out, &st) != XR_OWNED_OURS)) {
        (void)close(*out);
        *out = -1;
        status = xr_fail(err, XR_REFUSED, "%s does not belong to this user", path);
    }
out:
    free(canonical);
    free(real);
    free(parent);
    free(copy);
    return status;
}

enum xr_status xr_sys_state_dir(int *out, const char *path, struct xr_error *err)
{
    return state_dir(out, path, true, err);
}

enum xr_status xr_sys_state_dir_open(int *out, const char *path, struct xr_error *err)
{
    return state_dir(out, path, false, err);
}

static enum xr_status open_trusted(int *out, const char *path, bool dir, bool part,
                                   struct xr_error *err)
{
    char *real = NULL;
    enum xr_status status = xr_sys_resolve(&real, path, err);

    if (status == XR_OK && real != NULL)
        status = open_components(out, real, dir, false, part ? TRUST_PARTS : TRUST_CODE, err);
    free(real);
    return status;
}

enum xr_status xr_sys_open_trusted(int *out, const char *path, bool part, struct xr_error *err)
{
    return open_trusted(out, path, false, part, err);
}

enum xr_status xr_sys_open_trusted_dir(int *out, const char *path, bool part, struct xr_error *err)
{
    return open_trusted(out, path, true, part, err);
}

enum xr_status xr_sys_canonical(char **out, const char *path, struct xr_error *err)
{
    char *copy = xr_strdup(path);
    char *real = realpath(path, NULL);
    char *base = NULL;
    size_t len = strlen(copy);

    if (real != NULL) {
        *out = xr_strdup(real);
        goto out;
    }
    if (errno != ENOENT)
        goto out;
    /* The last component may be missing; what is above it may not. */
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    base = strrchr(copy, '/');
    if (base != NULL)
        *base++ = '\0';
    else
        base = copy;
    if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
        errno = ENOENT;
        goto out;
    }
    real = realpath(base == copy ? "." : copy[0] == '\0' ? "/" : copy, NULL);
    if (real != NULL)
        *out = xr_format("%s/%s", strcmp(real, "/") == 0 ? "" : real, base);
out:
    free(copy);
    if (real == NULL)
        return xr_fail_errno(err, "%s", path);
    free(real);
    return XR_OK;
}

/* In a user namespace a link of the machine's root looks as any other user's does. But those of "/",
 * such as /home on some systems, only the owner of "/" can have made. */
static bool link_of_roots(const struct xr_trail *t)
{
    struct stat st;

    return t->done.len == 0 && fstat(t->dir, &st) == 0 && !others_write(&st) &&
           xr_owned_by(t->dir, &st) != XR_OWNED_OTHERS;
}

/* One step of a walk. Only what was asked for may be missing: the last component, and not what a
 * link at its place leads to. */
static enum xr_status resolve_step(struct xr_trail *t, enum xr_trail_step step, bool *last_is_link,
                                   struct xr_error *err)
{
    enum xr_owned owned = XR_OWNED_OTHERS;

    switch (step) {
    case XR_TRAIL_END:
    case XR_TRAIL_THERE:
        break;
    case XR_TRAIL_MISSING:
        if (errno != ENOENT || !xr_trail_ends(t) || *last_is_link)
            return xr_fail_errno(err, "%s", t->done.data);
        break;
    case XR_TRAIL_LINK:
        owned = xr_owned_by_number(&t->st);
        if (owned == XR_OWNED_OUTSIDE && !link_of_roots(t))
            return xr_fail(err, XR_REFUSED,
                           "%s/%s is a link of %s: name what it leads to, if you mean that",
                           t->done.data, t->name, xr_owner_text(owned));
        if (owned == XR_OWNED_OTHERS)
            return xr_fail(err, XR_REFUSED, "%s/%s is another user's link", t->done.data, t->name);
        *last_is_link = *last_is_link || xr_trail_ends(t);
        if (!xr_trail_follow(t))
            return xr_fail(err, XR_INVALID, "%s/%s: too many links", t->done.data, t->name);
        break;
    case XR_TRAIL_FAILED:
        return xr_fail_errno(err, "%s/%s", t->done.data, t->name);
    }
    return XR_OK;
}

/* What is left to walk, without looking at anything. */
static enum xr_status walk_blindly(struct xr_trail *t, const char *path, struct xr_error *err)
{
    while (xr_trail_take(t)) {
        if (strcmp(t->name, "..") == 0)
            return xr_fail(err, XR_REFUSED, "%s leaves %s through \"..\"", path, t->done.data);
        if (strcmp(t->name, ".") != 0)
            xr_buf_fmt(&t->done, "/%s", t->name);
    }
    return XR_OK;
}

enum xr_status xr_sys_resolve(char **out, const char *path, struct xr_error *err)
{
    return xr_sys_resolve_to(out, path, NULL, NULL, err);
}

enum xr_status xr_sys_resolve_to(char **out, const char *path, xr_ends_fn ends, void *ctx,
                                 struct xr_error *err)
{
    struct xr_trail t;
    enum xr_trail_step step = XR_TRAIL_END;
    char *here = path[0] == '/' ? NULL : realpath(".", NULL), *whole = NULL;
    bool last_is_link = false;
    int root = -1;
    enum xr_status status = XR_OK;

    if (path[0] != '/' && here == NULL)
        return xr_fail_errno(err, "%s", path);
    whole = xr_format("%s/%s", here ? here : "", path);
    free(here);
    root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    xr_trail_start(&t, root, "", whole);
    if (t.dir < 0)
        status = xr_fail_errno(err, "cannot open /");
    while (status == XR_OK && (step = xr_trail_next(&t)) != XR_TRAIL_END) {
        if (ends != NULL && step == XR_TRAIL_MISSING && errno == ENOENT && !last_is_link) {
            status = walk_blindly(&t, path, err);
            break;
        }
        status = resolve_step(&t, step, &last_is_link, err);
        if (status == XR_OK && ends != NULL && step == XR_TRAIL_THERE && S_ISDIR(t.st.st_mode) &&
            ends(ctx, t.done.data, t.st.st_uid))
            status = walk_blindly(&t, path, err);
    }
    if (status == XR_OK)
        *out = xr_strdup(t.done.len > 0 ? t.done.data : "/");
    xr_trail_free(&t);
    if (root >= 0)
        (void)close(root);
    free(whole);
    return status;
}

enum xr_status xr_sys_names(struct xr_strings *out, int dirfd, struct xr_error *err)
{
    return xr_dir_names(out, dirfd, SIZE_MAX) ? XR_OK
                                              : xr_fail_errno(err, "cannot read the directory");
}

bool xr_sys_random(void *out, size_t len)
{
    return getrandom(out, len, 0) == (ssize_t)len;
}

bool xr_sys_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Whoever else has a name for it, or may write to it, could put there what we would believe. */
static enum xr_status check_own(int fd, const struct stat *st, const char *name,
                                struct xr_error *err)
{
    if (!S_ISREG(st->st_mode) || xr_owned_by(fd, st) != XR_OWNED_OURS)
        return xr_fail(err, XR_REFUSED, "%s is not a regular file of this user", name);
    /* None: it was just replaced, which whoever waits for its lock sees. */
    if (st->st_nlink > 1)
        return xr_fail(err, XR_REFUSED,
                       "%s has another name too (a hard link): put a copy in its place", name);
    if (others_write(st))
        return xr_fail(err, XR_REFUSED,
                       "%s can be written by other users: look at what it says, then chmod go-w",
                       name);
    return XR_OK;
}

enum xr_status xr_sys_open_own(int *out, int dirfd, const char *name, bool append,
                               struct xr_error *err)
{
    /* A FIFO or a device in its place must not hold us. */
    int flags = (append ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY) | O_NONBLOCK | O_NOCTTY;
    int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum xr_status status = XR_OK;
    struct stat st;

    if (fd < 0)
        return xr_fail_errno(err, "%s", name);
    status = fstat(fd, &st) != 0 ? xr_fail_errno(err, "%s", name) : check_own(fd, &st, name, err);
    /* A umask may have taken our own right to open it again. */
    if (status == XR_OK && append && st.st_size == 0 && (st.st_mode & 0777) != 0600 &&
        fchmod(fd, 0600) != 0)
        status = xr_fail(err, XR_REFUSED, "%s: %s", name, strerror(errno));
    if (status != XR_OK) {
        (void)close(fd);
        return status;
    }
    *out = fd;
    return XR_OK;
}

void xr_sys_unlock(int fd)
{
    (void)flock(fd, LOCK_UN);
}

bool xr_sys_same_file(int fd, int dirfd, const char *name)
{
    struct stat open_one, named;

    return fstat(fd, &open_one) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

bool xr_sys_sync(int fd)
{
    return fdatasync(fd) == 0;
}

bool xr_sys_sync_dir(int dirfd)
{
    return fsync(dirfd) == 0;
}

bool xr_sys_unlink(int dirfd, const char *name)
{
    return unlinkat(dirfd, name, 0) == 0;
}

unsigned xr_sys_processors(void)
{
    cpu_set_t set;
    long online = 0;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than a set holds */
    return online > 0 ? (unsigned)online : 1;
}

/* What the user named may be a link, or a pipe; below it a link leads to files only, and a pipe is
 * passed over: nobody asked for this very one. */
enum xr_file_kind xr_sys_open_input(int *out, int dirfd, const char *name, bool named,
                                    struct xr_error *err)
{
    const int at = dirfd == XR_HERE ? AT_FDCWD : dirfd;
    int flags = O_RDONLY | O_CLOEXEC | (named ? 0 : O_NONBLOCK);
    enum xr_file_kind kind = XR_FILE_NONE;
    struct stat st;

    if (fstatat(at, name, &st, 0) != 0) {
        (void)xr_fail_errno(err, "cannot read");
        return XR_FILE_NONE;
    }
    if (!named && S_ISDIR(st.st_mode))
        flags |= O_NOFOLLOW;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !(named && S_ISFIFO(st.st_mode)))
        return XR_FILE_OTHER;
    *out = openat(at, name, flags);
    if (*out < 0 && errno == ELOOP && !named)
        return XR_FILE_LINK; /* to a directory, which is not below the one named */
    if (*out < 0 || fstat(*out, &st) != 0)
        (void)xr_fail_errno(err, "cannot read");
    else if (S_ISDIR(st.st_mode))
        kind = XR_FILE_DIR;
    else
        kind = named || S_ISREG(st.st_mode) ? XR_FILE_DATA : XR_FILE_OTHER;
    if (*out >= 0 && (kind == XR_FILE_NONE || kind == XR_FILE_OTHER)) {
        (void)close(*out);
        *out = -1;
    }
    return kind;
}
