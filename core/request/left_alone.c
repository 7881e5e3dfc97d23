/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that a command changes only if they are named: those that show a change to everybody who uses
 * the program, or whose programs another store serves already. */
#include "request.h"

#define LEFT_ALONE_NAMED 4u /* in a message */

void xr_engine_leave_alone(struct xr_engine *engine, size_t from)
{
    struct xr_report *report = engine->report;
    enum xr_verb verb = engine->rq->verb;
    struct xr_buf names = {0};
    size_t kept = from, left = 0;

    if (verb != XR_VERB_INSTALL && verb != XR_VERB_REMOVE && verb != XR_VERB_DISTRUST &&
        verb != XR_VERB_RECOVER)
        return;
    for (size_t i = from; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        if (!run->only_named) {
            report->runs.items[kept++] = *run;
            continue;
        }
        if (left++ < LEFT_ALONE_NAMED)
            xr_buf_fmt(&names, "%s%s", left > 1 ? ", " : "", run->address);
        xr_run_free(run);
    }
    report->runs.count = kept;
    engine->left_alone += left;
    /* Installing elsewhere is no less for it, but what is to go may still be there. */
    if (left > 0 && verb != XR_VERB_RECOVER)
        xr_report_say(report, verb == XR_VERB_INSTALL ? XR_INFO : XR_NOTE, NULL,
                      "left alone, because --store does not name %s: %s%s",
                      left > 1 ? "them" : "it", names.data, left > LEFT_ALONE_NAMED ? "…" : "");
    xr_buf_free(&names);
}
