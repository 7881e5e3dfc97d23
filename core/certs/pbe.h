/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption by password (PKCS#5, PKCS#12): what it costs, and where its algorithms are. Only for files
 * that use libcrypto. */
#ifndef XR_CERTS_PBE_H
#define XR_CERTS_PBE_H

#include "openssl.h"

#include <openssl/provider.h>

/* How often a hash is repeated to make the keys, in the whole file: others write 600,000 at most. */
#define XR_PBE_ROUNDS_MAX 5000000u

struct xr_pbe {
    uint64_t rounds;
    bool wants_legacy;
    OSSL_LIB_CTX *lib; /* with the legacy algorithms, once opened */
    OSSL_PROVIDER *standard, *legacy;
};

void xr_pbe_add_rounds(struct xr_pbe *pbe, const ASN1_INTEGER *number); /* NULL: one */
/* False: an algorithm that nobody knows here. */
bool xr_pbe_add(struct xr_pbe *pbe, const X509_ALGOR *alg);
/* Before anything is computed: a file may ask for hours of it. */
enum xr_status xr_pbe_check_rounds(const struct xr_pbe *pbe, struct xr_error *err);
enum xr_status xr_pbe_open_legacy(struct xr_pbe *pbe, struct xr_error *err);
void xr_pbe_close(struct xr_pbe *pbe);

#endif
