/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in people's homes, where every link and every file may be a trap for whoever looks.
 *
 * Links are resolved here, one component after the other, and never by the kernel. Up to the home
 * itself all count: who named it meant it. Elsewhere a link counts if it is root's or the caller's
 * own, or if it only names its neighbour in the same directory (snap's "current"); any other is
 * XR_REFUSED. So an ordinary user who keeps ~/.mozilla on another disk by a link is served, and
 * root follows no link that somebody else made. In an image links lead to places in the image.
 */
#ifndef XR_NSS_HOME_H
#define XR_NSS_HOME_H

#include "kit/base.h"

#include <sys/stat.h>

struct nss_tree {
    const char *prefix; /* of what is shown to others: the image, or "" */
    const char *home;   /* as the caller names it */
    char *real_home;    /* without links, in the image; NULL without a home */
    int root;
};

struct nss_place {
    char *path;     /* absolute, without links, in the image; "" is the root */
    bool there;     /* false: something of it does not exist */
    struct stat st; /* if it does */
};

/* root and home as in struct xr_site; a missing home is no failure. */
enum xr_status nss_tree_open(struct nss_tree *out, const char *root, const char *home,
                             struct xr_error *err);
void nss_tree_close(struct nss_tree *tree);

/* path is absolute and in the image. On any status but XR_OK out is empty. */
enum xr_status nss_place_find(struct nss_place *out, const struct nss_tree *tree, const char *path,
                              struct xr_error *err);
void nss_place_free(struct nss_place *place);

/* A directory; -1 if it is none, or a link by now. Good for the calls that end in "at" only. */
int nss_place_dir(const struct nss_tree *tree, const struct nss_place *place);
/* A regular file of at most limit bytes. XR_ABSENT if it does not exist; XR_INVALID if it is too
 * large or something else than a file. */
enum xr_status nss_place_read(struct xr_buf *out, const struct nss_tree *tree, const char *path,
                              size_t limit, struct xr_error *err);

/* What lies in a directory, sorted, without "." and "..": at most max names, and XR_INVALID if there
 * are more. */
enum xr_status nss_place_names(struct xr_strings *out, const struct nss_tree *tree,
                               const char *path, size_t max, struct xr_error *err);

/* Programs that share Chromium's database; the last has no settings. */
struct nss_chromium {
    const char *settings; /* directory below ~/.config */
    const char *name;
    const char *process; /* its processes' names begin so */
};
extern const struct nss_chromium nss_chromiums[];

#endif
