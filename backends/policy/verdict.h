/* SPDX-License-Identifier: Apache-2.0 */
/* What policies of Chromium's family decide alone, wherever they are kept. */
#ifndef XR_POLICY_VERDICT_H
#define XR_POLICY_VERDICT_H

#include "policy.h"

struct policy_asked {
    const struct xr_browser_cert *certs;
    size_t count;
    const char *by;       /* the verifier's name */
    const char *others;   /* what the browser reads too, for people */
    const char *distrust; /* what to call a distrust's source; NULL: the certificate's own */
};

/* A distrust of its own key is a no, whatever else the browser reads; all else cannot be told, and why
 * says what the policies add. */
enum xr_status policy_verdict(struct xr_verdict *out, const struct policy_asked *asked,
                              const struct xr_host *host, const struct xr_probe *question,
                              struct xr_error *err);

#endif
