/* SPDX-License-Identifier: Apache-2.0 */
/* What a change did and what verifiers say, for people. */
#include "text.h"

#include <stdlib.h>

#define NAME_WIDTH 44

/* A verifier may know more certificates than the store holds: a browser's built-in roots. */
static void put_step_of_path(FILE *out, const struct xr_report *report,
                             const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = xr_pool_find(&report->pool, sha256);

    if (at != XR_NONE) {
        xr_text_name(out, report, at);
        return;
    }
    (void)fputs("built-in ", out);
    xr_text_hex(out, sha256, 8);
    (void)fputs("…", out);
}

static void put_path(FILE *out, const char *indent, const struct xr_report *report,
                     const struct xr_verdict *verdict)
{
    if (verdict->path_len == 0)
        return;
    (void)fputs(indent, out);
    for (size_t i = 0; i < verdict->path_len; i++) {
        (void)fputs(i > 0 ? " → " : "", out);
        put_step_of_path(out, report, verdict->path[i]);
    }
    (void)fputs("\n", out);
}

static void put_verdict(const struct xr_text_style *style, FILE *out,
                        const struct xr_verdict *verdict)
{
    static const char *const words[] = {"cannot tell", "yes", "no"};
    const char *color = verdict->answer == XR_YES  ? GREEN(style)
                        : verdict->answer == XR_NO ? RED(style)
                                                   : YELLOW(style);

    (void)fprintf(out, "%s%s%s", color, words[verdict->answer], PLAIN(style));
    if (verdict->why[0] != '\0') {
        (void)fputs(": ", out);
        xr_text_visible(out, verdict->why);
    }
    if (verdict->by[0] != '\0') {
        (void)fputs(" (", out);
        xr_text_visible(out, verdict->by);
        (void)fputs(")", out);
    }
}

/* Why something is no longer trusted needs no words. */
static void put_outcome_of(const struct xr_text_style *style, FILE *out,
                           const struct xr_report *report, const struct xr_verdict *verdict)
{
    struct xr_verdict shown = *verdict;

    if (xr_report_takes(report) && shown.answer == XR_NO)
        shown.why[0] = '\0';
    put_verdict(style, out, &shown);
}

/* opposed: only a yes beside a no, and the reverse. */
static void put_also(const struct xr_text_style *style, FILE *out, const char *indent,
                     const struct xr_verdict *verdict, bool opposed)
{
    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        struct xr_verdict one = {.answer = opinion->answer};

        if (opposed && (opinion->answer == XR_UNKNOWN || verdict->answer == XR_UNKNOWN ||
                        opinion->answer == verdict->answer))
            continue;
        memcpy(one.why, opinion->why, sizeof(one.why));
        (void)fputs(indent, out);
        xr_text_visible(out, opinion->by);
        (void)fputs(": ", out);
        put_verdict(style, out, &one);
        (void)fputs("\n", out);
    }
}

static void change_step(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, const struct xr_step *step, bool future)
{
    static const char *const past[] = {"as it is", "added", "changed", "removed", "refused"};
    static const char *const plan[] = {"as it is", "add", "change", "remove", "refuse"};
    char *name = step->pool_at != XR_NONE ? xr_report_name(report, step->pool_at)
                                          : xr_strdup(step->place == XR_CRL ? "(CRL)" : "");
    uint32_t before = 0, after = 0;

    (void)fprintf(out, "  %-8s  %-12s  ", (future ? plan : past)[step->action],
                  xr_place_name(step->place));
    xr_text_padded(out, name, NAME_WIDTH);
    (void)fputs("  ", out);
    xr_text_id(style, out, &step->subject);
    (void)fputs("\n", out);
    if (step->subject.type == XR_SUBJECT_ISSUER_SERIAL && xr_step_entry(step) != NULL)
        xr_text_issuer_serial(out, xr_step_entry(step), "            ");
    if (xr_step_trust(step, &before, &after)) {
        char from[64], to[64];

        xr_purposes_text(from, sizeof(from), before);
        xr_purposes_text(to, sizeof(to), after);
        (void)fprintf(out, "            trusted for: %s → %s\n", from, to);
    }
    if (step->why != NULL) {
        (void)fputs("            ", out);
        xr_text_visible(out, step->why);
        (void)fputs("\n", out);
    }
    free(name);
}

static bool would_do(const struct xr_report *report, const struct xr_run *run)
{
    return report->dry_run && run->result == XR_RESULT_SKIPPED && run->why == NULL;
}

static void change(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                   const struct xr_run *run)
{
    bool good = run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED;

    xr_text_store(style, out, run->address);
    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style),
                  would_do(report, run) ? "would do" : xr_result_name(run->result), PLAIN(style));
    if (run->why != NULL) {
        (void)fputs(": ", out);
        xr_text_visible(out, run->why);
    }
    (void)fputs("\n", out);
    for (size_t i = 0; i < run->plan.count; i++)
        change_step(style, out, report, &run->plan.items[i], !good);
    if (run->verified) {
        (void)fputs(xr_report_takes(report) ? "  still trusted: " : "  verified: ", out);
        put_outcome_of(style, out, report, &run->verdict);
        (void)fputs("\n", out);
        if (run->verdict.answer == XR_YES)
            put_path(out, "    ", report, &run->verdict);
        put_also(style, out, "    ", &run->verdict, false);
    }
}

#define MANY 3u /* from this number of stores on, each has one line, and a last line counts them */

/* What was done, in a few words: "1 added", or with the name if it is only one. */
static void put_outcome(FILE *out, const struct xr_report *report, const struct xr_run *run,
                        bool future)
{
    static const char *const past[] = {"as it is", "added", "changed", "removed", "refused"};
    static const char *const plan[] = {"as it is", "to add", "to change", "to remove", "to refuse"};
    size_t counts[sizeof(past) / sizeof(past[0])] = {0};
    const char *between = ": ";

    for (size_t i = 0; i < run->plan.count; i++)
        counts[run->plan.items[i].action]++;
    if (run->plan.count == 1 && run->plan.items[0].pool_at != XR_NONE) {
        (void)fprintf(out, ": %s (%s) ", (future ? plan : past)[run->plan.items[0].action],
                      xr_place_name(run->plan.items[0].place));
        xr_text_name(out, report, run->plan.items[0].pool_at);
        if (run->plan.items[0].action == XR_ACTION_REFUSE && run->plan.items[0].why != NULL) {
            (void)fputs(": ", out);
            xr_text_visible(out, run->plan.items[0].why);
        }
        return;
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", between, counts[i], (future ? plan : past)[i]);
        between = ", ";
    }
}

static void change_line(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, const struct xr_run *run)
{
    bool good = run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED;
    bool future = would_do(report, run);

    xr_text_store(style, out, run->address);
    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style),
                  future ? "would do" : xr_result_name(run->result), PLAIN(style));
    if (run->why != NULL) {
        (void)fputs(": ", out);
        xr_text_visible(out, run->why);
    } else if (run->plan.count > 0) {
        put_outcome(out, report, run, future);
    }
    if (run->verified) {
        (void)fputs(xr_report_takes(report) ? "; still trusted: " : "; verified: ", out);
        put_outcome_of(style, out, report, &run->verdict);
    }
    (void)fputs("\n", out);
    if (run->verified)
        put_also(style, out, "  ", &run->verdict, true);
}

/* "3 stores: 2 done, 1 failed", where there are many. */
struct tally {
    const char *names[XR_RESULT_BACK + 2];
    size_t counts[XR_RESULT_BACK + 2];
    size_t total;
};

static void put_tally(FILE *out, const char *what, const struct tally *tally)
{
    const char *between = ": ";

    if (tally->total < MANY)
        return;
    (void)fprintf(out, "%zu %s", tally->total, what);
    for (size_t i = 0; i < sizeof(tally->names) / sizeof(tally->names[0]); i++) {
        if (tally->counts[i] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", between, tally->counts[i], tally->names[i]);
        between = ", ";
    }
    (void)fputs("\n", out);
}

static void tally_changes(FILE *out, const struct xr_report *report)
{
    /* Good results come first, failures last. */
    static const enum xr_result order[] = {
        XR_RESULT_DONE,    XR_RESULT_UNCHANGED, XR_RESULT_BACK,  XR_RESULT_REFUSED,
        XR_RESULT_SKIPPED, XR_RESULT_CONFLICT,  XR_RESULT_FAILED};
    struct tally tally = {.names = {"would do"}, .total = report->runs.count};

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
        tally.names[k + 1] = xr_result_name(order[k]);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        bool future = would_do(report, run);

        tally.counts[0] += future;
        for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
            tally.counts[k + 1] += !future && run->result == order[k];
    }
    put_tally(out, "stores", &tally);
}

void xr_text_changes(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.count < MANY || style->verbose)
            change(style, out, report, &report->runs.items[i]);
        else
            change_line(style, out, report, &report->runs.items[i]);
    }
    if (report->verb == XR_VERB_RECOVER && report->runs.count == 0 && report->messages.count == 0)
        (void)fputs("Nothing to recover.\n", out);
    if (report->transaction[0] != '\0' && report->verb != XR_VERB_RECOVER)
        (void)fprintf(out, "To take this back: crossroot undo %s\n", report->transaction);
    tally_changes(out, report);
}

void xr_text_answers(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    struct tally tally = {.names = {"yes", "no", "cannot tell"}, .total = report->answers.count};
    bool several = false; /* answers of one store */

    for (size_t i = 0; i < report->answers.count; i++) {
        const struct xr_answer_row *row = &report->answers.items[i];

        xr_text_store(style, out, row->store);
        (void)fputs(": ", out);
        if (row->why != NULL) {
            (void)fprintf(out, "%scannot tell%s: ", YELLOW(style), PLAIN(style));
            xr_text_visible(out, row->why);
        } else {
            put_verdict(style, out, &row->verdict);
        }
        (void)fputs("\n", out);
        put_path(out, "  ", report, &row->verdict);
        put_also(style, out, "  ", &row->verdict, false);
        tally.counts[row->verdict.answer == XR_YES ? 0 : row->verdict.answer == XR_NO ? 1 : 2]++;
        several = several || (i > 0 && strcmp(row->store, row[-1].store) == 0);
    }
    put_tally(out, several ? "answers" : "stores", &tally);
}
