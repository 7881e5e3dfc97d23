/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that use libcrypto; do not include it elsewhere. */
#ifndef XR_CERTS_OPENSSL_H
#define XR_CERTS_OPENSSL_H

#include "x509.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* crypto.c: before any other use of libcrypto. */
void xr_crypto_ready(void);
const EVP_MD *xr_crypto_sha256(void);
/* Text "what: libcrypto's last reason"; clears libcrypto's errors. */
enum xr_status xr_crypto_fail(struct xr_error *err, enum xr_status status, const char *what);

/* x509.c: der must be exactly one certificate; NULL: libcrypto does not parse it. */
X509 *xr_crypto_cert(struct xr_bytes der);
X509 *xr_crypto_trusted_cert(struct xr_bytes der); /* trust settings may follow */
EVP_PKEY *xr_crypto_key(struct xr_cert *cert);     /* the certificate's, or NULL */
bool xr_crypto_key_type_known(const struct xr_cert *cert);
/* names.c */
int xr_crypto_nid(struct xr_bytes oid); /* of a DER OBJECT IDENTIFIER; NID_undef: unknown */
X509_NAME *xr_crypto_name(struct xr_bytes name);
bool xr_crypto_name_plain(struct xr_bytes name); /* ASCII text alone: libcrypto decodes it */
/* crl.c */
X509_CRL *xr_crypto_crl(struct xr_bytes der);

#endif
