/* SPDX-License-Identifier: Apache-2.0 */
/* What several of the outputs need. */
#include "outputs_private.h"

#include "certs/x509.h"

#include <stdlib.h>

void xr_output_label(struct xr_buf *out, const struct xr_format_cert *cert)
{
    size_t len = cert->label_len > 0 ? strnlen(cert->label, cert->label_len) : 0;
    char *name = NULL;

    if (len > 0) {
        xr_buf_add(out, cert->label, len);
        return;
    }
    if (cert->cert != NULL)
        name = xr_x509_name_short(cert->cert->d.slices.subject);
    xr_buf_str(out, name != NULL && name[0] != '\0' ? name : "certificate");
    free(name);
}

void xr_output_base64(struct xr_buf *out, struct xr_format_cert *cert, size_t width,
                      const char *indent)
{
    size_t column = 0, at = 0;

    xr_format_encode(cert);
    xr_buf_reserve(out, cert->base64_len + (cert->base64_len / 64 + 2) * (strlen(indent) + 2));
    xr_buf_str(out, indent);
    while (at < cert->base64_len) {
        const char *line = cert->base64 + at;
        const char *end = memchr(line, '\n', cert->base64_len - at);
        size_t len = end != NULL ? (size_t)(end - line) : cert->base64_len - at;

        if (len == 0) {
            at++;
            continue;
        }
        if (width > 0 && column == width) {
            xr_buf_add(out, "\n", 1);
            xr_buf_str(out, indent);
            column = 0;
        }
        if (width > 0 && len > width - column)
            len = width - column;
        xr_buf_add(out, line, len);
        column += len;
        at += len;
    }
}

struct xr_buf *xr_output_file(struct xr_format_files *out, char *name)
{
    struct xr_format_file *file = XR_PUSH(out);

    file->name = name;
    return &file->content;
}
