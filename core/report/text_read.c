/* SPDX-License-Identifier: Apache-2.0 */
/* Stores, their entries and the history, for people. */
#include "text.h"

#include <stdlib.h>

#define NAME_WIDTH  44
#define TRUSTED_FOR "TRUSTED FOR" /* the column of purposes */

static void put_row(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "  %-10s ", name);
    xr_text_visible(out, value);
    (void)fputs("\n", out);
}

static void put_places(FILE *out, const struct xr_caps *caps)
{
    static const char *const strengths[] = {"", " (advisory)", " (deselect only)", ""};
    bool first = true;

    (void)fprintf(out, "  %-10s ", "holds");
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (caps->places[place] == XR_CANNOT)
            continue;
        (void)fprintf(out, "%s%s%s", first ? "" : ", ", xr_place_name((enum xr_place)place),
                      strengths[caps->places[place]]);
        first = false;
    }
    (void)fputs(caps->distrust_by_key ? " (of every certificate of a key)\n" : "\n", out);
}

void xr_text_stores(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const char *kind = run->caps.summary[0] != '\0' ? run->caps.summary : run->summary;
        char text[64];

        xr_text_store(style, out, run->address);
        (void)fputs("\n", out);
        if (kind != NULL)
            put_row(out, "kind", kind);
        if (run->why != NULL) {
            put_row(out, "unusable", run->why);
            continue;
        }
        put_row(out, "writable",
                !run->caps.writable ? run->caps.why_not
                : run->only_named   ? "yes, if --store names it"
                                    : "yes");
        put_places(out, &run->caps);
        xr_purposes_text(text, sizeof(text), run->caps.purposes);
        put_row(out, "anchors",
                run->caps.purposes == XR_ANY_PURPOSE ? "for any purpose: cannot be restricted"
                                                     : text);
        if (run->caps.locked != 0)
            put_row(out, "password", "yes: needed to change trust");
        put_row(out, "verifier",
                run->caps.verifier[0] != '\0' ? run->caps.verifier : "none of its own");
        if (run->caps.missing[0] != '\0')
            put_row(out, "missing", run->caps.missing);
        if (run->caps.left_out[0] != '\0')
            put_row(out, "left out", run->caps.left_out);
    }
    if (report->runs.count == 0)
        (void)fputs("No trust store found. Name one with --store, for example "
                    "--store openssl:/srv/trust\n",
                    out);
    (void)fputs("\nNot covered:\n", out);
    for (size_t i = 0; xr_report_not_covered[i] != NULL; i++)
        (void)fprintf(out, "  %s\n", xr_report_not_covered[i]);
}

/* How many columns the store's purposes take. */
static int purposes_width(const struct xr_run *run)
{
    int width = (int)strlen(TRUSTED_FOR);

    for (size_t k = 0; k < run->snapshot.count; k++) {
        for (size_t n = 0; n < run->snapshot.items[k]->count; n++) {
            const struct xr_entry *entry = run->snapshot.items[k]->entries[n];
            char text[64];

            if (entry->place != XR_ANCHOR)
                continue;
            xr_purposes_text(text, sizeof(text), entry->purposes);
            if ((int)strlen(text) > width)
                width = (int)strlen(text);
        }
    }
    return width;
}

static void list_entry(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       const struct xr_entry *entry, int width)
{
    size_t at = entry->subject.type == XR_SUBJECT_CERT
                    ? xr_pool_find(&report->pool, entry->subject.id)
                    : XR_NONE;
    char *name = at != XR_NONE ? xr_report_name(report, at)
                               : xr_strdup(entry->place == XR_CRL ? "(CRL)" : "(no certificate)");
    const char *kind = xr_report_kind(report, at);
    char text[64];

    xr_purposes_text(text, sizeof(text), entry->purposes);
    (void)fprintf(out, "  %-12s  %-12s  %-*s  ", xr_place_name(entry->place),
                  kind != NULL ? kind : "", width, entry->place == XR_ANCHOR ? text : "");
    xr_text_padded(out, name, NAME_WIDTH);
    (void)fputs("  ", out);
    xr_text_id(style, out, &entry->subject);
    (void)fputs(entry->flags & XR_ENTRY_VENDOR ? "  vendor\n" : "\n", out);
    if (entry->subject.type == XR_SUBJECT_ISSUER_SERIAL)
        xr_text_issuer_serial(out, entry, "                ");
    for (size_t i = 0; i < entry->attached_count; i++) {
        char *what = xr_x509_oid_text(xr_attached_at(entry, i)->oid);

        (void)fputs("                attached to its key: ", out);
        xr_text_visible(out, what);
        (void)fputc('\n', out);
        free(what);
    }
    if (entry->remark != NULL) {
        (void)fputs("                ", out);
        xr_text_visible(out, entry->remark);
        (void)fputs("\n", out);
    }
    free(name);
}

void xr_text_list(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        size_t shown = 0;
        int width = purposes_width(run);

        xr_text_store(style, out, run->address);
        (void)fputs("\n", out);
        for (size_t k = 0; k < run->snapshot.count; k++) {
            for (size_t n = 0; n < run->snapshot.items[k]->count; n++) {
                const struct xr_entry *entry = run->snapshot.items[k]->entries[n];

                if (report->managed && !xr_report_managed(report, run, entry))
                    continue;
                if (shown++ == 0)
                    (void)fprintf(out, "  %-12s  %-12s  %-*s  %-*s  %s\n", "PLACE", "KIND", width,
                                  TRUSTED_FOR, NAME_WIDTH, "SUBJECT", "SHA-256");
                list_entry(style, out, report, entry, width);
            }
        }
        if (run->result == XR_RESULT_SKIPPED && run->why != NULL) {
            (void)fputs("  ", out);
            xr_text_visible(out, run->why);
            (void)fputs("\n", out);
        } else if (shown == 0 && run->why == NULL) {
            (void)fputs("  empty\n", out);
        }
    }
}

void xr_text_history(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    static const char *const stages[] = {"interrupted: see crossroot recover", "done",
                                         "rolled back", "not rolled back: see crossroot recover"};

    for (size_t i = report->journal.count; i-- > 0;) {
        const struct xr_transaction *t = &report->journal.items[i];

        (void)fprintf(out, "%s%s%s  ", BOLD(style), t->id, PLAIN(style));
        xr_text_time(out, t->at);
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
