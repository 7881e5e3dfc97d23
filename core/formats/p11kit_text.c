/* SPDX-License-Identifier: Apache-2.0 */
#include "p11kit_text.h"

#include "kit/der.h"
#include "kit/pem.h"

#include <stdlib.h>

void xr_p11kit_put_escaped(struct xr_buf *out, struct xr_bytes value)
{
    xr_buf_reserve(out, 3 * value.len);
    for (size_t i = 0; i < value.len; i++) {
        char text[4] = "%";

        xr_hex(text + 1, value.data + i, 1);
        xr_buf_add(out, text, 3);
    }
}

void xr_p11kit_put_pem(struct xr_buf *out, const char *label, struct xr_bytes der)
{
    size_t len = 0;
    char *pem = xr_pem(label, der, &len);

    xr_buf_add(out, pem, len);
    free(pem);
}

void xr_p11kit_put_extension(struct xr_buf *out, struct xr_bytes spki, const char *oid,
                             struct xr_bytes value)
{
    xr_buf_fmt(out, "\n[p11-kit-object-v1]\nclass: x-certificate-extension\nobject-id: %s\n", oid);
    xr_buf_str(out, "value: \"");
    xr_p11kit_put_escaped(out, value);
    xr_buf_str(out, "\"\n");
    xr_p11kit_put_pem(out, "PUBLIC KEY", spki);
}

void xr_p11kit_put_purposes(struct xr_buf *out, struct xr_bytes spki, const char *oid,
                            uint32_t purposes)
{
    static const unsigned char eku[] = {0x06, 3, 0x55, 0x1d, 0x25};
    static const unsigned char reject[] = {0x06, 10,   0x2b, 0x06, 0x01, 0x04,
                                           0x01, 0x99, 0x77, 0x06, 0x0a, 0x01};
    struct xr_buf oids = {0}, list = {0}, inside = {0}, value = {0};

    xr_der_put_purposes(&oids, purposes);
    xr_der_put(&list, XR_DER_SEQUENCE, oids.data, oids.len);
    if (strcmp(oid, XR_P11KIT_EKU) == 0)
        xr_buf_add(&inside, eku, sizeof(eku));
    else
        xr_buf_add(&inside, reject, sizeof(reject));
    xr_der_put(&inside, XR_DER_OCTET_STRING, list.data, list.len);
    xr_der_put(&value, XR_DER_SEQUENCE, inside.data, inside.len);
    xr_p11kit_put_extension(out, spki, oid,
                            (struct xr_bytes){(const unsigned char *)value.data, value.len});
    xr_buf_free(&oids);
    xr_buf_free(&list);
    xr_buf_free(&inside);
    xr_buf_free(&value);
}
