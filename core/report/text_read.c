/* SPDX-License-Identifier: Apache-2.0 */
/* Stores and the history, for people. */
#include "text.h"

#include <stdlib.h>

/* Heads of rows, whose values stand below each other. */
static const char *const heads[] = {N_("kind"),     N_("unusable"), N_("writable"),
                                    N_("holds"),    N_("anchors"),  N_("password"),
                                    N_("verifier"), N_("missing"),  N_("left out")};
#define HEADS      (sizeof(heads) / sizeof(heads[0]))
#define HEAD_LEAST 10 /* cells */

/* The value is in the style's language. */
static void put_own_row(const struct xr_text_style *style, FILE *out, const char *head,
                        const char *value)
{
    int width = xr_text_widest(style, heads, HEADS, HEAD_LEAST);

    (void)fputs("  ", out);
    xr_text_padded(out, xr_tr(style->catalogue, head), width);
    (void)fputs(" ", out);
    xr_text_wrap_visible(style, out, width + 3, width + 3, value);
}

/* What a backend says. */
static void put_row(const struct xr_text_style *style, FILE *out, const char *head,
                    const char *said)
{
    char *value = xr_text_said(style, said);

    put_own_row(style, out, head, value);
    free(value);
}

static void put_places(const struct xr_text_style *style, FILE *out, const struct xr_caps *caps)
{
    struct xr_buf text = {0};

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (caps->places[place] == XR_CANNOT)
            continue;
        xr_buf_fmt(&text, "%s%s", text.len == 0 ? "" : xr_text_between(style),
                   xr_tr(style->catalogue, xr_place_name((enum xr_place)place)));
        if (caps->places[place] == XR_ADVISORY)
            xr_buf_str(&text, xr_tr(style->catalogue, " (advisory)"));
        else if (caps->places[place] == XR_DESELECT_ONLY)
            xr_buf_str(&text, xr_tr(style->catalogue, " (deselect only)"));
        if (place == XR_DISTRUST && caps->distrust_by_key)
            xr_buf_str(&text, xr_tr(style->catalogue, " (of every certificate of a key)"));
    }
    put_own_row(style, out, "holds", text.data != NULL ? text.data : "");
    xr_buf_free(&text);
}

static void put_anchors(const struct xr_text_style *style, FILE *out, const struct xr_caps *caps)
{
    static const char *const strengths[] = {[XR_CANNOT] = "",
                                            [XR_ADVISORY] = N_("limits to names are advisory"),
                                            [XR_DESELECT_ONLY] = "",
                                            [XR_ENFORCED] = N_("can be limited to names")};
    const char *names = strengths[caps->limited];
    char *purposes =
        caps->purposes == XR_ANY_PURPOSE
            ? xr_strdup(xr_tr(style->catalogue, "for any purpose: cannot be restricted"))
            : xr_text_purposes(style, caps->purposes);
    char *text = xr_format("%s%s%s", purposes, names[0] != '\0' ? "; " : "",
                           names[0] != '\0' ? xr_tr(style->catalogue, names) : "");

    put_own_row(style, out, "anchors", text);
    free(text);
    free(purposes);
}

void xr_text_stores(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const char *kind = run->caps.summary[0] != '\0' ? run->caps.summary : run->summary;

        xr_text_store_line(style, out, run->address);
        if (kind != NULL)
            put_row(style, out, "kind", kind);
        if (run->why != NULL) {
            put_row(style, out, "unusable", run->why);
            continue;
        }
        put_row(style, out, "writable",
                !run->caps.writable ? run->caps.why_not
                : run->only_named   ? N_("yes, if --store names it")
                                    : N_("yes"));
        put_places(style, out, &run->caps);
        put_anchors(style, out, &run->caps);
        if (run->caps.locked != 0)
            put_row(style, out, "password", N_("yes: needed to change trust"));
        put_row(style, out, "verifier",
                run->caps.verifier[0] != '\0' ? run->caps.verifier : N_("none of its own"));
        if (run->caps.missing[0] != '\0')
            put_row(style, out, "missing", run->caps.missing);
        if (run->caps.left_out[0] != '\0')
            put_row(style, out, "left out", run->caps.left_out);
    }
    if (report->runs.count == 0)
        xr_text_wrap(style, out, 0, 0,
                     xr_tr(style->catalogue,
                           "No trust store found. Name one with --store, for example "
                           "--store openssl:/srv/trust"));
    (void)fprintf(out, "\n%s\n", xr_tr(style->catalogue, "Not covered:"));
    for (size_t i = 0; xr_report_not_covered[i] != NULL; i++) {
        (void)fputs("  ", out);
        xr_text_wrap(style, out, 2, 4, xr_tr(style->catalogue, xr_report_not_covered[i]));
    }
}

#define CHANGE_INDENT 13 /* under the place of a change */
#define NAME_CELLS    44 /* of a subject, where there is no terminal whose width could be used */
#define NAME_LEAST    8

static void put_places_of(struct xr_buf *out, const struct xr_text_style *style,
                          const struct xr_state *state)
{
    size_t before = out->len;

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (xr_state_in(state, (enum xr_place)place) != NULL)
            xr_buf_fmt(out, "%s%s", out->len > before ? xr_text_between(style) : "",
                       xr_tr(style->catalogue, xr_place_name((enum xr_place)place)));
    }
}

/* Where it was and is, if that is not the same. */
static void put_moved(const struct xr_text_style *style, FILE *out, const struct xr_change *change)
{
    struct xr_buf was = {0}, is = {0};

    put_places_of(&was, style, change->before);
    put_places_of(&is, style, change->want);
    if (was.len > 0 && is.len > 0 && strcmp(was.data, is.data) != 0) {
        (void)fprintf(out, "%*s", CHANGE_INDENT, "");
        (void)fprintf(out, xr_tr(style->catalogue, "place: %s → %s"), was.data, is.data);
        (void)fputs("\n", out);
    }
    xr_buf_free(&was);
    xr_buf_free(&is);
}

static void put_change(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       const struct xr_change *change)
{
    static const char *const words[] = {N_("as it is"), N_("added"), N_("changed"), N_("removed"),
                                        N_("refused")};
    int room = style->width > 0 ? (int)style->width - CHANGE_INDENT - 14 - 2 - XR_TEXT_ID_DIGITS
                                : NAME_CELLS;
    struct xr_plan plan = {0};
    const struct xr_step *step = NULL;
    char *name = NULL;
    uint32_t before = 0, after = 0;

    xr_report_change(&plan, report, change);
    step = &plan.items[0];
    name = step->pool_at != XR_NONE
               ? xr_text_name(style, report, step->pool_at)
               : xr_strdup(xr_tr(style->catalogue,
                                 step->place == XR_CRL ? N_("(CRL)") : N_("(no certificate)")));
    (void)fputs("    ", out);
    xr_text_padded(out, xr_tr(style->catalogue, words[step->action]), 7);
    (void)fputs("  ", out);
    xr_text_padded(out, xr_tr(style->catalogue, xr_place_name(step->place)), 12);
    (void)fputs("  ", out);
    if (style->width == 0) {
        xr_text_padded(out, name, room);
        (void)fputs("  ", out);
        xr_text_id(style, out, &step->subject);
        (void)fputs("\n", out);
    } else if (style->verbose) {
        char id[2 * XR_SHA256_LEN + 1];

        xr_hex(id, step->subject.id, XR_SHA256_LEN);
        xr_text_wrap(style, out, CHANGE_INDENT + 14, CHANGE_INDENT, name);
        (void)fputs("    SHA-256  ", out);
        xr_text_wrap(style, out, CHANGE_INDENT, CHANGE_INDENT, id);
    } else {
        xr_text_column(out, name, room > NAME_LEAST ? room : NAME_LEAST);
        (void)fputs("  ", out);
        xr_text_id_digits(style, out, &step->subject);
        (void)fputs("\n", out);
    }
    if (step->subject.type == XR_SUBJECT_ISSUER_SERIAL && xr_step_entry(step) != NULL)
        xr_text_issuer_serial(style, out, xr_step_entry(step), CHANGE_INDENT);
    put_moved(style, out, change);
    if (xr_step_trust(step, &before, &after)) {
        char *from = xr_text_purposes(style, before), *to = xr_text_purposes(style, after);
        char *text = xr_format(xr_tr(style->catalogue, "trusted for: %s → %s"), from, to);

        (void)fprintf(out, "%*s", CHANGE_INDENT, "");
        xr_text_wrap(style, out, CHANGE_INDENT, CHANGE_INDENT + 2, text);
        free(text);
        free(from);
        free(to);
    }
    free(name);
    xr_plan_free(&plan);
}

static bool name_is_unique(const struct xr_transaction *t, const struct xr_part *part)
{
    bool unique = part->name != NULL;

    for (size_t i = 0; unique && i < t->count; i++)
        unique = &t->items[i] == part || t->items[i].name == NULL ||
                 strcmp(t->items[i].name, part->name) != 0;
    return unique;
}

static void put_transaction(const struct xr_text_style *style, FILE *out,
                            const struct xr_report *report, const struct xr_transaction *t)
{
    static const char *const stages[] = {N_("interrupted: see crossroot recover"), N_("done"),
                                         N_("rolled back"),
                                         N_("not rolled back: see crossroot recover")};
    struct xr_buf text = {0};

    (void)fprintf(out, "%s%s%s  ", BOLD(style), t->id, PLAIN(style));
    xr_text_when(style, out, t->at);
    (void)fputs("  ", out);
    xr_buf_fmt(&text, "%s%s", t->by != NULL ? t->by : "", t->by != NULL ? ": " : "");
    if (t->undoes[0] != '\0')
        xr_buf_fmt(&text, xr_tr(style->catalogue, "undo of %s"), t->undoes);
    else
        xr_buf_str(&text, t->command);
    if (t->undone_by[0])
        xr_buf_fmt(&text, xr_tr(style->catalogue, " (undone by %s)"), t->undone_by);
    xr_text_wrap_visible(style, out, XR_JOURNAL_ID_LEN + 2 + 22 + 2, XR_JOURNAL_ID_LEN + 2,
                         text.data);
    xr_buf_free(&text);
    for (size_t k = 0; k < t->count; k++) {
        const struct xr_part *part = &t->items[k];
        char *name = style->verbose || !name_is_unique(t, part) ? xr_strdup(part->store)
                                                                : xr_text_said(style, part->name);
        char *line = xr_format(
            xr_tr_n(style->catalogue, "%s: %zu change, %s", "%s: %zu changes, %s", part->count),
            name, part->count, xr_tr(style->catalogue, stages[part->stage]));

        (void)fputs("  ", out);
        xr_text_wrap_visible(style, out, 2, 4, line);
        free(line);
        free(name);
        for (size_t i = 0; i < part->count; i++)
            put_change(style, out, report, &part->items[i]);
    }
}

/* What pruning takes is listed before it is done, or on request. */
static void put_pruned(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    size_t count = report->journal.count;

    for (size_t i = count; i-- > 0 && (report->dry_run || style->verbose);)
        put_transaction(style, out, report, &report->journal.items[i]);
    if (count == 0)
        (void)fprintf(out, "%s\n", xr_tr(style->catalogue, "Nothing was pruned."));
    else if (report->dry_run)
        (void)fprintf(out,
                      xr_tr_n(style->catalogue, "%zu transaction would be pruned.\n",
                              "%zu transactions would be pruned.\n", count),
                      count);
    else
        (void)fprintf(out,
                      xr_tr_n(style->catalogue, "%zu transaction was pruned.\n",
                              "%zu transactions were pruned.\n", count),
                      count);
    if (report->stayed > 0)
        (void)fprintf(out,
                      xr_tr_n(style->catalogue,
                              "%zu as old stays: it is not finished, or says how a store came "
                              "to what it holds.\n",
                              "%zu as old stay: they are not finished, or say how stores came "
                              "to what they hold.\n",
                              report->stayed),
                      report->stayed);
}

void xr_text_history(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    if (report->pruned) {
        put_pruned(style, out, report);
        return;
    }
    for (size_t i = report->journal.count; i-- > 0;)
        put_transaction(style, out, report, &report->journal.items[i]);
    if (report->journal.count == 0 && report->exit == XR_EXIT_OK)
        (void)fprintf(out, "%s\n",
                      report->selected
                          ? xr_tr(style->catalogue, "Nothing was changed in these stores yet.")
                          : xr_tr(style->catalogue, "Nothing was changed yet."));
}
