/* SPDX-License-Identifier: Apache-2.0 */
/* Finds certificates and CRLs in the bytes of a file, and what cannot be used. Opens nothing. */
#ifndef XR_SCAN_H
#define XR_SCAN_H

#include "x509.h"

/* RFC 5280 sets no size; the largest certificates in the wild are below 100 KiB. */
#define XR_INPUT_CERT_MAX ((size_t)1 << 20)

/* Callbacks for what a scan finds; either may be NULL. */
struct xr_scan {
    enum xr_status (*item)(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                           struct xr_bytes aux);
    void (*reject)(void *ctx, bool note, const char *reason);
    void *ctx;
    /* The file is from people: a block may begin on the line that ends the previous one (xr_pem_next),
     * and PKCS#7 may stand under the label CERTIFICATE, as AD CS writes it. PKCS#12, PKCS#7 in BER and
     * Windows serialized stores are read. */
    bool lenient;
    struct xr_bytes password; /* of PKCS#12; data NULL: not known */
    size_t found;
    size_t rejected;
    size_t block; /* for reasons: the PEM block at work, from 1; 0: the only one, or none */
};
enum xr_status xr_scan(struct xr_scan *scan, struct xr_bytes data);

/* struct xr_host.items: the same for a backend. What is neither certificate nor CRL is skipped;
 * XR_INVALID only if nothing was found. */
enum xr_status xr_input_items(struct xr_bytes data, xr_item_fn emit, void *ctx,
                              struct xr_error *err);

/* struct xr_host.trusted */
enum xr_status xr_input_trusted(size_t *len, uint32_t *purposes, struct xr_bytes bytes,
                                struct xr_error *err);

#endif
