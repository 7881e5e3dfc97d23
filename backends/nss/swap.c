/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only operation that changes entries. softoken has no transaction over several objects, so where it
 * works on the files themselves the order keeps a killed swap safe: a certificate is created before its trust and removed after it,
 * and objects that take trust are written before those that gave it are destroyed. New trust
 * objects are of NSS's own kind, which every NSS reads; CKO_TRUST of the same certificate is
 * removed, because it would keep the old trust.
 */
#include "formats/nss_names.h"
#include "store.h"
#include "troubles.h"

#include <stdlib.h>

/* ---- what is there ---- */

struct swapping {
    struct xr_session *session;
    struct nss_view view;
    const struct xr_subject *subject;
    struct xr_slices slices; /* of the certificate; or issuer and serial number alone */
    struct xr_bytes der;
    unsigned char sha1[20];
};

/* A database has one trust for each certificate. So several places are possible only for different
 * purposes, and intermediate cannot be combined with another place. */
static enum xr_status check_shape(const struct xr_state *want, struct xr_error *err)
{
    bool crl = want->subject.type == XR_SUBJECT_CRL;
    unsigned seen = 0;

    for (size_t i = 0; i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if ((entry->place == XR_CRL) != crl)
            return xr_fail(err, XR_REFUSED,
                           crl ? N_("a CRL is not a certificate")
                               : N_("a certificate is not a CRL"));
        if (entry->attached_count > 0)
            return xr_fail(err, XR_REFUSED, "an NSS database cannot attach constraints");
        if (seen & XR_PLACE_BIT(entry->place) ||
            (want->count > 1 && entry->place == XR_INTERMEDIATE))
            return xr_fail(err, XR_REFUSED,
                           "an NSS database can hold a certificate in only one "
                           "place");
        seen |= XR_PLACE_BIT(entry->place);
    }
    return XR_OK;
}

/* The bytes by which the subject is found again. */
static enum xr_status identify(struct swapping *w, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err)
{
    const struct xr_host *host = w->session->host;
    const struct xr_entry *entry = want != NULL ? want->entries[0] : expect->entries[0];

    w->der = entry->der;
    w->slices.size = sizeof(w->slices);
    if (w->subject->type == XR_SUBJECT_ISSUER_SERIAL) {
        w->slices.issuer = entry->issuer;
        w->slices.serial = entry->serial;
        return XR_OK;
    }
    if (w->subject->type != XR_SUBJECT_CERT && w->subject->type != XR_SUBJECT_CRL)
        return xr_fail(err, XR_UNSUPPORTED, "an NSS database holds only certificates and CRLs");
    if (w->subject->type == XR_SUBJECT_CRL)
        return XR_OK;
    host->sha1(w->sha1, w->der);
    return host->slices(&w->slices, w->der, err);
}

static enum xr_status load(struct swapping *w, struct xr_error *err)
{
    bool crl = w->subject->type == XR_SUBJECT_CRL;

    nss_view_free(&w->view);
    w->view.host = w->session->host;
    if (!w->session->exists)
        return XR_OK;
    return nss_view_load(&w->view, w->session, crl ? NSS_CRLS : NSS_CERTS, crl ? NULL : &w->slices,
                         err);
}

struct collected {
    struct xr_entry entries[8];
    const struct xr_entry *pointers[8];
    char *texts[8];
    size_t count;
};

static enum xr_status collect(void *ctx, const struct xr_entry *entry)
{
    struct collected *c = ctx;

    if (c->count == sizeof(c->entries) / sizeof(c->entries[0]))
        return XR_FAILED;
    c->entries[c->count] = *entry;
    c->entries[c->count].native.data = xr_memdup(entry->native.data, entry->native.len);
    c->texts[c->count] = entry->label != NULL ? xr_strdup(entry->label) : NULL;
    c->entries[c->count].label = c->texts[c->count];
    c->pointers[c->count] = &c->entries[c->count];
    c->count++;
    return XR_OK;
}

static bool as_expected(const struct swapping *w, const struct xr_state *expect)
{
    struct collected found = {.count = 0};
    struct xr_state now = {.size = sizeof(now), .subject = *w->subject, .entries = found.pointers};
    bool good = nss_view_emit(&w->view, w->subject, collect, &found) == XR_OK;

    now.count = found.count;
    good = good && w->session->host->state_equal(found.count > 0 ? &now : NULL, expect);
    for (size_t i = 0; i < found.count; i++) {
        free((void *)(uintptr_t)found.entries[i].native.data);
        free(found.texts[i]);
    }
    return good;
}

/* ---- what is wanted, as objects ---- */

struct wanted {
    struct p11_objects certs;  /* as recorded; empty: create one if there is none */
    struct p11_objects trusts; /* none: neutral */
};

static void wanted_free(struct wanted *wanted)
{
    p11_objects_free(&wanted->certs);
    p11_objects_free(&wanted->trusts);
}

static void plain_trust(struct wanted *out, const struct swapping *w, const struct xr_state *want)
{
    struct p11_trust trust = {0};
    unsigned char md5[16];

    for (size_t i = 0; i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];
        uint32_t purposes =
            entry->purposes & XR_ANY_PURPOSE ? P11_PURPOSES : entry->purposes & P11_PURPOSES;

        if (entry->place == XR_ANCHOR)
            trust.anchor |= purposes;
        else if (entry->place == XR_PEER)
            trust.peer |= purposes != 0 ? purposes : P11_PEER;
        else if (entry->place == XR_DISTRUST)
            trust.distrust |= purposes != 0 ? purposes : P11_PURPOSES;
    }
    if ((trust.anchor | trust.peer | trust.distrust) == 0)
        return;
    w->session->host->md5(md5, w->der);
    p11_trust_make(XR_PUSH(&out->trusts), &trust, &w->slices, w->sha1, md5);
}

static enum xr_status recorded(struct wanted *out, struct xr_bytes native, struct xr_error *err)
{
    while (native.len > 0) {
        struct p11_object object = {0};
        enum xr_status status = p11_decode(&object, &native, err);
        bool cert = object.kind == CKO_CERTIFICATE || object.kind == NSS_CKO_CRL;
        struct p11_objects *to = cert ? &out->certs : &out->trusts;

        if (status == XR_OK && !cert && object.kind != NSS_CKO_TRUST &&
            object.kind != STD_CKO_TRUST)
            status = xr_fail(err, XR_INVALID, "a record names an unknown kind of object");
        if (status != XR_OK) {
            p11_object_free(&object);
            return status;
        }
        *XR_PUSH(to) = object;
    }
    return XR_OK;
}

/* A record from the journal is not trusted: its objects must be about this certificate and give
 * exactly the trust of the entries. */
static enum xr_status check_record(const struct wanted *wanted, const struct swapping *w,
                                   const struct xr_state *want, struct xr_error *err)
{
    struct p11_trust all = {0}, said = {0};

    for (size_t i = 0; i < wanted->trusts.count; i++) {
        const struct p11_object *trust = &wanted->trusts.items[i];
        struct p11_trust one = p11_trust_read(trust);

        if (!xr_bytes_equal(p11_get(trust, CKA_ISSUER), w->slices.issuer) ||
            !xr_bytes_equal(p11_get(trust, CKA_SERIAL_NUMBER), w->slices.serial) ||
            (w->subject->type == XR_SUBJECT_CERT &&
             !p11_trust_about(trust, w->sha1, w->subject->id)))
            return xr_fail(err, XR_INVALID, "a trust record is about another certificate");
        all.anchor |= one.anchor;
        all.peer |= one.peer;
        all.distrust |= one.distrust;
    }
    for (size_t i = 0; i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if (entry->place == XR_ANCHOR)
            said.anchor |= entry->purposes;
        else if (entry->place == XR_PEER)
            said.peer |= entry->purposes != 0 ? entry->purposes : P11_PEER;
        else if (entry->place == XR_DISTRUST)
            said.distrust |= entry->purposes != 0 ? entry->purposes : P11_PURPOSES;
    }
    if (all.anchor != said.anchor || all.peer != said.peer || all.distrust != said.distrust)
        return xr_fail(err, XR_INVALID, "a trust record differs from its entry");
    return XR_OK;
}

static enum xr_status make_wanted(struct wanted *out, const struct swapping *w,
                                  const struct xr_state *want, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    bool native = false;

    for (size_t i = 0; status == XR_OK && i < want->count; i++) {
        native = native || want->entries[i]->native.len > 0;
        status = recorded(out, want->entries[i]->native, err);
    }
    if (status != XR_OK || w->subject->type == XR_SUBJECT_CRL)
        return status;
    if (native)
        return check_record(out, w, want, err);
    if (w->subject->type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_UNSUPPORTED,
                       "trust by issuer and serial number can only be "
                       "restored, not created");
    plain_trust(out, w, want);
    return XR_OK;
}

/* ---- making objects ---- */

static enum xr_status create_cert(struct swapping *w, struct p11_object *object, const char *label,
                                  struct xr_error *err)
{
    struct xr_buf name = {0};
    unsigned char id[20];
    enum xr_status status = XR_OK;

    object->kind = CKO_CERTIFICATE;
    p11_set_bool(object, CKA_TOKEN, true);
    p11_set_bool(object, CKA_PRIVATE, false);
    p11_set_bool(object, CKA_MODIFIABLE, true);
    p11_set_ulong(object, CKA_CERTIFICATE_TYPE, CKC_X_509);
    p11_set_bytes(object, CKA_VALUE, w->der);
    p11_set_bytes(object, CKA_SUBJECT, w->slices.subject);
    p11_set_bytes(object, CKA_ISSUER, w->slices.issuer);
    p11_set_bytes(object, CKA_SERIAL_NUMBER, w->slices.serial);
    if (p11_get(object, CKA_ID).len == 0) {
        xr_nss_key_id(id, w->session->host, w->slices.spki);
        p11_set(object, CKA_ID, id, sizeof(id));
    }
    if (label != NULL) {
        status = nss_nickname(&name, &w->session->token.p, w->slices.subject, label, err);
        p11_set(object, CKA_LABEL, name.data, name.len);
        xr_buf_free(&name);
    }
    if (status == XR_OK)
        status = p11_create(&w->session->token.p, object, err);
    return status;
}

static enum xr_status destroy_all(const struct swapping *w, struct p11_objects *objects,
                                  struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < objects->count; i++) {
        if (objects->items[i].handle != 0)
            status = p11_destroy(&w->session->token.p, &objects->items[i], err);
    }
    return status;
}

/* ---- the swap ---- */

/* Readers would confuse another certificate with this issuer and serial number with this one, or
 * its trust with that of this one. */
static enum xr_status check_clash(const struct swapping *w, struct xr_error *err)
{
    const struct nss_view *view = &w->view;

    for (size_t i = 0; i < view->known.count; i++) {
        char hex[2 * XR_SHA256_LEN + 1];

        if (memcmp(view->known.items[i].sha256, w->subject->id, XR_SHA256_LEN) == 0)
            continue;
        xr_hex(hex, view->known.items[i].sha256, XR_SHA256_LEN);
        return xr_fail(err, XR_CONFLICT,
                       "the database has another certificate with the same issuer and serial "
                       "number; remove %s first",
                       hex);
    }
    if (view->known.count < view->certs.count)
        return xr_fail(err, XR_CONFLICT,
                       "the database has a malformed object with the same issuer and serial "
                       "number");
    for (size_t i = 0; i < view->trusts.count; i++) {
        if (!p11_trust_about(&view->trusts.items[i], w->sha1, w->subject->id))
            return xr_fail(err, XR_CONFLICT,
                           "the database has trust for another certificate with the same issuer "
                           "and serial number");
        if (!view->links[i].taken)
            return xr_fail(err, XR_CONFLICT,
                           "the database has trust that another program left without the "
                           "certificate");
    }
    return XR_OK;
}

static bool same_trust(const struct p11_trust *a, const struct p11_trust *b)
{
    return a->anchor == b->anchor && a->peer == b->peer && a->distrust == b->distrust;
}

/* An older softoken cannot store CKO_TRUST. NSS's own kind says the same to every reader, unless
 * the two kinds differed. */
static enum xr_status instead(struct swapping *w, const struct wanted *wanted,
                              struct p11_object *trust, const unsigned char md5[16],
                              struct xr_error *err)
{
    struct p11_trust said = p11_trust_read(trust);
    struct p11_object plain = {0};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < wanted->trusts.count; i++) {
        struct p11_trust other = p11_trust_read(&wanted->trusts.items[i]);

        if (wanted->trusts.items[i].kind != NSS_CKO_TRUST)
            continue;
        return same_trust(&said, &other)
                   ? XR_OK
                   : xr_fail(err, XR_REFUSED,
                             "this NSS is older than 3.114 and cannot restore the trust that newer "
                             "versions read: name a newer one with --nss, such as Firefox's");
    }
    p11_trust_make(&plain, &said, &w->slices, w->sha1, md5);
    status = p11_create(&w->session->token.p, &plain, err);
    trust->handle = plain.handle;
    p11_object_free(&plain);
    return status;
}

/* softoken may have changed an object that was there. On a copy its proofs would be in key4.db before
 * cert9.db has what they are of: so it is made again, as another object with proofs of its own. */
static enum xr_status make_apart(struct swapping *w, struct p11_object *trust, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; w->session->token.copy != NULL && i < w->view.trusts.count; i++) {
        struct p11_object *old = &w->view.trusts.items[i];

        if (old->handle == 0 || old->handle != trust->handle)
            continue;
        old->handle = 0;
        status = p11_destroy(&w->session->token.p, trust, err);
        return status == XR_OK ? p11_create(&w->session->token.p, trust, err) : status;
    }
    return status;
}

static enum xr_status create_trust(struct swapping *w, const struct wanted *wanted,
                                   struct p11_object *trust, struct xr_error *err)
{
    unsigned char md5[16] = {0};
    enum xr_status status = XR_OK;

    p11_set_bool(trust, CKA_TOKEN, true);
    p11_set_bool(trust, CKA_PRIVATE, false);
    p11_set_bool(trust, CKA_MODIFIABLE, true);
    if (w->der.len > 0)
        w->session->host->md5(md5, w->der);
    if (trust->kind == NSS_CKO_TRUST) { /* softoken demands both */
        p11_set_bool(trust, NSS_CKA_STEP_UP, false);
        if (w->der.len > 0)
            p11_set(trust, NSS_CKA_MD5, md5, sizeof(md5));
    }
    status = p11_create(&w->session->token.p, trust, err);
    if (status == XR_OK)
        status = make_apart(w, trust, err);
    if (status == XR_FAILED && trust->kind == STD_CKO_TRUST && w->der.len > 0)
        status = instead(w, wanted, trust, md5, err);
    return status;
}

/* Creating an object that exists changes it in place and returns its handle. */
static bool made(const struct wanted *wanted, CK_OBJECT_HANDLE handle)
{
    for (size_t i = 0; i < wanted->trusts.count; i++) {
        if (wanted->trusts.items[i].handle == handle)
            return true;
    }
    return false;
}

/* On a copy, nobody sees the order, and a new object has proofs of its own, beside those of the old one:
 * then neither is ever in the files without. One that may be refused is tried first all the same. */
static bool anew(const struct swapping *w, const struct wanted *wanted)
{
    bool yes = w->session->token.copy != NULL;

    for (size_t i = 0; yes && i < wanted->trusts.count; i++)
        yes = wanted->trusts.items[i].kind == NSS_CKO_TRUST;
    return yes;
}

static enum xr_status put_cert(struct swapping *w, struct wanted *wanted,
                               const struct xr_state *want, struct xr_error *err)
{
    struct nss_view *view = &w->view;
    struct p11_object fresh = {0};
    bool created = view->known.count == 0;
    enum xr_status status = check_clash(w, err);

    if (status == XR_OK && wanted->trusts.count + view->trusts.count > 0)
        status = nss_token_ready(&w->session->token, err);
    if (status == XR_OK && created && wanted->certs.count == 0) {
        const char *label = want->entries[0]->label;

        status = create_cert(w, &fresh, label != NULL ? label : "CA certificate", err);
    }
    for (size_t i = 0; status == XR_OK && created && i < wanted->certs.count; i++)
        status = create_cert(w, &wanted->certs.items[i], NULL, err);
    if (status == XR_OK && anew(w, wanted))
        status = destroy_all(w, &view->trusts, err);
    for (size_t i = 0; status == XR_OK && i < wanted->trusts.count; i++)
        status = create_trust(w, wanted, &wanted->trusts.items[i], err);
    if (status != XR_OK && created) { /* nothing half done */
        (void)destroy_all(w, &wanted->trusts, NULL);
        (void)destroy_all(w, &wanted->certs, NULL);
        if (fresh.handle != 0)
            (void)p11_destroy(&w->session->token.p, &fresh, NULL);
    }
    for (size_t i = 0; status == XR_OK && i < view->trusts.count; i++) {
        if (view->trusts.items[i].handle != 0 && !made(wanted, view->trusts.items[i].handle))
            status = p11_destroy(&w->session->token.p, &view->trusts.items[i], err);
    }
    p11_object_free(&fresh);
    return status;
}

static enum xr_status put_stray(struct swapping *w, struct wanted *wanted, struct xr_error *err)
{
    enum xr_status status = nss_token_ready(&w->session->token, err);

    for (size_t i = 0; status == XR_OK && i < wanted->trusts.count; i++)
        status = create_trust(w, wanted, &wanted->trusts.items[i], err);
    for (size_t i = 0; status == XR_OK && i < w->view.trusts.count; i++) {
        if (!w->view.links[i].taken && w->view.trusts.items[i].handle != 0 &&
            !made(wanted, w->view.trusts.items[i].handle))
            status = p11_destroy(&w->session->token.p, &w->view.trusts.items[i], err);
    }
    return status;
}

static enum xr_status take_away(struct swapping *w, struct xr_error *err)
{
    struct nss_view *view = &w->view;
    bool stray = w->subject->type == XR_SUBJECT_ISSUER_SERIAL;
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < view->trusts.count; i++) {
        const struct nss_cert *cert = nss_view_find(view, w->subject->id);
        bool ours = stray ? !view->links[i].taken
                          : cert != NULL &&
                                p11_trust_about(&view->trusts.items[i], cert->sha1, cert->sha256);

        if (ours)
            status = p11_destroy(&w->session->token.p, &view->trusts.items[i], err);
    }
    for (size_t i = 0; status == XR_OK && !stray && i < view->known.count; i++) {
        if (memcmp(view->known.items[i].sha256, w->subject->id, XR_SHA256_LEN) == 0)
            status = p11_destroy(&w->session->token.p,
                                 &view->certs.items[view->known.items[i].object], err);
    }
    return status;
}

/* softoken stores only one CRL for each issuer. */
static enum xr_status put_crl(struct swapping *w, const struct wanted *wanted,
                              const struct xr_state *expect, struct xr_error *err)
{
    struct p11_object crl = {.kind = NSS_CKO_CRL};
    struct xr_bytes issuer = {0};
    enum xr_status status = w->session->host->crl_issuer(&issuer, w->der, err);

    if (expect != NULL)
        return status; /* it is there */
    for (size_t i = 0; status == XR_OK && i < w->view.crls.count; i++) {
        struct xr_bytes other = {0};

        if (w->session->host->crl_issuer(&other, p11_get(&w->view.crls.items[i], CKA_VALUE),
                                         NULL) == XR_OK &&
            xr_bytes_equal(other, issuer))
            status = xr_fail(err, XR_CONFLICT, "the database has another CRL of this issuer");
    }
    if (status != XR_OK)
        return status;
    if (wanted->certs.count > 0) {
        for (size_t i = 0; i < wanted->certs.items[0].count; i++)
            p11_set_bytes(&crl, wanted->certs.items[0].items[i].type,
                          wanted->certs.items[0].items[i].value);
    } else {
        p11_set_bool(&crl, NSS_CKA_KRL, false);
        p11_set(&crl, NSS_CKA_URL, NULL, 0); /* NSS ignores a CRL without one */
    }
    p11_set_bool(&crl, CKA_TOKEN, true);
    p11_set_bool(&crl, CKA_PRIVATE, false);
    p11_set_bool(&crl, CKA_MODIFIABLE, true);
    p11_set_bytes(&crl, CKA_SUBJECT, issuer);
    p11_set_bytes(&crl, CKA_VALUE, w->der);
    status = p11_create(&w->session->token.p, &crl, err);
    p11_object_free(&crl);
    return status;
}

static enum xr_status take_crl(struct swapping *w, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < w->view.crls.count; i++) {
        unsigned char sum[XR_SHA256_LEN];

        w->session->host->sha256(sum, p11_get(&w->view.crls.items[i], CKA_VALUE));
        if (memcmp(sum, w->subject->id, sizeof(sum)) == 0)
            status = p11_destroy(&w->session->token.p, &w->view.crls.items[i], err);
    }
    return status;
}

/* A certificate without trust is one transaction of softoken's own, which costs less than a copy. More
 * than one, or one with trust, are written to a copy. */
static bool alone(struct swapping *w, const struct wanted *wanted)
{
    return w->session->looked && !w->session->swapped && w->subject->type == XR_SUBJECT_CERT &&
           wanted->trusts.count == 0 && load(w, NULL) == XR_OK && w->view.trusts.count == 0;
}

static enum xr_status start(struct swapping *w, const struct wanted *wanted, bool create,
                            struct xr_error *err)
{
    struct xr_session *s = w->session;
    enum xr_status status = XR_OK;

    s->token.may_copy = !alone(w, wanted);
    if (s->token.may_copy && s->looks && s->token.copy == NULL)
        nss_token_close(&s->token);
    s->looked = false;
    s->swapped = s->token.begin = true;
    status = nss_token_of(s, create, err);
    if (status != XR_OK && !s->token.may_copy) {
        s->token.may_copy = true; /* softoken calls a locked file broken; a copy waits for it */
        status = nss_token_of(s, create, err);
    }
    s->token.begin = false;
    if (status == XR_OK && s->token.copy != NULL)
        status = nss_copy_begin(s->token.copy, err);
    return status;
}

static enum xr_status apply(struct swapping *w, struct wanted *wanted,
                            const struct xr_state *expect, const struct xr_state *want,
                            struct xr_error *err)
{
    bool gone = want == NULL;

    if (w->subject->type == XR_SUBJECT_CRL)
        return gone ? take_crl(w, err) : put_crl(w, wanted, expect, err);
    if (gone)
        return take_away(w, err);
    return w->subject->type == XR_SUBJECT_CERT ? put_cert(w, wanted, want, err)
                                               : put_stray(w, wanted, err);
}

enum xr_status nss_swap(struct xr_session *session, const struct xr_state *expect,
                        const struct xr_state *want, struct xr_error *err)
{
    struct swapping w = {.session = session, .subject = want ? &want->subject : &expect->subject};
    struct wanted wanted = {0};
    bool gone = want == NULL;
    enum xr_status status = identify(&w, expect, want, err);

    if (status == XR_OK && !gone)
        status = check_shape(want, err);
    if (status == XR_OK && !gone)
        status = make_wanted(&wanted, &w, want, err);
    if (status == XR_OK)
        status = start(&w, &wanted, !gone, err);
    if (status == XR_OK)
        status = load(&w, err);
    if (status == XR_OK && !as_expected(&w, expect))
        status = xr_fail(err, XR_CONFLICT, "the database no longer holds what was expected");
    if (status == XR_OK)
        status = apply(&w, &wanted, expect, want, err);
    if (status != XR_OK && err != NULL)
        nss_troubles_tell(err, session->dir);
    /* SQLite rolls back what it could not finish only once it reads that file again, and nobody may: who
     * opens it for reading then cannot. The next use of the session opens it anew. */
    if (status != XR_OK && session->token.open && session->token.copy == NULL &&
        nss_files_hot(session->dir))
        nss_token_close(&session->token);
    wanted_free(&wanted);
    nss_view_free(&w.view);
    return status;
}
