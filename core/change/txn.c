/* SPDX-License-Identifier: Apache-2.0 */
#include "stale.h"

#include <stdlib.h>

static void end_with_error(struct xr_run *run, enum xr_status status, const struct xr_error *err)
{
    enum xr_result result = status == XR_CONFLICT  ? XR_RESULT_CONFLICT
                            : status == XR_REFUSED ? XR_RESULT_REFUSED
                                                   : XR_RESULT_FAILED;

    run->privilege = run->privilege || (status == XR_DENIED && run->caps.needs_privilege);
    xr_run_end(run, result, xr_strdup(err->text));
}

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

/* Opens for writing: reuses the store of the survey if possible, else opens it again. */
static enum xr_status open_to_write(struct xr_store *store, struct xr_txn *txn, struct xr_run *run,
                                    struct xr_error *err)
{
    struct xr_bytes password = {run->password.data, run->password.len};
    enum xr_status status = XR_OK;

    if (run->kept.session != NULL) {
        *store = run->kept;
        run->kept = (struct xr_store){0};
        status = xr_store_renew(store, err);
    } else {
        xr_run_recall(run, txn->journal);
        status = xr_run_open(store, run, txn->site, XR_WRITE, txn->worker, err);
    }
    if (status == XR_OK && password.data != NULL)
        status = xr_store_unlock(store, password, err);
    if (status != XR_OK)
        xr_store_close(store);
    return status;
}

/* A shallow copy of a part in the journal. While this thread waits for a helper, other stores may
 * move the array of parts, but nobody else changes what this part points to. */
static struct xr_part part_of(const struct xr_txn *txn, const struct xr_run *run)
{
    return txn->journal->items[txn->transaction].items[run->part];
}

/* Lists what the store now holds of the subjects of a part. */
static enum xr_status list_again(struct xr_snapshot *out, struct xr_store *store,
                                 const struct xr_part *part, struct xr_error *err)
{
    xr_snapshot_free(out);
    for (size_t i = 0; i < part->count; i++)
        xr_snapshot_only(out, &part->items[i].subject);
    return xr_store_list(store, xr_snapshot_take, out, err);
}

/* Opens the store of a lost helper again, to see what the helper did. */
static enum xr_status reopen(struct xr_txn *txn, struct xr_run *run, struct xr_store *store,
                             struct xr_error *err)
{
    xr_store_close(store);
    return open_to_write(store, txn, run, err);
}

/* Records how the run's part ended, with the states in run->after. */
static enum xr_status record(struct xr_txn *txn, struct xr_run *run, enum xr_stage stage,
                             struct xr_error *err)
{
    const struct xr_part *part = &txn->journal->items[txn->transaction].items[run->part];
    const struct xr_state **after = NULL;
    enum xr_status status = XR_OK;

    if (stage == XR_STAGE_BACK)
        return xr_journal_back(txn->journal, txn->transaction, run->part, err);
    after = xr_new(part->count, sizeof(*after));
    for (size_t i = 0; i < part->count; i++)
        after[i] = xr_snapshot_find(&run->after, &part->items[i].subject);
    status = stage == XR_STAGE_DONE
                 ? xr_journal_done(txn->journal, txn->transaction, run->part, after, err)
                 : xr_journal_left(txn->journal, txn->transaction, run->part, after, err);
    free((void *)after);
    return status;
}

/* Describes a subject that should be as before but is not. */
static void say_left(struct xr_buf *out, const struct xr_change *change, const struct xr_state *now)
{
    const struct xr_state *states[] = {now, change->before};
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, change->subject.id, XR_SHA256_LEN);
    xr_buf_str(out, hex);
    for (size_t k = 0; k < 2; k++) {
        size_t count = states[k] != NULL ? states[k]->count : 0;

        xr_buf_str(out, k == 0 ? " is " : ", and was ");
        for (size_t i = 0; i < count; i++)
            xr_buf_fmt(out, "%s%s", i > 0 ? " and " : "",
                       xr_place_name(states[k]->entries[i]->place));
        xr_buf_str(out, count == 0 ? "absent" : "");
    }
}

/* A failed hook is a warning; a failure means that readers may not see what was swapped. remark:
 * what the store says of outputs that were out of date becomes a note. */
static enum xr_status flush(struct xr_run *run, struct xr_store *store, bool remark,
                            struct xr_error *err)
{
    struct xr_error said = {.size = sizeof(said)};
    enum xr_status status = run->caps.writable ? xr_store_flush(store, &said) : XR_OK;

    if (status != XR_OK && status != XR_WARNED) {
        *err = said;
        return status;
    }
    if (status == XR_WARNED)
        xr_run_note(run, true, said.text);
    else if (remark && said.text[0] != '\0')
        xr_run_note(run, false, said.text);
    return XR_OK;
}

/* Swaps the first count changes of a part back, last one first, from the current state, and lists
 * the result in run->after. Entries that another program changed meanwhile stay as they are. */
static enum xr_status put_back(struct xr_run *run, struct xr_store *store,
                               const struct xr_part *part, size_t count, struct xr_error *err)
{
    enum xr_status status = list_again(&run->after, store, part, err);

    for (size_t i = count; status == XR_OK && i-- > 0;) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *current = xr_snapshot_find(&run->after, &change->subject);

        if (xr_state_equal(current, change->before) ||
            !xr_state_between(current, change->before, change->want))
            continue;
        run->taken_back = true;
        status = xr_store_swap(store, current, change->before, err);
        /* A swap may renumber links of other subjects with the same name. */
        if (status == XR_OK)
            status = list_again(&run->after, store, part, err);
    }
    if (status != XR_OK || run->backend->table.flush == NULL)
        return status; /* already listed since the last swap */
    status = flush(run, store, false, err);
    return status == XR_OK ? list_again(&run->after, store, part, err) : status;
}

/* Number of subjects of a part that are not as before; text describes the first one. */
static size_t count_left(struct xr_buf *text, const struct xr_run *run, const struct xr_part *part)
{
    size_t left = 0;

    for (size_t i = 0; i < part->count; i++) {
        const struct xr_state *now = xr_snapshot_find(&run->after, &part->items[i].subject);

        if (xr_state_same(now, part->items[i].before))
            continue;
        if (left++ == 0)
            say_left(text, &part->items[i], now);
    }
    if (left > 1)
        xr_buf_fmt(text, " (and %zu more)", left - 1);
    return left;
}

/* Rolls back the first count changes. why is the reason; takes ownership of it. The result is
 * called rolled back only if the store, listed again, is as before. */
static void roll_back(struct xr_txn *txn, struct xr_run *run, struct xr_store *store, size_t count,
                      enum xr_result result, char *why)
{
    struct xr_part part = part_of(txn, run);
    struct xr_error err = {0};
    struct xr_buf text = {0};
    enum xr_status status = XR_OK;
    size_t left = 0;

    if (store->backend == NULL)
        status = reopen(txn, run, store, &err);
    if (status == XR_OK)
        status = put_back(run, store, &part, count, &err);
    if (status == XR_LOST && (status = reopen(txn, run, store, &err)) == XR_OK)
        status = put_back(run, store, &part, count, &err);
    if (status == XR_OK)
        left = count_left(&text, run, &part);
    if (status == XR_OK)
        status = record(txn, run, left > 0 ? XR_STAGE_LEFT : XR_STAGE_BACK, &err);
    if (status == XR_OK && left == 0) {
        xr_run_end(run, result, why);
        return;
    }
    if (status == XR_OK)
        xr_run_end(run, XR_RESULT_CONFLICT,
                   xr_format("%s; the store is not as it was before: %s; crossroot undo %s "
                             "restores it",
                             why, text.data, txn->journal->items[txn->transaction].id));
    else /* the intent stays open; the next changing command or recover continues from here */
        xr_run_end(
            run, XR_RESULT_FAILED,
            xr_format("%s; rolling back failed too: %s; run crossroot recover", why, err.text));
    xr_buf_free(&text);
    free(why);
}

static bool all_as_wanted(const struct xr_part *part, const struct xr_snapshot *now)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!xr_state_same(xr_snapshot_find(now, &part->items[i].subject), part->items[i].want))
            return false;
    }
    return true;
}

/* Closes the store if the verifier needs a session of its own. */
static void verify(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    struct xr_way way;
    struct xr_prober prober = {.backend = run->backend,
                               .location = run->location,
                               .site = &way.site,
                               .worker = &way.worker,
                               .store = store};

    xr_run_way(&way, &run->owner, txn->site, txn->worker);
    if (txn->verify != NULL)
        txn->verify(txn->ctx, run, &prober);
    xr_prober_end(&prober);
}

/* Ends a run in which no step changes the store. */
static void finish_unchanged(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    struct xr_error err = {0};

    if (run->plan.count == 0 && !run->caps.writable) { /* it was to be completed, and cannot be */
        xr_run_end_unwritable(run);
        return;
    }
    if (flush(run, store, true, &err) != XR_OK) {
        xr_run_end(run, XR_RESULT_FAILED, xr_strdup(err.text));
        return;
    }
    verify(txn, run, store);
    run->result = xr_plan_refuses_all(&run->plan) ? XR_RESULT_REFUSED : XR_RESULT_UNCHANGED;
    if (run->result == XR_RESULT_UNCHANGED && run->caps.refused)
        xr_run_note(run, true, run->caps.why_not);
}

/* The plan was made without the lock. Now, under the lock, checks that the entries are still the
 * same. Native records may differ (a link's number); the current ones are used. */
static enum xr_status rebase(struct xr_run *run, struct xr_store *store, struct xr_error *err)
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
        } else {
            xr_state_free(step->before);
            step->before = xr_state_copy(current);
        }
    }
    xr_snapshot_free(&now);
    return status;
}

/* Publishing what lies unpublished among the sources needs an agreement of its own. */
static enum xr_status check_agreed(const struct xr_txn *txn, const struct xr_run *run,
                                   struct xr_error *err)
{
    if (!run->caps.writable || txn->widening_allowed || xr_run_agreed(run))
        return XR_OK;
    if (run->agreed)
        return xr_fail(err, XR_CONFLICT, "the sources changed meanwhile; try again");
    return xr_fail(err, XR_REFUSED, "%s; crossroot recover --yes publishes them",
                   run->caps.would_trust);
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
        status = run->caps.refused
                     ? xr_fail(err, XR_REFUSED, "%s", run->caps.why_not)
                     : xr_fail(err, XR_DENIED, "cannot be written: %s", run->caps.why_not);
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

void xr_txn_apply(struct xr_txn *txn, struct xr_run *run)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    struct xr_error lost = {.text = "the store did not keep what was written"};
    size_t made = 0;
    enum xr_status status = open_to_write(&store, txn, run, &err);
    struct xr_part part;

    run->part = XR_NONE;
    if (status != XR_OK) {
        end_with_error(run, status, &err);
        return;
    }
    xr_run_caps(run, &store);
    status = check_agreed(txn, run, &err);
    if (status == XR_OK && xr_plan_changes(&run->plan) > 0)
        status = rebase(run, &store, &err);
    if (status == XR_OK)
        status = record_intent(txn, run, &err);
    if (status != XR_OK) {
        end_with_error(run, status, &err);
        goto out;
    }
    if (run->part == XR_NONE) {
        finish_unchanged(txn, run, &store);
        goto out;
    }
    status = swap_all(txn, run, &store, &made, &err);
    if (status == XR_LOST) {
        lost = err;
        status = reopen(txn, run, &store, &err); /* the list below shows what it did */
    }
    if (status != XR_OK) {
        /* A swap that returned conflict or refused changed nothing; any other may be half done. */
        roll_back(txn, run, &store, made + (status == XR_CONFLICT || status == XR_REFUSED ? 0 : 1),
                  made > 0                ? XR_RESULT_BACK
                  : status == XR_CONFLICT ? XR_RESULT_CONFLICT
                  : status == XR_REFUSED  ? XR_RESULT_REFUSED
                                          : XR_RESULT_FAILED,
                  xr_strdup(err.text));
        goto out;
    }
    part = part_of(txn, run);
    status = flush(run, &store, false, &err);
    if (status == XR_LOST && (status = reopen(txn, run, &store, &err)) == XR_OK)
        status = flush(run, &store, false, &err);
    if (status == XR_OK)
        status = list_again(&run->after, &store, &part, &err);
    if (status != XR_OK || !all_as_wanted(&part, &run->after)) {
        roll_back(txn, run, &store, part.count, XR_RESULT_FAILED,
                  xr_strdup(status != XR_OK ? err.text : lost.text));
        goto out;
    }
    verify(txn, run, &store);
    if (txn->reject != NULL && txn->reject(txn->ctx, run)) {
        roll_back(txn, run, &store, part.count, XR_RESULT_BACK,
                  xr_format("the verifier said no: %s", run->verdict.why));
        goto out;
    }
    status = record(txn, run, XR_STAGE_DONE, &err);
    if (status != XR_OK) {
        roll_back(txn, run, &store, part.count, XR_RESULT_FAILED, xr_strdup(err.text));
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
    enum xr_status status = open_to_write(&store, txn, run, &err);

    if (status != XR_OK)
        end_with_error(run, status, &err);
    else
        roll_back(txn, run, &store, txn->journal->items[txn->transaction].items[run->part].count,
                  XR_RESULT_BACK, xr_strdup(why));
    xr_store_close(&store);
}

/* Can an interrupted part be rolled back, or finished, without giving trust that was not
 * confirmed? */
struct ways {
    bool done;          /* all wanted states are in the store */
    bool back, forward; /* rolling back, or finishing, widens nothing */
};

static struct ways ways_of(const struct xr_part *part, const struct xr_snapshot *now)
{
    struct ways ways = {all_as_wanted(part, now), true, true};

    for (size_t i = 0; i < part->count; i++) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *current = xr_snapshot_find(now, &change->subject);

        if (!xr_state_between(current, change->before, change->want))
            continue; /* another program changed it: it stays */
        ways.back = ways.back && !xr_state_widens(current, change->before);
        /* A CRL is removed only because of a newer one, or after a confirmation. */
        ways.forward = ways.forward && (change->subject.type == XR_SUBJECT_CRL ||
                                        !xr_state_widens(current, change->want));
    }
    return ways;
}

/* Finishes every change of a part from the current state. */
static enum xr_status go_forward(struct xr_store *store, const struct xr_part *part,
                                 struct xr_error *err)
{
    struct xr_snapshot now = {0};
    enum xr_status status = list_again(&now, store, part, err);

    for (size_t i = 0; status == XR_OK && i < part->count; i++) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *current = xr_snapshot_find(&now, &change->subject);

        if (xr_state_same(current, change->want) ||
            !xr_state_between(current, change->before, change->want))
            continue;
        status = xr_store_swap(store, current, change->want, err);
        if (status == XR_OK)
            status = list_again(&now, store, part, err);
    }
    xr_snapshot_free(&now);
    return status;
}

/* The store is open, and run->after has its content. */
static void recover_open(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    const struct xr_transaction *t = &txn->journal->items[txn->transaction];
    const struct xr_part *part = &t->items[run->part];
    struct ways ways = ways_of(part, &run->after);
    /* It should have been verified, or done in every store, and it is not known whether it was:
     * roll it back if possible. */
    bool strict = t->flags != 0;
    bool only_back = part->stage == XR_STAGE_LEFT; /* it was being rolled back */
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if ((!ways.done || strict || only_back) && (ways.back || txn->widening_allowed)) {
        roll_back(txn, run, store, part->count, XR_RESULT_BACK,
                  xr_strdup("restored to what it was before"));
        return;
    }
    if (only_back || (!ways.done && !ways.forward)) {
        xr_run_end(run, XR_RESULT_FAILED,
                   xr_strdup("rolling it back or finishing it would give trust: crossroot recover "
                             "--yes rolls it back"));
        return;
    }
    if (!ways.done)
        status = go_forward(store, part, &err);
    if (status == XR_OK)
        status = flush(run, store, false, &err);
    if (status == XR_OK)
        status = list_again(&run->after, store, part, &err);
    if (status == XR_OK)
        status = record(txn, run, XR_STAGE_DONE, &err);
    if (status != XR_OK) {
        end_with_error(run, status, &err);
        return;
    }
    verify(txn, run, store);
    run->result = XR_RESULT_DONE;
}

void xr_txn_recover(struct xr_txn *txn, struct xr_run *run, size_t transaction, size_t at)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    const struct xr_part *part = &txn->journal->items[transaction].items[at];
    enum xr_status status = XR_OK;

    txn->transaction = transaction;
    run->part = at;
    status = open_to_write(&store, txn, run, &err);
    for (size_t i = 0; i < part->count; i++)
        xr_plan_step(&run->plan, &part->items[i].subject, XR_NONE,
                     xr_state_copy(part->items[i].before), xr_state_copy(part->items[i].want));
    if (status == XR_OK) {
        xr_run_caps(run, &store);
        status = check_agreed(txn, run, &err);
    }
    if (status == XR_OK)
        status = list_again(&run->after, &store, part, &err);
    if (status == XR_OK)
        recover_open(txn, run, &store);
    else
        end_with_error(run, status, &err);
    xr_store_close(&store);
}

bool xr_txn_open_part(const struct xr_transaction *t, size_t at)
{
    return t->items[at].stage == XR_STAGE_PENDING ||
           ((t->flags & XR_ALL_OR_NOTHING) != 0 && !t->ended &&
            t->items[at].stage == XR_STAGE_DONE);
}
