/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends so that most clients can validate its certificate. No I/O. */
#ifndef XR_SENDING_H
#define XR_SENDING_H

#include "model.h"

/* Longer chains are refused by clients: GnuTLS takes 16 certificates. */
#define XR_SENDING_DEPTH 16u
/* How many steps are taken upwards before the search ends with what it has. Rings of cross signatures
 * have a few dozen; without a limit, hostile ones would have any number. */
#define XR_SENDING_STEPS 4096u

enum xr_unsent {
    XR_UNSENT_ROOT,    /* clients have it or do not trust it */
    XR_UNSENT_EXPIRED, /* this and the next: at the time that was asked for */
    XR_UNSENT_EARLY,
    XR_UNSENT_BROKEN,  /* libcrypto does not take it, or a critical extension is unknown */
    XR_UNSENT_PURPOSE, /* not a CA for servers, and the leaf is one */
    XR_UNSENT_PATHLEN, /* its path length is too short for this chain */
    XR_UNSENT_WEAK, /* clients refuse its key or signature, and there is a root that needs no such */
    XR_UNSENT_TWIN,     /* other has the same key and issuer, and is better or lasts longer */
    XR_UNSENT_LOOP,     /* leads only to a CA that is on the way already */
    XR_UNSENT_DEAD,     /* leads only to what has expired: other, if there is one */
    XR_UNSENT_OTHER_WAY /* of use too, but not on the way that was chosen */
};

struct xr_sending {
    struct {
        struct xr_sending_item {
            size_t at; /* in the pool */
            int64_t
                until; /* the latest time at which a path through it to a root in view is valid */
        } * items;     /* in the order in which they are sent; the first is the leaf */
        size_t count, capacity;
    } sent;
    struct {
        struct xr_sending_left {
            size_t at, other; /* other: see above, else XR_NONE */
            enum xr_unsent why;
        } * items;
        size_t count, capacity;
    } left_out;
    bool rooted;    /* does a path end at a root in view that is valid at that time? */
    size_t open;    /* the last of sent, if its issuer is not in view; else XR_NONE */
    size_t way_len; /* number of sent on the way that was chosen; the others are of other paths */
    bool gave_up;   /* there were more ways than XR_SENDING_STEPS or XR_SENDING_DEPTH allow */
};

/* Of all ways up from the leaf, one is chosen: at a CA whose root is in view, a cross certificate that leads
 * to another root is added, the one that is of use longest; at another CA, the certificate that leads to
 * most roots. all: what the ways to all roots in view need, after that. Equal pools (whatever is in
 * them, in the same order) give equal results. */
void xr_sending_find(struct xr_sending *out, struct xr_pool *pool, size_t leaf, int64_t at,
                     bool all);
void xr_sending_free(struct xr_sending *sending);

#endif
