/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <stdlib.h>

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
    struct xr_target target = *where;
    enum xr_status status = XR_OK;

    *store = (struct xr_store){.backend = backend, .location = xr_strdup(where->location)};
    store->caps.size = sizeof(store->caps);
    target.size = sizeof(target);
    target.location = store->location;
    if ((backend->table.flags & XR_BACKEND_WORKER) != 0 || (config != NULL && config->has_identity))
        status = open_apart(store, &target, mode, config, err);
    else
        status = backend->table.open(&store->session, &store->caps, &xr_host, &target, mode, err);
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

    if (apart && config->remote != NULL)
        return config->remote->discover(backend, site, scope, config, emit, ctx, err);
    return backend->table.discover(&xr_host, site, scope, emit, ctx, err);
}

enum xr_status xr_store_renew(struct xr_store *store, struct xr_error *err)
{
    if (store->session == NULL || store->backend->table.renew == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "the store has to be opened anew");
    return store->backend->table.renew(store->session, &store->caps, err);
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

enum xr_status xr_store_swap(struct xr_store *store, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err)
{
    if (store->worker != NULL)
        return store->remote->swap(store, expect, want, err);
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

enum xr_status xr_store_unlock(struct xr_store *store, struct xr_bytes password,
                               struct xr_error *err)
{
    if (store->backend->table.unlock == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "nothing there can be unlocked");
    if (store->worker != NULL)
        return store->remote->unlock(store, password, err);
    return store->backend->table.unlock(store->session, password, err);
}
