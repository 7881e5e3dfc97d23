/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdlib.h>

const char *const xr_report_not_covered[] = {
    N_("Python certifi and other bundles inside applications"),
    N_("Node.js (its own roots, unless NODE_EXTRA_CA_CERTS or --use-openssl-ca)"),
    N_("private Java runtimes (their own cacerts)"),
#ifdef _WIN32
    N_("NSS databases (Firefox 120 and newer, and Chromium, use Windows' stores)"),
#else
    N_("macOS keychains"),
#endif
    NULL,
};

const char *xr_level_name(enum xr_level level)
{
    static const char *const names[] = {N_("info"), N_("note"), N_("warning"), N_("error")};

    return names[level];
}

/* Line ends are ours only where lines says so; everything else that moves a cursor never is. */
XR_PRINTF(5, 0)
static void say(struct xr_report *report, enum xr_level level, const char *store, bool lines,
                const char *format, va_list args)
{
    struct xr_message *message = XR_PUSH(&report->messages);
    char text[8192];
    struct xr_buf visible = {0};

    (void)vsnprintf(text, sizeof(text), format, args);
    for (const char *at = text; *at != '\0';) {
        size_t len = lines ? strcspn(at, "\n") : strlen(at);

        xr_buf_visible(&visible, at, len);
        at += len;
        if (*at == '\n') {
            xr_buf_str(&visible, "\n");
            at++;
        }
    }
    message->level = level;
    message->text = visible.data ? visible.data : xr_strdup("");
    message->store = store ? xr_strdup(store) : NULL;
}

void xr_report_say(struct xr_report *report, enum xr_level level, const char *store,
                   const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(report, level, store, false, format, args);
    va_end(args);
}

void xr_report_say_lines(struct xr_report *report, enum xr_level level, const char *store,
                         const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(report, level, store, true, format, args);
    va_end(args);
}

/* The run a message is about, counted from 1. */
static size_t rank(const struct xr_report *report, const struct xr_message *message)
{
    const struct xr_run *run =
        message->store != NULL ? xr_runs_find(&report->runs, message->store) : NULL;

    return run != NULL ? (size_t)(run - report->runs.items) + 1 : 0;
}

void xr_report_sort(struct xr_report *report, size_t from)
{
    size_t count = report->messages.count - from, used = 0;
    struct xr_message *items = report->messages.items + from;
    struct xr_message *sorted = xr_new(count, sizeof(*sorted));
    size_t *ranks = xr_new(count, sizeof(*ranks));

    for (size_t i = 0; i < count; i++)
        ranks[i] = rank(report, &items[i]);
    for (size_t r = 0; r <= report->runs.count && used < count; r++) {
        for (size_t i = 0; i < count; i++) {
            if (ranks[i] == r)
                sorted[used++] = items[i];
        }
    }
    if (count > 0)
        memcpy(items, sorted, count * sizeof(*items));
    free(sorted);
    free(ranks);
}

void xr_report_raise(struct xr_report *report, enum xr_exit code)
{
    static const int order[] = {XR_EXIT_INTERRUPTED, XR_EXIT_USAGE,     XR_EXIT_CONFIRM,
                                XR_EXIT_NO,          XR_EXIT_PRIVILEGE, XR_EXIT_FAILED,
                                XR_EXIT_PARTIAL,     XR_EXIT_DRIFT,     XR_EXIT_OK};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (order[i] == (int)code)
            report->exit = (int)code;
        if (order[i] == report->exit)
            return;
    }
}

void xr_report_fail(struct xr_report *report, enum xr_exit code, const char *text)
{
    xr_report_say(report, XR_ERROR, NULL, "%s", text);
    xr_report_raise(report, code);
}

bool xr_report_takes(const struct xr_report *report)
{
    return report->verb == XR_VERB_DISTRUST || report->verb == XR_VERB_REMOVE;
}

bool xr_report_changed(const struct xr_report *report)
{
    bool changed = report->transaction[0] != '\0';

    for (size_t i = 0; report->verb == XR_VERB_RECOVER && i < report->runs.count; i++)
        changed = changed || report->runs.items[i].result == XR_RESULT_DONE ||
                  report->runs.items[i].result == XR_RESULT_BACK;
    return changed;
}

const char xr_report_no_name[] = N_("(no name)");

char *xr_report_name(const struct xr_report *report, size_t at)
{
    char *name = NULL;
    char *visible = NULL;

    if (at == XR_NONE)
        return xr_strdup("?");
    name = xr_x509_name_short(report->pool.items[at].cert->d.slices.subject);
    visible = xr_visible(name[0] ? name : xr_report_no_name);
    free(name);
    return visible;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_name(const struct xr_run *a, const struct xr_run *b)
{
    return same_text(a->summary, b->summary) && same_text(a->owner.name, b->owner.name);
}

char *xr_report_store_name(const struct xr_report *report, const struct xr_run *run)
{
    return xr_report_store_name_in(report, run, NULL);
}

char *xr_report_store_name_in(const struct xr_report *report, const struct xr_run *run,
                              const struct xr_catalogue *catalogue)
{
    char *summary = NULL;
    bool unique = run->summary != NULL;
    struct xr_buf out = {0};

    for (size_t i = 0; unique && i < report->runs.count; i++)
        unique = &report->runs.items[i] == run || !same_name(&report->runs.items[i], run);
    if (!unique)
        return xr_visible(run->address);
    summary = xr_tr_said(catalogue, run->summary);
    xr_buf_visible(&out, summary, strlen(summary));
    free(summary);
    if (run->owner.name != NULL) {
        xr_buf_str(&out, " (");
        xr_buf_visible(&out, run->owner.name, strlen(run->owner.name));
        xr_buf_str(&out, ")");
    }
    return out.data;
}

const char *xr_report_kind(const struct xr_report *report, size_t at)
{
    enum xr_kind kind = XR_KIND_LEAF;

    return at != XR_NONE && xr_pool_known_kind(&kind, &report->pool, at) ? xr_kind_name(kind)
                                                                         : NULL;
}

static void managed_free(struct xr_managed *managed)
{
    free(managed->store);
    xr_idmap_free(&managed->subjects);
    free(managed->places.items);
    *managed = (struct xr_managed){0};
}

static void take_part(struct xr_managed *managed, const struct xr_part *part)
{
    for (size_t n = 0; n < part->count; n++) {
        const struct xr_state *want = part->items[n].want;
        unsigned char key[XR_SHA256_LEN];
        bool added = false;
        size_t at = 0;

        xr_subject_key(key, &part->items[n].subject);
        at = xr_idmap_put(&managed->subjects, key, managed->places.count, &added);
        if (added)
            *XR_PUSH(&managed->places) = 0;
        for (size_t i = 0; want != NULL && i < want->count; i++)
            managed->places.items[at] |= XR_PLACE_BIT(want->entries[i]->place);
    }
}

/* A list asks about all entries of one store after the other. */
static const struct xr_managed *managed_in(const struct xr_report *report, const char *store)
{
    struct xr_managed *managed = &report->reader->managed;

    if (managed->store != NULL && strcmp(managed->store, store) == 0)
        return managed;
    managed_free(managed);
    managed->store = xr_strdup(store);
    for (size_t i = 0; i < report->journal.count; i++) {
        const struct xr_transaction *t = &report->journal.items[i];

        for (size_t k = 0; k < t->count && t->undone_by[0] == '\0'; k++) {
            if (xr_part_made(&t->items[k]) && strcmp(t->items[k].store, store) == 0)
                take_part(managed, &t->items[k]);
        }
    }
    return managed;
}

bool xr_report_managed(const struct xr_report *report, const struct xr_run *run,
                       const struct xr_entry *entry)
{
    const struct xr_managed *managed = NULL;
    unsigned char key[XR_SHA256_LEN];
    size_t at = 0;

    if (entry->flags & XR_ENTRY_OURS)
        return true;
    managed = managed_in(report, run->address);
    xr_subject_key(key, &entry->subject);
    return (xr_idmap_get(&managed->subjects, key, &at) && at < managed->places.count &&
            (managed->places.items[at] & XR_PLACE_BIT(entry->place)) != 0) ||
           xr_journal_managed_before(&report->journal, run->address, &entry->subject, entry->place);
}

void xr_report_change(struct xr_plan *out, const struct xr_report *report,
                      const struct xr_change *change)
{
    size_t at = change->subject.type == XR_SUBJECT_CERT
                    ? xr_pool_find(&report->pool, change->subject.id)
                    : XR_NONE;

    xr_plan_step(out, &change->subject, at, xr_state_copy(change->before),
                 xr_state_copy(change->want));
}

struct xr_report *xr_report_new(enum xr_verb verb)
{
    struct xr_report *report = xr_new(1, sizeof(*report));

    report->verb = verb;
    report->journal.fd = report->journal.dirfd = -1;
    report->reader = xr_new(1, sizeof(*report->reader));
    return report;
}

struct xr_report *xr_report_usage(enum xr_verb verb, const char *text)
{
    struct xr_report *report = xr_report_new(verb);

    xr_report_say(report, XR_ERROR, NULL, "%s", text);
    xr_report_raise(report, XR_EXIT_USAGE);
    return report;
}

int xr_report_exit(const struct xr_report *report)
{
    return report->exit;
}

const char *xr_report_transaction(const struct xr_report *report)
{
    return report->transaction[0] != '\0' ? report->transaction : NULL;
}

void xr_answer_row_free(struct xr_answer_row *row)
{
    free(row->store);
    free(row->file);
    free(row->why);
}

static void chain_free(struct xr_chain *chain)
{
    for (size_t i = 0; i < chain->left_out.count; i++)
        free(chain->left_out.items[i].why);
    for (size_t i = 0; i < chain->stores.count; i++) {
        free(chain->stores.items[i].store);
        free(chain->stores.items[i].why);
        free(chain->stores.items[i].needs);
    }
    free(chain->rows.items);
    free(chain->left_out.items);
    free(chain->stores.items);
}

void xr_written_free(struct xr_written *written)
{
    free(written->format);
    free(written->path);
    free(written->why);
    xr_buf_free(&written->content);
    for (size_t i = 0; i < written->left_out.count; i++) {
        free(written->left_out.items[i].name);
        free(written->left_out.items[i].why);
    }
    free(written->left_out.items);
    xr_strings_free(&written->differences);
}

void xr_report_free(struct xr_report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->messages.count; i++) {
        free(report->messages.items[i].text);
        free(report->messages.items[i].store);
    }
    free(report->messages.items);
    for (size_t i = 0; i < report->runs.count; i++)
        xr_run_free(&report->runs.items[i]);
    free(report->runs.items);
    for (size_t i = 0; i < report->answers.count; i++)
        xr_answer_row_free(&report->answers.items[i]);
    free(report->answers.items);
    for (size_t i = 0; i < report->inspected.count; i++) {
        xr_strings_free(&report->inspected.items[i].warnings);
        free(report->inspected.items[i].would_go);
    }
    free(report->inspected.items);
    for (size_t i = 0; i < report->listed.count; i++)
        free((void *)report->listed.items[i].items);
    free(report->listed.items);
    free(report->shown.items);
    chain_free(&report->chain);
    for (size_t i = 0; i < report->reader->name_count; i++)
        free(report->reader->names[i]);
    free(report->reader->names);
    managed_free(&report->reader->managed);
    free(report->reader);
    for (size_t i = 0; i < report->written.count; i++)
        xr_written_free(&report->written.items[i]);
    free(report->written.items);
    xr_diff_free(&report->compared.diff);
    for (size_t i = 0; i < 2; i++) {
        xr_list_free(&report->compared.lists[i]);
        free(report->compared.names[i]);
    }
    xr_journal_close(&report->journal);
    xr_pool_free(&report->pool);
    xr_readers_free(&report->readers);
    xr_input_free(&report->input);
    xr_registry_free(&report->registry);
    free(report);
}

static const char *const verb_names[XR_VERB_COUNT] = {
    "inspect", "stores",  "list", "install", "remove",  "distrust", "verify", "undo",
    "history", "recover", "show", "readers", "extract", "diff",     "chain",  "refresh",
};

const char *xr_verb_name(enum xr_verb verb)
{
    return (unsigned)verb < XR_VERB_COUNT ? verb_names[verb] : "?";
}
