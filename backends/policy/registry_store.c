/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in a registry as stores, one for each product. */
#include "registry_store.h"

#include "registry_entries.h"
#include "registry_swap.h"
#include "verdict.h"

#include <stdlib.h>

struct xr_session {
    const struct xr_host *host;
    struct registry *registry;
    const struct registry_product *product;
};

#define REGISTRY_VERIFIER N_("Chromium's rules, with its policies alone")

/* ---- what can be done ---- */

static void give_place(enum xr_strength *out, char why[256], const struct registry_view *view,
                       enum policy_key list)
{
    *out = view->why_fixed[list] != NULL ? XR_CANNOT : XR_ENFORCED;
    if (*out == XR_CANNOT)
        (void)snprintf(why, 256, "%s: %s", policy_names[list], view->why_fixed[list]);
}

static enum xr_status describe_chromium(struct xr_caps *caps, const struct xr_session *s,
                                        struct xr_error *err)
{
    struct registry_view view;
    enum xr_status status = registry_view_load(&view, s->registry, s->product, s->host, err);

    if (status != XR_OK)
        return status;
    for (unsigned list = POLICY_ANCHORS; list <= POLICY_DISTRUST; list++) {
        enum xr_place place = registry_place((enum policy_key)list);

        if (list != POLICY_LIMITED)
            give_place(&caps->places[place], caps->why_cannot[place], &view, list);
    }
    give_place(&caps->limited, caps->why_not_limited, &view, POLICY_LIMITED);
    caps->distrust_by_key = true;
    caps->purposes = XR_SERVER;
    (void)snprintf(caps->verifier, sizeof(caps->verifier), "%s", REGISTRY_VERIFIER);
    caps->shares_readers = true;
    (void)snprintf(caps->vendors, sizeof(caps->vendors), N_("in another form of the same policy"));
    (void)snprintf(caps->why_cannot[XR_PEER], sizeof(caps->why_cannot[0]),
                   N_("policies of this browser are about CA certificates"));
    policy_join(caps->left_out, sizeof(caps->left_out), &view.problems);
    registry_view_free(&view);
    return XR_OK;
}

static enum xr_status describe_firefox(struct xr_caps *caps, const struct xr_session *s,
                                       struct xr_error *err)
{
    struct registry_firefox firefox;
    struct xr_strings lines = {0};
    enum xr_status status = registry_firefox_load(&firefox, s->registry, s->product, s->host, err);

    if (status != XR_OK)
        return status;
    caps->places[XR_ANCHOR] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    caps->writable = caps->needs_privilege = false;
    caps->refused = true;
    (void)snprintf(caps->vendors, sizeof(caps->vendors), N_("in a policy of the administrator's"));
    (void)snprintf(caps->why_not, sizeof(caps->why_not),
                   N_("on Windows, Firefox 120 and newer reads Windows' own stores, so the backend "
                      "windows serves it, with cross certificates too; crossroot only lists this "
                      "policy"));
    (void)snprintf(caps->why_cannot[XR_INTERMEDIATE], sizeof(caps->why_cannot[0]),
                   N_("Certificates.Install makes an anchor of each certificate"));
    (void)snprintf(caps->why_cannot[XR_DISTRUST], sizeof(caps->why_cannot[0]),
                   N_("policies of this browser cannot distrust a certificate"));
    if (firefox.no_system)
        xr_strings_add(&lines,
                       N_("Certificates\\ImportEnterpriseRoots is 0, so Firefox reads nothing "
                          "of Windows' own stores"));
    for (size_t i = 0; i < firefox.count; i++) {
        char *shown = NULL, *line = NULL;

        if (firefox.items[i].der.len > 0)
            continue;
        shown = xr_visible(firefox.items[i].file);
        line = xr_format(N_("Certificates\\Install names %s, which was not read"), shown);
        xr_strings_add(&lines, line);
        free(line);
        free(shown);
    }
    policy_join(caps->left_out, sizeof(caps->left_out), &lines);
    xr_strings_free(&lines);
    registry_firefox_free(&firefox);
    return XR_OK;
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    if (s->registry != NULL)
        s->registry->close(s->registry);
    free(s);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    struct xr_caps full = {.size = sizeof(full), .subjects = 1u << XR_SUBJECT_CERT};
    enum xr_status status = XR_OK;

    s->host = host;
    status = registry_open(&s->registry, &s->product, &full, host, target, mode, err);
    if (status == XR_OK)
        status = s->product->family == POLICY_CHROMIUM ? describe_chromium(&full, s, err)
                                                       : describe_firefox(&full, s, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    (void)snprintf(full.summary, sizeof(full.summary), N_("managed policies of %s"),
                   s->product->title);
    (void)snprintf(full.serves, sizeof(full.serves), "%s", s->product->name);
    full.serves_everybody = true;
    xr_caps_give(caps, &full);
    *out = s;
    return XR_OK;
}

static enum xr_status list_chromium(struct xr_session *s, xr_entry_fn emit, void *ctx,
                                    struct xr_error *err)
{
    struct registry_view view;
    struct registry_entries entries;
    enum xr_status status = registry_view_load(&view, s->registry, s->product, s->host, err);

    if (status != XR_OK)
        return status;
    registry_entries_make(&entries, &view, NULL);
    for (size_t i = 0; status == XR_OK && i < entries.count; i++)
        status = emit(ctx, &entries.items[i].entry);
    registry_entries_free(&entries);
    registry_view_free(&view);
    return status;
}

static enum xr_status list_firefox(struct xr_session *s, xr_entry_fn emit, void *ctx,
                                   struct xr_error *err)
{
    struct registry_firefox firefox;
    enum xr_status status = registry_firefox_load(&firefox, s->registry, s->product, s->host, err);

    for (size_t i = 0; status == XR_OK && i < firefox.count; i++) {
        const struct registry_install *item = &firefox.items[i];
        struct xr_entry entry = {.size = sizeof(entry),
                                 .subject = {.type = XR_SUBJECT_CERT},
                                 .place = XR_ANCHOR,
                                 .purposes = XR_SERVER | XR_CLIENT | XR_EMAIL,
                                 .flags = XR_ENTRY_VENDOR,
                                 .der = {(unsigned char *)item->der.data, item->der.len}};
        char *label = xr_visible(item->file);

        entry.label = label;
        s->host->sha256(entry.subject.id, entry.der);
        if (entry.der.len > 0)
            status = emit(ctx, &entry);
        free(label);
    }
    registry_firefox_free(&firefox);
    return status;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    return s->product->family == POLICY_CHROMIUM ? list_chromium(s, emit, ctx, err)
                                                 : list_firefox(s, emit, ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    return registry_swap(s->registry, s->product, s->host, expect, want, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    return s->registry->flush(s->registry, err);
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

static enum xr_status ask(struct xr_verdict *out, const struct registry_view *view,
                          const struct xr_host *host, const struct xr_probe *question,
                          struct xr_error *err)
{
    struct registry_entries entries;
    struct xr_browser_cert *certs = NULL;
    struct policy_asked asked = {.by = REGISTRY_VERIFIER,
                                 .others = N_("Windows' own stores"),
                                 .distrust = policy_names[POLICY_DISTRUST]};
    enum xr_status status = XR_OK;

    registry_entries_make(&entries, view, NULL);
    certs = xr_new(entries.count + 1, sizeof(*certs));
    for (size_t i = 0; i < entries.count; i++)
        give(&certs[i], &entries.items[i]);
    asked.certs = certs;
    asked.count = entries.count;
    status = policy_verdict(out, &asked, host, question, err);
    free(certs);
    registry_entries_free(&entries);
    return status;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    struct registry_view view;
    enum xr_status status = XR_OK;

    if (s->product->family != POLICY_CHROMIUM)
        return xr_fail(err, XR_UNSUPPORTED, "this store has no verifier");
    status = registry_view_load(&view, s->registry, s->product, s->host, err);
    if (status == XR_OK)
        status = ask(out, &view, s->host, question, err);
    registry_view_free(&view);
    return status;
}

/* ---- discovery ---- */

struct finding {
    xr_found_fn emit;
    void *ctx;
    enum xr_status status;
    bool only_named;
};

static bool found(void *ctx, const struct registry_product *product)
{
    struct finding *f = ctx;
    char *summary = xr_format(N_("managed policies of %s"), product->title);

    f->status = f->emit(f->ctx, &(struct xr_found){.size = sizeof(struct xr_found),
                                                   .location = product->name,
                                                   .summary = summary,
                                                   .only_named = f->only_named});
    free(summary);
    return f->status == XR_OK;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct finding f = {.emit = emit, .ctx = ctx, .only_named = (scope & XR_SCOPE_POLICIES) == 0};
    enum xr_status status = XR_OK;

    (void)host;
    if (scope & XR_SCOPE_SYSTEM)
        status = registry_discover(site, found, &f, err);
    return status != XR_OK ? status : f.status;
}

const struct xr_backend policy_registry = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "policy",
    .summary = N_("browsers' managed policies (Chromium and its relatives)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
};
