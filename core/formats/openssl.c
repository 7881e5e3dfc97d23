/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's own form of a certificate, with what it is trusted for. */
#include "kit/der.h"
#include "kit/pem.h"
#include "private.h"

#include <stdlib.h>

/* X509_CERT_AUX */
static void make_aux(struct xr_buf *out, const struct xr_format_cert *cert)
{
    struct xr_buf all = {0};

    if (cert->has_trust)
        xr_der_put(&all, XR_DER_SEQUENCE, cert->trust.data, cert->trust.len);
    if (cert->has_reject)
        xr_der_put(&all, 0xa0, cert->reject.data, cert->reject.len);
    if (cert->label_len > 0)
        xr_der_put(&all, XR_DER_UTF8, cert->label, cert->label_len);
    if (cert->key_id.data != NULL)
        xr_der_put(&all, XR_DER_OCTET_STRING, cert->key_id.data, cert->key_id.len);
    xr_der_put(out, XR_DER_SEQUENCE, all.data, all.len);
    xr_buf_free(&all);
}

/* The certificate's lines are taken as they are, but for the last, which goes on with aux. */
void xr_format_put_trusted(struct xr_buf *out, struct xr_format_cert *cert)
{
    size_t whole = cert->der.len / 48;
    struct xr_buf aux = {0}, tail = {0};
    char *text = NULL;

    make_aux(&aux, cert);
    xr_format_encode(cert);
    xr_buf_add(&tail, cert->der.data + whole * 48, cert->der.len - whole * 48);
    xr_buf_add(&tail, aux.data, aux.len);
    text = xr_new(xr_base64_size(tail.len), 1);
    xr_buf_str(out, "-----BEGIN TRUSTED CERTIFICATE-----\n");
    if (whole > 0) {
        xr_buf_add(out, cert->base64, whole * 65 - 1);
        xr_buf_add(out, "\n", 1);
    }
    xr_buf_add(
        out, text,
        xr_base64_lines(text, (struct xr_bytes){(const unsigned char *)tail.data, tail.len}));
    xr_buf_str(out, "\n-----END TRUSTED CERTIFICATE-----\n");
    free(text);
    xr_buf_free(&tail);
    xr_buf_free(&aux);
}

void xr_format_openssl_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                              size_t count, const struct xr_format_options *options)
{
    xr_format_put_all(out, certs, count, options, xr_format_put_trusted);
}
