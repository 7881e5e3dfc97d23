/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a browser's policies install in a profile, again and again. */
#ifndef XR_NSS_RETURNS_H
#define XR_NSS_RETURNS_H

#include "policy/policy.h"

/* What policies say of the profile at path, as its user's browser reads them. */
struct nss_returns {
    struct policy_firefox firefox;
    const char *program;
};
void nss_returns_load(struct nss_returns *out, const struct xr_site *site, const char *path);
void nss_returns_free(struct nss_returns *returns);
/* What makes that certificate an anchor again, for people, allocated; NULL: nothing does. */
char *nss_returns_of(const struct nss_returns *returns, struct xr_bytes der);

#endif
