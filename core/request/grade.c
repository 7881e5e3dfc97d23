/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a change: notices for people, and the exit code. */
#include "request.h"

#include <stdlib.h>

#define RETURNS_NAMED 8u /* in a message */

static bool only_builds_paths(const struct xr_state *state)
{
    return xr_state_in(state, XR_INTERMEDIATE) != NULL && xr_state_in(state, XR_ANCHOR) == NULL;
}

/* Can a chain validate now that did not before? An intermediate gives no trust, but makes paths. */
static bool gives(const struct xr_state *from, const struct xr_state *to)
{
    return xr_state_widens(from, to) ||
           (only_builds_paths(to) && (from == NULL || from->count == 0));
}

/* A running program may not have noticed the change, or may still use what was in the store for a
 * moment. If it may still trust what was removed, that is a warning and not only a note. */
void xr_engine_notices(struct xr_report *report, const struct xr_run *run)
{
    bool now[XR_NOTICE_COUNT] = {false};

    if (run->result != XR_RESULT_DONE && !run->taken_back)
        return;
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];

        if (!xr_step_changes(step))
            continue;
        now[XR_NOTICE_GIVEN] |=
            run->taken_back ? gives(step->want, step->before) : gives(step->before, step->want);
        now[XR_NOTICE_TAKEN] |=
            run->taken_back ? gives(step->before, step->want) : gives(step->want, step->before);
    }
    for (unsigned notice = 0; notice < XR_NOTICE_COUNT; notice++) {
        if (now[notice] && run->caps.notice[notice][0] != '\0')
            xr_report_say(report, notice == XR_NOTICE_TAKEN ? XR_WARNING : XR_NOTE, run->address,
                          "%s", run->caps.notice[notice]);
    }
}

static const char *returns_of(const struct xr_state *state)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->returns != NULL)
            return state->entries[i]->returns;
    }
    return NULL;
}

/* Trust that was taken, or is to be, may come back by itself: the entry before says so, or the one that
 * stands there now. */
static void say_returns(struct xr_report *report, const struct xr_run *run)
{
    struct xr_buf text = {0};
    size_t count = 0;

    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];
        const char *returns = returns_of(step->before);
        char hex[2 * XR_SHA256_LEN + 1];

        if (returns == NULL)
            returns = returns_of(xr_snapshot_find(&run->after, &step->subject));
        if (returns == NULL || !xr_step_changes(step) || !gives(step->want, step->before) ||
            count++ >= RETURNS_NAMED)
            continue;
        xr_hex(hex, step->subject.id, XR_SHA256_LEN);
        xr_buf_fmt(&text, "%s%s: %s", count > 1 ? "\n" : "", hex, returns);
    }
    if (count > RETURNS_NAMED) {
        xr_buf_str(&text, "\n");
        xr_buf_fmt(&text, N_("and %zu more likewise"), count - RETURNS_NAMED);
    }
    if (count > 0)
        xr_report_say(report, XR_WARNING, run->address, "%s", text.data);
    xr_buf_free(&text);
}

static bool refused(const struct xr_run *run)
{
    return run->result == XR_RESULT_REFUSED || run->result == XR_RESULT_WOULD_REFUSE;
}

bool xr_engine_failed(const struct xr_run *run)
{
    return run->result == XR_RESULT_FAILED || run->result == XR_RESULT_CONFLICT ||
           run->result == XR_RESULT_BACK || (run->named && refused(run));
}

bool xr_engine_did(const struct xr_report *report, const struct xr_run *run)
{
    return run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED ||
           run->result == XR_RESULT_WOULD_CHANGE ||
           (report->verb == XR_VERB_RECOVER && run->result == XR_RESULT_BACK);
}

/* What a dry run would have come to. */
static void foretell(struct xr_run *run)
{
    if (run->result == XR_RESULT_REFUSED)
        run->result = XR_RESULT_WOULD_REFUSE;
    if (run->result != XR_RESULT_NOT_ASKED || run->why != NULL)
        return;
    run->result = xr_plan_changes(&run->plan) > 0            ? XR_RESULT_WOULD_CHANGE
                  : xr_plan_refuses_all(&run->plan)          ? XR_RESULT_WOULD_REFUSE
                  : run->stale_ended || run->caps.unfinished ? XR_RESULT_WOULD_CHANGE
                                                             : XR_RESULT_UNCHANGED;
}

static bool refuses(const struct xr_run *run)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        if (run->plan.items[i].action == XR_ACTION_REFUSE)
            return true;
    }
    return false;
}

void xr_engine_grade(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    size_t good = 0, bad = 0, refusals = 0;

    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];
        bool did = false;

        if (report->dry_run)
            foretell(run);
        did = xr_engine_did(report, run);
        good += did && !xr_plan_refuses_all(&run->plan);
        if (refused(run) || (did && refuses(run)))
            refusals += run->named;
        else if (!did && xr_engine_failed(run))
            bad++;
        for (size_t k = 0; k < run->notes.count; k++) {
            if (!run->notes.items[k].warning)
                continue;
            xr_report_say(report, XR_WARNING, run->address, "%s", run->notes.items[k].text);
            xr_report_raise(report, XR_EXIT_PARTIAL);
        }
        xr_engine_notices(report, run);
        if (run->result == XR_RESULT_DONE || (report->dry_run && run->why == NULL))
            say_returns(report, run);
        if (run->privilege && run->result != XR_RESULT_SKIPPED)
            xr_report_raise(report, XR_EXIT_PRIVILEGE);
        if (run->verifier_no && (report->verb == XR_VERB_DISTRUST || run->result == XR_RESULT_BACK))
            xr_report_raise(report, XR_EXIT_NO);
    }
    if (good == 0 && report->runs.count > 0) {
        bool privilege = false;

        for (size_t i = 0; i < report->runs.count; i++)
            privilege = privilege || report->runs.items[i].privilege;
        xr_report_raise(report, privilege ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED);
    } else if (bad + refusals > 0) {
        xr_report_raise(report, XR_EXIT_PARTIAL);
    }
}
