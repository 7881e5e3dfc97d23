/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading libraries takes longer than the work on one store. So helpers for many stores start as
 * copies (fork) of one helper that has loaded them. That helper, the fork server, opens no store
 * and stays single-threaded. Each copy serves one store, like any other helper, and is a child of
 * this process. There is one server for each backend and each user that helpers run as. If a server
 * fails, helpers are started without it.
 */
#ifndef XR_FORKSERVER_H
#define XR_FORKSERVER_H

#include "client.h"

struct xr_forkservers {
    struct xr_forkserver *items;
    size_t count, capacity;
};
void xr_forkservers_free(struct xr_forkservers *forkservers);

/* Starts a fork server for sessions of the backend as config says; xr_forkservers_spawn then copies
 * it. Call it in the main thread, or in one that lives as long: helpers end with the thread that
 * started their server. */
void xr_forkservers_prepare(struct xr_forkservers *forkservers, const struct xr_loaded *backend,
                            const struct xr_site *site, const struct xr_worker_config *config);

/* The copy function of struct xr_worker_config, for a struct xr_forkservers. The caller keeps
 * fd. */
int xr_forkservers_spawn(void *forkservers, const struct xr_worker_config *config,
                         const struct xr_loaded *backend, int fd);

/* The server's side: returns in every copy, with the descriptor to serve on; in the server itself
 * it returns -1 at the end. */
int xr_forkserver_serve(int fd);

#endif
