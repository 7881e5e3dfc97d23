/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdlib.h>

static json_t *date(const struct xr_format_date *at)
{
    return at->known ? xr_json_when(at->at) : json_null();
}

/* What one side says of it. */
static void set_side(json_t *out, const struct xr_report *report, const struct xr_diff_row *row,
                     size_t side)
{
    const struct xr_root *root = side == 0 ? row->before : row->after;

    xr_json_set(out, "label", xr_json_string(root->label));
    xr_json_set(out, "trusted", json_boolean(row->trusted[side] != 0));
    xr_json_set(out, "purposes",
                report->compared.options.silent[side] ? json_null()
                                                      : xr_json_purposes(row->trusted[side]));
    xr_json_set(out, "distrusted", xr_json_purposes(row->distrusted[side]));
    xr_json_set(out, "server_distrust_after", date(&root->server_after));
    xr_json_set(out, "email_distrust_after", date(&root->email_after));
    xr_json_set_limits(out, &root->limits);
}

/* What names it, from the side that knows most. */
static void set_names(json_t *out, const struct xr_diff_row *row)
{
    const struct xr_root *known = row->known;

    xr_json_set(out, "sha256",
                known->has_sha256 ? xr_json_hex(known->sha256, XR_SHA256_LEN) : json_null());
    if (known->cert != NULL) {
        xr_json_set_names(out, known->cert);
        return;
    }
    xr_json_set(out, "subject", xr_json_string(known->has_sha256 ? known->subject : NULL));
    if (known->has_sha256)
        return;
    xr_json_set(out, "id", xr_json_hex(known->id, XR_SHA256_LEN));
    if (known->issuer.len > 0) {
        xr_json_set_owned(out, "issuer", xr_x509_name_text(known->issuer));
        xr_json_set_owned(out, "serial", xr_x509_serial_text(known->serial));
    }
}

json_t *xr_json_diff_row(const struct xr_report *report, const struct xr_diff_row *row)
{
    static const struct {
        unsigned what;
        const char *name;
    } names[] = {{XR_DIFF_TRUST, "trust"},
                 {XR_DIFF_SERVER_AFTER, "server_distrust_after"},
                 {XR_DIFF_EMAIL_AFTER, "email_distrust_after"},
                 {XR_DIFF_LIMITS, "limits"},
                 {XR_DIFF_LABEL, "label"}};
    json_t *out = json_object(), *what = json_array(), *before = json_object(),
           *after = json_object();

    set_names(out, row);
    if (row->kind != XR_DIFF_CHANGED) {
        set_side(out, report, row, row->before != NULL ? 0 : 1);
        json_decref(what);
        json_decref(before);
        json_decref(after);
        return out;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (row->what & names[i].what)
            xr_json_add(what, json_string(names[i].name));
    }
    set_side(before, report, row, 0);
    set_side(after, report, row, 1);
    xr_json_set(out, "what", what);
    xr_json_set(out, "before", before);
    xr_json_set(out, "after", after);
    return out;
}
