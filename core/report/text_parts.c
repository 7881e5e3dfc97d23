/* SPDX-License-Identifier: Apache-2.0 */
/* What several kinds of text have in common. */
#include "text.h"

#include "sys/sys.h"

#include <limits.h>
#include <stdlib.h>

const char *xr_text_paint(const struct xr_text_style *style, const char *code)
{
    return style->color ? code : "";
}

void xr_text_visible(FILE *out, const char *text)
{
    char *visible = xr_visible(text);

    (void)fputs(visible, out);
    free(visible);
}

/* The first character of text that is not empty: gives its bytes, and the cells it takes. */
static size_t next_char(int *cells, const char *text, size_t left)
{
    uint32_t c = 0;
    size_t used = xr_utf8_next(&c, (const unsigned char *)text, left);
    bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff);

    *cells = used > 0 && wide ? 2 : 1;
    return used > 0 ? used : 1;
}

/* How many bytes of the text fit into that many cells; gives the cells they take. */
static size_t fitting(int *cells, const char *text, size_t len, int most)
{
    size_t at = 0;

    *cells = 0;
    while (at < len) {
        int one = 0;
        size_t used = next_char(&one, text + at, len - at);

        if (one > most - *cells)
            break;
        *cells += one;
        at += used;
    }
    return at;
}

int xr_text_cells(const char *text)
{
    int cells = 0;

    (void)fitting(&cells, text, strlen(text), INT_MAX);
    return cells;
}

void xr_text_padded(FILE *out, const char *text, int width)
{
    int used = xr_text_cells(text);

    (void)fprintf(out, "%s%*s", text, used < width ? width - used : 0, "");
}

int xr_text_cut(FILE *out, const char *text, int cells)
{
    size_t len = strlen(text), fits = 0;
    int used = 0;

    if (fitting(&used, text, len, cells) == len) {
        (void)fputs(text, out);
        return used;
    }
    fits = fitting(&used, text, len, cells - 1);
    (void)fwrite(text, 1, fits, out);
    (void)fputs("…", out);
    return used + 1;
}

void xr_text_column(FILE *out, const char *text, int cells)
{
    int used = xr_text_cut(out, text, cells);

    (void)fprintf(out, "%*s", used < cells ? cells - used : 0, "");
}

/* A line that is being filled. */
struct line {
    FILE *out;
    int used, indent, width;
    bool begun; /* has a word before the next one */
};

static void break_line(struct line *line)
{
    (void)fprintf(line->out, "\n%*s", line->indent, "");
    line->used = line->indent;
    line->begun = false;
}

static void put_word(struct line *line, const char *word, size_t len)
{
    int cells = 0;

    (void)fitting(&cells, word, len, INT_MAX);
    if ((line->begun || line->used > line->indent) &&
        cells + line->begun > line->width - line->used)
        break_line(line);
    if (line->begun) {
        (void)fputc(' ', line->out);
        line->used++;
    }
    while (len > 0) {
        size_t fits = fitting(&cells, word, len, line->width - line->used);

        if (fits == 0) {
            break_line(line);
            continue;
        }
        (void)fwrite(word, 1, fits, line->out);
        word += fits;
        len -= fits;
        line->used += cells;
    }
    line->begun = true;
}

void xr_text_wrap(const struct xr_text_style *style, FILE *out, int used, int indent,
                  const char *text)
{
    /* A line must have room for something. */
    int least = indent + 20;
    struct line line = {out, used, indent, (int)style->width > least ? (int)style->width : least,
                        false};

    /* A line that fits keeps its blanks: they may be columns. */
    if (style->width == 0 || xr_text_cells(text) <= line.width - used) {
        (void)fprintf(out, "%s\n", text);
        return;
    }
    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        if (len > 0)
            put_word(&line, text, len);
        text += len + (text[len] == ' ');
    }
    (void)fputc('\n', out);
}

void xr_text_wrap_visible(const struct xr_text_style *style, FILE *out, int used, int indent,
                          const char *text)
{
    char *visible = xr_visible(text);

    xr_text_wrap(style, out, used, indent, visible);
    free(visible);
}

void xr_text_hex(FILE *out, const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    (void)fputs(text, out);
}

void xr_text_time(FILE *out, int64_t at)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, at);
    (void)fputs(text, out);
}

void xr_text_when(const struct xr_text_style *style, FILE *out, int64_t at)
{
    char text[64];

    if (style->local_time == NULL) {
        xr_text_time(out, at);
        return;
    }
    style->local_time(text, sizeof(text), at);
    xr_text_visible(out, text);
}

void xr_text_name(FILE *out, const struct xr_report *report, size_t at)
{
    char *name = xr_report_name(report, at);

    (void)fputs(name, out);
    free(name);
}

int xr_text_title(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                  const struct xr_run *run)
{
    char *name = style->verbose ? xr_visible(run->address) : xr_report_store_name(report, run);
    int used = xr_text_cells(name);

    (void)fprintf(out, "%s%s%s", BOLD(style), name, PLAIN(style));
    free(name);
    return used;
}

void xr_text_store_line(const struct xr_text_style *style, FILE *out, const char *address)
{
    (void)fputs(BOLD(style), out);
    xr_text_wrap_visible(style, out, 0, 2, address);
    (void)fputs(PLAIN(style), out);
}

void xr_text_id_digits(const struct xr_text_style *style, FILE *out,
                       const struct xr_subject *subject)
{
    bool whole = style->width == 0 || style->verbose;

    xr_text_hex(out, subject->id, whole ? sizeof(subject->id) : XR_TEXT_ID_DIGITS / 2);
}

void xr_text_id(const struct xr_text_style *style, FILE *out, const struct xr_subject *subject)
{
    xr_text_id_digits(style, out, subject);
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL)
        (void)fputs(" (of issuer and serial number)", out);
    else if (subject->type == XR_SUBJECT_KEY)
        (void)fputs(" (of the key)", out);
}

void xr_text_issuer_serial(const struct xr_text_style *style, FILE *out,
                           const struct xr_entry *entry, int indent)
{
    char *issuer = xr_x509_name_short(entry->issuer);
    char *serial = xr_x509_serial_text(entry->serial);
    char *text = xr_format("issued by %s, serial number %s", issuer, serial);

    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_visible(style, out, indent, indent + 2, text);
    free(text);
    free(issuer);
    free(serial);
}
