/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a subdirectory: reading, adding and removing them, each with its link. */
#ifndef XR_OPENSSL_FILES_H
#define XR_OPENSSL_FILES_H

#include "index.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

/* Reads everything once; files that disappear meanwhile are skipped. */
enum xr_status od_view_load(struct view *view, struct xr_error *err);
void od_view_unload(struct view *view); /* the next load reads it again */
void od_view_free(struct view *view);   /* closes fd too */
/* Looks a name up by its hash, as OpenSSL does: emits the files HASH.0, HASH.1… without loading the
 * rest. */
enum xr_status od_view_lookup(const struct view *view, uint32_t hash, xr_bytes_fn emit, void *ctx);

bool od_view_ours(const struct file *file); /* in the form crossroot writes: SHA256.pem */
/* Does the file count as part of the store? OpenSSL ignores a file without a link, so it does not
 * count, unless it is ours and was interrupted. */
bool od_view_counts(const struct view *view, const struct file *file);

/* Can this file be added, so that OpenSSL finds it and no other file changes? */
enum xr_status od_view_may_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                               struct xr_error *err);
/* Adds a file that passed that check. content empty: canonical PEM of der. index -1: the next free. */
enum xr_status od_view_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                           struct xr_error *err);
enum xr_status od_view_remove(struct view *view, struct file *file, struct xr_error *err);
/* Removes stray links and temporary files. */
enum xr_status od_view_tidy(struct view *view, struct xr_error *err);
/* Makes the links of our files that an interruption left without one. */
enum xr_status od_view_link_all(struct view *view, struct xr_error *err);
/* Removes files that an interrupted atomic write left in a directory. */
enum xr_status od_clear_temps(int fd, bool *cleared, struct xr_error *err);
size_t od_count(int fd); /* names in it */

void od_file_free(struct file *file);
/* Canonical file content of one item; the caller frees. */
struct xr_buf od_canonical(const struct xr_host *host, const struct shape *shape,
                           struct xr_bytes der);

#endif
