/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: requests, stores, and the verbs that only read. */
#include "request.h"

#include "certs/selfsigned_cache.h"
#include "change/stale.h"
#include "sys/sys.h"
#include "xr_config.h"

#include <stdlib.h>

static const char *const verb_names[XR_VERB_COUNT] = {
    "inspect",  "stores", "list", "install", "remove",
    "distrust", "verify", "undo", "history", "recover",
};

const char *xr_verb_name(enum xr_verb verb)
{
    return (unsigned)verb < XR_VERB_COUNT ? verb_names[verb] : "?";
}

const char *xr_version(void)
{
    return XR_VERSION;
}

const char *xr_plugin_dir(void)
{
    return XR_PLUGIN_DIR;
}

int64_t xr_time_parse(const char *text, bool *ok)
{
    return xr_sys_parse_time(text, ok);
}

/* ---- stores ---- */

void xr_engine_pool(struct xr_engine *engine, const struct xr_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct xr_state *state = snapshot->items[i];
        struct xr_cert *cert = NULL;

        if (state->subject.type != XR_SUBJECT_CERT || state->count == 0 ||
            xr_pool_find(&engine->report->pool, state->subject.id) != XR_NONE ||
            xr_cert_new_known(&cert, state->entries[0]->der, state->subject.id, NULL) != XR_OK)
            continue;
        (void)xr_pool_add(&engine->report->pool, cert);
        xr_cert_free(cert);
    }
}

/* What is listed somewhere but gone since is no failure, unless it was asked for. */
static void end_unread(const struct xr_engine *engine, struct xr_run *run, enum xr_status status,
                       const struct xr_error *err)
{
    bool gone = status == XR_ABSENT && !run->named;

    run->privilege = status == XR_DENIED && engine->rq->site.uid != 0;
    xr_run_end(run, gone ? XR_RESULT_SKIPPED : XR_RESULT_FAILED, xr_strdup(err->text));
}

static void survey(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;
    enum xr_verb verb = engine->rq->verb;
    bool changing = !engine->rq->dry_run && (verb == XR_VERB_INSTALL || verb == XR_VERB_REMOVE ||
                                             verb == XR_VERB_DISTRUST || verb == XR_VERB_UNDO);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (run->why != NULL)
        return;
    status = xr_txn_survey(run, &engine->rq->site, &engine->worker, changing, &err);
    if (run->stale_ended)
        xr_report_say(engine->report, XR_WARNING, run->address, "%s", XR_STALE_ENDED);
    if (status != XR_OK)
        end_unread(engine, run, status, &err);
}

/* A helper of somebody else's says what it likes, of that user's own. */
static bool same_place(const struct xr_run *a, const struct xr_run *b)
{
    return b->caps.identity[0] != '\0' && strcmp(a->caps.identity, b->caps.identity) == 0 &&
           a->owner.other == b->owner.other && (!a->owner.other || a->owner.uid == b->owner.uid);
}

/* Two addresses may reach one place: it is worked on once. */
static void skip_twins(struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        for (size_t k = 0; k < i && run->why == NULL; k++) {
            if (same_place(&report->runs.items[k], run))
                xr_run_end(run, XR_RESULT_SKIPPED,
                           xr_format("the same place as %s", report->runs.items[k].address));
        }
    }
}

void xr_engine_survey(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;

    if (engine->rq->verb != XR_VERB_STORES) /* that one says of each what it can do */
        skip_twins(report);
    xr_engine_each(engine, 0, false, survey, engine);
    skip_twins(report);
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL)
            xr_engine_pool(engine, &report->runs.items[i].snapshot);
    }
    xr_selfsigned_recall(&report->pool, engine->state_dir);
}

/* ---- what takes libcrypto long ---- */

#define PROOF_PIECE 16u

struct proof {
    struct xr_engine *engine;
    bool whole;
};

/* Each certificate is one piece's alone, and nobody adds to the pool meanwhile. */
static void prove_piece(void *ctx, size_t piece)
{
    const struct proof *proof = ctx;
    const struct xr_pause *pause = &proof->engine->threads.pause;
    struct xr_pool *pool = &proof->engine->report->pool;

    pause->leave(pause->ctx);
    for (size_t at = piece * PROOF_PIECE; at < pool->count && at < (piece + 1) * PROOF_PIECE;
         at++) {
        (void)xr_pool_self_signed(pool, at);
        if (proof->whole)
            (void)xr_cert_accepted(pool->items[at].cert, NULL);
    }
    pause->enter(pause->ctx);
}

/* Finds out, on all processors, what is known from then on of every certificate of the pool: is it
 * self-signed, and, if whole, does libcrypto parse all of it? */
static void prove(struct xr_engine *engine, bool whole)
{
    struct proof proof = {engine, whole};
    size_t count = engine->report->pool.count;

    xr_threads_run(&engine->threads, (count + PROOF_PIECE - 1) / PROOF_PIECE, prove_piece, &proof);
    if (!engine->rq->dry_run)
        xr_selfsigned_keep(&engine->report->pool, engine->state_dir);
}

/* ---- input ---- */

static void pool_input(struct xr_engine *engine)
{
    const struct xr_input *input = &engine->report->input;

    for (size_t i = 0; i < input->found.count; i++) {
        if (input->found.items[i].cert != NULL)
            (void)xr_pool_add(&engine->report->pool, input->found.items[i].cert);
    }
}

void xr_engine_read(struct xr_engine *engine, struct xr_words files)
{
    for (size_t i = 0; i < files.count; i++)
        xr_input_add(&engine->report->input, files.items[i]);
    pool_input(engine);
    if (engine->rq->verb == XR_VERB_INSTALL)
        prove(engine, true);
}

void xr_engine_rejects(struct xr_engine *engine, enum xr_level level)
{
    const struct xr_input *input = &engine->report->input;

    for (size_t i = 0; i < input->rejected.count; i++)
        xr_report_say(engine->report, input->rejected.items[i].note ? XR_WARNING : level, NULL,
                      "%s: %s", input->rejected.items[i].file, input->rejected.items[i].reason);
}

/* ---- verbs ---- */

static void verb_inspect(struct xr_engine *engine)
{
    /* Stores are in view only when named: an inspection of files asks no store. */
    if (engine->rq->stores.count > 0) {
        if (!xr_engine_select(engine))
            return;
        xr_engine_survey(engine);
    }
    xr_engine_read(engine, engine->rq->operands);
    xr_engine_rejects(engine, XR_ERROR);
    if (engine->report->input.failed)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
}

static void fail_unread(struct xr_engine *engine)
{
    size_t failed = 0;

    for (size_t i = 0; i < engine->report->runs.count; i++) {
        const struct xr_run *run = &engine->report->runs.items[i];

        if (run->result != XR_RESULT_FAILED)
            continue;
        failed++;
        xr_report_say(engine->report, XR_ERROR, run->address, "%s", run->why);
        if (run->privilege)
            xr_report_raise(engine->report, XR_EXIT_PRIVILEGE);
    }
    if (failed > 0)
        xr_report_raise(engine->report,
                        failed == engine->report->runs.count ? XR_EXIT_FAILED : XR_EXIT_PARTIAL);
}

static bool read_journal(struct xr_engine *engine)
{
    struct xr_error err = {0};

    if (xr_journal_read(&engine->report->journal, engine->state_dir, &err) != XR_OK) {
        xr_report_say(engine->report, XR_WARNING, NULL, "%s", err.text);
        return false;
    }
    if (!engine->report->journal.live && xr_journal_pending(&engine->report->journal))
        xr_report_say(engine->report, XR_WARNING, NULL,
                      "recovery pending: a change was interrupted; run crossroot recover");
    if (engine->report->journal.damaged > 0)
        xr_report_say(engine->report, XR_WARNING, NULL,
                      "%zu bytes of the journal are damaged and were passed over",
                      engine->report->journal.damaged);
    return true;
}

static void look(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;
    struct xr_store store = {0};
    struct xr_error err = {0};
    enum xr_status status =
        xr_run_open(&store, run, &engine->rq->site, XR_READ, &engine->worker, &err);

    if (xr_stale_advise(run, status, &err) != XR_OK)
        end_unread(engine, run, status, &err);
    else
        xr_run_caps(run, &store);
    xr_store_close(&store);
}

static void verb_stores(struct xr_engine *engine)
{
    if (!xr_engine_select(engine))
        return;
    xr_engine_each(engine, 0, false, look, engine);
    fail_unread(engine);
}

#define WIDENED_NAMED 8u /* in messages, of one store */

/* An anchor that is not self-signed is trusted without the CA that signed it, by most readers and
 * without its own limits: more trust than anybody who put it there may have meant. Not thorough:
 * names alone, no signature is checked. */
static void warn_widened(struct xr_engine *engine, bool thorough)
{
    struct xr_pool *pool = &engine->report->pool;

    for (size_t i = 0; i < engine->report->runs.count; i++) {
        const struct xr_run *run = &engine->report->runs.items[i];
        size_t widened = 0;

        for (size_t k = 0; k < run->snapshot.count; k++) {
            const struct xr_state *state = run->snapshot.items[k];
            size_t at = state->subject.type == XR_SUBJECT_CERT
                            ? xr_pool_find(pool, state->subject.id)
                            : XR_NONE;
            const struct xr_slices *slices = NULL;
            char hex[2 * XR_SHA256_LEN + 1];
            char *name = NULL;

            if (at == XR_NONE || xr_state_in(state, XR_ANCHOR) == NULL ||
                xr_state_in(state, XR_DISTRUST) != NULL)
                continue;
            slices = &pool->items[at].cert->d.slices;
            if (xr_bytes_equal(slices->subject, slices->issuer) &&
                (!thorough || xr_pool_self_signed(pool, at)))
                continue;
            if (widened++ >= WIDENED_NAMED)
                continue;
            name = xr_report_name(engine->report, at);
            xr_hex(hex, state->subject.id, XR_SHA256_LEN);
            xr_report_say(engine->report, XR_WARNING, run->address,
                          "widened trust: %s (%s, SHA-256 %s) lies among the anchors, and is "
                          "trusted without the CA that signed it",
                          name, xr_kind_name(xr_pool_kind(pool, at)), hex);
            free(name);
        }
        if (widened > WIDENED_NAMED)
            xr_report_say(engine->report, XR_WARNING, run->address,
                          "widened trust: %zu more of the kind", widened - WIDENED_NAMED);
    }
}

static void verb_list(struct xr_engine *engine)
{
    if (!xr_engine_select(engine))
        return;
    (void)read_journal(engine);
    xr_engine_survey(engine);
    fail_unread(engine);
    prove(engine, false);
    warn_widened(engine, true);
}

static void verb_history(struct xr_engine *engine)
{
    if (!read_journal(engine))
        xr_report_raise(engine->report, XR_EXIT_FAILED);
}

struct target {
    const char *file;
    size_t first, count; /* items of the input */
};

/* What is asked of every store. */
struct questions {
    struct xr_engine *engine;
    struct target *targets;
    size_t target_count;
    struct xr_bytes *untrusted;
    size_t untrusted_count;
    size_t
        *rows; /* of each run, the first of its answers, one for each target; XR_NONE: not asked */
};

static void answer(const struct questions *q, const struct xr_run *run, struct xr_prober *prober,
                   const struct target *target, struct xr_answer_row *row)
{
    struct xr_engine *engine = q->engine;
    const struct xr_request *rq = engine->rq;
    const struct xr_input *input = &engine->report->input;
    struct xr_bytes *chain = xr_new(target->count + q->untrusted_count, sizeof(*chain));
    struct xr_probe probe = {.size = sizeof(probe), .chain = chain, .host = rq->host};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    row->store = xr_strdup(run->address);
    row->file = xr_strdup(target->file);
    row->pool_at = XR_NONE;
    row->verdict.size = sizeof(row->verdict);
    for (size_t i = 0; i < target->count; i++) {
        const struct xr_cert *cert = input->found.items[target->first + i].cert;

        if (cert == NULL)
            continue;
        if (row->pool_at == XR_NONE)
            row->pool_at = xr_pool_find(&engine->report->pool, cert->sha256);
        chain[probe.count++] = cert->der;
    }
    for (size_t i = 0; i < q->untrusted_count; i++)
        chain[probe.count++] = q->untrusted[i];
    probe.purpose = rq->purposes ? rq->purposes & (~rq->purposes + 1) : XR_SERVER;
    probe.at = rq->at ? rq->at : rq->now;

    if (run->result == XR_RESULT_FAILED)
        status = xr_fail(&err, XR_FAILED, "%s", run->why);
    else
        status = xr_prober_probe(prober, &row->verdict, &probe, &err);
    if (status != XR_OK) {
        row->verdict.answer = XR_UNKNOWN;
        row->why = xr_strdup(err.text);
    }
    free(chain);
}

static void answer_all(void *ctx, struct xr_run *run)
{
    const struct questions *q = ctx;
    struct xr_report *report = q->engine->report;
    size_t row = q->rows[run - report->runs.items];
    struct xr_store store = {0};
    struct xr_way way;
    struct xr_prober prober = {.backend = run->backend,
                               .location = run->location,
                               .site = &way.site,
                               .worker = &way.worker,
                               .store = &store};

    xr_run_way(&way, &run->owner, &q->engine->rq->site, &q->engine->worker);
    for (size_t t = 0; row != XR_NONE && t < q->target_count; t++)
        answer(q, run, &prober, &q->targets[t], &report->answers.items[row + t]);
    xr_prober_end(&prober);
}

/* All rows are there before the first is filled, in the order of the stores. */
static void ask_stores(struct questions *q)
{
    struct xr_report *report = q->engine->report;

    q->rows = xr_new(report->runs.count, sizeof(*q->rows));
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        q->rows[i] = report->answers.count;
        if (run->result == XR_RESULT_SKIPPED && run->why != NULL)
            q->rows[i] = XR_NONE;
        for (size_t t = 0; q->rows[i] != XR_NONE && t < q->target_count; t++)
            (void)XR_PUSH(&report->answers);
    }
    xr_engine_each(q->engine, 0, false, answer_all, q);
    free(q->rows);
}

static void grade_answers(struct xr_engine *engine)
{
    size_t yes = 0, no = 0;

    for (size_t i = 0; i < engine->report->answers.count; i++) {
        yes += engine->report->answers.items[i].verdict.answer == XR_YES;
        no += engine->report->answers.items[i].verdict.answer == XR_NO;
    }
    if (no > 0)
        xr_report_raise(engine->report, XR_EXIT_NO);
    else if (yes == 0)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    else if (yes < engine->report->answers.count)
        xr_report_raise(engine->report, XR_EXIT_PARTIAL);
}

/* Each file's first certificate is asked about; the others in it are what a server would send. */
static void verb_verify(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    struct xr_input *input = &report->input;
    struct questions q = {.engine = engine};
    size_t untrusted_from = 0;

    if (!xr_engine_select(engine))
        return;
    q.targets = xr_new(engine->rq->operands.count, sizeof(*q.targets));
    for (size_t i = 0; i < engine->rq->operands.count; i++) {
        struct target t = {.file = engine->rq->operands.items[i], .first = input->found.count};

        xr_input_add(input, t.file);
        t.count = input->found.count - t.first;
        if (t.count > 0)
            q.targets[q.target_count++] = t;
    }
    untrusted_from = input->found.count;
    for (size_t i = 0; i < engine->rq->untrusted.count; i++)
        xr_input_add(input, engine->rq->untrusted.items[i]);
    pool_input(engine);
    xr_engine_rejects(engine, XR_ERROR);
    if (input->failed || q.target_count == 0) {
        xr_report_raise(report, XR_EXIT_FAILED);
        free(q.targets);
        return;
    }
    q.untrusted = xr_new(input->found.count - untrusted_from, sizeof(*q.untrusted));
    for (size_t i = untrusted_from; i < input->found.count; i++) {
        if (input->found.items[i].cert != NULL)
            q.untrusted[q.untrusted_count++] = input->found.items[i].cert->der;
    }
    (void)read_journal(engine);
    xr_engine_survey(engine);
    warn_widened(engine, false);
    ask_stores(&q);
    grade_answers(engine);
    free(q.untrusted);
    free(q.targets);
}

/* ---- requests ---- */

static void load_plugins(struct xr_engine *engine)
{
    struct xr_registry *registry = &engine->report->registry;
    struct xr_error err = {0};

    xr_registry_init(registry);
    for (size_t i = 0; i < engine->rq->plugins.count; i++) {
        if (xr_registry_plugin(registry, engine->rq->plugins.items[i], &err) != XR_OK) {
            xr_report_say(engine->report, XR_ERROR, NULL, "%s", err.text);
            xr_report_raise(engine->report, XR_EXIT_FAILED);
        }
    }
    xr_registry_directory(registry, XR_PLUGIN_DIR);
    for (size_t i = 0; i < registry->refused.count; i++)
        xr_report_say(engine->report, XR_WARNING, NULL, "%s", registry->refused.items[i]);
}

/* An image's records are the host's, kept apart by what the image is. */
static char *state_dir_of(const struct xr_request *rq)
{
    char hex[17];
    unsigned char id[XR_SHA256_LEN];
    const char *root = rq->site.root;

    if (rq->state_dir == NULL)
        return xr_strdup("");
    if (root == NULL)
        return xr_strdup(rq->state_dir);
    xr_x509_sha256(id, (struct xr_bytes){(const unsigned char *)root, strlen(root)});
    xr_hex(hex, id, 8);
    return xr_format("%s/image-%s", rq->state_dir, hex);
}

struct xr_report *xr_run_request(const struct xr_request *request)
{
    static void (*const verbs[XR_VERB_COUNT])(struct xr_engine * engine) = {
        verb_inspect,   verb_stores, verb_list,    xr_verb_change, xr_verb_change,
        xr_verb_change, verb_verify, xr_verb_undo, verb_history,   xr_verb_recover,
    };
    struct xr_request rq = {0};
    struct xr_engine engine = {.rq = &rq};
    struct xr_error err = {0};
    char *root = NULL;

    memcpy(&rq, request, request->size < sizeof(rq) ? request->size : sizeof(rq));
    engine.report = xr_new(1, sizeof(*engine.report));
    engine.report->verb = rq.verb;
    engine.report->dry_run = rq.dry_run;
    engine.report->managed = rq.managed;
    engine.report->now = rq.now;
    engine.report->journal.fd = engine.report->journal.dirfd = -1;
    engine.worker.program = rq.worker != NULL ? rq.worker : XR_WORKER;
    xr_threads_init(&engine.threads, rq.parallel);
    engine.worker.pause = &engine.threads.pause;
    engine.worker.forkservers = &engine.forkservers;
    if ((unsigned)rq.verb >= XR_VERB_COUNT) {
        xr_report_say(engine.report, XR_ERROR, NULL, "unknown verb");
        xr_report_raise(engine.report, XR_EXIT_USAGE);
    } else if (rq.site.root != NULL && xr_sys_canonical(&root, rq.site.root, &err) != XR_OK) {
        xr_report_say(engine.report, XR_ERROR, NULL, "--root: %s", err.text);
        xr_report_raise(engine.report, XR_EXIT_FAILED);
    } else {
        /* The root directory as an image is this machine. */
        rq.site.root = root != NULL && strcmp(root, "/") != 0 ? root : NULL;
        engine.users.root = rq.site.root;
        engine.state_dir = state_dir_of(&rq);
        if (rq.verb != XR_VERB_HISTORY && (rq.verb != XR_VERB_INSPECT || rq.stores.count > 0))
            load_plugins(&engine);
        verbs[rq.verb](&engine);
    }
    xr_forkservers_free(&engine.forkservers);
    xr_threads_free(&engine.threads);
    free(root);
    free(engine.state_dir);
    xr_users_free(&engine.users);
    return engine.report;
}
