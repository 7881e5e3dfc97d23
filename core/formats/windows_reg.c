/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A .reg file for Windows, which `reg import` takes: registry keys below SystemCertificates, as
 * crossroot's backend for Windows writes them. Written as regedit exports it: UTF-16LE, hex in lines of
 * 78 characters.
 */
#include "certs/x509.h"
#include "outputs_private.h"
#include "windows_blob.h"

#include <stdlib.h>

#define KEY      "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\"
#define PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))

enum { LINE_COLUMNS = 78, INDENT = 2 };

/* What it is an anchor for. A distrust of some purposes is what the others leave out. */
static uint32_t anchor_for(const struct xr_format_cert *cert)
{
    uint32_t purposes = cert->trusted & XR_ANY_PURPOSE ? PURPOSES : cert->trusted & PURPOSES;

    return cert->distrusted & XR_ANY_PURPOSE ? 0 : purposes & ~cert->distrusted;
}

static const char *store_of(const struct xr_format_cert *cert)
{
    if (anchor_for(cert) != 0)
        return "ROOT";
    return cert->distrusted != 0 ? "Disallowed" : "CA";
}

/* Its friendly name: a label is as hostile as a subject, and lists of Windows show it. */
static void put_name(struct xr_buf *out, const struct xr_format_cert *cert)
{
    struct xr_buf visible = {0};

    if (cert->label_len > 0) {
        xr_buf_visible(&visible, cert->label, cert->label_len);
    } else {
        char *name = xr_x509_name_short(cert->cert->d.slices.subject);

        xr_buf_visible(&visible, name, strlen(name));
        free(name);
    }
    xr_buf_add(&visible, "", 0);
    xr_win_name_make(out, visible.data);
    xr_buf_free(&visible);
}

static void put_record(struct xr_buf *blob, uint32_t id, struct xr_buf *made)
{
    xr_win_blob_add(blob, id, (struct xr_bytes){(const unsigned char *)made->data, made->len});
    xr_buf_free(made);
}

/* Without the property, Windows trusts an anchor for whatever it is used. */
static void put_blob(struct xr_buf *blob, const struct xr_format_cert *cert,
                     const unsigned char sha1[20])
{
    uint32_t purposes = anchor_for(cert);
    bool limited = (cert->trusted & XR_ANY_PURPOSE) == 0 || cert->distrusted != 0;
    struct xr_buf made = {0};

    xr_win_blob_add(blob, XR_WIN_SHA1, (struct xr_bytes){sha1, 20});
    if (purposes != 0 && limited) {
        xr_win_eku_make(&made, purposes);
        put_record(blob, XR_WIN_EKU, &made);
    }
    put_name(&made, cert);
    put_record(blob, XR_WIN_NAME, &made);
    xr_win_blob_add(blob, XR_WIN_CERT, cert->der);
}

/* UTF-8 as UTF-16LE. */
static void put_text(struct xr_buf *out, const char *text)
{
    xr_win_name_make(out, text);
    out->len -= 2; /* its zero */
}

static void put_hex(struct xr_buf *out, const struct xr_buf *blob)
{
    static const char digits[] = "0123456789abcdef", value[] = "\"Blob\"=hex:";
    char line[2 * LINE_COLUMNS] = {0};
    size_t column = sizeof(value) - 1, len = 0;

    put_text(out, value);
    for (size_t i = 0; i < blob->len; i++) {
        unsigned char octet = (unsigned char)blob->data[i];
        bool last = i + 1 == blob->len;

        line[len] = digits[octet >> 4];
        line[len + 2] = digits[octet & 15];
        line[len + 4] = ',';
        len += last ? 4 : 6;
        column += 3;
        if (last || column + 2 > LINE_COLUMNS) {
            xr_buf_add(out, line, len);
            put_text(out, last ? "\r\n\r\n" : "\\\r\n  ");
            column = INDENT;
            len = 0;
        }
    }
}

static void put_cert(struct xr_buf *out, const struct xr_format_cert *cert,
                     const struct xr_output_options *options)
{
    struct xr_buf blob = {0}, head = {0};
    unsigned char sha1[20];

    options->host->sha1(sha1, cert->der);
    if (options->comments && cert->label_len > 0) {
        xr_buf_str(&head, "; ");
        xr_buf_visible(&head, cert->label, cert->label_len);
        xr_buf_str(&head, "\r\n");
    }
    xr_buf_fmt(&head, "[%s%s\\Certificates\\", KEY, store_of(cert));
    for (size_t i = 0; i < sizeof(sha1); i++)
        xr_buf_fmt(&head, "%02X", (unsigned)sha1[i]);
    xr_buf_str(&head, "]\r\n");
    put_text(out, head.data);
    put_blob(&blob, cert, sha1);
    put_hex(out, &blob);
    xr_buf_free(&blob);
    xr_buf_free(&head);
}

void xr_output_windows_reg(struct xr_format_files *out, struct xr_format_cert *const *certs,
                           size_t count, const struct xr_output_options *options)
{
    struct xr_buf *content = &XR_PUSH(out)->content;

    xr_buf_add(content, "\xff\xfe", 2);
    put_text(content, "Windows Registry Editor Version 5.00\r\n\r\n");
    for (size_t i = 0; i < count; i++)
        put_cert(content, certs[i], options);
}
