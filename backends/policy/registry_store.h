/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_POLICY_REGISTRY_STORE_H
#define XR_POLICY_REGISTRY_STORE_H

#include "registry.h"

/* Of files, and in a registry: both.c makes one backend of the two. */
extern const struct xr_backend policy_files, policy_registry;

#endif
