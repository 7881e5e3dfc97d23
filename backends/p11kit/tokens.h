/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens that p11-kit's configuration names as sources of trust policy (pkcs11.conf(5)). */
#ifndef XR_P11KIT_TOKENS_H
#define XR_P11KIT_TOKENS_H

#include "kit/base.h"

#include <p11-kit/pkcs11.h>

struct pt_token {
    char *uri;   /* the shortest that means no other token, "pkcs11:token=…" (RFC 7512) */
    char *full;  /* with all of its fields */
    char *label; /* for people */
    char *path;  /* of p11-kit's own trust module: the file or directory it reads; else NULL */
    char *why;   /* it has no path, and so cannot be used; NULL: it is one of objects */
    CK_FUNCTION_LIST *module; /* good until pt_tokens_free */
    CK_SLOT_ID slot;
    CK_FLAGS flags; /* of the token */
};
struct pt_tokens {
    struct pt_token *items;
    size_t count, capacity;
    CK_FUNCTION_LIST **modules; /* loaded; or NULL */
};
/* Loads the modules of this machine's, and for others than root the user's, configuration: code of
 * others. */
enum xr_status pt_tokens_find(struct pt_tokens *out, const struct xr_site *site,
                              struct xr_error *err);
/* The one token that a URI means; borrowed. XR_ABSENT, or XR_REFUSED if there are several. */
enum xr_status pt_tokens_match(const struct pt_token **out, const struct pt_tokens *tokens,
                               const char *uri, struct xr_error *err);
void pt_tokens_free(struct pt_tokens *tokens);
/* lock.c: the lock of one token among this user's programs (home: that user's, or NULL), held until *out is closed. Waits as a
 * store's lock does; XR_BUSY if somebody keeps it. */
enum xr_status pt_lock(int *out, const struct xr_host *host, const char *home,
                       const struct pt_token *token, struct xr_error *err);

#endif
