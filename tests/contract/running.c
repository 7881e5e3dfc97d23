/* SPDX-License-Identifier: Apache-2.0 */
#include "running.h"

#include <stdlib.h>

static void set_run(struct running *r, const struct xr_loaded *backend, const char *location)
{
    r->run.backend = backend;
    r->run.location = xr_strdup(location);
    r->run.address = xr_format("%s:%s", backend->table.name, location);
    r->run.part = XR_NONE;
}

void running_begin(struct running *r, const struct xr_loaded *backend, const char *location,
                   const struct xr_worker_config *worker)
{
    *r = (struct running){.journal = {.fd = -1, .dirfd = -1}};
    r->site.size = sizeof(r->site);
    r->err.size = sizeof(r->err);
    if (worker != NULL)
        r->worker = *worker;
    r->txn = (struct xr_txn){.journal = &r->journal, .site = &r->site, .worker = &r->worker};
    set_run(r, backend, location);
}

void running_wish(struct running *r, enum xr_wish_kind what, struct xr_bytes der)
{
    struct xr_wish *wish = XR_PUSH(&r->wishes);
    struct xr_cert *cert = NULL;

    wish->what = what;
    wish->der = der;
    wish->subject.type = XR_SUBJECT_CRL;
    wish->pool_at = XR_NONE;
    xr_host.sha256(wish->subject.id, der);
    if (xr_cert_new(&cert, der, NULL) == XR_OK) {
        wish->subject.type = XR_SUBJECT_CERT;
        wish->pool_at = xr_pool_add(&r->pool, cert);
        xr_cert_free(cert);
    }
}

enum xr_status running_survey(struct running *r)
{
    return xr_txn_survey(&r->run, &r->site, &r->worker, false, &r->err);
}

enum xr_status running_apply(struct running *r, const char *state)
{
    const struct xr_plan_policy policy = {.best_effort = true};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < r->run.snapshot.count; i++) {
        const struct xr_state *held = r->run.snapshot.items[i];
        struct xr_cert *cert = NULL;

        if (held->count == 0 || xr_cert_new(&cert, held->entries[0]->der, NULL) != XR_OK)
            continue;
        (void)xr_pool_add(&r->pool, cert);
        xr_cert_free(cert);
    }
    xr_plan_build(&r->run.plan, r->wishes.items, r->wishes.count, &r->run.snapshot, &r->run.caps,
                  &r->pool, &policy);
    status = xr_journal_open(&r->journal, state, &r->err);
    if (status == XR_OK)
        status = xr_journal_begin(&r->journal, &r->txn.transaction, "install", NULL, NULL, 0, 0,
                                  &r->err);
    if (status != XR_OK)
        return status;
    xr_txn_apply(&r->txn, &r->run);
    return xr_journal_end(&r->journal, r->txn.transaction, &r->err);
}

bool running_recover(struct running *r, const char *state, size_t *count)
{
    const struct xr_loaded *backend = r->run.backend;
    char *location = xr_strdup(r->run.location);
    bool good = xr_journal_open(&r->journal, state, &r->err) == XR_OK;

    *count = 0;
    for (size_t t = 0; good && t < r->journal.count; t++) {
        for (size_t p = 0; good && p < r->journal.items[t].count; p++) {
            if (r->journal.items[t].items[p].stage != XR_STAGE_PENDING)
                continue;
            (*count)++;
            xr_run_free(&r->run);
            r->run = (struct xr_run){0};
            set_run(r, backend, location);
            xr_txn_recover(&r->txn, &r->run, t, p);
            good = r->journal.items[t].items[p].stage != XR_STAGE_PENDING;
            if (!good)
                (void)xr_fail(&r->err, XR_FAILED, "still pending: %s",
                              r->run.why ? r->run.why : xr_result_name(r->run.result));
        }
    }
    free(location);
    return good;
}

void running_end(struct running *r)
{
    xr_run_free(&r->run);
    xr_journal_close(&r->journal);
    xr_pool_free(&r->pool);
    free(r->wishes.items);
}
