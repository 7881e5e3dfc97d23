/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

#include <stdlib.h>

/* Value of a digit and one more; 0: none. */
static const unsigned char base64_digits[256] = {
#define D2(c, n) [c] = (n) + 1, [(c) + 1] = (n) + 2
#define D4(c, n) D2((c), (n)), D2((c) + 2, (n) + 2)
    D4('A', 0),  D4('E', 4),  D4('I', 8),  D4('M', 12), D4('Q', 16), D4('U', 20), D2('Y', 24),
    D4('a', 26), D4('e', 30), D4('i', 34), D4('m', 38), D4('q', 42), D4('u', 46), D2('y', 50),
    D4('0', 52), D4('4', 56), D2('8', 60), ['+'] = 63,  ['/'] = 64,
#undef D4
#undef D2
};

size_t xr_base64_digits(unsigned char *restrict to, const unsigned char *text, size_t len)
{
    size_t at = 0;

    for (; len - at >= 4; at += 4, to += 3) {
        unsigned a = base64_digits[text[at]] - 1u, b = base64_digits[text[at + 1]] - 1u,
                 c = base64_digits[text[at + 2]] - 1u, d = base64_digits[text[at + 3]] - 1u;

        if ((a | b | c | d) > 63)
            break;
        to[0] = (unsigned char)(a << 2 | b >> 4);
        to[1] = (unsigned char)(b << 4 | c >> 2);
        to[2] = (unsigned char)(c << 6 | d);
    }
    return at;
}

bool xr_base64(struct xr_buf *out, const unsigned char *text, size_t len)
{
    unsigned quartet = 0, digits = 0, pads = 0;

    out->data = xr_grow(out->data, &out->capacity, out->len + len / 4 * 3 + 4, 1);
    for (size_t i = 0; i < len; i++) {
        int digit = 0;

        if (digits + pads == 0) { /* as most are */
            size_t whole =
                xr_base64_digits((unsigned char *)out->data + out->len, text + i, len - i);

            i += whole;
            out->len += whole / 4 * 3;
        }
        if (i >= len)
            break;
        digit = base64_digits[text[i]] - 1;

        if (xr_pem_space(text[i]))
            continue;
        if (text[i] == '=' && digits >= 2 && digits + pads < 4) {
            pads++;
        } else if (digit >= 0 && pads == 0) {
            quartet = quartet << 6 | (unsigned)digit;
            digits++;
        } else {
            return false;
        }
        if (digits + pads == 4) {
            unsigned bits = quartet << 6 * pads;

            for (unsigned k = 0; k < 3 - pads; k++)
                out->data[out->len++] = (char)(bits >> (16 - 8 * k) & 0xff);
            if (pads > 0) {
                for (i++; i < len; i++) {
                    if (!xr_pem_space(text[i]))
                        return false;
                }
                return true;
            }
            quartet = digits = 0;
        }
    }
    return digits == 0 && out->len > 0;
}

size_t xr_base64_size(size_t len)
{
    return (len + 2) / 3 * 4 + len / 48 + 1;
}

static char *put_quartet(char *q, uint32_t bits)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    q[0] = alphabet[bits >> 18];
    q[1] = alphabet[bits >> 12 & 63];
    q[2] = alphabet[bits >> 6 & 63];
    q[3] = alphabet[bits & 63];
    return q + 4;
}

size_t xr_base64_lines(char *out, struct xr_bytes data)
{
    const unsigned char *at = data.data;
    size_t left = data.len;
    char *q = out;

    for (size_t in_line = 0; left >= 3; at += 3, left -= 3, in_line++) {
        if (in_line == 16) {
            *q++ = '\n';
            in_line = 0;
        }
        q = put_quartet(q, (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]);
    }
    if (left > 0 && q > out && data.len / 3 % 16 == 0)
        *q++ = '\n';
    if (left > 0) {
        q = put_quartet(q, (uint32_t)at[0] << 16 | (left > 1 ? (uint32_t)at[1] << 8 : 0));
        q[-1] = '=';
        if (left < 2)
            q[-2] = '=';
    }
    return (size_t)(q - out);
}

char *xr_pem(const char *label, struct xr_bytes der, size_t *len)
{
    static const char begin[] = "-----BEGIN ", end[] = "\n-----END ", dashes[] = "-----\n";
    struct xr_buf out = {0};

    xr_buf_reserve(&out, sizeof(begin) + sizeof(end) + 2 * (strlen(label) + sizeof(dashes)) +
                             xr_base64_size(der.len));
    xr_buf_str(&out, begin);
    xr_buf_str(&out, label);
    xr_buf_str(&out, dashes);
    out.len += xr_base64_lines(out.data + out.len, der);
    xr_buf_str(&out, end);
    xr_buf_str(&out, label);
    xr_buf_str(&out, dashes);
    *len = out.len;
    return out.data;
}

enum xr_pem_found xr_pem_next(struct xr_pem_block *out, struct xr_bytes *rest,
                              const unsigned char *start, bool glued)
{
    static const char begin[] = "-----BEGIN ";
    const size_t begin_len = sizeof(begin) - 1;
    const unsigned char *end = rest->data + rest->len;
    const unsigned char *at = rest->data, *looked = rest->data;

    while ((at = xr_memmem(at, (size_t)(end - at), begin, begin_len)) != NULL) {
        const unsigned char *before = at;
        const unsigned char *label = at + begin_len;
        const unsigned char *stop = NULL;
        char end_line[128];
        int end_len = 0;

        while (before > start && (before[-1] == ' ' || before[-1] == '\t'))
            before--;
        /* A byte order mark may begin a file, also one that was joined to another. */
        if (before - start >= 3 && memcmp(before - 3, "\xef\xbb\xbf", 3) == 0)
            before -= 3;
        glued = glued && memchr(looked, '\n', (size_t)(at - looked)) == NULL;
        looked = at;
        if (!glued && before > start && before[-1] != '\n' && before[-1] != '\r') {
            at = label;
            continue;
        }
        stop = xr_memmem(label, (size_t)(end - label), "-----", 5);
        if (stop == NULL || stop - label > 64 || memchr(label, '\n', (size_t)(stop - label))) {
            at = label;
            continue;
        }
        out->label = (struct xr_bytes){label, (size_t)(stop - label)};
        out->body.data = stop + 5;
        end_len = snprintf(end_line, sizeof(end_line), "-----END %.*s-----", (int)out->label.len,
                           (const char *)label);
        /* The next dashes must be its END: looking further would cost a square of the file. */
        stop = xr_memmem(out->body.data, (size_t)(end - out->body.data), "-----", 5);
        if (stop == NULL || end - stop < end_len || memcmp(stop, end_line, (size_t)end_len) != 0) {
            at = stop != NULL ? stop : end;
            *rest = (struct xr_bytes){at, (size_t)(end - at)};
            return XR_PEM_OPEN;
        }
        out->body.len = (size_t)(stop - out->body.data);
        at = stop + end_len;
        *rest = (struct xr_bytes){at, (size_t)(end - at)};
        return XR_PEM_BLOCK;
    }
    return XR_PEM_NONE;
}
