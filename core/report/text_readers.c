/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and what they read, for people. Programs of which the same is to be said stand together. */
#include "text.h"

#include <stdlib.h>

#define WORD_INDENT 5 /* after "yes  " */

/* "curl 7.88.1", with its path where that tells it from another one. */
static char *title(const struct xr_text_style *style, const struct xr_report *report, size_t at)
{
    const struct xr_reader_row *reader = &report->readers.items[at];
    bool twin = style->verbose;
    char *name = xr_text_said(style, reader->name);
    struct xr_buf text = {0};

    for (size_t i = 0; !twin && i < report->readers.count; i++) {
        const struct xr_reader_row *other = &report->readers.items[i];

        twin =
            i != at && strcmp(other->name, reader->name) == 0 &&
            (other->version == NULL || reader->version == NULL ||
             strcmp(other->version, reader->version) == 0) &&
            (other->path == NULL || reader->path == NULL || strcmp(other->path, reader->path) != 0);
    }
    xr_buf_str(&text, name);
    if (reader->version != NULL)
        xr_buf_fmt(&text, " %s", reader->version);
    if (reader->user != NULL)
        xr_buf_fmt(&text, xr_tr(style->catalogue, " of %s"), reader->user);
    if (twin && reader->path != NULL)
        xr_buf_fmt(&text, " (%s)", reader->path);
    free(name);
    return text.data;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_reads(const struct xr_reader_row *a, const struct xr_reader_row *b)
{
    bool same = a->reads.count == b->reads.count && a->program->cross == b->program->cross &&
                same_text(a->cannot, b->cannot) && (a->reads.count > 0 || a->cannot != NULL);

    for (size_t i = 0; same && i < a->reads.count; i++) {
        const struct xr_read *one = &a->reads.items[i], *two = &b->reads.items[i];

        same = one->kind == two->kind && one->own == two->own && same_text(one->path, two->path) &&
               same_text(one->store, two->store) && same_text(one->by, two->by);
    }
    return same;
}

static bool same_answer(const struct xr_reader_row *a, const struct xr_reader_row *b)
{
    return a->answer == b->answer && same_text(a->decides, b->decides) && same_text(a->why, b->why);
}

/* Names of all that are like the one at that index, in a line; those are marked as done. */
static void put_names(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                      size_t at, int used, bool *done,
                      bool (*same)(const struct xr_reader_row *a, const struct xr_reader_row *b))
{
    struct xr_buf names = {0};

    for (size_t i = at; i < report->readers.count; i++) {
        char *name = NULL;

        if (done[i] || !(i == at || same(&report->readers.items[at], &report->readers.items[i])))
            continue;
        name = title(style, report, i);
        xr_buf_fmt(&names, "%s%s", names.len > 0 ? xr_text_between(style) : "", name);
        done[i] = true;
        free(name);
    }
    xr_text_wrap_visible(style, out, used, used, names.data);
    xr_buf_free(&names);
}

/* Frees the text. */
static void put_line(const struct xr_text_style *style, FILE *out, int indent, char *text)
{
    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_visible(style, out, indent, indent + 2, text);
    free(text);
}

static char *read_text(const struct xr_text_style *style, const struct xr_read *read)
{
    static const char *const kinds[] = {
        [XR_READ_IS_BUNDLE] = "",   [XR_READ_IS_HASHED] = "/HASH.N", [XR_READ_IS_FILES] = "/*",
        [XR_READ_IS_KEYSTORE] = "", [XR_READ_IS_ELF] = "",           [XR_READ_IS_STORE] = ""};
    struct xr_buf text = {0};

    if (read->kind == XR_READ_IS_STORE)
        xr_buf_str(&text, read->own ? xr_tr(style->catalogue, "its own roots") : read->store);
    else if (read->own)
        xr_buf_fmt(&text, xr_tr(style->catalogue, "its own copy: %s%s"), read->path,
                   kinds[read->kind]);
    else
        xr_buf_fmt(&text, "%s%s", read->path, kinds[read->kind]);
    if (read->kind != XR_READ_IS_STORE && read->store != NULL)
        xr_buf_fmt(&text, "  (%s)", read->store);
    if (read->by != NULL) {
        char *by = xr_text_said(style, read->by);

        xr_buf_fmt(&text, xr_tr(style->catalogue, "  by %s"), by);
        free(by);
    }
    return text.data;
}

static void put_reads(const struct xr_text_style *style, FILE *out,
                      const struct xr_reader_row *reader)
{
    static const char *const counts[] = {
        [XR_COUNTS_AS_ANCHOR] = N_("a CA there that another CA signed is an anchor too"),
        [XR_COUNTS_FOR_PATHS] = N_("a CA there that another CA signed only completes paths"),
        [XR_COUNTS_NOT] = N_("a CA there that another CA signed counts for nothing"),
    };

    for (size_t i = 0; i < reader->reads.count; i++)
        put_line(style, out, 2, read_text(style, &reader->reads.items[i]));
    if (reader->reads.count > 0 && reader->program->engine != XR_ENGINE_BROWSER)
        put_line(style, out, 2, xr_strdup(xr_tr(style->catalogue, counts[reader->program->cross])));
    if (reader->cannot != NULL) {
        char *why = xr_text_said(style, reader->cannot);

        put_line(style, out, 2, xr_format(xr_tr(style->catalogue, "cannot tell: %s"), why));
        free(why);
    }
}

/* Of each that is not as measured one line at the end. */
static void put_unmeasured(const struct xr_text_style *style, FILE *out,
                           const struct xr_report *report)
{
    bool first = true;

    for (size_t i = 0; i < report->readers.count; i++) {
        const struct xr_reader_row *reader = &report->readers.items[i];
        char *name = NULL, *measured = NULL;

        if (reader->measured || reader->path == NULL)
            continue;
        name = title(style, report, i);
        measured = xr_text_said(style, reader->program->measured);
        if (first)
            (void)fprintf(out, "\n%s\n",
                          xr_tr(style->catalogue, "Not the versions that were measured:"));
        first = false;
        put_line(style, out, 2,
                 xr_format(xr_tr(style->catalogue, "%s: measured with %s"), name, measured));
        free(measured);
        free(name);
    }
}

static void put_list(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                     bool *done)
{
    bool first = true;

    for (size_t i = 0; i < report->readers.count; i++) {
        if (done[i])
            continue;
        if (!first)
            (void)fputs("\n", out);
        first = false;
        (void)fputs(BOLD(style), out);
        put_names(style, out, report, i, 0, done, same_reads);
        (void)fputs(PLAIN(style), out);
        put_reads(style, out, &report->readers.items[i]);
    }
    put_unmeasured(style, out, report);
}

/* What the answer comes from, and why. */
static void put_reason(const struct xr_text_style *style, FILE *out,
                       const struct xr_reader_row *reader)
{
    struct xr_buf text = {0};

    if (reader->decides != NULL)
        xr_buf_fmt(&text, xr_tr(style->catalogue, "by %s"), reader->decides);
    if (reader->why != NULL && reader->why[0] != '\0') {
        char *why = xr_text_said(style, reader->why);

        xr_buf_fmt(&text, "%s%s", text.len > 0 ? ": " : "", why);
        free(why);
    }
    if (text.len > 0)
        put_line(style, out, WORD_INDENT + 2, text.data);
}

static void put_answers(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, bool *done)
{
    static const enum xr_answer order[] = {XR_YES, XR_NO, XR_UNKNOWN};
    static const char *const words[] = {
        [XR_UNKNOWN] = "?", [XR_YES] = N_("yes"), [XR_NO] = N_("no")};

    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < report->readers.count; i++) {
            const struct xr_reader_row *reader = &report->readers.items[i];

            if (reader->answer != order[k] || done[i])
                continue;
            if (style->quiet && order[k] != XR_NO)
                continue;
            (void)fputs(order[k] == XR_YES  ? GREEN(style)
                        : order[k] == XR_NO ? RED(style)
                                            : YELLOW(style),
                        out);
            xr_text_padded(out, xr_tr(style->catalogue, words[order[k]]), WORD_INDENT - 1);
            (void)fprintf(out, "%s ", PLAIN(style));
            put_names(style, out, report, i, WORD_INDENT, done, same_answer);
            put_reason(style, out, reader);
        }
    }
}

void xr_text_readers(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    bool *done = xr_new(report->readers.count + 1, sizeof(*done));

    if (report->asked)
        put_answers(style, out, report, done);
    else
        put_list(style, out, report, done);
    free(done);
}
