/* SPDX-License-Identifier: Apache-2.0 */
/* A token of a module other than p11-kit's own trust module: certificates are PKCS#11 objects. */
#ifndef XR_P11KIT_GENERAL_H
#define XR_P11KIT_GENERAL_H

#include "tokens.h"

struct pt_general;

/* Takes ownership of tokens in any case; token is one of them. */
enum xr_status pt_general_open(struct pt_general **out, const struct xr_host *host,
                               const struct xr_site *site, struct pt_tokens *tokens,
                               const struct pt_token *token, struct xr_error *err);
void pt_general_close(struct pt_general *general); /* NULL is fine */
/* Turns it into a session for writing, if it is not one. */
enum xr_status pt_general_write(struct pt_general *general, struct xr_error *err);
void pt_general_describe(struct xr_caps *full, const struct pt_general *general);
enum xr_status pt_general_list(struct pt_general *general, xr_entry_fn emit, void *ctx,
                               struct xr_error *err);
enum xr_status pt_general_swap(struct pt_general *general, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err);
enum xr_status pt_general_probe(struct pt_general *general, struct xr_verdict *out,
                                const struct xr_probe *question, struct xr_error *err);
/* Logs in with the PIN of the security officer. */
enum xr_status pt_general_unlock(struct pt_general *general, struct xr_bytes pin,
                                 struct xr_error *err);

#endif
