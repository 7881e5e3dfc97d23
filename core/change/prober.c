/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

#include "certs/model.h"

/* A verifier that hangs on one certificate may hang on similar ones too, so the number of new
 * helpers is limited. */
#define LOST_MAX 2u

struct xr_prober xr_prober_of(const struct xr_run *run, struct xr_store *store,
                              const struct xr_site *site, const struct xr_worker_config *worker)
{
    struct xr_prober prober = {.backend = run->backend, .location = run->location, .store = store};

    xr_run_way(&prober.way, &run->owner, site, worker);
    return prober;
}

static bool apart(const struct xr_prober *prober)
{
    return (prober->backend->table.flags & XR_BACKEND_PROBE_APART) != 0;
}

static bool must_open(const struct xr_prober *prober)
{
    return prober->store->backend == NULL || (apart(prober) && !prober->own);
}

static enum xr_status open_own(struct xr_prober *prober)
{
    xr_store_close(prober->store);
    prober->status = xr_store_open(
        prober->store, prober->backend, XR_TARGET(&prober->way.site, prober->location),
        apart(prober) ? XR_PROBE : XR_READ, &prober->way.worker, &prober->err);
    prober->own = true;
    return prober->status;
}

static enum xr_status ask(struct xr_prober *prober, struct xr_verdict *out,
                          const struct xr_probe *probe, struct xr_error *err)
{
    enum xr_status status = prober->status;

    if (status == XR_OK && must_open(prober))
        status = open_own(prober);
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
    const struct xr_pause *pause = prober->way.worker.pause;
    size_t at = *shared;
    enum xr_status status = XR_OK;

    /* Nobody waits for its lock, or for a helper, until another store answers. */
    if (all->items[at].state == XR_VERDICT_ASKING && (prober->own || must_open(prober)))
        xr_store_close(prober->store);
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

/* Also in a session that is at hand: what it has changed is there. */
static bool has_content(struct xr_prober *prober)
{
    if (prober->verdicts == NULL || prober->backend->table.content == NULL)
        return false;
    if (prober->has_content == XR_CONTENT_UNASKED)
        prober->has_content =
            prober->status == XR_OK &&
                    (prober->store->backend != NULL || open_own(prober) == XR_OK) &&
                    xr_store_content(prober->store, prober->content)
                ? XR_CONTENT_KNOWN
                : XR_CONTENT_NONE;
    return prober->has_content == XR_CONTENT_KNOWN;
}

enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, size_t *shared, struct xr_error *err)
{
    const struct xr_alike alike = {prober->backend, &prober->way.worker, prober->content};
    size_t at = XR_NONE;
    enum xr_status status = XR_OK;

    if (has_content(prober))
        at = xr_verdicts_at(prober->verdicts, &alike, probe);
    status = at != XR_NONE ? ask_once(prober, out, probe, &at, err) : ask(prober, out, probe, err);
    if (at != XR_NONE)
        prober->verdicts->items[at].taken++;
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
