/* SPDX-License-Identifier: Apache-2.0 */
/* The command chain at work: chain.c finds the file and asks the stores, chain_trust.c knows what may
 * be in it, chain_say.c says what came out. */
#ifndef XR_CHAIN_RUN_H
#define XR_CHAIN_RUN_H

#include "certs/sending.h"
#include "sources.h"
#include "sys/sys.h"

struct xr_chaining {
    struct xr_engine *engine;
    struct xr_cert *leaf; /* borrowed from the input */
    int64_t at;
    uint32_t purpose;    /* of the leaf */
    struct xr_list list; /* of the sources */
    struct xr_pool view; /* what the chain is made of, in an order that does not depend on files */
    struct xr_pool dropped; /* not to be in view: leads to a root that is refused */
    struct xr_sending sending;
    /* A root that signed the last certificate of an open way, and a store that has it as an anchor: it ends the
     * way too, though it does not decide which one is chosen. NULL: none. */
    const struct xr_cert *elsewhere;
    const struct xr_run *holder;
    /* One that signed that certificate, but is distrusted, or a root that is not for such ones. NULL: none. */
    const struct xr_cert *refused;
};

#define XR_CHAIN_ID_DIGITS 16u /* of a certificate's SHA-256 in a message */

/* "2029-05-29" */
void xr_chain_date(char out[XR_TIME_TEXT_MAX], int64_t at);
/* Does a source distrust it for what the leaf is for? */
bool xr_chain_distrusts(const struct xr_chaining *c, const struct xr_cert *cert);
/* Do these purposes make a root end the chain? Lists trust roots for servers, e-mail or code, so any trust
 * will do for a leaf that is for something else. */
bool xr_chain_is_trusted(const struct xr_chaining *c, uint32_t trusted);
bool xr_chain_is_root(const struct xr_chaining *c, const struct xr_cert *cert);
bool xr_chain_is_anchor(const struct xr_chaining *c, const struct xr_state *state);
bool xr_chain_anchors(const struct xr_chaining *c, const struct xr_run *run,
                      const struct xr_cert *cert);
/* Roots were left out, and the store has none of them as an anchor. */
bool xr_chain_lacks_roots(const struct xr_chaining *c, const struct xr_run *run);
/* "is distrusted": of the refused one. */
const char *xr_chain_refusal(const struct xr_chaining *c);
/* Says what the file holds and does not, which stores need what, and what is missing; sets the exit code. */
void xr_chain_say(const struct xr_chaining *c);

#endif
