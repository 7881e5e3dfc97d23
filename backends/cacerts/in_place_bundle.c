/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle of a system that has no packaged sources, with what is in the local directory now. */
#include "../sources/sources.h"

#include <stdlib.h>

static void local_now(struct xr_idmap *out, const struct xr_session *s)
{
    bool added = false;

    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];

        for (size_t k = 0; k < file->held.count; k++)
            (void)xr_idmap_put(out, file->held.items[k].sha256, 0, &added);
    }
}

/* A line end that we added goes with the certificate after it; what follows still needs one. */
static void copy(struct xr_buf *out, const struct xr_buf *text, size_t from, size_t to)
{
    if (to > from && out->len > 0 && out->data[out->len - 1] != '\n')
        xr_buf_str(out, "\n");
    xr_buf_add(out, text->data + from, to - from);
}

static void add(struct xr_buf *out, struct xr_idmap *there, struct xr_bytes der,
                const unsigned char sha256[XR_SHA256_LEN], const struct xr_host *host)
{
    bool added = false;

    (void)xr_idmap_put(there, sha256, 0, &added);
    if (added)
        ca_blocks_add(out, der, sha256, host);
}

/* What the bundle holds stays as it is, but for what crossroot added, and what was in the local
 * directory when the session began and is there no longer. At the end comes what is in that directory
 * now, in the order in which it was added. */
struct xr_buf ca_in_place_bundle(const struct xr_session *s)
{
    struct ca_blocks blocks = {0};
    struct xr_buf text = {0}, out = {0};
    struct xr_idmap now = {0}, there = {0};
    size_t copied = 0, unused = 0;
    bool added = false;

    (void)ca_read(&text, NULL, s, s->layout->published[0], NULL);
    local_now(&now, s);
    ca_blocks_read(&blocks, (struct xr_bytes){(const unsigned char *)text.data, text.len}, s->host);
    for (size_t i = 0; i < blocks.count; i++) {
        const struct ca_block *block = &blocks.items[i];

        if (!block->added && (xr_idmap_get(&now, block->sha256, &unused) ||
                              !xr_idmap_get(&s->local, block->sha256, &unused))) {
            (void)xr_idmap_put(&there, block->sha256, 0, &added);
            continue;
        }
        copy(&out, &text, copied, block->from);
        copied = block->to;
    }
    copy(&out, &text, copied, text.len);
    for (size_t i = 0; i < blocks.count; i++) {
        const struct ca_block *block = &blocks.items[i];
        struct xr_bytes der = {(const unsigned char *)block->der.data, block->der.len};

        if (block->added && xr_idmap_get(&now, block->sha256, &unused))
            add(&out, &there, der, block->sha256, s->host);
    }
    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];

        for (size_t k = 0; k < file->held.count; k++)
            add(&out, &there, file->held.items[k].der, file->held.items[k].sha256, s->host);
    }
    ca_blocks_free(&blocks);
    xr_idmap_free(&now);
    xr_idmap_free(&there);
    xr_buf_free(&text);
    return out;
}
