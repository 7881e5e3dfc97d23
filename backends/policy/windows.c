/* SPDX-License-Identifier: Apache-2.0 */
/* The backend where policies lie in the registry alone. */
#include "registry_store.h"

XR_BACKEND(policy_registry);
