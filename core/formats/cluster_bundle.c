/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes' ClusterTrustBundle, certificates.k8s.io/v1beta1 (1.33). Its server refuses the whole
 * object for one block that is no CA by basicConstraints, that Go does not parse, or that is there
 * twice (validateTrustBundle in pkg/apis/certificates/validation), and takes at most 1 MiB: what is too
 * long goes on in another object.
 */
#include "outputs_private.h"

#include "certs/x509.h"

enum { BUNDLE_MAX = 1024 * 1024 };

/* Without a signer, an object's name is a DNS name. */
static void put_head(struct xr_buf *out, uint32_t purpose, size_t number)
{
    const char *name = xr_purpose_name(purpose);

    xr_buf_fmt(out,
               "%sapiVersion: certificates.k8s.io/v1beta1\nkind: ClusterTrustBundle\n"
               "metadata:\n  name: crossroot%s%s",
               number > 1 ? "---\n" : "", name != NULL ? "-" : "", name != NULL ? name : "");
    if (number > 1)
        xr_buf_fmt(out, "-%zu", number);
    xr_buf_str(out, "\nspec:\n  trustBundle: |\n");
}

const char *xr_output_cluster_refuses(const struct xr_format_cert *cert)
{
    const struct xr_der_cert *d = &cert->cert->d;
    struct xr_bytes rest = d->slices.serial;
    struct xr_der_item serial;

    if (!d->has_basic_constraints || !d->ca)
        return N_("Kubernetes refuses it: its basicConstraints do not say that it is a CA");
    if (d->malformed)
        return N_("Kubernetes refuses it: an extension does not parse");
    /* Go 1.23 */
    if (!xr_der_next(&serial, &rest) || serial.content.len == 0 ||
        (serial.content.data[0] & 0x80) != 0)
        return N_("Kubernetes refuses it: its serial number is negative");
    return NULL;
}

void xr_output_cluster_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                              size_t count, const struct xr_output_options *options)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n",
                      end[] = "-----END CERTIFICATE-----\n";
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_idmap seen = {0};
    size_t number = 0, used = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned char sha256[XR_SHA256_LEN];
        size_t size = 0;
        bool added = false;

        options->host->sha256(sha256, certs[i]->der);
        (void)xr_idmap_put(&seen, sha256, i, &added);
        if (!added)
            continue;
        xr_format_encode(certs[i]);
        size = sizeof(begin) + sizeof(end) - 2 + certs[i]->base64_len + 1;
        if (number == 0 || size > BUNDLE_MAX - used) {
            put_head(content, options->purpose, ++number);
            used = 0;
        }
        used += size;
        xr_buf_fmt(content, "    %s", begin);
        xr_output_base64(content, certs[i], 64, "    ");
        xr_buf_fmt(content, "\n    %s", end);
    }
    if (number == 0)
        put_head(content, options->purpose, 1);
    xr_idmap_free(&seen);
}
