/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Works on many stores at once. One lock protects all data of core: a working thread holds it, and
 * releases it only while it waits for a helper (struct xr_pause). So code of core must care about
 * threads only where it keeps a pointer, across such a wait, into an array that may grow.
 *
 * A helper ends with the thread that started it (PR_SET_PDEATHSIG), so work must close what it
 * opens in a helper.
 */
#ifndef XR_THREADS_H
#define XR_THREADS_H

#include "stores/store.h"

#include <pthread.h>

struct xr_threads {
    unsigned size; /* most threads that work at once */
    pthread_mutex_t lock;
    bool working; /* true while work runs in threads */
    struct xr_pause pause;
};
/* size 0: one for each processor that this process may use. threads must not move in memory. */
void xr_threads_init(struct xr_threads *threads, unsigned size);
void xr_threads_free(struct xr_threads *threads);
/* Calls work(ctx, i) for every i below count, started in that order; returns when all are done. */
void xr_threads_run(struct xr_threads *threads, size_t count, void (*work)(void *ctx, size_t i),
                    void *ctx);

#endif
