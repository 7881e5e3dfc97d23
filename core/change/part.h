/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One store's part of a transaction, as applying it and recovering it both need it: open the store,
 * list, flush, ask the verifier, roll back, record the outcome. The outcome is in run.
 */
#ifndef XR_CHANGE_PART_H
#define XR_CHANGE_PART_H

#include "prober.h"
#include "run.h"

struct xr_txn {
    struct xr_journal *journal;
    size_t transaction;
    const struct xr_site *site;
    const struct xr_worker_config *worker;
    struct xr_verdicts *verdicts; /* answers of other stores, or NULL */
    /* Asks the store's verifier about the change; fills verified and verdict. May be NULL. */
    void (*verify)(void *ctx, struct xr_run *run, struct xr_prober *prober);
    /* True if the change must be rolled back (a "no" with --require-verified). */
    bool (*reject)(void *ctx, struct xr_run *run);
    bool (*interrupted)(void *ctx);
    bool widening_allowed; /* recovery may restore trust that was being removed */
    void *ctx;
    /* For xr_log_part: where the line goes (NULL: nowhere), and who asks. */
    void (*log)(void *ctx, const char *line);
    const char *by; /* or NULL: not known */
    bool has_invoker;
    uint32_t invoker;
    bool recovers; /* it ends what a crash left */
};

/* The outcome of an error that happened before anything was changed. */
void xr_txn_end(struct xr_run *run, enum xr_status status, const struct xr_error *err);
/* Opens for writing: reuses the store of the survey if possible, else opens it again. */
enum xr_status xr_txn_open(struct xr_store *store, struct xr_txn *txn, struct xr_run *run,
                           struct xr_error *err);
/* Opens the store of a lost helper again, to see what the helper did. */
enum xr_status xr_txn_reopen(struct xr_txn *txn, struct xr_run *run, struct xr_store *store,
                             struct xr_error *err);
/* Publishing what lies unpublished among the sources needs an agreement of its own. */
enum xr_status xr_txn_check_agreed(const struct xr_txn *txn, const struct xr_run *run,
                                   struct xr_error *err);
/* A shallow copy of the run's part in the journal. While this thread waits for a helper, other stores
 * may move the array of parts, but nobody else changes what this part points to. */
struct xr_part xr_txn_part(const struct xr_txn *txn, const struct xr_run *run);
/* Lists what the store now holds of the subjects of a part. */
enum xr_status xr_txn_list(struct xr_snapshot *out, struct xr_store *store,
                           const struct xr_part *part, struct xr_error *err);
/* Swaps the first count changes of a part back, last one first, or else on to what was wanted, from the
 * current state, and lists the result. Entries that another program changed meanwhile stay as they are.
 * *swapped becomes true if anything was swapped. */
enum xr_status xr_txn_swap_part(struct xr_snapshot *now, struct xr_store *store,
                                const struct xr_part *part, size_t count, bool back, bool *swapped,
                                struct xr_error *err);
bool xr_txn_all_as_wanted(const struct xr_part *part, const struct xr_snapshot *now);
/* A failed hook is a warning; a failure means that readers may not see what was swapped. remark:
 * nothing was swapped; what the store says of outputs that were out of date becomes a note, and one
 * that cannot be written is left. */
enum xr_status xr_txn_flush(struct xr_run *run, struct xr_store *store, bool remark,
                            struct xr_error *err);
/* Closes the store if the verifier needs a session of its own. */
void xr_txn_verify(struct xr_txn *txn, struct xr_run *run, struct xr_store *store);
/* Records how the run's part ended, with the states in run->after. */
enum xr_status xr_txn_record(struct xr_txn *txn, struct xr_run *run, enum xr_stage stage,
                             struct xr_error *err);
/* Rolls back the first count changes. why is the reason; takes ownership of it. The result is
 * called rolled back only if the store, listed again, is as before. */
void xr_txn_roll_back(struct xr_txn *txn, struct xr_run *run, struct xr_store *store, size_t count,
                      enum xr_result result, char *why);

#endif
