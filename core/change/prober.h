/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a store's verifier: in the session at hand, or, if the backend needs a session of its own
 * for that, in one that is opened for the first question and used for all.
 */
#ifndef XR_PROBER_H
#define XR_PROBER_H

#include "run.h"
#include "verdicts.h"

struct xr_prober {
    const struct xr_loaded *backend;
    const char *location;
    struct xr_way way;
    struct xr_store *store; /* open or all zero; closed if it cannot be asked */
    /* Unless NULL, which it is at first, a question is asked once for all stores that hold the same. What
     * this one holds is found out before its first question. */
    struct xr_verdicts *verdicts;
    enum { XR_CONTENT_UNASKED, XR_CONTENT_KNOWN, XR_CONTENT_NONE } has_content;
    unsigned char content[XR_SHA256_LEN];
    bool own;              /* store is a session only for questions */
    unsigned lost;         /* number of helpers lost so far */
    enum xr_status status; /* of opening the session */
    struct xr_error err;
};
/* The run, and store, must stay for as long as it is used. */
struct xr_prober xr_prober_of(const struct xr_run *run, struct xr_store *store,
                              const struct xr_site *site, const struct xr_worker_config *worker);
/* *shared, unless NULL: index of the answer in verdicts, or XR_NONE. If a helper is lost during a
 * question, a new one is started for the next, a few times. */
enum xr_status xr_prober_probe(struct xr_prober *prober, struct xr_verdict *out,
                               const struct xr_probe *probe, size_t *shared, struct xr_error *err);
/* Closes what was opened for the questions. */
void xr_prober_end(struct xr_prober *prober);

#endif
