/* SPDX-License-Identifier: Apache-2.0 */
/* history --prune: forgets old transactions. */
#include "change/journal_prune.h"
#include "request.h"
#include "sys/sys.h"

#include <stdlib.h>

/* False: the reason is reported. */
static bool read_before(struct xr_prune_before *out, struct xr_engine *engine)
{
    struct xr_error err = {0};
    const char *text = engine->rq->prune;

    out->time = xr_sys_parse_time(text, &out->has_time);
    if (out->has_time)
        return true;
    out->transaction = xr_journal_find(&engine->report->journal, text, NULL, NULL, &err);
    if (text[0] != '\0' && out->transaction != SIZE_MAX)
        return true;
    xr_report_fail(engine->report,
                   text[0] == '\0' || err.status == XR_INVALID ? XR_EXIT_USAGE : XR_EXIT_FAILED,
                   text[0] == '\0' ? N_("--prune: neither a date nor a transaction") : err.text);
    return false;
}

static bool confirmed(struct xr_engine *engine, size_t going)
{
    const struct xr_request *rq = engine->rq;
    struct xr_report *report = engine->report;
    enum xr_reply reply = XR_REPLY_YES;
    char *text = NULL;

    if (rq->yes || rq->dry_run || going == 0)
        return true;
    text = xr_format(N_("What the history forgets cannot be undone any more: transactions: %zu\n"),
                     going);
    reply = rq->confirm != NULL ? rq->confirm(rq->ctx, text) : XR_REPLY_NOBODY;
    if (reply == XR_REPLY_NOBODY) {
        xr_report_say_lines(report, XR_ERROR, NULL, "%s\n%.*s",
                            N_("this needs confirmation and nobody can answer; --yes answers it:"),
                            (int)(strlen(text) - 1), text);
        xr_report_raise(report, XR_EXIT_CONFIRM);
    } else if (reply == XR_REPLY_NO) {
        xr_report_fail(report,
                       rq->interrupted != NULL && rq->interrupted(rq->ctx) ? XR_EXIT_INTERRUPTED
                                                                           : XR_EXIT_FAILED,
                       "not confirmed; nothing was changed");
    }
    free(text);
    return reply == XR_REPLY_YES;
}

/* Leaves in the report what goes, or would. */
static void show(struct xr_engine *engine, const struct xr_pruning *pruning)
{
    struct xr_journal *journal = &engine->report->journal;
    size_t kept = 0;

    for (size_t i = 0; i < journal->count; i++) {
        if (pruning->goes[i])
            journal->items[kept++] = journal->items[i];
        else
            xr_transaction_free(&journal->items[i]);
    }
    journal->count = kept;
    for (size_t i = 0; i < journal->count; i++) {
        for (size_t k = 0; k < journal->items[i].count; k++)
            xr_engine_pool_part(engine, &journal->items[i].items[k]);
    }
}

/* Gives the new file its index; without it, that is made by the next change. */
static void index_anew(const struct xr_engine *engine)
{
    struct xr_journal journal;

    (void)xr_journal_open(&journal, engine->state_dir, NULL);
    xr_journal_close(&journal);
}

void xr_engine_prune(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    struct xr_report *report = engine->report;
    struct xr_journal *journal = &report->journal;
    struct xr_prune_before before = {.transaction = 0};
    struct xr_pruning pruning = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (rq->stores.count + rq->excluded.count > 0) {
        xr_report_fail(report, XR_EXIT_USAGE,
                       "--prune is about whole transactions, not about single stores");
        return;
    }
    status = xr_journal_read(journal, engine->state_dir, &err);
    /* Nothing is made where there is no journal. */
    if (status == XR_OK && !rq->dry_run && journal->fd >= 0) {
        xr_journal_close(journal);
        status = xr_journal_open(journal, engine->state_dir, &err);
    }
    if (status != XR_OK || engine->state_dir[0] == '\0') {
        xr_engine_no_journal(engine, status, &err);
        return;
    }
    if (!read_before(&before, engine))
        goto none;
    xr_pruning_choose(&pruning, journal, &before);
    if (!confirmed(engine, pruning.going))
        goto none;
    if (!rq->dry_run && pruning.going > 0)
        status = xr_pruning_apply(&pruning, journal, &err);
    if (status == XR_WARNED) {
        xr_report_say(report, XR_WARNING, NULL, "%s", err.text);
    } else if (status != XR_OK) {
        xr_report_fail(report, status == XR_DENIED ? XR_EXIT_PRIVILEGE : XR_EXIT_FAILED, err.text);
        goto none;
    }
    report->pruned = true;
    report->stayed = pruning.staying;
    /* Before anything is taken out of it: an index of what is shown would hide what stays. */
    xr_journal_let_go(journal);
    show(engine, &pruning);
    xr_pruning_free(&pruning);
    /* While a power cut could bring the old file back, nothing is built on the new one. */
    if (!rq->dry_run && report->journal.count > 0 && status == XR_OK)
        index_anew(engine);
    return;
none: /* the report shows nothing of it */
    xr_pruning_free(&pruning);
    xr_journal_close(journal);
}
