/* SPDX-License-Identifier: Apache-2.0 */
/* Which backends this request knows. */
#include "request.h"

#include "xr_config.h"

void xr_engine_load_plugins(struct xr_engine *engine)
{
    struct xr_registry *registry = &engine->report->registry;
    /* An inspection of files looks at stores by the way. */
    enum xr_level level =
        engine->rq->verb == XR_VERB_INSPECT && engine->rq->stores.count == 0 ? XR_INFO : XR_WARNING;
    struct xr_error err = {0};

    if (engine->plugins)
        return;
    engine->plugins = true;
    xr_registry_init(registry);
    for (size_t i = 0; i < engine->rq->plugins.count; i++) {
        if (xr_registry_plugin(registry, engine->rq->plugins.items[i], &err) != XR_OK) {
            xr_report_say(engine->report, XR_ERROR, NULL, "%s", err.text);
            xr_report_raise(engine->report, XR_EXIT_FAILED);
        }
    }
    xr_registry_directory(registry, XR_PLUGIN_DIR);
    for (size_t i = 0; i < registry->refused.count; i++)
        xr_report_say(engine->report, level, NULL, "%s", registry->refused.items[i]);
}
