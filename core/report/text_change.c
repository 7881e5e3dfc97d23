/* SPDX-License-Identifier: Apache-2.0 */
/* What a change did and what verifiers say, for people. */
#include "text.h"

#include <stdlib.h>

#define STEP_INDENT 12 /* of what is said of a step */

/* Rows whose subjects stand below each other take what the other columns leave. */
#define STEP_COLUMNS (2 + 8 + 2 + 12 + 2)
#define NAME_WIDTH   44 /* where nothing is cut */

static int name_width(const struct xr_text_style *style)
{
    int left = (int)style->width - STEP_COLUMNS - 2 - XR_TEXT_ID_DIGITS;

    return style->width == 0 || style->verbose ? NAME_WIDTH : left > 12 ? left : 12;
}

/* An indented line of its own, wrapped. */
static void put_line(const struct xr_text_style *style, FILE *out, int indent, const char *text)
{
    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_visible(style, out, indent, indent + 2, text);
}

/* A verifier may know more certificates than the store holds: a browser's built-in roots. */
static void add_step_of_path(struct xr_buf *out, const struct xr_report *report,
                             const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = xr_pool_find(&report->pool, sha256);
    char hex[2 * XR_SHA256_LEN + 1];
    char *name = NULL;

    if (at != XR_NONE) {
        name = xr_report_name(report, at);
        xr_buf_str(out, name);
        free(name);
        return;
    }
    xr_hex(hex, sha256, XR_SHA256_LEN);
    xr_buf_fmt(out, "built-in %.16s…", hex);
}

static void put_path(const struct xr_text_style *style, FILE *out, int indent,
                     const struct xr_report *report, const struct xr_verdict *verdict)
{
    struct xr_buf text = {0};

    if (verdict->path_len == 0)
        return;
    for (size_t i = 0; i < verdict->path_len; i++) {
        xr_buf_str(&text, i > 0 ? " → " : "");
        add_step_of_path(&text, report, verdict->path[i]);
    }
    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap(style, out, indent, indent, text.data);
    xr_buf_free(&text);
}

/* The rest of a line of which used cells are taken. */
static void put_answer(const struct xr_text_style *style, FILE *out, int used, int indent,
                       enum xr_answer answer, const char *why, const char *by)
{
    static const char *const words[] = {"cannot tell", "yes", "no"};
    const char *color = answer == XR_YES  ? GREEN(style)
                        : answer == XR_NO ? RED(style)
                                          : YELLOW(style);
    struct xr_buf rest = {0};

    if (why[0] != '\0') {
        xr_buf_str(&rest, ": ");
        xr_buf_visible(&rest, why, strlen(why));
    }
    if (by[0] != '\0') {
        xr_buf_str(&rest, why[0] != '\0' ? " (" : "(");
        xr_buf_visible(&rest, by, strlen(by));
        xr_buf_str(&rest, ")");
    }
    (void)fprintf(out, "%s%s%s%s", color, words[answer], PLAIN(style),
                  why[0] == '\0' && by[0] != '\0' ? " " : "");
    xr_text_wrap(style, out, used + (int)strlen(words[answer]) + 1, indent,
                 rest.data != NULL ? rest.data : "");
    xr_buf_free(&rest);
}

/* How other readers of the store answer. opposed: only a yes beside a no, and the reverse. */
static void put_also(const struct xr_text_style *style, FILE *out, int indent,
                     const struct xr_verdict *verdict, bool opposed)
{
    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        char *by = NULL;

        if (opposed && (opinion->answer == XR_UNKNOWN || opinion->answer == verdict->answer))
            continue;
        by = xr_visible(opinion->by);
        (void)fprintf(out, "%*s%s: ", indent, "", by);
        put_answer(style, out, indent + xr_text_cells(by) + 2, indent + 2, opinion->answer,
                   opinion->why, "");
        free(by);
    }
}

/* ---- changes ---- */

static bool is_good(const struct xr_run *run)
{
    return run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED ||
           run->result == XR_RESULT_WOULD_CHANGE;
}

static const char *action_word(const struct xr_step *step, bool future)
{
    static const char *const past[] = {"as it is", "added", "changed", "removed", "refused"};
    static const char *const plan[] = {"as it is", "add", "change", "remove", "refuse"};

    if (step->action == XR_ACTION_NONE && step->before == NULL)
        return "absent";
    return (future ? plan : past)[step->action];
}

static void put_step(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     const struct xr_step *step, bool future)
{
    bool absent = step->action == XR_ACTION_NONE && step->before == NULL;
    char *name = step->pool_at != XR_NONE ? xr_report_name(report, step->pool_at)
                                          : xr_strdup(step->place == XR_CRL ? "(CRL)" : "");
    uint32_t before = 0, after = 0;

    (void)fprintf(out, "  %-8s  %-12s  ", action_word(step, future),
                  absent ? "" : xr_place_name(step->place));
    if (style->width > 0 && !style->verbose)
        xr_text_column(out, name, name_width(style));
    else
        xr_text_padded(out, name, NAME_WIDTH);
    (void)fputs("  ", out);
    xr_text_id(style, out, &step->subject);
    (void)fputs("\n", out);
    if (step->subject.type == XR_SUBJECT_ISSUER_SERIAL && xr_step_entry(step) != NULL)
        xr_text_issuer_serial(style, out, xr_step_entry(step), 12);
    if (xr_step_trust(step, &before, &after)) {
        char from[64], to[64];

        xr_purposes_text(from, sizeof(from), before);
        xr_purposes_text(to, sizeof(to), after);
        (void)fprintf(out, "%*strusted for: %s → %s\n", STEP_INDENT, "", from, to);
    }
    if (step->why != NULL)
        put_line(style, out, STEP_INDENT, step->why);
    free(name);
}

static void put_verified(const struct xr_text_style *style, FILE *out,
                         const struct xr_report *report, const struct xr_run *run)
{
    const struct xr_verdict *verdict = &run->verdict;
    bool takes = xr_report_takes(report);
    const char *head = takes ? "  still trusted: " : "  verified: ";

    (void)fputs(head, out);
    /* Why something is no longer trusted needs no words. */
    put_answer(style, out, (int)strlen(head), 4, verdict->answer,
               takes && verdict->answer == XR_NO ? "" : verdict->why, verdict->by);
    if (verdict->answer == XR_YES && verdict->path_len > 1)
        put_path(style, out, 4, report, verdict);
    put_also(style, out, 4, verdict, !style->verbose);
}

/* What a quiet report must not hide either. */
static bool is_told_quietly(const struct xr_report *report, const struct xr_run *run)
{
    return (!is_good(run) && run->result != XR_RESULT_NOT_ASKED &&
            run->result != XR_RESULT_SKIPPED &&
            (report->verb != XR_VERB_RECOVER || run->result != XR_RESULT_BACK)) ||
           (run->verified &&
            (xr_report_takes(report) ? run->verifier_no : run->verdict.answer == XR_NO));
}

static void change(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                   const struct xr_run *run)
{
    bool good = is_good(run), whole = !style->quiet;
    bool future = report->dry_run || (!good && run->result != XR_RESULT_REFUSED);
    const char *state = xr_result_name(run->result);
    struct xr_buf rest = {0};
    int used = xr_text_title(style, out, report, run);

    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style), state, PLAIN(style));
    if (run->why != NULL) {
        xr_buf_str(&rest, ": ");
        xr_buf_visible(&rest, run->why, strlen(run->why));
    }
    xr_text_wrap(style, out, used + 2 + (int)strlen(state), 2, rest.data != NULL ? rest.data : "");
    xr_buf_free(&rest);
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct xr_step *step = &run->plan.items[i];

        if (step->action == XR_ACTION_REFUSE || (whole && (good || style->verbose)))
            put_step(style, out, report, step, future);
    }
    if (run->verified)
        put_verified(style, out, report, run);
    for (size_t i = 0; whole && i < run->notes.count; i++) {
        if (!run->notes.items[i].warning) /* warnings are messages too */
            put_line(style, out, 2, run->notes.items[i].text);
    }
}

#define MANY 3u /* from this number of stores on, a last line counts them */

/* "3 stores: 2 done, 1 failed", where there are many. */
struct tally {
    const char *names[XR_RESULT_COUNT];
    size_t counts[XR_RESULT_COUNT];
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
    static const enum xr_result order[XR_RESULT_COUNT] = {
        XR_RESULT_WOULD_CHANGE, XR_RESULT_DONE,    XR_RESULT_UNCHANGED, XR_RESULT_BACK,
        XR_RESULT_WOULD_REFUSE, XR_RESULT_REFUSED, XR_RESULT_SKIPPED,   XR_RESULT_NOT_ASKED,
        XR_RESULT_CONFLICT,     XR_RESULT_FAILED};
    struct tally tally = {.total = report->runs.count};

    for (size_t k = 0; k < XR_RESULT_COUNT; k++)
        tally.names[k] = xr_result_name(order[k]);
    for (size_t i = 0; i < report->runs.count; i++) {
        for (size_t k = 0; k < XR_RESULT_COUNT; k++)
            tally.counts[k] += report->runs.items[i].result == order[k];
    }
    put_tally(out, "stores", &tally);
}

void xr_text_changes(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    size_t told = 0;

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];

        if (style->quiet ? !is_told_quietly(report, run)
                         : run->result == XR_RESULT_NOT_ASKED && !style->verbose)
            continue;
        change(style, out, report, run);
        told++;
    }
    if (style->quiet)
        return;
    if (report->verb == XR_VERB_RECOVER && report->runs.count == 0 && report->messages.count == 0)
        (void)fputs("Nothing to recover.\n", out);
    if (report->transaction[0] != '\0' && report->verb != XR_VERB_RECOVER)
        (void)fprintf(out, "To take this back: crossroot undo %s\n", report->transaction);
    if (told > 0)
        tally_changes(out, report);
}

/* ---- verify ---- */

static void answer(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                   const struct xr_answer_row *row, bool named)
{
    int used = xr_text_title(style, out, report, xr_runs_find(&report->runs, row->store));

    (void)fputs(": ", out);
    used += 2;
    if (named && row->pool_at != XR_NONE) {
        char *name = xr_report_name(report, row->pool_at);

        (void)fprintf(out, "%s: ", name);
        used += xr_text_cells(name) + 2;
        free(name);
    }
    put_answer(style, out, used, 2, row->verdict.answer,
               row->why != NULL ? row->why : row->verdict.why, row->verdict.by);
    put_path(style, out, 2, report, &row->verdict);
    put_also(style, out, 2, &row->verdict, false);
}

void xr_text_answers(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    struct tally tally = {.names = {"yes", "no", "cannot tell"}, .total = report->answers.count};
    bool several = false; /* answers of one store */

    for (size_t i = 1; i < report->answers.count; i++)
        several = several ||
                  strcmp(report->answers.items[i].store, report->answers.items[i - 1].store) == 0;
    for (size_t i = 0; i < report->answers.count; i++) {
        const struct xr_answer_row *row = &report->answers.items[i];

        tally.counts[row->verdict.answer == XR_YES ? 0 : row->verdict.answer == XR_NO ? 1 : 2]++;
        if (!style->quiet || row->verdict.answer == XR_NO)
            answer(style, out, report, row, several);
    }
    if (!style->quiet)
        put_tally(out, several ? "answers" : "stores", &tally);
}
