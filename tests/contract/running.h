/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction over one store with whatever backend and host a test likes: what a command does
 * between its arguments and its report. */
#ifndef CONTRACT_RUNNING_H
#define CONTRACT_RUNNING_H

#include "certs/model.h"
#include "change/recover.h"
#include "change/txn.h"

struct running {
    struct xr_journal journal;
    struct xr_pool pool;
    struct xr_run run;
    struct xr_txn txn;
    struct xr_site site;
    struct xr_worker_config worker;
    struct {
        struct xr_wish *items;
        size_t count, capacity;
    } wishes;
    struct xr_error err;
};

/* worker may be NULL. Nothing is opened yet. */
void running_begin(struct running *r, const struct xr_loaded *backend, const char *location,
                   const struct xr_worker_config *worker);
/* der is borrowed. A CRL if it is none of the certificates. */
void running_wish(struct running *r, enum xr_wish_kind what, struct xr_bytes der);
enum xr_status running_survey(struct running *r);
/* Plan, journal, apply; where it ended is in r->run. Status of the journal. */
enum xr_status running_apply(struct running *r, const char *state);
/* Opens the journal and recovers every part that is pending, with a new run each; false with
 * r->err if one is still pending then. *count: how many there were. */
bool running_recover(struct running *r, const char *state, size_t *count);
void running_end(struct running *r);

#endif
