/* SPDX-License-Identifier: Apache-2.0 */
#include "limited.h"

#include <stdlib.h>

void xr_limited_free(struct xr_limited *limited)
{
    free(limited->ask);
    xr_buf_free(&limited->memory);
}

char *xr_limited_refusal(enum xr_place place, const struct xr_caps *caps)
{
    const char *why = caps->why_not_limited[0] != '\0'       ? caps->why_not_limited
                      : caps->places[XR_ANCHOR] == XR_CANNOT ? caps->why_cannot[XR_ANCHOR]
                                                             : "";

    if (place != XR_ANCHOR)
        return xr_format(place == XR_INTERMEDIATE
                             ? N_("only an anchor can be limited to names and addresses, and this "
                                  "would be an %s")
                             : N_("only an anchor can be limited to names and addresses, and this "
                                  "would be a %s"),
                         xr_place_name(place));
    if (caps->limited != XR_CANNOT)
        return NULL;
    return xr_strdup(why[0] != '\0'
                         ? why
                         : N_("this store cannot limit an anchor to names and addresses; "
                              "without the limits it would be trusted for all of them"));
}

static void set_why(char **why, char *text)
{
    free(*why);
    *why = text;
}

static void merge(struct xr_limits *to, const struct xr_limits *from)
{
    for (size_t i = 0; i < from->dns.count; i++)
        (void)xr_limits_add_dns(to, from->dns.items[i]);
    for (size_t i = 0; i < from->cidrs.count; i++)
        (void)xr_limits_add_cidr(to, from->cidrs.items[i]);
}

/* What the anchor will be limited to if it is limited already. "Installing adds": to a kind of which
 * it had no limit, so that all was allowed, nothing is added. */
static void join(struct xr_limits *out, const struct xr_limits *held, const struct xr_limits *asked)
{
    merge(out, held);
    merge(out, asked);
    if (held->dns.count == 0 || asked->dns.count == 0)
        xr_strings_free(&out->dns);
    if (held->cidrs.count == 0 || asked->cidrs.count == 0)
        xr_strings_free(&out->cidrs);
}

static void say(struct xr_limited *out, const struct xr_limits *held,
                const struct xr_limits *wanted, const struct xr_caps *caps)
{
    char *from = xr_limits_text(held), *to = xr_limits_text(wanted);
    char *limits = from != NULL ? xr_format(N_("limited to %s → %s"), from, to)
                                : xr_format(N_("limited to %s"), to);
    struct xr_buf text = {0};

    xr_buf_str(&text, limits);
    if (wanted->dns.count == 0)
        xr_buf_fmt(&text, "; %s", N_("names are not limited"));
    else if (wanted->cidrs.count == 0)
        xr_buf_fmt(&text, "; %s", N_("addresses are not limited"));
    if (caps->limited != XR_ENFORCED && caps->why_not_limited[0] != '\0')
        xr_buf_fmt(&text, "; %s", caps->why_not_limited);
    out->ask = text.data;
    free(limits);
    free(from);
    free(to);
}

static void want(struct xr_limited *out, const struct xr_limits *limits)
{
    xr_limits_attach(&out->own, &out->memory, limits);
    out->attached = &out->own;
    out->count = 1;
}

static bool narrow(struct xr_limited *out, char **why, const struct xr_wish *wish,
                   const struct xr_caps *caps, const struct xr_entry *present, bool only)
{
    struct xr_limits held = {0}, wanted = {0};
    bool good = xr_limits_of(&held, present);

    if (!good) {
        set_why(why, xr_strdup(N_("this store attaches other constraints to it; remove it first")));
        goto out;
    }
    if (!only && !xr_limits_any(&held)) {
        set_why(why,
                xr_strdup(N_("it is an anchor here for every name already; --only limits it")));
        goto out;
    }
    if (only)
        merge(&wanted, wish->limits);
    else
        join(&wanted, &held, wish->limits);
    if (!xr_limits_any(&wanted)) {
        set_why(why,
                xr_strdup(N_("added to its limits here, these would leave none; --only replaces "
                             "them")));
        good = false;
        goto out;
    }
    want(out, &wanted);
    out->changes = !xr_limits_equal(&held, &wanted);
    out->widens = xr_limits_any(&held) && !xr_limits_cover(&held, &wanted);
    if (out->changes)
        say(out, &held, &wanted, caps);
out:
    xr_limits_free(&held);
    xr_limits_free(&wanted);
    return good;
}

/* What is attached stays where it can. */
static void keep(struct xr_limited *out, char **why, const struct xr_caps *caps,
                 const struct xr_entry *present)
{
    struct xr_limits held = {0};
    char *text = NULL;

    if (!caps->attaches && caps->limited == XR_CANNOT)
        return;
    out->attached = present->attached;
    out->count = present->attached_count;
    if (xr_limits_of(&held, present) && xr_limits_any(&held)) {
        text = xr_limits_text(&held);
        set_why(why, xr_format(N_("it stays limited to %s"), text));
    }
    free(text);
    xr_limits_free(&held);
}

bool xr_limited_decide(struct xr_limited *out, char **why, const struct xr_wish *wish,
                       const struct xr_caps *caps, const struct xr_entry *present, bool only)
{
    static const struct xr_limits none = {{0}, {0}};

    if (wish->limits == NULL && present != NULL && present->attached_count > 0 && !caps->attaches &&
        caps->limited == XR_CANNOT && caps->why_not_limited[0] != '\0') {
        /* It has limits, and just now nobody can say which: they must not be lost over that. */
        set_why(why, xr_strdup(caps->why_not_limited));
        return false;
    }
    if (wish->limits == NULL) {
        if (present != NULL)
            keep(out, why, caps, present);
        return true;
    }
    if (present != NULL)
        return narrow(out, why, wish, caps, present, only);
    want(out, wish->limits);
    out->changes = true;
    say(out, &none, wish->limits, caps);
    return true;
}
