/* SPDX-License-Identifier: Apache-2.0 */
/* Java's keystore: entries in big-endian, and a SHA-1 that a password, which few change, is part of. */
#include "private.h"

#include <stdlib.h>

#define SALT "Mighty Aphrodite"

enum { HEAD = 12, DIGEST = XR_JKS_DIGEST, TRUSTED_ENTRY = 2, ALIAS_MAX = 32700 };

const struct xr_bytes xr_format_java_password = {(const unsigned char *)"changeit", 8};

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

void xr_format_java_alias(struct xr_format_names *aliases, struct xr_buf *spelt, const char *prefix,
                          const struct xr_format_cert *cert)
{
    struct xr_buf alias = {0}, named = {0};

    if (cert->label_len > 0)
        convert_alias(&alias, cert->label, cert->label_len);
    else
        convert_alias(&alias, "unlabeled", 9);
    xr_buf_str(&named, prefix);
    xr_buf_add(&named, alias.data, alias.len);
    xr_format_names_take(aliases, spelt, named.data, named.len, spell_alias);
    xr_buf_free(&alias);
    xr_buf_free(&named);
}

/* Java hashes the characters of a password, not its bytes; what is no UTF-8 becomes what Java makes of
 * it. */
static void put_password(struct xr_buf *buf, struct xr_bytes password)
{
    while (password.len > 0) {
        uint32_t c = 0xfffd;
        size_t len = xr_utf8_next(&c, password.data, password.len);

        if (len == 0) {
            c = 0xfffd;
            len = 1;
        }
        if (c > 0xffff) {
            put_number(buf, 0xd800 + ((c - 0x10000) >> 10), 2);
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        put_number(buf, c, 2);
        password.data += len;
        password.len -= len;
    }
}

void xr_format_jks_digest(unsigned char out[XR_JKS_DIGEST], struct xr_bytes data,
                          struct xr_bytes password, const struct xr_host *host)
{
    struct xr_buf all = {0};
    size_t secret = 0;

    /* Room for all of it now: growing would leave copies of the password behind. */
    xr_buf_reserve(&all, 2 * password.len + sizeof(SALT) + data.len);
    put_password(&all, password);
    secret = all.len;
    xr_buf_add(&all, SALT, sizeof(SALT) - 1);
    xr_buf_add(&all, data.data, data.len);
    host->sha1(out, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    xr_wipe(all.data, secret);
    xr_buf_free(&all);
}

void xr_format_jks_head(struct xr_buf *out, size_t count)
{
    xr_buf_add(out, XR_JKS_MAGIC "\0\0\0\2", 8);
    put_number(out, count, 4);
}

void xr_format_jks_entry(struct xr_buf *out, const char *alias, size_t len,
                         const struct xr_format_cert *cert)
{
    int64_t at = cert->not_before > 0 ? cert->not_before * 1000 : 0;

    put_number(out, TRUSTED_ENTRY, 4);
    put_text(out, alias, len);
    put_number(out, (uint64_t)at, 8);
    put_text(out, "X.509", 5);
    put_number(out, cert->der.len, 4);
    xr_buf_add(out, cert->der.data, cert->der.len);
}

void xr_format_jks_close(struct xr_buf *out, struct xr_bytes password, const struct xr_host *host)
{
    unsigned char digest[XR_JKS_DIGEST];

    xr_format_jks_digest(digest, (struct xr_bytes){(const unsigned char *)out->data, out->len},
                         password, host);
    xr_buf_add(out, digest, sizeof(digest));
}

void xr_format_jks(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                   const struct xr_format_options *options)
{
    xr_format_jks_write(out, certs, count, options->host, xr_format_java_password);
}

void xr_format_jks_write(struct xr_format_files *out, struct xr_format_cert *const *certs,
                         size_t count, const struct xr_host *host, struct xr_bytes password)
{
    struct xr_buf *content = xr_format_bundle(out, certs, count);
    struct xr_format_names aliases = {.host = host};
    struct xr_buf spelt = {0};

    xr_format_jks_head(content, count);
    for (size_t i = 0; i < count; i++) {
        xr_format_java_alias(&aliases, &spelt, "", certs[i]);
        xr_format_jks_entry(content, spelt.data, spelt.len, certs[i]);
    }
    xr_format_jks_close(content, password, host);
    xr_format_names_free(&aliases);
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

    if (file->len < HEAD + DIGEST || !bytes_are((struct xr_bytes){file->data, 4}, XR_JKS_MAGIC, 4))
        return false;
    xr_format_jks_digest(digest, (struct xr_bytes){file->data, file->len - DIGEST},
                         xr_format_java_password, host);
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
