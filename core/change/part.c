/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include "logline.h"

#include <stdlib.h>

void xr_txn_end(struct xr_run *run, enum xr_status status, const struct xr_error *err)
{
    enum xr_result result = status == XR_CONFLICT  ? XR_RESULT_CONFLICT
                            : status == XR_REFUSED ? XR_RESULT_REFUSED
                                                   : XR_RESULT_FAILED;

    run->privilege = run->privilege || (status == XR_DENIED && run->caps.needs_privilege);
    xr_run_end(run, result, xr_strdup(err->text));
}

enum xr_status xr_txn_open(struct xr_store *store, struct xr_txn *txn, struct xr_run *run,
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

struct xr_part xr_txn_part(const struct xr_txn *txn, const struct xr_run *run)
{
    return txn->journal->items[txn->transaction].items[run->part];
}

enum xr_status xr_txn_list(struct xr_snapshot *out, struct xr_store *store,
                           const struct xr_part *part, struct xr_error *err)
{
    xr_snapshot_free(out);
    for (size_t i = 0; i < part->count; i++)
        xr_snapshot_only(out, &part->items[i].subject);
    return xr_store_list(store, xr_snapshot_take, out, err);
}

enum xr_status xr_txn_reopen(struct xr_txn *txn, struct xr_run *run, struct xr_store *store,
                             struct xr_error *err)
{
    xr_store_close(store);
    return xr_txn_open(store, txn, run, err);
}

enum xr_status xr_txn_record(struct xr_txn *txn, struct xr_run *run, enum xr_stage stage,
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
    char *places[2] = {NULL, NULL};
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, change->subject.id, XR_SHA256_LEN);
    for (size_t k = 0; k < 2; k++) {
        size_t count = states[k] != NULL ? states[k]->count : 0;

        for (size_t i = 0; i < count; i++) {
            char *others = places[k];
            const char *place = xr_place_name(states[k]->entries[i]->place);

            places[k] = others != NULL ? xr_format("%s and %s", others, place) : xr_strdup(place);
            free(others);
        }
    }
    xr_buf_fmt(out, N_("%s is %s, and was %s"), hex, places[0] != NULL ? places[0] : N_("absent"),
               places[1] != NULL ? places[1] : N_("absent"));
    free(places[0]);
    free(places[1]);
}

enum xr_status xr_txn_flush(struct xr_run *run, struct xr_store *store, bool remark,
                            struct xr_error *err)
{
    struct xr_error said = {.size = sizeof(said)};
    enum xr_status status = XR_OK;

    if (!run->caps.writable) /* what is swapped must reach readers; else there is nothing to do */
        return remark || run->backend->table.flush == NULL ? XR_OK : xr_run_unwritable(run, err);
    status = xr_store_flush(store, &said);
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

static bool needs_swap(const struct xr_change *change, const struct xr_state *now, bool back)
{
    bool there = back ? xr_state_equal(now, change->before) : xr_state_same(now, change->want);

    return !there && xr_state_between(now, change->before, change->want);
}

/* One change, from what the store was listed with. A swap may have renumbered links of other subjects
 * with the same name, which shows as a conflict: only then is the store listed again. *tried: it was
 * not as it should be. */
static enum xr_status swap_one(struct xr_snapshot *now, struct xr_store *store,
                               const struct xr_part *part, const struct xr_change *change,
                               bool back, bool *tried, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t try = 0; try < 2; try++) {
        const struct xr_state *current = xr_snapshot_find(now, &change->subject);

        if (!needs_swap(change, current, back))
            return XR_OK;
        *tried = true;
        status = xr_store_swap(store, current, back ? change->before : change->want, err);
        if (status != XR_CONFLICT || try > 0)
            return status;
        status = xr_txn_list(now, store, part, err);
        if (status != XR_OK)
            return status;
    }
    return status;
}

enum xr_status xr_txn_swap_part(struct xr_snapshot *now, struct xr_store *store,
                                const struct xr_part *part, size_t count, bool back, bool *swapped,
                                struct xr_error *err)
{
    enum xr_status status = xr_txn_list(now, store, part, err);
    bool *tried = xr_new(count, sizeof(*tried));
    bool any = true;

    /* Once more over the rest: what was as it should be may have been renumbered meanwhile. What was
     * swapped is never swapped again: if that did not give what was wanted, twice may give more trust. */
    for (size_t pass = 0; status == XR_OK && any && pass < 2; pass++) {
        any = false;
        for (size_t n = 0; status == XR_OK && n < count; n++) {
            size_t i = back ? count - 1 - n : n;

            if (tried[i])
                continue;
            status = swap_one(now, store, part, &part->items[i], back, &tried[i], err);
            any = any || tried[i];
        }
        *swapped = *swapped || any;
        if (status == XR_OK && any)
            status = xr_txn_list(now, store, part, err);
    }
    free(tried);
    return status;
}

/* Swaps the first count changes of a part back and lists the result in run->after. */
static enum xr_status put_back(struct xr_run *run, struct xr_store *store,
                               const struct xr_part *part, size_t count, struct xr_error *err)
{
    enum xr_status status =
        xr_txn_swap_part(&run->after, store, part, count, true, &run->taken_back, err);

    if (status != XR_OK || run->backend->table.flush == NULL)
        return status; /* already listed since the last swap */
    status = xr_txn_flush(run, store, false, err);
    return status == XR_OK ? xr_txn_list(&run->after, store, part, err) : status;
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
    if (left > 1) {
        struct xr_buf first = *text;

        *text = (struct xr_buf){0};
        xr_buf_fmt(text, N_("%s (and %zu more)"), first.data, left - 1);
        xr_buf_free(&first);
    }
    return left;
}

void xr_txn_roll_back(struct xr_txn *txn, struct xr_run *run, struct xr_store *store, size_t count,
                      enum xr_result result, char *why)
{
    struct xr_part part = xr_txn_part(txn, run);
    struct xr_error err = {0};
    struct xr_buf text = {0};
    enum xr_status status = XR_OK;
    size_t left = 0;

    if (store->backend == NULL)
        status = xr_txn_reopen(txn, run, store, &err);
    if (status == XR_OK)
        status = put_back(run, store, &part, count, &err);
    if (status == XR_LOST && (status = xr_txn_reopen(txn, run, store, &err)) == XR_OK)
        status = put_back(run, store, &part, count, &err);
    if (status == XR_OK)
        left = count_left(&text, run, &part);
    xr_log_part(txn, run, &part,
                status != XR_OK ? XR_RESULT_FAILED
                : left > 0      ? XR_RESULT_CONFLICT
                                : result,
                status != XR_OK ? err.text : why);
    if (status == XR_OK)
        status = xr_txn_record(txn, run, left > 0 ? XR_STAGE_LEFT : XR_STAGE_BACK, &err);
    if (status == XR_OK && left == 0) {
        xr_run_end(run, result, why);
        return;
    }
    if (status == XR_OK)
        xr_run_end(run, XR_RESULT_CONFLICT,
                   xr_format(N_("%s; the store is not as it was before: %s; crossroot undo %s "
                                "restores it"),
                             why, text.data, txn->journal->items[txn->transaction].id));
    else /* the intent stays open; the next changing command or recover continues from here */
        xr_run_end(
            run, XR_RESULT_FAILED,
            xr_format(N_("%s; rolling back failed too: %s; run crossroot recover"), why, err.text));
    xr_buf_free(&text);
    free(why);
}

bool xr_txn_all_as_wanted(const struct xr_part *part, const struct xr_snapshot *now)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!xr_state_same(xr_snapshot_find(now, &part->items[i].subject), part->items[i].want))
            return false;
    }
    return true;
}

void xr_txn_verify(struct xr_txn *txn, struct xr_run *run, struct xr_store *store)
{
    struct xr_prober prober = xr_prober_of(run, store, txn->site, txn->worker);

    prober.verdicts = txn->verdicts;
    if (txn->verify != NULL)
        txn->verify(txn->ctx, run, &prober);
    xr_prober_end(&prober);
}

enum xr_status xr_txn_check_agreed(const struct xr_txn *txn, const struct xr_run *run,
                                   struct xr_error *err)
{
    if (!run->caps.writable || txn->widening_allowed || xr_run_agreed(run))
        return XR_OK;
    if (run->agreed)
        return xr_fail(err, XR_CONFLICT, "the sources changed meanwhile; try again");
    return xr_fail(err, XR_REFUSED, "%s; crossroot recover --yes publishes them",
                   run->caps.would_trust);
}
