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
};

/* As chromium_load says. out is {0} before; free its bytes after any status. */
enum xr_status chromium_file_read(struct chromium_file *out, int dir, const char *path,
                                  struct xr_error *err);

#endif
