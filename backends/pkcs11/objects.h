/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes objects of a PKCS#11 token (PKCS#11 2.40) as lists of attributes, for the
 * backends of NSS databases and p11-kit. Also the two kinds of trust object of NSS: its own
 * (CKO_NSS_TRUST, pkcs11n.h) and that of PKCS#11 3.2 (CKO_TRUST), which NSS 3.114 and later read
 * first and older versions do not read.
 */
#ifndef XR_PKCS11_OBJECTS_H
#define XR_PKCS11_OBJECTS_H

#include "kit/base.h"

#include <p11-kit/pkcs11.h>

#define NSS_VENDOR          (0x80000000UL | 0x4E534350UL)
#define NSS_CKO_CRL         (NSS_VENDOR + 1)
#define NSS_CKO_TRUST       (NSS_VENDOR + 3)
#define NSS_CKA_URL         (NSS_VENDOR + 1)
#define NSS_CKA_EMAIL       (NSS_VENDOR + 2)
#define NSS_CKA_KRL         (NSS_VENDOR + 8)
#define NSS_CKA_TRUST       (NSS_VENDOR + 0x2000)
#define NSS_CKA_SERVER_AUTH (NSS_CKA_TRUST + 8)
#define NSS_CKA_CLIENT_AUTH (NSS_CKA_TRUST + 9)
#define NSS_CKA_CODE        (NSS_CKA_TRUST + 10)
#define NSS_CKA_EMAIL_PROT  (NSS_CKA_TRUST + 11)
#define NSS_CKA_STEP_UP     (NSS_CKA_TRUST + 16)
#define NSS_CKA_SHA1        (NSS_CKA_TRUST + 100)
#define NSS_CKA_MD5         (NSS_CKA_TRUST + 101)

/* Values of NSS_CKA_*_AUTH and their like. */
#define NSS_TRUSTED         (NSS_VENDOR + 1) /* the certificate itself */
#define NSS_DELEGATOR       (NSS_VENDOR + 2) /* as an anchor */
#define NSS_MUST_VERIFY     (NSS_VENDOR + 3)
#define NSS_UNKNOWN         (NSS_VENDOR + 5)
#define NSS_NOT_TRUSTED     (NSS_VENDOR + 10)
#define NSS_VALID_DELEGATOR (NSS_VENDOR + 11)

/* PKCS#11 3.2, not yet in p11-kit's header */
#define STD_CKO_TRUST       0x0BUL
#define STD_CKA_SERVER_AUTH 0x62CUL
#define STD_CKA_CLIENT_AUTH 0x62DUL
#define STD_CKA_CODE        0x62EUL
#define STD_CKA_EMAIL_PROT  0x62FUL
#define STD_CKA_IPSEC       0x630UL
#define STD_CKA_TIME        0x631UL
#define STD_CKA_OCSP        0x632UL
#define STD_CKA_CERT_HASH   0x635UL
#define STD_CKA_HASH_ALG    0x8CUL

#define STD_TRUSTED      1UL
#define STD_TRUST_ANCHOR 2UL
#define STD_NOT_TRUSTED  3UL

struct p11_token {
    CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE session;
};

/* An object, or a pattern for one; owns the values. */
struct p11_object {
    CK_OBJECT_HANDLE handle; /* 0: not in a token */
    unsigned long kind;      /* CKO_… */
    /* softoken did not give an attribute, because its signature in the database does not hold. NSS then
     * reads no trust of the whole object. */
    bool unproven;
    struct p11_attr {
        unsigned long type; /* CKA_… */
        struct xr_bytes value;
    } * items;
    size_t count, capacity;
};
struct p11_objects {
    struct p11_object *items;
    size_t count, capacity;
};

/* Sets or replaces one attribute. */
void p11_set(struct p11_object *object, unsigned long type, const void *data, size_t len);
void p11_set_bytes(struct p11_object *object, unsigned long type, struct xr_bytes value);
void p11_set_ulong(struct p11_object *object, unsigned long type, unsigned long value);
void p11_set_bool(struct p11_object *object, unsigned long type, bool value);
bool p11_has(const struct p11_object *object, unsigned long type); /* even an empty one */
/* Borrowed; empty if the object has no such attribute. */
struct xr_bytes p11_get(const struct p11_object *object, unsigned long type);
bool p11_get_ulong(const struct p11_object *object, unsigned long type, unsigned long *out);
void p11_object_free(struct p11_object *object);
void p11_objects_free(struct p11_objects *objects);

/* Fails with the meaning of a return value. */
XR_PRINTF(3, 4) enum xr_status p11_fail(struct xr_error *err, CK_RV rv, const char *format, ...);

/* Finds objects of a kind, with the attributes of like if it is not NULL, in the order of the
 * token. Reads the given types of attributes; those that an object does not have are left out. Adds
 * to out. */
enum xr_status p11_find(struct p11_objects *out, const struct p11_token *token, unsigned long kind,
                        const struct p11_object *like, const unsigned long *types, size_t count,
                        struct xr_error *err);
/* Reads more attributes of an object. */
enum xr_status p11_read(struct p11_object *object, const struct p11_token *token,
                        const unsigned long *types, size_t count, struct xr_error *err);
/* Is a flag that p11_read does not read unproven, too? Then so is the object. */
void p11_doubt(struct p11_object *object, const struct p11_token *token, unsigned long flag);
enum xr_status p11_create(const struct p11_token *token, struct p11_object *object,
                          struct xr_error *err);
enum xr_status p11_destroy(const struct p11_token *token, struct p11_object *object,
                           struct xr_error *err);

/* Kind and attributes as bytes: equal objects give equal bytes. */
void p11_encode(struct xr_buf *out, const struct p11_object *object);
/* XR_INVALID for anything that p11_encode did not write; advances in. */
enum xr_status p11_decode(struct p11_object *out, struct xr_bytes *in, struct xr_error *err);

/* What a trust object of either kind says, as purposes (server, client, email, code); of one that is
 * unproven, nothing. */
struct p11_trust {
    uint32_t anchor, peer, distrust;
};
#define P11_PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE))
#define P11_PEER     ((uint32_t)(XR_SERVER | XR_CLIENT)) /* certutil's "P,," */
struct p11_trust p11_trust_read(const struct p11_object *object);
/* Attributes that p11_trust_read and p11_trust_about need, of either kind. */
extern const unsigned long p11_nss_types[];
extern const size_t p11_nss_type_count;
extern const unsigned long p11_std_types[];
extern const size_t p11_std_type_count;
/* The hash of the certificate that it applies to; empty if it has none. */
struct xr_bytes p11_trust_hash(const struct p11_object *object);
/* Does it apply to the certificate with these hashes? One without a hash applies to every
 * certificate with its issuer and serial number. */
bool p11_trust_about(const struct p11_object *object, const unsigned char sha1[20],
                     const unsigned char sha256[XR_SHA256_LEN]);
/* Fills a trust object of NSS's kind, as certutil writes it. */
void p11_trust_make(struct p11_object *out, const struct p11_trust *trust,
                    const struct xr_slices *cert, const unsigned char sha1[20],
                    const unsigned char md5[16]);

#endif
