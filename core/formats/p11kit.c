/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's own source file, one for all certificates (p11-kit, trust/persist.c), as Fedora and Arch ship
 * it. What limits a certificate stands before it: half a file gives no more trust than a whole one. */
#include "outputs_private.h"

#include "certs/x509.h"
#include "p11kit_text.h"

#include <stdlib.h>

/* Letters, digits and harmless marks as they are, all else as %XX. */
static void put_label(struct xr_buf *out, const char *label, size_t len)
{
    xr_buf_str(out, "label: \"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)label[i];

        if (c >= ' ' && c < 0x7f && c != '"' && c != '%' && c != '\\')
            xr_buf_add(out, &c, 1);
        else
            xr_p11kit_put_escaped(out, (struct xr_bytes){(const unsigned char *)label + i, 1});
    }
    xr_buf_str(out, "\"\n");
}

/* UTCTime where that can hold the year (RFC 5280, 4.1.2.5), without tag and length. */
static void put_date(struct xr_buf *out, const char *name, const struct xr_format_date *date)
{
    char text[XR_TIME_DIGITS_MAX];

    if (!date->known)
        return;
    xr_der_time_digits(text, date->at);
    xr_buf_fmt(out, "%s: \"", name);
    xr_p11kit_put_escaped(out, (struct xr_bytes){(const unsigned char *)text, strlen(text)});
    xr_buf_str(out, "\"\n");
}

static void put_limits(struct xr_buf *out, const struct xr_format_cert *cert)
{
    struct xr_bytes spki = cert->cert->d.slices.spki;

    if (cert->trusted != 0 && cert->trusted != XR_ALL_PURPOSES)
        xr_p11kit_put_purposes(out, spki, XR_P11KIT_EKU, cert->trusted);
    if (cert->trusted != 0 && cert->distrusted != 0)
        xr_p11kit_put_purposes(out, spki, XR_P11KIT_REJECT, cert->distrusted);
    if (cert->limits_extension.len > 0)
        xr_p11kit_put_extension(out, spki, XR_P11KIT_LIMITS, cert->limits_extension);
}

void xr_output_p11kit(struct xr_format_files *out, struct xr_format_cert *const *certs,
                      size_t count, const struct xr_output_options *options)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);

    (void)options;
    for (size_t i = 0; i < count; i++) {
        const struct xr_format_cert *cert = certs[i];

        if (cert->cert != NULL)
            put_limits(content, cert);
        xr_buf_str(content, "\n[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\n");
        if (cert->label_len > 0)
            put_label(content, cert->label, cert->label_len);
        if (cert->trusted != 0)
            xr_buf_str(content, "trusted: true\n");
        else if (cert->distrusted != 0)
            xr_buf_str(content, "x-distrusted: true\n");
        if (cert->mozilla_policy)
            xr_buf_str(content, "nss-mozilla-ca-policy: true\n");
        put_date(content, "nss-server-distrust-after", &cert->server_after);
        put_date(content, "nss-email-distrust-after", &cert->email_after);
        xr_buf_str(content, "modifiable: false\n");
        if (cert->cert != NULL) {
            xr_p11kit_put_pem(content, "CERTIFICATE", cert->der);
            continue;
        }
        xr_buf_str(content, "issuer: \"");
        xr_p11kit_put_escaped(content, cert->issuer);
        xr_buf_str(content, "\"\nserial-number: \"");
        xr_p11kit_put_escaped(content, cert->serial);
        xr_buf_str(content, "\"\n");
    }
}
