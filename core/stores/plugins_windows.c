/* SPDX-License-Identifier: Apache-2.0 */
/* One program with everything in it: who could exchange a plugin beside it is not checked here, so
 * none is loaded. */
#include "registry.h"

#include <stdlib.h>

enum xr_status xr_registry_plugin(struct xr_registry *registry, const char *path,
                                  struct xr_error *err)
{
    char *shown = xr_visible(path);
    enum xr_status status = xr_fail(err, XR_UNSUPPORTED,
                                    "plugin %s refused: plugins are not supported on "
                                    "Windows",
                                    shown);

    (void)registry;
    free(shown);
    return status;
}

void xr_registry_directory(struct xr_registry *registry, const char *path)
{
    (void)registry;
    (void)path;
}
