/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration profile for macOS and iOS. */
#include "outputs_private.h"

void xr_output_mobileconfig(struct xr_format_files *out, struct xr_format_cert *const *certs,
                            size_t count, const struct xr_output_options *options)
{
    (void)certs, (void)count, (void)options;
    (void)XR_PUSH(out);
}
