/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source file of the list family, which updaters copy into the bundle as it is. What people put
 * there we read leniently; what is published must be read by every program, and must not take the
 * certificates of other files down with it. So this decides, once for each version of a file, whether
 * its text may be copied, and which of its certificates may be published at all.
 */
#include "sources.h"

#include <stdlib.h>

static struct xr_bytes with_aux(const struct ca_item *item)
{
    return (struct xr_bytes){item->der.data, item->der.len + item->aux_len};
}

static char *pem_of(const struct xr_session *s, const struct ca_item *item, size_t *len)
{
    return s->host->pem(item->aux_len > 0 ? "TRUSTED CERTIFICATE" : "CERTIFICATE", with_aux(item),
                        len);
}

void ca_item_pem(struct xr_buf *out, const struct xr_session *s, const struct ca_item *item)
{
    size_t len = 0;
    char *pem = pem_of(s, item, &len);

    xr_buf_add(out, pem, len);
    s->host->release(pem);
}

/* ---- what OpenSSL takes, against what was found ---- */

struct comparing {
    const struct ca_item *items;
    size_t count, at;
    bool same;
};

/* CRLs trust nothing and may stay. After the last of the items, the first is expected again. */
static enum xr_status compare(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct comparing *c = ctx;

    if (kind == XR_ITEM_CRL)
        return XR_OK;
    c->same = c->same && c->at <= c->count &&
              xr_bytes_equal(der, with_aux(&c->items[c->at < c->count ? c->at : 0]));
    c->at++;
    return XR_OK;
}

static bool takes(const struct xr_session *s, const struct xr_buf *text, enum xr_reading as,
                  const struct ca_item *items, size_t count, bool again)
{
    struct comparing c = {.items = items, .count = count, .same = true};

    return s->host->openssl_items((struct xr_bytes){(const unsigned char *)text->data, text->len},
                                  as, compare, &c, NULL) == XR_OK &&
           c.same && c.at == count + again;
}

/* Between neighbours, does OpenSSL take exactly what was found, and go on to read the next file? */
static bool is_clean(const struct xr_session *s, const struct ca_file *file)
{
    struct xr_buf text = {0};
    bool clean = false;

    xr_buf_str(&text, "\n"); /* not at the beginning, where a byte order mark is allowed */
    xr_buf_add(&text, file->content.data, file->content.len);
    if (text.data[text.len - 1] != '\n')
        xr_buf_str(&text, "\n");
    ca_item_pem(&text, s, &file->held.items[0]);
    clean = takes(s, &text, XR_READ_BUNDLE, file->held.items, file->held.count, true);
    xr_buf_free(&text);
    return clean;
}

static bool is_readable(const struct xr_session *s, const struct ca_item *item)
{
    struct xr_buf text = {0};
    bool readable = false;

    ca_item_pem(&text, s, item);
    readable = takes(s, &text, XR_READ_BUNDLE, item, 1, false);
    xr_buf_free(&text);
    return readable;
}

/* ---- reading ---- */

struct taking {
    const struct xr_session *s;
    struct ca_file *file;
};

static enum xr_status take_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct taking *taking = ctx;
    const struct xr_host *host = taking->s->host;
    struct ca_item *item = NULL;
    size_t len = der.len;

    /* Damaged trust settings may have limited it: then it is not known what it is trusted for. */
    if (kind == XR_ITEM_CRL ||
        (kind == XR_ITEM_TRUSTED_CERT && host->trusted(&len, &(uint32_t){0}, der, NULL) != XR_OK))
        return XR_OK;
    if (taking->file->held.items == NULL) { /* most files have one, and there may be thousands */
        taking->file->held.items = xr_new(1, sizeof(*item));
        taking->file->held.capacity = 1;
    }
    item = XR_PUSH(&taking->file->held);
    item->der = (struct xr_bytes){xr_memdup(der.data, der.len), len};
    item->aux_len = der.len - len;
    host->sha256(item->sha256, item->der);
    return XR_OK;
}

/* Does the text begin with the item as we would write it? Moves past it. */
static bool begins_with(struct xr_bytes *text, const struct xr_session *s,
                        const struct ca_item *item)
{
    size_t len = 0;
    char *pem = pem_of(s, item, &len);
    bool does = len <= text->len && memcmp(text->data, pem, len) == 0;

    s->host->release(pem);
    if (does)
        *text = (struct xr_bytes){text->data + len, text->len - len};
    return does;
}

/* Nearly every file is nothing but clean blocks, and is recognised by that. */
static bool parse_plain(struct taking *taking, struct xr_bytes data)
{
    const struct xr_session *s = taking->s;
    struct ca_file *file = taking->file;
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_bytes rest = data;
    bool plain = s->host->openssl_items(data, XR_READ_BUNDLE, take_item, taking, NULL) == XR_OK;

    for (size_t i = 0; plain && i < file->held.count; i++) {
        plain = s->host->slices(&slices, file->held.items[i].der, NULL) == XR_OK;
        file->held.items[i].subject = slices.subject;
        plain = plain && begins_with(&rest, s, &file->held.items[i]);
    }
    plain = plain && rest.len == 0;
    for (size_t i = 0; !plain && i < file->held.count; i++)
        free((void *)(uintptr_t)file->held.items[i].der.data);
    if (!plain)
        file->held.count = 0;
    return plain;
}

/* Finds certificates as PEM readers do: a DER file is only noise in a bundle. */
void ca_parse_list_file(const struct xr_session *s, struct ca_file *file)
{
    static const char begin[] = "-----BEGIN ", key[] = "PRIVATE KEY-----";
    struct xr_bytes data = {(const unsigned char *)file->content.data, file->content.len};
    struct taking taking = {s, file};

    if (data.len == 0 || memmem(data.data, data.len, begin, sizeof(begin) - 1) == NULL)
        return;
    file->clean = file->plain = parse_plain(&taking, data);
    if (!file->clean)
        (void)s->host->items(data, take_item, &taking, NULL);
    file->objects = file->held.count;
    if (file->held.count == 0)
        return;
    if (!file->clean) {
        file->private_key = memmem(data.data, data.len, key, sizeof(key) - 1) != NULL;
        file->clean = is_clean(s, file);
    }
    file->hashable = file->clean || takes(s, &file->content, XR_READ_HASHED, file->held.items,
                                          file->held.count, false);
    for (size_t i = 0; i < file->held.count && !file->clean; i++)
        file->held.items[i].unreadable = !is_readable(s, &file->held.items[i]);
}

const char *ca_pem_remark(const struct ca_file *file, const struct ca_item *item)
{
    if (item->unreadable)
        return N_("OpenSSL cannot decode it, so it is published nowhere");
    if (item->aux_len > 0)
        return N_(
            "its TRUSTED CERTIFICATE block limits what programs that use OpenSSL trust it for");
    if (file->clean)
        return NULL;
    return file->hashable
               ? N_("programs cannot read its file as it is, so the bundle has a clean copy")
               : N_("programs cannot read its file as it is: the bundle has a clean copy, "
                    "the hashed directory has none");
}
