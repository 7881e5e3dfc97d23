/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tree.h"

#include "sys/linux/walk.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES_MAX ((size_t)1 << 16)

static int open_there(const char *root, const char *path, int flags)
{
    int base = -1, fd = -1, code = 0;

    /* Nothing is waited for, and no terminal becomes ours. */
    flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (root == NULL)
        return open(path, flags);
    base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = base >= 0 ? xr_open_inside(base, path, flags) : -1;
    code = errno;
    if (base >= 0)
        (void)close(base);
    errno = code;
    return fd;
}

/* Where a descriptor is, as its own tree names it. */
static char *real_path(int fd, const char *root)
{
    char link[64], path[XR_WALK_MAX + 1];
    size_t skip = root != NULL ? strlen(root) : 0;
    ssize_t len = 0;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    if (len <= 0 || (size_t)len >= sizeof(path) - 1)
        return NULL;
    path[len] = '\0';
    if (root != NULL &&
        (strncmp(path, root, skip) != 0 || (path[skip] != '/' && path[skip] != '\0')))
        return NULL;
    return xr_strdup(path[skip] != '\0' ? path + skip : "/");
}

/* Looked at before it is opened for reading: opening a device may do something. */
static enum xr_status open_file(int *out, struct stat *st, const char *root, const char *path,
                                struct xr_error *err)
{
    int there = open_there(root, path, O_PATH);
    enum xr_status status = XR_OK;
    char link[64];

    if (there < 0)
        return xr_fail_errno(err, "%s", path);
    if (fstat(there, st) != 0 || !S_ISREG(st->st_mode)) {
        status = xr_fail(err, XR_ABSENT, "%s is not a regular file", path);
    } else if (geteuid() == 0 && st->st_uid != 0) {
        status =
            xr_fail(err, XR_REFUSED, "%s belongs to another user, so root does not read it", path);
    } else {
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", there);
        *out = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (*out < 0)
            status = xr_fail_errno(err, "%s", path);
    }
    (void)close(there);
    return status;
}

enum xr_status xr_tree_file(struct xr_tree_file *out, const char *root, const char *path,
                            struct xr_error *err)
{
    struct stat st = {0};
    char head[XR_TREE_HEAD];
    ssize_t len = 0;
    int fd = -1;
    enum xr_status status = open_file(&fd, &st, root, path, err);

    if (status != XR_OK)
        return status;
    *out =
        (struct xr_tree_file){.real = real_path(fd, root), .executable = (st.st_mode & 0111) != 0};
    (void)snprintf(out->identity, sizeof(out->identity), "%llx:%llx", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    if (out->real == NULL)
        out->real = xr_strdup(path);
    len = read(fd, head, sizeof(head));
    xr_buf_add(&out->head, head, len > 0 ? (size_t)len : 0);
    (void)close(fd);
    return XR_OK;
}

void xr_tree_file_free(struct xr_tree_file *file)
{
    free(file->real);
    xr_buf_free(&file->head);
    *file = (struct xr_tree_file){0};
}

enum xr_status xr_tree_read(struct xr_buf *out, const char *root, const char *path, size_t limit,
                            struct xr_error *err)
{
    struct stat st;
    int fd = -1;
    enum xr_status status = open_file(&fd, &st, root, path, err);

    if (status != XR_OK)
        return status;
    status = xr_sys_read_fd(out, fd, limit, err);
    (void)close(fd);
    return status;
}

enum xr_status xr_tree_names(struct xr_strings *out, const char *root, const char *path,
                             struct xr_error *err)
{
    int fd = open_there(root, path, O_DIRECTORY);
    bool all = false;

    if (fd < 0)
        return xr_fail_errno(err, "%s", path);
    all = xr_dir_names(out, fd, NAMES_MAX);
    (void)close(fd);
    return all ? XR_OK : xr_fail(err, XR_FAILED, "%s cannot be read whole", path);
}

char *xr_tree_dir(const char *root, const char *path)
{
    int fd = open_there(root, path, O_DIRECTORY);
    char *real = fd >= 0 ? real_path(fd, root) : NULL;

    if (fd >= 0)
        (void)close(fd);
    return real;
}

bool xr_tree_ours(const char *path)
{
    int fd = open_there(NULL, path, O_DIRECTORY | O_PATH);
    struct stat st;
    bool ours = fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid();

    if (fd >= 0)
        (void)close(fd);
    return ours;
}
