/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for many stores start as copies of one that has loaded its libraries, which takes longer
 * than what they do with one store. That one, the server, opens no store and stays single-threaded;
 * each copy serves one store, as a helper of its own does, and is a child of this process like one.
 * There is a server for each backend and each user that helpers become. Whatever goes wrong with it,
 * helpers are started without it.
 */
#ifndef XR_FORKSERVER_H
#define XR_FORKSERVER_H

#include "client.h"

struct xr_forkservers {
    struct xr_forkserver *items;
    size_t count, capacity;
};
void xr_forkservers_free(struct xr_forkservers *forkservers);

/* Makes ready for sessions of the backend as config says, from now on copied by xr_forkservers_spawn. By
 * the main thread, or one that lives as long: helpers end with the one that started their server. */
void xr_forkservers_prepare(struct xr_forkservers *forkservers, const struct xr_loaded *backend,
                            const struct xr_site *site, const struct xr_worker_config *config);

/* What struct xr_worker_config calls copy, of a struct xr_forkservers. fd stays the caller's. */
int xr_forkservers_spawn(void *forkservers, const struct xr_worker_config *config,
                         const struct xr_loaded *backend, int fd);

/* The server's side: returns the descriptor to serve on in every copy, -1 in itself at the end. */
int xr_forkserver_serve(int fd);

#endif
