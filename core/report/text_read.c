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
    }
    if (caps->distrust_by_key)
        xr_buf_str(&text, " (of every certificate of a key)");
    put_row(style, out, "holds", text.data != NULL ? text.data : "");
    xr_buf_free(&text);
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
        put_row(style, out, "anchors",
                run->caps.purposes == XR_ANY_PURPOSE ? "for any purpose: cannot be restricted"
                                                     : text);
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

void xr_text_history(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    static const char *const stages[] = {"interrupted: see crossroot recover", "done",
                                         "rolled back", "not rolled back: see crossroot recover"};

    for (size_t i = report->journal.count; i-- > 0;) {
        const struct xr_transaction *t = &report->journal.items[i];

        (void)fprintf(out, "%s%s%s  ", BOLD(style), t->id, PLAIN(style));
        xr_text_when(style, out, t->at);
        (void)fputs("  ", out);
        xr_text_visible(out, t->command);
        if (t->undoes[0])
            (void)fprintf(out, " of %s", t->undoes);
        if (t->undone_by[0])
            (void)fprintf(out, "  (undone by %s)", t->undone_by);
        (void)fputs("\n", out);
        for (size_t k = 0; k < t->count; k++) {
            (void)fputs("  ", out);
            xr_text_visible(out, t->items[k].store);
            (void)fprintf(out, ": %zu change%s, %s\n", t->items[k].count,
                          t->items[k].count == 1 ? "" : "s", stages[t->items[k].stage]);
        }
    }
    if (report->journal.count == 0 && report->exit == XR_EXIT_OK)
        (void)fputs("Nothing was changed yet.\n", out);
}
