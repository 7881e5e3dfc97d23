/* SPDX-License-Identifier: Apache-2.0 */
/* What libcrypto says: fingerprints, signatures, names, CRLs and paths. */
#include "certs/containers.h"
#include "certs/x509.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define NOW INT64_C(1800000000)

/* ---- names ---- */

/* A name of one to four attributes in every string type, with blanks and capitals all over. */
static X509_NAME *random_name(unsigned *seed)
{
    static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING,
                                V_ASN1_T61STRING,  V_ASN1_BMPSTRING,       V_ASN1_VISIBLESTRING};
    static const char *const fields[] = {"CN", "O", "OU", "C", "emailAddress", "serialNumber"};
    X509_NAME *name = X509_NAME_new();
    unsigned count = (unsigned)rand_r(seed) % 5;

    for (unsigned i = 0; i < count; i++) {
        unsigned char text[160];
        int len = rand_r(seed) % 8 == 0 ? rand_r(seed) % 150 : rand_r(seed) % 20;

        for (int k = 0; k < len; k++) {
            static const char letters[] = "aBcD  \t XyZ019-.,\r\n\v";
            int pick = rand_r(seed) % 40;

            text[k] = (unsigned char)letters[(size_t)pick % (sizeof(letters) - 1)];
            if (pick == 0)
                text[k] = 0xc3; /* not UTF-8 alone */
            else if (pick == 1)
                text[k] = (unsigned char)(rand_r(seed) % 128);
        }
        (void)X509_NAME_add_entry_by_txt(name, fields[rand_r(seed) % 6], types[rand_r(seed) % 6],
                                         text, len, -1, rand_r(seed) % 8 == 0 ? -1 : 0);
    }
    return name;
}

Test(x509, the_hash_of_a_name_is_libcryptos_whatever_is_in_it)
{
    unsigned seed = 20261123;
    unsigned plain = 0;

    for (unsigned i = 0; i < 20000; i++) {
        X509_NAME *name = random_name(&seed);
        unsigned char *der = NULL;
        int len = i2d_X509_NAME(name, &der), ok = 0;
        uint32_t ours = 0;
        enum xr_status status = XR_OK;
        X509_NAME *again = NULL;
        const unsigned char *at = der;

        if (len <= 0) { /* libcrypto itself does not write it */
            X509_NAME_free(name);
            continue;
        }
        again = d2i_X509_NAME(NULL, &at, len);
        status = xr_x509_name_hash(&ours, (struct xr_bytes){der, (size_t)len}, NULL);
        if (again == NULL) {
            cr_assert_neq(status, XR_OK);
        } else {
            unsigned long theirs = X509_NAME_hash_ex(again, NULL, NULL, &ok);

            cr_assert_eq(status == XR_OK, ok == 1);
            cr_assert(!ok || theirs == ours, "name %u: %08lx, not %08x", i, theirs, ours);
            plain += ok == 1;
        }
        X509_NAME_free(again);
        X509_NAME_free(name);
        OPENSSL_free(der);
    }
    cr_assert_gt(plain, 5000);
}

/* ---- fixtures ---- */

static struct xr_bytes bytes_of(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

static struct pki_key *key_new(enum pki_key_type type)
{
    struct pki_key *key = pki_key_new(type);

    cr_assert(key != NULL);
    return key;
}

static struct pki_blob issue(const struct pki_key *key, const struct pki_blob *issuer,
                             const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    struct pki_blob cert;

    cr_assert(pki_issue(&cert, key, issuer, issuer_key, spec) == 0);
    return cert;
}

static struct xr_cert *load(const struct pki_blob *blob)
{
    struct xr_cert *cert = NULL;
    struct xr_error err = {0};

    cr_assert_eq(xr_cert_new(&cert, bytes_of(blob), &err), XR_OK, "%s", err.text);
    return cert;
}

/* Issues, loads and forgets the bytes. */
static struct xr_cert *made(const struct pki_key *key, const struct pki_blob *issuer,
                            const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    struct pki_blob blob = issue(key, issuer, issuer_key, spec);
    struct xr_cert *cert = load(&blob);

    pki_blob_free(&blob);
    return cert;
}

static bool digest_is(const unsigned char *digest, size_t len, const char *name,
                      const struct pki_blob *blob)
{
    char ours[2 * 32 + 1], theirs[2 * 32 + 1];

    xr_hex(ours, digest, len);
    return pki_fingerprint(theirs, sizeof(theirs), name, blob) == 0 && strcmp(ours, theirs) == 0;
}

/* Signs again, after `change` has been at it. */
static struct pki_blob resigned(const struct pki_blob *cert, const struct pki_key *issuer_key,
                                const EVP_MD *md, void (*change)(X509 *x))
{
    struct pki_blob key_der, out = {0};
    const unsigned char *at = cert->data, *key_at = NULL;
    X509 *x = d2i_X509(NULL, &at, (long)cert->len);
    EVP_PKEY *key = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *tbs = NULL, signature[512];
    size_t signature_len = sizeof(signature);
    const ASN1_BIT_STRING *bits = NULL;
    int len = 0;

    cr_assert(x != NULL && ctx != NULL && pki_key_der(&key_der, issuer_key) == 0);
    key_at = key_der.data;
    key = d2i_AutoPrivateKey(NULL, &key_at, (long)key_der.len);
    change(x);
    len = i2d_re_X509_tbs(x, &tbs);
    cr_assert(len > 0 && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
              EVP_DigestSign(ctx, signature, &signature_len, tbs, (size_t)len) == 1);
    X509_get0_signature(&bits, NULL, x);
    cr_assert(ASN1_STRING_set((ASN1_STRING *)(uintptr_t)bits, signature, (int)signature_len) == 1);
    len = i2d_X509(x, &out.data);
    cr_assert(len > 0);
    out.len = (size_t)len;
    OPENSSL_free(tbs);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    X509_free(x);
    pki_blob_free(&key_der);
    return out;
}

/* ---- certificates ---- */

Test(x509, fingerprints_are_those_openssl_computes)
{
    static const enum pki_key_type types[] = {PKI_EC, PKI_RSA, PKI_ED25519};

    for (size_t i = 0; i < 3; i++) {
        struct pki_spec spec = pki_spec_ca("A", NOW);
        struct pki_key *key = key_new(types[i]);
        struct pki_blob blob = issue(key, NULL, NULL, &spec), spki;
        struct xr_cert *cert = load(&blob);
        unsigned char sum[XR_SHA256_LEN];

        cr_assert(pki_key_spki(&spki, key) == 0);
        cr_assert(digest_is(cert->sha256, 32, "SHA256", &blob));
        xr_cert_sha1(sum, cert);
        cr_assert(digest_is(sum, 20, "SHA1", &blob));
        cr_assert(digest_is(cert->spki_sha256, 32, "SHA256", &spki));
        xr_x509_sha256(sum, bytes_of(&blob));
        cr_assert(memcmp(sum, cert->sha256, sizeof(sum)) == 0);
        cr_assert(cert->der.data != blob.data && xr_bytes_equal(cert->der, bytes_of(&blob)));
        xr_cert_free(cert);
        pki_blob_free(&spki);
        pki_blob_free(&blob);
        pki_key_free(key);
    }
}

Test(x509, a_certificate_lives_until_its_last_reference_goes)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct xr_cert *cert = made(key, NULL, NULL, &spec);
    struct xr_cert *again = xr_cert_ref(cert);

    cr_assert(again == cert && cert->refs == 2);
    xr_cert_free(cert);
    cr_assert(again->der.len > 0 && again->refs == 1);
    xr_cert_free(again);
    xr_cert_free(NULL);
    pki_key_free(key);
}

Test(x509, what_is_no_certificate_makes_none)
{
    struct xr_cert *cert = NULL;
    struct xr_error err = {0};

    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){0}, &err), XR_INVALID);
    cr_assert(cert == NULL && err.status == XR_INVALID && err.text[0] != '\0');
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){(const unsigned char *)"\x30\x00", 2}, NULL),
                 XR_INVALID);
    cr_assert_null(cert);
}

Test(x509, signatures_of_every_key_type_are_checked)
{
    static const struct {
        enum pki_key_type type;
        bool pss;
    } cases[] = {{PKI_RSA, false}, {PKI_EC, false}, {PKI_ED25519, false}, {PKI_RSA, true}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_spec spec = pki_spec_ca("Root", NOW);
        struct pki_key *key = key_new(cases[i].type), *other = key_new(cases[i].type);
        struct pki_key *leaf_key = key_new(PKI_EC);
        struct pki_blob root_blob, leaf_blob;
        struct xr_cert *root = NULL, *twin = NULL, *leaf = NULL;

        spec.pss = cases[i].pss;
        root_blob = issue(key, NULL, NULL, &spec);
        root = load(&root_blob);
        twin = made(other, NULL, NULL, &spec); /* same name, another key */
        spec = pki_spec_leaf("Leaf", NOW);
        spec.pss = cases[i].pss;
        leaf_blob = issue(leaf_key, &root_blob, key, &spec);
        leaf = load(&leaf_blob);

        cr_assert(xr_cert_self_signed(root), "%zu", i);
        cr_assert(xr_cert_signed_by(root, root), "%zu", i);
        cr_assert(xr_cert_signed_by(leaf, root), "%zu", i);
        cr_assert(!xr_cert_signed_by(leaf, twin), "%zu", i);
        cr_assert(!xr_cert_signed_by(root, twin), "%zu", i);
        cr_assert(!xr_cert_signed_by(root, leaf), "%zu", i);
        cr_assert(!xr_cert_self_signed(leaf), "%zu", i);
        xr_cert_free(leaf);

        leaf_blob.data[leaf_blob.len - 1] ^= 1; /* the signature */
        leaf = load(&leaf_blob);
        cr_assert(!xr_cert_signed_by(leaf, root), "%zu", i);
        xr_cert_free(leaf);
        leaf_blob.data[leaf_blob.len - 1] ^= 1;
        leaf_blob.data[20] ^= 1; /* the serial number */
        leaf = load(&leaf_blob);
        cr_assert(!xr_cert_signed_by(leaf, root), "%zu", i);

        xr_cert_free(leaf);
        xr_cert_free(twin);
        xr_cert_free(root);
        pki_blob_free(&root_blob);
        pki_blob_free(&leaf_blob);
        pki_key_free(key);
        pki_key_free(other);
        pki_key_free(leaf_key);
    }
}

static void name_oiw_algorithm(X509 *x)
{
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(NULL, &outer, x);
    cr_assert(X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(x),
                              OBJ_nid2obj(NID_sha1WithRSA), V_ASN1_NULL, NULL) == 1 &&
              X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)outer, OBJ_nid2obj(NID_sha1WithRSA),
                              V_ASN1_NULL, NULL) == 1);
}

Test(x509, the_old_name_of_sha1_with_rsa_is_a_signature)
{
    struct pki_spec spec = pki_spec_ca("Joe's-Software-Emporium", NOW); /* as makecert does */
    struct pki_key *key = key_new(PKI_RSA);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct pki_blob old = resigned(&blob, key, EVP_sha1(), name_oiw_algorithm);
    struct xr_cert *cert = load(&old);

    cr_assert(xr_cert_accepted(cert, NULL) && !cert->d.alg_mismatch);
    cr_assert(xr_cert_self_signed(cert));
    xr_cert_free(cert);
    pki_blob_free(&old);
    pki_blob_free(&blob);
    pki_key_free(key);
}

Test(x509, keys_of_another_type_have_not_signed)
{
    struct pki_spec spec = pki_spec_ca("Root", NOW);
    struct pki_key *keys[] = {key_new(PKI_RSA), key_new(PKI_EC), key_new(PKI_ED25519)};
    struct xr_cert *certs[3];

    for (size_t i = 0; i < 3; i++)
        certs[i] = made(keys[i], NULL, NULL, &spec);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 3; k++)
            cr_assert(xr_cert_signed_by(certs[i], certs[k]) == (i == k), "%zu by %zu", i, k);
    }
    for (size_t i = 0; i < 3; i++) {
        xr_cert_free(certs[i]);
        pki_key_free(keys[i]);
    }
}

Test(x509, a_root_with_somebody_elses_signature_is_not_self_signed)
{
    struct pki_spec spec = pki_spec_ca("Root", NOW);
    struct pki_key *key = key_new(PKI_EC), *thief = key_new(PKI_EC);
    struct xr_cert *forged = made(key, NULL, thief, &spec);
    struct xr_cert *thiefs = made(thief, NULL, NULL, &spec);

    cr_assert(xr_x509_name_equal(forged->d.slices.subject, forged->d.slices.issuer));
    cr_assert(!xr_cert_self_signed(forged));
    cr_assert(xr_cert_signed_by(forged, thiefs));
    xr_cert_free(forged);
    xr_cert_free(thiefs);
    pki_key_free(key);
    pki_key_free(thief);
}

Test(x509, an_algorithm_changed_outside_the_signature_is_no_signature)
{
    struct pki_spec spec = pki_spec_ca("Root", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct xr_cert *cert = load(&blob);
    size_t at = (size_t)(cert->d.signature_alg.data - cert->der.data) + cert->d.signature_alg.len;

    cr_assert(xr_cert_self_signed(cert));
    xr_cert_free(cert);
    blob.data[at - 1] ^= 1; /* ecdsa-with-SHA256 becomes -SHA384 */
    cert = load(&blob);
    cr_assert(cert->d.alg_mismatch && !xr_cert_self_signed(cert));
    xr_cert_free(cert);
    pki_blob_free(&blob);
    pki_key_free(key);
}

Test(x509, a_ca_says_so_in_its_extensions)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob other = issue(key, NULL, NULL, &spec);
    struct xr_cert *cert = NULL;
    const struct {
        const char *what;
        bool ca, bare, is_ca;
        int version;
        const char *key_usage;
        const struct pki_blob *issuer;
    } cases[] = {
        {"a CA", true, false, true, 3, NULL, NULL},
        {"a CA by another", true, false, true, 3, NULL, &other},
        {"a CA without key usage", true, false, true, 3, "", NULL},
        {"a CA that may only sign CRLs", true, false, false, 3, "cRLSign", NULL},
        {"a CA of other uses", true, false, false, 3, "digitalSignature", NULL},
        {"a leaf", false, false, false, 3, NULL, NULL},
        {"a leaf that may sign certificates", false, false, false, 3, "keyCertSign", NULL},
        {"version 3 that says nothing", false, true, false, 3, NULL, NULL},
        {"version 1, its own issuer", false, false, true, 1, NULL, NULL},
        {"version 1, issued by another", false, false, false, 1, NULL, &other},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spec = pki_spec_ca("B", NOW);
        spec.ca = cases[i].ca;
        spec.bare = cases[i].bare;
        spec.version = cases[i].version;
        spec.key_usage = cases[i].key_usage;
        cert = made(key, cases[i].issuer, key, &spec);
        cr_assert(xr_cert_is_ca(cert) == cases[i].is_ca, "%s", cases[i].what);
        cert->d.malformed = true;
        cr_assert(!xr_cert_is_ca(cert), "%s, malformed", cases[i].what);
        xr_cert_free(cert);
    }
    pki_blob_free(&other);
    pki_key_free(key);
}

Test(x509, libcrypto_is_asked_whether_it_accepts_a_certificate)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct xr_cert *cert = load(&blob);
    struct xr_error err = {0};
    size_t spki = 0;

    cr_assert(xr_cert_accepted(cert, &err), "%s", err.text);
    cr_assert_null(xr_cert_key_complaint(cert));
    spki = (size_t)(cert->d.slices.spki.data - cert->der.data) + cert->d.slices.spki.len;
    xr_cert_free(cert);
    blob.data[spki - 1] ^= 1; /* a point that is not on the curve */
    cert = load(&blob);
    cr_assert(!xr_cert_accepted(cert, &err));
    cr_assert_eq(err.status, XR_INVALID);
    cr_assert(strstr(err.text, "OpenSSL does not accept") != NULL);
    cr_assert(!xr_cert_accepted(cert, NULL));
    cr_assert_not_null(xr_cert_key_complaint(cert));
    cr_assert(!xr_cert_signed_by(cert, cert));
    xr_cert_free(cert);
    pki_blob_free(&blob);
    pki_key_free(key);
}

/* ---- signatures that cannot be checked ---- */

static enum xr_answer own_signature(const struct pki_blob *blob, struct xr_error *why)
{
    struct xr_cert *cert = load(blob);
    enum xr_answer answer = XR_NO;

    *why = (struct xr_error){0};
    answer = xr_cert_check_signature(cert, cert, why);
    cr_assert_eq(xr_cert_self_signed(cert), answer == XR_YES, "%s", why->text);
    xr_cert_free(cert);
    return answer;
}

Test(x509, a_digest_that_libcrypto_lacks_is_no_wrong_signature)
{
    struct pki_spec spec = pki_spec_ca("Old as MD2", NOW);
    struct pki_key *key = key_new(PKI_RSA), *other = key_new(PKI_EC);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct pki_blob ec = issue(other, NULL, NULL, &spec);
    struct xr_error why;
    struct xr_cert *cert = NULL, *wrong = NULL;

    cr_assert_eq(own_signature(&blob, &why), XR_YES);
    cr_assert_eq(pki_patch(&blob, PKI_SHA256_RSA, PKI_MD2_RSA, sizeof(PKI_MD2_RSA) - 1), 2);
    cr_assert_eq(own_signature(&blob, &why), XR_UNKNOWN);
    cr_assert(strstr(why.text, "md2WithRSAEncryption") != NULL, "%s", why.text);
    cert = load(&blob);
    cr_assert(xr_cert_accepted(cert, &why), "%s", why.text);
    wrong = load(&ec);
    cr_assert_eq(xr_cert_check_signature(cert, wrong, NULL), XR_NO, "an EC key makes none of RSA");
    blob.data[blob.len - 1] ^= 1;
    cr_assert_eq(own_signature(&blob, &why), XR_UNKNOWN, "nobody can tell");
    xr_cert_free(cert);
    xr_cert_free(wrong);
    pki_blob_free(&ec);
    pki_blob_free(&blob);
    pki_key_free(key);
    pki_key_free(other);
}

Test(x509, an_unknown_algorithm_or_key_is_no_wrong_signature)
{
    static const char unknown[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x7e";
    struct pki_spec spec = pki_spec_ca("Of Tomorrow", NOW);
    struct pki_key *rsa = key_new(PKI_RSA), *ec = key_new(PKI_EC);
    struct pki_blob blob = issue(rsa, NULL, NULL, &spec);
    struct xr_error why;
    struct xr_cert *cert = NULL;

    cr_assert_eq(pki_patch(&blob, PKI_SHA256_RSA, unknown, sizeof(unknown) - 1), 2);
    cr_assert_eq(own_signature(&blob, &why), XR_UNKNOWN);
    cr_assert(strstr(why.text, "1.2.840.113549.1.1.126") != NULL, "%s", why.text);
    pki_blob_free(&blob);

    blob = issue(ec, NULL, NULL, &spec);
    cr_assert_eq(pki_patch(&blob, PKI_EC_KEY, PKI_NO_KEY, sizeof(PKI_NO_KEY) - 1), 1);
    cr_assert_eq(own_signature(&blob, &why), XR_UNKNOWN);
    cr_assert(strstr(why.text, "does not know the type of its public key") != NULL, "%s", why.text);
    cert = load(&blob);
    cr_assert(xr_cert_accepted(cert, &why), "programs can still read it: %s", why.text);
    xr_cert_free(cert);
    pki_blob_free(&blob);
    pki_key_free(rsa);
    pki_key_free(ec);
}

/* Signs the certificate again, with a DigestInfo that has no NULL. */
static void sign_without_null(struct pki_blob *blob, const struct pki_key *key, bool of_other)
{
    static const unsigned char head[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                         0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
    unsigned char info[sizeof(head) + XR_SHA256_LEN], signature[512];
    size_t len = sizeof(signature);
    struct pki_blob key_der;
    const unsigned char *at = NULL;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    struct xr_cert *cert = load(blob);

    cr_assert_eq(pki_key_der(&key_der, key), 0);
    at = key_der.data;
    pkey = d2i_AutoPrivateKey(NULL, &at, (long)key_der.len);
    ctx = EVP_PKEY_CTX_new(pkey, NULL);
    memcpy(info, head, sizeof(head));
    xr_x509_sha256(info + sizeof(head), cert->d.slices.tbs);
    info[sizeof(head)] ^= of_other;
    cr_assert(EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_sign(ctx, signature, &len, info, sizeof(info)) == 1);
    cr_assert_eq(len, cert->d.signature.len);
    memcpy(blob->data + (cert->d.signature.data - cert->der.data), signature, len);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    pki_blob_free(&key_der);
    xr_cert_free(cert);
}

Test(x509, a_digest_info_without_null_is_no_wrong_signature)
{
    struct pki_spec spec = pki_spec_ca("No NULL", NOW);
    struct pki_key *key = key_new(PKI_RSA);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct xr_error why;

    sign_without_null(&blob, key, false);
    cr_assert_eq(own_signature(&blob, &why), XR_UNKNOWN);
    cr_assert(strstr(why.text, "lacks the NULL") != NULL, "%s", why.text);
    sign_without_null(&blob, key, true);
    cr_assert_eq(own_signature(&blob, &why), XR_NO, "of another digest it is wrong");
    pki_blob_free(&blob);
    pki_key_free(key);
}

/* ---- what libcrypto does not accept ---- */

/* The reason, in a static buffer. */
static const char *not_accepted(const struct pki_blob *blob)
{
    static struct xr_error err;
    struct xr_cert *cert = load(blob);

    err = (struct xr_error){0};
    cr_assert_not(xr_cert_accepted(cert, &err));
    xr_cert_free(cert);
    return err.text;
}

Test(x509, what_libcrypto_does_not_accept_is_said_in_plain_words)
{
    static const char value[] = "\x55\x1d\x11\x04\x0b\x30\x09\x82\x07",
                      broken[] = "\x55\x1d\x11\x04\x0b\x30\x0a\x82\x07";
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob;

    spec.serial = "0x0100";
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_eq(pki_patch(&blob, "\x02\x02\x01\x00", "\x02\x02\x00\x01", 4), 1);
    cr_assert_str_eq(not_accepted(&blob), "its serial number is not in the shortest form, which "
                                          "OpenSSL does not accept");
    pki_blob_free(&blob);

    spec = pki_spec_ca("Caf\u00e9", NOW);
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_eq(pki_patch(&blob, "\xc3\xa9", "\xff\xff", 2), 2);
    cr_assert_str_eq(not_accepted(&blob),
                     "its subject name cannot be decoded, which OpenSSL does not accept");
    pki_blob_free(&blob);

    spec = pki_spec_ca("A", NOW);
    spec.utc_time = "2501010000Z";
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_str_eq(not_accepted(&blob), "its date has no seconds, which OpenSSL does not accept");
    pki_blob_free(&blob);
    spec.utc_time = "250101000000+0900";
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_str_eq(not_accepted(&blob),
                     "its date has a time zone instead of Z, which OpenSSL does not accept");
    pki_blob_free(&blob);

    spec = pki_spec_ca("A", NOW);
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_eq(pki_patch(&blob, PKI_CA_VALUE, PKI_BROKEN_VALUE, sizeof(PKI_CA_VALUE) - 1), 1);
    cr_assert_str_eq(not_accepted(&blob), "its extension X509v3 Basic Constraints cannot be read, "
                                          "which OpenSSL does not accept");
    pki_blob_free(&blob);
    spec.san = "DNS:abc.def";
    blob = issue(key, NULL, NULL, &spec);
    cr_assert_eq(pki_patch(&blob, value, broken, sizeof(value) - 1), 1);
    cr_assert_str_eq(not_accepted(&blob), "its extension X509v3 Subject Alternative Name cannot be "
                                          "read, which OpenSSL does not accept");
    pki_blob_free(&blob);
    pki_key_free(key);
}

static bool libcrypto_takes(const struct pki_blob *blob)
{
    const unsigned char *at = blob->data;
    X509 *x = d2i_X509(NULL, &at, (long)blob->len);
    time_t some = 0;
    bool takes = x != NULL && at == blob->data + blob->len && X509_get0_pubkey(x) != NULL &&
                 (X509_get_extension_flags(x) & EXFLAG_INVALID) == 0 &&
                 X509_cmp_time(X509_get0_notBefore(x), &some) != 0 &&
                 X509_cmp_time(X509_get0_notAfter(x), &some) != 0;

    X509_free(x);
    return takes;
}

Test(x509, nothing_is_accepted_that_libcrypto_does_not_take)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = {0};
    size_t accepted = 0;

    spec.o = "Organization";
    spec.san = "DNS:abc.def";
    spec.eku = "serverAuth";
    blob = issue(key, NULL, NULL, &spec);
    for (size_t bit = 0; bit < 8 * blob.len; bit++) {
        struct xr_cert *cert = NULL;

        blob.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (xr_cert_new(&cert, bytes_of(&blob), NULL) == XR_OK) {
            const char *complaint = xr_cert_key_complaint(cert);
            bool unknown = complaint != NULL && strstr(complaint, "does not know") != NULL;

            if (xr_cert_accepted(cert, NULL)) {
                accepted++;
                cr_assert(libcrypto_takes(&blob) || unknown, "bit %zu", bit);
            }
            xr_cert_free(cert);
        }
        blob.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    cr_assert_gt(accepted, blob.len, "most bits do not matter for that");
    pki_blob_free(&blob);
    pki_key_free(key);
}

Test(x509, of_every_day_of_a_year_what_libcrypto_takes_is_accepted)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct xr_cert *first = load(&blob);
    const struct xr_bytes *issuer = &first->d.slices.issuer;
    /* SEQUENCE and UTCTime, each with its length, stand before YYMMDDHHMMSSZ. */
    unsigned char *date = blob.data + (issuer->data + issuer->len - first->der.data) + 4;
    size_t accepted = 0;

    cr_assert(date[-2] == 0x17 && date[-1] == 13);
    for (int month = 0; month <= 13; month++) {
        for (int day = 0; day <= 32; day++) {
            struct xr_cert *cert = NULL;
            char text[8];

            (void)snprintf(text, sizeof(text), "%02d%02d", month, day);
            memcpy(date + 2, text, 4);
            if (xr_cert_new(&cert, bytes_of(&blob), NULL) != XR_OK)
                continue;
            cr_assert_eq(xr_cert_accepted(cert, NULL), libcrypto_takes(&blob), "%s", text);
            accepted += cert->accepted;
            xr_cert_free(cert);
        }
    }
    cr_assert_eq(accepted, 365);
    xr_cert_free(first);
    pki_blob_free(&blob);
    pki_key_free(key);
}

Test(x509, what_libcrypto_cannot_parse_in_extensions_is_malformed)
{
    static const char *const cases[][2] = {
        {"\x55\x1d\x11\x04\x0b\x30\x09\x82\x07", "\x55\x1d\x11\x04\x0b\x30\x0a\x82\x07"},
        {"\x55\x1d\x11\x04\x0b\x30\x09\x82\x07", "\x55\x1d\x11\x04\x0b\x30\x09\xa4\x07"},
        {"\x55\x1d\x1e\x04\x0c\x30\x0a\xa0\x08", "\x55\x1d\x1e\x04\x0c\x30\x0a\xa2\x08"},
        {"\x55\x1d\x0f\x01\x01\xff\x04\x04\x03", "\x55\x1d\x0f\x01\x01\xff\x04\x04\x04"},
        {"\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x01\x06",
         "\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x03\x06"}, /* all bits unused */
        {"\x2b\x06\x01\x05\x05\x07\x03\x01", "\x2b\x06\x01\x05\x05\x07\x03\x81"},
    };
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = {0};
    struct xr_cert *cert = NULL;

    spec.san = "DNS:abc.def";
    spec.name_constraints = "permitted;DNS:a.bc";
    spec.eku = "serverAuth";
    blob = issue(key, NULL, NULL, &spec);
    cert = load(&blob);
    cr_assert(!cert->d.malformed && xr_cert_accepted(cert, NULL));
    xr_cert_free(cert);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_blob copy = {xr_memdup(blob.data, blob.len), blob.len};
        size_t len = strlen(cases[i][0]);

        cr_assert_eq(pki_patch(&copy, cases[i][0], cases[i][1], len), 1, "case %zu", i);
        cert = load(&copy);
        cr_assert(cert->d.malformed, "case %zu", i);
        cr_assert_not(xr_cert_accepted(cert, NULL), "case %zu", i);
        xr_cert_free(cert);
        free(copy.data);
    }
    pki_blob_free(&blob);
    pki_key_free(key);
}

/* ---- names and numbers ---- */

/* A Name of one attribute of the id-at arc, by hand: content may be what libcrypto would not
 * write. */
struct hand_name {
    unsigned char data[160];
    struct xr_bytes der;
};

static void name_make(struct hand_name *name, unsigned char attribute, unsigned char type,
                      const char *text, size_t len)
{
    const unsigned char head[] = {0x30,
                                  (unsigned char)(len + 11),
                                  0x31,
                                  (unsigned char)(len + 9),
                                  0x30,
                                  (unsigned char)(len + 7),
                                  0x06,
                                  3,
                                  0x55,
                                  4,
                                  attribute,
                                  type,
                                  (unsigned char)len};

    cr_assert(len < 100);
    memcpy(name->data, head, sizeof(head));
    memcpy(name->data + sizeof(head), text, len);
    name->der = (struct xr_bytes){name->data, sizeof(head) + len};
}

static bool name_is(unsigned char type, const char *text, size_t len, const char *whole,
                    const char *brief)
{
    struct hand_name name;
    char *got = NULL, *got_brief = NULL;
    bool ok = false;

    name_make(&name, 3, type, text, len);
    got = xr_x509_name_text(name.der);
    got_brief = xr_x509_name_short(name.der);
    ok = strcmp(got, whole) == 0 && strcmp(got_brief, brief) == 0;
    if (!ok)
        cr_log_error("got \"%s\" and \"%s\"", got, got_brief);
    free(got);
    free(got_brief);
    return ok;
}

Test(x509, names_of_every_string_type_become_utf8)
{
    cr_assert(name_is(0x0c, "Z\xc3\xbcrich \xe2\x82\xac", 11, "CN=Z\xc3\xbcrich \xe2\x82\xac",
                      "Z\xc3\xbcrich \xe2\x82\xac"));
    cr_assert(name_is(0x13, "Plain", 5, "CN=Plain", "Plain"));
    cr_assert(name_is(0x14, "Z\xfcrich", 6, "CN=Z\xc3\xbcrich", "Z\xc3\xbcrich"));
    cr_assert(
        name_is(0x1e, "\0Z\0\xfc\x20\xac", 6, "CN=Z\xc3\xbc\xe2\x82\xac", "Z\xc3\xbc\xe2\x82\xac"));
    cr_assert(
        name_is(0x1c, "\0\0\0Z\0\x01\xf6\x00", 8, "CN=Z\xf0\x9f\x98\x80", "Z\xf0\x9f\x98\x80"));
    cr_assert(name_is(0x16, "ia5@x", 5, "CN=ia5@x", "ia5@x"));
}

Test(x509, control_characters_in_names_are_escaped)
{
    cr_assert(name_is(0x0c, "a\nb\x1b[2J\x7f", 8, "CN=a\\0Ab\\1B[2J\\7F", "a\\0Ab\\1B[2J\\7F"));
    cr_assert(name_is(0x0c, "good\0evil", 9, "CN=good\\00evil", "good\\00evil"));
    cr_assert(name_is(0x1e, "\0a\0\x1b", 4, "CN=a\\1B", "a\\1B"));
}

Test(x509, characters_with_a_meaning_in_rfc_4514_are_escaped)
{
    cr_assert(name_is(0x0c, "a,b+c\"<>;", 9, "CN=a\\,b\\+c\\\"\\<\\>\\;", "a,b+c\"<>;"));
    cr_assert(name_is(0x0c, "#x", 2, "CN=\\#x", "#x"));
    cr_assert(name_is(0x0c, " x ", 3, "CN=\\ x\\ ", " x "));
}

Test(x509, names_that_cannot_be_decoded_are_shown_as_hex)
{
    struct hand_name name;
    char *text = NULL;

    name_make(&name, 3, 0x0c, "\xff\xfe", 2); /* no UTF-8 */
    text = xr_x509_name_text(name.der);
    cr_assert_str_eq(text, "CN=#0c02fffe");
    free(text);
    text = xr_x509_name_short(name.der);
    cr_assert(strlen(text) > 0 && strstr(text, "\xff") == NULL);
    free(text);
    text = xr_x509_name_text((struct xr_bytes){(const unsigned char *)"\x05\x00", 2});
    cr_assert_str_eq(text, "#0500");
    free(text);
    text = xr_x509_name_short((struct xr_bytes){(const unsigned char *)"\x05\x00", 2});
    cr_assert_str_eq(text, "#0500");
    free(text);
}

/* Of a Name, given as a string literal. */
#define NAME_TEXT(der) name_text((der), sizeof(der) - 1)
static const char *name_text(const char *der, size_t len)
{
    static char text[512];
    char *made_text = xr_x509_name_text((struct xr_bytes){(const unsigned char *)der, len});

    (void)snprintf(text, sizeof(text), "%s", made_text);
    free(made_text);
    return text;
}

#define OU_GOOD "\x30\x0b\x06\x03\x55\x04\x0b\x0c\x04Good"
#define CN_BAD  "\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xff\xfe"
#define O_EMPTY "\x30\x07\x06\x03\x55\x04\x0a\x0c\x00"
#define NO_OID  "\x30\x09\x06\x03\x2a\x03\x04\x0c\x02\xff\xfe"

Test(x509, only_the_attribute_that_cannot_be_decoded_is_hex)
{
    cr_assert_str_eq(NAME_TEXT("\x30\x1c\x31\x0d" OU_GOOD "\x31\x0b" CN_BAD),
                     "CN=#0c02fffe,OU=Good");
    cr_assert_str_eq(NAME_TEXT("\x30\x1a\x31\x18" OU_GOOD CN_BAD), "CN=#0c02fffe+OU=Good",
                     "two attributes of one RDN");
    cr_assert_str_eq(NAME_TEXT("\x30\x0d\x31\x0b" NO_OID), "1.2.3.4=#0c02fffe");
    cr_assert_str_eq(NAME_TEXT("\x30\x14\x31\x0d" OU_GOOD "\x31\x03\x30\x01\x00"),
                     "#300100,OU=Good");
    cr_assert_str_eq(NAME_TEXT("\x30\x03\x31\x05\x00"), "#3003310500", "no DER inside");
}

Test(x509, an_empty_rdn_or_value_does_not_vanish)
{
    cr_assert_str_eq(NAME_TEXT("\x30\x11\x31\x00\x31\x0d" OU_GOOD), "OU=Good,#3100");
    cr_assert_str_eq(NAME_TEXT("\x30\x11\x31\x0d" OU_GOOD "\x31\x00"), "#3100,OU=Good");
    cr_assert_str_eq(NAME_TEXT("\x30\x02\x31\x00"), "#3100");
    cr_assert_str_eq(NAME_TEXT("\x30\x1a\x31\x0d" OU_GOOD "\x31\x09" O_EMPTY), "O=,OU=Good");
    cr_assert_str_eq(NAME_TEXT("\x30\x0b\x31\x09" O_EMPTY), "O=");
}

Test(x509, an_empty_name_is_empty_text)
{
    const struct xr_bytes empty = {(const unsigned char *)"\x30\x00", 2};
    char *text = xr_x509_name_text(empty), *brief = xr_x509_name_short(empty);
    uint32_t hash = 0;

    cr_assert_str_eq(text, "");
    cr_assert_str_eq(brief, "");
    cr_assert_eq(xr_x509_name_hash(&hash, empty, NULL), XR_OK);
    free(text);
    free(brief);
}

Test(x509, the_telling_part_of_a_name_is_cn_else_ou_else_o_else_all)
{
    struct pki_spec spec = pki_spec_ca("Common", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct xr_cert *cert = NULL;
    struct hand_name name;
    char *text = NULL;

    spec.o = "Organization";
    cert = made(key, NULL, NULL, &spec);
    text = xr_x509_name_text(cert->d.slices.subject);
    cr_assert_str_eq(text, "CN=Common,O=Organization");
    free(text);
    text = xr_x509_name_short(cert->d.slices.subject);
    cr_assert_str_eq(text, "Common");
    free(text);
    xr_cert_free(cert);
    name_make(&name, 11, 0x13, "Unit", 4);
    text = xr_x509_name_short(name.der);
    cr_assert_str_eq(text, "Unit");
    free(text);
    name_make(&name, 10, 0x13, "Org", 3);
    text = xr_x509_name_short(name.der);
    cr_assert_str_eq(text, "Org");
    free(text);
    name_make(&name, 6, 0x13, "CH", 2);
    text = xr_x509_name_short(name.der);
    cr_assert_str_eq(text, "C=CH");
    free(text);
    pki_key_free(key);
}

/* BMPStrings are libcrypto's to read, and plain ASCII text is read here. */
Test(x509, the_telling_part_is_what_libcrypto_would_say_for_every_character)
{
    for (int c = 1; c < 0x80; c++) {
        const char plain[] = {'a', (char)c, 'b'}, wide[] = {0, 'a', 0, (char)c, 0, 'b'};
        struct hand_name ours, theirs;
        char *text = NULL, *expected = NULL;

        name_make(&theirs, 3, 0x1e, wide, sizeof(wide));
        expected = xr_x509_name_short(theirs.der);
        for (unsigned char type = 0x0c; type <= 0x16; type++) {
            if (type != 0x0c && type != 0x13 && type != 0x16)
                continue;
            name_make(&ours, 3, type, plain, sizeof(plain));
            text = xr_x509_name_short(ours.der);
            cr_assert_str_eq(text, expected, "%02x in a string of type %02x", (unsigned)c, type);
            free(text);
        }
        free(expected);
    }
}

static void short_is(const char *der, size_t len, const char *expected)
{
    char *text = xr_x509_name_short((struct xr_bytes){(const unsigned char *)der, len});

    cr_assert_str_eq(text, expected);
    free(text);
}
#define CN_OF(type, letter)     "\x30\x08\x06\x03\x55\x04\x03" type "\x01" letter
#define O_OF(type, letter)      "\x30\x08\x06\x03\x55\x04\x0a" type "\x01" letter
#define SHORT_IS(der, expected) short_is((der), sizeof(der) - 1, (expected))

Test(x509, the_telling_part_of_a_name_with_several_is_the_first)
{
    /* each once as ours and once with a T61String, which is libcrypto's */
    SHORT_IS("\x30\x18\x31\x0a" CN_OF("\x0c", "a") "\x31\x0a" CN_OF("\x0c", "b"), "a");
    SHORT_IS("\x30\x18\x31\x0a" CN_OF("\x0c", "a") "\x31\x0a" CN_OF("\x14", "b"), "a");
    SHORT_IS("\x30\x16\x31\x14" CN_OF("\x0c", "a") CN_OF("\x0c", "b"), "a");
    SHORT_IS("\x30\x16\x31\x14" CN_OF("\x0c", "a") CN_OF("\x14", "b"), "a");
    SHORT_IS("\x30\x18\x31\x0a" O_OF("\x0c", "o") "\x31\x0a" CN_OF("\x0c", "c"), "c");
    SHORT_IS("\x30\x18\x31\x0a" O_OF("\x0c", "o") "\x31\x0a" CN_OF("\x14", "c"), "c");
    SHORT_IS("\x30\x17\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00\x31\x0a" O_OF("\x0c", "o"), "o");
}

static bool names_equal(unsigned char type_a, const char *a, unsigned char type_b, const char *b)
{
    struct hand_name left, right;
    uint32_t hash_a = 0, hash_b = 0;
    bool equal = false;

    name_make(&left, 3, type_a, a, strlen(a));
    name_make(&right, 3, type_b, b, strlen(b));
    equal = xr_x509_name_equal(left.der, right.der);
    cr_assert(xr_x509_name_equal(right.der, left.der) == equal);
    cr_assert(xr_x509_name_hash(&hash_a, left.der, NULL) == XR_OK &&
              xr_x509_name_hash(&hash_b, right.der, NULL) == XR_OK);
    cr_assert((hash_a == hash_b) == equal, "links are named by the same comparison");
    return equal;
}

Test(x509, names_compare_with_case_and_space_folded)
{
    struct hand_name cn, ou;

    cr_assert(names_equal(0x0c, "Root CA", 0x0c, "Root CA"));
    cr_assert(names_equal(0x0c, "Root CA", 0x0c, "ROOT ca"));
    cr_assert(names_equal(0x0c, "Root CA", 0x13, "root ca"));
    cr_assert(names_equal(0x0c, "Root  \t CA", 0x0c, "Root CA"));
    cr_assert(names_equal(0x0c, "  Root CA ", 0x13, "Root CA"));
    cr_assert(names_equal(0x0c, "Z\xc3\xbcrich", 0x14, "Z\xfcrich"));
    cr_assert(!names_equal(0x0c, "Root CA", 0x0c, "RootCA"));
    cr_assert(!names_equal(0x0c, "Root CA", 0x0c, "Root CA 2"));
    cr_assert(!names_equal(0x0c, "Z\xc3\xbcrich", 0x0c, "Z\xc3\x9crich"), "ASCII alone is folded");
    name_make(&cn, 3, 0x13, "A", 1);
    name_make(&ou, 11, 0x13, "A", 1);
    cr_assert(!xr_x509_name_equal(cn.der, ou.der));
    cr_assert(!xr_x509_name_equal(cn.der, (struct xr_bytes){(const unsigned char *)"\x30\x00", 2}));
    cr_assert(!xr_x509_name_equal(cn.der, (struct xr_bytes){(const unsigned char *)"\x05\x00", 2}));
    cr_assert(!xr_x509_name_equal(cn.der, (struct xr_bytes){0}));
}

Test(x509, the_hash_of_a_name_is_openssls)
{
    struct pki_spec spec = pki_spec_ca("Hash Me", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob blob = issue(key, NULL, NULL, &spec);
    struct xr_cert *cert = load(&blob);
    const unsigned char *at = blob.data;
    X509 *x = d2i_X509(NULL, &at, (long)blob.len);
    struct xr_error err = {0};
    uint32_t hash = 0;

    cr_assert_eq(xr_x509_name_hash(&hash, cert->d.slices.subject, &err), XR_OK);
    cr_assert_eq((unsigned long)hash, X509_subject_name_hash(x));
    cr_assert_eq(
        xr_x509_name_hash(&hash, (struct xr_bytes){(const unsigned char *)"\x05\x00", 2}, &err),
        XR_INVALID);
    cr_assert_str_eq(err.domain, "openssl");
    X509_free(x);
    xr_cert_free(cert);
    pki_blob_free(&blob);
    pki_key_free(key);
}

Test(x509, serial_numbers_are_decimal)
{
    static const struct {
        const char *der;
        size_t len;
        const char *text;
    } cases[] = {
        {"\x02\x01\x00", 3, "0"},
        {"\x02\x01\x7f", 3, "127"},
        {"\x02\x02\x00\x80", 4, "128"},
        {"\x02\x01\xff", 3, "-1"},
        {"\x02\x01\xf4", 3, "-12"},
        {"\x02\x01\x80", 3, "-128"},
        {"\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11, "18446744073709551616"},
        {"\x02\x00", 2, "?"},
        {"\x04\x01\x01", 3, "?"},
        {"", 0, "?"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = xr_x509_serial_text(
            (struct xr_bytes){(const unsigned char *)cases[i].der, cases[i].len});

        cr_assert_str_eq(text, cases[i].text);
        free(text);
    }
}

Test(x509, serial_numbers_of_absurd_length_are_cut)
{
    unsigned char der[4 + 60000] = {0x02, 0x82, 60000 >> 8, 60000 & 0xff, 0x7f};
    char *text = xr_x509_serial_text((struct xr_bytes){der, sizeof(der)});

    cr_assert(strlen(text) < 200);
    cr_assert(strncmp(text, "0x", 2) == 0 && strcmp(text + strlen(text) - 3, "...") == 0);
    free(text);
}

Test(x509, a_long_serial_number_begins_with_its_first_octet)
{
    unsigned char der[3 + 100] = {0x02, 0x81, 100, 0x7f, 0xab};
    char *text = xr_x509_serial_text((struct xr_bytes){der, sizeof(der)});

    cr_assert(strncmp(text, "0x7fab00", 8) == 0, "%s", text);
    free(text);
}

/* ---- PKCS#7 and CRLs ---- */

struct bag {
    size_t certs, crls;
    bool same;
    const struct pki_blob *want;
    enum xr_status answer;
};

static enum xr_status count_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct bag *bag = ctx;

    bag->same = bag->same && xr_bytes_equal(der, bytes_of(&bag->want[bag->certs + bag->crls]));
    if (kind == XR_ITEM_CERT)
        bag->certs++;
    else
        bag->crls++;
    return bag->answer;
}

Test(x509, pkcs7_gives_certificates_and_then_crls_byte_for_byte)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_crl_spec crl_spec = {.this_update = NOW, .next_update = PKI_NO_TIME};
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob want[3], bag;
    struct bag seen = {.same = true, .want = want};
    struct xr_error err = {0};

    want[0] = issue(key, NULL, NULL, &spec);
    want[1] = issue(key, NULL, NULL, &spec);
    cr_assert(pki_crl(&want[2], &want[0], key, &crl_spec) == 0);
    cr_assert(pki_pkcs7(&bag, want, 2, &want[2], 1) == 0);
    cr_assert_eq(xr_x509_pkcs7(bytes_of(&bag), count_item, &seen, &err), XR_OK);
    cr_assert(seen.certs == 2 && seen.crls == 1 && seen.same);

    seen = (struct bag){.same = true, .want = want, .answer = XR_CONFLICT};
    cr_assert_eq(xr_x509_pkcs7(bytes_of(&bag), count_item, &seen, &err), XR_CONFLICT);
    cr_assert_eq(seen.certs + seen.crls, 1u, "the first no ends it");

    cr_assert_eq(xr_x509_pkcs7(bytes_of(&want[0]), count_item, &seen, &err), XR_INVALID);
    cr_assert_eq(xr_x509_pkcs7((struct xr_bytes){0}, count_item, &seen, NULL), XR_INVALID);
    cr_assert_eq(
        xr_x509_pkcs7((struct xr_bytes){(const unsigned char *)"\x30\x0b\x06\x09\x2a\x86\x48\x86"
                                                               "\xf7\x0d\x01\x07\x02",
                                        13},
                      count_item, &seen, &err),
        XR_INVALID, "SignedData without its content");
    cr_assert_eq(
        xr_x509_pkcs7((struct xr_bytes){(const unsigned char *)"\x30\x0b\x06\x09\x2a\x86\x48\x86"
                                                               "\xf7\x0d\x01\x07\x01",
                                        13},
                      count_item, &seen, &err),
        XR_INVALID, "data holds no certificates");
    for (size_t i = 0; i < 3; i++)
        pki_blob_free(&want[i]);
    pki_blob_free(&bag);
    pki_key_free(key);
}

struct issuer {
    struct pki_key *key;
    struct pki_blob blob;
    struct xr_cert *cert;
};

static struct issuer issuer_new(const char *cn, const char *key_usage)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct issuer issuer = {.key = key_new(PKI_EC)};

    spec.key_usage = key_usage;
    issuer.blob = issue(issuer.key, NULL, NULL, &spec);
    issuer.cert = load(&issuer.blob);
    return issuer;
}

static void issuer_free(struct issuer *issuer)
{
    xr_cert_free(issuer->cert);
    pki_blob_free(&issuer->blob);
    pki_key_free(issuer->key);
}

static struct xr_crl *crl_by(const struct issuer *issuer, const struct pki_crl_spec *spec)
{
    struct pki_blob blob;
    struct xr_crl *crl = NULL;
    struct xr_error err = {0};

    cr_assert(pki_crl(&blob, &issuer->blob, issuer->key, spec) == 0);
    cr_assert_eq(xr_crl_new(&crl, bytes_of(&blob), &err), XR_OK, "%s", err.text);
    cr_assert(digest_is(crl->sha256, 32, "SHA256", &blob));
    pki_blob_free(&blob);
    return crl;
}

Test(x509, the_fields_of_a_crl_are_read)
{
    static const char *const revoked[] = {"1", "0x1234", "-5", NULL};
    struct issuer a = issuer_new("A", NULL);
    struct xr_crl *crl = crl_by(&a, &(struct pki_crl_spec){.revoked = revoked,
                                                           .this_update = NOW,
                                                           .next_update = NOW + PKI_DAY,
                                                           .number = "0x80ff"});

    cr_assert(xr_bytes_equal(crl->issuer, a.cert->d.slices.subject));
    cr_assert_eq(crl->this_update, NOW);
    cr_assert(crl->has_next_update && crl->next_update == NOW + PKI_DAY);
    cr_assert_eq(crl->revoked, 3u);
    cr_assert(!crl->delta && !crl->unknown_critical);
    cr_assert(xr_bytes_equal(crl->number, (struct xr_bytes){(const unsigned char *)"\x80\xff", 2}));
    xr_crl_free(crl);

    crl = crl_by(&a, &(struct pki_crl_spec){.this_update = NOW, .next_update = PKI_NO_TIME});
    cr_assert(!crl->has_next_update && crl->revoked == 0 && crl->number.len == 0);
    xr_crl_free(crl);

    crl = crl_by(&a, &(struct pki_crl_spec){.this_update = INT64_C(2524608000), /* 2050 */
                                            .next_update = INT64_C(253402300799)});
    cr_assert(crl->this_update == INT64_C(2524608000) && crl->next_update == INT64_C(253402300799));
    xr_crl_free(crl);
    xr_crl_free(NULL);
    issuer_free(&a);
}

Test(x509, delta_crls_and_unknown_critical_extensions_are_seen)
{
    struct issuer a = issuer_new("A", NULL);
    struct xr_crl *crl =
        crl_by(&a, &(struct pki_crl_spec){
                       .this_update = NOW, .next_update = PKI_NO_TIME, .number = "9", .base = "8"});

    cr_assert(crl->delta && !crl->unknown_critical && !crl->partial);
    xr_crl_free(crl);
    crl = crl_by(&a, &(struct pki_crl_spec){
                         .this_update = NOW, .next_update = PKI_NO_TIME, .unknown_critical = true});
    cr_assert(!crl->delta && crl->unknown_critical);
    xr_crl_free(crl);
    issuer_free(&a);
}

static bool partial_with(const struct issuer *a, const char *points)
{
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = PKI_NO_TIME};
    struct pki_blob blob;
    const unsigned char *at = NULL;
    X509V3_CTX ctx = {0};
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, &ctx, NID_issuing_distribution_point, points);
    X509_CRL *parsed = NULL;
    struct xr_crl *crl = NULL;
    unsigned char *der = NULL;
    bool partial = false;
    int len = 0;

    cr_assert(ext != NULL && pki_crl(&blob, &a->blob, a->key, &spec) == 0);
    at = blob.data;
    parsed = d2i_X509_CRL(NULL, &at, (long)blob.len);
    cr_assert(X509_CRL_add_ext(parsed, ext, -1) == 1);
    len = i2d_re_X509_CRL_tbs(parsed, &der);
    OPENSSL_free(der);
    der = NULL;
    cr_assert(len > 0);
    len = i2d_X509_CRL(parsed, &der);
    cr_assert(len > 0 && xr_crl_new(&crl, (struct xr_bytes){der, (size_t)len}, NULL) == XR_OK);
    partial = crl->partial;
    cr_assert(!crl->unknown_critical);
    xr_crl_free(crl);
    OPENSSL_free(der);
    X509_CRL_free(parsed);
    X509_EXTENSION_free(ext);
    pki_blob_free(&blob);
    return partial;
}

Test(x509, a_crl_for_some_of_its_issuers_certificates_is_partial)
{
    struct issuer a = issuer_new("A", NULL);

    cr_assert(partial_with(&a, "critical,onlyuser:TRUE"));
    cr_assert(partial_with(&a, "critical,onlyCA:TRUE"));
    cr_assert(partial_with(&a, "critical,indirectCRL:TRUE"));
    cr_assert(partial_with(&a, "critical,onlysomereasons:keyCompromise"));
    issuer_free(&a);
}

Test(x509, a_crl_of_one_distribution_point_is_partial)
{
    struct issuer a = issuer_new("A", NULL);

    cr_assert(partial_with(&a, "critical,fullname:URI:http://example.org/1.crl"));
    issuer_free(&a);
}

Test(x509, what_is_no_crl_makes_none)
{
    struct issuer a = issuer_new("A", NULL);
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = PKI_NO_TIME};
    struct pki_blob blob;
    struct xr_crl *crl = NULL;
    struct xr_error err = {0};

    cr_assert(pki_crl(&blob, &a.blob, a.key, &spec) == 0);
    for (size_t len = 0; len < blob.len; len++) {
        unsigned char *exact = malloc(len > 0 ? len : 1);

        memcpy(exact, blob.data, len);
        cr_assert_eq(xr_crl_new(&crl, (struct xr_bytes){exact, len}, &err), XR_INVALID);
        free(exact);
    }
    cr_assert_eq(xr_crl_new(&crl, bytes_of(&a.blob), &err), XR_INVALID);
    cr_assert_null(crl);
    pki_blob_free(&blob);
    issuer_free(&a);
}

Test(x509, a_crl_is_signed_by_its_issuer_alone)
{
    struct issuer a = issuer_new("A", NULL), twin = issuer_new("A", NULL);
    struct issuer other = issuer_new("B", NULL), muted = issuer_new("M", "keyCertSign");
    struct issuer free_use = issuer_new("F", "");
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = PKI_NO_TIME};
    struct issuer renamed = {.key = a.key, .blob = other.blob};
    struct xr_crl *crl = crl_by(&a, &spec);

    cr_assert(xr_crl_signed_by(crl, a.cert));
    cr_assert(!xr_crl_signed_by(crl, twin.cert), "the same name with another key");
    cr_assert(!xr_crl_signed_by(crl, other.cert));
    xr_crl_free(crl);
    crl = crl_by(&renamed, &spec);
    cr_assert(!xr_crl_signed_by(crl, a.cert), "the key of another name");
    xr_crl_free(crl);
    crl = crl_by(&muted, &spec);
    cr_assert(!xr_crl_signed_by(crl, muted.cert), "its key usage forbids it");
    xr_crl_free(crl);
    crl = crl_by(&free_use, &spec);
    cr_assert(xr_crl_signed_by(crl, free_use.cert));
    xr_crl_free(crl);
    issuer_free(&a);
    issuer_free(&twin);
    issuer_free(&other);
    issuer_free(&muted);
    issuer_free(&free_use);
}

/* ---- paths ---- */

/* An in-memory store. */
struct memory {
    struct {
        enum xr_place place;
        const struct pki_blob *blob;
    } entries[64];
    size_t count, lookups;
    enum xr_status fail;
};

static void keep(struct memory *memory, enum xr_place place, const struct pki_blob *blob)
{
    memory->entries[memory->count].place = place;
    memory->entries[memory->count++].blob = blob;
}

static enum xr_status memory_lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                                    uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    struct memory *memory = ctx;
    enum xr_status status = memory->fail;
    uint32_t hash = 0;

    memory->lookups++;
    cr_assert(xr_x509_name_hash(&hash, name, NULL) == XR_OK && hash == name_hash);
    for (size_t i = 0; status == XR_OK && i < memory->count; i++) {
        struct xr_bytes der = bytes_of(memory->entries[i].blob), rest = der, theirs;
        struct xr_der_item outer;
        struct xr_der_cert parts;

        if (memory->entries[i].place != place)
            continue;
        if (place == XR_CRL) {
            cr_assert_eq(xr_der_crl_issuer(&theirs, der, NULL), XR_OK);
        } else {
            /* Trust settings may follow. */
            cr_assert(xr_der_next(&outer, &rest));
            cr_assert_eq(xr_der_cert(&parts, outer.whole, NULL), XR_OK);
            theirs = parts.slices.subject;
        }
        if (xr_x509_name_equal(theirs, name))
            status = emit(emit_ctx, der);
    }
    return status;
}

struct ask {
    const struct pki_blob *chain[4];
    uint32_t purpose; /* 0: server */
    const char *host;
    int64_t at; /* 0: now */
    bool partial, also_partial, crls_aside;
};

static struct xr_verdict verdict(struct memory *memory, const struct ask *ask)
{
    struct xr_bytes chain[4];
    struct xr_probe probe = {.size = sizeof(probe),
                             .chain = chain,
                             .purpose = ask->purpose ? ask->purpose : XR_SERVER,
                             .host = ask->host,
                             .at = ask->at ? ask->at : NOW};
    const struct xr_path_check check = {.size = sizeof(check),
                                        .probe = &probe,
                                        .partial = ask->partial,
                                        .lookup = memory_lookup,
                                        .lookup_ctx = memory,
                                        .also_partial = ask->also_partial,
                                        .crls_aside = ask->crls_aside};
    struct xr_verdict out;
    struct xr_error err = {0};

    while (probe.count < 4 && ask->chain[probe.count] != NULL) {
        chain[probe.count] = bytes_of(ask->chain[probe.count]);
        probe.count++;
    }
    cr_assert_eq(xr_x509_path_check(&out, &check, &err), XR_OK, "%s", err.text);
    cr_assert_eq(out.size, sizeof(out));
    cr_assert(strncmp(out.by, "OpenSSL ", 8) == 0);
    cr_assert(out.answer != XR_NO || (out.path_len == 0 && out.why[0] != '\0'));
    return out;
}

static bool path_is(const struct xr_verdict *got, const struct pki_blob *const *path, size_t len)
{
    if (got->answer != XR_YES || got->path_len != len) {
        cr_log_error("answer %d, path of %zu: %s", (int)got->answer, got->path_len, got->why);
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!digest_is(got->path[i], XR_SHA256_LEN, "SHA256", path[i]))
            return false;
    }
    return true;
}

static bool says_no(const struct xr_verdict *got, const char *words)
{
    bool ok = got->answer == XR_NO && strstr(got->why, words) != NULL;

    if (!ok)
        cr_log_error("answer %d: %s", (int)got->answer, got->why);
    return ok;
}

/* leaf <- sub <- new root; cross is the new root's key signed by the old root. */
struct world {
    struct pki_key *old_key, *new_key, *sub_key, *leaf_key;
    struct pki_blob old_root, new_root, cross, sub, leaf;
};

static struct world world_new(void)
{
    struct world w = {.old_key = key_new(PKI_EC),
                      .new_key = key_new(PKI_EC),
                      .sub_key = key_new(PKI_EC),
                      .leaf_key = key_new(PKI_EC)};
    struct pki_spec spec = pki_spec_ca("Old Root", NOW);

    w.old_root = issue(w.old_key, NULL, NULL, &spec);
    spec = pki_spec_ca("New Root", NOW);
    w.new_root = issue(w.new_key, NULL, NULL, &spec);
    w.cross = issue(w.new_key, &w.old_root, w.old_key, &spec);
    spec = pki_spec_ca("Sub", NOW);
    spec.serial = "77";
    w.sub = issue(w.sub_key, &w.new_root, w.new_key, &spec);
    spec = pki_spec_leaf("leaf", NOW);
    spec.san = "DNS:www.example.org,IP:192.0.2.7";
    spec.serial = "42";
    spec.not_after = NOW + PKI_YEAR;
    w.leaf = issue(w.leaf_key, &w.sub, w.sub_key, &spec);
    return w;
}

static void world_free(struct world *w)
{
    pki_key_free(w->old_key);
    pki_key_free(w->new_key);
    pki_key_free(w->sub_key);
    pki_key_free(w->leaf_key);
    pki_blob_free(&w->old_root);
    pki_blob_free(&w->new_root);
    pki_blob_free(&w->cross);
    pki_blob_free(&w->sub);
    pki_blob_free(&w->leaf);
}

Test(x509, a_path_goes_over_the_cross_signed_certificate_to_the_old_root)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.old_root);
    keep(&m, XR_INTERMEDIATE, &w.cross);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(
        path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4));
    keep(&m, XR_INTERMEDIATE, &w.sub);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4),
              "the server sent the leaf alone");
    m = (struct memory){0};
    keep(&m, XR_ANCHOR, &w.old_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub, &w.cross}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4),
              "the server sent everything");
    world_free(&w);
}

Test(x509, without_the_cross_signed_certificate_there_is_no_path)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.old_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(says_no(&got, "unable to get"));
    cr_assert(strstr(got.why, "Sub") != NULL, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub, &w.new_root}});
    cr_assert(says_no(&got, "self-signed"), "what the server sends is no anchor");
    keep(&m, XR_INTERMEDIATE, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(says_no(&got, "self-signed"), "an intermediate is no anchor");
    keep(&m, XR_PEER, &w.new_root);
    keep(&m, XR_DISTRUST, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_NO);
    world_free(&w);
}

Test(x509, an_empty_store_trusts_nothing_of_the_system)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;
    char path[] = "/tmp/crossroot-x509.XXXXXX";
    int fd = mkstemp(path);

    cr_assert(fd >= 0 && pki_write_pem(path, PKI_LABEL_CERT, &w.new_root) == 0);
    cr_assert(setenv("SSL_CERT_FILE", path, 1) == 0);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_NO);
    got = verdict(&m, &(struct ask){.chain = {&w.new_root}});
    cr_assert_eq(got.answer, XR_NO);
    cr_assert(remove(path) == 0);
    world_free(&w);
}

/* One more cross certificate for the new root's key. */
static struct pki_blob cross_by(const struct world *w, const struct pki_blob *issuer,
                                const struct pki_key *key, const char *serial,
                                const char *name_constraints)
{
    struct pki_spec spec = pki_spec_ca("New Root", NOW);

    spec.serial = serial;
    spec.name_constraints = name_constraints;
    return issue(w->new_key, issuer, key, &spec);
}

/* Asks with two intermediates in either order. */
static void either_order(struct xr_verdict got[2], const struct memory *base,
                         const struct pki_blob *one, const struct pki_blob *two,
                         const struct ask *ask)
{
    for (size_t i = 0; i < 2; i++) {
        struct memory m = *base;

        keep(&m, XR_INTERMEDIATE, i == 0 ? one : two);
        keep(&m, XR_INTERMEDIATE, i == 0 ? two : one);
        got[i] = verdict(&m, ask);
    }
}

Test(x509, of_several_cross_certificates_any_makes_the_path_in_any_order)
{
    struct world w = world_new();
    struct pki_key *other_key = key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Other Root", NOW);
    struct pki_blob other_root = issue(other_key, NULL, NULL, &spec);
    struct pki_blob by_other = cross_by(&w, &other_root, other_key, NULL, NULL);
    struct pki_blob not_here =
        cross_by(&w, &w.old_root, w.old_key, NULL, "critical,excluded;DNS:www.example.org");
    struct pki_blob only_here =
        cross_by(&w, &w.old_root, w.old_key, NULL,
                 "critical,permitted;DNS:example.org,permitted;IP:192.0.2.0/255.255.255.0");
    struct memory m = {0};
    struct xr_verdict got[2];
    const struct ask ask = {.chain = {&w.leaf, &w.sub}, .host = "www.example.org"};

    keep(&m, XR_ANCHOR, &w.old_root);
    either_order(got, &m, &by_other, &w.cross, &ask);
    for (size_t i = 0; i < 2; i++)
        cr_assert(path_is(&got[i],
                          (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4),
                  "one leads to a root that is not here");
    either_order(got, &m, &not_here, &w.cross, &ask);
    for (size_t i = 0; i < 2; i++)
        cr_assert(path_is(&got[i],
                          (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4),
                  "one is for other names");
    either_order(got, &m, &not_here, &only_here, &ask);
    for (size_t i = 0; i < 2; i++)
        cr_assert(path_is(&got[i],
                          (const struct pki_blob *[]){&w.leaf, &w.sub, &only_here, &w.old_root}, 4),
                  "both are limited");
    either_order(got, &m, &not_here, &by_other, &ask);
    cr_assert_eq(got[0].answer, XR_NO);
    cr_assert_eq(got[1].answer, XR_NO);
    cr_assert_str_eq(got[0].why, got[1].why, "the reason does not depend on the order either");
    pki_blob_free(&other_root);
    pki_blob_free(&by_other);
    pki_blob_free(&not_here);
    pki_blob_free(&only_here);
    pki_key_free(other_key);
    world_free(&w);
}

Test(x509, a_path_needs_the_right_one_of_each_name)
{
    enum { LEVELS = 3, TWINS = 3 };
    struct pki_key *keys[LEVELS + 1], *leaf_key = key_new(PKI_EC), *lost_key = key_new(PKI_EC);
    struct pki_blob root, lost, twins[LEVELS][TWINS], leaf;
    struct pki_spec spec = pki_spec_ca("Lost", NOW);
    struct memory m = {0};
    struct xr_verdict got;

    lost = issue(lost_key, NULL, NULL, &spec);
    spec = pki_spec_ca("CA 0", NOW);
    keys[0] = key_new(PKI_EC);
    root = issue(keys[0], NULL, NULL, &spec);
    keep(&m, XR_ANCHOR, &root);
    for (size_t level = 0; level < LEVELS; level++) {
        char name[16];

        keys[level + 1] = key_new(PKI_EC);
        (void)snprintf(name, sizeof(name), "CA %zu", level + 1);
        for (size_t i = 0; i < TWINS; i++) {
            spec = pki_spec_ca(name, NOW);
            /* The good one is valid for the shortest time: it comes last. */
            spec.not_after = NOW + PKI_YEAR * (i == 0 ? 2 : 5);
            twins[level][i] =
                i > 0        ? issue(keys[level + 1], &lost, lost_key, &spec)
                : level == 0 ? issue(keys[1], &root, keys[0], &spec)
                             : issue(keys[level + 1], &twins[level - 1][0], keys[level], &spec);
            keep(&m, XR_INTERMEDIATE, &twins[level][i]);
        }
    }
    spec = pki_spec_leaf("leaf", NOW);
    leaf = issue(leaf_key, &twins[LEVELS - 1][0], keys[LEVELS], &spec);
    got = verdict(&m, &(struct ask){.chain = {&leaf}});
    cr_assert(path_is(
        &got, (const struct pki_blob *[]){&leaf, &twins[2][0], &twins[1][0], &twins[0][0], &root},
        5));
    m.entries[0].place = XR_DISTRUST;
    got = verdict(&m, &(struct ask){.chain = {&leaf}});
    cr_assert_eq(got.answer, XR_NO);
    for (size_t level = 0; level < LEVELS; level++) {
        for (size_t i = 0; i < TWINS; i++)
            pki_blob_free(&twins[level][i]);
        pki_key_free(keys[level + 1]);
    }
    pki_blob_free(&root);
    pki_blob_free(&lost);
    pki_blob_free(&leaf);
    pki_key_free(keys[0]);
    pki_key_free(leaf_key);
    pki_key_free(lost_key);
}

Test(x509, what_the_server_sends_is_used_as_it_was_sent)
{
    struct world w = world_new();
    struct pki_blob not_here =
        cross_by(&w, &w.old_root, w.old_key, NULL, "critical,excluded;DNS:www.example.org");
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.old_root);
    keep(&m, XR_INTERMEDIATE, &w.cross);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub, &not_here}});
    cr_assert(says_no(&got, "excluded subtree"), "no program of OpenSSL would pass it by");
    pki_blob_free(&not_here);
    world_free(&w);
}

Test(x509, loops_of_cross_signatures_end_with_a_no, .timeout = 20)
{
    enum { RING = 12 };
    struct pki_key *keys[RING], *leaf_key = key_new(PKI_EC);
    struct pki_blob self[RING], ring[RING][RING], leaf;
    struct pki_spec leaf_spec = pki_spec_leaf("leaf", NOW);
    struct memory m = {0};
    struct xr_verdict got;

    for (size_t i = 0; i < RING; i++) {
        char name[16];
        struct pki_spec spec;

        (void)snprintf(name, sizeof(name), "CA %zu", i);
        spec = pki_spec_ca(name, NOW);
        keys[i] = key_new(PKI_EC);
        self[i] = issue(keys[i], NULL, NULL, &spec);
    }
    /* Each is signed by four others: there are far more paths than certificates. */
    for (size_t i = 0; i < RING; i++) {
        for (size_t k = 1; k <= 4; k++) {
            size_t by = (i + k) % RING;
            char name[16];
            struct pki_spec spec;

            (void)snprintf(name, sizeof(name), "CA %zu", i);
            spec = pki_spec_ca(name, NOW);
            ring[i][by] = issue(keys[i], &self[by], keys[by], &spec);
            keep(&m, XR_INTERMEDIATE, &ring[i][by]);
        }
    }
    leaf = issue(leaf_key, &self[0], keys[0], &leaf_spec);
    got = verdict(&m, &(struct ask){.chain = {&leaf}});
    cr_assert_eq(got.answer, XR_NO);
    cr_assert(m.lookups <= 3 * (RING + 1), "each name is asked for once: %zu", m.lookups);
    for (size_t i = 0; i < RING; i++) {
        for (size_t k = 1; k <= 4; k++)
            pki_blob_free(&ring[i][(i + k) % RING]);
        pki_blob_free(&self[i]);
        pki_key_free(keys[i]);
    }
    pki_blob_free(&leaf);
    pki_key_free(leaf_key);
}

Test(x509, a_leaf_must_carry_the_host)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .host = "www.example.org"});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .host = "192.0.2.7"});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .host = "example.org"});
    cr_assert(says_no(&got, "hostname mismatch"));
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .host = "leaf"});
    cr_assert(says_no(&got, "hostname mismatch"), "the CN does not count beside a name of DNS");
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .host = "192.0.2.8"});
    cr_assert(says_no(&got, "IP address mismatch"));
    world_free(&w);
}

static void allow_signing(X509 *x)
{
    X509V3_CTX ctx = {0};
    X509_EXTENSION *ext = NULL;

    X509V3_set_ctx(&ctx, NULL, x, NULL, NULL, 0);
    ext = X509V3_EXT_nconf_nid(NULL, &ctx, NID_key_usage, "digitalSignature,keyCertSign");
    cr_assert(ext != NULL && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

Test(x509, a_leaf_with_the_key_usage_of_a_ca_must_carry_the_host)
{
    struct world w = world_new();
    struct pki_spec spec = pki_spec_leaf("leaf", NOW);
    struct pki_blob plain, leaf;
    struct xr_cert *cert = NULL;
    struct memory m = {0};
    struct xr_verdict got;

    spec.bare = true;
    spec.san = "DNS:www.example.org";
    plain = issue(w.leaf_key, &w.new_root, w.new_key, &spec);
    leaf = resigned(&plain, w.new_key, EVP_sha256(), allow_signing);
    cert = load(&leaf);
    cr_assert(!xr_cert_is_ca(cert));
    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&leaf}, .host = "www.example.org"});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&leaf}, .host = "bank.example.org"});
    cr_assert(says_no(&got, "hostname mismatch"));
    xr_cert_free(cert);
    pki_blob_free(&plain);
    pki_blob_free(&leaf);
    world_free(&w);
}

Test(x509, a_leaf_must_be_for_the_purpose)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .purpose = XR_SERVER});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    for (uint32_t bit = XR_CLIENT; bit <= XR_TIME; bit <<= 1) {
        got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .purpose = bit});
        cr_assert_eq(got.answer, XR_NO, "%s", xr_purpose_name(bit));
        cr_assert(strstr(got.why, "purpose") != NULL, "%s", got.why);
    }
    world_free(&w);
}

Test(x509, an_issuer_must_be_for_the_purpose_too)
{
    static const struct {
        const char *eku;
        uint32_t purpose;
        enum xr_answer answer;
    } cases[] = {
        {"codeSigning", XR_CODE, XR_YES},
        {"codeSigning", XR_SERVER, XR_NO},
        {"serverAuth", XR_CODE, XR_NO},
        {"serverAuth", XR_SERVER, XR_YES},
        {"emailProtection", XR_EMAIL, XR_YES},
        {"emailProtection", XR_CLIENT, XR_NO},
        {"clientAuth,emailProtection", XR_CLIENT, XR_YES},
        {NULL, XR_SERVER, XR_YES},
        {NULL, XR_CODE, XR_YES},
    };
    struct world w = world_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pki_spec spec = pki_spec_ca("Sub", NOW);
        struct pki_blob sub, leaf;
        struct memory m = {0};
        struct xr_verdict got;

        keep(&m, XR_ANCHOR, &w.new_root);
        spec.eku = cases[i].eku;
        sub = issue(w.sub_key, &w.new_root, w.new_key, &spec);
        spec = pki_spec_leaf("leaf", NOW);
        spec.eku = "serverAuth,clientAuth,codeSigning,emailProtection";
        leaf = issue(w.leaf_key, &sub, w.sub_key, &spec);
        got = verdict(&m, &(struct ask){.chain = {&leaf, &sub}, .purpose = cases[i].purpose});
        cr_assert_eq(got.answer, cases[i].answer, "leaf, case %zu: %s", i, got.why);
        got = verdict(&m, &(struct ask){.chain = {&sub}, .purpose = cases[i].purpose});
        cr_assert_eq(got.answer, cases[i].answer, "issuer, case %zu: %s", i, got.why);
        pki_blob_free(&leaf);
        pki_blob_free(&sub);
    }
    world_free(&w);
}

Test(x509, an_issuer_for_servers_is_none_for_time_stamps)
{
    struct world w = world_new();
    struct pki_spec spec = pki_spec_ca("Sub", NOW);
    struct pki_blob sub;
    struct memory m = {0};
    struct xr_verdict got;

    spec.eku = "serverAuth";
    sub = issue(w.sub_key, &w.new_root, w.new_key, &spec);
    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&sub}, .purpose = XR_TIME});
    cr_assert(says_no(&got, "may not be used for that purpose"));
    pki_blob_free(&sub);
    world_free(&w);
}

Test(x509, a_ca_is_checked_as_an_issuer)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.old_root);
    keep(&m, XR_INTERMEDIATE, &w.cross);
    got = verdict(&m, &(struct ask){.chain = {&w.sub}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.sub, &w.cross, &w.old_root}, 3));
    got = verdict(&m, &(struct ask){.chain = {&w.old_root}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.old_root}, 1));
    got = verdict(&m, &(struct ask){.chain = {&w.new_root}});
    cr_assert_eq(got.answer, XR_NO, "only its cross-signed twin leads to the anchor");
    got = verdict(&m, &(struct ask){.chain = {&w.sub}, .host = "www.example.org"});
    cr_assert_eq(got.answer, XR_NO, "who names a host asks about a server");
    world_free(&w);
}

Test(x509, a_path_length_is_kept)
{
    struct world w = world_new();
    struct pki_spec spec = pki_spec_ca("Short", NOW);
    struct pki_key *key = key_new(PKI_EC);
    struct pki_blob root, sub, leaf;
    struct memory m = {0};
    struct xr_verdict got;

    spec.pathlen = 0;
    root = issue(key, NULL, NULL, &spec);
    spec = pki_spec_ca("Sub", NOW);
    sub = issue(w.sub_key, &root, key, &spec);
    spec = pki_spec_leaf("leaf", NOW);
    leaf = issue(w.leaf_key, &sub, w.sub_key, &spec);
    keep(&m, XR_ANCHOR, &root);
    got = verdict(&m, &(struct ask){.chain = {&leaf, &sub}});
    cr_assert(says_no(&got, "path length constraint exceeded"));
    pki_blob_free(&root);
    pki_blob_free(&sub);
    pki_blob_free(&leaf);
    pki_key_free(key);
    world_free(&w);
}

Test(x509, a_forged_issuer_is_no_issuer)
{
    struct world w = world_new();
    struct pki_key *thief = key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Sub", NOW);
    struct pki_blob forged = issue(thief, &w.new_root, thief, &spec), leaf;
    struct memory m = {0};
    struct xr_verdict got;

    spec = pki_spec_leaf("leaf", NOW);
    leaf = issue(w.leaf_key, &forged, thief, &spec);
    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&leaf, &forged}});
    cr_assert_eq(got.answer, XR_NO);
    pki_blob_free(&forged);
    pki_blob_free(&leaf);
    pki_key_free(thief);
    world_free(&w);
}

Test(x509, a_path_is_checked_at_the_moment_asked_for)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .at = NOW + PKI_YEAR - 1});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .at = NOW + PKI_YEAR + 1});
    cr_assert(says_no(&got, "certificate has expired, at leaf"));
    got = verdict(&m, &(struct ask){.chain = {&w.sub}, .at = NOW + PKI_YEAR + 1});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .at = NOW - PKI_DAY - 1});
    cr_assert(says_no(&got, "not yet valid"));
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .at = NOW + 11 * PKI_YEAR});
    cr_assert_eq(got.answer, XR_NO);
    world_free(&w);
}

static struct pki_blob crl_of(const struct pki_blob *issuer, const struct pki_key *key,
                              const char *serial, int64_t next_update)
{
    const char *const revoked[] = {serial, NULL};
    struct pki_crl_spec spec = {.revoked = revoked,
                                .this_update = NOW - PKI_DAY,
                                .next_update = next_update,
                                .number = "1"};
    struct pki_blob crl;

    cr_assert(pki_crl(&crl, issuer, key, &spec) == 0);
    return crl;
}

Test(x509, what_a_crl_revokes_is_refused)
{
    struct world w = world_new();
    struct pki_blob leaf_crl = crl_of(&w.sub, w.sub_key, "42", NOW + PKI_DAY);
    struct pki_blob sub_crl = crl_of(&w.new_root, w.new_key, "77", NOW + PKI_DAY);
    struct pki_blob other_crl = crl_of(&w.sub, w.sub_key, "43", NOW + PKI_DAY);
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.new_root);
    keep(&m, XR_CRL, &other_crl);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_YES, "CAs without a CRL are tolerated: %s", got.why);
    m.entries[1].blob = &leaf_crl;
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(says_no(&got, "certificate revoked, at leaf"));
    m.entries[1].blob = &sub_crl;
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(says_no(&got, "certificate revoked, at Sub"));
    got = verdict(&m, &(struct ask){.chain = {&w.sub}});
    cr_assert(says_no(&got, "certificate revoked, at Sub"));
    pki_blob_free(&leaf_crl);
    pki_blob_free(&sub_crl);
    pki_blob_free(&other_crl);
    world_free(&w);
}

Test(x509, a_revoked_cross_certificate_is_in_no_path)
{
    struct world w = world_new();
    struct pki_blob revoked = cross_by(&w, &w.old_root, w.old_key, "501", NULL);
    struct pki_blob twin = cross_by(&w, &w.old_root, w.old_key, "502", NULL);
    struct pki_blob crl = crl_of(&w.old_root, w.old_key, "501", NOW + PKI_DAY);
    struct pki_blob crl_of_twin = crl_of(&w.old_root, w.old_key, "502", NOW + PKI_DAY);
    struct memory m = {0};
    struct xr_verdict got[2];
    const struct ask ask = {.chain = {&w.leaf, &w.sub}};

    keep(&m, XR_ANCHOR, &w.old_root);
    keep(&m, XR_CRL, &crl);
    either_order(got, &m, &revoked, &twin, &ask);
    for (size_t i = 0; i < 2; i++)
        cr_assert(
            path_is(&got[i], (const struct pki_blob *[]){&w.leaf, &w.sub, &twin, &w.old_root}, 4));
    keep(&m, XR_INTERMEDIATE, &revoked);
    got[0] = verdict(&m, &ask);
    cr_assert(says_no(&got[0], "certificate revoked, at New Root"));
    m.count--;
    keep(&m, XR_CRL, &crl_of_twin);
    m.entries[1].blob = &crl_of_twin;
    either_order(got, &m, &twin, &twin, &ask);
    cr_assert(says_no(&got[0], "certificate revoked, at New Root"));
    pki_blob_free(&revoked);
    pki_blob_free(&twin);
    pki_blob_free(&crl);
    pki_blob_free(&crl_of_twin);
    world_free(&w);
}

Test(x509, crls_that_programs_are_not_told_of_are_a_second_answer)
{
    struct world w = world_new();
    struct pki_blob revokes = crl_of(&w.sub, w.sub_key, "42", NOW + PKI_DAY);
    struct pki_blob other = crl_of(&w.sub, w.sub_key, "43", NOW + PKI_DAY);
    struct memory m = {0};
    struct xr_verdict got;
    const struct ask ask = {.chain = {&w.leaf, &w.sub}, .crls_aside = true};
    const struct ask both = {.chain = {&w.leaf, &w.sub}, .also_partial = true, .crls_aside = true};

    keep(&m, XR_ANCHOR, &w.new_root);
    got = verdict(&m, &ask);
    cr_assert(got.answer == XR_YES && got.also_count == 0, "there is none");
    keep(&m, XR_CRL, &other);
    got = verdict(&m, &ask);
    cr_assert(got.answer == XR_YES && got.also_count == 1);
    cr_assert_eq(got.also[0].answer, XR_YES);
    m.entries[1].blob = &revokes;
    got = verdict(&m, &ask);
    cr_assert(got.answer == XR_YES && got.path_len == 3 && got.also_count == 1);
    cr_assert_eq(got.also[0].answer, XR_NO);
    cr_assert_str_eq(got.also[0].why, "certificate revoked, at leaf");
    got = verdict(&m, &both);
    cr_assert(got.answer == XR_YES && got.also_count == 2);
    cr_assert_eq(got.also[0].answer, XR_YES, "with partial chains");
    cr_assert_eq(got.also[1].answer, XR_NO);
    m.entries[0].blob = &w.sub;
    got = verdict(&m, &both);
    cr_assert(got.answer == XR_NO && got.also_count == 2, "only partial chains make a path");
    cr_assert(got.also[0].answer == XR_YES && got.also[1].answer == XR_NO);
    m.entries[0].blob = &w.old_root;
    got = verdict(&m, &both);
    cr_assert(got.answer == XR_NO && got.also_count == 1, "a no needs no CRL");
    pki_blob_free(&revokes);
    pki_blob_free(&other);
    world_free(&w);
}

Test(x509, an_expired_crl_still_revokes_and_is_otherwise_tolerated)
{
    struct world w = world_new();
    struct pki_blob same = crl_of(&w.sub, w.sub_key, "42", NOW - 1);
    struct pki_blob other = crl_of(&w.sub, w.sub_key, "43", NOW - 1);
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.new_root);
    keep(&m, XR_CRL, &other);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    m.entries[1].blob = &same;
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(says_no(&got, "certificate revoked"));
    pki_blob_free(&same);
    pki_blob_free(&other);
    world_free(&w);
}

Test(x509, a_crl_newer_than_the_moment_asked_for_is_tolerated)
{
    struct world w = world_new();
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = NOW + PKI_DAY, .number = "1"};
    struct pki_blob crl;
    struct memory m = {0};
    struct xr_verdict got;

    cr_assert(pki_crl(&crl, &w.sub, w.sub_key, &spec) == 0);
    keep(&m, XR_ANCHOR, &w.new_root);
    keep(&m, XR_CRL, &crl);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}, .at = NOW - PKI_DAY / 2});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    pki_blob_free(&crl);
    world_free(&w);
}

Test(x509, a_path_may_end_in_any_anchor_only_when_partial)
{
    struct world w = world_new();
    struct memory m = {0};
    struct xr_verdict got;

    keep(&m, XR_ANCHOR, &w.sub);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf}});
    cr_assert_eq(got.answer, XR_NO);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf}, .partial = true});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub}, 2));
    m = (struct memory){0};
    keep(&m, XR_ANCHOR, &w.cross);
    keep(&m, XR_ANCHOR, &w.old_root);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub, &w.cross, &w.old_root}, 4),
              "an anchor that is not self-signed is still an element of a path");
    world_free(&w);
}

Test(x509, an_anchor_that_issues_nothing_for_libcrypto_is_a_no)
{
    struct pki_spec spec = pki_spec_ca("Silent", NOW), below = pki_spec_leaf("localhost", NOW);
    struct pki_key *key = key_new(PKI_EC), *leaf_key = key_new(PKI_EC);
    struct pki_blob silent, signing, leaf;
    struct memory m = {0};
    struct xr_verdict got;

    spec.silent = true;
    signing = issue(key, NULL, NULL, &spec);
    spec.bare = true;
    spec.san = "DNS:localhost";
    silent = issue(key, NULL, NULL, &spec);
    leaf = issue(leaf_key, &silent, key, &below);
    keep(&m, XR_ANCHOR, &silent);
    got = verdict(&m, &(struct ask){.chain = {&silent}});
    cr_assert(says_no(&got, "it has no basicConstraints"), "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&leaf}});
    cr_assert(says_no(&got, "invalid CA certificate"), "which is what that answer means");
    got = verdict(&m, &(struct ask){.chain = {&silent}, .host = "localhost"});
    cr_assert_eq(got.answer, XR_YES, "as a server's own certificate: %s", got.why);
    m = (struct memory){0};
    keep(&m, XR_ANCHOR, &signing); /* its key usage says that it signs certificates */
    got = verdict(&m, &(struct ask){.chain = {&signing}});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    got = verdict(&m, &(struct ask){.chain = {&leaf}});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    pki_blob_free(&silent);
    pki_blob_free(&signing);
    pki_blob_free(&leaf);
    pki_key_free(key);
    pki_key_free(leaf_key);
}

Test(x509, the_trust_settings_of_an_anchor_count)
{
    static const char *const email[] = {"emailProtection", NULL};
    static const char *const server[] = {"serverAuth", NULL};
    struct world w = world_new();
    struct pki_blob for_email, not_server, for_server;
    struct memory m = {0};
    struct xr_verdict got;

    cr_assert(pki_trusted(&for_email, &w.new_root, email, NULL, NULL) == 0 &&
              pki_trusted(&not_server, &w.new_root, NULL, server, NULL) == 0 &&
              pki_trusted(&for_server, &w.new_root, server, NULL, NULL) == 0);
    keep(&m, XR_ANCHOR, &for_email);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_NO);
    m.entries[0].blob = &not_server;
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_NO);
    got = verdict(&m, &(struct ask){.chain = {&w.sub}, .purpose = XR_CLIENT});
    cr_assert_eq(got.answer, XR_YES, "%s", got.why);
    m.entries[0].blob = &for_server;
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert(path_is(&got, (const struct pki_blob *[]){&w.leaf, &w.sub, &w.new_root}, 3));
    for (uint32_t bit = XR_CLIENT; bit <= XR_TIME; bit <<= 1) {
        got = verdict(&m, &(struct ask){.chain = {&w.sub}, .purpose = bit});
        cr_assert_eq(got.answer, XR_NO, "%s", xr_purpose_name(bit));
    }
    pki_blob_free(&for_email);
    pki_blob_free(&not_server);
    pki_blob_free(&for_server);
    world_free(&w);
}

Test(x509, trust_settings_of_what_is_no_anchor_give_no_trust)
{
    static const char *const server[] = {"serverAuth", NULL};
    struct world w = world_new();
    struct pki_blob trusted;
    struct memory m = {0};
    struct xr_verdict got;

    cr_assert(pki_trusted(&trusted, &w.new_root, server, NULL, NULL) == 0);
    keep(&m, XR_INTERMEDIATE, &trusted);
    got = verdict(&m, &(struct ask){.chain = {&w.leaf, &w.sub}});
    cr_assert_eq(got.answer, XR_NO);
    pki_blob_free(&trusted);
    world_free(&w);
}

Test(x509, a_failed_lookup_is_no_answer)
{
    struct world w = world_new();
    struct memory m = {.fail = XR_FAILED};
    struct xr_bytes chain = bytes_of(&w.leaf);
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = &chain, .count = 1, .purpose = XR_SERVER, .at = NOW};
    const struct xr_path_check check = {
        .size = sizeof(check), .probe = &probe, .lookup = memory_lookup, .lookup_ctx = &m};
    struct xr_verdict got;
    struct xr_error err = {0};

    cr_assert_eq(xr_x509_path_check(&got, &check, &err), XR_FAILED);
    cr_assert_eq(got.answer, XR_UNKNOWN);
    m.fail = XR_OK;
    chain.len -= 1;
    cr_assert_eq(xr_x509_path_check(&got, &check, &err), XR_INVALID);
    cr_assert_eq(got.answer, XR_UNKNOWN);
    world_free(&w);
}

struct counted {
    struct memory memory;
    unsigned anchors;
};

static enum xr_status count_lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                                   uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    struct counted *counted = ctx;

    counted->anchors += place == XR_ANCHOR;
    return memory_lookup(&counted->memory, place, name, name_hash, emit, emit_ctx);
}

Test(x509, the_anchors_of_a_name_are_looked_up_once)
{
    struct world w = world_new();
    struct counted counted = {0};
    struct xr_bytes chain[] = {bytes_of(&w.new_root), bytes_of(&w.new_root)};
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = chain, .count = 1, .purpose = XR_SERVER, .at = NOW};
    const struct xr_path_check check = {
        .size = sizeof(check), .probe = &probe, .lookup = count_lookup, .lookup_ctx = &counted};
    const struct pki_blob *const path[] = {&w.new_root};
    struct xr_verdict got;

    keep(&counted.memory, XR_ANCHOR, &w.new_root);
    keep(&counted.memory, XR_ANCHOR, &w.cross);
    cr_assert_eq(xr_x509_path_check(&got, &check, NULL), XR_OK);
    cr_assert(path_is(&got, path, 1));
    cr_assert_eq(counted.anchors, 2, "its own, and those of who signed the cross certificate");
    probe.count = 2; /* what is sent twice is one */
    cr_assert_eq(xr_x509_path_check(&got, &check, NULL), XR_OK);
    cr_assert(path_is(&got, path, 1));
    cr_assert_eq(counted.anchors, 4);
    world_free(&w);
}

Test(x509, a_serial_number_is_decimal_or_hex)
{
    static const struct {
        const char *text, *der;
    } good[] = {{"4097", "02021001"}, {"0x1001", "02021001"}, {"10:01", "02021001"},
                {"0", "020100"},      {"128", "02020080"},    {"0xff:ff", "020300ffff"},
                {"00:7F", "02017f"},  {"0X7f", "02017f"}};
    static const char *const bad[] = {"", "0x", ":", "12a", "-1", " 1", "1 ", "0x-1", "1.5", "%30"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct xr_buf der = {0};
        char hex[64];

        cr_assert(xr_x509_serial_parse(&der, good[i].text), "%s", good[i].text);
        xr_hex(hex, (unsigned char *)der.data, der.len);
        cr_assert_str_eq(hex, good[i].der, "%s", good[i].text);
        xr_buf_free(&der);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct xr_buf der = {0};

        cr_assert_not(xr_x509_serial_parse(&der, bad[i]), "%s", bad[i]);
        cr_assert_eq(der.len, 0);
    }
}

Test(x509, an_object_identifier_has_a_name_or_dots)
{
    static const struct {
        unsigned char der[16];
        size_t len;
        const char *text;
    } oids[] = {{{6, 3, 0x55, 0x1d, 30}, 5, "X509v3 Name Constraints"},
                {{6, 4, 0x2b, 0x87, 0x67, 1}, 6, "1.3.999.1"},
                {{6, 2, 0x55}, 3, "?"},
                {{0}, 0, "?"}};

    for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        char *text = xr_x509_oid_text((struct xr_bytes){oids[i].der, oids[i].len});

        cr_assert_str_eq(text, oids[i].text);
        free(text);
    }
}
