/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <stdlib.h>

void xr_secret_set(struct xr_secret *secret, struct xr_bytes bytes)
{
    unsigned char *data = xr_new(bytes.len + 1, 1);

    memcpy(data, bytes.data, bytes.len);
    xr_secret_wipe(secret);
    *secret = (struct xr_secret){data, bytes.len};
}

void xr_secret_wipe(struct xr_secret *secret)
{
    if (secret->data != NULL)
        xr_wipe(secret->data, secret->len);
    free(secret->data);
    *secret = (struct xr_secret){0};
}
