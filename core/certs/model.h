/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in view: kinds, same-key families, who issued whom, paths. No I/O. */
#ifndef XR_MODEL_H
#define XR_MODEL_H

#include "x509.h"

enum xr_kind {
    XR_KIND_ROOT, /* a CA that signed itself, or whose own signature could not be checked */
    XR_KIND_CROSS,
    XR_KIND_INTERMEDIATE,
    XR_KIND_LEAF,
    XR_KIND_SELF_SIGNED, /* likewise, but version 3 and silent about being a CA */
    XR_KIND_MALFORMED    /* an extension does not parse */
};
const char *xr_kind_name(enum xr_kind kind);

/* How many different keys with the issuer's name are tried for one certificate. Honest PKIs have a
 * few. Without a limit, a directory of equal names would cost a quadratic number of signature
 * checks. */
#define XR_ISSUER_TRIES 8u
/* How many relatives of one certificate are listed, for the same reason. */
#define XR_RELATIVES_MAX 64u

#define XR_NONE SIZE_MAX

struct xr_pool_item {
    struct xr_cert *cert;
    size_t subject, issuer; /* name classes: equal for names that compare equal */
    size_t next_subject, next_key;
    size_t key_count; /* number of items with its key, kept at the first one */
    size_t key_head;
    size_t family; /* index of the family with its key and name */
    bool self_known, self_signed;
    char *self_unchecked; /* why its own signature could not be checked, or NULL; owned */
};

struct xr_pool {
    struct xr_pool_item *items;
    size_t count, capacity;
    struct xr_idmap by_sha256, by_key, by_family, by_name_bytes, by_name_hash;
    struct {
        struct xr_name_class {
            struct xr_bytes name; /* slice of a certificate of the pool */
            size_t head;          /* first item with this subject */
            size_t next_hash;     /* another name of the same hash */
        } * items;
        size_t count, capacity;
    } names;
    struct {
        struct xr_family {
            size_t issuer;   /* of the first one */
            bool has_others; /* another issuer signed the same key under the same name */
        } * items;
        size_t count, capacity;
    } families;
};

/* Index of the certificate; adds (and references) it if it is new. */
size_t xr_pool_add(struct xr_pool *pool, struct xr_cert *cert);
size_t xr_pool_find(const struct xr_pool *pool, const unsigned char sha256[XR_SHA256_LEN]);
void xr_pool_free(struct xr_pool *pool);

/* Names equal, and the signature was checked. */
bool xr_pool_self_signed(struct xr_pool *pool, size_t at);
/* Names equal, but this libcrypto could not check the signature: why. Else NULL. */
const char *xr_pool_self_unchecked(struct xr_pool *pool, size_t at);
enum xr_kind xr_pool_kind(struct xr_pool *pool, size_t at);
/* The same without a signature check; false where that would be needed. */
bool xr_pool_known_kind(enum xr_kind *out, const struct xr_pool *pool, size_t at);

struct xr_relatives {
    size_t items[XR_RELATIVES_MAX];
    size_t count;
    size_t left_out; /* not listed or not checked */
};
/* Other certificates of the same public key, whatever their names. */
void xr_pool_same_key(struct xr_relatives *out, const struct xr_pool *pool, size_t at);
/* Certificates whose key signed this one, names matching, itself left out. */
void xr_pool_issued_by(struct xr_relatives *out, struct xr_pool *pool, size_t at);

/* Shortest path from a certificate up to one that ends(ctx, index) accepts. Each step is a verified
 * signature by a CA that pass(ctx, index) accepts. Loops of cross-signatures are no problem. The
 * path starts with from, which may already be its end. Returns the length, 0 if there is no path of
 * at most XR_PATH_MAX. */
size_t xr_pool_path(size_t path[XR_PATH_MAX], struct xr_pool *pool, size_t from,
                    bool (*ends)(void *ctx, size_t at), bool (*pass)(void *ctx, size_t at),
                    void *ctx);

#endif
