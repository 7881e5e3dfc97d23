/* SPDX-License-Identifier: Apache-2.0 */
/* What programs that use GnuTLS say, by p11-kit's configuration: where libgnutls is there. */
#ifndef XR_P11KIT_GNUTLS_H
#define XR_P11KIT_GNUTLS_H

#include "kit/base.h"

/* Puts its opinion into a verdict, in place of what it would be with partial chains; nothing without
 * GnuTLS. uri: of the token. */
void pt_gnutls(struct xr_verdict *verdict, const char *uri, const struct xr_probe *question);

#endif
