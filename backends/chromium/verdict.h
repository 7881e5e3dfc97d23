/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CHROMIUM_VERDICT_H
#define XR_CHROMIUM_VERDICT_H

#include "chromium.h"

#define CHROMIUM_VERIFIER N_("Chromium's rules, this database alone")

/* What this database alone makes of a chain. Chromium reads more than that, which may give trust or
 * take it, so only a distrust is a no, and nothing is a yes. */
enum xr_status chromium_verdict(struct xr_verdict *out, const struct chromium_view *view,
                                const struct xr_host *host, const struct xr_probe *probe,
                                struct xr_error *err);

#endif
