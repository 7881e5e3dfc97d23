/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <limits.h>
#include <stdlib.h>

struct counting {
    size_t count;
    char first[PATH_MAX];
};

static enum xr_status counted(void *ctx, const struct xr_found *found)
{
    struct counting *c = ctx;

    if (found->identity != NULL && c->count++ == 0)
        (void)snprintf(c->first, sizeof(c->first), "%s", found->location);
    return XR_OK;
}

void xr_engine_tell_of_roots(struct xr_engine *engine, const struct xr_loaded *backend,
                             unsigned scope)
{
    const struct xr_request *rq = engine->rq;
    struct xr_site site = *rq->site;
    struct xr_owner who = {0};
    struct counting found = {0};
    char *home = NULL;
    size_t user = SIZE_MAX;
    struct xr_way way;

    if (rq->site->uid != 0 || site.root != NULL || (scope & XR_SCOPE_ALL_USERS) != 0 ||
        ((scope & XR_SCOPE_USER) != 0 && !rq->has_invoker))
        return;
    /* sudo may leave HOME as it was. */
    if (site.home != NULL && xr_users_resolve(&home, &engine->users, site.home, NULL) == XR_OK)
        user = xr_users_of(&engine->users, home);
    if (site.home == NULL || (user != SIZE_MAX && engine->users.items[user].uid != 0)) {
        if (xr_users_find(&user, &engine->users, 0, NULL) == XR_OK) {
            xr_owner_set(&who, &engine->users.items[user]);
            site.home = who.home;
            site.config_home = who.config_home;
            site.data_home = who.data_home;
            who.other = false;
        } else {
            site.home = NULL;
        }
    }
    xr_run_way(&way, &who, &site, &engine->worker);
    if (site.home != NULL)
        (void)xr_store_discover(backend, &way.site, XR_SCOPE_USER, &way.worker, counted, &found,
                                NULL);
    if (found.count == 1)
        xr_report_say(engine->report, XR_NOTE, backend->table.name,
                      "root's own store is left out (%s): --scope all-users includes it",
                      found.first);
    else if (found.count > 1)
        xr_report_say(
            engine->report, XR_NOTE, backend->table.name,
            "%zu stores of root's own are left out (%s…): --scope all-users includes them",
            found.count, found.first);
    xr_owner_free(&who);
    free(home);
}
