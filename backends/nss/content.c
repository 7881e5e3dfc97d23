/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digest of what libnss3's answers about a database depend on: its certificates, trust and CRLs, as
 * softoken gives them and in its order, and what verifier.c and opinions.c look at besides. Equal
 * digests mean equal answers; where anything is unusual there is none.
 */
#include "store.h"

#include <stdlib.h>

static void put(struct xr_buf *out, const char *text)
{
    xr_buf_str(out, text != NULL ? text : "");
    xr_buf_add(out, "", 1);
}

static void put_objects(struct xr_buf *out, const struct p11_objects *objects)
{
    xr_buf_put32(out, (uint32_t)objects->count);
    for (size_t i = 0; i < objects->count; i++) {
        struct xr_buf one = {0};

        p11_encode(&one, &objects->items[i]);
        xr_buf_put32(out, (uint32_t)one.len);
        xr_buf_add(out, one.data, one.len);
        xr_buf_put32(out, objects->items[i].unproven);
        xr_buf_free(&one);
    }
}

void nss_content_note(struct xr_session *s, const struct nss_view *view)
{
    const struct nss_token *token = &s->token;
    struct xr_buf all = {0};

    /* Chromium reads more than its database; nobody reads an old one. */
    s->has_content = !token->old && !s->chromiums;
    if (!s->has_content)
        return;
    put(&all, s->libs.dir);
    put(&all, s->peers);
    put(&all, s->forgets);
    put(&all, s->serves);
    xr_buf_put32(&all, s->exists);
    xr_buf_put32(&all, s->exists && nss_files_keyless(s->dir));
    xr_buf_put32(&all, token->password);
    xr_buf_put32(&all, token->blank);
    put_objects(&all, &view->certs);
    put_objects(&all, &view->trusts);
    put_objects(&all, &view->crls);
    s->host->sha256(s->content, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    xr_buf_free(&all);
}
