/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers that have closed their store and wait for the next one of the same backend and user:
 * starting a helper takes longer than its work on one store. One that did not answer, answered that
 * something failed, or used too much memory is never kept.
 */
#ifndef XR_POOL_H
#define XR_POOL_H

#include "stores/store.h"

struct xr_helper_pool {
    struct xr_worker **items; /* the one that waits longest first */
    size_t count, capacity;
};
#define XR_HELPERS_KEPT 16u /* at most; with stores of many users few are of use again */

/* Ends those that are kept. */
void xr_helper_pool_free(struct xr_helper_pool *pool);

#endif
