/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors that are limited to names and addresses: what a step makes of the limits that were asked
 * for, and of those that the store has. */
#ifndef XR_LIMITED_H
#define XR_LIMITED_H

#include "plan.h"

struct xr_limited {
    const struct xr_attached *attached; /* of the anchor that is wanted */
    size_t count;
    bool changes; /* the store has other limits, or none */
    bool widens;  /* more names or addresses than before */
    char *ask;    /* what the limits are, for whoever is asked; or NULL */

    struct xr_attached own; /* memory behind attached */
    struct xr_buf memory;
};

/* Limits were asked for: NULL, or why the store cannot hold them in that place; allocated. */
char *xr_limited_refusal(enum xr_place place, const struct xr_caps *caps);
/* present: the anchor that the store has, or NULL. only: the limits that were asked for replace those
 * it has; otherwise they are added, and an anchor without limits stays one. False: refused; *why is set
 * to the reason, or else to a remark if there is one. */
bool xr_limited_decide(struct xr_limited *out, char **why, const struct xr_wish *wish,
                       const struct xr_caps *caps, const struct xr_entry *present, bool only);
void xr_limited_free(struct xr_limited *limited);

#endif
