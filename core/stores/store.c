/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "state.h"

#include <stdlib.h>

/* The target as the backend sees it: the location is kept by the store. */
static struct xr_target begin(struct xr_store *store, const struct xr_loaded *backend,
                              const struct xr_target *where, enum xr_mode mode)
{
    struct xr_target target = *where;

    *store = (struct xr_store){.backend = backend,
                               .location = xr_strdup(where->location),
                               .mode = mode,
                               .soon = where->soon};
    store->caps.size = sizeof(store->caps);
    target.size = sizeof(target);
    target.location = store->location;
    return target;
}

enum xr_status xr_store_open_here(struct xr_store *store, const struct xr_loaded *backend,
                                  const struct xr_target *where, enum xr_mode mode,
                                  struct xr_error *err)
{
    struct xr_target target = begin(store, backend, where, mode);
    enum xr_status status =
        backend->table.open(&store->session, &store->caps, &xr_host, &target, mode, err);

    if (status != XR_OK)
        xr_store_close(store);
    return status;
}

static enum xr_status open_apart(struct xr_store *store, const struct xr_target *target,
                                 enum xr_mode mode, const struct xr_worker_config *config,
                                 struct xr_error *err)
{
    if (config == NULL || config->program == NULL)
        return xr_fail(err, XR_FAILED, "no helper program is known for this backend");
    if (config->remote == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "this system's crossroot has no helpers");
    store->remote = config->remote;
    return store->remote->open(store, target, mode, config, err);
}

enum xr_status xr_store_open(struct xr_store *store, const struct xr_loaded *backend,
                             const struct xr_target *where, enum xr_mode mode,
                             const struct xr_worker_config *config, struct xr_error *err)
{
    struct xr_target target;
    enum xr_status status = XR_OK;

    if ((backend->table.flags & XR_BACKEND_WORKER) == 0 &&
        (config == NULL || !config->has_identity))
        return xr_store_open_here(store, backend, where, mode, err);
    target = begin(store, backend, where, mode);
    status = open_apart(store, &target, mode, config, err);
    if (status != XR_OK)
        xr_store_close(store);
    return status;
}

enum xr_status xr_store_discover(const struct xr_loaded *backend, const struct xr_site *site,
                                 unsigned scope, const struct xr_worker_config *config,
                                 xr_found_fn emit, void *ctx, struct xr_error *err)
{
    bool apart = config != NULL &&
                 (config->has_identity ||
                  (site->root == NULL && (backend->table.flags & XR_BACKEND_DISCOVER_APART) != 0));

    if (apart && !config->has_identity && backend->table.discover_here != NULL) {
        enum xr_status status = backend->table.discover_here(&xr_host, site, scope, emit, ctx, err);

        if (status != XR_UNSUPPORTED)
            return status;
    }
    if (apart && config->remote != NULL)
        return config->remote->discover(backend, site, scope, config, emit, ctx, err);
    return backend->table.discover(&xr_host, site, scope, emit, ctx, err);
}

enum xr_status xr_store_renew(struct xr_store *store, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (store->session == NULL || store->backend->table.renew == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "the store must be opened again");
    status = store->backend->table.renew(store->session, &store->caps, err);
    if (status == XR_OK)
        store->mode = XR_WRITE;
    return status;
}

void xr_store_close(struct xr_store *store)
{
    if (store->session != NULL)
        store->backend->table.close(store->session);
    if (store->worker != NULL)
        store->remote->close(store->worker);
    free(store->location);
    *store = (struct xr_store){0};
}

enum xr_status xr_store_list(struct xr_store *store, xr_entry_fn emit, void *ctx,
                             struct xr_error *err)
{
    if (store->worker != NULL)
        return store->remote->list(store, emit, ctx, err);
    return store->backend->table.list(store->session, emit, ctx, err);
}

/* What a backend need not ask: states come from journals and from other processes. */
static enum xr_status check_swap(const struct xr_store *store, const struct xr_state *expect,
                                 const struct xr_state *want, struct xr_error *err)
{
    const struct xr_state *either = want != NULL ? want : expect;
    enum xr_status status = XR_OK;

    if (either == NULL)
        return xr_fail(err, XR_INVALID, "a swap of nothing for nothing");
    if (store->mode != XR_WRITE)
        return xr_fail(err, XR_DENIED, "the session is for reading");
    if (!store->caps.writable)
        return xr_fail(err, XR_DENIED, "cannot be written: %s", store->caps.why_not);
    if (expect != NULL)
        status = xr_state_check(expect, &either->subject, err);
    if (status == XR_OK && want != NULL)
        status = xr_state_check(want, &either->subject, err);
    return status;
}

enum xr_status xr_store_swap(struct xr_store *store, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (store->worker != NULL)
        return store->remote->swap(store, expect, want, err);
    expect = expect != NULL && expect->count > 0 ? expect : NULL;
    want = want != NULL && want->count > 0 ? want : NULL;
    status = check_swap(store, expect, want, err);
    if (status != XR_OK)
        return status;
    return store->backend->table.swap(store->session, expect, want, err);
}

enum xr_status xr_store_flush(struct xr_store *store, struct xr_error *err)
{
    if (store->backend->table.flush == NULL)
        return XR_OK;
    if (store->worker != NULL)
        return store->remote->flush(store, err);
    return store->backend->table.flush(store->session, err);
}

enum xr_status xr_store_refresh(struct xr_store *store, bool anew, xr_refreshed_fn emit, void *ctx,
                                struct xr_error *err)
{
    if (store->backend->table.refresh == NULL || store->session == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "this store makes nothing from sources");
    return store->backend->table.refresh(store->session, anew, emit, ctx, err);
}

enum xr_status xr_store_probe(struct xr_store *store, struct xr_verdict *out,
                              const struct xr_probe *probe, struct xr_error *err)
{
    *out = (struct xr_verdict){.size = sizeof(*out)};
    if (store->backend->table.probe == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "this store has no verifier");
    if (store->worker != NULL)
        return store->remote->probe(store, out, probe, err);
    return store->backend->table.probe(store->session, out, probe, err);
}

bool xr_store_content(struct xr_store *store, unsigned char out[XR_SHA256_LEN])
{
    if (store->backend->table.content == NULL)
        return false;
    if (store->worker != NULL)
        return store->remote->content(store, out);
    return store->backend->table.content(store->session, out);
}

enum xr_status xr_store_unlock(struct xr_store *store, struct xr_bytes password,
                               struct xr_error *err)
{
    if (store->backend->table.unlock == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "this store has no password");
    if (store->worker != NULL)
        return store->remote->unlock(store, password, err);
    return store->backend->table.unlock(store->session, password, err);
}
