/* SPDX-License-Identifier: Apache-2.0 */
/* What several kinds of text have in common. */
#include "text.h"

#include "sys/sys.h"

#include <stdlib.h>

const char *xr_text_paint(const struct xr_text_style *style, const char *code)
{
    return style->color ? code : "";
}

void xr_text_visible(FILE *out, const char *text)
{
    char *visible = xr_visible(text);

    (void)fputs(visible, out);
    free(visible);
}

int xr_text_cells(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);
    int width = 0;

    while (left > 0) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, at, left);
        bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff);

        used = used ? used : 1;
        at += used;
        left -= used;
        width += wide ? 2 : 1;
    }
    return width;
}

void xr_text_padded(FILE *out, const char *text, int width)
{
    int used = xr_text_cells(text);

    (void)fprintf(out, "%s%*s", text, used < width ? width - used : 0, "");
}

void xr_text_hex(FILE *out, const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    (void)fputs(text, out);
}

void xr_text_time(FILE *out, int64_t at)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, at);
    (void)fputs(text, out);
}

void xr_text_name(FILE *out, const struct xr_report *report, size_t at)
{
    char *name = xr_report_name(report, at);

    (void)fputs(name, out);
    free(name);
}

void xr_text_store(const struct xr_text_style *style, FILE *out, const char *address)
{
    (void)fputs(BOLD(style), out);
    xr_text_visible(out, address);
    (void)fputs(PLAIN(style), out);
}

void xr_text_id(FILE *out, const struct xr_subject *subject)
{
    xr_text_hex(out, subject->id, sizeof(subject->id));
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL)
        (void)fputs(" (of issuer and serial number)", out);
    else if (subject->type == XR_SUBJECT_KEY)
        (void)fputs(" (of the key)", out);
}

void xr_text_issuer_serial(FILE *out, const struct xr_entry *entry, const char *indent)
{
    char *issuer = xr_x509_name_short(entry->issuer);
    char *serial = xr_x509_serial_text(entry->serial);

    (void)fprintf(out, "%sissued by ", indent);
    xr_text_visible(out, issuer);
    (void)fprintf(out, ", serial number %s\n", serial);
    free(issuer);
    free(serial);
}
