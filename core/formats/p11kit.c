/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's own source file: one file for all (p11-kit, trust/persist.c). */
#include "outputs_private.h"

void xr_output_p11kit(struct xr_format_files *out, struct xr_format_cert *const *certs,
                      size_t count, const struct xr_output_options *options)
{
    (void)certs, (void)count, (void)options;
    (void)XR_PUSH(out);
}
