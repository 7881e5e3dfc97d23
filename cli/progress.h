/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_PROGRESS_H
#define XR_CLI_PROGRESS_H

#include <stddef.h>

/* How far the work is, as one line of a terminal that is wiped when it is over: see struct
 * xr_request. Nothing for a few stores that are done in no time. */
void progress_show(void *ctx, size_t done, size_t total, const char *store);

#endif
