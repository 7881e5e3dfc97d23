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
    XR_RESULT_NOT_ASKED, /* nothing was asked of the store, for it was not confirmed, or another failed */
    XR_RESULT_SKIPPED, /* left out, with a reason: it is the same place as another, or is gone */
    XR_RESULT_DONE,
    XR_RESULT_UNCHANGED,
    XR_RESULT_REFUSED,
    XR_RESULT_CONFLICT,
    XR_RESULT_FAILED,
    XR_RESULT_BACK,
    XR_RESULT_WOULD_CHANGE, /* of a dry run, like the next */
    XR_RESULT_WOULD_REFUSE,
    XR_RESULT_COUNT
};
const char *xr_result_name(enum xr_result result); /* "done", "rolled-back"… */

/* What there is to say of a store beside its outcome. */
struct xr_run_note {
    bool warning; /* not all is as it should be: raises the exit code */
    char *text;
};

/* One store's part in a command. */
struct xr_run {
    char *address; /* BACKEND:LOCATION */
    char *location;
    char *summary; /* summary from discovery, or NULL */
    const struct xr_loaded *backend;
    bool named;      /* by --store, not discovered */
    bool only_named; /* discovered, and changed only if --store names it */
    struct xr_owner owner;
    struct xr_subjects leaving, coming; /* see struct xr_target */
    struct xr_caps caps;
    struct xr_snapshot snapshot; /* before */
    struct xr_snapshot after;    /* after it, of the subjects that were to change */
    struct xr_store kept;        /* open for reading since the survey, if that saves work */
    bool soon;                   /* how it is opened, see struct xr_target */
    struct xr_plan plan;
    struct xr_secret password; /* for sessions that write */
    bool agreed;               /* to would_trust of the capabilities, if it is still the set with */
    unsigned char agreed_id[XR_SHA256_LEN]; /* this ID */
    enum xr_result result;
    char *why; /* of the result, nothing else; may be NULL for a good one */
    struct {
        struct xr_run_note *items;
        size_t count, capacity;
    } notes;
    bool privilege;   /* it failed only because the caller lacks the privilege */
    bool stale_ended; /* the survey rolled back another program's interrupted write */
    bool taken_back;  /* something was in the store for a moment and was rolled back */
    bool verified;    /* verdict has an answer */
    bool verifier_no; /* the verifier said no */
    struct xr_verdict verdict;
    size_t
        shared;   /* index of the verdict among those of stores with the same content, or XR_NONE */
    size_t alike; /* stores that the verifier was asked once for, at least 1 */
    size_t number; /* number among the stores of the transaction */
    size_t part;   /* index in the journal, XR_NONE before it is recorded */
    struct {       /* what a refresh said */
        struct xr_run_refreshed {
            enum xr_refreshed what;
            char *text;
        } * items;
        size_t count, capacity;
    } refreshed;
};
void xr_run_free(struct xr_run *run);
/* Somebody is waited for now, who may take long: other programs must not wait for a store meanwhile. */
void xr_run_wait(struct xr_run *run);
struct xr_runs { /* no two with the same address */
    struct xr_run *items;
    size_t count, capacity;
};
/* The steps of every run by their subjects, once all plans are made. */
struct xr_steps *xr_runs_steps(const struct xr_runs *runs);
void xr_runs_steps_free(struct xr_steps *steps, const struct xr_runs *runs);
/* NULL if no run is of that store. Valid until the next run is added. */
struct xr_run *xr_runs_find(const struct xr_runs *runs, const char *address);
/* How a run's store is opened: as its owner, with the site of that user. */
struct xr_way {
    struct xr_site site;
    struct xr_worker_config worker;
};
void xr_run_way(struct xr_way *out, const struct xr_owner *owner, const struct xr_site *site,
                const struct xr_worker_config *worker);
/* xr_store_open for a run, as the owner of its store. Do not open a run's store in another way. */
enum xr_status xr_run_open(struct xr_store *store, const struct xr_run *run,
                           const struct xr_site *site, enum xr_mode mode,
                           const struct xr_worker_config *worker, struct xr_error *err);
/* Copies the capabilities of the open store. */
void xr_run_caps(struct xr_run *run, const struct xr_store *store);
/* Fills leaving and coming from the journal, for a backend that publishes. */
void xr_run_recall(struct xr_run *run, const struct xr_journal *journal);
/* The error of a store that cannot be written. */
enum xr_status xr_run_unwritable(const struct xr_run *run, struct xr_error *err);
/* Ends the run because of that. */
void xr_run_end_unwritable(struct xr_run *run);
/* The user agreed to what would_trust of the capabilities says. */
void xr_run_agree(struct xr_run *run);
/* Was that, as it is now, agreed to? True if it says nothing. */
bool xr_run_agreed(const struct xr_run *run);
/* Are both stores opened as the same user? */
bool xr_run_same_user(const struct xr_run *a, const struct xr_run *b);
/* Adds a note, unless there is the same already. */
void xr_run_note(struct xr_run *run, bool warning, const char *text);
/* Sets the outcome. Takes ownership of why. */
void xr_run_end(struct xr_run *run, enum xr_result result, char *why);

#endif
