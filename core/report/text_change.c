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

/* An indented line of its own, said by somebody else. */
static void put_line(const struct xr_text_style *style, FILE *out, int indent, const char *text)
{
    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_said(style, out, indent, indent + 2, text);
}

/* A verifier may know more certificates than the store holds: a browser's built-in roots. */
static void add_step_of_path(struct xr_buf *out, const struct xr_text_style *style,
                             const struct xr_report *report,
                             const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = xr_pool_find(&report->pool, sha256);
    char hex[2 * XR_SHA256_LEN + 1];
    char *name = NULL;

    if (at != XR_NONE) {
        name = xr_text_name(style, report, at);
        xr_buf_str(out, name);
        free(name);
        return;
    }
    xr_hex(hex, sha256, XR_SHA256_LEN);
    xr_buf_fmt(out, xr_tr(style->catalogue, "built-in %.16s…"), hex);
}

static void put_path(const struct xr_text_style *style, FILE *out, int indent,
                     const struct xr_report *report, const struct xr_verdict *verdict)
{
    struct xr_buf text = {0};

    if (verdict->path_len == 0)
        return;
    for (size_t i = 0; i < verdict->path_len; i++) {
        xr_buf_str(&text, i > 0 ? " → " : "");
        add_step_of_path(&text, style, report, verdict->path[i]);
    }
    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap(style, out, indent, indent, text.data);
    xr_buf_free(&text);
}

/* The rest of a line of which used cells are taken. */
static void put_answer(const struct xr_text_style *style, FILE *out, int used, int indent,
                       enum xr_answer answer, const char *why, const char *by)
{
    static const char *const words[] = {N_("cannot tell"), N_("yes"), N_("no")};
    const char *color = answer == XR_YES  ? GREEN(style)
                        : answer == XR_NO ? RED(style)
                                          : YELLOW(style);
    const char *word = xr_tr(style->catalogue, words[answer]);
    struct xr_buf rest = {0};
    char *said = xr_text_said(style, why), *asked = xr_text_said(style, by);

    if (why[0] != '\0') {
        xr_buf_str(&rest, ": ");
        xr_buf_visible(&rest, said, strlen(said));
    }
    if (by[0] != '\0') {
        xr_buf_str(&rest, why[0] != '\0' ? " (" : "(");
        xr_buf_visible(&rest, asked, strlen(asked));
        xr_buf_str(&rest, ")");
    }
    (void)fprintf(out, "%s%s%s%s", color, word, PLAIN(style),
                  why[0] == '\0' && by[0] != '\0' ? " " : "");
    xr_text_wrap(style, out, used + xr_text_cells(word) + 1, indent,
                 rest.data != NULL ? rest.data : "");
    xr_buf_free(&rest);
    free(said);
    free(asked);
}

/* Whose answer it is, allocated. alike: stores that it was asked once for. */
static char *answered_by(const struct xr_text_style *style, const char *by, size_t alike)
{
    return alike > 1 ? xr_format(xr_tr(style->catalogue,
                                       "%s, asked once for %zu stores that hold the same"),
                                 by, alike)
                     : xr_strdup(by);
}

/* How other readers of the store answer. opposed: only a yes beside a no, and the reverse. */
static void put_also(const struct xr_text_style *style, FILE *out, int indent,
                     const struct xr_verdict *verdict, bool opposed)
{
    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        char *said = NULL, *by = NULL;

        if (opposed && (opinion->answer == XR_UNKNOWN || opinion->answer == verdict->answer))
            continue;
        said = xr_text_said(style, opinion->by);
        by = xr_visible(said);
        (void)fprintf(out, "%*s%s: ", indent, "", by);
        put_answer(style, out, indent + xr_text_cells(by) + 2, indent + 2, opinion->answer,
                   opinion->why, "");
        free(by);
        free(said);
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
    static const char *const past[] = {N_("as it is"), N_("added"), N_("changed"), N_("removed"),
                                       N_("refused")};
    static const char *const plan[] = {N_("as it is"), N_("add"), N_("change"), N_("remove"),
                                       N_("refuse")};

    if (step->action == XR_ACTION_NONE && step->before == NULL)
        return N_("absent");
    return (future ? plan : past)[step->action];
}

static void put_step(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     const struct xr_step *step, bool future)
{
    bool absent = step->action == XR_ACTION_NONE && step->before == NULL;
    char *name = step->pool_at != XR_NONE
                     ? xr_text_name(style, report, step->pool_at)
                     : xr_strdup(step->place == XR_CRL ? xr_tr(style->catalogue, "(CRL)") : "");
    uint32_t before = 0, after = 0;

    (void)fputs("  ", out);
    xr_text_padded(out, xr_tr(style->catalogue, action_word(step, future)), 8);
    (void)fputs("  ", out);
    xr_text_padded(out, absent ? "" : xr_tr(style->catalogue, xr_place_name(step->place)), 12);
    (void)fputs("  ", out);
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
        char *from = xr_text_purposes(style, before), *to = xr_text_purposes(style, after);

        (void)fprintf(out, "%*s", STEP_INDENT, "");
        (void)fprintf(out, xr_tr(style->catalogue, "trusted for: %s → %s"), from, to);
        (void)fputs("\n", out);
        free(from);
        free(to);
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
    const char *head =
        takes ? xr_tr(style->catalogue, "still trusted") : xr_tr(style->catalogue, "verified");
    char *by = answered_by(style, verdict->by, run->alike);

    (void)fprintf(out, "  %s: ", head);
    /* Why something is no longer trusted needs no words. */
    put_answer(style, out, xr_text_cells(head) + 4, 4, verdict->answer,
               takes && verdict->answer == XR_NO ? "" : verdict->why, by);
    free(by);
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
    const char *state = xr_tr(style->catalogue, xr_result_name(run->result));
    struct xr_buf rest = {0};
    int used = xr_text_title(style, out, report, run);

    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style), state, PLAIN(style));
    if (run->why != NULL) {
        char *why = xr_text_said(style, run->why);

        xr_buf_str(&rest, ": ");
        xr_buf_visible(&rest, why, strlen(why));
        free(why);
    }
    xr_text_wrap(style, out, used + 2 + xr_text_cells(state), 2,
                 rest.data != NULL ? rest.data : "");
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

/* "2 done", allocated. */
static char *counted(const struct xr_text_style *style, enum xr_result result, size_t count)
{
    const struct xr_catalogue *language = style->catalogue;

    switch (result) {
    case XR_RESULT_NOT_ASKED:
        return xr_format(xr_tr(language, "%zu not-asked"), count);
    case XR_RESULT_SKIPPED:
        return xr_format(xr_tr(language, "%zu skipped"), count);
    case XR_RESULT_DONE:
        return xr_format(xr_tr(language, "%zu done"), count);
    case XR_RESULT_UNCHANGED:
        return xr_format(xr_tr(language, "%zu unchanged"), count);
    case XR_RESULT_REFUSED:
        return xr_format(xr_tr(language, "%zu refused"), count);
    case XR_RESULT_CONFLICT:
        return xr_format(xr_tr(language, "%zu conflict"), count);
    case XR_RESULT_FAILED:
        return xr_format(xr_tr(language, "%zu failed"), count);
    case XR_RESULT_BACK:
        return xr_format(xr_tr(language, "%zu rolled-back"), count);
    case XR_RESULT_WOULD_CHANGE:
        return xr_format(xr_tr(language, "%zu would-change"), count);
    default:
        return xr_format(xr_tr(language, "%zu would-refuse"), count);
    }
}

/* "3 stores: 2 done, 1 failed", where there are many. all is freed, as are the parts; NULL: none. */
static void put_tally(const struct xr_text_style *style, FILE *out, size_t total, char *all,
                      char *parts[], size_t count)
{
    const char *between = ": ";

    if (total >= MANY)
        (void)fputs(all, out);
    for (size_t i = 0; i < count; i++) {
        if (total >= MANY && parts[i] != NULL) {
            (void)fprintf(out, "%s%s", between, parts[i]);
            between = xr_text_between(style);
        }
        free(parts[i]);
    }
    if (total >= MANY)
        (void)fputs("\n", out);
    free(all);
}

static char *count_stores(const struct xr_text_style *style, size_t count)
{
    return xr_format(xr_tr_n(style->catalogue, "%zu store", "%zu stores", count), count);
}

static void tally_changes(const struct xr_text_style *style, FILE *out,
                          const struct xr_report *report)
{
    /* Good results come first, failures last. */
    static const enum xr_result order[XR_RESULT_COUNT] = {
        XR_RESULT_WOULD_CHANGE, XR_RESULT_DONE,    XR_RESULT_UNCHANGED, XR_RESULT_BACK,
        XR_RESULT_WOULD_REFUSE, XR_RESULT_REFUSED, XR_RESULT_SKIPPED,   XR_RESULT_NOT_ASKED,
        XR_RESULT_CONFLICT,     XR_RESULT_FAILED};
    char *parts[XR_RESULT_COUNT] = {NULL};

    for (size_t k = 0; k < XR_RESULT_COUNT; k++) {
        size_t count = 0;

        for (size_t i = 0; i < report->runs.count; i++)
            count += report->runs.items[i].result == order[k];
        if (count > 0)
            parts[k] = counted(style, order[k], count);
    }
    put_tally(style, out, report->runs.count, count_stores(style, report->runs.count), parts,
              XR_RESULT_COUNT);
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
        (void)fprintf(out, "%s\n", xr_tr(style->catalogue, "Nothing to recover."));
    if (report->transaction[0] != '\0' && report->verb != XR_VERB_RECOVER) {
        (void)fprintf(out, xr_tr(style->catalogue, "To take this back: crossroot undo %s"),
                      report->transaction);
        (void)fputs("\n", out);
    }
    if (told > 0)
        tally_changes(style, out, report);
}

/* ---- verify ---- */

static void answer(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                   const struct xr_answer_row *row, bool named)
{
    int used = xr_text_title(style, out, report, xr_runs_find(&report->runs, row->store));
    char *by = answered_by(style, row->verdict.by, row->alike);

    (void)fputs(": ", out);
    used += 2;
    if (named && row->pool_at != XR_NONE) {
        char *name = xr_text_name(style, report, row->pool_at);

        (void)fprintf(out, "%s: ", name);
        used += xr_text_cells(name) + 2;
        free(name);
    }
    put_answer(style, out, used, 2, row->verdict.answer,
               row->why != NULL ? row->why : row->verdict.why, by);
    free(by);
    put_path(style, out, 2, report, &row->verdict);
    put_also(style, out, 2, &row->verdict, false);
}

static void tally_answers(const struct xr_text_style *style, FILE *out,
                          const struct xr_report *report, bool several)
{
    const struct xr_catalogue *language = style->catalogue;
    size_t total = report->answers.count, yes = 0, no = 0;
    char *parts[3] = {NULL};

    for (size_t i = 0; i < total; i++) {
        yes += report->answers.items[i].verdict.answer == XR_YES;
        no += report->answers.items[i].verdict.answer == XR_NO;
    }
    if (yes > 0)
        parts[0] = xr_format(xr_tr(language, "%zu yes"), yes);
    if (no > 0)
        parts[1] = xr_format(xr_tr(language, "%zu no"), no);
    if (yes + no < total)
        parts[2] = xr_format(xr_tr(language, "%zu cannot tell"), total - yes - no);
    put_tally(style, out, total,
              several ? xr_format(xr_tr_n(language, "%zu answer", "%zu answers", total), total)
                      : count_stores(style, total),
              parts, 3);
}

void xr_text_answers(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    bool several = false; /* answers of one store */

    for (size_t i = 1; i < report->answers.count; i++)
        several = several ||
                  strcmp(report->answers.items[i].store, report->answers.items[i - 1].store) == 0;
    for (size_t i = 0; i < report->answers.count; i++) {
        const struct xr_answer_row *row = &report->answers.items[i];

        if (!style->quiet || row->verdict.answer == XR_NO)
            answer(style, out, report, row, several);
    }
    if (!style->quiet)
        tally_answers(style, out, report, several);
}
