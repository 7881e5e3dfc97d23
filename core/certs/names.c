/* SPDX-License-Identifier: Apache-2.0 */
/* Names and serial numbers. */
#include "openssl.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/objects.h>
#include <stdlib.h>

#define SERIAL_MAX 64u

X509_NAME *xr_crypto_name(struct xr_bytes name)
{
    const unsigned char *at = name.data;

    xr_crypto_ready();
    return name.len > LONG_MAX ? NULL : d2i_X509_NAME(NULL, &at, (long)name.len);
}

int xr_crypto_nid(struct xr_bytes oid)
{
    const unsigned char *at = oid.data;
    ASN1_OBJECT *object = NULL;
    int nid = NID_undef;

    xr_crypto_ready();
    if (oid.len > 0 && oid.len <= LONG_MAX)
        object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len);
    if (object != NULL)
        nid = OBJ_obj2nid(object);
    ASN1_OBJECT_free(object);
    return nid;
}

char *xr_x509_oid_text(struct xr_bytes oid)
{
    const unsigned char *at = oid.data;
    ASN1_OBJECT *object = NULL;
    char text[128] = "?";

    xr_crypto_ready();
    if (oid.len > 0 && oid.len < sizeof(text))
        object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len);
    if (object != NULL)
        (void)OBJ_obj2txt(text, sizeof(text), object, 0);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    return xr_strdup(text);
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return xr_memdup(data, len > 0 ? (size_t)len : 0);
}

/* As RFC 4514 says, on one line; false if libcrypto cannot decode it. */
static bool print_name(struct xr_buf *out, struct xr_bytes name)
{
    const unsigned long rfc4514 = (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    X509_NAME *parsed = xr_crypto_name(name);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool ok = false;

    if (bio == NULL)
        abort();
    ok = parsed != NULL && X509_NAME_print_ex(bio, parsed, 0, rfc4514) >= 0;
    if (ok) {
        text = bio_text(bio);
        xr_buf_str(out, text);
        free(text);
    }
    ERR_clear_error();
    BIO_free(bio);
    X509_NAME_free(parsed);
    return ok;
}

static void put_hex(struct xr_buf *out, struct xr_bytes der)
{
    char *text = xr_new(2 * der.len + 1, 1);

    xr_hex(text, der.data, der.len);
    xr_buf_fmt(out, "#%s", text);
    free(text);
}

/* One AttributeTypeAndValue; what cannot be decoded is #hex of the value alone (RFC 4514, 2.4). */
static void put_attribute(struct xr_buf *out, struct xr_bytes pair)
{
    struct xr_buf set = {0}, name = {0};
    struct xr_der_item seq, oid, value;
    struct xr_bytes rest = pair;
    const char *type = NULL;
    char *dotted = NULL;

    xr_der_put(&set, XR_DER_SET, pair.data, pair.len);
    xr_der_put(&name, XR_DER_SEQUENCE, set.data, set.len);
    if (print_name(out, (struct xr_bytes){(unsigned char *)name.data, name.len}))
        goto out;
    if (xr_der_expect(&seq, &rest, XR_DER_SEQUENCE) &&
        xr_der_expect(&oid, &seq.content, XR_DER_OID) && xr_der_next(&value, &seq.content) &&
        seq.content.len == 0) {
        int nid = xr_crypto_nid(oid.whole);

        type = nid != NID_undef ? OBJ_nid2sn(nid) : NULL;
        dotted = type == NULL ? xr_x509_oid_text(oid.whole) : NULL;
        xr_buf_fmt(out, "%s=", type != NULL ? type : dotted);
        put_hex(out, value.whole);
    } else {
        put_hex(out, pair);
    }
    free(dotted);
out:
    xr_buf_free(&set);
    xr_buf_free(&name);
}

/* The elements of bytes, in their order; false if they are not DER. */
struct elements {
    struct xr_bytes *items;
    size_t count, capacity;
};

static bool split(struct elements *out, struct xr_bytes bytes)
{
    struct xr_der_item item;

    while (bytes.len > 0) {
        if (!xr_der_next(&item, &bytes))
            return false;
        *XR_PUSH(out) = item.whole;
    }
    return true;
}

/* A RelativeDistinguishedName. An empty one, which RFC 4514 does not know, is its DER in hex. */
static void put_rdn(struct xr_buf *out, struct xr_bytes rdn)
{
    struct elements pairs = {0};
    struct xr_der_item set;
    struct xr_bytes rest = rdn;

    if (!xr_der_expect(&set, &rest, XR_DER_SET) || set.content.len == 0 ||
        !split(&pairs, set.content)) {
        put_hex(out, rdn);
    } else {
        for (size_t i = pairs.count; i-- > 0;) { /* as libcrypto writes them */
            put_attribute(out, pairs.items[i]);
            xr_buf_str(out, i > 0 ? "+" : "");
        }
    }
    free(pairs.items);
}

static bool has_empty_rdn(struct xr_bytes rdns)
{
    struct xr_der_item set;

    while (rdns.len > 0 && xr_der_next(&set, &rdns)) {
        if (set.content.len == 0)
            return true;
    }
    return false;
}

char *xr_x509_name_text(struct xr_bytes name)
{
    struct elements rdns = {0};
    struct xr_der_item seq;
    struct xr_buf out = {0};
    struct xr_bytes rest = name;
    bool is_name = xr_der_expect(&seq, &rest, XR_DER_SEQUENCE) && rest.len == 0;

    if (is_name && seq.content.len == 0)
        return xr_strdup("");
    /* libcrypto writes all of an ordinary name at once. */
    if (is_name && !has_empty_rdn(seq.content) && print_name(&out, name))
        return out.data;
    if (!is_name || !split(&rdns, seq.content)) {
        put_hex(&out, name);
    } else {
        for (size_t i = rdns.count; i-- > 0;) {
            put_rdn(&out, rdns.items[i]);
            xr_buf_str(&out, i > 0 ? "," : "");
        }
    }
    free(rdns.items);
    return out.data;
}

/* Text that libcrypto prints as it is. */
static bool is_plain(const struct xr_der_item *value)
{
    bool good = (value->tag == XR_DER_UTF8 || value->tag == 0x13 || value->tag == 0x16) &&
                value->content.len > 0;

    for (size_t i = 0; good && i < value->content.len; i++) {
        unsigned char c = value->content.data[i];

        good = c >= ' ' && c <= '~' && c != '\\';
    }
    return good;
}

/* Of X.520, and one that libcrypto has a name for: 2.5.4.n. */
static bool is_x520(const struct xr_der_item *oid)
{
    return oid->content.len == 3 && oid->content.data[0] == 0x55 && oid->content.data[1] == 4 &&
           oid->content.data[2] < 0x80;
}

bool xr_x509_name_each(struct xr_bytes name,
                       bool (*tell)(void *ctx, const struct xr_der_item *oid,
                                    const struct xr_der_item *value),
                       void *ctx)
{
    struct xr_der_item names, set, pair, oid, value;

    if (!xr_der_expect(&names, &name, XR_DER_SEQUENCE) || name.len > 0)
        return false;
    while (names.content.len > 0) {
        if (!xr_der_expect(&set, &names.content, XR_DER_SET) || set.content.len == 0)
            return false;
        while (set.content.len > 0) {
            if (!xr_der_expect(&pair, &set.content, XR_DER_SEQUENCE) ||
                !xr_der_expect(&oid, &pair.content, XR_DER_OID) ||
                !xr_der_next(&value, &pair.content) || pair.content.len > 0 ||
                !tell(ctx, &oid, &value))
                return false;
        }
    }
    return true;
}

static const unsigned char short_types[] = {3, 11, 10}; /* CN, OU, O */
enum { SHORT_TYPES = sizeof(short_types) };

static bool take_short(void *ctx, const struct xr_der_item *oid, const struct xr_der_item *value)
{
    struct xr_bytes *found = ctx;

    if (!is_x520(oid) || !is_plain(value))
        return false;
    for (size_t i = 0; i < SHORT_TYPES; i++) {
        if (short_types[i] == oid->content.data[2] && found[i].data == NULL)
            found[i] = value->content;
    }
    return true;
}

/* The short text of a name that has plain attributes of X.520 only: libcrypto takes ten times as long,
 * which a list of many certificates shows. NULL: ask libcrypto. */
static char *plain_short(struct xr_bytes name)
{
    struct xr_bytes found[SHORT_TYPES] = {{0}};

    if (!xr_x509_name_each(name, take_short, found))
        return NULL;
    for (size_t i = 0; i < SHORT_TYPES; i++) {
        if (found[i].data != NULL)
            return xr_memdup(found[i].data, found[i].len);
    }
    return NULL;
}

char *xr_x509_name_short(struct xr_bytes name)
{
    static const int parts[] = {NID_commonName, NID_organizationalUnitName, NID_organizationName};
    char *text = plain_short(name);
    X509_NAME *parsed = text == NULL ? xr_crypto_name(name) : NULL;

    if (text != NULL)
        return text;
    for (size_t i = 0; parsed != NULL && text == NULL && i < sizeof(parts) / sizeof(parts[0]);
         i++) {
        int at = X509_NAME_get_index_by_NID(parsed, parts[i], -1);
        BIO *bio = at < 0 ? NULL : BIO_new(BIO_s_mem());

        if (bio != NULL &&
            ASN1_STRING_print_ex(bio, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(parsed, at)),
                                 ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL) > 0)
            text = bio_text(bio);
        BIO_free(bio);
    }
    ERR_clear_error();
    X509_NAME_free(parsed);
    return text != NULL ? text : xr_x509_name_text(name);
}

static void put_utf8(struct xr_buf *out, uint32_t c)
{
    unsigned char text[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; c >>= 6)
        text[i] = (unsigned char)(0x80 | (c & 0x3f));
    text[0] = (unsigned char)(len == 1 ? c : (0xf00u >> len & 0xff) | c);
    xr_buf_add(out, text, len);
}

/* A string of one of X.520's types as UTF-8; false: it is none. */
static bool put_string(struct xr_buf *out, const struct xr_der_item *value)
{
    static const struct {
        unsigned tag;
        size_t width; /* octets a character; 0: UTF-8, or a part of ASCII */
    } types[] = {{XR_DER_UTF8, 0}, {0x13, 0}, {0x16, 0}, {0x1a, 0},
                 {0x14, 1},        {0x1e, 2}, {0x1c, 4}};
    struct xr_bytes text = value->content;
    size_t at = 0, width = 0;

    while (at < sizeof(types) / sizeof(types[0]) && types[at].tag != value->tag)
        at++;
    if (at == sizeof(types) / sizeof(types[0]))
        return false;
    xr_buf_add(out, "", 0);
    width = types[at].width;
    if (width == 0) {
        xr_buf_add(out, text.data, text.len);
        return true;
    }
    for (at = 0; text.len - at >= width; at += width) {
        uint32_t c = 0;

        for (size_t i = 0; i < width; i++)
            c = c << 8 | text.data[at + i];
        put_utf8(out, c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c);
    }
    return at == text.len;
}

void xr_x509_name_values(struct xr_strings *out, struct xr_bytes name, unsigned char type)
{
    struct xr_der_item names, set, pair, oid, value;
    struct xr_buf text = {0};

    if (!xr_der_expect(&names, &name, XR_DER_SEQUENCE))
        return;
    while (xr_der_expect(&set, &names.content, XR_DER_SET)) {
        while (xr_der_expect(&pair, &set.content, XR_DER_SEQUENCE)) {
            text.len = 0;
            if (xr_der_expect(&oid, &pair.content, XR_DER_OID) && oid.content.len == 3 &&
                oid.content.data[0] == 0x55 && oid.content.data[1] == 4 &&
                oid.content.data[2] == type && xr_der_next(&value, &pair.content) &&
                put_string(&text, &value))
                xr_strings_add(out, text.data);
        }
    }
    xr_buf_free(&text);
}

/* One attribute as libcrypto's canonical form has it (asn1_string_canon): spaces at both ends gone,
 * others one blank, ASCII in lower case, a UTF8String. False for what is not plain ASCII text. */
static bool canonical_text(unsigned char *out, size_t *len, size_t room,
                           const struct xr_der_item *value)
{
    static const unsigned tags[] = {0x0c, 0x13, 0x16, 0x1a}; /* UTF8, Printable, IA5, Visible */
    const unsigned char *text = value->content.data;
    size_t end = value->content.len, at = 0;
    bool known = false;

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        known = known || value->tag == tags[i];
    if (!known || end > room || end > 127)
        return false;
    for (size_t i = 0; i < end; i++) {
        if (text[i] == 0 || text[i] > 0x7f)
            return false;
    }
#define SPACE(c) ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))
    while (at < end && SPACE(text[at]))
        at++;
    while (end > at && SPACE(text[end - 1]))
        end--;
    *len = 0;
    while (at < end) {
        bool space = SPACE(text[at]);

        out[(*len)++] = space                                ? ' '
                        : text[at] >= 'A' && text[at] <= 'Z' ? (unsigned char)(text[at] + 32)
                                                             : text[at];
        at++;
        while (space && at < end && SPACE(text[at]))
            at++;
    }
#undef SPACE
    return true;
}

/* The hash of a plain name without building libcrypto's form of it, which takes ten times as long:
 * thousands of names are hashed to check links. False: use libcrypto. */
static bool plain_name_hash(uint32_t *out, struct xr_bytes name)
{
    unsigned char canonical[1024], sum[20];
    struct xr_der_item names, set, pair, oid, value;
    struct xr_bytes rest = name;
    size_t used = 0;

    if (!xr_der_expect(&names, &rest, XR_DER_SEQUENCE) || rest.len > 0 || names.content.len == 0)
        return false;
    for (rest = names.content; rest.len > 0;) {
        struct xr_bytes inner;
        size_t len = 0, body = 0;

        if (!xr_der_expect(&set, &rest, XR_DER_SET))
            return false;
        inner = set.content;
        if (!xr_der_expect(&pair, &inner, XR_DER_SEQUENCE) || inner.len > 0)
            return false;
        inner = pair.content;
        if (!xr_der_expect(&oid, &inner, XR_DER_OID) || !xr_der_next(&value, &inner) ||
            inner.len > 0 || oid.whole.len > 32 || sizeof(canonical) - used < 256 ||
            !canonical_text(canonical + used + 6 + oid.whole.len, &len, 128, &value))
            return false;
        body = oid.whole.len + 2 + len;
        if (body > 125) /* lengths of one byte only */
            return false;
        canonical[used] = XR_DER_SET;
        canonical[used + 1] = (unsigned char)(body + 2);
        canonical[used + 2] = XR_DER_SEQUENCE;
        canonical[used + 3] = (unsigned char)body;
        memcpy(canonical + used + 4, oid.whole.data, oid.whole.len);
        canonical[used + 4 + oid.whole.len] = XR_DER_UTF8;
        canonical[used + 5 + oid.whole.len] = (unsigned char)len;
        used += 4 + body;
    }
    xr_x509_sha1(sum, (struct xr_bytes){canonical, used});
    *out =
        (uint32_t)sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24;
    return true;
}

static bool named_by_libcrypto(void *ctx, const struct xr_der_item *oid,
                               const struct xr_der_item *value)
{
    (void)ctx;
    return value->tag != 0x1a && is_x520(oid); /* no VisibleString */
}

bool xr_crypto_name_plain(struct xr_bytes name)
{
    uint32_t hash = 0;

    return plain_name_hash(&hash, name) && xr_x509_name_each(name, named_by_libcrypto, NULL);
}

enum xr_status xr_x509_name_hash(uint32_t *out, struct xr_bytes name, struct xr_error *err)
{
    X509_NAME *parsed = NULL;
    int ok = 0;

    if (plain_name_hash(out, name))
        return XR_OK;
    parsed = xr_crypto_name(name);
    if (parsed != NULL)
        *out = (uint32_t)X509_NAME_hash_ex(parsed, NULL, NULL, &ok);
    X509_NAME_free(parsed);
    if (!ok)
        return xr_crypto_fail(err, XR_INVALID, "a name cannot be read");
    return XR_OK;
}

bool xr_x509_name_equal(struct xr_bytes a, struct xr_bytes b)
{
    X509_NAME *left = NULL, *right = NULL;
    bool equal = false;

    if (xr_bytes_equal(a, b))
        return true;
    left = xr_crypto_name(a);
    right = xr_crypto_name(b);
    equal = left != NULL && right != NULL && X509_NAME_cmp(left, right) == 0;
    X509_NAME_free(left);
    X509_NAME_free(right);
    ERR_clear_error();
    return equal;
}

char *xr_x509_serial_text(struct xr_bytes serial)
{
    const unsigned char *at = serial.data;
    ASN1_INTEGER *number = NULL;
    BIGNUM *bn = NULL;
    char *decimal = NULL, *text = NULL;

    if (serial.len > SERIAL_MAX) {
        /* RFC 5280 allows 20 octets; decimal takes quadratic time. */
        size_t header = serial.data[1] < 0x80 ? 2 : 2u + (serial.data[1] & 0x7f);
        size_t len = header < serial.len ? serial.len - header : 0;

        len = len < SERIAL_MAX ? len : SERIAL_MAX;
        text = xr_new(2 * SERIAL_MAX + 1, 1);
        xr_hex(text, serial.data + header, len);
        decimal = xr_format("0x%s...", text);
        free(text);
        return decimal;
    }
    number = d2i_ASN1_INTEGER(NULL, &at, (long)serial.len);
    bn = number == NULL ? NULL : ASN1_INTEGER_to_BN(number, NULL);
    decimal = bn == NULL ? NULL : BN_bn2dec(bn);
    text = xr_strdup(decimal != NULL ? decimal : "?");

    OPENSSL_free(decimal);
    BN_free(bn);
    ASN1_INTEGER_free(number);
    ERR_clear_error();
    return text;
}

/* The digits of text without separators; *hex if they are hex. */
static char *serial_digits(const char *text, bool *hex)
{
    char *digits = xr_new(strlen(text) + 1, 1);
    size_t len = 0;

    *hex = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
    text += *hex ? 2 : 0;
    for (*hex = *hex || strchr(text, ':') != NULL; *text != '\0'; text++) {
        if (*text != ':')
            digits[len++] = *text;
    }
    return digits;
}

bool xr_x509_serial_parse(struct xr_buf *out, const char *text)
{
    bool hex = false;
    char *digits = serial_digits(text, &hex);
    size_t len = strlen(digits);
    BIGNUM *bn = NULL;
    ASN1_INTEGER *number = NULL;
    unsigned char *der = NULL;
    int size = 0;

    xr_crypto_ready();
    if (len > 0 && len <= 2 * SERIAL_MAX &&
        strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") == len &&
        (hex ? BN_hex2bn(&bn, digits) : BN_dec2bn(&bn, digits)) == (int)len)
        number = BN_to_ASN1_INTEGER(bn, NULL);
    size = number != NULL ? i2d_ASN1_INTEGER(number, &der) : 0;
    if (size > 0)
        xr_buf_add(out, der, (size_t)size);
    OPENSSL_free(der);
    ASN1_INTEGER_free(number);
    BN_free(bn);
    free(digits);
    ERR_clear_error();
    return size > 0;
}
