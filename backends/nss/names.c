/* SPDX-License-Identifier: Apache-2.0 */
/* The nickname of a new certificate. */
#include "formats/nss_names.h"
#include "store.h"

static enum xr_status certs_with(struct p11_objects *out, const struct p11_token *token,
                                 unsigned long type, struct xr_bytes value, struct xr_error *err)
{
    static const unsigned long types[] = {CKA_LABEL, CKA_SUBJECT};
    struct p11_object like = {0};
    enum xr_status status = XR_OK;

    p11_set_bytes(&like, type, value);
    status = p11_find(out, token, CKO_CERTIFICATE, &like, types, 2, err);
    p11_object_free(&like);
    return status;
}

static enum xr_status has_label(bool *yes, const struct p11_token *token,
                                const struct xr_buf *label, struct xr_error *err)
{
    struct p11_objects found = {0};
    enum xr_status status = certs_with(
        &found, token, CKA_LABEL, (struct xr_bytes){(unsigned char *)label->data, label->len}, err);

    *yes = found.count > 0;
    p11_objects_free(&found);
    return status;
}

/* A nickname belongs to one subject. Certificates with the same subject share it; for another
 * subject a number is added. */
enum xr_status nss_nickname(struct xr_buf *out, const struct p11_token *token,
                            struct xr_bytes subject, const char *label, struct xr_error *err)
{
    struct p11_objects same = {0};
    struct xr_buf base = {0};
    enum xr_status status = certs_with(&same, token, CKA_SUBJECT, subject, err);
    struct xr_bytes held = {0};
    bool used = true;

    if (status == XR_OK && same.count > 0)
        held = p11_get(&same.items[0], CKA_LABEL);
    xr_buf_add(out, held.data, held.len);
    p11_objects_free(&same);
    if (status != XR_OK || out->len > 0)
        return status;
    xr_nss_nickname(&base, label, strlen(label));
    for (size_t n = 0; status == XR_OK && used; n++) {
        out->len = 0;
        xr_nss_spell_nickname(out, base.data, base.len, n);
        status = has_label(&used, token, out, err);
    }
    xr_buf_free(&base);
    return status;
}
