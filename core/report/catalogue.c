/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/base.h"

#include <stdlib.h>

struct xr_catalogue *xr_catalogue_new(struct xr_bytes mo)
{
    (void)mo;
    return NULL;
}

void xr_catalogue_free(struct xr_catalogue *catalogue)
{
    free(catalogue);
}

const char *xr_tr(const struct xr_catalogue *catalogue, const char *text)
{
    (void)catalogue;
    return text;
}

const char *xr_tr_n(const struct xr_catalogue *catalogue, const char *one, const char *many,
                    size_t count)
{
    (void)catalogue;
    return count == 1 ? one : many;
}

char *xr_tr_said(const struct xr_catalogue *catalogue, const char *said)
{
    (void)catalogue;
    return xr_strdup(said);
}
