/* SPDX-License-Identifier: Apache-2.0 */
/* What programs that use GnuTLS say, by p11-kit's configuration: where libgnutls is there. */
#ifndef XR_P11KIT_GNUTLS_H
#define XR_P11KIT_GNUTLS_H

#include "base.h"

/* Adds its opinion to a verdict; nothing without GnuTLS. uri: of the token. */
void pt_gnutls(struct xr_verdict *verdict, const char *uri, const struct xr_probe *question);

#endif
