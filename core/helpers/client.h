/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers: sessions in separate programs, with their own identity, many at once. A crash of one
 * harms no other. The folder helpers may use stores, certs, sys and kit.
 *
 * worker.c starts a helper by fork and exec over a socket pair; messages are bounded, every call
 * has a time limit, and what comes back is parsed as hostile. A helper that crashes, hangs or sends
 * invalid replies is killed, and the call returns XR_LOST: whether it acted is unknown. pool.c keeps
 * helpers for the next store.
 */
#ifndef XR_CLIENT_H
#define XR_CLIENT_H

#include "stores/store.h"

/* For struct xr_worker_config. NULL on a system that has no helpers (Windows). */
extern const struct xr_remote *const xr_helpers;

/* For forkserver.c: starts a helper that has loaded what sessions of the backend need, to be
 * copied. */
enum xr_status xr_worker_prepare(struct xr_worker **out, const struct xr_loaded *backend,
                                 const struct xr_site *site, const struct xr_worker_config *config);
int xr_worker_socket(const struct xr_worker *worker);
bool xr_worker_is_child(int pid);
void xr_worker_stop(struct xr_worker *worker); /* and frees it; NULL is fine */

/* server.c: the helper's side; serves one session on a socket until the peer closes it. */
int xr_worker_serve(int fd);

#endif
