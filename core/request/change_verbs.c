/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that change stores: install, remove, distrust, undo, recover. */
#include "change_run.h"

#include "change/same_key.h"
#include "change/stale.h"

#include <stdlib.h>

/* ---- install, remove, distrust ---- */

static bool read_operands(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < rq->operands.count; i++) {
        const char *file = rq->operands.items[i];

        if (rq->verb == XR_VERB_INSTALL || !xr_change_is_id(file))
            xr_engine_read(c->engine, (struct xr_words){&file, 1});
    }
    xr_engine_rejects(c->engine, XR_ERROR);
    if (report->input.failed) {
        xr_report_fail(c->engine->report, XR_EXIT_FAILED, "nothing was changed");
        return false;
    }
    return true;
}

void xr_verb_change(struct xr_engine *engine)
{
    struct xr_change_run c = {.engine = engine, .transaction = XR_NONE};
    struct xr_report *report = engine->report;
    struct xr_error err = {0};

    c.journal.fd = c.journal.dirfd = -1;
    if (!read_operands(&c) || !xr_change_read_pins(&c))
        goto out;
    if ((engine->rq->pins.count > 0 || engine->rq->published.count > 0) &&
        !xr_change_check_pins(&c))
        goto out;
    if (!xr_engine_select(engine))
        goto out;
    if (engine->rq->dry_run) {
        if (xr_journal_read_brief(&c.journal, engine->state_dir, &err) == XR_OK &&
            !c.journal.live && xr_journal_pending(&c.journal))
            xr_report_say(report, XR_WARNING, NULL, "recovery pending: run crossroot recover");
        (void)xr_journal_for_recall(&c.journal, NULL);
        c.journal_open = true;
    } else if (!xr_change_open_journal(&c) || !xr_change_recover_first(&c)) {
        goto out;
    }
    xr_change_recall(&c);
    xr_engine_survey(engine);
    if (!xr_change_wishes(&c))
        goto out;
    xr_change_plan(&c);
    xr_change_carry_out(&c);
out:
    xr_change_free(&c);
}

/* ---- undo ---- */

static void plan_undo(struct xr_change_run *c, struct xr_run *run, const struct xr_part *part)
{
    struct xr_report *report = c->engine->report;
    struct xr_same_key same_key = {.snapshot = &run->snapshot, .pool = &report->pool};

    if (part->identity[0] != '\0' && run->caps.identity[0] != '\0' &&
        strcmp(part->identity, run->caps.identity) != 0)
        /* A restored backup is a new directory too, so only its content decides. */
        xr_report_say(report, XR_WARNING, run->address,
                      "this is not the same directory as the one that was changed");
    for (size_t i = part->count; i-- > 0;) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *now = xr_snapshot_find(&run->snapshot, &change->subject);
        bool back_already = xr_state_same(now, change->before);
        size_t at = change->subject.type == XR_SUBJECT_CERT
                        ? xr_pool_find(&report->pool, change->subject.id)
                        : XR_NONE;

        if (!back_already && !xr_state_same(now, change->want)) {
            xr_run_end(run, XR_RESULT_CONFLICT,
                       xr_strdup(N_("the entry has changed since; nothing was undone")));
            break;
        }
        xr_plan_step(&run->plan, &change->subject, at, xr_state_copy(now),
                     xr_state_copy(back_already ? now : change->before));
        /* The key of a restored certificate may be distrusted or constrained since then. */
        if (!back_already && change->before != NULL)
            xr_same_key_ask(&same_key, &run->plan.items[run->plan.count - 1]);
    }
    xr_same_key_free(&same_key);
    if (run->why == NULL && !run->caps.writable && xr_plan_changes(&run->plan) > 0)
        xr_run_end_unwritable(run);
}

/* A recorded store as a run, which people know by the name that it had. */
static bool add_recorded(struct xr_change_run *c, const struct xr_part *part)
{
    struct xr_run *run = NULL;

    if (!xr_engine_add_run(c->engine, part->store, true))
        return false;
    run = xr_runs_find(&c->engine->report->runs, part->store);
    if (run != NULL && run->summary == NULL && part->name != NULL)
        run->summary = xr_strdup(part->name);
    return true;
}

/* The stores of a transaction as runs, each under the address it was recorded with. */
static void add_stores(struct xr_change_run *c, const struct xr_transaction *t)
{
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < t->count; i++) {
        const struct xr_part *part = &t->items[i];

        if (!xr_part_undoable(part) || !xr_chosen_has(&c->chosen, part->store))
            continue;
        if (!add_recorded(c, part))
            continue; /* already reported; the other stores go on */
        if (xr_runs_find(&report->runs, part->store) == NULL) {
            xr_report_say(report, XR_ERROR, part->store,
                          "this address now leads to a different store");
            xr_report_raise(report, XR_EXIT_FAILED);
        }
    }
}

static void plan_stores(struct xr_change_run *c, const struct xr_transaction *t)
{
    struct xr_report *report = c->engine->report;

    for (size_t k = 0; k < report->runs.count; k++) {
        struct xr_run *run = &report->runs.items[k];
        bool found = false;

        for (size_t i = 0; i < t->count && run->why == NULL; i++) {
            if (!xr_part_made(&t->items[i]) || t->items[i].undone ||
                strcmp(run->address, t->items[i].store) != 0)
                continue;
            found = true;
            plan_undo(c, run, &t->items[i]);
        }
        if (!found && run->why == NULL)
            xr_run_end(run, XR_RESULT_SKIPPED,
                       xr_strdup(N_("nothing of it is left to undo in this store")));
    }
}

static bool is_all(const struct xr_chosen *chosen)
{
    return chosen->all && chosen->out.count == 0;
}

/* Is anything of it left to undo in these stores? */
static bool any_done(const struct xr_transaction *t, struct xr_chosen *chosen)
{
    for (size_t i = 0; i < t->count; i++) {
        if (xr_part_made(&t->items[i]) && !t->items[i].undone &&
            xr_chosen_has(chosen, t->items[i].store))
            return true;
    }
    return false;
}

/* The transaction to undo, with its changes; SIZE_MAX if there is none. */
static size_t find(struct xr_change_run *c, const char *wanted, struct xr_error *err)
{
    size_t at = SIZE_MAX;

    if (xr_journal_for_find(&c->journal, wanted, err) != XR_OK)
        return SIZE_MAX;
    at = xr_journal_find(&c->journal, wanted, xr_chosen_has, &c->chosen, err);
    if (at == SIZE_MAX && err->status == XR_ABSENT && wanted != NULL &&
        xr_journal_whole(&c->journal, err) == XR_OK) /* which knows what was pruned */
        at = xr_journal_find(&c->journal, wanted, xr_chosen_has, &c->chosen, err);
    return at != SIZE_MAX && xr_journal_fill(&c->journal, at, err) == XR_OK ? at : SIZE_MAX;
}

void xr_verb_undo(struct xr_engine *engine)
{
    struct xr_change_run c = {.engine = engine, .transaction = XR_NONE};
    struct xr_report *report = engine->report;
    struct xr_error err = {0};
    const char *wanted = engine->rq->operands.count ? engine->rq->operands.items[0] : NULL;
    const struct xr_transaction *t = NULL;
    char undoes[XR_JOURNAL_ID_LEN + 1];
    enum xr_status status = XR_OK;
    size_t at = SIZE_MAX;

    c.journal.fd = c.journal.dirfd = -1;
    if (!xr_chosen_read(&c.chosen, engine))
        goto out;
    if (engine->rq->dry_run) {
        c.journal_open = true;
        status = xr_journal_read_brief(&c.journal, engine->state_dir, &err);
        if (status == XR_OK)
            status = xr_journal_for_recall(&c.journal, &err);
        if (status != XR_OK) {
            xr_engine_no_journal(engine, status, &err);
            goto out;
        }
    } else if (!xr_change_open_journal(&c)) {
        goto out;
    }
    at = find(&c, wanted, &err);
    if (at == SIZE_MAX) {
        const char *text = err.status == XR_ABSENT && wanted == NULL && !is_all(&c.chosen)
                               ? N_("nothing to undo in the named stores")
                               : err.text;

        xr_report_fail(report, err.status == XR_INVALID ? XR_EXIT_USAGE : XR_EXIT_FAILED, text);
        goto out;
    }
    t = &c.journal.items[at];
    if (t->undone_by[0] != '\0') {
        xr_report_say(report, XR_ERROR, NULL, "%s was already undone, by %s", t->id, t->undone_by);
        xr_report_raise(report, XR_EXIT_FAILED);
        goto out;
    }
    memcpy(undoes, t->id, sizeof(undoes));
    c.undoes = undoes;
    add_stores(&c, t);
    if (report->runs.count == 0) {
        if (report->exit == XR_EXIT_OK)
            xr_report_fail(report, XR_EXIT_FAILED,
                           is_all(&c.chosen)
                               ? N_("that transaction changed nothing")
                               : N_("that transaction left nothing to undo in the named "
                                    "stores"));
        goto out;
    }
    if (!engine->rq->dry_run && !xr_change_recover_first(&c))
        goto out;
    /* A second undo after a crash means the interrupted undo, not the transaction before it. */
    if (c.finished_undo && wanted == NULL)
        goto out;
    /* It was interrupted, and recovery has just rolled it back. */
    if (c.took_back && !any_done(t, &c.chosen)) {
        for (size_t i = 0; i < report->runs.count; i++)
            xr_run_end(
                &report->runs.items[i], XR_RESULT_BACK,
                xr_strdup(N_("the transaction had been interrupted and is now rolled back")));
        goto out;
    }
    for (size_t i = 0; i < t->count; i++)
        xr_engine_pool_part(engine, &t->items[i]);
    xr_change_recall(&c);
    xr_engine_survey(engine);
    plan_stores(&c, t);
    xr_change_carry_out(&c);
out:
    xr_change_free(&c);
}

/* ---- recover ---- */

/* Reports one part in a run; a store with two interrupted parts reports the last one. */
static void recover_part(struct xr_change_run *c, size_t t, size_t p)
{
    const char *store = c->journal.items[t].items[p].store;
    struct xr_txn txn = xr_change_txn(c);
    struct xr_run *run = NULL;

    txn.verify = NULL;
    if (add_recorded(c, &c->journal.items[t].items[p]))
        run = xr_runs_find(&c->engine->report->runs, store);
    if (run == NULL)
        return;
    xr_plan_free(&run->plan);
    if (xr_change_unlock_part(c, run, t, p))
        xr_txn_recover(&txn, run, t, p);
    xr_secret_wipe(&run->password);
}

/* Named stores are checked too, although they are opened for writing later. */
static void look(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;

    run->stale_ended = xr_stale_look(run, engine->rq->site, &engine->worker, NULL) == XR_STALE;
}

/* Completes a store that has no record. */
static void tidy(void *ctx, struct xr_run *run)
{
    struct xr_change_run *c = ctx;
    struct xr_txn txn = xr_change_txn(c);

    if (run->plan.count == 0 && run->why == NULL)
        xr_txn_apply(&txn, run);
    if (run->stale_ended && run->result == XR_RESULT_UNCHANGED && run->why == NULL)
        xr_run_end(run, XR_RESULT_DONE, xr_strdup(XR_STALE_ENDED));
    else if (run->stale_ended && run->result != XR_RESULT_FAILED)
        xr_report_say(c->engine->report, XR_WARNING, run->address, "%s", XR_STALE_ENDED);
}

static void end_stale(struct xr_engine *engine, struct xr_run *run)
{
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (engine->rq->dry_run) {
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "an interrupted write of another program would be rolled back");
        return;
    }
    status = xr_stale_end(run, engine->rq->site, &engine->worker, &err);
    run->privilege = status == XR_DENIED && engine->rq->site->uid != 0;
    if (status == XR_OK)
        xr_run_end(run, XR_RESULT_DONE, xr_strdup(XR_STALE_ENDED));
    else
        xr_run_end(run, XR_RESULT_FAILED, xr_strdup(err.text));
}

/* A dry run: would completing a named store be refused? */
static void foretell(const struct xr_engine *engine, struct xr_run *run)
{
    if (run->backend != NULL && !run->caps.writable && run->caps.why_not[0] != '\0')
        xr_run_end_unwritable(run);
    else if (run->caps.would_trust[0] != '\0' && !engine->rq->yes)
        xr_run_end(run, XR_RESULT_REFUSED, xr_strdup(run->caps.would_trust));
}

static void end_one(struct xr_change_run *c, struct xr_run *run)
{
    if (run->why != NULL)
        return;
    if (run->stale_ended)
        end_stale(c->engine, run);
    else if (c->engine->rq->dry_run)
        xr_report_say(c->engine->report, XR_WARNING, run->address,
                      "what a run before left unfinished would be finished");
    else
        tidy(c, run);
}

/* Handles the runs from index from on; drops those that need nothing from the report. */
static void end_stale_runs(struct xr_change_run *c, size_t from)
{
    struct xr_engine *engine = c->engine;
    struct xr_report *report = engine->report;
    size_t kept = from;

    xr_engine_each(engine, from, false, look, engine);
    for (size_t i = from; i < report->runs.count; i++) {
        struct xr_run run = report->runs.items[i];

        if (engine->rq->dry_run && run.named && !run.stale_ended)
            foretell(engine, &run);
        if (run.stale_ended || run.caps.unfinished || run.why != NULL) {
            end_one(c, &run);
            report->runs.items[kept++] = run;
        } else {
            xr_run_free(&run);
        }
    }
    report->runs.count = kept;
}

/* Other stores of the scope are only checked for what was interrupted or left unfinished. */
static bool end_stale_others(struct xr_change_run *c)
{
    struct xr_engine *engine = c->engine;
    size_t from = engine->report->runs.count;

    if (engine->rq->stores.count == 0 && !xr_engine_discover(engine))
        return false;
    end_stale_runs(c, from);
    return true;
}

void xr_verb_recover(struct xr_engine *engine)
{
    struct xr_change_run c = {.engine = engine, .transaction = XR_NONE};
    struct xr_report *report = engine->report;
    struct xr_error err = {0};

    c.journal.fd = c.journal.dirfd = -1;
    if (!xr_chosen_read(&c.chosen, engine))
        goto out;
    if (engine->rq->dry_run) {
        c.journal_open = true;
        if (xr_journal_read_brief(&c.journal, engine->state_dir, &err) == XR_OK &&
            !c.journal.live && xr_journal_pending(&c.journal))
            xr_report_say(report, XR_WARNING, NULL, "recovery pending");
    }
    /* Named stores are flushed even without a record: another program may have been interrupted. */
    for (size_t i = 0; i < engine->rq->stores.count; i++) {
        if (!xr_engine_add_run(engine, engine->rq->stores.items[i], true))
            goto out;
    }
    if (!xr_engine_drop_excluded(engine, 0))
        goto out;
    if (engine->rq->dry_run) {
        end_stale_runs(&c, 0);
        (void)end_stale_others(&c);
        xr_engine_grade(engine);
    }
    if (engine->rq->dry_run || !xr_change_open_journal(&c))
        goto out;
    xr_engine_each(engine, 0, false, look, engine);
    if (c.journal.damaged > 0)
        xr_report_say(report, XR_WARNING, NULL,
                      "%zu bytes of the journal are damaged and were skipped", c.journal.damaged);
    for (size_t t = 0; t < c.journal.count; t++) {
        bool any = false;

        for (size_t p = 0; p < c.journal.items[t].count; p++) {
            if ((!xr_txn_open_part(&c.journal.items[t], p) &&
                 c.journal.items[t].items[p].stage != XR_STAGE_LEFT) ||
                !xr_chosen_has(&c.chosen, c.journal.items[t].items[p].store))
                continue;
            recover_part(&c, t, p);
            any = true;
        }
        if (any && !is_all(&c.chosen))
            xr_change_say_waiting(&c, t);
    }
    for (size_t i = 0; i < report->runs.count; i++) {
        for (size_t k = 0; k < report->runs.items[i].plan.count; k++) {
            struct xr_step *step = &report->runs.items[i].plan.items[k];
            struct xr_state *states[] = {step->before ? step->before : step->want};
            struct xr_snapshot one = {.items = states, .count = 1};

            xr_engine_pool(engine, &one);
            if (step->subject.type == XR_SUBJECT_CERT)
                step->pool_at = xr_pool_find(&report->pool, step->subject.id);
        }
    }
    xr_engine_each(engine, 0, false, tidy, &c);
    xr_engine_say_left_out(engine);
    if (!end_stale_others(&c))
        goto out;
    xr_engine_grade(engine);
out:
    xr_change_free(&c);
}
