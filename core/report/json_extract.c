/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of extract. */
#include "json.h"

static json_t *left_out(const struct xr_written *written)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < written->left_out.count; i++) {
        const struct xr_left_out *left = &written->left_out.items[i];
        json_t *row = json_object();

        xr_json_set(row, "sha256",
                    left->has_sha256 ? xr_json_hex(left->sha256, XR_SHA256_LEN) : json_null());
        xr_json_set(row, "name", xr_json_string(left->name));
        xr_json_set(row, "why", xr_json_string(left->why));
        xr_json_set(row, "kept", json_boolean(left->kept));
        xr_json_add(rows, row);
    }
    return rows;
}

json_t *xr_json_written(const struct xr_written *written)
{
    static const char *const states[] = {[XR_WRITTEN_NEW] = "written",
                                         [XR_WRITTEN_SAME] = "unchanged",
                                         [XR_WRITTEN_REPLACED] = "replaced",
                                         [XR_WRITTEN_DIFFERS] = "differs",
                                         [XR_WRITTEN_FAILED] = "failed"};
    json_t *out = json_object(), *differences = json_array();

    xr_json_set(out, "format", xr_json_string(written->format));
    xr_json_set(out, "path", xr_json_string(written->path));
    xr_json_set(out, "state", json_string(states[written->state]));
    xr_json_set(out, "why", written->why != NULL ? xr_json_string(written->why) : json_null());
    xr_json_set(out, "certificates", json_integer((json_int_t)written->certs));
    xr_json_set(out, "files", json_integer((json_int_t)(written->files > 0 ? written->files : 1)));
    xr_json_set(out, "left_out", left_out(written));
    for (size_t i = 0; i < written->differences.count; i++)
        xr_json_add(differences, xr_json_string(written->differences.items[i]));
    xr_json_set(out, "differences", differences);
    if (written->to_stdout && memchr(written->content.data, 0, written->content.len) == NULL)
        xr_json_set(out, "content",
                    xr_json_string(written->content.len > 0 ? written->content.data : ""));
    return out;
}
