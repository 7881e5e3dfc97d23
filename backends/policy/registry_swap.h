/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_POLICY_REGISTRY_SWAP_H
#define XR_POLICY_REGISTRY_SWAP_H

#include "registry.h"

/* As swap of struct xr_backend. What the registry holds is read anew. */
enum xr_status registry_swap(struct registry *registry, const struct registry_product *product,
                             const struct xr_host *host, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err);

#endif
