/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says, for programs: crossroot.h promises it. */
#include "report.h"

#include <stdlib.h>

/* As much of the facts as both sides know; the caller's size stays. */
static bool give(void *out, const void *facts, size_t known)
{
    size_t size = 0;

    memcpy(&size, out, sizeof(size));
    if (size < sizeof(size))
        return false;
    memset(out, 0, size);
    memcpy(out, facts, size < known ? size : known);
    memcpy(out, &size, sizeof(size));
    return true;
}

/* Made at the first question. */
static const char *name_of(const struct xr_report *report, size_t at)
{
    struct xr_report_reader *r = report->reader;

    if (at == XR_NONE)
        return NULL;
    if (at >= r->name_count)
        r->names = xr_grow(r->names, &r->name_count, report->pool.count, sizeof(*r->names));
    if (r->names[at] == NULL)
        r->names[at] = xr_x509_name_text(report->pool.items[at].cert->d.slices.subject);
    return r->names[at];
}

static bool changes(const struct xr_report *report)
{
    switch (report->verb) {
    case XR_VERB_INSTALL:
    case XR_VERB_REMOVE:
    case XR_VERB_DISTRUST:
    case XR_VERB_UNDO:
    case XR_VERB_RECOVER:
        return true;
    default:
        return false;
    }
}

bool xr_report_message(const struct xr_report *report, size_t at, struct xr_report_message *out)
{
    struct xr_report_message facts = {.size = sizeof(facts)};

    if (at >= report->messages.count)
        return false;
    facts.level = report->messages.items[at].level;
    facts.text = report->messages.items[at].text;
    facts.store = report->messages.items[at].store;
    return give(out, &facts, sizeof(facts));
}

bool xr_report_store(const struct xr_report *report, size_t at, struct xr_report_store *out)
{
    struct xr_report_store facts = {.size = sizeof(facts)};
    const struct xr_run *run = NULL;

    if (at >= report->runs.count)
        return false;
    run = &report->runs.items[at];
    facts.address = run->address;
    facts.backend = run->backend->table.name;
    facts.caps = run->caps.size > 0 ? &run->caps : NULL;
    facts.why = run->why;
    if (changes(report)) {
        facts.state = xr_result_name(run->result);
        facts.verdict = run->verified ? &run->verdict : NULL;
        facts.alike = run->verified ? run->alike : 0;
    }
    return give(out, &facts, sizeof(facts));
}

bool xr_report_entry(const struct xr_report *report, size_t store, size_t at,
                     struct xr_report_entry *out)
{
    struct xr_report_entry facts = {.size = sizeof(facts)};
    size_t cert = XR_NONE;

    if (at >= xr_report_listed(report, store)->count)
        return false;
    facts.entry = xr_report_listed(report, store)->items[at];
    if (facts.entry->subject.type == XR_SUBJECT_CERT)
        cert = xr_pool_find(&report->pool, facts.entry->subject.id);
    facts.place = xr_place_name(facts.entry->place);
    facts.name = name_of(report, cert);
    facts.kind = xr_report_kind(report, cert);
    facts.managed = xr_report_managed(report, &report->runs.items[store], facts.entry);
    return give(out, &facts, sizeof(facts));
}

bool xr_report_step(const struct xr_report *report, size_t store, size_t at,
                    struct xr_report_step *out)
{
    struct xr_report_step facts = {.size = sizeof(facts)};
    const struct xr_step *step = NULL;

    if (!changes(report) || store >= report->runs.count ||
        at >= report->runs.items[store].plan.count)
        return false;
    step = &report->runs.items[store].plan.items[at];
    facts.subject = &step->subject;
    facts.action = xr_action_name(step->action);
    facts.place = xr_place_name(step->place);
    facts.why = step->why;
    facts.name = name_of(report, step->pool_at);
    facts.kind = xr_report_kind(report, step->pool_at);
    (void)xr_step_trust(step, &facts.before, &facts.after);
    return give(out, &facts, sizeof(facts));
}

bool xr_report_refreshed(const struct xr_report *report, size_t store, size_t at,
                         struct xr_report_refreshed *out)
{
    struct xr_report_refreshed facts = {.size = sizeof(facts)};

    if (store >= report->runs.count || at >= report->runs.items[store].refreshed.count)
        return false;
    facts.what = report->runs.items[store].refreshed.items[at].what;
    facts.text = report->runs.items[store].refreshed.items[at].text;
    return give(out, &facts, sizeof(facts));
}

bool xr_report_answer(const struct xr_report *report, size_t at, struct xr_report_answer *out)
{
    struct xr_report_answer facts = {.size = sizeof(facts)};
    const struct xr_answer_row *row = NULL;

    if (at >= report->answers.count)
        return false;
    row = &report->answers.items[at];
    facts.store = row->store;
    facts.file = row->file;
    if (row->pool_at != XR_NONE)
        facts.sha256 = report->pool.items[row->pool_at].cert->sha256;
    facts.verdict = row->why == NULL ? &row->verdict : NULL;
    facts.alike = row->why == NULL ? row->alike : 0;
    facts.why = row->why != NULL ? row->why : row->verdict.why[0] != '\0' ? row->verdict.why : NULL;
    return give(out, &facts, sizeof(facts));
}
