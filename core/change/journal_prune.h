/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning: old transactions leave the journal, and can no longer be undone. What stays although it is
 * old: what is not over; what has the last word on a subject in a store, or was the last to put it there,
 * by which lists know what crossroot put there, and outputs what it took out; and the undo of what
 * stays.
 */
#ifndef XR_JOURNAL_PRUNE_H
#define XR_JOURNAL_PRUNE_H

#include "journal.h"

struct xr_prune_before {
    bool has_time;
    int64_t time;       /* what is older than that, or */
    size_t transaction; /* what was before that index */
};

struct xr_pruning {
    bool *goes;            /* as the journal's items */
    size_t going, staying; /* of the old ones */
};

/* Chooses among the transactions of a journal that was read whole. */
void xr_pruning_choose(struct xr_pruning *out, const struct xr_journal *journal,
                       const struct xr_prune_before *before);
void xr_pruning_free(struct xr_pruning *pruning);
/* Puts a new file in the journal's place, at once and durably; after that, journal can only be shown and
 * closed. XR_WARNED: it is in its place, but perhaps not after a power cut. */
enum xr_status xr_pruning_apply(const struct xr_pruning *pruning, struct xr_journal *journal,
                                struct xr_error *err);

#endif
