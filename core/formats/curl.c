/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl's cacert.pem, as mk-ca-bundle.pl 1.29 writes it (Debian 12). 1.33 has one line more in its head,
 * "Find updated versions here", which is about curl's own files. The line "Conversion done" is part of
 * the form: who compares a bundle with the script's finds no difference.
 */
#include "outputs_private.h"

enum { LINE = 76 };

/* As Perl's gmtime: "Thu Jan  1 00:00:00 1970". */
static void put_time(struct xr_buf *out, int64_t at)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct xr_date d;

    xr_date_of(&d, at);
    xr_buf_fmt(out, "%.3s %.3s %2d %02d:%02d:%02d %lld", days + (size_t)d.weekday * 3,
               months + (size_t)(d.month - 1) * 3, d.day, d.hour, d.minute, d.second,
               (long long)d.year);
}

static void put_head(struct xr_buf *out, const struct xr_output_source *source)
{
    char hash[2 * XR_SHA256_LEN + 1];

    xr_buf_str(out, "##\n## Bundle of CA Root Certificates\n##\n");
    if (source != NULL) {
        xr_buf_str(out, "## Certificate data from Mozilla as of: ");
        put_time(out, source->modified);
        xr_buf_str(out, " GMT\n##\n");
    }
    xr_buf_str(out, "## This is a bundle of X.509 certificates of public Certificate Authorities\n"
                    "## (CA). These were automatically extracted from Mozilla's root certificates\n"
                    "## file (certdata.txt).  This file can be found in the mozilla source tree:\n"
                    "## ");
    if (source != NULL)
        xr_format_put_text(out, source->name, strlen(source->name));
    xr_buf_str(out, "\n##\n"
                    "## It contains the certificates in PEM format and therefore\n"
                    "## can be directly used with curl / libcurl / php_curl, or with\n"
                    "## an Apache+mod_ssl webserver for SSL client authentication.\n"
                    "## Just configure this file as the SSLCACertificateFile.\n"
                    "##\n"
                    "## Conversion done with mk-ca-bundle.pl version 1.29.\n");
    if (source != NULL) {
        xr_hex(hash, source->sha256, XR_SHA256_LEN);
        xr_buf_fmt(out, "## SHA256: %s\n", hash);
    }
    xr_buf_str(out, "##\n\n");
}

/* Bytes that are not UTF-8 count as one character each. */
static size_t characters(const char *text, size_t len)
{
    size_t count = 0, step = 0;
    uint32_t code_point = 0;

    for (size_t i = 0; i<len; i += step> 0 ? step : 1, count++)
        step = xr_utf8_next(&code_point, (const unsigned char *)text + i, len - i);
    return count;
}

static void put_cert(struct xr_buf *out, struct xr_format_cert *cert, struct xr_buf *label)
{
    size_t start = 0, count = 0;

    label->len = 0;
    xr_output_label(label, cert);
    xr_buf_str(out, "\n");
    start = out->len;
    xr_format_put_text(out, label->data, label->len);
    count = characters(out->data + start, out->len - start);
    xr_buf_str(out, "\n");
    for (size_t i = 0; i < count; i++)
        xr_buf_add(out, "=", 1);
    xr_buf_str(out, "\n-----BEGIN CERTIFICATE-----\n");
    xr_output_base64(out, cert, LINE, "");
    xr_buf_str(out, "\n-----END CERTIFICATE-----\n");
}

void xr_output_curl(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                    const struct xr_output_options *options)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_buf label = {0};

    put_head(content, options->source);
    for (size_t i = 0; i < count; i++)
        put_cert(content, certs[i], &label);
    xr_buf_free(&label);
}
