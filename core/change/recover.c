/* SPDX-License-Identifier: Apache-2.0 */
#include "recover.h"

#include "logline.h"

/* Can an interrupted part be rolled back, or finished, without giving trust that was not
 * confirmed? */
struct ways {
    bool done;          /* all wanted states are in the store */
    bool back, forward; /* rolling back, or finishing, widens nothing from what is listed */
    bool back_surely;   /* nor from any state in between: a reader may see more of a change than is
                           listed, such as a link that is gone while its file is there */
};

/* Finishing a change from a state. A CRL is removed only because of a newer one, or after a
 * confirmation. */
static bool widens_nothing(const struct xr_change *change, const struct xr_state *from)
{
    return change->subject.type == XR_SUBJECT_CRL || !xr_state_widens(from, change->want);
}

static struct ways ways_of(const struct xr_part *part, const struct xr_snapshot *now)
{
    struct ways ways = {xr_txn_all_as_wanted(part, now), true, true, true};

    for (size_t i = 0; i < part->count; i++) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *current = xr_snapshot_find(now, &change->subject);

        if (!xr_state_between(current, change->before, change->want))
            continue; /* another program changed it: it stays */
        ways.back = ways.back && !xr_state_widens(current, change->before);
        ways.back_surely = ways.back_surely && !xr_state_widens(change->want, change->before);
        ways.forward = ways.forward && widens_nothing(change, current);
    }
    return ways;
}

/* Finishes every change of a part from the current state. */
static enum xr_status go_forward(struct xr_store *store, const struct xr_part *part,
                                 struct xr_error *err)
{
    struct xr_snapshot now = {0};
    bool swapped = false;
    enum xr_status status = xr_txn_swap_part(&now, store, part, part->count, false, &swapped, err);

    xr_snapshot_free(&now);
    return status;
}

/* --all-or-nothing: do all stores go forward? A rollback that was begun goes on, and before all
 * intents are recorded nothing was changed. Otherwise they go back if that gives no trust, whatever
 * each store holds now, else forward if that gives none. */
static bool all_forward(const struct xr_transaction *t)
{
    bool back = true, forward = true;

    if (!xr_transaction_together(t) || !t->ready)
        return false;
    for (size_t p = 0; p < t->count; p++) {
        const struct xr_part *part = &t->items[p];

        if (part->stage == XR_STAGE_BACK || part->stage == XR_STAGE_LEFT)
            return false;
        for (size_t i = 0; i < part->count; i++) {
            const struct xr_change *change = &part->items[i];

            back = back && !xr_state_widens(change->want, change->before);
            forward = forward && widens_nothing(change, change->before);
        }
    }
    return !back && forward;
}

/* The store is open, and run->after has its content. */
static void recover_open(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    const struct xr_transaction *t = &txn->journal->items[txn->transaction];
    const struct xr_part *part = &t->items[run->part];
    struct ways ways = ways_of(part, &run->after);
    bool all = (t->flags & XR_ALL_OR_NOTHING) != 0, forward = all_forward(t);
    /* It should have been verified, and it is not known whether it was: roll it back if possible. */
    bool strict = t->flags != 0;
    /* It was being rolled back, or all stores are. */
    bool only_back = part->stage == XR_STAGE_LEFT || (all && !forward);
    bool back = ways.back && (ways.back_surely || strict || only_back || !ways.forward);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (!forward && (!ways.done || strict || only_back) && (back || txn->widening_allowed)) {
        xr_txn_roll_back(txn, run, store, part->count, XR_RESULT_BACK,
                         xr_strdup(N_("restored to what it was before")));
        return;
    }
    if (only_back || (!ways.done && !ways.forward)) {
        xr_run_end(
            run, XR_RESULT_FAILED,
            xr_strdup(N_("rolling it back or finishing it would give trust: crossroot recover "
                         "--yes rolls it back")));
        return;
    }
    if (!ways.done)
        status = go_forward(store, part, &err);
    if (status == XR_OK)
        status = xr_txn_flush(run, store, false, &err);
    if (status == XR_OK)
        status = xr_txn_list(&run->after, store, part, &err);
    if (status == XR_OK) {
        xr_log_part(txn, run, part, XR_RESULT_DONE, NULL);
        status = xr_txn_record(txn, run, XR_STAGE_DONE, &err);
    }
    if (status != XR_OK) {
        xr_txn_end(run, status, &err);
        return;
    }
    xr_txn_verify(txn, run, store);
    run->result = XR_RESULT_DONE;
}

bool xr_txn_alike(const struct xr_transaction *t)
{
    for (size_t p = 0; p < t->count; p++) {
        if (t->items[p].stage == XR_STAGE_PENDING || t->items[p].stage != t->items[0].stage)
            return false;
    }
    return true;
}

static void end_if_alike(struct xr_txn *txn, struct xr_run *run)
{
    const struct xr_transaction *t = &txn->journal->items[txn->transaction];
    struct xr_error err = {0};

    if (xr_transaction_together(t) && xr_txn_alike(t) &&
        xr_journal_end(txn->journal, txn->transaction, &err) != XR_OK)
        xr_run_end(run, XR_RESULT_FAILED, xr_strdup(err.text));
}

void xr_txn_recover(struct xr_txn *txn, struct xr_run *run, size_t transaction, size_t at)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    const struct xr_part *part = &txn->journal->items[transaction].items[at];
    enum xr_status status = XR_OK;

    txn->transaction = transaction;
    txn->recovers = true;
    run->part = at;
    status = xr_txn_open(&store, txn, run, &err);
    for (size_t i = 0; i < part->count; i++)
        xr_plan_step(&run->plan, &part->items[i].subject, XR_NONE,
                     xr_state_copy(part->items[i].before), xr_state_copy(part->items[i].want));
    if (status == XR_OK) {
        xr_run_caps(run, &store);
        status = xr_txn_check_agreed(txn, run, &err);
    }
    if (status == XR_OK)
        status = xr_txn_list(&run->after, &store, part, &err);
    if (status == XR_OK)
        recover_open(txn, run, &store);
    else
        xr_txn_end(run, status, &err);
    xr_store_close(&store);
    end_if_alike(txn, run);
}

bool xr_txn_open_part(const struct xr_transaction *t, size_t at)
{
    /* Of stores that all go back, one that is done does so too. */
    return t->items[at].stage == XR_STAGE_PENDING ||
           (t->items[at].stage == XR_STAGE_DONE && xr_transaction_together(t) && !all_forward(t));
}
