/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens that p11-kit's configuration names as sources of trust policy (pkcs11.conf(5)). */
#ifndef XR_P11KIT_TOKENS_H
#define XR_P11KIT_TOKENS_H

#include "kit/base.h"

#include <p11-kit/pkcs11.h>

struct pt_token {
    char *uri;   /* the shortest URI that matches no other token, "pkcs11:token=…" (RFC 7512) */
    char *full;  /* URI with all fields */
    char *label; /* for people */
    char *path;  /* file or directory that p11-kit's own trust module reads; else NULL */
    char *why;   /* why it cannot be used; NULL without a path: it has objects */
    CK_FUNCTION_LIST *module; /* valid until pt_tokens_free */
    CK_SLOT_ID slot;
    CK_FLAGS flags; /* of the token */
};
struct pt_tokens {
    struct pt_token *items;
    size_t count, capacity;
    CK_FUNCTION_LIST **modules; /* loaded; or NULL */
};
/* Loads the modules (third-party code) of this machine's configuration and, except for root, of the
 * user's. */
enum xr_status pt_tokens_find(struct pt_tokens *out, const struct xr_site *site,
                              struct xr_error *err);
/* The one token that matches a URI; borrowed. XR_ABSENT, or XR_REFUSED if several match. */
enum xr_status pt_tokens_match(const struct pt_token **out, const struct pt_tokens *tokens,
                               const char *uri, struct xr_error *err);
void pt_tokens_free(struct pt_tokens *tokens);
/* lock.c: locks one token among this user's programs until *out is closed (home: the user's, or
 * NULL). Waits as for a store's lock; XR_BUSY if another process keeps it. */
enum xr_status pt_lock(int *out, const struct xr_host *host, const char *home,
                       const struct pt_token *token, struct xr_error *err);

#endif
