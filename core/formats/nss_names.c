/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_names.h"

#include "kit/der.h"

#define LABEL_MAX 120u

void xr_nss_key_id(unsigned char out[20], const struct xr_host *host, struct xr_bytes spki)
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

void xr_nss_nickname(struct xr_buf *out, const char *label, size_t len)
{
    struct xr_buf base = {0};

    xr_buf_visible(&base, label, len);
    for (size_t i = 0; i < base.len; i++)
        base.data[i] = (char)(base.data[i] == ':' ? ' ' : base.data[i]);
    while (base.len > LABEL_MAX ||
           (base.len > 0 && ((unsigned char)base.data[base.len] & 0xc0) == 0x80))
        base.data[--base.len] = '\0';
    xr_buf_add(out, base.data, base.len);
    xr_buf_free(&base);
}

void xr_nss_spell_nickname(struct xr_buf *out, const char *name, size_t len, size_t n)
{
    xr_buf_add(out, name, len);
    if (n > 0)
        xr_buf_fmt(out, " #%zu", n + 1);
}
