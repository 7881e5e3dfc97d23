/* SPDX-License-Identifier: Apache-2.0 */
#include "ini.h"

static struct xr_bytes slice(struct xr_bytes from, size_t start, size_t end)
{
    return (struct xr_bytes){from.data + start, end - start};
}

static bool blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* Where c is for the first time, or the length. */
static size_t find(struct xr_bytes in, int c)
{
    const unsigned char *at = in.len > 0 ? memchr(in.data, c, in.len) : NULL;

    return at != NULL ? (size_t)(at - in.data) : in.len;
}

static struct xr_bytes take_line(struct xr_bytes *rest)
{
    size_t end = 0;
    struct xr_bytes line;

    while (end < rest->len && rest->data[end] != '\r' && rest->data[end] != '\n')
        end++;
    line = slice(*rest, 0, end);
    *rest = slice(*rest, end < rest->len ? end + 1 : end, rest->len);
    return line;
}

/* line is what follows "[". One that is never closed counts, as it does for Mozilla. */
static void take_section(struct nss_ini *ini, struct xr_bytes line)
{
    size_t end = find(line, ']');

    ini->section = slice(line, 0, end);
    ini->in_section = end > 0 && find(ini->section, '[') == end;
    for (size_t at = end + 1; at < line.len; at++)
        ini->in_section = ini->in_section && blank(line.data[at]);
}

void nss_ini_open(struct nss_ini *ini, struct xr_bytes text)
{
    static const unsigned char bom[] = {0xef, 0xbb, 0xbf};

    *ini = (struct nss_ini){.rest = text};
    if (text.len >= sizeof(bom) && memcmp(text.data, bom, sizeof(bom)) == 0)
        ini->rest = slice(text, sizeof(bom), text.len);
    ini->rest.len = find(ini->rest, '\0');
}

bool nss_ini_next(struct nss_ini *ini)
{
    while (ini->rest.len > 0) {
        struct xr_bytes line = take_line(&ini->rest);
        size_t start = 0, equals = 0;

        if (line.len > 0 && (line.data[0] == '#' || line.data[0] == ';'))
            continue;
        while (start < line.len && blank(line.data[start]))
            start++;
        line = slice(line, start, line.len);
        if (line.len > 0 && line.data[0] == '[') {
            take_section(ini, slice(line, 1, line.len));
            continue;
        }
        equals = find(line, '=');
        if (!ini->in_section || equals == 0 || equals == line.len)
            continue;
        ini->key = slice(line, 0, equals);
        ini->value = slice(line, equals + 1, line.len);
        return true;
    }
    return false;
}
