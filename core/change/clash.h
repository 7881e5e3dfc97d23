/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that hold only one certificate of one issuer and serial number (caps.one_per_serial). */
#ifndef XR_CLASH_H
#define XR_CLASH_H

#include "plan.h"

/* Refuses every step that the store could not make because of another certificate: one that the
 * store has, or that an earlier step brings. why names it, so that the other steps can go on. */
void xr_plan_refuse_clashes(struct xr_plan *plan, const struct xr_snapshot *snapshot,
                            const struct xr_pool *pool);

#endif
