/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 2.40, 4.6: CKA_TRUSTED makes a certificate an anchor, and only the security officer sets
 * it. There is no distrust except p11-kit's own CKA_X_DISTRUSTED, and there are no purposes. There
 * is no transaction over several objects either, so new objects are created before old ones are
 * destroyed.
 */
#include "general.h"

#include "../pkcs11/objects.h"
#include "verifier.h"

#include <errno.h>
#include <p11-kit/pkcs11x.h>
#include <stdlib.h>
#include <unistd.h>

#define LABEL_MAX 120u
#define AUTHORITY 2u /* CKA_CERTIFICATE_CATEGORY */

/* One certificate object. */
struct held {
    struct p11_object object; /* owned */
    struct xr_bytes der;      /* of it */
    unsigned char sha256[XR_SHA256_LEN];
    enum xr_place place;
};

struct pt_general {
    const struct xr_host *host;
    struct pt_tokens tokens;
    const struct pt_token *token;
    struct p11_token p;
    bool open, write;
    int lock;
    char *home; /* of the user, or NULL */
    struct helds {
        struct held *items;
        size_t count, capacity;
    } held; /* as last read */
};

/* ---- what it holds ---- */

static const unsigned long types[] = {CKA_VALUE,   CKA_LABEL,        CKA_ID,
                                      CKA_TRUSTED, CKA_X_DISTRUSTED, CKA_CERTIFICATE_CATEGORY};
#define TYPES (sizeof(types) / sizeof(types[0]))

static bool says(const struct p11_object *object, unsigned long type)
{
    struct xr_bytes value = p11_get(object, type);
    bool yes = false; /* modules take every value except false as true */

    for (size_t i = 0; i < value.len; i++)
        yes = yes || value.data[i] != CK_FALSE;
    return yes;
}

static enum xr_place place_of(const struct p11_object *object)
{
    return says(object, CKA_X_DISTRUSTED) ? XR_DISTRUST
           : says(object, CKA_TRUSTED)    ? XR_ANCHOR
                                          : XR_INTERMEDIATE;
}

static void forget(struct pt_general *g)
{
    for (size_t i = 0; i < g->held.count; i++)
        p11_object_free(&g->held.items[i].object);
    free(g->held.items);
    memset(&g->held, 0, sizeof(g->held));
}

static int by_subject(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    int order = memcmp(x->sha256, y->sha256, XR_SHA256_LEN);

    return order != 0 ? order : (int)x->place - (int)y->place;
}

/* Sorted, so independent of the token's order. Objects that are not certificates are left out. */
static enum xr_status load(struct pt_general *g, const struct p11_object *like,
                           struct xr_error *err)
{
    struct p11_objects found = {0};
    enum xr_status status = p11_find(&found, &g->p, CKO_CERTIFICATE, like, types, TYPES, err);

    forget(g);
    for (size_t i = 0; status == XR_OK && i < found.count; i++) {
        struct held held = {.object = found.items[i]};
        struct xr_slices slices = {.size = sizeof(slices)};

        held.der = p11_get(&held.object, CKA_VALUE);
        held.place = place_of(&held.object);
        if (g->host->slices(&slices, held.der, NULL) != XR_OK)
            continue;
        g->host->sha256(held.sha256, held.der);
        *XR_PUSH(&g->held) = held;
        found.items[i] = (struct p11_object){0};
    }
    p11_objects_free(&found);
    if (g->held.count > 1)
        qsort(g->held.items, g->held.count, sizeof(*g->held.items), by_subject);
    return status;
}

static char *label_of(const struct held *held)
{
    struct xr_bytes label = p11_get(&held->object, CKA_LABEL);
    struct xr_buf text = {0};

    xr_buf_visible(&text, (const char *)label.data, label.len);
    return text.data;
}

/* The object without its value, which is in the entry. */
static void record(struct xr_buf *out, const struct p11_object *object)
{
    struct p11_object copy = {.kind = object->kind};

    for (size_t i = 0; i < object->count; i++) {
        if (object->items[i].type != CKA_VALUE)
            p11_set_bytes(&copy, object->items[i].type, object->items[i].value);
    }
    p11_encode(out, &copy);
    p11_object_free(&copy);
}

static int by_bytes(const void *a, const void *b)
{
    const struct xr_buf *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Joins the records of all objects with one certificate and place, independent of the token's
 * order. */
static struct xr_buf native_of(const struct pt_general *g, size_t from, size_t to)
{
    struct xr_buf *each = xr_new(to - from, sizeof(*each)), out = {0};

    for (size_t i = from; i < to; i++)
        record(&each[i - from], &g->held.items[i].object);
    qsort(each, to - from, sizeof(*each), by_bytes);
    for (size_t i = 0; i < to - from; i++) {
        xr_buf_add(&out, each[i].data, each[i].len);
        xr_buf_free(&each[i]);
    }
    free(each);
    return out;
}

/* The end of the objects with the same certificate and place as the one at from. */
static size_t group_end(const struct pt_general *g, size_t from)
{
    size_t to = from + 1;

    while (to < g->held.count && by_subject(&g->held.items[from], &g->held.items[to]) == 0)
        to++;
    return to;
}

/* subject: only this one, or NULL for all. */
static enum xr_status emit_all(const struct pt_general *g, const struct xr_subject *subject,
                               xr_entry_fn emit, void *ctx)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0, to = 0; status == XR_OK && i < g->held.count; i = to) {
        const struct held *held = &g->held.items[i];
        struct xr_entry entry = {.size = sizeof(entry),
                                 .subject = {.type = XR_SUBJECT_CERT},
                                 .place = held->place,
                                 .purposes = held->place == XR_ANCHOR ? XR_ANY_PURPOSE : 0,
                                 .der = held->der};
        struct xr_buf native = {0};
        char *label = NULL;

        to = group_end(g, i);
        memcpy(entry.subject.id, held->sha256, XR_SHA256_LEN);
        if (subject != NULL && memcmp(subject->id, held->sha256, XR_SHA256_LEN) != 0)
            continue;
        native = native_of(g, i, to);
        label = label_of(held);
        entry.native = (struct xr_bytes){(const unsigned char *)native.data, native.len};
        entry.label = label;
        status = emit(ctx, &entry);
        xr_buf_free(&native);
        free(label);
    }
    return status;
}

enum xr_status pt_general_list(struct pt_general *g, xr_entry_fn emit, void *ctx,
                               struct xr_error *err)
{
    enum xr_status status = load(g, NULL, err);

    return status == XR_OK ? emit_all(g, NULL, emit, ctx) : status;
}

/* ---- the verifier ---- */

static bool distrusted(const void *ctx, struct xr_bytes der)
{
    const struct pt_general *g = ctx;

    for (size_t i = 0; i < g->held.count; i++) {
        if (g->held.items[i].place == XR_DISTRUST && xr_bytes_equal(g->held.items[i].der, der))
            return true;
    }
    return false;
}

enum xr_status pt_general_probe(struct pt_general *g, struct xr_verdict *out,
                                const struct xr_probe *question, struct xr_error *err)
{
    struct pt_beliefs beliefs = {.host = g->host};
    enum xr_status status = load(g, NULL, err);

    if (status != XR_OK)
        return status;
    for (size_t i = 0; i < g->held.count; i++) {
        const struct held *held = &g->held.items[i];

        if (held->place != XR_DISTRUST && !distrusted(g, held->der))
            pt_believe(&beliefs, held->place, held->der);
    }
    status = pt_check(out, &beliefs, question, distrusted, g, err);
    pt_beliefs_free(&beliefs);
    return status;
}

/* ---- the swap ---- */

struct collected {
    struct xr_entry entries[XR_PLACE_COUNT];
    const struct xr_entry *pointers[XR_PLACE_COUNT];
    char *labels[XR_PLACE_COUNT];
    size_t count;
};

static enum xr_status collect(void *ctx, const struct xr_entry *entry)
{
    struct collected *c = ctx;
    struct xr_entry *to = NULL;

    if (c->count == XR_PLACE_COUNT)
        return XR_FAILED;
    to = &c->entries[c->count];
    *to = *entry;
    to->native.data = xr_memdup(entry->native.data, entry->native.len);
    to->label = c->labels[c->count] = xr_strdup(entry->label);
    c->pointers[c->count++] = to;
    return XR_OK;
}

struct swapping {
    struct pt_general *g;
    const struct xr_subject *subject;
    struct xr_bytes der;
    struct collected now;
    bool keeps[XR_PLACE_COUNT]; /* of now */
    struct p11_objects created;
};

static void swapping_free(struct swapping *w)
{
    for (size_t i = 0; i < w->now.count; i++) {
        free((void *)(uintptr_t)w->now.entries[i].native.data);
        free(w->now.labels[i]);
    }
    p11_objects_free(&w->created);
}

static enum xr_status check_want(const struct xr_state *want, struct xr_error *err)
{
    unsigned places = 0;

    for (size_t i = 0; i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if (entry->attached_count > 0)
            return xr_fail(err, XR_REFUSED, "this token cannot hold attached extensions");
        if (entry->native.len > 0)
            continue;
        if (entry->place != XR_ANCHOR && entry->place != XR_INTERMEDIATE)
            return xr_fail(err, XR_REFUSED, "this token has no place for a %s",
                           xr_place_name(entry->place));
        if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE)
            return xr_fail(err, XR_REFUSED, "this token cannot restrict an anchor to a purpose");
        if (places != 0)
            return xr_fail(err, XR_REFUSED,
                           "a certificate can be an anchor or an intermediate, not both");
        places |= XR_PLACE_BIT(entry->place);
    }
    return XR_OK;
}

static enum xr_status identify(struct swapping *w, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err)
{
    const struct xr_state *any = want != NULL ? want : expect;
    struct xr_slices slices = {.size = sizeof(slices)};

    w->subject = &any->subject;
    if (any->subject.type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_REFUSED, "this token holds certificates only");
    w->der = any->entries[0]->der;
    if (w->g->host->slices(&slices, w->der, err) != XR_OK)
        return XR_INVALID;
    return want != NULL ? check_want(want, err) : XR_OK;
}

static enum xr_status load_subject(struct swapping *w, struct xr_error *err)
{
    struct p11_object like = {0};
    enum xr_status status = XR_OK;

    p11_set_bytes(&like, CKA_VALUE, w->der);
    status = load(w->g, &like, err);
    p11_object_free(&like);
    return status == XR_OK ? emit_all(w->g, w->subject, collect, &w->now) : status;
}

static bool as_expected(const struct swapping *w, const struct xr_state *expect)
{
    const struct xr_state now = {.size = sizeof(now),
                                 .subject = *w->subject,
                                 .entries = w->now.pointers,
                                 .count = w->now.count};

    return w->g->host->state_equal(w->now.count > 0 ? &now : NULL, expect);
}

static enum xr_status create(struct swapping *w, struct p11_object *object, enum xr_place place,
                             struct xr_error *err)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct p11_object *made = NULL;

    object->kind = CKO_CERTIFICATE;
    (void)w->g->host->slices(&slices, w->der, NULL);
    p11_set_bool(object, CKA_TOKEN, true);
    p11_set_bool(object, CKA_PRIVATE, false);
    p11_set_bool(object, CKA_MODIFIABLE, true);
    p11_set_ulong(object, CKA_CERTIFICATE_TYPE, CKC_X_509);
    p11_set_bytes(object, CKA_VALUE, w->der);
    p11_set_bytes(object, CKA_SUBJECT, slices.subject);
    p11_set_bytes(object, CKA_ISSUER, slices.issuer);
    p11_set_bytes(object, CKA_SERIAL_NUMBER, slices.serial);
    if (place == XR_ANCHOR)
        p11_set_bool(object, CKA_TRUSTED, true);
    made = XR_PUSH(&w->created);
    *made = *object;
    *object = (struct p11_object){0};
    return p11_create(&w->g->p, made, err);
}

static enum xr_status create_wish(struct swapping *w, const struct xr_entry *entry,
                                  struct xr_error *err)
{
    struct p11_object object = {0};
    struct xr_slices slices = {.size = sizeof(slices)};
    unsigned char id[20];
    struct xr_buf label = {0};

    (void)w->g->host->slices(&slices, w->der, NULL);
    w->g->host->sha1(id, slices.spki);
    xr_buf_visible(&label, entry->label != NULL ? entry->label : "CA certificate",
                   strlen(entry->label != NULL ? entry->label : "CA certificate"));
    while (label.len > LABEL_MAX ||
           (label.len > 0 && ((unsigned char)label.data[label.len] & 0xc0) == 0x80))
        label.data[--label.len] = '\0';
    p11_set(&object, CKA_LABEL, label.data, label.len);
    p11_set(&object, CKA_ID, id, sizeof(id));
    p11_set_ulong(&object, CKA_CERTIFICATE_CATEGORY, AUTHORITY);
    xr_buf_free(&label);
    return create(w, &object, entry->place, err);
}

/* A record comes from the journal and is not trusted: it must say the same as the entry. */
static enum xr_status create_recorded(struct swapping *w, const struct xr_entry *entry,
                                      struct xr_error *err)
{
    struct xr_bytes rest = entry->native;
    enum xr_status status = XR_OK;

    while (status == XR_OK && rest.len > 0) {
        struct p11_object object = {0};
        bool known = true;

        status = p11_decode(&object, &rest, err);
        for (size_t i = 0; status == XR_OK && i < object.count; i++) {
            bool one = false;

            for (size_t k = 0; k < TYPES; k++)
                one = one || (types[k] == object.items[i].type && types[k] != CKA_VALUE);
            known = known && one;
        }
        if (status == XR_OK &&
            (!known || object.kind != CKO_CERTIFICATE || place_of(&object) != entry->place))
            status = xr_fail(err, XR_INVALID, "the record of this entry is damaged");
        if (status == XR_OK)
            status = create(w, &object, entry->place, err);
        p11_object_free(&object);
    }
    return status;
}

static enum xr_status make(struct swapping *w, const struct xr_entry *entry, struct xr_error *err)
{
    for (size_t i = 0; i < w->now.count; i++) {
        const struct xr_entry *have = &w->now.entries[i];

        if (have->place == entry->place &&
            (entry->native.len == 0 || xr_bytes_equal(have->native, entry->native))) {
            w->keeps[i] = true;
            return XR_OK;
        }
    }
    return entry->native.len > 0 ? create_recorded(w, entry, err) : create_wish(w, entry, err);
}

/* Destroys the objects in places that are not kept. */
static enum xr_status destroy_old(struct swapping *w, struct xr_error *err)
{
    struct pt_general *g = w->g;
    enum xr_status status = XR_OK;
    size_t group = 0;

    for (size_t i = 0, to = 0; i < g->held.count; i = to, group++) {
        to = group_end(g, i);
        for (size_t k = i; status == XR_OK && k < to && !w->keeps[group]; k++)
            status = p11_destroy(&g->p, &g->held.items[k].object, err);
    }
    return status;
}

enum xr_status pt_general_swap(struct pt_general *g, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err)
{
    struct swapping w = {.g = g};
    enum xr_status status = identify(&w, expect, want, err);

    if (status == XR_OK)
        status = load_subject(&w, err);
    if (status == XR_OK && !as_expected(&w, expect))
        status = xr_fail(err, XR_CONFLICT, "the token holds something else than expected");
    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++)
        status = make(&w, want->entries[i], err);
    if (status == XR_OK) {
        status = destroy_old(&w, err);
        /* A conflict promises that nothing was changed, so it is reported only then. */
        status = status == XR_CONFLICT ? XR_FAILED : status;
    } else { /* nothing half done */
        for (size_t i = 0; i < w.created.count; i++) {
            if (w.created.items[i].handle != 0)
                (void)p11_destroy(&g->p, &w.created.items[i], NULL);
        }
    }
    swapping_free(&w);
    return status;
}

/* ---- sessions ---- */

static enum xr_status begin(struct pt_general *g, bool write, struct xr_error *err)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0);
    CK_RV rv = CKR_OK;

    if (g->open)
        (void)g->p.f->C_CloseSession(g->p.session);
    g->open = false;
    rv = g->p.f->C_OpenSession(g->token->slot, flags, NULL, NULL, &g->p.session);
    if (rv != CKR_OK)
        return p11_fail(err, rv, "cannot open a session");
    g->open = true;
    g->write = write;
    return XR_OK;
}

enum xr_status pt_general_open(struct pt_general **out, const struct xr_host *host,
                               const struct xr_site *site, struct pt_tokens *tokens,
                               const struct pt_token *token, struct xr_error *err)
{
    struct pt_general *g = xr_new(1, sizeof(*g));
    enum xr_status status = XR_OK;

    g->host = host;
    g->home = site->home != NULL ? xr_strdup(site->home) : NULL;
    g->tokens = *tokens;
    *tokens = (struct pt_tokens){0};
    g->token = token;
    g->p.f = token->module;
    g->lock = -1;
    status = begin(g, false, err);
    if (status != XR_OK) {
        pt_general_close(g);
        return status;
    }
    *out = g;
    return XR_OK;
}

void pt_general_close(struct pt_general *g)
{
    if (g == NULL)
        return;
    forget(g);
    if (g->open)
        (void)g->p.f->C_CloseSession(g->p.session);
    if (g->lock >= 0)
        (void)close(g->lock);
    pt_tokens_free(&g->tokens);
    free(g->home);
    free(g);
}

enum xr_status pt_general_write(struct pt_general *g, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (g->token->flags & CKF_WRITE_PROTECTED)
        return XR_OK; /* its capabilities say so */
    if (g->lock < 0)
        status = pt_lock(&g->lock, g->host, g->home, g->token, err);
    if (status != XR_OK)
        return status;
    return g->write ? XR_OK : begin(g, true, err);
}

void pt_general_describe(struct xr_caps *full, const struct pt_general *g)
{
    unsigned char sum[20];
    char hex[sizeof(sum) * 2 + 1];
    struct xr_bytes name = {(const unsigned char *)g->token->full, strlen(g->token->full)};

    full->places[XR_ANCHOR] = full->places[XR_INTERMEDIATE] = XR_ENFORCED;
    full->purposes = XR_ANY_PURPOSE;
    full->subjects = 1u << XR_SUBJECT_CERT;
    full->writable = (g->token->flags & CKF_WRITE_PROTECTED) == 0;
    if (!full->writable)
        (void)snprintf(full->why_not, sizeof(full->why_not), N_("the token is write-protected"));
    if (g->token->flags & CKF_LOGIN_REQUIRED)
        full->locked = XR_PLACE_BIT(XR_ANCHOR);
    (void)snprintf(full->why_cannot[XR_DISTRUST], sizeof(full->why_cannot[0]),
                   N_("PKCS#11 has no distrust; distrust it in a token of p11-kit's own module"));
    (void)snprintf(full->why_cannot[XR_CRL], sizeof(full->why_cannot[0]),
                   N_("p11-kit has no place for CRLs; an openssl: store has"));
    (void)snprintf(full->summary, sizeof(full->summary),
                   full->locked != 0 ? N_("%.40s, objects of a PKCS#11 token; its password is the "
                                          "security officer's PIN")
                                     : N_("%.40s, objects of a PKCS#11 token"),
                   g->token->label);
    (void)snprintf(full->verifier, sizeof(full->verifier), "OpenSSL X509_verify_cert");
    g->host->sha1(sum, name);
    xr_hex(hex, sum, sizeof(sum));
    (void)snprintf(full->identity, sizeof(full->identity), "pkcs11:%s", hex);
}

enum xr_status pt_general_unlock(struct pt_general *g, struct xr_bytes pin, struct xr_error *err)
{
    CK_RV rv = CKR_OK;
    enum xr_status status = XR_OK;

    /* PKCS#11 allows no session for reading while the security officer is logged in. */
    if (!g->write)
        status = begin(g, true, err);
    if (status != XR_OK)
        return status;
    rv = g->p.f->C_Login(g->p.session, CKU_SO, (CK_UTF8CHAR *)(uintptr_t)pin.data, pin.len);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN
               ? XR_OK
               : p11_fail(err, rv, "cannot log in as its security officer");
}
