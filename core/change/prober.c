/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

#include "certs/model.h"

/* A verifier that hangs on one certificate may hang on similar ones too, so the number of new
 * helpers is limited. */
#define LOST_MAX 2u

static bool apart(const struct xr_prober *prober)
{
    return (prober->backend->table.flags & XR_BACKEND_PROBE_APART) != 0;
}

static bool must_open(const struct xr_prober *prober)
{
    return prober->store->backend == NULL || (apart(prober) && !prober->own);
}

static enum xr_status ask(struct xr_prober *prober, struct xr_verdict *out,
                          const struct xr_probe *probe, struct xr_error *err)
{
    enum xr_status status = prober->status;

    if (status == XR_OK && must_open(prober)) {
        xr_store_close(prober->store);
        status =
            xr_store_open(prober->store, prober->backend, XR_TARGET(prober->site, prober->location),
                          apart(prober) ? XR_PROBE : XR_READ, prober->worker, &prober->err);
        prober->own = true;
        prober->status = status;
    }
    if (status != XR_OK) {
        *out = (struct xr_verdict){.size = sizeof(*out)};
        return xr_error_set(err, status, prober->err.domain, prober->err.code, "%s",
                            prober->err.text);
    }
    status = xr_store_probe(prober->store, out, probe, err);
    if (status == XR_LOST && prober->own && prober->lost++ < LOST_MAX)
        xr_store_close(prober->store);
    return status;
}

/* While it waits, other threads may move the items. One that could not be asked keeps nobody waiting
 * again: then all ask for themselves. *shared is XR_NONE unless the answer is everybody's. */
static enum xr_status ask_once(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, size_t *shared, struct xr_error *err)
{
    struct xr_verdicts *all = prober->verdicts;
    const struct xr_pause *pause = prober->worker->pause;
    size_t at = *shared;
    enum xr_status status = XR_OK;

    if (all->items[at].state == XR_VERDICT_ASKING && must_open(prober))
        xr_store_close(prober->store); /* nobody waits for its lock until another store answers */
    while (all->items[at].state == XR_VERDICT_ASKING)
        pause->await(pause->ctx);
    if (all->items[at].state == XR_VERDICT_KNOWN) {
        *out = all->items[at].verdict;
        return XR_OK;
    }
    if (all->items[at].state == XR_VERDICT_FAILED) {
        *shared = XR_NONE;
        return ask(prober, out, probe, err);
    }
    all->items[at].state = XR_VERDICT_ASKING;
    status = ask(prober, out, probe, err);
    all->items[at].state = status == XR_OK ? XR_VERDICT_KNOWN : XR_VERDICT_FAILED;
    all->items[at].verdict = *out;
    if (pause != NULL)
        pause->tell(pause->ctx);
    if (status != XR_OK)
        *shared = XR_NONE;
    return status;
}

enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, size_t *shared, struct xr_error *err)
{
    const struct xr_alike alike = {prober->backend, prober->worker, prober->content};
    size_t at = XR_NONE;
    enum xr_status status = XR_OK;

    if (prober->verdicts != NULL && prober->content != NULL)
        at = xr_verdicts_at(prober->verdicts, &alike, probe);
    status = at != XR_NONE ? ask_once(prober, out, probe, &at, err) : ask(prober, out, probe, err);
    if (shared != NULL)
        *shared = at;
    return status;
}

void xr_prober_end(struct xr_prober *prober)
{
    if (prober->own)
        xr_store_close(prober->store);
    prober->own = false;
}
