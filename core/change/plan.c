/* SPDX-License-Identifier: Apache-2.0 */
#include "limited.h"
#include "placement.h"
#include "same_key.h"

#include <assert.h>
#include <stdlib.h>

/* All that is needed to decide one wish. */
struct deciding {
    const struct xr_wish *wish;
    const struct xr_snapshot *snapshot;
    const struct xr_caps *caps;
    struct xr_pool *pool;
    const struct xr_plan_policy *policy;
    const struct xr_state *before;
    struct xr_same_key *same_key;
    struct xr_step *step;
};

static void refuse(struct deciding *d, char *why)
{
    free(d->step->why);
    d->step->why = why;
    d->step->action = XR_ACTION_REFUSE;
}

static void ask(struct deciding *d, const char *why, bool pin_answers)
{
    xr_step_ask(d->step, why, pin_answers);
}

static struct xr_cert *cert_of(const struct deciding *d)
{
    return d->wish->pool_at == XR_NONE ? NULL : d->pool->items[d->wish->pool_at].cert;
}

/* ---- install ---- */

static bool place_for(enum xr_place *out, struct deciding *d)
{
    char *why = xr_placement(out, d->wish, d->pool, d->caps->places[XR_PEER] != XR_CANNOT);

    if (why != NULL)
        refuse(d, why);
    return why == NULL;
}

/* Returns an anchor's purposes, or 0 after a refusal. */
static uint32_t anchor_purposes(struct deciding *d)
{
    const struct xr_wish *wish = d->wish;
    const struct xr_der_cert *cert = &cert_of(d)->d;
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    uint32_t own = !cert->has_eku || cert->eku & XR_ANY_PURPOSE ? all : cert->eku;
    uint32_t wanted = wish->purposes ? wish->purposes : XR_SERVER;
    char allowed[64];

    if (d->caps->purposes == XR_ANY_PURPOSE) {
        if (wish->purposes != 0) {
            refuse(d,
                   xr_strdup(N_("this store cannot restrict an anchor to a purpose; without --for "
                                "it would be trusted for any purpose")));
            return 0;
        }
        if (wish->trust_limited && wish->trust != all && !wish->place_given) {
            xr_purposes_text(allowed, sizeof(allowed), wish->trust);
            refuse(d,
                   xr_format(N_("its trust settings allow only %s, and this store cannot restrict "
                                "an anchor; --as anchor trusts it for any purpose"),
                             allowed));
            return 0;
        }
        return XR_ANY_PURPOSE;
    }
    if (wanted & XR_ANY_PURPOSE)
        wanted = all;
    wanted &= own & (wish->trust_limited ? wish->trust : all) & d->caps->purposes;
    if (wanted == 0) {
        xr_purposes_text(allowed, sizeof(allowed), own & (wish->trust_limited ? wish->trust : all));
        refuse(d, xr_format(N_("no purpose is left to trust it for: it allows only %s"), allowed));
    }
    return wanted;
}

/* What an anchor by its own signature is asked about. */
static void ask_self_signed(struct deciding *d, const char *purposes, const char *meaning)
{
    const char *unchecked = xr_pool_self_unchecked(d->pool, d->wish->pool_at);
    bool silent = xr_pool_kind(d->pool, d->wish->pool_at) == XR_KIND_SELF_SIGNED;
    char *why = NULL;

    if (unchecked != NULL && d->step->why == NULL)
        d->step->why = xr_format(N_("its signature could not be checked: %s"), unchecked);
    why = xr_format(N_("it becomes a trust anchor for %s: %s"), purposes, meaning);
    ask(d, why, true);
    free(why);
    if (silent)
        ask(d, N_("it does not say that it is a CA"), true);
    if (unchecked != NULL) {
        why = xr_format(N_("its signature could not be checked: %s"), unchecked);
        ask(d, why, true);
        free(why);
    }
}

/* held: the purposes that it is trusted for already. */
static void ask_anchor(struct deciding *d, uint32_t held, uint32_t purposes)
{
    const struct xr_cert *cert = cert_of(d);
    enum xr_kind kind = xr_pool_kind(d->pool, d->wish->pool_at);
    bool self_signed = kind == XR_KIND_ROOT || kind == XR_KIND_SELF_SIGNED;
    char text[64], before[64];
    char *why = NULL;
    struct xr_buf meaning = {0};

    xr_purposes_text(text, sizeof(text), purposes);
    xr_purposes_text(before, sizeof(before), held);
    xr_step_meaning(&meaning, purposes);
    if (held != 0) {
        why = xr_format(N_("trusted for: %s → %s"), before, text);
        ask(d, why, true);
        free(why);
        why = NULL;
    }
    if (self_signed && held == 0) {
        ask_self_signed(d, text, meaning.data);
    } else if (!self_signed) {
        why =
            xr_format(N_("it is not self-signed, and as an anchor it is trusted for %s without the "
                         "CA that signed it: %s"),
                      text, meaning.data);
        ask(d, why, true);
        if ((cert->d.name_constraints || cert->d.pathlen >= 0 || cert->d.has_eku) &&
            !d->policy->drop_constraints)
            refuse(d, xr_strdup(
                          N_("programs may ignore the limits inside an anchor (name "
                             "constraints, path length, EKU); --drop-constraints accepts that")));
    }
    xr_buf_free(&meaning);
    free(why);
}

static bool covers(uint32_t held, uint32_t wanted)
{
    return (held & XR_ANY_PURPOSE) != 0 || (wanted & ~held) == 0;
}

/* What it is an anchor for already. A store may hold it twice, as the vendor's and as its own. */
static uint32_t held_for(const struct xr_state *state)
{
    uint32_t purposes = 0;

    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == XR_ANCHOR)
            purposes |= state->entries[i]->purposes;
    }
    return purposes & XR_ANY_PURPOSE ? XR_ANY_PURPOSE : purposes;
}

/* Refuses what the store has no place for. */
static bool can_hold(struct deciding *d, enum xr_place place)
{
    char *why = d->wish->limits != NULL ? xr_limited_refusal(place, d->caps) : NULL;
    bool limited = d->wish->limits != NULL && place == XR_ANCHOR;

    if (why == NULL && !limited && d->caps->places[place] == XR_CANNOT)
        why = d->caps->why_cannot[place][0] != '\0'
                  ? xr_strdup(d->caps->why_cannot[place])
                  : xr_format(place == XR_ANCHOR || place == XR_INTERMEDIATE
                                  ? N_("this store has no place for an %s")
                                  : N_("this store has no place for a %s"),
                              xr_place_name(place));
    if (why != NULL)
        refuse(d, why);
    return why == NULL;
}

static void decide_install(struct deciding *d)
{
    const struct xr_wish *wish = d->wish;
    struct xr_step *step = d->step;
    struct xr_entry entry = {.size = sizeof(entry), .subject = wish->subject, .der = wish->der};
    const struct xr_entry *present = NULL;
    char *label = NULL;
    uint32_t held = 0;
    struct xr_limited limited = {0};

    if (!place_for(&entry.place, d)) {
        step->place = entry.place;
        return;
    }
    step->place = entry.place;
    if (!can_hold(d, entry.place))
        return;
    if (entry.place == XR_ANCHOR && (entry.purposes = anchor_purposes(d)) == 0)
        return;
    present = xr_state_in(d->before, entry.place);
    if (present != NULL && present->flags & XR_ENTRY_VENDOR && entry.place == XR_ANCHOR &&
        d->caps->purposes == XR_ANY_PURPOSE && xr_state_in(d->before, XR_DISTRUST) == NULL) {
        char text[64];

        /* The vendor's restriction stays: this store cannot widen only that. */
        xr_purposes_text(text, sizeof(text), present->purposes);
        step->why = xr_format(d->caps->vendors[0] != '\0'
                                  ? N_("it is there, as an anchor for %s")
                                  : N_("it comes with the system, as an anchor for %s"),
                              text);
        return;
    }
    held = held_for(d->before);
    if (entry.place == XR_ANCHOR && !d->policy->only) /* installing adds */
        entry.purposes =
            (held | entry.purposes) & XR_ANY_PURPOSE ? XR_ANY_PURPOSE : held | entry.purposes;
    if (entry.place == XR_ANCHOR &&
        !xr_limited_decide(&limited, &step->why, d->wish, d->caps, present, d->policy->only)) {
        step->action = XR_ACTION_REFUSE;
        goto out;
    }
    if (present != NULL && xr_state_in(d->before, XR_DISTRUST) == NULL && !limited.changes &&
        (entry.place != XR_ANCHOR ||
         (d->policy->only ? held == entry.purposes : covers(held, entry.purposes))))
        goto out; /* already there: nothing to do */
    if (entry.place == XR_INTERMEDIATE && xr_state_in(d->before, XR_ANCHOR) != NULL) {
        step->why = xr_strdup(N_("already an anchor in this store, which gives more trust; remove "
                                 "--from anchor narrows that"));
        goto out;
    }
    if (cert_of(d) != NULL)
        label = xr_x509_name_short(cert_of(d)->d.slices.subject);
    entry.label = label;
    entry.attached = limited.attached;
    entry.attached_count = limited.count;
    step->want = xr_state_new(&wish->subject);
    xr_state_add(step->want, &entry);
    free(label);
    if (d->caps->places[entry.place] == XR_ADVISORY &&
        d->caps->why_cannot[entry.place][0] != '\0' && step->why == NULL)
        step->why = xr_strdup(d->caps->why_cannot[entry.place]);

    if (entry.place == XR_ANCHOR)
        ask_anchor(d, xr_state_in(d->before, XR_DISTRUST) == NULL ? held : 0, entry.purposes);
    if (entry.place == XR_PEER)
        ask(d, N_("it is trusted as itself, without any CA"), true);
    if (entry.place != XR_CRL)
        xr_same_key_ask(d->same_key, step);
    if (limited.ask != NULL)
        ask(d, limited.ask, !limited.widens);
    if (present != NULL && present->attached_count > limited.count)
        ask(d, N_("the constraints this store attaches to it would be lost"), false);
    if (xr_state_in(d->before, XR_DISTRUST) != NULL)
        ask(d, N_("it is distrusted in this store, and that would end"), false);
    if (wish->caution != NULL)
        ask(d, wish->caution, false);
out:
    xr_limited_free(&limited);
}

/* ---- remove, distrust ---- */

/* Why an entry of somebody else's is not removed. */
static char *vendors_text(const struct xr_caps *caps)
{
    bool distrusts = caps->places[XR_DISTRUST] != XR_CANNOT;

    if (caps->vendors[0] != '\0')
        return xr_format(distrusts ? N_("it is %s: remove it there, or use distrust")
                                   : N_("it is %s: remove it there"),
                         caps->vendors);
    return xr_strdup(distrusts ? N_("it comes with the system and would come back: use distrust "
                                    "instead")
                               : N_("it comes with the system"));
}

static void decide_remove(struct deciding *d)
{
    const struct xr_wish *wish = d->wish;
    struct xr_state *want = xr_state_new(&wish->subject);
    bool found = false, vendor = false;

    d->step->place = wish->place_given ? wish->place : XR_PLACE_COUNT;
    for (size_t i = 0; d->before != NULL && i < d->before->count; i++) {
        const struct xr_entry *entry = d->before->entries[i];
        bool named = !wish->place_given || entry->place == wish->place;
        bool goes = named && !(entry->flags & XR_ENTRY_VENDOR);

        vendor = vendor || (named && !goes);
        found = found || goes;
        if (goes)
            d->step->place = entry->place;
        else
            xr_state_add(want, entry);
    }
    if (d->step->place == XR_PLACE_COUNT)
        d->step->place = XR_ANCHOR;
    if (!found) {
        bool reads_only =
            !d->caps->writable && !d->caps->needs_privilege && d->caps->why_not[0] != '\0';

        if (vendor)
            refuse(d, reads_only ? xr_strdup(d->caps->why_not) : vendors_text(d->caps));
        else
            d->step->why = xr_strdup(!d->caps->writable && d->caps->left_out[0] != '\0'
                                         ? N_("not among what can be listed of this store")
                                         : N_("not in this store"));
        xr_state_free(want);
        return;
    }
    if (vendor)
        d->step->why =
            d->caps->vendors[0] != '\0'
                ? xr_format(N_("the entry %s stays"), d->caps->vendors)
                : xr_strdup(N_("the entry that comes with the system stays; use distrust "
                               "against it"));
    d->step->want = want;
    if (want->count == 0) {
        xr_state_free(want);
        d->step->want = NULL;
    }
    d->step->action = XR_ACTION_REMOVE;
    if (xr_state_in(d->before, XR_CRL) != NULL && !wish->superseded)
        ask(d, N_("what this CRL revokes would be trusted again"), false);
    else if (xr_state_in(d->before, XR_CRL) == NULL && xr_state_widens(d->before, d->step->want))
        ask(d, N_("it is distrusted in this store, and that would end"), false);
}

static bool has_vendor(const struct xr_state *state)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->flags & XR_ENTRY_VENDOR)
            return true;
    }
    return false;
}

/* Is there trust beside a distrust that could be removed? */
static bool has_own_trust(const struct xr_state *state)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place != XR_DISTRUST &&
            !(state->entries[i]->flags & XR_ENTRY_VENDOR))
            return true;
    }
    return false;
}

/* A store that distrusts by key would also distrust other anchors of the key. If there are any,
 * refuses with their names and returns false. */
static bool only_of_key(struct deciding *d)
{
    const struct xr_pool *pool = d->pool;
    size_t from = d->wish->pool_at == XR_NONE ? XR_NONE : pool->items[d->wish->pool_at].key_head;
    struct xr_buf names = {0};

    for (size_t k = from; k != XR_NONE; k = pool->items[k].next_key) {
        const struct xr_cert *cert = pool->items[k].cert;
        struct xr_subject subject = {.type = XR_SUBJECT_CERT};
        const struct xr_state *state = NULL;
        char hex[2 * XR_SHA256_LEN + 1];
        char *name = NULL;

        memcpy(subject.id, cert->sha256, sizeof(subject.id));
        state = xr_snapshot_find(d->snapshot, &subject);
        if (k == d->wish->pool_at || xr_state_in(state, XR_ANCHOR) == NULL ||
            xr_state_in(state, XR_DISTRUST) != NULL)
            continue;
        name = xr_x509_name_short(cert->d.slices.subject);
        xr_hex(hex, cert->sha256, XR_SHA256_LEN);
        xr_buf_fmt(&names, "%s%s (SHA-256 %s)", names.len > 0 ? ", " : "", name, hex);
        free(name);
    }
    if (names.len == 0)
        return true;
    refuse(
        d,
        xr_format(
            N_("this store distrusts by key, so these certificates would be distrusted too: %s; --key "
               "allows that"),
            names.data));
    xr_buf_free(&names);
    return false;
}

static void decide_distrust(struct deciding *d)
{
    static const char *const strengths[] = {
        N_("this store cannot distrust"),
        N_("this store can only note a distrust: programs that read the store ignore it"),
        N_("this store can only deselect what a package ships: a copy elsewhere would stay trusted"),
        NULL,
    };
    const struct xr_wish *wish = d->wish;
    enum xr_strength strength = d->caps->places[XR_DISTRUST];
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = wish->subject, .place = XR_DISTRUST, .der = wish->der};
    char *label = NULL;

    entry.issuer = wish->issuer;
    entry.serial = wish->serial;
    d->step->place = XR_DISTRUST;
    if (strength == XR_CANNOT || (strength != XR_ENFORCED && !d->policy->best_effort)) {
        const char *own = d->caps->why_cannot[XR_DISTRUST];

        refuse(d, strength == XR_CANNOT
                      ? xr_strdup(own[0] != '\0' ? own : strengths[strength])
                      : xr_format(N_("%s; --best-effort accepts that"), strengths[strength]));
        return;
    }
    if (!(d->caps->subjects & 1u << (unsigned)wish->subject.type)) {
        refuse(d, xr_strdup(N_("this store distrusts certificates only, not serial numbers")));
        return;
    }
    if (strength == XR_DESELECT_ONLY && !has_vendor(d->before)) {
        refuse(d, xr_strdup(d->before == NULL
                                ? N_("this store can only deselect what comes with the system, and "
                                     "this certificate does not")
                                : N_("this store can only deselect what comes with the system: "
                                     "remove this certificate instead")));
        return;
    }
    if (d->caps->distrust_by_key && !d->policy->key && !only_of_key(d))
        return;
    if (strengths[strength] != NULL)
        d->step->why = xr_strdup(strengths[strength]);
    if (xr_state_in(d->before, XR_DISTRUST) != NULL && !has_own_trust(d->before))
        return;
    /* The vendor's entry cannot be removed; beside a distrust it has no effect. */
    d->step->want = xr_state_new(&wish->subject);
    for (size_t i = 0; d->before != NULL && i < d->before->count; i++) {
        if (d->before->entries[i]->flags & XR_ENTRY_VENDOR &&
            d->before->entries[i]->place != XR_DISTRUST)
            xr_state_add(d->step->want, d->before->entries[i]);
    }
    if (cert_of(d) != NULL)
        label = xr_x509_name_short(cert_of(d)->d.slices.subject);
    entry.label = label;
    xr_state_add(d->step->want, &entry);
    free(label);
}

/* Does the entry apply to this certificate, and not to another one with the same issuer and serial
 * number? */
static bool is_about(const struct xr_entry *entry, const struct xr_cert *cert)
{
    struct xr_bytes rest = entry->about;
    unsigned char sha1[20];

    if (rest.len > 0)
        xr_cert_sha1(sha1, cert);
    while (rest.len > 0) {
        size_t len = rest.data[0];
        const unsigned char *sum = len == sizeof(sha1) ? sha1 : cert->sha256;

        if ((len != sizeof(sha1) && len != XR_SHA256_LEN) || len + 1 > rest.len ||
            memcmp(rest.data + 1, sum, len) != 0)
            return false;
        rest.data += len + 1;
        rest.len -= len + 1;
    }
    return true;
}

/* A store may hold trust for a certificate that it does not have. That trust would apply as soon as
 * the certificate is installed, so it is removed first, in a step of its own that can be undone. */
static const struct xr_state *stray_of(const struct deciding *d)
{
    const struct xr_cert *cert = cert_of(d);
    struct xr_subject subject;
    const struct xr_state *stray = NULL;

    if (cert == NULL)
        return NULL;
    xr_subject_issuer_serial(&subject, cert->d.slices.issuer, cert->d.slices.serial,
                             xr_x509_sha256);
    stray = xr_snapshot_find(d->snapshot, &subject);
    for (size_t i = 0; stray != NULL && i < stray->count; i++) {
        if (!is_about(stray->entries[i], cert))
            return NULL;
    }
    return stray != NULL && !has_vendor(stray) ? stray : NULL;
}

static void clear_stray(struct xr_plan *plan, const struct deciding *d,
                        const struct xr_state *stray)
{
    struct xr_step main_step = *d->step, *step = NULL;
    bool remove = d->wish->what == XR_WISH_REMOVE;

    if (!xr_step_changes(&main_step) && !(remove && main_step.action == XR_ACTION_NONE))
        return;
    plan->count--;
    xr_plan_step(plan, &stray->subject, d->wish->pool_at, xr_state_copy(stray), NULL);
    step = &plan->items[plan->count - 1];
    step->why = xr_strdup(N_("trust settings for it that another program left without the "
                             "certificate"));
    if (!remove && step->ask != NULL) { /* the main step already asks about ending a distrust */
        free(step->ask);
        step->ask = NULL;
    }
    *XR_PUSH(plan) = main_step;
}

void xr_plan_build(struct xr_plan *plan, const struct xr_wish *wishes, size_t count,
                   const struct xr_snapshot *snapshot, const struct xr_caps *caps,
                   struct xr_pool *pool, const struct xr_plan_policy *policy)
{
    static void (*const decide[])(struct deciding * d) = {decide_install, decide_remove,
                                                          decide_distrust};
    struct xr_same_key same_key = {.snapshot = snapshot, .pool = pool};

    for (size_t i = 0; i < count; i++) {
        struct deciding d = {.wish = &wishes[i],
                             .snapshot = snapshot,
                             .caps = caps,
                             .pool = pool,
                             .policy = policy,
                             .before = xr_snapshot_find(snapshot, &wishes[i].subject),
                             .same_key = &same_key};

        d.step = XR_PUSH(plan);
        d.step->subject = wishes[i].subject;
        d.step->pool_at = wishes[i].pool_at;
        d.step->before = xr_state_copy(d.before);
        if (wishes[i].refusal != NULL) {
            d.step->place = XR_CRL;
            refuse(&d, xr_strdup(wishes[i].refusal));
        } else {
            decide[wishes[i].what](&d);
        }
        if (d.step->action == XR_ACTION_REFUSE) {
            xr_state_free(d.step->want);
            d.step->want = NULL;
            free(d.step->ask);
            d.step->ask = NULL;
        } else if (d.step->want != NULL && d.step->action == XR_ACTION_NONE) {
            d.step->action = d.before == NULL ? XR_ACTION_ADD : XR_ACTION_CHANGE;
        }
        if (stray_of(&d) != NULL)
            clear_stray(plan, &d, stray_of(&d));
    }
    xr_same_key_free(&same_key);
}
