/* SPDX-License-Identifier: Apache-2.0 */
/* What one object does to another: extensions attached to keys, and distrust of a key or of a
 * certificate that has no bytes here. */
#include "private.h"

#include <stdlib.h>

/* Extensions bind inside their token only. */
static void key_id(unsigned char out[XR_SHA256_LEN], const struct xr_host *host, size_t token,
                   struct xr_bytes key)
{
    host->sha256(out, key);
    for (size_t i = 0; i < sizeof(token); i++)
        out[XR_SHA256_LEN - 1 - i] ^= (unsigned char)(token >> (8 * i));
}

static void pair_id(unsigned char out[XR_SHA256_LEN], const struct xr_host *host,
                    const struct pf_cert *cert)
{
    struct xr_buf pair = {0};

    xr_der_put(&pair, XR_DER_OCTET_STRING, cert->issuer.data, cert->issuer.len);
    xr_buf_add(&pair, cert->serial.data, cert->serial.len);
    host->sha256(out, (struct xr_bytes){(const unsigned char *)pair.data, pair.len});
    xr_buf_free(&pair);
}

/* ---- attached extensions ---- */

static void kind_id(unsigned char out[XR_SHA256_LEN], const struct xr_host *host,
                    const unsigned char key[XR_SHA256_LEN], struct xr_bytes oid)
{
    struct xr_buf both = {0};

    xr_buf_add(&both, key, XR_SHA256_LEN);
    xr_buf_add(&both, oid.data, oid.len);
    host->sha256(out, (struct xr_bytes){(const unsigned char *)both.data, both.len});
    xr_buf_free(&both);
}

/* Chains those of one key in their order, of each OID the first. Answers the heads by key. */
static struct xr_idmap chain(struct pf_store *store)
{
    struct pf_extension *all = store->extensions.items;
    struct xr_idmap heads = {0}, kinds = {0};
    size_t *last = xr_new(store->extensions.count, sizeof(*last)); /* by head */

    for (size_t i = 0; i < store->extensions.count; i++) {
        struct pf_extension *extension = &all[i];
        unsigned char key[XR_SHA256_LEN], kind[XR_SHA256_LEN];
        size_t first = i;
        bool added = true;

        extension->next = PF_NONE;
        extension->last_file = extension->file;
        key_id(key, store->host, extension->token, extension->spki);
        if (extension->oid.len > 0) {
            kind_id(kind, store->host, key, extension->oid);
            first = xr_idmap_put(&kinds, kind, i, &added);
        }
        if (!added) {
            all[first].last_file = extension->file;
            continue;
        }
        first = xr_idmap_put(&heads, key, i, &added);
        if (!added)
            all[last[first]].next = i;
        last[first] = i;
    }
    xr_idmap_free(&kinds);
    free(last);
    return heads;
}

bool pf_is_trust(const struct pf_extension *extension)
{
    return PF_IS(extension->oid, PF_OID_BASIC) || PF_IS(extension->oid, PF_OID_EKU) ||
           PF_IS(extension->oid, PF_OID_REJECT) || PF_IS(extension->oid, PF_OID_SKID);
}

/* What the chain from a head on says, in the head. */
static void sum_up(struct pf_store *store, size_t head)
{
    struct pf_extension *all = store->extensions.items;
    struct pf_attached *sum = &all[head].sum;

    *sum = (struct pf_attached){.basic = PF_NONE};
    for (size_t at = head; at != PF_NONE; at = all[at].next) {
        struct xr_bytes oid = {0}, value = {0};

        if (PF_IS(all[at].oid, PF_OID_BASIC))
            sum->basic = at;
        if (!pf_walk_extension(&oid, &value, all[at].value) || oid.len < 4)
            sum->broken = true;
        else if (PF_IS(oid, PF_OID_EKU))
            sum->eku = value;
        else if (PF_IS(oid, PF_OID_REJECT))
            sum->reject = value;
        else if (PF_IS(oid, PF_OID_SKID))
            sum->skid = value;
    }
}

static size_t head_of(const struct pf_store *store, const struct xr_idmap *heads, size_t token,
                      struct xr_bytes key)
{
    unsigned char id[XR_SHA256_LEN];
    size_t head = PF_NONE;

    if (heads->count == 0 || key.len == 0)
        return PF_NONE;
    key_id(id, store->host, token, key);
    return xr_idmap_get(heads, id, &head) ? head : PF_NONE;
}

/* -1: it is broken inside and says nothing. */
static int category_by(const struct pf_extension *extension)
{
    struct xr_bytes oid = {0}, value = {0};
    bool ca = false;

    if (!pf_walk_extension(&oid, &value, extension->value))
        return 3;
    return !pf_walk_basic(&ca, value) ? -1 : ca ? 2 : 3;
}

/* p11-kit works a category out when it reads the certificate, and again when a file brings a
 * basicConstraints for its key; only the second overrules what the source says. */
static int category_of(const struct pf_store *store, const struct xr_idmap *heads, size_t index)
{
    const struct pf_extension *all = store->extensions.items;
    const struct pf_cert *cert = &store->certs.items[index];
    size_t own = head_of(store, heads, cert->token, cert->parses ? cert->key : cert->spki);
    int category = cert->plain, by = 0;

    if (own != PF_NONE && all[own].sum.basic != PF_NONE && all[all[own].sum.basic].place <= index) {
        by = category_by(&all[all[own].sum.basic]);
        category = by < 0 ? 0 : by;
    }
    if (cert->category >= 0)
        category = cert->category;
    if (cert->attached != PF_NONE && all[cert->attached].sum.basic != PF_NONE &&
        all[all[cert->attached].sum.basic].last_file >= cert->file) {
        by = category_by(&all[all[cert->attached].sum.basic]);
        category = by < 0 ? category : by;
    }
    return category;
}

static void set_purposes(const struct pf_store *store, struct pf_cert *cert)
{
    struct xr_bytes eku = cert->eku, inside = {0};

    cert->usable = cert->parses;
    cert->purposes = XR_ANY_PURPOSE;
    if (cert->attached != PF_NONE) {
        const struct pf_attached *sum = &store->extensions.items[cert->attached].sum;

        cert->usable = cert->usable && !sum->broken;
        if (sum->eku.data != NULL)
            eku = sum->eku;
    }
    if (eku.data == NULL)
        return;
    cert->purposes = 0;
    if (pf_walk_oids(&inside, eku))
        cert->purposes = pf_purpose_bits(inside);
    else
        cert->usable = false;
}

/* ---- distrust ---- */

static void mark_blocked(struct pf_store *store)
{
    struct xr_idmap keys = {0}, pairs = {0};
    unsigned char id[XR_SHA256_LEN];
    size_t unused = 0;
    bool added = false;

    for (size_t i = 0; i < store->certs.count; i++) {
        const struct pf_cert *cert = &store->certs.items[i];

        if (cert->distrusted && cert->spki.len > 0) {
            store->host->sha256(id, cert->spki);
            (void)xr_idmap_put(&keys, id, 0, &added);
        }
        if (cert->distrusted && cert->issuer.len > 0 && cert->serial.len > 0) {
            pair_id(id, store->host, cert);
            (void)xr_idmap_put(&pairs, id, 0, &added);
        }
    }
    for (size_t i = 0; i < store->certs.count; i++) {
        struct pf_cert *cert = &store->certs.items[i];

        cert->blocked = false;
        if (keys.count > 0 && cert->spki.len > 0) {
            store->host->sha256(id, cert->spki);
            cert->blocked = xr_idmap_get(&keys, id, &unused);
        }
        if (!cert->blocked && pairs.count > 0 && cert->issuer.len > 0 && cert->serial.len > 0) {
            pair_id(id, store->host, cert);
            cert->blocked = xr_idmap_get(&pairs, id, &unused);
        }
    }
    xr_idmap_free(&keys);
    xr_idmap_free(&pairs);
}

void pf_combine(struct pf_store *store)
{
    struct xr_idmap heads = {0};

    if (store->combined)
        return;
    heads = chain(store);
    for (size_t i = 0; i < heads.capacity; i++) {
        if (heads.slots[i].value_plus_one != 0)
            sum_up(store, heads.slots[i].value_plus_one - 1);
    }
    for (size_t i = 0; i < store->certs.count; i++) {
        struct pf_cert *cert = &store->certs.items[i];

        cert->attached = head_of(store, &heads, cert->token, cert->spki);
        cert->authority = category_of(store, &heads, i) == 2;
        set_purposes(store, cert);
    }
    mark_blocked(store);
    xr_idmap_free(&heads);
    store->combined = true;
}
