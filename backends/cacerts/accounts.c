/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs are made from the sources alone. A published certificate that is in no source would be
 * lost: in an image that has only the bundle, of a package whose files were stripped, or one that
 * was added by hand. And a source that nobody has published yet would become trusted by any change.
 * So this finds both before anything is changed.
 */
#include "../sources/sources.h"

#include <stdlib.h>

#define LOST_NAMES  110u /* bytes of names in a line; what has no room is counted */
#define OTHER_NAMES 290u

/* Certificates, counted once each, and the first of them by name. */
struct naming {
    struct xr_idmap seen;
    struct xr_buf names, ids;
    size_t count, named, room;
};

struct accounting {
    struct xr_session *s;
    struct xr_idmap known; /* subjects of the sources, trusted or not */
    struct xr_idmap there; /* certificates of the bundle that is looked at: bits of purposes */
    bool nothing;          /* is published yet */
    struct naming lost, other;
    const char *path; /* the first bundle with a certificate that would be lost */
    char *unread;     /* why a bundle cannot be looked through, or NULL */
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

/* Label, enough of the SHA-256 to tell it apart, and the file if there is one. */
static void name(struct naming *n, const struct xr_host *host, struct xr_bytes der,
                 const unsigned char sha256[XR_SHA256_LEN], const char *path)
{
    struct pf_store one = {.host = host};
    const char *label = NULL;
    struct xr_buf text = {0};
    char hex[9];
    bool added = false;

    (void)xr_idmap_put(&n->seen, sha256, 0, &added);
    if (!added)
        return;
    n->count++;
    xr_buf_add(&n->ids, (const char *)sha256, XR_SHA256_LEN);
    if (n->names.len >= n->room)
        return;
    if (pf_add(&one, 0, PF_ANCHORS, "", der, NULL) == XR_OK && one.certs.count == 1)
        label = one.certs.items[0].label;
    if (label != NULL)
        xr_buf_visible(&text, label, strlen(label));
    xr_hex(hex, sha256, 4);
    xr_buf_fmt(&text, "%s%s", text.len > 0 ? " " : "", hex);
    if (path != NULL) {
        xr_buf_str(&text, " in /");
        xr_buf_visible(&text, path, strlen(path));
    }
    if (n->names.len + text.len <= n->room) {
        xr_buf_fmt(&n->names, "%s%s", n->named > 0 ? ", " : "", text.data);
        n->named++;
    }
    xr_buf_free(&text);
    pf_free(&one);
}

static void naming_free(struct naming *n)
{
    xr_idmap_free(&n->seen);
    xr_buf_free(&n->names);
    xr_buf_free(&n->ids);
}

/* ---- what is published ---- */

static enum xr_status take(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct accounting *a = ctx;
    unsigned char sha256[XR_SHA256_LEN];
    size_t len = der.len;
    uint32_t purposes = 0;
    bool added = false;

    if (kind == XR_ITEM_CRL)
        return XR_OK;
    if (a->s->host->trusted(&len, &purposes, der, NULL) == XR_OK)
        der.len = len;
    a->s->host->sha256(sha256, der);
    (void)xr_idmap_put(&a->there, sha256, purposes, &added);
    if (purposes != 0 && !accounted(a, der, sha256))
        name(&a->lost, a->s->host, der, sha256, NULL);
    return XR_OK;
}

/* ---- what would be ---- */

/* Certificates, or purposes of them, that are not published. Trust settings may follow one in bytes.
 */
static void would_be(struct accounting *a, struct xr_bytes bytes, const struct ca_file *file)
{
    unsigned char sha256[XR_SHA256_LEN];
    struct xr_bytes der = bytes;
    uint32_t purposes = 0;
    size_t have = 0;

    if (a->s->host->trusted(&der.len, &purposes, bytes, NULL) != XR_OK || purposes == 0)
        return;
    a->s->host->sha256(sha256, der);
    if ((xr_idmap_get(&a->there, sha256, &have) && (purposes & ~(uint32_t)have) == 0) ||
        has(&a->s->coming, sha256) ||
        /* Before anything is published at all, packages are the ones to say what will be. */
        (a->nothing && file != NULL && file->vendor))
        return;
    name(&a->other, a->s->host, der, sha256, file != NULL ? file->path : NULL);
}

static void would_be_listed(struct accounting *a)
{
    const struct xr_session *s = a->s;

    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];

        for (size_t k = 0; k < file->held.count; k++) {
            const struct ca_item *item = &file->held.items[k];

            if (!item->unreadable)
                would_be(a, (struct xr_bytes){item->der.data, item->der.len + item->aux_len}, file);
        }
    }
}

static void would_be_extracted(void *ctx, struct pf_cert *cert)
{
    struct accounting *a = ctx;

    for (size_t i = 0; !has(&a->there, cert->sha256) && i < a->s->files.count; i++) {
        if (a->s->files.items[i]->pf_file == cert->file) {
            would_be(a, cert->der, a->s->files.items[i]);
            return;
        }
    }
}

/* A link by a hash is a certificate that programs find without the bundle. */
static void see_link(void *ctx, int dir, const struct dirent *entry)
{
    bool *links = ctx, crl = false;
    uint32_t hash = 0;
    unsigned number = 0;

    (void)dir;
    *links = *links || (ca_hash_name(entry->d_name, &hash, &crl, &number) && !crl);
}

static bool is_nothing(const struct xr_session *s, enum xr_status status)
{
    bool links = false;

    if (status == XR_ABSENT && s->layout->directory != NULL)
        ca_scan(s, s->layout->directory, see_link, &links);
    return status == XR_ABSENT && !links;
}

/* Usually a bundle is what the sources give, which is quick to see. */
static bool as_it_would_be(struct xr_session *s, const char *path)
{
    struct xr_bytes want = {0};

    if (s->layout->family != CA_LIST)
        return false;
    want = ca_list_bundle(s);
    return want.len > 0 && ca_has(NULL, s, path, want);
}

static void look_through(struct accounting *a, const char *path)
{
    struct xr_session *s = a->s;
    struct xr_buf text = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (as_it_would_be(s, path))
        return;
    status = ca_read(&text, NULL, s, path, &err);
    a->nothing = is_nothing(s, status);
    if (status != XR_OK && status != XR_ABSENT && a->unread == NULL)
        a->unread = xr_format(N_("what it holds is not known: %.150s; --rebuild allows a change"),
                              err.text);
    if (text.len > 0)
        (void)s->host->items((struct xr_bytes){(const unsigned char *)text.data, text.len}, take, a,
                             NULL);
    if (s->layout->family == CA_LIST)
        would_be_listed(a);
    for (size_t i = 0; i < CA_OUTPUTS_MAX && s->layout->outputs[i].path != NULL; i++) {
        const struct ca_output *output = &s->layout->outputs[i];

        if (strcmp(output->path, path) == 0 && ca_is_published(s, output))
            pf_each(&s->p11, &output->ask, would_be_extracted, a);
    }
    if (a->lost.count > 0 && a->path == NULL)
        a->path = path;
    xr_idmap_free(&a->there);
    xr_buf_free(&text);
}

static enum xr_status take_trusted(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    if (kind != XR_ITEM_CRL)
        would_be(ctx, der, NULL);
    return XR_OK;
}

/* OpenSSL's own bundle also says what each certificate is trusted for, which may be more than is
 * published there. */
static void look_through_trusted(struct accounting *a, const struct ca_output *output)
{
    struct xr_session *s = a->s;
    struct xr_format_files outs = {0};
    struct xr_buf text = {0};

    if (ca_read(&text, NULL, s, output->path, NULL) == XR_OK) {
        struct xr_bytes have = {(const unsigned char *)text.data, text.len}, want = {0};

        pf_extract(&outs, &s->p11, &output->ask);
        want = (struct xr_bytes){(const unsigned char *)outs.items[0].content.data,
                                 outs.items[0].content.len};
        if (!xr_bytes_equal(have, want)) {
            if (have.len > 0)
                (void)s->host->items(have, take, a, NULL);
            if (want.len > 0)
                (void)s->host->items(want, take_trusted, a, NULL);
        }
    }
    if (a->lost.count > 0 && a->path == NULL)
        a->path = output->path;
    xr_format_files_free(&outs);
    xr_idmap_free(&a->there);
    xr_buf_free(&text);
}

static char *named(const struct naming *n)
{
    return xr_format("%s%s", n->names.data != NULL ? n->names.data : "",
                     n->named == n->count ? "" : ", …");
}

static char *say_lost(const struct accounting *a)
{
    const struct naming *n = &a->lost;
    char *names = named(n), *said = NULL;

    if (n->count > 0)
        said = xr_format(
            n->count == 1
                ? N_("/%s has %zu certificate that comes from no source and would be lost (%s); "
                     "--rebuild allows that")
                : N_("/%s has %zu certificates that come from no source and would be lost (%s); "
                     "--rebuild allows that"),
            a->path, n->count, names);
    free(names);
    return said;
}

static char *say_other(const struct naming *n)
{
    char *names = named(n), *said = NULL;

    if (n->count > 0)
        said = xr_format(
            n->count == 1
                ? N_("%zu certificate among the sources is not published yet, or with other limits, "
                     "and any change makes programs trust it: %s")
                : N_("%zu certificates among the sources are not published yet, or with other "
                     "limits, and any change makes programs trust them: %s"),
            n->count, names);
    free(names);
    return said;
}

void ca_account(struct xr_session *s)
{
    struct accounting a = {.s = s, .lost = {.room = LOST_NAMES}, .other = {.room = OTHER_NAMES}};
    bool added = false;

    free(s->unaccounted);
    free(s->unpublished);
    s->unaccounted = s->unpublished = NULL;
    if (ca_load(s, NULL) != XR_OK)
        return; /* the next reader reports it */
    s->fresh = true;
    for (size_t i = 0; i < s->certs.count; i++)
        (void)xr_idmap_put(&a.known, s->certs.items[i].subject.id, i, &added);
    for (size_t i = 0; i < sizeof(s->layout->published) / sizeof(s->layout->published[0]); i++) {
        if (s->layout->published[i] != NULL)
            look_through(&a, s->layout->published[i]);
    }
    for (size_t i = 0; i < CA_OUTPUTS_MAX && s->layout->outputs[i].path != NULL; i++) {
        if (s->layout->outputs[i].ask.format == XR_FORMAT_OPENSSL_BUNDLE)
            look_through_trusted(&a, &s->layout->outputs[i]);
    }
    /* A bundle that is its own source loses nothing but what crossroot added, once its file in the
     * local directory is deleted. */
    if (!s->rebuild && a.unread != NULL)
        s->unaccounted = a.unread;
    else if (!s->rebuild && !s->in_place)
        s->unaccounted = say_lost(&a);
    if (s->unaccounted != a.unread)
        free(a.unread);
    s->unpublished = say_other(&a.other);
    s->host->sha256(s->unpublished_id,
                    (struct xr_bytes){(const unsigned char *)a.other.ids.data, a.other.ids.len});
    naming_free(&a.lost);
    naming_free(&a.other);
    xr_idmap_free(&a.known);
}
