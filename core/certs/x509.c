/* SPDX-License-Identifier: Apache-2.0 */
#include "openssl.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* ---- certificates ---- */

enum xr_status xr_cert_new_known(struct xr_cert **out, struct xr_bytes der,
                                 const unsigned char sha256[XR_SHA256_LEN], struct xr_error *err)
{
    struct xr_cert *cert = NULL;
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    cert = xr_new(1, sizeof(*cert));
    cert->refs = 1;
    cert->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    status = xr_der_cert(&cert->d, cert->der, err);
    if (status != XR_OK) {
        xr_cert_free(cert);
        return status;
    }
    memcpy(cert->sha256, sha256, sizeof(cert->sha256));
    xr_x509_sha256(cert->spki_sha256, cert->d.slices.spki);
    *out = cert;
    return XR_OK;
}

enum xr_status xr_cert_new(struct xr_cert **out, struct xr_bytes der, struct xr_error *err)
{
    unsigned char sha256[XR_SHA256_LEN];

    xr_x509_sha256(sha256, der);
    return xr_cert_new_known(out, der, sha256, err);
}

void xr_cert_sha1(unsigned char out[20], const struct xr_cert *cert)
{
    xr_x509_sha1(out, cert->der);
}

struct xr_cert *xr_cert_ref(struct xr_cert *cert)
{
    cert->refs++;
    return cert;
}

void xr_cert_free(struct xr_cert *cert)
{
    if (cert == NULL || --cert->refs > 0)
        return;
    EVP_PKEY_free(cert->key);
    free((void *)(uintptr_t)cert->der.data);
    free(cert);
}

bool xr_cert_is_ca(const struct xr_cert *cert)
{
    const struct xr_der_cert *d = &cert->d;

    if (d->malformed)
        return false;
    if (d->has_basic_constraints)
        return d->ca && (!d->has_key_usage || (d->key_usage & XR_KU_CERT_SIGN) != 0);
    return d->version < 3 && xr_bytes_equal(d->slices.subject, d->slices.issuer);
}

/* Parses RSA keys and those of named curves without OpenSSL 3's decoders, which take ten times as
 * long as the rest. NULL: use d2i_PUBKEY. */
static EVP_PKEY *plain_key(struct xr_bytes spki)
{
    static const unsigned char rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                        0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    static const unsigned char ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
    struct xr_der_item outer, alg, bits;
    const unsigned char *at = NULL;
    EVP_PKEY *key = NULL, *filled = NULL;
    int type = EVP_PKEY_RSA;

    if (!xr_der_expect(&outer, &spki, XR_DER_SEQUENCE) ||
        !xr_der_expect(&alg, &outer.content, XR_DER_SEQUENCE) ||
        !xr_der_expect(&bits, &outer.content, XR_DER_BIT_STRING) || outer.content.len > 0 ||
        bits.content.len < 2 || bits.content.data[0] != 0)
        return NULL;
    if (alg.content.len > sizeof(ec) && memcmp(alg.content.data, ec, sizeof(ec)) == 0 &&
        alg.content.data[sizeof(ec)] == XR_DER_OID) {
        type = EVP_PKEY_EC;
        at = alg.content.data + sizeof(ec);
        key = d2i_KeyParams(EVP_PKEY_EC, NULL, &at, (long)(alg.content.len - sizeof(ec)));
        if (key == NULL || at != alg.content.data + alg.content.len)
            goto bad;
    } else if (alg.content.len != sizeof(rsa) || memcmp(alg.content.data, rsa, sizeof(rsa)) != 0) {
        return NULL;
    }
    at = bits.content.data + 1;
    filled = d2i_PublicKey(type, &key, &at, (long)(bits.content.len - 1));
    if (filled != NULL && at == bits.content.data + bits.content.len)
        return filled;
bad:
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *xr_crypto_key(struct xr_cert *cert)
{
    const unsigned char *at = cert->d.slices.spki.data;

    if (cert->key == NULL && !cert->key_bad) {
        cert->key = plain_key(cert->d.slices.spki);
        if (cert->key == NULL)
            cert->key = d2i_PUBKEY(NULL, &at, (long)cert->d.slices.spki.len);
        cert->key_bad = cert->key == NULL;
        ERR_clear_error();
    }
    return cert->key;
}

X509 *xr_crypto_cert(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = NULL;

    xr_crypto_ready();
    if (der.len > LONG_MAX)
        return NULL;
    x = d2i_X509(NULL, &at, (long)der.len);
    if (x != NULL && at != der.data + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* Parses a certificate that trust settings may follow. */
X509 *xr_crypto_trusted_cert(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = NULL;

    xr_crypto_ready();
    if (der.len > LONG_MAX)
        return NULL;
    x = d2i_X509_AUX(NULL, &at, (long)der.len);
    if (x != NULL && at != der.data + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* The digest and key type of a simple AlgorithmIdentifier; RSA-PSS and EdDSA are not simple. */
static bool plain_signature(int *md, int *pkey, struct xr_bytes alg)
{
    struct xr_der_item seq, oid;
    const unsigned char *at = NULL;
    ASN1_OBJECT *object = NULL;
    bool ok = false;

    if (!xr_der_expect(&seq, &alg, XR_DER_SEQUENCE) ||
        !xr_der_expect(&oid, &seq.content, XR_DER_OID))
        return false;
    at = oid.whole.data;
    object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.whole.len);
    ok = object != NULL && OBJ_find_sigid_algs(OBJ_obj2nid(object), md, pkey) == 1 &&
         *md != NID_undef && EVP_get_digestbynid(*md) != NULL;
    ASN1_OBJECT_free(object);
    return ok;
}

bool xr_cert_signed_by(const struct xr_cert *cert, struct xr_cert *issuer)
{
    EVP_PKEY *key = xr_crypto_key(issuer);
    int md = NID_undef, type = NID_undef;
    bool ok = false;

    if (key == NULL || cert->d.alg_mismatch)
        return false;
    if (plain_signature(&md, &type, cert->d.signature_alg)) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        ok = ctx != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_type(type) &&
             EVP_DigestVerifyInit(ctx, NULL,
                                  md == NID_sha256 ? xr_crypto_sha256() : EVP_get_digestbynid(md),
                                  NULL, key) == 1 &&
             EVP_DigestVerify(ctx, cert->d.signature.data, cert->d.signature.len,
                              cert->d.slices.tbs.data, cert->d.slices.tbs.len) == 1;
        EVP_MD_CTX_free(ctx);
    } else {
        X509 *x = xr_crypto_cert(cert->der);

        ok = x != NULL && X509_verify(x, key) == 1;
        X509_free(x);
    }
    ERR_clear_error();
    return ok;
}

bool xr_cert_self_signed(struct xr_cert *cert)
{
    return xr_x509_name_equal(cert->d.slices.subject, cert->d.slices.issuer) &&
           xr_cert_signed_by(cert, cert);
}

bool xr_cert_accepted(struct xr_cert *cert, struct xr_error *err)
{
    X509 *x = NULL;

    if (cert->accepted)
        return true;
    x = xr_crypto_cert(cert->der);
    cert->accepted = x != NULL && X509_get0_pubkey(x) != NULL &&
                     (X509_get_extension_flags(x) & EXFLAG_INVALID) == 0;
    if (!cert->accepted)
        (void)xr_crypto_fail(err, XR_INVALID, "OpenSSL does not accept this certificate");
    ERR_clear_error();
    X509_free(x);
    return cert->accepted;
}

const char *xr_cert_key_complaint(struct xr_cert *cert)
{
    EVP_PKEY *key = xr_crypto_key(cert);

    if (key == NULL)
        return "this OpenSSL does not know the type of its public key";
    if (EVP_PKEY_get_security_bits(key) < XR_TLS_SECURITY_BITS)
        return "its public key is too short: TLS programs refuse it";
    return NULL;
}

const char *xr_cert_signature_complaint(const struct xr_cert *cert)
{
    X509 *x = xr_crypto_cert(cert->der);
    int bits = XR_TLS_SECURITY_BITS;
    bool known = x != NULL && X509_get_signature_info(x, NULL, NULL, &bits, NULL) == 1;

    X509_free(x);
    ERR_clear_error();
    if (known && bits < XR_TLS_SECURITY_BITS)
        return "its signature uses a weak digest such as SHA-1: TLS programs refuse it";
    return NULL;
}
