/* SPDX-License-Identifier: Apache-2.0 */
/* A build without SQLite's header: that such a file is there is all that can be said. */
#include "chromium.h"
#include "file.h"

#include <stdlib.h>

enum xr_status chromium_load(struct chromium_view *out, const struct xr_host *host, int dir,
                             const char *path, struct xr_error *err)
{
    struct chromium_file file = {.there = false};
    enum xr_status status = chromium_file_read(&file, dir, path, err);

    (void)host;
    out->there = file.there;
    if (status == XR_OK && file.there) {
        out->incomplete = out->unread = true;
        (void)snprintf(
            out->problem, sizeof(out->problem),
            N_("%s/ServerCertificate cannot be read: this crossroot was built without SQLite"),
            path);
    }
    xr_buf_free(&file.bytes);
    return status;
}

void chromium_view_free(struct chromium_view *view)
{
    *view = (struct chromium_view){0};
}
