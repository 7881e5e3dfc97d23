/* SPDX-License-Identifier: Apache-2.0 */
/* On Windows, stores are opened in this process: there are no helpers. */
#include "forkserver.h"
#include "pool.h"

const struct xr_remote *const xr_helpers = NULL;

void xr_helper_pool_free(struct xr_helper_pool *pool)
{
    *pool = (struct xr_helper_pool){0};
}

void xr_forkservers_free(struct xr_forkservers *forkservers)
{
    *forkservers = (struct xr_forkservers){0};
}

void xr_forkservers_prepare(struct xr_forkservers *forkservers, const struct xr_loaded *backend,
                            const struct xr_site *site, const struct xr_worker_config *config)
{
    (void)forkservers;
    (void)backend;
    (void)site;
    (void)config;
}

int xr_forkservers_spawn(void *forkservers, const struct xr_worker_config *config,
                         const struct xr_loaded *backend, int fd)
{
    (void)forkservers;
    (void)config;
    (void)backend;
    (void)fd;
    return 0;
}
