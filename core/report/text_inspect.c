/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect and show found, for people. */
#include "text.h"

#include "kit/pem.h"
#include "sys/sys.h"

#include <stdlib.h>

/* Heads of rows, whose values stand below each other. */
static const char *const heads[] = {
    N_("file"),    N_("subject"), N_("issuer"),      N_("serial"),      "SHA-256",
    "SHA-1",       N_("valid"),   N_("key SHA-256"), N_("trusted for"), N_("rejected"),
    N_("alias"),   "ID",          N_("would go"),    N_("same key"),    N_("issued by"),
    N_("warning"), N_("issued"),  N_("revoked"),     N_("in")};

/* Puts the head, and gives where values begin. */
static int put_head(const struct xr_text_style *style, FILE *out, const char *color,
                    const char *head)
{
    int width = xr_text_widest(style, heads, sizeof(heads) / sizeof(heads[0]), 0);

    (void)fprintf(out, "  %s", color);
    xr_text_padded(out, head[0] != '\0' ? xr_tr(style->catalogue, head) : "", width);
    (void)fprintf(out, "%s ", color[0] != '\0' ? PLAIN(style) : "");
    return width + 3;
}

/* Without a head if that is empty. */
static void put_row(const struct xr_text_style *style, FILE *out, const char *head,
                    const char *visible)
{
    int indent = put_head(style, out, "", head);

    xr_text_wrap(style, out, indent, indent, visible);
}

/* What inspect says, visible. */
static void put_said(const struct xr_text_style *style, FILE *out, const char *color,
                     const char *head, const char *visible)
{
    int indent = put_head(style, out, color, head);
    char *text = xr_text_said(style, visible);

    xr_text_wrap(style, out, indent, indent, text);
    free(text);
}

/* A row of hostile text, which is freed. */
static void put_owned(const struct xr_text_style *style, FILE *out, const char *head, char *text)
{
    char *visible = xr_visible(text);

    put_row(style, out, head, visible);
    free(visible);
    free(text);
}

static void put_hex(const struct xr_text_style *style, FILE *out, const char *head,
                    const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    put_row(style, out, head, text);
}

/* The store that brought a certificate of the pool into view, safe to show; NULL if a file did. */
static char *store_of(const struct xr_text_style *style, const struct xr_report *report, size_t at)
{
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};
    const unsigned char *sha256 = report->pool.items[at].cert->sha256;

    memcpy(subject.id, sha256, sizeof(subject.id));
    for (size_t i = 0; i < report->input.found.count; i++) {
        const struct xr_cert *cert = report->input.found.items[i].cert;

        if (cert != NULL && memcmp(cert->sha256, sha256, XR_SHA256_LEN) == 0)
            return NULL;
    }
    for (size_t i = 0; i < report->runs.count; i++) {
        if (xr_snapshot_find(&report->runs.items[i].snapshot, &subject) != NULL)
            return xr_text_store_name(style, report, &report->runs.items[i]);
    }
    return NULL;
}

static void put_relatives(const struct xr_text_style *style, FILE *out, const char *head,
                          const struct xr_report *report, const struct xr_relatives *found)
{
    for (size_t i = 0; i < found->count; i++) {
        size_t at = found->items[i];
        char *name = xr_text_name(style, report, at);
        const char *kind = xr_tr(style->catalogue, xr_report_kind(report, at));
        char id[XR_TEXT_ID_DIGITS + 1];
        char *text = NULL, *store = NULL;

        xr_hex(id, report->pool.items[at].cert->sha256, XR_TEXT_ID_DIGITS / 2);
        store = store_of(style, report, at);
        text = store != NULL
                   ? xr_format(xr_tr(style->catalogue, "%s (%s) %s… in %s"), name, kind, id, store)
                   : xr_format("%s (%s) %s…", name, kind, id);
        free(store);
        put_row(style, out, i == 0 ? head : "", text);
        free(text);
        free(name);
    }
    if (found->left_out > 0) {
        (void)put_head(style, out, "", "");
        (void)fprintf(out,
                      xr_tr_n(style->catalogue, "and %zu more", "and %zu more", found->left_out),
                      found->left_out);
        (void)fputs("\n", out);
    }
}

/* Puts the names of purposes, or other OIDs. */
static void put_oids(const struct xr_text_style *style, FILE *out, const char *head,
                     struct xr_bytes oids)
{
    struct xr_der_item oid;
    struct xr_buf text = {0};
    uint32_t purpose = 0;

    while (xr_der_purpose(&oid, &purpose, &oids)) {
        char *other = purpose == 0 ? xr_x509_oid_text(oid.whole) : NULL;

        xr_buf_fmt(&text, "%s%s", text.len > 0 ? xr_text_between(style) : "",
                   other != NULL ? other : xr_tr(style->catalogue, xr_purpose_name(purpose)));
        free(other);
    }
    put_row(style, out, head, text.len > 0 ? text.data : xr_tr(style->catalogue, "nothing"));
    xr_buf_free(&text);
}

/* The trust settings of a TRUSTED CERTIFICATE. */
static void put_trust(const struct xr_text_style *style, FILE *out,
                      const struct xr_input_item *item)
{
    struct xr_der_aux aux = {0};

    if (item->aux.len == 0 || xr_der_aux(&aux, item->aux, NULL) != XR_OK)
        return;
    if (aux.has_trust)
        put_oids(style, out, "trusted for", aux.trust_oids);
    if (aux.reject_oids.len > 0)
        put_oids(style, out, "rejected", aux.reject_oids);
    if (aux.alias.len > 0)
        put_owned(style, out, "alias", xr_memdup(aux.alias.data, aux.alias.len));
}

static void put_title(const struct xr_text_style *style, FILE *out, char *text)
{
    (void)fputs(BOLD(style), out);
    xr_text_wrap(style, out, 0, 2, text);
    (void)fputs(PLAIN(style), out);
    free(text);
}

static void put_file(const struct xr_text_style *style, FILE *out, const struct xr_input_item *item)
{
    if (item->file == NULL)
        return;
    put_owned(style, out, "file",
              item->index > 0
                  ? xr_format(xr_tr(style->catalogue, "%s, item %zu"), item->file, item->index + 1)
                  : xr_strdup(item->file));
}

static void put_validity(const struct xr_text_style *style, FILE *out, const struct xr_cert *cert)
{
    char from[XR_TIME_TEXT_MAX], to[XR_TIME_TEXT_MAX], *local = NULL;

    xr_sys_time_text(from, cert->d.not_before);
    xr_sys_time_text(to, cert->d.not_after);
    put_owned(style, out, "valid", xr_format("%s%s%s", from, xr_tr(style->catalogue, " to "), to));
    local = xr_text_local_times(style, cert->d.not_before, cert->d.not_after);
    if (local != NULL)
        put_owned(style, out, "", local);
}

static void inspect_cert(const struct xr_text_style *style, FILE *out,
                         const struct xr_report *report, const struct xr_input_item *item,
                         const struct xr_inspected *found)
{
    const struct xr_cert *cert = item->cert;
    enum xr_kind kind = XR_KIND_LEAF;
    bool shown = report->verb == XR_VERB_SHOW;
    unsigned char sha1[20];
    char *name = xr_text_name(style, report, found->at);

    (void)xr_pool_known_kind(&kind, &report->pool, found->at);
    put_title(style, out, xr_format("%s  (%s)", name, xr_tr(style->catalogue, xr_kind_name(kind))));
    free(name);
    put_file(style, out, item);
    if (shown)
        put_owned(style, out, "subject", xr_x509_name_text(cert->d.slices.subject));
    put_owned(style, out, "issuer", xr_x509_name_text(cert->d.slices.issuer));
    put_owned(style, out, "serial", xr_x509_serial_text(cert->d.slices.serial));
    put_hex(style, out, "SHA-256", cert->sha256, sizeof(cert->sha256));
    xr_cert_sha1(sha1, cert);
    put_hex(style, out, "SHA-1", sha1, sizeof(sha1));
    if (shown)
        put_hex(style, out, "key SHA-256", cert->spki_sha256, sizeof(cert->spki_sha256));
    put_validity(style, out, cert);
    put_trust(style, out, item);
    if (!shown)
        put_said(style, out, "", "would go", found->would_go);
    put_relatives(style, out, "same key", report, &found->same_key);
    put_relatives(style, out, "issued by", report, &found->issued_by);
    for (size_t i = 0; i < found->warnings.count; i++)
        put_said(style, out, YELLOW(style), "warning", found->warnings.items[i]);
}

static void inspect_crl(const struct xr_text_style *style, FILE *out,
                        const struct xr_input_item *item)
{
    const struct xr_crl *crl = item->crl;
    char issued[XR_TIME_TEXT_MAX], next[XR_TIME_TEXT_MAX];
    char *name = xr_x509_name_short(crl->issuer);
    char *visible = xr_visible(name);

    put_title(style, out, xr_format(xr_tr(style->catalogue, "CRL of %s"), visible));
    free(visible);
    free(name);
    put_file(style, out, item);
    put_hex(style, out, "SHA-256", crl->sha256, sizeof(crl->sha256));
    xr_sys_time_text(issued, crl->this_update);
    xr_sys_time_text(next, crl->next_update);
    put_owned(style, out, "issued",
              crl->has_next_update ? xr_format(xr_tr(style->catalogue, "%s, next %s"), issued, next)
                                   : xr_strdup(issued));
    put_owned(style, out, "revoked",
              xr_format("%zu%s", crl->revoked,
                        crl->delta ? xr_tr(style->catalogue, ", a delta CRL") : ""));
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

/* How one store holds it. */
static char *holding(const struct xr_text_style *style, const struct xr_report *report,
                     const struct xr_run *run, const struct xr_entry *entry)
{
    const struct xr_catalogue *language = style->catalogue;
    struct xr_buf text = {0};
    char *store = xr_text_store_name(style, report, run);
    char *purposes = xr_text_purposes(style, entry->purposes);

    xr_buf_fmt(&text, "%s: %s", store, xr_tr(language, xr_place_name(entry->place)));
    if (entry->place == XR_ANCHOR)
        xr_buf_fmt(&text, xr_tr(language, " for %s"), purposes);
    if (entry->label != NULL && entry->label[0] != '\0')
        xr_buf_fmt(&text, xr_tr(language, ", labelled \"%s\""), entry->label);
    if (entry->flags & XR_ENTRY_VENDOR)
        xr_buf_str(&text, xr_tr(language, ", shipped by the vendor"));
    if (xr_report_managed(report, run, entry))
        xr_buf_str(&text, xr_tr(language, ", put there by crossroot"));
    if (entry->remark != NULL) {
        char *remark = xr_text_said(style, entry->remark);

        xr_buf_fmt(&text, "; %s", remark);
        free(remark);
    }
    free(store);
    free(purposes);
    return text.data;
}

static void put_holders(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, const struct xr_subject *subject)
{
    const char *head = "in";

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const struct xr_state *state = xr_snapshot_find(&run->snapshot, subject);

        for (size_t k = 0; state != NULL && k < state->count; k++) {
            put_owned(style, out, head, holding(style, report, run, state->entries[k]));
            head = "";
        }
    }
    if (head[0] != '\0')
        put_row(style, out, head, xr_tr(style->catalogue, "none of the stores asked"));
}

static void put_pem(FILE *out, const struct xr_input_item *item)
{
    size_t len = 0;
    char *text = item->cert != NULL ? xr_pem("CERTIFICATE", item->cert->der, &len)
                                    : xr_pem("X509 CRL", item->crl->der, &len);

    (void)fwrite(text, 1, len, out);
    free(text);
}

void xr_text_shown(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->shown.count; i++) {
        const struct xr_shown *shown = &report->shown.items[i];
        const struct xr_input_item *item =
            shown->item != XR_NONE ? &report->input.found.items[shown->item] : NULL;

        if (style->pem) {
            if (item != NULL)
                put_pem(out, item);
            continue;
        }
        if (i > 0)
            (void)fputs("\n", out);
        if (item == NULL) {
            put_title(style, out,
                      xr_strdup(xr_tr(style->catalogue,
                                      "An entry without a certificate that can be read")));
            put_hex(style, out, "ID", shown->subject.id, sizeof(shown->subject.id));
        } else if (item->cert != NULL) {
            inspect_cert(style, out, report, item, &report->inspected.items[shown->item]);
        } else {
            inspect_crl(style, out, item);
        }
        put_holders(style, out, report, &shown->subject);
    }
}
