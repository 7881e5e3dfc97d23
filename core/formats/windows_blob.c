/* SPDX-License-Identifier: Apache-2.0 */
#include "windows_blob.h"

#include "kit/der.h"

#include <stdlib.h>

#define HEAD_LEN     12u
#define REPLACEMENT  0xfffdU
#define SURROGATES   0xd800U
#define SURROGATES_2 0xdc00U

bool xr_win_blob_next(struct xr_win_record *out, struct xr_bytes *rest)
{
    uint32_t one = 0, len = 0;
    struct xr_bytes at = *rest;

    if (!xr_bytes_get32(&out->id, &at) || !xr_bytes_get32(&one, &at) ||
        !xr_bytes_get32(&len, &at) || len > at.len)
        return false;
    out->data = (struct xr_bytes){at.data, len};
    *rest = (struct xr_bytes){at.data + len, at.len - len};
    return true;
}

bool xr_win_blob_good(struct xr_bytes blob)
{
    struct xr_win_record record;
    size_t elements = 0;

    while (xr_win_blob_next(&record, &blob))
        elements += record.id == XR_WIN_CERT || record.id == XR_WIN_CRL;
    return blob.len == 0 && elements == 1;
}

struct xr_bytes xr_win_blob_get(struct xr_bytes blob, uint32_t id)
{
    struct xr_win_record record;

    while (xr_win_blob_next(&record, &blob)) {
        if (record.id == id)
            return record.data;
    }
    return (struct xr_bytes){0};
}

void xr_win_blob_add(struct xr_buf *out, uint32_t id, struct xr_bytes data)
{
    xr_buf_put32(out, id);
    xr_buf_put32(out, 1);
    xr_buf_put32(out, (uint32_t)data.len);
    xr_buf_add(out, data.data, data.len);
}

/* wincrypt.h: hashes of the certificate, its names and keys, sizes and algorithms of those, and when it
 * was put there. */
static bool computed(uint32_t id)
{
    static const uint32_t ids[] = {3,  4,  15, 20, 24, 25, 27,  28, 29,
                                   89, 92, 93, 94, 95, 96, 107, 108};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

struct plain {
    struct xr_win_record *items;
    size_t count, capacity;
};

/* By identifier, and those of one as they came: their data are slices of one blob. */
static int by_id(const void *a, const void *b)
{
    const struct xr_win_record *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->data.data < y->data.data ? -1 : x->data.data > y->data.data;
}

void xr_win_blob_plain(struct xr_buf *out, struct xr_bytes blob)
{
    struct plain plain = {0};
    struct xr_win_record record;

    while (xr_win_blob_next(&record, &blob)) {
        if (!computed(record.id))
            *XR_PUSH(&plain) = record;
    }
    if (plain.count > 1)
        qsort(plain.items, plain.count, sizeof(*plain.items), by_id);
    for (size_t i = 0; i < plain.count; i++)
        xr_win_blob_add(out, plain.items[i].id, plain.items[i].data);
    free(plain.items);
}

/* ---- purposes ---- */

#define KP(n) "\x06\x08\x2b\x06\x01\x05\x05\x07\x03" n /* 1.3.6.1.5.5.7.3.n, RFC 5280 4.2.1.12 */

static const struct {
    uint32_t purpose;
    const char *oid;
} usages[] = {
    {XR_SERVER, KP("\x01")}, {XR_CLIENT, KP("\x02")}, {XR_CODE, KP("\x03")},
    {XR_EMAIL, KP("\x04")},  {XR_TIME, KP("\x08")},
};
#define OID_LEN 10u

uint32_t xr_win_eku_purposes(struct xr_bytes eku)
{
    struct xr_der_item list, oid;
    uint32_t purposes = 0;

    if (!xr_der_expect(&list, &eku, XR_DER_SEQUENCE) || eku.len > 0)
        return 0;
    while (xr_der_expect(&oid, &list.content, XR_DER_OID)) {
        for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
            if (oid.whole.len == OID_LEN && memcmp(oid.whole.data, usages[i].oid, OID_LEN) == 0)
                purposes |= usages[i].purpose;
        }
    }
    return purposes;
}

void xr_win_eku_make(struct xr_buf *out, uint32_t purposes)
{
    unsigned char head[2] = {XR_DER_SEQUENCE, 0}; /* of at most five of them */
    struct xr_buf oids = {0};

    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        if (purposes & usages[i].purpose)
            xr_buf_add(&oids, usages[i].oid, OID_LEN);
    }
    head[1] = (unsigned char)oids.len;
    xr_buf_add(out, head, sizeof(head));
    xr_buf_add(out, oids.data, oids.len);
    xr_buf_free(&oids);
}

/* ---- names ---- */

static void put_utf8(struct xr_buf *out, uint32_t c)
{
    char bytes[4];
    size_t len = 0;

    if (c < 0x80) {
        bytes[len++] = (char)c;
    } else if (c < 0x800) {
        bytes[len++] = (char)(0xc0 | c >> 6);
        bytes[len++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        bytes[len++] = (char)(0xe0 | c >> 12);
        bytes[len++] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[len++] = (char)(0x80 | (c & 0x3f));
    } else {
        bytes[len++] = (char)(0xf0 | c >> 18);
        bytes[len++] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[len++] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[len++] = (char)(0x80 | (c & 0x3f));
    }
    xr_buf_add(out, bytes, len);
}

static uint32_t unit(struct xr_bytes name, size_t at)
{
    return at + 1 < name.len ? (uint32_t)name.data[at] | (uint32_t)name.data[at + 1] << 8 : 0;
}

char *xr_win_name_text(struct xr_bytes name)
{
    struct xr_buf out = {0};

    xr_buf_str(&out, "");
    for (size_t at = 0; at + 1 < name.len; at += 2) {
        uint32_t c = unit(name, at), low = unit(name, at + 2);

        if (c == 0)
            break;
        if (c >= SURROGATES && c < SURROGATES_2 && low >= SURROGATES_2 && low < 0xe000) {
            c = 0x10000 + ((c - SURROGATES) << 10) + (low - SURROGATES_2);
            at += 2;
        } else if (c >= SURROGATES && c < 0xe000) {
            c = REPLACEMENT;
        }
        put_utf8(&out, c);
    }
    return out.data;
}

static void put_unit(struct xr_buf *out, uint32_t c)
{
    char bytes[2] = {(char)(c & 0xff), (char)(c >> 8)};

    xr_buf_add(out, bytes, sizeof(bytes));
}

void xr_win_name_make(struct xr_buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t c = REPLACEMENT;
        size_t len = xr_utf8_next(&c, at, left);

        if (len == 0) {
            c = REPLACEMENT;
            len = 1;
        }
        if (c >= 0x10000) {
            put_unit(out, SURROGATES + ((c - 0x10000) >> 10));
            put_unit(out, SURROGATES_2 + ((c - 0x10000) & 0x3ff));
        } else {
            put_unit(out, c);
        }
        at += len;
        left -= len;
    }
    put_unit(out, 0);
}
