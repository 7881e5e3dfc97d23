/* SPDX-License-Identifier: Apache-2.0 */
/* The subdirectories of a store, as data. */
#include "store.h"

const struct shape od_shapes[SHAPES] = {
    {XR_ANCHOR, "anchors", "anchors.pem", "CERTIFICATE", true, ""},
    {XR_INTERMEDIATE, "intermediates", "intermediates.pem", "CERTIFICATE", true, ""},
    {XR_DISTRUST, "distrusted", NULL, "CERTIFICATE", false, ""},
    {XR_CRL, "crls", NULL, "X509 CRL", true, "r"},
};

const struct shape *od_shape_of(enum xr_place place, size_t *at)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (od_shapes[i].place == place) {
            *at = i;
            return &od_shapes[i];
        }
    }
    return NULL;
}
