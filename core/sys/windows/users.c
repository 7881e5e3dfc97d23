/* SPDX-License-Identifier: Apache-2.0 */
/* On Windows, core searches no homes. */
#include "sys/users.h"

#include "sys/sys.h"

enum xr_status xr_users_read(struct xr_users *users, struct xr_error *err)
{
    users->all = true;
    return xr_fail(err, XR_UNSUPPORTED, "the homes of other users are not searched on Windows");
}

enum xr_status xr_users_find(size_t *at, struct xr_users *users, uint32_t uid, struct xr_error *err)
{
    (void)users;
    *at = SIZE_MAX;
    return xr_fail(err, XR_ABSENT, "the user with UID %lu is not known", (unsigned long)uid);
}

enum xr_status xr_users_resolve(char **out, struct xr_users *users, const char *path,
                                struct xr_error *err)
{
    (void)users;
    return xr_sys_resolve(out, path, err);
}
