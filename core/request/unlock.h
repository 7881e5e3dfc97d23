/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of stores: kept with a run from the confirmation until it is applied, then wiped. */
#ifndef XR_UNLOCK_H
#define XR_UNLOCK_H

#include "change/plan.h"

struct xr_secret {
    unsigned char *data; /* NULL: none; an empty one has data too */
    size_t len;
};
void xr_secret_set(struct xr_secret *secret, struct xr_bytes bytes);
void xr_secret_wipe(struct xr_secret *secret);

/* Do the two differ in a place of that set (XR_PLACE_BITs)? */
bool xr_unlock_between(const struct xr_state *a, const struct xr_state *b, uint32_t places);
/* Does a step make or unmake an entry there? */
bool xr_unlock_needed(const struct xr_plan *plan, uint32_t places);

#endif
