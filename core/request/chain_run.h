/* SPDX-License-Identifier: Apache-2.0 */
/* The command chain at work: chain.c finds the file and asks the stores, chain_say.c says what came out. */
#ifndef XR_CHAIN_RUN_H
#define XR_CHAIN_RUN_H

#include "certs/sending.h"
#include "sources.h"
#include "sys/sys.h"

struct xr_chaining {
    struct xr_engine *engine;
    struct xr_cert *leaf; /* borrowed from the input */
    int64_t at;
    struct xr_list list; /* of the sources */
    struct xr_pool view; /* what the chain is made of, in an order that does not depend on files */
    struct xr_sending sending;
    /* A root that signed the last certificate of an open way, and a store that has it as an anchor: it ends the
     * way too, though it does not decide which one is chosen. NULL: none. */
    const struct xr_cert *elsewhere;
    const struct xr_run *holder;
};

#define XR_CHAIN_ID_DIGITS 16u /* of a certificate's SHA-256 in a message */

/* "2029-05-29" */
void xr_chain_date(char out[XR_TIME_TEXT_MAX], int64_t at);
/* Says what the file holds and does not, which stores need what, and what is missing; sets the exit code. */
void xr_chain_say(const struct xr_chaining *c);

#endif
