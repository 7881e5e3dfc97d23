/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that return XR_STALE: a writer was killed, and its unfinished write must be rolled back
 * before the store can be read. Opening for writing does that.
 */
#ifndef XR_CHANGE_STALE_H
#define XR_CHANGE_STALE_H

#include "run.h"

/* Opens for reading and closes; XR_STALE if the store is stale. */
enum xr_status xr_stale_look(struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, struct xr_error *err);
/* Opens for writing and closes. */
enum xr_status xr_stale_end(struct xr_run *run, const struct xr_site *site,
                            const struct xr_worker_config *worker, struct xr_error *err);
/* If status is XR_STALE, err becomes what the user can do about it. Returns status. */
enum xr_status xr_stale_advise(const struct xr_run *run, enum xr_status status,
                               struct xr_error *err);

#define XR_STALE_ENDED N_("an interrupted write of another program was rolled back")

#endif
