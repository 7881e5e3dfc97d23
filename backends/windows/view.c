/* SPDX-License-Identifier: Apache-2.0 */
/* What the system stores hold, in memory: sorted, and found by SHA-256 and by name. */
#include "entries.h"

#include <stdlib.h>

const struct win_store win_stores[] = {
    {"ROOT", XR_ANCHOR, false},         {"AuthRoot", XR_ANCHOR, true},
    {"CA", XR_INTERMEDIATE, false},     {"TrustedPeople", XR_PEER, false},
    {"Disallowed", XR_DISTRUST, false},
};
const size_t win_store_count = sizeof(win_stores) / sizeof(win_stores[0]);

size_t win_store_of(enum xr_place place)
{
    enum xr_place held = place == XR_CRL ? XR_INTERMEDIATE : place; /* CRLs lie in CA */
    size_t at = 0;

    while (win_stores[at].place != held || win_stores[at].vendors)
        at++;
    return at;
}

enum xr_place win_place_of(const struct win_element *element)
{
    return element->crl ? XR_CRL : win_stores[element->store].place;
}

void win_view_free(struct win_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        free((void *)(uintptr_t)view->items[i].blob.data);
    free(view->items);
    free(view->by_name);
    xr_idmap_free(&view->firsts);
    view->items = NULL;
    view->by_name = NULL;
    view->count = view->capacity = 0;
    view->loaded = view->sorted = false;
}

/* Puts an item at the end of those of its SHA-256, of which there are few. */
static void chain(struct win_view *view, size_t at)
{
    bool added = false;
    size_t last = xr_idmap_put(&view->firsts, view->items[at].sha256, at, &added);

    view->items[at].next = WIN_NONE;
    if (added)
        return;
    while (view->items[last].next != WIN_NONE)
        last = view->items[last].next;
    view->items[last].next = at;
}

void win_view_take(void *ctx, size_t store, enum win_origin origin, struct xr_bytes blob)
{
    struct win_view *view = ctx;
    struct xr_slices slices = {.size = sizeof(slices)};
    struct win_element element = {.store = store, .origin = origin};
    struct xr_bytes crl = xr_win_blob_get(blob, XR_WIN_CRL), name = {0};

    if (!xr_win_blob_good(blob) || blob.len > XR_NATIVE_MAX / 2)
        return;
    if (view->medium->computes) {
        struct xr_buf plain = {0};

        xr_win_blob_plain(&plain, blob);
        element.blob = (struct xr_bytes){(unsigned char *)plain.data, plain.len};
    } else {
        element.blob = (struct xr_bytes){xr_memdup(blob.data, blob.len), blob.len};
    }
    element.crl = crl.data != NULL;
    element.der = xr_win_blob_get(element.blob, element.crl ? XR_WIN_CRL : XR_WIN_CERT);
    if (element.crl ? view->host->crl_issuer(&name, element.der, NULL) != XR_OK
                    : view->host->slices(&slices, element.der, NULL) != XR_OK) {
        free((void *)(uintptr_t)element.blob.data);
        return;
    }
    if (!element.crl)
        name = slices.subject;
    (void)view->host->name_hash(&element.name_hash, name, NULL);
    view->host->sha256(element.sha256, element.der);
    *XR_PUSH(view) = element;
    chain(view, view->count - 1);
    view->sorted = false;
}

static int by_subject(const void *a, const void *b)
{
    const struct win_element *x = a, *y = b;
    int order = memcmp(x->sha256, y->sha256, XR_SHA256_LEN);

    if (order == 0)
        order = (int)x->store - (int)y->store;
    return order != 0 ? order : (int)x->origin - (int)y->origin;
}

void win_view_sort(struct win_view *view)
{
    size_t kept = 0;

    if (view->sorted)
        return;
    for (size_t i = 0; i < view->count; i++) {
        if (view->items[i].gone)
            free((void *)(uintptr_t)view->items[i].blob.data);
        else
            view->items[kept++] = view->items[i];
    }
    view->count = kept;
    if (view->count > 1)
        qsort(view->items, view->count, sizeof(*view->items), by_subject);
    free(view->by_name);
    view->by_name = NULL;
    xr_idmap_free(&view->firsts);
    for (size_t i = 0; i < view->count; i++)
        chain(view, i);
    view->sorted = true;
}

enum xr_status win_load(struct win_view *view, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    win_view_free(view);
    status = view->medium->list(view->medium, win_view_take, view, err);
    win_view_sort(view);
    view->loaded = status == XR_OK;
    return status;
}

/* ---- finding ---- */

size_t win_view_find(const struct win_view *view, const unsigned char sha256[XR_SHA256_LEN],
                     size_t at)
{
    if (at != WIN_NONE)
        at = view->items[at].next;
    else if (!xr_idmap_get(&view->firsts, sha256, &at))
        return WIN_NONE;
    while (at != WIN_NONE && view->items[at].gone)
        at = view->items[at].next;
    return at;
}

/* For qsort: a hash, and where it is. */
struct named {
    uint32_t hash;
    size_t at;
};

static int by_hash(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void index_names(struct win_view *view)
{
    struct named *all = xr_new(view->count, sizeof(*all));

    view->by_name = xr_new(view->count, sizeof(*view->by_name));
    for (size_t i = 0; i < view->count; i++)
        all[i] = (struct named){view->items[i].name_hash, i};
    if (view->count > 1)
        qsort(all, view->count, sizeof(*all), by_hash);
    for (size_t i = 0; i < view->count; i++)
        view->by_name[i] = all[i].at;
    free(all);
}

enum xr_status win_view_named(struct win_view *view, uint32_t name_hash, win_named_fn emit,
                              void *ctx)
{
    enum xr_status status = XR_OK;
    size_t low = 0, high = view->count;

    if (view->by_name == NULL)
        index_names(view);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (view->items[view->by_name[middle]].name_hash < name_hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; status == XR_OK && low < view->count; low++) {
        const struct win_element *element = &view->items[view->by_name[low]];

        if (element->name_hash != name_hash)
            break;
        status = emit(ctx, element);
    }
    return status;
}
