/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in users' homes, where every link and every file may be a trap.
 *
 * Links are resolved here, one component after the other, and never by the kernel. Up to the home
 * itself every link is followed, because the caller named it. Below it, a link is followed if it
 * belongs to root or the caller, or if it only names a neighbour in the same directory (snap's
 * "current"); any other is XR_REFUSED. So a user may keep ~/.mozilla on another disk by a link, and
 * root follows no link of another user. In an image, links lead to places in the image.
 */
#ifndef XR_HOMES_HOME_H
#define XR_HOMES_HOME_H

#include "kit/base.h"

#include <sys/stat.h>

struct nss_tree {
    const char *prefix; /* of paths in messages: the image, or "" */
    const char *home;   /* as the caller names it */
    char *real_home;    /* without links, in the image; NULL without a home */
    int root;
};

struct nss_place {
    char *path;     /* absolute, without links, in the image; "" is the root */
    bool there;     /* false: a part of the path does not exist */
    struct stat st; /* if it does */
};

/* root and home as in struct xr_site; a missing home is not an error. */
enum xr_status nss_tree_open(struct nss_tree *out, const char *root, const char *home,
                             struct xr_error *err);
void nss_tree_close(struct nss_tree *tree);

/* path is absolute and in the image. On any status but XR_OK out is empty. */
enum xr_status nss_place_find(struct nss_place *out, const struct nss_tree *tree, const char *path,
                              struct xr_error *err);
void nss_place_free(struct nss_place *place);

/* Opens a directory (O_PATH); -1 if it is not one, or is a link by now. Use it only for calls whose
 * names end in "at". */
int nss_place_dir(const struct nss_tree *tree, const struct nss_place *place);
/* A regular file of at most limit bytes. XR_ABSENT if it does not exist; XR_INVALID if it is too
 * large or not a regular file. */
enum xr_status nss_place_read(struct xr_buf *out, const struct nss_tree *tree, const char *path,
                              size_t limit, struct xr_error *err);

/* Names in a directory, sorted, without "." and "..". XR_INVALID if there are more than max. */
enum xr_status nss_place_names(struct xr_strings *out, const struct nss_tree *tree,
                               const char *path, size_t max, struct xr_error *err);

#endif
