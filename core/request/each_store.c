/* SPDX-License-Identifier: Apache-2.0 */
/* Works on the stores of a request, one after the other or in parallel, and reports progress. */
#include "request.h"

#include <stdlib.h>

struct round {
    struct xr_engine *engine;
    size_t from, total, done;
    bool backwards;
    void (*work)(void *ctx, struct xr_run *run);
    void *ctx;
};

static void tell(const struct round *round, const struct xr_run *run)
{
    const struct xr_request *rq = round->engine->rq;
    char *shown = NULL;

    if (rq->progress == NULL)
        return;
    shown = run != NULL ? xr_visible(run->address) : NULL;
    rq->progress(rq->ctx, round->done, round->total, shown);
    free(shown);
}

static void one(void *ctx, size_t i)
{
    struct round *round = ctx;
    size_t at = round->from + (round->backwards ? round->total - 1 - i : i);
    struct xr_run *run = &round->engine->report->runs.items[at];

    tell(round, run);
    round->work(round->ctx, run);
    round->done++;
}

/* Sessions in this process would only wait for each other. */
static bool worth_threads(const struct xr_engine *engine, size_t from)
{
    size_t helpers = 0;

    for (size_t i = from; i < engine->report->runs.count; i++)
        helpers += engine->report->runs.items[i].owner.other ||
                   (engine->report->runs.items[i].backend->table.flags & XR_BACKEND_WORKER) != 0;
    return helpers > 1;
}

#define MANY 4u /* from this number of helpers on, loading libraries only once saves work */

/* In this thread: a copied helper ends when the thread that started its fork server does. */
static void preload(struct xr_engine *engine)
{
    const struct xr_report *report = engine->report;

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        struct xr_way way;
        size_t like = 0;

        for (size_t k = 0; k < report->runs.count && like < MANY; k++)
            like += report->runs.items[k].backend == run->backend &&
                    xr_run_same_user(&report->runs.items[k], run);
        if (like < MANY || (run->backend->table.flags & XR_BACKEND_WORKER) == 0)
            continue;
        xr_run_way(&way, &run->owner, engine->rq->site, &engine->worker);
        xr_forkservers_prepare(&engine->forkservers, run->backend, &way.site, &way.worker);
    }
}

void xr_engine_each(struct xr_engine *engine, size_t from, bool backwards,
                    void (*work)(void *ctx, struct xr_run *run), void *ctx)
{
    struct round round = {.engine = engine,
                          .from = from,
                          .total = engine->report->runs.count - from,
                          .backwards = backwards,
                          .work = work,
                          .ctx = ctx};
    size_t said = engine->report->messages.count;

    if (round.total == 0)
        return;
    if (worth_threads(engine, from)) {
        preload(engine);
        xr_threads_run(&engine->threads, XR_WORK_WAITS, round.total, one, &round);
    } else {
        for (size_t i = 0; i < round.total; i++)
            one(&round, i);
    }
    tell(&round, NULL);
    xr_report_sort(engine->report, said);
}
