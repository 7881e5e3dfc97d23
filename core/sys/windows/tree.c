/* SPDX-License-Identifier: Apache-2.0 */
/* No program of Windows is known by its files yet. */
#include "sys/tree.h"

enum xr_status xr_tree_file(struct xr_tree_file *out, const char *root, const char *path,
                            struct xr_error *err)
{
    (void)root;
    *out = (struct xr_tree_file){0};
    return xr_fail(err, XR_UNSUPPORTED, "%s is not looked at on Windows", path);
}

void xr_tree_file_free(struct xr_tree_file *file)
{
    (void)file;
}

enum xr_status xr_tree_read(struct xr_buf *out, const char *root, const char *path, size_t limit,
                            struct xr_error *err)
{
    (void)out;
    (void)root;
    (void)limit;
    return xr_fail(err, XR_UNSUPPORTED, "%s is not looked at on Windows", path);
}

enum xr_status xr_tree_names(struct xr_strings *out, const char *root, const char *path,
                             struct xr_error *err)
{
    (void)out;
    (void)root;
    return xr_fail(err, XR_UNSUPPORTED, "%s is not looked at on Windows", path);
}

char *xr_tree_dir(const char *root, const char *path)
{
    (void)root;
    (void)path;
    return NULL;
}

bool xr_tree_ours(const char *path)
{
    (void)path;
    return true;
}
