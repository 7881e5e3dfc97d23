/* SPDX-License-Identifier: Apache-2.0 */
#include "verifier.h"

#include <stdlib.h>

/* What a token says, by subject: anchors with OpenSSL's trust settings for the purposes that are
 * attached, and what builds paths. Nothing that a distrust blocks. */
struct ca_published {
    const struct xr_host *host;
    size_t changes; /* of the session, when it was made */
    struct {
        struct believed {
            struct xr_bytes der; /* owned */
            uint32_t hash;
            enum xr_place place;
        } * items;
        size_t count, capacity;
    } certs;
};

void pt_verifier_free(struct xr_session *s)
{
    struct ca_published *p = s->published[0];

    for (size_t i = 0; p != NULL && i < p->certs.count; i++)
        free((void *)(uintptr_t)p->certs.items[i].der.data);
    if (p != NULL)
        free(p->certs.items);
    free(p);
    s->published[0] = NULL;
}

static void believe(struct ca_published *p, enum xr_place place, struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_bytes alone = der; /* without trust settings */
    uint32_t hash = 0, purposes = 0;

    (void)p->host->trusted(&alone.len, &purposes, der, NULL);
    if (p->host->slices(&slices, alone, NULL) == XR_OK &&
        p->host->name_hash(&hash, slices.subject, NULL) == XR_OK)
        *XR_PUSH(&p->certs) =
            (struct believed){{xr_memdup(der.data, der.len), der.len}, hash, place};
}

static enum xr_status take_anchor(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    if (kind != XR_ITEM_CRL)
        believe(ctx, XR_ANCHOR, der);
    return XR_OK;
}

static void load(struct ca_published *p, struct xr_session *s)
{
    const struct pk_request request = {.format = PK_OPENSSL_BUNDLE, .filter = PK_CA_ANCHORS};
    struct pk_outs outs = {0};

    pk_extract(&outs, &s->pk, &request);
    for (size_t i = 0; i < outs.count; i++) {
        struct xr_bytes text = {(const unsigned char *)outs.items[i].content.data,
                                outs.items[i].content.len};

        if (text.len > 0)
            (void)s->host->items(text, take_anchor, p, NULL);
    }
    pk_outs_free(&outs);
    for (size_t i = 0; i < s->pk.certs.count; i++) {
        const struct pk_cert *cert = &s->pk.certs.items[i];

        if (!cert->trusted && !cert->distrusted && !cert->blocked && cert->der.len > 0)
            believe(p, XR_INTERMEDIATE, cert->der);
    }
}

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                             uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    const struct ca_published *p = ctx;
    enum xr_status status = XR_OK;

    (void)name;
    for (size_t i = 0; status == XR_OK && i < p->certs.count; i++) {
        if (p->certs.items[i].place == place && p->certs.items[i].hash == name_hash)
            status = emit(emit_ctx, p->certs.items[i].der);
    }
    return status;
}

/* As the module sees it: by its key, or by issuer and serial number. */
static bool distrusted(const struct xr_session *s, struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};

    if (s->host->slices(&slices, der, NULL) != XR_OK)
        return false;
    for (size_t i = 0; i < s->pk.certs.count; i++) {
        const struct pk_cert *cert = &s->pk.certs.items[i];

        if (cert->distrusted &&
            ((cert->spki.len > 0 && xr_bytes_equal(cert->spki, slices.spki)) ||
             (cert->serial.len > 0 && xr_bytes_equal(cert->issuer, slices.issuer) &&
              xr_bytes_equal(cert->serial, slices.serial))))
            return true;
    }
    return false;
}

enum xr_status pt_probe(struct xr_session *s, struct xr_verdict *out,
                        const struct xr_probe *question, struct xr_error *err)
{
    struct xr_probe asked = *question;
    struct xr_path_check check = {.size = sizeof(check), .probe = &asked, .also_partial = true};
    struct xr_bytes *chain = NULL;
    enum xr_status status = s->loaded ? XR_OK : ca_load(s, err);

    if (status != XR_OK)
        return status;
    if (distrusted(s, question->chain[0])) {
        out->answer = XR_NO;
        (void)snprintf(out->by, sizeof(out->by), "p11-kit's rules");
        (void)snprintf(out->why, sizeof(out->why), "it is distrusted in this token");
        return XR_OK;
    }
    if (s->published[0] == NULL || s->published[0]->changes != s->changes) {
        pt_verifier_free(s);
        s->published[0] = xr_new(1, sizeof(*s->published[0]));
        s->published[0]->host = s->host;
        s->published[0]->changes = s->changes;
        load(s->published[0], s);
    }
    chain = xr_new(question->count, sizeof(*chain));
    asked.chain = chain;
    asked.count = 0;
    for (size_t i = 0; i < question->count; i++) {
        if (!distrusted(s, question->chain[i]))
            chain[asked.count++] = question->chain[i];
    }
    check.lookup = lookup;
    check.lookup_ctx = s->published[0];
    status = s->host->path_check(out, &check, err);
    free(chain);
    return status;
}
