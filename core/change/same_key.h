/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about a certificate because of others of its key, or of its issuer and serial number, that
 * the store holds. A snapshot is looked through once, for however many steps are asked about. */
#ifndef XR_SAME_KEY_H
#define XR_SAME_KEY_H

#include "plan.h"

/* What of one key, or of one issuer and serial number, is a reason to ask. */
enum xr_reason {
    XR_REASON_SERIAL,
    XR_REASON_KEY,
    XR_REASON_ATTACHED,
    XR_REASON_LIMITS,
    XR_REASONS
};

struct xr_same_key {
    const struct xr_snapshot *snapshot;
    const struct xr_pool *pool; /* has the certificates of the snapshot */
    bool made;                  /* what follows is */
    struct xr_idmap map;
    struct {
        struct xr_reasons {
            size_t at[XR_REASONS][2]; /* the first two states of the snapshot, or XR_NONE */
        } * items;
        size_t count, capacity;
    } found;
};

/* Adds questions to a step if its certificate's key is distrusted or constrained in the store. A zeroed
 * same with snapshot and pool is filled by the first call; neither may change until it is freed. */
void xr_same_key_ask(struct xr_same_key *same, struct xr_step *step);
void xr_same_key_free(struct xr_same_key *same);

#endif
