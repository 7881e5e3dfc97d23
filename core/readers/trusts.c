/* SPDX-License-Identifier: Apache-2.0 */
#include "trusts.h"

#include "certs/cafile.h"
#include "certs/containers.h"
#include "certs/scan.h"
#include "formats/formats.h"
#include "kit/pem.h"
#include "sys/tree.h"

#include <stdlib.h>

#define FILE_MAX   ((size_t)256 << 20)
#define LINK_MAX   ((size_t)1 << 20)
#define LINKS_MAX  256u
#define CERTS_MAX  ((size_t)1 << 16)
#define PEM_BEGINS "-----BEGIN CERTIFICATE-----\n"
#define PEM_ENDS   "-----END CERTIFICATE-----"

struct loading {
    struct xr_trusts *out;
    size_t read;
};

static void unclear(struct xr_trusts *out, const char *text)
{
    if (out->unclear == NULL)
        out->unclear = xr_strdup(text);
}

static enum xr_status take(struct loading *l, struct xr_bytes der, size_t cert_len)
{
    struct xr_trust *made = NULL;
    struct xr_der_cert d;

    if (l->out->certs.count >= CERTS_MAX) {
        unclear(l->out, "it reads more certificates than are looked at here");
        return XR_OK;
    }
    made = XR_PUSH(&l->out->certs);
    made->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    made->read = l->read;
    xr_x509_sha256(made->sha256, (struct xr_bytes){made->der.data, cert_len});
    made->named = xr_der_cert(&d, (struct xr_bytes){made->der.data, cert_len}, NULL) == XR_OK &&
                  xr_x509_name_hash(&made->hash, d.slices.subject, NULL) == XR_OK;
    if (!made->named && l->out->reader->program->engine != XR_ENGINE_OPENSSL)
        unclear(l->out, "it reads a certificate that programs take in different ways");
    return XR_OK;
}

static enum xr_status take_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    uint32_t purposes = 0;
    size_t len = der.len;

    if (kind == XR_ITEM_CRL) /* programs look at them only if told to */
        return XR_OK;
    if (kind == XR_ITEM_TRUSTED_CERT && xr_input_trusted(&len, &purposes, der, NULL) != XR_OK)
        return XR_OK;
    return take(ctx, der, len);
}

static enum xr_status take_plain(void *ctx, struct xr_bytes der)
{
    return take(ctx, der, der.len);
}

static struct xr_bytes bytes_of(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

/* OpenSSL takes all of a bundle, or nothing. Others go on after a damaged block, each in its own way. */
static void load_bundle(struct loading *l, const char *path, bool openssl)
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    enum xr_status status = xr_tree_read(&text, l->out->root, path, FILE_MAX, &err);

    if (status == XR_OK &&
        xr_openssl_items(bytes_of(&text), XR_READ_BUNDLE, take_item, l, &err) != XR_OK && !openssl)
        unclear(l->out, "programs differ in what they take from its damaged bundle");
    else if (status != XR_OK && status != XR_ABSENT)
        unclear(l->out, err.text);
    xr_buf_free(&text);
}

static void load_keystore(struct loading *l, const char *path)
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    struct xr_host host = {.size = sizeof(host), .sha1 = xr_x509_sha1};
    unsigned left = 0;
    static const char usual[] = "changeit";

    if (xr_tree_read(&text, l->out->root, path, FILE_MAX, &err) != XR_OK)
        unclear(l->out, err.text);
    else if (xr_pkcs12_begins(bytes_of(&text))
                 ? xr_x509_pkcs12(&left, bytes_of(&text),
                                  (struct xr_bytes){(const unsigned char *)usual, strlen(usual)},
                                  take_item, l, &err) != XR_OK ||
                       left != 0
                 : !xr_format_jks_read(bytes_of(&text), &host, take_plain, l))
        unclear(l->out, "its keystore cannot be read whole here");
    xr_buf_free(&text);
}

/* C strings with a PEM block each. */
static void load_elf(struct loading *l, const char *path)
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    const char *at = NULL, *end = NULL;
    size_t before = l->out->certs.count;

    if (xr_tree_read(&text, l->out->root, path, FILE_MAX, &err) != XR_OK)
        unclear(l->out, err.text);
    for (at = text.data; at != NULL; at = end) {
        size_t left = text.len - (size_t)(at - text.data);
        struct xr_pem_block block;
        struct xr_buf der = {0};
        struct xr_bytes rest;

        at = left > 0 ? xr_memmem(at, left, PEM_BEGINS, strlen(PEM_BEGINS)) : NULL;
        if (at == NULL)
            break;
        left = text.len - (size_t)(at - text.data);
        end = at + strlen(PEM_BEGINS);
        rest = (struct xr_bytes){(const unsigned char *)at, left};
        if (memchr(at, '\0', left) != NULL)
            rest.len = strlen(at);
        if (xr_pem_next(&block, &rest, (const unsigned char *)at, false) == XR_PEM_BLOCK) {
            struct xr_buf alone = {0};

            for (size_t i = 0; i < block.body.len; i++) {
                if (!xr_pem_space(block.body.data[i]))
                    xr_buf_add(&alone, block.body.data + i, 1);
            }
            if (alone.len > 0 && xr_base64(&der, (const unsigned char *)alone.data, alone.len))
                (void)take(l, bytes_of(&der), der.len);
            xr_buf_free(&alone);
        }
        xr_buf_free(&der);
    }
    if (l->out->certs.count == before)
        unclear(l->out, "its own roots were not found in it");
    xr_buf_free(&text);
}

/* Every file of a directory; one that is no bundle counts for nothing. */
static void load_files(struct loading *l, const char *path)
{
    struct xr_strings names = {0};
    struct xr_error err = {0};

    if (xr_tree_names(&names, l->out->root, path, &err) != XR_OK)
        unclear(l->out, err.text);
    for (size_t i = 0; i < names.count; i++) {
        char *file = xr_format("%s/%s", path, names.items[i]);
        struct xr_buf text = {0};

        if (xr_tree_read(&text, l->out->root, file, LINK_MAX, NULL) == XR_OK)
            (void)xr_openssl_items(bytes_of(&text), XR_READ_BUNDLE, take_item, l, NULL);
        xr_buf_free(&text);
        free(file);
    }
    xr_strings_free(&names);
}

void xr_trusts_load(struct xr_trusts *out, const struct xr_reader_row *reader, const char *root)
{
    *out = (struct xr_trusts){.root = root, .reader = reader};
    for (size_t i = 0; i < reader->reads.count; i++) {
        const struct xr_read *read = &reader->reads.items[i];
        struct loading l = {out, i};

        switch (read->kind) {
        case XR_READ_IS_BUNDLE:
            load_bundle(&l, read->path, reader->program->engine == XR_ENGINE_OPENSSL);
            break;
        case XR_READ_IS_FILES:
            load_files(&l, read->path);
            break;
        case XR_READ_IS_KEYSTORE:
            load_keystore(&l, read->path);
            break;
        case XR_READ_IS_ELF:
            load_elf(&l, read->path);
            break;
        case XR_READ_IS_HASHED: /* when it is asked for */
        case XR_READ_IS_STORE:
            break;
        }
    }
}

void xr_trusts_free(struct xr_trusts *trusts)
{
    for (size_t i = 0; i < trusts->certs.count; i++)
        free((void *)(uintptr_t)trusts->certs.items[i].der.data);
    free(trusts->certs.items);
    free(trusts->unclear);
    *trusts = (struct xr_trusts){0};
}

/* HASH.0, HASH.1… up to the first that is not there; what was read before is not read again. */
static void load_links(struct xr_trusts *trusts, size_t at, uint32_t hash)
{
    struct loading l = {trusts, at};

    for (size_t i = 0; i < trusts->certs.count; i++) {
        if (trusts->certs.items[i].read == at && trusts->certs.items[i].hash == hash)
            return;
    }
    for (unsigned n = 0; n < LINKS_MAX; n++) {
        char *path = xr_format("%s/%08x.%u", trusts->reader->reads.items[at].path, hash, n);
        struct xr_buf text = {0};
        struct xr_error err = {0};
        enum xr_status status = xr_tree_read(&text, trusts->root, path, LINK_MAX, &err);

        if (status == XR_OK)
            status = xr_openssl_items(bytes_of(&text), XR_READ_HASHED, take_item, &l, &err);
        else if (status != XR_ABSENT)
            unclear(trusts, err.text);
        xr_buf_free(&text);
        free(path);
        if (status != XR_OK)
            return;
    }
}

enum xr_status xr_trusts_lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                                uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    struct xr_trusts *trusts = ctx;
    enum xr_status status = XR_OK;

    (void)name;
    if (place != XR_ANCHOR)
        return XR_OK;
    for (size_t i = 0; i < trusts->reader->reads.count; i++) {
        if (trusts->reader->reads.items[i].kind == XR_READ_IS_HASHED)
            load_links(trusts, i, name_hash);
    }
    for (size_t i = 0; status == XR_OK && i < trusts->certs.count; i++) {
        const struct xr_trust *one = &trusts->certs.items[i];

        if (one->named && one->hash == name_hash)
            status = emit(emit_ctx, one->der);
    }
    return status;
}

size_t xr_trusts_source(const struct xr_trusts *trusts, const unsigned char sha256[XR_SHA256_LEN])
{
    size_t found = XR_NOT_READ;

    for (size_t i = 0; i < trusts->certs.count; i++) {
        if (memcmp(trusts->certs.items[i].sha256, sha256, XR_SHA256_LEN) == 0 &&
            trusts->certs.items[i].read < found)
            found = trusts->certs.items[i].read;
    }
    return found;
}
