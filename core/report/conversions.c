/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of printf, as far as sentences use them. */
#include "catalogue.h"

/* What stands after '%'. False if it is none that is known. */
static bool conversion(struct xr_piece *out, const char **at)
{
    static const char *const modifiers[] = {"hh", "ll", "h", "l", "j", "z", "t", "I64"};
    const char *p = *at;
    size_t flags = strspn(p, "-+ #0"), type = 0;

    out->left = memchr(p, '-', flags) != NULL;
    for (p += flags; *p >= '0' && *p <= '9'; p++)
        out->width = out->width < 1000 ? out->width * 10 + (unsigned)(*p - '0') : out->width;
    if (p[0] == '*') {
        out->stars++;
        p++;
    }
    if (p[0] == '.') {
        p += 1 + strspn(p + 1, "0123456789");
        if (p[0] == '*') {
            out->stars++;
            p++;
        }
    }
    for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++) {
        size_t len = strlen(modifiers[i]);

        if (strncmp(p, modifiers[i], len) == 0) {
            memcpy(out->type, modifiers[i], len);
            type = len;
            p += len;
            break;
        }
    }
    if (*p == '\0' || (type > 0 && strchr("sc", *p) != NULL))
        return false;
    out->kind = *p == 's'                   ? XR_ANY_TEXT
                : *p == 'c'                 ? XR_CHARACTER
                : strchr("diu", *p) != NULL ? XR_NUMBER
                : *p == 'x' || *p == 'X'    ? XR_HEX_NUMBER
                                            : XR_LITERAL;
    if (out->kind == XR_LITERAL || type >= sizeof(out->type))
        return false;
    out->type[type] = *p++;
    *at = p;
    return true;
}

bool xr_piece_next(struct xr_piece *out, const char **at)
{
    const char *begin = *at, *p = begin + 1;

    *out = (struct xr_piece){.kind = XR_LITERAL, .at = begin};
    if (*begin == '\0')
        return false;
    if (*begin != '%') {
        out->len = strcspn(begin, "%");
        *at += out->len;
        return true;
    }
    if (*p == '%') {
        out->len = 1;
        *at += 2;
        return true;
    }
    if (!conversion(out, &p))
        return false;
    out->len = (size_t)(p - begin);
    *at = p;
    return true;
}

/* The next conversion; false at the end, or at an unknown one: then *at is not at the end. */
static bool next_conversion(struct xr_piece *out, const char **at)
{
    while (xr_piece_next(out, at)) {
        if (out->kind != XR_LITERAL)
            return true;
    }
    return false;
}

bool xr_format_alike(const char *a, const char *b)
{
    const char *at = a, *bt = b;
    struct xr_piece x, y;

    /* What has no '%' may be printed as it is, or taken for a format. */
    if (strchr(a, '%') == NULL)
        return strchr(b, '%') == NULL;
    for (;;) {
        bool more = next_conversion(&x, &at);

        if (!more && *at != '\0')
            return true; /* no format, so nobody takes it for one */
        if (more != next_conversion(&y, &bt))
            return false;
        if (!more)
            return *bt == '\0';
        if (memcmp(x.type, y.type, sizeof(x.type)) != 0 || x.stars != y.stars)
            return false;
    }
}

bool xr_format_converts(const char *text)
{
    struct xr_piece piece;
    bool any = strchr(text, '%') != NULL;

    while (xr_piece_next(&piece, &text))
        continue;
    return any && *text == '\0';
}

static size_t digits(const char *text, size_t len, const char *of)
{
    size_t count = 0;

    while (count < len && text[count] != '\0' && strchr(of, text[count]) != NULL)
        count++;
    return count;
}

size_t xr_piece_written(const struct xr_piece *piece, const char *text, size_t len)
{
    uint32_t code = 0;
    size_t before = 0, count = 0;

    if (piece->kind == XR_CHARACTER)
        return xr_utf8_next(&code, (const unsigned char *)text, len);
    while (piece->width > 0 && before < len && text[before] == ' ')
        before++;
    if (piece->kind == XR_HEX_NUMBER) {
        count = digits(text + before, len - before, "0123456789abcdefABCDEF");
    } else {
        before += before < len && text[before] == '-' ? 1 : 0;
        count = digits(text + before, len - before, "0123456789");
    }
    return count > 0 ? before + count : 0;
}
