/* SPDX-License-Identifier: Apache-2.0 */
/* What extract wrote, for people: a line for each output, then what they do not have as the list has it. */
#include "text.h"

#include <stdlib.h>

#define NAMED       8u /* of one kind, unless verbose */
#define DIFFERENCES 20u

/* "137 certificates in 2 files", allocated. */
static char *amount(const struct xr_text_style *style, const struct xr_written *w)
{
    const struct xr_catalogue *language = style->catalogue;
    char *certs =
        xr_format(xr_tr_n(language, "%zu certificate", "%zu certificates", w->certs), w->certs);
    char *text = NULL;

    if (w->files == 0)
        return certs;
    text = xr_format(xr_tr_n(language, "%s in %zu file", "%s in %zu files", w->files), certs,
                     w->files);
    free(certs);
    return text;
}

static void put_more(const struct xr_text_style *style, FILE *out, size_t count, bool verbose_names)
{
    (void)fputs("  ", out);
    if (verbose_names)
        (void)fprintf(out,
                      xr_tr_n(style->catalogue, "and %zu more; -v names them",
                              "and %zu more; -v names them", count),
                      count);
    else
        (void)fprintf(out, xr_tr_n(style->catalogue, "and %zu more", "and %zu more", count), count);
    (void)fputs("\n", out);
}

static void put_output(const struct xr_text_style *style, FILE *out, const struct xr_written *w,
                       bool dry)
{
    const struct xr_catalogue *language = style->catalogue;
    const char *state = "";
    char *text = NULL;

    (void)fprintf(out, "%s=", w->format);
    xr_text_visible(out, w->path);
    if (w->state == XR_WRITTEN_FAILED) {
        (void)fprintf(out, ": %s%s%s\n", RED(style), xr_tr(language, "not written"), PLAIN(style));
        return;
    }
    text = amount(style, w);
    (void)fputs(": ", out);
    if (w->state == XR_WRITTEN_DIFFERS)
        (void)fprintf(out, xr_tr(language, "%sdiffers%s, of %s"), YELLOW(style), PLAIN(style),
                      text);
    else
        (void)fputs(text, out);
    free(text);
    if (w->state == XR_WRITTEN_SAME)
        state = xr_tr(language, ", unchanged");
    else if (w->state == XR_WRITTEN_REPLACED)
        state = dry ? xr_tr(language, ", would be replaced") : xr_tr(language, ", replaced");
    else if (dry)
        state = w->state == XR_WRITTEN_NEW ? xr_tr(language, ", would be written")
                                           : xr_tr(language, ", would be replaced");
    (void)fprintf(out, "%s\n", state);
    for (size_t i = 0; i < w->differences.count && w->state == XR_WRITTEN_DIFFERS; i++) {
        if (i == DIFFERENCES && !style->verbose) {
            put_more(style, out, w->differences.count - i, false);
            break;
        }
        text = xr_text_said(style, w->differences.items[i]);
        (void)fputs("  ", out);
        xr_text_visible(out, text);
        (void)fputc('\n', out);
        free(text);
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

/* " (pem, java)", or " (all but java)"; nothing if it is of all. marks: which outputs. */
static void put_formats(struct xr_buf *out, const struct xr_text_style *style,
                        const struct xr_report *report, const bool *marks)
{
    size_t all = report->written.count, count = 0, n = 0;
    bool others = false;
    struct xr_buf names = {0};

    for (size_t i = 0; i < all; i++)
        count += marks[i];
    if (count == all)
        return;
    others = count > all - count;
    for (size_t i = 0; i < all; i++) {
        if (marks[i] != others)
            xr_buf_fmt(&names, "%s%s", n++ > 0 ? xr_text_between(style) : "",
                       report->written.items[i].format);
    }
    if (others)
        xr_buf_fmt(out, xr_tr(style->catalogue, " (all but %s)"), names.data);
    else
        xr_buf_fmt(out, " (%s)", names.data);
    xr_buf_free(&names);
}

/* One certificate, and the outputs that it is said of, unless these are all. */
static void put_left(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     const struct xr_left_out *left)
{
    bool *marks = xr_new(report->written.count, sizeof(*marks));
    struct xr_buf line = {0};
    char *why = xr_text_said(style, left->why);

    for (size_t i = 0; i < report->written.count; i++)
        marks[i] = has(&report->written.items[i], left);
    xr_buf_fmt(&line, "%s: %s", left->name, why);
    put_formats(&line, style, report, marks);
    (void)fputs("  ", out);
    xr_text_wrap(style, out, 2, 4, line.data);
    xr_buf_free(&line);
    free(marks);
    free(why);
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
            bool seen = (left->plain && !style->verbose) || left->kept != kept ||
                        (w->state == XR_WRITTEN_FAILED && !w->empty);

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
        put_more(style, out, shown - NAMED, true);
}

/* "47 not trusted for server, 2 trusted for nothing", allocated; NULL: nothing is left out so. */
static char *counts_of(const struct xr_text_style *style, const struct xr_written *w)
{
    struct xr_buf line = {0};
    size_t kinds = 0;

    for (size_t i = 0; i < w->left_out.count && (w->state != XR_WRITTEN_FAILED || w->empty); i++) {
        const struct xr_left_out *left = &w->left_out.items[i];
        size_t count = 1;
        bool seen = !left->plain;

        for (size_t k = 0; !seen && k < i; k++)
            seen = strcmp(w->left_out.items[k].why, left->why) == 0;
        for (size_t k = i + 1; !seen && k < w->left_out.count; k++)
            count += strcmp(w->left_out.items[k].why, left->why) == 0;
        if (!seen) {
            char *why = xr_text_said(style, left->why);

            xr_buf_fmt(&line, "%s%zu %s", kinds++ > 0 ? xr_text_between(style) : "", count, why);
            free(why);
        }
    }
    return line.data;
}

/* Once for all outputs that leave out the same. */
static void put_counts(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    size_t all = report->written.count;
    char **counts = xr_new(all, sizeof(*counts));
    bool *marks = xr_new(all, sizeof(*marks));

    for (size_t i = 0; i < all; i++)
        counts[i] = counts_of(style, &report->written.items[i]);
    for (size_t i = 0; i < all; i++) {
        struct xr_buf list = {0};
        char *line = NULL;
        bool seen = counts[i] == NULL;

        for (size_t k = 0; k < all; k++) {
            marks[k] = counts[i] != NULL && counts[k] != NULL && strcmp(counts[i], counts[k]) == 0;
            seen = seen || (k < i && marks[k]);
        }
        if (seen)
            continue;
        xr_buf_str(&list, counts[i]);
        put_formats(&list, style, report, marks);
        line = xr_format(xr_tr(style->catalogue, "without %s"), list.data);
        xr_text_wrap(style, out, 0, 2, line);
        free(line);
        xr_buf_free(&list);
    }
    for (size_t i = 0; i < all; i++)
        free(counts[i]);
    free(counts);
    free(marks);
}

void xr_text_written(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->written.count; i++) {
        const struct xr_written *w = &report->written.items[i];

        if (w->to_stdout) {
            (void)fwrite(w->content.data, 1, w->content.len, out);
            return;
        }
        if (!style->quiet)
            put_output(style, out, w, report->dry_run);
    }
    if (style->quiet || report->written.count == 0)
        return;
    put_counts(style, out, report);
    put_kind(style, out, report, false, xr_tr(style->catalogue, "Cannot be in this format:"));
    put_kind(style, out, report, true, xr_tr(style->catalogue, "Cannot be said in this format:"));
}
