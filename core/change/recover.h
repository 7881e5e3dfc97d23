/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finishes or rolls back what a crash left. With --all-or-nothing all stores of a transaction go the
 * same way, and the journal alone says which: so it is the same whenever, and in whatever order, they
 * are recovered.
 */
#ifndef XR_CHANGE_RECOVER_H
#define XR_CHANGE_RECOVER_H

#include "part.h"

/* Did a crash leave this part unfinished? */
bool xr_txn_open_part(const struct xr_transaction *t, size_t at);
/* Are all stores of it done, or all of them rolled back? */
bool xr_txn_alike(const struct xr_transaction *t);
/* Finishes or rolls back one part that a crash left pending. run names its store and gets the steps
 * and the outcome. */
void xr_txn_recover(struct xr_txn *txn, struct xr_run *run, size_t transaction, size_t part);

#endif
