/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that only read: inspect, stores, list, show, verify, history. */
#include "change_run.h"

#include "change/placement.h"
#include "change/stale.h"

#include <stdlib.h>

/* ---- verbs ---- */

static void say_unchecked(struct xr_strings *out, const char *why)
{
    char *text = xr_format(N_("its signature could not be checked: %s"), why);

    xr_strings_add(out, text);
    free(text);
}

static void warnings_of(struct xr_strings *out, struct xr_report *report, size_t at)
{
    struct xr_pool *pool = &report->pool;
    struct xr_cert *cert = pool->items[at].cert;
    bool self_issued = pool->items[at].subject == pool->items[at].issuer;
    const char *unchecked = xr_pool_self_unchecked(pool, at);
    const char *complaint = xr_cert_key_complaint(cert);
    char *never = xr_placement_never(pool, at);

    if (never != NULL)
        xr_strings_add(out, never);
    if (cert->d.unknown_critical)
        xr_strings_add(out, N_("a critical extension is unknown"));
    if (cert->d.alg_mismatch)
        xr_strings_add(out, N_("its two signature algorithms differ"));
    if (unchecked != NULL)
        say_unchecked(out, unchecked);
    else if (self_issued && !xr_pool_self_signed(pool, at))
        xr_strings_add(out, N_("it names itself as issuer, but its key did not sign it"));
    if (cert->d.not_before > cert->d.not_after)
        xr_strings_add(out, N_("it ends before it begins"));
    else if (report->now > cert->d.not_after)
        xr_strings_add(out, N_("it has expired"));
    else if (report->now < cert->d.not_before)
        xr_strings_add(out, N_("it is not valid yet"));
    if (cert->d.name_constraints && xr_cert_is_ca(cert))
        xr_strings_add(out, N_("it has name constraints"));
    if (never == NULL && complaint != NULL &&
        (unchecked == NULL || strcmp(unchecked, complaint) != 0))
        xr_strings_add(out, complaint);
    if (!self_issued && xr_cert_signature_complaint(cert) != NULL)
        xr_strings_add(out, xr_cert_signature_complaint(cert));
    free(never);
}

static void inspect(struct xr_report *report)
{
    struct xr_pool *pool = &report->pool;

    for (size_t i = 0; i < report->input.found.count; i++) {
        const struct xr_input_item *item = &report->input.found.items[i];
        const struct xr_cert *cert = item->cert;
        struct xr_inspected *found = XR_PUSH(&report->inspected);

        found->at = cert != NULL ? xr_pool_find(pool, cert->sha256) : XR_NONE;
        if (cert == NULL)
            continue;
        found->self_signed = xr_pool_self_signed(pool, found->at)              ? XR_YES
                             : xr_pool_self_unchecked(pool, found->at) == NULL ? XR_NO
                                                                               : XR_UNKNOWN;
        found->would_go = xr_placement_text(pool, found->at, item->has_trust, item->trust);
        xr_pool_same_key(&found->same_key, pool, found->at);
        xr_pool_issued_by(&found->issued_by, pool, found->at);
        warnings_of(&found->warnings, report, found->at);
        for (size_t k = 0; k < found->same_key.count; k++)
            (void)xr_pool_kind(pool, found->same_key.items[k]);
        for (size_t k = 0; k < found->issued_by.count; k++)
            (void)xr_pool_kind(pool, found->issued_by.items[k]);
    }
}

/* The stores of the scope show what a file's certificates are to this machine. Nobody named them, so
 * what is wrong with one is no matter of this command, and is told with -v only. */
static bool view_scope(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    size_t from = report->messages.count;
    int code = report->exit;

    if (!xr_engine_discover(engine) && report->exit == XR_EXIT_USAGE)
        return false;
    xr_engine_survey(engine);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (run->result == XR_RESULT_FAILED)
            xr_report_say(report, XR_INFO, run->address, "not in view: %s", run->why);
    }
    for (size_t i = from; i < report->messages.count; i++)
        report->messages.items[i].level = XR_INFO;
    report->exit = code;
    return true;
}

/* Stores that were named. */
static bool view_named(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;

    if (!xr_engine_select(engine))
        return false;
    xr_engine_survey(engine);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (run->result == XR_RESULT_FAILED)
            xr_report_say(report, XR_WARNING, run->address, "not in view: %s", run->why);
    }
    return true;
}

void xr_verb_inspect(struct xr_engine *engine)
{
    if (engine->rq->stores.count > 0 ? !view_named(engine)
                                     : !engine->rq->only_files && !view_scope(engine))
        return;
    xr_engine_read(engine, engine->rq->operands);
    xr_engine_rejects(engine, XR_ERROR);
    if (engine->report->input.failed)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    inspect(engine->report);
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

void xr_engine_read_journal(struct xr_engine *engine)
{
    struct xr_error err = {0};
    struct xr_journal *journal = &engine->report->journal;
    enum xr_status status = engine->rq->verb == XR_VERB_HISTORY
                                ? xr_journal_read(journal, engine->state_dir, &err)
                                : xr_journal_read_brief(journal, engine->state_dir, &err);

    if (engine->rq->verb == XR_VERB_HISTORY && (status != XR_OK || engine->state_dir[0] == '\0')) {
        xr_engine_no_journal(engine, status, &err);
        return;
    }
    if (status != XR_OK) {
        xr_report_say(engine->report, XR_WARNING, NULL, "%s", err.text);
        return;
    }
    if (!engine->report->journal.live && xr_journal_pending(&engine->report->journal))
        xr_report_say(engine->report, XR_WARNING, NULL,
                      "recovery pending: a change was interrupted; run crossroot recover");
    if (engine->report->journal.damaged > 0)
        xr_report_say(engine->report, XR_WARNING, NULL,
                      "%zu bytes of the journal are damaged and were skipped",
                      engine->report->journal.damaged);
}

static void look(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;
    struct xr_store store = {0};
    struct xr_error err = {0};
    enum xr_status status =
        xr_run_open(&store, run, engine->rq->site, XR_READ, &engine->worker, &err);

    if (xr_stale_advise(run, status, &err) != XR_OK)
        xr_engine_unread(engine, run, status, &err);
    else
        xr_run_caps(run, &store);
    xr_store_close(&store);
}

void xr_verb_stores(struct xr_engine *engine)
{
    if (!xr_engine_select(engine))
        return;
    xr_engine_each(engine, 0, false, look, engine);
    fail_unread(engine);
}

#define WIDENED_NAMED 8u /* in messages, of one store */

/* Most programs trust an anchor that is not self-signed without the CA that signed it, and without
 * its own limits. That may be more trust than intended. Not thorough: compares names only and
 * checks no signature. */
void xr_engine_warn_widened(struct xr_engine *engine, bool thorough)
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
                (!thorough || xr_pool_self_signed(pool, at) ||
                 xr_pool_self_unchecked(pool, at) != NULL))
                continue;
            if (widened++ >= WIDENED_NAMED)
                continue;
            name = xr_report_name(engine->report, at);
            xr_hex(hex, state->subject.id, XR_SHA256_LEN);
            xr_report_say(engine->report, XR_WARNING, run->address,
                          "widened trust: %s (%s, SHA-256 %s) is an anchor in this store, so it is "
                          "trusted without the CA that signed it",
                          name, xr_kind_name(xr_pool_kind(pool, at)), hex);
            free(name);
        }
        if (widened > WIDENED_NAMED)
            xr_report_say(engine->report, XR_WARNING, run->address,
                          "widened trust: %zu more such certificates", widened - WIDENED_NAMED);
    }
}

void xr_verb_list(struct xr_engine *engine)
{
    if (!xr_engine_select(engine))
        return;
    xr_engine_read_journal(engine);
    xr_engine_survey(engine);
    fail_unread(engine);
    xr_engine_check_all(engine, false);
    xr_engine_warn_widened(engine, true);
    xr_report_list(engine->report, engine->rq->sort);
}

/* What a store holds, as if it came from a file without a name. XR_NONE if it is no certificate or CRL
 * that can be read. */
static size_t item_of(struct xr_report *report, const struct xr_state *state)
{
    struct xr_input_item item = {0};

    if (state->subject.type == XR_SUBJECT_CERT) {
        size_t at = xr_pool_find(&report->pool, state->subject.id);

        if (at != XR_NONE)
            item.cert = xr_cert_ref(report->pool.items[at].cert);
    } else if (state->subject.type == XR_SUBJECT_CRL) {
        (void)xr_crl_new(&item.crl, state->entries[0]->der, NULL);
    }
    if (item.cert == NULL && item.crl == NULL)
        return XR_NONE;
    *XR_PUSH(&report->input.found) = item;
    return report->input.found.count - 1;
}

static void show_id(struct xr_engine *engine, const char *id)
{
    const struct xr_state *state = xr_engine_find_id(engine, id);

    if (state != NULL)
        *XR_PUSH(&engine->report->shown) =
            (struct xr_shown){state->subject, item_of(engine->report, state)};
}

static bool is_held(const struct xr_report *report, const struct xr_subject *subject)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (xr_snapshot_find(&report->runs.items[i].snapshot, subject) != NULL)
            return true;
    }
    return false;
}

static void show_file(struct xr_engine *engine, const char *file)
{
    struct xr_report *report = engine->report;
    size_t first = report->input.found.count;

    xr_engine_read(engine, (struct xr_words){&file, 1});
    for (size_t i = first; i < report->input.found.count; i++) {
        const struct xr_input_item *item = &report->input.found.items[i];
        struct xr_shown shown = {
            .subject.type = item->cert != NULL ? XR_SUBJECT_CERT : XR_SUBJECT_CRL, .item = i};

        memcpy(shown.subject.id, item->cert != NULL ? item->cert->sha256 : item->crl->sha256,
               XR_SHA256_LEN);
        *XR_PUSH(&report->shown) = shown;
        if (is_held(report, &shown.subject))
            continue;
        xr_report_say(report, XR_ERROR, NULL, "none of the stores asked holds %s", item->file);
        xr_report_raise(report, XR_EXIT_FAILED);
    }
}

void xr_verb_show(struct xr_engine *engine)
{
    const struct xr_words *operands = &engine->rq->operands;

    if (!xr_engine_select(engine))
        return;
    (void)xr_engine_read_journal(engine);
    xr_engine_survey(engine);
    fail_unread(engine);
    for (size_t i = 0; i < operands->count; i++) {
        if (xr_change_is_id(operands->items[i]))
            show_id(engine, operands->items[i]);
        else
            show_file(engine, operands->items[i]);
    }
    xr_engine_rejects(engine, XR_ERROR);
    if (engine->report->input.failed)
        xr_report_raise(engine->report, XR_EXIT_FAILED);
    inspect(engine->report);
}

void xr_verb_history(struct xr_engine *engine)
{
    struct xr_journal *journal = &engine->report->journal;
    struct xr_chosen chosen = {0};

    if (engine->rq->prune != NULL) {
        xr_engine_prune(engine);
        return;
    }
    if (!xr_chosen_read(&chosen, engine))
        goto out;
    xr_engine_read_journal(engine);
    engine->report->selected = !chosen.all || chosen.out.count > 0;
    if (engine->report->selected)
        xr_journal_keep(journal, xr_chosen_has, &chosen);
    /* What was changed has a name only in the records. */
    for (size_t i = 0; i < journal->count; i++) {
        for (size_t k = 0; k < journal->items[i].count; k++)
            xr_engine_pool_part(engine, &journal->items[i].items[k]);
    }
out:
    xr_chosen_free(&chosen);
}
