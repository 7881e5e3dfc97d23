/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdlib.h>

/* As much of the caller's style as both sides know; the rest is zero. */
static struct xr_text_style whole(const struct xr_text_style *given)
{
    struct xr_text_style style = {.size = sizeof(style)};

    memcpy(&style, given, given->size < sizeof(style) ? given->size : sizeof(style));
    style.size = sizeof(style);
    return style;
}

void xr_report_text(const struct xr_report *report, const struct xr_text_style *given, FILE *out)
{
    const struct xr_text_style full = whole(given), *style = &full;

    /* A quiet report still tells what was refused, what failed and where a verifier says no. */
    if (style->quiet &&
        (report->verb == XR_VERB_INSPECT || report->verb == XR_VERB_STORES ||
         (report->verb == XR_VERB_READERS && !report->asked) || report->verb == XR_VERB_LIST ||
         report->verb == XR_VERB_DIFF || report->verb == XR_VERB_HISTORY ||
         (report->verb == XR_VERB_SHOW && !style->pem)))
        return;
    switch (report->verb) {
    case XR_VERB_INSPECT:
        xr_text_inspection(style, out, report);
        break;
    case XR_VERB_STORES:
        xr_text_stores(style, out, report);
        break;
    case XR_VERB_LIST:
        xr_text_list(style, out, report);
        break;
    case XR_VERB_SHOW:
        xr_text_shown(style, out, report);
        break;
    case XR_VERB_HISTORY:
        xr_text_history(style, out, report);
        break;
    case XR_VERB_EXTRACT:
        xr_text_written(style, out, report);
        break;
    case XR_VERB_READERS:
        xr_text_readers(style, out, report);
        break;
    case XR_VERB_DIFF:
        xr_text_diff(style, out, report);
        break;
    case XR_VERB_VERIFY:
        xr_text_answers(style, out, report);
        break;
    case XR_VERB_CHAIN:
        xr_text_chain(out, report);
        break;
    default:
        xr_text_changes(style, out, report);
        break;
    }
}

#define EACH 3u /* as many stores are named one by one that have the same message */

/* How many stores say what this one says; 0: this one was counted with an earlier one. */
static size_t stores_saying(const struct xr_report *report, size_t at)
{
    const struct xr_message *all = report->messages.items;
    size_t before = 0, later = 0;

    for (size_t i = 0; all[at].store != NULL && i < report->messages.count; i++) {
        if (i != at && all[i].store != NULL && all[i].level == all[at].level &&
            strcmp(all[i].text, all[at].text) == 0)
            *(i < at ? &before : &later) += 1;
    }
    if (before + later + 1 <= EACH)
        return 1;
    return before > 0 ? 0 : later + 1;
}

/* Each line of the text is wrapped for itself, and keeps its own indentation. */
static void put_message(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, const struct xr_message *message,
                        size_t stores, const char *color)
{
    const char *level = xr_tr(style->catalogue, xr_level_name(message->level));
    char *text = xr_text_said(style, message->text);
    int used = (int)strlen("crossroot: : ") + xr_text_cells(level);

    (void)fprintf(out, "crossroot: %s%s%s: ", color, level, color[0] ? PLAIN(style) : "");
    if (message->store != NULL) {
        const struct xr_run *run = xr_runs_find(&report->runs, message->store);
        char *name = run != NULL && !style->verbose ? xr_text_store_name(style, report, run)
                                                    : xr_visible(message->store);

        if (stores > 1) {
            char *first = name;

            name = xr_format(xr_tr(style->catalogue, "%s and %zu more stores"), first, stores - 1);
            free(first);
        }
        (void)fprintf(out, "%s: ", name);
        used += xr_text_cells(name) + 2;
        free(name);
    }
    for (const char *at = text; at != NULL;) {
        size_t blank = strspn(at, " "), len = strcspn(at, "\n");
        char *line = xr_format("%.*s", (int)(len - blank), at + blank);

        (void)fprintf(out, "%*s", (int)blank, "");
        xr_text_wrap(style, out, used + (int)blank, (int)blank + 2, line);
        free(line);
        at = at[len] == '\n' ? at + len + 1 : NULL;
        used = 0;
    }
    free(text);
}

void xr_report_messages(const struct xr_report *report, const struct xr_text_style *given,
                        FILE *out)
{
    const struct xr_text_style full = whole(given), *style = &full;

    for (size_t i = 0; i < report->messages.count; i++) {
        const struct xr_message *message = &report->messages.items[i];
        const char *color = message->level == XR_ERROR     ? RED(style)
                            : message->level == XR_WARNING ? YELLOW(style)
                                                           : "";
        size_t stores = style->verbose ? 1 : stores_saying(report, i);

        if (stores == 0 || (message->level == XR_INFO && (style->quiet || !style->verbose)) ||
            (message->level == XR_NOTE && style->quiet))
            continue;
        put_message(style, out, report, message, stores, color);
    }
}
