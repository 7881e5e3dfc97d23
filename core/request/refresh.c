/* SPDX-License-Identifier: Apache-2.0 */
/* What the distribution's own update command does. */
#include "request.h"

#include <stdlib.h>

static void refreshed(void *ctx, enum xr_refreshed what, const char *text)
{
    struct xr_run *run = ctx;

    *XR_PUSH(&run->refreshed) = (struct xr_run_refreshed){what, xr_strdup(text)};
}

static void refresh(void *ctx, struct xr_run *run)
{
    struct xr_engine *engine = ctx;
    struct xr_store store = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (run->result == XR_RESULT_SKIPPED)
        return;
    if (run->backend->table.refresh == NULL)
        status = xr_fail(&err, XR_UNSUPPORTED, "this store makes nothing from sources");
    else
        status = xr_run_open(&store, run, engine->rq->site, XR_REFRESH, &engine->worker, &err);
    if (status == XR_OK) {
        xr_run_caps(run, &store);
        status = run->caps.writable
                     ? xr_store_refresh(&store, engine->rq->anew, refreshed, run, &err)
                     : xr_run_unwritable(run, &err);
    }
    xr_run_end(run, status == XR_OK ? XR_RESULT_DONE : XR_RESULT_FAILED,
               status == XR_OK ? NULL : xr_strdup(err.text));
    if (status != XR_OK) {
        xr_report_say(engine->report, XR_ERROR, run->address, "%s", err.text);
        xr_report_raise(engine->report, run->caps.needs_privilege && !run->caps.writable
                                            ? XR_EXIT_PRIVILEGE
                                            : XR_EXIT_FAILED);
    }
    xr_store_close(&store);
}

void xr_verb_refresh(struct xr_engine *engine)
{
    if (xr_engine_select(engine))
        xr_engine_each(engine, 0, false, refresh, engine);
}
