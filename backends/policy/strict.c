/* SPDX-License-Identifier: Apache-2.0 */
/* Chromium's reader of JSON takes more than RFC 8259 allows, and other things than other lenient
 * readers do. What it takes was measured; what it makes of anything else is left to a strict parser,
 * which refuses it as Chromium does. */
#include "policy.h"

/* Of brackets within each other. */
#define DEPTH_MAX 199

struct rewriting {
    struct xr_buf *out;
    const unsigned char *at, *end;
    unsigned depth;
    unsigned char last, before; /* the last two characters that are no space, comment or string */
    size_t comma;               /* where in out the last comma is */
};

static void note(struct rewriting *r, unsigned char c)
{
    r->before = r->last;
    r->last = c;
}

/* A comment begins here. The star that opens one may close it too. */
static bool skip_comment(struct rewriting *r)
{
    const char *stop = r->at[1] == '/' ? "\n" : "*/";
    const unsigned char *from = r->at + 1, *found = NULL;

    found = xr_memmem(from, (size_t)(r->end - from), stop, strlen(stop));
    if (found == NULL && stop[0] == '*')
        return false;
    r->at = found != NULL ? found + strlen(stop) : r->end;
    xr_buf_str(r->out, " ");
    return true;
}

/* An escape begins here, with at least one more character. */
static void copy_escape(struct rewriting *r)
{
    size_t left = (size_t)(r->end - r->at);
    const char *at = (const char *)r->at;

    if ((left >= 6 && memcmp(at, "\\u0000", 6) == 0) ||
        (left >= 4 && memcmp(at, "\\x00", 4) == 0)) {
        xr_buf_str(r->out, "\\ufffd");
        r->at += at[1] == 'u' ? 6 : 4;
        return;
    }
    if (left >= 4 && at[1] == 'x' && xr_hex_digit(r->at[2]) >= 0 && xr_hex_digit(r->at[3]) >= 0) {
        xr_buf_fmt(r->out, "\\u00%.2s", at + 2);
        r->at += 4;
        return;
    }
    xr_buf_add(r->out, at, 2);
    r->at += 2;
}

/* The opening quote is here. One that is never closed is copied as it is. */
static void copy_string(struct rewriting *r)
{
    xr_buf_add(r->out, r->at++, 1);
    while (r->at < r->end) {
        unsigned char c = *r->at;

        if (c == '\\' && r->end - r->at >= 2) {
            copy_escape(r);
            continue;
        }
        r->at++;
        if (c == '\n' || c == '\r')
            xr_buf_str(r->out, c == '\n' ? "\\n" : "\\r");
        else
            xr_buf_add(r->out, &c, 1);
        if (c == '"')
            break;
    }
    note(r, '"');
}

static bool copy_other(struct rewriting *r)
{
    unsigned char c = *r->at++;

    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        xr_buf_add(r->out, &c, 1);
        return true;
    }
    if ((c == '[' || c == '{') && ++r->depth > DEPTH_MAX)
        return false;
    if (c == ']' || c == '}') {
        bool after_value = r->before != '\0' && strchr("[{,:", r->before) == NULL;

        r->depth -= r->depth > 0;
        if (r->last == ',' && after_value)
            r->out->data[r->comma] = ' ';
    }
    if (c == ',')
        r->comma = r->out->len;
    xr_buf_add(r->out, &c, 1);
    note(r, c);
    return true;
}

bool policy_strict_json(struct xr_buf *out, struct xr_bytes text)
{
    struct rewriting r = {.out = out, .at = text.data};

    if (text.len == 0)
        return true;
    r.end = text.data + text.len;
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    while (r.at < r.end) {
        bool ok = true;

        if (*r.at == '/' && r.end - r.at >= 2 && (r.at[1] == '/' || r.at[1] == '*'))
            ok = skip_comment(&r);
        else if (*r.at == '"')
            copy_string(&r);
        else
            ok = copy_other(&r);
        if (!ok)
            return false;
    }
    return true;
}
