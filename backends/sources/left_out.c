/* SPDX-License-Identifier: Apache-2.0 */
/* Files that lie among the sources and count for nothing: whoever put one there believes that it is
 * trusted, so each is named with the reason. */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>

void ca_leave_out(struct xr_session *s, const char *path, const char *why)
{
    const char *name = ca_name(path);
    struct ca_left *left = NULL;

    /* what distributions and editors put there, and no certificate */
    if (strncasecmp(name, "README", 6) == 0 || name[0] == '.')
        return;
    left = XR_PUSH(&s->left);
    left->path = xr_strdup(path);
    left->why = why;
}

const char *ca_why_unread(int code)
{
    switch (code) {
    case EFBIG:
        return N_("it is larger than 64 MiB");
    case EINVAL:
        return N_("it is not a regular file");
    case ENOENT:
    case ELOOP:
    case ENOTDIR:
        return N_("it is a link that leads nowhere");
    case CA_FOREIGN_LINK:
        return N_("it lies behind another user's link");
    case EACCES:
    case EPERM:
        return N_("you may not read it");
    default:
        return N_("it cannot be read");
    }
}

const char *ca_why_nothing(struct xr_bytes content)
{
    static const unsigned char wide[][2] = {{0xff, 0xfe}, {0xfe, 0xff}, {'-', 0}, {0, '-'}};
    static const char begin[] = "-----BEGIN ";

    if (content.len == 0)
        return N_("it is empty");
    for (size_t i = 0; content.len >= 2 && i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (memcmp(content.data, wide[i], 2) == 0)
            return N_("it is UTF-16; save it as ASCII or UTF-8");
    }
    if (content.data[0] == 0x30)
        return N_("it is DER, and only PEM counts");
    return memmem(content.data, content.len, begin, sizeof(begin) - 1) != NULL
               ? N_("no certificate in it can be read")
               : N_("there is no certificate in it");
}

void ca_left_text(char *out, size_t size, const struct xr_session *s)
{
    struct xr_buf text = {0};
    size_t named = 0;

    for (; named < s->left.count; named++) {
        char *path = xr_visible(s->left.items[named].path);
        char *one = xr_format(N_("/%s (%s)"), path, s->left.items[named].why);

        free(path);
        /* room for the words around it */
        if (named > 0 && text.len + strlen(", ") + strlen(one) + 50 > size) {
            free(one);
            break;
        }
        xr_buf_fmt(&text, "%s%s", named > 0 ? ", " : "", one);
        free(one);
    }
    if (named > 0) {
        char *files =
            xr_format("%.*s%s", (int)size - 60, text.data, named < s->left.count ? ", …" : "");

        (void)snprintf(out, size,
                       s->left.count == 1 ? N_("%zu file among the sources counts for nothing: %s")
                                          : N_("%zu files among the sources count for nothing: %s"),
                       s->left.count, files);
        free(files);
    }
    xr_buf_free(&text);
}

void ca_left_free(struct xr_session *s)
{
    for (size_t i = 0; i < s->left.count; i++)
        free(s->left.items[i].path);
    free(s->left.items);
    memset(&s->left, 0, sizeof(s->left));
}
