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

void xr_text_when(const struct xr_text_style *style, FILE *out, int64_t at)
{
    char text[64];

    if (style->local_time == NULL) {
        xr_text_time(out, at);
        return;
    }
    style->local_time(text, sizeof(text), at);
    xr_text_visible(out, text);
}

void xr_text_name(FILE *out, const struct xr_report *report, size_t at)
{
    char *name = xr_report_name(report, at);

    (void)fputs(name, out);
    free(name);
}

int xr_text_title(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                  const struct xr_run *run)
{
    char *name = style->verbose ? xr_visible(run->address) : xr_report_store_name(report, run);
    int used = xr_text_cells(name);

    (void)fprintf(out, "%s%s%s", BOLD(style), name, PLAIN(style));
    free(name);
    return used;
}

void xr_text_store_line(const struct xr_text_style *style, FILE *out, const char *address)
{
    (void)fputs(BOLD(style), out);
    xr_text_wrap_visible(style, out, 0, 2, address);
    (void)fputs(PLAIN(style), out);
}

void xr_text_id_digits(const struct xr_text_style *style, FILE *out,
                       const struct xr_subject *subject)
{
    bool whole = style->width == 0 || style->verbose;

    xr_text_hex(out, subject->id, whole ? sizeof(subject->id) : XR_TEXT_ID_DIGITS / 2);
}

void xr_text_id(const struct xr_text_style *style, FILE *out, const struct xr_subject *subject)
{
    xr_text_id_digits(style, out, subject);
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL)
        (void)fputs(" (of issuer and serial number)", out);
    else if (subject->type == XR_SUBJECT_KEY)
        (void)fputs(" (of the key)", out);
}

void xr_text_issuer_serial(const struct xr_text_style *style, FILE *out,
                           const struct xr_entry *entry, int indent)
{
    char *issuer = xr_x509_name_short(entry->issuer);
    char *serial = xr_x509_serial_text(entry->serial);
    char *text = xr_format("issued by %s, serial number %s", issuer, serial);

    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_visible(style, out, indent, indent + 2, text);
    free(text);
    free(issuer);
    free(serial);
}
