/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of two browsers for single certificates and for complete paths, as data and checks. */
#ifndef XR_BROWSER_RULES_H
#define XR_BROWSER_RULES_H

#include "openssl.h"

enum xr_finding_level { XR_FINE = 0, XR_DOUBT, XR_BAD };

/* The worst that was found, and the first reason for it. */
struct xr_finding {
    enum xr_finding_level level;
    char why[256];
};
XR_PRINTF(3, 4)
void xr_find(struct xr_finding *f, enum xr_finding_level level, const char *format, ...);

struct xr_browser_rules {
    const char *name;
    bool exact_names;      /* names are equal only byte for byte */
    bool empty_names;      /* a CA may have an empty name */
    int least_rsa;         /* bits of an RSA key */
    size_t most_issuers;   /* in a path, the anchor not counted */
    bool p521_server;      /* takes a server with a key on P-521 */
    bool any_eku;          /* takes anyExtendedKeyUsage for servers */
    bool ocsp_server;      /* takes a server that may also sign OCSP answers */
    uint32_t server_usage; /* a server's key usage has one of these (KU_*) */
    bool ca_server;        /* takes a server's certificate with CA:TRUE */
    bool plain_anchor;     /* takes an anchor of version 2 or 3 without basicConstraints */
    bool self_issued;      /* takes a server whose certificate has its issuer's name */
    bool peers;            /* takes a server certificate that is trusted as itself */
    bool peer_issues;      /* takes a certificate of that trust as an intermediate */
    bool wants_staple;     /* refuses a server that promises OCSP stapling and does not staple */
    bool policies;         /* follows policy constraints and mappings */
    bool exact_directory;  /* directory names in name constraints have rules of their own */
    bool unknown_suffixes; /* refuses wildcards of public suffixes such as *.co.uk */
    const int *critical;   /* extensions that may be critical, NIDs, ends with 0 */
};
const struct xr_browser_rules *xr_browser_rules(enum xr_browser browser);

/* One certificate as a part of any path. */
/* PEER: a server whose certificate is trusted as itself, so that nobody checks its signature. */
enum xr_browser_role { XR_ROLE_SERVER, XR_ROLE_PEER, XR_ROLE_ISSUER, XR_ROLE_ANCHOR };
struct xr_browser_item {
    struct xr_cert *cert;
    X509 *x; /* the same, parsed; NULL: libcrypto does not */
};
/* Its short name for a finding, cut where it is long; lives as long as the block around. */
#define XR_FINDING_NAME_MAX 81u
#define NAME_OF(item)       xr_browser_name((char[XR_FINDING_NAME_MAX]){0}, item)
const char *xr_browser_name(char out[XR_FINDING_NAME_MAX], const struct xr_browser_item *item);
/* browser_form.c: would every parser read the same? item->x is not NULL. */
bool xr_browser_usual_form(const struct xr_browser_item *item);
bool xr_browser_self_issued(const struct xr_browser_item *item);
/* Has it that extension? item->x is not NULL. */
bool xr_browser_has(const struct xr_browser_item *item, int nid);
void xr_browser_item_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *item, enum xr_browser_role role,
                           int64_t at);
/* browser_names.c: the names of a server. host may be NULL: any. */
void xr_browser_names_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                            const struct xr_browser_item *server, const char *host);
/* What issuers say of what is below them: path lengths, name constraints. items[0] is the server, or,
 * with as_ca, a CA below which a server is imagined; the last one is the anchor. */
void xr_browser_path_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *const *items, size_t count, bool as_ca);
/* Limits that a source sets for an anchor. */
void xr_browser_limits_check(struct xr_finding *f, const struct xr_browser_cert *anchor,
                             const struct xr_browser_item *server);

#endif
