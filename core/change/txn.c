/* SPDX-License-Identifier: Apache-2.0 */
#include "txn.h"

#include "logline.h"
#include "stale.h"

#include <stdlib.h>

enum xr_status xr_txn_survey(struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, bool keep, struct xr_error *err)
{
    struct xr_store store = {0};
    enum xr_status status = xr_run_open(&store, run, site, XR_READ, worker, err);

    xr_snapshot_free(&run->snapshot);
    if (status == XR_STALE && keep) {
        status = xr_stale_end(run, site, worker, err);
        run->stale_ended = status == XR_OK;
        if (status == XR_OK)
            status = xr_run_open(&store, run, site, XR_READ, worker, err);
    }
    if (status != XR_OK)
        return xr_stale_advise(run, status, err);
    xr_run_caps(run, &store);
    status = xr_store_list(&store, xr_snapshot_take, &run->snapshot, err);
    if (status == XR_OK && keep && store.session != NULL && run->backend->table.renew != NULL)
        run->kept = store;
    else
        xr_store_close(&store);
    return status;
}

/* Ends a run in which no step changes the store. */
static void finish_unchanged(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    struct xr_error err = {0};

    if (run->plan.count == 0 && !run->caps.writable) { /* it was to be completed, and cannot be */
        xr_run_end_unwritable(run);
        return;
    }
    if (xr_txn_flush(run, store, true, &err) != XR_OK) {
        xr_run_end(run, XR_RESULT_FAILED, xr_strdup(err.text));
        return;
    }
    xr_txn_verify(txn, run, store);
    run->result = xr_plan_refuses_all(&run->plan) ? XR_RESULT_REFUSED : XR_RESULT_UNCHANGED;
    if (run->result == XR_RESULT_UNCHANGED && run->caps.refused)
        xr_run_note(run, true, run->caps.why_not);
}

/* The plan was made without the lock. Now, under the lock, checks that the entries are still the
 * same. Native records may differ (a link's number); then moved is set, and the current ones are
 * used. */
static enum xr_status rebase(struct xr_run *run, struct xr_store *store, bool *moved,
                             struct xr_error *err)
{
    struct xr_snapshot now = {0};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < run->plan.count; i++)
        xr_snapshot_only(&now, &run->plan.items[i].subject);
    status = xr_store_list(store, xr_snapshot_take, &now, err);
    for (size_t i = 0; status == XR_OK && i < run->plan.count; i++) {
        struct xr_step *step = &run->plan.items[i];
        const struct xr_state *current = xr_snapshot_find(&now, &step->subject);

        if (!xr_step_changes(step))
            continue;
        if (!xr_state_same(current, step->before)) {
            status = xr_fail(err, XR_CONFLICT, "the entry changed meanwhile; try again");
        } else if (!xr_state_equal(current, step->before)) {
            *moved = true;
            xr_state_free(step->before);
            step->before = xr_state_copy(current);
        }
    }
    xr_snapshot_free(&now);
    return status;
}

static enum xr_status record_intent(struct xr_txn *txn, struct xr_run *run, struct xr_error *err)
{
    struct xr_change *items = xr_new(run->plan.count, sizeof(*items));
    size_t count = 0; /* of those that change something */
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];

        if (xr_step_changes(step))
            items[count++] = (struct xr_change){step->subject, step->before, step->want};
    }
    if (count > 0 && !run->caps.writable)
        status = xr_run_unwritable(run, err);
    else if (count > 0)
        status =
            xr_journal_intent(txn->journal, txn->transaction, &run->part, run->number, run->address,
                              run->summary, run->caps.identity, items, count, err);
    free(items);
    return status;
}

static enum xr_status swap_all(struct xr_txn *txn, struct xr_run *run, struct xr_store *store,
                               size_t *made, struct xr_error *err)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];
        enum xr_status status = XR_OK;

        if (!xr_step_changes(step))
            continue;
        if (txn->interrupted != NULL && txn->interrupted(txn->ctx))
            return xr_fail(err, XR_FAILED, "interrupted");
        status = xr_store_swap(store, step->before, step->want, err);
        if (status != XR_OK)
            return status;
        (*made)++;
    }
    return XR_OK;
}

/* Nothing of it was changed. If that cannot be recorded, the journal takes no more records: then
 * xr_journal_end fails too and tells it. */
static void drop(struct xr_txn *txn, struct xr_run *run)
{
    if (run->part != XR_NONE)
        (void)xr_journal_back(txn->journal, txn->transaction, run->part, NULL);
}

void xr_txn_intend(struct xr_txn *txn, struct xr_run *run)
{
    struct xr_error err = {0};
    enum xr_status status = record_intent(txn, run, &err);

    if (status != XR_OK)
        xr_txn_end(run, status, &err);
}

void xr_txn_drop(struct xr_txn *txn, struct xr_run *run, const char *why)
{
    drop(txn, run);
    xr_run_end(run, XR_RESULT_NOT_ASKED, xr_strdup(why));
}

void xr_txn_apply(struct xr_txn *txn, struct xr_run *run)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    struct xr_error lost = {.text = N_("the store did not keep what was written")};
    size_t made = 0;
    enum xr_status status = xr_txn_open(&store, txn, run, &err);
    struct xr_part part;
    bool moved = false;

    if (status == XR_OK) {
        xr_run_caps(run, &store);
        status = xr_txn_check_agreed(txn, run, &err);
    }
    if (status == XR_OK && xr_plan_changes(&run->plan) > 0)
        status = rebase(run, &store, &moved, &err);
    if (status == XR_OK && (run->part == XR_NONE || moved))
        status = record_intent(txn, run, &err);
    if (status != XR_OK) {
        drop(txn, run);
        xr_txn_end(run, status, &err);
        goto out;
    }
    if (run->part == XR_NONE) {
        finish_unchanged(txn, run, &store);
        goto out;
    }
    status = swap_all(txn, run, &store, &made, &err);
    if (status == XR_LOST) {
        lost = err;
        status = xr_txn_reopen(txn, run, &store, &err); /* the list below shows what it did */
    }
    if (status != XR_OK) {
        /* A swap that returned conflict or refused changed nothing; any other may be half done. */
        xr_txn_roll_back(txn, run, &store,
                         made + (status == XR_CONFLICT || status == XR_REFUSED ? 0 : 1),
                         made > 0                ? XR_RESULT_BACK
                         : status == XR_CONFLICT ? XR_RESULT_CONFLICT
                         : status == XR_REFUSED  ? XR_RESULT_REFUSED
                                                 : XR_RESULT_FAILED,
                         xr_strdup(err.text));
        goto out;
    }
    part = xr_txn_part(txn, run);
    status = xr_txn_flush(run, &store, false, &err);
    if (status == XR_LOST && (status = xr_txn_reopen(txn, run, &store, &err)) == XR_OK)
        status = xr_txn_flush(run, &store, false, &err);
    if (status == XR_OK)
        status = xr_txn_list(&run->after, &store, &part, &err);
    if (status != XR_OK || !xr_txn_all_as_wanted(&part, &run->after)) {
        xr_txn_roll_back(txn, run, &store, part.count, XR_RESULT_FAILED,
                         xr_strdup(status != XR_OK ? err.text : lost.text));
        goto out;
    }
    xr_txn_verify(txn, run, &store);
    if (txn->reject != NULL && txn->reject(txn->ctx, run)) {
        xr_txn_roll_back(txn, run, &store, part.count, XR_RESULT_BACK,
                         xr_format(N_("the verifier said no: %s"), run->verdict.why));
        goto out;
    }
    xr_log_part(txn, run, &part, XR_RESULT_DONE, NULL);
    status = xr_txn_record(txn, run, XR_STAGE_DONE, &err);
    if (status != XR_OK) {
        xr_txn_roll_back(txn, run, &store, part.count, XR_RESULT_FAILED, xr_strdup(err.text));
        goto out;
    }
    run->result = XR_RESULT_DONE;
out:
    xr_store_close(&store);
}

void xr_txn_back(struct xr_txn *txn, struct xr_run *run, const char *why)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    enum xr_status status = xr_txn_open(&store, txn, run, &err);

    if (status != XR_OK)
        xr_txn_end(run, status, &err);
    else
        xr_txn_roll_back(txn, run, &store,
                         txn->journal->items[txn->transaction].items[run->part].count,
                         XR_RESULT_BACK, xr_strdup(why));
    xr_store_close(&store);
}
