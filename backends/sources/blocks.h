/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle that is its own source, as in images that have nothing else: its certificates with the
 * bytes they take, and which of them crossroot added. What is added stands at the end, each
 * certificate after a line that names it, so that taking it out again leaves the bytes that were
 * there before.
 */
#ifndef XR_CACERTS_BLOCKS_H
#define XR_CACERTS_BLOCKS_H

#include "crossroot/backend.h"
#include "kit/base.h"

struct ca_block {
    size_t from, to; /* its bytes in the text, with our line before it and its line end */
    bool added;      /* by crossroot */
    struct xr_buf der;
    size_t len; /* of the certificate in der; OpenSSL's trust settings may follow */
    unsigned char sha256[XR_SHA256_LEN];
};
struct ca_blocks {
    struct ca_block *items;
    size_t count, capacity;
};

/* CERTIFICATE and TRUSTED CERTIFICATE blocks in their order; what cannot be decoded is none. */
void ca_blocks_read(struct ca_blocks *out, struct xr_bytes text, const struct xr_host *host);
void ca_blocks_free(struct ca_blocks *blocks);
/* Appends the line that says that crossroot added the certificate that comes next. */
void ca_blocks_mark(struct xr_buf *bundle, const unsigned char sha256[XR_SHA256_LEN]);

#endif
