/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a machine that has no module configured but p11-kit's own, without running it. */
#ifndef XR_P11KIT_ALONE_H
#define XR_P11KIT_ALONE_H

#include "tokens.h"

/* Finds the same tokens as pt_tokens_find, with uri, label and path alone. False: that is not sure, and
 * the module itself has to be asked. */
bool pt_alone(struct pt_tokens *out, const struct xr_site *site);

#endif
