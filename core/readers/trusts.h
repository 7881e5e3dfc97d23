/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a reader has from what it reads. */
#ifndef XR_TRUSTS_H
#define XR_TRUSTS_H

#include "readers.h"

struct xr_trusts {
    const char *root;
    const struct xr_reader_row *reader;
    struct {
        struct xr_trust {
            struct xr_bytes der; /* owned */
            unsigned char sha256[XR_SHA256_LEN];
            uint32_t hash;
            bool named;  /* hash is known */
            size_t read; /* index in the reader's reads */
        } * items;
        size_t count, capacity;
    } certs;
    char *unclear; /* why not all of it is known, or NULL */
};
void xr_trusts_load(struct xr_trusts *out, const struct xr_reader_row *reader, const char *root);
void xr_trusts_free(struct xr_trusts *trusts);
/* An xr_lookup_fn; ctx is a struct xr_trusts. Reads links of directories when they are asked for. */
enum xr_status xr_trusts_lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                                uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx);
/* Index of the first read that gave the certificate; XR_NOT_READ if none did. */
#define XR_NOT_READ ((size_t)-1)
size_t xr_trusts_source(const struct xr_trusts *trusts, const unsigned char sha256[XR_SHA256_LEN]);

/* plain.c: NULL, or why programs might decide otherwise than OpenSSL about this path (leaf first, with
 * its anchor at the end): a line for people. Pure. */
const char *xr_plain_not(const struct xr_bytes *path, size_t count, const struct xr_probe *probe,
                         bool strict);

/* The same about one CA that paths might also lead over. */
const char *xr_plain_not_ca(struct xr_bytes der, const struct xr_probe *probe, bool strict);

#endif
