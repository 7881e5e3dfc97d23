/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/linux/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX 40
/* O_PATH: nothing is opened in the sense of a device or a FIFO, and no permission to read needed. */
#define LOOK (O_PATH | O_NOFOLLOW | O_CLOEXEC)
/* For what lies in a directory may be a FIFO by now, or a terminal. */
#define WARY (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static void close_quietly(int fd)
{
    int code = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = code;
}

/* The first component of *path, which moves past it; false if there is none. One too long for any
 * system call becomes "". */
static bool split(char out[XR_WALK_MAX], const char **path)
{
    const char *start = *path + strspn(*path, "/");
    size_t len = strcspn(start, "/"), kept = len < XR_WALK_MAX ? len : 0;

    memcpy(out, start, kept);
    out[kept] = '\0';
    *path = start + len;
    return len > 0;
}

/* ---- a path that is to have no links ---- */

bool xr_walk_start(struct xr_walk *w, int dir, const char *path)
{
    *w = (struct xr_walk){.dir = dir, .rest = path};
    return dir >= 0 && fstat(dir, &w->st) == 0;
}

bool xr_walk_next(struct xr_walk *w)
{
    bool any = split(w->name, &w->rest);

    w->last = w->rest[strspn(w->rest, "/")] == '\0';
    return any;
}

bool xr_walk_enter(struct xr_walk *w, int flags)
{
    struct stat st;
    int fd = -1;

    if (w->name[0] == '\0' || (!w->up && strcmp(w->name, "..") == 0)) {
        errno = w->name[0] == '\0' ? ENAMETOOLONG : EXDEV;
        return false;
    }
    fd = openat(w->dir, w->name, flags | WARY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        close_quietly(fd);
        return false;
    }
    if (S_ISLNK(st.st_mode)) { /* O_PATH alone opens the link itself */
        (void)close(fd);
        errno = ELOOP;
        return false;
    }
    (void)close(w->dir);
    w->dir = fd;
    w->st = st;
    return true;
}

void xr_walk_end(struct xr_walk *w)
{
    close_quietly(w->dir);
    w->dir = -1;
}

int xr_walk_to(int dir, const char *path, int flags)
{
    struct xr_walk w;
    bool ok = xr_walk_start(&w, dir, path);

    while (ok && xr_walk_next(&w))
        ok = xr_walk_enter(&w, flags | O_DIRECTORY);
    if (!ok)
        xr_walk_end(&w);
    return w.dir;
}

/* ---- a path whose links are resolved ---- */

static int open_done(int root, const char *done)
{
    return xr_walk_to(openat(root, ".", LOOK | O_DIRECTORY), done, LOOK);
}

void xr_trail_start(struct xr_trail *t, int root, const char *start, const char *path)
{
    *t = (struct xr_trail){.root = root, .dir = open_done(root, start), .rest = xr_strdup(path)};
    xr_buf_str(&t->done, start);
}

void xr_trail_free(struct xr_trail *t)
{
    close_quietly(t->dir);
    xr_buf_free(&t->done);
    free(t->rest);
    *t = (struct xr_trail){.root = -1, .dir = -1};
}

bool xr_trail_ends(const struct xr_trail *t)
{
    return t->rest[strspn(t->rest, "/")] == '\0';
}

bool xr_trail_take(struct xr_trail *t)
{
    const char *rest = t->rest;
    bool any = split(t->name, &rest);
    char *left = xr_strdup(rest);

    free(t->rest);
    t->rest = left;
    return any;
}

static void go_to(struct xr_trail *t, int dir)
{
    close_quietly(t->dir);
    t->dir = dir;
}

static void add_name(struct xr_trail *t)
{
    xr_buf_str(&t->done, "/");
    xr_buf_str(&t->done, t->name);
}

/* ".." of the root is the root; elsewhere done says what it is, whoever moves directories about. */
static bool step_up(struct xr_trail *t)
{
    int dir = -1;
    size_t len = t->done.len;

    while (len > 0 && t->done.data[len - 1] != '/')
        len--;
    t->done.len = len > 0 ? len - 1 : 0;
    t->done.data[t->done.len] = '\0';
    if (t->dir < 0) /* what does not exist is nowhere */
        return true;
    dir = open_done(t->root, t->done.data);
    if (dir < 0)
        return false;
    go_to(t, dir);
    return true;
}

static enum xr_trail_step look_at_link(struct xr_trail *t, int fd)
{
    ssize_t len = readlinkat(fd, "", t->target, sizeof(t->target));

    close_quietly(fd);
    if (len > 0 && (size_t)len < sizeof(t->target)) {
        t->target[len] = '\0';
        return XR_TRAIL_LINK;
    }
    if (len >= 0)
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
    return XR_TRAIL_FAILED;
}

static enum xr_trail_step look(struct xr_trail *t)
{
    int fd = -1, code = 0;

    errno = t->name[0] == '\0' ? ENAMETOOLONG : ENOENT;
    if (t->dir >= 0 && t->name[0] != '\0') {
        /* As a directory first: what is mounted when it is used would else not be. */
        fd = openat(t->dir, t->name, LOOK | O_DIRECTORY);
        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
            fd = openat(t->dir, t->name, LOOK);
    }
    code = errno;
    if (fd < 0 && code != ENOENT && code != ENOTDIR)
        return XR_TRAIL_FAILED;
    if (fd >= 0 && fstat(fd, &t->st) != 0) {
        close_quietly(fd);
        return XR_TRAIL_FAILED;
    }
    if (fd >= 0 && S_ISLNK(t->st.st_mode))
        return look_at_link(t, fd);
    add_name(t);
    go_to(t, fd);
    errno = code;
    return fd >= 0 ? XR_TRAIL_THERE : XR_TRAIL_MISSING;
}

enum xr_trail_step xr_trail_next(struct xr_trail *t)
{
    while (xr_trail_take(t)) {
        if (strcmp(t->name, "..") == 0) {
            if (!step_up(t))
                return XR_TRAIL_FAILED;
        } else if (strcmp(t->name, ".") != 0) {
            return look(t);
        }
    }
    return XR_TRAIL_END;
}

bool xr_trail_follow(struct xr_trail *t)
{
    char *rest = NULL;
    int dir = -1;

    if (++t->links > LINKS_MAX || strlen(t->rest) > XR_WALK_MAX) {
        errno = ELOOP;
        return false;
    }
    if (t->target[0] == '/') {
        dir = open_done(t->root, "");
        if (dir < 0)
            return false;
        go_to(t, dir);
        t->done.len = 0;
        t->done.data[0] = '\0';
    }
    rest = xr_format("%s/%s", t->target, t->rest);
    free(t->rest);
    t->rest = rest;
    return true;
}

static int open_resolved(int root, const char *path, int flags, unsigned resolve)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = resolve};

    return (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : ".", &how, sizeof(how));
}

int xr_open_inside(int root, const char *path, int flags)
{
    return open_resolved(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int xr_open_linkless(int root, const char *path, int flags)
{
    return open_resolved(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

/* ---- in a directory ---- */

int xr_open_regular(int dir, const char *name, struct stat *st)
{
    int fd = openat(dir, name, O_RDONLY | WARY);

    if (fd >= 0 && fstat(fd, st) == 0) {
        if (S_ISREG(st->st_mode))
            return fd;
        errno = EINVAL;
    }
    close_quietly(fd);
    return -1;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *why_fixed(const struct statx *stx)
{
    if (stx->stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return N_("it is a mount point; unmount it, or change the file that is mounted there");
    if (stx->stx_attributes & STATX_ATTR_IMMUTABLE)
        return N_("it is immutable; chattr -i ends that");
    if (stx->stx_attributes & STATX_ATTR_APPEND)
        return N_("it can only be appended to; chattr -a ends that");
    return NULL;
}

const char *xr_why_fixed(int dir, const char *name)
{
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    struct statx stx;

    if (statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0) {
        if (stx.stx_attributes & STATX_ATTR_IMMUTABLE)
            return N_("its directory is immutable; chattr -i ends that");
        if (stx.stx_attributes & STATX_ATTR_APPEND)
            return N_("its directory can only be added to; chattr -a ends that");
    }
    if (strcmp(name, ".") == 0 || statx(dir, name, flags, STATX_BASIC_STATS, &stx) != 0)
        return NULL;
    return why_fixed(&stx);
}

bool xr_dir_names(struct xr_strings *out, int dir, size_t max)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;
    int code = 0;

    if (stream == NULL) {
        close_quietly(fd);
        return false;
    }
    for (;;) {
        errno = 0;
        entry = readdir(stream);
        code = errno;
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (out->count == max) {
            code = EFBIG;
            break;
        }
        xr_strings_add(out, entry->d_name);
    }
    (void)closedir(stream);
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_bytes);
    errno = code;
    return code == 0;
}
