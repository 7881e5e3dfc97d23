/* SPDX-License-Identifier: Apache-2.0 */
#include "page_text.h"

#include "kit/pem.h"

#include <strings.h>

#define TAG_MAX    4096u
#define PART_LEAST 8u  /* digits of a value before it is broken */
#define PART_MOST  63u /* a SHA-256 has one more */

void xr_page_put(struct xr_buf *out, uint32_t c)
{
    const unsigned char two[] = {(unsigned char)(0xc0u | c >> 6),
                                 (unsigned char)(0x80u | (c & 0x3fu))};
    const unsigned char three[] = {(unsigned char)(0xe0u | c >> 12),
                                   (unsigned char)(0x80u | (c >> 6 & 0x3fu)),
                                   (unsigned char)(0x80u | (c & 0x3fu))};
    unsigned char one = (unsigned char)c;

    if (c < 0x80)
        xr_buf_add(out, &one, 1);
    else if (c < 0x800)
        xr_buf_add(out, two, sizeof(two));
    else
        xr_buf_add(out, three, sizeof(three));
}

bool xr_page_utf8(struct xr_buf *out, struct xr_bytes text)
{
    bool big = text.len >= 2 && text.data[0] == 0xfe && text.data[1] == 0xff;
    bool little = text.len >= 2 && text.data[0] == 0xff && text.data[1] == 0xfe;

    for (size_t at = 2; (big || little) && at + 1 < text.len; at += 2) {
        uint32_t c = (uint32_t)text.data[at + big] | (uint32_t)text.data[at + !big] << 8;

        xr_page_put(out,
                    c >= 0xd800 && c < 0xe000 ? '?' : c); /* nothing beyond is in a fingerprint */
    }
    return big || little;
}

/* Length of a tag or comment at the beginning of text; 0: it is none. */
static size_t tag_len(struct xr_bytes text)
{
    size_t most = text.len < TAG_MAX ? text.len : TAG_MAX;
    const unsigned char *end = NULL;
    unsigned char c = text.len > 1 ? text.data[1] | 0x20u : 0;

    if (text.len < 3 || text.data[0] != '<' ||
        !((c >= 'a' && c <= 'z') || text.data[1] == '/' || text.data[1] == '!'))
        return 0;
    end = memchr(text.data, '>', most);
    return end != NULL ? (size_t)(end + 1 - text.data) : 0;
}

struct mark {
    const char *text;
    size_t len;
    const char *shown; /* NULL: nothing */
};

/* An entity or a character that stands for nothing, or for a blank. */
static const struct mark *mark_at(struct xr_bytes text)
{
    static const struct mark marks[] = {
        {"&nbsp;", 6, " "},  {"&#160;", 6, " "},    {"&#xa0;", 6, " "},        {"&shy;", 5, NULL},
        {"&#173;", 6, NULL}, {"&#xad;", 6, NULL},   {"&#8203;", 7, NULL},      {"&zwnj;", 6, NULL},
        {"&#58;", 5, ":"},   {"\xc2\xad", 2, NULL}, {"\xef\xbb\xbf", 3, NULL},
    };

    if (text.data[0] != '&' && text.data[0] < 0x80)
        return NULL;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (text.len >= marks[i].len &&
            strncasecmp((const char *)text.data, marks[i].text, marks[i].len) == 0)
            return &marks[i];
    }
    return NULL;
}

static bool unseen(struct xr_bytes text) /* U+200B to U+200F, U+2060 to U+206F */
{
    return text.len >= 3 && text.data[0] == 0xe2 &&
           ((text.data[1] == 0x80 && text.data[2] >= 0x8b && text.data[2] <= 0x8f) ||
            (text.data[1] == 0x81 && text.data[2] >= 0xa0 && text.data[2] <= 0xaf));
}

/* White space at the beginning of text; *line: a line ends in it. */
static size_t space_len(struct xr_bytes text, bool *line)
{
    size_t len = 0;

    *line = false;
    while (len < text.len && xr_pem_space(text.data[len])) {
        *line = *line || text.data[len] == '\n' || text.data[len] == '\r';
        len++;
    }
    return len;
}

/* Does out end in part of a value, and not in a word such as "SHA-256" or a number? */
static bool ends_in_value(const struct xr_buf *out)
{
    size_t digits = 0;

    for (size_t at = out->len; at-- > 0 && digits <= PART_MOST;) {
        unsigned char c = (unsigned char)out->data[at];

        if (xr_hex_digit(c) >= 0)
            digits++;
        else if ((c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '_')
            return false;
        else if (c != ':' && c != '-')
            break;
    }
    return digits >= PART_LEAST && digits <= PART_MOST;
}

void xr_page_plain(struct xr_buf *out, struct xr_bytes text, bool joined)
{
    bool broken = false; /* a tag or a line end stood here */

    while (text.len > 0) {
        const struct mark *mark = NULL;
        bool line = false;
        size_t used = tag_len(text), blanks = 0;

        if (used == 0) {
            blanks = space_len(text, &line);
            used = line || broken ? blanks : 0;
        }
        if (used > 0) {
            broken = true;
        } else if ((mark = mark_at(text)) != NULL && mark->shown == NULL) {
            used = mark->len;
        } else if (unseen(text)) {
            used = 3;
        } else {
            if (broken && out->len > 0 && out->data[out->len - 1] != ' ' &&
                !(joined && xr_hex_digit(text.data[0]) >= 0 && ends_in_value(out)))
                xr_buf_str(out, " ");
            broken = false;
            used = mark != NULL ? mark->len : 1;
            xr_buf_add(out, mark != NULL ? mark->shown : (const char *)text.data, 1);
        }
        text.data += used;
        text.len -= used;
    }
}
