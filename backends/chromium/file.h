/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a profile, checked and read whole. */
#ifndef XR_CHROMIUM_FILE_H
#define XR_CHROMIUM_FILE_H

#include "kit/base.h"

struct chromium_file {
    struct xr_buf bytes;
    bool there;
    const char
        *unsettled; /* NULL, or why the bytes are not what the browser would find: one line */
    bool stale;     /* by an interrupted write, and no program is there to go on with it */
};

/* As chromium_load says. out is {0} before; free its bytes after any status. */
enum xr_status chromium_file_read(struct chromium_file *out, int dir, const char *path,
                                  struct xr_error *err);

/* Does another process keep the file locked, in any way of SQLite's? *pid: its ID, or 0 if it is none
 * that can be seen from here. Not while this process has the file open in SQLite: closing it once
 * drops all locks of the process. */
bool chromium_file_locked(long *pid, int dir);

#endif
