/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle of a system that has no packaged sources, with what is in the local directory now. */
#include "../sources/sources.h"

#include <stdlib.h>

/* What the local directory holds now and every program can read, by certificate. */
struct local {
    struct xr_idmap by_id;
    struct {
        const struct ca_item **items;
        size_t count, capacity;
    } list;
};

static void local_now(struct local *out, const struct xr_session *s)
{
    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];

        for (size_t k = 0; k < file->held.count; k++) {
            const struct ca_item *item = &file->held.items[k];
            bool added = false;

            if (!item->unreadable)
                (void)xr_idmap_put(&out->by_id, item->sha256, out->list.count, &added);
            if (added)
                *XR_PUSH(&out->list) = item;
        }
    }
}

static const struct ca_item *find(const struct local *local,
                                  const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = 0;

    return local->list.items != NULL && xr_idmap_get(&local->by_id, sha256, &at)
               ? local->list.items[at]
               : NULL;
}

/* A line end that we added goes with the certificate after it; what follows still needs one. */
static void copy(struct xr_buf *out, const struct xr_buf *text, size_t from, size_t to)
{
    if (to > from && out->len > 0 && out->data[out->len - 1] != '\n')
        xr_buf_str(out, "\n");
    xr_buf_add(out, text->data + from, to - from);
}

static void add(struct xr_buf *out, struct xr_idmap *there, const struct ca_item *item,
                const struct xr_session *s)
{
    bool added = false;

    if (item != NULL)
        (void)xr_idmap_put(there, item->sha256, 0, &added);
    if (!added)
        return;
    ca_blocks_mark(out, item->sha256);
    ca_item_pem(out, s, item);
}

/* What the bundle holds stays as it is, but for what crossroot added from the local directory. At the
 * end comes what is in that directory now, in the order in which it was added. */
struct xr_buf ca_in_place_bundle(const struct xr_session *s)
{
    struct ca_blocks blocks = {0};
    struct xr_buf text = {0}, out = {0};
    struct xr_idmap there = {0};
    struct local now = {0};
    size_t copied = 0;
    bool added = false;

    (void)ca_read(&text, NULL, s, s->layout->published[0], NULL);
    local_now(&now, s);
    ca_blocks_read(&blocks, (struct xr_bytes){(const unsigned char *)text.data, text.len}, s->host);
    for (size_t i = 0; i < blocks.count; i++) {
        const struct ca_block *block = &blocks.items[i];

        if (!ca_is_local(s, block)) {
            (void)xr_idmap_put(&there, block->sha256, 0, &added);
            continue;
        }
        copy(&out, &text, copied, block->from);
        copied = block->to;
    }
    copy(&out, &text, copied, text.len);
    for (size_t i = 0; i < blocks.count; i++) {
        if (ca_is_local(s, &blocks.items[i]))
            add(&out, &there, find(&now, blocks.items[i].sha256), s);
    }
    for (size_t i = 0; i < now.list.count; i++)
        add(&out, &there, now.list.items[i], s);
    ca_blocks_free(&blocks);
    xr_idmap_free(&now.by_id);
    xr_idmap_free(&there);
    free((void *)now.list.items);
    xr_buf_free(&text);
    return out;
}
