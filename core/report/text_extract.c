/* SPDX-License-Identifier: Apache-2.0 */
/* What extract wrote, for people: a line for each output, then what they do not have as the list has it. */
#include "text.h"

#include <stdlib.h>

#define NAMED       8u /* of one kind, unless verbose */
#define DIFFERENCES 20u

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_output(const struct xr_text_style *style, FILE *out, const struct xr_written *w,
                       bool dry)
{
    static const char *const states[] = {[XR_WRITTEN_NEW] = "",
                                         [XR_WRITTEN_SAME] = ", unchanged",
                                         [XR_WRITTEN_REPLACED] = ", replaced",
                                         [XR_WRITTEN_DIFFERS] = "",
                                         [XR_WRITTEN_FAILED] = ""};

    (void)fprintf(out, "%s=", w->format);
    xr_text_visible(out, w->path);
    if (w->state == XR_WRITTEN_FAILED) {
        (void)fprintf(out, ": %snot written%s\n", RED(style), PLAIN(style));
        return;
    }
    if (w->state == XR_WRITTEN_DIFFERS)
        (void)fprintf(out, ": %sdiffers%s, of", YELLOW(style), PLAIN(style));
    else
        (void)fputc(':', out);
    (void)fprintf(out, " %zu certificate%s", w->certs, plural(w->certs));
    if (w->files > 0)
        (void)fprintf(out, " in %zu file%s", w->files, plural(w->files));
    (void)fprintf(out, "%s%s\n", states[w->state],
                  dry && w->state != XR_WRITTEN_SAME ? ", not written" : "");
    for (size_t i = 0; i < w->differences.count && w->state == XR_WRITTEN_DIFFERS; i++) {
        if (i == DIFFERENCES && !style->verbose) {
            (void)fprintf(out, "  and %zu more\n", w->differences.count - i);
            break;
        }
        (void)fputs("  ", out);
        xr_text_visible(out, w->differences.items[i]);
        (void)fputc('\n', out);
    }
}

static bool same(const struct xr_left_out *a, const struct xr_left_out *b)
{
    return strcmp(a->why, b->why) == 0 && strcmp(a->name, b->name) == 0 &&
           memcmp(a->sha256, b->sha256, XR_SHA256_LEN) == 0;
}

static bool has(const struct xr_written *w, const struct xr_left_out *left)
{
    for (size_t i = 0; i < w->left_out.count; i++) {
        if (same(&w->left_out.items[i], left))
            return true;
    }
    return false;
}

/* One certificate, and the outputs that it is said of, unless these are all. */
static void put_left(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     const struct xr_left_out *left)
{
    struct xr_buf line = {0}, formats = {0};
    size_t count = 0;

    for (size_t i = 0; i < report->written.count; i++) {
        if (has(&report->written.items[i], left))
            xr_buf_fmt(&formats, "%s%s", count++ > 0 ? ", " : "", report->written.items[i].format);
    }
    xr_buf_fmt(&line, "%s: %s", left->name, left->why);
    if (count < report->written.count)
        xr_buf_fmt(&line, " (%s)", formats.data);
    (void)fputs("  ", out);
    xr_text_wrap(style, out, 2, 4, line.data);
    xr_buf_free(&line);
    xr_buf_free(&formats);
}

/* Those of one kind, each once. */
static void put_kind(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     bool kept, const char *title)
{
    size_t shown = 0;

    for (size_t i = 0; i < report->written.count; i++) {
        const struct xr_written *w = &report->written.items[i];

        for (size_t k = 0; k < w->left_out.count; k++) {
            const struct xr_left_out *left = &w->left_out.items[k];
            bool seen = left->plain || left->kept != kept;

            for (size_t j = 0; !seen && j < i; j++)
                seen = has(&report->written.items[j], left);
            if (seen)
                continue;
            if (shown++ == 0)
                (void)fprintf(out, "%s\n", title);
            if (shown <= NAMED || style->verbose)
                put_left(style, out, report, left);
        }
    }
    if (shown > NAMED && !style->verbose)
        (void)fprintf(out, "  and %zu more; -v names them\n", shown - NAMED);
}

/* "pem: 47 not trusted for server, 2 trusted for nothing". */
static void put_counts(const struct xr_text_style *style, FILE *out, const struct xr_written *w)
{
    struct xr_buf line = {0};
    size_t kinds = 0;

    for (size_t i = 0; i < w->left_out.count; i++) {
        const struct xr_left_out *left = &w->left_out.items[i];
        size_t count = 1;
        bool seen = !left->plain;

        for (size_t k = 0; !seen && k < i; k++)
            seen = strcmp(w->left_out.items[k].why, left->why) == 0;
        for (size_t k = i + 1; !seen && k < w->left_out.count; k++)
            count += strcmp(w->left_out.items[k].why, left->why) == 0;
        if (!seen)
            xr_buf_fmt(&line, "%s%zu %s", kinds++ > 0 ? ", " : "", count, left->why);
    }
    if (kinds > 0) {
        (void)fputs("  left out: ", out);
        xr_text_wrap(style, out, 12, 4, line.data);
    }
    xr_buf_free(&line);
}

void xr_text_written(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->written.count; i++) {
        const struct xr_written *w = &report->written.items[i];

        if (w->to_stdout) {
            (void)fwrite(w->content.data, 1, w->content.len, out);
            return;
        }
        if (style->quiet)
            continue;
        put_output(style, out, w, report->dry_run);
        put_counts(style, out, w);
    }
    if (style->quiet)
        return;
    put_kind(style, out, report, false, "Left out:");
    put_kind(style, out, report, true, "Not said of:");
}
