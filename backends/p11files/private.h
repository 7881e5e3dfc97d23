/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pk.h lend each other. */
#ifndef XR_PK_PARTS_H
#define XR_PK_PARTS_H

#include "p11files.h"

/* ---- der.c: as much DER as libtasn1 would take, flat ---- */

enum {
    PK_DER_BOOLEAN = 0x01,
    PK_DER_INTEGER = 0x02,
    PK_DER_BIT_STRING = 0x03,
    PK_DER_OCTETS = 0x04,
    PK_DER_OID = 0x06,
    PK_DER_UTF8 = 0x0c,
    PK_DER_UTC_TIME = 0x17,
    PK_DER_GENERAL_TIME = 0x18,
    PK_DER_SEQUENCE = 0x30,
    PK_DER_SET = 0x31
};

struct pk_der {
    unsigned tag;
    struct xr_bytes content, whole;
};
/* Takes one element off the front. Lengths need not be minimal, nor said: then content ends before the
 * two zeros that whole has. */
bool pk_der_next(struct pk_der *out, struct xr_bytes *rest);
bool pk_der_take(struct pk_der *out, struct xr_bytes *rest, unsigned tag);
/* The same, and nothing follows. */
bool pk_der_only(struct pk_der *out, struct xr_bytes all, unsigned tag);
void pk_der_put(struct xr_buf *buf, unsigned tag, const void *content, size_t len);

struct pk_walk {
    struct xr_bytes serial, issuer, subject, spki; /* whole elements */
    struct xr_bytes basic, eku;                    /* extnValue; data is NULL without one */
    int64_t not_before;                            /* 0 if it makes no sense */
    bool v1;
};
bool pk_walk_cert(struct pk_walk *out, struct xr_bytes der);
bool pk_walk_extension(struct xr_bytes *oid, struct xr_bytes *value, struct xr_bytes der);
bool pk_walk_basic(bool *ca, struct xr_bytes der);
/* The inside of a SEQUENCE OF OBJECT IDENTIFIER, for pk_der_take. */
bool pk_walk_oids(struct xr_bytes *inside, struct xr_bytes der);
bool pk_oid_ok(struct xr_bytes content);
/* In dots. False: not a good one. */
bool pk_oid_text(struct xr_buf *out, struct xr_bytes oid);
bool pk_is(struct xr_bytes bytes, const void *data, size_t len);
int pk_by_bytes(const void *a, const void *b); /* struct xr_bytes, for qsort and bsearch */

/* One attribute of a name: type and value are whole elements. */
struct pk_ava {
    struct xr_bytes type, value;
};
/* Takes one AttributeTypeAndValue off the front of a SET's content. */
bool pk_ava_take(struct pk_ava *out, struct xr_bytes *set);
/* UTF-8 of a string type, to be freed. NULL: not one (*other), or its bytes are wrong. */
char *pk_string(size_t *len, bool *other, struct xr_bytes value);
/* CN, else OU, else O, cut at NUL; NULL without any. */
char *pk_name_label(struct xr_bytes name, bool first_rdn);

/* Lists of purposes, as XR_SERVER… */
uint32_t pk_purpose_bits(struct xr_bytes oids);
struct pk_known_oid {
    unsigned char der[14];
    unsigned char len;
    uint32_t purpose;
};
enum { PK_KNOWN_OIDS = 8 };
extern const struct pk_known_oid pk_known_oids[PK_KNOWN_OIDS];
#define PK_OID_ANY            "\x06\x04\x55\x1d\x25\x00"
#define PK_OID_EKU            "\x06\x03\x55\x1d\x25"
#define PK_OID_BASIC          "\x06\x03\x55\x1d\x13"
#define PK_OID_SKID           "\x06\x03\x55\x1d\x0e"
#define PK_OID_REJECT         "\x06\x0a\x2b\x06\x01\x04\x01\x99\x77\x06\x0a\x01"
#define PK_OID_RESERVED       "\x06\x0a\x2b\x06\x01\x04\x01\x99\x77\x06\x0a\x10"
#define PK_IS(bytes, literal) pk_is(bytes, literal, sizeof(literal) - 1)

/* ---- pem.c ---- */

typedef void (*pk_block_fn)(void *ctx, struct xr_bytes type, unsigned char *der, size_t len);
/* Calls for every block that decodes, whatever its type; der is the callee's. Answers how many. */
size_t pk_pem_each(struct xr_bytes text, pk_block_fn block, void *ctx);
/* Base64 in lines of 64, no final newline; out has room for pk_base64_size(len). */
size_t pk_base64_size(size_t len);
size_t pk_base64(char *out, const unsigned char *data, size_t len);

/* ---- persist.c ---- */

enum pk_attr {
    PK_CLASS,
    PK_TOKEN,
    PK_LABEL,
    PK_CERT_TYPE,
    PK_TRUSTED,
    PK_DISTRUSTED,
    PK_CATEGORY,
    PK_SUBJECT,
    PK_ISSUER,
    PK_SERIAL,
    PK_VALUE,
    PK_SPKI,
    PK_OBJECT_ID,
    PK_ID,
    PK_APPLICATION,
    PK_SERVER_AFTER, /* a date from which NSS takes nothing more from it; one zero byte: none */
    PK_EMAIL_AFTER,
    PK_COMMON,    /* allowed everywhere, of no meaning here */
    PK_CERT_ONLY, /* of no meaning here */
    PK_OTHER,     /* known to p11-kit, allowed in nothing we read */
    PK_IGNORED,   /* an array: p11-kit before 0.25 refuses it like those */
    PK_ATTRS
};
/* Values are owned. A boolean is one byte, a number an unsigned long. */
struct pk_object {
    struct {
        bool set;
        unsigned char *data;
        size_t len;
    } attr[PK_ATTRS];
};
void pk_object_clear(struct pk_object *object);
void pk_object_set(struct pk_object *object, enum pk_attr attr, const void *data, size_t len);
bool pk_object_number(const struct pk_object *object, enum pk_attr attr, unsigned long *out);
struct xr_bytes pk_object_bytes(const struct pk_object *object, enum pk_attr attr);

enum {
    PK_CLASS_DATA = 0,
    PK_CLASS_CERTIFICATE = 1,
};
#define PK_CLASS_NSS_TRUST 0xce534353UL
#define PK_CLASS_NSS_ROOTS 0xce534354UL
#define PK_CLASS_ASSERTION 0xd8444764UL
#define PK_CLASS_EXTENSION 0xd84447c8UL

bool pk_persist_magic(struct xr_bytes data);
/* False, with a reason, where p11-kit gives the file up and takes none of its objects. So read first
 * without place, then with it: false ends the reading. */
typedef bool (*pk_object_fn)(void *ctx, struct pk_object *object);
bool pk_persist_read(struct xr_bytes data, pk_object_fn place, void *ctx, struct xr_error *err);

/* ---- names.c ---- */

/* Keeps names apart as p11-kit does: NAME, NAME.1, NAME.2… The cost of a name does not grow with how
 * often it was asked for. */
struct pk_names {
    const struct xr_host *host;
    struct xr_idmap taken, next;
    size_t *items; /* how often a name was asked for */
    size_t count, capacity;
};
/* Appends the n-th spelling of a name. */
typedef void (*pk_spell_fn)(struct xr_buf *buf, const char *name, size_t len, size_t n);
/* spelt becomes the first spelling nobody has taken. */
void pk_names_take(struct pk_names *names, struct xr_buf *spelt, const char *name, size_t len,
                   pk_spell_fn spell);
void pk_names_free(struct pk_names *names);

/* Hashes that links are named by: of the canonical subject (false: not for this one), and of before
 * OpenSSL 1.0. */
bool pk_link_hash(uint32_t *out, struct xr_bytes subject, const struct xr_host *host);
uint32_t pk_link_hash_old(struct xr_bytes subject, const struct xr_host *host);

/* ---- jks.c ---- */

struct pk_picks {
    size_t *items;
    size_t count, capacity;
};
void pk_jks(struct xr_buf *out, const struct pk_store *store, const struct pk_picks *picks);
void pk_reserve(struct xr_buf *buf, size_t more);

#endif
