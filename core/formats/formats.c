/* SPDX-License-Identifier: Apache-2.0 */
#include "private.h"

#include <stdlib.h>

void xr_format_files_free(struct xr_format_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
        free(files->items[i].target);
        xr_buf_free(&files->items[i].content);
    }
    free(files->items);
    *files = (struct xr_format_files){0};
}

bool xr_format_is_directory(enum xr_format format)
{
    return format == XR_FORMAT_PEM_DIRECTORY || format == XR_FORMAT_OPENSSL_DIRECTORY;
}

void xr_format_write(struct xr_format_files *out, enum xr_format format,
                     struct xr_format_cert *const *certs, size_t count,
                     const struct xr_format_options *options)
{
    static const xr_format_fn formats[XR_FORMAT_COUNT] = {
        [XR_FORMAT_PEM_BUNDLE] = xr_format_pem_bundle,
        [XR_FORMAT_OPENSSL_BUNDLE] = xr_format_openssl_bundle,
        [XR_FORMAT_JAVA] = xr_format_jks,
        [XR_FORMAT_EDK2] = xr_format_edk2,
        [XR_FORMAT_PEM_DIRECTORY] = xr_format_pem_directory,
        [XR_FORMAT_OPENSSL_DIRECTORY] = xr_format_openssl_directory,
    };

    formats[format](out, certs, count, options);
}
