/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs are made from the sources alone. A published certificate that is in no source would be
 * lost: in an image that has only the bundle, of a package whose files were stripped, or one that
 * was added by hand. So this finds such certificates before anything is changed.
 */
#include "../sources/sources.h"

#include <stdlib.h>

#define NAMES_MAX 110u /* bytes of names in the reason; the others are counted */

struct accounting {
    struct xr_session *s;
    struct xr_idmap known;   /* subjects of the sources, trusted or not */
    struct xr_idmap counted; /* a certificate may be in several bundles */
    struct xr_buf names;
    size_t lost, named;
    const char *path; /* the first bundle with such a certificate */
};

static bool has(const struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN])
{
    size_t unused = 0;

    return xr_idmap_get(map, id, &unused);
}

/* A source holds it or distrusts it, or crossroot itself removed it. */
static bool accounted(const struct accounting *a, struct xr_bytes der,
                      const unsigned char sha256[XR_SHA256_LEN])
{
    const struct xr_host *host = a->s->host;
    struct xr_slices slices = {.size = sizeof(slices)};
    unsigned char key[XR_SHA256_LEN];
    struct xr_subject pair;

    if (has(&a->known, sha256) || has(&a->s->leaving, sha256) ||
        host->slices(&slices, der, NULL) != XR_OK)
        return true;
    host->sha256(key, slices.spki);
    xr_subject_issuer_serial(&pair, slices.issuer, slices.serial, host->sha256);
    return has(&a->known, key) || has(&a->known, pair.id);
}

/* Label, and enough of the SHA-256 to tell it apart. */
static void name(struct accounting *a, struct xr_bytes der, const unsigned char sha256[])
{
    struct pf_store one = {.host = a->s->host};
    const char *label = NULL;
    struct xr_buf text = {0};
    char hex[9];

    if (pf_add(&one, 0, PF_ANCHORS, "", der, NULL) == XR_OK && one.certs.count == 1)
        label = one.certs.items[0].label;
    if (label != NULL)
        xr_buf_visible(&text, label, strlen(label));
    xr_hex(hex, sha256, 4);
    xr_buf_fmt(&text, "%s%s", text.len > 0 ? " " : "", hex);
    if (a->names.len + text.len <= NAMES_MAX) {
        xr_buf_fmt(&a->names, "%s%s", a->named > 0 ? ", " : "", text.data);
        a->named++;
    }
    xr_buf_free(&text);
    pf_free(&one);
}

static enum xr_status take(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct accounting *a = ctx;
    unsigned char sha256[XR_SHA256_LEN];
    size_t len = der.len;
    bool added = false;

    if (kind == XR_ITEM_CRL)
        return XR_OK;
    if (kind == XR_ITEM_TRUSTED_CERT &&
        a->s->host->trusted(&len, &(uint32_t){0}, der, NULL) == XR_OK)
        der.len = len;
    a->s->host->sha256(sha256, der);
    if (accounted(a, der, sha256))
        return XR_OK;
    (void)xr_idmap_put(&a->counted, sha256, 0, &added);
    a->lost += added;
    if (added && a->names.len < NAMES_MAX)
        name(a, der, sha256);
    return XR_OK;
}

static void look_through(struct accounting *a, const char *path)
{
    struct xr_session *s = a->s;
    struct xr_buf text = {0};
    bool same = false;

    if (ca_read(&text, NULL, s, path, NULL) == XR_OK && text.len > 0) {
        if (s->layout->family == CA_LIST) { /* usually it matches, which is quick to check */
            struct xr_buf want = ca_list_bundle(s);

            same = want.len == text.len && memcmp(want.data, text.data, text.len) == 0;
            xr_buf_free(&want);
        }
        if (!same)
            (void)s->host->items((struct xr_bytes){(const unsigned char *)text.data, text.len},
                                 take, a, NULL);
    }
    if (a->lost > 0 && a->path == NULL)
        a->path = path;
    xr_buf_free(&text);
}

char *ca_unaccounted(struct xr_session *s)
{
    struct accounting a = {.s = s};
    char *why = NULL;
    bool added = false;

    if (ca_load(s, NULL) != XR_OK)
        return NULL; /* the next reader reports it */
    s->fresh = true;
    for (size_t i = 0; i < s->certs.count; i++)
        (void)xr_idmap_put(&a.known, s->certs.items[i].subject.id, i, &added);
    for (size_t i = 0; i < sizeof(s->layout->published) / sizeof(s->layout->published[0]); i++) {
        if (s->layout->published[i] != NULL)
            look_through(&a, s->layout->published[i]);
    }
    if (a.lost > 0)
        why = xr_format("/%s has %zu certificate%s that come%s from no source and would be lost "
                        "(%s%s); --rebuild allows that",
                        a.path, a.lost, a.lost == 1 ? "" : "s", a.lost == 1 ? "s" : "",
                        a.names.data != NULL ? a.names.data : "", a.named == a.lost ? "" : ", …");
    xr_buf_free(&a.names);
    xr_idmap_free(&a.known);
    xr_idmap_free(&a.counted);
    return why;
}
