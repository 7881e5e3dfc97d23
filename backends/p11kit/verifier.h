/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit has no verifier of its own: libcrypto's path validation over what a token says. */
#ifndef XR_P11KIT_VERIFIER_H
#define XR_P11KIT_VERIFIER_H

#include "../cacerts/store.h"

enum xr_status pt_probe(struct xr_session *s, struct xr_verdict *out,
                        const struct xr_probe *question, struct xr_error *err);
void pt_verifier_free(struct xr_session *s);

#endif
