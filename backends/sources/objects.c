/* SPDX-License-Identifier: Apache-2.0 */
/* What an object of p11-kit's files is as an entry of the store. */
#include "sources.h"

bool ca_one_object(const struct xr_session *s, const struct pf_store *p11, size_t certs,
                   size_t extensions)
{
    bool one = p11->certs.count == certs + 1;

    for (size_t i = extensions; one && i < p11->extensions.count; i++)
        one = s->layout->objects &&
              xr_bytes_equal(p11->extensions.items[i].spki, p11->certs.items[certs].spki);
    return one;
}

/* A store that can hold purposes always reports them. In another one, only an EKU that is attached
 * to the key restricts; programs apply the certificate's own EKU anyway. */
uint32_t ca_purposes(const struct xr_session *s, const struct pf_store *p11,
                     const struct pf_cert *cert)
{
    bool attached =
        cert->attached != PF_NONE && p11->extensions.items[cert->attached].sum.eku.len > 0;

    if (s->layout->objects)
        return cert->purposes == XR_ANY_PURPOSE ? CA_PURPOSES : cert->purposes;
    return attached ? cert->purposes : XR_ANY_PURPOSE;
}

enum xr_place ca_place_of(const struct pf_cert *cert)
{
    return cert->distrusted ? XR_DISTRUST : cert->trusted ? XR_ANCHOR : XR_INTERMEDIATE;
}

bool ca_identify_cert(struct xr_subject *out, const struct xr_session *s,
                      const struct pf_cert *cert)
{
    *out = (struct xr_subject){.type = XR_SUBJECT_CERT};
    if (cert->der.len > 0) {
        memcpy(out->id, cert->sha256, sizeof(out->id));
        return true;
    }
    if (!cert->distrusted)
        return false;
    if (cert->issuer.len > 0 && cert->serial.len > 0) {
        xr_subject_issuer_serial(out, cert->issuer, cert->serial, s->host->sha256);
        return true;
    }
    out->type = XR_SUBJECT_KEY;
    s->host->sha256(out->id, cert->spki);
    return cert->spki.len > 0;
}

static enum xr_status count_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    (void)kind;
    (void)der;
    (*(size_t *)ctx)++;
    return XR_OK;
}

/* p11-kit publishes also what OpenSSL cannot decode: then no program that uses OpenSSL reads anything
 * of that bundle. */
void ca_leave_out_unreadable(struct xr_session *s)
{
    for (size_t i = 0; i < s->p11.certs.count; i++) {
        struct pf_cert *cert = &s->p11.certs.items[i];
        size_t len = 0, count = 0;
        char *pem = NULL;

        if (cert->der.len == 0)
            continue;
        pem = s->host->pem("CERTIFICATE", cert->der, &len);
        cert->left_out =
            s->host->openssl_items((struct xr_bytes){(const unsigned char *)pem, len},
                                   XR_READ_BUNDLE, count_item, &count, NULL) != XR_OK ||
            count != 1;
        s->host->release(pem);
    }
}
