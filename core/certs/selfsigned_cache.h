/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which certificates are known to be signed by themselves, by SHA-256: a cache, for checking the
 * signatures of thousands takes longer than all else of a list. It lies beside the journal, in the
 * state directory that is its user's alone, and is believed as that is. Whatever is wrong with it, it
 * is as if there were none.
 *
 * The file: "XRP1", SHA-256 of what follows, hashes of 32 bytes in ascending order.
 */
#ifndef XR_SELFSIGNED_CACHE_H
#define XR_SELFSIGNED_CACHE_H

#include "model.h"

/* Nothing is made, and an absent directory is none. */
void xr_selfsigned_recall(struct xr_pool *pool, const char *state_dir);
/* Adds what the pool has found out since, if the directory exists. */
void xr_selfsigned_keep(const struct xr_pool *pool, const char *state_dir);

#endif
