/* SPDX-License-Identifier: Apache-2.0 */
#include "placement.h"

#include <stdlib.h>

char *xr_placement_never(struct xr_pool *pool, size_t at)
{
    struct xr_error err = {0};

    if (!xr_cert_accepted(pool->items[at].cert, &err))
        return xr_strdup(err.text);
    if (xr_pool_kind(pool, at) == XR_KIND_MALFORMED)
        return xr_strdup(N_("an extension cannot be read or occurs twice"));
    return NULL;
}

bool xr_placement_may_sign(const struct xr_cert *cert)
{
    return !cert->d.has_key_usage || (cert->d.key_usage & XR_KU_CERT_SIGN) != 0;
}

static char *as_asked(enum xr_place place, const struct xr_cert *cert, enum xr_kind kind)
{
    bool of_ca = place == XR_ANCHOR || place == XR_INTERMEDIATE;

    if (place == XR_CRL)
        return xr_strdup(N_("a certificate cannot go in the place crl"));
    if (place == XR_PEER && kind != XR_KIND_LEAF && kind != XR_KIND_SELF_SIGNED)
        return xr_strdup(N_("a CA certificate cannot be a peer"));
    if (of_ca && kind == XR_KIND_LEAF)
        return xr_format(N_("not a CA certificate: it cannot be an %s"), xr_place_name(place));
    if (of_ca && kind == XR_KIND_SELF_SIGNED && !xr_placement_may_sign(cert))
        return xr_format(
            N_("its key usage does not allow it to sign certificates: it cannot be an %s"),
            xr_place_name(place));
    if (place == XR_INTERMEDIATE && kind == XR_KIND_SELF_SIGNED)
        return xr_strdup(N_("it does not say that it is a CA: it cannot be an intermediate"));
    return NULL;
}

static char *by_itself(enum xr_place *out, const struct xr_cert *cert, enum xr_kind kind,
                       bool peers)
{
    *out = XR_PEER;
    switch (kind) {
    case XR_KIND_ROOT:
        *out = XR_ANCHOR;
        return NULL;
    case XR_KIND_CROSS:
    case XR_KIND_INTERMEDIATE:
        *out = XR_INTERMEDIATE;
        return NULL;
    case XR_KIND_SELF_SIGNED:
        if (xr_placement_may_sign(cert))
            return xr_strdup(peers ? N_("self-signed, and it does not say whether it is a CA: --as "
                                        "anchor trusts it as a CA, --as peer as itself alone")
                                   : N_("self-signed, and it does not say whether it is a CA: --as "
                                        "anchor trusts it as a CA"));
        break;
    case XR_KIND_LEAF:
    case XR_KIND_MALFORMED:
        break;
    }
    if (kind == XR_KIND_SELF_SIGNED)
        return xr_strdup(peers ? N_("self-signed, but not a CA certificate: only --as peer "
                                    "installs it")
                               : N_("self-signed, but not a CA certificate, and this store holds "
                                    "only those of CAs"));
    return xr_strdup(peers ? N_("not a CA certificate: only --as peer installs it")
                           : N_("not a CA certificate, and this store holds only those of CAs"));
}

char *xr_placement(enum xr_place *out, const struct xr_wish *wish, struct xr_pool *pool, bool peers)
{
    const struct xr_cert *cert = NULL;
    enum xr_kind kind = XR_KIND_LEAF;
    char *why = NULL, *never = NULL;

    if (wish->subject.type == XR_SUBJECT_CRL) {
        *out = XR_CRL;
        if (wish->place_given && wish->place != XR_CRL)
            return xr_format(N_("a CRL cannot go in the place %s"), xr_place_name(wish->place));
        return NULL;
    }
    cert = pool->items[wish->pool_at].cert;
    kind = xr_pool_kind(pool, wish->pool_at);
    why = by_itself(out, cert, kind, peers);
    if (wish->place_given) {
        free(why);
        *out = wish->place;
        why = as_asked(wish->place, cert, kind);
    }
    never = xr_placement_never(pool, wish->pool_at);
    if (never == NULL)
        return why;
    free(why);
    return never;
}

/* A root whose purposes do not include servers is no anchor for them. */
static char *anchor_text(const struct xr_cert *cert, bool limited, uint32_t trust)
{
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    uint32_t own = !cert->d.has_eku || (cert->d.eku & XR_ANY_PURPOSE) != 0 ? all : cert->d.eku;
    uint32_t left = own & (limited ? trust : all);
    char text[64];

    xr_purposes_text(text, sizeof(text), left);
    if (left == 0)
        return xr_strdup(N_("nowhere: no purpose is left to trust it for"));
    if ((left & XR_SERVER) == 0)
        return xr_format(N_("anchor, after confirmation, but not for servers: it allows only %s"),
                         text);
    if (limited && trust != all)
        return xr_format(N_("anchor for %s, after confirmation, in stores that can restrict one"),
                         text);
    return xr_strdup(N_("anchor, after confirmation"));
}

char *xr_placement_text(struct xr_pool *pool, size_t at, bool limited, uint32_t trust)
{
    const struct xr_cert *cert = pool->items[at].cert;

    /* The reasons are long, and among the warnings. */
    if (!xr_cert_accepted(pool->items[at].cert, NULL))
        return xr_strdup(N_("nowhere: OpenSSL does not accept it"));
    switch (xr_pool_kind(pool, at)) {
    case XR_KIND_ROOT:
        return anchor_text(cert, limited, trust);
    case XR_KIND_CROSS:
    case XR_KIND_INTERMEDIATE:
        return xr_strdup(N_("intermediate: builds paths, trusted for nothing"));
    case XR_KIND_SELF_SIGNED:
        return xr_strdup(xr_placement_may_sign(cert)
                             ? N_("nowhere, unless --as anchor or --as peer")
                             : N_("nowhere, unless --as peer"));
    case XR_KIND_MALFORMED:
        return xr_strdup(N_("nowhere: it is malformed"));
    case XR_KIND_LEAF:
        break;
    }
    return xr_strdup(N_("nowhere, unless --as peer"));
}
