/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect found, for people. */
#include "text.h"

#include <stdlib.h>

static void put_relatives(FILE *out, const char *head, const struct xr_report *report,
                          const struct xr_relatives *found)
{
    for (size_t i = 0; i < found->count; i++) {
        size_t at = found->items[i];

        (void)fprintf(out, "  %-11s ", i == 0 ? head : "");
        xr_text_name(out, report, at);
        (void)fprintf(out, " (%s) ", xr_report_kind(report, at));
        xr_text_hex(out, report->pool.items[at].cert->sha256, 8);
        (void)fputs("…\n", out);
    }
    if (found->left_out > 0)
        (void)fprintf(out, "  %-11s and %zu more\n", "", found->left_out);
}

static void put_oids(FILE *out, const char *head, struct xr_bytes oids)
{
    struct xr_der_item oid;
    uint32_t purpose = 0;
    const char *between = "";

    (void)fprintf(out, "\n  %-11s %s", head, oids.len == 0 ? "nothing" : "");
    while (xr_der_purpose(&oid, &purpose, &oids)) {
        char *other = purpose == 0 ? xr_x509_oid_text(oid.whole) : NULL;

        (void)fprintf(out, "%s%s", between, other != NULL ? other : xr_purpose_name(purpose));
        free(other);
        between = ", ";
    }
}

/* The trust settings of a TRUSTED CERTIFICATE. */
static void put_trust(FILE *out, const struct xr_input_item *item)
{
    struct xr_der_aux aux = {0};
    char *alias = NULL;

    if (item->aux.len == 0 || xr_der_aux(&aux, item->aux, NULL) != XR_OK)
        return;
    if (aux.has_trust)
        put_oids(out, "trusted for", aux.trust_oids);
    if (aux.reject_oids.len > 0)
        put_oids(out, "rejected", aux.reject_oids);
    if (aux.alias.len > 0) {
        alias = xr_memdup(aux.alias.data, aux.alias.len);
        (void)fprintf(out, "\n  %-11s ", "alias");
        xr_text_visible(out, alias);
        free(alias);
    }
}

static void inspect_cert(const struct xr_text_style *style, FILE *out,
                         const struct xr_report *report, const struct xr_input_item *item,
                         const struct xr_inspected *found)
{
    enum xr_kind kind = XR_KIND_LEAF;
    unsigned char sha1[20];
    char *name = xr_report_name(report, found->at);
    char *full = xr_x509_name_text(item->cert->d.slices.issuer);
    char *serial = xr_x509_serial_text(item->cert->d.slices.serial);

    (void)xr_pool_known_kind(&kind, &report->pool, found->at);
    (void)fprintf(out, "%s%s%s  ", BOLD(style), name, PLAIN(style));
    (void)fprintf(out, "(%s)\n  %-11s ", xr_kind_name(kind), "file");
    xr_text_visible(out, item->file);
    if (item->index > 0)
        (void)fprintf(out, ", item %zu", item->index + 1);
    (void)fprintf(out, "\n  %-11s ", "issuer");
    xr_text_visible(out, full);
    (void)fprintf(out, "\n  %-11s %s\n  %-11s ", "serial", serial, "SHA-256");
    xr_text_hex(out, item->cert->sha256, sizeof(item->cert->sha256));
    (void)fprintf(out, "\n  %-11s ", "SHA-1");
    xr_cert_sha1(sha1, item->cert);
    xr_text_hex(out, sha1, sizeof(sha1));
    (void)fprintf(out, "\n  %-11s ", "valid");
    xr_text_time(out, item->cert->d.not_before);
    (void)fputs(" to ", out);
    xr_text_time(out, item->cert->d.not_after);
    put_trust(out, item);
    (void)fprintf(out, "\n  %-11s %s\n", "would go", found->would_go);
    put_relatives(out, "same key", report, &found->same_key);
    put_relatives(out, "issued by", report, &found->issued_by);
    for (size_t i = 0; i < found->warnings.count; i++)
        (void)fprintf(out, "  %s%-11s%s %s\n", YELLOW(style), "warning", PLAIN(style),
                      found->warnings.items[i]);
    free(serial);
    free(full);
    free(name);
}

static void inspect_crl(const struct xr_text_style *style, FILE *out,
                        const struct xr_input_item *item)
{
    char *name = xr_x509_name_short(item->crl->issuer);

    (void)fprintf(out, "%sCRL of ", BOLD(style));
    xr_text_visible(out, name);
    (void)fprintf(out, "%s\n  %-11s ", PLAIN(style), "file");
    xr_text_visible(out, item->file);
    (void)fprintf(out, "\n  %-11s ", "SHA-256");
    xr_text_hex(out, item->crl->sha256, sizeof(item->crl->sha256));
    (void)fprintf(out, "\n  %-11s ", "issued");
    xr_text_time(out, item->crl->this_update);
    if (item->crl->has_next_update) {
        (void)fputs(", next ", out);
        xr_text_time(out, item->crl->next_update);
    }
    (void)fprintf(out, "\n  %-11s %zu%s\n", "revoked", item->crl->revoked,
                  item->crl->delta ? ", a delta CRL" : "");
    free(name);
}

void xr_text_inspection(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report)
{
    for (size_t i = 0; i < report->input.found.count; i++) {
        const struct xr_input_item *item = &report->input.found.items[i];

        if (i > 0)
            (void)fputs("\n", out);
        if (item->cert != NULL)
            inspect_cert(style, out, report, item, &report->inspected.items[i]);
        else
            inspect_crl(style, out, item);
    }
}
