/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates an output has, in which order, and what it tells of each. */
#include "private.h"

#include <stdlib.h>

struct picks {
    struct xr_format_cert **items;
    size_t count, capacity;
};

/* Can the format say what its certificates are for? */
static bool tells_trust(enum xr_format format)
{
    return format == XR_FORMAT_OPENSSL_BUNDLE || format == XR_FORMAT_OPENSSL_DIRECTORY;
}

static bool put_purposes(struct xr_buf *out, struct xr_bytes oids)
{
    struct xr_bytes inside = {0};
    struct pf_der oid;

    if (!pf_walk_oids(&inside, oids))
        return false;
    while (pf_der_take(&oid, &inside, XR_DER_OID)) {
        if (!PF_IS(oid.whole, PF_OID_RESERVED))
            xr_buf_add(out, oid.whole.data, oid.whole.len);
    }
    return true;
}

/* False where p11-kit cannot say it and leaves the certificate out. */
static bool tell_trust(struct pf_cert *cert, const struct pf_attached *sum)
{
    struct xr_format_cert *told = &cert->told;

    cert->trust.len = cert->reject.len = 0;
    told->has_trust = !cert->distrusted;
    told->has_reject = cert->distrusted || sum->reject.data != NULL;
    if (sum->reject.data != NULL && !put_purposes(&cert->reject, sum->reject))
        return false;
    if (cert->distrusted) {
        for (size_t i = 0; i < PF_KNOWN_OIDS; i++)
            xr_buf_add(&cert->reject, pf_known_oids[i].der, pf_known_oids[i].len);
    } else if (cert->trusted) {
        told->has_trust = sum->eku.data != NULL;
        if (told->has_trust && !put_purposes(&cert->trust, sum->eku))
            return false;
    }
    told->trust = (struct xr_bytes){(const unsigned char *)cert->trust.data, cert->trust.len};
    told->reject = (struct xr_bytes){(const unsigned char *)cert->reject.data, cert->reject.len};
    told->key_id = sum->skid;
    return true;
}

static void tell_links(struct pf_cert *cert, const struct xr_host *host)
{
    struct xr_format_cert *told = &cert->told;

    told->link_count = 0;
    if (cert->subject.len == 0)
        return;
    if (pf_link_hash(&told->link_hash[0], cert->subject, host))
        told->link_count++;
    told->link_hash[told->link_count++] = pf_link_hash_old(cert->subject, host);
}

static bool tell(struct pf_cert *cert, const struct pf_store *store, enum xr_format format)
{
    static const struct pf_attached none = {.basic = PF_NONE};
    const struct pf_attached *sum =
        cert->attached != PF_NONE ? &store->extensions.items[cert->attached].sum : &none;

    cert->told.der = cert->der;
    cert->told.label = cert->label;
    cert->told.label_len = cert->label_len;
    cert->told.not_before = cert->not_before;
    if (xr_format_is_directory(format))
        tell_links(cert, store->host);
    return !tells_trust(format) || tell_trust(cert, sum);
}

/* A copy is marked as seen before the purpose is looked at, so that another copy of other purposes in a
 * later token does not count. */
void pf_each(struct pf_store *store, const struct pf_request *request, pf_cert_fn emit, void *ctx)
{
    struct xr_idmap seen = {0};
    uint32_t purpose = request->purpose;

    pf_combine(store);
    /* a format that cannot say what its anchors are for */
    if (purpose == 0 && request->filter == PF_CA_ANCHORS && !tells_trust(request->format))
        purpose = XR_SERVER;
    for (size_t i = 0; i < store->certs.count; i++) {
        struct pf_cert *cert = &store->certs.items[i];
        bool added = false;

        if (cert->der.len == 0)
            continue;
        if (request->filter == PF_CA_ANCHORS &&
            (!cert->authority || !cert->trusted || cert->distrusted || cert->blocked))
            continue;
        (void)xr_idmap_put(&seen, cert->sha256, i, &added);
        if (!added || !cert->usable || cert->left_out ||
            (purpose != 0 && (cert->purposes & (purpose | XR_ANY_PURPOSE)) == 0))
            continue;
        if (tell(cert, store, request->format))
            emit(ctx, cert);
    }
    xr_idmap_free(&seen);
}

static void pick(void *ctx, struct pf_cert *cert)
{
    struct picks *out = ctx;

    *XR_PUSH(out) = &cert->told;
}

void pf_extract(struct xr_format_files *out, struct pf_store *store,
                const struct pf_request *request)
{
    const struct xr_format_options options = {.host = store->host, .comments = request->comments};
    struct picks picks = {0};

    pf_each(store, request, pick, &picks);
    xr_format_write(out, request->format, picks.items, picks.count, &options);
    free(picks.items);
}

uint32_t pf_rejected(const struct pf_attached *sum)
{
    struct xr_bytes inside = {0};

    return sum->reject.data != NULL && pf_walk_oids(&inside, sum->reject) ? pf_purpose_bits(inside)
                                                                          : 0;
}
