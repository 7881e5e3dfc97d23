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

/* What a rule makes of something; the zero value is "not measured". */
enum xr_take { XR_TAKE_UNKNOWN = 0, XR_TAKES, XR_REFUSES };

struct xr_browser_rules {
    const char *name;
    bool exact_names;       /* names are equal only byte for byte */
    bool peers;             /* takes a self-signed server certificate that is trusted as itself */
    size_t most_issuers;    /* in a path, the anchor not counted; 0: not known */
    enum xr_take p521_leaf; /* TLS key of a server */
    enum xr_take any_eku_leaf, any_eku_issuer;
    enum xr_take key_encipherment; /* a server's only key usage */
    enum xr_take ca_leaf;          /* a server's certificate with CA:TRUE */
    enum xr_take version1_anchor;
    enum xr_take plain_anchor; /* version 3 without basicConstraints */
    enum xr_take expired_anchor;
};
const struct xr_browser_rules *xr_browser_rules(enum xr_browser browser);

/* One certificate as a part of any path. */
enum xr_browser_role { XR_ROLE_SERVER, XR_ROLE_ISSUER, XR_ROLE_ANCHOR };
struct xr_browser_item {
    struct xr_cert *cert;
    X509 *x; /* the same, parsed; NULL: libcrypto does not */
};
void xr_browser_item_check(struct xr_finding *f, const struct xr_browser_rules *rules,
                           const struct xr_browser_item *item, enum xr_browser_role role,
                           int64_t at);
/* The names of a server. host may be NULL: any. */
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
