/* SPDX-License-Identifier: Apache-2.0 */
/* What Firefox and Chromium make of a chain, computed from what they look at. */
#ifndef XR_BROWSERS_H
#define XR_BROWSERS_H

#include "kit/base.h"

/* Fills answer and why of out. Measured with Firefox ESR 153 and Chromium 156 (docs/browsers.md); what
 * was not measured is "cannot tell". */
enum xr_status xr_browser_check(struct xr_opinion *out, const struct xr_browser_check *check,
                                struct xr_error *err);

#endif
