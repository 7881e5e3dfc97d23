/* SPDX-License-Identifier: Apache-2.0 */
/* Java's keystore: entries in big-endian, and a SHA-1 that a password nobody changes is part of. */
#include "private.h"

#include <stdlib.h>

#define SALT "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite"

enum { HEAD = 12, DIGEST = 20, TRUSTED_ENTRY = 2, ALIAS_MAX = 32700 };

static void put_number(struct xr_buf *buf, uint64_t value, size_t octets)
{
    unsigned char out[8];

    for (size_t i = 0; i < octets; i++)
        out[i] = (unsigned char)(value >> (8 * (octets - 1 - i)));
    xr_buf_add(buf, out, octets);
}

static void put_text(struct xr_buf *buf, const char *text, size_t len)
{
    put_number(buf, len, 2);
    xr_buf_add(buf, text, len);
}

/* ASCII without spaces, in lower case; cut before it is made unique, for Java keeps one entry of an
 * alias. */
static void convert_alias(struct xr_buf *out, const char *label, size_t len)
{
    out->len = 0;
    xr_buf_add(out, "", 0);
    for (size_t i = 0; i < len && out->len < ALIAS_MAX; i++) {
        char c = label[i];

        if ((unsigned char)c >= 0x80 || c == ' ' || (c >= '\t' && c <= '\r'))
            continue;
        c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        xr_buf_add(out, &c, 1);
    }
}

static void spell_alias(struct xr_buf *buf, const char *name, size_t len, size_t n)
{
    xr_buf_add(buf, name, len);
    if (n > 0)
        xr_buf_fmt(buf, "-%zu", n);
}

static void digest_of(unsigned char out[DIGEST], const unsigned char *data, size_t len,
                      const struct xr_host *host)
{
    struct xr_buf all = {0};

    xr_buf_reserve(&all, sizeof(SALT) + len);
    xr_buf_add(&all, SALT, sizeof(SALT) - 1);
    xr_buf_add(&all, data, len);
    host->sha1(out, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    xr_buf_free(&all);
}

void xr_format_jks(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                   const struct xr_format_options *options)
{
    static const unsigned char head[] = {0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2};
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_format_names aliases = {.host = options->host};
    struct xr_buf alias = {0}, spelt = {0};
    unsigned char digest[DIGEST];

    xr_buf_add(content, head, sizeof(head));
    put_number(content, count, 4);
    for (size_t i = 0; i < count; i++) {
        const struct xr_format_cert *cert = certs[i];
        int64_t at = cert->not_before > 0 ? cert->not_before * 1000 : 0;

        if (cert->label_len > 0)
            convert_alias(&alias, cert->label, cert->label_len);
        else
            convert_alias(&alias, "unlabeled", 9);
        xr_format_names_take(&aliases, &spelt, alias.data, alias.len, spell_alias);
        put_number(content, TRUSTED_ENTRY, 4);
        put_text(content, spelt.data, spelt.len);
        put_number(content, (uint64_t)at, 8);
        put_text(content, "X.509", 5);
        put_number(content, cert->der.len, 4);
        xr_buf_add(content, cert->der.data, cert->der.len);
    }
    digest_of(digest, (const unsigned char *)content->data, content->len, options->host);
    xr_buf_add(content, digest, sizeof(digest));
    xr_format_names_free(&aliases);
    xr_buf_free(&alias);
    xr_buf_free(&spelt);
}

/* ---- comparing ---- */

static bool take(struct xr_bytes *out, struct xr_bytes *rest, size_t len)
{
    if (len > rest->len)
        return false;
    *out = (struct xr_bytes){rest->data, len};
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool bytes_are(struct xr_bytes bytes, const char *text, size_t len)
{
    return xr_bytes_equal(bytes, (struct xr_bytes){(const unsigned char *)text, len});
}

/* What a length of some octets goes before. */
static bool take_sized(struct xr_bytes *out, struct xr_bytes *rest, size_t octets)
{
    struct xr_bytes size = {0};
    size_t len = 0;

    if (!take(&size, rest, octets))
        return false;
    for (size_t i = 0; i < octets; i++)
        len = len << 8 | size.data[i];
    return take(out, rest, len);
}

/* The bytes before and after the time of a trusted certificate's entry. */
static bool take_entry(struct xr_bytes *before, struct xr_bytes *after, struct xr_bytes *rest)
{
    const unsigned char *start = rest->data;
    struct xr_bytes part = {0};

    if (!take(&part, rest, 4) || !bytes_are(part, "\0\0\0\2", 4) || !take_sized(&part, rest, 2))
        return false;
    *before = (struct xr_bytes){start, (size_t)(rest->data - start)};
    if (!take(&part, rest, 8))
        return false;
    start = rest->data;
    if (!take_sized(&part, rest, 2) || !take_sized(&part, rest, 4))
        return false;
    *after = (struct xr_bytes){start, (size_t)(rest->data - start)};
    return true;
}

/* Leaves the entries, and gives the head; false unless the digest is right. */
static bool open_keystore(struct xr_bytes *head, struct xr_bytes *file, const struct xr_host *host)
{
    unsigned char digest[DIGEST];

    if (file->len < HEAD + DIGEST ||
        !bytes_are((struct xr_bytes){file->data, 4}, "\xfe\xed\xfe\xed", 4))
        return false;
    digest_of(digest, file->data, file->len - DIGEST, host);
    file->len -= DIGEST;
    return memcmp(digest, file->data + file->len, DIGEST) == 0 && take(head, file, HEAD);
}

bool xr_format_same_jks(struct xr_bytes a, struct xr_bytes b, const struct xr_host *host)
{
    struct xr_bytes head_a = {0}, head_b = {0}, before_a = {0}, before_b = {0}, after_a = {0},
                    after_b = {0};

    if (a.len != b.len || !open_keystore(&head_a, &a, host) || !open_keystore(&head_b, &b, host) ||
        !xr_bytes_equal(head_a, head_b))
        return false;
    while (a.len > 0) {
        if (!take_entry(&before_a, &after_a, &a) || !take_entry(&before_b, &after_b, &b) ||
            !xr_bytes_equal(before_a, before_b) || !xr_bytes_equal(after_a, after_b))
            return false;
    }
    return b.len == 0;
}

/* ---- reading ---- */

bool xr_format_jks_read(struct xr_bytes file, const struct xr_host *host, xr_bytes_fn emit,
                        void *ctx)
{
    struct xr_bytes head = {0}, part = {0};

    if (!open_keystore(&head, &file, host))
        return false;
    while (file.len > 0) {
        if (!take(&part, &file, 4) || !bytes_are(part, "\0\0\0\2", 4) ||
            !take_sized(&part, &file, 2) || !take(&part, &file, 8) ||
            !take_sized(&part, &file, 2) || !take_sized(&part, &file, 4) ||
            emit(ctx, part) != XR_OK)
            return false;
    }
    return true;
}
