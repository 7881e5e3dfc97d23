/* SPDX-License-Identifier: Apache-2.0 */
/* Files that browsers read, inside the root: of this machine, or of an image whose links must not
 * lead out of it. */
#include "policy.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum xr_status policy_root_open(struct policy_root *out, const char *root, struct xr_error *err)
{
    *out = (struct policy_root){.image = root != NULL};
    out->fd = open(root != NULL ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return out->fd >= 0 ? XR_OK : xr_fail_errno(err, "cannot open %s", root != NULL ? root : "/");
}

void policy_root_close(struct policy_root *root)
{
    if (root->fd >= 0)
        (void)close(root->fd);
    root->fd = -1;
}

int policy_open(const struct policy_root *root, const char *path, int flags)
{
    path += strspn(path, "/");
    if (path[0] == '\0')
        path = ".";
    return root->image ? xr_open_inside(root->fd, path, flags)
                       : openat(root->fd, path, flags | O_CLOEXEC);
}

static enum policy_file failed(char why[128])
{
    int code = errno;

    (void)snprintf(why, 128, "%s", strerror(code));
    if (code == EACCES)
        return POLICY_FILE_DENIED;
    return code == ENOENT || code == ENOTDIR || code == ENXIO ? POLICY_FILE_NONE
                                                              : POLICY_FILE_STRANGE;
}

/* Looked at before it is opened: to open a device may do something. */
static enum policy_file look(struct stat *st, char why[128], const struct policy_root *root,
                             const char *path)
{
    int fd = policy_open(root, path, O_PATH);
    enum policy_file file = POLICY_FILE_READ;

    if (fd < 0 || fstat(fd, st) != 0)
        file = failed(why);
    else if (!S_ISREG(st->st_mode)) {
        file =
            S_ISDIR(st->st_mode) || S_ISSOCK(st->st_mode) ? POLICY_FILE_NONE : POLICY_FILE_STRANGE;
        (void)snprintf(why, 128, N_("not a regular file"));
    }
    if (fd >= 0)
        (void)close(fd);
    return file;
}

bool policy_is(const struct policy_root *root, const char *path, mode_t type)
{
    struct stat st;
    int fd = policy_open(root, path, O_PATH);
    bool is = fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type;

    if (fd >= 0)
        (void)close(fd);
    return is;
}

bool policy_closed(mode_t mode, mode_t needed)
{
    return geteuid() == 0 && (mode & needed) != needed;
}

enum policy_file policy_read(struct xr_buf *out, char why[128], bool *closed,
                             const struct policy_root *root, const char *path)
{
    struct stat st;
    enum policy_file file = look(&st, why, root, path);
    int fd = -1;

    if (file != POLICY_FILE_READ)
        return file;
    fd = policy_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        file = failed(why);
    } else if (!S_ISREG(st.st_mode)) {
        file = POLICY_FILE_STRANGE;
        (void)snprintf(why, 128, N_("not a regular file"));
    } else if (!xr_read_whole(out, fd, POLICY_FILE_MAX)) {
        file = POLICY_FILE_STRANGE;
        (void)snprintf(why, 128, "%s", errno == EFBIG ? N_("larger than 16 MiB") : strerror(errno));
    }
    *closed = file == POLICY_FILE_READ && policy_closed(st.st_mode, S_IROTH);
    if (fd >= 0)
        (void)close(fd);
    return file;
}
