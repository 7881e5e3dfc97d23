/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* path has no links; fails if there is one by now. */
static int open_dir(const struct nss_tree *tree, const char *path)
{
    return xr_walk_to(openat(tree->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), path, O_PATH);
}

static bool may_follow(const struct xr_trail *t, bool any_link)
{
    return any_link || t->st.st_uid == 0 || t->st.st_uid == geteuid() ||
           (strchr(t->target, '/') == NULL && strcmp(t->target, "..") != 0);
}

static enum xr_status follow(struct xr_trail *t, const struct nss_tree *tree, bool any_link,
                             struct xr_error *err)
{
    if (!may_follow(t, any_link))
        return xr_fail(err, XR_REFUSED, "%s%s/%s is another user's link: not followed",
                       tree->prefix, t->done.data, t->name);
    if (!xr_trail_follow(t))
        return xr_fail(err, XR_INVALID, "%s%s/%s: too many links", tree->prefix, t->done.data,
                       t->name);
    return XR_OK;
}

static enum xr_status walk(struct nss_place *out, const struct nss_tree *tree, const char *start,
                           const char *path, bool any_link, struct xr_error *err)
{
    struct xr_trail t;
    enum xr_trail_step step = XR_TRAIL_END;
    enum xr_status status = XR_OK;

    *out = (struct nss_place){0};
    xr_trail_start(&t, tree->root, start, path);
    if (strlen(path) >= PATH_MAX)
        status = xr_fail(err, XR_INVALID, "a path of %zu bytes is too long", strlen(path));
    while (status == XR_OK && (step = xr_trail_next(&t)) != XR_TRAIL_END) {
        if (step == XR_TRAIL_LINK)
            status = follow(&t, tree, any_link, err);
        else if (step == XR_TRAIL_FAILED)
            status = xr_fail_errno(err, "%s%s/%s", tree->prefix, t.done.data, t.name);
    }
    if (status == XR_OK) {
        out->there = t.dir >= 0 && fstat(t.dir, &out->st) == 0;
        out->path = xr_strdup(t.done.data);
    }
    xr_trail_free(&t);
    return status;
}

enum xr_status nss_tree_open(struct nss_tree *out, const char *root, const char *home,
                             struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = XR_OK;

    *out = (struct nss_tree){.prefix = root != NULL && strcmp(root, "/") != 0 ? root : "",
                             .home = home};
    out->root = open(root != NULL ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (out->root < 0)
        return xr_fail_errno(err, "%s", root != NULL ? root : "/");
    if (home == NULL)
        return XR_OK;
    if (home[0] != '/')
        status = xr_fail(err, XR_INVALID, "the home %s is not an absolute path", home);
    else
        status = walk(&place, out, "", home, true, err);
    out->real_home = place.path;
    if (status != XR_OK)
        nss_tree_close(out);
    return status;
}

void nss_tree_close(struct nss_tree *tree)
{
    if (tree->root >= 0)
        (void)close(tree->root);
    free(tree->real_home);
    tree->root = -1;
    tree->real_home = NULL;
}

/* What follows the home in path, or NULL. */
static const char *below_home(const struct nss_tree *tree, const char *path)
{
    size_t len = tree->real_home != NULL ? strlen(tree->home) : 0;

    while (len > 0 && tree->home[len - 1] == '/')
        len--;
    if (tree->real_home == NULL || strncmp(path, tree->home, len) != 0 ||
        (path[len] != '/' && path[len] != '\0'))
        return NULL;
    return path + len;
}

enum xr_status nss_place_find(struct nss_place *out, const struct nss_tree *tree, const char *path,
                              struct xr_error *err)
{
    const char *below = below_home(tree, path);

    return walk(out, tree, below != NULL ? tree->real_home : "", below != NULL ? below : path,
                false, err);
}

void nss_place_free(struct nss_place *place)
{
    free(place->path);
    *place = (struct nss_place){0};
}

int nss_place_dir(const struct nss_tree *tree, const struct nss_place *place)
{
    return open_dir(tree, place->path);
}

/* The file may be replaced between the check and the opening. So this follows no link, does not
 * block, and checks again what it opened. */
static int open_file(const struct nss_tree *tree, const struct nss_place *place, struct stat *st)
{
    char *slash = strrchr(place->path, '/');
    char *parent = xr_memdup(place->path, slash != NULL ? (size_t)(slash - place->path) : 0);
    int dir = open_dir(tree, parent);
    int fd = -1;

    free(parent);
    if (dir < 0 || slash == NULL)
        goto out;
    fd = xr_open_regular(dir, slash + 1, st);
out:
    if (dir >= 0)
        (void)close(dir);
    return fd;
}

enum xr_status nss_place_read(struct xr_buf *out, const struct nss_tree *tree, const char *path,
                              size_t limit, struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = nss_place_find(&place, tree, path, err);
    struct stat st;
    int fd = -1;

    if (status != XR_OK)
        return status;
    if (!place.there)
        status = xr_fail(err, XR_ABSENT, "%s%s does not exist", tree->prefix, place.path);
    else if (!S_ISREG(place.st.st_mode))
        status = xr_fail(err, XR_INVALID, "%s%s is not a regular file", tree->prefix, place.path);
    else if ((fd = open_file(tree, &place, &st)) < 0)
        status = xr_fail_errno(err, "cannot open %s%s", tree->prefix, place.path);
    else if (!xr_read_whole(out, fd, limit))
        status = errno == EFBIG ? xr_fail(err, XR_INVALID, "%s%s is larger than %zu bytes",
                                          tree->prefix, place.path, limit)
                                : xr_fail_errno(err, "cannot read %s%s", tree->prefix, place.path);
    if (fd >= 0)
        (void)close(fd);
    nss_place_free(&place);
    return status;
}

enum xr_status nss_place_names(struct xr_strings *out, const struct nss_tree *tree,
                               const char *path, size_t max, struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = nss_place_find(&place, tree, path, err);
    int at = status == XR_OK && place.there ? nss_place_dir(tree, &place) : -1;

    if (status == XR_OK && place.there && !xr_dir_names(out, at, max))
        status = errno == EFBIG ? xr_fail(err, XR_INVALID, "%s%s holds more than %zu names",
                                          tree->prefix, place.path, max)
                                : xr_fail_errno(err, "cannot read %s%s", tree->prefix, place.path);
    if (at >= 0)
        (void)close(at);
    nss_place_free(&place);
    return status;
}
