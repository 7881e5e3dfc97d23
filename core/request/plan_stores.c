/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a plan for every store, from the wishes and the store's own content. */
#include "change/clash.h"
#include "change_run.h"
#include "sys/sys.h"

#include <stdlib.h>

static const char *keep(struct xr_change_run *c, char *text)
{
    xr_strings_add(&c->texts, text);
    free(text);
    return c->texts.items[c->texts.count - 1];
}

struct imagined {
    struct xr_engine *engine;
    const struct xr_snapshot *snapshot;
    const struct xr_wish *extra; /* as if it were an intermediate already; may be NULL */
    const struct xr_wishes *all; /* as if all of these were in their places; may be NULL */
};

static bool would_be(const struct imagined *im, enum xr_place place, size_t at)
{
    struct xr_pool *pool = &im->engine->report->pool;

    for (size_t i = 0; im->all != NULL && i < im->all->count; i++) {
        if (im->all->items[i].what == XR_WISH_INSTALL && im->all->items[i].pool_at == at)
            return place == (xr_pool_kind(pool, at) == XR_KIND_ROOT ? XR_ANCHOR : XR_INTERMEDIATE);
    }
    return place == XR_INTERMEDIATE && im->extra != NULL && im->extra->pool_at == at;
}

static enum xr_status imagine(void *ctx, enum xr_place place, struct xr_bytes name,
                              uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    const struct imagined *im = ctx;
    const struct xr_pool *pool = &im->engine->report->pool;
    enum xr_status status = XR_OK;

    (void)name_hash;
    for (size_t i = 0; status == XR_OK && i < pool->count; i++) {
        const struct xr_cert *cert = pool->items[i].cert;
        struct xr_subject subject = {.type = XR_SUBJECT_CERT};
        bool there = false;

        memcpy(subject.id, cert->sha256, sizeof(subject.id));
        there = (xr_state_in(xr_snapshot_find(im->snapshot, &subject), place) != NULL &&
                 xr_state_in(xr_snapshot_find(im->snapshot, &subject), XR_DISTRUST) == NULL) ||
                would_be(im, place, i);
        if (there && xr_x509_name_equal(cert->d.slices.subject, name))
            status = emit(emit_ctx, cert->der);
    }
    return status;
}

static bool validates(struct xr_engine *engine, const struct xr_snapshot *snapshot,
                      const struct xr_wish *extra, const struct xr_wishes *all, size_t target,
                      int64_t at)
{
    struct imagined im = {engine, snapshot, extra, all};
    struct xr_probe probe = {.size = sizeof(probe),
                             .chain = &engine->report->pool.items[target].cert->der,
                             .count = 1,
                             .purpose = XR_SERVER,
                             .at = at};
    struct xr_path_check check = {
        .size = sizeof(check), .probe = &probe, .lookup = imagine, .lookup_ctx = &im};
    struct xr_verdict verdict = {.size = sizeof(verdict)};

    return xr_x509_path_check(&verdict, &check, NULL) == XR_OK && verdict.answer == XR_YES;
}

/* Most path checks for shadows in one command: a directory of equal names must not take quadratic
 * time. */
#define SHADOW_CHECKS 100u

/* Would a certificate that validates in this store stop validating, now or when the new certificate
 * has expired? Checks the certificates that its subject issued. */
static void look_for_shadows(struct xr_change_run *c, const struct xr_run *run, struct xr_wish *w)
{
    struct xr_pool *pool = &c->engine->report->pool;
    const struct xr_pool_item *item = w->pool_at == XR_NONE ? NULL : &pool->items[w->pool_at];

    w->caution = NULL;
    if (w->what != XR_WISH_INSTALL || item == NULL ||
        xr_pool_kind(pool, w->pool_at) == XR_KIND_ROOT || !xr_cert_is_ca(item->cert))
        return;
    for (size_t i = 0; i < pool->count && w->caution == NULL; i++) {
        const int64_t times[] = {c->engine->rq->now, item->cert->d.not_after + 1};

        if (pool->items[i].issuer != item->subject || i == w->pool_at)
            continue;
        for (size_t t = 0; t < 2 && w->caution == NULL; t++) {
            if (c->shadow_checks++ >= SHADOW_CHECKS)
                return;
            if (times[t] > pool->items[i].cert->d.not_after ||
                !validates(c->engine, &run->snapshot, NULL, NULL, i, times[t]) ||
                validates(c->engine, &run->snapshot, w, NULL, i, times[t]))
                continue;
            char *name = xr_report_name(c->engine->report, i);
            char when[XR_TIME_TEXT_MAX];

            xr_sys_time_text(when, times[t]);
            w->caution =
                keep(c, t > 0 ? xr_format(N_("with it installed, %s would no longer validate in "
                                             "this store from %s"),
                                          name, when)
                              : xr_format(N_("with it installed, %s would no longer validate in "
                                             "this store"),
                                          name));
            free(name);
        }
    }
}

static int compare_numbers(struct xr_bytes a, struct xr_bytes b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

static int compare_crls(const struct xr_crl *a, const struct xr_crl *b)
{
    int numbers =
        a->number.len > 0 && b->number.len > 0 ? compare_numbers(a->number, b->number) : 0;

    if (numbers != 0)
        return numbers;
    return a->this_update < b->this_update ? -1 : a->this_update > b->this_update;
}

/* Is the CRL signed by a CA that this store trusts, or will once this command is done? A CA that
 * merely has the name could otherwise put its CRL in place of the real one. */
static bool signer_trusted(struct xr_change_run *c, const struct xr_run *run,
                           const struct xr_crl *crl)
{
    struct xr_pool *pool = &c->engine->report->pool;

    for (size_t i = 0; i < pool->count; i++) {
        struct xr_cert *cert = pool->items[i].cert;

        if (xr_cert_is_ca(cert) && xr_crl_signed_by(crl, cert) &&
            validates(c->engine, &run->snapshot, NULL, &c->wishes, i, c->engine->rq->now))
            return true;
    }
    return false;
}

static bool wished(const struct xr_wishes *wishes, const struct xr_subject *subject)
{
    for (size_t i = 0; i < wishes->count; i++) {
        if (xr_subject_equal(&wishes->items[i].subject, subject))
            return true;
    }
    return false;
}

/* Compares a new CRL with one that the store has: refuses an older one, replaces the old one. own
 * may grow. */
static void weigh_crl(struct xr_wishes *own, size_t at, const struct xr_crl *fresh,
                      const struct xr_state *state)
{
    struct xr_crl *present = NULL;

    if (state->subject.type != XR_SUBJECT_CRL ||
        xr_subject_equal(&state->subject, &own->items[at].subject) ||
        xr_crl_new(&present, state->entries[0]->der, NULL) != XR_OK)
        return;
    if (xr_x509_name_equal(present->issuer, fresh->issuer)) {
        if (compare_crls(fresh, present) <= 0)
            own->items[at].refusal = N_("the store has a newer CRL of this issuer");
        else if (!wished(own, &state->subject))
            *XR_PUSH(own) = (struct xr_wish){.what = XR_WISH_REMOVE,
                                             .subject = state->subject,
                                             .der = state->entries[0]->der,
                                             .pool_at = XR_NONE,
                                             .superseded = true};
    }
    xr_crl_free(present);
}

/* Adjusts a store's wishes for new CRLs to the CRLs and CAs that it has. */
static void weigh_crls(struct xr_change_run *c, const struct xr_run *run, struct xr_wishes *own)
{
    size_t count = own->count;

    for (size_t i = 0; i < count; i++) {
        struct xr_crl *fresh = NULL;

        if (own->items[i].subject.type != XR_SUBJECT_CRL || own->items[i].refusal != NULL ||
            own->items[i].what != XR_WISH_INSTALL ||
            xr_crl_new(&fresh, own->items[i].der, NULL) != XR_OK)
            continue;
        if (!signer_trusted(c, run, fresh))
            own->items[i].refusal = N_("no CA that this store trusts signed this CRL");
        for (size_t k = 0; own->items[i].refusal == NULL && k < run->snapshot.count; k++)
            weigh_crl(own, i, fresh, run->snapshot.items[k]);
        xr_crl_free(fresh);
    }
}

static void plan_run(struct xr_change_run *c, struct xr_run *run)
{
    const struct xr_request *rq = c->engine->rq;
    struct xr_plan_policy policy = {rq->best_effort, rq->drop_constraints, rq->key, rq->only};
    struct xr_wishes own = {0};

    xr_plan_free(&run->plan);
    for (size_t i = 0; i < c->wishes.count; i++) {
        struct xr_wish *copy = XR_PUSH(&own);

        *copy = c->wishes.items[i];
        look_for_shadows(c, run, copy);
    }
    weigh_crls(c, run, &own);
    xr_plan_build(&run->plan, own.items, own.count, &run->snapshot, &run->caps,
                  &c->engine->report->pool, &policy);
    if (run->caps.one_per_serial)
        xr_plan_refuse_clashes(&run->plan, &run->snapshot, &c->engine->report->pool);
    free(own.items);
    if (!run->caps.writable && xr_plan_changes(&run->plan) > 0) {
        xr_run_end_unwritable(run);
        if (run->result == XR_RESULT_FAILED && !run->named)
            run->result = XR_RESULT_SKIPPED;
    }
}

void xr_change_plan(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;

    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.items[i].why == NULL)
            plan_run(c, &report->runs.items[i]);
    }
    xr_change_serve(c);
}
