/* SPDX-License-Identifier: Apache-2.0 */
/* What this library is, for bug reports. */
#include "stores/registry.h"

#include "certs/x509.h"
#include "report/report.h"
#include "xr_config.h"

#include <stdlib.h>

void xr_about_library(struct xr_about *out)
{
    const struct xr_about about = {.size = out->size,
                                   .version = XR_VERSION,
                                   .commit = XR_COMMIT,
                                   .compiler = XR_COMPILER,
                                   .options = XR_OPTIONS,
                                   .worker = XR_WORKER,
                                   .openssl = xr_x509_library(),
                                   .jansson = xr_json_library()};

    if (out->size > sizeof(about))
        memset((char *)out + sizeof(about), 0, out->size - sizeof(about));
    memcpy(out, &about, out->size < sizeof(about) ? out->size : sizeof(about));
}

char *xr_shown(const char *text)
{
    return xr_visible(text);
}

void xr_known_backends(const struct xr_words *plugins,
                       void (*tell)(void *ctx, const struct xr_known_backend *backend), void *ctx)
{
    struct xr_registry registry = {0};
    struct xr_known_backend known = {.size = sizeof(known)};
    struct xr_error err = {0};

    xr_registry_init(&registry);
    for (size_t i = 0; plugins != NULL && i < plugins->count; i++) {
        if (xr_registry_plugin(&registry, plugins->items[i], &err) != XR_OK)
            xr_strings_add(&registry.refused, err.text);
    }
    xr_registry_directory(&registry, XR_PLUGIN_DIR);
    for (size_t i = 0; i < registry.count; i++) {
        const struct xr_loaded *loaded = &registry.items[i];
        char *plugin = loaded->plugin != NULL ? xr_visible(loaded->plugin) : NULL;
        char *summary = xr_visible(loaded->table.summary);

        known.name = loaded->table.name;
        known.summary = summary;
        known.plugin = plugin;
        tell(ctx, &known);
        free(plugin);
        free(summary);
    }
    known = (struct xr_known_backend){.size = sizeof(known)};
    for (size_t i = 0; i < registry.refused.count; i++) {
        known.why = registry.refused.items[i];
        tell(ctx, &known);
    }
    xr_registry_free(&registry);
}
