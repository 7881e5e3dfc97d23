/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#12 of others (RFC 7292): a MAC around "safes", each plain or encrypted as a whole, with "bags" in
 * them. What holds none of our bags is carried over byte for byte; a private key stays encrypted in its bag.
 * Ours are in a plain safe of their own, until keytool writes the file anew: then in its encrypted one.
 */
#include "java.h"

#include "certs/containers.h"
#include "certs/keystore.h"
#include "kit/der.h"

#include <stdlib.h>

enum { CONTEXT_0 = 0xa0, IMPLICIT_0 = 0x80, BMP_STRING = 0x1e, KELVIN = 0x212a, DEPTH_MAX = 8 };

#define DAMAGED N_("PKCS#12 that is damaged, or in BER: keytool -importkeystore makes DER of it")

static struct xr_bytes bytes_of(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

/* ---- the file ---- */

struct file {
    struct xr_bytes content; /* what the MAC is over */
    struct xr_bytes safes;   /* one after the other */
    struct xr_p12_mac mac;
    struct xr_bytes digest, salt;
    uint64_t spent; /* rounds of hashing */
};

/* What is in an OCTET STRING in [0]. */
static bool take_octets(struct xr_bytes *out, struct xr_bytes *rest)
{
    struct xr_der_item item = {0}, octets = {0};

    if (!xr_der_expect(&item, rest, CONTEXT_0) ||
        !xr_der_expect(&octets, &item.content, XR_DER_OCTET_STRING) || item.content.len > 0)
        return false;
    *out = octets.content;
    return true;
}

static bool take_oid(struct xr_bytes *out, struct xr_bytes *rest)
{
    struct xr_der_item item = {0};

    if (!xr_der_expect(&item, rest, XR_DER_OID))
        return false;
    *out = item.whole;
    return true;
}

static bool take_mac(struct file *file, struct xr_bytes *rest)
{
    struct xr_der_item mac = {0}, info = {0}, item = {0};

    if (!xr_der_expect(&mac, rest, XR_DER_SEQUENCE) ||
        !xr_der_expect(&info, &mac.content, XR_DER_SEQUENCE) ||
        !xr_der_expect(&item, &info.content, XR_DER_SEQUENCE))
        return false;
    file->mac.algorithm = item.whole;
    if (!xr_der_expect(&item, &info.content, XR_DER_OCTET_STRING) || info.content.len > 0)
        return false;
    file->digest = item.content;
    if (!xr_der_expect(&item, &mac.content, XR_DER_OCTET_STRING))
        return false;
    file->salt = item.content;
    file->mac.salt_len = item.content.len;
    file->mac.rounds = 1;
    if (mac.content.len > 0) {
        if (!xr_der_expect(&item, &mac.content, XR_DER_INTEGER) || item.content.len == 0 ||
            item.content.len > 5)
            return false;
        file->mac.rounds = 0;
        for (size_t i = 0; i < item.content.len; i++)
            file->mac.rounds = file->mac.rounds << 8 | item.content.data[i];
    }
    return mac.content.len == 0;
}

static bool split(struct file *file, struct xr_bytes der)
{
    struct xr_der_item pfx = {0}, version = {0}, info = {0}, safes = {0};
    struct xr_bytes type = {0}, content = {0};

    if (!xr_der_expect(&pfx, &der, XR_DER_SEQUENCE) || der.len > 0 ||
        !xr_der_expect(&version, &pfx.content, XR_DER_INTEGER) ||
        !xr_der_expect(&info, &pfx.content, XR_DER_SEQUENCE) || !take_oid(&type, &info.content) ||
        !xr_bytes_equal(type, xr_p12_data) || !take_octets(&file->content, &info.content) ||
        info.content.len > 0)
        return false;
    content = file->content;
    if (!xr_der_expect(&safes, &content, XR_DER_SEQUENCE) || content.len > 0)
        return false;
    file->safes = safes.content;
    return pfx.content.len == 0 || (take_mac(file, &pfx.content) && pfx.content.len == 0);
}

/* ---- safes ---- */

struct safe {
    struct xr_bytes whole;
    bool opaque;               /* encrypted for the owner of a key */
    struct xr_bytes algorithm; /* empty: not encrypted */
    struct xr_bytes encrypted;
    struct xr_bytes bags; /* one after the other; once it is open */
    struct xr_buf clear;
};

static bool take_encrypted(struct safe *safe, struct xr_bytes *rest)
{
    struct xr_der_item item = {0}, data = {0}, info = {0}, algorithm = {0}, octets = {0};
    struct xr_bytes type = {0};

    if (!xr_der_expect(&item, rest, CONTEXT_0) ||
        !xr_der_expect(&data, &item.content, XR_DER_SEQUENCE) || item.content.len > 0 ||
        !xr_der_expect(&item, &data.content, XR_DER_INTEGER) ||
        !xr_der_expect(&info, &data.content, XR_DER_SEQUENCE) || data.content.len > 0 ||
        !take_oid(&type, &info.content) ||
        !xr_der_expect(&algorithm, &info.content, XR_DER_SEQUENCE) ||
        !xr_der_expect(&octets, &info.content, IMPLICIT_0) || info.content.len > 0)
        return false;
    safe->algorithm = algorithm.whole;
    safe->encrypted = octets.content;
    return true;
}

static enum xr_status open_bags(struct safe *safe, struct xr_bytes contents, struct xr_error *err)
{
    struct xr_der_item bags = {0};

    if (!xr_der_expect(&bags, &contents, XR_DER_SEQUENCE) || contents.len > 0)
        return safe->algorithm.len > 0 ? xr_java_wrong(err)
                                       : xr_fail(err, XR_INVALID, "%s", DAMAGED);
    safe->bags = bags.content;
    return XR_OK;
}

static enum xr_status take_safe(struct safe *safe, struct file *file, struct xr_bytes password,
                                struct xr_error *err)
{
    struct xr_der_item info = {0};
    struct xr_bytes type = {0}, contents = {0};
    enum xr_status status = XR_OK;

    if (!xr_der_expect(&info, &file->safes, XR_DER_SEQUENCE) || !take_oid(&type, &info.content))
        return xr_fail(err, XR_INVALID, "%s", DAMAGED);
    safe->whole = info.whole;
    if (xr_bytes_equal(type, xr_p12_data)) {
        if (!take_octets(&contents, &info.content) || info.content.len > 0)
            return xr_fail(err, XR_INVALID, "%s", DAMAGED);
    } else if (xr_bytes_equal(type, xr_p12_encrypted)) {
        if (!take_encrypted(safe, &info.content) || info.content.len > 0)
            return xr_fail(err, XR_INVALID, "%s", DAMAGED);
        status = xr_p12_crypt(&safe->clear, false, &file->spent, safe->algorithm, password,
                              safe->encrypted, err);
        contents = bytes_of(&safe->clear);
    } else {
        safe->opaque = true;
        return XR_OK;
    }
    return status == XR_OK ? open_bags(safe, contents, err) : status;
}

static void close_safe(struct safe *safe)
{
    if (safe->clear.data != NULL)
        xr_wipe(safe->clear.data, safe->clear.capacity);
    xr_buf_free(&safe->clear);
}

/* ---- bags ---- */

struct bag {
    struct xr_bytes whole;
    int type; /* the last number of its OID in RFC 7292, 4.2; 0: unknown */
    bool trusted;
    struct xr_buf alias; /* as Java compares it, where it is ASCII */
};
enum { KEY_BAG = 1, SHROUDED_KEY_BAG = 2, CERT_BAG = 3, SECRET_BAG = 5 };

/* Java's toLowerCase, as far as its outcome is ASCII: no other alias can be one of ours. */
static void take_name(struct xr_buf *alias, struct xr_bytes text)
{
    alias->len = 0;
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        unsigned c = (unsigned)text.data[i] << 8 | text.data[i + 1];
        char lower = (char)c;

        if (c == KELVIN)
            lower = 'k';
        else if (c >= 0x80)
            lower = (char)0xff;
        else if (c >= 'A' && c <= 'Z')
            lower = (char)(c + 32);
        xr_buf_add(alias, &lower, 1);
    }
}

static bool take_attribute(struct bag *bag, struct xr_bytes *rest)
{
    struct xr_der_item attribute = {0}, values = {0}, value = {0};
    struct xr_bytes type = {0};

    if (!xr_der_expect(&attribute, rest, XR_DER_SEQUENCE) || !take_oid(&type, &attribute.content) ||
        !xr_der_expect(&values, &attribute.content, XR_DER_SET) || attribute.content.len > 0)
        return false;
    if (xr_bytes_equal(type, xr_p12_trusted))
        bag->trusted = true;
    if (xr_bytes_equal(type, xr_p12_friendly_name) &&
        xr_der_expect(&value, &values.content, BMP_STRING))
        take_name(&bag->alias, value.content);
    return true;
}

static bool take_bag(struct bag *bag, struct xr_bytes *rest)
{
    struct xr_der_item item = {0}, value = {0}, attributes = {0};
    struct xr_bytes type = {0};

    bag->type = 0;
    bag->trusted = false;
    bag->alias.len = 0;
    if (!xr_der_expect(&item, rest, XR_DER_SEQUENCE) || !take_oid(&type, &item.content) ||
        !xr_der_expect(&value, &item.content, CONTEXT_0))
        return false;
    bag->whole = item.whole;
    if (type.len == xr_p12_cert_bag.len &&
        memcmp(type.data, xr_p12_cert_bag.data, type.len - 1) == 0)
        bag->type = type.data[type.len - 1];
    if (item.content.len > 0) {
        if (!xr_der_expect(&attributes, &item.content, XR_DER_SET) || item.content.len > 0)
            return false;
        while (attributes.content.len > 0) {
            if (!take_attribute(bag, &attributes.content))
                return false;
        }
    }
    return true;
}

static bool is_ours(const struct bag *bag)
{
    return bag->type == CERT_BAG && bag->trusted &&
           xr_java_is_ours(bag->alias.data, bag->alias.len);
}

/* ---- update ---- */

struct updating {
    struct xr_format_names names;
    struct xr_buf safes;
    struct xr_bytes password;
    const struct xr_host *host;
    struct file *file;
};

/* Random numbers of an encryption, its OCTET STRINGs, become others that seed decides: the key must not
 * be used again for other content. */
static void put_fresh(struct xr_buf *out, struct xr_bytes der, struct xr_bytes seed, unsigned depth,
                      const struct xr_host *host)
{
    struct xr_der_item item = {0};

    while (xr_der_next(&item, &der)) {
        if (item.tag == XR_DER_OCTET_STRING) {
            unsigned char *fresh = xr_new(item.content.len + 1, 1);
            char use[32];

            (void)snprintf(use, sizeof(use), "salt %zu", out->len);
            xr_p12_derive(fresh, item.content.len, seed, use, host);
            xr_der_put(out, item.tag, fresh, item.content.len);
            free(fresh);
        } else if (item.tag == XR_DER_SEQUENCE && depth < DEPTH_MAX) {
            struct xr_buf inner = {0};

            put_fresh(&inner, item.content, seed, depth + 1, host);
            xr_der_put(out, item.tag, inner.data, inner.len);
            xr_buf_free(&inner);
        } else {
            xr_buf_add(out, item.whole.data, item.whole.len);
        }
    }
}

/* The ContentInfo of a safe that is encrypted as before. */
static enum xr_status put_encrypted(struct updating *u, const struct safe *safe,
                                    struct xr_bytes bags, struct xr_error *err)
{
    struct xr_buf clear = {0}, algorithm = {0}, encrypted = {0}, info = {0}, data = {0}, all = {0};
    enum xr_status status = XR_OK;

    xr_buf_reserve(&clear, bags.len + 16);
    xr_der_put(&clear, XR_DER_SEQUENCE, bags.data, bags.len);
    put_fresh(&algorithm, safe->algorithm, bytes_of(&clear), 0, u->host);
    status = xr_p12_crypt(&encrypted, true, &u->file->spent, bytes_of(&algorithm), u->password,
                          bytes_of(&clear), err);
    if (status == XR_OK) {
        xr_buf_add(&info, xr_p12_data.data, xr_p12_data.len);
        xr_buf_add(&info, algorithm.data, algorithm.len);
        xr_der_put(&info, IMPLICIT_0, encrypted.data, encrypted.len);
        xr_der_put(&data, XR_DER_INTEGER, "", 1);
        xr_der_put(&data, XR_DER_SEQUENCE, info.data, info.len);
        info.len = 0;
        xr_der_put(&info, XR_DER_SEQUENCE, data.data, data.len);
        xr_buf_add(&all, xr_p12_encrypted.data, xr_p12_encrypted.len);
        xr_der_put(&all, CONTEXT_0, info.data, info.len);
        xr_der_put(&u->safes, XR_DER_SEQUENCE, all.data, all.len);
    }
    xr_wipe(clear.data, clear.len);
    xr_buf_free(&clear);
    xr_buf_free(&algorithm);
    xr_buf_free(&encrypted);
    xr_buf_free(&info);
    xr_buf_free(&data);
    xr_buf_free(&all);
    return status;
}

static enum xr_status keep_others(struct updating *u, const struct safe *safe, struct xr_error *err)
{
    struct xr_bytes rest = safe->bags;
    struct xr_buf others = {0};
    struct bag bag = {0};
    bool dropped =
        rest.len == 0 && !safe->opaque; /* an update with an empty list leaves such a one */
    enum xr_status status = XR_OK;

    xr_buf_reserve(&others, rest.len);
    while (status == XR_OK && rest.len > 0) {
        if (!take_bag(&bag, &rest)) {
            status = xr_fail(err, XR_INVALID, "%s", DAMAGED);
        } else if (is_ours(&bag)) {
            dropped = true;
        } else {
            xr_format_names_reserve(&u->names, bag.alias.data != NULL ? bag.alias.data : "",
                                    bag.alias.len);
            xr_buf_add(&others, bag.whole.data, bag.whole.len);
        }
    }
    if (status == XR_OK && !dropped)
        xr_buf_add(&u->safes, safe->whole.data, safe->whole.len);
    else if (status == XR_OK && others.len > 0 && safe->algorithm.len > 0)
        status = put_encrypted(u, safe, bytes_of(&others), err);
    else if (status == XR_OK && others.len > 0)
        xr_p12_put_safe(&u->safes, bytes_of(&others));
    if (others.data != NULL)
        xr_wipe(others.data, others.len);
    xr_buf_free(&others);
    xr_buf_free(&bag.alias);
    return status;
}

static enum xr_status check(struct file *file, struct xr_bytes old, struct xr_bytes password,
                            struct xr_error *err)
{
    unsigned char digest[XR_P12_MAC_MAX];
    size_t len = 0;
    enum xr_status status = XR_OK;

    if (!xr_pkcs12_begins(old)) {
        char *why = xr_java_not_text(old, "PKCS#12");

        (void)xr_fail(err, XR_INVALID, "%s", why);
        free(why);
        return XR_INVALID;
    }
    if (!split(file, old))
        return xr_fail(err, XR_INVALID, "%s", DAMAGED);
    if (file->mac.algorithm.len == 0)
        return XR_OK;
    status = xr_p12_mac(digest, &len, &file->spent, file->mac.algorithm, file->salt,
                        file->mac.rounds, password, file->content, err);
    if (status == XR_OK && !xr_bytes_equal(file->digest, (struct xr_bytes){digest, len}))
        status = xr_java_wrong(err);
    return status;
}

enum xr_status xr_output_java_p12_update(struct xr_buf *out, struct xr_bytes old,
                                         struct xr_format_cert *const *certs, size_t count,
                                         const struct xr_output_options *options,
                                         struct xr_error *err)
{
    struct file file = {.mac = xr_p12_new_mac(options)};
    struct updating u = {.names = {.host = options->host},
                         .password = xr_java_password(options),
                         .host = options->host,
                         .file = &file};
    struct xr_buf bags = {0};
    enum xr_status status = XR_OK;

    if (old.data != NULL) {
        file.mac = (struct xr_p12_mac){0};
        status = check(&file, old, u.password, err);
    }
    while (status == XR_OK && file.safes.len > 0) {
        struct safe safe = {0};

        status = take_safe(&safe, &file, u.password, err);
        if (status == XR_OK)
            status = keep_others(&u, &safe, err);
        close_safe(&safe);
    }
    if (status == XR_OK) {
        xr_p12_put_bags(&bags, certs, count, &u.names, XR_JAVA_PREFIX);
        if (count > 0 || u.safes.len == 0)
            xr_p12_put_safe(&u.safes, bytes_of(&bags));
        status = xr_p12_put_file(out, bytes_of(&u.safes), &file.mac, u.password, u.host, err);
    }
    xr_format_names_free(&u.names);
    xr_buf_free(&u.safes);
    xr_buf_free(&bags);
    return status;
}

/* ---- what must not be replaced ---- */

static enum xr_status count_others(struct xr_java_others *others, const struct safe *safe,
                                   struct xr_error *err)
{
    struct xr_bytes rest = safe->bags;
    struct bag bag = {0};
    bool ok = true;

    others->rest += safe->opaque ? 1 : 0;
    while (ok && rest.len > 0) {
        ok = take_bag(&bag, &rest);
        if (bag.type == KEY_BAG || bag.type == SHROUDED_KEY_BAG)
            others->keys++;
        else if (bag.type == SECRET_BAG)
            others->secrets++;
        else if (bag.type != CERT_BAG || !bag.trusted)
            others->rest++;
    }
    xr_buf_free(&bag.alias);
    return ok ? XR_OK : xr_fail(err, XR_INVALID, "%s", DAMAGED);
}

char *xr_output_java_p12_keeps(struct xr_bytes old, const struct xr_output_options *options)
{
    struct xr_error err = {.size = sizeof(err)};
    struct xr_java_others others = {0};
    struct file file = {0};
    enum xr_status status = XR_OK;

    if (old.len == 0)
        return NULL;
    status = check(&file, old, xr_java_password(options), &err);
    while (status == XR_OK && file.safes.len > 0) {
        struct safe safe = {0};

        status = take_safe(&safe, &file, xr_java_password(options), &err);
        if (status == XR_OK)
            status = count_others(&others, &safe, &err);
        close_safe(&safe);
    }
    return status == XR_OK ? xr_java_others_text(&others) : xr_strdup(err.text);
}
