/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a token. PKCS#11 has no lock of its own, and a token need not be a file. So the lock
 * is an empty file in a directory where nobody else can create, open or lock one. Two users of one
 * token do not wait for each other, but a swap still compares what it expects.
 */
#include "tokens.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does the directory belong to this user? closed: and has nobody else any access? */
static bool own(const struct stat *st, bool closed)
{
    return S_ISDIR(st->st_mode) && st->st_uid == geteuid() &&
           (st->st_mode & (closed ? 0077 : 0022)) == 0;
}

/* Opens the directory for locks, path below base, and creates what is missing of it. -1 if base is not
 * only this user's. */
static int below(const char *base, const char *path)
{
    struct xr_walk w;
    bool ok = xr_walk_start(&w, open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path) &&
              own(&w.st, false);

    while (ok && xr_walk_next(&w))
        ok = (xr_mkdir_exact(w.dir, w.name, 0700) || errno == EEXIST) &&
             xr_walk_enter(&w, O_RDONLY | O_DIRECTORY) && own(&w.st, w.last);
    if (!ok)
        xr_walk_end(&w);
    return w.dir;
}

/* In the system's directory for files that a user's programs share until the next boot, else in the
 * home. */
static int open_directory(const char *home)
{
    char run[64] = "/run";
    int fd = -1;

    if (geteuid() != 0)
        (void)snprintf(run, sizeof(run), "/run/user/%lu", (unsigned long)geteuid());
    fd = below(run, "crossroot");
    if (fd < 0 && home != NULL)
        fd = below(home, ".local/state/crossroot-locks");
    return fd;
}

enum xr_status pt_lock(int *out, const struct xr_host *host, const char *home,
                       const struct pt_token *token, struct xr_error *err)
{
    const struct xr_bytes name = {(const unsigned char *)token->full, strlen(token->full)};
    unsigned char sum[XR_SHA256_LEN];
    char hex[2 * XR_SHA256_LEN + 1];
    int dir = open_directory(home), fd = -1;
    enum xr_status status = XR_OK;

    host->sha256(sum, name);
    xr_hex(hex, sum, sizeof(sum));
    if (dir >= 0)
        fd = openat(dir, hex, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        status = xr_fail(err, XR_FAILED,
                         "cannot lock the token: neither /run nor the home has a directory that "
                         "belongs to this user alone");
    else
        status = host->lock(fd, XR_LOCK_MS, N_("the token"), err);
    if (dir >= 0)
        (void)close(dir);
    if (status == XR_OK)
        *out = fd;
    else if (fd >= 0)
        (void)close(fd);
    return status;
}
