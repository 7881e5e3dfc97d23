/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digest of what libnss3's answers about a database depend on: all that is in its files but the IDs of
 * rows, and what verifier.c and opinions.c look at besides. Equal digests mean equal answers. Where the
 * files are not known (look.c), as with a password, there is none.
 */
#include "store.h"

static void put(struct xr_buf *out, const char *text)
{
    xr_buf_str(out, text != NULL ? text : "");
    xr_buf_add(out, "", 1);
}

bool nss_content(struct xr_session *s, unsigned char out[XR_SHA256_LEN])
{
    struct nss_look now = {.has_digest = false};
    const struct nss_look *look = s->looked ? &s->look : &now;
    struct xr_buf all = {0};
    bool has = false;

    /* Chromium reads more than its database; nobody reads an old one. With locks on the files, opening
     * and closing them here would lose these. */
    if (s->chromiums || s->token.old || !s->exists || s->dir < 0 || nss_copy_holds(s->token.copy))
        return false;
    has = s->looked || (nss_token_known(&s->libs) && nss_look_open(&now, s->host, s->dir));
    if (has && look->has_digest) {
        put(&all, s->libs.dir);
        put(&all, s->peers);
        put(&all, s->forgets);
        put(&all, s->serves);
        xr_buf_add(&all, (const char *)look->digest, sizeof(look->digest));
        s->host->sha256(out, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    }
    has = has && look->has_digest;
    xr_buf_free(&all);
    nss_look_free(&now);
    return has;
}
