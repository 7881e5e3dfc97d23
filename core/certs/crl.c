/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs (RFC 5280, 5). */
#include "openssl.h"

#include <openssl/asn1.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

X509_CRL *xr_crypto_crl(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509_CRL *crl = NULL;

    xr_crypto_ready();
    crl = der.len > LONG_MAX ? NULL : d2i_X509_CRL(NULL, &at, (long)der.len);
    if (crl != NULL && at != der.data + der.len) {
        X509_CRL_free(crl);
        crl = NULL;
    }
    return crl;
}

static bool asn1_time(int64_t *out, const ASN1_TIME *time)
{
    struct xr_der_item item = {
        .tag = time == NULL ? 0 : (unsigned)ASN1_STRING_type(time),
        .content = {time == NULL ? NULL : ASN1_STRING_get0_data(time),
                    time == NULL ? 0 : (size_t)ASN1_STRING_length(time)},
    };

    return time != NULL && xr_der_time(out, &item);
}

static bool crl_extensions_known(const X509_CRL *crl)
{
    static const int known[] = {NID_authority_key_identifier, NID_crl_number, NID_delta_crl,
                                NID_issuing_distribution_point, NID_issuer_alt_name};

    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        bool found = false;

        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            found = found || nid == known[k];
        if (X509_EXTENSION_get_critical(ext) && !found)
            return false;
    }
    return true;
}

/* Does the CRL cover only some of its issuer's certificates (RFC 5280, 5.2.5)? */
static bool crl_partial(const X509_CRL *crl)
{
    ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
    bool partial = idp != NULL &&
                   (idp->onlyuser > 0 || idp->onlyCA > 0 || idp->onlyattr > 0 ||
                    idp->indirectCRL > 0 || idp->distpoint != NULL || idp->onlysomereasons != NULL);

    partial = partial || (idp == NULL &&
                          X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) >= 0);
    ISSUING_DIST_POINT_free(idp);
    return partial;
}

enum xr_status xr_crl_new(struct xr_crl **out, struct xr_bytes der, struct xr_error *err)
{
    X509_CRL *parsed = xr_crypto_crl(der);
    struct xr_crl *crl = NULL;
    ASN1_INTEGER *number = NULL;
    enum xr_status status = XR_OK;

    if (parsed == NULL)
        return xr_crypto_fail(err, XR_INVALID, "not a CRL");
    crl = xr_new(1, sizeof(*crl));
    crl->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    xr_x509_sha256(crl->sha256, crl->der);
    status = xr_der_crl_issuer(&crl->issuer, crl->der, err);
    if (status == XR_OK && !asn1_time(&crl->this_update, X509_CRL_get0_lastUpdate(parsed)))
        status = xr_fail(err, XR_INVALID, "the CRL's date cannot be read");
    if (status != XR_OK)
        goto out;
    crl->has_next_update = asn1_time(&crl->next_update, X509_CRL_get0_nextUpdate(parsed));
    crl->delta = X509_CRL_get_ext_by_NID(parsed, NID_delta_crl, -1) >= 0;
    crl->partial = crl_partial(parsed);
    crl->unknown_critical = !crl_extensions_known(parsed);
    crl->revoked = (size_t)(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed)) > 0
                                ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed))
                                : 0);
    number = X509_CRL_get_ext_d2i(parsed, NID_crl_number, NULL, NULL);
    if (number != NULL) {
        const unsigned char *data = ASN1_STRING_get0_data(number);
        size_t len = (size_t)ASN1_STRING_length(number);

        for (; len > 0 && *data == 0; data++)
            len--;
        crl->number = (struct xr_bytes){xr_memdup(data, len), len};
    }
out:
    ASN1_INTEGER_free(number);
    X509_CRL_free(parsed);
    ERR_clear_error();
    if (status == XR_OK)
        *out = crl;
    else
        xr_crl_free(crl);
    return status;
}

void xr_crl_free(struct xr_crl *crl)
{
    if (crl == NULL)
        return;
    free((void *)(uintptr_t)crl->der.data);
    free((void *)(uintptr_t)crl->number.data);
    free(crl);
}

bool xr_crl_signed_by(const struct xr_crl *crl, const struct xr_cert *issuer)
{
    X509_CRL *parsed = NULL;
    X509 *x = NULL;
    bool ok = false;

    if (!xr_x509_name_equal(crl->issuer, issuer->d.slices.subject))
        return false;
    parsed = xr_crypto_crl(crl->der);
    x = xr_crypto_cert(issuer->der);
    ok = parsed != NULL && x != NULL &&
         (!issuer->d.has_key_usage || (issuer->d.key_usage & XR_KU_CRL_SIGN) != 0) &&
         X509_NAME_cmp(X509_CRL_get_issuer(parsed), X509_get_subject_name(x)) == 0 &&
         X509_CRL_verify(parsed, X509_get0_pubkey(x)) == 1;

    X509_free(x);
    X509_CRL_free(parsed);
    ERR_clear_error();
    return ok;
}
