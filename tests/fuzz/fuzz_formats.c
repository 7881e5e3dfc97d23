/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs of hostile certificates (formats.h): has each output as many entries as certificates, do PEM
 * bundles read back as these and nothing else, by our reader and by libcrypto's, and are names of files
 * names. An input is parts: one byte of flags, then by turns a label and a certificate.
 */
#include "formats/formats.h"

#include "fuzz.h"
#include "kit/der.h"
#include "kit/pem.h"
#include "stores/registry.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#define CERTS_MAX 8u
#define SERVER    "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"

static void make(struct xr_format_cert *out, unsigned char flags, struct xr_bytes label,
                 struct xr_bytes der)
{
    static const struct xr_bytes oid = {(const unsigned char *)SERVER, sizeof(SERVER) - 1};
    struct xr_der_cert cert;
    bool known = xr_der_cert(&cert, der, NULL) == XR_OK;

    *out = (struct xr_format_cert){.der = der,
                                   .label = (const char *)label.data,
                                   .label_len = label.len,
                                   .not_before = known ? cert.not_before : -flags,
                                   .has_trust = (flags & 1) != 0,
                                   .has_reject = (flags & 2) != 0,
                                   .link_hash = {flags & 0xcU, 0x12345678},
                                   .link_count = flags / 16 % 3};
    if (out->has_trust && (flags & 4) != 0)
        out->trust = oid;
    if (out->has_reject)
        out->reject = oid;
    if ((flags & 8) != 0)
        out->key_id = label;
}

static size_t read_back(struct xr_bytes text, struct xr_format_cert *const *certs, size_t count,
                        const char *label)
{
    struct xr_bytes rest = text;
    struct xr_pem_block block;
    size_t found = 0;

    while (xr_pem_next(&block, &rest, text.data, true) != XR_PEM_NONE) {
        struct xr_buf der = {0};

        CHECK(block.label.len == strlen(label) &&
              memcmp(block.label.data, label, block.label.len) == 0);
        CHECK(xr_base64(&der, block.body.data, block.body.len));
        CHECK(found < count && der.len >= certs[found]->der.len);
        CHECK(certs[found]->der.len == 0 ||
              memcmp(der.data, certs[found]->der.data, certs[found]->der.len) == 0);
        xr_buf_free(&der);
        found++;
    }
    return found;
}

/* libcrypto reads a bundle up to the first that it cannot parse. */
static void check_libcrypto(struct xr_bytes text, struct xr_format_cert *const *certs, size_t count)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    size_t good = 0, found = 0;
    X509 *x = NULL;

    while (good < count) {
        const unsigned char *at = certs[good]->der.data;

        x = d2i_X509(NULL, &at, (long)certs[good]->der.len);
        if (x == NULL || at != certs[good]->der.data + certs[good]->der.len)
            break;
        X509_free(x);
        x = NULL;
        good++;
    }
    X509_free(x);
    while ((x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        X509_free(x);
        found++;
    }
    CHECK(found >= good);
    BIO_free(bio);
    ERR_clear_error();
}

static size_t entries(const struct xr_buf *out, enum xr_format format,
                      struct xr_format_cert *const *certs, size_t count)
{
    struct xr_bytes all = fuzz_buf_bytes(out);
    size_t found = 0;

    switch (format) {
    case XR_FORMAT_PEM_BUNDLE:
    case XR_FORMAT_PEM_DIRECTORY:
        return read_back(all, certs, count, "CERTIFICATE");
    case XR_FORMAT_OPENSSL_BUNDLE:
    case XR_FORMAT_OPENSSL_DIRECTORY:
        return read_back(all, certs, count, "TRUSTED CERTIFICATE");
    case XR_FORMAT_JAVA:
        CHECK(xr_format_same_jks(all, all, &xr_host));
        return (size_t)all.data[8] << 24 | (size_t)all.data[9] << 16 | (size_t)all.data[10] << 8 |
               all.data[11];
    default:
        for (size_t at = 0; at < all.len; found++) {
            uint32_t len = 0;

            CHECK(all.len - at > 20);
            memcpy(&len, all.data + at + 16, 4);
            CHECK(len >= 44 && len <= all.len - at);
            at += len;
        }
        return found;
    }
}

static void check_directory(const struct xr_format_files *files, enum xr_format format,
                            struct xr_format_cert *const *certs, size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < files->count; i++) {
        const struct xr_format_file *file = &files->items[i];

        CHECK(file->name != NULL && file->name[0] != '\0' && strlen(file->name) <= 255 &&
              strchr(file->name, '/') == NULL && strcmp(file->name, ".") != 0 &&
              strcmp(file->name, "..") != 0 && fuzz_printable(file->name));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(files->items[k].name, file->name) != 0);
        if (file->target != NULL) {
            CHECK(strchr(file->target, '/') == NULL);
            continue;
        }
        CHECK(found < count && entries(&file->content, format, certs + found, 1) == 1);
        found++;
    }
    CHECK(found == count);
}

static void check_format(enum xr_format format, struct xr_format_cert *const *certs, size_t count)
{
    struct xr_format_options options = {.host = &xr_host, .comments = true};
    struct xr_format_files files = {0};

    xr_format_write(&files, format, certs, count, &options);
    if (xr_format_is_directory(format)) {
        check_directory(&files, format, certs, count);
    } else {
        CHECK(files.count == 1 && files.items[0].name == NULL);
        CHECK(entries(&files.items[0].content, format, certs, count) == count);
        if (format == XR_FORMAT_PEM_BUNDLE || format == XR_FORMAT_OPENSSL_BUNDLE)
            check_libcrypto(fuzz_buf_bytes(&files.items[0].content), certs, count);
    }
    xr_format_files_free(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_format_cert certs[CERTS_MAX], *pointers[CERTS_MAX];
    struct xr_bytes rest = {data, size}, label, der;
    size_t count = 0;

    while (count < CERTS_MAX && rest.len > 0) {
        unsigned char flags = rest.data[0];

        rest.data++;
        rest.len--;
        if (!fuzz_part(&label, &rest) || !fuzz_part(&der, &rest) || der.len == 0)
            break;
        make(&certs[count], flags, label, der);
        pointers[count] = &certs[count];
        count++;
    }
    for (int format = 0; format < XR_FORMAT_COUNT; format++)
        check_format((enum xr_format)format, pointers, count);
    (void)xr_format_same_jks((struct xr_bytes){data, size}, (struct xr_bytes){data, size},
                             &xr_host);
    for (size_t i = 0; i < count; i++)
        free(certs[i].base64);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const labels[] = {"Root",
                                         "Root",
                                         "a/b\n-----BEGIN CERTIFICATE-----\n",
                                         "\xe2\x82\xac \xff",
                                         "",
                                         "..",
                                         ".",
                                         "A\tb",
                                         "-----END CERTIFICATE-----",
                                         "a\x1b[2Jb",
                                         "con\xe2\x80\xaetrol"};
    const size_t count = sizeof(labels) / sizeof(labels[0]);
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf out = {0};

    for (size_t i = 0; i < 6; i++) {
        unsigned char flags = (unsigned char)(i * 21);

        xr_buf_add(&out, &flags, 1);
        fuzz_put_part(&out, labels[i % count], strlen(labels[i % count]));
        fuzz_put_part(&out, f->certs[i].data, f->certs[i].len);
    }
    fuzz_seed_buf(corpus, &out);
    for (size_t i = 0; i < FUZZ_CERTS; i++) {
        unsigned char flags = (unsigned char)(i * 37);

        xr_buf_add(&out, &flags, 1);
        fuzz_put_part(&out, labels[i % count], strlen(labels[i % count]));
        fuzz_put_part(&out, f->certs[i].data, f->certs[i].len);
        fuzz_seed_buf(corpus, &out);
    }
}
