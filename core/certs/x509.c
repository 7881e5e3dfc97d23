/* SPDX-License-Identifier: Apache-2.0 */
#include "openssl.h"

#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* ---- certificates ---- */

/* Does an extension not parse that libcrypto reads before it uses a certificate? */
static bool bad_extensions(struct xr_bytes der)
{
    X509 *x = xr_crypto_cert(der);
    bool bad = x != NULL && (X509_get_extension_flags(x) & EXFLAG_INVALID) != 0;

    X509_free(x);
    ERR_clear_error();
    return bad;
}

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
    if (cert->d.doubtful && !cert->d.malformed)
        cert->d.malformed = bad_extensions(cert->der);
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

bool xr_crypto_key_type_known(const struct xr_cert *cert)
{
    struct xr_bytes spki = cert->d.slices.spki;
    struct xr_der_item outer, alg, oid;
    int nid = NID_undef;

    if (xr_der_expect(&outer, &spki, XR_DER_SEQUENCE) &&
        xr_der_expect(&alg, &outer.content, XR_DER_SEQUENCE) &&
        xr_der_expect(&oid, &alg.content, XR_DER_OID))
        nid = xr_crypto_nid(oid.whole);
    return nid != NID_undef && EVP_PKEY_asn1_find(NULL, nid) != NULL;
}

const char *xr_cert_key_complaint(struct xr_cert *cert)
{
    EVP_PKEY *key = xr_crypto_key(cert);

    if (key == NULL)
        return xr_crypto_key_type_known(cert)
                   ? N_("this OpenSSL cannot read its public key")
                   : N_("this OpenSSL does not know the type of its public key");
    if (EVP_PKEY_get_security_bits(key) < XR_TLS_SECURITY_BITS)
        return N_("its public key is too short: TLS programs refuse it");
    return NULL;
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

/* What an AlgorithmIdentifier of a signature asks for. */
struct algorithm {
    int nid, md, key;
    bool known; /* libcrypto knows which key makes such signatures */
    char name[96];
};

static void algorithm_of(struct algorithm *out, struct xr_bytes alg)
{
    struct xr_der_item seq, oid;
    char *name = NULL;

    *out = (struct algorithm){.nid = NID_undef, .name = "?"};
    if (!xr_der_expect(&seq, &alg, XR_DER_SEQUENCE) ||
        !xr_der_expect(&oid, &seq.content, XR_DER_OID))
        return;
    out->nid = xr_crypto_nid(oid.whole);
    out->known = OBJ_find_sigid_algs(out->nid, &out->md, &out->key) == 1;
    name = xr_x509_oid_text(oid.whole);
    (void)snprintf(out->name, sizeof(out->name), "%s", name);
    free(name);
}

/* PSS signatures are also made by keys that call themselves plain RSA. */
static bool may_sign(const EVP_PKEY *key, const struct algorithm *alg)
{
    int have = EVP_PKEY_get_base_id(key), want = EVP_PKEY_type(alg->key);

    if (have <= 0 || want <= 0) /* providers' own types: X509_verify compares them */
        return alg->md == NID_undef;
    return have == want || (want == EVP_PKEY_RSA_PSS && have == EVP_PKEY_RSA);
}

/* Takes the block that an RSA key signed; false unless the padding is right. */
static bool recover(struct xr_buf *out, EVP_PKEY *key, struct xr_bytes signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *block = xr_new(len + 1, 1);
    bool ok = ctx != NULL && EVP_PKEY_verify_recover_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_verify_recover(ctx, block, &len, signature.data, signature.len) == 1;

    if (ok)
        xr_buf_add(out, block, len);
    free(block);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Did an RSA key sign this digest, but without the NULL that belongs after its algorithm? RFC 8017,
 * A.2.4, tells verifiers to accept that; OpenSSL does not. */
static bool signed_without_null(EVP_PKEY *key, const EVP_MD *md, const struct xr_cert *cert)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct xr_buf block = {0};
    struct xr_der_item info, alg, oid, digest;
    struct xr_bytes rest;
    bool found = false;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && recover(&block, key, cert->d.signature)) {
        rest = (struct xr_bytes){(unsigned char *)block.data, block.len};
        found =
            xr_der_expect(&info, &rest, XR_DER_SEQUENCE) && rest.len == 0 &&
            xr_der_expect(&alg, &info.content, XR_DER_SEQUENCE) &&
            xr_der_expect(&digest, &info.content, XR_DER_OCTET_STRING) && info.content.len == 0 &&
            xr_der_expect(&oid, &alg.content, XR_DER_OID) && alg.content.len == 0 &&
            xr_crypto_nid(oid.whole) == EVP_MD_get_type(md) &&
            EVP_Digest(cert->d.slices.tbs.data, cert->d.slices.tbs.len, sum, &len, md, NULL) == 1 &&
            digest.content.len == len && memcmp(digest.content.data, sum, len) == 0;
    }
    xr_buf_free(&block);
    return found;
}

static enum xr_answer unchecked(struct xr_error *why, const struct algorithm *alg)
{
    (void)xr_fail(why, XR_FAILED, "this OpenSSL does not know its algorithm %s", alg->name);
    return XR_UNKNOWN;
}

/* With a digest of its own: most signatures. Without parsing the certificate again. */
static enum xr_answer check_plain(const struct xr_cert *cert, EVP_PKEY *key,
                                  const struct algorithm *alg, struct xr_error *why)
{
    const EVP_MD *md = alg->md == NID_sha256 ? xr_crypto_sha256() : EVP_get_digestbynid(alg->md);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum xr_answer answer = XR_NO;

    if (ctx == NULL || md == NULL || EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) != 1) {
        answer = unchecked(why, alg);
    } else if (EVP_DigestVerify(ctx, cert->d.signature.data, cert->d.signature.len,
                                cert->d.slices.tbs.data, cert->d.slices.tbs.len) == 1) {
        answer = XR_YES;
    } else if (ERR_GET_REASON(ERR_peek_last_error()) == RSA_R_MODULUS_TOO_LARGE) {
        (void)xr_fail(why, XR_FAILED, "the key is longer than OpenSSL takes");
        answer = XR_UNKNOWN;
    } else if (signed_without_null(key, md, cert)) {
        (void)xr_fail(why, XR_FAILED,
                      "it lacks the NULL that OpenSSL wants after the name of the digest");
        answer = XR_UNKNOWN;
    }
    EVP_MD_CTX_free(ctx);
    return answer;
}

enum xr_answer xr_cert_check_signature(const struct xr_cert *cert, struct xr_cert *issuer,
                                       struct xr_error *why)
{
    EVP_PKEY *key = xr_crypto_key(issuer);
    struct algorithm alg;
    enum xr_answer answer = XR_NO;
    X509 *x = NULL;
    int result = 0;

    if (cert->d.alg_mismatch)
        return XR_NO;
    if (key == NULL) {
        (void)xr_fail(why, XR_FAILED, "%s", xr_cert_key_complaint(issuer));
        return XR_UNKNOWN;
    }
    algorithm_of(&alg, cert->d.signature_alg);
    if (!alg.known) {
        answer = unchecked(why, &alg);
    } else if (!may_sign(key, &alg)) {
        answer = XR_NO;
    } else if (alg.md != NID_undef) {
        answer = check_plain(cert, key, &alg, why);
    } else {
        x = xr_crypto_cert(cert->der);
        result = x != NULL ? X509_verify(x, key) : -1;
        answer = result == 1 ? XR_YES : result == 0 ? XR_NO : unchecked(why, &alg);
        X509_free(x);
    }
    ERR_clear_error();
    return answer;
}

bool xr_cert_signed_by(const struct xr_cert *cert, struct xr_cert *issuer)
{
    return xr_cert_check_signature(cert, issuer, NULL) == XR_YES;
}

bool xr_cert_self_signed(struct xr_cert *cert)
{
    return xr_x509_name_equal(cert->d.slices.subject, cert->d.slices.issuer) &&
           xr_cert_signed_by(cert, cert);
}

/* Bits of security as X509_get_signature_info counts them; INT_MAX: unknown. */
static int signature_bits(const struct xr_cert *cert)
{
    struct algorithm alg;
    const EVP_MD *md = NULL;
    X509 *x = NULL;
    int bits = INT_MAX;

    algorithm_of(&alg, cert->d.signature_alg);
    if (alg.known && alg.md != NID_undef) { /* without parsing the certificate */
        md = EVP_get_digestbynid(alg.md);
        return md == NULL                                ? INT_MAX
               : alg.md == NID_sha1 || alg.md == NID_md5 ? 0 /* collisions are known */
                                                         : EVP_MD_get_size(md) * 4;
    }
    x = xr_crypto_cert(cert->der);
    if (x == NULL || X509_get_signature_info(x, NULL, NULL, &bits, NULL) != 1)
        bits = INT_MAX;
    X509_free(x);
    ERR_clear_error();
    return bits;
}

const char *xr_cert_signature_complaint(const struct xr_cert *cert)
{
    if (signature_bits(cert) < XR_TLS_SECURITY_BITS)
        return N_("its signature uses a weak digest such as SHA-1: TLS programs refuse it");
    return NULL;
}
