/* SPDX-License-Identifier: Apache-2.0 */
/* What an output is told of an entry. Trust settings of OpenSSL's formats are those that p11-kit makes of
 * the same entry in its own files. */
#include "lists.h"

#include "p11files/private.h"

#include <stdlib.h>

static struct xr_bytes bytes_of(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

static void tell_trust(struct xr_told *told, uint32_t trusted, uint32_t distrusted)
{
    struct xr_format_cert *cert = &told->cert;

    if (trusted == 0 && distrusted != 0) {
        cert->has_reject = true;
        for (size_t i = 0; i < PF_KNOWN_OIDS; i++)
            xr_buf_add(&told->reject, pf_known_oids[i].der, pf_known_oids[i].len);
    } else {
        cert->has_trust = trusted != XR_ALL_PURPOSES;
        xr_der_put_purposes(&told->trust, trusted);
        cert->has_reject = distrusted != 0;
        xr_der_put_purposes(&told->reject, distrusted);
    }
    cert->trust = bytes_of(&told->trust);
    cert->reject = bytes_of(&told->reject);
}

static void tell_links(struct xr_format_cert *cert, struct xr_bytes subject,
                       const struct xr_host *host)
{
    if (pf_link_hash(&cert->link_hash[0], subject, host))
        cert->link_count++;
    cert->link_hash[cert->link_count++] = pf_link_hash_old(subject, host);
}

void xr_told_init(struct xr_told *told, const struct xr_root *root, uint32_t trusted,
                  uint32_t distrusted, bool links, const struct xr_host *host)
{
    struct xr_format_cert *cert = &told->cert;
    struct xr_attached attached = {.size = sizeof(attached)};

    *told = (struct xr_told){.cert = {.label = root->label,
                                      .label_len = root->label != NULL ? strlen(root->label) : 0,
                                      .cert = root->cert,
                                      .issuer = root->issuer,
                                      .serial = root->serial,
                                      .trusted = trusted,
                                      .distrusted = distrusted,
                                      .server_after = root->server_after,
                                      .email_after = root->email_after,
                                      .mozilla_policy = root->mozilla_policy}};
    if (root->cert != NULL) {
        cert->der = root->cert->der;
        cert->not_before = root->cert->d.not_before;
        tell_trust(told, trusted, distrusted);
        if (links)
            tell_links(cert, root->cert->d.slices.subject, host);
    }
    if (xr_limits_any(&root->limits)) {
        xr_limits_attach(&attached, &told->limits, &root->limits);
        cert->limits = &root->limits;
        cert->limits_extension = attached.value;
    }
}

void xr_told_free(struct xr_told *told)
{
    xr_buf_free(&told->trust);
    xr_buf_free(&told->reject);
    xr_buf_free(&told->limits);
    free(told->cert.base64);
}
