/* SPDX-License-Identifier: Apache-2.0 */
/* What programs that use GnuTLS answer, with p11-kit's configuration; only if libgnutls is
 * installed. */
#ifndef XR_P11KIT_GNUTLS_H
#define XR_P11KIT_GNUTLS_H

#include "kit/base.h"

/* Puts GnuTLS's opinion into a verdict, instead of the one about partial chains. Does nothing
 * without GnuTLS. uri: of the token. */
void pt_gnutls(struct xr_verdict *verdict, const char *uri, const struct xr_probe *question);

#endif
