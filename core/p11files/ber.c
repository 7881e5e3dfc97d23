/* SPDX-License-Identifier: Apache-2.0 */
/* DER as p11-kit's libtasn1 takes it, flat and without allocation. core/der.h would refuse lengths
 * that are not minimal, or open; then our outputs would lack a certificate that p11-kit publishes, or
 * have one that it blocks. */
#include "private.h"

#include <stdlib.h>

const struct pf_known_oid pf_known_oids[PF_KNOWN_OIDS] = {
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 10, XR_SERVER},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 10, XR_CLIENT},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03", 10, XR_CODE},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04", 10, XR_EMAIL},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x05", 10, 0},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x06", 10, 0},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x07", 10, 0},
    {"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08", 10, XR_TIME},
};

bool pf_is(struct xr_bytes bytes, const void *data, size_t len)
{
    return bytes.len == len && memcmp(bytes.data, data, len) == 0;
}

int pf_by_bytes(const void *a, const void *b)
{
    const struct xr_bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* ---- elements ---- */

/* Tag and length at the front: answers how many bytes they take, or 0. *open: the length is not said,
 * and what is inside ends with two zeros. */
static size_t head_of(size_t *len, bool *open, struct xr_bytes rest)
{
    const unsigned char *p = rest.data;
    size_t head = 2;

    if (rest.len < 2 || (p[0] & 0x1f) == 0x1f)
        return 0;
    *len = p[1];
    *open = *len == 0x80;
    if (*open) {
        *len = 0;
        return (p[0] & 0x20) != 0 ? head : 0;
    }
    if (*len > 0x80) {
        head += *len - 0x80;
        if (head > rest.len)
            return 0;
        *len = 0;
        for (size_t i = 2; i < head; i++) {
            if (*len > INT32_MAX >> 8)
                return 0;
            *len = *len << 8 | p[i];
        }
    }
    return *len <= rest.len - head ? head : 0;
}

/* How long the inside of an open element is. */
static bool find_end(size_t *len, struct xr_bytes rest)
{
    size_t at = 0;

    for (size_t depth = 1; depth > 0;) {
        size_t head = 0, size = 0;
        bool open = false;

        head = head_of(&size, &open, (struct xr_bytes){rest.data + at, rest.len - at});
        if (head == 0)
            return false;
        if (open)
            depth++;
        else if (rest.data[at] == 0 && size == 0)
            depth--;
        *len = at;
        at += head + size;
    }
    return true;
}

bool pf_der_next(struct pf_der *out, struct xr_bytes *rest)
{
    const unsigned char *p = rest->data;
    size_t len = 0, head = 0, whole = 0;
    bool open = false;

    head = head_of(&len, &open, *rest);
    if (head == 0 || (open && !find_end(&len, (struct xr_bytes){p + head, rest->len - head})))
        return false;
    whole = head + len + (open ? 2 : 0);
    out->tag = p[0];
    out->content = (struct xr_bytes){p + head, len};
    out->whole = (struct xr_bytes){p, whole};
    rest->data += whole;
    rest->len -= whole;
    return true;
}

bool pf_der_take(struct pf_der *out, struct xr_bytes *rest, unsigned tag)
{
    return rest->len > 0 && rest->data[0] == tag && pf_der_next(out, rest);
}

bool pf_der_only(struct pf_der *out, struct xr_bytes all, unsigned tag)
{
    return pf_der_take(out, &all, tag) && all.len == 0;
}

bool pf_oid_ok(struct xr_bytes content)
{
    size_t run = 0;

    if (content.len == 0)
        return false;
    for (size_t i = 0; i < content.len; i++) {
        if (run == 0 && content.data[i] == 0x80)
            return false;
        if (++run > 9) /* an arc of more than 63 bits */
            return false;
        if ((content.data[i] & 0x80) == 0)
            run = 0;
    }
    return true;
}

bool pf_oid_text(struct xr_buf *out, struct xr_bytes oid)
{
    struct pf_der item;
    uint64_t arc = 0;
    bool first = true;

    if (!pf_der_only(&item, oid, XR_DER_OID) || !pf_oid_ok(item.content))
        return false;
    for (size_t i = 0; i < item.content.len; i++) {
        arc = arc << 7 | (item.content.data[i] & 0x7f);
        if (item.content.data[i] & 0x80)
            continue;
        if (first) { /* two arcs in one (X.690, 8.19.4) */
            uint64_t top = arc < 80 ? arc / 40 : 2;

            xr_buf_fmt(out, "%llu.%llu", (unsigned long long)top,
                       (unsigned long long)(arc - top * 40));
        } else {
            xr_buf_fmt(out, ".%llu", (unsigned long long)arc);
        }
        first = false;
        arc = 0;
    }
    return (item.content.data[item.content.len - 1] & 0x80) == 0;
}

static bool take_oid(struct pf_der *out, struct xr_bytes *rest)
{
    return pf_der_take(out, rest, XR_DER_OID) && pf_oid_ok(out->content);
}

/* Steps into an explicit tag if it is there. Its length must fit, but libtasn1 does not ask whether it
 * is that of what is inside. */
static bool enter(struct xr_bytes *rest, unsigned tag)
{
    struct xr_bytes after = *rest;
    struct pf_der outer;
    size_t head = 0;

    if (rest->len == 0 || rest->data[0] != tag || !pf_der_next(&outer, &after))
        return false;
    head = (size_t)(outer.content.data - outer.whole.data);
    *rest = (struct xr_bytes){rest->data + head, rest->len - head};
    return true;
}

/* ---- certificates ---- */

/* libtasn1 takes the two zeros after an open one for parameters. */
static bool take_algorithm(struct xr_bytes *rest)
{
    struct pf_der algorithm, part;
    bool open = false;

    if (!pf_der_take(&algorithm, rest, XR_DER_SEQUENCE))
        return false;
    open = algorithm.whole.data + algorithm.whole.len !=
           algorithm.content.data + algorithm.content.len;
    if (!take_oid(&part, &algorithm.content))
        return false;
    return (algorithm.content.len == 0 && !open) ||
           (pf_der_next(&part, &algorithm.content) && algorithm.content.len == 0);
}

bool pf_ava_take(struct pf_ava *out, struct xr_bytes *set)
{
    struct pf_der ava, type, value;

    if (!pf_der_take(&ava, set, XR_DER_SEQUENCE) || !take_oid(&type, &ava.content) ||
        !pf_der_next(&value, &ava.content) || ava.content.len > 0)
        return false;
    out->type = type.whole;
    out->value = value.whole;
    return true;
}

static bool take_name(struct xr_bytes *out, struct xr_bytes *rest)
{
    struct pf_der name, rdn;
    struct pf_ava ava;

    if (!pf_der_take(&name, rest, XR_DER_SEQUENCE))
        return false;
    *out = name.whole;
    while (name.content.len > 0) {
        if (!pf_der_take(&rdn, &name.content, XR_DER_SET))
            return false;
        while (rdn.content.len > 0) {
            if (!pf_ava_take(&ava, &rdn.content))
                return false;
        }
    }
    return true;
}

static bool digits(int *out, const unsigned char *p, size_t count)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

/* Seconds since 1970; 0 for what is not a time of RFC 5280. */
static int64_t time_of(const struct pf_der *time)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const unsigned char *p = time->content.data;
    size_t year_len = time->tag == XR_DER_UTC_TIME ? 2 : 4;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int64_t days = 0;

    if (time->content.len != year_len + 11 || p[year_len + 10] != 'Z' ||
        !digits(&year, p, year_len) || !digits(&month, p + year_len, 2) ||
        !digits(&day, p + year_len + 2, 2) || !digits(&hour, p + year_len + 4, 2) ||
        !digits(&minute, p + year_len + 6, 2) || !digits(&second, p + year_len + 8, 2) ||
        month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return 0;
    if (year_len == 2)
        year += year < 50 ? 2000 : 1900;
    if (year < 1)
        return 0;
    days = (int64_t)365 * (year - 1970) + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 -
           477 + before[month - 1] + day - 1;
    if (month > 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
        days++;
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

static bool take_time(struct pf_der *out, struct xr_bytes *rest)
{
    return pf_der_next(out, rest) &&
           (out->tag == XR_DER_UTC_TIME || out->tag == XR_DER_GENERALIZED_TIME) &&
           out->content.len > 0 && out->content.len < 127;
}

/* An octet string in pieces is one that p11-kit puts together. Here it is no valid value of anything
 * that we look into, which gives less trust; but its certificate can block. */
static bool only_octets(struct xr_bytes *value, struct xr_bytes der)
{
    struct pf_der string, piece;
    struct xr_bytes rest = {0};
    bool pieces = der.len > 0 && der.data[0] == (XR_DER_OCTET_STRING | 0x20);

    if (!pf_der_only(&string, der, pieces ? XR_DER_OCTET_STRING | 0x20 : XR_DER_OCTET_STRING))
        return false;
    *value = rest = string.content;
    while (pieces && rest.len > 0) {
        if (!pf_der_take(&piece, &rest, XR_DER_OCTET_STRING))
            return false;
    }
    return true;
}

bool pf_walk_extension(struct xr_bytes *oid, struct xr_bytes *value, struct xr_bytes der)
{
    struct pf_der extension, part;

    if (!pf_der_only(&extension, der, XR_DER_SEQUENCE) || !take_oid(&part, &extension.content))
        return false;
    *oid = part.whole;
    if (pf_der_take(&part, &extension.content, XR_DER_BOOLEAN) && part.content.len != 1)
        return false;
    return only_octets(value, extension.content);
}

/* The first extension of a kind is the one p11-kit finds. */
static bool walk_extensions(struct pf_walk *out, struct xr_bytes rest)
{
    struct pf_der list, one;

    if (!pf_der_only(&list, rest, XR_DER_SEQUENCE))
        return false;
    while (list.content.len > 0) {
        struct xr_bytes oid, value;

        if (!pf_der_take(&one, &list.content, XR_DER_SEQUENCE) ||
            !pf_walk_extension(&oid, &value, one.whole))
            return false;
        if (out->basic.data == NULL && PF_IS(oid, PF_OID_BASIC))
            out->basic = value;
        else if (out->eku.data == NULL && PF_IS(oid, PF_OID_EKU))
            out->eku = value;
    }
    return true;
}

bool pf_walk_cert(struct pf_walk *out, struct xr_bytes der)
{
    struct pf_der cert, tbs, validity, spki, part;
    struct xr_bytes rest = {0};

    *out = (struct pf_walk){.v1 = true};
    if (!pf_der_only(&cert, der, XR_DER_SEQUENCE) ||
        !pf_der_take(&tbs, &cert.content, XR_DER_SEQUENCE) || !take_algorithm(&cert.content) ||
        !pf_der_only(&part, cert.content, XR_DER_BIT_STRING))
        return false;
    rest = tbs.content;
    if (enter(&rest, 0xa0)) {
        if (!pf_der_take(&part, &rest, XR_DER_INTEGER))
            return false;
        out->v1 = part.content.len == 1 && part.content.data[0] == 0;
    }
    if (!pf_der_take(&part, &rest, XR_DER_INTEGER))
        return false;
    out->serial = part.whole;
    if (!take_algorithm(&rest) || !take_name(&out->issuer, &rest) ||
        !pf_der_take(&validity, &rest, XR_DER_SEQUENCE) || !take_time(&part, &validity.content))
        return false;
    out->not_before = time_of(&part);
    if (!take_time(&part, &validity.content) || validity.content.len > 0 ||
        !take_name(&out->subject, &rest) || !pf_der_take(&spki, &rest, XR_DER_SEQUENCE))
        return false;
    out->spki = spki.whole;
    if (!take_algorithm(&spki.content) || !pf_der_only(&part, spki.content, XR_DER_BIT_STRING))
        return false;
    for (unsigned tag = 0x81; tag <= 0x82; tag++) { /* unique identifiers */
        if (rest.len > 0 && rest.data[0] == tag && !pf_der_next(&part, &rest))
            return false;
    }
    if (rest.len == 0)
        return true;
    return enter(&rest, 0xa3) && walk_extensions(out, rest);
}

bool pf_walk_basic(bool *ca, struct xr_bytes der)
{
    struct pf_der sequence, part;

    *ca = false;
    if (!pf_der_only(&sequence, der, XR_DER_SEQUENCE))
        return false;
    if (pf_der_take(&part, &sequence.content, XR_DER_BOOLEAN)) {
        if (part.content.len != 1)
            return false;
        *ca = part.content.data[0] != 0;
    }
    return sequence.content.len == 0 || pf_der_only(&part, sequence.content, XR_DER_INTEGER);
}

bool pf_walk_oids(struct xr_bytes *inside, struct xr_bytes der)
{
    struct pf_der sequence, oid;
    struct xr_bytes rest = {0};

    if (!pf_der_only(&sequence, der, XR_DER_SEQUENCE))
        return false;
    for (rest = sequence.content; rest.len > 0;) {
        if (!take_oid(&oid, &rest))
            return false;
    }
    *inside = sequence.content;
    return true;
}

uint32_t pf_purpose_bits(struct xr_bytes oids)
{
    struct pf_der oid;
    uint32_t bits = 0;

    while (pf_der_take(&oid, &oids, XR_DER_OID)) {
        if (PF_IS(oid.whole, PF_OID_ANY))
            return XR_ANY_PURPOSE;
        for (size_t i = 0; i < PF_KNOWN_OIDS; i++) {
            if (pf_is(oid.whole, pf_known_oids[i].der, pf_known_oids[i].len))
                bits |= pf_known_oids[i].purpose;
        }
    }
    return bits;
}

/* ---- strings ---- */

/* As p11-kit: surrogates stay what they are, up to 31 bits are written. */
static bool put_utf8(struct xr_buf *buf, uint32_t c)
{
    static const uint32_t limits[] = {0x80, 0x800, 0x10000, 0x200000, 0x4000000, 0x80000000};
    unsigned char out[6];
    size_t len = 1;

    while (len <= 6 && c >= limits[len - 1])
        len++;
    if (len > 6)
        return false;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (unsigned char)(len == 1 ? c : (0xff00u >> len & 0xff) | c);
    xr_buf_add(buf, out, len);
    return true;
}

static char *wide_string(size_t *len, struct xr_bytes value, size_t width)
{
    struct xr_buf buf = {0};

    xr_buf_add(&buf, "", 0);
    for (size_t at = 0; at < value.len; at += width) {
        uint32_t c = 0;

        for (size_t i = 0; i < width && at + i < value.len; i++)
            c = c << 8 | value.data[at + i];
        if (value.len - at < width || !put_utf8(&buf, c)) {
            xr_buf_free(&buf);
            return NULL;
        }
    }
    *len = buf.len;
    return buf.data;
}

char *pf_string(size_t *len, bool *other, struct xr_bytes value)
{
    struct pf_der string;

    *other = false;
    if (!pf_der_next(&string, &value))
        return NULL;
    switch (string.tag & 0x1f) { /* p11-kit does not look at the class */
    case 12:                     /* UTF8String */
    case 18:                     /* NumericString */
    case 19:                     /* PrintableString */
    case 20:                     /* TeletexString */
    case 22:                     /* IA5String */
        for (size_t at = 0; at < string.content.len;) {
            uint32_t c = 0;
            size_t used = xr_utf8_next(&c, string.content.data + at, string.content.len - at);

            if (used == 0)
                return NULL;
            at += used;
        }
        *len = string.content.len;
        return xr_memdup(string.content.data, string.content.len);
    case 28:
        return wide_string(len, string.content, 4);
    case 30:
        return wide_string(len, string.content, 2);
    default:
        *other = true;
        return NULL;
    }
}

/* The first value of that type in the first (or last) RDN that has it, even if it is no string. */
static bool find_ava(struct xr_bytes *value, struct xr_bytes name, const char *oid, bool first_rdn)
{
    struct pf_der sequence, rdn;
    struct pf_ava ava;
    bool found = false;

    if (!pf_der_only(&sequence, name, XR_DER_SEQUENCE))
        return false;
    while (pf_der_take(&rdn, &sequence.content, XR_DER_SET)) {
        /* p11-kit stops at an RDN without attributes, from whichever end it comes */
        if (rdn.content.len == 0) {
            if (first_rdn)
                break;
            found = false;
        }
        while (pf_ava_take(&ava, &rdn.content)) {
            if (!pf_is(ava.type, oid, 5))
                continue;
            *value = ava.value;
            if (first_rdn)
                return true;
            found = true;
            break;
        }
    }
    return found;
}

char *pf_name_label(struct xr_bytes name, bool first_rdn)
{
    static const char *const types[] = {"\x06\x03\x55\x04\x03", "\x06\x03\x55\x04\x0b",
                                        "\x06\x03\x55\x04\x0a"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct xr_bytes value = {0};
        size_t len = 0;
        bool other = false;
        char *text = NULL;

        if (find_ava(&value, name, types[i], first_rdn))
            text = pf_string(&len, &other, value);
        if (text != NULL)
            return text;
    }
    return NULL;
}
