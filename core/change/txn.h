/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a plan in one store, whole or not at all: record the intent, swap, flush, list again
 * and compare, verify, record the end. If a step fails, the steps before it are swapped back. The
 * folder change may use helpers, stores, certs, sys and kit.
 */
#ifndef XR_TXN_H
#define XR_TXN_H

#include "part.h"

/* Reads caps and snapshot. keep: the store will probably be changed; then an interrupted write of
 * another program is rolled back first. */
enum xr_status xr_txn_survey(struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, bool keep,
                             struct xr_error *err);
/* Records what is to be changed, with the states of the survey, before any store is changed. */
void xr_txn_intend(struct xr_txn *txn, struct xr_run *run);
/* Ends a run of which nothing was changed, for another store failed. */
void xr_txn_drop(struct xr_txn *txn, struct xr_run *run, const char *why);
/* Applies run->plan; the outcome is in run. Records what is to be changed if that is not done yet, or
 * if the store now holds the same in another way. */
void xr_txn_apply(struct xr_txn *txn, struct xr_run *run);
/* Rolls back a run that was done, for another store failed. */
void xr_txn_back(struct xr_txn *txn, struct xr_run *run, const char *why);

#endif
