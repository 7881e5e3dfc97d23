/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit has no verifier of its own: this is libcrypto's path validation with what a token
 * says. */
#ifndef XR_P11KIT_VERIFIER_H
#define XR_P11KIT_VERIFIER_H

#include "kit/base.h"

/* What a token says. */
struct pt_beliefs {
    const struct xr_host *host;
    struct {
        struct pt_believed {
            struct xr_bytes
                der;       /* owned; OpenSSL's trust settings follow an anchor, if it has any */
            uint32_t hash; /* of its subject */
            enum xr_place place;
            size_t number; /* the order that it was believed in */
        } * items;
        size_t count, capacity;
    } certs;
    bool sorted; /* by hash, and those of one hash in their order */
};
void pt_believe(struct pt_beliefs *beliefs, enum xr_place place, struct xr_bytes der);
void pt_beliefs_free(struct pt_beliefs *beliefs);
/* Distrusted: no path may go through these. */
enum xr_status pt_check(struct xr_verdict *out, struct pt_beliefs *beliefs,
                        const struct xr_probe *question,
                        bool (*distrusted)(const void *ctx, struct xr_bytes der), const void *ctx,
                        struct xr_error *err);

#endif
