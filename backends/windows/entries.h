/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System stores as entries of one crossroot store. A medium reads and writes elements as blobs, so
 * that it does not matter where they are kept. Each system store is a place. What group policy or
 * the vendor added is listed and never changed.
 */
#ifndef XR_WINDOWS_ENTRIES_H
#define XR_WINDOWS_ENTRIES_H

#include "formats/windows_blob.h"

/* The system stores that we read. */
struct win_store {
    const char *name;
    enum xr_place place;
    bool vendors; /* of Windows Update, for instance: never written */
};
extern const struct win_store win_stores[];
extern const size_t win_store_count;
/* The system store that elements of a place are written to. */
size_t win_store_of(enum xr_place place);

enum win_origin {
    WIN_LOCAL,
    WIN_POLICY,
    WIN_ENTERPRISE,
    WIN_BESIDE, /* Windows adds it from elsewhere, such as the machine's to a user's */
    WIN_ORIGINS
};

struct win_medium;
typedef void (*win_element_fn)(void *ctx, size_t store, enum win_origin origin,
                               struct xr_bytes blob);
struct win_medium {
    /* Emits every element of every store, even malformed ones. */
    enum xr_status (*list)(struct win_medium *medium, win_element_fn emit, void *ctx,
                           struct xr_error *err);
    /* Only in WIN_LOCAL; an element is found by its SHA-1. Replaces an existing one. */
    enum xr_status (*put)(struct win_medium *medium, size_t store, bool crl,
                          const unsigned char sha1[20], struct xr_bytes blob, struct xr_error *err);
    enum xr_status (*take)(struct win_medium *medium, size_t store, bool crl,
                           const unsigned char sha1[20], struct xr_error *err);
    /* Is this what the store holds (empty: nothing)? Only in WIN_LOCAL; NULL: nobody else can
     * change it. */
    bool (*holds)(struct win_medium *medium, size_t store, bool crl, const unsigned char sha1[20],
                  struct xr_bytes blob);
    /* The medium adds computable properties by itself at any time, so they are ignored. */
    bool computes;
};

struct win_element {
    size_t store;
    enum win_origin origin;
    struct xr_bytes blob; /* owned */
    struct xr_bytes der;  /* of it */
    bool crl;
    unsigned char sha256[XR_SHA256_LEN];
    uint32_t name_hash; /* of the subject, or a CRL's issuer */
    bool gone;          /* a swap took it */
    size_t next;        /* of the same SHA-256, or WIN_NONE */
};
#define WIN_NONE SIZE_MAX
struct win_view {
    const struct xr_host *host;
    struct win_medium *medium;
    bool loaded;
    struct win_element *items;
    size_t count, capacity;
    struct xr_idmap firsts; /* by SHA-256 */
    bool sorted;            /* by SHA-256, and none is gone */
    size_t *by_name;        /* if sorted: all items, by name_hash and in their order; or NULL */
};
#define WIN_PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))

/* view.c */
void win_view_free(struct win_view *view);
/* Adds an element that can be read; a win_element_fn, ctx is a struct win_view. */
void win_view_take(void *ctx, size_t store, enum win_origin origin, struct xr_bytes blob);
/* The first element of that certificate or CRL that is not gone, or WIN_NONE; at: after which. */
size_t win_view_find(const struct win_view *view, const unsigned char sha256[XR_SHA256_LEN],
                     size_t at);
/* Sorts it again after swaps. */
void win_view_sort(struct win_view *view);
/* Calls emit for the elements with that hash of their name, in the order of the view, which is sorted,
 * until it returns something else than XR_OK. */
typedef enum xr_status (*win_named_fn)(void *ctx, const struct win_element *element);
enum xr_status win_view_named(struct win_view *view, uint32_t name_hash, win_named_fn emit,
                              void *ctx);
enum xr_place win_place_of(const struct win_element *element);
enum xr_status win_load(struct win_view *view, struct xr_error *err);
enum xr_status win_list(struct win_view *view, xr_entry_fn emit, void *ctx, struct xr_error *err);
enum xr_status win_swap(struct win_view *view, const struct xr_state *expect,
                        const struct xr_state *want, struct xr_error *err);
/* libcrypto's answer with what the view holds. */
enum xr_status win_check(struct win_view *view, struct xr_verdict *out,
                         const struct xr_probe *question, struct xr_error *err);

#endif
