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

void xr_threads_init(struct xr_threads *threads, unsigned size)
{
    *threads = (struct xr_threads){.size = size > 0 ? size : xr_sys_processors()};
    (void)pthread_mutex_init(&threads->lock, NULL);
    threads->pause = (struct xr_pause){leave, enter, threads};
}

void xr_threads_free(struct xr_threads *threads)
{
    (void)pthread_mutex_destroy(&threads->lock);
}

struct shift {
    struct xr_threads *threads;
    size_t next, count;
    void (*work)(void *ctx, size_t i);
    void *ctx;
};

static void *hand(void *ctx)
{
    struct shift *shift = ctx;

    (void)pthread_mutex_lock(&shift->threads->lock);
    while (shift->next < shift->count)
        shift->work(shift->ctx, shift->next++);
    (void)pthread_mutex_unlock(&shift->threads->lock);
    return NULL;
}

/* Signals are handled only in the caller's thread. */
static size_t begin(pthread_t *hands, size_t count, struct shift *shift)
{
    size_t begun = 0;
#ifndef _WIN32
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    while (begun < count && pthread_create(&hands[begun], NULL, hand, shift) == 0)
        begun++;
#ifndef _WIN32
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
    return begun;
}

void xr_threads_run(struct xr_threads *threads, size_t count, void (*work)(void *ctx, size_t i),
                    void *ctx)
{
    struct shift shift = {.threads = threads, .count = count, .work = work, .ctx = ctx};
    size_t wanted = count < threads->size ? count : threads->size, begun = 0;
    pthread_t *hands = NULL;

    if (wanted > 1) {
        hands = xr_new(wanted, sizeof(*hands));
        threads->working = true;
        begun = begin(hands, wanted, &shift);
        for (size_t i = 0; i < begun; i++)
            (void)pthread_join(hands[i], NULL);
        threads->working = false;
        free(hands);
    }
    while (shift.next < count) /* the only thread, or no other could be started */
        work(ctx, shift.next++);
}
