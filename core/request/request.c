/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its report: plugins, the state directory, the verb. */
#include "request.h"

#include "helpers/client.h"
#include "sys/sys.h"
#include "xr_config.h"

#include <stdlib.h>

const char *xr_version(void)
{
    return XR_VERSION;
}

const char *xr_plugin_dir(void)
{
    return XR_PLUGIN_DIR;
}

int64_t xr_time_parse(const char *text, bool *ok)
{
    return xr_sys_parse_time(text, ok);
}

/* Records of an image are kept on the host, in a directory of its own. */
static char *state_dir_of(const struct xr_request *rq)
{
    char hex[17];
    unsigned char id[XR_SHA256_LEN];
    const char *root = rq->site->root;

    if (rq->state_dir == NULL)
        return xr_strdup("");
    if (root == NULL)
        return xr_strdup(rq->state_dir);
    xr_x509_sha256(id, (struct xr_bytes){(const unsigned char *)root, strlen(root)});
    xr_hex(hex, id, 8);
    return xr_format("%s/image-%s", rq->state_dir, hex);
}

/* Nothing is left to find out for who prints the report, and no store is open any more. */
static void finish(struct xr_report *report, bool text_only)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        xr_store_close(&run->kept);
        for (size_t k = 0; !text_only && k < run->plan.count; k++) {
            if (run->plan.items[k].pool_at != XR_NONE)
                (void)xr_pool_kind(&report->pool, run->plan.items[k].pool_at);
        }
    }
}

/* The directory may be new, but nobody's home is made for it. */
static bool may_make(const struct xr_request *rq)
{
    const char *home = rq->site->home;
    size_t len = home != NULL ? strlen(home) : 0;
    bool below = len > 0 && strncmp(rq->state_dir, home, len) == 0 &&
                 (rq->state_dir[len] == '/' || home[len - 1] == '/');

    return rq->site->root == NULL && (!below || xr_sys_exists(home));
}

/* Commands that only read do that too; a dry run writes nothing. */
static void keep_checked(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;

    if (!rq->dry_run && rq->state_dir != NULL)
        xr_checked_keep(&engine->checked, &engine->report->pool, rq->state_dir, may_make(rq));
    xr_checked_free(&engine->checked);
}

/* Commands on files may be done without looking for backends, and the sources of others say whether they
 * need any (sources.c). */
static bool needs_plugins(const struct xr_request *rq)
{
    switch (rq->verb) {
    case XR_VERB_HISTORY:
        return rq->stores.count + rq->excluded.count > 0;
    case XR_VERB_INSPECT:
        return rq->stores.count > 0 || !rq->only_files;
    case XR_VERB_EXTRACT:
    case XR_VERB_DIFF:
        return false;
    default:
        return true;
    }
}

struct xr_report *xr_run_request(const struct xr_request *request)
{
    static void (*const verbs[XR_VERB_COUNT])(struct xr_engine * engine) = {
        xr_verb_inspect, xr_verb_stores,  xr_verb_list,   xr_verb_change,
        xr_verb_change,  xr_verb_change,  xr_verb_verify, xr_verb_undo,
        xr_verb_history, xr_verb_recover, xr_verb_show,   xr_verb_readers,
        xr_verb_extract, xr_verb_diff,    xr_verb_chain,  xr_verb_refresh,
    };
    struct xr_request rq = {0};
    struct xr_site site = {0};
    struct xr_engine engine = {.rq = &rq};
    struct xr_error err = {0};
    char *root = NULL;

    if (!XR_HAS(request, site) || request->site == NULL || request->site->size == 0)
        return xr_report_usage(request->size > 0 ? request->verb : XR_VERB_INSPECT,
                               "the size of the request and of its site must be set");
    memcpy(&rq, request, request->size < sizeof(rq) ? request->size : sizeof(rq));
    memcpy(&site, request->site,
           request->site->size < sizeof(site) ? request->site->size : sizeof(site));
    site.size = sizeof(site);
    rq.site = &site;
    engine.report = xr_report_new(rq.verb);
    engine.report->dry_run = rq.dry_run;
    engine.report->managed = rq.managed;
    engine.report->now = rq.now;
    engine.report->expires_by = rq.expires_by;
    engine.worker.program = rq.worker != NULL ? rq.worker : XR_WORKER;
    xr_threads_init(&engine.threads, rq.parallel);
    engine.worker.pause = &engine.threads.pause;
    engine.worker.remote = xr_helpers;
    engine.worker.pool = &engine.helpers;
    engine.worker.copy = xr_forkservers_spawn;
    engine.worker.copier = &engine.forkservers;
    if ((unsigned)rq.verb >= XR_VERB_COUNT) {
        xr_report_say(engine.report, XR_ERROR, NULL, "unknown verb");
        xr_report_raise(engine.report, XR_EXIT_USAGE);
    } else if (site.root != NULL && xr_sys_resolve(&root, site.root, &err) != XR_OK) {
        xr_report_say(engine.report, XR_ERROR, NULL, "--root: %s", err.text);
        xr_report_raise(engine.report, XR_EXIT_FAILED);
    } else {
        /* --root / means this machine. */
        site.root = root != NULL && strcmp(root, "/") != 0 ? root : NULL;
        engine.users.root = site.root;
        engine.state_dir = state_dir_of(&rq);
        if (needs_plugins(&rq))
            xr_engine_load_plugins(&engine);
        verbs[rq.verb](&engine);
    }
    finish(engine.report, rq.text_only);
    keep_checked(&engine);
    xr_helper_pool_free(&engine.helpers);
    xr_verdicts_free(&engine.verdicts);
    xr_forkservers_free(&engine.forkservers);
    xr_threads_free(&engine.threads);
    free(root);
    free(engine.state_dir);
    xr_users_free(&engine.users);
    return engine.report;
}
