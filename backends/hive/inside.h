/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share about an open hive. */
#ifndef XR_HIVE_INSIDE_H
#define XR_HIVE_INSIDE_H

#include "hive.h"
#include "libhivex.h"

struct hive {
    const struct hive_functions *lib;
    const struct xr_host *host;
    const struct hive_place *place;
    hive_h *h;
    struct stat st; /* of the file that was read */
    bool changed;
};

#endif
