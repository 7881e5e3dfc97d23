/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <limits.h>
#include <stdlib.h>

static enum xr_status open_in(struct xr_worker *worker, struct xr_store *store,
                              const struct xr_target *target, enum xr_mode mode,
                              struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_OPEN);
    xr_put_text(&request, store->backend->plugin);
    xr_put_text(&request, store->backend->table.name);
    xr_put_text(&request, store->location);
    xr_put_site(&request, target->site);
    xr_put_number(&request, mode);
    xr_put_subjects(&request, target->leaving, target->leaving_count);
    xr_put_subjects(&request, target->coming, target->coming_count);
    status = xr_worker_call(worker, &request, &reply, &result, NULL, NULL, err);
    if (status == XR_OK) {
        xr_get_caps(&result, &store->caps);
        if (result.failed)
            status = xr_worker_garbled(worker, err);
    }
    xr_buf_free(&reply);
    return status;
}

/* What went wrong in a helper that served another store may be the other store's doing: then a new
 * one is asked. */
static enum xr_status remote_open(struct xr_store *store, const struct xr_target *target,
                                  enum xr_mode mode, const struct xr_worker_config *config,
                                  struct xr_error *err)
{
    enum xr_status status = XR_OK;

    store->worker = xr_helper_take(config, store->backend);
    if (store->worker == NULL)
        status = xr_worker_start(&store->worker, config, store->backend, true, err);
    if (status != XR_OK)
        return status;
    status = open_in(store->worker, store, target, mode, err);
    if (!store->worker->used || !xr_worker_went_wrong(status))
        return status;
    xr_worker_stop(store->worker);
    store->worker = NULL;
    store->caps = (struct xr_caps){.size = sizeof(store->caps)};
    status = xr_worker_start(&store->worker, config, store->backend, true, err);
    return status == XR_OK ? open_in(store->worker, store, target, mode, err) : status;
}

static void get_found(struct xr_reader *in, xr_found_fn emit, void *ctx)
{
    struct xr_found found = {.size = sizeof(found)};
    char *location = xr_get_text(in), *identity = xr_get_text(in), *summary = xr_get_text(in);

    in->failed = in->failed || location == NULL || strlen(location) > PATH_MAX;
    found.location = location;
    found.identity = identity;
    found.summary = summary;
    found.only_named = xr_get_number(in, 1) == 1;
    if (!in->failed)
        (void)emit(ctx, &found);
    free(location);
    free(identity);
    free(summary);
}

/* Receives the stores that the helper emits, until its result. */
static enum xr_status take_found(struct xr_worker *worker, xr_found_fn emit, void *ctx,
                                 struct xr_error *err)
{
    int64_t deadline = xr_talk_now() + worker->limit_ms;
    struct xr_buf reply = {0};
    enum xr_status status = XR_OK;
    unsigned count = 0;

    for (uint64_t kind = XR_SAID_FOUND; status == XR_OK && kind == XR_SAID_FOUND;) {
        struct xr_reader in;
        struct xr_error said = {0};

        if (!xr_talk_receive(worker->fd, &reply, deadline)) {
            status = xr_worker_silent(worker, deadline, err);
            break;
        }
        in = xr_talk_reader(&reply);
        kind = xr_get_number(&in, XR_SAID_FOUND);
        if (kind == XR_SAID_FOUND && ++count <= XR_FOUND_MAX)
            get_found(&in, emit, ctx);
        else if (kind == XR_SAID_RESULT)
            xr_get_error(&in, &said);
        if (count > XR_FOUND_MAX)
            status = xr_worker_lose(
                worker, err, "the helper of backend %s named more stores than a home can hold",
                worker->backend->table.name);
        else if (in.failed || kind == XR_SAID_ENTRY)
            status = xr_worker_garbled(worker, err);
        else if (said.status != XR_OK) {
            status = said.status;
            if (err != NULL)
                *err = said;
        }
    }
    xr_buf_free(&reply);
    return status;
}

/* Always in a new helper: what it emitted before it fails cannot be taken back. Later the helper may
 * serve a store. */
static enum xr_status remote_discover(const struct xr_loaded *backend, const struct xr_site *site,
                                      unsigned scope, const struct xr_worker_config *config,
                                      xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    struct xr_buf request = {0};
    enum xr_status status = xr_worker_start(&worker, config, backend, false, err);

    if (status != XR_OK || worker == NULL)
        return status;
    xr_put_number(&request, XR_CALL_DISCOVER);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    xr_put_site(&request, site);
    xr_put_number(&request, scope);
    if (xr_talk_send(worker->fd, &request, xr_talk_now() + worker->limit_ms))
        status = take_found(worker, emit, ctx, err);
    else
        status =
            xr_worker_lose(worker, err, "the helper of backend %s stopped or sent an invalid reply",
                           backend->table.name);
    xr_buf_free(&request);
    worker->failed = status != XR_OK;
    xr_helper_release(worker);
    return status;
}

static enum xr_status remote_list(struct xr_store *store, xr_entry_fn emit, void *ctx,
                                  struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_LIST);
    status = xr_worker_call(store->worker, &request, &reply, &result, emit, ctx, err);
    xr_buf_free(&reply);
    return status;
}

static bool remote_content(struct xr_store *store, unsigned char out[XR_SHA256_LEN])
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    struct xr_bytes content = {0};
    bool has = false;

    xr_put_number(&request, XR_CALL_CONTENT);
    if (xr_worker_call(store->worker, &request, &reply, &result, NULL, NULL, NULL) == XR_OK) {
        content = xr_get_bytes(&result);
        has = !result.failed && content.len == XR_SHA256_LEN;
        if (result.failed || (content.len != 0 && !has))
            (void)xr_worker_garbled(store->worker, NULL);
    }
    if (has)
        memcpy(out, content.data, XR_SHA256_LEN);
    xr_buf_free(&reply);
    return has;
}

static enum xr_status remote_flush(struct xr_store *store, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_FLUSH);
    status = xr_worker_call(store->worker, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_swap(struct xr_store *store, const struct xr_state *expect,
                                  const struct xr_state *want, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_SWAP);
    xr_put_state(&request, expect);
    xr_put_state(&request, want);
    status = xr_worker_call(store->worker, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_probe(struct xr_store *store, struct xr_verdict *out,
                                   const struct xr_probe *probe, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_PROBE);
    xr_put_number(&request, probe->count);
    for (size_t i = 0; i < probe->count; i++)
        xr_put_bytes(&request, probe->chain[i]);
    xr_put_number(&request, probe->purpose);
    xr_put_text(&request, probe->host);
    xr_put_number(&request, (uint64_t)probe->at);
    status = xr_worker_call(store->worker, &request, &reply, &result, NULL, NULL, err);
    if (status == XR_OK) {
        xr_get_verdict(&result, out);
        if (result.failed)
            status = xr_worker_garbled(store->worker, err);
    }
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_unlock(struct xr_store *store, struct xr_bytes password,
                                    struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    /* Reserves the whole length at once: growing would leave a copy of the password in memory. */
    request.data = xr_grow(NULL, &request.capacity, password.len + 64, 1);
    xr_put_number(&request, XR_CALL_UNLOCK);
    xr_put_bytes(&request, password);
    status = xr_worker_call(store->worker, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

static const struct xr_remote remote = {
    .open = remote_open,
    .close = xr_helper_release,
    .discover = remote_discover,
    .list = remote_list,
    .swap = remote_swap,
    .flush = remote_flush,
    .content = remote_content,
    .probe = remote_probe,
    .unlock = remote_unlock,
};

const struct xr_remote *const xr_helpers = &remote;
