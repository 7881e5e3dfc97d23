/* SPDX-License-Identifier: Apache-2.0 */
/* Stores and the history, for people. */
#include "text.h"

#include <stdlib.h>

#define ROW_INDENT 13 /* where the values of put_row begin */

static void put_row(const struct xr_text_style *style, FILE *out, const char *name,
                    const char *value)
{
    (void)fprintf(out, "  %-10s ", name);
    xr_text_wrap_visible(style, out, ROW_INDENT, ROW_INDENT, value);
}

static void put_places(const struct xr_text_style *style, FILE *out, const struct xr_caps *caps)
{
    static const char *const strengths[] = {"", " (advisory)", " (deselect only)", ""};
    struct xr_buf text = {0};

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (caps->places[place] == XR_CANNOT)
            continue;
        xr_buf_fmt(&text, "%s%s%s", text.len == 0 ? "" : ", ", xr_place_name((enum xr_place)place),
                   strengths[caps->places[place]]);
        if (place == XR_DISTRUST && caps->distrust_by_key)
            xr_buf_str(&text, " (of every certificate of a key)");
    }
    put_row(style, out, "holds", text.data != NULL ? text.data : "");
    xr_buf_free(&text);
}

static void put_anchors(const struct xr_text_style *style, FILE *out, const struct xr_caps *caps,
                        const char *purposes)
{
    static const char *const strengths[] = {[XR_CANNOT] = "",
                                            [XR_ADVISORY] = "; limits to names are advisory",
                                            [XR_DESELECT_ONLY] = "",
                                            [XR_ENFORCED] = "; can be limited to names"};
    bool any = caps->purposes == XR_ANY_PURPOSE;
    char *text = xr_format("%s%s", any ? "for any purpose: cannot be restricted" : purposes,
                           strengths[caps->limited]);

    put_row(style, out, "anchors", text);
    free(text);
}

void xr_text_stores(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const char *kind = run->caps.summary[0] != '\0' ? run->caps.summary : run->summary;
        char text[64];

        xr_text_store_line(style, out, run->address);
        if (kind != NULL)
            put_row(style, out, "kind", kind);
        if (run->why != NULL) {
            put_row(style, out, "unusable", run->why);
            continue;
        }
        put_row(style, out, "writable",
                !run->caps.writable ? run->caps.why_not
                : run->only_named   ? "yes, if --store names it"
                                    : "yes");
        put_places(style, out, &run->caps);
        xr_purposes_text(text, sizeof(text), run->caps.purposes);
        put_anchors(style, out, &run->caps, text);
        if (run->caps.locked != 0)
            put_row(style, out, "password", "yes: needed to change trust");
        put_row(style, out, "verifier",
                run->caps.verifier[0] != '\0' ? run->caps.verifier : "none of its own");
        if (run->caps.missing[0] != '\0')
            put_row(style, out, "missing", run->caps.missing);
        if (run->caps.left_out[0] != '\0')
            put_row(style, out, "left out", run->caps.left_out);
    }
    if (report->runs.count == 0)
        xr_text_wrap(style, out, 0, 0,
                     "No trust store found. Name one with --store, for example "
                     "--store openssl:/srv/trust");
    (void)fputs("\nNot covered:\n", out);
    for (size_t i = 0; xr_report_not_covered[i] != NULL; i++) {
        (void)fputs("  ", out);
        xr_text_wrap(style, out, 2, 4, xr_report_not_covered[i]);
    }
}

#define CHANGE_INDENT 13 /* under the place of a change */
#define NAME_CELLS    44 /* of a subject, where there is no terminal whose width could be used */
#define NAME_LEAST    8

static void put_places_of(struct xr_buf *out, const struct xr_state *state)
{
    size_t before = out->len;

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (xr_state_in(state, (enum xr_place)place) != NULL)
            xr_buf_fmt(out, "%s%s", out->len > before ? ", " : "",
                       xr_place_name((enum xr_place)place));
    }
}

/* Where it was and is, if that is not the same. */
static void put_moved(FILE *out, const struct xr_change *change)
{
    struct xr_buf was = {0}, is = {0};

    put_places_of(&was, change->before);
    put_places_of(&is, change->want);
    if (was.len > 0 && is.len > 0 && strcmp(was.data, is.data) != 0)
        (void)fprintf(out, "%*splace: %s → %s\n", CHANGE_INDENT, "", was.data, is.data);
    xr_buf_free(&was);
    xr_buf_free(&is);
}

static void put_change(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       const struct xr_change *change)
{
    static const char *const words[] = {"as it is", "added", "changed", "removed", "refused"};
    int room = style->width > 0 ? (int)style->width - CHANGE_INDENT - 14 - 2 - XR_TEXT_ID_DIGITS
                                : NAME_CELLS;
    struct xr_plan plan = {0};
    const struct xr_step *step = NULL;
    char *name = NULL;
    uint32_t before = 0, after = 0;

    xr_report_change(&plan, report, change);
    step = &plan.items[0];
    name = step->pool_at != XR_NONE
               ? xr_report_name(report, step->pool_at)
               : xr_strdup(step->place == XR_CRL ? "(CRL)" : "(no certificate)");
    (void)fprintf(out, "    %-7s  %-12s  ", words[step->action], xr_place_name(step->place));
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
    put_moved(out, change);
    if (xr_step_trust(step, &before, &after)) {
        char from[64], to[64];
        char *text = NULL;

        xr_purposes_text(from, sizeof(from), before);
        xr_purposes_text(to, sizeof(to), after);
        text = xr_format("trusted for: %s → %s", from, to);
        (void)fprintf(out, "%*s", CHANGE_INDENT, "");
        xr_text_wrap(style, out, CHANGE_INDENT, CHANGE_INDENT + 2, text);
        free(text);
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
    static const char *const stages[] = {"interrupted: see crossroot recover", "done",
                                         "rolled back", "not rolled back: see crossroot recover"};
    struct xr_buf text = {0};

    (void)fprintf(out, "%s%s%s  ", BOLD(style), t->id, PLAIN(style));
    xr_text_when(style, out, t->at);
    (void)fputs("  ", out);
    xr_buf_fmt(&text, "%s%s", t->by != NULL ? t->by : "", t->by != NULL ? ": " : "");
    xr_buf_str(&text, t->command);
    if (t->undoes[0])
        xr_buf_fmt(&text, " of %s", t->undoes);
    if (t->undone_by[0])
        xr_buf_fmt(&text, " (undone by %s)", t->undone_by);
    xr_text_wrap_visible(style, out, XR_JOURNAL_ID_LEN + 2 + 22 + 2, XR_JOURNAL_ID_LEN + 2,
                         text.data);
    xr_buf_free(&text);
    for (size_t k = 0; k < t->count; k++) {
        const struct xr_part *part = &t->items[k];
        char *line =
            xr_format("%s: %zu change%s, %s",
                      style->verbose || !name_is_unique(t, part) ? part->store : part->name,
                      part->count, part->count == 1 ? "" : "s", stages[part->stage]);

        (void)fputs("  ", out);
        xr_text_wrap_visible(style, out, 2, 4, line);
        free(line);
        for (size_t i = 0; i < part->count; i++)
            put_change(style, out, report, &part->items[i]);
    }
}

void xr_text_history(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = report->journal.count; i-- > 0;)
        put_transaction(style, out, report, &report->journal.items[i]);
    if (report->journal.count == 0 && report->exit == XR_EXIT_OK)
        (void)fputs(report->selected ? "Nothing was changed in these stores yet.\n"
                                     : "Nothing was changed yet.\n",
                    out);
}
