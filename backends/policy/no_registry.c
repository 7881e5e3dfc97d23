/* SPDX-License-Identifier: Apache-2.0 */
/* The backend where no registry can be read. */
#include "registry_store.h"

XR_BACKEND(policy_files);
