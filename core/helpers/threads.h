/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on many stores at once. There is one lock for all that is core's: whoever works holds it,
 * and gives it up only while waiting for a helper (struct xr_pause). So code of core needs to know
 * of this only where it keeps a pointer into what others may grow across such a wait.
 *
 * A helper lives no longer than the thread that started it (PR_SET_PDEATHSIG): what work opens in
 * a helper, it closes.
 */
#ifndef XR_THREADS_H
#define XR_THREADS_H

#include "stores/store.h"

#include <pthread.h>

struct xr_threads {
    unsigned size; /* how many work at once, at most */
    pthread_mutex_t lock;
    bool working; /* under the lock, and before and after */
    struct xr_pause pause;
};
/* size 0: as many as processors that this process may use. threads stays where it is. */
void xr_threads_init(struct xr_threads *threads, unsigned size);
void xr_threads_free(struct xr_threads *threads);
/* work(ctx, i) for every i below count, begun in that order; returns when all are done. */
void xr_threads_run(struct xr_threads *threads, size_t count, void (*work)(void *ctx, size_t i),
                    void *ctx);

#endif
