/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and CRLs: the only part of core that uses libcrypto. The folder certs says what a
 * certificate is and reads it from files; it may use sys and kit. */
#ifndef XR_X509_H
#define XR_X509_H

#include "kit/der.h"

/* One certificate; its bytes never change. */
struct xr_cert {
    unsigned refs;
    struct xr_bytes der; /* owned */
    unsigned char sha256[XR_SHA256_LEN];
    unsigned char spki_sha256[XR_SHA256_LEN];
    struct xr_der_cert d; /* slices of der */
    void *key;            /* EVP_PKEY of the subject, parsed when first needed */
    bool key_bad;
    bool accepted; /* xr_cert_accepted was true; false: not yet known */
};

/* XR_INVALID with a reason unless der is one certificate. Copies der. */
enum xr_status xr_cert_new(struct xr_cert **out, struct xr_bytes der, struct xr_error *err);
/* The same if the caller already knows the SHA-256 of der. */
enum xr_status xr_cert_new_known(struct xr_cert **out, struct xr_bytes der,
                                 const unsigned char sha256[XR_SHA256_LEN], struct xr_error *err);
/* For stores and pages that name certificates by SHA-1; computed at each call. */
void xr_cert_sha1(unsigned char out[20], const struct xr_cert *cert);
struct xr_cert *xr_cert_ref(struct xr_cert *cert);
void xr_cert_free(struct xr_cert *cert);

/* CA by RFC 5280 (basicConstraints, keyCertSign where keyUsage is present), or a version 1
 * certificate whose subject is its issuer: before version 3 there was no other way to mark a CA. */
bool xr_cert_is_ca(const struct xr_cert *cert);
/* Signature only: names, validity and constraints are the model's and the verifier's business.
 * XR_UNKNOWN: this libcrypto cannot check it (an algorithm that it lacks); why then says so. */
enum xr_answer xr_cert_check_signature(const struct xr_cert *cert, struct xr_cert *issuer,
                                       struct xr_error *why);
/* Was it checked, with a yes? */
bool xr_cert_signed_by(const struct xr_cert *cert, struct xr_cert *issuer);
bool xr_cert_self_signed(struct xr_cert *cert);
/* Does libcrypto take the certificate: all of it is parsed, and its dates are of the form that paths
 * need? A key of a type that it does not know is no obstacle. False with a reason for people. */
bool xr_cert_accepted(struct xr_cert *cert, struct xr_error *err);
/* OpenSSL's security level 2, which Debian, Ubuntu and Fedora set for every TLS program
 * (SSL_CTX_set_security_level(3)): keys and signatures weaker than so many bits are refused. */
enum { XR_TLS_SECURITY_LEVEL = 2, XR_TLS_SECURITY_BITS = 112 };
/* NULL, or why TLS programs refuse its public key, or its signature. The latter does not count where
 * the certificate is the anchor of a path. */
const char *xr_cert_key_complaint(struct xr_cert *cert);
const char *xr_cert_signature_complaint(const struct xr_cert *cert);

struct xr_crl {
    struct xr_bytes der; /* owned */
    unsigned char sha256[XR_SHA256_LEN];
    struct xr_bytes issuer; /* slice */
    int64_t this_update, next_update;
    bool has_next_update;
    bool delta, partial, unknown_critical;
    struct xr_bytes number; /* big-endian, no leading zeros; owned; empty without one */
    size_t revoked;
};
enum xr_status xr_crl_new(struct xr_crl **out, struct xr_bytes der, struct xr_error *err);
void xr_crl_free(struct xr_crl *crl);
bool xr_crl_signed_by(const struct xr_crl *crl, const struct xr_cert *issuer);

/* RFC 4514 text of a DER Name, UTF-8, allocated; control characters as \XX. An empty name is "".
 * The value of an attribute that cannot be decoded is hex (CN=#…), and so is an empty RDN. */
char *xr_x509_name_text(struct xr_bytes name);
/* The most telling part for people: CN, else OU, else O, else the whole name. */
char *xr_x509_name_short(struct xr_bytes name);
/* Adds the values of one attribute of a DER Name as UTF-8, in their order, each up to a NUL. type is the
 * last octet of the attribute's OID, 2.5.4.type. What is no text is left out. */
enum { XR_NAME_CN = 3, XR_NAME_O = 10, XR_NAME_OU = 11 };
void xr_x509_name_values(struct xr_strings *out, struct xr_bytes name, unsigned char type);
/* Each attribute of a name, in order: its type and its value. False: the name is malformed, one of its sets
 * is empty, or tell said so. */
bool xr_x509_name_each(struct xr_bytes name,
                       bool (*tell)(void *ctx, const struct xr_der_item *oid,
                                    const struct xr_der_item *value),
                       void *ctx);
enum xr_status xr_x509_name_hash(uint32_t *out, struct xr_bytes name, struct xr_error *err);
/* RFC 5280, 7.1, as libcrypto compares: case and white space folded, string types alike. */
bool xr_x509_name_equal(struct xr_bytes a, struct xr_bytes b);
/* Name of a DER OBJECT IDENTIFIER, such as "X509v3 Name Constraints", or its dotted form;
 * allocated. */
char *xr_x509_oid_text(struct xr_bytes oid);
/* DER INTEGER of a serial number that is given in decimal, or in hex after 0x or with colons. False
 * if text is not one. */
bool xr_x509_serial_parse(struct xr_buf *out, const char *text);
/* Decimal text of a DER INTEGER, allocated. */
char *xr_x509_serial_text(struct xr_bytes serial);

void xr_x509_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes data);
void xr_x509_sha1(unsigned char out[20], struct xr_bytes data);
/* Zeros if libcrypto has no MD5 (FIPS): it is used only for names of compatibility links. */
void xr_x509_md5(unsigned char out[16], struct xr_bytes data);
void xr_x509_hmac_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes key,
                         struct xr_bytes data);
/* One block: data has at most 15 bytes, and is padded as PKCS #7 says. */
void xr_x509_aes256_cbc(unsigned char out[16], const unsigned char key[32],
                        const unsigned char iv[16], struct xr_bytes data);
enum xr_status xr_x509_path_check(struct xr_verdict *out, const struct xr_path_check *check,
                                  struct xr_error *err);
#define XR_X509_ENGINE_MAX 64
const char *xr_x509_library(void); /* "OpenSSL 3.0.19 …": the libcrypto that runs */
void xr_x509_engine(char out[XR_X509_ENGINE_MAX]); /* "OpenSSL 3.0.19 X509_verify_cert" */

#endif
