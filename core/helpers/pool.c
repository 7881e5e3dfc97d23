/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <stdlib.h>

static struct xr_worker *take_at(struct xr_helper_pool *pool, size_t at)
{
    struct xr_worker *worker = pool->items[at];

    pool->count--;
    memmove(&pool->items[at], &pool->items[at + 1],
            (pool->count - at) * sizeof(struct xr_worker *));
    return worker;
}

struct xr_worker *xr_helper_take(const struct xr_worker_config *config,
                                 const struct xr_loaded *backend)
{
    struct xr_helper_pool *pool = config->pool;

    for (size_t i = pool != NULL ? pool->count : 0; i-- > 0;) {
        const struct xr_worker *worker = pool->items[i];

        if (worker->backend == backend && worker->has_identity == config->has_identity &&
            (!worker->has_identity || (worker->uid == config->uid && worker->gid == config->gid)))
            return take_at(pool, i);
    }
    return NULL;
}

static bool close_session(struct xr_worker *worker)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    worker->limit_ms = worker->limit_ms < XR_CLOSE_MS ? worker->limit_ms : XR_CLOSE_MS;
    xr_put_number(&request, XR_CALL_CLOSE);
    status = xr_worker_call(worker, &request, &reply, &result, NULL, NULL, NULL);
    xr_buf_free(&reply);
    return status == XR_OK;
}

void xr_helper_release(struct xr_worker *worker)
{
    struct xr_helper_pool *pool = worker->pool;
    unsigned limit_ms = worker->limit_ms;

    if (pool == NULL || worker->failed || worker->lost || !close_session(worker)) {
        xr_worker_stop(worker);
        return;
    }
    worker->limit_ms = limit_ms;
    worker->used = true;
    *XR_PUSH(pool) = worker;
    if (pool->count > XR_HELPERS_KEPT)
        xr_worker_stop(take_at(pool, 0));
}

void xr_helper_pool_free(struct xr_helper_pool *pool)
{
    while (pool->count > 0)
        xr_worker_stop(take_at(pool, pool->count - 1));
    free(pool->items);
    *pool = (struct xr_helper_pool){0};
}
