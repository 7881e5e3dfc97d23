/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates an output has, in which order, and every format but Java's. */
#include "private.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 255, SUFFIX_ROOM = 16 };

void pf_outs_free(struct pf_outs *outs)
{
    for (size_t i = 0; i < outs->count; i++) {
        free(outs->items[i].name);
        free(outs->items[i].target);
        xr_buf_free(&outs->items[i].content);
    }
    free(outs->items);
    *outs = (struct pf_outs){0};
}

/* ---- which ---- */

/* A copy is marked as seen before the purpose is looked at, so that another copy of other purposes in a
 * later token does not count. */
static void pick(struct pf_picks *out, const struct pf_store *store,
                 const struct pf_request *request)
{
    struct xr_idmap seen = {0};
    uint32_t purpose = request->purpose;

    /* a format that cannot say what its anchors are for */
    if (purpose == 0 && request->filter == PF_CA_ANCHORS && request->format != PF_OPENSSL_BUNDLE &&
        request->format != PF_OPENSSL_DIRECTORY)
        purpose = XR_SERVER;
    for (size_t i = 0; i < store->certs.count; i++) {
        const struct pf_cert *cert = &store->certs.items[i];
        bool added = false;

        if (cert->der.len == 0)
            continue;
        if (request->filter == PF_CA_ANCHORS &&
            (!cert->authority || !cert->trusted || cert->distrusted || cert->blocked))
            continue;
        (void)xr_idmap_put(&seen, cert->sha256, i, &added);
        if (!added || !cert->usable ||
            (purpose != 0 && (cert->purposes & (purpose | XR_ANY_PURPOSE)) == 0))
            continue;
        *XR_PUSH(out) = i;
    }
    xr_idmap_free(&seen);
}

/* ---- PEM ---- */

/* p11-kit writes a label as it is, and so lets who chose it add certificates to a bundle: GnuTLS takes
 * "-----BEGIN" anywhere, OpenSSL at the start of a line and after each 254 bytes of one. A label here
 * is one line and has no five dashes in a row. */
static void put_comment(struct xr_buf *out, const struct pf_cert *cert, bool first)
{
    size_t at = 0, dashes = 0;

    xr_buf_str(out, first ? "# " : "\n# ");
    at = out->len;
    xr_buf_str(out, cert->label_len > 0 ? cert->label : "certificate");
    for (; at < out->len; at++) {
        unsigned char c = (unsigned char)out->data[at];

        dashes = c == '-' ? dashes + 1 : 0;
        if (dashes == 5) {
            out->data[at] = '_';
            dashes = 0;
        } else if (c < ' ' || c == 0x7f) {
            out->data[at] = ' ';
        }
    }
    xr_buf_add(out, "\n", 1);
}

static void encode(struct pf_cert *cert)
{
    if (cert->base64 != NULL)
        return;
    cert->base64 = xr_new(pf_base64_size(cert->der.len), 1);
    cert->base64_len = pf_base64(cert->base64, cert->der.data, cert->der.len);
}

static void put_certificate(struct xr_buf *out, struct pf_cert *cert)
{
    encode(cert);
    xr_buf_str(out, "-----BEGIN CERTIFICATE-----\n");
    xr_buf_add(out, cert->base64, cert->base64_len);
    xr_buf_str(out, "\n-----END CERTIFICATE-----\n");
}

/* The certificate's lines are taken as they are, but for the last, which goes on with aux. */
static void put_trusted(struct xr_buf *out, struct pf_cert *cert, const struct xr_buf *aux)
{
    size_t whole = cert->der.len / 48;
    struct xr_buf tail = {0};
    char *text = NULL;

    encode(cert);
    xr_buf_add(&tail, cert->der.data + whole * 48, cert->der.len - whole * 48);
    xr_buf_add(&tail, aux->data, aux->len);
    text = xr_new(pf_base64_size(tail.len), 1);
    xr_buf_str(out, "-----BEGIN TRUSTED CERTIFICATE-----\n");
    if (whole > 0) {
        xr_buf_add(out, cert->base64, whole * 65 - 1);
        xr_buf_add(out, "\n", 1);
    }
    xr_buf_add(out, text, pf_base64(text, (const unsigned char *)tail.data, tail.len));
    xr_buf_str(out, "\n-----END TRUSTED CERTIFICATE-----\n");
    free(text);
    xr_buf_free(&tail);
}

/* ---- OpenSSL's trust ---- */

static bool put_purposes(struct xr_buf *out, struct xr_bytes oids)
{
    struct xr_bytes inside = {0};
    struct pf_der oid;

    if (!pf_walk_oids(&inside, oids))
        return false;
    while (pf_der_take(&oid, &inside, PF_DER_OID)) {
        if (!PF_IS(oid.whole, PF_OID_RESERVED))
            xr_buf_add(out, oid.whole.data, oid.whole.len);
    }
    return true;
}

/* X509_CERT_AUX. False where p11-kit cannot make one and leaves the certificate out. */
static bool make_aux(struct xr_buf *out, const struct pf_store *store, const struct pf_cert *cert)
{
    static const struct pf_attached none = {.basic = PF_NONE};
    const struct pf_attached *sum =
        cert->attached != PF_NONE ? &store->extensions.items[cert->attached].sum : &none;
    struct xr_buf trust = {0}, reject = {0}, all = {0};
    bool has_trust = !cert->distrusted, has_reject = cert->distrusted || sum->reject.data != NULL;
    bool ok = true;

    if (sum->reject.data != NULL)
        ok = put_purposes(&reject, sum->reject);
    if (cert->distrusted) {
        for (size_t i = 0; i < PF_KNOWN_OIDS; i++)
            xr_buf_add(&reject, pf_known_oids[i].der, pf_known_oids[i].len);
    } else if (cert->trusted) {
        has_trust = sum->eku.data != NULL;
        if (ok && has_trust)
            ok = put_purposes(&trust, sum->eku);
    }
    if (ok) {
        if (has_trust)
            pf_der_put(&all, PF_DER_SEQUENCE, trust.data, trust.len);
        if (has_reject)
            pf_der_put(&all, 0xa0, reject.data, reject.len);
        if (cert->label_len > 0)
            pf_der_put(&all, PF_DER_UTF8, cert->label, cert->label_len);
        if (sum->skid.data != NULL)
            pf_der_put(&all, PF_DER_OCTETS, sum->skid.data, sum->skid.len);
        pf_der_put(out, PF_DER_SEQUENCE, all.data, all.len);
    }
    xr_buf_free(&trust);
    xr_buf_free(&reject);
    xr_buf_free(&all);
    return ok;
}

/* ---- bundles ---- */

static void pem_bundle(struct xr_buf *out, struct pf_store *store, const struct pf_picks *picks,
                       const struct pf_request *request)
{
    struct xr_buf aux = {0};
    bool first = true;

    for (size_t i = 0; i < picks->count; i++) {
        struct pf_cert *cert = &store->certs.items[picks->items[i]];

        aux.len = 0;
        if (request->format == PF_OPENSSL_BUNDLE && !make_aux(&aux, store, cert))
            continue;
        if (request->comments)
            put_comment(out, cert, first);
        first = false;
        if (request->format == PF_OPENSSL_BUNDLE)
            put_trusted(out, cert, &aux);
        else
            put_certificate(out, cert);
    }
    xr_buf_free(&aux);
}

static void put_little(struct xr_buf *out, size_t value)
{
    unsigned char octets[4] = {(unsigned char)value, (unsigned char)(value >> 8),
                               (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    xr_buf_add(out, octets, sizeof(octets));
}

/* UEFI 2.7, 31.4.1: one signature list for each certificate. */
static void edk2(struct xr_buf *out, const struct pf_store *store, const struct pf_picks *picks)
{
    static const unsigned char x509[16] = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                           0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};
    static const unsigned char owner[16] = {0x50, 0x3b, 0xdd, 0xdc, 0x05, 0xf4, 0xfd, 0x43,
                                            0x96, 0xbe, 0xbd, 0x33, 0xb1, 0x73, 0x47, 0x76};

    for (size_t i = 0; i < picks->count; i++) {
        struct xr_bytes der = store->certs.items[picks->items[i]].der;

        xr_buf_add(out, x509, sizeof(x509));
        put_little(out, sizeof(x509) + 12 + sizeof(owner) + der.len);
        put_little(out, 0);
        put_little(out, sizeof(owner) + der.len);
        xr_buf_add(out, owner, sizeof(owner));
        xr_buf_add(out, der.data, der.len);
    }
}

/* ---- directories ---- */

static void spell_file(struct xr_buf *buf, const char *name, size_t len, size_t n)
{
    xr_buf_add(buf, name, len);
    if (n > 0)
        xr_buf_fmt(buf, ".%zu", n);
    xr_buf_str(buf, ".pem");
}

static void spell_link(struct xr_buf *buf, const char *name, size_t len, size_t n)
{
    xr_buf_add(buf, name, len);
    xr_buf_fmt(buf, ".%zu", n);
}

/* The label as a file name without its ending. */
static char *bare_name(const struct pf_cert *cert)
{
    char *name = xr_strdup(cert->label_len > 0 ? cert->label : "certificate");
    size_t room = NAME_MAX_BYTES - SUFFIX_ROOM - (sizeof(".pem") - 1);

    for (char *p = name; *p != '\0'; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '.' || *p == '-' || *p == '_';

        if (!plain)
            *p = '_';
    }
    if (strlen(name) > room)
        name[room] = '\0';
    return name;
}

static void add_link(struct pf_outs *out, struct pf_names *names, uint32_t hash, const char *target)
{
    char text[9];
    struct xr_buf spelt = {0};
    struct pf_out *link = XR_PUSH(out);

    (void)snprintf(text, sizeof(text), "%08x", (unsigned)hash);
    pf_names_take(names, &spelt, text, 8, spell_link);
    link->name = spelt.data;
    link->target = xr_strdup(target);
}

static void directory(struct pf_outs *out, struct pf_store *store, const struct pf_picks *picks,
                      enum pf_format format)
{
    struct pf_names names = {.host = store->host};
    struct xr_buf aux = {0};

    for (size_t i = 0; i < picks->count; i++) {
        struct pf_cert *cert = &store->certs.items[picks->items[i]];
        struct pf_out *file = NULL;
        struct xr_buf spelt = {0};
        char *bare = NULL;
        uint32_t hash = 0;

        aux.len = 0;
        if (format == PF_OPENSSL_DIRECTORY && !make_aux(&aux, store, cert))
            continue;
        bare = bare_name(cert);
        pf_names_take(&names, &spelt, bare, strlen(bare), spell_file);
        free(bare);
        file = XR_PUSH(out);
        file->name = spelt.data;
        xr_buf_reserve(&file->content, pf_base64_size(cert->der.len + aux.len) + 80);
        if (format == PF_OPENSSL_DIRECTORY)
            put_trusted(&file->content, cert, &aux);
        else
            put_certificate(&file->content, cert);
        if (cert->subject.len == 0)
            continue;
        if (pf_link_hash(&hash, cert->subject, store->host))
            add_link(out, &names, hash, spelt.data);
        add_link(out, &names, pf_link_hash_old(cert->subject, store->host), spelt.data);
    }
    xr_buf_free(&aux);
    pf_names_free(&names);
}

void pf_extract(struct pf_outs *out, struct pf_store *store, const struct pf_request *request)
{
    struct pf_picks picks = {0};
    struct pf_out *bundle = NULL;
    size_t size = 0;

    pf_combine(store);
    pick(&picks, store, request);
    if (request->format == PF_PEM_DIRECTORY_HASH || request->format == PF_OPENSSL_DIRECTORY) {
        directory(out, store, &picks, request->format);
    } else {
        bundle = XR_PUSH(out);
        for (size_t i = 0; i < picks.count; i++) {
            const struct pf_cert *cert = &store->certs.items[picks.items[i]];

            size += pf_base64_size(cert->der.len) + 2 * cert->label_len + 256;
        }
        xr_buf_reserve(&bundle->content, size);
        if (request->format == PF_JAVA_CACERTS)
            pf_jks(&bundle->content, store, &picks);
        else if (request->format == PF_EDK2_CACERTS)
            edk2(&bundle->content, store, &picks);
        else
            pem_bundle(&bundle->content, store, &picks, request);
    }
    free(picks.items);
}
