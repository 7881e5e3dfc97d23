/* SPDX-License-Identifier: Apache-2.0 */
/* certifi's cacert.pem, with its comments. Its makers take CN, O and OU of a name, and write what is not
 * ASCII as Python would escape it. */
#include "outputs_private.h"

#include "certs/x509.h"

#include <stdlib.h>

enum { MD5_LEN = 16, SHA1_LEN = 20 };

static void put_escaped(struct xr_buf *out, const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct xr_buf ascii = {0};
    size_t step = 0;

    for (size_t i = 0; i < len; i += step) {
        uint32_t c = 0;

        step = xr_utf8_next(&c, bytes + i, len - i);
        if (step == 0) {
            c = bytes[i];
            step = 1;
        }
        if (c < 0x80)
            xr_buf_add(&ascii, bytes + i, 1);
        else
            xr_buf_fmt(&ascii, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
    if (ascii.len > 0)
        xr_format_put_text(out, ascii.data, ascii.len);
    xr_buf_free(&ascii);
}

static void put_name(struct xr_buf *out, const char *title, struct xr_bytes name)
{
    static const struct {
        unsigned char type;
        const char *prefix;
        bool last; /* the last value alone */
    } parts[] = {{XR_NAME_CN, "CN=", true}, {XR_NAME_O, "O=", false}, {XR_NAME_OU, "OU=", false}};
    struct xr_buf text = {0};

    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        struct xr_strings values = {0};
        struct xr_buf joined = {0};

        xr_x509_name_values(&values, name, parts[k].type);
        for (size_t i = parts[k].last && values.count > 0 ? values.count - 1 : 0; i < values.count;
             i++) {
            if (i > 0 && !parts[k].last)
                xr_buf_str(&joined, "/");
            xr_buf_str(&joined, values.items[i]);
        }
        if (joined.len > 0)
            xr_buf_fmt(&text, "%s%s%s", text.len > 0 ? " " : "", parts[k].prefix, joined.data);
        xr_buf_free(&joined);
        xr_strings_free(&values);
    }
    xr_buf_fmt(out, "# %s: ", title);
    put_escaped(out, text.data, text.len);
    xr_buf_str(out, "\n");
    xr_buf_free(&text);
}

static void put_fingerprint(struct xr_buf *out, const char *title, const unsigned char *sum,
                            size_t len)
{
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, sum, len);
    xr_buf_fmt(out, "# %s Fingerprint: ", title);
    for (size_t i = 0; i < len; i++)
        xr_buf_fmt(out, "%s%.2s", i > 0 ? ":" : "", hex + 2 * i);
    xr_buf_str(out, "\n");
}

static void put_fingerprints(struct xr_buf *out, struct xr_bytes der, const struct xr_host *host)
{
    static const unsigned char none[MD5_LEN];
    unsigned char md5[MD5_LEN], sha1[SHA1_LEN], sha256[XR_SHA256_LEN];

    host->md5(md5, der);
    host->sha1(sha1, der);
    host->sha256(sha256, der);
    if (memcmp(md5, none, sizeof(md5)) != 0) /* libcrypto has no MD5 */
        put_fingerprint(out, "MD5", md5, sizeof(md5));
    put_fingerprint(out, "SHA1", sha1, sizeof(sha1));
    put_fingerprint(out, "SHA256", sha256, sizeof(sha256));
}

void xr_output_certifi(struct xr_format_files *out, struct xr_format_cert *const *certs,
                       size_t count, const struct xr_output_options *options)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_buf label = {0};

    for (size_t i = 0; i < count; i++) {
        const struct xr_slices *slices = &certs[i]->cert->d.slices;
        char *serial = xr_x509_serial_text(slices->serial);

        label.len = 0;
        xr_output_label(&label, certs[i]);
        xr_buf_str(content, "\n");
        put_name(content, "Issuer", slices->issuer);
        put_name(content, "Subject", slices->subject);
        xr_buf_str(content, "# Label: \"");
        put_escaped(content, label.data, label.len);
        xr_buf_fmt(content, "\"\n# Serial: %s\n", serial);
        put_fingerprints(content, certs[i]->der, options->host);
        xr_format_put_pem(content, certs[i]);
        free(serial);
    }
    xr_buf_free(&label);
}
