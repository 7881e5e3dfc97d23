/* SPDX-License-Identifier: Apache-2.0 */
#include "users.h"

#include <stdlib.h>

#define NOBODY 65534u

void xr_user_free(struct xr_user *user)
{
    free(user->name);
    free(user->home);
    *user = (struct xr_user){0};
}

void xr_users_free(struct xr_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        xr_user_free(&users->items[i]);
    free(users->items);
    xr_strings_free(&users->notes);
    *users = (struct xr_users){0};
}

/* The part of path below the home, or NULL. */
static const char *below(const struct xr_users *users, const struct xr_user *user, const char *path)
{
    size_t root = users->root != NULL ? strlen(users->root) : 0;
    size_t home = strlen(user->home);

    if (root > 0 && strncmp(path, users->root, root) != 0)
        return NULL;
    path += root;
    return strncmp(path, user->home, home) == 0 && (path[home] == '/' || path[home] == '\0')
               ? path + home
               : NULL;
}

size_t xr_users_of(const struct xr_users *users, const char *path)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < users->count; i++) {
        if (below(users, &users->items[i], path) != NULL &&
            (best == SIZE_MAX || strlen(users->items[i].home) > strlen(users->items[best].home)))
            best = i;
    }
    return best;
}

/* ---- owners ---- */

void xr_owner_set(struct xr_owner *owner, const struct xr_user *user)
{
    *owner = (struct xr_owner){.other = true,
                               .uid = user->uid,
                               .gid = user->gid,
                               .name = xr_strdup(user->name),
                               .home = xr_strdup(user->home),
                               .config_home = xr_format("%s/.config", user->home),
                               .data_home = xr_format("%s/.local/share", user->home)};
}

void xr_owner_nobody(struct xr_owner *owner)
{
    *owner = (struct xr_owner){.other = true, .uid = NOBODY, .gid = NOBODY};
}

void xr_owner_free(struct xr_owner *owner)
{
    free(owner->name);
    free(owner->home);
    free(owner->config_home);
    free(owner->data_home);
    *owner = (struct xr_owner){0};
}
