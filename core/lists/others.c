/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists of other kinds: p11-kit's source files and Java keystores; and which kind bytes are. */
#include "lists.h"

#include "kit/pem.h"
#include "p11files/p11files.h"

#include <stdlib.h>

/* Does a line of the first bytes begin with that? */
static bool has_line(struct xr_bytes data, const char *begin)
{
    size_t len = strlen(begin);
    struct xr_bytes rest = {data.data, data.len < 65536 ? data.len : 65536};

    while (rest.len >= len) {
        const unsigned char *end = memchr(rest.data, '\n', rest.len);

        if (memcmp(rest.data, begin, len) == 0)
            return true;
        if (end == NULL)
            return false;
        rest.len -= (size_t)(end + 1 - rest.data);
        rest.data = end + 1;
    }
    return false;
}

static bool begins(struct xr_bytes data, const char *text, size_t len)
{
    return data.len >= len && memcmp(data.data, text, len) == 0;
}

/* Names of columns in the first line. Also other reports than the one that is read: its reader says what
 * they lack. */
static bool is_report(struct xr_bytes data)
{
    static const char *const columns[] = {"SHA-256 Fingerprint", "Mozilla Applied Constraints"};
    size_t len = data.len < 16384 ? data.len : 16384;
    const unsigned char *end = len > 0 ? memchr(data.data, '\n', len) : NULL;

    len = end != NULL ? (size_t)(end - data.data) : len;
    if (len == 0 || memchr(data.data, ',', len) == NULL)
        return false;
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
        if (xr_memmem(data.data, len, columns[i], strlen(columns[i])) != NULL)
            return true;
    }
    return false;
}

enum xr_list_kind xr_list_guess(struct xr_bytes data)
{
    struct xr_bytes head = data;

    if (begins(data, "\xfe\xed\xfe\xed", 4))
        return XR_LIST_JKS;
    if (has_line(data, "[p11-kit-object-v1]"))
        return XR_LIST_P11KIT;
    if (has_line(data, "BEGINDATA") || has_line(data, "CKA_CLASS "))
        return XR_LIST_CERTDATA;
    if (begins(head, "\xef\xbb\xbf", 3))
        head.data += 3, head.len -= 3;
    while (head.len > 0 && xr_pem_space(head.data[0]))
        head.data++, head.len--;
    if (head.len > 0 && head.data[0] == '{')
        return XR_LIST_JSON;
    return is_report(head) ? XR_LIST_CCADB : XR_LIST_ITEMS;
}

/* ---- p11-kit ---- */

static void take_trust(struct xr_root *root, const struct pf_store *store,
                       const struct pf_cert *cert)
{
    const struct pf_attached *sum =
        cert->attached != PF_NONE ? &store->extensions.items[cert->attached].sum : NULL;
    uint32_t purposes = cert->purposes == XR_ANY_PURPOSE ? XR_ALL_PURPOSES : cert->purposes;

    if (cert->distrusted || cert->blocked)
        root->distrusted = XR_ALL_PURPOSES;
    else if (cert->trusted)
        root->trusted |= purposes & XR_ALL_PURPOSES;
    if (sum != NULL && sum->reject.data != NULL && root->distrusted == 0)
        root->distrusted = pf_rejected(sum);
    root->trusted &= ~root->distrusted;
    root->server_after = cert->server_after;
    root->email_after = cert->email_after;
    root->mozilla_policy = cert->mozilla_policy;
}

static bool take_limits(struct xr_root *root, const struct pf_store *store,
                        const struct pf_cert *cert)
{
    struct xr_attached attached = {.size = sizeof(attached)};
    struct xr_entry entry = {.size = sizeof(entry), .attached = &attached, .attached_count = 1};

    for (size_t at = cert->attached; at != PF_NONE; at = store->extensions.items[at].next) {
        const struct pf_extension *extension = &store->extensions.items[at];

        if (pf_is_trust(extension))
            continue;
        attached.oid = extension->oid;
        attached.value = extension->value;
        if (!xr_limits_of(&root->limits, &entry))
            return false;
    }
    return true;
}

static bool take_p11kit(struct xr_list *out, const struct pf_store *store,
                        const struct pf_cert *cert, struct xr_error *err)
{
    struct xr_cert *parsed = NULL;
    struct xr_root *root = NULL;
    bool ok = false;

    if (cert->der.len == 0) {
        if (!cert->distrusted)
            return true; /* nothing is said of a certificate that is not there */
        if (cert->issuer.len == 0 || cert->serial.len == 0) {
            unsigned char id[XR_SHA256_LEN];

            xr_x509_sha256(id, cert->spki);
            xr_list_distrust(out, id);
            return true;
        }
        root = xr_list_add_serial(out, cert->issuer, cert->serial);
        root->distrusted = XR_ALL_PURPOSES;
        root->trusted = 0;
        ok = true;
    } else if (xr_cert_new(&parsed, cert->der, err) == XR_OK) {
        root = xr_list_add_cert(out, parsed);
        take_trust(root, store, cert);
        ok = take_limits(root, store, cert) ||
             xr_fail(err, XR_UNSUPPORTED,
                     "a limit that is attached to a certificate cannot be "
                     "read") == XR_OK;
        xr_cert_free(parsed);
    }
    if (root != NULL && root->label == NULL && cert->label_len > 0)
        root->label = xr_memdup(cert->label, strnlen(cert->label, cert->label_len));
    return ok;
}

struct xr_p11_source {
    struct pf_store store;
};

struct xr_p11_source *xr_p11_source_new(const struct xr_host *host)
{
    struct xr_p11_source *source = xr_new(1, sizeof(*source));

    source->store.host = host;
    return source;
}

enum xr_status xr_p11_source_add(struct xr_p11_source *source, const char *name,
                                 struct xr_bytes data, struct xr_error *err)
{
    return pf_add(&source->store, 0, PF_BASE, name, data, err);
}

enum xr_status xr_list_p11kit(struct xr_list *out, struct xr_p11_source *source,
                              struct xr_error *err)
{
    pf_combine(&source->store);
    for (size_t i = 0; i < source->store.certs.count; i++) {
        if (!take_p11kit(out, &source->store, &source->store.certs.items[i], err))
            return XR_INVALID;
    }
    return XR_OK;
}

void xr_p11_source_free(struct xr_p11_source *source)
{
    if (source == NULL)
        return;
    pf_free(&source->store);
    free(source);
}

/* ---- Java ---- */

struct taking {
    struct xr_list *list;
    struct xr_error *err;
};

static enum xr_status take_jks(void *ctx, struct xr_bytes der)
{
    struct taking *t = ctx;
    struct xr_cert *cert = NULL;
    enum xr_status status = xr_cert_new(&cert, der, t->err);

    if (status == XR_OK)
        xr_list_add_cert(t->list, cert)->trusted = XR_ALL_PURPOSES;
    xr_cert_free(cert);
    return status;
}

enum xr_status xr_list_jks(struct xr_list *out, struct xr_bytes data, const struct xr_host *host,
                           struct xr_error *err)
{
    struct taking t = {out, err};

    return xr_format_jks_read(data, host, take_jks, &t)
               ? XR_OK
               : xr_fail(err, XR_INVALID,
                         "it is no Java keystore of trusted certificates alone, "
                         "or its password is not the usual one");
}
