/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate with its properties as CryptoAPI serialises it and as the registry keeps it, value
 * "Blob" below Microsoft\SystemCertificates\STORE\Certificates\SHA1: records of identifier, 1,
 * length (4 bytes each, little-endian) and data, in any order (CertSerializeCertificateStoreElement;
 * [MS-GPEF] 2.2.1.1). Identifiers are those of wincrypt.h. Pure; plugins carry it.
 */
#ifndef XR_WINDOWS_BLOB_H
#define XR_WINDOWS_BLOB_H

#include "kit/base.h"

enum xr_win_property {
    XR_WIN_SHA1 = 3,         /* CERT_SHA1_HASH_PROP_ID */
    XR_WIN_EKU = 9,          /* CERT_ENHKEY_USAGE_PROP_ID: DER, SEQUENCE OF OBJECT IDENTIFIER */
    XR_WIN_NAME = 11,        /* CERT_FRIENDLY_NAME_PROP_ID: UTF-16LE, with its zero */
    XR_WIN_TEXT = 13,        /* CERT_DESCRIPTION_PROP_ID: UTF-16LE */
    XR_WIN_ARCHIVED = 19,    /* CERT_ARCHIVED_PROP_ID: lists skip it, chains do not */
    XR_WIN_CERT = 32,        /* CERT_CERT_PROP_ID: the certificate */
    XR_WIN_CRL = 33,         /* CERT_CRL_PROP_ID */
    XR_WIN_DISALLOWED = 104, /* CERT_DISALLOWED_FILETIME_PROP_ID: not trusted from then on */
    XR_WIN_NOT_BEFORE = 126, /* CERT_NOT_BEFORE_FILETIME_PROP_ID: what it issued later is not, */
    XR_WIN_NOT_BEFORE_EKU = 127, /* CERT_NOT_BEFORE_ENHKEY_USAGE_PROP_ID: for these purposes */
};

struct xr_win_record {
    uint32_t id;
    struct xr_bytes data;
};
/* Takes a record from the front. False at the end, and if there is no valid record. */
bool xr_win_blob_next(struct xr_win_record *out, struct xr_bytes *rest);
/* Is it a series of records with one certificate or CRL? */
bool xr_win_blob_good(struct xr_bytes blob);
/* Data of the first record of an identifier; data is NULL without one. */
struct xr_bytes xr_win_blob_get(struct xr_bytes blob, uint32_t id);
/* A copy without properties that can be computed from the bytes, ordered by identifier. */
void xr_win_blob_plain(struct xr_buf *out, struct xr_bytes blob);
void xr_win_blob_add(struct xr_buf *out, uint32_t id, struct xr_bytes data);

/* Purposes that an EKU property allows; 0: none that we know. */
uint32_t xr_win_eku_purposes(struct xr_bytes eku);
/* The property of a set of purposes. */
void xr_win_eku_make(struct xr_buf *out, uint32_t purposes);
/* To UTF-8, allocated; invalid text is replaced. And back, with the final zero. */
char *xr_win_name_text(struct xr_bytes name);
void xr_win_name_make(struct xr_buf *out, const char *text);

#endif
