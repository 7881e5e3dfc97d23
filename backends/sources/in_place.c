/* SPDX-License-Identifier: Apache-2.0 */
/* A system whose bundle has no packaged sources, as images have: the bundle is its own source. What
 * it holds comes with the system, and what is in the local directory is added to it. */
#include "sources.h"

#include <stdlib.h>

static bool has_packaged(const struct xr_session *s)
{
    for (size_t i = 0; i < s->files.count; i++) {
        if (s->files.items[i]->vendor && s->files.items[i]->held.count > 0)
            return true;
    }
    return false;
}

/* Certificates of the local directory, also those that it held before a swap, and those that an
 * interrupted removal of crossroot's took out of it. */
static void note_local(struct xr_session *s)
{
    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];
        bool added = false;

        for (size_t k = 0; k < file->held.count; k++)
            (void)xr_idmap_put(&s->local, file->held.items[k].sha256, 0, &added);
    }
}

bool ca_is_local(const struct xr_session *s, const struct ca_block *block)
{
    size_t unused = 0;

    return block->added && (xr_idmap_get(&s->local, block->sha256, &unused) ||
                            (xr_idmap_get(&s->leaving, block->sha256, &unused) &&
                             xr_idmap_get(&s->coming, block->sha256, &unused)));
}

/* What of it comes with the system, as a file of the load. */
static struct ca_file *base_of(const struct xr_session *s, const struct xr_buf *text)
{
    struct ca_blocks blocks = {0};
    struct ca_file *file = xr_new(1, sizeof(*file));

    ca_blocks_read(&blocks, (struct xr_bytes){(const unsigned char *)text->data, text->len},
                   s->host);
    for (size_t i = 0; i < blocks.count; i++) {
        const struct ca_block *block = &blocks.items[i];
        struct ca_item *item = NULL;

        if (ca_is_local(s, block))
            continue;
        item = XR_PUSH(&file->held);
        item->der = (struct xr_bytes){xr_memdup(block->der.data, block->der.len), block->len};
        item->aux_len = block->der.len - block->len;
        memcpy(item->sha256, block->sha256, sizeof(item->sha256));
    }
    ca_blocks_free(&blocks);
    file->objects = file->held.count;
    file->clean = file->hashable = true; /* nothing of it is written anew */
    return file;
}

/* A bundle that the local directory alone gives has a source. */
static bool holds_more(const struct xr_session *s, const struct ca_file *base)
{
    size_t unused = 0;

    for (size_t i = 0; i < base->held.count; i++) {
        if (!xr_idmap_get(&s->local, base->held.items[i].sha256, &unused))
            return true;
    }
    return false;
}

struct ca_file *ca_load_bundle(struct xr_session *s)
{
    const char *path = s->layout->published[0];
    struct ca_stamp stamp = {0};
    struct xr_buf text = {0};
    struct ca_file *file = NULL;

    s->in_place = false;
    if (s->rebuild || s->refresh || has_packaged(s))
        return NULL;
    note_local(s);
    if (ca_read(&text, &stamp, s, path, NULL) == XR_OK)
        file = base_of(s, &text);
    if (file != NULL) {
        file->path = xr_strdup(path);
        file->stamp = stamp;
        file->vendor = true;
        s->in_place = holds_more(s, file);
    }
    if (file != NULL && !s->in_place) {
        ca_file_free(file);
        file = NULL;
    }
    xr_buf_free(&text);
    return file;
}
