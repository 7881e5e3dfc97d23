/* SPDX-License-Identifier: Apache-2.0 */
/* By which names NSS finds a certificate: its nickname and the ID of its key. */
#include "store.h"

#include "kit/der.h"

#define LABEL_MAX 120u

/* NSS finds a certificate's key by the SHA-1 of the modulus or the point. */
void nss_key_id(unsigned char out[20], const struct xr_host *host, struct xr_bytes spki)
{
    struct xr_der_item outer, alg, bits, key, modulus;
    struct xr_bytes rest = spki, id = spki, inner;

    if (xr_der_expect(&outer, &rest, XR_DER_SEQUENCE)) {
        rest = outer.content;
        if (xr_der_expect(&alg, &rest, XR_DER_SEQUENCE) &&
            xr_der_expect(&bits, &rest, XR_DER_BIT_STRING) && bits.content.len > 1) {
            id = (struct xr_bytes){bits.content.data + 1, bits.content.len - 1};
            inner = id;
            if (xr_der_expect(&key, &inner, XR_DER_SEQUENCE) && inner.len == 0 &&
                xr_der_expect(&modulus, &key.content, XR_DER_INTEGER)) {
                id = modulus.content;
                while (id.len > 1 && id.data[0] == 0) {
                    id.data++;
                    id.len--;
                }
            }
        }
    }
    host->sha1(out, id);
}

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
 * subject a number is added. NSS would take text before a colon for the name of a token. */
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
    xr_buf_visible(&base, label, strlen(label));
    for (size_t i = 0; i < base.len; i++)
        base.data[i] = (char)(base.data[i] == ':' ? ' ' : base.data[i]);
    while (base.len > LABEL_MAX ||
           (base.len > 0 && ((unsigned char)base.data[base.len] & 0xc0) == 0x80))
        base.data[--base.len] = '\0';
    for (unsigned n = 1; status == XR_OK && used; n++) {
        out->len = 0;
        xr_buf_add(out, base.data, base.len);
        if (n > 1)
            xr_buf_fmt(out, " #%u", n);
        status = has_label(&used, token, out, err);
    }
    xr_buf_free(&base);
    return status;
}
