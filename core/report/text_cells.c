/* SPDX-License-Identifier: Apache-2.0 */
/* Columns and lines of a terminal, in cells: East Asian wide characters take two. */
#include "text.h"

#include <limits.h>
#include <stdlib.h>

/* The first character of text that is not empty: gives its bytes, itself (0 if it is none), and the cells
 * it takes. */
static size_t next_char(uint32_t *out, int *cells, const char *text, size_t left)
{
    uint32_t c = 0;
    size_t used = xr_utf8_next(&c, (const unsigned char *)text, left);
    bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff);

    *out = used > 0 ? c : 0;
    *cells = used > 0 && wide ? 2 : 1;
    return used > 0 ? used : 1;
}

/* How many bytes of the text fit into that many cells; gives the cells they take. */
static size_t fitting(int *cells, const char *text, size_t len, int most)
{
    size_t at = 0;

    *cells = 0;
    while (at < len) {
        uint32_t c = 0;
        int one = 0;
        size_t used = next_char(&c, &one, text + at, len - at);

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
    bool begun; /* has a piece before the next one */
};

static void break_line(struct line *line)
{
    (void)fprintf(line->out, "\n%*s", line->indent, "");
    line->used = line->indent;
    line->begun = false;
}

/* What no line begins with, and what none ends with, where it stands beside a wide character: what is
 * common to JIS X 4051 and Unicode's UAX #14. */
#define NOT_FIRST                                                                             \
    "、。，．・：；？！）］｝」』】〉》〕’”ー〜々ゝゞヽヾ％…" \
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"                      \
    ")]},.:;?!%/\"'"
#define NOT_LAST "（［｛「『【〈《〔‘“([{\"'"

static bool among(const char *list, uint32_t wanted)
{
    size_t left = strlen(list), used = 0;
    uint32_t c = 0;
    int cells = 0;

    for (; left > 0; list += used, left -= used) {
        used = next_char(&c, &cells, list, left);
        if (c == wanted)
            return true;
    }
    return false;
}

/* Bytes of the word up to where a line may be broken: beside a wide character. */
static size_t piece_of(const char *word, size_t len)
{
    uint32_t c = 0, before = 0;
    int cells = 0, cells_before = 0;
    size_t at = next_char(&c, &cells, word, len), used = 0;

    for (; at < len; at += used) {
        before = c;
        cells_before = cells;
        used = next_char(&c, &cells, word + at, len - at);
        if ((cells == 2 || cells_before == 2) && !among(NOT_FIRST, c) && !among(NOT_LAST, before))
            break;
    }
    return at;
}

/* spaced: a blank stands before it. */
static void put_piece(struct line *line, const char *word, size_t len, bool spaced)
{
    int cells = 0;
    bool gap = spaced && line->begun;

    (void)fitting(&cells, word, len, INT_MAX);
    if ((line->begun || line->used > line->indent) && cells + gap > line->width - line->used) {
        break_line(line);
        gap = false;
    }
    if (gap) {
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

        for (size_t at = 0, piece = 0; at < len; at += piece) {
            piece = piece_of(text + at, len - at);
            put_piece(&line, text + at, piece, at == 0);
        }
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
