/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of this machine, or of an image, by the paths that programs there use: links are followed, and
 * in an image they lead to what is in it. Nothing is run, and nothing is written.
 *
 * Root follows other users' links here, but reads only files that belong to root: what another user
 * can put in their place is for that user to be asked about.
 */
#ifndef XR_TREE_H
#define XR_TREE_H

#include "kit/base.h"

struct xr_tree_file {
    char *real;        /* its path there without links */
    char identity[48]; /* equal for two names of one file */
    bool executable;
    struct xr_buf head; /* its first bytes, XR_TREE_HEAD at most */
};
#define XR_TREE_HEAD 256u

/* A regular file. root: directory of an image, or NULL. XR_ABSENT, XR_DENIED, XR_REFUSED (root, and
 * somebody else's file), XR_UNSUPPORTED where this system has none of it. */
enum xr_status xr_tree_file(struct xr_tree_file *out, const char *root, const char *path,
                            struct xr_error *err);
void xr_tree_file_free(struct xr_tree_file *file);
/* All of a regular file; XR_INVALID if it has more than limit bytes. */
enum xr_status xr_tree_read(struct xr_buf *out, const char *root, const char *path, size_t limit,
                            struct xr_error *err);
/* Names in a directory, sorted. */
enum xr_status xr_tree_names(struct xr_strings *out, const char *root, const char *path,
                             struct xr_error *err);
/* Path of a directory without links, allocated; NULL if there is none. */
char *xr_tree_dir(const char *root, const char *path);
/* Does the directory belong to the user who runs this? */
bool xr_tree_ours(const char *path);

#endif
