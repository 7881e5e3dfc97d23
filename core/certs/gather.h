/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and CRLs that a path may be made of, as libcrypto parsed them. Only verify.c uses it. */
#ifndef XR_GATHER_H
#define XR_GATHER_H

#include "openssl.h"

/* Intermediates of one subject, of which a path may need any: a range of the untrusted ones. */
struct xr_choice {
    int at, count;
    int first; /* which of them stands in front now */
};

/* Certificates that a lookup emitted, by name; one check looks each name up only once. */
struct xr_gather {
    const struct xr_path_check *check;
    STACK_OF(X509) * untrusted; /* what the server sends, then the store's intermediates */
    struct {
        struct xr_choice *items;
        size_t count, capacity;
    } choices;
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
    STACK_OF(X509) * into; /* where the current lookup puts certificates */
    /* What the server sends, by its bytes: the store often has the same, which is not parsed again. */
    struct {
        struct xr_sent {
            struct xr_bytes der; /* the question's */
            X509 *x;             /* in untrusted */
        } * items;
        size_t count, capacity;
    } sent;
};

/* All stacks are empty. */
void xr_gather_init(struct xr_gather *g, const struct xr_path_check *check);
void xr_gather_free(struct xr_gather *g);
/* Adds what the server sends; false if that does not parse, or is there already. */
bool xr_gather_sent(struct xr_gather *g, struct xr_bytes der);
/* Follows issuer names upwards from the first one sent. */
enum xr_status xr_gather_all(struct xr_gather *g);
/* Puts the store's intermediates in an order that does not depend on the store's: the least limited
 * of a subject first. What the server sends stays in front, as it was sent. */
void xr_gather_arrange(struct xr_gather *g);
bool xr_gather_held(STACK_OF(X509) * stack, const X509 *x);

#endif
