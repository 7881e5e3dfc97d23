/* SPDX-License-Identifier: Apache-2.0 */
/* Windows' stores are this process's own: there are no helpers. */
#include "forkserver.h"

const struct xr_remote xr_remote = {0};

void xr_nursery_free(struct xr_nursery *nursery)
{
    *nursery = (struct xr_nursery){0};
}

void xr_nursery_warm(struct xr_nursery *nursery, const struct xr_loaded *backend,
                     const struct xr_site *site, const struct xr_worker_config *config)
{
    (void)nursery;
    (void)backend;
    (void)site;
    (void)config;
}
