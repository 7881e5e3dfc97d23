/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a subdirectory: reading, adding and removing them, each with its link. */
#ifndef XR_OPENSSL_FILES_H
#define XR_OPENSSL_FILES_H

#include "view.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

/* Reads everything once; files that vanish meanwhile are passed over. */
enum xr_status od_view_load(struct view *view, struct xr_error *err);
void od_view_unload(struct view *view); /* the next load reads it anew */
void od_view_free(struct view *view);   /* closes fd too */
/* OpenSSL looks a name up by its hash: gives the files HASH.0, HASH.1… without loading the rest. */
enum xr_status od_view_lookup(const struct view *view, uint32_t hash, xr_bytes_fn emit, void *ctx);

bool od_view_ours(const struct file *file); /* in the form crossroot writes: SHA256.pem */
/* Does the store hold what is in the file? One without a link is nothing to OpenSSL, and stays
 * nothing, unless it is ours and was interrupted. */
bool od_view_counts(const struct view *view, const struct file *file);
struct file *od_view_find(const struct view *view, const char *name);

/* Is that a file that can be, in a place where OpenSSL finds it and nothing else by it? */
enum xr_status od_view_may_add(const struct view *view, const struct file *wanted,
                               struct xr_bytes der, struct xr_error *err);
/* Adds a file that may be. content empty: canonical PEM of der. index -1: the next free. */
enum xr_status od_view_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                           struct xr_error *err);
enum xr_status od_view_remove(struct view *view, struct file *file, struct xr_error *err);
/* Removes stray links and temporary files. */
enum xr_status od_view_tidy(struct view *view, struct xr_error *err);
/* Links files of ours that an interruption left without. */
enum xr_status od_view_link_all(struct view *view, struct xr_error *err);
/* Removes files an interrupted atomic write left in a directory. */
enum xr_status od_clear_temps(int fd, bool *cleared, struct xr_error *err);
size_t od_count(int fd); /* names in it */

void od_file_free(struct file *file);
/* Canonical file content of one item; the caller frees. */
struct xr_buf od_canonical(const struct xr_host *host, const struct shape *shape,
                           struct xr_bytes der);

#endif
