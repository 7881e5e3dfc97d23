/* SPDX-License-Identifier: Apache-2.0 */
/* State of one request, shared by all verbs. select_stores.c finds the stores, survey.c reads them,
 * read_verbs.c shows them, change_verbs.c changes them. The folder request may use all folders
 * below it. */
#ifndef XR_REQUEST_H
#define XR_REQUEST_H

#include "certs/checked_cache.h"
#include "certs/pins.h"
#include "helpers/forkserver.h"
#include "helpers/pool.h"
#include "helpers/threads.h"
#include "report/report.h"

struct xr_engine {
    const struct xr_request *rq;
    struct xr_report *report;
    struct xr_worker_config worker;
    struct xr_threads threads;
    struct xr_helper_pool helpers;
    struct xr_verdicts verdicts; /* of what changed nothing since */
    struct xr_forkservers forkservers;
    char *state_dir; /* of this request: for an image, a directory of its own */
    struct xr_checked
        checked; /* of rq->state_dir: what certificates are does not depend on an image */
    struct xr_users users;
    /* Done and reported only once for all backends. */
    bool plugins; /* they are loaded */
    bool read_users, no_users, told_others, told_root;
    size_t left_alone; /* stores that this command changes only if they are named */
    size_t excluded;   /* stores that --exclude-store left out */
};

/* Fills report->runs with the stores of the request. False on an error (already reported). */
bool xr_engine_select(struct xr_engine *engine);
/* Adds every store of the scope that is not excluded. False if --exclude-store is not an address
 * (already reported). */
bool xr_engine_discover(struct xr_engine *engine);
/* Drops, of the runs from index from on, those that the command leaves alone unless they are named,
 * and says so. */
void xr_engine_leave_alone(struct xr_engine *engine, size_t from);
/* Drops excluded stores among the runs from index from on. False if --exclude-store is not an address
 * (already reported). */
bool xr_engine_drop_excluded(struct xr_engine *engine, size_t from);
/* Says why no store is left, unless that is already said. */
void xr_engine_say_none(struct xr_engine *engine);
/* Reports that the journal cannot be opened, and what to do about it. */
void xr_engine_no_journal(struct xr_engine *engine, enum xr_status status,
                          const struct xr_error *err);
/* roots_own.c: says which stores of this backend in root's home the scope leaves out: sudo serves the
 * system and who called it, root alone only the system. */
void xr_engine_tell_of_roots(struct xr_engine *engine, const struct xr_loaded *backend,
                             unsigned scope);
/* Which stores of the journal --store and --exclude-store select. They need not exist any more. */
struct xr_chosen {
    bool all; /* without --store */
    struct xr_strings in, out;
};
/* False if an option is not an address (already reported). */
bool xr_chosen_read(struct xr_chosen *out, struct xr_engine *engine);
bool xr_chosen_has(void *chosen, const char *store); /* an xr_store_fn */
void xr_chosen_free(struct xr_chosen *chosen);
/* Parses an address: backend, and location on this host (NULL: all that the backend finds).
 * XR_UNSUPPORTED if it is not an address. */
enum xr_status xr_engine_locate(struct xr_engine *engine, const char *address,
                                const struct xr_loaded **backend, char **location,
                                struct xr_error *err);
/* The user who opens a store of this backend at this location (a path without links). */
void xr_engine_owner(struct xr_owner *out, struct xr_engine *engine,
                     const struct xr_loaded *backend, const char *location);
/* Adds a run for one address; false if it names no backend (already reported). */
bool xr_engine_add_run(struct xr_engine *engine, const char *address, bool named);
/* Calls work(ctx, run) for all runs from index from on; runs in helpers work in parallel.
 * backwards: starts with the last one. Messages of that time are sorted in the order of the
 * runs. */
void xr_engine_each(struct xr_engine *engine, size_t from, bool backwards,
                    void (*work)(void *ctx, struct xr_run *run), void *ctx);
/* Reads every run's store and adds its certificates to the pool. A store that cannot be read
 * becomes a failed run. */
void xr_engine_survey(struct xr_engine *engine);
/* The same for the runs from index from on, each for itself: two addresses may reach the same place. */
void xr_engine_survey_sources(struct xr_engine *engine, size_t from);
/* Names the files of each store that count for nothing. */
void xr_engine_say_left_out(struct xr_engine *engine);
/* Adds the certificates of a snapshot to the pool. */
void xr_engine_pool(struct xr_engine *engine, const struct xr_snapshot *snapshot);
/* The same for a record: what is in no store any more still has a name to show. */
void xr_engine_pool_part(struct xr_engine *engine, const struct xr_part *part);
/* Ends a run whose store cannot be read. A store that was discovered but is gone is not a failure
 * unless it was named. */
void xr_engine_unread(const struct xr_engine *engine, struct xr_run *run, enum xr_status status,
                      const struct xr_error *err);
/* Finds out, on all processors, for every certificate of the pool: is it self-signed and, with
 * whole, does libcrypto parse all of it? The pool remembers the answers. */
void xr_engine_check_all(struct xr_engine *engine, bool whole);
/* Tells the pool what earlier commands found out about its certificates. */
void xr_engine_recall(struct xr_engine *engine);
/* Adds the certificates of the input to the pool. */
void xr_engine_pool_input(struct xr_engine *engine);
/* Reads operands into report->input and the pool. */
void xr_engine_read(struct xr_engine *engine, struct xr_words files);
/* The one subject in all stores whose SHA-256 begins with id; NULL if there is none, or several (already
 * reported). */
const struct xr_state *xr_engine_find_id(struct xr_engine *engine, const char *id);
/* Reports what in the input cannot be used. */
void xr_engine_rejects(struct xr_engine *engine, enum xr_level level);
void xr_engine_say_rejects(struct xr_engine *engine, const struct xr_input *input,
                           enum xr_level level);
/* Makes the backends known; does nothing the second time. */
void xr_engine_load_plugins(struct xr_engine *engine);
/* Reports the notices of a changed store: what must happen before running programs notice it. */
void xr_engine_notices(struct xr_report *report, const struct xr_run *run);
/* Can it be a host that a program connects to? And what is said if not. */
bool xr_engine_is_host(const char *host);
void xr_engine_say_host(struct xr_engine *engine);
/* Did a run fail, so that the result is not as asked? */
bool xr_engine_failed(const struct xr_run *run);
/* Is the store, or would it be, as asked, but for what its plan refuses? */
bool xr_engine_did(const struct xr_report *report, const struct xr_run *run);
/* Sets the exit code from the changes in report->runs. */
void xr_engine_grade(struct xr_engine *engine);

/* Fills report->journal for verbs that change nothing. */
void xr_engine_read_journal(struct xr_engine *engine);
/* Names anchors that are not self-signed. Not thorough: compares names, checks no signature. */
void xr_engine_warn_widened(struct xr_engine *engine, bool thorough);

void xr_verb_inspect(struct xr_engine *engine);
void xr_verb_stores(struct xr_engine *engine);
void xr_verb_list(struct xr_engine *engine);
void xr_verb_verify(struct xr_engine *engine); /* verify.c */
/* prune.c: history with prune. */
void xr_engine_prune(struct xr_engine *engine);
void xr_verb_history(struct xr_engine *engine);
void xr_verb_show(struct xr_engine *engine);
void xr_verb_readers(struct xr_engine *engine); /* readers.c */
void xr_verb_extract(struct xr_engine *engine); /* extract.c */
void xr_verb_diff(struct xr_engine *engine);    /* diff.c */
void xr_verb_chain(struct xr_engine *engine);   /* chain.c */
void xr_verb_refresh(struct xr_engine *engine); /* refresh.c */
void xr_verb_change(struct xr_engine *engine);  /* install, remove, distrust */
void xr_verb_undo(struct xr_engine *engine);
void xr_verb_recover(struct xr_engine *engine);

#endif
