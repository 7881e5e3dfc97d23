/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of stores: found before anything is changed. */
#include "change_run.h"

#include "change/stale.h"

#include <stdlib.h>

#define TRIES 3u

static struct xr_bytes bytes_of(const struct xr_secret *secret)
{
    return (struct xr_bytes){secret->data, secret->len};
}

/* ---- which entries ---- */

/* Does a step add or remove an entry in one of these places? */
static bool needed(const struct xr_plan *plan, uint32_t places)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (xr_step_changes(&plan->items[i]) &&
            xr_state_differs_in(plan->items[i].before, plan->items[i].want, places))
            return true;
    }
    return false;
}

/* ---- who knows it ---- */

/* XR_DENIED: a wrong one. */
static enum xr_status try(struct xr_run *run, struct xr_store *store, struct xr_bytes password,
                          struct xr_error *err)
{
    enum xr_status status = xr_store_unlock(store, password, err);

    if (status == XR_OK)
        xr_secret_set(&run->password, password);
    return status;
}

/* XR_ABSENT: nobody answers. */
static enum xr_status ask(struct xr_change_run *c, struct xr_run *run, struct xr_store *store,
                          bool again, struct xr_error *err)
{
    const struct xr_request *rq = c->engine->rq;
    char typed[XR_PASSWORD_MAX];
    char *shown = xr_visible(run->address);
    size_t len = 0;
    enum xr_status status = XR_ABSENT;

    xr_run_wait(run);
    if (rq->ask_password != NULL &&
        rq->ask_password(rq->ctx, shown, again, typed, sizeof(typed), &len)) {
        struct xr_bytes password = {(const unsigned char *)typed, len};

        status = try(run, store, password, err);
        if (status == XR_OK)
            xr_secret_set(&c->last_password, password);
    }
    xr_wipe(typed, sizeof(typed));
    free(shown);
    return status;
}

/* store is open for reading. Tries the given password first, then the last one that opened another
 * store, then asks. */
static enum xr_status find(struct xr_change_run *c, struct xr_run *run, struct xr_store *store,
                           struct xr_error *err)
{
    const struct xr_request *rq = c->engine->rq;
    enum xr_status status = XR_DENIED;
    bool wrong = false;

    if (rq->password.data != NULL) {
        status = try(run, store, rq->password, err);
        wrong = status == XR_DENIED;
    }
    if (status == XR_DENIED && c->last_password.data != NULL)
        status = try(run, store, bytes_of(&c->last_password), err);
    for (unsigned i = 0; i < TRIES && status == XR_DENIED; i++) {
        status = ask(c, run, store, i > 0, err);
        wrong = wrong || status == XR_DENIED;
    }
    if (status == XR_DENIED || status == XR_ABSENT)
        status =
            xr_fail(err, XR_REFUSED,
                    wrong ? N_("wrong password: give the right one with --password-fd, or on a "
                               "terminal")
                          : N_("this store has a password: give it with --password-fd, or on "
                               "a terminal"));
    return status;
}

static bool end(struct xr_run *run, enum xr_status status, const struct xr_error *err)
{
    if (status != XR_OK)
        xr_run_end(run, status == XR_REFUSED ? XR_RESULT_REFUSED : XR_RESULT_FAILED,
                   xr_strdup(err->text));
    return status == XR_OK;
}

static enum xr_status open_to_read(struct xr_change_run *c, struct xr_run *run,
                                   struct xr_store *store, struct xr_error *err)
{
    return xr_run_open(store, run, c->engine->rq->site, XR_READ, &c->engine->worker, err);
}

void xr_change_unlock(struct xr_change_run *c)
{
    struct xr_report *report = c->engine->report;
    const struct xr_request *rq = c->engine->rq;

    for (size_t i = 0; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];
        struct xr_store store = {0};
        struct xr_error err = {0};
        enum xr_status status = XR_OK;

        if (rq->interrupted != NULL && rq->interrupted(rq->ctx))
            return;
        if (run->why != NULL || run->backend->table.unlock == NULL ||
            !needed(&run->plan, run->caps.locked))
            continue;
        status = open_to_read(c, run, &store, &err);
        if (status == XR_OK)
            status = find(c, run, &store, &err);
        (void)end(run, status, &err);
        xr_store_close(&store);
    }
}

/* Must recovery change a locked place? It is not known yet whether it will finish or roll back. */
static bool part_locked(struct xr_store *store, const struct xr_transaction *t,
                        const struct xr_part *part)
{
    struct xr_snapshot now = {0};
    bool strict = t->flags != 0 && !t->ended;
    bool done = true, locked = false;

    for (size_t i = 0; i < part->count; i++)
        xr_snapshot_only(&now, &part->items[i].subject);
    if (xr_store_list(store, xr_snapshot_take, &now, NULL) == XR_OK) {
        for (size_t i = 0; i < part->count; i++) {
            const struct xr_change *change = &part->items[i];
            const struct xr_state *current = xr_snapshot_find(&now, &change->subject);

            done = done && xr_state_same(current, change->want);
            locked = locked || xr_state_differs_in(current, change->before, store->caps.locked) ||
                     xr_state_differs_in(current, change->want, store->caps.locked);
        }
    }
    xr_snapshot_free(&now);
    return locked && (!done || strict);
}

bool xr_change_unlock_part(struct xr_change_run *c, struct xr_run *run, size_t t, size_t p)
{
    struct xr_store store = {0};
    struct xr_error err = {0};
    const struct xr_transaction *transaction = &c->journal.items[t];
    enum xr_status status = XR_OK;
    bool good = true;

    xr_secret_wipe(&run->password);
    if (run->backend->table.unlock == NULL)
        return true;
    status = open_to_read(c, run, &store, &err);
    if (status == XR_STALE &&
        xr_stale_end(run, c->engine->rq->site, &c->engine->worker, NULL) == XR_OK)
        status = open_to_read(c, run, &store, &err);
    /* An error here occurs again, and is reported, when the store is opened for writing. */
    if (status == XR_OK && part_locked(&store, transaction, &transaction->items[p]))
        good = end(run, find(c, run, &store, &err), &err);
    xr_store_close(&store);
    return good;
}
