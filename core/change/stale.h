/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that answer XR_STALE: a writer was killed, and what it began must be taken back before
 * anybody can read. Opening for writing does that.
 */
#ifndef XR_CHANGE_STALE_H
#define XR_CHANGE_STALE_H

#include "txn.h"

/* XR_STALE if that is how it is. Only opens, for reading. */
enum xr_status xr_stale_look(const struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, struct xr_error *err);
/* Opens for writing and closes. */
enum xr_status xr_stale_end(const struct xr_run *run, const struct xr_site *site,
                            const struct xr_worker_config *worker, struct xr_error *err);
/* Where status is XR_STALE, err becomes what the user can do about it. Returns status. */
enum xr_status xr_stale_advise(const struct xr_run *run, enum xr_status status,
                               struct xr_error *err);

#define XR_STALE_ENDED "an interrupted write of another program was rolled back"

#endif
