/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include "sys/sys.h"

#include <signal.h>
#include <stdlib.h>

static void leave(void *ctx)
{
    struct xr_threads *threads = ctx;

    if (threads->working)
        (void)pthread_mutex_unlock(&threads->lock);
}

static void enter(void *ctx)
{
    struct xr_threads *threads = ctx;

    if (threads->working)
        (void)pthread_mutex_lock(&threads->lock);
}

static void await(void *ctx)
{
    struct xr_threads *threads = ctx;

    (void)pthread_cond_wait(&threads->told, &threads->lock);
}

static void tell(void *ctx)
{
    struct xr_threads *threads = ctx;

    (void)pthread_cond_broadcast(&threads->told);
}

void xr_threads_init(struct xr_threads *threads, unsigned limit)
{
    *threads = (struct xr_threads){.limit = limit};
    (void)pthread_mutex_init(&threads->lock, NULL);
    (void)pthread_cond_init(&threads->begun, NULL);
    (void)pthread_cond_init(&threads->ended, NULL);
    (void)pthread_cond_init(&threads->told, NULL);
    threads->pause = (struct xr_pause){leave, enter, await, tell, threads};
}

/* One call of xr_threads_run. */
struct xr_round {
    size_t next, count;
    unsigned wanted; /* threads that may still join */
    unsigned busy;   /* that have joined and not left */
    void (*work)(void *ctx, size_t i);
    void *ctx;
};

static bool may_join(const struct xr_round *round)
{
    return round != NULL && round->wanted > 0 && round->next < round->count;
}

static void *hand(void *ctx)
{
    struct xr_threads *threads = ctx;

    (void)pthread_mutex_lock(&threads->lock);
    for (;;) {
        struct xr_round *round = NULL;

        while (!threads->over && !may_join(threads->round))
            (void)pthread_cond_wait(&threads->begun, &threads->lock);
        if (threads->over)
            break;
        round = threads->round;
        round->wanted--;
        round->busy++;
        while (round->next < round->count)
            round->work(round->ctx, round->next++);
        if (--round->busy == 0)
            (void)pthread_cond_signal(&threads->ended);
    }
    (void)pthread_mutex_unlock(&threads->lock);
    return NULL;
}

/* Signals are handled only in the caller's thread. False: there are none at all. */
static bool begin(struct xr_threads *threads, unsigned wanted)
{
#ifndef _WIN32
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    while (threads->count < wanted) {
        pthread_t one;

        if (pthread_create(&one, NULL, hand, threads) != 0)
            break;
        *XR_PUSH(threads) = one;
    }
#ifndef _WIN32
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
    return threads->count > 0;
}

void xr_threads_free(struct xr_threads *threads)
{
    (void)pthread_mutex_lock(&threads->lock);
    threads->over = true;
    (void)pthread_cond_broadcast(&threads->begun);
    (void)pthread_mutex_unlock(&threads->lock);
    for (size_t i = 0; i < threads->count; i++)
        (void)pthread_join(threads->items[i], NULL);
    free(threads->items);
    (void)pthread_cond_destroy(&threads->told);
    (void)pthread_cond_destroy(&threads->ended);
    (void)pthread_cond_destroy(&threads->begun);
    (void)pthread_mutex_destroy(&threads->lock);
}

static unsigned at_once(const struct xr_threads *threads, enum xr_work kind, size_t count)
{
    unsigned useful = xr_sys_processors();

    if (kind == XR_WORK_WAITS && useful < XR_THREADS_WAITING)
        useful = XR_THREADS_WAITING;
    if (threads->limit > 0)
        useful = threads->limit;
    return count < useful ? (unsigned)count : useful;
}

void xr_threads_run(struct xr_threads *threads, enum xr_work kind, size_t count,
                    void (*work)(void *ctx, size_t i), void *ctx)
{
    struct xr_round round = {
        .count = count, .wanted = at_once(threads, kind, count), .work = work, .ctx = ctx};

    (void)pthread_mutex_lock(&threads->lock);
    if (round.wanted > 1 && begin(threads, round.wanted)) {
        threads->working = true;
        threads->round = &round;
        (void)pthread_cond_broadcast(&threads->begun);
        while (round.next < round.count || round.busy > 0)
            (void)pthread_cond_wait(&threads->ended, &threads->lock);
        threads->round = NULL;
        threads->working = false;
    }
    (void)pthread_mutex_unlock(&threads->lock);
    while (round.next < count) /* the only thread, or no other could be started */
        work(ctx, round.next++);
}
