/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of p11files/ use of each other. */
#ifndef XR_P11FILES_PRIVATE_H
#define XR_P11FILES_PRIVATE_H

#include "kit/der.h"
#include "p11files.h"

/* ---- ber.c: as much DER as libtasn1 would take, flat ---- */

struct pf_der {
    unsigned tag;
    struct xr_bytes content, whole;
};
/* Takes one element off the front. Lengths need not be minimal, nor said: then content ends before the
 * two zeros that whole has. */
bool pf_der_next(struct pf_der *out, struct xr_bytes *rest);
bool pf_der_take(struct pf_der *out, struct xr_bytes *rest, unsigned tag);
/* The same, and nothing follows. */
bool pf_der_only(struct pf_der *out, struct xr_bytes all, unsigned tag);

struct pf_walk {
    struct xr_bytes serial, issuer, subject, spki; /* whole elements */
    struct xr_bytes basic, eku;                    /* extnValue; data is NULL without one */
    int64_t not_before;                            /* 0 if it makes no sense */
    bool v1;
};
bool pf_walk_cert(struct pf_walk *out, struct xr_bytes der);
bool pf_walk_extension(struct xr_bytes *oid, struct xr_bytes *value, struct xr_bytes der);
bool pf_walk_basic(bool *ca, struct xr_bytes der);
/* The inside of a SEQUENCE OF OBJECT IDENTIFIER, for pf_der_take. */
bool pf_walk_oids(struct xr_bytes *inside, struct xr_bytes der);
bool pf_oid_ok(struct xr_bytes content);
/* In dots. False: not a good one. */
bool pf_oid_text(struct xr_buf *out, struct xr_bytes oid);
bool pf_is(struct xr_bytes bytes, const void *data, size_t len);
int pf_by_bytes(const void *a, const void *b); /* struct xr_bytes, for qsort and bsearch */

/* One attribute of a name: type and value are whole elements. */
struct pf_ava {
    struct xr_bytes type, value;
};
/* Takes one AttributeTypeAndValue off the front of a SET's content. */
bool pf_ava_take(struct pf_ava *out, struct xr_bytes *set);
/* UTF-8 of a string type, to be freed. NULL: not one (*other), or its bytes are wrong. */
char *pf_string(size_t *len, bool *other, struct xr_bytes value);
/* CN, else OU, else O, cut at NUL; NULL without any. */
char *pf_name_label(struct xr_bytes name, bool first_rdn);

/* Lists of purposes, as XR_SERVER… */
uint32_t pf_purpose_bits(struct xr_bytes oids);
struct pf_known_oid {
    unsigned char der[14];
    unsigned char len;
    uint32_t purpose;
};
enum { PF_KNOWN_OIDS = 8 };
extern const struct pf_known_oid pf_known_oids[PF_KNOWN_OIDS];
#define PF_OID_ANY            "\x06\x04\x55\x1d\x25\x00"
#define PF_OID_EKU            "\x06\x03\x55\x1d\x25"
#define PF_OID_BASIC          "\x06\x03\x55\x1d\x13"
#define PF_OID_SKID           "\x06\x03\x55\x1d\x0e"
#define PF_OID_REJECT         "\x06\x0a\x2b\x06\x01\x04\x01\x99\x77\x06\x0a\x01"
#define PF_OID_RESERVED       "\x06\x0a\x2b\x06\x01\x04\x01\x99\x77\x06\x0a\x10"
#define PF_IS(bytes, literal) pf_is(bytes, literal, sizeof(literal) - 1)

/* ---- pem.c ---- */

typedef void (*pf_block_fn)(void *ctx, struct xr_bytes type, unsigned char *der, size_t len);
/* Calls for every block that decodes, whatever its type; der is the callee's. Answers how many. */
size_t pf_pem_each(struct xr_bytes text, pf_block_fn block, void *ctx);

/* ---- persist.c ---- */

enum pf_attr {
    PF_CLASS,
    PF_TOKEN,
    PF_LABEL,
    PF_CERT_TYPE,
    PF_TRUSTED,
    PF_DISTRUSTED,
    PF_CATEGORY,
    PF_SUBJECT,
    PF_ISSUER,
    PF_SERIAL,
    PF_VALUE,
    PF_SPKI,
    PF_OBJECT_ID,
    PF_ID,
    PF_APPLICATION,
    PF_SERVER_AFTER, /* a date from which NSS takes nothing more from it; one zero byte: none */
    PF_EMAIL_AFTER,
    PF_MOZILLA_POLICY,
    PF_COMMON,    /* allowed everywhere, of no meaning here */
    PF_CERT_ONLY, /* of no meaning here */
    PF_OTHER,     /* known to p11-kit, allowed in nothing we read */
    PF_IGNORED,   /* an array: p11-kit before 0.25 refuses it like those */
    PF_ATTRS
};
/* Values are owned. A boolean is one byte, a number an unsigned long. */
struct pf_object {
    struct {
        bool set;
        unsigned char *data;
        size_t len;
    } attr[PF_ATTRS];
};
void pf_object_clear(struct pf_object *object);
void pf_object_set(struct pf_object *object, enum pf_attr attr, const void *data, size_t len);
bool pf_object_number(const struct pf_object *object, enum pf_attr attr, unsigned long *out);
struct xr_bytes pf_object_bytes(const struct pf_object *object, enum pf_attr attr);

enum {
    PF_CLASS_DATA = 0,
    PF_CLASS_CERTIFICATE = 1,
};
#define PF_CLASS_NSS_TRUST 0xce534353UL
#define PF_CLASS_NSS_ROOTS 0xce534354UL
#define PF_CLASS_ASSERTION 0xd8444764UL
#define PF_CLASS_EXTENSION 0xd84447c8UL

bool pf_persist_magic(struct xr_bytes data);
/* False, with a reason, where p11-kit gives the file up and takes none of its objects. So read first
 * without place, then with it: false ends the reading. */
typedef bool (*pf_object_fn)(void *ctx, struct pf_object *object);
bool pf_persist_read(struct xr_bytes data, pf_object_fn place, void *ctx, struct xr_error *err);

/* ---- names.c ---- */

/* Hashes that links are named by: of the canonical subject (false: not for this one), and of before
 * OpenSSL 1.0. */
bool pf_link_hash(uint32_t *out, struct xr_bytes subject, const struct xr_host *host);
uint32_t pf_link_hash_old(struct xr_bytes subject, const struct xr_host *host);

#endif
