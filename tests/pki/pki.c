#include "pki.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Below the enterprise number that RFC 5612 reserves for examples. */
#define UNKNOWN_OID "1.3.6.1.4.1.32473.1"

enum { ED25519_LEN = 32 };

struct pki_key {
    EVP_PKEY *pkey;
    unsigned char id[SHA_DIGEST_LENGTH];
};

/* Takes over what an i2d_ function allocated. */
static int take(struct pki_blob *out, unsigned char *der, int len)
{
    if (len <= 0)
        return -1;
    *out = (struct pki_blob){.data = der, .len = (size_t)len};
    return 0;
}

void pki_blob_free(struct pki_blob *blob)
{
    OPENSSL_free(blob->data);
    *blob = (struct pki_blob){0};
}

int pki_fail(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (reason != NULL)
        fprintf(stderr, "%s: %s\n", what, reason);
    else
        fprintf(stderr, "%s\n", what);
    ERR_clear_error();
    return -1;
}

/* --- keys --- */

static EVP_PKEY *generate(enum pki_key_type type)
{
    switch (type) {
    case PKI_EC:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case PKI_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    case PKI_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

/* What goes into the BIT STRING of the SubjectPublicKeyInfo. Asked for by itself because making an
 * X509_PUBKEY costs more than everything else that issuing does. */
static int public_bits(struct pki_blob *out, EVP_PKEY *pkey, enum pki_key_type type)
{
    unsigned char *bits = NULL;
    size_t raw_len = ED25519_LEN;
    int len = -1;
    if (type != PKI_ED25519)
        len = i2d_PublicKey(pkey, &bits);
    else if ((bits = OPENSSL_malloc(raw_len)) != NULL)
        len = EVP_PKEY_get_raw_public_key(pkey, bits, &raw_len) == 1 ? ED25519_LEN : -1;
    if (take(out, bits, len) == 0)
        return 0;
    OPENSSL_free(bits);
    return -1;
}

/* RFC 5280, 4.2.1.2, method 1. */
static int identify(struct pki_key *key, enum pki_key_type type)
{
    struct pki_blob bits = {0};
    if (public_bits(&bits, key->pkey, type) != 0)
        return -1;
    int done = EVP_Digest(bits.data, bits.len, key->id, NULL, EVP_sha1(), NULL);
    pki_blob_free(&bits);
    return done == 1 ? 0 : -1;
}

struct pki_key *pki_key_new(enum pki_key_type type)
{
    struct pki_key *key = calloc(1, sizeof *key);
    if (key == NULL)
        return NULL;
    key->pkey = generate(type);
    if (key->pkey == NULL || identify(key, type) != 0) {
        pki_key_free(key);
        return NULL;
    }
    return key;
}

void pki_key_free(struct pki_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

int pki_key_der(struct pki_blob *out, const struct pki_key *key)
{
    *out = (struct pki_blob){0};
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    if (info == NULL)
        return -1;
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    int ret = take(out, der, len);
    PKCS8_PRIV_KEY_INFO_free(info);
    return ret;
}

int pki_key_spki(struct pki_blob *out, const struct pki_key *key)
{
    *out = (struct pki_blob){0};
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    return take(out, der, len);
}

static EVP_MD_CTX *signer_new(const struct pki_key *key, bool pss)
{
    EVP_PKEY_CTX *params = NULL;
    const EVP_MD *md = EVP_PKEY_is_a(key->pkey, "ED25519") ? NULL : EVP_sha256();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestSignInit(ctx, &params, md, NULL, key->pkey) != 1)
        goto fail;
    if (pss && (EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) != 1 ||
                EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_DIGEST) != 1))
        goto fail;
    return ctx;
fail:
    EVP_MD_CTX_free(ctx);
    return NULL;
}

/* --- names, numbers, extensions --- */

static X509 *parse(const struct pki_blob *der)
{
    const unsigned char *p = der->data;
    return d2i_X509(NULL, &p, (long)der->len);
}

static X509_NAME *name_from_der(const struct pki_blob *der)
{
    const unsigned char *p = der->data;
    return d2i_X509_NAME(NULL, &p, (long)der->len);
}

static int name_add(X509_NAME *name, int nid, const char *utf8, enum pki_name_type type)
{
    static const unsigned long masks[] = {
        [PKI_UTF8] = B_ASN1_UTF8STRING,
        [PKI_PRINTABLE] = B_ASN1_PRINTABLESTRING,
        [PKI_T61] = B_ASN1_T61STRING,
        [PKI_BMP] = B_ASN1_BMPSTRING,
    };
    if (utf8 == NULL)
        return 0;
    int ret = -1;
    ASN1_STRING *value = NULL;
    if (ASN1_mbstring_ncopy(&value, (const unsigned char *)utf8, -1, MBSTRING_UTF8, masks[type], 0,
                            0) < 0 ||
        X509_NAME_add_entry_by_NID(name, nid, ASN1_STRING_type(value), ASN1_STRING_get0_data(value),
                                   ASN1_STRING_length(value), -1, 0) != 1)
        goto out;
    ret = 0;
out:
    ASN1_STRING_free(value);
    return ret;
}

static X509_NAME *name_new(const struct pki_spec *spec)
{
    if (spec->subject.len > 0)
        return name_from_der(&spec->subject);
    X509_NAME *name = X509_NAME_new();
    if (name == NULL)
        return NULL;
    if (name_add(name, NID_organizationName, spec->o, spec->name_type) != 0 ||
        name_add(name, NID_commonName, spec->cn, spec->name_type) != 0) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

static ASN1_INTEGER *random_number(void)
{
    ASN1_INTEGER *number = NULL;
    BIGNUM *bn = BN_new();
    if (bn != NULL && BN_rand(bn, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1)
        number = BN_to_ASN1_INTEGER(bn, NULL);
    BN_free(bn);
    return number;
}

static ASN1_INTEGER *number_new(const char *text)
{
    return text != NULL ? s2i_ASN1_INTEGER(NULL, text) : random_number();
}

static X509_EXTENSION *unknown_extension(void)
{
    static const unsigned char null[] = {V_ASN1_NULL, 0};
    X509_EXTENSION *ext = NULL;
    ASN1_OBJECT *oid = OBJ_txt2obj(UNKNOWN_OID, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (oid != NULL && value != NULL && ASN1_OCTET_STRING_set(value, null, sizeof null) == 1)
        ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    return ext;
}

static ASN1_OCTET_STRING *key_id_new(const struct pki_key *key)
{
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    if (id != NULL && ASN1_OCTET_STRING_set(id, key->id, sizeof key->id) != 1) {
        ASN1_OCTET_STRING_free(id);
        return NULL;
    }
    return id;
}

/* The identifiers come from the keys and not from the issuer's certificate: then version 1 issuers
 * and loops need no exception. */
static AUTHORITY_KEYID *authority_new(const struct pki_key *issuer_key)
{
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    if (authority == NULL)
        return NULL;
    authority->keyid = key_id_new(issuer_key);
    if (authority->keyid == NULL) {
        AUTHORITY_KEYID_free(authority);
        return NULL;
    }
    return authority;
}

static int cert_add_key_ids(X509 *cert, const struct pki_key *key, const struct pki_key *issuer_key)
{
    int ret = -1;
    ASN1_OCTET_STRING *subject = key_id_new(key);
    AUTHORITY_KEYID *authority = authority_new(issuer_key);
    if (subject == NULL || authority == NULL ||
        X509_add1_ext_i2d(cert, NID_subject_key_identifier, subject, 0, X509V3_ADD_APPEND) != 1 ||
        X509_add1_ext_i2d(cert, NID_authority_key_identifier, authority, 0, X509V3_ADD_APPEND) != 1)
        goto out;
    ret = 0;
out:
    AUTHORITY_KEYID_free(authority);
    ASN1_OCTET_STRING_free(subject);
    return ret;
}

static int cert_add_text(X509 *cert, int nid, const char *text)
{
    if (text == NULL || *text == '\0')
        return 0;
    X509V3_CTX ctx = {0};
    X509V3_set_ctx(&ctx, NULL, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, text);
    int ret = ext != NULL && X509_add_ext(cert, ext, -1) == 1 ? 0 : -1;
    X509_EXTENSION_free(ext);
    return ret;
}

static int cert_add_basics(X509 *cert, const struct pki_key *key, const struct pki_key *issuer_key,
                           const struct pki_spec *spec)
{
    if (spec->bare)
        return 0;
    char constraints[64] = "critical,CA:FALSE";
    if (spec->ca && spec->pathlen >= 0)
        snprintf(constraints, sizeof constraints, "critical,CA:TRUE,pathlen:%d", spec->pathlen);
    else if (spec->ca)
        snprintf(constraints, sizeof constraints, "critical,CA:TRUE");
    const char *usage = spec->key_usage;
    if (usage == NULL)
        usage = spec->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
    if (cert_add_text(cert, NID_basic_constraints, spec->silent ? "" : constraints) != 0 ||
        cert_add_text(cert, NID_key_usage, usage) != 0)
        return -1;
    return cert_add_key_ids(cert, key, issuer_key);
}

static int cert_add_extensions(X509 *cert, const struct pki_key *key,
                               const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    if (spec->version == 1)
        return 0;
    if (cert_add_basics(cert, key, issuer_key, spec) != 0 ||
        cert_add_text(cert, NID_ext_key_usage, spec->eku) != 0 ||
        cert_add_text(cert, NID_name_constraints, spec->name_constraints) != 0 ||
        cert_add_text(cert, NID_subject_alt_name, spec->san) != 0)
        return -1;
    if (!spec->unknown_critical)
        return 0;
    X509_EXTENSION *ext = unknown_extension();
    int ret = ext != NULL && X509_add_ext(cert, ext, -1) == 1 ? 0 : -1;
    X509_EXTENSION_free(ext);
    return ret;
}

/* --- certificates --- */

struct pki_spec pki_spec_ca(const char *cn, int64_t now)
{
    return (struct pki_spec){
        .cn = cn,
        .not_before = now - PKI_DAY,
        .not_after = now + 10 * PKI_YEAR,
        .version = 3,
        .ca = true,
        .pathlen = -1,
    };
}

struct pki_spec pki_spec_leaf(const char *cn, int64_t now)
{
    struct pki_spec spec = pki_spec_ca(cn, now);
    spec.ca = false;
    spec.eku = "serverAuth";
    return spec;
}

static int cert_set_names(X509 *cert, const struct pki_blob *issuer, const struct pki_spec *spec)
{
    int ret = -1;
    X509 *parent = NULL;
    X509_NAME *subject = name_new(spec);
    if (subject == NULL)
        goto out;
    const X509_NAME *issuer_name = subject;
    if (issuer != NULL) {
        parent = parse(issuer);
        if (parent == NULL)
            goto out;
        issuer_name = X509_get_subject_name(parent);
    }
    if (X509_set_subject_name(cert, subject) != 1 || X509_set_issuer_name(cert, issuer_name) != 1)
        goto out;
    ret = 0;
out:
    X509_free(parent);
    X509_NAME_free(subject);
    return ret;
}

static int cert_set_fields(X509 *cert, const struct pki_key *key, const struct pki_spec *spec)
{
    int ret = -1;
    ASN1_INTEGER *serial = number_new(spec->serial);
    if (serial == NULL ||
        X509_set_version(cert, spec->version == 1 ? X509_VERSION_1 : X509_VERSION_3) != 1 ||
        X509_set_serialNumber(cert, serial) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)spec->not_before) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)spec->not_after) == NULL ||
        X509_set_pubkey(cert, key->pkey) != 1)
        goto out;
    if (spec->utc_time != NULL &&
        ASN1_STRING_set(X509_getm_notBefore(cert), spec->utc_time, -1) != 1)
        goto out;
    ret = 0;
out:
    ASN1_INTEGER_free(serial);
    return ret;
}

/* Wine 8 takes a good ECDSA signature for a wrong one when a number of it is short, as one of 128 is:
 * no fixture has such. */
static bool has_short_number(const X509 *cert)
{
    const ASN1_BIT_STRING *bits = NULL;
    const unsigned char *at = NULL;
    ECDSA_SIG *sig = NULL;
    const BIGNUM *r = NULL, *s = NULL;
    bool is_short = false;

    if (X509_get_signature_nid(cert) != NID_ecdsa_with_SHA256)
        return false;
    X509_get0_signature(&bits, NULL, cert);
    at = ASN1_STRING_get0_data(bits);
    sig = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(bits));
    if (sig != NULL) {
        ECDSA_SIG_get0(sig, &r, &s);
        is_short = BN_num_bytes(r) < 32 || BN_num_bytes(s) < 32;
    }
    ECDSA_SIG_free(sig);
    return is_short;
}

int pki_issue(struct pki_blob *out, const struct pki_key *key, const struct pki_blob *issuer,
              const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    *out = (struct pki_blob){0};
    if (issuer_key == NULL)
        issuer_key = key;
    int ret = -1;
    X509 *cert = X509_new();
    EVP_MD_CTX *signer = signer_new(issuer_key, spec->pss);
    if (cert == NULL || signer == NULL || cert_set_fields(cert, key, spec) != 0 ||
        cert_set_names(cert, issuer, spec) != 0 ||
        cert_add_extensions(cert, key, issuer_key, spec) != 0 || X509_sign_ctx(cert, signer) <= 0)
        goto out;
    while (has_short_number(cert)) {
        EVP_MD_CTX_free(signer);
        signer = signer_new(issuer_key, spec->pss);
        if (signer == NULL || X509_sign_ctx(cert, signer) <= 0)
            goto out;
    }
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    ret = take(out, der, len);
out:
    EVP_MD_CTX_free(signer);
    X509_free(cert);
    return ret;
}

static int add_uses(X509 *cert, const char *const *uses, int (*add)(X509 *, const ASN1_OBJECT *))
{
    for (; uses != NULL && *uses != NULL; uses++) {
        ASN1_OBJECT *oid = OBJ_txt2obj(*uses, 0);
        int added = oid != NULL && add(cert, oid) == 1;
        ASN1_OBJECT_free(oid);
        if (!added)
            return -1;
    }
    return 0;
}

int pki_trusted(struct pki_blob *out, const struct pki_blob *cert, const char *const *trust,
                const char *const *reject, const char *alias)
{
    *out = (struct pki_blob){0};
    int ret = -1;
    X509 *x = parse(cert);
    if (x == NULL || add_uses(x, trust, X509_add1_trust_object) != 0 ||
        add_uses(x, reject, X509_add1_reject_object) != 0)
        goto out;
    if (alias != NULL && X509_alias_set1(x, (const unsigned char *)alias, -1) != 1)
        goto out;
    unsigned char *der = NULL;
    int len = i2d_X509_AUX(x, &der);
    ret = take(out, der, len);
out:
    X509_free(x);
    return ret;
}

size_t pki_patch(struct pki_blob *blob, const void *from, const void *to, size_t len)
{
    size_t found = 0;
    for (size_t at = 0; at + len <= blob->len; at++) {
        if (memcmp(blob->data + at, from, len) != 0)
            continue;
        memcpy(blob->data + at, to, len);
        found++;
    }
    return found;
}

int pki_fingerprint(char *hex, size_t size, const char *digest, const struct pki_blob *blob)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    size_t len = 0;
    if (EVP_Q_digest(NULL, digest, NULL, blob->data, blob->len, md, &len) != 1 ||
        size < 2 * len + 1)
        return -1;
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", md[i]);
    return 0;
}

/* --- CRLs and PKCS#7 --- */

static int crl_set_time(X509_CRL *crl, int (*set)(X509_CRL *, const ASN1_TIME *), int64_t when)
{
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)when);
    int ret = t != NULL && set(crl, t) == 1 ? 0 : -1;
    ASN1_TIME_free(t);
    return ret;
}

static int crl_add_number(X509_CRL *crl, int nid, const char *text, int critical)
{
    if (text == NULL)
        return 0;
    ASN1_INTEGER *number = number_new(text);
    int ret =
        number != NULL && X509_CRL_add1_ext_i2d(crl, nid, number, critical, X509V3_ADD_APPEND) == 1
            ? 0
            : -1;
    ASN1_INTEGER_free(number);
    return ret;
}

static int crl_revoke(X509_CRL *crl, const char *serial, int64_t when)
{
    int ret = -1;
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *number = number_new(serial);
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)when);
    if (entry == NULL || number == NULL || t == NULL ||
        X509_REVOKED_set_serialNumber(entry, number) != 1 ||
        X509_REVOKED_set_revocationDate(entry, t) != 1 || X509_CRL_add0_revoked(crl, entry) != 1)
        goto out;
    entry = NULL;
    ret = 0;
out:
    ASN1_TIME_free(t);
    ASN1_INTEGER_free(number);
    X509_REVOKED_free(entry);
    return ret;
}

static int crl_add_extensions(X509_CRL *crl, const struct pki_key *issuer_key,
                              const struct pki_crl_spec *spec)
{
    int ret = -1;
    X509_EXTENSION *unknown = NULL;
    AUTHORITY_KEYID *authority = authority_new(issuer_key);
    if (authority == NULL ||
        X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0, X509V3_ADD_APPEND) !=
            1 ||
        crl_add_number(crl, NID_crl_number, spec->number, 0) != 0 ||
        crl_add_number(crl, NID_delta_crl, spec->base, 1) != 0)
        goto out;
    if (spec->unknown_critical) {
        unknown = unknown_extension();
        if (unknown == NULL || X509_CRL_add_ext(crl, unknown, -1) != 1)
            goto out;
    }
    ret = 0;
out:
    X509_EXTENSION_free(unknown);
    AUTHORITY_KEYID_free(authority);
    return ret;
}

static int crl_set_fields(X509_CRL *crl, const X509 *issuer, const struct pki_crl_spec *spec)
{
    if (X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) != 1 ||
        crl_set_time(crl, X509_CRL_set1_lastUpdate, spec->this_update) != 0)
        return -1;
    if (spec->next_update != PKI_NO_TIME &&
        crl_set_time(crl, X509_CRL_set1_nextUpdate, spec->next_update) != 0)
        return -1;
    for (const char *const *serial = spec->revoked; serial != NULL && *serial != NULL; serial++)
        if (crl_revoke(crl, *serial, spec->this_update) != 0)
            return -1;
    return 0;
}

int pki_crl(struct pki_blob *out, const struct pki_blob *issuer, const struct pki_key *issuer_key,
            const struct pki_crl_spec *spec)
{
    *out = (struct pki_blob){0};
    int ret = -1;
    X509_CRL *crl = X509_CRL_new();
    X509 *parent = parse(issuer);
    EVP_MD_CTX *signer = signer_new(issuer_key, spec->pss);
    if (crl == NULL || parent == NULL || signer == NULL || crl_set_fields(crl, parent, spec) != 0 ||
        crl_add_extensions(crl, issuer_key, spec) != 0 || X509_CRL_sort(crl) != 1 ||
        X509_CRL_sign_ctx(crl, signer) <= 0)
        goto out;
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    ret = take(out, der, len);
out:
    EVP_MD_CTX_free(signer);
    X509_free(parent);
    X509_CRL_free(crl);
    return ret;
}

static int bag_add_cert(PKCS7 *bag, const struct pki_blob *der)
{
    X509 *cert = parse(der);
    int ret = cert != NULL && PKCS7_add_certificate(bag, cert) == 1 ? 0 : -1;
    X509_free(cert);
    return ret;
}

static int bag_add_crl(PKCS7 *bag, const struct pki_blob *der)
{
    const unsigned char *p = der->data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der->len);
    int ret = crl != NULL && PKCS7_add_crl(bag, crl) == 1 ? 0 : -1;
    X509_CRL_free(crl);
    return ret;
}

int pki_pkcs7(struct pki_blob *out, const struct pki_blob *certs, size_t n_certs,
              const struct pki_blob *crls, size_t n_crls)
{
    *out = (struct pki_blob){0};
    int ret = -1;
    PKCS7 *bag = PKCS7_new();
    if (bag == NULL || PKCS7_set_type(bag, NID_pkcs7_signed) != 1)
        goto out;
    /* PKCS7_content_new() would add an empty OCTET STRING that no other tool writes here. */
    bag->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
    for (size_t i = 0; i < n_certs; i++)
        if (bag_add_cert(bag, &certs[i]) != 0)
            goto out;
    for (size_t i = 0; i < n_crls; i++)
        if (bag_add_crl(bag, &crls[i]) != 0)
            goto out;
    unsigned char *der = NULL;
    int len = i2d_PKCS7(bag, &der);
    ret = take(out, der, len);
out:
    PKCS7_free(bag);
    return ret;
}

/* --- files --- */

static int write_blob(FILE *f, const char *label, const struct pki_blob *der)
{
    BIO *memory = NULL;
    char *text = NULL;
    long len = 0;
    int ret = -1;

    if (label == NULL)
        return fwrite(der->data, 1, der->len, f) == der->len ? 0 : -1;
    memory = BIO_new(BIO_s_mem()); /* a libcrypto may lack what writes into a FILE */
    if (memory != NULL && PEM_write_bio(memory, label, "", der->data, (long)der->len) > 0)
        len = BIO_get_mem_data(memory, &text);
    if (len > 0 && fwrite(text, 1, (size_t)len, f) == (size_t)len)
        ret = 0;
    BIO_free(memory);
    return ret;
}

static int write_file(const char *path, const char *mode, const char *label,
                      const struct pki_blob *der)
{
    FILE *f = fopen(path, mode);
    if (f == NULL)
        return -1;
    int ret = write_blob(f, label, der);
    if (fclose(f) != 0)
        ret = -1;
    return ret;
}

int pki_write_der(const char *path, const struct pki_blob *der)
{
    return write_file(path, "wb", NULL, der);
}

int pki_write_pem(const char *path, const char *label, const struct pki_blob *der)
{
    return write_file(path, "wb", label, der);
}

int pki_append_pem(const char *path, const char *label, const struct pki_blob *der)
{
    return write_file(path, "ab", label, der);
}
