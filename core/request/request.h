/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: one request under way. select_stores.c finds the stores, survey.c reads them,
 * read_verbs.c shows, change_verbs.c changes. The wing request may use everything below it. */
#ifndef XR_REQUEST_H
#define XR_REQUEST_H

#include "certs/pins.h"
#include "helpers/forkserver.h"
#include "helpers/threads.h"
#include "report/report.h"

struct xr_engine {
    const struct xr_request *rq;
    struct xr_report *report;
    struct xr_worker_config worker;
    struct xr_threads threads;
    struct xr_forkservers forkservers;
    char *state_dir; /* this request's: the host's, keyed by the image */
    struct xr_users users;
    /* Done and said once, whatever the number of backends. */
    bool read_users, no_users, told_others, told_root;
};

/* Fills report->runs with the stores asked for. False when that is an error (already said). */
bool xr_engine_select(struct xr_engine *engine);
/* Adds every store of the scope that is not excluded. False when an address to be left out is none
 * (said). */
bool xr_engine_discover(struct xr_engine *engine);
/* What --store and --exclude-store leave of stores that are known from the journal, which need not
 * exist any more. */
struct xr_chosen {
    bool all; /* without --store */
    struct xr_strings in, out;
};
/* False when a word is no address (said). */
bool xr_chosen_read(struct xr_chosen *out, struct xr_engine *engine);
bool xr_chosen_has(void *chosen, const char *store); /* an xr_store_fn */
void xr_chosen_free(struct xr_chosen *chosen);
/* What an address means: backend, and location on this host (NULL: all the backend finds).
 * XR_UNSUPPORTED when it is no address. */
enum xr_status xr_engine_locate(struct xr_engine *engine, const char *address,
                                const struct xr_loaded **backend, char **location,
                                struct xr_error *err);
/* Who opens a store of this backend at this location, without links. */
void xr_engine_owner(struct xr_owner *out, struct xr_engine *engine,
                     const struct xr_loaded *backend, const char *location);
/* Adds a run for one address; false when it names no backend (said). */
bool xr_engine_add_run(struct xr_engine *engine, const char *address, bool named);
/* work(ctx, run) for the runs from that one on, those in helpers side by side; backwards: begun from
 * the last one. What was said meanwhile is put into the order of the runs. */
void xr_engine_each(struct xr_engine *engine, size_t from, bool backwards,
                    void (*work)(void *ctx, struct xr_run *run), void *ctx);
/* Reads every run's store; certificates join the pool. What cannot be read becomes a failed run. */
void xr_engine_survey(struct xr_engine *engine);
/* Puts the certificates of a snapshot into the pool. */
void xr_engine_pool(struct xr_engine *engine, const struct xr_snapshot *snapshot);
/* What is listed somewhere but gone since is no failure, unless it was asked for. */
void xr_engine_unread(const struct xr_engine *engine, struct xr_run *run, enum xr_status status,
                      const struct xr_error *err);
/* Finds out, on all processors, what is known from then on of every certificate of the pool: is it
 * self-signed, and, if whole, does libcrypto parse all of it? */
void xr_engine_check_all(struct xr_engine *engine, bool whole);
/* Puts the certificates of the input into the pool. */
void xr_engine_pool_input(struct xr_engine *engine);
/* Reads operands into report->input and the pool. */
void xr_engine_read(struct xr_engine *engine, struct xr_words files);
/* Says what of the input cannot be used. */
void xr_engine_rejects(struct xr_engine *engine, enum xr_level level);
/* Whoever read a store a moment ago may not know yet: what a change of it asks of people. */
void xr_engine_notices(struct xr_report *report, const struct xr_run *run);
/* Did a store's part fail, so that the whole is not as asked? */
bool xr_engine_failed(const struct xr_run *run);
/* Exit code of the changes in report->runs. */
void xr_engine_grade(struct xr_engine *engine);

void xr_verb_inspect(struct xr_engine *engine);
void xr_verb_stores(struct xr_engine *engine);
void xr_verb_list(struct xr_engine *engine);
void xr_verb_verify(struct xr_engine *engine);
void xr_verb_history(struct xr_engine *engine);
void xr_verb_change(struct xr_engine *engine); /* install, remove, distrust */
void xr_verb_undo(struct xr_engine *engine);
void xr_verb_recover(struct xr_engine *engine);

#endif
