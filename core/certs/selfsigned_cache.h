/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache of certificates that are known to be self-signed, by SHA-256. Checking the signatures of
 * thousands takes longer than the rest of a list. The cache lies beside the journal, in the state
 * directory that only its user can write, and is trusted as much as that directory. If anything is
 * wrong with it, it is ignored.
 *
 * The file: "XRP1", SHA-256 of what follows, hashes of 32 bytes in ascending order.
 */
#ifndef XR_SELFSIGNED_CACHE_H
#define XR_SELFSIGNED_CACHE_H

#include "model.h"

/* Creates nothing. If the directory does not exist, nothing is known. */
void xr_selfsigned_recall(struct xr_pool *pool, const char *state_dir);
/* Adds what the pool has found out since then, if the directory exists. */
void xr_selfsigned_keep(const struct xr_pool *pool, const char *state_dir);

#endif
