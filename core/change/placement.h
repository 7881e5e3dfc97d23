/* SPDX-License-Identifier: Apache-2.0 */
/* Which place a certificate or CRL belongs in, by its kind and by what was asked. Knows no store. */
#ifndef XR_PLACEMENT_H
#define XR_PLACEMENT_H

#include "plan.h"

/* NULL, or why no place is right for it, allocated. *out is set in any case. peers: there is a place for
 * what is no CA, so that --as peer may be advised. */
char *xr_placement(enum xr_place *out, const struct xr_wish *wish, struct xr_pool *pool,
                   bool peers);
/* NULL, or why the certificate is never installed, whatever place is asked for; allocated. */
char *xr_placement_never(struct xr_pool *pool, size_t at);
/* Where install would put it if no place is asked for, in words for people, allocated. limited: the
 * input came with trust settings, which leave the purposes trust. */
char *xr_placement_text(struct xr_pool *pool, size_t at, bool limited, uint32_t trust);
/* Does its key usage allow a self-signed certificate that is silent about being a CA to be one? */
bool xr_placement_may_sign(const struct xr_cert *cert);

#endif
