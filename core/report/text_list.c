/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of stores, for people. */
#include "text.h"

#include "kit/limits.h"
#include "sys/sys.h"

#include <stdlib.h>

#define TRUSTED_FOR   "TRUSTED FOR" /* the column of purposes */
#define EXPIRED       "expired"
#define DATE_CELLS    10 /* 2029-05-30 */
#define DETAIL_INDENT 16
#define NAME_CELLS    44 /* of a subject, where there is no terminal whose width could be used */
#define NAME_LEAST    24 /* a subject needs this many more than the other columns need gaps */

/* How wide the columns of one store are. */
struct columns {
    int place, kind, purposes, expires, name, gap;
    const char *trusted_for; /* head of the purposes */
};

static int wider(int width, const char *text)
{
    int cells = (int)strlen(text);

    return cells > width ? cells : width;
}

static const char *kind_of(const struct xr_report *report, const struct xr_cert *cert)
{
    const char *kind =
        cert != NULL ? xr_report_kind(report, xr_pool_find(&report->pool, cert->sha256)) : NULL;

    return kind != NULL ? kind : "";
}

/* On a terminal, an intermediate of that kind in the place of that name needs no second word. */
static const char *kind_word(const struct xr_text_style *style, const struct xr_entry *entry,
                             const char *kind)
{
    return style->width > 0 && strcmp(kind, xr_place_name(entry->place)) == 0 ? "" : kind;
}

static void put_expiry(char *out, size_t size, const struct xr_text_style *style,
                       const struct xr_report *report, const struct xr_cert *cert)
{
    char date[XR_TIME_TEXT_MAX];
    bool expired = false;

    out[0] = '\0';
    if (cert == NULL)
        return;
    expired = xr_report_expired(report, cert);
    xr_sys_time_text(date, cert->d.not_after);
    date[strcspn(date, "T")] = '\0';
    (void)snprintf(out, size, "%s%s%s", expired && style->width > 0 ? "" : date,
                   expired && style->width == 0 ? " " : "", expired ? EXPIRED : "");
}

/* The purposes that an entry is an anchor for. */
static void put_purposes(char *out, size_t size, const struct xr_text_style *style,
                         const struct xr_entry *entry)
{
    out[0] = '\0';
    if (entry->place != XR_ANCHOR)
        return;
    if (style->width > 0 && (entry->purposes & XR_ANY_PURPOSE))
        (void)snprintf(out, size, "any");
    else
        xr_purposes_text(out, size, entry->purposes);
}

static struct columns columns_of(const struct xr_text_style *style, const struct xr_report *report,
                                 const struct xr_listed *listed)
{
    struct columns c = {.purposes = (int)strlen(TRUSTED_FOR),
                        .expires = DATE_CELLS,
                        .gap = 2,
                        .trusted_for = TRUSTED_FOR};
    int rest = 0;

    if (style->width == 0) {
        c.place = c.kind = 12;
        c.name = NAME_CELLS;
    } else {
        c.trusted_for = "FOR";
        c.place = (int)strlen("PLACE");
        c.kind = (int)strlen("KIND");
        c.purposes = (int)strlen(c.trusted_for);
    }
    for (size_t i = 0; i < listed->count; i++) {
        const struct xr_entry *entry = listed->items[i];
        const struct xr_cert *cert = xr_report_cert(report, entry);
        char text[64];

        c.place = wider(c.place, xr_place_name(entry->place));
        c.kind = wider(c.kind, kind_word(style, entry, kind_of(report, cert)));
        put_purposes(text, sizeof(text), style, entry);
        c.purposes = wider(c.purposes, text);
        put_expiry(text, sizeof(text), style, report, cert);
        c.expires = wider(c.expires, text);
    }
    if (style->width == 0)
        return c;
    for (; c.gap > 0; c.gap--) {
        rest = 2 + c.place + c.kind + c.purposes + c.expires + 4 * c.gap +
               (style->verbose ? 0 : c.gap + XR_TEXT_ID_DIGITS + 1);
        c.name = (int)style->width - rest;
        if (c.name >= NAME_LEAST || c.gap == 1)
            break;
    }
    /* Even then too much: the purposes give way, then the lines get wider than the terminal. */
    if (c.name < NAME_LEAST / 2) {
        int give = NAME_LEAST / 2 - c.name;

        give = c.purposes - give > 6 ? give : c.purposes - 6;
        if (give > 0) {
            c.purposes -= give;
            c.name += give;
        }
    }
    c.name = c.name > 7 ? c.name : 7;
    return c;
}

static void put_gap(FILE *out, const struct columns *c)
{
    (void)fprintf(out, "%*s", c->gap, "");
}

static void put_head(const struct xr_text_style *style, FILE *out, const struct columns *c)
{
    (void)fprintf(out, "  %-*s%*s%-*s%*s", c->place, "PLACE", c->gap, "", c->kind, "KIND", c->gap,
                  "");
    xr_text_column(out, c->trusted_for, c->purposes);
    put_gap(out, c);
    (void)fprintf(out, "%-*s%*s", c->expires, "EXPIRES", c->gap, "");
    if (style->width > 0 && style->verbose)
        (void)fputs("SUBJECT\n", out);
    else
        (void)fprintf(out, "%-*s%*s%s\n", c->name, "SUBJECT", c->gap, "",
                      style->width > 0 ? "ID" : "SHA-256");
}

static void put_detail(const struct xr_text_style *style, FILE *out, const char *text)
{
    (void)fprintf(out, "%*s", DETAIL_INDENT, "");
    xr_text_wrap_visible(style, out, DETAIL_INDENT, DETAIL_INDENT, text);
}

/* Frees the text. */
static void put_row(const struct xr_text_style *style, FILE *out, const char *head, char *text)
{
    (void)fprintf(out, "    %-9s ", head);
    xr_text_wrap_visible(style, out, 14, 14, text);
    free(text);
}

/* -v: what a line has no room for. */
static void put_verbose(const struct xr_text_style *style, FILE *out, const struct xr_entry *entry,
                        const struct xr_cert *cert)
{
    if (style->width > 0) {
        char id[2 * XR_SHA256_LEN + 1];

        xr_hex(id, entry->subject.id, sizeof(entry->subject.id));
        put_row(style, out, "SHA-256", xr_strdup(id));
    }
    if (cert != NULL) {
        char from[XR_TIME_TEXT_MAX], to[XR_TIME_TEXT_MAX];

        xr_sys_time_text(from, cert->d.not_before);
        xr_sys_time_text(to, cert->d.not_after);
        put_row(style, out, "issuer", xr_x509_name_text(cert->d.slices.issuer));
        put_row(style, out, "serial", xr_x509_serial_text(cert->d.slices.serial));
        put_row(style, out, "valid", xr_format("%s to %s", from, to));
    }
}

/* False: something else is attached, or nothing. */
static bool put_limits(const struct xr_text_style *style, FILE *out, const struct xr_entry *entry)
{
    struct xr_limits limits = {0};
    char *text = xr_limits_of(&limits, entry) ? xr_limits_text(&limits) : NULL;
    bool limited = text != NULL;

    if (limited) {
        char *what = xr_format("limited to %s", text);

        put_detail(style, out, what);
        free(what);
    }
    free(text);
    xr_limits_free(&limits);
    return limited;
}

static void put_rest(const struct xr_text_style *style, FILE *out, const struct xr_entry *entry,
                     const struct xr_cert *cert)
{
    bool limited = false;

    if (style->verbose)
        put_verbose(style, out, entry, cert);
    if (entry->subject.type == XR_SUBJECT_ISSUER_SERIAL)
        xr_text_issuer_serial(style, out, entry, DETAIL_INDENT);
    limited = put_limits(style, out, entry);
    for (size_t i = 0; !limited && i < entry->attached_count; i++) {
        char *oid = xr_x509_oid_text(xr_attached_at(entry, i)->oid);
        char *what = xr_format("attached to its key: %s", oid);

        put_detail(style, out, what);
        free(what);
        free(oid);
    }
    if (entry->remark != NULL)
        put_detail(style, out, entry->remark);
}

static void list_entry(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       const struct xr_entry *entry, const struct columns *c)
{
    const struct xr_cert *cert = xr_report_cert(report, entry);
    bool vendor = (entry->flags & XR_ENTRY_VENDOR) != 0;
    bool expired = cert != NULL && xr_report_expired(report, cert);
    char *name = cert != NULL ? xr_report_name(report, xr_pool_find(&report->pool, cert->sha256))
                              : xr_strdup(entry->place == XR_CRL ? "(CRL)" : "(no certificate)");
    char text[64];

    (void)fprintf(out, "  %-*s%*s%-*s%*s", c->place, xr_place_name(entry->place), c->gap, "",
                  c->kind, kind_word(style, entry, kind_of(report, cert)), c->gap, "");
    put_purposes(text, sizeof(text), style, entry);
    xr_text_column(out, text, c->purposes);
    put_gap(out, c);
    put_expiry(text, sizeof(text), style, report, cert);
    (void)fprintf(out, "%s%-*s%s%*s", expired ? RED(style) : "", c->expires, text,
                  expired ? PLAIN(style) : "", c->gap, "");
    if (style->width == 0) {
        xr_text_padded(out, name, c->name);
        put_gap(out, c);
        xr_text_id(style, out, &entry->subject);
        (void)fputs(vendor ? "  vendor\n" : "\n", out);
    } else if (style->verbose) {
        (void)xr_text_cut(out, name, c->name - (vendor ? 9 : 0));
        (void)fputs(vendor ? " (vendor)\n" : "\n", out);
    } else {
        xr_text_column(out, name, c->name);
        put_gap(out, c);
        xr_text_id_digits(style, out, &entry->subject);
        (void)fputs(vendor ? "*\n" : "\n", out);
    }
    put_rest(style, out, entry, cert);
    free(name);
}

static bool list_store(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       size_t at)
{
    const struct xr_run *run = &report->runs.items[at];
    const struct xr_listed *listed = xr_report_listed(report, at);
    struct columns columns = columns_of(style, report, listed);
    bool vendor = false;

    (void)xr_text_title(style, out, report, run);
    (void)fputs("\n", out);
    if (listed->count > 0)
        put_head(style, out, &columns);
    for (size_t i = 0; i < listed->count; i++) {
        vendor = vendor || (listed->items[i]->flags & XR_ENTRY_VENDOR) != 0;
        list_entry(style, out, report, listed->items[i], &columns);
    }
    if (run->result == XR_RESULT_SKIPPED && run->why != NULL) {
        (void)fputs("  ", out);
        xr_text_wrap_visible(style, out, 2, 2, run->why);
    } else if (listed->count == 0 && run->why == NULL) {
        (void)fputs(report->expires_by != 0 ? "  nothing expires until then\n"
                    : report->managed       ? "  nothing of crossroot's\n"
                                            : "  empty\n",
                    out);
    }
    return vendor;
}

void xr_text_list(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    bool vendor = false;

    for (size_t i = 0; i < report->runs.count; i++)
        vendor = list_store(style, out, report, i) || vendor;
    if (vendor && style->width > 0 && !style->verbose)
        (void)fputs("* shipped by the vendor\n", out);
}
