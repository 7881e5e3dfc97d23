/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_POLICY_REGISTRY_PROBE_H
#define XR_POLICY_REGISTRY_PROBE_H

#include "registry.h"

#define REGISTRY_VERIFIER "Chromium's rules, with its policies alone"

/* What the policies alone decide: a distrust is a no; all else cannot be told, because the browser reads
 * Windows' own stores too, and why says what the policies add. */
enum xr_status registry_probe(struct xr_verdict *out, const struct registry_view *view,
                              const struct xr_host *host, const struct xr_probe *question,
                              struct xr_error *err);

#endif
