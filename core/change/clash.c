/* SPDX-License-Identifier: Apache-2.0 */
#include "clash.h"

#include <stdlib.h>

/* A certificate that the store has, or will have once the steps so far are made. */
struct holder {
    const struct xr_cert *cert;
    bool gone; /* an earlier step removes it */
    bool new;  /* an earlier step brings it */
    size_t next;
};

struct holders {
    struct holder *items;
    size_t count, capacity;
    struct xr_idmap first; /* from the ID of issuer and serial number */
    struct xr_idmap at;    /* from a certificate's SHA-256 */
};

static struct xr_subject pair_of(const struct xr_cert *cert)
{
    struct xr_subject pair;

    xr_subject_issuer_serial(&pair, cert->d.slices.issuer, cert->d.slices.serial, xr_x509_sha256);
    return pair;
}

static struct holder *hold(struct holders *all, const struct xr_cert *cert)
{
    struct xr_subject pair = pair_of(cert);
    bool added = false;
    size_t at = xr_idmap_put(&all->at, cert->sha256, all->count, &added), first = 0;

    if (!added)
        return &all->items[at];
    *XR_PUSH(all) = (struct holder){.cert = cert, .next = XR_NONE};
    first = xr_idmap_put(&all->first, pair.id, at, &added);
    if (!added) {
        all->items[at].next = all->items[first].next;
        all->items[first].next = at;
    }
    return &all->items[at];
}

static const struct holder *other_of(const struct holders *all, const struct xr_cert *cert)
{
    struct xr_subject pair = pair_of(cert);
    size_t at = XR_NONE;

    if (all->items == NULL || !xr_idmap_get(&all->first, pair.id, &at))
        return NULL;
    while (at != XR_NONE && (all->items[at].gone || all->items[at].cert == cert))
        at = all->items[at].next;
    return at != XR_NONE ? &all->items[at] : NULL;
}

static void refuse(struct xr_plan *plan, size_t at, char *why)
{
    struct xr_step *step = &plan->items[at];
    struct xr_step *before = at > 0 ? step - 1 : NULL;

    xr_state_free(step->want);
    step->want = NULL;
    free(step->ask);
    step->ask = NULL;
    free(step->why);
    step->why = why;
    step->action = XR_ACTION_REFUSE;
    /* What would have made room for it stays. */
    if (before != NULL && before->pool_at == step->pool_at &&
        before->subject.type == XR_SUBJECT_ISSUER_SERIAL)
        before->action = XR_ACTION_NONE;
}

/* Does a step before this one remove the subject? */
static bool cleared(const struct xr_plan *plan, size_t before, const struct xr_subject *subject)
{
    for (size_t i = 0; i < before; i++) {
        if (xr_subject_equal(&plan->items[i].subject, subject) && xr_step_changes(&plan->items[i]))
            return plan->items[i].want == NULL;
    }
    return false;
}

static char *why_not(const struct holders *all, const struct xr_plan *plan, size_t at,
                     const struct xr_snapshot *snapshot, const struct xr_cert *cert)
{
    const struct holder *other = other_of(all, cert);
    struct xr_subject pair = pair_of(cert);
    char hex[2 * XR_SHA256_LEN + 1];

    if (other != NULL) {
        xr_hex(hex, other->cert->sha256, XR_SHA256_LEN);
        return xr_format(other->new ? N_("this store can hold only one certificate of an issuer "
                                         "and serial number, and this command also brings %s; "
                                         "name the one that is right")
                                    : N_("this store can hold only one certificate of an issuer "
                                         "and serial number, and has %s; remove that first if "
                                         "this one is right"),
                         hex);
    }
    if (xr_snapshot_find(snapshot, &pair) != NULL && !cleared(plan, at, &pair)) {
        xr_hex(hex, pair.id, XR_SHA256_LEN);
        return xr_format(
            N_("this store has trust settings for another certificate of this issuer and "
               "serial number; remove %s first"),
            hex);
    }
    return NULL;
}

void xr_plan_refuse_clashes(struct xr_plan *plan, const struct xr_snapshot *snapshot,
                            const struct xr_pool *pool)
{
    struct holders all = {0};

    for (size_t i = 0; i < snapshot->count; i++) {
        const struct xr_subject *subject = &snapshot->items[i]->subject;
        size_t at = subject->type == XR_SUBJECT_CERT ? xr_pool_find(pool, subject->id) : XR_NONE;

        if (at != XR_NONE)
            (void)hold(&all, pool->items[at].cert);
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct xr_step *step = &plan->items[i];
        const struct xr_cert *cert =
            step->subject.type == XR_SUBJECT_CERT && step->pool_at != XR_NONE
                ? pool->items[step->pool_at].cert
                : NULL;
        char *why = NULL;

        if (cert == NULL || !xr_step_changes(step))
            continue;
        if (step->want == NULL) {
            hold(&all, cert)->gone = true;
            continue;
        }
        why = why_not(&all, plan, i, snapshot, cert);
        if (why != NULL)
            refuse(plan, i, why);
        else if (step->before == NULL)
            hold(&all, cert)->new = true;
    }
    free(all.items);
    xr_idmap_free(&all.first);
    xr_idmap_free(&all.at);
}
