/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#7, PKCS#12 and serialized stores (containers.h), and what OpenSSL takes from a file (cafile.h): is
 * everything emitted inside the limits, and does libcrypto itself find the same in a file. The first byte
 * of an input says which of them the rest is. */
#include "certs/containers.h"

#include "certs/cafile.h"
#include "certs/scan.h"
#include "fuzz.h"
#include "kit/der.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { AS_PKCS7, AS_PKCS12, AS_SST, AS_SCAN, AS_FILE, AS_COUNT };

struct items {
    struct xr_buf *items;
    size_t count, capacity;
};

static enum xr_status take(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct items *items = ctx;

    CHECK(kind >= XR_ITEM_CERT && kind <= XR_ITEM_TRUSTED_CERT && der.data != NULL);
    xr_buf_add(XR_PUSH(items), der.data, der.len);
    return XR_OK;
}

static int by_bytes(const void *a, const void *b)
{
    const struct xr_buf *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* Of several with one certificate or CRL the first alone stays: a store of libcrypto keeps no more. */
static void drop_twins(struct items *items)
{
    size_t kept = 0;

    for (size_t i = 0; i < items->count; i++) {
        struct xr_bytes rest = fuzz_buf_bytes(&items->items[i]);
        struct xr_der_item own = {0}, other = {0};
        bool twin = false;

        CHECK(xr_der_next(&own, &rest));
        for (size_t k = 0; k < kept && !twin; k++) {
            rest = fuzz_buf_bytes(&items->items[k]);
            twin = xr_der_next(&other, &rest) && xr_bytes_equal(own.whole, other.whole);
        }
        if (twin)
            xr_buf_free(&items->items[i]);
        else
            items->items[kept++] = items->items[i];
    }
    items->count = kept;
}

static void sort(struct items *items)
{
    if (items->count > 1)
        qsort(items->items, items->count, sizeof(*items->items), by_bytes);
}

static void items_free(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        xr_buf_free(&items->items[i]);
    free(items->items);
}

/* What OpenSSL's own reader makes of the file. */
static bool load(struct items *out, const char *path, enum xr_reading as)
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

        if (len > 0)
            xr_buf_add(XR_PUSH(out), der, (size_t)len);
        OPENSSL_free(der);
    }
    X509_STORE_free(store);
    ERR_clear_error();
    return ok > 0;
}

static void check_file(struct xr_bytes data)
{
    static char *path;
    static const enum xr_reading ways[] = {XR_READ_BUNDLE, XR_READ_HASHED, XR_READ_HASHED_CRL};

    if (path == NULL)
        path = xr_format("%s/file.pem", fuzz_directory());
    fuzz_write(path, data);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct items ours = {0}, theirs = {0};
        bool we_read = xr_openssl_items(data, ways[i], take, &ours, NULL) == XR_OK;
        bool they_read = load(&theirs, path, ways[i]);

        /* A bundle that it cannot read may leave something in its store, which no program then uses. */
        CHECK(we_read == they_read);
        drop_twins(&ours);
        sort(&ours);
        sort(&theirs);
        if (we_read || ways[i] != XR_READ_BUNDLE) {
            CHECK(ours.count == theirs.count);
            for (size_t k = 0; k < ours.count; k++)
                CHECK(by_bytes(&ours.items[k], &theirs.items[k]) == 0);
        }
        items_free(&ours);
        items_free(&theirs);
    }
}

static enum xr_status scan_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                                struct xr_bytes aux)
{
    (void)aux;
    return take(ctx, kind, der);
}

static void scan_reject(void *ctx, bool note, const char *reason)
{
    (void)ctx;
    (void)note;
    CHECK(fuzz_printable(reason));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xr_bytes password = {(const unsigned char *)FUZZ_PASSWORD,
                                             sizeof(FUZZ_PASSWORD) - 1};
    struct xr_bytes rest = {data + 1, size - 1};
    struct items items = {0};
    unsigned left = 0;
    struct xr_error err = {0};

    if (size < 1)
        return 0;
    switch (data[0] % AS_COUNT) {
    case AS_PKCS7:
        if (xr_pkcs7_begins(rest))
            (void)xr_x509_pkcs7(rest, take, &items, &err);
        break;
    case AS_PKCS12:
        if (xr_pkcs12_begins(rest))
            (void)xr_x509_pkcs12(&left, rest, password, take, &items, &err);
        break;
    case AS_SST:
        if (xr_sst_begins(rest))
            (void)xr_sst(&left, rest, take, &items, &err);
        break;
    case AS_SCAN:
        for (int lenient = 0; lenient < 2; lenient++) {
            struct xr_scan scan = {.item = scan_item,
                                   .reject = scan_reject,
                                   .ctx = &items,
                                   .lenient = lenient == 1,
                                   .password = password};

            (void)xr_scan(&scan, rest);
        }
        break;
    default:
        check_file(rest);
    }
    CHECK(fuzz_printable(err.text));
    items_free(&items);
    return 0;
}

static void seed(struct fuzz_corpus *corpus, int as, const void *data, size_t len)
{
    struct xr_buf out = {0};
    unsigned char head = (unsigned char)as;

    xr_buf_add(&out, &head, 1);
    xr_buf_add(&out, data, len);
    fuzz_seed_buf(corpus, &out);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf all = {0}, some = {0};

    fuzz_put_pem(&some, PKI_LABEL_CERT, &f->certs[FUZZ_ROOT]);
    fuzz_put_pem(&some, PKI_LABEL_TRUSTED, &f->trusted);
    fuzz_put_pem(&some, PKI_LABEL_CRL, &f->crl);
    xr_buf_add(&all, some.data, some.len);
    xr_buf_str(&all, "# text\n");
    fuzz_put_pem(&all, "X509 CERTIFICATE", &f->certs[FUZZ_ODD]);
    fuzz_put_pem(&all, PKI_LABEL_PKCS7, &f->pkcs7);
    seed(corpus, AS_PKCS7, f->pkcs7.data, f->pkcs7.len);
    seed(corpus, AS_PKCS12, f->p12.data, f->p12.len);
    seed(corpus, AS_SST, f->sst.data, f->sst.len);
    seed(corpus, AS_SCAN, all.data, all.len);
    seed(corpus, AS_SCAN, f->p12.data, f->p12.len);
    seed(corpus, AS_FILE, all.data, all.len);
    seed(corpus, AS_FILE, some.data, some.len);
    for (size_t i = 0; i < FUZZ_CERTS; i++) {
        struct xr_buf one = {0};

        fuzz_put_pem(&one, PKI_LABEL_CERT, &f->certs[i]);
        seed(corpus, AS_FILE, one.data, one.len);
        xr_buf_free(&one);
    }
    xr_buf_free(&all);
    xr_buf_free(&some);
}
