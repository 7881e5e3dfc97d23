/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of a PKCS#12 file (RFC 7292) takes of cryptography. Passwords are UTF-8, and may be empty.
 * spent counts the rounds of hashing in one file, and has a limit: a file may ask for hours of it.
 * Algorithms are whole AlgorithmIdentifiers in DER. */
#ifndef XR_KEYSTORE_H
#define XR_KEYSTORE_H

#include "x509.h"

#define XR_P12_MAC_MAX 64u

/* The MAC over content: HMAC with a key that PKCS#12's own function makes. XR_UNSUPPORTED: none of that
 * kind, such as RFC 9579's PBMAC1; XR_REFUSED: too many rounds. */
enum xr_status xr_p12_mac(unsigned char out[XR_P12_MAC_MAX], size_t *len, uint64_t *spent,
                          struct xr_bytes algorithm, struct xr_bytes salt, uint64_t rounds,
                          struct xr_bytes password, struct xr_bytes content, struct xr_error *err);
/* Appends data, decrypted or encrypted. XR_UNSUPPORTED and XR_REFUSED as above; XR_INVALID: the password
 * is wrong, or data is damaged. */
enum xr_status xr_p12_crypt(struct xr_buf *out, bool encrypt, uint64_t *spent,
                            struct xr_bytes algorithm, struct xr_bytes password,
                            struct xr_bytes data, struct xr_error *err);

#endif
