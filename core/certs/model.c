/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdlib.h>

const char *xr_kind_name(enum xr_kind kind)
{
    static const char *const names[] = {N_("root"), N_("cross"),       N_("intermediate"),
                                        N_("leaf"), N_("self-signed"), N_("malformed")};

    return names[kind];
}

/* A name class is found by two hashes: that of the bytes, which is enough for nearly every name,
 * and libcrypto's, which is equal for names that compare equal. */
static size_t name_class(struct xr_pool *pool, struct xr_bytes name)
{
    unsigned char id[XR_SHA256_LEN];
    unsigned char folded[XR_SHA256_LEN] = {0};
    uint32_t hash = 0;
    bool added = false;
    size_t fresh = pool->names.count;
    size_t head = XR_NONE;
    struct xr_name_class *made = NULL;

    xr_x509_sha256(id, name);
    if (xr_idmap_get(&pool->by_name_bytes, id, &head))
        return head;
    if (xr_x509_name_hash(&hash, name, NULL) != XR_OK) {
        memcpy(folded, id, sizeof(folded)); /* unreadable: equal only to itself */
    } else {
        memcpy(folded, &hash, sizeof(hash));
        head = xr_idmap_put(&pool->by_name_hash, folded, fresh, &added);
        for (size_t at = added ? XR_NONE : head; at != XR_NONE;
             at = pool->names.items[at].next_hash) {
            if (xr_x509_name_equal(pool->names.items[at].name, name)) {
                (void)xr_idmap_put(&pool->by_name_bytes, id, at, &added);
                return at;
            }
        }
    }
    made = XR_PUSH(&pool->names);
    *made = (struct xr_name_class){.name = name, .head = XR_NONE, .next_hash = XR_NONE};
    if (head != XR_NONE && head != fresh) {
        made->next_hash = pool->names.items[head].next_hash;
        pool->names.items[head].next_hash = fresh;
    }
    (void)xr_idmap_put(&pool->by_name_bytes, id, fresh, &added);
    return fresh;
}

static void join_family(struct xr_pool *pool, struct xr_pool_item *item)
{
    unsigned char id[XR_SHA256_LEN];
    bool added = false;

    memcpy(id, item->cert->spki_sha256, sizeof(id));
    for (size_t i = 0; i < sizeof(item->subject); i++)
        id[i] ^= (unsigned char)(item->subject >> 8 * i);
    item->family = xr_idmap_put(&pool->by_family, id, pool->families.count, &added);
    if (added)
        *XR_PUSH(&pool->families) = (struct xr_family){item->issuer, false};
    else if (pool->families.items[item->family].issuer != item->issuer)
        pool->families.items[item->family].has_others = true;
}

size_t xr_pool_add(struct xr_pool *pool, struct xr_cert *cert)
{
    bool added = false;
    size_t at = xr_idmap_put(&pool->by_sha256, cert->sha256, pool->count, &added);
    struct xr_pool_item *item = NULL;
    size_t head = 0;

    if (!added)
        return at;
    item = XR_PUSH(pool);
    item->cert = xr_cert_ref(cert);
    item->subject = name_class(pool, cert->d.slices.subject);
    item->issuer = xr_bytes_equal(cert->d.slices.issuer, cert->d.slices.subject)
                       ? item->subject
                       : name_class(pool, cert->d.slices.issuer);
    item->next_subject = pool->names.items[item->subject].head;
    pool->names.items[item->subject].head = at;

    head = xr_idmap_put(&pool->by_key, cert->spki_sha256, at, &added);
    item->key_head = head;
    item->next_key = XR_NONE;
    if (!added) {
        item->next_key = pool->items[head].next_key;
        pool->items[head].next_key = at;
    }
    pool->items[head].key_count++;
    join_family(pool, item);
    return at;
}

size_t xr_pool_find(const struct xr_pool *pool, const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = XR_NONE;

    return xr_idmap_get(&pool->by_sha256, sha256, &at) ? at : XR_NONE;
}

void xr_pool_free(struct xr_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        xr_cert_free(pool->items[i].cert);
        free(pool->items[i].self_unchecked);
    }
    free(pool->items);
    free(pool->names.items);
    free(pool->families.items);
    xr_idmap_free(&pool->by_family);
    xr_idmap_free(&pool->by_sha256);
    xr_idmap_free(&pool->by_key);
    xr_idmap_free(&pool->by_name_bytes);
    xr_idmap_free(&pool->by_name_hash);
    *pool = (struct xr_pool){0};
}

static void look_at_own_signature(struct xr_pool_item *item)
{
    struct xr_error why = {0};
    enum xr_answer answer = XR_NO;

    if (item->self_known)
        return;
    if (item->subject == item->issuer)
        answer = xr_cert_check_signature(item->cert, item->cert, &why);
    item->self_signed = answer == XR_YES;
    if (answer == XR_UNKNOWN)
        item->self_unchecked = xr_strdup(why.text);
    item->self_known = true;
}

bool xr_pool_self_signed(struct xr_pool *pool, size_t at)
{
    look_at_own_signature(&pool->items[at]);
    return pool->items[at].self_signed;
}

const char *xr_pool_self_unchecked(struct xr_pool *pool, size_t at)
{
    look_at_own_signature(&pool->items[at]);
    return pool->items[at].self_unchecked;
}

bool xr_pool_known_kind(enum xr_kind *out, const struct xr_pool *pool, size_t at)
{
    const struct xr_pool_item *item = &pool->items[at];
    const struct xr_der_cert *d = &item->cert->d;
    bool ca = xr_cert_is_ca(item->cert);
    bool silent = !ca && d->version == 3 && !d->has_basic_constraints;

    if (d->malformed) {
        *out = XR_KIND_MALFORMED;
        return true;
    }
    if (!ca && (!silent || item->subject != item->issuer)) {
        *out = XR_KIND_LEAF;
        return true;
    }
    if (!item->self_known)
        return false;
    if (item->self_signed || item->self_unchecked != NULL)
        *out = ca ? XR_KIND_ROOT : XR_KIND_SELF_SIGNED;
    else if (!ca)
        *out = XR_KIND_LEAF;
    else
        *out = pool->families.items[item->family].has_others ? XR_KIND_CROSS : XR_KIND_INTERMEDIATE;
    return true;
}

enum xr_kind xr_pool_kind(struct xr_pool *pool, size_t at)
{
    enum xr_kind kind = XR_KIND_LEAF;

    if (!xr_pool_known_kind(&kind, pool, at)) {
        look_at_own_signature(&pool->items[at]);
        (void)xr_pool_known_kind(&kind, pool, at);
    }
    return kind;
}

static void relate(struct xr_relatives *out, size_t at)
{
    if (out->count < XR_RELATIVES_MAX)
        out->items[out->count++] = at;
    else
        out->left_out++;
}

void xr_pool_same_key(struct xr_relatives *out, const struct xr_pool *pool, size_t at)
{
    size_t others = pool->items[pool->items[at].key_head].key_count - 1;

    out->count = 0;
    for (size_t i = pool->items[at].key_head; i != XR_NONE && out->count < XR_RELATIVES_MAX;
         i = pool->items[i].next_key) {
        if (i != at)
            relate(out, i);
    }
    out->left_out = others - out->count;
}

void xr_pool_issued_by(struct xr_relatives *out, struct xr_pool *pool, size_t at)
{
    struct xr_pool_item *item = &pool->items[at];
    /* One signature check is enough for all certificates of a key. */
    struct {
        const unsigned char *key;
        bool signed_by;
    } tried[XR_ISSUER_TRIES];
    size_t tries = 0, seen = 0;

    *out = (struct xr_relatives){0};
    if (xr_pool_self_signed(pool, at))
        return; /* itself; its twins have the same key but are not its issuer */
    for (size_t i = pool->names.items[item->issuer].head; i != XR_NONE;
         i = pool->items[i].next_subject) {
        struct xr_cert *issuer = pool->items[i].cert;
        size_t k = 0;

        if (++seen > 64 * XR_RELATIVES_MAX) {
            out->left_out++;
            return;
        }
        if (i == at || (item->cert->d.akid.len > 0 && issuer->d.skid.len > 0 &&
                        !xr_bytes_equal(item->cert->d.akid, issuer->d.skid)))
            continue;
        while (k < tries && memcmp(tried[k].key, issuer->spki_sha256, XR_SHA256_LEN) != 0)
            k++;
        if (k == tries) {
            if (tries == XR_ISSUER_TRIES) {
                out->left_out++;
                continue;
            }
            tried[tries].key = issuer->spki_sha256;
            tried[tries++].signed_by = xr_cert_signed_by(item->cert, issuer);
        }
        if (tried[k].signed_by)
            relate(out, i);
    }
}

size_t xr_pool_path(size_t path[XR_PATH_MAX], struct xr_pool *pool, size_t from,
                    bool (*ends)(void *ctx, size_t at), bool (*pass)(void *ctx, size_t at),
                    void *ctx)
{
    /* Breadth first: a certificate is visited once, so a loop cannot hold us. */
    size_t *queue = xr_new(pool->count, sizeof(*queue));
    size_t *below = xr_new(pool->count, sizeof(*below));
    size_t head = 0, tail = 0, len = 0;

    for (size_t i = 0; i < pool->count; i++)
        below[i] = XR_NONE;
    if (pass == NULL || pass(ctx, from)) {
        queue[tail++] = from;
        below[from] = from;
    }
    while (head < tail) {
        size_t at = queue[head++];
        struct xr_relatives issuers;

        if (ends(ctx, at)) {
            size_t up = at;

            for (len = 1; up != from; up = below[up])
                len++;
            if (len > XR_PATH_MAX) {
                len = 0;
                break;
            }
            for (size_t i = len; i-- > 0; at = below[at])
                path[i] = at;
            break;
        }
        xr_pool_issued_by(&issuers, pool, at);
        for (size_t i = 0; i < issuers.count; i++) {
            size_t next = issuers.items[i];

            if (below[next] == XR_NONE && xr_cert_is_ca(pool->items[next].cert) &&
                (pass == NULL || pass(ctx, next))) {
                below[next] = at;
                queue[tail++] = next;
            }
        }
    }
    free(queue);
    free(below);
    return len;
}
