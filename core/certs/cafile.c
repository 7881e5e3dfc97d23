/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a file of certificates with the functions that OpenSSL's own readers call, so that what they
 * accept, skip or choke on is never guessed. Plain files, which are nearly all, take a shorter way: of
 * them it is known beforehand what these functions would say.
 */
#include "cafile.h"

#include "kit/pem.h"
#include "openssl.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>

/* ---- what was taken ---- */

struct taken {
    struct xr_buf bytes;
    struct {
        struct {
            enum xr_item_kind kind;
            size_t len;
        } * items;
        size_t count, capacity;
    } list;
};

static void take(struct taken *taken, enum xr_item_kind kind, const void *der, size_t len)
{
    xr_buf_add(&taken->bytes, der, len);
    (void)XR_PUSH(&taken->list);
    taken->list.items[taken->list.count - 1].kind = kind;
    taken->list.items[taken->list.count - 1].len = len;
}

static void take_x509(struct taken *taken, X509 *x)
{
    unsigned char *der = NULL;
    int plain = i2d_X509(x, NULL), len = i2d_X509_AUX(x, &der);

    if (len > 0)
        take(taken, len > plain ? XR_ITEM_TRUSTED_CERT : XR_ITEM_CERT, der, (size_t)len);
    OPENSSL_free(der);
}

static void take_crl(struct taken *taken, X509_CRL *crl)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);

    if (len > 0)
        take(taken, XR_ITEM_CRL, der, (size_t)len);
    OPENSSL_free(der);
}

/* ---- libcrypto's own reading ---- */

/* OpenSSL reads files by fgets, for which a line ends at its first NUL; a BIO of memory does not. */
static int text_gets(BIO *bio, char *buf, int size)
{
    struct xr_bytes *rest = BIO_get_data(bio);
    size_t len = size > 0 ? (size_t)size - 1 : 0;
    const unsigned char *end = NULL;

    if (len > rest->len)
        len = rest->len;
    if (len == 0)
        return 0;
    end = memchr(rest->data, '\n', len);
    if (end != NULL)
        len = (size_t)(end - rest->data) + 1;
    memcpy(buf, rest->data, len);
    buf[len] = '\0';
    rest->data += len;
    rest->len -= len;
    return (int)strlen(buf);
}

static BIO_METHOD *text_method; /* for the life of the program: there are only 128 types */
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void)
{
    text_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "text of a file");
    if (text_method == NULL || BIO_meth_set_gets(text_method, text_gets) != 1)
        abort(); /* only out of memory */
}

/* OpenSSL's reason, as its own programs print it. The innermost one comes first. */
static enum xr_status unreadable(struct xr_error *err)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    return xr_error_set(err, XR_INVALID, "openssl", (long)code, "%s",
                        reason != NULL ? reason : N_("it is damaged"));
}

static enum xr_status empty(struct xr_error *err)
{
    return xr_fail(err, XR_INVALID, "it has no certificate");
}

/* X509_load_cert_crl_file: one block that cannot be read, of whatever kind, and all is lost. */
static enum xr_status read_bundle(struct taken *taken, BIO *bio, struct xr_error *err)
{
    /* u "" as there: nobody is asked for a password. */
    STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(bio, NULL, NULL, (void *)(uintptr_t) "");

    if (all == NULL)
        return unreadable(err);
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        const X509_INFO *info = sk_X509_INFO_value(all, i);

        if (info->x509 != NULL)
            take_x509(taken, info->x509);
        if (info->crl != NULL)
            take_crl(taken, info->crl);
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    return taken->list.count > 0 ? XR_OK : empty(err);
}

/* X509_load_cert_file and X509_load_crl_file: what came before an error stays. */
static enum xr_status read_hashed(struct taken *taken, BIO *bio, bool crls, struct xr_error *err)
{
    for (;;) {
        X509 *x = NULL;
        X509_CRL *crl = NULL;

        if (crls)
            crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, (void *)(uintptr_t) "");
        else
            x = PEM_read_bio_X509_AUX(bio, NULL, NULL, (void *)(uintptr_t) "");
        if (x == NULL && crl == NULL)
            break;
        if (x != NULL)
            take_x509(taken, x);
        if (crl != NULL)
            take_crl(taken, crl);
        X509_free(x);
        X509_CRL_free(crl);
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return unreadable(err);
    ERR_clear_error();
    return taken->list.count > 0 ? XR_OK : empty(err);
}

static enum xr_status read_all(struct taken *taken, struct xr_bytes data, enum xr_reading as,
                               struct xr_error *err)
{
    BIO *bio = NULL;
    enum xr_status status = XR_OK;

    if (CRYPTO_THREAD_run_once(&once, make_method) != 1 || (bio = BIO_new(text_method)) == NULL)
        abort(); /* only out of memory */
    BIO_set_data(bio, &data);
    BIO_set_init(bio, 1);
    ERR_clear_error();
    status = as == XR_READ_BUNDLE ? read_bundle(taken, bio, err)
                                  : read_hashed(taken, bio, as == XR_READ_HASHED_CRL, err);
    ERR_clear_error();
    BIO_free(bio);
    return status;
}

/* ---- certificates that libcrypto is known to parse ---- */

#define PLAIN_MAX ((size_t)64 << 10) /* bytes of a certificate */

static bool plain_oid(struct xr_bytes *rest)
{
    struct xr_der_item oid;

    if (!xr_der_expect(&oid, rest, XR_DER_OID) || oid.content.len == 0 || oid.content.len > 32 ||
        (oid.content.data[oid.content.len - 1] & 0x80) != 0)
        return false;
    for (size_t i = 0; i < oid.content.len; i++) { /* no arc begins with an empty digit */
        if (oid.content.data[i] == 0x80 && (i == 0 || (oid.content.data[i - 1] & 0x80) == 0))
            return false;
    }
    return true;
}

/* Without parameters, with NULL, or with the name of a curve. */
static bool plain_algorithm(struct xr_bytes *rest)
{
    struct xr_der_item seq;

    if (!xr_der_expect(&seq, rest, XR_DER_SEQUENCE) || !plain_oid(&seq.content))
        return false;
    if (seq.content.len == 0)
        return true;
    if (seq.content.len == 2)
        return memcmp(seq.content.data, "\x05\x00", 2) == 0;
    return plain_oid(&seq.content) && seq.content.len == 0;
}

static bool plain_integer(struct xr_bytes *rest)
{
    struct xr_der_item item;

    return xr_der_expect(&item, rest, XR_DER_INTEGER) && item.content.len > 0 &&
           (item.content.data[0] & 0x80) == 0 &&
           (item.content.len == 1 || item.content.data[0] != 0 ||
            (item.content.data[1] & 0x80) != 0);
}

static bool plain_bits(struct xr_bytes *rest)
{
    struct xr_der_item item;

    return xr_der_expect(&item, rest, XR_DER_BIT_STRING) && item.content.len > 1 &&
           item.content.data[0] == 0;
}

/* libcrypto folds each value for comparison, which fails if it cannot be converted to UTF-8. */
static bool plain_text(struct xr_bytes *rest)
{
    static const unsigned char numeric = 0x12, printable = 0x13, ia5 = 0x16;
    struct xr_der_item item;
    uint32_t code_point = 0;

    if (!xr_der_next(&item, rest) || item.content.len == 0 ||
        (item.tag != XR_DER_UTF8 && item.tag != numeric && item.tag != printable &&
         item.tag != ia5))
        return false;
    for (size_t i = 0, n = 1; i < item.content.len; i += n) {
        if (item.content.data[i] < 0x80) {
            n = 1;
            continue;
        }
        n = item.tag == XR_DER_UTF8
                ? xr_utf8_next(&code_point, item.content.data + i, item.content.len - i)
                : 0;
        if (n == 0)
            return false;
    }
    return true;
}

static bool plain_name(struct xr_bytes *rest)
{
    struct xr_der_item name, set, pair;

    if (!xr_der_expect(&name, rest, XR_DER_SEQUENCE))
        return false;
    while (name.content.len > 0) {
        if (!xr_der_expect(&set, &name.content, XR_DER_SET) || set.content.len == 0)
            return false;
        while (set.content.len > 0) {
            if (!xr_der_expect(&pair, &set.content, XR_DER_SEQUENCE) || !plain_oid(&pair.content) ||
                !plain_text(&pair.content) || pair.content.len > 0)
                return false;
        }
    }
    return true;
}

static bool plain_time(struct xr_bytes *rest)
{
    struct xr_der_item item;
    int64_t unused = 0;

    return xr_der_next(&item, rest) && xr_der_time(&unused, &item) &&
           item.content.len == (item.tag == XR_DER_UTC_TIME ? 13u : 15u);
}

static bool plain_validity(struct xr_bytes *rest)
{
    struct xr_der_item seq;

    return xr_der_expect(&seq, rest, XR_DER_SEQUENCE) && plain_time(&seq.content) &&
           plain_time(&seq.content) && seq.content.len == 0;
}

/* A key of another kind asks libcrypto's providers. What the bits say is not parsed with the
 * certificate, or may fail. */
static bool plain_key(struct xr_bytes *rest)
{
    static const unsigned char rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                        0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    static const unsigned char ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06};
    struct xr_der_item seq, alg;
    struct xr_bytes at;

    if (!xr_der_expect(&seq, rest, XR_DER_SEQUENCE))
        return false;
    at = seq.content;
    return xr_der_expect(&alg, &at, XR_DER_SEQUENCE) &&
           ((alg.content.len == sizeof(rsa) && memcmp(alg.content.data, rsa, sizeof(rsa)) == 0) ||
            (alg.content.len > sizeof(ec) && memcmp(alg.content.data, ec, sizeof(ec)) == 0)) &&
           plain_algorithm(&seq.content) && plain_bits(&seq.content) && seq.content.len == 0;
}

static bool plain_extensions(struct xr_bytes *rest)
{
    struct xr_der_item list, one, item;

    if (!xr_der_expect(&list, rest, XR_DER_SEQUENCE) || list.content.len == 0)
        return false;
    while (list.content.len > 0) {
        if (!xr_der_expect(&one, &list.content, XR_DER_SEQUENCE) || !plain_oid(&one.content))
            return false;
        if (one.content.len >= 3 && memcmp(one.content.data, "\x01\x01\xff", 3) == 0)
            (void)xr_der_next(&item, &one.content); /* critical */
        if (!xr_der_expect(&item, &one.content, XR_DER_OCTET_STRING) || one.content.len > 0)
            return false;
    }
    return true;
}

static bool plain_tbs(struct xr_bytes tbs)
{
    struct xr_der_item outer;

    if (tbs.len > 0 && tbs.data[0] == 0xa0 &&
        (!xr_der_next(&outer, &tbs) || !plain_integer(&outer.content) || outer.content.len > 0))
        return false;
    if (!plain_integer(&tbs) || !plain_algorithm(&tbs) || !plain_name(&tbs) ||
        !plain_validity(&tbs) || !plain_name(&tbs) || !plain_key(&tbs))
        return false;
    return tbs.len == 0 || (xr_der_expect(&outer, &tbs, 0xa3) && tbs.len == 0 &&
                            plain_extensions(&outer.content) && outer.content.len == 0);
}

bool xr_surely_parsed(struct xr_bytes der)
{
    struct xr_der_item outer, tbs;

    return der.len <= PLAIN_MAX && xr_der_expect(&outer, &der, XR_DER_SEQUENCE) && der.len == 0 &&
           xr_der_expect(&tbs, &outer.content, XR_DER_SEQUENCE) && plain_tbs(tbs.content) &&
           plain_algorithm(&outer.content) && plain_bits(&outer.content) && outer.content.len == 0;
}

/* ---- plain text ---- */

static bool line_is(struct xr_bytes line, const char *text)
{
    return line.len == strlen(text) && memcmp(line.data, text, line.len) == 0;
}

/* Cannot be a line of a block, whatever surrounds it, nor be split into several. */
static bool plain_comment(struct xr_bytes line)
{
    return line.len < 200 && memchr(line.data, '\0', line.len) == NULL &&
           xr_memmem(line.data, line.len, "-----", 5) == NULL;
}

#define LINE 64 /* digits of a whole one */

/* The base64 between a BEGIN and its END: lines of 64, the last one shorter or not. */
static bool plain_body(struct xr_buf *der, struct xr_bytes *rest)
{
    static const char end[] = "-----END CERTIFICATE-----\n";
    const unsigned char *at = rest->data, *stop = rest->data + rest->len;

    der->len = 0;
    while (stop - at > LINE && at[LINE] == '\n') {
        der->data = xr_grow_raw(der->data, &der->capacity, der->len + LINE, 1);
        if (xr_base64_digits((unsigned char *)der->data + der->len, at, LINE) != LINE)
            break;
        der->len += LINE / 4 * 3;
        at += LINE + 1;
    }
    if (at < stop && *at != '-') {
        const unsigned char *last = at;

        /* An empty line would end a header. */
        at = memchr(last, '\n', (size_t)(stop - last));
        if (at == NULL || at - last > LINE)
            return false;
        for (const unsigned char *c = last; c < at; c++) { /* xr_base64 passes over white space */
            if (xr_pem_space(*c))
                return false;
        }
        if (!xr_base64(der, last, (size_t)(at - last)))
            return false;
        at++;
    }
    if (der->len == 0 || (size_t)(stop - at) < sizeof(end) - 1 ||
        memcmp(at, end, sizeof(end) - 1) != 0)
        return false;
    at += sizeof(end) - 1;
    *rest = (struct xr_bytes){at, (size_t)(stop - at)};
    return true;
}

/* A certificate of plain text that is not itself plain. */
static bool ask_libcrypto(struct taken *taken, struct xr_bytes der, enum xr_reading as)
{
    const unsigned char *at = der.data;
    X509 *x = as == XR_READ_BUNDLE ? d2i_X509(NULL, &at, (long)der.len)
                                   : d2i_X509_AUX(NULL, &at, (long)der.len);

    ERR_clear_error();
    if (x != NULL)
        take_x509(taken, x);
    X509_free(x);
    return x != NULL;
}

/* False: the text must be read by libcrypto. */
static bool read_plain(struct taken *taken, struct xr_bytes data, enum xr_reading as)
{
    struct xr_buf der = {0};
    bool ok = as != XR_READ_HASHED_CRL;

    while (ok && data.len > 0) {
        const unsigned char *stop = memchr(data.data, '\n', data.len);
        struct xr_bytes line = {data.data, stop != NULL ? (size_t)(stop - data.data) : 0};

        if (stop == NULL) {
            ok = false;
            break;
        }
        data.data += line.len + 1;
        data.len -= line.len + 1;
        if (!line_is(line, "-----BEGIN CERTIFICATE-----")) {
            ok = plain_comment(line);
            continue;
        }
        ok = plain_body(&der, &data);
        if (ok) {
            struct xr_bytes bytes = {(const unsigned char *)der.data, der.len};

            if (xr_surely_parsed(bytes))
                take(taken, XR_ITEM_CERT, bytes.data, bytes.len);
            else
                ok = bytes.len <= LONG_MAX && ask_libcrypto(taken, bytes, as);
        }
    }
    xr_buf_free(&der);
    return ok && taken->list.count > 0;
}

enum xr_status xr_openssl_items(struct xr_bytes data, enum xr_reading as, xr_item_fn emit,
                                void *ctx, struct xr_error *err)
{
    struct taken taken = {0};
    enum xr_status status = XR_OK, emitted = XR_OK;
    size_t at = 0;

    xr_crypto_ready();
    if (as != XR_READ_BUNDLE && as != XR_READ_HASHED && as != XR_READ_HASHED_CRL)
        return xr_fail(err, XR_UNSUPPORTED, "this crossroot knows no such reader");
    if (!read_plain(&taken, data, as)) {
        taken.bytes.len = taken.list.count = 0;
        status = read_all(&taken, data, as, err);
    }
    for (size_t i = 0; emitted == XR_OK && i < taken.list.count; i++) {
        struct xr_bytes der = {(const unsigned char *)taken.bytes.data + at,
                               taken.list.items[i].len};

        at += der.len;
        emitted = emit(ctx, taken.list.items[i].kind, der);
    }
    xr_buf_free(&taken.bytes);
    free(taken.list.items);
    return emitted != XR_OK ? emitted : status;
}
