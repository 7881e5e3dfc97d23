/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

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

    if (style->quiet)
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
    case XR_VERB_HISTORY:
        xr_text_history(style, out, report);
        break;
    case XR_VERB_VERIFY:
        xr_text_answers(style, out, report);
        break;
    default:
        xr_text_changes(style, out, report);
        break;
    }
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

        if ((message->level == XR_INFO && (style->quiet || !style->verbose)) ||
            (message->level == XR_NOTE && style->quiet))
            continue;
        (void)fprintf(out, "crossroot: %s%s%s: ", color, xr_level_name(message->level),
                      color[0] ? PLAIN(style) : "");
        if (message->store != NULL) {
            xr_text_visible(out, message->store);
            (void)fputs(": ", out);
        }
        (void)fprintf(out, "%s\n", message->text);
    }
}
