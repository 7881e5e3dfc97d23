/* SPDX-License-Identifier: Apache-2.0 */
/* One helper process, for pool.c, client.c and forkserver.c: its start, calls, and end. */
#ifndef XR_WORKER_H
#define XR_WORKER_H

#include "client.h"
#include "message.h"
#include "pool.h"

#include <sys/types.h>

struct xr_worker {
    pid_t pid;
    int fd;
    unsigned limit_ms;
    const struct xr_pause *pause;
    struct xr_helper_pool *pool;     /* where it may wait for another store, or NULL, */
    const struct xr_loaded *backend; /* of this backend */
    bool has_identity;               /* and, if it is not the caller, this user */
    uint32_t uid, gid;
    bool used;   /* it has served another store before */
    bool failed; /* something in it went wrong: it must serve no other store */
    bool lost;
    char why[200];
};

#define XR_CLOSE_MS 2000u /* to close a session; a helper that takes longer is killed */

/* copy: of the backend's fork server, if there is one; else a new program. */
enum xr_status xr_worker_start(struct xr_worker **out, const struct xr_worker_config *config,
                               const struct xr_loaded *backend, bool copy, struct xr_error *err);
/* Sends a call and takes replies until the result; *result is what follows the error in it. request
 * is wiped and freed. */
enum xr_status xr_worker_call(struct xr_worker *worker, struct xr_buf *request,
                              struct xr_buf *reply, struct xr_reader *result, xr_entry_fn emit,
                              void *ctx, struct xr_error *err);
/* Ends a helper that failed; err says how it ended if it ended by itself. Returns XR_LOST. */
XR_PRINTF(3, 4)
enum xr_status xr_worker_lose(struct xr_worker *worker, struct xr_error *err, const char *format,
                              ...);
/* The same of one that did not answer, or whose answer cannot be read. */
enum xr_status xr_worker_silent(struct xr_worker *worker, int64_t deadline, struct xr_error *err);
enum xr_status xr_worker_garbled(struct xr_worker *worker, struct xr_error *err);
/* Is it unknown in what state this leaves the libraries in the helper? */
bool xr_worker_went_wrong(enum xr_status status);

/* pool.c: one that waits for a store of this backend and user; NULL if none does. */
struct xr_worker *xr_helper_take(const struct xr_worker_config *config,
                                 const struct xr_loaded *backend);
/* Ends the helper, or keeps it for another store. */
void xr_helper_release(struct xr_worker *worker);

#endif
