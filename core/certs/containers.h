/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold several certificates: PKCS#7, PKCS#12, Windows' serialized store. */
#ifndef XR_CONTAINERS_H
#define XR_CONTAINERS_H

#include "x509.h"

/* Do the bytes begin as PKCS#7 (any type of it), or as PKCS#12? The answer is about the first
 * elements only, in DER or BER. */
bool xr_pkcs7_begins(struct xr_bytes data);
bool xr_pkcs12_begins(struct xr_bytes data);
bool xr_sst_begins(struct xr_bytes data);

/* What beside certificates and CRLs was found and left where it is. */
enum xr_left { XR_LEFT_KEY = 1u << 0, XR_LEFT_SECRET = 1u << 1, XR_LEFT_OTHER = 1u << 2 };

/* Passed on to emit: certificates and CRLs of a PKCS#7 (RFC 2315, 9.1) or CMS (RFC 5652, 5.1)
 * SignedData in DER or BER. White space may follow it. */
enum xr_status xr_x509_pkcs7(struct xr_bytes der, xr_item_fn emit, void *ctx, struct xr_error *err);

/* The same of a PKCS#12 file (RFC 7292). The password is tried, if its data is not NULL, then none and
 * the empty one; XR_DENIED if none of them is right. Where the file has a MAC it is checked first.
 * Private keys in bags of their own are not decrypted. */
enum xr_status xr_x509_pkcs12(unsigned *left, struct xr_bytes der, struct xr_bytes password,
                              xr_item_fn emit, void *ctx, struct xr_error *err);

/* The same of a Windows serialized store (.sst, [MS-OSHARED] 2.3.9.1). A certificate whose purposes the
 * store limits comes as XR_ITEM_TRUSTED_CERT, with these as OpenSSL's trust settings. */
enum xr_status xr_sst(unsigned *left, struct xr_bytes data, xr_item_fn emit, void *ctx,
                      struct xr_error *err);

#endif
