/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two lists: as in the changelog of a package, or as Markdown. */
#include "text.h"

#include "sys/sys.h"

#include <stdlib.h>

#define CHANGELOG_WIDTH 80 /* also where the output is no terminal: it is to be pasted */
#define DATE_LEN        10
#define INDENT          6 /* behind a bullet */

static const char *const titles[] = {[XR_DIFF_ADDED] = N_("Added"),
                                     [XR_DIFF_REMOVED] = N_("Removed"),
                                     [XR_DIFF_CHANGED] = N_("Changed")};

/* ---- Markdown ---- */

/* GitHub makes links of these even where they are escaped; a comment behind the character stops it. */
static bool begins_link(const char *at)
{
    switch (*at) {
    case '@':
    case '#':
        return at[1] != ' ' && at[1] != '\0';
    case ':':
        return at[1] == '/' && at[2] == '/';
    case 'w':
    case 'W':
        return (at[1] == 'w' || at[1] == 'W') && (at[2] == 'w' || at[2] == 'W');
    default:
        return false;
    }
}

/* Visible text without a meaning in Markdown. */
static void put_escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr("\\`*_{}[]<>|~&$", *at) != NULL)
            (void)fputc('\\', out);
        (void)fputc(*at, out);
        if (begins_link(at))
            (void)fputs("<!-- -->", out);
    }
}

/* ---- what is said of one certificate ---- */

static void add(struct xr_buf *out, const char *text)
{
    xr_buf_fmt(out, "%s%s", out->len > 0 ? "; " : "", text);
}

static void add_owned(struct xr_buf *out, char *text)
{
    add(out, text);
    free(text);
}

/* A date alone means the end of that day. */
static void date_text(char out[XR_TIME_TEXT_MAX], int64_t at)
{
    char *time = out + DATE_LEN;

    xr_sys_time_text(out, at);
    if (strcmp(time, "T23:59:59Z") == 0)
        *time = '\0';
    else if (strcmp(time, "T00:00:00Z") == 0)
        memcpy(time, " 00:00", sizeof(" 00:00"));
}

static void add_expiry(struct xr_buf *out, const struct xr_text_style *style, bool expired,
                       int64_t at)
{
    char day[XR_TIME_TEXT_MAX];

    xr_sys_time_text(day, at);
    day[DATE_LEN] = '\0';
    add_owned(out, expired ? xr_format(xr_tr(style->catalogue, "expired %s"), day)
                           : xr_format(xr_tr(style->catalogue, "expires %s"), day));
}

static void add_trust(struct xr_buf *out, const struct xr_text_style *style,
                      const struct xr_diff_row *row, size_t side, bool silent)
{
    if (row->trusted[side] != 0 && !silent)
        add_owned(out, xr_text_purposes(style, row->trusted[side]));
    if (row->distrusted[side] != 0) {
        char *text = xr_text_purposes(style, row->distrusted[side]);

        add_owned(out, xr_format(xr_tr(style->catalogue, "distrusted for %s"), text));
        free(text);
    }
    if ((row->trusted[side] | row->distrusted[side]) == 0)
        add(out, xr_tr(style->catalogue, "trusted for nothing"));
}

static const struct {
    unsigned what;
    uint32_t purpose;
    const char *issued;
} dated[] = {{XR_DIFF_SERVER_AFTER, XR_SERVER, N_("server certificates")},
             {XR_DIFF_EMAIL_AFTER, XR_EMAIL, N_("email certificates")}};

static const struct xr_format_date *date_of(const struct xr_root *root, size_t at)
{
    return dated[at].what == XR_DIFF_SERVER_AFTER ? &root->server_after : &root->email_after;
}

/* What is certain without the other side: its trust, its expiry, its hash. */
static char *facts(const struct xr_text_style *style, const struct xr_report *report,
                   const struct xr_diff_row *row)
{
    size_t side = row->after != NULL ? 1 : 0;
    const struct xr_root *root = side == 1 ? row->after : row->before;
    struct xr_buf out = {0};
    char hex[2 * XR_SHA256_LEN + 1], day[XR_TIME_TEXT_MAX];
    uint32_t those = report->compared.options.purposes;

    add_trust(&out, style, row, side, report->compared.options.silent[side]);
    for (size_t i = 0; i < 2; i++) {
        const struct xr_format_date *date = date_of(root, i);

        if (!date->known || (those != 0 && (those & dated[i].purpose) == 0))
            continue;
        date_text(day, date->at);
        add_owned(&out, xr_format(xr_tr(style->catalogue, "no %s issued after %s"),
                                  xr_tr(style->catalogue, dated[i].issued), day));
    }
    if (xr_limits_any(&root->limits)) {
        char *limits = xr_text_limits(style, &root->limits);

        add_owned(&out, xr_format(xr_tr(style->catalogue, "only %s"), limits));
        free(limits);
    }
    if (root->cert != NULL)
        add_expiry(&out, style, xr_report_expired(report, root->cert), root->cert->d.not_after);
    xr_hex(hex, root->sha256, XR_SHA256_LEN);
    if (root->has_sha256) {
        add_owned(&out, xr_format("SHA-256 %.*s", style->verbose ? 64 : XR_TEXT_ID_DIGITS, hex));
    } else if (root->issuer.len > 0) {
        char *serial = xr_x509_serial_text(root->serial);
        char *issuer = xr_x509_name_short(root->issuer);
        char *visible = xr_visible(issuer);

        add_owned(&out,
                  xr_format(xr_tr(style->catalogue, "serial number %s of %s"), serial, visible));
        free(visible);
        free(issuer);
        free(serial);
    }
    return out.data;
}

/* ---- what changed ---- */

/* Where a side does not say what for. */
static void add_bare_change(struct xr_buf *out, const struct xr_text_style *style,
                            const struct xr_diff_row *row)
{
    const bool trusted = row->trusted[1] != 0, distrusted = row->distrusted[1] != 0;

    if (trusted != (row->trusted[0] != 0))
        add(out, trusted ? xr_tr(style->catalogue, "trust added")
                         : xr_tr(style->catalogue, "trust removed"));
    if (distrusted != (row->distrusted[0] != 0))
        add(out, distrusted ? xr_tr(style->catalogue, "distrusted")
                            : xr_tr(style->catalogue, "no longer distrusted"));
}

static void add_trust_change(struct xr_buf *out, const struct xr_text_style *style,
                             const struct xr_diff_row *row)
{
    const struct xr_catalogue *language = style->catalogue;
    const uint32_t *trusted = row->trusted, *distrusted = row->distrusted;
    uint32_t given = trusted[1] & ~trusted[0], taken = trusted[0] & ~trusted[1];
    uint32_t refused = distrusted[1] & ~distrusted[0], pardoned = distrusted[0] & ~distrusted[1];
    char *is = xr_text_purposes(style, trusted[1]), *was = xr_text_purposes(style, trusted[0]);
    char *added = xr_text_purposes(style, given), *removed = xr_text_purposes(style, taken);
    char *closed = xr_text_purposes(style, refused), *opened = xr_text_purposes(style, pardoned);

    if ((trusted[0] ^ trusted[1]) & XR_ANY_PURPOSE) {
        /* "Any" is shorter than what it is more, or less, than the other side. */
        add_owned(out, xr_format(xr_tr(language, "trusted for %s (before: %s)"), is, was));
        given = taken = 0;
    }
    if (given != 0)
        add_owned(out, xr_format(xr_tr(language, "%s trust added"), added));
    if (taken != 0)
        add_owned(out, xr_format(xr_tr(language, "%s trust removed"), removed));
    if (refused != 0)
        add_owned(out, xr_format(xr_tr(language, "distrusted for %s"), closed));
    if (pardoned != 0)
        add_owned(out, xr_format(xr_tr(language, "no longer distrusted for %s"), opened));
    free(is);
    free(was);
    free(added);
    free(removed);
    free(closed);
    free(opened);
}

static void add_date_change(struct xr_buf *out, const struct xr_text_style *style,
                            const struct xr_diff_row *row, size_t at)
{
    const struct xr_format_date *before = date_of(row->before, at),
                                *after = date_of(row->after, at);
    const struct xr_catalogue *language = style->catalogue;
    const char *issued = xr_tr(language, dated[at].issued);
    char is[XR_TIME_TEXT_MAX] = "", was[XR_TIME_TEXT_MAX] = "";

    if (before->known)
        date_text(was, before->at);
    if (after->known)
        date_text(is, after->at);
    if (!after->known)
        add_owned(out, xr_format(xr_tr(language, "%s issued after %s trusted again"), issued, was));
    else if (!before->known)
        add_owned(out, xr_format(xr_tr(language, "%s issued after %s not trusted"), issued, is));
    else
        add_owned(out, xr_format(xr_tr(language, "%s issued after %s not trusted (before: %s)"),
                                 issued, is, was));
}

static void add_limits_change(struct xr_buf *out, const struct xr_text_style *style,
                              const struct xr_diff_row *row)
{
    char *before = xr_text_limits(style, &row->before->limits),
         *after = xr_text_limits(style, &row->after->limits);

    if (after == NULL)
        add_owned(out, xr_format(xr_tr(style->catalogue, "no longer limited to %s"), before));
    else if (before == NULL)
        add_owned(out, xr_format(xr_tr(style->catalogue, "limited to %s"), after));
    else
        add_owned(out,
                  xr_format(xr_tr(style->catalogue, "limited to %s (before: %s)"), after, before));
    free(before);
    free(after);
}

static char *changes(const struct xr_text_style *style, const struct xr_report *report,
                     const struct xr_diff_row *row)
{
    const struct xr_diff_options *options = &report->compared.options;
    struct xr_buf out = {0};

    if ((row->what & XR_DIFF_TRUST) != 0 && options->purposes == 0 &&
        (options->silent[0] || options->silent[1]))
        add_bare_change(&out, style, row);
    else if (row->what & XR_DIFF_TRUST)
        add_trust_change(&out, style, row);
    for (size_t i = 0; i < 2; i++) {
        if (row->what & dated[i].what)
            add_date_change(&out, style, row, i);
    }
    if (row->what & XR_DIFF_LIMITS)
        add_limits_change(&out, style, row);
    if (row->what & XR_DIFF_LABEL) {
        char *before = xr_visible(row->before->label);

        add_owned(&out, xr_format(xr_tr(style->catalogue, "renamed from %s"), before));
        free(before);
    }
    return out.data;
}

/* ---- the whole ---- */

/* Behind "    - ": what stands between semicolons stays in one line where it fits in one. */
static void put_pieces(const struct xr_text_style *style, FILE *out, const char *text)
{
    struct xr_buf line = {0};

    while (*text != '\0') {
        const char *end = strstr(text, "; ");
        char *piece =
            end != NULL ? xr_format("%.*s", (int)(end + 1 - text), text) : xr_strdup(text);
        int used = INDENT + (line.len > 0 ? xr_text_cells(line.data) + 1 : 0);

        if (line.len > 0 && used + xr_text_cells(piece) > (int)style->width) {
            xr_text_wrap(style, out, INDENT, INDENT, line.data);
            (void)fprintf(out, "%*s", INDENT, "");
            line.len = 0;
        }
        xr_buf_fmt(&line, "%s%s", line.len > 0 ? " " : "", piece);
        free(piece);
        text = end != NULL ? end + 2 : "";
    }
    xr_text_wrap(style, out, INDENT, INDENT, line.data);
    xr_buf_free(&line);
}

static void put_row(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                    const struct xr_diff_row *row)
{
    bool changed = row->kind == XR_DIFF_CHANGED;
    char *said = changed ? changes(style, report, row) : facts(style, report, row), *line = NULL;

    if (style->markdown) {
        (void)fputs("- **", out);
        put_escaped(out, row->name);
        (void)fputs(changed ? "**: " : "** (", out);
        put_escaped(out, said);
        (void)fputs(changed ? "\n" : ")\n", out);
    } else {
        (void)fputs("    - ", out);
        line = xr_format(changed ? "%s: %s" : "%s (%s)", row->name, said);
        put_pieces(style, out, line);
    }
    free(line);
    free(said);
}

static void put_sum(const struct xr_text_style *style, FILE *out, const struct xr_diff *diff)
{
    if (diff->count == 0) {
        (void)fprintf(out, xr_tr(style->catalogue, "No differences: %zu the same."), diff->same);
    } else {
        (void)fputs(style->markdown ? "" : "  * ", out);
        (void)fprintf(out,
                      xr_tr(style->catalogue, "%zu added, %zu removed, %zu changed, %zu the same."),
                      diff->of_kind[XR_DIFF_ADDED], diff->of_kind[XR_DIFF_REMOVED],
                      diff->of_kind[XR_DIFF_CHANGED], diff->same);
    }
    (void)fputs("\n", out);
}

void xr_text_diff(const struct xr_text_style *given, FILE *out, const struct xr_report *report)
{
    const struct xr_diff *diff = &report->compared.diff;
    struct xr_text_style style = *given;
    size_t at = 0;

    if (report->exit != XR_EXIT_OK && report->exit != XR_EXIT_DRIFT)
        return;
    if (style.width == 0 || style.width > CHANGELOG_WIDTH)
        style.width = CHANGELOG_WIDTH;
    for (unsigned kind = 0; kind < XR_DIFF_KINDS; kind++) {
        const char *title = xr_tr(style.catalogue, titles[kind]);

        if (diff->of_kind[kind] == 0)
            continue;
        if (style.markdown)
            (void)fprintf(out, "### %s\n\n", title);
        else
            (void)fprintf(out, "  * %s%s:%s\n", BOLD(&style), title, PLAIN(&style));
        for (; at < diff->count && diff->items[at].kind == (enum xr_diff_kind)kind; at++)
            put_row(&style, out, report, &diff->items[at]);
        if (style.markdown)
            (void)fputc('\n', out);
    }
    put_sum(&style, out, diff);
}
