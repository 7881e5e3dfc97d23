/* SPDX-License-Identifier: Apache-2.0 */
/* Makes steps from wishes, a snapshot and capabilities (plan.c), and what a step says (step.c). Pure:
 * touches no store, reads no clock. */
#ifndef XR_PLAN_H
#define XR_PLAN_H

#include "certs/model.h"
#include "kit/limits.h"
#include "stores/state.h"

enum xr_wish_kind { XR_WISH_INSTALL, XR_WISH_REMOVE, XR_WISH_DISTRUST };

struct xr_wish {
    enum xr_wish_kind what;
    struct xr_subject subject;
    struct xr_bytes der;            /* certificate or CRL; empty when only the subject is known */
    struct xr_bytes issuer, serial; /* DER, of XR_SUBJECT_ISSUER_SERIAL */
    size_t pool_at;                 /* index of the certificate in the pool, or XR_NONE */
    bool place_given;               /* --as, --from */
    enum xr_place place;
    uint32_t purposes;   /* --for; 0: the default */
    bool trust_limited;  /* the input had OpenSSL trust settings */
    uint32_t trust;      /* the purposes that they allow */
    const char *refusal; /* why it is impossible in every store (a bad CRL), or NULL */
    bool superseded;     /* a CRL that is removed because a newer one is installed */
    const char *caution; /* a reason to ask, found by checking paths (shadowing), or NULL */
    const struct xr_limits *limits; /* names and addresses that an anchor is limited to, or NULL */
};

struct xr_plan_policy {
    bool best_effort;
    bool drop_constraints;
    bool key;  /* distrust --key: for every certificate of the key */
    bool only; /* install --only: an anchor is trusted for what is asked and nothing else */
};

enum xr_action {
    XR_ACTION_NONE,
    XR_ACTION_ADD,
    XR_ACTION_CHANGE,
    XR_ACTION_REMOVE,
    XR_ACTION_REFUSE
};
const char *xr_action_name(enum xr_action action);

struct xr_step {
    struct xr_subject subject;
    size_t pool_at; /* XR_NONE for a CRL */
    enum xr_action action;
    enum xr_place place;
    struct xr_state *before, *want; /* owned; NULL is absent */
    char *why;                      /* owned; reason of a refusal or of "none", or a remark */
    char *ask;                      /* owned; why this step needs a confirmation, or NULL */
    bool pin_answers;               /* a typed pin for this certificate answers it */
    bool served; /* nothing is done, for another store serves its readers: why says which */
};

struct xr_plan {
    struct xr_step *items;
    size_t count, capacity;
};

/* One step for each wish, in their order. pool has the certificates of wishes and snapshot. */
void xr_plan_build(struct xr_plan *plan, const struct xr_wish *wishes, size_t count,
                   const struct xr_snapshot *snapshot, const struct xr_caps *caps,
                   struct xr_pool *pool, const struct xr_plan_policy *policy);
/* Adds the step from before to want, as for undo and recovery. Takes ownership of both. */
void xr_plan_step(struct xr_plan *plan, const struct xr_subject *subject, size_t pool_at,
                  struct xr_state *before, struct xr_state *want);
/* Adds a question to a step, unless it is asked already. */
void xr_step_ask(struct xr_step *step, const char *why, bool pin_answers);
bool xr_step_changes(const struct xr_step *step);
/* One entry of the step, of the wanted state or the one before; or NULL. */
const struct xr_entry *xr_step_entry(const struct xr_step *step);
/* The purposes that the step's certificate is an anchor for, before and after it. True if it stays an
 * anchor, for other purposes. */
bool xr_step_trust(const struct xr_step *step, uint32_t *before, uint32_t *after);
/* Adds what trust for these purposes means, in words for whoever is asked. */
void xr_step_meaning(struct xr_buf *out, uint32_t purposes);
size_t xr_plan_changes(const struct xr_plan *plan);   /* steps that change something */
bool xr_plan_refuses_all(const struct xr_plan *plan); /* false if it has no steps */
void xr_plan_free(struct xr_plan *plan);

/* The steps of each subject, for a plan that does not change meanwhile. */
struct xr_steps {
    struct xr_idmap firsts;
    size_t *next; /* by step: the next one of the same subject, or XR_NONE */
};
void xr_steps_index(struct xr_steps *out, const struct xr_plan *plan);
/* The first step of that subject, or XR_NONE. */
size_t xr_steps_of(const struct xr_steps *steps, const struct xr_subject *subject);
void xr_steps_free(struct xr_steps *steps);

#endif
