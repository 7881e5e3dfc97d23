/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the certificates in view: those of the input and of the stores. */
#include "request.h"

#include "change/stale.h"

#include <stdlib.h>

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

void xr_engine_pool_part(struct xr_engine *engine, const struct xr_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        struct xr_state *states[] = {part->items[i].before, part->items[i].want};

        for (size_t k = 0; k < 2; k++) {
            struct xr_snapshot one = {.items = &states[k], .count = 1};

            if (states[k] != NULL)
                xr_engine_pool(engine, &one);
        }
    }
}

void xr_engine_unread(const struct xr_engine *engine, struct xr_run *run, enum xr_status status,
                      const struct xr_error *err)
{
    bool gone = status == XR_ABSENT && !run->named;

    run->privilege = status == XR_DENIED && engine->rq->site->uid != 0;
    xr_run_end(run, gone ? XR_RESULT_SKIPPED : XR_RESULT_FAILED, xr_strdup(err->text));
}

void xr_engine_no_journal(struct xr_engine *engine, enum xr_status status,
                          const struct xr_error *err)
{
    if (engine->state_dir[0] == '\0')
        xr_report_say(
            engine->report, XR_ERROR, NULL,
            "no directory for the journal is known (is HOME set?): name one with --state");
    else if (status == XR_BUSY)
        xr_report_say(engine->report, XR_ERROR, NULL, "%s", err->text);
    else
        xr_report_say(engine->report, XR_ERROR, NULL,
                      "no journal: %s; --state names another directory for it", err->text);
    xr_report_raise(engine->report, status == XR_DENIED ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED);
}

static bool changes(enum xr_verb verb)
{
    return verb == XR_VERB_INSTALL || verb == XR_VERB_REMOVE || verb == XR_VERB_DISTRUST ||
           verb == XR_VERB_UNDO;
}

static void survey(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;
    bool changing = !engine->rq->dry_run && changes(engine->rq->verb);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (run->why != NULL)
        return;
    run->soon = changing && engine->report->runs.count == 1;
    status = xr_txn_survey(run, engine->rq->site, &engine->worker, changing, &err);
    run->soon = false;
    if (run->stale_ended)
        xr_report_say(engine->report, XR_WARNING, run->address, "%s", XR_STALE_ENDED);
    if (status != XR_OK)
        xr_engine_unread(engine, run, status, &err);
}

/* Another user's helper can claim anything, but only about stores of that user. */
static bool same_place(const struct xr_run *a, const struct xr_run *b)
{
    return b->caps.identity[0] != '\0' && strcmp(a->caps.identity, b->caps.identity) == 0 &&
           xr_run_same_user(a, b);
}

/* Two addresses may reach the same place, which is changed only once. */
static void skip_twins(struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        for (size_t k = 0; k < i && run->why == NULL; k++) {
            if (same_place(&report->runs.items[k], run))
                xr_run_end(run, XR_RESULT_SKIPPED,
                           xr_format(N_("the same place as %s"), report->runs.items[k].address));
        }
    }
}

void xr_engine_say_left_out(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    enum xr_level level = engine->rq->verb == XR_VERB_LIST ? XR_INFO : XR_NOTE;

    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].caps.left_out[0] != '\0')
            xr_report_say(report, level, report->runs.items[i].address, "%s",
                          report->runs.items[i].caps.left_out);
    }
}

void xr_engine_survey(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;

    if (engine->rq->verb != XR_VERB_STORES) /* stores shows the capabilities of each */
        skip_twins(report);
    xr_engine_each(engine, 0, false, survey, engine);
    skip_twins(report);
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL)
            xr_engine_pool(engine, &report->runs.items[i].snapshot);
    }
    if (changes(engine->rq->verb) || engine->rq->verb == XR_VERB_LIST)
        xr_engine_say_left_out(engine);
    xr_engine_recall(engine);
}

void xr_engine_survey_sources(struct xr_engine *engine, size_t from)
{
    struct xr_report *report = engine->report;

    xr_engine_each(engine, from, false, survey, engine);
    for (size_t i = from; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL)
            xr_engine_pool(engine, &report->runs.items[i].snapshot);
    }
    xr_engine_recall(engine);
}

/* ---- what takes libcrypto long ---- */

void xr_engine_recall(struct xr_engine *engine)
{
    if (engine->rq->state_dir != NULL)
        xr_checked_recall(&engine->checked, &engine->report->pool, engine->rq->state_dir);
}

#define PIECE 16u /* certificates that a thread takes at once */

struct checking {
    struct xr_engine *engine;
    bool whole;
};

/* Each certificate belongs to one piece only, and nobody adds to the pool meanwhile. */
static void check_piece(void *ctx, size_t piece)
{
    const struct checking *checking = ctx;
    const struct xr_pause *pause = &checking->engine->threads.pause;
    struct xr_pool *pool = &checking->engine->report->pool;

    pause->leave(pause->ctx);
    for (size_t at = piece * PIECE; at < pool->count && at < (piece + 1) * PIECE; at++) {
        (void)xr_pool_self_signed(pool, at);
        if (checking->whole)
            (void)xr_cert_accepted(pool->items[at].cert, NULL);
    }
    pause->enter(pause->ctx);
}

void xr_engine_check_all(struct xr_engine *engine, bool whole)
{
    struct checking checking = {engine, whole};
    size_t count = engine->report->pool.count;

    xr_threads_run(&engine->threads, XR_WORK_COMPUTES, (count + PIECE - 1) / PIECE, check_piece,
                   &checking);
}

void xr_engine_pool_input(struct xr_engine *engine)
{
    const struct xr_input *input = &engine->report->input;

    for (size_t i = 0; i < input->found.count; i++) {
        if (input->found.items[i].cert != NULL)
            (void)xr_pool_add(&engine->report->pool, input->found.items[i].cert);
    }
}

void xr_engine_read(struct xr_engine *engine, struct xr_words files)
{
    struct xr_input *input = &engine->report->input;

    input->password = engine->rq->password;
    for (size_t i = 0; i < files.count; i++)
        xr_input_add(input, files.items[i]);
    input->password = (struct xr_bytes){0};
    xr_engine_pool_input(engine);
    xr_engine_recall(engine);
    if (engine->rq->verb == XR_VERB_INSTALL || engine->rq->verb == XR_VERB_INSPECT)
        xr_engine_check_all(engine, true);
}

void xr_engine_say_rejects(struct xr_engine *engine, const struct xr_input *input,
                           enum xr_level level)
{
    for (size_t i = 0; i < input->rejected.count; i++)
        xr_report_say(engine->report, input->rejected.items[i].note ? XR_WARNING : level, NULL,
                      "%s: %s", input->rejected.items[i].file, input->rejected.items[i].reason);
}

void xr_engine_rejects(struct xr_engine *engine, enum xr_level level)
{
    xr_engine_say_rejects(engine, &engine->report->input, level);
}
