/* SPDX-License-Identifier: Apache-2.0 */
/* The backend: policies in files, and those of a Windows in its registry. A session is of one of the
 * two. */
#include "registry_store.h"

#include <stdlib.h>

struct xr_session {
    const struct xr_backend *of;
    void *inner; /* its own struct xr_session */
};

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    enum xr_status status = policy_files.discover(host, site, scope, emit, ctx, err);

    return status == XR_OK ? policy_registry.discover(host, site, scope, emit, ctx, err) : status;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    const struct xr_backend *of = registry_meant(target) ? &policy_registry : &policy_files;
    struct xr_session *inner = NULL, *s = NULL;
    enum xr_status status = of->open(&inner, caps, host, target, mode, err);

    if (status != XR_OK)
        return status;
    s = xr_new(1, sizeof(*s));
    *s = (struct xr_session){of, inner};
    *out = s;
    return XR_OK;
}

static void session_close(struct xr_session *s)
{
    s->of->close(s->inner);
    free(s);
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    return s->of->list(s->inner, emit, ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    return s->of->swap(s->inner, expect, want, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    return s->of->flush != NULL ? s->of->flush(s->inner, err) : XR_OK;
}

/* Asked only if caps name a verifier. */
static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    return s->of->probe != NULL ? s->of->probe(s->inner, out, question, err) : XR_OK;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "policy",
    /* For libhivex, and the files of images. */
    .flags = XR_BACKEND_WORKER,
    .summary = N_("browsers' managed policies (Chromium, Firefox and their relatives)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
};

XR_BACKEND(table);
