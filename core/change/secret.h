/* SPDX-License-Identifier: Apache-2.0 */
/* A password, kept with a store's run from the confirmation until the change is applied, then
 * wiped. */
#ifndef XR_SECRET_H
#define XR_SECRET_H

#include "kit/base.h"

struct xr_secret {
    unsigned char *data; /* NULL: no password; an empty password has data */
    size_t len;
};
void xr_secret_set(struct xr_secret *secret, struct xr_bytes bytes);
void xr_secret_wipe(struct xr_secret *secret);

#endif
