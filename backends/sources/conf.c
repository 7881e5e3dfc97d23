/* SPDX-License-Identifier: Apache-2.0 */
/* The text of ca-certificates.conf(8): a path a line, selected, or deselected by a ! before it. */
#include "sources.h"

#include <stdlib.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Does every line end with CR and LF? Then an editor of another system wrote it. */
static bool is_crlf(const struct xr_buf *text)
{
    size_t from = 0;

    while (from < text->len) {
        const char *end = memchr(text->data + from, '\n', text->len - from);

        if (end == NULL)
            break;
        if (end == text->data + from || end[-1] != '\r')
            return false;
        from = (size_t)(end - text->data) + 1;
    }
    return from > 0;
}

/* Reads it as update-ca-certificates does: "read" strips blanks at both ends, and CR is part of a
 * name. But if every line ends with CR, the CR is not intended, and that program would drop every
 * certificate, so it counts as a blank here. In a mixed list it does not: a certificate that one
 * line deselects would be selected by another line that only we understand. */
bool ca_conf_next(struct ca_conf_line *out, size_t *at, const struct xr_buf *text)
{
    if (*at == 0)
        out->crlf = is_crlf(text);
    while (*at < text->len) {
        size_t from = *at, to = 0;
        const char *end = memchr(text->data + from, '\n', text->len - from);

        to = end != NULL ? (size_t)(end - text->data) : text->len;
        *at = to + 1;
        out->mark = from;
        out->deselected = to > from && text->data[from] == '!';
        from += out->deselected;
        if (to > from && text->data[from] == '#' && !out->deselected)
            continue;
        if (out->crlf && to > from && text->data[to - 1] == '\r')
            to--;
        while (from < to && blank(text->data[from]))
            from++;
        while (to > from && blank(text->data[to - 1]))
            to--;
        out->path = text->data + from;
        out->len = to - from;
        if (out->len > 0 && memchr(out->path, '\0', out->len) == NULL)
            return true;
    }
    return false;
}

struct xr_buf ca_conf_set(const struct xr_buf *text, const char *path, bool deselected)
{
    struct xr_buf out = {0};
    struct ca_conf_line line;
    size_t at = 0, copied = 0;

    while (ca_conf_next(&line, &at, text)) {
        if (line.len != strlen(path) || memcmp(line.path, path, line.len) != 0 ||
            line.deselected == deselected)
            continue;
        xr_buf_add(&out, text->data + copied, line.mark - copied);
        copied = line.mark + (deselected ? 0 : 1);
        if (deselected)
            xr_buf_str(&out, "!");
    }
    xr_buf_add(&out, text->data + copied, text->len - copied);
    return out;
}
