/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of stores, for people. */
#include "text.h"

#include "kit/limits.h"
#include "sys/sys.h"

#include <stdlib.h>

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
    int cells = xr_text_cells(text);

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
    bool same = style->width > 0 && strcmp(kind, xr_place_name(entry->place)) == 0;

    return same || kind[0] == '\0' ? "" : xr_tr(style->catalogue, kind);
}

/* Allocated. */
static char *expiry_of(const struct xr_text_style *style, const struct xr_report *report,
                       const struct xr_cert *cert)
{
    char date[XR_TIME_TEXT_MAX];
    bool expired = false;

    if (cert == NULL)
        return xr_strdup("");
    expired = xr_report_expired(report, cert);
    xr_sys_time_text(date, cert->d.not_after);
    date[strcspn(date, "T")] = '\0';
    return xr_format("%s%s%s", expired && style->width > 0 ? "" : date,
                     expired && style->width == 0 ? " " : "",
                     expired ? xr_tr(style->catalogue, "expired") : "");
}

/* The purposes that an entry is an anchor for, allocated. */
static char *purposes_of(const struct xr_text_style *style, const struct xr_entry *entry)
{
    if (entry->place != XR_ANCHOR)
        return xr_strdup("");
    if (style->width > 0 && (entry->purposes & XR_ANY_PURPOSE))
        return xr_strdup(xr_tr(style->catalogue, "any"));
    return xr_text_purposes(style, entry->purposes);
}

static struct columns columns_of(const struct xr_text_style *style, const struct xr_report *report,
                                 const struct xr_listed *listed)
{
    const struct xr_catalogue *language = style->catalogue;
    struct columns c = {.place = xr_text_cells(xr_tr(language, "PLACE")),
                        .kind = xr_text_cells(xr_tr(language, "KIND")),
                        .expires = wider(DATE_CELLS, xr_tr(language, "EXPIRES")),
                        .gap = 2,
                        .trusted_for = style->width > 0 ? xr_tr(language, "FOR")
                                                        : xr_tr(language, "TRUSTED FOR")};
    int rest = 0;

    c.purposes = xr_text_cells(c.trusted_for);
    if (style->width == 0) {
        c.place = c.kind = 12;
        c.name = NAME_CELLS;
    }
    for (size_t i = 0; i < listed->count; i++) {
        const struct xr_entry *entry = listed->items[i];
        const struct xr_cert *cert = xr_report_cert(report, entry);
        char *purposes = purposes_of(style, entry), *expires = expiry_of(style, report, cert);

        c.place = wider(c.place, xr_tr(language, xr_place_name(entry->place)));
        c.kind = wider(c.kind, kind_word(style, entry, kind_of(report, cert)));
        c.purposes = wider(c.purposes, purposes);
        c.expires = wider(c.expires, expires);
        free(purposes);
        free(expires);
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

static void put_place(FILE *out, const struct columns *c, const char *place, const char *kind)
{
    (void)fputs("  ", out);
    xr_text_padded(out, place, c->place);
    put_gap(out, c);
    xr_text_padded(out, kind, c->kind);
    put_gap(out, c);
}

static void put_head(const struct xr_text_style *style, FILE *out, const struct columns *c)
{
    const char *subject = xr_tr(style->catalogue, "SUBJECT");

    put_place(out, c, xr_tr(style->catalogue, "PLACE"), xr_tr(style->catalogue, "KIND"));
    xr_text_column(out, c->trusted_for, c->purposes);
    put_gap(out, c);
    xr_text_padded(out, xr_tr(style->catalogue, "EXPIRES"), c->expires);
    put_gap(out, c);
    if (style->width > 0 && style->verbose) {
        (void)fprintf(out, "%s\n", subject);
        return;
    }
    xr_text_column(out, subject, c->name);
    put_gap(out, c);
    (void)fputs(style->width > 0 ? "ID\n" : "SHA-256\n", out);
}

static void put_detail(const struct xr_text_style *style, FILE *out, const char *text)
{
    (void)fprintf(out, "%*s", DETAIL_INDENT, "");
    xr_text_wrap_visible(style, out, DETAIL_INDENT, DETAIL_INDENT, text);
}

#define ROW_INDENT 16 /* 64 digits fit behind it on 80 columns */

/* Frees the text. */
static void put_row(const struct xr_text_style *style, FILE *out, const char *head, char *text)
{
    static const char *const heads[] = {N_("issuer"), N_("serial"), N_("valid")};
    int width = xr_text_widest(style, heads, sizeof(heads) / sizeof(heads[0]), 9);
    int lead = width + 5 <= ROW_INDENT ? 4 : width + 3 <= ROW_INDENT ? ROW_INDENT - width - 1 : 2;

    (void)fprintf(out, "%*s", lead, "");
    xr_text_padded(out, xr_tr(style->catalogue, head), width);
    (void)fputs(" ", out);
    xr_text_wrap_visible(style, out, lead + width + 1, lead + width + 1, text);
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
        put_row(style, out, "valid",
                xr_format("%s%s%s", from, xr_tr(style->catalogue, " to "), to));
    }
}

/* False: something else is attached, or nothing. */
static bool put_limits(const struct xr_text_style *style, FILE *out, const struct xr_entry *entry)
{
    struct xr_limits limits = {0};
    char *text = xr_limits_of(&limits, entry) ? xr_text_limits(style, &limits) : NULL;
    bool limited = text != NULL;

    if (limited) {
        char *what = xr_format(xr_tr(style->catalogue, "limited to %s"), text);

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
        char *what = xr_format(xr_tr(style->catalogue, "attached to its key: %s"), oid);

        put_detail(style, out, what);
        free(what);
        free(oid);
    }
    if (entry->remark != NULL) {
        char *remark = xr_text_said(style, entry->remark);

        put_detail(style, out, remark);
        free(remark);
    }
}

static void list_entry(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                       const struct xr_entry *entry, const struct columns *c)
{
    const struct xr_cert *cert = xr_report_cert(report, entry);
    bool vendor = (entry->flags & XR_ENTRY_VENDOR) != 0;
    const char *vendor_word = xr_tr(style->catalogue, "vendor");
    bool expired = cert != NULL && xr_report_expired(report, cert);
    char *name =
        cert != NULL
            ? xr_text_name(style, report, xr_pool_find(&report->pool, cert->sha256))
            : xr_strdup(xr_tr(style->catalogue,
                              entry->place == XR_CRL ? N_("(CRL)") : N_("(no certificate)")));
    char *purposes = purposes_of(style, entry), *expires = expiry_of(style, report, cert);

    put_place(out, c, xr_tr(style->catalogue, xr_place_name(entry->place)),
              kind_word(style, entry, kind_of(report, cert)));
    xr_text_column(out, purposes, c->purposes);
    put_gap(out, c);
    (void)fputs(expired ? RED(style) : "", out);
    xr_text_padded(out, expires, c->expires);
    (void)fputs(expired ? PLAIN(style) : "", out);
    put_gap(out, c);
    free(purposes);
    free(expires);
    if (style->width == 0) {
        xr_text_padded(out, name, c->name);
        put_gap(out, c);
        xr_text_id(style, out, &entry->subject);
        (void)fprintf(out, vendor ? "  %s\n" : "%s\n", vendor ? vendor_word : "");
    } else if (style->verbose) {
        (void)xr_text_cut(out, name, c->name - (vendor ? 3 + xr_text_cells(vendor_word) : 0));
        (void)fprintf(out, vendor ? " (%s)\n" : "%s\n", vendor ? vendor_word : "");
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
        xr_text_wrap_said(style, out, 2, 2, run->why);
    } else if (listed->count == 0 && run->why == NULL) {
        (void)fprintf(out, "  %s\n",
                      report->expires_by != 0
                          ? xr_tr(style->catalogue, "nothing expires until then")
                      : report->managed ? xr_tr(style->catalogue, "nothing of crossroot's")
                                        : xr_tr(style->catalogue, "empty"));
    }
    return vendor;
}

void xr_text_list(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    bool vendor = false;

    for (size_t i = 0; i < report->runs.count; i++)
        vendor = list_store(style, out, report, i) || vendor;
    if (vendor && style->width > 0 && !style->verbose)
        (void)fprintf(out, "%s\n", xr_tr(style->catalogue, "* shipped by the vendor"));
}
