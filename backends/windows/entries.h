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
};
struct win_view {
    const struct xr_host *host;
    struct win_medium *medium;
    bool loaded;
    struct win_element *items;
    size_t count, capacity;
};
#define WIN_PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))

void win_view_free(struct win_view *view);
enum xr_status win_load(struct win_view *view, struct xr_error *err);
enum xr_status win_list(struct win_view *view, xr_entry_fn emit, void *ctx, struct xr_error *err);
enum xr_status win_swap(struct win_view *view, const struct xr_state *expect,
                        const struct xr_state *want, struct xr_error *err);
/* libcrypto's answer with what the view holds. */
enum xr_status win_check(struct win_view *view, struct xr_verdict *out,
                         const struct xr_probe *question, struct xr_error *err);

#endif
