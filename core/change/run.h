/* SPDX-License-Identifier: Apache-2.0 */
/* One store's part in a command: how it is opened, what it held, its plan and its outcome. */
#ifndef XR_RUN_H
#define XR_RUN_H

#include "journal.h"
#include "plan.h"
#include "secret.h"
#include "stores/store.h"
#include "sys/users.h"

enum xr_result {
    XR_RESULT_SKIPPED,
    XR_RESULT_DONE,
    XR_RESULT_UNCHANGED,
    XR_RESULT_REFUSED,
    XR_RESULT_CONFLICT,
    XR_RESULT_FAILED,
    XR_RESULT_BACK
};
const char *xr_result_name(enum xr_result result); /* "done", "rolled-back"… */

/* One store's part in a command. */
struct xr_run {
    char *address; /* BACKEND:LOCATION */
    char *location;
    char *summary; /* what discovery calls it, or NULL */
    const struct xr_loaded *backend;
    bool named; /* by --store, not discovered */
    struct xr_owner owner;
    struct xr_subjects leaving; /* see struct xr_target */
    struct xr_caps caps;
    struct xr_snapshot snapshot; /* before */
    struct xr_snapshot after;    /* of the subjects that were to change */
    struct xr_store kept;        /* open for reading since the survey, where that saves work */
    struct xr_plan plan;
    struct xr_secret password; /* to be given to sessions that write */
    enum xr_result result;
    char *why;        /* of anything but done; also a warning beside it */
    bool privilege;   /* it failed only because of who asks */
    bool stale_ended; /* what somebody's killed writer left was taken back by the survey */
    bool taken_back;  /* something that was in the store for a moment */
    bool warned;      /* flush failed: entries are in place, effects may not be */
    bool verified;    /* verdict holds an answer that was asked for */
    bool verifier_no; /* it said no to what was to be verified */
    struct xr_verdict verdict;
    size_t number; /* among the stores of the transaction */
    size_t part;   /* in the journal, XR_NONE before it is there */
};
void xr_run_free(struct xr_run *run);
struct xr_runs { /* no two of one address */
    struct xr_run *items;
    size_t count, capacity;
};
/* NULL: none is of that store. Until the next one is added. */
struct xr_run *xr_runs_find(const struct xr_runs *runs, const char *address);
/* How a run's store is opened: as its owner, for whom the site is another one. */
struct xr_way {
    struct xr_site site;
    struct xr_worker_config worker;
};
void xr_run_way(struct xr_way *out, const struct xr_owner *owner, const struct xr_site *site,
                const struct xr_worker_config *worker);
/* xr_store_open for a run: the only way to open its store that minds whose it is. */
enum xr_status xr_run_open(struct xr_store *store, const struct xr_run *run,
                           const struct xr_site *site, enum xr_mode mode,
                           const struct xr_worker_config *worker, struct xr_error *err);
/* Takes over what the open store can do. */
void xr_run_caps(struct xr_run *run, const struct xr_store *store);
/* What the journal says of a store that publishes; see struct xr_target. */
void xr_run_recall(struct xr_run *run, const struct xr_journal *journal);
/* Why its store cannot be written, as the outcome. */
void xr_run_end_unwritable(struct xr_run *run);
/* Takes ownership of why. */
void xr_run_end(struct xr_run *run, enum xr_result result, char *why);

#endif
