/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#7 and CMS, by libcrypto, which reads BER too. */
#include "containers.h"

#include "kit/pem.h"
#include "openssl.h"

#include <openssl/cms.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>

/* Steps into an element with that tag, whatever form its length has. */
static bool enter(struct xr_bytes *at, unsigned tag)
{
    size_t octets = 0;

    if (at->len < 2 || at->data[0] != tag)
        return false;
    if (at->data[1] & 0x80u)
        octets = at->data[1] & 0x7fu;
    if (octets > at->len - 2)
        return false;
    at->data += 2 + octets;
    at->len -= 2 + octets;
    return true;
}

bool xr_pkcs7_begins(struct xr_bytes data)
{
    static const unsigned char arc[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    struct xr_der_item oid;

    return enter(&data, XR_DER_SEQUENCE) && xr_der_expect(&oid, &data, XR_DER_OID) &&
           oid.content.len == sizeof(arc) + 1 && memcmp(oid.content.data, arc, sizeof(arc)) == 0;
}

bool xr_pkcs12_begins(struct xr_bytes data)
{
    struct xr_der_item version;

    return enter(&data, XR_DER_SEQUENCE) && xr_der_expect(&version, &data, XR_DER_INTEGER) &&
           version.content.len == 1 && version.content.data[0] == 3 && xr_pkcs7_begins(data);
}

/* Takes what i2d made. */
static enum xr_status emit_made(unsigned char *der, int len, enum xr_item_kind kind,
                                xr_item_fn emit, void *ctx)
{
    enum xr_status status = XR_INVALID;

    if (len > 0)
        status = emit(ctx, kind, (struct xr_bytes){der, (size_t)len});
    OPENSSL_free(der);
    return status;
}

static enum xr_status emit_all(const STACK_OF(X509) * certs, const STACK_OF(X509_CRL) * crls,
                               xr_item_fn emit, void *ctx)
{
    enum xr_status status = XR_OK;

    for (int i = 0; status == XR_OK && i < sk_X509_num(certs); i++) {
        unsigned char *made = NULL;
        int len = i2d_X509(sk_X509_value(certs, i), &made);

        status = emit_made(made, len, XR_ITEM_CERT, emit, ctx);
    }
    for (int i = 0; status == XR_OK && i < sk_X509_CRL_num(crls); i++) {
        unsigned char *made = NULL;
        int len = i2d_X509_CRL(sk_X509_CRL_value(crls, i), &made);

        status = emit_made(made, len, XR_ITEM_CRL, emit, ctx);
    }
    return status;
}

static bool only_space(const unsigned char *at, const unsigned char *end)
{
    while (at < end && xr_pem_space(*at))
        at++;
    return at == end;
}

/* What PKCS#7 does not have: signers named by their key, certificates of other kinds. */
static enum xr_status cms(struct xr_bytes der, xr_item_fn emit, void *ctx, struct xr_error *err)
{
    const unsigned char *at = der.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    STACK_OF(X509) *certs = NULL;
    STACK_OF(X509_CRL) *crls = NULL;
    enum xr_status status = XR_OK;

    if (info == NULL || !only_space(at, der.data + der.len)) {
        status = xr_crypto_fail(err, XR_INVALID, "not PKCS#7");
    } else if (OBJ_obj2nid(CMS_get0_type(info)) != NID_pkcs7_signed) {
        status = xr_fail(err, XR_INVALID, "PKCS#7 of a type that holds no certificates");
    } else {
        certs = CMS_get1_certs(info);
        crls = CMS_get1_crls(info);
        status = emit_all(certs, crls, emit, ctx);
    }
    sk_X509_pop_free(certs, X509_free);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    CMS_ContentInfo_free(info);
    return status;
}

enum xr_status xr_x509_pkcs7(struct xr_bytes der, xr_item_fn emit, void *ctx, struct xr_error *err)
{
    const unsigned char *at = der.data;
    PKCS7 *p7 = NULL;
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    if (der.len > LONG_MAX)
        return xr_fail(err, XR_INVALID, "not PKCS#7");
    p7 = d2i_PKCS7(NULL, &at, (long)der.len);
    if (p7 == NULL || p7->d.ptr == NULL || !only_space(at, der.data + der.len)) {
        ERR_clear_error();
        status = cms(der, emit, ctx, err);
    } else if (PKCS7_type_is_signed(p7)) {
        status = emit_all(p7->d.sign->cert, p7->d.sign->crl, emit, ctx);
    } else {
        status = xr_fail(err, XR_INVALID, "PKCS#7 of a type that holds no certificates");
    }
    PKCS7_free(p7);
    ERR_clear_error();
    return status;
}
