/* SPDX-License-Identifier: Apache-2.0 */
/* What a change needs to go on: fingerprints that match, and a confirmation. */
#include "change_run.h"

#include <stdlib.h>

/* ---- pins ---- */

/* Once, after all that is wrong with fingerprints. */
static void refuse(struct xr_change_run *c)
{
    xr_report_say(c->engine->report, XR_ERROR, NULL,
                  c->near ? N_("nothing was changed: a near miss is no match; get the fingerprint "
                               "from another source")
                          : N_("nothing was changed"));
}

/* Reports what is wrong, then every near value position by position. */
static void explain(struct xr_change_run *c, enum xr_level level, const char *file,
                    const char *what, const struct xr_pin_near *near, const struct xr_cert *cert)
{
    const struct xr_pin *pins[] = {near->sha256, near->sha1};
    struct xr_buf text = {0};
    char *visible = xr_visible(file);

    xr_buf_fmt(&text, "%s: %s", visible, what);
    free(visible);
    for (size_t i = 0; i < 2; i++) {
        char *one = pins[i] != NULL ? xr_pins_explain(pins[i], cert) : NULL;

        if (one != NULL)
            xr_buf_fmt(&text, "\n%s", one);
        free(one);
    }
    c->near = c->near || (level == XR_ERROR && (near->sha256 != NULL || near->sha1 != NULL));
    xr_report_say_lines(c->engine->report, level, NULL, "%s", text.data);
    xr_buf_free(&text);
}

bool xr_change_read_pins(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    bool good = true;

    for (size_t i = 0; i < rq->pins.count; i++) {
        struct xr_error err = {0};
        struct xr_pins one = {0};
        const struct xr_input *input = &c->engine->report->input;

        if (xr_pins_typed(&one, rq->pins.items[i], &err) == XR_OK) {
            (void)xr_pins_typed(&c->pins, rq->pins.items[i], NULL);
            xr_pins_free(&one);
            continue;
        }
        good = false;
        xr_report_say(c->engine->report, XR_ERROR, NULL,
                      "--pin is not a fingerprint: "
                      "%s",
                      err.text);
        for (size_t k = 0; one.count > 0 && k < input->found.count; k++) {
            struct xr_pin_near near;

            if (input->found.items[k].cert != NULL &&
                xr_pins_match(&near, &one, true, input->found.items[k].cert) != XR_PIN_NONE)
                explain(c, XR_ERROR, input->found.items[k].file,
                        N_("--pin is close to a fingerprint "
                           "of this certificate"),
                        &near, input->found.items[k].cert);
        }
        xr_pins_free(&one);
    }
    if (!good) {
        if (c->near)
            refuse(c);
        xr_report_raise(c->engine->report, XR_EXIT_USAGE);
        return false;
    }
    for (size_t i = 0; i < rq->published.count; i++) {
        struct xr_buf text = {0};
        struct xr_error err = {0};

        if (xr_input_text(&text, rq->published.items[i], &err) != XR_OK) {
            xr_report_fail(c->engine->report, XR_EXIT_FAILED, err.text);
            good = false;
        }
        xr_pins_page(&c->pins, (struct xr_bytes){(const unsigned char *)text.data, text.len});
        xr_buf_free(&text);
    }
    return good;
}

/* Against one source of fingerprints: typed pins, or published pages. */
static bool check_source(struct xr_change_run *c, const struct xr_input_item *item, bool typed)
{
    struct xr_pin_near near;
    const char *source = typed ? "--pin" : N_("the published page");
    enum xr_pin_match match = xr_pins_match(&near, &c->pins, typed, item->cert);
    char hex[2 * XR_SHA256_LEN + 1];
    enum xr_pin_mistake mistake = XR_MISTAKE_NONE;
    char *what = NULL;

    if (match == XR_PIN_SHA256 || match == XR_PIN_SHA1) {
        if (near.sha1 != NULL)
            explain(c, XR_WARNING, item->file,
                    N_("the SHA-256 matches, but a SHA-1 given with it is misprinted"), &near,
                    item->cert);
        return true;
    }
    xr_hex(hex, item->cert->sha256, XR_SHA256_LEN);
    if (typed)
        mistake = xr_pins_mistake(&c->pins, item->cert);
    if (match == XR_PIN_NEAR_MISS)
        what = xr_format(N_("%s does not match this certificate"), source);
    else if (mistake == XR_MISTAKE_KEY)
        what = xr_format(N_("--pin is the SHA-256 of this certificate's key, not of the "
                            "certificate, which is %s"),
                         hex);
    else if (mistake == XR_MISTAKE_PART)
        what = xr_format(N_("--pin is only the beginning of this certificate's SHA-256, which is "
                            "%s"),
                         hex);
    else
        what = xr_format(N_("%s has no fingerprint that matches this certificate; its "
                            "SHA-256 is %s"),
                         source, hex);
    explain(c, XR_ERROR, item->file, what, &near, item->cert);
    free(what);
    return false;
}

bool xr_change_check_pins(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    const struct xr_input *input = &c->engine->report->input;
    bool good = true;

    for (size_t i = 0; i < input->found.count; i++) {
        if (input->found.items[i].cert == NULL)
            continue;
        if (rq->pins.count > 0)
            good = check_source(c, &input->found.items[i], true) && good;
        if (rq->published.count > 0)
            good = check_source(c, &input->found.items[i], false) && good;
    }
    for (size_t i = 0; good && i < c->pins.count; i++) {
        if (c->pins.items[i].typed && !c->pins.items[i].used) {
            xr_report_say(c->engine->report, XR_ERROR, NULL,
                          "no certificate in the input matches the pin "
                          "%s",
                          c->pins.items[i].digits);
            good = false;
        }
    }
    if (!good) {
        refuse(c);
        xr_report_raise(c->engine->report, XR_EXIT_NO);
    }
    return good;
}

#define UNPINNED_NAMED 4u /* in a message */

/* Did, or would, any store come to hold the certificate of this wish? steps: of each store. */
static bool arrives(const struct xr_report *report, const struct xr_steps *steps,
                    const struct xr_wish *wish)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        size_t k = xr_engine_did(report, run) ? xr_steps_of(&steps[i], &wish->subject) : XR_NONE;

        for (; k != XR_NONE; k = steps[i].next[k]) {
            if (xr_step_changes(&run->plan.items[k]) && run->plan.items[k].want != NULL)
                return true;
        }
    }
    return false;
}

static bool is_unpinned(const struct xr_request *rq)
{
    return rq->verb == XR_VERB_INSTALL && rq->pins.count == 0 && rq->published.count == 0;
}

void xr_change_say_unpinned(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_report *report = c->engine->report;
    struct xr_buf text = {0};
    struct xr_steps *steps = NULL;
    size_t count = 0;

    if (!is_unpinned(rq) || c->previewed)
        return;
    steps = xr_runs_steps(&report->runs);
    for (size_t i = 0; i < c->wishes.count; i++) {
        const struct xr_wish *wish = &c->wishes.items[i];
        char hex[2 * XR_SHA256_LEN + 1];
        char *name = NULL;

        if (wish->pool_at == XR_NONE || !arrives(report, steps, wish) || count++ >= UNPINNED_NAMED)
            continue;
        name = xr_report_name(report, wish->pool_at);
        xr_hex(hex, wish->subject.id, XR_SHA256_LEN);
        xr_buf_fmt(&text, "\n  %s  %s", hex, name);
        free(name);
    }
    if (count > UNPINNED_NAMED) {
        xr_buf_str(&text, "\n  ");
        xr_buf_fmt(&text, N_("and %zu more: see crossroot inspect"), count - UNPINNED_NAMED);
    }
    if (count > 0)
        xr_report_say_lines(report, XR_NOTE, NULL,
                            "no fingerprint was compared (--pin); SHA-256:%s", text.data);
    xr_runs_steps_free(steps, &report->runs);
    xr_buf_free(&text);
}

/* Does a typed SHA-256 name this certificate? That answers the confirmation. */
static bool typed_pin_for(struct xr_change_run *c, const struct xr_step *step)
{
    struct xr_pin_near near;

    return step->pool_at != XR_NONE &&
           xr_pins_match(&near, &c->pins, true,
                         c->engine->report->pool.items[step->pool_at].cert) == XR_PIN_SHA256;
}

/* ---- confirmation ---- */

/* A question about one certificate that several stores may have. */
struct question {
    const struct xr_step *step; /* the first that has it */
    struct xr_buf stores;       /* their names */
    size_t count;
    size_t next; /* about the same change, or XR_NONE; */
    size_t last; /* of the first one: the last of them */
    bool told;   /* under its certificate */
};

struct questions {
    struct question *items;
    size_t count, capacity;
    struct xr_idmap firsts; /* by subject and action */
};

static bool same_change(const struct xr_step *a, const struct xr_step *b)
{
    return a->action == b->action && xr_subject_equal(&a->subject, &b->subject);
}

static void add_question(struct questions *all, const struct xr_step *step, const char *store)
{
    unsigned char key[XR_SHA256_LEN];
    struct question *q = NULL;
    bool added = false;
    size_t first = 0;

    xr_subject_key(key, &step->subject);
    key[0] ^= (unsigned char)step->action;
    first = xr_idmap_put(&all->firsts, key, all->count, &added);
    for (size_t i = added ? XR_NONE : first; i != XR_NONE && q == NULL; i = all->items[i].next) {
        if (same_change(all->items[i].step, step) &&
            strcmp(all->items[i].step->ask, step->ask) == 0)
            q = &all->items[i];
    }
    if (q == NULL) {
        size_t at = all->count;

        q = XR_PUSH(all);
        *q = (struct question){.step = step, .next = XR_NONE};
        if (!added)
            all->items[all->items[first].last].next = at;
        all->items[first].last = at;
    }
    xr_buf_fmt(&q->stores, "%s%s", q->count++ > 0 ? ", " : "", store);
}

static void preview_question(struct xr_buf *out, const struct question *q, bool verbose)
{
    char *ask = xr_visible(q->step->ask);

    xr_buf_fmt(out, "  %s\n  ", ask);
    if (q->count == 1 || verbose)
        xr_buf_fmt(out, N_("in %s"), q->stores.data);
    else
        xr_buf_fmt(out, N_("in %zu stores"), q->count);
    xr_buf_str(out, "\n");
    free(ask);
}

/* Each certificate once, with everything that is asked about it. */
static void preview(struct xr_buf *out, const struct xr_report *report, struct questions *all,
                    bool verbose)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct xr_step *step = all->items[i].step;
        char hex[2 * XR_SHA256_LEN + 1];
        char *name = NULL;

        if (all->items[i].told)
            continue;
        name = xr_report_name(report, step->pool_at);
        xr_hex(hex, step->subject.id, XR_SHA256_LEN);
        if (step->action == XR_ACTION_ADD)
            xr_buf_fmt(out, N_("add: %s"), name);
        else if (step->action == XR_ACTION_REMOVE)
            xr_buf_fmt(out, N_("remove: %s"), name);
        else
            xr_buf_fmt(out, N_("change: %s"), name);
        xr_buf_str(out, "\n  ");
        if (step->subject.type == XR_SUBJECT_ISSUER_SERIAL)
            xr_buf_str(out, N_("by its issuer and serial number"));
        else
            xr_buf_fmt(out, "SHA-256 %s", hex);
        xr_buf_str(out, "\n");
        free(name);
        for (size_t k = i; k != XR_NONE; k = all->items[k].next) {
            if (!same_change(all->items[k].step, step))
                continue;
            preview_question(out, &all->items[k], verbose);
            all->items[k].told = true;
        }
    }
}

/* A change publishes everything that the sources hold, also what nobody has published so far. */
static bool would_trust(const struct xr_run *run)
{
    return run->why == NULL && run->caps.writable && run->caps.would_trust[0] != '\0';
}

static void preview_others(struct xr_buf *out, const struct xr_report *report,
                           const struct xr_run *run)
{
    char *store = xr_report_store_name(report, run);
    char *others = xr_visible(run->caps.would_trust);

    xr_buf_fmt(out, N_("also in %s: %s"), store, others);
    xr_buf_str(out, "\n");
    free(store);
    free(others);
}

/* What must be confirmed, as text; others: something that was not asked for becomes trusted. With NULL
 * that is left out. */
static void collect(struct xr_change_run *c, struct xr_buf *out, bool *others)
{
    const struct xr_report *report = c->engine->report;
    struct questions all = {0};

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        char *store = xr_report_store_name(report, run);

        if (others != NULL && would_trust(run)) {
            preview_others(out, report, run);
            *others = true;
        }
        for (size_t k = 0; run->why == NULL && k < run->plan.count; k++) {
            const struct xr_step *step = &run->plan.items[k];

            if (xr_step_changes(step) && step->ask != NULL &&
                !(step->pin_answers && typed_pin_for(c, step)))
                add_question(&all, step, store);
        }
        free(store);
    }
    preview(out, report, &all, c->engine->rq->verbose);
    if (all.count > 0 && is_unpinned(c->engine->rq))
        xr_buf_fmt(out, "%s\n", N_("No fingerprint was compared (--pin)."));
    for (size_t i = 0; i < all.count; i++)
        xr_buf_free(&all.items[i].stores);
    free(all.items);
    xr_idmap_free(&all.firsts);
}

static void say_others(struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (would_trust(&report->runs.items[i]))
            xr_report_say(report, XR_NOTE, report->runs.items[i].address, "%s",
                          report->runs.items[i].caps.would_trust);
    }
}

static void agree(struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (would_trust(&report->runs.items[i]))
            xr_run_agree(&report->runs.items[i]);
    }
    say_others(report);
}

static void end_unasked(struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL)
            xr_run_end(&report->runs.items[i], XR_RESULT_NOT_ASKED, xr_strdup(N_("not confirmed")));
    }
}

/* True when the change may go on. */
bool xr_change_confirmed(struct xr_change_run *c)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_report *report = c->engine->report;
    struct xr_buf text = {0};
    enum xr_reply reply = XR_REPLY_YES;
    bool others = false;

    collect(c, &text, &others);
    if (text.len > 0 && !rq->yes && !rq->dry_run) {
        c->previewed = true;
        for (size_t i = 0; i < report->runs.count; i++)
            xr_run_wait(&report->runs.items[i]);
        reply = rq->confirm != NULL ? rq->confirm(rq->ctx, text.data) : XR_REPLY_NOBODY;
        if (reply == XR_REPLY_NOBODY) {
            xr_report_say_lines(
                c->engine->report, XR_ERROR, NULL, "%s\n%.*s",
                rq->verb == XR_VERB_INSTALL && !others
                    ? N_("this needs confirmation and nobody can answer; --yes, or --pin with its "
                         "SHA-256, answers it:")
                    : N_("this needs confirmation and nobody can answer; --yes answers it:"),
                (int)(text.len - 1), text.data);
            xr_report_raise(c->engine->report, XR_EXIT_CONFIRM);
        } else if (reply == XR_REPLY_NO) {
            bool stopped = rq->interrupted != NULL && rq->interrupted(rq->ctx);

            xr_report_fail(c->engine->report, stopped ? XR_EXIT_INTERRUPTED : XR_EXIT_FAILED,
                           "not confirmed; nothing was changed");
        }
    }
    xr_buf_free(&text);
    if (reply == XR_REPLY_YES)
        agree(report);
    else
        end_unasked(report);
    return reply == XR_REPLY_YES;
}

void xr_change_preview(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_buf text = {0};

    if (!c->engine->rq->yes)
        collect(c, &text, NULL);
    c->previewed = text.len > 0;
    if (c->previewed)
        xr_report_say_lines(report, XR_NOTE, NULL, "%s\n%.*s", N_("this would need confirmation:"),
                            (int)(text.len - 1), text.data);
    xr_buf_free(&text);
    say_others(report);
}
