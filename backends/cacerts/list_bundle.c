/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundle of Debian's family. A change compares it with the published one several times: before the
 * lock, under it, when outputs are made, and when the verifier reads it. Each time the published file is
 * read as it then is; what the sources give is put together anew only if other files were read since,
 * or in another order.
 */
#include "../sources/sources.h"

#include <stdlib.h>

static const struct ca_file *at(const struct xr_session *s, size_t i)
{
    return s->files.items[s->order.items[i]];
}

static bool is_known(const struct xr_session *s)
{
    if (s->bundle.of == NULL || s->bundle.count != s->order.count)
        return false;
    for (size_t i = 0; i < s->order.count; i++) {
        if (s->bundle.of[i] != at(s, i)->reading)
            return false;
    }
    return true;
}

/* Writes only PEM certificates: other text would be noise, and a private key is never copied. */
static void add(struct xr_buf *out, const struct xr_session *s, const struct ca_file *file)
{
    if (file->held.count == 0)
        return;
    if (file->private_key || !file->clean) {
        for (size_t k = 0; k < file->held.count; k++) {
            if (!file->held.items[k].unreadable)
                ca_item_pem(out, s, &file->held.items[k]);
        }
        return;
    }
    xr_buf_add(out, file->content.data, file->content.len);
    if (s->layout->blank_between || file->content.data[file->content.len - 1] != '\n')
        xr_buf_str(out, "\n");
}

static void forget(struct xr_session *s)
{
    xr_buf_free(&s->bundle.text);
    free(s->bundle.of);
    s->bundle.of = NULL;
    s->bundle.count = 0;
}

static void make(struct xr_session *s)
{
    size_t most = 0;

    forget(s);
    s->bundle.of = xr_new(s->order.count, sizeof(*s->bundle.of));
    s->bundle.count = s->order.count;
    for (size_t i = 0; i < s->order.count; i++)
        most += at(s, i)->content.len + 1;
    xr_buf_reserve(&s->bundle.text, most);
    for (size_t i = 0; i < s->order.count; i++) {
        s->bundle.of[i] = at(s, i)->reading;
        add(&s->bundle.text, s, at(s, i));
    }
}

struct xr_bytes ca_list_bundle(struct xr_session *s)
{
    if (s->in_place) { /* comes from the published one, which may have changed */
        forget(s);
        s->bundle.text = ca_in_place_bundle(s);
    } else if (!is_known(s)) {
        make(s);
    }
    return (struct xr_bytes){(const unsigned char *)s->bundle.text.data, s->bundle.text.len};
}

bool ca_list_bundle_plain(const struct xr_session *s)
{
    for (size_t i = 0; i < s->order.count; i++) {
        if (!at(s, i)->plain)
            return false;
    }
    return !s->in_place && is_known(s);
}
