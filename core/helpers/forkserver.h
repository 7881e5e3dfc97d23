/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for many stores start as copies of one that has loaded its libraries, which takes longer
 * than what they do with one store. That one, the nurse, opens no store and stays single-threaded;
 * each copy serves one store, as a helper of its own does, and is a child of this process like one.
 * There is a nurse for each backend and each user that helpers become. Whatever goes wrong with it,
 * helpers are started without it.
 */
#ifndef XR_NURSERY_H
#define XR_NURSERY_H

#include "stores/store.h"

#include <sys/types.h>

struct xr_nursery {
    struct xr_nurse *items;
    size_t count, capacity;
};
void xr_nursery_free(struct xr_nursery *nursery);

/* Makes ready for sessions of the backend as config says, from now on found by config->nursery. By
 * the main thread, or one that lives as long: helpers end with the one that started their nurse. */
void xr_nursery_warm(struct xr_nursery *nursery, const struct xr_loaded *backend,
                     const struct xr_site *site, const struct xr_worker_config *config);

/* A helper that serves on fd, which stays the caller's. 0 if there is no nurse for it; -1 if the
 * nurse failed and is gone, when somebody else may have fd by now. */
pid_t xr_nursery_bear(const struct xr_worker_config *config, const struct xr_loaded *backend,
                      int fd);

/* The nurse's side: returns the descriptor to serve on in every copy, -1 in itself at the end. */
int xr_nursery_serve(int fd);

#endif
