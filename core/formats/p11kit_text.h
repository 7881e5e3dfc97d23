/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in p11-kit's own source files (p11-kit, trust/persist.c), for the output p11-kit and for backends
 * that write such files. */
#ifndef XR_P11KIT_TEXT_H
#define XR_P11KIT_TEXT_H

#include "kit/base.h"

#define XR_P11KIT_EKU    "2.5.29.37"
#define XR_P11KIT_LIMITS "2.5.29.30"
#define XR_P11KIT_REJECT "1.3.6.1.4.1.3319.6.10.1" /* OpenSSL's rejected purposes */

/* Every byte as %XX: nothing that the value holds means anything to the reader. */
void xr_p11kit_put_escaped(struct xr_buf *out, struct xr_bytes value);
void xr_p11kit_put_pem(struct xr_buf *out, const char *label, struct xr_bytes der);
/* An extension that is attached to a key: oid in dots, value the whole Extension (DER). */
void xr_p11kit_put_extension(struct xr_buf *out, struct xr_bytes spki, const char *oid,
                             struct xr_bytes value);
/* A list of purposes as such an extension: XR_P11KIT_EKU or XR_P11KIT_REJECT. */
void xr_p11kit_put_purposes(struct xr_buf *out, struct xr_bytes spki, const char *oid,
                            uint32_t purposes);

#endif
