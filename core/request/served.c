/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that serve the same browsers. A policy of the machine reaches every user of a browser, also
 * those to come, so a user's own store is left as it is where that does the same. And what a browser
 * makes of the policy depends on each user's stores, so they are asked about it.
 */
#include "change/prober.h"
#include "change_run.h"

#include <ctype.h>
#include <stdlib.h>

#define ASKED_MAX 4u /* users who are asked about one policy */

/* ---- words ---- */

static bool has_word(const char *words, const char *word, size_t len)
{
    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    }
    return false;
}

static bool share_a_word(const char *a, const char *b)
{
    for (const char *at = a; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (has_word(b, at, strcspn(at, " ")))
            return true;
    }
    return false;
}

/* ---- what another store does already ---- */

static bool same_limits(const struct xr_entry *a, const struct xr_entry *b)
{
    struct xr_limits x = {0}, y = {0};
    bool same = xr_limits_of(&x, a) && xr_limits_of(&y, b) && xr_limits_equal(&x, &y);

    xr_limits_free(&x);
    xr_limits_free(&y);
    return same;
}

/* Will the store hold the same after its own step? steps: of the store. */
static bool does_same(const struct xr_run *run, const struct xr_steps *steps,
                      const struct xr_step *step)
{
    const struct xr_entry *wanted = xr_state_in(step->want, step->place);
    size_t i = wanted != NULL && run->why == NULL ? xr_steps_of(steps, &step->subject) : XR_NONE;

    for (; i != XR_NONE; i = steps->next[i]) {
        const struct xr_step *other = &run->plan.items[i];
        const struct xr_entry *entry = other->want != NULL ? xr_state_in(other->want, step->place)
                                       : other->action == XR_ACTION_NONE
                                           ? xr_state_in(other->before, step->place)
                                           : NULL;

        if (entry != NULL)
            return ((entry->purposes & XR_ANY_PURPOSE) != 0 ||
                    (wanted->purposes & ~entry->purposes) == 0) &&
                   same_limits(entry, wanted);
    }
    return false;
}

/* The store that serves every user of that browser, and does the same; or NULL. */
static const struct xr_run *server_of(const struct xr_report *report, const struct xr_steps *steps,
                                      const struct xr_step *step, const char *word, size_t len)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (run->caps.serves_everybody && run->caps.writable &&
            has_word(run->caps.serves, word, len) && does_same(run, &steps[i], step))
            return run;
    }
    return NULL;
}

/* Names of the stores that serve all browsers of the run, allocated; NULL: not all are served. */
static char *served_by(const struct xr_report *report, const struct xr_steps *steps,
                       const struct xr_run *run, const struct xr_step *step)
{
    struct xr_buf names = {0};

    for (const char *at = run->caps.serves; *at != '\0'; at += strspn(at, " ")) {
        const struct xr_run *server = server_of(report, steps, step, at, strcspn(at, " "));

        if (server == NULL) {
            xr_buf_free(&names);
            return NULL;
        }
        if (names.len == 0 || strstr(names.data, server->address) == NULL)
            xr_buf_fmt(&names, "%s%s", names.len > 0 ? ", " : "", server->address);
        at += strcspn(at, " ");
    }
    return names.data;
}

static void leave_to_others(const struct xr_report *report, const struct xr_steps *steps,
                            struct xr_run *run, struct xr_step *step)
{
    char *names = NULL;

    /* A store that has it in some way already is not left in it. */
    if (step->action != XR_ACTION_ADD)
        return;
    names = served_by(report, steps, run, step);
    if (names == NULL)
        return;
    free(step->why);
    step->why = xr_format(N_("%s serves every user of the browsers that read this"), names);
    free(step->ask);
    step->ask = NULL;
    xr_state_free(step->want);
    step->want = NULL;
    step->action = XR_ACTION_NONE;
    step->served = true;
    free(names);
}

void xr_change_serve(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_steps *steps = report->verb == XR_VERB_INSTALL ? xr_runs_steps(&report->runs) : NULL;

    for (size_t i = 0; report->verb == XR_VERB_INSTALL && i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        if (run->named || run->why != NULL || run->caps.serves_everybody)
            continue;
        for (size_t k = 0; k < run->plan.count; k++)
            leave_to_others(report, steps, run, &run->plan.items[k]);
    }
    xr_runs_steps_free(steps, &report->runs);
}

static bool failed(const struct xr_run *run)
{
    return run->result != XR_RESULT_DONE && run->result != XR_RESULT_UNCHANGED &&
           run->result != XR_RESULT_WOULD_CHANGE;
}

/* Was something left to a store that failed then? Says so of the one that has nothing now. */
static void check_left(struct xr_report *report, struct xr_run *run)
{
    bool left = false;

    for (size_t i = 0; i < run->plan.count; i++)
        left = left || run->plan.items[i].served;
    for (size_t i = 0; left && i < report->runs.count; i++) {
        const struct xr_run *server = &report->runs.items[i];
        char *text = NULL;

        if (!server->caps.serves_everybody || !failed(server) ||
            !share_a_word(server->caps.serves, run->caps.serves))
            continue;
        text =
            xr_format(N_("it was left as it is for %s, which was not changed: name this store with "
                         "--store"),
                      server->address);
        xr_run_note(run, true, text);
        free(text);
    }
}

void xr_change_check_served(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < report->runs.count; i++)
        check_left(report, &report->runs.items[i]);
}

/* ---- what the browsers of users make of it ---- */

/* The first certificate that was installed; XR_NONE: none was. */
static size_t installed(const struct xr_run *run)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];

        if (step->pool_at != XR_NONE && xr_step_changes(step) && step->action != XR_ACTION_REMOVE)
            return step->pool_at;
    }
    return XR_NONE;
}

static void ask_run(struct xr_change_run *c, const struct xr_run *run, size_t pool_at,
                    struct xr_verdict *out)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_store store = {0};
    struct xr_prober prober = xr_prober_of(run, &store, rq->site, &c->engine->worker);
    struct xr_probe probe = {.size = sizeof(probe),
                             .chain = &c->engine->report->pool.items[pool_at].cert->der,
                             .count = 1,
                             .purpose = XR_SERVER,
                             .at = rq->now};
    struct xr_error err = {0};

    if (xr_prober_probe(&prober, out, &probe, NULL, &err) != XR_OK)
        out->also_count = 0;
    xr_prober_end(&prober);
}

/* Takes over the answers of the browser's users. All the same: that is the verifier's answer. */
static void take_over(struct xr_run *run, const struct xr_run *from,
                      const struct xr_verdict *answers, bool *same)
{
    struct xr_verdict *verdict = &run->verdict;

    for (size_t i = 0; i < answers->also_count && verdict->also_count < XR_OPINIONS_MAX; i++) {
        const struct xr_opinion *opinion = &answers->also[i];
        struct xr_opinion *own = &verdict->also[verdict->also_count];
        const char *end = strchr(opinion->by, ',');
        char word[96];
        size_t len = end != NULL ? (size_t)(end - opinion->by) : strlen(opinion->by);

        /* Products are called by their names; a store serves them by words. */
        len = len < sizeof(word) ? len : sizeof(word) - 1;
        for (size_t k = 0; k < len; k++)
            word[k] = (char)tolower((unsigned char)opinion->by[k]);
        word[len] = '\0';
        if (strstr(word, run->caps.serves) == NULL)
            continue;
        *own = *opinion;
        (void)snprintf(own->by, sizeof(own->by), "%.39s with %.50s", opinion->by, from->address);
        verdict->also_count++;
        *same = *same && own->answer == verdict->also[0].answer;
    }
}

static void ask_users(struct xr_change_run *c, struct xr_run *run)
{
    const struct xr_report *report = c->engine->report;
    size_t pool_at = installed(run), asked = 0;
    bool same = true;

    for (size_t i = 0; pool_at != XR_NONE && i < report->runs.count && asked < ASKED_MAX; i++) {
        const struct xr_run *from = &report->runs.items[i];
        struct xr_verdict answers = {.size = sizeof(answers)};

        if (from->caps.serves_everybody || from->caps.verifier[0] == '\0' ||
            from->caps.shares_readers || !share_a_word(from->caps.serves, run->caps.serves))
            continue;
        ask_run(c, from, pool_at, &answers);
        take_over(run, from, &answers, &same);
        asked++;
    }
    if (run->verdict.also_count == 0 || !same || run->verdict.also[0].answer == XR_UNKNOWN)
        return;
    run->verdict.answer = run->verdict.also[0].answer;
    memcpy(run->verdict.by, run->verdict.also[0].by, sizeof(run->verdict.by));
    memcpy(run->verdict.why, run->verdict.also[0].why, sizeof(run->verdict.why));
}

void xr_change_ask_users(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; report->verb == XR_VERB_INSTALL && i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        if (run->result == XR_RESULT_DONE && run->caps.shares_readers && run->verified &&
            run->caps.serves_everybody && run->verdict.answer == XR_UNKNOWN)
            ask_users(c, run);
    }
}
