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

/* A yes has no reason, and anything else has one. */
static void say_alone(char *out, size_t size, const char *others, const struct xr_opinion *alone)
{
    if (alone->answer == XR_YES)
        (void)snprintf(out, size, N_("%s count too; by the policies alone: yes"), others);
    else
        (void)snprintf(out, size,
                       alone->answer == XR_NO
                           ? N_("%s count too; by the policies alone: no, %.150s")
                           : N_("%s count too; by the policies alone: unknown, %.150s"),
                       others, alone->why);
}

enum xr_status policy_verdict(struct xr_verdict *out, const struct policy_asked *asked,
                              const struct xr_host *host, const struct xr_probe *question,
                              struct xr_error *err)
{

    const struct xr_browser_cert *by = distrusted_by(asked, host, question->chain[0]);
    struct xr_opinion alone;
    enum xr_status status = XR_OK;

    (void)snprintf(out->by, sizeof(out->by), "%s", asked->by);
    if (by != NULL) {
        out->answer = XR_NO;
        (void)snprintf(out->why, sizeof(out->why), N_("its key is distrusted by %.200s"),
                       asked->distrust != NULL ? asked->distrust : by->source);
    } else if (question->purpose != XR_SERVER) {
        (void)snprintf(out->why, sizeof(out->why), N_("it checks certificates of servers alone"));
    } else if ((status = ask(&alone, asked, host, question, err)) == XR_OK) {
        say_alone(out->why, sizeof(out->why), asked->others, &alone);
    }
    return status;
}
