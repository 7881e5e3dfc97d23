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
    unsigned char digest[XR_SHA256_LEN];
    struct xr_buf all = {0};

    /* Chromium reads more than its database; nobody reads an old one. With locks on the files, opening
     * and closing them here would lose these. */
    if (s->chromiums || s->token.old || !s->exists || s->dir < 0 || nss_copy_holds(s->token.copy) ||
        !nss_token_known(&s->libs) || !nss_look_digest(digest, s->host, s->dir))
        return false;
    put(&all, s->libs.dir);
    put(&all, s->peers);
    put(&all, s->forgets);
    put(&all, s->serves);
    xr_buf_add(&all, digest, sizeof(digest));
    s->host->sha256(out, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    xr_buf_free(&all);
    return true;
}
