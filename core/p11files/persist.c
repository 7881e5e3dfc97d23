/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's own file format: sections of "name: value" lines and PEM blocks. */
#include "private.h"

#include <limits.h>
#include <stdlib.h>

#define HEADER "p11-kit-object-v1"

/* ---- names ---- */

/* Attributes that something we read may have. */
static const struct {
    const char *name;
    unsigned long type;
    enum pf_attr attr;
} attributes[] = {
    {"class", 0x0, PF_CLASS},
    {"token", 0x1, PF_TOKEN},
    {"private", 0x2, PF_COMMON},
    {"label", 0x3, PF_LABEL},
    {"application", 0x10, PF_APPLICATION},
    {"value", 0x11, PF_VALUE},
    {"object-id", 0x12, PF_OBJECT_ID},
    {"certificate-type", 0x80, PF_CERT_TYPE},
    {"issuer", 0x81, PF_ISSUER},
    {"serial-number", 0x82, PF_SERIAL},
    {"trusted", 0x86, PF_TRUSTED},
    {"certificate-category", 0x87, PF_CATEGORY},
    {"java-midp-security-domain", 0x88, PF_CERT_ONLY},
    {"url", 0x89, PF_CERT_ONLY},
    {"hash-of-subject-public-key", 0x8a, PF_CERT_ONLY},
    {"hash-of-issuer-public-key", 0x8b, PF_CERT_ONLY},
    {"check-value", 0x90, PF_CERT_ONLY},
    {"subject", 0x101, PF_SUBJECT},
    {"id", 0x102, PF_ID},
    {"start-date", 0x110, PF_CERT_ONLY},
    {"end-date", 0x111, PF_CERT_ONLY},
    {"public-key-info", 0x129, PF_SPKI},
    {"x-public-key-info", 0x129, PF_SPKI},
    {"modifiable", 0x170, PF_COMMON},
    {"wrap-template", 0x40000211, PF_IGNORED},
    {"unwrap-template", 0x40000212, PF_IGNORED},
    {"derive-template", 0x40000213, PF_IGNORED},
    {"nss-mozilla-ca-policy", 0xce534372, PF_MOZILLA_POLICY},
    {"nss-server-distrust-after", 0xce534373, PF_SERVER_AFTER},
    {"nss-email-distrust-after", 0xce534374, PF_EMAIL_AFTER},
    {"x-distrusted", 0xd8444764, PF_DISTRUSTED},
};
/* Names that p11-kit knows and then refuses in those; an unknown name spoils the whole file. */
static const char other_attributes[] =
    " ac-issuer allowed-mechanisms always-authenticate always-sensitive attr-types auth-pin-flags"
    " base bits-per-pixel cert-md5-hash cert-sha1-hash char-columns char-rows char-sets coefficient"
    " color copyable decapsulate decrypt default-cms-attributes derive destroyable"
    " ec-point ecdsa-params encapsulate encapsulate-template encoding-methods encrypt exponent-1"
    " exponent-2 extractable has-reset hash-of-certificate hw-feature-type key-gen-mechanism"
    " key-type local mechanism-type mime-types modulus modulus-bits name-hash-algorithm"
    " never-extractable nss-cert-md5-hash nss-cert-sha1-hash nss-email nss-expires nss-krl"
    " nss-module-spec nss-password-check nss-pkcs8-salt nss-pqg-counter nss-pqg-h nss-pqg-seed"
    " nss-pqg-seed-bits nss-smime-constant nss-smime-timestamp nss-trust-client-auth"
    " nss-trust-code-signing nss-trust-crl-sign nss-trust-data-encipherment"
    " nss-trust-digital-signature nss-trust-email-protection nss-trust-ipsec-end-system"
    " nss-trust-ipsec-tunnel nss-trust-ipsec-user nss-trust-key-agreement nss-trust-key-cert-sign"
    " nss-trust-key-encipherment nss-trust-non-repudiation nss-trust-server-auth"
    " nss-trust-step-up-approved nss-trust-time-stamping nss-url owner parameter-set pixel-x pixel-y"
    " prime prime-1 prime-2 prime-bits private-exponent profile-id public-exponent recover"
    " required-cms-attributes reset-on-init resolution secondary-auth seed sensitive sign"
    " sign-recover subprime subprime-bits supported-cms-attributes trust-client-auth"
    " trust-code-signing trust-crl-sign trust-data-encipherment trust-digital-signature"
    " trust-email-protection trust-ipsec-end-system trust-ipsec-ike trust-ipsec-tunnel"
    " trust-ipsec-user trust-key-agreement trust-key-cert-sign trust-key-encipherment"
    " trust-non-repudiation trust-ocsp-signing trust-server-auth trust-step-up-approved"
    " trust-time-stamping unique-id unwrap value-bits value-len verify wrap"
    " wrap-with-trusted x-assertion-type x-certificate-value x-critical x-peer"
    " x-purpose ";

/* Words that stand for numbers, without those for mechanisms. */
static const struct {
    const char *name;
    unsigned long value;
} words[] = {
    {"data", PF_CLASS_DATA},
    {"certificate", PF_CLASS_CERTIFICATE},
    {"public-key", 2},
    {"private-key", 3},
    {"secret-key", 4},
    {"hw-feature", 5},
    {"domain-parameters", 6},
    {"mechanism", 7},
    {"profile", 9},
    {"validation", 10},
    {"trust", 11},
    {"nss-crl", 0xce534351},
    {"nss-smime", 0xce534352},
    {"nss-trust", PF_CLASS_NSS_TRUST},
    {"nss-builtin-root-list", PF_CLASS_NSS_ROOTS},
    {"nss-newslot", 0xce534355},
    {"nss-delslot", 0xce534356},
    {"x-trust-assertion", PF_CLASS_ASSERTION},
    {"x-certificate-extension", PF_CLASS_EXTENSION},
    {"x-509", 0},
    {"x-509-attr-cert", 1},
    {"wtls", 2},
    {"unspecified", 0},
    {"token-user", 1},
    {"authority", 2},
    {"other-entry", 3},
    {"nss-trusted", 0xce534351},
    {"nss-trusted-delegator", 0xce534352},
    {"nss-must-verify-trust", 0xce534353},
    {"nss-trust-unknown", 0xce534355},
    {"nss-not-trusted", 0xce53435a},
    {"nss-valid-delegator", 0xce53435b},
    {"x-distrusted-certificate", 1},
    {"x-pinned-certificate", 2},
    {"x-anchored-certificate", 3},
};
/* The same, of keys, which nothing here has. */
static const char key_words[] =
    " rsa dsa dh ec x9-42-dh kea generic-secret rc2 rc4 des des2 des3 cast cast3 cast128 rc5 idea"
    " skipjack baton juniper cdmf aes blowfish twofish camellia aria nss-pkcs8 ";

/* Is it one of those between spaces? */
static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || strchr(name, ' ') != NULL)
        return false;
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        if (at[-1] == ' ' && at[len] == ' ')
            return true;
    }
    return false;
}

static bool find_attribute(enum pf_attr *out, const char *name)
{
    char *end = NULL;
    unsigned long type = strtoul(name, &end, 10);

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (*end == '\0' ? attributes[i].type == type : strcmp(attributes[i].name, name) == 0) {
            *out = attributes[i].attr;
            return true;
        }
    }
    *out = PF_OTHER;
    if (*end == '\0')
        return type != ULONG_MAX;
    return listed(other_attributes, name);
}

/* ---- objects ---- */

void pf_object_set(struct pf_object *object, enum pf_attr attr, const void *data, size_t len)
{
    free(object->attr[attr].data);
    object->attr[attr].data = xr_memdup(data, len);
    object->attr[attr].len = len;
    object->attr[attr].set = true;
}

bool pf_object_number(const struct pf_object *object, enum pf_attr attr, unsigned long *out)
{
    if (!object->attr[attr].set || object->attr[attr].len != sizeof(*out))
        return false;
    memcpy(out, object->attr[attr].data, sizeof(*out));
    return true;
}

struct xr_bytes pf_object_bytes(const struct pf_object *object, enum pf_attr attr)
{
    return (struct xr_bytes){object->attr[attr].data, object->attr[attr].len};
}

void pf_object_clear(struct pf_object *object)
{
    for (size_t a = 0; a < PF_ATTRS; a++)
        free(object->attr[a].data);
    *object = (struct pf_object){0};
}

/* ---- values ---- */

/* "…" with %XX */
static bool quoted(struct xr_buf *out, const char *value)
{
    size_t len = strlen(value);

    if (len < 2 || value[0] != '"' || value[len - 1] != '"')
        return false;
    xr_buf_add(out, "", 0);
    for (size_t i = 1; i < len - 1; i++) {
        char c = value[i];

        if (c == '%') {
            int high = 0, low = 0;

            if (len - 1 - (i + 1) < 2)
                return false;
            high = xr_hex_digit((unsigned char)value[i + 1]);
            low = xr_hex_digit((unsigned char)value[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        xr_buf_add(out, &c, 1);
    }
    return true;
}

/* Dotted numbers; p11-kit takes no 8 for a digit here. */
static bool dotted(struct xr_buf *out, const char *value)
{
    size_t len = strlen(value), arcs = 0;
    struct xr_buf content = {0};
    uint64_t first = 0;
    const char *p = value;
    bool ok = false;

    if (len < 4 || strspn(value, "012345679.") != len || strstr(value, "..") != NULL ||
        value[0] == '.' || value[0] == '0' || value[len - 1] == '.' ||
        strchr(value, '.') == strrchr(value, '.'))
        return false;
    for (; *p != '\0'; arcs++) {
        unsigned char groups[10];
        size_t count = 0;
        uint64_t arc = 0;

        for (; *p >= '0' && *p <= '9'; p++) {
            if (arc > (UINT64_MAX >> 7) / 10)
                goto out;
            arc = arc * 10 + (uint64_t)(*p - '0');
        }
        if (*p == '.')
            p++;
        if (arcs == 0) {
            first = arc;
            continue;
        }
        if (arcs == 1) {
            if (first > 2 || (first < 2 && arc > 39))
                goto out;
            arc += first * 40;
        }
        do
            groups[count++] = (unsigned char)(arc & 0x7f);
        while ((arc >>= 7) != 0);
        while (count-- > 0) {
            unsigned char octet = (unsigned char)(groups[count] | (count > 0 ? 0x80 : 0));

            xr_buf_add(&content, &octet, 1);
        }
    }
    ok = true;
    xr_der_put(out, XR_DER_OID, content.data, content.len);
out:
    xr_buf_free(&content);
    return ok;
}

static bool set_value(struct pf_object *object, enum pf_attr attr, const char *value)
{
    struct xr_buf bytes = {0};
    unsigned char truth = strcmp(value, "true") == 0;
    unsigned long number = 0;
    char *end = NULL;
    bool ok = true;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, value) == 0) {
            pf_object_set(object, attr, &words[i].value, sizeof(words[i].value));
            return true;
        }
    }
    if (listed(key_words, value)) {
        pf_object_set(object, attr, &number, sizeof(number));
    } else if (quoted(&bytes, value)) {
        pf_object_set(object, attr, bytes.data, bytes.len);
    } else if (truth || strcmp(value, "false") == 0) {
        pf_object_set(object, attr, &truth, 1);
    } else if (number = strtoul(value, &end, 10), *end == '\0') {
        pf_object_set(object, attr, &number, sizeof(number));
    } else {
        bytes.len = 0;
        ok = dotted(&bytes, value);
        if (ok)
            pf_object_set(object, attr, bytes.data, bytes.len);
    }
    xr_buf_free(&bytes);
    return ok;
}

/* ---- lines ---- */

struct block {
    struct pf_object *object;
    bool ok;
};

static void set_if_missing(struct pf_object *object, enum pf_attr attr, const void *data,
                           size_t len)
{
    if (!object->attr[attr].set)
        pf_object_set(object, attr, data, len);
}

static void on_block(void *ctx, struct xr_bytes type, unsigned char *der, size_t len)
{
    struct block *block = ctx;
    unsigned long class = PF_CLASS_CERTIFICATE, x509 = 0;

    block->ok = true;
    if (PF_IS(type, "CERTIFICATE")) {
        set_if_missing(block->object, PF_CLASS, &class, sizeof(class));
        set_if_missing(block->object, PF_CERT_TYPE, &x509, sizeof(x509));
        set_if_missing(block->object, PF_VALUE, der, len);
    } else if (PF_IS(type, "PUBLIC KEY")) {
        set_if_missing(block->object, PF_SPKI, der, len);
    } else {
        block->ok = false;
    }
    free(der);
}

static bool space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct xr_bytes trim(struct xr_bytes text)
{
    for (; text.len > 0 && space(text.data[0]); text.len--)
        text.data++;
    while (text.len > 0 && space(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* A copy that ends at a NUL, as p11-kit's does. */
static char *text_of(struct xr_bytes bytes)
{
    return xr_memdup(bytes.data, strnlen((const char *)bytes.data, bytes.len));
}

/* Takes a PEM block off the front of *rest, to the end of the line of its end. */
static bool take_pem(struct xr_bytes *out, struct xr_bytes *rest)
{
    static const char end_mark[] = "\n-----END ";
    const unsigned char *stop = xr_memmem(rest->data, rest->len, end_mark, sizeof(end_mark) - 1);
    const unsigned char *end = rest->data + rest->len;

    if (stop == NULL || memchr(rest->data, '\0', (size_t)(stop - rest->data)) != NULL)
        return false;
    stop = memchr(stop + 1, '\n', (size_t)(end - stop) - 1);
    stop = stop != NULL ? stop + 1 : end;
    *out = (struct xr_bytes){rest->data, (size_t)(stop - rest->data)};
    *rest = (struct xr_bytes){stop, (size_t)(end - stop)};
    return true;
}

static bool read_field(struct pf_object *object, struct xr_bytes line, struct xr_error *err)
{
    const unsigned char *colon = memchr(line.data, ':', line.len);
    size_t before = colon != NULL ? (size_t)(colon - line.data) : 0;
    char *name = NULL, *value = NULL;
    enum pf_attr attr = PF_OTHER;
    bool ok = false;

    if (colon == NULL) {
        (void)xr_fail(err, XR_INVALID, "a line without a colon");
        return false;
    }
    name = text_of(trim((struct xr_bytes){line.data, before}));
    value = text_of(trim((struct xr_bytes){colon + 1, line.len - before - 1}));
    ok = find_attribute(&attr, name) && set_value(object, attr, value);
    if (!ok)
        (void)xr_fail(err, XR_INVALID, "unknown attribute, or bad value, of \"%s\"", name);
    free(name);
    free(value);
    return ok;
}

static bool read_block(struct pf_object *object, struct xr_bytes pem, struct xr_error *err)
{
    struct block block = {.object = object};

    if (pf_pem_each(pem, on_block, &block) == 1 && block.ok)
        return true;
    (void)xr_fail(err, XR_INVALID, "a bad PEM block, or not a CERTIFICATE or PUBLIC KEY");
    return false;
}

struct reader {
    enum { NO_SECTION, OBJECT, SKIPPED } state;
    struct pf_object object;
    pf_object_fn place;
    void *ctx;
    bool done; /* place has had enough */
};

static void end_section(struct reader *r)
{
    if (r->state == OBJECT && r->place != NULL && !r->done)
        r->done = !r->place(r->ctx, &r->object);
    pf_object_clear(&r->object);
}

static bool read_section(struct reader *r, struct xr_bytes line, struct xr_error *err)
{
    if (line.data[line.len - 1] != ']') {
        (void)xr_fail(err, XR_INVALID, "a section header without its bracket");
        return false;
    }
    end_section(r);
    line = (struct xr_bytes){line.data + 1, line.len - 2};
    line.len = strnlen((const char *)line.data, line.len);
    r->state = PF_IS(line, HEADER) ? OBJECT : SKIPPED;
    return true;
}

/* A line that is not empty and no comment. */
static bool read_line(struct reader *r, struct xr_bytes line, struct xr_error *err)
{
    if (line.data[0] == '[')
        return read_section(r, line, err);
    if (r->state == SKIPPED) /* must be a field all the same */
        return memchr(line.data, ':', line.len) != NULL ||
               xr_fail(err, XR_INVALID, "a line without a colon") == XR_OK;
    if (r->state == NO_SECTION) {
        (void)xr_fail(err, XR_INVALID, "something before the first section");
        return false;
    }
    return read_field(&r->object, line, err);
}

static bool read_pem(struct reader *r, struct xr_bytes *rest, struct xr_error *err)
{
    struct xr_bytes pem = {0};

    if (!take_pem(&pem, rest)) {
        (void)xr_fail(err, XR_INVALID, "a PEM block without an end");
        return false;
    }
    if (r->state == NO_SECTION) {
        (void)xr_fail(err, XR_INVALID, "something before the first section");
        return false;
    }
    return r->state == SKIPPED || read_block(&r->object, pem, err);
}

bool pf_persist_magic(struct xr_bytes data)
{
    const unsigned char *found = xr_memmem(data.data, data.len, "[" HEADER "]", sizeof(HEADER) + 1);

    return found != NULL && memchr(data.data, '\0', (size_t)(found - data.data)) == NULL;
}

bool pf_persist_read(struct xr_bytes data, pf_object_fn place, void *ctx, struct xr_error *err)
{
    struct reader r = {.place = place, .ctx = ctx};
    bool ok = true;

    while (ok && !r.done && data.len > 0) {
        const unsigned char *newline = NULL;
        struct xr_bytes line = {0};

        if (data.len >= 11 && memcmp(data.data, "-----BEGIN ", 11) == 0) {
            ok = read_pem(&r, &data, err);
            continue;
        }
        newline = memchr(data.data, '\n', data.len);
        line.data = data.data;
        line.len = newline != NULL ? (size_t)(newline - data.data) : data.len;
        data.data += line.len + (newline != NULL);
        data.len -= line.len + (newline != NULL);
        line = trim(line);
        if (line.len > 0 && line.data[0] != '#')
            ok = read_line(&r, line, err);
    }
    if (ok)
        end_section(&r);
    pf_object_clear(&r.object);
    return ok;
}
