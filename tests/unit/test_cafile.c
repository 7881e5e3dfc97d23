/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of files of certificates is what libcrypto says that reads them, of files whole, odd and
 * damaged by chance: the same seeds give the same files at every run. */
#include "certs/cafile.h"
#include "kit/pem.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(1800000000)

enum { KINDS = 10 };
static struct pki_blob certs[KINDS], trusted, crl;

static void make_all(void)
{
    static const struct {
        const char *cn;
        enum pki_key_type key;
        enum pki_name_type name;
        bool pss;
        int version;
        const char *constraints;
    } kinds[KINDS] = {
        {"Plain", PKI_EC, PKI_UTF8, false, 3, NULL},
        {"Plain RSA", PKI_RSA, PKI_PRINTABLE, false, 3, NULL},
        {"Edwards", PKI_ED25519, PKI_UTF8, false, 3, NULL},
        {"PSS", PKI_RSA, PKI_UTF8, true, 3, NULL},
        {"クロスルート", PKI_EC, PKI_UTF8, false, 3, NULL},
        {"認証局", PKI_EC, PKI_BMP, false, 3, NULL},
        {"T61", PKI_EC, PKI_T61, false, 3, NULL},
        {"First", PKI_EC, PKI_UTF8, false, 1, NULL},
        {"Limited", PKI_EC, PKI_UTF8, false, 3, "critical,permitted;DNS:example.org"},
        {"Főtanúsítvány", PKI_RSA, PKI_UTF8, false, 3, NULL},
    };
    static const char *const server[] = {"serverAuth", NULL};
    struct pki_crl_spec list = {.this_update = NOW, .next_update = NOW + PKI_DAY, .number = "1"};
    struct pki_key *keys[3] = {pki_key_new(PKI_EC), pki_key_new(PKI_RSA), pki_key_new(PKI_ED25519)};

    for (size_t i = 0; i < KINDS; i++) {
        struct pki_spec spec = pki_spec_ca(kinds[i].cn, NOW);

        spec.name_type = kinds[i].name;
        spec.pss = kinds[i].pss;
        spec.version = kinds[i].version;
        spec.name_constraints = kinds[i].constraints;
        spec.o = "Crossroot Test";
        cr_assert_eq(pki_issue(&certs[i], keys[kinds[i].key], NULL, NULL, &spec), 0);
    }
    cr_assert_eq(pki_trusted(&trusted, &certs[0], server, NULL, "only servers"), 0);
    cr_assert_eq(pki_crl(&crl, &certs[0], keys[0], &list), 0);
    for (size_t i = 0; i < 3; i++)
        pki_key_free(keys[i]);
}

static void free_all(void)
{
    for (size_t i = 0; i < KINDS; i++)
        pki_blob_free(&certs[i]);
    pki_blob_free(&trusted);
    pki_blob_free(&crl);
}

TestSuite(cafile, .init = make_all, .fini = free_all, .timeout = 300);

/* ---- damage ---- */

static unsigned pick(unsigned *seed, size_t below)
{
    return below == 0 ? 0 : (unsigned)rand_r(seed) % (unsigned)below;
}

/* Changes, removes or adds some bytes. */
static void damage(struct xr_buf *out, unsigned *seed, const unsigned char *bytes, size_t count)
{
    size_t at = pick(seed, out->len), n = 1 + pick(seed, 4);

    if (out->len == 0)
        return;
    switch (pick(seed, 5)) {
    case 0:
        out->data[at] = (char)(out->data[at] ^ (1 << pick(seed, 8)));
        break;
    case 1:
        out->data[at] = (char)bytes[pick(seed, count)];
        break;
    case 2: /* a few less */
        n = n > out->len - at ? out->len - at : n;
        memmove(out->data + at, out->data + at + n, out->len - at - n);
        out->len -= n;
        break;
    case 3: { /* one more */
        char byte = (char)bytes[pick(seed, count)];

        xr_buf_add(out, "", 1);
        memmove(out->data + at + 1, out->data + at, out->len - 1 - at);
        out->data[at] = byte;
        break;
    }
    default:
        if (pick(seed, 8) == 0)
            out->len = at;
        else
            out->data[at] = (char)pick(seed, 256);
    }
}

/* Copies elements; the one of that number gets other content, with all lengths around it right. */
static void reshape(struct xr_buf *out, unsigned *seed, struct xr_bytes in, int *number)
{
    struct xr_der_item item;

    while (in.len > 0) {
        struct xr_buf content = {0};
        unsigned tag = 0;
        bool here = (*number)-- == 0;

        if (!xr_der_next(&item, &in)) {
            xr_buf_add(out, in.data, in.len);
            return;
        }
        tag = item.tag;
        xr_buf_add(&content, "", 0);
        if ((tag & 0x20) != 0)
            reshape(&content, seed, item.content, number);
        else
            xr_buf_add(&content, item.content.data, item.content.len);
        if (here) {
            static const unsigned char tags[] = {1,  2,  3,  4,  5,    6,    12,   18,   19,  20,
                                                 22, 23, 24, 30, 0x30, 0x31, 0xa0, 0xa3, 0x81};

            switch (pick(seed, 6)) {
            case 0:
                content.len = 0;
                break;
            case 1:
                content.len -= content.len > 0;
                break;
            case 2:
                xr_buf_add(&content, "\x05", 1);
                break;
            case 3:
                tag = tags[pick(seed, sizeof(tags))];
                break;
            case 4: /* twice */
                xr_der_put(out, tag, content.data, content.len);
                break;
            default:
                xr_buf_free(&content);
                continue; /* left out */
            }
        }
        xr_der_put(out, tag, content.data, content.len);
        xr_buf_free(&content);
    }
}

Test(cafile, what_is_surely_parsed_is_parsed_by_libcrypto)
{
    static const unsigned char bytes[] = {0, 1, 2, 5, 0x7f, 0x80, 0x81, 0xff, 0x1f, 0x30, 0x31};
    unsigned seed = 20261129, sure = 0, refused = 0;

    for (unsigned i = 0; i < 40000; i++) {
        const struct pki_blob *cert = &certs[pick(&seed, KINDS)];
        struct xr_buf der = {0};
        struct xr_bytes view;

        if (pick(&seed, 2) == 0) {
            int number = (int)pick(&seed, 70);

            reshape(&der, &seed, (struct xr_bytes){cert->data, cert->len}, &number);
        } else {
            xr_buf_add(&der, cert->data, cert->len);
        }
        for (unsigned k = pick(&seed, 3); k > 0; k--)
            damage(&der, &seed, bytes, sizeof(bytes));
        view = (struct xr_bytes){(const unsigned char *)der.data, der.len};
        if (!xr_surely_parsed(view)) {
            refused++;
        } else {
            const unsigned char *at = view.data;
            X509 *x = d2i_X509(NULL, &at, (long)view.len);
            unsigned char *again = NULL;
            int len = 0;

            cr_assert_not_null(x, "case %u", i);
            len = i2d_X509_AUX(x, &again);
            cr_assert(at == view.data + view.len && len == (int)view.len &&
                          xr_bytes_equal((struct xr_bytes){again, (size_t)len}, view),
                      "case %u", i);
            OPENSSL_free(again);
            X509_free(x);
            sure++;
        }
        xr_buf_free(&der);
    }
    cr_assert(sure > 7000 && refused > 7000, "%u, %u", sure, refused);
}

Test(cafile, plain_certificates_need_no_libcrypto)
{
    static const bool plain[KINDS] = {true,  true,  false, false, true,
                                      false, false, true,  true,  true};

    for (size_t i = 0; i < KINDS; i++)
        cr_assert_eq(xr_surely_parsed((struct xr_bytes){certs[i].data, certs[i].len}), plain[i],
                     "%zu", i);
}

/* ---- files ---- */

struct read {
    struct xr_buf all; /* every item, one after the other */
    size_t count;
};

static enum xr_status add_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct read *read = ctx;

    xr_buf_fmt(&read->all, "%d", (int)kind);
    xr_buf_add(&read->all, der.data, der.len);
    read->count++;
    return XR_OK;
}

static void add_x509(struct read *read, X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509_AUX(x, &der);

    (void)add_item(read, len > i2d_X509(x, NULL) ? XR_ITEM_TRUSTED_CERT : XR_ITEM_CERT,
                   (struct xr_bytes){der, (size_t)len});
    OPENSSL_free(der);
}

/* The real thing: a file on disk, loaded as each reader does. The store keeps what came before an
 * error, sorted by name, so the certificates are compared as a set: by their sorted encodings. */
static int by_bytes(const void *a, const void *b)
{
    const struct xr_bytes *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->data, y->data, len);

    return order != 0 ? order : (int)x->len - (int)y->len;
}

struct set {
    struct xr_bytes items[64];
    size_t count;
};

static enum xr_status add_to_set(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct set *set = ctx;
    struct xr_der_item one, other;
    struct xr_bytes rest = der;

    (void)kind;
    cr_assert(xr_der_next(&one, &rest));
    /* Of two copies the first stays, also if their trust settings differ. */
    for (size_t i = 0; i < set->count; i++) {
        rest = set->items[i];
        if (xr_der_next(&other, &rest) && xr_bytes_equal(one.whole, other.whole))
            return XR_OK;
    }
    cr_assert_lt(set->count, 64);
    set->items[set->count++] = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    return XR_OK;
}

static void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free((void *)(uintptr_t)set->items[i].data);
}

static bool load(struct set *out, const char *path, enum xr_reading as)
{
    X509_STORE *store = X509_STORE_new();
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    int ok = as == XR_READ_BUNDLE   ? X509_load_cert_crl_file(lookup, path, X509_FILETYPE_PEM)
             : as == XR_READ_HASHED ? X509_load_cert_file(lookup, path, X509_FILETYPE_PEM)
                                    : X509_load_crl_file(lookup, path, X509_FILETYPE_PEM);
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        unsigned char *der = NULL;
        int len = X509_OBJECT_get_type(object) == X509_LU_X509
                      ? i2d_X509_AUX(X509_OBJECT_get0_X509(object), &der)
                      : i2d_X509_CRL(X509_OBJECT_get0_X509_CRL(object), &der);

        (void)add_to_set(out, 0, (struct xr_bytes){der, (size_t)len});
        OPENSSL_free(der);
    }
    ERR_clear_error();
    X509_STORE_free(store);
    return ok > 0;
}

static char path[] = "/tmp/xr-cafile.XXXXXX";

/* Reads the same bytes by ours and by OpenSSL's own. */
static bool compare(const struct xr_buf *text, unsigned number)
{
    static const enum xr_reading ways[] = {XR_READ_BUNDLE, XR_READ_HASHED, XR_READ_HASHED_CRL};
    bool any = false;
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    cr_assert(fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len);
    (void)close(fd);
    for (size_t way = 0; way < 3; way++) {
        struct set ours = {0}, theirs = {0};
        struct xr_error err = {0};
        enum xr_status status =
            xr_openssl_items((struct xr_bytes){(const unsigned char *)text->data, text->len},
                             ways[way], add_to_set, &ours, &err);
        bool loaded = load(&theirs, path, ways[way]);

        cr_assert_eq(status == XR_OK, loaded, "case %u, way %zu: %s", number, way, err.text);
        cr_assert(status == XR_OK || (status == XR_INVALID && err.text[0] != '\0'));
        qsort(ours.items, ours.count, sizeof(*ours.items), by_bytes);
        qsort(theirs.items, theirs.count, sizeof(*theirs.items), by_bytes);
        cr_assert_eq(ours.count, theirs.count, "case %u, way %zu: %zu, not %zu", number, way,
                     ours.count, theirs.count);
        for (size_t i = 0; i < ours.count; i++)
            cr_assert(xr_bytes_equal(ours.items[i], theirs.items[i]), "case %u", number);
        any = any || loaded;
        set_free(&ours);
        set_free(&theirs);
    }
    return any;
}

static void add_pem(struct xr_buf *out, const char *label, const struct pki_blob *blob)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = 0;

    cr_assert(PEM_write_bio(bio, label, "", blob->data, (long)blob->len) > 0);
    len = BIO_get_mem_data(bio, &text);
    xr_buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

Test(cafile, damaged_files_are_read_as_openssl_reads_them)
{
    static const char *const labels[] = {
        PKI_LABEL_CERT,     PKI_LABEL_CERT,    PKI_LABEL_CERT, PKI_LABEL_CERT, PKI_LABEL_CERT,
        "X509 CERTIFICATE", PKI_LABEL_TRUSTED, PKI_LABEL_CRL,  "PKCS7",        "RSA PRIVATE KEY"};
    static const char *const between[] = {"",
                                          "",
                                          "",
                                          "\n",
                                          "# a comment\n",
                                          "Főtanúsítvány: x\n",
                                          "\r\n",
                                          "\xef\xbb\xbf",
                                          "no line end",
                                          "\0"};
    static const unsigned char bytes[] = "\0\n\r\t -=:AB\xef\x80";
    unsigned seed = 20261130, readable = 0;
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    (void)close(fd);
    for (unsigned i = 0; i < 3000; i++) {
        struct xr_buf text = {0};

        xr_buf_add(&text, "", 0);
        for (unsigned k = pick(&seed, 5); k > 0; k--) {
            const char *label = labels[pick(&seed, i % 3 == 0 ? 10 : 5)];
            const char *gap = between[pick(&seed, sizeof(between) / sizeof(between[0]))];
            const struct pki_blob *blob = strcmp(label, PKI_LABEL_TRUSTED) == 0 ? &trusted
                                          : strcmp(label, PKI_LABEL_CRL) == 0
                                              ? &crl
                                              : &certs[pick(&seed, KINDS)];

            add_pem(&text, label, blob);
            xr_buf_add(&text, gap, gap[0] == '\0' ? pick(&seed, 2) : strlen(gap));
        }
        for (unsigned k = pick(&seed, 3); k > 0; k--)
            damage(&text, &seed, bytes, sizeof(bytes));
        readable += compare(&text, i);
        xr_buf_free(&text);
    }
    (void)unlink(path);
    cr_assert(readable > 700 && readable < 2700, "%u", readable);
}

Test(cafile, a_file_in_order_gives_its_items_in_order)
{
    struct xr_buf text = {0};
    struct read ours = {0}, wanted = {0};

    xr_buf_str(&text, "# three, and the last twice\n");
    for (size_t i = 0; i < 4; i++) {
        size_t at = i < 3 ? i : 2;
        const unsigned char *der = certs[at].data;
        X509 *x = d2i_X509(NULL, &der, (long)certs[at].len);

        add_pem(&text, PKI_LABEL_CERT, &certs[at]);
        add_x509(&wanted, x);
        X509_free(x);
    }
    cr_assert_eq(xr_openssl_items((struct xr_bytes){(const unsigned char *)text.data, text.len},
                                  XR_READ_BUNDLE, add_item, &ours, NULL),
                 XR_OK);
    cr_assert_eq(ours.count, 4);
    cr_assert(ours.all.len == wanted.all.len &&
              memcmp(ours.all.data, wanted.all.data, ours.all.len) == 0);
    xr_buf_free(&text);
    xr_buf_free(&ours.all);
    xr_buf_free(&wanted.all);
}

Test(cafile, the_reason_is_openssls_own)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "it has no certificate"},
        {"nothing here\n", "it has no certificate"},
        {"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "bad base64 decode"},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n", "bad end line"},
        {"-----BEGIN CERTIFICATE-----\nAgEB\n-----END CERTIFICATE-----\n", "wrong tag"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xr_bytes data = {(const unsigned char *)cases[i].text, strlen(cases[i].text)};
        struct read read = {0};
        struct xr_error err = {0};

        cr_assert_eq(xr_openssl_items(data, XR_READ_BUNDLE, add_item, &read, &err), XR_INVALID);
        cr_assert_str_eq(err.text, cases[i].why);
        cr_assert_eq(read.count, 0);
    }
}

Test(cafile, blocks_are_written_as_openssl_writes_them)
{
    unsigned char bytes[200];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *theirs = NULL, *ours = NULL;
        size_t ours_len = 0;
        long theirs_len = 0;

        cr_assert(PEM_write_bio(bio, "CERTIFICATE", "", bytes, (long)len) > 0);
        theirs_len = BIO_get_mem_data(bio, &theirs);
        ours = xr_pem("CERTIFICATE", (struct xr_bytes){bytes, len}, &ours_len);
        cr_expect((long)ours_len == theirs_len && memcmp(ours, theirs, ours_len) == 0,
                  "%zu bytes: %s", len, ours);
        free(ours);
        BIO_free(bio);
    }
}
