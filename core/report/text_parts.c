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

char *xr_text_said(const struct xr_text_style *style, const char *said)
{
    return xr_tr_said(style->catalogue, said);
}

void xr_text_wrap_said(const struct xr_text_style *style, FILE *out, int used, int indent,
                       const char *said)
{
    char *text = xr_text_said(style, said);

    xr_text_wrap_visible(style, out, used, indent, text);
    free(text);
}

int xr_text_widest(const struct xr_text_style *style, const char *const *words, size_t count,
                   int least)
{
    for (size_t i = 0; i < count; i++) {
        int cells = xr_text_cells(xr_tr(style->catalogue, words[i]));

        least = cells > least ? cells : least;
    }
    return least;
}

const char *xr_text_between(const struct xr_text_style *style)
{
    return xr_tr(style->catalogue, ", ");
}

char *xr_text_purposes(const struct xr_text_style *style, uint32_t purposes)
{
    struct xr_buf out = {0};
    const char *name = NULL;

    if (purposes & XR_ANY_PURPOSE)
        return xr_strdup(xr_tr(style->catalogue, "any purpose"));
    for (uint32_t bit = 1; (name = xr_purpose_name(bit)) != NULL; bit <<= 1) {
        if (purposes & bit)
            xr_buf_fmt(&out, "%s%s", out.len > 0 ? xr_text_between(style) : "",
                       xr_tr(style->catalogue, name));
    }
    return out.len > 0 ? out.data : xr_strdup(xr_tr(style->catalogue, "nothing"));
}

static char *names_of_limits(const struct xr_text_style *style, const struct xr_strings *names)
{
    struct xr_buf out = {0};

    for (size_t i = 0; i < names->count; i++)
        xr_buf_fmt(&out, "%s%s",
                   i == 0                  ? ""
                   : i + 1 == names->count ? xr_tr(style->catalogue, " and ")
                                           : xr_text_between(style),
                   names->items[i][0] != '\0' ? names->items[i]
                                              : xr_tr(style->catalogue, "any name"));
    return out.data;
}

char *xr_text_limits(const struct xr_text_style *style, const struct xr_limits *limits)
{
    char *dns = names_of_limits(style, &limits->dns);
    char *cidrs = names_of_limits(style, &limits->cidrs);
    char *text = NULL;

    if (dns != NULL && cidrs != NULL)
        text =
            xr_format(xr_tr(style->catalogue, "names below %s, and addresses in %s"), dns, cidrs);
    else if (dns != NULL)
        text = xr_format(xr_tr(style->catalogue, "names below %s"), dns);
    else if (cidrs != NULL)
        text = xr_format(xr_tr(style->catalogue, "addresses in %s"), cidrs);
    free(dns);
    free(cidrs);
    return text;
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

/* With seconds, and the offset that the caller's text ends with. False: it ends otherwise. */
static bool local_time(char *out, size_t size, bool *utc, const struct xr_text_style *style,
                       int64_t at)
{
    char given[64] = "", time[XR_TIME_TEXT_MAX];
    const char *zone = NULL;
    long offset = 0;

    style->local_time(given, sizeof(given), at);
    zone = strrchr(given, ' ');
    if (zone == NULL || (zone[1] != '+' && zone[1] != '-') || strlen(zone) != 6 ||
        strspn(zone + 2, "0123456789") != 4)
        return false;
    offset = strtol(zone + 2, NULL, 10);
    *utc = offset == 0;
    offset = (offset / 100 * 60 + offset % 100) * 60;
    xr_sys_time_text(time, zone[1] == '-' ? at - offset : at + offset);
    time[strcspn(time, "T")] = ' ';
    time[strcspn(time, "Z")] = '\0';
    (void)snprintf(out, size, "%s%s", time, zone);
    return true;
}

char *xr_text_local_times(const struct xr_text_style *style, int64_t from, int64_t to)
{
    char first[XR_TIME_TEXT_MAX + 8], last[XR_TIME_TEXT_MAX + 8];
    bool utc[2] = {false, false};

    if (style->local_time == NULL || !local_time(first, sizeof(first), &utc[0], style, from) ||
        !local_time(last, sizeof(last), &utc[1], style, to) || (utc[0] && utc[1]))
        return NULL;
    return xr_format("%s%s%s", first, xr_tr(style->catalogue, " to "), last);
}

char *xr_text_name(const struct xr_text_style *style, const struct xr_report *report, size_t at)
{
    char *name = xr_report_name(report, at);
    const char *none = xr_report_no_name;

    if (strcmp(name, none) != 0)
        return name;
    free(name);
    return xr_strdup(xr_tr(style->catalogue, none));
}

char *xr_text_store_name(const struct xr_text_style *style, const struct xr_report *report,
                         const struct xr_run *run)
{
    return xr_report_store_name_in(report, run, style->catalogue);
}

int xr_text_title(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                  const struct xr_run *run)
{
    char *name = style->verbose ? xr_visible(run->address) : xr_text_store_name(style, report, run);
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
        (void)fprintf(out, " %s", xr_tr(style->catalogue, "(of issuer and serial number)"));
    else if (subject->type == XR_SUBJECT_KEY)
        (void)fprintf(out, " %s", xr_tr(style->catalogue, "(of the key)"));
}

void xr_text_issuer_serial(const struct xr_text_style *style, FILE *out,
                           const struct xr_entry *entry, int indent)
{
    char *issuer = xr_x509_name_short(entry->issuer);
    char *serial = xr_x509_serial_text(entry->serial);
    char *text =
        xr_format(xr_tr(style->catalogue, "issued by %s, serial number %s"), issuer, serial);

    (void)fprintf(out, "%*s", indent, "");
    xr_text_wrap_visible(style, out, indent, indent + 2, text);
    free(text);
    free(issuer);
    free(serial);
}
