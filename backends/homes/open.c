/* SPDX-License-Identifier: Apache-2.0 */
#include "open.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that others may write is safe only if they cannot take away what is not theirs. */
static bool may_enter(const struct stat *st, bool in_home)
{
    bool ours = st->st_uid == geteuid() || st->st_uid == 0;

    if (in_home)
        return ours;
    return geteuid() != 0 ||
           (ours && ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0 || (st->st_mode & S_ISVTX) != 0));
}

/* Takes fd, where path begins. missing, if not NULL: as far as the path exists, and *missing is the
 * rest. */
static enum xr_status walk(int *out, char **missing, int fd, const char *path, bool in_home,
                           struct xr_error *err)
{
    struct xr_walk w;
    bool entered = xr_walk_start(&w, fd, path);

    w.up = !in_home;
    while (entered && xr_walk_next(&w)) {
        entered = xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
        if (entered && !may_enter(&w.st, in_home)) {
            xr_walk_end(&w);
            return xr_fail(err, XR_REFUSED, "%s belongs to another user or can be written by one",
                           w.name);
        }
    }
    if (!entered && missing != NULL && errno == ENOENT && w.dir >= 0) {
        *missing = xr_format("%s/%s", w.name, w.rest);
        entered = true;
    }
    if (entered) {
        *out = w.dir;
        return XR_OK;
    }
    xr_walk_end(&w);
    if (errno == ELOOP || errno == ENOTDIR)
        return xr_fail(err, XR_REFUSED, "%s is a link or not a directory", w.name);
    return errno == ENOENT ? xr_fail(err, XR_ABSENT, "there is no such directory")
                           : xr_fail_errno(err, "cannot open the directory");
}

enum xr_status home_dir_open(int *out, char **missing, const struct xr_site *site, const char *path,
                             struct xr_error *err)
{
    /* The home is a path in the image. */
    char *home = xr_format("%s%s", site->root != NULL && site->home != NULL ? site->root : "",
                           site->home != NULL ? site->home : "");
    size_t len = strlen(home);
    enum xr_status status = XR_OK;

    while (len > 1 && home[len - 1] == '/')
        home[--len] = '\0';
    if (path[0] != '/')
        status = xr_fail(err, XR_INVALID, "%s is not an absolute path", path);
    else if (len > 1 && strncmp(path, home, len) == 0 && path[len] == '/')
        /* the administrator arranged the path to the home */
        status = walk(out, missing, open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path + len,
                      true, err);
    else
        status =
            walk(out, missing, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, false, err);
    free(home);
    return status;
}
