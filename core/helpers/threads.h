/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Works on many stores at once. One lock protects all data of core: a working thread holds it, and
 * releases it only while it waits for a helper (struct xr_pause). So code of core must care about
 * threads only where it keeps a pointer, across such a wait, into an array that may grow.
 *
 * Threads live until xr_threads_free, because a helper ends with the thread that started it
 * (PR_SET_PDEATHSIG) and may serve stores in several runs.
 */
#ifndef XR_THREADS_H
#define XR_THREADS_H

#include "stores/store.h"

#include <pthread.h>

/* Helpers wait for disks more than they compute, so a few more than there are processors. */
#define XR_THREADS_WAITING 8u

struct xr_threads {
    unsigned limit; /* most threads that work at once; 0: as many as the work can use */
    pthread_mutex_t lock;
    pthread_cond_t begun, ended, told;
    pthread_t *items;
    size_t count, capacity;
    struct xr_round *round; /* what they work on; NULL: nothing */
    bool over;              /* they are to end */
    bool working;           /* true while work runs in threads */
    struct xr_pause pause;
};
/* limit 0: none. threads must not move in memory. */
void xr_threads_init(struct xr_threads *threads, unsigned limit);
void xr_threads_free(struct xr_threads *threads);
enum xr_work {
    XR_WORK_COMPUTES, /* one thread for each processor that this process may use */
    XR_WORK_WAITS     /* at least XR_THREADS_WAITING */
};
/* Calls work(ctx, i) for every i below count, started in that order; returns when all are done. */
void xr_threads_run(struct xr_threads *threads, enum xr_work kind, size_t count,
                    void (*work)(void *ctx, size_t i), void *ctx);

#endif
