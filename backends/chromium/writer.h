/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CHROMIUM_WRITER_H
#define XR_CHROMIUM_WRITER_H

#include "kit/base.h"

/* dir: the profile, checked by the caller and locked against others of us; path: its path, for
 * messages. */
struct chromium_place {
    const struct xr_host *host;
    int dir;
    const char *path;
};

/* One swap as backend.h promises it: a transaction of SQLite's, in which what is there is compared
 * first. Makes a missing file as the browser does. XR_BUSY: a program keeps the file locked, and nothing
 * was changed. */
enum xr_status chromium_swap(const struct chromium_place *at, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err);

/* Ends the write of a program that was killed: what was there before it is there again. */
enum xr_status chromium_roll_back(const struct chromium_place *at, struct xr_error *err);

#endif
