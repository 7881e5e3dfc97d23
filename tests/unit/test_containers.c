/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold several certificates: PKCS#12, PKCS#7 in BER and CMS, Windows serialized stores. */
#include "certs/input.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define NOW INT64_C(1800000000)

/* ---- fixtures ---- */

struct made {
    struct pki_key *key;
    struct pki_blob cert;
    X509 *x;
    EVP_PKEY *pkey;
};

static struct made make(const char *cn)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct made made = {.key = pki_key_new(PKI_EC)};
    struct pki_blob der = {0};
    const unsigned char *at = NULL;

    cr_assert(made.key != NULL && pki_issue(&made.cert, made.key, NULL, NULL, &spec) == 0);
    at = made.cert.data;
    made.x = d2i_X509(NULL, &at, (long)made.cert.len);
    cr_assert(pki_key_der(&der, made.key) == 0);
    at = der.data;
    made.pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    cr_assert(made.x != NULL && made.pkey != NULL);
    pki_blob_free(&der);
    return made;
}

static void unmake(struct made *made)
{
    pki_key_free(made->key);
    pki_blob_free(&made->cert);
    X509_free(made->x);
    EVP_PKEY_free(made->pkey);
}

static struct pki_blob from_bio(BIO *bio)
{
    struct pki_blob out = {0};
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    cr_assert(len > 0);
    out.data = malloc((size_t)len);
    cr_assert(out.data != NULL);
    memcpy(out.data, data, (size_t)len);
    out.len = (size_t)len;
    BIO_free(bio);
    return out;
}

struct form {
    int key_nid, cert_nid, rounds, mac_rounds; /* as PKCS12_create takes them */
};
static const struct form usual = {0, 0, 100, 100};

/* A PKCS#12 file of the certificate and key of a, and the certificate of b. */
static struct pki_blob make_p12(const struct made *a, const struct made *b, const char *password,
                                const struct form *form)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS12 *p12 = NULL;

    cr_assert(sk_X509_push(others, b->x) == 1);
    p12 = PKCS12_create(password, "name", a->pkey, a->x, others, form->key_nid, form->cert_nid,
                        form->rounds, form->mac_rounds, 0);
    cr_assert(p12 != NULL && i2d_PKCS12_bio(bio, p12) == 1);
    PKCS12_free(p12);
    sk_X509_free(others);
    return from_bio(bio);
}

/* From a buffer of exactly that size, so that the sanitizer guards its end. */
static void add(struct xr_input *input, const char *password, const void *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);

    cr_assert(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    if (password != NULL)
        input->password = (struct xr_bytes){(const unsigned char *)password, strlen(password)};
    xr_input_add_bytes(input, "file", (struct xr_bytes){exact, len});
    free(exact);
}

static bool has(const struct xr_input *input, const struct pki_blob *der)
{
    for (size_t i = 0; i < input->found.count; i++) {
        const struct xr_input_item *item = &input->found.items[i];

        if (xr_bytes_equal(item->cert ? item->cert->der : item->crl->der,
                           (struct xr_bytes){der->data, der->len}))
            return true;
    }
    return false;
}

static bool said(const struct xr_input *input, const char *words, bool note)
{
    for (size_t i = 0; i < input->rejected.count; i++) {
        if (input->rejected.items[i].note == note &&
            strstr(input->rejected.items[i].reason, words) != NULL)
            return true;
    }
    return false;
}

/* Gives the file those two certificates and no other, without an error? */
static bool gives(const char *password, const struct pki_blob *file, const struct made *a,
                  const struct made *b)
{
    struct xr_input input = {0};
    bool ok = false;

    add(&input, password, file->data, file->len);
    ok = !input.failed && input.found.count == 2 && has(&input, &a->cert) && has(&input, &b->cert);
    if (!ok && input.rejected.count > 0)
        cr_log_error("%s", input.rejected.items[0].reason);
    xr_input_free(&input);
    return ok;
}

static bool refuses(const char *password, const void *data, size_t len, const char *words)
{
    struct xr_input input = {0};
    bool ok = false;

    add(&input, password, data, len);
    ok = input.failed && input.found.count == 0 && said(&input, words, false);
    if (!ok)
        cr_log_error("\"%s\" expected, got \"%s\"", words,
                     input.rejected.count ? input.rejected.items[0].reason : "nothing");
    xr_input_free(&input);
    return ok;
}

/* ---- PKCS#12 ---- */

Test(containers, pkcs12_gives_its_certificates_to_who_has_the_password)
{
    static const struct form forms[] = {
        {0, 0, 100, 100},
        {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 100, 100},
        {NID_aes_256_cbc, NID_aes_256_cbc, 100, 100},
        {NID_aes_256_cbc, -1, 100, 100}, /* certificates not encrypted, the MAC is over them */
        {NID_aes_256_cbc, NID_aes_256_cbc, 100, -1}, /* no MAC */
    };
    struct made a = make("A"), b = make("B");

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct pki_blob file = make_p12(&a, &b, "s\xc3\xa9same", &forms[i]);

        cr_assert(gives("s\xc3\xa9same", &file, &a, &b), "form %zu", i);
        cr_assert(refuses("barley", file.data, file.len, "--password-fd"), "form %zu", i);
        cr_assert(refuses("barley", file.data, file.len, "wrong"), "form %zu", i);
        cr_assert(refuses(NULL, file.data, file.len, "PKCS#12 with a password"), "form %zu", i);
        cr_assert(refuses("", file.data, file.len, "PKCS#12 with a password"), "form %zu", i);
        pki_blob_free(&file);
    }
    unmake(&a);
    unmake(&b);
}

Test(containers, pkcs12_with_the_empty_password_or_none_needs_no_option)
{
    static const struct form open = {-1, -1, 0, -1};
    const char *const passwords[] = {NULL, ""};
    struct made a = make("A"), b = make("B");

    for (size_t i = 0; i < 2; i++) {
        const struct form *forms[] = {&usual, &open};

        for (size_t k = 0; k < 2; k++) {
            struct pki_blob file = make_p12(&a, &b, passwords[i], forms[k]);

            cr_assert(gives(NULL, &file, &a, &b), "%zu %zu", i, k);
            cr_assert(gives("", &file, &a, &b), "%zu %zu", i, k);
            /* The option may be there for a store. */
            cr_assert(gives("of a store", &file, &a, &b), "%zu %zu", i, k);
            pki_blob_free(&file);
        }
    }
    unmake(&a);
    unmake(&b);
}

Test(containers, the_private_key_of_pkcs12_is_a_note_and_in_no_item)
{
    struct made a = make("A"), b = make("B");
    struct pki_blob file = make_p12(&a, &b, "secret", &usual), key = {0};
    struct xr_input input = {0};

    cr_assert(pki_key_der(&key, a.key) == 0);
    add(&input, "secret", file.data, file.len);
    cr_assert(!input.failed && said(&input, "a private key: left unread", true));
    for (size_t i = 0; i < input.found.count; i++) {
        struct xr_bytes der = input.found.items[i].cert->der;

        cr_assert(memmem(der.data, der.len, key.data, key.len) == NULL);
    }
    xr_input_free(&input);
    pki_blob_free(&key);
    pki_blob_free(&file);
    unmake(&a);
    unmake(&b);
}

Test(containers, old_encryption_of_pkcs12_is_read_with_the_legacy_module_or_named)
{
    static const struct form rc2 = {NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                    NID_pbe_WithSHA1And40BitRC2_CBC, 100, 100};
    struct made a = make("A"), b = make("B");
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
    struct pki_blob file = {0};

    if (legacy == NULL)
        cr_skip_test("this OpenSSL has no legacy module to make such a file");
    file = make_p12(&a, &b, "secret", &rc2);
    cr_assert(OSSL_PROVIDER_unload(legacy) == 1);
    /* Who may set the environment has no say in what is loaded. */
    cr_assert(setenv("OPENSSL_MODULES", "/nonexistent", 1) == 0);
    cr_assert(gives("secret", &file, &a, &b));
    cr_assert(refuses("barley", file.data, file.len, "wrong"));
    pki_blob_free(&file);
    unmake(&a);
    unmake(&b);
}

Test(containers, pkcs12_that_asks_for_hours_of_hashing_is_refused, .timeout = 60)
{
    static const struct form forms[] = {{NID_aes_256_cbc, NID_aes_256_cbc, 100, 100},
                                        {0, NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 100, 100}};
    struct made a = make("A"), b = make("B");

    for (size_t i = 0; i < 2; i++) {
        struct pki_blob file = make_p12(&a, &b, "secret", &forms[i]);
        bool changed = false;

        /* INTEGER 100 in as many bytes as there are: of the MAC, at the very end, it becomes a great
         * number if two bytes before it give way. */
        for (size_t at = file.len; at-- > 3 && !changed;) {
            if (file.data[at - 2] == 0x02 && file.data[at - 1] == 0x01 && file.data[at] == 100) {
                static const unsigned char great[] = {0x04, 0x7f, 0xff, 0xff, 0xff};
                struct pki_blob more = {malloc(file.len + 3), file.len + 3};

                changed = true;
                memcpy(more.data, file.data, at - 1);
                memcpy(more.data + at - 1, great, sizeof(great));
                memcpy(more.data + at + 4, file.data + at + 1, file.len - at - 1);
                /* the lengths of the MAC's sequence and of the whole */
                for (size_t k = at; k-- > 0;) {
                    if (more.data[k] == 0x30 && k + 2 + more.data[k + 1] == file.len) {
                        more.data[k + 1] = (unsigned char)(more.data[k + 1] + 3);
                        break;
                    }
                }
                cr_assert(more.data[1] == 0x82);
                more.data[3] = (unsigned char)((file.len - 4 + 3) & 0xff);
                more.data[2] = (unsigned char)((file.len - 4 + 3) >> 8);
                cr_assert(refuses("secret", more.data, more.len, "rounds"), "form %zu", i);
                free(more.data);
            }
        }
        cr_assert(changed);
        pki_blob_free(&file);
    }
    unmake(&a);
    unmake(&b);
}

Test(containers, pkcs12_cut_at_any_byte_gives_no_certificate)
{
    struct made a = make("A"), b = make("B");
    struct pki_blob file = make_p12(&a, &b, "secret", &usual);

    for (size_t len = 0; len < file.len; len += 7) {
        struct xr_input input = {0};

        add(&input, "secret", file.data, len);
        cr_assert(input.failed && input.found.count == 0, "%zu of %zu", len, file.len);
        xr_input_free(&input);
    }
    file.data = realloc(file.data, file.len + 1);
    file.data[file.len] = 'x';
    cr_assert(refuses("secret", file.data, file.len + 1, "bytes follow"));
    file.data[file.len++] = '\n';
    cr_assert(gives("secret", &file, &a, &b));
    pki_blob_free(&file);
    unmake(&a);
    unmake(&b);
}

Test(containers, random_damage_to_pkcs12_never_crashes)
{
    static const struct form plain = {-1, -1, 0, -1};
    struct made a = make("A"), b = make("B");
    struct pki_blob file = make_p12(&a, &b, NULL, &plain);
    uint32_t seed = 4711;

    for (size_t round = 0; round < 3000; round++) {
        struct xr_input input = {0};
        size_t at = 0;
        unsigned char was = 0;

        seed = seed * 1664525u + 1013904223u;
        at = (seed >> 8) % file.len;
        was = file.data[at];
        file.data[at] = (unsigned char)(seed >> 24);
        add(&input, "x", file.data, file.len);
        cr_assert(input.found.count <= 2);
        xr_input_free(&input);
        file.data[at] = was;
    }
    pki_blob_free(&file);
    unmake(&a);
    unmake(&b);
}

/* ---- PKCS#7 and CMS ---- */

static struct pki_blob make_cms(const struct made *a, const struct made *b, unsigned flags)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    BIO *content = BIO_new_mem_buf("hello\n", -1), *bio = BIO_new(BIO_s_mem());
    CMS_ContentInfo *info = NULL;

    cr_assert(sk_X509_push(others, b->x) == 1);
    info = CMS_sign(a->x, a->pkey, others, content, flags | CMS_BINARY);
    cr_assert(info != NULL && i2d_CMS_bio_stream(bio, info, content, (int)flags) == 1);
    CMS_ContentInfo_free(info);
    BIO_free(content);
    sk_X509_free(others);
    return from_bio(bio);
}

Test(containers, cms_is_read_whatever_its_version_and_encoding)
{
    struct made a = make("A"), b = make("B");
    const unsigned flags[] = {0, CMS_STREAM, CMS_USE_KEYID, CMS_USE_KEYID | CMS_STREAM};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct pki_blob file = make_cms(&a, &b, flags[i]);

        cr_assert_eq(file.data[1] == 0x80, (flags[i] & CMS_STREAM) != 0, "indefinite or not");
        cr_assert(gives(NULL, &file, &a, &b), "form %zu", i);
        cr_assert(refuses(NULL, file.data, file.len - 30, "PKCS#7"), "form %zu, cut", i);
        file.data = realloc(file.data, file.len + 1);
        file.data[file.len] = 'x';
        cr_assert(refuses(NULL, file.data, file.len + 1, ""), "form %zu, and a byte", i);
        pki_blob_free(&file);
    }
    unmake(&a);
    unmake(&b);
}

Test(containers, a_backend_is_not_given_what_only_people_have)
{
    struct made a = make("A"), b = make("B");
    static const struct form open = {-1, -1, 0, -1};
    struct pki_blob files[] = {make_p12(&a, &b, NULL, &open), make_cms(&a, &b, CMS_STREAM)};

    for (size_t i = 0; i < 2; i++) {
        struct xr_scan scan = {0};

        cr_assert_eq(xr_scan(&scan, (struct xr_bytes){files[i].data, files[i].len}), XR_OK);
        cr_assert_eq(scan.found, 0u);
        pki_blob_free(&files[i]);
    }
    unmake(&a);
    unmake(&b);
}

/* ---- Windows serialized stores ---- */

static void put32(struct xr_buf *out, size_t value)
{
    const unsigned char bytes[] = {(unsigned char)value, (unsigned char)(value >> 8),
                                   (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    xr_buf_add(out, bytes, sizeof(bytes));
}

static void put_element(struct xr_buf *out, unsigned id, const void *data, size_t len)
{
    put32(out, id);
    put32(out, 1);
    put32(out, len);
    xr_buf_add(out, data, len);
}

static void begin_sst(struct xr_buf *out)
{
    xr_buf_add(out, "\0\0\0\0CERT", 8);
}

static void end_sst(struct xr_buf *out)
{
    xr_buf_add(out, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
}

Test(containers, a_windows_serialized_store_gives_its_certificates_and_crls)
{
    struct made a = make("A"), b = make("B");
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = NOW + PKI_DAY, .number = "7"};
    struct pki_blob crl = {0};
    struct xr_input input = {0};
    struct xr_buf file = {0};

    cr_assert(pki_crl(&crl, &a.cert, a.key, &spec) == 0);
    begin_sst(&file);
    put_element(&file, 11, "n\0a\0m\0e\0\0\0", 10);    /* friendly name */
    put_element(&file, 3, "01234567890123456789", 20); /* SHA-1 */
    put_element(&file, 32, a.cert.data, a.cert.len);
    put_element(&file, 32, b.cert.data, b.cert.len);
    put_element(&file, 33, crl.data, crl.len);
    put_element(&file, 34, "ctl", 3);
    end_sst(&file);
    add(&input, NULL, file.data, file.len);
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 3u);
    cr_assert(has(&input, &a.cert) && has(&input, &b.cert) && has(&input, &crl));
    cr_assert(!input.found.items[0].has_trust);
    cr_assert(said(&input, "neither certificate nor CRL", true), "the trust list is named");
    xr_input_free(&input);
    xr_buf_free(&file);
    pki_blob_free(&crl);
    unmake(&a);
    unmake(&b);
}

Test(containers, what_a_windows_serialized_store_does_not_trust_for_is_not_trusted_for)
{
    static const unsigned char mail[] = {0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4};
    static const unsigned char none[] = {0x30, 0};
    struct made a = make("A"), b = make("B"), c = make("C");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    begin_sst(&file);
    put_element(&file, 9, mail, sizeof(mail));
    put_element(&file, 32, a.cert.data, a.cert.len);
    put_element(&file, 9, none, sizeof(none));
    put_element(&file, 32, b.cert.data, b.cert.len);
    put_element(&file, 32, c.cert.data, c.cert.len);
    end_sst(&file);
    add(&input, NULL, file.data, file.len);
    cr_assert(!input.failed && input.found.count == 3);
    cr_assert(input.found.items[0].has_trust && input.found.items[0].trust == XR_EMAIL);
    cr_assert(input.found.items[1].has_trust && input.found.items[1].trust == 0);
    cr_assert(!input.found.items[2].has_trust);
    xr_input_free(&input);
    xr_buf_free(&file);
    unmake(&a);
    unmake(&b);
    unmake(&c);
}

Test(containers, a_damaged_windows_serialized_store_is_refused_at_any_byte)
{
    struct made a = make("A");
    struct xr_input longer = {0};
    struct xr_buf file = {0};

    begin_sst(&file);
    put_element(&file, 32, a.cert.data, a.cert.len);
    end_sst(&file);
    for (size_t len = 8; len < file.len; len++) {
        struct xr_input input = {0};

        add(&input, NULL, file.data, len);
        cr_assert(input.failed && said(&input, "cut off", false), "%zu", len);
        xr_input_free(&input);
    }
    xr_buf_str(&file, "x");
    add(&longer, NULL, file.data, file.len);
    cr_assert(longer.failed && said(&longer, "bytes follow the end", false));
    xr_input_free(&longer);
    memset(file.data + 16, 0xff, 4); /* a length of 4 GiB */
    cr_assert(refuses(NULL, file.data, file.len, "cut off"));
    file.data[12] = 7; /* an encoding that nobody has */
    cr_assert(refuses(NULL, file.data, file.len, "cut off"));
    xr_buf_free(&file);
    begin_sst(&file);
    put_element(&file, 32, "no certificate", 14);
    end_sst(&file);
    cr_assert(refuses(NULL, file.data, file.len, "not DER"));
    file.data[12] = 7;
    cr_assert(refuses(NULL, file.data, file.len, "damaged"));
    xr_buf_free(&file);
    begin_sst(&file);
    end_sst(&file);
    cr_assert(refuses(NULL, file.data, file.len, "without certificates"));
    xr_buf_free(&file);
    unmake(&a);
}
