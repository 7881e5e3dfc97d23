/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that a command changes only if they are named: those that show a change to everybody who uses
 * the program, or whose programs another store serves already. And what is said where no store is
 * left. */
#include "request.h"

#include "change/txn.h"

#define LEFT_ALONE_NAMED 4u /* in a message */

/* What is to go may still be there; not in a store without any certificate. */
static bool may_hold(const struct xr_engine *engine, struct xr_run *run)
{
    return xr_txn_survey(run, engine->rq->site, &engine->worker, false, NULL) != XR_OK ||
           run->snapshot.count > 0;
}

/* Addresses for a message. */
struct names {
    struct xr_buf text;
    size_t count;
};

static void name(struct names *names, const struct xr_run *run, bool roots_alone)
{
    if (names->count++ < LEFT_ALONE_NAMED) {
        if (names->count > 1)
            xr_buf_str(&names->text, ", ");
        if (roots_alone)
            xr_buf_fmt(&names->text, N_("%s (roots alone)"), run->address);
        else
            xr_buf_str(&names->text, run->address);
    }
}

static const char *more(const struct names *names)
{
    return names->count > LEFT_ALONE_NAMED ? "…" : "";
}

/* A store that every user would see changed, of browsers that are here. */
static bool reaches_all(const struct xr_engine *engine, struct xr_run *run)
{
    return (run->backend->table.flags & XR_BACKEND_HOMES) == 0 &&
           xr_txn_survey(run, engine->rq->site, &engine->worker, false, NULL) == XR_OK &&
           run->caps.serves_everybody;
}

static void say(struct xr_report *report, const struct names *alone, const struct names *all,
                bool takes)
{
    if (alone->count > 0)
        xr_report_say(report, takes ? XR_NOTE : XR_INFO, NULL,
                      alone->count > 1 ? N_("left alone, because --store does not name them: %s%s")
                                       : N_("left alone, because --store does not name it: %s%s"),
                      alone->text.data, more(alone));
    if (all->count > 0)
        xr_report_say(
            report, XR_NOTE, NULL,
            "for every user of the browser, also those to come, name the policy with "
            "--store, or use --scope all: %s%s; the browser then shows that it is managed",
            all->text.data, more(all));
}

void xr_engine_leave_alone(struct xr_engine *engine, size_t from)
{
    struct xr_report *report = engine->report;
    enum xr_verb verb = engine->rq->verb;
    struct names alone = {{0}, 0}, all = {{0}, 0};
    size_t kept = from;
    bool takes = verb == XR_VERB_REMOVE || verb == XR_VERB_DISTRUST;

    if (verb != XR_VERB_INSTALL && !takes && verb != XR_VERB_RECOVER)
        return;
    for (size_t i = from; i < report->runs.count; i++) {
        struct xr_run *run = &report->runs.items[i];

        if (!run->only_named) {
            report->runs.items[kept++] = *run;
            continue;
        }
        engine->left_alone++;
        if (verb == XR_VERB_INSTALL && reaches_all(engine, run))
            name(&all, run, run->caps.places[XR_INTERMEDIATE] == XR_CANNOT);
        else if (verb != XR_VERB_RECOVER && (!takes || may_hold(engine, run)))
            name(&alone, run, false);
        xr_run_free(run);
    }
    report->runs.count = kept;
    say(report, &alone, &all, takes);
    xr_buf_free(&alone.text);
    xr_buf_free(&all.text);
}

void xr_engine_say_none(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    const char *why = NULL;

    /* Then it is already said: no place that was searched could be read, or needs root. */
    if (engine->report->exit != XR_EXIT_OK && engine->report->exit != XR_EXIT_PARTIAL)
        return;
    if (engine->excluded > 0 && engine->left_alone == 0)
        why = N_("every store found here is left out by --exclude-store");
    else if (engine->left_alone > 0)
        why = N_("every store found here is changed only if --store names it");
    else if (rq->scope & XR_SCOPE_SYSTEM)
        why = N_(
            "no trust store found; name one with --store, for example --store openssl:/srv/trust");
    else if (rq->scope & XR_SCOPE_ALL_USERS)
        why = N_(
            "no trust store of any user found; use the machine's with --scope system, or name one "
            "with --store");
    else if (rq->site->home == NULL && rq->site->root == NULL)
        why =
            N_("no trust store of this user found, because HOME is not set; use the machine's with "
               "--scope system, or name one with --store");
    else
        why =
            N_("no trust store of this user found; use the machine's with --scope system, or name "
               "one with --store");
    xr_report_fail(engine->report, XR_EXIT_FAILED, why);
}
