/* SPDX-License-Identifier: Apache-2.0 */
#include "chain_run.h"

#include <stdlib.h>

#define NAMED 4u /* stores in one message */

void xr_chain_date(char out[XR_TIME_TEXT_MAX], int64_t at)
{
    xr_sys_time_text(out, at);
    out[strcspn(out, "T")] = '\0';
}

static char *name_of(const struct xr_chaining *c, size_t at)
{
    return xr_report_name(c->engine->report,
                          xr_pool_find(&c->engine->report->pool, c->view.items[at].cert->sha256));
}

/* aside: it is for another path than the one of the leaf. */
static char *row_text(const struct xr_report *report, const struct xr_chain_row *row, bool aside)
{
    const struct xr_cert *cert = report->pool.items[row->at].cert;
    char *name = xr_report_name(report, row->at);
    char *issuer = row->cross ? xr_x509_name_short(cert->d.slices.issuer) : NULL;
    char *signer = issuer != NULL ? xr_visible(issuer) : NULL;
    char date[XR_TIME_TEXT_MAX];
    char *text = NULL;

    xr_chain_date(date, cert->d.not_after);
    if (signer != NULL)
        text = xr_format(aside ? N_("%s (%s, signed by %s), ends %s, for another path")
                               : N_("%s (%s, signed by %s), ends %s"),
                         name, xr_report_kind(report, row->at), signer, date);
    else
        text = xr_format(aside ? N_("%s (%s), ends %s, for another path") : N_("%s (%s), ends %s"),
                         name, xr_report_kind(report, row->at), date);
    free(signer);
    free(issuer);
    free(name);
    return text;
}

/* Roots are no news, so they share a line. */
static void say_left_out(struct xr_report *report)
{
    struct xr_buf roots = {0}, lines = {0};

    for (size_t i = 0; i < report->chain.left_out.count; i++) {
        const struct xr_chain_left *left = &report->chain.left_out.items[i];
        const char *kind = xr_report_kind(report, left->at);
        char *name = xr_report_name(report, left->at);
        char id[XR_CHAIN_ID_DIGITS + 1];

        xr_hex(id, report->pool.items[left->at].cert->sha256, XR_CHAIN_ID_DIGITS / 2);
        if (kind == NULL || strcmp(kind, xr_kind_name(XR_KIND_ROOT)) != 0) {
            xr_buf_str(&lines, "\n  ");
            /* TRANSLATORS: certificate (kind, ID…): why it is left out */
            xr_buf_fmt(&lines, N_("%s (%s, %s…): %s"), name, kind, id, left->why);
        } else if (roots.len == 0 || strstr(roots.data, name) == NULL)
            xr_buf_fmt(&roots, "%s%s", roots.len > 0 ? ", " : "", name);
        free(name);
    }
    if (roots.len > 0)
        xr_report_say_lines(report, XR_NOTE, NULL, "left out, because clients have the roots: %s",
                            roots.data);
    if (lines.len > 0)
        xr_report_say_lines(report, XR_NOTE, NULL, "left out:%s", lines.data);
    xr_buf_free(&roots);
    xr_buf_free(&lines);
}

static void say_rows(const struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;
    struct xr_buf lines = {0};

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        char *text = row_text(report, &report->chain.rows.items[i], i >= c->sending.way_len);

        xr_buf_fmt(&lines, "\n  %zu %s", i + 1, text);
        free(text);
    }
    xr_report_say_lines(report, XR_NOTE, NULL, "the file holds, in this order:%s", lines.data);
    if (report->chain.rows.count > c->sending.way_len)
        xr_report_say(
            report, XR_NOTE, NULL,
            "OpenSSL and GnuTLS follow the first certificate of a CA alone; NSS tries all");
    xr_buf_free(&lines);
}

/* Names of the stores for which it is so; NULL if there is none. */
static char *stores_that(const struct xr_report *report, enum xr_answer validates, size_t row,
                         bool need)
{
    struct xr_buf text = {0};
    size_t count = 0;
    char *all = NULL;

    for (size_t i = 0; i < report->chain.stores.count; i++) {
        const struct xr_chain_store *store = &report->chain.stores.items[i];
        const struct xr_run *run = xr_runs_find(&report->runs, store->store);
        char *name = NULL;

        if (store->silent || store->validates != validates ||
            (row != XR_NONE && store->needs[row] != need))
            continue;
        name = xr_report_store_name(report, run);
        if (count++ < NAMED)
            xr_buf_fmt(&text, "%s%s", count > 1 ? ", " : "", name);
        free(name);
    }
    if (count <= NAMED)
        return text.data;
    all = xr_format(N_("%s and %zu more"), text.data, count - NAMED);
    xr_buf_free(&text);
    return all;
}

static void say_cross(struct xr_report *report, size_t at)
{
    const struct xr_chain_row *row = &report->chain.rows.items[at];
    const struct xr_cert *cert = report->pool.items[row->at].cert;
    char *name = xr_report_name(report, row->at);
    char *issuer = xr_x509_name_short(cert->d.slices.issuer);
    char *signer = xr_visible(issuer);
    char *needed = stores_that(report, XR_YES, at, true);
    char *others = stores_that(report, XR_YES, at, false);
    char date[XR_TIME_TEXT_MAX];
    struct xr_buf text = {0};

    xr_chain_date(date, row->until);
    /* A sentence a line, so that each is translated by itself. */
    xr_buf_fmt(&text, N_("certificate %zu is for clients that have %s, but not %s."), at + 1,
               signer, name);
    xr_buf_str(&text, "\n  ");
    if (row->until < cert->d.not_after)
        xr_buf_fmt(&text, N_("Of use until %s, when a CA above it ends."), date);
    else
        xr_buf_fmt(&text, N_("Of use until %s, when it ends."), date);
    xr_buf_str(&text, "\n  ");
    xr_buf_fmt(&text, N_("Needed by: %s."), needed != NULL ? needed : N_("no store in view"));
    if (others != NULL) {
        xr_buf_str(&text, "\n  ");
        xr_buf_fmt(&text, N_("Not needed by: %s."), others);
    }
    xr_report_say_lines(report, XR_NOTE, NULL, "%s", text.data);
    xr_buf_free(&text);
    free(needed);
    free(others);
    free(signer);
    free(issuer);
    free(name);
}

static void say_stores(const struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;
    size_t said = 0;

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        if (report->chain.rows.items[i].cross)
            say_cross(report, i);
    }
    for (size_t i = 0; i < report->chain.stores.count; i++) {
        const struct xr_chain_store *store = &report->chain.stores.items[i];

        if (store->validates == XR_NO &&
            xr_chain_lacks_roots(c, xr_runs_find(&report->runs, store->store)))
            xr_report_say(report, said++ < NAMED ? XR_NOTE : XR_INFO, store->store,
                          "has none of these roots");
        else if (store->validates == XR_NO)
            xr_report_say(report, said++ < NAMED ? XR_NOTE : XR_INFO, store->store,
                          "does not accept this file: %s", store->why);
        else if (store->validates == XR_UNKNOWN)
            xr_report_say(report, XR_INFO, store->store, "cannot tell: %s", store->why);
    }
}

#define IDENTIFIER_MAX 20u /* octets that are shown: those of SHA-1, which nearly all have */

static char *key_identifier(const struct xr_cert *cert)
{
    size_t len = cert->d.akid.len < IDENTIFIER_MAX ? cert->d.akid.len : IDENTIFIER_MAX;
    char hex[2 * IDENTIFIER_MAX + 1];

    xr_hex(hex, cert->d.akid.data, len);
    return xr_format("%s%s", hex, len < cert->d.akid.len ? "…" : "");
}

/* Says where the chain ends if that is not a root in view. */
static void say_end(const struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;
    size_t last = c->sending.sent.items[c->sending.way_len - 1].at;
    const struct xr_cert *cert = c->view.items[last].cert;
    char *name = name_of(c, last);
    char *issuer = xr_x509_name_short(cert->d.slices.issuer);
    char *signer = xr_visible(issuer);
    char *identifier = key_identifier(cert);
    struct xr_buf text = {0};
    const struct xr_run *run = c->holder;
    size_t at = xr_pool_find(&report->pool, cert->sha256);

    if (c->view.items[last].subject == c->view.items[last].issuer && c->sending.sent.count == 1 &&
        c->sending.rooted) {
        if (xr_pool_kind(&report->pool, at) == XR_KIND_ROOT)
            xr_report_say(report, XR_NOTE, NULL, "%s is a root: nothing stands above it", name);
        else
            xr_report_say(report, XR_NOTE, NULL, "%s is signed by itself: nothing stands above it",
                          name);
    } else if (run != NULL) {
        char *store = xr_report_store_name(report, run);

        xr_report_say(report, XR_INFO, NULL, "%s, which signed %s, is an anchor in: %s", signer,
                      name, store);
        free(store);
    } else if (c->refused != NULL) {
        xr_report_say(report, XR_WARNING, NULL, "%s, which signed %s, %s", signer, name,
                      xr_chain_refusal(c));
        if (!c->sending.rooted)
            xr_report_raise(report, XR_EXIT_PARTIAL);
    } else if (c->sending.open != XR_NONE) {
        if (identifier[0] != '\0')
            xr_buf_fmt(&text, N_("%s, which signed %s, is not in view (key identifier %s)."),
                       signer, name, identifier);
        else
            xr_buf_fmt(&text, N_("%s, which signed %s, is not in view."), signer, name);
        xr_report_say_lines(report, XR_WARNING, NULL, "%s\n  %s", text.data,
                            N_("If it is a root, the file is whole; else name its file or its "
                               "store with --from."));
        xr_buf_free(&text);
        if (!c->sending.rooted)
            xr_report_raise(report, XR_EXIT_PARTIAL);
    } else if (!c->sending.rooted) {
        xr_report_say(report, XR_WARNING, NULL,
                      "no way from %s leads to a root that is valid: see what was left out", name);
        xr_report_raise(report, XR_EXIT_PARTIAL);
    }
    free(identifier);
    free(signer);
    free(issuer);
    free(name);
}

static void say_leaf(const struct xr_chaining *c)
{
    const struct xr_der_cert *d = &c->leaf->d;
    struct xr_report *report = c->engine->report;
    char *name = xr_report_name(report, xr_pool_find(&report->pool, c->leaf->sha256));
    char date[XR_TIME_TEXT_MAX];

    if (c->at > d->not_after) {
        xr_chain_date(date, d->not_after);
        xr_report_say(report, XR_WARNING, NULL, "%s expired on %s", name, date);
    } else if (c->at < d->not_before) {
        xr_chain_date(date, d->not_before);
        xr_report_say(report, XR_WARNING, NULL, "%s is not valid before %s", name, date);
    }
    free(name);
}

void xr_chain_say(const struct xr_chaining *c)
{
    struct xr_report *report = c->engine->report;

    say_leaf(c);
    if (c->sending.gave_up)
        xr_report_say(report, XR_WARNING, NULL,
                      "there are too many cross certificates in view to follow all of them");
    say_rows(c);
    say_left_out(report);
    say_stores(c);
    say_end(c);
}
