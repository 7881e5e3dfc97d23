/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a store's verifier: in the session at hand, or, if the backend needs a session of its own
 * for that, in one that is opened for the first question and used for all.
 */
#ifndef XR_PROBER_H
#define XR_PROBER_H

#include "stores/store.h"

struct xr_prober {
    const struct xr_loaded *backend;
    const char *location;
    const struct xr_site *site;
    const struct xr_worker_config *worker;
    struct xr_store *store; /* open or all zero; closed if it cannot be asked */
    bool own;               /* store is a session only for questions */
    unsigned lost;          /* number of helpers lost so far */
    enum xr_status status;  /* of opening the session */
    struct xr_error err;
};
/* If a helper is lost during a question, a new one is started for the next, a few times. */
enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, struct xr_error *err);
/* Closes what was opened for the questions. */
void xr_prober_end(struct xr_prober *prober);

#endif
