/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a database as entries. A certificate and its trust are different objects,
 * connected by issuer, serial number and a hash. There are two kinds of trust object, and the
 * reader decides which one counts: NSS 3.114 and later use CKO_TRUST if there is one, older
 * versions know only CKO_NSS_TRUST. An entry has the trust that any of them would give, with a
 * remark if they differ.
 */
#include "store.h"

#include <limits.h>
#include <stdlib.h>

/* softoken makes a separate query, with locks, for every attribute, so read only the necessary
 * ones. */
static const unsigned long cert_types[] = {CKA_VALUE, CKA_LABEL, CKA_ID, NSS_CKA_EMAIL};
static const unsigned long crl_types[] = {CKA_VALUE, CKA_LABEL, NSS_CKA_URL, NSS_CKA_KRL};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- loading ---- */

bool nss_cert_of(struct nss_cert *out, const struct xr_host *host, struct xr_bytes der)
{
    struct xr_subject pair;

    *out = (struct nss_cert){.der = der, .object = SIZE_MAX, .next = SIZE_MAX};
    out->slices.size = sizeof(out->slices);
    if (host->slices(&out->slices, der, NULL) != XR_OK)
        return false;
    host->sha256(out->sha256, der);
    host->sha1(out->sha1, der);
    xr_subject_issuer_serial(&pair, out->slices.issuer, out->slices.serial, host->sha256);
    memcpy(out->serial_id, pair.id, sizeof(pair.id));
    return true;
}

static void know_cert(struct nss_view *view, size_t object, struct xr_idmap *seen)
{
    struct nss_cert cert;
    bool added = false;
    size_t first = 0;

    if (!nss_cert_of(&cert, view->host, p11_get(&view->certs.items[object], CKA_VALUE)))
        return;
    cert.object = object;
    first = xr_idmap_put(seen, cert.sha256, view->known.count, &added);
    cert.again = !added;
    if (cert.again) {
        cert.next = view->known.items[first].next;
        view->known.items[first].next = view->known.count;
    }
    *XR_PUSH(&view->known) = cert;
}

static void link_trusts(struct nss_view *view)
{
    view->links = xr_new(view->trusts.count, sizeof(*view->links));
    for (size_t i = 0; i < view->trusts.count; i++) {
        struct xr_subject pair;
        bool added = false;
        size_t first = 0;

        xr_subject_issuer_serial(&pair, p11_get(&view->trusts.items[i], CKA_ISSUER),
                                 p11_get(&view->trusts.items[i], CKA_SERIAL_NUMBER),
                                 view->host->sha256);
        memcpy(view->links[i].id, pair.id, sizeof(pair.id));
        view->links[i].next = SIZE_MAX;
        first = xr_idmap_put(&view->by_serial, pair.id, i, &added);
        if (!added) {
            view->links[i].next = view->links[first].next;
            view->links[first].next = i;
        }
    }
}

/* The first trust object from `at` on that is about the certificate, or SIZE_MAX. */
static size_t about(const struct nss_view *view, const struct nss_cert *cert, size_t at)
{
    while (at != SIZE_MAX && !p11_trust_about(&view->trusts.items[at], cert->sha1, cert->sha256))
        at = view->links[at].next;
    return at;
}

size_t nss_view_trust(const struct nss_view *view, const struct nss_cert *cert, size_t after)
{
    size_t at = SIZE_MAX;

    if (after != SIZE_MAX)
        return about(view, cert, view->links[after].next);
    return xr_idmap_get(&view->by_serial, cert->serial_id, &at) ? about(view, cert, at) : SIZE_MAX;
}

static enum xr_status find(struct p11_objects *out, const struct xr_session *session,
                           unsigned long kind, const struct xr_slices *only,
                           const unsigned long *types, size_t count, struct xr_error *err)
{
    struct p11_object like = {0};
    enum xr_status status = XR_OK;

    if (session->looked) {
        nss_look_find(out, &session->look, kind, types, count);
        return XR_OK;
    }
    if (only != NULL) {
        p11_set_bytes(&like, CKA_ISSUER, only->issuer);
        p11_set_bytes(&like, CKA_SERIAL_NUMBER, only->serial);
    }
    status = p11_find(out, &session->token.p, kind, &like, types, count, err);
    p11_object_free(&like);
    return status;
}

enum xr_status nss_view_load(struct nss_view *view, struct xr_session *session, unsigned parts,
                             const struct xr_slices *only, struct xr_error *err)
{
    struct xr_idmap seen = {0};
    enum xr_status status = XR_OK;

    view->host = session->host;
    view->remark = session->token.old ? N_("no current program reads this cert8.db") : NULL;
    if (parts & NSS_CERTS) {
        status =
            find(&view->certs, session, CKO_CERTIFICATE, only, cert_types, COUNT(cert_types), err);
        if (status == XR_OK)
            status = find(&view->trusts, session, STD_CKO_TRUST, only, p11_std_types,
                          p11_std_type_count, err);
        if (status == XR_OK)
            status = find(&view->trusts, session, NSS_CKO_TRUST, only, p11_nss_types,
                          p11_nss_type_count, err);
    }
    if (status == XR_OK && parts & NSS_CRLS)
        status = find(&view->crls, session, NSS_CKO_CRL, NULL, crl_types, COUNT(crl_types), err);
    link_trusts(view);
    for (size_t i = 0; i < view->certs.count; i++)
        know_cert(view, i, &seen);
    xr_idmap_free(&seen);
    for (size_t i = 0; i < view->known.count; i++) {
        const struct nss_cert *cert = &view->known.items[i];

        for (size_t t = nss_view_trust(view, cert, SIZE_MAX); t != SIZE_MAX;
             t = nss_view_trust(view, cert, t))
            view->links[t].taken = true;
    }
    for (size_t t = 0; status == XR_OK && t < view->trusts.count; t++) {
        static const unsigned long more[] = {NSS_CKA_MD5}; /* else made from the certificate */
        struct p11_object *trust = &view->trusts.items[t];
        bool unproven = false;

        if (trust->kind != NSS_CKO_TRUST)
            continue;
        if (session->looked) {
            if (!view->links[t].taken)
                nss_look_more(trust, &session->look, NSS_CKA_MD5);
            continue;
        }
        p11_doubt(trust, &session->token.p, NSS_CKA_STEP_UP);
        unproven = trust->unproven;
        if (!view->links[t].taken)
            status = p11_read(trust, &session->token.p, more, 1, err);
        trust->unproven = unproven; /* NSS does not read that one */
    }
    return status;
}

void nss_view_free(struct nss_view *view)
{
    p11_objects_free(&view->certs);
    p11_objects_free(&view->trusts);
    p11_objects_free(&view->crls);
    free(view->known.items);
    free(view->links);
    xr_idmap_free(&view->by_serial);
    *view = (struct nss_view){0};
}

const struct nss_cert *nss_view_find(const struct nss_view *view,
                                     const unsigned char sha256[XR_SHA256_LEN])
{
    for (size_t i = 0; i < view->known.count; i++) {
        if (memcmp(view->known.items[i].sha256, sha256, XR_SHA256_LEN) == 0)
            return &view->known.items[i];
    }
    return NULL;
}

/* ---- what readers believe ---- */

static void add_belief(struct nss_belief *b, const struct p11_object *trust)
{
    struct p11_trust said = p11_trust_read(trust);
    struct p11_trust *to = trust->kind == STD_CKO_TRUST ? &b->std : &b->nss;

    to->anchor |= said.anchor;
    to->peer |= said.peer;
    to->distrust |= said.distrust;
    b->has_std = b->has_std || trust->kind == STD_CKO_TRUST;
    b->has_nss = b->has_nss || trust->kind != STD_CKO_TRUST;
}

struct nss_belief nss_view_belief(const struct nss_view *view, const struct nss_cert *cert)
{
    struct nss_belief belief = {0};

    for (size_t t = nss_view_trust(view, cert, SIZE_MAX); t != SIZE_MAX;
         t = nss_view_trust(view, cert, t))
        add_belief(&belief, &view->trusts.items[t]);
    return belief;
}

static void say_trust(struct xr_buf *out, const struct p11_trust *trust)
{
    char text[64];

    if (trust->anchor != 0) {
        xr_purposes_text(text, sizeof(text), trust->anchor);
        xr_buf_fmt(out, N_("anchor for %s"), text);
    }
    if (trust->peer != 0) {
        xr_purposes_text(text, sizeof(text), trust->peer);
        xr_buf_str(out, out->len > 0 ? "; " : "");
        xr_buf_fmt(out, N_("trusted as itself for %s"), text);
    }
    if (trust->distrust != 0) {
        xr_purposes_text(text, sizeof(text), trust->distrust);
        xr_buf_str(out, out->len > 0 ? "; " : "");
        xr_buf_fmt(out, N_("distrusted for %s"), text);
    }
    if (out->len == 0)
        xr_buf_str(out, N_("no trust of its own"));
}

static bool same_trust(const struct p11_trust *a, const struct p11_trust *b)
{
    return a->anchor == b->anchor && a->peer == b->peer && a->distrust == b->distrust;
}

/* Empty if all NSS versions read the same trust. */
static void say_difference(struct xr_buf *out, const struct nss_belief *b)
{
    struct xr_buf newer = {0}, older = {0};

    if (!b->has_std || same_trust(&b->std, &b->nss))
        return;
    say_trust(&newer, &b->std);
    say_trust(&older, &b->nss);
    xr_buf_fmt(out, N_("NSS 3.114 and later read: %s; older versions read: %s"), newer.data,
               older.data);
    xr_buf_free(&newer);
    xr_buf_free(&older);
}

/* ---- entries ---- */

static int by_bytes(const void *a, const void *b)
{
    const struct xr_buf *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

struct records {
    struct xr_buf *items;
    size_t count, capacity;
};

/* The order in a database is arbitrary, so sort. */
static void join(struct xr_buf *out, struct records *records)
{
    if (records->count > 1)
        qsort(records->items, records->count, sizeof(*records->items), by_bytes);
    for (size_t i = 0; i < records->count; i++) {
        xr_buf_add(out, records->items[i].data, records->items[i].len);
        xr_buf_free(&records->items[i]);
    }
    free(records->items);
}

/* One entry for each place; the first carries the record of all objects. */
static enum xr_status emit_trust(const struct nss_belief *b, struct xr_entry *entry, bool neutral,
                                 xr_entry_fn emit, void *ctx)
{
    struct p11_trust all = {b->std.anchor | b->nss.anchor, b->std.peer | b->nss.peer,
                            b->std.distrust | b->nss.distrust};
    const struct {
        enum xr_place place;
        bool there;
        uint32_t purposes;
    } places[] = {
        {XR_DISTRUST, all.distrust != 0, all.distrust == P11_PURPOSES ? 0 : all.distrust},
        {XR_ANCHOR, all.anchor != 0, all.anchor},
        {XR_PEER, all.peer != 0, all.peer == P11_PEER ? 0 : all.peer},
        {XR_INTERMEDIATE, neutral && (all.distrust | all.anchor | all.peer) == 0, 0},
    };
    struct xr_buf difference = {0};
    enum xr_status status = XR_OK;

    say_difference(&difference, b);
    if (entry->returns != NULL)
        xr_buf_fmt(&difference, "%s%s", difference.len > 0 ? "; " : "", entry->returns);
    if (difference.len > 0)
        entry->remark = difference.data;
    for (size_t i = 0; status == XR_OK && i < COUNT(places); i++) {
        if (!places[i].there)
            continue;
        entry->place = places[i].place;
        entry->purposes = places[i].purposes;
        status = emit(ctx, entry);
        entry->native = (struct xr_bytes){0};
    }
    xr_buf_free(&difference);
    return status;
}

static char *label_of(const struct p11_object *object)
{
    struct xr_bytes label = p11_get(object, CKA_LABEL);
    struct xr_buf text = {0};

    xr_buf_visible(&text, (const char *)label.data, label.len);
    return text.data;
}

static void record(struct records *records, const struct p11_object *object, unsigned long without)
{
    struct p11_object copy = *object;
    struct p11_attr *kept = xr_new(object->count, sizeof(*kept));

    copy.count = 0;
    for (size_t i = 0; i < object->count; i++) {
        if (object->items[i].type != without)
            kept[copy.count++] = object->items[i];
    }
    copy.items = kept;
    p11_encode(XR_PUSH(records), &copy);
    free(kept);
}

static enum xr_status emit_cert(const struct nss_view *view, const struct nss_cert *cert,
                                xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .der = cert->der,
                             .remark = view->remark};
    struct records certs = {0}, trusts = {0};
    struct xr_buf native = {0};
    struct nss_belief belief = nss_view_belief(view, cert);
    char *label = label_of(&view->certs.items[cert->object]);
    char *returns = view->returns != NULL ? nss_returns_of(view->returns, cert->der) : NULL;
    enum xr_status status = XR_OK;

    memcpy(entry.subject.id, cert->sha256, XR_SHA256_LEN);
    record(&certs, &view->certs.items[cert->object], CKA_VALUE);
    for (size_t k = cert->next; k != SIZE_MAX; k = view->known.items[k].next)
        record(&certs, &view->certs.items[view->known.items[k].object], CKA_VALUE);
    for (size_t t = nss_view_trust(view, cert, SIZE_MAX); t != SIZE_MAX;
         t = nss_view_trust(view, cert, t))
        record(&trusts, &view->trusts.items[t], CKA_CLASS);
    join(&native, &certs);
    join(&native, &trusts);
    entry.native = (struct xr_bytes){(unsigned char *)native.data, native.len};
    entry.label = label;
    entry.returns = returns;
    status = emit_trust(&belief, &entry, true, emit, ctx);
    xr_buf_free(&native);
    free(label);
    free(returns);
    return status;
}

static void add_hash(struct xr_buf *out, struct xr_bytes hash)
{
    unsigned char len = (unsigned char)hash.len;

    if (hash.len == 0 || hash.len > UCHAR_MAX)
        return;
    xr_buf_add(out, &len, 1);
    xr_buf_add(out, hash.data, hash.len);
}

/* Trust objects without their certificate: left by old tools, or a distrust that needs none. All
 * with the same issuer and serial number are one subject. */
static enum xr_status emit_stray(const struct nss_view *view, size_t first, xr_entry_fn emit,
                                 void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_ISSUER_SERIAL},
                             .remark = view->remark,
                             .issuer = p11_get(&view->trusts.items[first], CKA_ISSUER),
                             .serial = p11_get(&view->trusts.items[first], CKA_SERIAL_NUMBER)};
    struct records trusts = {0};
    struct xr_buf native = {0}, hashes = {0};
    struct nss_belief belief = {0};
    enum xr_status status = XR_OK;

    memcpy(entry.subject.id, view->links[first].id, XR_SHA256_LEN);
    for (size_t t = first; t != SIZE_MAX; t = view->links[t].next) {
        if (view->links[t].taken)
            continue;
        record(&trusts, &view->trusts.items[t], CKA_CLASS);
        add_belief(&belief, &view->trusts.items[t]);
        add_hash(&hashes, p11_trust_hash(&view->trusts.items[t]));
    }
    join(&native, &trusts);
    entry.native = (struct xr_bytes){(unsigned char *)native.data, native.len};
    entry.about = (struct xr_bytes){(unsigned char *)hashes.data, hashes.len};
    if (native.len > 0)
        status = emit_trust(&belief, &entry, true, emit, ctx);
    xr_buf_free(&native);
    xr_buf_free(&hashes);
    return status;
}

static enum xr_status emit_crl(const struct nss_view *view, const struct p11_object *crl,
                               const struct xr_subject *subject, xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CRL},
                             .place = XR_CRL,
                             .remark = view->remark,
                             .der = p11_get(crl, CKA_VALUE)};
    struct records records = {0};
    struct xr_buf native = {0};
    char *label = NULL;
    enum xr_status status = XR_OK;

    view->host->sha256(entry.subject.id, entry.der);
    if (entry.der.len == 0 ||
        (subject != NULL && memcmp(subject->id, entry.subject.id, XR_SHA256_LEN) != 0))
        return XR_OK;
    label = label_of(crl);
    entry.label = label;
    if (view->remark == NULL && (!p11_has(crl, NSS_CKA_URL) || !p11_has(crl, NSS_CKA_KRL)))
        entry.remark =
            N_("NSS does not see this CRL because it was stored without an attribute that "
               "NSS needs: remove it and install it again");
    record(&records, crl, CKA_VALUE);
    join(&native, &records);
    entry.native = (struct xr_bytes){(unsigned char *)native.data, native.len};
    status = emit(ctx, &entry);
    xr_buf_free(&native);
    free(label);
    return status;
}

static bool wanted(const struct xr_subject *subject, enum xr_subject_type type,
                   const unsigned char id[XR_SHA256_LEN])
{
    return subject == NULL ||
           (subject->type == type && memcmp(subject->id, id, XR_SHA256_LEN) == 0);
}

enum xr_status nss_view_emit(const struct nss_view *view, const struct xr_subject *subject,
                             xr_entry_fn emit, void *ctx)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < view->known.count; i++) {
        const struct nss_cert *cert = &view->known.items[i];

        if (!cert->again && wanted(subject, XR_SUBJECT_CERT, cert->sha256))
            status = emit_cert(view, cert, emit, ctx);
    }
    for (size_t t = 0; status == XR_OK && t < view->trusts.count; t++) {
        size_t first = 0;

        if (xr_idmap_get(&view->by_serial, view->links[t].id, &first) && first == t &&
            wanted(subject, XR_SUBJECT_ISSUER_SERIAL, view->links[t].id))
            status = emit_stray(view, t, emit, ctx);
    }
    for (size_t i = 0; status == XR_OK && i < view->crls.count; i++) {
        if (subject == NULL || subject->type == XR_SUBJECT_CRL)
            status = emit_crl(view, &view->crls.items[i], subject, emit, ctx);
    }
    return status;
}
