/* SPDX-License-Identifier: Apache-2.0 */
#include "entries.h"

#include "kit/der.h"

#include <stdlib.h>

/* ---- entries ---- */

/* Without the property, Windows trusts an anchor for whatever it is used. */
static uint32_t purposes_of(struct xr_bytes blob, enum xr_place place)
{
    struct xr_bytes eku = xr_win_blob_get(blob, XR_WIN_EKU);

    if (place != XR_ANCHOR)
        return 0;
    return eku.data != NULL ? xr_win_eku_purposes(eku) : XR_ANY_PURPOSE;
}

static const char *remark_of(struct xr_bytes blob)
{
    if (xr_win_blob_get(blob, XR_WIN_DISALLOWED).data != NULL)
        return N_("Windows stops trusting it at a date, which is in its properties");
    if (xr_win_blob_get(blob, XR_WIN_NOT_BEFORE).data != NULL)
        return N_("Windows trusts only what it issued before a date, which is in its properties");
    if (xr_win_blob_get(blob, XR_WIN_ARCHIVED).data != NULL)
        return N_("archived: the lists of Windows do not show it");
    return NULL;
}

struct shown {
    struct xr_entry entry;
    struct xr_buf native;
    char *label;
};

static void show(struct shown *out, const struct win_element *element)
{
    struct xr_entry *entry = &out->entry;
    struct xr_bytes name = xr_win_blob_get(element->blob, XR_WIN_NAME);

    *out = (struct shown){.entry = {.size = sizeof(*entry)}};
    entry->subject.type = element->crl ? XR_SUBJECT_CRL : XR_SUBJECT_CERT;
    memcpy(entry->subject.id, element->sha256, XR_SHA256_LEN);
    entry->place = win_place_of(element);
    entry->purposes = purposes_of(element->blob, entry->place);
    entry->der = element->der;
    entry->remark = remark_of(element->blob);
    if (element->origin != WIN_LOCAL || win_stores[element->store].vendors)
        entry->flags = XR_ENTRY_VENDOR;
    if (name.data != NULL) {
        char *text = xr_win_name_text(name);

        entry->label = out->label = xr_visible(text);
        free(text);
    }
    xr_buf_put32(&out->native, (uint32_t)element->store);
    xr_buf_put32(&out->native, (uint32_t)element->origin);
    xr_buf_add(&out->native, element->blob.data, element->blob.len);
    entry->native = (struct xr_bytes){(unsigned char *)out->native.data, out->native.len};
}

static void shown_free(struct shown *shown)
{
    xr_buf_free(&shown->native);
    free(shown->label);
}

enum xr_status win_list(struct win_view *view, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    enum xr_status status = win_load(view, err);

    for (size_t i = 0; status == XR_OK && i < view->count; i++) {
        struct shown shown;

        show(&shown, &view->items[i]);
        status = emit(ctx, &shown.entry);
        shown_free(&shown);
    }
    return status;
}

/* ---- the swap ---- */

struct swapping {
    struct win_view *view;
    const struct xr_subject *subject;
    struct {
        struct win_element **items; /* of the view, until that changes: those of the subject */
        size_t count, capacity;
    } of;
    bool *keeps; /* by element */
    struct {
        struct made {
            size_t store;
            struct xr_buf blob;
        } * items;
        size_t count, capacity;
    } made;
    struct xr_bytes der;
    unsigned char sha1[20];
    bool crl;
};

static enum xr_status check_want(const struct swapping *w, const struct xr_state *want,
                                 struct xr_error *err)
{
    unsigned places = 0;

    for (size_t i = 0; i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if ((entry->place == XR_CRL) != w->crl)
            return xr_fail(err, XR_REFUSED,
                           w->crl ? N_("a CRL is not a certificate")
                                  : N_("a certificate is not a CRL"));
        if (entry->attached_count > 0)
            return xr_fail(err, XR_REFUSED, "Windows cannot attach extensions");
        if (entry->native.len > 0)
            continue;
        if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE &&
            (entry->purposes == 0 || (entry->purposes & ~WIN_PURPOSES) != 0))
            return xr_fail(err, XR_INVALID, "Windows has no such purposes");
        if (places & XR_PLACE_BIT(entry->place))
            return xr_fail(err, XR_INVALID, "a place is given twice");
        places |= XR_PLACE_BIT(entry->place);
    }
    return XR_OK;
}

static enum xr_status identify(struct swapping *w, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err)
{
    const struct xr_state *any = want != NULL ? want : expect;
    const struct xr_host *host = w->view->host;
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_bytes issuer;

    w->subject = &any->subject;
    w->crl = any->subject.type == XR_SUBJECT_CRL;
    if (!w->crl && any->subject.type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_REFUSED, "Windows' stores hold certificates and CRLs only");
    w->der = any->entries[0]->der;
    if (w->crl ? host->crl_issuer(&issuer, w->der, err) != XR_OK
               : host->slices(&slices, w->der, err) != XR_OK)
        return XR_INVALID;
    host->sha1(w->sha1, w->der);
    return want != NULL ? check_want(w, want, err) : XR_OK;
}

static int by_store(const void *a, const void *b)
{
    const struct win_element *x = *(const struct win_element *const *)a,
                             *y = *(const struct win_element *const *)b;
    int order = (int)x->store - (int)y->store;

    return order != 0 ? order : (int)x->origin - (int)y->origin;
}

static void find_elements(struct swapping *w)
{
    struct win_view *view = w->view;

    w->of.count = 0;
    for (size_t at = WIN_NONE; (at = win_view_find(view, w->subject->id, at)) != WIN_NONE;)
        *XR_PUSH(&w->of) = &view->items[at];
    if (w->of.count > 1)
        qsort((void *)w->of.items, w->of.count, sizeof(*w->of.items), by_store);
    free(w->keeps);
    w->keeps = xr_new(w->of.count, sizeof(*w->keeps));
}

/* Did another program, which does not take our lock, change the subject since it was read? */
static bool outdated(const struct swapping *w)
{
    struct win_medium *medium = w->view->medium;
    bool same = true;

    for (size_t store = 0; medium->holds != NULL && same && store < win_store_count; store++) {
        struct xr_bytes blob = {0};

        if (win_stores[store].vendors)
            continue;
        for (size_t i = 0; i < w->of.count; i++) {
            const struct win_element *element = w->of.items[i];

            if (element->origin == WIN_LOCAL && element->store == store)
                blob = element->blob;
        }
        same = medium->holds(medium, store, w->crl, w->sha1, blob);
    }
    return !same;
}

static bool as_expected(const struct swapping *w, const struct xr_state *expect)
{
    struct shown *shown = xr_new(w->of.count, sizeof(*shown));
    const struct xr_entry **list = xr_new(w->of.count, sizeof(*list));
    struct xr_state have = {.size = sizeof(have), .entries = list, .count = w->of.count};
    bool equal = false;

    have.subject = *w->subject;
    for (size_t i = 0; i < w->of.count; i++) {
        show(&shown[i], w->of.items[i]);
        list[i] = &shown[i].entry;
    }
    equal = w->view->host->state_equal(w->of.count > 0 ? &have : NULL, expect);
    for (size_t i = 0; i < w->of.count; i++)
        shown_free(&shown[i]);
    free(shown);
    free((void *)list);
    return equal;
}

static bool ours(const struct win_element *element)
{
    return element->origin == WIN_LOCAL && !win_stores[element->store].vendors;
}

/* Existing properties stay, except the purposes, because some of them limit trust. */
static void compose(struct xr_buf *out, const struct swapping *w, const struct xr_entry *entry,
                    const struct win_element *there)
{
    struct xr_bytes sha1 = {w->sha1, sizeof(w->sha1)};
    struct xr_bytes rest = there != NULL ? there->blob : (struct xr_bytes){0};
    struct xr_buf made = {0};
    struct xr_win_record record;

    if (there == NULL)
        xr_win_blob_add(out, XR_WIN_SHA1, sha1);
    while (xr_win_blob_next(&record, &rest)) {
        if (record.id != XR_WIN_EKU && record.id != XR_WIN_CERT && record.id != XR_WIN_CRL)
            xr_win_blob_add(out, record.id, record.data);
    }
    if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE) {
        xr_win_eku_make(&made, entry->purposes);
        xr_win_blob_add(out, XR_WIN_EKU, (struct xr_bytes){(unsigned char *)made.data, made.len});
        xr_buf_free(&made);
    }
    if (there == NULL && entry->label != NULL && !w->crl) {
        xr_win_name_make(&made, entry->label);
        xr_win_blob_add(out, XR_WIN_NAME, (struct xr_bytes){(unsigned char *)made.data, made.len});
        xr_buf_free(&made);
    }
    xr_win_blob_add(out, w->crl ? XR_WIN_CRL : XR_WIN_CERT, w->der);
}

/* A record comes from the journal and is not trusted: it must name a store that we write, and match
 * the entry. */
static enum xr_status recorded(struct xr_bytes *blob, size_t *store, const struct xr_entry *entry,
                               struct xr_error *err)
{
    struct xr_bytes in = entry->native;
    uint32_t at = 0, origin = 0;

    if (xr_bytes_get32(&at, &in) && xr_bytes_get32(&origin, &in) && at < win_store_count &&
        origin < WIN_ORIGINS && xr_win_blob_good(in) &&
        (entry->place == XR_CRL ? XR_INTERMEDIATE : entry->place) == win_stores[at].place &&
        xr_bytes_equal(xr_win_blob_get(in, entry->place == XR_CRL ? XR_WIN_CRL : XR_WIN_CERT),
                       entry->der) &&
        purposes_of(in, entry->place) == entry->purposes) {
        *blob = in;
        *store = at;
        return origin == WIN_LOCAL && !win_stores[at].vendors
                   ? XR_OK
                   : xr_fail(err, XR_REFUSED, "it comes with the system, or from group policy");
    }
    return xr_fail(err, XR_INVALID, "the record of this entry is damaged");
}

static bool serves(const struct shown *shown, const struct xr_entry *entry)
{
    if (shown->entry.place != entry->place)
        return false;
    if (entry->native.len > 0)
        return xr_bytes_equal(shown->entry.native, entry->native);
    return entry->place != XR_ANCHOR || shown->entry.purposes == entry->purposes;
}

static enum xr_status plan_entry(struct swapping *w, const struct xr_entry *entry,
                                 struct xr_error *err)
{
    const struct win_element *there = NULL;
    struct xr_bytes blob = {0};
    struct made *made = NULL;
    size_t store = win_store_of(entry->place);
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < w->of.count; i++) {
        const struct win_element *element = w->of.items[i];
        struct shown shown;
        bool good = false;

        show(&shown, element);
        good = !w->keeps[i] && serves(&shown, entry);
        shown_free(&shown);
        if (good) {
            w->keeps[i] = true;
            return XR_OK;
        }
    }
    if (entry->native.len > 0)
        status = recorded(&blob, &store, entry, err);
    if (status != XR_OK)
        return status;
    for (size_t i = 0; i < w->of.count; i++) {
        const struct win_element *element = w->of.items[i];

        if (ours(element) && element->store == store) {
            there = element;
            w->keeps[i] = true; /* written over */
        }
    }
    made = XR_PUSH(&w->made);
    *made = (struct made){.store = store};
    if (blob.data != NULL)
        xr_buf_add(&made->blob, blob.data, blob.len);
    else
        compose(&made->blob, w, entry, there);
    return XR_OK;
}

static enum xr_status check_going(const struct swapping *w, struct xr_error *err)
{
    for (size_t i = 0; i < w->of.count; i++) {
        if (!w->keeps[i] && !ours(w->of.items[i]))
            return xr_fail(err, XR_REFUSED, "it comes with the system, or from group policy");
    }
    return XR_OK;
}

/* A distrust is written before the trust that it ends is removed; the places are ordered for
 * that. */
static enum xr_status carry_out(struct swapping *w, struct xr_error *err)
{
    struct win_medium *medium = w->view->medium;
    enum xr_status status = XR_OK;

    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; status == XR_OK && i < w->made.count; i++) {
            const struct made *made = &w->made.items[i];
            bool narrows = win_stores[made->store].place != XR_ANCHOR;

            if (narrows == (pass == 0))
                status = medium->put(
                    medium, made->store, w->crl, w->sha1,
                    (struct xr_bytes){(unsigned char *)made->blob.data, made->blob.len}, err);
        }
    }
    for (size_t i = 0; status == XR_OK && i < w->of.count; i++) {
        const struct win_element *element = w->of.items[i];

        if (!w->keeps[i])
            status = medium->take(medium, element->store, w->crl, w->sha1, err);
    }
    return status == XR_CONFLICT || status == XR_REFUSED ? XR_FAILED : status;
}

static bool made_anew(const struct swapping *w, const struct win_element *element)
{
    bool anew = false;

    for (size_t i = 0; i < w->made.count; i++)
        anew = anew || w->made.items[i].store == element->store;
    return anew && ours(element);
}

/* Updates the view after a swap, so that a batch need not read the whole store each time. */
static void follow(struct swapping *w)
{
    struct win_view *view = w->view;

    for (size_t i = 0; i < w->of.count; i++) {
        struct win_element *element = w->of.items[i];

        if (w->keeps[i] && !made_anew(w, element))
            continue;
        element->gone = true;
        view->sorted = false;
    }
    for (size_t i = 0; i < w->made.count; i++)
        win_view_take(view, w->made.items[i].store, WIN_LOCAL,
                      (struct xr_bytes){(unsigned char *)w->made.items[i].blob.data,
                                        w->made.items[i].blob.len});
    view->loaded = true;
}

enum xr_status win_swap(struct win_view *view, const struct xr_state *expect,
                        const struct xr_state *want, struct xr_error *err)
{
    struct swapping w = {.view = view};
    enum xr_status status = identify(&w, expect, want, err);

    if (status == XR_OK && !view->loaded)
        status = win_load(view, err);
    if (status == XR_OK)
        find_elements(&w);
    if (status == XR_OK && outdated(&w)) {
        status = win_load(view, err);
        if (status == XR_OK)
            find_elements(&w);
    }
    if (status == XR_OK && !as_expected(&w, expect))
        status = xr_fail(err, XR_CONFLICT, "the store has changed meanwhile");
    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++)
        status = plan_entry(&w, want->entries[i], err);
    if (status == XR_OK)
        status = check_going(&w, err);
    if (status == XR_OK) {
        view->loaded = false;
        status = carry_out(&w, err);
        if (status == XR_OK)
            follow(&w);
    }
    for (size_t i = 0; i < w.made.count; i++)
        xr_buf_free(&w.made.items[i].blob);
    free(w.made.items);
    free((void *)w.of.items);
    free(w.keeps);
    return status;
}

/* ---- a verifier that is not Windows' own ---- */

static bool disallowed(const struct win_view *view, const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = WIN_NONE;

    while ((at = win_view_find(view, sha256, at)) != WIN_NONE) {
        if (win_place_of(&view->items[at]) == XR_DISTRUST)
            return true;
    }
    return false;
}

/* The certificate with OpenSSL's trust settings for the purposes of its EKU property
 * (X509_CERT_AUX). */
static enum xr_status emit_anchor(const struct win_element *element, xr_bytes_fn emit, void *ctx)
{
    struct xr_bytes eku = xr_win_blob_get(element->blob, XR_WIN_EKU);
    struct xr_buf both = {0};
    unsigned char head[2] = {XR_DER_SEQUENCE, 0};
    enum xr_status status = XR_OK;

    xr_buf_add(&both, element->der.data, element->der.len);
    if (eku.data != NULL) {
        struct xr_buf known = {0};

        xr_win_eku_make(&known, xr_win_eku_purposes(eku));
        head[1] = (unsigned char)known.len;
        xr_buf_add(&both, head, sizeof(head));
        xr_buf_add(&both, known.data, known.len);
        xr_buf_free(&known);
    }
    status = emit(ctx, (struct xr_bytes){(unsigned char *)both.data, both.len});
    xr_buf_free(&both);
    return status;
}

struct looking {
    struct win_view *view;
    enum xr_place place;
    xr_bytes_fn emit;
    void *ctx;
};

static enum xr_status named(void *ctx, const struct win_element *element)
{
    const struct looking *l = ctx;

    if (win_place_of(element) != l->place ||
        (!element->crl && disallowed(l->view, element->sha256)))
        return XR_OK;
    if (l->place == XR_ANCHOR && purposes_of(element->blob, l->place) == 0)
        return XR_OK; /* trusted for nothing that we know */
    return l->place == XR_ANCHOR ? emit_anchor(element, l->emit, l->ctx)
                                 : l->emit(l->ctx, element->der);
}

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                             uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    struct looking looking = {ctx, place, emit, emit_ctx};

    (void)name;
    return win_view_named(looking.view, name_hash, named, &looking);
}

enum xr_status win_check(struct win_view *view, struct xr_verdict *out,
                         const struct xr_probe *question, struct xr_error *err)
{
    struct xr_probe asked = *question;
    struct xr_path_check check = {
        .size = sizeof(check), .probe = &asked, .lookup = lookup, .lookup_ctx = view};
    struct xr_bytes *chain = xr_new(question->count, sizeof(*chain));
    unsigned char sum[XR_SHA256_LEN];
    enum xr_status status = view->loaded ? XR_OK : win_load(view, err);

    win_view_sort(view);
    asked.chain = chain;
    asked.count = 0;
    for (size_t i = 0; status == XR_OK && i < question->count; i++) {
        view->host->sha256(sum, question->chain[i]);
        if (!disallowed(view, sum))
            chain[asked.count++] = question->chain[i];
        else if (i == 0)
            break;
    }
    if (status == XR_OK && asked.count == 0) {
        out->answer = XR_NO;
        (void)snprintf(out->by, sizeof(out->by), N_("Windows' rules"));
        (void)snprintf(out->why, sizeof(out->why), N_("it is among the disallowed certificates"));
    } else if (status == XR_OK) {
        status = view->host->path_check(out, &check, err);
    }
    free(chain);
    return status;
}
