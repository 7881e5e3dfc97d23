/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small bounds-checked parser of DER (X.690). It splits certificates (RFC 5280, 4.1) into slices
 * of their own bytes, without allocation. OpenSSL 3.0 takes ten times longer to parse one, so it is
 * used only for signatures, names and paths (x509.h).
 */
#ifndef XR_DER_H
#define XR_DER_H

#include "base.h"

enum xr_der_tag {
    XR_DER_BOOLEAN = 0x01,
    XR_DER_INTEGER = 0x02,
    XR_DER_BIT_STRING = 0x03,
    XR_DER_OCTET_STRING = 0x04,
    XR_DER_OID = 0x06,
    XR_DER_UTF8 = 0x0c,
    XR_DER_UTC_TIME = 0x17,
    XR_DER_GENERALIZED_TIME = 0x18,
    XR_DER_SEQUENCE = 0x30,
    XR_DER_SET = 0x31
};

struct xr_der_item {
    unsigned tag;
    struct xr_bytes content;
    struct xr_bytes whole; /* header and content */
};

/* Takes one element from the front of *rest. False unless it is DER: definite and minimal length,
 * tag number below 31, inside the bytes. */
bool xr_der_next(struct xr_der_item *out, struct xr_bytes *rest);
/* The same, if it has that tag. */
bool xr_der_expect(struct xr_der_item *out, struct xr_bytes *rest, unsigned tag);

/* Appends one element, its length in the fewest octets. */
void xr_der_put(struct xr_buf *out, unsigned tag, const void *content, size_t len);

enum xr_key_usage { XR_KU_CERT_SIGN = 1u << 0, XR_KU_CRL_SIGN = 1u << 1 };

struct xr_der_cert {
    struct xr_slices slices;
    struct xr_bytes signature_alg; /* AlgorithmIdentifier outside tbs */
    struct xr_bytes signature;     /* content without the unused-bits octet */
    int version;                   /* 1, 2, 3 */
    bool alg_mismatch;             /* inner and outer AlgorithmIdentifier differ */
    int64_t not_before, not_after;
    bool has_basic_constraints, ca;
    int pathlen; /* -1: no limit */
    bool has_key_usage;
    unsigned key_usage; /* enum xr_key_usage */
    bool has_eku;
    uint32_t eku; /* purposes it allows; XR_ANY_PURPOSE for anyExtendedKeyUsage */
    bool name_constraints;
    bool unknown_critical;
    bool malformed;       /* an extension we know does not parse, or occurs twice */
    struct xr_bytes skid; /* subjectKeyIdentifier's octets; empty without one */
    struct xr_bytes akid; /* authorityKeyIdentifier's keyIdentifier; likewise */
    bool doubtful;        /* an extension is too rare to be judged here: libcrypto must parse it */
};

/* XR_INVALID with a reason unless der is exactly one certificate. */
enum xr_status xr_der_cert(struct xr_der_cert *out, struct xr_bytes der, struct xr_error *err);
/* Orders certificates of one subject for programs that take the first that fits and never go back:
 * the least limited first, then the one that is valid longest. Negative: a before b. */
int xr_der_cert_order(const struct xr_der_cert *a, const struct xr_der_cert *b);

/* OpenSSL's X509_CERT_AUX, which follows the certificate in a TRUSTED CERTIFICATE block. */
struct xr_der_aux {
    bool has_trust;
    uint32_t trust, reject;                  /* purposes */
    struct xr_bytes trust_oids, reject_oids; /* DER OBJECT IDENTIFIERs, slices */
    struct xr_bytes alias;                   /* UTF-8; empty without one */
};
/* Takes an OBJECT IDENTIFIER from the front of *oids; *purpose is 0 if it is none of ours. */
bool xr_der_purpose(struct xr_der_item *out, uint32_t *purpose, struct xr_bytes *oids);
/* Appends the OBJECT IDENTIFIER of each purpose, in the order of their numbers. */
void xr_der_put_purposes(struct xr_buf *out, uint32_t purposes);
enum xr_status xr_der_aux(struct xr_der_aux *out, struct xr_bytes der, struct xr_error *err);

/* Issuer name of a CertificateList (RFC 5280, 5.1). */
enum xr_status xr_der_crl_issuer(struct xr_bytes *out, struct xr_bytes der, struct xr_error *err);

/* UTCTime or GeneralizedTime as in certificates, also with a numeric zone or without seconds. */
bool xr_der_time(int64_t *out, const struct xr_der_item *item);

/* The digits of UTCTime, or of GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5), and "Z". Years are 1950 to
 * 9999. */
#define XR_TIME_DIGITS_MAX 40
void xr_der_time_digits(char out[XR_TIME_DIGITS_MAX], int64_t at);

/* What bytes that are not a certificate seem to be: "a private key", "PKCS#12"…; NULL if
 * unknown. */
const char *xr_der_guess(struct xr_bytes data, bool *private_key);

#endif
