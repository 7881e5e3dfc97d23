/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Chromium itself makes of odd messages (protobuf's rules: the last of several values counts,
 * parts of one message are merged, what is unknown is skipped) is not imitated: a message that it
 * would not write is not known.
 */
#include "metadata.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define MESSAGE_MAX ((size_t)64 << 10)
#define NAME_MAX    255u /* Chromium takes no longer one */

enum wire { VARINT = 0, COUNTED = 2 };

struct field {
    uint64_t number;
    enum wire wire;
    uint64_t value;       /* VARINT */
    struct xr_bytes part; /* COUNTED */
};

/* Base 128, the least significant digit first, at most 64 bits. */
static bool varint(uint64_t *out, struct xr_bytes *rest)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        unsigned char byte = rest->data[0];

        rest->data++;
        rest->len--;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7fu) << shift;
        if ((byte & 0x80u) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Takes one field from the front of *rest; false: there is none that is whole and of a kind that
 * these messages have. */
static bool next(struct field *out, struct xr_bytes *rest)
{
    uint64_t tag = 0, len = 0;

    *out = (struct field){0};
    if (!varint(&tag, rest))
        return false;
    out->number = tag >> 3;
    if ((tag & 7u) == VARINT)
        return varint(&out->value, rest);
    if ((tag & 7u) != COUNTED || !varint(&len, rest) || len > rest->len)
        return false;
    out->wire = COUNTED;
    out->part = (struct xr_bytes){rest->data, (size_t)len};
    rest->data += len;
    rest->len -= (size_t)len;
    return true;
}

static bool read_trust(struct chromium_metadata *out, struct xr_bytes rest)
{
    struct field f;

    if (!next(&f, &rest) || rest.len > 0 || f.number != 1 || f.wire != VARINT ||
        f.value < CHROMIUM_UNSPECIFIED || f.value > CHROMIUM_TRUSTED)
        return false;
    out->trust = (enum chromium_trust)f.value;
    return true;
}

/* Measured with Chromium 156: upper case and a final dot mean nothing, and the empty name is every
 * name. */
static bool read_dns(struct chromium_metadata *out, struct xr_bytes name)
{
    char text[NAME_MAX + 1] = "";

    if (name.len > NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = (char)name.data[i];

        if (c <= ' ' || c > '~')
            return false;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        text[i] = c;
    }
    if (name.len > 1 && text[name.len - 1] == '.')
        text[name.len - 1] = '\0';
    xr_strings_add(&out->dns, text);
    return true;
}

static bool read_cidr(struct chromium_metadata *out, struct xr_bytes rest)
{
    char address[INET6_ADDRSTRLEN], *text = NULL;
    struct field f, ip = {0}, prefix = {0};

    while (rest.len > 0) {
        if (!next(&f, &rest))
            return false;
        if (f.number == 1 && f.wire == COUNTED && ip.number == 0)
            ip = f;
        else if (f.number == 2 && f.wire == VARINT && prefix.number == 0)
            prefix = f;
        else
            return false;
    }
    /* A prefix of 0 bits is left out, as protobuf does. */
    if ((ip.part.len != 4 && ip.part.len != 16) || prefix.value > 8 * ip.part.len ||
        inet_ntop(ip.part.len == 4 ? AF_INET : AF_INET6, ip.part.data, address, sizeof(address)) ==
            NULL)
        return false;
    text = xr_format("%s/%u", address, (unsigned)prefix.value);
    xr_strings_add(&out->cidrs, text);
    free(text);
    return true;
}

static bool read_constraints(struct chromium_metadata *out, struct xr_bytes rest)
{
    struct field f;

    while (rest.len > 0) {
        if (!next(&f, &rest) || f.wire != COUNTED ||
            (f.number == 1   ? !read_dns(out, f.part)
             : f.number == 3 ? !read_cidr(out, f.part)
                             : true))
            return false;
    }
    return true;
}

const char *chromium_metadata_read(struct chromium_metadata *out, struct xr_bytes message)
{
    bool trust = false, constraints = false;
    struct field f;

    if (message.len > MESSAGE_MAX)
        return N_("its trust settings are too long");
    while (message.len > 0) {
        if (!next(&f, &message))
            return N_("its trust settings are damaged");
        if (f.number == 1 && f.wire == COUNTED && !trust) {
            trust = true;
            if (!read_trust(out, f.part))
                return N_("its trust is of an unknown kind");
        } else if (f.number == 2 && f.wire == COUNTED && !constraints) {
            constraints = true;
            if (!read_constraints(out, f.part))
                return N_("its constraints are of an unknown kind");
        } else {
            return N_("its trust settings have an unknown part");
        }
    }
    return trust ? NULL : N_("it has no trust settings");
}

/* ---- writing ---- */

static void put_varint(struct xr_buf *out, uint64_t value)
{
    unsigned char digits[10];
    size_t len = 0;

    do {
        digits[len++] = (unsigned char)((value & 0x7fu) | (value > 0x7f ? 0x80u : 0));
        value >>= 7;
    } while (value > 0);
    xr_buf_add(out, digits, len);
}

static void put_number(struct xr_buf *out, unsigned number, uint64_t value)
{
    put_varint(out, (uint64_t)number << 3 | VARINT);
    put_varint(out, value);
}

static void put_part(struct xr_buf *out, unsigned number, const void *data, size_t len)
{
    put_varint(out, (uint64_t)number << 3 | COUNTED);
    put_varint(out, len);
    xr_buf_add(out, data, len);
}

static bool put_cidr(struct xr_buf *out, const char *text)
{
    unsigned char address[16];
    unsigned bits = 0;
    size_t len = xr_limits_range(address, &bits, text);
    struct xr_buf part = {0};

    if (len == 0)
        return false;
    put_part(&part, 1, address, len);
    if (bits > 0)
        put_number(&part, 2, bits);
    put_part(out, 3, part.data, part.len);
    xr_buf_free(&part);
    return true;
}

bool chromium_metadata_write(struct xr_buf *out, enum chromium_trust trust,
                             const struct xr_limits *limits)
{
    struct xr_buf inner = {0}, outer = {0};
    bool good = true;

    put_number(&inner, 1, trust);
    put_part(out, 1, inner.data, inner.len);
    for (size_t i = 0; i < limits->dns.count && good; i++) {
        size_t len = strlen(limits->dns.items[i]);

        good = len <= NAME_MAX;
        put_part(&outer, 1, limits->dns.items[i], len);
    }
    for (size_t i = 0; i < limits->cidrs.count && good; i++)
        good = put_cidr(&outer, limits->cidrs.items[i]);
    if (outer.len > 0)
        put_part(out, 2, outer.data, outer.len);
    xr_buf_free(&inner);
    xr_buf_free(&outer);
    return good && out->len <= MESSAGE_MAX;
}

void chromium_metadata_free(struct chromium_metadata *metadata)
{
    xr_strings_free(&metadata->dns);
    xr_strings_free(&metadata->cidrs);
    *metadata = (struct chromium_metadata){0};
}
