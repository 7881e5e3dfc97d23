/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache of what takes libcrypto long to find out about a certificate, by the SHA-256 of all its bytes: it
 * is signed by itself; libcrypto accepts it (xr_cert_accepted). Only a yes is kept. The cache lies beside
 * the journal, in the state directory that only its user can write, and is trusted as much as that
 * directory (docs/decisions/0013). If anything is wrong with it, it is ignored.
 *
 * The file: "XRC1", SHA-256 of what follows, SHA-256 of a text that names who accepted, records of 33
 * bytes (SHA-256 of the certificate, bits of what is known) in ascending order.
 */
#ifndef XR_CHECKED_CACHE_H
#define XR_CHECKED_CACHE_H

#include "model.h"

/* {0}: not read yet. */
struct xr_checked {
    bool read;
    struct xr_buf file;
    struct xr_bytes records; /* slice of file; empty without a valid one */
    bool same_judge;         /* this libcrypto accepted, by the rules of today */
};

/* Tells the pool what is known. Reads the file the first time, creates nothing. If the directory does not
 * exist, nothing is known. */
void xr_checked_recall(struct xr_checked *checked, struct xr_pool *pool, const char *state_dir);
/* Adds what the pool has found out since then, if that is worth a file. What cannot be written is not kept,
 * without a word. make: the directory, too, if it does not exist. */
void xr_checked_keep(struct xr_checked *checked, const struct xr_pool *pool, const char *state_dir,
                     bool make);
void xr_checked_free(struct xr_checked *checked);

#endif
