/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a plan: what one says, and those that take a state back. */
#include "plan.h"

#include <stdlib.h>

const char *xr_action_name(enum xr_action action)
{
    static const char *const names[] = {N_("none"), N_("add"), N_("change"), N_("remove"),
                                        N_("refuse")};

    return names[action];
}

bool xr_step_changes(const struct xr_step *step)
{
    return step->action == XR_ACTION_ADD || step->action == XR_ACTION_CHANGE ||
           step->action == XR_ACTION_REMOVE;
}

void xr_step_ask(struct xr_step *step, const char *why, bool pin_answers)
{
    char *joined = NULL;

    if (step->ask != NULL && strstr(step->ask, why) != NULL)
        return;
    joined = step->ask ? xr_format("%s; %s", step->ask, why) : xr_strdup(why);
    step->pin_answers = pin_answers && (step->ask == NULL || step->pin_answers);
    free(step->ask);
    step->ask = joined;
}

/* The purposes that a state trusts its certificate for as an anchor. */
static uint32_t trusted_for(const struct xr_state *state)
{
    uint32_t purposes = 0, taken = 0;

    for (size_t i = 0; state != NULL && i < state->count; i++) {
        const struct xr_entry *entry = state->entries[i];

        if (entry->place == XR_ANCHOR)
            purposes |= entry->purposes;
        else if (entry->place == XR_DISTRUST)
            taken |= entry->purposes != 0 ? entry->purposes : ~0u;
    }
    return purposes & ~taken;
}

bool xr_step_trust(const struct xr_step *step, uint32_t *before, uint32_t *after)
{
    bool changes = xr_step_changes(step);

    *before = trusted_for(step->before);
    *after = changes ? trusted_for(step->want) : *before;
    return *before != *after && *before != 0 && *after != 0;
}

void xr_plan_step(struct xr_plan *plan, const struct xr_subject *subject, size_t pool_at,
                  struct xr_state *before, struct xr_state *want)
{
    struct xr_step *step = XR_PUSH(plan);
    const struct xr_state *shown = want != NULL ? want : before;
    uint32_t was = 0, is = 0;
    char from[64], to[64];

    step->subject = *subject;
    step->pool_at = pool_at;
    step->before = before;
    step->want = want;
    step->place = shown != NULL && shown->count > 0 ? shown->entries[0]->place : XR_ANCHOR;
    if (xr_state_equal(before, want))
        step->action = XR_ACTION_NONE;
    else if (before == NULL)
        step->action = XR_ACTION_ADD;
    else
        step->action = want == NULL ? XR_ACTION_REMOVE : XR_ACTION_CHANGE;
    if (xr_step_trust(step, &was, &is) && xr_state_widens(before, want)) {
        xr_purposes_text(from, sizeof(from), was);
        xr_purposes_text(to, sizeof(to), is);
        step->ask = xr_format(N_("this restores trust that was taken away; trusted for: %s → %s"),
                              from, to);
    } else if (xr_state_widens(before, want)) {
        step->ask = xr_strdup(N_("this restores trust that was taken away"));
    }
}

const struct xr_entry *xr_step_entry(const struct xr_step *step)
{
    const struct xr_state *state = step->want != NULL ? step->want : step->before;

    return state != NULL && state->count > 0 ? state->entries[0] : NULL;
}

size_t xr_plan_changes(const struct xr_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += xr_step_changes(&plan->items[i]);
    return count;
}

bool xr_plan_refuses_all(const struct xr_plan *plan)
{
    size_t refused = 0;

    for (size_t i = 0; i < plan->count; i++)
        refused += plan->items[i].action == XR_ACTION_REFUSE;
    return refused > 0 && refused == plan->count;
}

void xr_plan_free(struct xr_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        xr_state_free(plan->items[i].before);
        xr_state_free(plan->items[i].want);
        free(plan->items[i].why);
        free(plan->items[i].ask);
    }
    free(plan->items);
    *plan = (struct xr_plan){0};
}

void xr_step_meaning(struct xr_buf *out, uint32_t purposes)
{
    static const struct {
        uint32_t purpose;
        const char *who;
    } meanings[] = {{XR_SERVER, N_("web server")},
                    {XR_CLIENT, N_("client of a server")},
                    {XR_EMAIL, N_("signer of a mail")},
                    {XR_CODE, N_("publisher of a program")},
                    {XR_TIME, N_("time stamp")}};
    const size_t count = sizeof(meanings) / sizeof(meanings[0]);
    char *who = NULL;

    if (purposes & XR_ANY_PURPOSE) {
        xr_buf_str(out, N_("every web server, mail and program that shows a certificate of this CA "
                           "will be believed"));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char *others = who;

        if ((purposes & meanings[i].purpose) == 0)
            continue;
        who = others != NULL ? xr_format("%s and %s", others, meanings[i].who)
                             : xr_strdup(meanings[i].who);
        free(others);
    }
    xr_buf_fmt(out, N_("every %s that shows a certificate of this CA will be believed"),
               who != NULL ? who : "");
    free(who);
}

/* ---- steps by subject ---- */

void xr_steps_index(struct xr_steps *out, const struct xr_plan *plan)
{
    size_t *last = xr_new(plan->count, sizeof(*last)); /* by the first of a subject */

    *out = (struct xr_steps){.next = xr_new(plan->count, sizeof(*out->next))};
    for (size_t i = 0; i < plan->count; i++) {
        unsigned char key[XR_SHA256_LEN];
        bool added = false;
        size_t first = 0;

        xr_subject_key(key, &plan->items[i].subject);
        first = xr_idmap_put(&out->firsts, key, i, &added);
        if (!added)
            out->next[last[first]] = i;
        last[first] = i;
        out->next[i] = XR_NONE;
    }
    free(last);
}

size_t xr_steps_of(const struct xr_steps *steps, const struct xr_subject *subject)
{
    unsigned char key[XR_SHA256_LEN];
    size_t at = XR_NONE;

    xr_subject_key(key, subject);
    return xr_idmap_get(&steps->firsts, key, &at) ? at : XR_NONE;
}

void xr_steps_free(struct xr_steps *steps)
{
    xr_idmap_free(&steps->firsts);
    free(steps->next);
    *steps = (struct xr_steps){0};
}
