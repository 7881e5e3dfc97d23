/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mozilla's certdata.txt (nss, lib/ckfw/builtins; certdata.perl there reads it): objects of attributes,
 * each "NAME TYPE VALUE". A certificate and its trust are two objects, joined by issuer and serial
 * number; dates of distrust may stand in either. The file has no end mark, so what a cut would leave is
 * looked for: an object that lacks what all others of its class have, a certificate without trust, a
 * comment that nothing follows.
 */
#include "lists.h"

#include <stdlib.h>

enum attr {
    CLASS,
    LABEL,
    ISSUER,
    SERIAL,
    SUBJECT,
    VALUE,
    SHA1_HASH,
    SERVER_AFTER,
    EMAIL_AFTER,
    POLICY,
    TRUST_SERVER,
    TRUST_CLIENT,
    TRUST_EMAIL,
    TRUST_CODE,
    TRUST_TIME,
    STEP_UP,
    OTHER,
    ATTRS
};

static const char *const attr_names[OTHER] = {
    [CLASS] = "CKA_CLASS",
    [LABEL] = "CKA_LABEL",
    [ISSUER] = "CKA_ISSUER",
    [SERIAL] = "CKA_SERIAL_NUMBER",
    [SUBJECT] = "CKA_SUBJECT",
    [VALUE] = "CKA_VALUE",
    [SHA1_HASH] = "CKA_CERT_SHA1_HASH",
    [SERVER_AFTER] = "CKA_NSS_SERVER_DISTRUST_AFTER",
    [EMAIL_AFTER] = "CKA_NSS_EMAIL_DISTRUST_AFTER",
    [POLICY] = "CKA_NSS_MOZILLA_CA_POLICY",
    [TRUST_SERVER] = "CKA_TRUST_SERVER_AUTH",
    [TRUST_CLIENT] = "CKA_TRUST_CLIENT_AUTH",
    [TRUST_EMAIL] = "CKA_TRUST_EMAIL_PROTECTION",
    [TRUST_CODE] = "CKA_TRUST_CODE_SIGNING",
    [TRUST_TIME] = "CKA_TRUST_TIME_STAMPING",
    [STEP_UP] = "CKA_TRUST_STEP_UP_APPROVED",
};

static const struct {
    enum attr attr;
    uint32_t purpose;
} purposes[] = {{TRUST_SERVER, XR_SERVER},
                {TRUST_CLIENT, XR_CLIENT},
                {TRUST_EMAIL, XR_EMAIL},
                {TRUST_CODE, XR_CODE},
                {TRUST_TIME, XR_TIME}};
#define PURPOSES (sizeof(purposes) / sizeof(purposes[0]))
enum class { CLASS_NONE, CLASS_CERT, CLASS_TRUST, CLASS_OTHER, CLASSES };

struct object {
    enum class class;
    size_t line;               /* of its CKA_CLASS, from 1 */
    uint32_t has;              /* bits of enum attr */
    struct xr_buf text[ATTRS]; /* words and octets */
    bool octal[ATTRS];         /* the value was MULTILINE_OCTAL */
};

struct reader {
    struct xr_list *list;
    struct xr_bytes rest;
    size_t line;
    struct object object;
    /* Of each class: attributes that every object so far has, and how many there were. */
    uint32_t common[CLASSES];
    size_t count[CLASSES];
    struct {
        size_t *items; /* of each root of the list: line of its trust object; 0: not yet */
        size_t count, capacity;
    } trusts;
    bool began;
    bool comment; /* the last line that was not blank is one */
    struct xr_error *err;
};

XR_PRINTF(3, 4)
static bool wrong(struct reader *r, size_t line, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)xr_fail(r->err, XR_INVALID, "line %zu: %s", line, text);
    return false;
}

/* A line without its end. False: there is none, or (err) it has no end. */
static bool next_line(struct xr_bytes *out, struct reader *r, bool *bad)
{
    const unsigned char *end = NULL;

    if (r->rest.len == 0)
        return false;
    end = memchr(r->rest.data, '\n', r->rest.len);
    r->line++;
    if (end == NULL) {
        *bad = !wrong(r, r->line, "the file ends in the middle of a line");
        return false;
    }
    *out = (struct xr_bytes){r->rest.data, (size_t)(end - r->rest.data)};
    r->rest.data += out->len + 1;
    r->rest.len -= out->len + 1;
    if (out->len > 0 && out->data[out->len - 1] == '\r')
        out->len--;
    return true;
}

static bool line_is(struct xr_bytes line, const char *text)
{
    return xr_bytes_equal(line, (struct xr_bytes){(const unsigned char *)text, strlen(text)});
}

static bool blank(struct xr_bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t')
            return false;
    }
    return true;
}

/* The next word of a line; an empty one at its end. */
static struct xr_bytes take_word(struct xr_bytes *line)
{
    struct xr_bytes word;

    while (line->len > 0 && (line->data[0] == ' ' || line->data[0] == '\t'))
        line->data++, line->len--;
    word = (struct xr_bytes){line->data, 0};
    while (word.len < line->len && word.data[word.len] != ' ' && word.data[word.len] != '\t')
        word.len++;
    line->data += word.len;
    line->len -= word.len;
    return word;
}

static bool octal_line(struct xr_buf *out, struct xr_bytes line)
{
    if (line.len % 4 != 0)
        return false;
    for (size_t i = 0; i < line.len; i += 4) {
        const unsigned char *p = line.data + i;
        unsigned value = 0;
        unsigned char octet = 0;

        if (p[0] != '\\' || p[1] < '0' || p[1] > '3' || p[2] < '0' || p[2] > '7' || p[3] < '0' ||
            p[3] > '7')
            return false;
        value = (unsigned)(p[1] - '0') << 6 | (unsigned)(p[2] - '0') << 3 | (unsigned)(p[3] - '0');
        octet = (unsigned char)value;
        xr_buf_add(out, &octet, 1);
    }
    return true;
}

static bool read_octal(struct reader *r, struct xr_buf *out, size_t from)
{
    struct xr_bytes line = {0};
    bool bad = false;

    while (next_line(&line, r, &bad)) {
        if (line_is(line, "END"))
            return true;
        if (!octal_line(out, line))
            return wrong(r, r->line, "this is no octal value");
    }
    return bad ? false : wrong(r, from, "this value has no END");
}

/* What stands in quotes, as in C: certdata.perl makes C strings of it. \x has two digits here. */
static bool read_quoted(struct reader *r, struct xr_buf *out, struct xr_bytes text)
{
    static const char escapes[] = "abfnrtv\\\"'?", values[] = "\a\b\f\n\r\t\v\\\"'?";

    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text.data++, text.len--;
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    if (text.len < 2 || text.data[0] != '"' || text.data[text.len - 1] != '"')
        return wrong(r, r->line, "this text is not in quotes");
    for (size_t i = 1; i < text.len - 1; i++) {
        unsigned char c = text.data[i];
        const char *escape = NULL;
        char digits[3] = "";

        if (c == '\\') {
            if (++i >= text.len - 1)
                return wrong(r, r->line, "this text ends in a backslash");
            c = text.data[i];
            escape = c != '\0' ? strchr(escapes, c) : NULL;
            if (escape != NULL) {
                c = (unsigned char)values[escape - escapes];
            } else if (c == 'x' && i + 2 < text.len - 1) {
                memcpy(digits, text.data + i + 1, 2);
                if (!xr_unhex(&c, 1, digits))
                    return wrong(r, r->line, "\\x needs two digits");
                i += 2;
            } else {
                return wrong(r, r->line, "an unknown escape stands in this text");
            }
        }
        if (c == '\0')
            return wrong(r, r->line, "this text has a NUL");
        xr_buf_add(out, &c, 1);
    }
    xr_buf_add(out, "", 0);
    return true;
}

static enum attr attr_of(struct xr_bytes name)
{
    for (size_t i = 0; i < OTHER; i++) {
        if (line_is(name, attr_names[i]))
            return (enum attr)i;
    }
    return OTHER;
}

/* A value as text; an octal one may be empty. */
static const char *word_of(const struct object *o, enum attr attr)
{
    return o->text[attr].len > 0 ? o->text[attr].data : "";
}

static bool object_end(struct reader *r);

static bool read_attr(struct reader *r, struct xr_bytes line)
{
    struct object *o = &r->object;
    struct xr_bytes rest = line, name = take_word(&rest), type = take_word(&rest);
    enum attr attr = attr_of(name);
    struct xr_buf ignored = {0}, *out = attr == OTHER ? &ignored : &o->text[attr];
    bool ok = false;

    if (name.len < 4 || memcmp(name.data, "CKA_", 4) != 0 || type.len == 0)
        return wrong(r, r->line, "this is no attribute");
    if (attr == CLASS) {
        if (o->class != CLASS_NONE && !object_end(r))
            return false;
        o->line = r->line;
    } else if (o->class == CLASS_NONE) {
        return wrong(r, r->line, "an object begins with CKA_CLASS");
    }
    if (attr != OTHER && (o->has & 1u << attr) != 0)
        return wrong(r, r->line, "this attribute stands twice in its object");
    o->octal[attr] = line_is(type, "MULTILINE_OCTAL");
    if (o->octal[attr])
        ok = read_octal(r, out, r->line);
    else if (line_is(type, "UTF8"))
        ok = read_quoted(r, out, rest);
    else {
        struct xr_bytes word = take_word(&rest);

        xr_buf_add(out, word.data, word.len);
        ok = word.len > 0 || wrong(r, r->line, "this attribute has no value");
    }
    xr_buf_free(&ignored);
    if (attr != OTHER)
        o->has |= 1u << attr;
    if (ok && attr == CLASS) {
        const char *word = word_of(o, CLASS);

        o->class = strcmp(word, "CKO_CERTIFICATE") == 0 ? CLASS_CERT
                   : strcmp(word, "CKO_NSS_TRUST") == 0 || strcmp(word, "CKO_NETSCAPE_TRUST") == 0
                       ? CLASS_TRUST
                       : CLASS_OTHER;
    }
    return ok;
}

static struct xr_bytes bytes_of(const struct object *o, enum attr attr)
{
    return (struct xr_bytes){(const unsigned char *)o->text[attr].data, o->text[attr].len};
}

/* A date in text (UTCTime, or GeneralizedTime), or CK_FALSE: none. */
static bool read_date(struct reader *r, struct xr_format_date *out, enum attr attr)
{
    const struct object *o = &r->object;
    struct xr_bytes text = bytes_of(o, attr);
    struct xr_der_item item = {.content = text};
    struct xr_format_date date = {.known = true};

    if ((o->has & 1u << attr) == 0 || (!o->octal[attr] && line_is(text, "CK_FALSE")))
        return true;
    item.tag = text.len == 15 ? XR_DER_GENERALIZED_TIME : XR_DER_UTC_TIME;
    if (!o->octal[attr] || (text.len != 13 && text.len != 15) || text.data[text.len - 1] != 'Z' ||
        !xr_der_time(&date.at, &item))
        return wrong(r, o->line, "%s is no date", attr_names[attr]);
    if (!out->known || date.at < out->at)
        *out = date;
    return true;
}

static bool read_dates(struct reader *r, struct xr_root *root)
{
    return read_date(r, &root->server_after, SERVER_AFTER) &&
           read_date(r, &root->email_after, EMAIL_AFTER);
}

static void set_label(struct xr_root *root, const struct object *o)
{
    if (root->label == NULL && o->text[LABEL].len > 0)
        root->label = xr_strdup(o->text[LABEL].data);
}

static bool take_cert(struct reader *r)
{
    const struct object *o = &r->object;
    struct xr_cert *cert = NULL;
    struct xr_root *root = NULL;
    struct xr_error err = {0};
    bool ok = false;

    if (xr_cert_new(&cert, bytes_of(o, VALUE), &err) != XR_OK)
        return wrong(r, o->line, "this certificate cannot be read: %.200s", err.text);
    if (!xr_bytes_equal(cert->d.slices.issuer, bytes_of(o, ISSUER)) ||
        !xr_bytes_equal(cert->d.slices.serial, bytes_of(o, SERIAL)) ||
        !xr_bytes_equal(cert->d.slices.subject, bytes_of(o, SUBJECT))) {
        (void)wrong(r, o->line, "the issuer, subject or serial number is not its certificate's");
    } else if (xr_list_find(r->list, cert->sha256) != NULL) {
        (void)wrong(r, o->line, "this certificate stands in the file twice");
    } else {
        root = xr_list_add_cert(r->list, cert);
        set_label(root, o);
        root->mozilla_policy =
            (o->has & 1u << POLICY) != 0 && line_is(bytes_of(o, POLICY), "CK_TRUE");
        ok = read_dates(r, root);
    }
    xr_cert_free(cert);
    return ok;
}

/* What the word says of one purpose. False: nobody here knows what it means. */
static bool read_trust(uint32_t *trusted, uint32_t *distrusted, uint32_t purpose, const char *word)
{
    static const char *const prefixes[] = {"CKT_NSS_", "CKT_NETSCAPE_", "CKT_"};
    static const char *const neutral[] = {"MUST_VERIFY_TRUST", "MUST_VERIFY", "TRUST_UNKNOWN",
                                          "VALID_DELEGATOR",   "VALID",       "TRUSTED"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(word, prefixes[i], strlen(prefixes[i])) == 0) {
            word += strlen(prefixes[i]);
            break;
        }
    }
    if (strcmp(word, "TRUSTED_DELEGATOR") == 0 || strcmp(word, "TRUST_ANCHOR") == 0) {
        *trusted |= purpose;
        return true;
    }
    if (strcmp(word, "NOT_TRUSTED") == 0 || strcmp(word, "UNTRUSTED") == 0) {
        *distrusted |= purpose;
        return true;
    }
    for (size_t i = 0; i < sizeof(neutral) / sizeof(neutral[0]); i++) {
        if (strcmp(word, neutral[i]) == 0)
            return true;
    }
    return false;
}

static bool take_trust(struct reader *r)
{
    const struct object *o = &r->object;
    struct xr_root *root = xr_list_add_serial(r->list, bytes_of(o, ISSUER), bytes_of(o, SERIAL));
    size_t at = (size_t)(root - r->list->roots.items);
    uint32_t trusted = 0, distrusted = 0;
    unsigned char sha1[20];

    while (r->trusts.count <= at)
        (void)XR_PUSH(&r->trusts);
    if (r->trusts.items[at] != 0)
        return wrong(r, o->line, "this certificate has two trust objects (line %zu)",
                     r->trusts.items[at]);
    r->trusts.items[at] = o->line;
    for (size_t i = 0; i < PURPOSES; i++) {
        if ((o->has & 1u << purposes[i].attr) != 0 &&
            !read_trust(&trusted, &distrusted, purposes[i].purpose, word_of(o, purposes[i].attr)))
            return wrong(r, o->line, "%s has an unknown value", attr_names[purposes[i].attr]);
    }
    /* Mozilla's list knows three purposes: what it refuses for all of them is refused. */
    if ((distrusted & (XR_SERVER | XR_EMAIL | XR_CODE)) == (XR_SERVER | XR_EMAIL | XR_CODE) &&
        trusted == 0)
        distrusted = XR_ALL_PURPOSES;
    root->trusted = trusted;
    root->distrusted = distrusted;
    set_label(root, o);
    if (root->cert != NULL && (o->has & 1u << SHA1_HASH) != 0) {
        xr_cert_sha1(sha1, root->cert);
        if (!xr_bytes_equal(bytes_of(o, SHA1_HASH), (struct xr_bytes){sha1, sizeof(sha1)}))
            return wrong(r, o->line, "its hash is not that of the certificate it names");
    }
    return read_dates(r, root);
}

static void clear(struct object *o)
{
    for (size_t i = 0; i < ATTRS; i++)
        xr_buf_free(&o->text[i]);
    *o = (struct object){0};
}

static bool object_end(struct reader *r)
{
    static const uint32_t needs[CLASSES] = {
        [CLASS_CERT] = 1u << ISSUER | 1u << SERIAL | 1u << SUBJECT | 1u << VALUE,
        [CLASS_TRUST] =
            1u << ISSUER | 1u << SERIAL | 1u << TRUST_SERVER | 1u << TRUST_EMAIL | 1u << TRUST_CODE,
    };
    struct object *o = &r->object;
    uint32_t lacks = needs[o->class] & ~o->has;
    bool ok = true;

    for (size_t i = 0; i < OTHER; i++) {
        if ((lacks & 1u << i) != 0)
            return wrong(r, o->line, "this object has no %s", attr_names[i]);
    }
    r->common[o->class] = r->count[o->class]++ == 0 ? o->has : r->common[o->class] & o->has;
    if (o->class == CLASS_OTHER && (o->has & (1u << ISSUER | 1u << SERIAL | 1u << VALUE)) != 0)
        return wrong(r, o->line, "%.60s is no class of objects that is known here",
                     word_of(o, CLASS));
    if (o->class == CLASS_CERT)
        ok = take_cert(r);
    else if (o->class == CLASS_TRUST)
        ok = take_trust(r);
    clear(o);
    return ok;
}

/* Does the last object have all that the others of its class have? */
static bool last_is_whole(struct reader *r)
{
    const struct object *o = &r->object;
    /* What ends a trust object, where there is no other to compare with. */
    uint32_t usual = o->class == CLASS_TRUST ? 1u << STEP_UP : 0;
    uint32_t lacks = (r->count[o->class] > 0 ? r->common[o->class] : usual) & ~o->has;

    for (size_t i = 0; i < OTHER; i++) {
        if ((lacks & 1u << i) != 0)
            return wrong(r, o->line, "the last object has no %s, unlike others: the file is cut",
                         attr_names[i]);
    }
    return true;
}

/* Every certificate has its trust. Trust without a certificate can only be distrust. */
static bool all_joined(struct reader *r)
{
    struct xr_list *list = r->list;
    bool ok = true;

    for (size_t i = 0; ok && i < list->roots.count; i++) {
        const struct xr_root *root = &list->roots.items[i];
        char *name = xr_root_name(root);

        if (i >= r->trusts.count || r->trusts.items[i] == 0) {
            (void)xr_fail(r->err, XR_INVALID, "%.100s has no trust object: the file is cut", name);
            ok = false;
        } else if (root->cert == NULL && root->trusted != 0) {
            (void)xr_fail(r->err, XR_INVALID, "%.100s is trusted, but its certificate is missing",
                          name);
            ok = false;
        }
        free(name);
    }
    return ok;
}

/* Lists before 2012 have such a line among their comments. */
static bool is_version(const struct reader *r, struct xr_bytes line)
{
    struct xr_bytes rest = line;

    return r->object.class == CLASS_NONE && line_is(take_word(&rest), "CVS_ID");
}

static bool read_lines(struct reader *r)
{
    struct xr_bytes line = {0};
    bool bad = false;

    while (next_line(&line, r, &bad)) {
        if (blank(line))
            continue;
        r->comment = line.data[0] == '#';
        if (r->comment || is_version(r, line)) {
            continue;
        } else if (line_is(line, "BEGINDATA")) {
            r->began = true;
        } else if (!r->began) {
            return wrong(r, r->line, "BEGINDATA is missing");
        } else if (!read_attr(r, line)) {
            return false;
        }
    }
    if (bad)
        return false;
    if (!r->began || r->object.class == CLASS_NONE)
        return wrong(r, r->line, "the file has no objects");
    if (r->comment)
        return wrong(r, r->line, "the file ends in a comment that nothing follows: it is cut");
    if (!last_is_whole(r) || !object_end(r))
        return false;
    if (r->count[CLASS_CERT] + r->count[CLASS_TRUST] == 0)
        return wrong(r, r->line, "the file has no certificate");
    return all_joined(r);
}

enum xr_status xr_list_certdata(struct xr_list *out, struct xr_bytes data, struct xr_error *err)
{
    struct reader r = {.list = out, .rest = data, .err = err};
    bool ok = read_lines(&r);

    clear(&r.object);
    free(r.trusts.items);
    return ok ? XR_OK : XR_INVALID;
}
