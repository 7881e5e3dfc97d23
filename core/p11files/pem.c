/* SPDX-License-Identifier: Apache-2.0 */
/* PEM as p11-kit reads it. */
#include "private.h"

#include <stdlib.h>

#define BEGIN  "-----BEGIN "
#define END    "-----END "
#define DASHES "-----"

static bool space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One more than a digit's value, so that 0 is no digit. */
enum { BAD = 0, SKIP = 65, PAD };
static const unsigned char plus_one[256] = {
    ['A'] = 1,     ['B'] = 2,     ['C'] = 3,     ['D'] = 4,     ['E'] = 5,    ['F'] = 6,
    ['G'] = 7,     ['H'] = 8,     ['I'] = 9,     ['J'] = 10,    ['K'] = 11,   ['L'] = 12,
    ['M'] = 13,    ['N'] = 14,    ['O'] = 15,    ['P'] = 16,    ['Q'] = 17,   ['R'] = 18,
    ['S'] = 19,    ['T'] = 20,    ['U'] = 21,    ['V'] = 22,    ['W'] = 23,   ['X'] = 24,
    ['Y'] = 25,    ['Z'] = 26,    ['a'] = 27,    ['b'] = 28,    ['c'] = 29,   ['d'] = 30,
    ['e'] = 31,    ['f'] = 32,    ['g'] = 33,    ['h'] = 34,    ['i'] = 35,   ['j'] = 36,
    ['k'] = 37,    ['l'] = 38,    ['m'] = 39,    ['n'] = 40,    ['o'] = 41,   ['p'] = 42,
    ['q'] = 43,    ['r'] = 44,    ['s'] = 45,    ['t'] = 46,    ['u'] = 47,   ['v'] = 48,
    ['w'] = 49,    ['x'] = 50,    ['y'] = 51,    ['z'] = 52,    ['0'] = 53,   ['1'] = 54,
    ['2'] = 55,    ['3'] = 56,    ['4'] = 57,    ['5'] = 58,    ['6'] = 59,   ['7'] = 60,
    ['8'] = 61,    ['9'] = 62,    ['+'] = 63,    ['/'] = 64,    [' '] = SKIP, ['\t'] = SKIP,
    ['\n'] = SKIP, ['\v'] = SKIP, ['\f'] = SKIP, ['\r'] = SKIP, ['='] = PAD,
};

/* What follows the first '='. p11-kit does not look at the very last character. */
static bool padding_ok(struct xr_bytes rest, unsigned state)
{
    size_t at = 0;

    if (state < 2)
        return false;
    if (state == 2) {
        while (at < rest.len && space(rest.data[at]))
            at++;
        if (at == rest.len || rest.data[at] != '=')
            return false;
        at++;
    }
    for (; at + 1 < rest.len; at++) {
        if (!space(rest.data[at]))
            return false;
    }
    return true;
}

/* Allocated; NULL if it is not base64. */
static unsigned char *decode(size_t *out_len, struct xr_bytes text)
{
    unsigned char *out = xr_new(text.len / 4 * 3 + 4, 1);
    const unsigned char *p = text.data, *end = text.data + text.len;
    unsigned char *q = out;
    unsigned state = 0;
    uint32_t bits = 0;

    for (;;) {
        unsigned v = 0;

        while (state == 0 && end - p >= 4) {
            uint32_t a = plus_one[p[0]] - 1U, b = plus_one[p[1]] - 1U;
            uint32_t c = plus_one[p[2]] - 1U, d = plus_one[p[3]] - 1U;

            if ((a | b | c | d) > 63)
                break;
            bits = a << 18 | b << 12 | c << 6 | d;
            *q++ = (unsigned char)(bits >> 16);
            *q++ = (unsigned char)(bits >> 8);
            *q++ = (unsigned char)bits;
            p += 4;
        }
        if (p == end)
            break;
        v = plus_one[*p++];
        if (v == SKIP)
            continue;
        if (v == PAD) {
            /* bits that belong to no byte must be zero */
            if (!padding_ok((struct xr_bytes){p, (size_t)(end - p)}, state) ||
                (bits & (state == 2 ? 0x0f : 0x03)) != 0)
                goto bad;
            if (state >= 2)
                *q++ = (unsigned char)(state == 2 ? bits >> 4 : bits >> 10);
            if (state == 3)
                *q++ = (unsigned char)(bits >> 2);
            *out_len = (size_t)(q - out);
            return out;
        }
        if (v == BAD)
            goto bad;
        bits = (state == 0 ? 0 : bits << 6) | (v - 1);
        if (++state == 4) {
            *q++ = (unsigned char)(bits >> 16);
            *q++ = (unsigned char)(bits >> 8);
            *q++ = (unsigned char)bits;
            state = 0;
        }
    }
    if (state != 0)
        goto bad;
    *out_len = (size_t)(q - out);
    return out;
bad:
    free(out);
    return NULL;
}

/* Headers end at the first empty line. */
static struct xr_bytes after_headers(struct xr_bytes block)
{
    const unsigned char *end = block.data + block.len;
    const unsigned char *p = block.data;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        for (p++; p < end && space(*p); p++) {
            if (*p == '\n')
                return (struct xr_bytes){p, (size_t)(end - p)};
        }
    }
    return block;
}

static const unsigned char *find(const unsigned char *from, const unsigned char *end,
                                 const char *text)
{
    return xr_memmem(from, (size_t)(end - from), text, strlen(text));
}

size_t pf_pem_each(struct xr_bytes text, pf_block_fn block, void *ctx)
{
    const unsigned char *at = text.data, *end = text.data + text.len;
    size_t found = 0;

    if (text.len > 0 && (end = memchr(at, '\0', text.len)) == NULL)
        end = at + text.len; /* p11-kit's search ends at a NUL */
    for (;;) {
        const unsigned char *begin = find(at, end, BEGIN), *type = NULL, *body = NULL, *stop = NULL;
        struct xr_bytes name = {0};

        if (begin == NULL)
            break;
        type = begin + sizeof(BEGIN) - 1;
        body = find(type, end, DASHES);
        if (body == NULL || memchr(begin, '\n', (size_t)(body - begin)) != NULL)
            break;
        name = (struct xr_bytes){type, (size_t)(body - type)};
        body += sizeof(DASHES) - 1;
        stop = find(body, end, END);
        if (stop == NULL ||
            (size_t)(end - stop) < sizeof(END) - 1 + name.len + sizeof(DASHES) - 1 ||
            memcmp(stop + sizeof(END) - 1, name.data, name.len) != 0 ||
            memcmp(stop + sizeof(END) - 1 + name.len, DASHES, sizeof(DASHES) - 1) != 0)
            break;
        if (body != stop) {
            size_t len = 0;
            unsigned char *der =
                decode(&len, after_headers((struct xr_bytes){body, (size_t)(stop - body)}));

            if (der != NULL) {
                block(ctx, name, der, len);
                found++;
            }
        }
        at = stop + sizeof(DASHES) - 1;
    }
    return found;
}
