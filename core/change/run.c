/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stdlib.h>

const char *xr_result_name(enum xr_result result)
{
    static const char *const names[XR_RESULT_COUNT] = {
        N_("not-asked"), N_("skipped"), N_("done"),        N_("unchanged"),    N_("refused"),
        N_("conflict"),  N_("failed"),  N_("rolled-back"), N_("would-change"), N_("would-refuse")};

    return names[result];
}

void xr_run_free(struct xr_run *run)
{
    free(run->address);
    free(run->location);
    free(run->summary);
    free(run->why);
    xr_secret_wipe(&run->password);
    xr_owner_free(&run->owner);
    xr_subjects_free(&run->leaving);
    xr_subjects_free(&run->coming);
    for (size_t i = 0; i < run->notes.count; i++)
        free(run->notes.items[i].text);
    free(run->notes.items);
    for (size_t i = 0; i < run->refreshed.count; i++)
        free(run->refreshed.items[i].text);
    free(run->refreshed.items);
    xr_store_close(&run->kept);
    xr_snapshot_free(&run->snapshot);
    xr_snapshot_free(&run->after);
    xr_plan_free(&run->plan);
}

void xr_run_wait(struct xr_run *run)
{
    if (run->kept.soon)
        xr_store_close(&run->kept);
}

struct xr_run *xr_runs_find(const struct xr_runs *runs, const char *address)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (strcmp(runs->items[i].address, address) == 0)
            return &runs->items[i];
    }
    return NULL;
}

struct xr_steps *xr_runs_steps(const struct xr_runs *runs)
{
    struct xr_steps *steps = xr_new(runs->count, sizeof(*steps));

    for (size_t i = 0; i < runs->count; i++)
        xr_steps_index(&steps[i], &runs->items[i].plan);
    return steps;
}

void xr_runs_steps_free(struct xr_steps *steps, const struct xr_runs *runs)
{
    for (size_t i = 0; steps != NULL && i < runs->count; i++)
        xr_steps_free(&steps[i]);
    free(steps);
}

void xr_run_way(struct xr_way *out, const struct xr_owner *owner, const struct xr_site *site,
                const struct xr_worker_config *worker)
{
    *out = (struct xr_way){.site = *site};
    if (worker != NULL)
        out->worker = *worker;
    if (!owner->other)
        return;
    out->site.uid = owner->uid;
    out->site.home = owner->home;
    out->site.config_home = owner->config_home;
    out->site.data_home = owner->data_home;
    out->worker.has_identity = true;
    out->worker.uid = owner->uid;
    out->worker.gid = owner->gid;
}

enum xr_status xr_run_open(struct xr_store *store, const struct xr_run *run,
                           const struct xr_site *site, enum xr_mode mode,
                           const struct xr_worker_config *worker, struct xr_error *err)
{
    struct xr_way way;
    const struct xr_target target = {.size = sizeof(target),
                                     .site = &way.site,
                                     .location = run->location,
                                     .leaving = run->leaving.items,
                                     .leaving_count = run->leaving.count,
                                     .coming = run->coming.items,
                                     .coming_count = run->coming.count,
                                     .soon = run->soon};

    xr_run_way(&way, &run->owner, site, worker);
    return xr_store_open(store, run->backend, &target, mode, &way.worker, err);
}

/* The caller has the privilege; only the owner lacks it. */
void xr_run_caps(struct xr_run *run, const struct xr_store *store)
{
    run->caps = store->caps;
    if (run->caps.summary[0] == '\0' && run->summary != NULL)
        (void)snprintf(run->caps.summary, sizeof(run->caps.summary), "%s", run->summary);
    run->caps.needs_privilege = run->caps.needs_privilege && !run->owner.other;
    if (!run->caps.writable && run->owner.other && run->owner.name == NULL)
        (void)snprintf(
            run->caps.why_not, sizeof(run->caps.why_not),
            N_("this store can only be read from outside the image; run crossroot inside "
               "the image"));
}

void xr_run_recall(struct xr_run *run, const struct xr_journal *journal)
{
    if ((run->backend->table.flags & XR_BACKEND_PUBLISHES) == 0)
        return;
    xr_subjects_free(&run->leaving);
    xr_subjects_free(&run->coming);
    xr_journal_recall(&run->leaving, &run->coming, journal, run->address);
}

void xr_run_agree(struct xr_run *run)
{
    run->agreed = run->caps.would_trust[0] != '\0';
    memcpy(run->agreed_id, run->caps.would_trust_id, sizeof(run->agreed_id));
}

bool xr_run_agreed(const struct xr_run *run)
{
    return run->caps.would_trust[0] == '\0' ||
           (run->agreed &&
            memcmp(run->agreed_id, run->caps.would_trust_id, sizeof(run->agreed_id)) == 0);
}

bool xr_run_same_user(const struct xr_run *a, const struct xr_run *b)
{
    return a->owner.other == b->owner.other && (!a->owner.other || a->owner.uid == b->owner.uid);
}

void xr_run_note(struct xr_run *run, bool warning, const char *text)
{
    for (size_t i = 0; i < run->notes.count; i++) {
        if (strcmp(run->notes.items[i].text, text) == 0) {
            run->notes.items[i].warning |= warning;
            return;
        }
    }
    *XR_PUSH(&run->notes) = (struct xr_run_note){warning, xr_strdup(text)};
}

enum xr_status xr_run_unwritable(const struct xr_run *run, struct xr_error *err)
{
    return run->caps.refused ? xr_fail(err, XR_REFUSED, "%s", run->caps.why_not)
                             : xr_fail(err, XR_DENIED, "cannot be written: %s", run->caps.why_not);
}

void xr_run_end_unwritable(struct xr_run *run)
{
    run->privilege = run->caps.needs_privilege;
    xr_run_end(run, run->caps.refused ? XR_RESULT_REFUSED : XR_RESULT_FAILED,
               run->caps.refused ? xr_strdup(run->caps.why_not)
                                 : xr_format(N_("cannot be written: %s"), run->caps.why_not));
}

void xr_run_end(struct xr_run *run, enum xr_result result, char *why)
{
    run->result = result;
    free(run->why);
    run->why = why;
}
