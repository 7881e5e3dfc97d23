/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <stdlib.h>

/* NULL: nothing distrusts its key. */
static const struct xr_browser_cert *distrusted_by(const struct policy_asked *asked,
                                                   const struct xr_host *host, struct xr_bytes der)
{
    struct xr_slices of = {.size = sizeof(of)}, other = {.size = sizeof(other)};

    if (host->slices(&of, der, NULL) != XR_OK)
        return NULL;
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->certs[i].trust == XR_BROWSER_DISTRUST_KEY &&
            host->slices(&other, asked->certs[i].der, NULL) == XR_OK &&
            xr_bytes_equal(of.spki, other.spki))
            return &asked->certs[i];
    }
    return NULL;
}

static enum xr_status ask(struct xr_opinion *out, const struct policy_asked *asked,
                          const struct xr_host *host, const struct xr_probe *question,
                          struct xr_error *err)
{
    const struct xr_browser_cert **known = xr_new(asked->count + 1, sizeof(*known));
    const struct xr_browser_check check = {.size = sizeof(check),
                                           .probe = question,
                                           .browser = XR_CHROMIUM,
                                           .known = known,
                                           .known_count = asked->count,
                                           .fetches = true};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < asked->count; i++)
        known[i] = &asked->certs[i];
    *out = (struct xr_opinion){.size = sizeof(*out)};
    status = host->browser_check(out, &check, err);
    free((void *)known);
    return status;
}

enum xr_status policy_verdict(struct xr_verdict *out, const struct policy_asked *asked,
                              const struct xr_host *host, const struct xr_probe *question,
                              struct xr_error *err)
{
    static const char *const words[] = {[XR_UNKNOWN] = "unknown", [XR_YES] = "yes", [XR_NO] = "no"};
    const struct xr_browser_cert *by = distrusted_by(asked, host, question->chain[0]);
    struct xr_opinion alone;
    enum xr_status status = XR_OK;

    (void)snprintf(out->by, sizeof(out->by), "%s", asked->by);
    if (by != NULL) {
        out->answer = XR_NO;
        (void)snprintf(out->why, sizeof(out->why), "its key is distrusted by %.200s",
                       asked->distrust != NULL ? asked->distrust : by->source);
    } else if (question->purpose != XR_SERVER) {
        (void)snprintf(out->why, sizeof(out->why), "it checks certificates of servers alone");
    } else if ((status = ask(&alone, asked, host, question, err)) == XR_OK) {
        (void)snprintf(out->why, sizeof(out->why),
                       "%s count too; by the policies alone: %s%s%.150s", asked->others,
                       words[alone.answer], alone.why[0] != '\0' ? ", " : "", alone.why);
    }
    return status;
}
