/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a store's verifier: in the session at hand, or, if the backend needs a session of its own
 * for that, in one that is opened for the first question and used for all.
 */
#ifndef XR_PROBER_H
#define XR_PROBER_H

#include "verdicts.h"

struct xr_prober {
    const struct xr_loaded *backend;
    const char *location;
    const struct xr_site *site;
    const struct xr_worker_config *worker;
    struct xr_store *store; /* open or all zero; closed if it cannot be asked */
    /* With both, a question is asked once for all stores with that content. */
    struct xr_verdicts *verdicts;
    const unsigned char *content;
    bool own;              /* store is a session only for questions */
    unsigned lost;         /* number of helpers lost so far */
    enum xr_status status; /* of opening the session */
    struct xr_error err;
};
/* *shared, unless NULL: index of the answer in verdicts, or XR_NONE. If a helper is lost during a
 * question, a new one is started for the next, a few times. */
enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, size_t *shared, struct xr_error *err);
/* Closes what was opened for the questions. */
void xr_prober_end(struct xr_prober *prober);

#endif
