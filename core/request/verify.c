/* SPDX-License-Identifier: Apache-2.0 */
/* The verb verify: asks the verifiers of the stores about chains in files. */
#include "request.h"

#include "change/prober.h"

#include <stdlib.h>

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
    size_t *rows; /* of each run, index of its first answer; XR_NONE: not asked */
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
    row->pool_at = row->shared = XR_NONE;
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
        status = xr_prober_probe(prober, &row->verdict, &probe, &row->shared, &err);
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
    struct xr_prober prober = xr_prober_of(run, &store, q->engine->rq->site, &q->engine->worker);

    prober.verdicts = &q->engine->verdicts;
    for (size_t t = 0; row != XR_NONE && t < q->target_count; t++)
        answer(q, run, &prober, &q->targets[t], &report->answers.items[row + t]);
    if (store.backend != NULL)
        xr_run_caps(run, &store);
    xr_prober_end(&prober);
}

/* Once all have asked. */
static void count_alike(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;

    for (size_t i = 0; i < report->answers.count; i++) {
        struct xr_answer_row *row = &report->answers.items[i];

        row->alike = xr_verdicts_alike(&engine->verdicts, row->shared);
    }
}

/* Of a store whose readers also read others, which are asked about all of it. */
static bool says_nothing(const struct xr_run *run, const struct xr_answer_row *row)
{
    return run->caps.shares_readers && !run->named && row->verdict.answer == XR_UNKNOWN &&
           (row->why == NULL || run->caps.verifier[0] == '\0');
}

/* Leaves out rows that say nothing, unless no other store has any. */
static void drop_silent(struct questions *q)
{
    struct xr_report *report = q->engine->report;
    size_t kept = 0, others = 0;

    for (size_t i = 0; i < report->runs.count; i++)
        others += q->rows[i] != XR_NONE && !report->runs.items[i].caps.shares_readers;
    for (size_t i = 0; others > 0 && i < report->runs.count; i++) {
        for (size_t t = 0; q->rows[i] != XR_NONE && t < q->target_count; t++) {
            struct xr_answer_row *row = &report->answers.items[q->rows[i] + t];

            if (says_nothing(&report->runs.items[i], row))
                xr_answer_row_free(row);
            else
                report->answers.items[kept++] = *row;
        }
    }
    if (others > 0)
        report->answers.count = kept;
}

/* All rows are made before the first is filled, in the order of the stores. */
static void ask_stores(struct questions *q)
{
    struct xr_report *report = q->engine->report;

    q->rows = xr_new(report->runs.count, sizeof(*q->rows));
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        q->rows[i] = report->answers.count;
        if (run->result == XR_RESULT_SKIPPED && run->why != NULL)
            q->rows[i] = XR_NONE;
        /* Nobody asked for it, and it has nothing to say. */
        if (run->only_named && !run->named && run->backend->table.probe == NULL)
            q->rows[i] = XR_NONE;
        for (size_t t = 0; q->rows[i] != XR_NONE && t < q->target_count; t++)
            (void)XR_PUSH(&report->answers);
    }
    xr_engine_each(q->engine, 0, false, answer_all, q);
    drop_silent(q);
    free(q->rows);
}

/* Without an answer there would be no word: every store is gone, another's twin, or has no verifier. */
static void say_nobody_asked(struct xr_engine *engine)
{
    const struct xr_report *report = engine->report;

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        xr_report_say(engine->report, XR_NOTE, run->address, "not asked: %s",
                      run->why != NULL ? run->why : N_("it has no verifier of its own"));
    }
    xr_report_fail(engine->report, XR_EXIT_FAILED,
                   "no store here could be asked; name one with --store, or use --scope");
}

static void grade_answers(struct xr_engine *engine)
{
    size_t yes = 0, no = 0;

    for (size_t i = 0; i < engine->report->answers.count; i++) {
        yes += engine->report->answers.items[i].verdict.answer == XR_YES;
        no += engine->report->answers.items[i].verdict.answer == XR_NO;
    }
    if (engine->report->answers.count == 0)
        say_nobody_asked(engine);
    if (no > 0)
        xr_report_raise(engine->report, XR_EXIT_NO);
    else if (yes == 0)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    else if (yes < engine->report->answers.count)
        xr_report_raise(engine->report, XR_EXIT_PARTIAL);
}

/* Verifiers take an empty name for any, and one with a dot in front for all below it. */
bool xr_engine_is_host(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && strcspn(host, "*/ \t\r\n") == strlen(host);
}

void xr_engine_say_host(struct xr_engine *engine)
{
    xr_report_fail(engine->report, XR_EXIT_USAGE,
                   "--host takes the name of one host, or its IP address, as a program connects "
                   "to it");
}

/* Verifies each file's first certificate; the others in it count as sent by a server. */
void xr_verb_verify(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    struct xr_input *input = &report->input;
    struct questions q = {.engine = engine};
    size_t untrusted_from = 0;

    if (engine->rq->host != NULL && !xr_engine_is_host(engine->rq->host)) {
        xr_engine_say_host(engine);
        return;
    }
    if (!xr_engine_select(engine))
        return;
    input->password = engine->rq->password;
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
    input->password = (struct xr_bytes){0};
    xr_engine_pool_input(engine);
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
    xr_engine_read_journal(engine);
    xr_engine_survey(engine);
    xr_engine_warn_widened(engine, false);
    ask_stores(&q);
    count_alike(engine);
    grade_answers(engine);
    free(q.untrusted);
    free(q.targets);
}
