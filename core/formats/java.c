/* SPDX-License-Identifier: Apache-2.0 */
/* JKS of others (sun.security.provider.JavaKeyStore): its entries are carried over byte for byte, and ours
 * come last. */
#include "java.h"

#include "certs/containers.h"
#include "kit/der.h"

#include <stdlib.h>

enum { PRIVATE_ENTRY = 1, TRUSTED_ENTRY = 2 };

/* ---- what both kinds share ---- */

struct xr_bytes xr_java_password(const struct xr_output_options *options)
{
    return options->password.data != NULL ? options->password : xr_format_java_password;
}

bool xr_java_is_ours(const char *alias, size_t len)
{
    size_t prefix = sizeof(XR_JAVA_PREFIX) - 1;

    return len >= prefix && memcmp(alias, XR_JAVA_PREFIX, prefix) == 0;
}

static void add_to(struct xr_buf *list, char *text)
{
    xr_buf_fmt(list, "%s%s", list->len > 0 ? ", " : "", text);
    free(text);
}

char *xr_java_others_text(const struct xr_java_others *others)
{
    struct xr_buf list = {0};
    char *text = NULL;

    if (others->keys > 0)
        add_to(&list, xr_format(others->keys == 1 ? N_("%zu private key") : N_("%zu private keys"),
                                others->keys));
    if (others->secrets > 0)
        add_to(&list, xr_format(others->secrets == 1 ? N_("%zu secret key") : N_("%zu secret keys"),
                                others->secrets));
    if (others->rest > 0)
        add_to(&list, xr_format(others->rest == 1 ? N_("%zu other entry") : N_("%zu other entries"),
                                others->rest));
    if (list.len > 0)
        text = xr_format(N_("it has %s; --update keeps what is not ours"), list.data);
    xr_buf_free(&list);
    return text;
}

char *xr_java_not_text(struct xr_bytes file, const char *kind)
{
    bool key = false;
    const char *what = NULL;

    if (file.len >= 4 && memcmp(file.data, XR_JKS_MAGIC, 4) == 0)
        what = N_("a JKS keystore: --to java=PATH");
    else if (file.len >= 4 && memcmp(file.data, "\xce\xce\xce\xce", 4) == 0)
        what = N_("a JCEKS keystore, whose secret keys only Java can read; keytool -importkeystore "
                  "makes PKCS#12 of it");
    else if (xr_pkcs12_begins(file))
        what = N_("PKCS#12: --to java-p12=PATH");
    else
        what = xr_der_guess(file, &key);
    if (what == NULL)
        return xr_format(N_("it is no %s keystore"), kind);
    return xr_format(N_("it is no %s keystore, but %s"), kind, what);
}

enum xr_status xr_java_wrong(struct xr_error *err)
{
    return xr_fail(err, XR_INVALID, "the password is wrong, or the file is damaged");
}

/* ---- entries of JKS ---- */

struct entry {
    uint32_t tag;
    struct xr_bytes alias;
    struct xr_bytes whole;
};

static bool take(struct xr_bytes *out, struct xr_bytes *rest, size_t len)
{
    if (len > rest->len)
        return false;
    *out = (struct xr_bytes){rest->data, len};
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool take_number(uint32_t *out, struct xr_bytes *rest, size_t octets)
{
    struct xr_bytes part = {0};

    if (!take(&part, rest, octets))
        return false;
    *out = 0;
    for (size_t i = 0; i < octets; i++)
        *out = *out << 8 | part.data[i];
    return true;
}

static bool take_sized(struct xr_bytes *out, struct xr_bytes *rest, size_t octets)
{
    uint32_t len = 0;

    return take_number(&len, rest, octets) && take(out, rest, len);
}

static bool take_cert(struct xr_bytes *rest)
{
    struct xr_bytes part = {0};

    return take_sized(&part, rest, 2) && take_sized(&part, rest, 4);
}

static bool take_entry(struct entry *out, struct xr_bytes *rest)
{
    const unsigned char *start = rest->data;
    struct xr_bytes part = {0};
    uint32_t certs = 1;

    if (!take_number(&out->tag, rest, 4) || !take_sized(&out->alias, rest, 2) ||
        !take(&part, rest, 8))
        return false;
    if (out->tag == PRIVATE_ENTRY) {
        if (!take_sized(&part, rest, 4) || !take_number(&certs, rest, 4))
            return false;
    } else if (out->tag != TRUSTED_ENTRY) {
        return false;
    }
    for (uint32_t i = 0; i < certs; i++) {
        if (!take_cert(rest))
            return false;
    }
    out->whole = (struct xr_bytes){start, (size_t)(rest->data - start)};
    return true;
}

static bool is_jks(struct xr_bytes file)
{
    return file.len >= 4 && memcmp(file.data, XR_JKS_MAGIC, 4) == 0;
}

/* Leaves the entries, and says how many they are. */
static bool open_entries(uint32_t *count, struct xr_bytes *file)
{
    struct xr_bytes magic = {0};
    uint32_t version = 0;

    if (file->len < XR_JKS_DIGEST)
        return false;
    file->len -= XR_JKS_DIGEST;
    return take(&magic, file, 4) && take_number(&version, file, 4) && version == 2 &&
           take_number(count, file, 4);
}

/* ---- outputs ---- */

void xr_output_java(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                    const struct xr_output_options *options)
{
    xr_format_jks_write(out, certs, count, options->host, xr_java_password(options));
}

static enum xr_status check(struct xr_bytes old, const struct xr_output_options *options,
                            struct xr_error *err)
{
    unsigned char digest[XR_JKS_DIGEST];

    if (!is_jks(old)) {
        char *why = xr_java_not_text(old, "JKS");

        (void)xr_fail(err, XR_INVALID, "%s", why);
        free(why);
        return XR_INVALID;
    }
    if (old.len < XR_JKS_DIGEST)
        return xr_java_wrong(err);
    old.len -= sizeof(digest);
    xr_format_jks_digest(digest, old, xr_java_password(options), options->host);
    if (memcmp(digest, old.data + old.len, sizeof(digest)) != 0)
        return xr_java_wrong(err);
    return XR_OK;
}

enum xr_status xr_output_java_update(struct xr_buf *out, struct xr_bytes old,
                                     struct xr_format_cert *const *certs, size_t count,
                                     const struct xr_output_options *options, struct xr_error *err)
{
    struct xr_format_names aliases = {.host = options->host};
    struct xr_buf others = {0}, spelt = {0};
    size_t kept = 0;
    uint32_t entries = 0;
    enum xr_status status = XR_OK;

    if (old.data != NULL) {
        status = check(old, options, err);
        if (status == XR_OK && !open_entries(&entries, &old))
            status = xr_fail(err, XR_INVALID, "a JKS keystore of a version that is not 2");
    }
    for (uint32_t i = 0; status == XR_OK && i < entries; i++) {
        struct entry entry = {0};

        if (!take_entry(&entry, &old)) {
            status = xr_fail(err, XR_INVALID, "JKS with an entry that does not parse");
        } else if (entry.tag != TRUSTED_ENTRY ||
                   !xr_java_is_ours((const char *)entry.alias.data, entry.alias.len)) {
            xr_format_names_reserve(&aliases, (const char *)entry.alias.data, entry.alias.len);
            xr_buf_add(&others, entry.whole.data, entry.whole.len);
            kept++;
        }
    }
    if (status == XR_OK && old.len > 0)
        status = xr_fail(err, XR_INVALID, "JKS with bytes after its entries");
    if (status == XR_OK && kept > UINT32_MAX - count)
        status = xr_fail(err, XR_INVALID, "a JKS keystore cannot have that many entries");
    if (status == XR_OK) {
        struct xr_buf all = {0};

        xr_format_jks_head(&all, kept + count);
        xr_buf_add(&all, others.data, others.len);
        for (size_t i = 0; i < count; i++) {
            xr_format_java_alias(&aliases, &spelt, XR_JAVA_PREFIX, certs[i]);
            xr_format_jks_entry(&all, spelt.data, spelt.len, certs[i]);
        }
        xr_format_jks_close(&all, xr_java_password(options), options->host);
        xr_buf_add(out, all.data, all.len);
        xr_buf_free(&all);
    }
    xr_buf_free(&others);
    xr_buf_free(&spelt);
    xr_format_names_free(&aliases);
    return status;
}

char *xr_output_java_keeps(struct xr_bytes old, const struct xr_output_options *options)
{
    struct xr_java_others others = {0};
    uint32_t entries = 0;

    (void)options;
    if (old.len == 0)
        return NULL;
    if (!is_jks(old))
        return xr_java_not_text(old, "JKS");
    if (!open_entries(&entries, &old))
        return xr_strdup(N_("it is a damaged JKS keystore, or of a version that is not 2"));
    for (uint32_t i = 0; i < entries; i++) {
        struct entry entry = {0};

        if (!take_entry(&entry, &old))
            return xr_strdup(N_("it is a damaged JKS keystore"));
        if (entry.tag == PRIVATE_ENTRY)
            others.keys++;
    }
    return old.len > 0 ? xr_strdup(N_("it is a damaged JKS keystore"))
                       : xr_java_others_text(&others);
}
