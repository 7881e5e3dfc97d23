/* SPDX-License-Identifier: Apache-2.0 */
/* PEM bundles, and what other formats have of PEM. */
#include "kit/pem.h"
#include "private.h"

/* Whoever chooses a name could so add certificates to a bundle: GnuTLS takes "-----BEGIN" anywhere,
 * OpenSSL at the start of a line and after each 254 bytes of one. */
void xr_format_put_text(struct xr_buf *out, const char *text, size_t len)
{
    size_t at = out->len, dashes = 0;

    xr_buf_add(out, text, strnlen(text, len));
    for (; at < out->len; at++) {
        unsigned char c = (unsigned char)out->data[at];

        dashes = c == '-' ? dashes + 1 : 0;
        if (dashes == 5) {
            out->data[at] = '_';
            dashes = 0;
        } else if (c < ' ' || c == 0x7f) {
            out->data[at] = ' ';
        }
    }
}

/* p11-kit writes a label as it is, up to a NUL. */
static void put_comment(struct xr_buf *out, const struct xr_format_cert *cert, bool first)
{
    xr_buf_str(out, first ? "# " : "\n# ");
    if (cert->label_len > 0)
        xr_format_put_text(out, cert->label, cert->label_len);
    else
        xr_buf_str(out, "certificate");
    xr_buf_add(out, "\n", 1);
}

void xr_format_encode(struct xr_format_cert *cert)
{
    if (cert->base64 != NULL)
        return;
    cert->base64 = xr_new(xr_base64_size(cert->der.len), 1);
    cert->base64_len = xr_base64_lines(cert->base64, cert->der);
}

void xr_format_put_pem(struct xr_buf *out, struct xr_format_cert *cert)
{
    xr_format_encode(cert);
    xr_buf_str(out, "-----BEGIN CERTIFICATE-----\n");
    xr_buf_add(out, cert->base64, cert->base64_len);
    xr_buf_str(out, "\n-----END CERTIFICATE-----\n");
}

struct xr_buf *xr_format_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                                size_t count)
{
    struct xr_format_file *file = XR_PUSH(out);
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += xr_base64_size(certs[i]->der.len) + 2 * certs[i]->label_len + 256;
    xr_buf_reserve(&file->content, size);
    return &file->content;
}

void xr_format_put_all(struct xr_format_files *out, struct xr_format_cert *const *certs,
                       size_t count, const struct xr_format_options *options, xr_format_put_fn put)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);

    for (size_t i = 0; i < count; i++) {
        if (options->comments)
            put_comment(content, certs[i], i == 0);
        put(content, certs[i]);
    }
}

void xr_format_pem_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                          size_t count, const struct xr_format_options *options)
{
    xr_format_put_all(out, certs, count, options, xr_format_put_pem);
}
