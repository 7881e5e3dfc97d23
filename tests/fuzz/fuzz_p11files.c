/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's source files (p11files.h): what is read, then every output. An input is files between
 * 0xff 0xfe 0xfd. The first byte of each says how to wrap the rest, and in which part of a source
 * directory it lies. Has an output as many PEM blocks as certificates, are names names, does a bundle read
 * back. */
#include "p11files/p11files.h"

#include "fuzz.h"

#include <stdlib.h>

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
        CHECK(at == text->data || at[-1] == '\n');
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

        CHECK(xr_format_same_jks(all, all, &host));
        return (size_t)all.data[8] << 24 | (size_t)all.data[9] << 16 | (size_t)all.data[10] << 8 |
               all.data[11];
    }
    if (format == XR_FORMAT_EDK2) {
        for (size_t at = 0; at < out->content.len; count++) {
            uint32_t len = 0;

            CHECK(out->content.len - at > 20);
            memcpy(&len, out->content.data + at + 16, 4);
            CHECK(len >= 44 && len <= out->content.len - at);
            at += len;
        }
        return count;
    }
    count = blocks(&out->content, "-----BEGIN ");
    CHECK(count == blocks(&out->content, "-----END "));
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
        CHECK(out->name[0] != '\0' && strlen(out->name) <= 255 && strchr(out->name, '/') == NULL &&
              strcmp(out->name, ".") != 0 && strcmp(out->name, "..") != 0);
        for (const char *p = out->name; *p != '\0'; p++)
            CHECK(*p > ' ' && *p < 0x7f);
        if (out->target == NULL) {
            CHECK(entries(out, format) == 1);
            files++;
        } else {
            size_t k = i;

            while (k > 0 && outs->items[k].target != NULL)
                k--;
            CHECK(strcmp(out->target, outs->items[k].name) == 0);
        }
    }
    qsort(names, outs->count, sizeof(*names), by_name);
    for (size_t i = 1; i < outs->count; i++)
        CHECK(strcmp(names[i - 1], names[i]) != 0);
    free(names);
    return files;
}

static void reread(const struct xr_format_file *bundle, size_t count)
{
    struct pf_store store = {.host = &host};

    (void)pf_add(
        &store, 0, PF_BASE, "again",
        (struct xr_bytes){(const unsigned char *)bundle->content.data, bundle->content.len}, NULL);
    CHECK(store.certs.count == count);
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
        CHECK(outs.count == 1 && outs.items[0].name == NULL);
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
            CHECK(want == SIZE_MAX || want == count);
            want = count;
        }
    }
    pf_free(&store);
    return 0;
}

static void put_file(struct xr_buf *out, int how, const void *data, size_t len)
{
    unsigned char head = (unsigned char)how;

    xr_buf_str(out, out->len > 1 ? "\xff\xfe\xfd" : "");
    xr_buf_add(out, &head, 1);
    xr_buf_add(out, data, len);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char attached[] = "\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\x06\x08\x2b\x06"
                                   "\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07"
                                   "\x03\x04";
    static const char object[] = "[p11-kit-object-v1]\nclass: certificate\nx-distrusted: true\n"
                                 "issuer: \"0%0b1%090%07%06%03U%04%03%0c%00\"\n"
                                 "serial-number: \"%02%01%05\"\nlabel: \"a%0alabel\"\n";
    const struct fuzz_fixtures *f = fuzz_fixtures();

    for (int which = 0; which < 2; which++) {
        struct xr_buf out = {0};

        xr_buf_str(&out, which ? "\x81" : "\x01");
        put_file(&out, WRAP_CERTIFICATE + 8, f->certs[FUZZ_ROOT].data, f->certs[FUZZ_ROOT].len);
        put_file(&out, WRAP_EXTENSION, attached, sizeof(attached) - 1);
        put_file(&out, WRAP_OBJECT, "label \xe2\x82\xac", 9);
        put_file(&out, WRAP_TRUSTED + 8 * which, f->trusted.data, f->trusted.len);
        fuzz_seed_buf(corpus, &out);
        xr_buf_str(&out, "\x01");
        put_file(&out, WRAP_NOT, object, sizeof(object) - 1);
        put_file(&out, WRAP_CERTIFICATE + 16, f->certs[FUZZ_ODD].data, f->certs[FUZZ_ODD].len);
        put_file(&out, WRAP_CERTIFICATE + 8, f->certs[FUZZ_CONSTRAINED].data,
                 f->certs[FUZZ_CONSTRAINED].len);
        put_file(&out, WRAP_CERTIFICATE + 8, f->certs[FUZZ_ODD].data, f->certs[FUZZ_ODD].len);
        fuzz_seed_buf(corpus, &out);
    }
}
