/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_PROGRESS_H
#define XR_CLI_PROGRESS_H

#include <stddef.h>

/* Shows progress as one line on a terminal, which is wiped at the end; see struct xr_request. Shows
 * nothing for a few stores that take no time. */
void progress_show(void *ctx, size_t done, size_t total, const char *store);

#endif
