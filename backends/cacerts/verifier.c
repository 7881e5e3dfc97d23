/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as programs that read the published bundle: libcrypto's path validation with what OpenSSL
 * takes from that file and nothing else. */
#include "../sources/sources.h"

#include <stdlib.h>

static const uint32_t bundle_purposes[3] = {XR_SERVER, XR_EMAIL, XR_CODE};

struct ca_published {
    struct ca_stamp stamp;
    struct {
        struct published_cert {
            struct xr_bytes der; /* trust settings may follow */
            uint32_t hash;
            bool named; /* hash is known */
        } * items;
        size_t count, capacity;
    } certs;
    char *unreadable; /* why OpenSSL takes nothing from it, or NULL */
    bool lent;        /* what certs point to belongs to the sources, as loaded by: */
    size_t load;
    const struct xr_host *host;
};

static void published_free(struct ca_published *p)
{
    for (size_t i = 0; p != NULL && !p->lent && i < p->certs.count; i++)
        free((void *)(uintptr_t)p->certs.items[i].der.data);
    if (p != NULL) {
        free(p->certs.items);
        free(p->unreadable);
    }
    free(p);
}

void ca_published_free(struct xr_session *s)
{
    for (size_t i = 0; i < 3; i++) {
        published_free(s->published[i]);
        s->published[i] = NULL;
    }
}

static void note_name(struct published_cert *made, const struct ca_published *p,
                      struct xr_bytes alone)
{
    struct xr_slices slices = {.size = sizeof(slices)};

    made->named = p->host->slices(&slices, alone, NULL) == XR_OK &&
                  p->host->name_hash(&made->hash, slices.subject, NULL) == XR_OK;
}

static enum xr_status take(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct ca_published *p = ctx;
    struct xr_bytes alone = der;
    struct published_cert *made = NULL;

    if (kind == XR_ITEM_CRL) /* programs look at them only if told to */
        return XR_OK;
    made = XR_PUSH(&p->certs);
    made->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    if (kind == XR_ITEM_TRUSTED_CERT &&
        p->host->trusted(&alone.len, &(uint32_t){0}, der, NULL) != XR_OK)
        return XR_OK;
    note_name(made, p, alone);
    return XR_OK;
}

/* What OpenSSL takes from clean blocks does not depend on what stands around them, and it was asked about
 * each file. So of a bundle that has, as it is now, exactly the blocks of the loaded files, it takes
 * what it took of them. */
static bool take_from_sources(struct ca_published *p, struct xr_session *s, const char *path)
{
    struct xr_bytes text = {0};

    if (s->layout->family != CA_LIST || !s->loaded || path != s->layout->published[0])
        return false;
    text = ca_list_bundle(s);
    if (text.len == 0 || !ca_list_bundle_plain(s) || !ca_has(&p->stamp, s, path, text))
        return false;
    p->lent = true;
    p->load = s->loads;
    for (size_t i = 0; i < s->order.count; i++) {
        const struct ca_file *file = s->files.items[s->order.items[i]];

        for (size_t k = 0; k < file->held.count; k++) {
            const struct ca_item *item = &file->held.items[k];
            struct published_cert *made = XR_PUSH(&p->certs);

            made->der = (struct xr_bytes){item->der.data, item->der.len + item->aux_len};
            made->named = item->has_hash;
            made->hash = item->hash;
            if (!made->named)
                made->named = s->host->name_hash(&made->hash, item->subject, NULL) == XR_OK;
        }
    }
    return true;
}

static enum xr_status read_bundle(struct ca_published *p, const struct xr_session *s,
                                  const char *path, struct xr_error *err)
{
    struct xr_buf text = {0};
    struct xr_error why = {0};
    enum xr_status status = ca_read(&text, &p->stamp, s, path, err);

    if (status == XR_OK &&
        s->host->openssl_items((struct xr_bytes){(const unsigned char *)text.data, text.len},
                               XR_READ_BUNDLE, take, p, &why) != XR_OK)
        p->unreadable =
            xr_format(N_("OpenSSL cannot read /%s: %s, so it trusts nothing"), path, why.text);
    xr_buf_free(&text);
    return status == XR_ABSENT ? XR_OK : status;
}

/* Reads again only if the file has changed. */
static enum xr_status load(struct xr_session *s, size_t at, struct xr_error *err)
{
    const char *path = s->layout->published[at];
    struct ca_published *p = s->published[at];
    struct stat st;
    struct ca_stamp stamp = {0};
    enum xr_status status = XR_OK;

    if (ca_stat(&st, s, path, true))
        stamp = ca_stamp_of(&st);
    if (p != NULL && ca_same_stamp(&p->stamp, &stamp) && (!p->lent || p->load == s->loads))
        return XR_OK;
    published_free(p);
    s->published[at] = NULL;
    p = xr_new(1, sizeof(*p));
    p->host = s->host;
    if (!take_from_sources(p, s, path))
        status = read_bundle(p, s, path, err);
    if (status == XR_OK)
        s->published[at] = p;
    else
        published_free(p);
    return status;
}

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                             uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    const struct ca_published *p = ctx;
    enum xr_status status = XR_OK;

    (void)name;
    for (size_t i = 0; place == XR_ANCHOR && status == XR_OK && i < p->certs.count; i++) {
        if (!p->certs.items[i].named || p->certs.items[i].hash == name_hash)
            status = emit(emit_ctx, p->certs.items[i].der);
    }
    return status;
}

enum xr_status ca_probe(struct xr_session *s, struct xr_verdict *out,
                        const struct xr_probe *question, struct xr_error *err)
{
    struct xr_path_check check = {.size = sizeof(check), .probe = question, .also_partial = true};
    size_t at = 0;
    enum xr_status status = XR_OK;

    check.lookup = lookup;
    for (size_t i = 1; i < 3; i++) {
        if (s->layout->published[i] != NULL && question->purpose == bundle_purposes[i])
            at = i;
    }
    /* With one bundle for each purpose, some purposes have no bundle. */
    if (s->layout->published[1] != NULL && question->purpose != bundle_purposes[at]) {
        out->answer = XR_UNKNOWN;
        (void)snprintf(out->why, sizeof(out->why), N_("no bundle is published for that purpose"));
        return XR_OK;
    }
    status = load(s, at, err);
    if (status != XR_OK)
        return status;
    check.lookup_ctx = s->published[at];
    status = s->host->path_check(out, &check, err);
    if (status == XR_OK && s->published[at]->unreadable != NULL) {
        (void)snprintf(out->why, sizeof(out->why), "%s", s->published[at]->unreadable);
        for (size_t i = 0; i < out->also_count; i++)
            memcpy(out->also[i].why, out->why, sizeof(out->why));
    }
    if (status == XR_OK && out->answer == XR_YES && out->why[0] == '\0')
        (void)snprintf(out->why, sizeof(out->why),
                       N_("checked against "
                          "/%s alone"),
                       s->layout->published[at]);
    return status;
}
