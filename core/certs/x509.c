/* SPDX-License-Identifier: Apache-2.0 */
#include "x509.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define SERIAL_MAX 64u
/* A candidate set larger than this is an attack on the verifier, not a PKI. */
#define CANDIDATES_MAX 256u

static EVP_MD *md_sha256, *md_sha1;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static void init(void)
{
    /* No openssl.cnf: its engines, providers and defaults are not ours to run as root. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    md_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    md_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (md_sha256 == NULL || md_sha1 == NULL) {
        (void)fputs("crossroot: libcrypto has no SHA-256 or SHA-1\n", stderr);
        abort();
    }
}

static void ready(void)
{
    (void)CRYPTO_THREAD_run_once(&once, init);
}

static void digest(unsigned char *out, const EVP_MD *md, struct xr_bytes data)
{
    if (EVP_Digest(data.data, data.len, out, NULL, md, NULL) != 1)
        abort(); /* only out of memory */
}

void xr_x509_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes data)
{
    ready();
    digest(out, md_sha256, data);
}

void xr_x509_sha1(unsigned char out[20], struct xr_bytes data)
{
    ready();
    digest(out, md_sha1, data);
}

void xr_x509_md5(unsigned char out[16], struct xr_bytes data)
{
    ready();
    if (EVP_Digest(data.data, data.len, out, NULL, EVP_md5(), NULL) != 1)
        memset(out, 0, 16);
    ERR_clear_error();
}

static enum xr_status fail_openssl(struct xr_error *err, enum xr_status status, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    return xr_error_set(err, status, "openssl", (long)code, "%s%s%s", what, reason ? ": " : "",
                        reason ? reason : "");
}

/* ---- certificates ---- */

enum xr_status xr_cert_new_known(struct xr_cert **out, struct xr_bytes der,
                                 const unsigned char sha256[XR_SHA256_LEN], struct xr_error *err)
{
    struct xr_cert *cert = NULL;
    enum xr_status status = XR_OK;

    ready();
    cert = xr_new(1, sizeof(*cert));
    cert->refs = 1;
    cert->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    status = xr_der_cert(&cert->d, cert->der, err);
    if (status != XR_OK) {
        xr_cert_free(cert);
        return status;
    }
    memcpy(cert->sha256, sha256, sizeof(cert->sha256));
    digest(cert->spki_sha256, md_sha256, cert->d.slices.spki);
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

/* RSA keys and those of named curves without OpenSSL 3's decoders, which take ten times as long as
 * the rest of it. NULL: for d2i_PUBKEY to say. */
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

static EVP_PKEY *cert_key(struct xr_cert *cert)
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

static X509 *full_parse(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = NULL;

    ready();
    if (der.len > LONG_MAX)
        return NULL;
    x = d2i_X509(NULL, &at, (long)der.len);
    if (x != NULL && at != der.data + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* A certificate that trust settings may follow. */
static X509 *anchor_parse(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = NULL;

    ready();
    if (der.len > LONG_MAX)
        return NULL;
    x = d2i_X509_AUX(NULL, &at, (long)der.len);
    if (x != NULL && at != der.data + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* The digest and key type an AlgorithmIdentifier names, where it is as simple as that; RSA-PSS and
 * EdDSA are not. */
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
    EVP_PKEY *key = cert_key(issuer);
    int md = NID_undef, type = NID_undef;
    bool ok = false;

    if (key == NULL || cert->d.alg_mismatch)
        return false;
    if (plain_signature(&md, &type, cert->d.signature_alg)) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        ok = ctx != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_type(type) &&
             EVP_DigestVerifyInit(ctx, NULL, md == NID_sha256 ? md_sha256 : EVP_get_digestbynid(md),
                                  NULL, key) == 1 &&
             EVP_DigestVerify(ctx, cert->d.signature.data, cert->d.signature.len,
                              cert->d.slices.tbs.data, cert->d.slices.tbs.len) == 1;
        EVP_MD_CTX_free(ctx);
    } else {
        X509 *x = full_parse(cert->der);

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
    x = full_parse(cert->der);
    cert->accepted = x != NULL && X509_get0_pubkey(x) != NULL &&
                     (X509_get_extension_flags(x) & EXFLAG_INVALID) == 0;
    if (!cert->accepted)
        (void)fail_openssl(err, XR_INVALID, "OpenSSL does not accept this certificate");
    ERR_clear_error();
    X509_free(x);
    return cert->accepted;
}

const char *xr_cert_key_complaint(struct xr_cert *cert)
{
    EVP_PKEY *key = cert_key(cert);

    if (key == NULL)
        return "its public key is of no kind this OpenSSL knows";
    if (EVP_PKEY_get_security_bits(key) < 80)
        return "its public key is too short by today's measure";
    return NULL;
}

/* ---- names, numbers ---- */

static X509_NAME *parse_name(struct xr_bytes name)
{
    const unsigned char *at = name.data;

    ready();
    return name.len > LONG_MAX ? NULL : d2i_X509_NAME(NULL, &at, (long)name.len);
}

char *xr_x509_oid_text(struct xr_bytes oid)
{
    const unsigned char *at = oid.data;
    ASN1_OBJECT *object = NULL;
    char text[128] = "?";

    ready();
    if (oid.len > 0 && oid.len < sizeof(text))
        object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len);
    if (object != NULL)
        (void)OBJ_obj2txt(text, sizeof(text), object, 0);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    return xr_strdup(text);
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return xr_memdup(data, len > 0 ? (size_t)len : 0);
}

char *xr_x509_name_text(struct xr_bytes name)
{
    const unsigned long rfc4514 = (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    X509_NAME *parsed = parse_name(name);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (bio == NULL)
        abort();
    if (parsed != NULL && X509_NAME_entry_count(parsed) == 0) {
        text = xr_strdup("");
    } else if (parsed != NULL && X509_NAME_print_ex(bio, parsed, 0, rfc4514) >= 0) {
        text = bio_text(bio);
    } else {
        text = xr_new(2 * name.len + 2, 1);
        text[0] = '#';
        xr_hex(text + 1, name.data, name.len);
    }
    ERR_clear_error();
    BIO_free(bio);
    X509_NAME_free(parsed);
    return text;
}

char *xr_x509_name_short(struct xr_bytes name)
{
    static const int parts[] = {NID_commonName, NID_organizationalUnitName, NID_organizationName};
    X509_NAME *parsed = parse_name(name);
    char *text = NULL;

    for (size_t i = 0; parsed != NULL && text == NULL && i < sizeof(parts) / sizeof(parts[0]);
         i++) {
        int at = X509_NAME_get_index_by_NID(parsed, parts[i], -1);
        BIO *bio = at < 0 ? NULL : BIO_new(BIO_s_mem());

        if (bio != NULL &&
            ASN1_STRING_print_ex(bio, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(parsed, at)),
                                 ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL) > 0)
            text = bio_text(bio);
        BIO_free(bio);
    }
    ERR_clear_error();
    X509_NAME_free(parsed);
    return text != NULL ? text : xr_x509_name_text(name);
}

/* One attribute as libcrypto's canonical form has it (asn1_string_canon): spaces at both ends gone,
 * others one blank, ASCII in lower case, a UTF8String. False for what is not plain ASCII text. */
static bool canonical_text(unsigned char *out, size_t *len, size_t room,
                           const struct xr_der_item *value)
{
    static const unsigned tags[] = {0x0c, 0x13, 0x16, 0x1a}; /* UTF8, Printable, IA5, Visible */
    const unsigned char *text = value->content.data;
    size_t end = value->content.len, at = 0;
    bool known = false;

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        known = known || value->tag == tags[i];
    if (!known || end > room || end > 127)
        return false;
    for (size_t i = 0; i < end; i++) {
        if (text[i] == 0 || text[i] > 0x7f)
            return false;
    }
#define SPACE(c) ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))
    while (at < end && SPACE(text[at]))
        at++;
    while (end > at && SPACE(text[end - 1]))
        end--;
    *len = 0;
    while (at < end) {
        bool space = SPACE(text[at]);

        out[(*len)++] = space                                ? ' '
                        : text[at] >= 'A' && text[at] <= 'Z' ? (unsigned char)(text[at] + 32)
                                                             : text[at];
        at++;
        while (space && at < end && SPACE(text[at]))
            at++;
    }
#undef SPACE
    return true;
}

/* The hash of a plain name without building libcrypto's own form of it, which takes ten times as
 * long: thousands are hashed to see that links are right. False: ask libcrypto. */
static bool plain_name_hash(uint32_t *out, struct xr_bytes name)
{
    unsigned char canonical[1024], sum[20];
    struct xr_der_item names, set, pair, oid, value;
    struct xr_bytes rest = name;
    size_t used = 0;

    if (!xr_der_expect(&names, &rest, XR_DER_SEQUENCE) || rest.len > 0 || names.content.len == 0)
        return false;
    for (rest = names.content; rest.len > 0;) {
        struct xr_bytes inner;
        size_t len = 0, body = 0;

        if (!xr_der_expect(&set, &rest, XR_DER_SET))
            return false;
        inner = set.content;
        if (!xr_der_expect(&pair, &inner, XR_DER_SEQUENCE) || inner.len > 0)
            return false;
        inner = pair.content;
        if (!xr_der_expect(&oid, &inner, XR_DER_OID) || !xr_der_next(&value, &inner) ||
            inner.len > 0 || oid.whole.len > 32 || sizeof(canonical) - used < 256 ||
            !canonical_text(canonical + used + 6 + oid.whole.len, &len, 128, &value))
            return false;
        body = oid.whole.len + 2 + len;
        if (body > 125) /* lengths of one byte only */
            return false;
        canonical[used] = XR_DER_SET;
        canonical[used + 1] = (unsigned char)(body + 2);
        canonical[used + 2] = XR_DER_SEQUENCE;
        canonical[used + 3] = (unsigned char)body;
        memcpy(canonical + used + 4, oid.whole.data, oid.whole.len);
        canonical[used + 4 + oid.whole.len] = XR_DER_UTF8;
        canonical[used + 5 + oid.whole.len] = (unsigned char)len;
        used += 4 + body;
    }
    xr_x509_sha1(sum, (struct xr_bytes){canonical, used});
    *out =
        (uint32_t)sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24;
    return true;
}

enum xr_status xr_x509_name_hash(uint32_t *out, struct xr_bytes name, struct xr_error *err)
{
    X509_NAME *parsed = NULL;
    int ok = 0;

    if (plain_name_hash(out, name))
        return XR_OK;
    parsed = parse_name(name);
    if (parsed != NULL)
        *out = (uint32_t)X509_NAME_hash_ex(parsed, NULL, NULL, &ok);
    X509_NAME_free(parsed);
    if (!ok)
        return fail_openssl(err, XR_INVALID, "a name cannot be read");
    return XR_OK;
}

bool xr_x509_name_equal(struct xr_bytes a, struct xr_bytes b)
{
    X509_NAME *left = NULL, *right = NULL;
    bool equal = false;

    if (xr_bytes_equal(a, b))
        return true;
    left = parse_name(a);
    right = parse_name(b);
    equal = left != NULL && right != NULL && X509_NAME_cmp(left, right) == 0;
    X509_NAME_free(left);
    X509_NAME_free(right);
    ERR_clear_error();
    return equal;
}

char *xr_x509_serial_text(struct xr_bytes serial)
{
    const unsigned char *at = serial.data;
    ASN1_INTEGER *number = NULL;
    BIGNUM *bn = NULL;
    char *decimal = NULL, *text = NULL;

    if (serial.len > SERIAL_MAX) {
        /* RFC 5280 allows 20 octets; decimal costs a square of the length. */
        size_t header = serial.data[1] < 0x80 ? 2 : 2u + (serial.data[1] & 0x7f);
        size_t len = header < serial.len ? serial.len - header : 0;

        len = len < SERIAL_MAX ? len : SERIAL_MAX;
        text = xr_new(2 * SERIAL_MAX + 1, 1);
        xr_hex(text, serial.data + header, len);
        decimal = xr_format("0x%s...", text);
        free(text);
        return decimal;
    }
    number = d2i_ASN1_INTEGER(NULL, &at, (long)serial.len);
    bn = number == NULL ? NULL : ASN1_INTEGER_to_BN(number, NULL);
    decimal = bn == NULL ? NULL : BN_bn2dec(bn);
    text = xr_strdup(decimal != NULL ? decimal : "?");

    OPENSSL_free(decimal);
    BN_free(bn);
    ASN1_INTEGER_free(number);
    ERR_clear_error();
    return text;
}

/* The digits of text without what stands between them; *hex if they are such. */
static char *serial_digits(const char *text, bool *hex)
{
    char *digits = xr_new(strlen(text) + 1, 1);
    size_t len = 0;

    *hex = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
    text += *hex ? 2 : 0;
    for (*hex = *hex || strchr(text, ':') != NULL; *text != '\0'; text++) {
        if (*text != ':')
            digits[len++] = *text;
    }
    return digits;
}

bool xr_x509_serial_parse(struct xr_buf *out, const char *text)
{
    bool hex = false;
    char *digits = serial_digits(text, &hex);
    size_t len = strlen(digits);
    BIGNUM *bn = NULL;
    ASN1_INTEGER *number = NULL;
    unsigned char *der = NULL;
    int size = 0;

    ready();
    if (len > 0 && len <= 2 * SERIAL_MAX &&
        strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") == len &&
        (hex ? BN_hex2bn(&bn, digits) : BN_dec2bn(&bn, digits)) == (int)len)
        number = BN_to_ASN1_INTEGER(bn, NULL);
    size = number != NULL ? i2d_ASN1_INTEGER(number, &der) : 0;
    if (size > 0)
        xr_buf_add(out, der, (size_t)size);
    OPENSSL_free(der);
    ASN1_INTEGER_free(number);
    BN_free(bn);
    free(digits);
    ERR_clear_error();
    return size > 0;
}

/* ---- PKCS#7 ---- */

static enum xr_status emit_x509(X509 *x, xr_item_fn emit, void *ctx)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    enum xr_status status = XR_INVALID;

    if (len > 0)
        status = emit(ctx, XR_ITEM_CERT, (struct xr_bytes){der, (size_t)len});
    OPENSSL_free(der);
    return status;
}

static enum xr_status emit_crl(X509_CRL *crl, xr_item_fn emit, void *ctx)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    enum xr_status status = XR_INVALID;

    if (len > 0)
        status = emit(ctx, XR_ITEM_CRL, (struct xr_bytes){der, (size_t)len});
    OPENSSL_free(der);
    return status;
}

enum xr_status xr_x509_pkcs7(struct xr_bytes der, xr_item_fn emit, void *ctx, struct xr_error *err)
{
    const unsigned char *at = der.data;
    PKCS7 *p7 = NULL;
    STACK_OF(X509) *certs = NULL;
    STACK_OF(X509_CRL) *crls = NULL;
    enum xr_status status = XR_OK;

    ready();
    p7 = der.len > LONG_MAX ? NULL : d2i_PKCS7(NULL, &at, (long)der.len);
    if (p7 == NULL || p7->d.ptr == NULL || at != der.data + der.len) {
        status = fail_openssl(err, XR_INVALID, "not PKCS#7");
        goto out;
    }
    if (PKCS7_type_is_signed(p7)) {
        certs = p7->d.sign->cert;
        crls = p7->d.sign->crl;
    } else {
        status = xr_fail(err, XR_INVALID, "PKCS#7 of a type that holds no certificates");
    }
    for (int i = 0; status == XR_OK && i < sk_X509_num(certs); i++)
        status = emit_x509(sk_X509_value(certs, i), emit, ctx);
    for (int i = 0; status == XR_OK && i < sk_X509_CRL_num(crls); i++)
        status = emit_crl(sk_X509_CRL_value(crls, i), emit, ctx);
out:
    PKCS7_free(p7);
    ERR_clear_error();
    return status;
}

/* ---- CRLs ---- */

static X509_CRL *parse_crl(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509_CRL *crl = NULL;

    ready();
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

/* Does the CRL speak for only some of its issuer's certificates (RFC 5280, 5.2.5)? */
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
    X509_CRL *parsed = parse_crl(der);
    struct xr_crl *crl = NULL;
    ASN1_INTEGER *number = NULL;
    enum xr_status status = XR_OK;

    if (parsed == NULL)
        return fail_openssl(err, XR_INVALID, "not a CRL");
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
    parsed = parse_crl(crl->der);
    x = full_parse(issuer->der);
    ok = parsed != NULL && x != NULL &&
         (!issuer->d.has_key_usage || (issuer->d.key_usage & XR_KU_CRL_SIGN) != 0) &&
         X509_NAME_cmp(X509_CRL_get_issuer(parsed), X509_get_subject_name(x)) == 0 &&
         X509_CRL_verify(parsed, X509_get0_pubkey(x)) == 1;

    X509_free(x);
    X509_CRL_free(parsed);
    ERR_clear_error();
    return ok;
}

/* ---- path validation ---- */

void xr_x509_engine(char out[XR_X509_ENGINE_MAX])
{
    (void)snprintf(out, XR_X509_ENGINE_MAX, "OpenSSL %s X509_verify_cert",
                   OpenSSL_version(OPENSSL_VERSION_STRING));
}

/* Certificates a lookup gave, by name; one check asks for each name once. */
struct gather {
    const struct xr_path_check *check;
    STACK_OF(X509) * untrusted; /* what the server sends, then the store's intermediates */
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
    STACK_OF(X509) * into; /* where the lookup under way goes */
};

static bool held(STACK_OF(X509) * stack, const X509 *x)
{
    for (int i = 0; i < sk_X509_num(stack); i++) {
        if (X509_cmp(sk_X509_value(stack, i), x) == 0)
            return true;
    }
    return false;
}

static enum xr_status take_cert(void *ctx, struct xr_bytes der)
{
    struct gather *g = ctx;
    X509 *x = g->into == g->anchors ? anchor_parse(der) : full_parse(der);

    ERR_clear_error();
    if (x == NULL)
        return XR_OK; /* a certificate that does not parse leads nowhere */
    if (held(g->into, x) || sk_X509_num(g->into) >= (int)CANDIDATES_MAX ||
        sk_X509_push(g->into, x) == 0)
        X509_free(x);
    return XR_OK;
}

static enum xr_status take_crl(void *ctx, struct xr_bytes der)
{
    struct gather *g = ctx;
    X509_CRL *crl = parse_crl(der);

    ERR_clear_error();
    if (crl != NULL &&
        (sk_X509_CRL_num(g->crls) >= (int)CANDIDATES_MAX || sk_X509_CRL_push(g->crls, crl) == 0))
        X509_CRL_free(crl);
    return XR_OK;
}

static enum xr_status look_up(struct gather *g, enum xr_place place, X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    enum xr_status status = XR_OK;

    if (len > 0) {
        struct xr_bytes bytes = {der, (size_t)len};
        int ok = 0;
        uint32_t hash = (uint32_t)X509_NAME_hash_ex(name, NULL, NULL, &ok);

        if (place == XR_ANCHOR)
            g->into = g->anchors;
        else if (place == XR_INTERMEDIATE)
            g->into = g->untrusted;
        if (ok)
            status = g->check->lookup(g->check->lookup_ctx, place, bytes, hash,
                                      place == XR_CRL ? take_crl : take_cert, g);
    }
    OPENSSL_free(der);
    return status;
}

static bool asked(STACK_OF(X509) * stack, int before, const X509_NAME *name)
{
    for (int i = 0; i < before; i++) {
        if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(stack, i)), name) == 0)
            return true;
    }
    return false;
}

/* Follows issuer names upwards. The untrusted stack is the work list: it only ever takes what it
 * does not hold yet, so loops of cross-signatures end. */
static enum xr_status gather_all(struct gather *g)
{
    /* Where partial chains are accepted, the one asked about may be an anchor itself. */
    enum xr_status status =
        look_up(g, XR_ANCHOR, X509_get_subject_name(sk_X509_value(g->untrusted, 0)));

    for (int i = 0; status == XR_OK && i < sk_X509_num(g->untrusted); i++) {
        X509_NAME *issuer = X509_get_issuer_name(sk_X509_value(g->untrusted, i));

        if (asked(g->untrusted, i, issuer))
            continue;
        status = look_up(g, XR_ANCHOR, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_INTERMEDIATE, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_CRL, issuer);
    }
    /* An anchor that is not self-signed is still only an element of a path for libcrypto. */
    for (int i = 0; status == XR_OK && i < sk_X509_num(g->anchors); i++) {
        X509_NAME *issuer = X509_get_issuer_name(sk_X509_value(g->anchors, i));

        if (asked(g->anchors, i, issuer) || asked(g->untrusted, sk_X509_num(g->untrusted), issuer))
            continue;
        status = look_up(g, XR_ANCHOR, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_CRL, issuer);
    }
    return status;
}

/* The store's CRLs count; that most CAs have none there is no reason to say no. */
static int tolerate(int ok, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);

    if (ok || (error != X509_V_ERR_UNABLE_TO_GET_CRL && error != X509_V_ERR_CRL_HAS_EXPIRED &&
               error != X509_V_ERR_CRL_NOT_YET_VALID))
        return ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static const struct {
    uint32_t bit;
    int id, trust;
} purposes[] = {
    {XR_SERVER, X509_PURPOSE_SSL_SERVER, X509_TRUST_SSL_SERVER},
    {XR_CLIENT, X509_PURPOSE_SSL_CLIENT, X509_TRUST_SSL_CLIENT},
    {XR_EMAIL, X509_PURPOSE_SMIME_SIGN, X509_TRUST_EMAIL},
    {XR_CODE, X509_PURPOSE_ANY, X509_TRUST_OBJECT_SIGN},
    {XR_TIME, X509_PURPOSE_TIMESTAMP_SIGN, X509_TRUST_TSA},
};

static int purpose_id(uint32_t bit, int *trust)
{
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
        if (purposes[i].bit == bit) {
            *trust = purposes[i].trust;
            return purposes[i].id;
        }
    }
    *trust = X509_TRUST_DEFAULT;
    return X509_PURPOSE_ANY;
}

/* libcrypto of this age has no purpose for code signing, and for time stamping it does not ask the
 * CAs: look at the EKU. */
static bool allows(X509 *x, uint32_t usage)
{
    return (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) == 0 ||
           (X509_get_extended_key_usage(x) & (usage | XKU_ANYEKU)) != 0;
}

static bool allowed_in_path(X509 *x, uint32_t asked, int purpose, bool as_ca)
{
    if (asked == XR_CODE)
        return allows(x, XKU_CODE_SIGN);
    if (asked == XR_TIME && !allows(x, XKU_TIMESTAMP))
        return false;
    return !as_ca || purpose == X509_PURPOSE_ANY || X509_check_purpose(x, purpose, 1) >= 1;
}

static void describe(struct xr_verdict *out, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);
    const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    char *name = NULL;

    if (x != NULL) {
        unsigned char *der = NULL;
        int len = i2d_X509_NAME(X509_get_subject_name(x), &der);

        if (len > 0)
            name = xr_x509_name_short((struct xr_bytes){der, (size_t)len});
        OPENSSL_free(der);
    }
    (void)snprintf(out->why, sizeof(out->why), "%s%s%s", X509_verify_cert_error_string(error),
                   name ? ", at " : "", name ? name : "");
    free(name);
}

static void record_path(struct xr_verdict *out, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain) && out->path_len < XR_PATH_MAX; i++) {
        if (X509_digest(sk_X509_value(chain, i), md_sha256, out->path[out->path_len], NULL) == 1)
            out->path_len++;
    }
}

static void run_check(struct xr_verdict *out, struct gather *g, X509_STORE *store, bool partial)
{
    const struct xr_probe *probe = g->check->probe;
    X509 *target = sk_X509_value(g->untrusted, 0);
    /* Whoever names a host asks about a server, whatever its certificate says of itself. */
    bool as_ca = X509_check_ca(target) > 0 && probe->host == NULL;
    int trust = X509_TRUST_DEFAULT;
    int purpose = purpose_id(probe->purpose, &trust);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = NULL;
    X509_VERIFY_PARAM *param = NULL;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, target, g->untrusted) != 1)
        goto out;
    X509_STORE_CTX_set0_trusted_stack(ctx, g->anchors);
    if (sk_X509_CRL_num(g->crls) > 0) {
        X509_STORE_CTX_set0_crls(ctx, g->crls);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
        X509_STORE_CTX_set_verify_cb(ctx, tolerate);
    }
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)probe->at);
    if (partial)
        (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (!as_ca && purpose != X509_PURPOSE_ANY)
        (void)X509_VERIFY_PARAM_set_purpose(param, purpose);
    if (trust != X509_TRUST_DEFAULT)
        (void)X509_VERIFY_PARAM_set_trust(param, trust);
    if (probe->host != NULL && X509_VERIFY_PARAM_set1_ip_asc(param, probe->host) != 1 &&
        X509_VERIFY_PARAM_set1_host(param, probe->host, 0) != 1)
        goto out;

    out->answer = X509_verify_cert(ctx) == 1 ? XR_YES : XR_NO;
    if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM)
        out->answer = XR_UNKNOWN;
    chain = X509_STORE_CTX_get0_chain(ctx);
    if (out->answer == XR_YES) {
        record_path(out, chain);
        /* With a CA as the target no purpose was set: each certificate is asked as an issuer. */
        for (int i = 0; i < sk_X509_num(chain); i++) {
            X509 *x = sk_X509_value(chain, i);
            if (!allowed_in_path(x, probe->purpose, purpose, as_ca)) {
                out->answer = XR_NO;
                out->path_len = 0;
                (void)snprintf(out->why, sizeof(out->why),
                               "certificate %d of the path may not be used for that purpose",
                               i + 1);
                break;
            }
        }
    } else {
        describe(out, ctx);
    }
out:
    X509_STORE_CTX_free(ctx);
}

/* curl, GnuTLS, Go and Python 3.13 end a path at any certificate of the store, self-signed or not. */
static void add_partial_opinion(struct xr_verdict *out, struct gather *g, X509_STORE *store)
{
    struct xr_opinion *opinion = &out->also[out->also_count++];
    struct xr_verdict second = {.size = sizeof(second)};

    run_check(&second, g, store, true);
    opinion->answer = second.answer;
    (void)snprintf(opinion->by, sizeof(opinion->by), "%s",
                   "with partial chains, as curl, GnuTLS, Go and Python 3.13 accept them");
    (void)snprintf(opinion->why, sizeof(opinion->why), "%s", second.why);
}

enum xr_status xr_x509_path_check(struct xr_verdict *out, const struct xr_path_check *check,
                                  struct xr_error *err)
{
    struct gather g = {.check = check};
    enum xr_status status = XR_OK;
    X509_STORE *store = NULL;

    ready();
    *out = (struct xr_verdict){.size = sizeof(*out)};
    xr_x509_engine(out->by);
    if (check->probe->count == 0)
        return xr_fail(err, XR_INVALID, "no certificate to verify");
    /* A store of our own: never X509_STORE_set_default_paths, so nothing of the system leaks in. */
    store = X509_STORE_new();
    g.untrusted = sk_X509_new_null();
    g.anchors = sk_X509_new_null();
    g.crls = sk_X509_CRL_new_null();
    if (store == NULL || g.untrusted == NULL || g.anchors == NULL || g.crls == NULL)
        abort();
    g.into = g.untrusted;
    for (size_t i = 0; i < check->probe->count; i++) {
        (void)take_cert(&g, check->probe->chain[i]);
        if (sk_X509_num(g.untrusted) == 0) {
            status = xr_fail(err, XR_INVALID, "OpenSSL cannot parse the certificate to verify");
            goto out;
        }
    }
    status = gather_all(&g);
    if (status == XR_OK)
        run_check(out, &g, store, check->partial);
    if (status == XR_OK && check->size >= sizeof(*check) && check->also_partial)
        add_partial_opinion(out, &g, store);
out:
    ERR_clear_error();
    sk_X509_pop_free(g.untrusted, X509_free);
    sk_X509_pop_free(g.anchors, X509_free);
    sk_X509_CRL_pop_free(g.crls, X509_CRL_free);
    X509_STORE_free(store);
    return status;
}
