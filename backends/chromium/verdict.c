/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium also reads the user's NSS database, managed policies and its own list of public roots. They
 * can only add paths, or take some away: so what is a no even if the certificate itself were trusted
 * stays one.
 */
#include "verdict.h"

#include "kit/der.h"

#include <stdlib.h>

static enum xr_status ask(struct xr_opinion *out, const struct chromium_view *view,
                          const struct xr_host *host, const struct xr_probe *probe,
                          const struct xr_browser_cert *more, struct xr_error *err)
{
    size_t count = 0;
    const struct xr_browser_cert **known = xr_new(view->count + 1, sizeof(*known));
    struct xr_browser_cert *peers = xr_new(view->count, sizeof(*peers));
    struct xr_browser_check check = {
        .size = sizeof(check), .probe = probe, .browser = XR_CHROMIUM, .fetches = true};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < view->count; i++) {
        peers[i] = view->items[i];
        if (view->rows[i].peer)
            peers[i].trust = XR_BROWSER_PEER;
        known[count++] = &peers[i];
    }
    if (more != NULL)
        known[count++] = more;
    check.known = known;
    check.known_count = count;
    *out = (struct xr_opinion){.size = sizeof(*out)};
    status = host->browser_check(out, &check, err);
    free(peers);
    free(known);
    return status;
}

enum xr_status chromium_verdict(struct xr_verdict *out, const struct chromium_view *view,
                                const struct xr_host *host, const struct xr_probe *probe,
                                struct xr_error *err)
{
    struct xr_browser_cert trusted = {.size = sizeof(trusted), .trust = XR_BROWSER_PEER};
    struct xr_opinion alone = {0}, best = {0};
    enum xr_status status = XR_OK;
    struct xr_der_cert cert;

    (void)snprintf(out->by, sizeof(out->by), "%s", CHROMIUM_VERIFIER);
    out->answer = XR_UNKNOWN;
    if (probe->purpose != XR_SERVER) {
        (void)snprintf(out->why, sizeof(out->why), N_("Chromium verifies servers only"));
        return XR_OK;
    }
    status = ask(&alone, view, host, probe, NULL, err);
    if (status != XR_OK)
        return status;
    trusted.der = probe->chain[0];
    if (probe->host == NULL && xr_der_cert(&cert, probe->chain[0], NULL) == XR_OK && cert.ca)
        trusted.trust = XR_BROWSER_ANCHOR;
    if (alone.answer == XR_NO)
        status = ask(&best, view, host, probe, &trusted, err);
    if (status == XR_OK && alone.answer == XR_NO && best.answer == XR_NO) {
        out->answer = XR_NO;
        (void)snprintf(out->why, sizeof(out->why), "%s", best.why);
    } else if (status == XR_OK && alone.answer == XR_YES) {
        (void)snprintf(out->why, sizeof(out->why),
                       N_("the user's NSS database and managed policies count too; this database "
                          "alone says yes"));
    } else if (status == XR_OK) {
        (void)snprintf(out->why, sizeof(out->why),
                       alone.answer == XR_NO
                           ? N_("the user's NSS database and managed policies count too; this "
                                "database alone says no: %.150s")
                           : N_("the user's NSS database and managed policies count too; this "
                                "database alone cannot tell: %.150s"),
                       alone.why);
    }
    return status;
}
