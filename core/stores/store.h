/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open store, in this process or in a helper program, with the same operations and promises.
 *
 * The helper is started by fork and exec over a socket pair; messages are bounded, every call has a
 * time limit, and what comes back is parsed as hostile. A helper that crashes, hangs or sends
 * invalid replies is killed, and the call returns XR_LOST: whether it acted is unknown.
 *
 * The folder stores has the backends and what their stores hold; it may use certs, sys and kit.
 */
#ifndef XR_STORE_H
#define XR_STORE_H

#include "registry.h"
#include "wire.h"

/* Called before and after waiting for a helper, so that other threads can go on. */
struct xr_pause {
    void (*leave)(void *ctx);
    void (*enter)(void *ctx);
    /* Waits until another thread calls tell. */
    void (*await)(void *ctx);
    void (*tell)(void *ctx);
    void *ctx;
};
struct xr_remote;
struct xr_helper_pool; /* helpers/pool.h */

struct xr_worker_config {
    const struct xr_remote *remote; /* opens sessions in helpers; NULL: there are none */
    const char *program;            /* path of the helper */
    unsigned limit_ms;              /* time limit for one call; 0: XR_WORKER_LIMIT_MS */
    bool has_identity;              /* become uid and gid before exec */
    uint32_t uid, gid;
    const struct xr_pause *pause; /* or NULL */
    struct xr_helper_pool *pool;  /* keeps helpers for later stores; NULL: each serves one store */
    /* Copies a helper that is ready for sessions of that backend. Returns the process ID of the
     * copy, which serves on fd; 0 if there is none to copy; -1 if the one to copy failed and is
     * gone (another process may have fd by then). NULL: each helper is a new program. */
    int (*copy)(void *copier, const struct xr_worker_config *config,
                const struct xr_loaded *backend, int fd);
    void *copier;
};
#define XR_WORKER_LIMIT_MS 60000u

struct xr_store {
    const struct xr_loaded *backend;
    char *location;
    enum xr_mode mode;
    bool soon; /* of the target: it may be locked though it is for reading */
    struct xr_caps caps;
    struct xr_session *session; /* in this process, or */
    struct xr_worker *worker;   /* in a helper, by */
    const struct xr_remote *remote;
};

/* A target with only site and location. */
#define XR_TARGET(site_, location_) \
    (&(const struct xr_target){     \
        .size = sizeof(struct xr_target), .site = (site_), .location = (location_)})
/* Opens in a helper if the backend asks for one or config has an identity; config may be NULL for a
 * backend that needs none. store is all zero before this call and after close. target is borrowed
 * until it returns. */
enum xr_status xr_store_open(struct xr_store *store, const struct xr_loaded *backend,
                             const struct xr_target *target, enum xr_mode mode,
                             const struct xr_worker_config *config, struct xr_error *err);
/* The same, but always in this process, whatever the backend asks for. */
enum xr_status xr_store_open_here(struct xr_store *store, const struct xr_loaded *backend,
                                  const struct xr_target *target, enum xr_mode mode,
                                  struct xr_error *err);
/* Makes a store that is open for reading writable; XR_UNSUPPORTED if it must be opened again. */
enum xr_status xr_store_renew(struct xr_store *store, struct xr_error *err);
void xr_store_close(struct xr_store *store);

/* Emits what backend->discover emits, in a helper if config has an identity or the backend asks for
 * one. Answers of a helper are bounded, but otherwise not trusted. What was emitted before a
 * failure counts. */
#define XR_FOUND_MAX 256u
enum xr_status xr_store_discover(const struct xr_loaded *backend, const struct xr_site *site,
                                 unsigned scope, const struct xr_worker_config *config,
                                 xr_found_fn emit, void *ctx, struct xr_error *err);
enum xr_status xr_store_list(struct xr_store *store, xr_entry_fn emit, void *ctx,
                             struct xr_error *err);
/* Refuses what backend.h promises that no backend is asked for: XR_DENIED in a session that does not
 * write, XR_INVALID for states that are not what they say. An empty state is none. */
enum xr_status xr_store_swap(struct xr_store *store, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err);
enum xr_status xr_store_flush(struct xr_store *store, struct xr_error *err);
/* XR_UNSUPPORTED if the store makes nothing from sources, or is open in a helper. */
enum xr_status xr_store_refresh(struct xr_store *store, bool anew, xr_refreshed_fn emit, void *ctx,
                                struct xr_error *err);
/* XR_UNSUPPORTED if the store has no verifier. */
enum xr_status xr_store_probe(struct xr_store *store, struct xr_verdict *out,
                              const struct xr_probe *probe, struct xr_error *err);
/* See struct xr_backend; false also for a store without content. */
bool xr_store_content(struct xr_store *store, unsigned char out[XR_SHA256_LEN]);
/* See struct xr_backend; XR_UNSUPPORTED if nothing can be unlocked. */
enum xr_status xr_store_unlock(struct xr_store *store, struct xr_bytes password,
                               struct xr_error *err);

/* Sessions in helpers, see helpers/client.h. */
struct xr_remote {
    enum xr_status (*open)(struct xr_store *store, const struct xr_target *target,
                           enum xr_mode mode, const struct xr_worker_config *config,
                           struct xr_error *err);
    void (*close)(struct xr_worker *worker);
    enum xr_status (*discover)(const struct xr_loaded *backend, const struct xr_site *site,
                               unsigned scope, const struct xr_worker_config *config,
                               xr_found_fn emit, void *ctx, struct xr_error *err);
    enum xr_status (*list)(struct xr_store *store, xr_entry_fn emit, void *ctx,
                           struct xr_error *err);
    enum xr_status (*swap)(struct xr_store *store, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err);
    enum xr_status (*flush)(struct xr_store *store, struct xr_error *err);
    enum xr_status (*probe)(struct xr_store *store, struct xr_verdict *out,
                            const struct xr_probe *probe, struct xr_error *err);
    enum xr_status (*unlock)(struct xr_store *store, struct xr_bytes password,
                             struct xr_error *err);
    bool (*content)(struct xr_store *store, unsigned char out[XR_SHA256_LEN]);
};

#endif
