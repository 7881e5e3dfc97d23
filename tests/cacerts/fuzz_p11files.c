/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer over p11.h: what is read, then every output. clang alone builds it:
 *
 *   cmake --preset dev -B build/fuzz -DCMAKE_C_COMPILER=clang -DXR_FUZZ=ON
 *   cmake --build build/fuzz --target fuzz-p11files
 *   build/fuzz/tests/cacerts/fuzz-p11files -dict=tests/cacerts/fuzz_p11files.dict CORPUS
 *
 * An input is files between 0xff 0xfe 0xfd. The first byte of each says how to wrap the rest, and in
 * which part of a source directory it lies. Beyond what sanitizers see it asks: has an output as many
 * PEM blocks as certificates, are names names, does a bundle read back. */
#include "../../backends/p11files/p11files.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hashes need not be good here, but fast. */
static void fast_hash(unsigned char *out, size_t len, struct xr_bytes data)
{
    uint64_t a = 0xcbf29ce484222325, b = 0x9e3779b97f4a7c15;

    for (size_t i = 0; i < data.len; i++) {
        a = (a ^ data.data[i]) * 0x100000001b3;
        b = (b + data.data[i]) * 0xff51afd7ed558ccd;
        b ^= b >> 29;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)(i % 2 ? a >> 56 : b >> 56);
        a = a * 0x100000001b3 + i;
        b = b * 0xff51afd7ed558ccd + i;
    }
}

static void sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes data)
{
    fast_hash(out, XR_SHA256_LEN, data);
}

static void sha1(unsigned char out[20], struct xr_bytes data)
{
    fast_hash(out, 20, data);
}

static void md5(unsigned char out[16], struct xr_bytes data)
{
    fast_hash(out, 16, data);
}

static const struct xr_host host = {.sha256 = sha256, .sha1 = sha1, .md5 = md5};

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* ---- input ---- */

enum { WRAP_NOT, WRAP_CERTIFICATE, WRAP_TRUSTED, WRAP_EXTENSION, WRAP_OBJECT, WRAPS };

static void put_base64(struct xr_buf *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < size; at += 3) {
        uint32_t bits = (uint32_t)data[at] << 16;
        char four[4] = {'=', '=', '=', '='};

        bits |= at + 1 < size ? (uint32_t)data[at + 1] << 8 : 0;
        bits |= at + 2 < size ? data[at + 2] : 0;
        for (size_t i = 0; i < (size - at > 2 ? 4 : size - at + 1); i++)
            four[i] = digits[bits >> (18 - 6 * i) & 63];
        xr_buf_add(out, four, 4);
    }
}

static void put_percent(struct xr_buf *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        xr_buf_fmt(out, "%%%02x", data[i]);
}

static void put_block(struct xr_buf *out, const char *label, const uint8_t *data, size_t size)
{
    xr_buf_fmt(out, "-----BEGIN %s-----\n", label);
    put_base64(out, data, size);
    xr_buf_fmt(out, "\n-----END %s-----\n", label);
}

/* The key of a certificate, or nothing. */
static void put_key(struct xr_buf *out, struct pf_store *store)
{
    if (store->certs.count > 0 && store->certs.items[0].spki.len > 0)
        put_block(out, "PUBLIC KEY", store->certs.items[0].spki.data,
                  store->certs.items[0].spki.len);
}

static void add(struct pf_store *store, size_t token, uint8_t how, const uint8_t *data, size_t size)
{
    struct xr_buf text = {0};
    uint8_t *exact = NULL;
    size_t len = 0;

    switch (how % WRAPS) {
    case WRAP_CERTIFICATE:
        put_block(&text, "CERTIFICATE", data, size);
        break;
    case WRAP_TRUSTED:
        put_block(&text, "TRUSTED CERTIFICATE", data, size);
        break;
    case WRAP_EXTENSION:
        xr_buf_str(&text, "[p11-kit-object-v1]\nclass: x-certificate-extension\nvalue: \"");
        put_percent(&text, data, size);
        xr_buf_str(&text, "\"\n");
        put_key(&text, store);
        break;
    case WRAP_OBJECT: /* a label, and the first certificate again */
        xr_buf_str(&text, "[p11-kit-object-v1]\ntrusted: true\nlabel: \"");
        put_percent(&text, data, size);
        xr_buf_str(&text, "\"\n");
        if (store->certs.count > 0)
            put_block(&text, "CERTIFICATE", store->certs.items[0].der.data,
                      store->certs.items[0].der.len);
        break;
    default:
        xr_buf_add(&text, data, size);
    }
    len = text.len;
    exact = malloc(len > 0 ? len : 1);
    memcpy(exact, text.data, len);
    xr_buf_free(&text);
    (void)pf_add(store, token, (enum pf_area)(how / 8 % 3), "f", (struct xr_bytes){exact, len},
                 NULL);
    free(exact);
}

/* ---- what must hold ---- */

static size_t blocks(const struct xr_buf *text, const char *what)
{
    size_t count = 0, len = strlen(what);
    const char *at = text->data, *end = text->data + text->len;

    while (at != NULL && (at = memmem(at, (size_t)(end - at), what, len)) != NULL) {
        check(at == text->data || at[-1] == '\n');
        at += len;
        count++;
    }
    return count;
}

static size_t entries(const struct xr_format_file *out, enum xr_format format)
{
    size_t count = 0;

    if (format == XR_FORMAT_JAVA) {
        struct xr_bytes all = {(const unsigned char *)out->content.data, out->content.len};

        check(xr_format_same_jks(all, all, &host));
        return (size_t)all.data[8] << 24 | (size_t)all.data[9] << 16 | (size_t)all.data[10] << 8 |
               all.data[11];
    }
    if (format == XR_FORMAT_EDK2) {
        for (size_t at = 0; at < out->content.len; count++) {
            uint32_t len = 0;

            check(out->content.len - at > 20);
            memcpy(&len, out->content.data + at + 16, 4);
            check(len >= 44 && len <= out->content.len - at);
            at += len;
        }
        return count;
    }
    count = blocks(&out->content, "-----BEGIN ");
    check(count == blocks(&out->content, "-----END "));
    return count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t directory(const struct xr_format_files *outs, enum xr_format format)
{
    const char **names = calloc(outs->count + 1, sizeof(*names));
    size_t files = 0;

    for (size_t i = 0; i < outs->count; i++) {
        const struct xr_format_file *out = &outs->items[i];

        names[i] = out->name;
        check(out->name[0] != '\0' && strlen(out->name) <= 255 && strchr(out->name, '/') == NULL &&
              strcmp(out->name, ".") != 0 && strcmp(out->name, "..") != 0);
        for (const char *p = out->name; *p != '\0'; p++)
            check(*p > ' ' && *p < 0x7f);
        if (out->target == NULL) {
            check(entries(out, format) == 1);
            files++;
        } else {
            size_t k = i;

            while (k > 0 && outs->items[k].target != NULL)
                k--;
            check(strcmp(out->target, outs->items[k].name) == 0);
        }
    }
    qsort(names, outs->count, sizeof(*names), by_name);
    for (size_t i = 1; i < outs->count; i++)
        check(strcmp(names[i - 1], names[i]) != 0);
    free(names);
    return files;
}

static void reread(const struct xr_format_file *bundle, size_t count)
{
    struct pf_store store = {.host = &host};

    (void)pf_add(
        &store, 0, PF_BASE, "again",
        (struct xr_bytes){(const unsigned char *)bundle->content.data, bundle->content.len}, NULL);
    check(store.certs.count == count);
    pf_free(&store);
}

/* How many certificates it has. */
static size_t extract(struct pf_store *store, const struct pf_request *request)
{
    struct xr_format_files outs = {0};
    size_t count = 0;

    pf_extract(&outs, store, request);
    if (request->format == XR_FORMAT_PEM_DIRECTORY ||
        request->format == XR_FORMAT_OPENSSL_DIRECTORY) {
        count = directory(&outs, request->format);
    } else {
        check(outs.count == 1 && outs.items[0].name == NULL);
        count = entries(&outs.items[0], request->format);
    }
    if (request->format == XR_FORMAT_PEM_BUNDLE || request->format == XR_FORMAT_OPENSSL_BUNDLE)
        reread(&outs.items[0], count);
    xr_format_files_free(&outs);
    return count;
}

static void read_all(struct pf_store *store, const uint8_t *at, const uint8_t *end)
{
    static const uint8_t separator[] = {0xff, 0xfe, 0xfd};

    for (size_t number = 0; at < end; number++) {
        const uint8_t *stop = NULL;

        if (number < 6)
            stop = memmem(at, (size_t)(end - at), separator, sizeof(separator));
        if (stop == NULL)
            stop = end;
        if (stop - at > 1)
            add(store, number / 4, *at, at + 1, (size_t)(stop - at) - 1);
        at = stop < end ? stop + sizeof(separator) : end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        enum pf_filter filter;
        uint32_t purpose;
    } kinds[] = {{PF_CA_ANCHORS, 0},
                 {PF_CA_ANCHORS, XR_SERVER},
                 {PF_CA_ANCHORS, XR_EMAIL},
                 {PF_CERTIFICATES, 0}};
    struct pf_store store = {.host = &host};

    if (size < 2)
        return 0;
    store.first_rdn = data[0] & 0x80;
    read_all(&store, data, data + size);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t want = SIZE_MAX;

        for (int format = XR_FORMAT_PEM_BUNDLE; format <= XR_FORMAT_OPENSSL_DIRECTORY; format++) {
            struct pf_request request = {(enum xr_format)format, kinds[i].filter, kinds[i].purpose,
                                         true};
            size_t count = extract(&store, &request);

            if (format == XR_FORMAT_OPENSSL_BUNDLE || format == XR_FORMAT_OPENSSL_DIRECTORY)
                continue;
            check(want == SIZE_MAX || want == count);
            want = count;
        }
    }
    pf_free(&store);
    return 0;
}
