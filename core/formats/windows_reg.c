/* SPDX-License-Identifier: Apache-2.0 */
/* A .reg file for Windows. */
#include "outputs_private.h"

void xr_output_windows_reg(struct xr_format_files *out, struct xr_format_cert *const *certs,
                           size_t count, const struct xr_output_options *options)
{
    (void)certs, (void)count, (void)options;
    (void)XR_PUSH(out);
}
