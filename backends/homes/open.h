/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_HOMES_OPEN_H
#define XR_HOMES_OPEN_H

#include "kit/base.h"

/* Opens a directory for reading by its absolute path (on this machine, also for an image), through no
 * link. Below the home of site, each directory must be the user's or root's; root goes elsewhere only
 * through directories in which nobody else can replace the next. missing may be NULL; else a path that
 * does not exist is opened as far as it does, and *missing is the rest, allocated. */
enum xr_status home_dir_open(int *out, char **missing, const struct xr_site *site, const char *path,
                             struct xr_error *err);

#endif
