/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

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

enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
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

void xr_prober_end(struct xr_prober *prober)
{
    if (prober->own)
        xr_store_close(prober->store);
    prober->own = false;
}
