/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL itself takes from a file of certificates that it is given as its trust. */
#ifndef XR_CAFILE_H
#define XR_CAFILE_H

#include "x509.h"

/* struct xr_host.openssl_items */
enum xr_status xr_openssl_items(struct xr_bytes data, enum xr_reading as, xr_item_fn emit,
                                void *ctx, struct xr_error *err);
/* Is der exactly one certificate of which every libcrypto is known to parse every byte? False says
 * nothing. Takes a tenth of the time of d2i_X509. */
bool xr_surely_parsed(struct xr_bytes der);

#endif
