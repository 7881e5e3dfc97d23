/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System stores as entries of one crossroot store, whatever they are kept in: a medium gives and takes
 * elements as blobs. Each system store is a place; what group policy or the vendor put beside is
 * listed and left.
 */
#ifndef XR_WINDOWS_ENTRIES_H
#define XR_WINDOWS_ENTRIES_H

#include "blob.h"

/* The system stores that are looked at. */
struct win_store {
    const char *name;
    enum xr_place place;
    bool vendors; /* Windows Update's, for instance: never written */
};
extern const struct win_store win_stores[];
extern const size_t win_store_count;
/* Where elements of a place are written. */
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
    /* Every element of every store; what is malformed too. */
    enum xr_status (*list)(struct win_medium *medium, win_element_fn emit, void *ctx,
                           struct xr_error *err);
    /* Of WIN_LOCAL alone; an element is found by its SHA-1. Replaces one that is there. */
    enum xr_status (*put)(struct win_medium *medium, size_t store, bool crl,
                          const unsigned char sha1[20], struct xr_bytes blob, struct xr_error *err);
    enum xr_status (*take)(struct win_medium *medium, size_t store, bool crl,
                           const unsigned char sha1[20], struct xr_error *err);
    /* Is that what is there (empty: nothing)? Of WIN_LOCAL; NULL: nobody else can change it. */
    bool (*holds)(struct win_medium *medium, size_t store, bool crl, const unsigned char sha1[20],
                  struct xr_bytes blob);
    /* Makes properties that can be computed by itself, whenever it likes: they are not looked at. */
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
/* libcrypto's answer over what the view holds. */
enum xr_status win_check(struct win_view *view, struct xr_verdict *out,
                         const struct xr_probe *question, struct xr_error *err);

#endif
