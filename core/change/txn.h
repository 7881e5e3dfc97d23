/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a plan in one store, whole or not at all: record the intent, swap, flush, list again
 * and compare, verify, record the end. If a step fails, the steps before it are swapped back. The
 * folder change may use helpers, stores, certs, sys and kit.
 */
#ifndef XR_TXN_H
#define XR_TXN_H

#include "prober.h"
#include "run.h"

struct xr_txn {
    struct xr_journal *journal;
    size_t transaction;
    const struct xr_site *site;
    const struct xr_worker_config *worker;
    /* Asks the store's verifier about the change; fills verified and verdict. May be NULL. */
    void (*verify)(void *ctx, struct xr_run *run, struct xr_prober *prober);
    /* True if the change must be rolled back (a "no" with --require-verified). */
    bool (*reject)(void *ctx, struct xr_run *run);
    bool (*interrupted)(void *ctx);
    bool widening_allowed; /* recovery may restore trust that was being removed */
    void *ctx;
};

/* Reads caps and snapshot. keep: the store will probably be changed; then an interrupted write of
 * another program is rolled back first. */
enum xr_status xr_txn_survey(struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, bool keep,
                             struct xr_error *err);
/* Applies run->plan; the outcome is in run. */
void xr_txn_apply(struct xr_txn *txn, struct xr_run *run);
/* Rolls back a run that was done (--all-or-nothing). */
void xr_txn_back(struct xr_txn *txn, struct xr_run *run, const char *why);
/* Did a crash leave this part unfinished? */
bool xr_txn_open_part(const struct xr_transaction *t, size_t at);
/* Finishes or rolls back one part that a crash left pending. run names its store and gets the steps
 * and the outcome. */
void xr_txn_recover(struct xr_txn *txn, struct xr_run *run, size_t transaction, size_t part);

#endif
