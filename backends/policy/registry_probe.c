/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_probe.h"

#include "registry_entries.h"

#include <stdlib.h>

/* A distrust of its own key decides, whatever else the browser reads. */
static bool distrusted(const struct registry_entries *entries, const struct xr_host *host,
                       struct xr_bytes der)
{
    struct xr_slices asked = {.size = sizeof(asked)}, other = {.size = sizeof(other)};
    bool yes = false;

    if (host->slices(&asked, der, NULL) != XR_OK)
        return false;
    for (size_t i = 0; i < entries->count && !yes; i++) {
        const struct xr_entry *entry = &entries->items[i].entry;

        yes = entry->place == XR_DISTRUST && host->slices(&other, entry->der, NULL) == XR_OK &&
              xr_bytes_equal(asked.spki, other.spki);
    }
    return yes;
}

static void give(struct xr_browser_cert *out, const struct registry_shown *shown)
{
    const struct xr_limits *limits = shown->limits;

    *out = (struct xr_browser_cert){.size = sizeof(*out),
                                    .der = shown->entry.der,
                                    .source = shown->label,
                                    .trust = shown->entry.place == XR_ANCHOR ? XR_BROWSER_ANCHOR
                                             : shown->entry.place == XR_DISTRUST
                                                 ? XR_BROWSER_DISTRUST_KEY
                                                 : XR_BROWSER_HINT};
    if (limits == NULL)
        return;
    out->permitted_dns = (const char *const *)limits->dns.items;
    out->permitted_dns_count = limits->dns.count;
    out->permitted_cidrs = (const char *const *)limits->cidrs.items;
    out->permitted_cidrs_count = limits->cidrs.count;
}

static enum xr_status ask(struct xr_opinion *out, const struct registry_entries *entries,
                          const struct xr_host *host, const struct xr_probe *question,
                          struct xr_error *err)
{
    struct xr_browser_cert *certs = xr_new(entries->count + 1, sizeof(*certs));
    const struct xr_browser_cert **known = xr_new(entries->count + 1, sizeof(*known));
    const struct xr_browser_check check = {.size = sizeof(check),
                                           .probe = question,
                                           .browser = XR_CHROMIUM,
                                           .known = known,
                                           .known_count = entries->count,
                                           .fetches = true};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < entries->count; i++) {
        give(&certs[i], &entries->items[i]);
        known[i] = &certs[i];
    }
    *out = (struct xr_opinion){.size = sizeof(*out)};
    status = host->browser_check(out, &check, err);
    free((void *)known);
    free(certs);
    return status;
}

enum xr_status registry_probe(struct xr_verdict *out, const struct registry_view *view,
                              const struct xr_host *host, const struct xr_probe *question,
                              struct xr_error *err)
{
    static const char *const words[] = {[XR_UNKNOWN] = "unknown", [XR_YES] = "yes", [XR_NO] = "no"};
    struct registry_entries entries;
    struct xr_opinion alone;
    enum xr_status status = XR_OK;

    registry_entries_make(&entries, view, NULL);
    (void)snprintf(out->by, sizeof(out->by), "%s", REGISTRY_VERIFIER);
    if (distrusted(&entries, host, question->chain[0])) {
        out->answer = XR_NO;
        (void)snprintf(out->why, sizeof(out->why), "its key is distrusted by %s",
                       policy_names[POLICY_DISTRUST]);
    } else if (question->purpose != XR_SERVER) {
        (void)snprintf(out->why, sizeof(out->why), "it checks certificates of servers alone");
    } else if ((status = ask(&alone, &entries, host, question, err)) == XR_OK) {
        (void)snprintf(out->why, sizeof(out->why),
                       "Windows' own stores count too; by the policies alone: %s%s%.150s",
                       words[alone.answer], alone.why[0] != '\0' ? ", " : "", alone.why);
    }
    registry_entries_free(&entries);
    return status;
}
