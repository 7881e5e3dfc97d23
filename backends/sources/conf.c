/* SPDX-License-Identifier: Apache-2.0 */
/* The text of ca-certificates.conf(8): a path a line, selected, or deselected by a ! before it. */
#include "sources.h"

#include <stdlib.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* As update-ca-certificates reads it: "read" takes blanks off both ends. A carriage return before the
 * end of a line, which it would look for in the file's name, is what an editor left and is not
 * meant. */
bool ca_conf_next(struct ca_conf_line *out, size_t *at, const struct xr_buf *text)
{
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
        while (from < to && blank(text->data[from]))
            from++;
        while (to > from && (blank(text->data[to - 1]) || text->data[to - 1] == '\r'))
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
