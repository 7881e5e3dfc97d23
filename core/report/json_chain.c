/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "kit/pem.h"

#include <stdlib.h>

static json_t *named(const struct xr_report *report, size_t at)
{
    const struct xr_cert *cert = report->pool.items[at].cert;
    json_t *out = json_object();

    xr_json_set(out, "sha256", xr_json_hex(cert->sha256, sizeof(cert->sha256)));
    return out;
}

json_t *xr_json_chain_row(const struct xr_report *report, const struct xr_chain_row *row)
{
    const struct xr_cert *cert = report->pool.items[row->at].cert;
    json_t *out = named(report, row->at);
    size_t len = 0;
    char *text = xr_pem("CERTIFICATE", cert->der, &len);

    xr_json_set_names(out, cert);
    xr_json_set(out, "kind", xr_json_kind(report, row->at));
    xr_json_set(out, "useful_until", xr_json_when(row->until));
    xr_json_set(out, "pem", json_stringn(text, len));
    free(text);
    return out;
}

json_t *xr_json_chain_left(const struct xr_report *report, const struct xr_chain_left *left)
{
    json_t *out = named(report, left->at);

    xr_json_set_owned(out, "subject",
                      xr_x509_name_text(report->pool.items[left->at].cert->d.slices.subject));
    xr_json_set(out, "why", xr_json_string(left->why));
    return out;
}

json_t *xr_json_chain_store(const struct xr_report *report, const struct xr_chain_store *store)
{
    json_t *out = json_object();
    json_t *needs = json_array();

    for (size_t i = 0; i < report->chain.rows.count; i++) {
        if (store->needs[i])
            xr_json_add(needs,
                        xr_json_hex(report->pool.items[report->chain.rows.items[i].at].cert->sha256,
                                    XR_SHA256_LEN));
    }
    xr_json_set(out, "store", xr_json_string(store->store));
    xr_json_set(out, "needs", needs);
    xr_json_set(out, "validates", xr_json_answer(store->validates));
    xr_json_set(out, "why", store->why != NULL ? xr_json_string(store->why) : json_null());
    return out;
}
