/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes of a subject that p11-kit names links by. */
#include "private.h"

#include <stdlib.h>

static uint32_t little_endian(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Lower case, spaces at the ends gone, runs of spaces one. Answers the new length. */
static size_t squeeze(char *text, size_t len)
{
    size_t out = 0;
    bool gap = false;

    for (size_t i = 0; i < len; i++) {
        if (space(text[i])) {
            gap = out > 0;
            continue;
        }
        if (gap)
            text[out++] = ' ';
        gap = false;
        text[out++] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    return out;
}

/* One AttributeTypeAndValue in OpenSSL's canonical form, nearly: p11-kit takes T61 for UTF-8 and knows
 * NumericString, but not VisibleString. */
static bool canonical_ava(struct xr_buf *out, const struct pf_ava *ava)
{
    struct xr_buf content = {0};
    size_t len = 0;
    bool other = false;
    char *text = pf_string(&len, &other, ava->value);

    if (text == NULL && !other)
        return false;
    xr_buf_add(&content, ava->type.data, ava->type.len);
    if (text != NULL)
        xr_der_put(&content, XR_DER_UTF8, text, squeeze(text, len));
    else
        xr_buf_add(&content, ava->value.data, ava->value.len);
    xr_der_put(out, XR_DER_SEQUENCE, content.data, content.len);
    xr_buf_free(&content);
    free(text);
    return true;
}

/* A SET OF is written in the order of its elements' bytes. */
static bool canonical_rdn(struct xr_buf *out, struct xr_bytes set)
{
    struct xr_buf content = {0}, sorted = {0};
    struct {
        struct xr_bytes *items;
        size_t count, capacity;
    } parts = {0};
    struct pf_ava ava;
    bool ok = true;

    while (ok && set.len > 0)
        ok = pf_ava_take(&ava, &set) && canonical_ava(&content, &ava);
    if (ok) {
        struct xr_bytes rest = {(const unsigned char *)content.data, content.len};
        struct pf_der part;

        while (pf_der_next(&part, &rest))
            *XR_PUSH(&parts) = part.whole;
        if (parts.count > 1)
            qsort(parts.items, parts.count, sizeof(*parts.items), pf_by_bytes);
        for (size_t i = 0; i < parts.count; i++)
            xr_buf_add(&sorted, parts.items[i].data, parts.items[i].len);
        xr_der_put(out, XR_DER_SET, sorted.data, sorted.len);
    }
    free(parts.items);
    xr_buf_free(&content);
    xr_buf_free(&sorted);
    return ok;
}

bool pf_link_hash(uint32_t *out, struct xr_bytes subject, const struct xr_host *host)
{
    struct pf_der name, rdn;
    struct xr_buf canonical = {0};
    unsigned char digest[20];
    bool ok = pf_der_only(&name, subject, XR_DER_SEQUENCE);

    xr_buf_add(&canonical, "", 0);
    while (ok && name.content.len > 0)
        ok = pf_der_take(&rdn, &name.content, XR_DER_SET) && canonical_rdn(&canonical, rdn.content);
    if (ok) {
        host->sha1(digest, (struct xr_bytes){(const unsigned char *)canonical.data, canonical.len});
        *out = little_endian(digest);
    }
    xr_buf_free(&canonical);
    return ok;
}

uint32_t pf_link_hash_old(struct xr_bytes subject, const struct xr_host *host)
{
    unsigned char digest[16];

    host->md5(digest, subject);
    return little_endian(digest);
}
