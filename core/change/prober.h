/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a store's verifier: in the session at hand, or where the backend wants a session of its
 * own for that, in one that is opened at the first question and serves all of them.
 */
#ifndef XR_PROBER_H
#define XR_PROBER_H

#include "stores/store.h"

struct xr_prober {
    const struct xr_loaded *backend;
    const char *location;
    const struct xr_site *site;
    const struct xr_worker_config *worker;
    struct xr_store *store; /* open or all zero; one that cannot be asked is closed */
    bool own;               /* store is a session for questions */
    unsigned lost;          /* helpers, so far */
    enum xr_status status;  /* of opening it */
    struct xr_error err;
};
/* A helper that is lost with one question is started anew for the next, a few times. */
enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, struct xr_error *err);
/* Closes what the questions opened. */
void xr_prober_end(struct xr_prober *prober);

#endif
