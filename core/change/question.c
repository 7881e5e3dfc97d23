/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

/* A certificate that hangs a verifier must not do so for each of its kin. */
#define LOST_MAX 2u

static bool apart(const struct xr_asking *asking)
{
    return (asking->backend->table.flags & XR_BACKEND_PROBE_APART) != 0;
}

static bool must_open(const struct xr_asking *asking)
{
    return asking->store->backend == NULL || (apart(asking) && !asking->own);
}

enum xr_status xr_ask(struct xr_asking *asking, struct xr_verdict *out,
                      const struct xr_probe *probe, struct xr_error *err)
{
    enum xr_status status = asking->status;

    if (status == XR_OK && must_open(asking)) {
        xr_store_close(asking->store);
        status =
            xr_store_open(asking->store, asking->backend, XR_TARGET(asking->site, asking->location),
                          apart(asking) ? XR_PROBE : XR_READ, asking->worker, &asking->err);
        asking->own = true;
        asking->status = status;
    }
    if (status != XR_OK) {
        *out = (struct xr_verdict){.size = sizeof(*out)};
        return xr_error_set(err, status, asking->err.domain, asking->err.code, "%s",
                            asking->err.text);
    }
    status = xr_store_probe(asking->store, out, probe, err);
    if (status == XR_LOST && asking->own && asking->lost++ < LOST_MAX)
        xr_store_close(asking->store);
    return status;
}

void xr_ask_end(struct xr_asking *asking)
{
    if (asking->own)
        xr_store_close(asking->store);
    asking->own = false;
}
