/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying plans out in every store of a request: recovery first, then change, verify, grade. */
#include "change_run.h"
#include "sys/sys.h"

#include <stdlib.h>

/* ---- verification after the change ---- */

/* A verifier that fails cannot tell. *shared as of xr_prober_probe. */
static void ask(struct xr_engine *engine, const struct xr_run *run, struct xr_prober *prober,
                struct xr_bytes der, struct xr_verdict *out, size_t *shared)
{
    const struct xr_request *rq = engine->rq;
    struct xr_probe probe = {.size = sizeof(probe), .chain = &der, .count = 1};
    struct xr_error err = {0};

    probe.purpose = rq->purposes ? rq->purposes & (~rq->purposes + 1) : XR_SERVER;
    probe.at = rq->now;
    if (xr_prober_probe(prober, out, &probe, shared, &err) == XR_OK)
        return;
    *out = (struct xr_verdict){.size = sizeof(*out)};
    memcpy(out->by, run->caps.verifier, sizeof(out->by));
    (void)snprintf(out->why, sizeof(out->why), "%.*s", (int)sizeof(out->why) - 1, err.text);
}

/* It is where it was wanted, and the verifier says no. */
static void warn_installed(struct xr_engine *engine, const struct xr_run *run,
                           const struct xr_step *step, const struct xr_verdict *verdict)
{
    const struct xr_der_cert *cert = &engine->report->pool.items[step->pool_at].cert->d;
    char *name = xr_report_name(engine->report, step->pool_at);
    bool expired = cert->not_after<engine->rq->now, early = cert->not_before> engine->rq->now;
    char when[XR_TIME_TEXT_MAX];

    xr_sys_time_text(when, expired ? cert->not_after : cert->not_before);
    if (expired)
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed as an %s, but expired on %s", name,
                      xr_place_name(step->place), when);
    else if (early)
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed as an %s, but is not valid before %s", name,
                      xr_place_name(step->place), when);
    else if (step->place == XR_ANCHOR && verdict->why[0] == '\0')
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed as an anchor, but the verifier says no", name);
    else if (step->place == XR_ANCHOR)
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed as an anchor, but the verifier says no: %s", name,
                      verdict->why);
    else if (verdict->why[0] == '\0')
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed, but does not lead to a trusted anchor of this store", name);
    else
        xr_report_say(engine->report, XR_WARNING, run->address,
                      "%s is installed, but does not lead to a trusted anchor of this store: %s",
                      name, verdict->why);
    free(name);
}

/* The answer becomes the one that is reported. */
static void take(struct xr_run *run, const struct xr_verdict *verdict, size_t shared)
{
    run->verdict = *verdict;
    run->verified = true;
    run->shared = shared;
}

/* Install: does what was installed lead to an anchor? The first "no" is what is reported. */
static void verify_install(struct xr_engine *engine, struct xr_run *run, struct xr_prober *prober)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];
        struct xr_verdict verdict;
        size_t shared = XR_NONE;

        if (step->pool_at == XR_NONE || step->action == XR_ACTION_REFUSE || step->served ||
            step->action == XR_ACTION_REMOVE ||
            (step->place != XR_ANCHOR && step->place != XR_INTERMEDIATE) ||
            (run->verified && run->verdict.answer == XR_NO))
            continue;
        ask(engine, run, prober, engine->report->pool.items[step->pool_at].cert->der, &verdict,
            &shared);
        take(run, &verdict, shared);
        /* Else it is taken back, and that says why. */
        if (verdict.answer == XR_NO && !engine->rq->require_verified)
            warn_installed(engine, run, step, &verdict);
    }
    run->verifier_no = run->verified && run->verdict.answer == XR_NO;
}

/* Does any reader of the store say yes? */
static bool said_yes(const struct xr_verdict *verdict)
{
    bool yes = verdict->answer == XR_YES;

    for (size_t i = 0; i < verdict->also_count; i++)
        yes = yes || verdict->also[i].answer == XR_YES;
    return yes;
}

/* Where trust was taken: asks about a certificate of the pool. Any yes is what the run reports. */
static bool still_trusted(struct xr_engine *engine, struct xr_run *run, struct xr_prober *prober,
                          size_t pool_at, struct xr_verdict *out)
{
    size_t shared = XR_NONE;
    bool yes = false;

    ask(engine, run, prober, engine->report->pool.items[pool_at].cert->der, out, &shared);
    yes = said_yes(out);
    if (!run->verified || yes)
        take(run, out, shared);
    run->verifier_no = run->verifier_no || yes;
    return yes;
}

/* The first step about each certificate of the pool that is not refused, or XR_NONE. */
static size_t *steps_of_pool(const struct xr_run *run, const struct xr_pool *pool)
{
    size_t *steps = xr_new(pool->count, sizeof(*steps));

    for (size_t i = 0; i < pool->count; i++)
        steps[i] = XR_NONE;
    for (size_t i = run->plan.count; i-- > 0;) {
        const struct xr_step *step = &run->plan.items[i];

        if (step->pool_at != XR_NONE && step->action != XR_ACTION_REFUSE)
            steps[step->pool_at] = i;
    }
    return steps;
}

/* Distrust: does any certificate of the key still validate? */
static void verify_distrust(struct xr_engine *engine, struct xr_run *run, struct xr_prober *prober)
{
    struct xr_pool *pool = &engine->report->pool;
    size_t *steps = steps_of_pool(run, pool);
    bool *asked = xr_new(pool->count, sizeof(*asked)); /* by the first certificate of a key */

    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];
        size_t from = step->pool_at == XR_NONE ? XR_NONE : pool->items[step->pool_at].key_head;

        if (step->action == XR_ACTION_REFUSE || from == XR_NONE || asked[from])
            continue;
        asked[from] = true;
        for (size_t k = from; k != XR_NONE; k = pool->items[k].next_key) {
            struct xr_verdict verdict;
            char *name = NULL;
            char hex[2 * XR_SHA256_LEN + 1];

            if (!still_trusted(engine, run, prober, k, &verdict))
                continue;
            name = xr_report_name(engine->report, k);
            xr_hex(hex, pool->items[k].cert->sha256, XR_SHA256_LEN);
            xr_report_say(engine->report, XR_ERROR, run->address,
                          "still trusted by way of %s (%s, SHA-256 %s)", name,
                          steps[k] != XR_NONE ? N_("the certificate itself, when a server sends it")
                                              : N_("another certificate of the same key"),
                          hex);
            free(name);
        }
    }
    free(steps);
    free(asked);
}

/* Remove: is a removed anchor still trusted, by another copy or another certificate of its key? That
 * may well be intended, so it is a warning. */
static void verify_remove(struct xr_engine *engine, struct xr_run *run, struct xr_prober *prober)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];
        struct xr_verdict verdict;
        char *name = NULL, *by = NULL;

        if (step->pool_at == XR_NONE || step->action != XR_ACTION_REMOVE ||
            xr_state_in(step->before, XR_ANCHOR) == NULL)
            continue;
        if (!still_trusted(engine, run, prober, step->pool_at, &verdict))
            continue;
        name = xr_report_name(engine->report, step->pool_at);
        if (verdict.path_len > 1)
            by = xr_report_name(engine->report, xr_pool_find(&engine->report->pool,
                                                             verdict.path[verdict.path_len - 1]));
        if (by != NULL)
            xr_report_say(engine->report, XR_WARNING, run->address,
                          "%s is still trusted, by way of %s", name, by);
        else
            xr_report_say(engine->report, XR_WARNING, run->address, "%s is still trusted", name);
        free(name);
        free(by);
    }
}

static void verify(void *ctx, struct xr_run *run, struct xr_prober *prober)
{
    struct xr_change_run *c = ctx;

    if (run->caps.verifier[0] == '\0')
        return;
    if (c->engine->rq->verb == XR_VERB_INSTALL)
        verify_install(c->engine, run, prober);
    else if (c->engine->rq->verb == XR_VERB_DISTRUST)
        verify_distrust(c->engine, run, prober);
    else if (c->engine->rq->verb == XR_VERB_REMOVE)
        verify_remove(c->engine, run, prober);
}

static bool reject(void *ctx, struct xr_run *run)
{
    struct xr_change_run *c = ctx;

    return c->engine->rq->require_verified && run->verifier_no;
}

static bool interrupted(void *ctx)
{
    struct xr_change_run *c = ctx;
    const struct xr_request *rq = c->engine->rq;

    return rq->interrupted != NULL && rq->interrupted(rq->ctx);
}

static void log_line(void *ctx, const char *line)
{
    const struct xr_change_run *c = ctx;

    c->engine->rq->log(c->engine->rq->ctx, line);
}

struct xr_txn xr_change_txn(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    bool several = c->engine->report->runs.count > 1; /* one alone shares answers with nobody */

    return (struct xr_txn){.journal = &c->journal,
                           .transaction = c->transaction,
                           .site = c->engine->rq->site,
                           .worker = &c->engine->worker,
                           .verdicts = several ? &c->engine->verdicts : NULL,
                           .verify = verify,
                           .reject = reject,
                           .interrupted = interrupted,
                           /* The --yes of another command is not a confirmation for this. */
                           .widening_allowed =
                               c->engine->rq->yes && c->engine->rq->verb == XR_VERB_RECOVER,
                           .ctx = c,
                           .log = rq->log != NULL ? log_line : NULL,
                           .by = rq->by,
                           .has_invoker = rq->has_invoker,
                           .invoker = rq->invoker};
}

/* ---- the journal ---- */

/* Will stores be told of what was removed from them? undo and recover know their stores later. */
static bool needs_recall(const struct xr_change_run *c)
{
    const struct xr_report *report = c->engine->report;
    bool needs = report->verb == XR_VERB_UNDO || report->verb == XR_VERB_RECOVER;

    for (size_t i = 0; i < report->runs.count && !needs; i++) {
        const struct xr_run *run = &report->runs.items[i];

        needs = run->backend != NULL && (run->backend->table.flags & XR_BACKEND_PUBLISHES) != 0;
    }
    return needs;
}

bool xr_change_open_journal(struct xr_change_run *c)
{
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (c->journal_open)
        return true;
    status = xr_journal_open_brief(&c->journal, c->engine->state_dir, &err);
    c->journal.pause = c->engine->worker.pause;
    c->journal_open = true;
    if (status == XR_OK && needs_recall(c))
        status = xr_journal_for_recall(&c->journal, &err);
    if (status == XR_OK)
        return true;
    xr_engine_no_journal(c->engine, status, &err);
    return false;
}

static void close_journal(struct xr_change_run *c)
{
    if (c->journal_open)
        xr_journal_close(&c->journal);
    c->journal_open = false;
}

/* A store that nobody can unlock is left out; the others go on. */
static void refuse_unrecovered(struct xr_report *report, const struct xr_run *locked,
                               const char *command)
{
    struct xr_run *run = xr_runs_find(&report->runs, locked->address);

    if (run != NULL)
        xr_run_end(
            run, XR_RESULT_REFUSED,
            xr_format(N_("an interrupted %s must be recovered first: %s"), command, locked->why));
}

/* Recovers one part that a crash left, in a run of its own; reports it as a message. */
static bool recover_quietly(struct xr_change_run *c, size_t t, size_t p)
{
    struct xr_report *report = c->engine->report;
    const char *address = c->journal.items[t].items[p].store;
    struct xr_run run = {.part = XR_NONE, .address = xr_strdup(address)};
    struct xr_txn txn = xr_change_txn(c);
    struct xr_error err = {0};
    bool good = false;

    txn.verify = NULL;
    if (xr_engine_locate(c->engine, address, &run.backend, &run.location, &err) != XR_OK) {
        xr_run_end(&run, XR_RESULT_FAILED, xr_strdup(err.text));
    } else {
        xr_engine_owner(&run.owner, c->engine, run.backend, run.location);
        if (xr_change_unlock_part(c, &run, t, p))
            xr_txn_recover(&txn, &run, t, p);
    }
    good = run.result != XR_RESULT_FAILED;
    if (run.result == XR_RESULT_REFUSED)
        refuse_unrecovered(report, &run, c->journal.items[t].command);
    else if (run.result == XR_RESULT_DONE)
        xr_report_say(report, XR_WARNING, address, "an interrupted %s was finished",
                      c->journal.items[t].command);
    else if (good)
        xr_report_say(report, XR_WARNING, address, "an interrupted %s was rolled back",
                      c->journal.items[t].command);
    else
        xr_report_say(report, XR_ERROR, address, "an interrupted %s cannot be recovered: %s",
                      c->journal.items[t].command, run.why);
    xr_engine_notices(report, &run);
    c->finished_undo =
        c->finished_undo || (run.result == XR_RESULT_DONE && c->journal.items[t].undoes[0] != '\0');
    c->took_back = c->took_back || run.result == XR_RESULT_BACK;
    xr_run_free(&run);
    return good;
}

void xr_change_recall(struct xr_change_run *c)
{
    for (size_t i = 0; i < c->engine->report->runs.count; i++)
        xr_run_recall(&c->engine->report->runs.items[i], &c->journal);
}

void xr_change_say_waiting(struct xr_change_run *c, size_t t)
{
    const struct xr_transaction *transaction = &c->journal.items[t];

    for (size_t p = 0; p < transaction->count; p++) {
        if ((transaction->flags & XR_ALL_OR_NOTHING) != 0 && xr_txn_open_part(transaction, p) &&
            xr_runs_find(&c->engine->report->runs, transaction->items[p].store) == NULL)
            xr_report_say(c->engine->report, XR_WARNING, transaction->items[p].store,
                          "the same interrupted %s still waits here: run crossroot recover",
                          transaction->command);
    }
}

/* First recovers what a crash left in the stores of this command. */
bool xr_change_recover_first(struct xr_change_run *c)
{
    bool good = true;

    for (size_t t = 0; t < c->journal.count; t++) {
        bool any = false;

        for (size_t p = 0; p < c->journal.items[t].count; p++) {
            if (!xr_txn_open_part(&c->journal.items[t], p) ||
                xr_runs_find(&c->engine->report->runs, c->journal.items[t].items[p].store) == NULL)
                continue;
            good = recover_quietly(c, t, p) && good;
            any = true;
        }
        if (any)
            xr_change_say_waiting(c, t);
    }
    if (!good)
        xr_report_raise(c->engine->report, XR_EXIT_FAILED);
    return good;
}

/* ---- applying ---- */

static bool any_change(const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL && xr_plan_changes(&report->runs.items[i].plan) > 0)
            return true;
    }
    return false;
}

struct applying {
    struct xr_change_run *c;
    struct xr_txn *txn;
    bool failed; /* --all-or-nothing: no other store is changed */
};

static void apply_one(void *ctx, struct xr_run *run)
{
    struct applying *a = ctx;
    bool all = a->c->engine->rq->all_or_nothing, stopped = interrupted(a->c);

    if (run->why == NULL && (stopped || a->failed))
        xr_txn_drop(a->txn, run, stopped ? N_("interrupted") : N_("another store failed"));
    else if (run->why == NULL)
        xr_txn_apply(a->txn, run);
    a->failed = a->failed || (all && (stopped || xr_engine_failed(run)));
}

/* --all-or-nothing: the intents of all stores are recorded before the first is changed, so that after
 * a crash it is known what is to go the same way. */
static void intend_all(struct applying *a)
{
    struct xr_report *report = a->c->engine->report;
    struct xr_error err = {0};

    for (size_t i = 0; i < report->runs.count && !a->failed; i++) {
        struct xr_run *run = &report->runs.items[i];

        if (run->why == NULL)
            xr_txn_intend(a->txn, run);
        a->failed = xr_engine_failed(run);
    }
    if (a->failed || a->c->transaction == XR_NONE ||
        xr_journal_ready(&a->c->journal, a->c->transaction, &err) == XR_OK)
        return;
    xr_report_say(report, XR_ERROR, NULL, "%s", err.text);
    xr_report_raise(report, XR_EXIT_FAILED);
    a->failed = true;
}

/* Records the end, unless stores that were to go the same way still have to be recovered. */
static void end_transaction(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_error err = {0};

    if (c->engine->rq->all_or_nothing && !xr_txn_alike(&c->journal.items[c->transaction]))
        return;
    if (xr_journal_end(&c->journal, c->transaction, &err) == XR_OK)
        return;
    xr_report_say(report, XR_ERROR, NULL,
                  "that it is finished could not be recorded: %s; run crossroot recover", err.text);
    xr_report_raise(report, XR_EXIT_FAILED);
}

static void take_back_one(void *ctx, struct xr_run *run)
{
    const struct applying *a = ctx;

    if (run->result == XR_RESULT_DONE)
        xr_txn_back(a->txn, run, "another store failed");
}

static void apply_all(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_error err = {0};
    struct xr_txn txn;
    struct applying applying = {.c = c, .txn = &txn};

    c->transaction = XR_NONE;
    if (any_change(report)) {
        enum xr_status status = xr_journal_begin(
            &c->journal, &c->transaction, xr_verb_name(report->verb), c->undoes, c->engine->rq->by,
            (c->engine->rq->all_or_nothing ? XR_ALL_OR_NOTHING : 0u) |
                (c->engine->rq->require_verified ? XR_REQUIRE_VERIFIED : 0u),
            c->engine->rq->now, &err);

        if (status != XR_OK) {
            xr_report_fail(c->engine->report,
                           status == XR_DENIED ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED, err.text);
            return;
        }
    }
    txn = xr_change_txn(c);
    for (size_t i = 0; i < report->runs.count; i++)
        report->runs.items[i].number = i;
    if (c->engine->rq->all_or_nothing)
        intend_all(&applying);
    xr_engine_each(c->engine, 0, false, apply_one, &applying);
    if (applying.failed)
        xr_engine_each(c->engine, 0, true, take_back_one, &applying);
    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        run->alike = run->verified ? xr_verdicts_alike(&c->engine->verdicts, run->shared) : 1;
    }
    if (c->transaction != XR_NONE) {
        end_transaction(c);
        for (size_t i = 0; i < report->runs.count; i++) {
            if (report->runs.items[i].result == XR_RESULT_DONE)
                memcpy(report->transaction, c->journal.items[c->transaction].id,
                       sizeof(report->transaction));
        }
    }
    if (interrupted(c))
        xr_report_raise(report, XR_EXIT_INTERRUPTED);
}

/* What came of one wish in all stores; steps: of each of them. */
static void weigh(const struct xr_report *report, const struct xr_steps *steps,
                  const struct xr_wish *wish, bool *taken, bool *refused)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        for (size_t k = xr_steps_of(&steps[i], &wish->subject); k != XR_NONE;
             k = steps[i].next[k]) {
            const struct xr_step *step = &run->plan.items[k];

            *refused = *refused || step->action == XR_ACTION_REFUSE ||
                       run->result == XR_RESULT_REFUSED || run->result == XR_RESULT_WOULD_REFUSE ||
                       run->result == XR_RESULT_SKIPPED;
            *taken = *taken || (step->action != XR_ACTION_REFUSE && xr_engine_did(report, run));
        }
    }
}

/* What no store took is not as asked, even if every store is well. */
static void say_untaken(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_steps *steps = xr_runs_steps(&report->runs);
    size_t untaken = 0;

    for (size_t i = 0; i < c->wishes.count; i++) {
        const struct xr_wish *wish = &c->wishes.items[i];
        bool taken = false, refused = false;
        char hex[2 * XR_SHA256_LEN + 1];
        char *name = NULL;

        weigh(report, steps, wish, &taken, &refused);
        if (taken || !refused)
            continue;
        untaken++;
        name = wish->pool_at != XR_NONE               ? xr_report_name(report, wish->pool_at)
               : wish->subject.type == XR_SUBJECT_CRL ? xr_strdup(N_("the CRL"))
                                                      : xr_strdup(N_("the entry"));
        xr_hex(hex, wish->subject.id, XR_SHA256_LEN);
        if (report->verb == XR_VERB_INSTALL)
            xr_report_say(report, XR_ERROR, NULL, "no store took %s (%.16s…)", name, hex);
        else if (report->verb == XR_VERB_REMOVE)
            xr_report_say(report, XR_ERROR, NULL, "no store could remove %s (%.16s…)", name, hex);
        else
            xr_report_say(report, XR_ERROR, NULL, "no store could distrust %s (%.16s…)", name, hex);
        free(name);
    }
    xr_runs_steps_free(steps, &report->runs);
    if (untaken > 0)
        xr_report_raise(report, untaken == c->wishes.count ? XR_EXIT_FAILED : XR_EXIT_PARTIAL);
}

static void tell(struct xr_change_run *c)
{
    xr_engine_grade(c->engine);
    say_untaken(c);
    xr_change_say_unpinned(c);
}

/* The end of every change, once runs have plans: confirm, apply, grade. */
void xr_change_carry_out(struct xr_change_run *c)
{
    if (c->engine->rq->dry_run) {
        xr_change_preview(c);
        tell(c);
        return;
    }
    if (!xr_change_confirmed(c))
        return;
    xr_change_unlock(c);
    apply_all(c);
    xr_change_check_served(c);
    xr_change_ask_users(c);
    for (size_t i = 0; i < c->engine->report->runs.count; i++)
        xr_secret_wipe(&c->engine->report->runs.items[i].password);
    tell(c);
}

void xr_change_free(struct xr_change_run *c)
{
    close_journal(c);
    xr_secret_wipe(&c->last_password);
    free(c->wishes.items);
    xr_idmap_free(&c->wished);
    xr_pins_free(&c->pins);
    xr_chosen_free(&c->chosen);
    xr_strings_free(&c->texts);
    xr_limits_free(&c->limits);
    for (size_t i = 0; i < c->serials.count; i++)
        xr_buf_free(&c->serials.items[i]);
    free(c->serials.items);
}
