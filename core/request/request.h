/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: one request under way. select.c finds the stores, verbs.c reads, change.c
 * changes. */
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
/* Reads operands into report->input and the pool. */
void xr_engine_read(struct xr_engine *engine, struct xr_words files);
/* Says what of the input cannot be used. */
void xr_engine_rejects(struct xr_engine *engine, enum xr_level level);
/* Exit code of the changes in report->runs. */
void xr_engine_grade(struct xr_engine *engine);

void xr_verb_change(struct xr_engine *engine); /* install, remove, distrust */
void xr_verb_undo(struct xr_engine *engine);
void xr_verb_recover(struct xr_engine *engine);

#endif
