/* SPDX-License-Identifier: Apache-2.0 */
/* Shift_JIS and EUC-JP, only as far as fingerprints need them: ASCII, and the full-width digits, letters,
 * colon, minus and blank. The second byte of a Shift_JIS character may be an ASCII letter, which must not
 * be taken for a digit; what is not listed here becomes a question mark. */
#include "page_text.h"

#include <strings.h>

enum coding { CODING_OTHER, CODING_SJIS, CODING_EUC };

#define DECLARED_WITHIN 4096u

/* By its cell in JIS X 0208, which both codings arrange in their own way. */
static uint32_t character(unsigned row, unsigned cell)
{
    if (row == 3 &&
        ((cell >= 16 && cell <= 25) || (cell >= 33 && cell <= 58) || (cell >= 65 && cell <= 90)))
        return 0xff00u + cell;
    if (row == 1 && cell == 1)
        return 0x3000;
    if (row == 1 && cell == 7)
        return 0xff1a; /* colon */
    if (row == 1 && cell == 61)
        return 0xff0d; /* minus */
    return '?';
}

/* The character at the beginning of text, and in how many bytes; 0: it is none of that coding. */
static size_t sjis_next(uint32_t *out, struct xr_bytes text)
{
    unsigned a = text.data[0], b = text.len > 1 ? text.data[1] : 0, row = 0;

    *out = a < 0x80 ? a : '?';
    if (a < 0x80 || (a >= 0xa1 && a <= 0xdf)) /* half-width katakana are one byte each */
        return 1;
    if (a == 0x80 || a == 0xa0 || a > 0xfc || b < 0x40 || b == 0x7f || b > 0xfc)
        return 0;
    row = 2 * (a - (a < 0xa0 ? 0x81 : 0xc1)) + 1;
    if (b >= 0x9f)
        *out = character(row + 1, b - 0x9e);
    else
        *out = character(row, b - (b > 0x7f ? 0x40 : 0x3f));
    return 2;
}

static size_t euc_next(uint32_t *out, struct xr_bytes text)
{
    unsigned a = text.data[0];
    size_t len = a == 0x8f ? 3 : 2;

    *out = a < 0x80 ? a : '?';
    if (a < 0x80)
        return 1;
    if ((a < 0xa1 && a != 0x8e && a != 0x8f) || a > 0xfe || text.len < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (text.data[i] < 0xa1 || text.data[i] > 0xfe)
            return 0;
    }
    if (a >= 0xa1)
        *out = character(a - 0xa0, text.data[1] - 0xa0u);
    return len;
}

static size_t next(uint32_t *out, enum coding coding, struct xr_bytes text)
{
    return coding == CODING_SJIS ? sjis_next(out, text) : euc_next(out, text);
}

static bool is_all(enum coding coding, struct xr_bytes text)
{
    while (text.len > 0) {
        uint32_t c = 0;
        size_t used =
            coding == CODING_OTHER ? xr_utf8_next(&c, text.data, text.len) : next(&c, coding, text);

        if (used == 0)
            return false;
        text.data += used;
        text.len -= used;
    }
    return true;
}

static enum coding declared(struct xr_bytes text)
{
    static const struct {
        const char *name;
        enum coding coding;
    } names[] = {
        {"shift_jis", CODING_SJIS},   {"shift-jis", CODING_SJIS}, {"x-sjis", CODING_SJIS},
        {"sjis", CODING_SJIS},        {"cp932", CODING_SJIS},     {"ms932", CODING_SJIS},
        {"windows-31j", CODING_SJIS}, {"euc-jp", CODING_EUC},     {"x-euc-jp", CODING_EUC}};
    static const char word[] = "charset=";
    size_t most = text.len < DECLARED_WITHIN ? text.len : DECLARED_WITHIN;

    for (size_t at = 0; at + sizeof(word) - 1 < most; at++) {
        const char *name = (const char *)text.data + at + sizeof(word) - 1;
        size_t left = most - at - (sizeof(word) - 1);

        if (strncasecmp((const char *)text.data + at, word, sizeof(word) - 1) != 0)
            continue;
        if (*name == '"' || *name == '\'') {
            name++;
            left--;
        }
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (left >= strlen(names[i].name) &&
                strncasecmp(name, names[i].name, strlen(names[i].name)) == 0)
                return names[i].coding;
        }
    }
    return CODING_OTHER;
}

/* A page that is UTF-8 is that, whatever it says. */
static enum coding coding_of(struct xr_bytes text)
{
    enum coding coding = CODING_OTHER;

    if (is_all(CODING_OTHER, text))
        return CODING_OTHER;
    coding = declared(text);
    if (coding == CODING_OTHER && is_all(CODING_EUC, text))
        coding = CODING_EUC;
    if (coding == CODING_OTHER && is_all(CODING_SJIS, text))
        coding = CODING_SJIS;
    return coding;
}

bool xr_page_japanese(struct xr_buf *out, struct xr_bytes text)
{
    enum coding coding = coding_of(text);

    while (coding != CODING_OTHER && text.len > 0) {
        uint32_t c = '?';
        size_t used = next(&c, coding, text);

        xr_page_put(out, used > 0 ? c : '?');
        used = used > 0 ? used : 1;
        text.data += used;
        text.len -= used;
    }
    return coding != CODING_OTHER;
}
