/* SPDX-License-Identifier: Apache-2.0 */
/* The verb readers: programs of this machine, which stores each reads, and what it would say of a
 * chain. */
#include "request.h"

#include "change/prober.h"
#include "change/stale.h"
#include "sys/sys.h"
#include "sys/tree.h"

#include <stdlib.h>

struct asking {
    struct xr_engine *engine;
    const struct xr_probe *probe; /* NULL: no file was given */
    struct xr_verdict *verdicts;  /* by run */
};

/* ---- stores ---- */

/* What browsers read is asked of the store nss, whose verifier has an opinion of each. */
static bool is_database(const struct xr_run *run)
{
    return strcmp(run->backend->table.name, "nss") == 0;
}

static void ask(void *ctx, struct xr_run *run)
{
    struct asking *a = ctx;
    struct xr_engine *engine = a->engine;
    struct xr_verdict *verdict = &a->verdicts[run - engine->report->runs.items];
    struct xr_store store = {0};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    if (run->why != NULL)
        return;
    verdict->size = sizeof(*verdict);
    status = xr_run_open(&store, run, engine->rq->site, XR_READ, &engine->worker, &err);
    if (xr_stale_advise(run, status, &err) != XR_OK) {
        xr_engine_unread(engine, run, status, &err);
        xr_store_close(&store);
        return;
    }
    xr_run_caps(run, &store);
    if (a->probe != NULL && is_database(run)) {
        struct xr_prober prober = xr_prober_of(run, &store, engine->rq->site, &engine->worker);

        if (xr_prober_probe(&prober, verdict, a->probe, NULL, &err) != XR_OK) {
            *verdict = (struct xr_verdict){.size = sizeof(*verdict)};
            (void)snprintf(verdict->why, sizeof(verdict->why), "%.255s", err.text);
        }
        xr_prober_end(&prober);
    }
    xr_store_close(&store);
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);

    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        if (len == size && strncmp(words, word, len) == 0)
            return true;
        words += len;
        words += strspn(words, " ");
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), size = strlen(end);

    return len >= size && strcmp(text + len - size, end) == 0;
}

/* Is it below a directory that the program's own is called, such as ".mozilla/firefox"? */
static bool is_in_its_place(const char *location, const char *word)
{
    char *plain = xr_format("/%s/", word), *hidden = xr_format("/.%s/", word);
    bool is = strstr(location, plain) != NULL || strstr(location, hidden) != NULL;

    free(plain);
    free(hidden);
    return is;
}

/* The capabilities say it. Of a database that could not be opened, its kind and its place do: the last
 * is that of all Chromiums. */
static bool serves(const struct xr_run *run, const struct xr_program *program)
{
    const char *kind = run->caps.summary[0] != '\0' ? run->caps.summary : run->summary;

    if (run->caps.serves[0] != '\0')
        return has_word(run->caps.serves, program->word);
    if (!is_database(run))
        return kind != NULL && strstr(kind, program->name) != NULL;
    if (kind != NULL && strstr(kind, program->name) != NULL)
        return true;
    return is_in_its_place(run->location, program->word) ||
           (program->habit == XR_HABIT_CHROMIUM &&
            (ends_with(run->location, "/.pki/nssdb") || ends_with(run->location, "/pki/nssdb")));
}

/* ---- browsers ---- */

static bool same_user(const struct xr_run *a, const struct xr_run *b)
{
    return a->owner.other == b->owner.other && (!a->owner.other || a->owner.uid == b->owner.uid);
}

static const char *opinion_name(const struct xr_opinion *opinion, const struct xr_program *program)
{
    size_t len = strlen(program->name);

    return strncmp(opinion->by, program->name, len) == 0 &&
                   (opinion->by[len] == '\0' || opinion->by[len] == ',')
               ? opinion->by + len
               : NULL;
}

/* found: the program's row from its executable, or NULL. */
static struct xr_reader_row *add_row(struct asking *a, const struct xr_program *program,
                                     const struct xr_reader_row *found, const struct xr_run *run)
{
    struct xr_report *report = a->engine->report;
    struct xr_reader_row *row = XR_PUSH(&report->readers);

    row->program = program;
    row->name = xr_strdup(program->name);
    row->path = found != NULL ? xr_strdup(found->path) : NULL;
    row->version = found != NULL && found->version != NULL ? xr_strdup(found->version) : NULL;
    row->measured = found != NULL && found->measured;
    row->user = run->owner.name != NULL ? xr_strdup(run->owner.name) : NULL;
    row->reads.items = NULL;
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *other = &report->runs.items[i];

        if (other == run ||
            (!is_database(other) && strcmp(other->backend->table.name, "windows") != 0 &&
             serves(other, program) &&
             (strcmp(other->backend->table.name, "policy") == 0 || same_user(run, other))))
            xr_readers_add(row, XR_READ_IS_STORE, NULL, NULL)->store = xr_strdup(other->address);
    }
    xr_readers_add(row, XR_READ_IS_STORE, row->path, NULL)->own = true;
    return row;
}

static void fill(struct xr_reader_row *row, const struct xr_opinion *opinion,
                 const struct xr_run *run)
{
    bool unmeasured = opinion->answer != XR_UNKNOWN && !row->measured;

    row->engine = xr_format(N_("rules of %s"), opinion->by);
    row->decides = xr_strdup(run->address);
    row->answer = unmeasured ? XR_UNKNOWN : opinion->answer;
    row->why = unmeasured ? xr_format(opinion->answer == XR_YES
                                          ? N_("yes, if it is as the one measured (%s)")
                                          : N_("no, if it is as the one measured (%s)"),
                                      row->program->measured)
                          : xr_strdup(opinion->why);
}

/* One row a database and browser, or one for each opinion where its profiles differ. */
static void add_browser(struct asking *a, const struct xr_program *program,
                        const struct xr_reader_row *found, const struct xr_run *run)
{
    const struct xr_verdict *verdict = &a->verdicts[run - a->engine->report->runs.items];
    struct xr_reader_row *row = NULL;

    for (size_t i = 0; i < verdict->also_count; i++) {
        const char *rest = opinion_name(&verdict->also[i], program);

        if (rest == NULL)
            continue;
        row = add_row(a, program, found, run);
        if (strncmp(rest, ", profile", 9) == 0 || strncmp(rest, ", other", 7) == 0) {
            free(row->name);
            row->name = xr_strdup(verdict->also[i].by);
        }
        fill(row, &verdict->also[i], run);
    }
    if (row != NULL)
        return;
    row = add_row(a, program, found, run);
    if (run->why != NULL)
        row->cannot = xr_strdup(run->why);
    else if (a->probe != NULL)
        row->cannot = verdict->why[0] != '\0'
                          ? xr_format(N_("nobody knows its rules for that: %s"), verdict->why)
                          : xr_strdup(N_("its rules were not asked"));
    if (row->cannot != NULL)
        row->why = xr_strdup(row->cannot);
}

/* Browsers that were found by their executables have their rows by their databases. */
static void add_browsers(struct asking *a, const struct xr_readers *found)
{
    struct xr_report *report = a->engine->report;

    for (size_t p = 0; p < xr_program_count; p++) {
        const struct xr_program *program = &xr_programs[p];
        const struct xr_reader_row *there = NULL;
        size_t before = report->readers.count;

        if (program->engine != XR_ENGINE_BROWSER)
            continue;
        for (size_t i = 0; there == NULL && i < found->count; i++)
            there = found->items[i].program == program ? &found->items[i] : NULL;
        for (size_t i = 0; i < report->runs.count; i++) {
            const struct xr_run *run = &report->runs.items[i];

            /* All Chromiums share a place: those that are not here do not count there. */
            if (is_database(run) && run->result != XR_RESULT_SKIPPED && serves(run, program) &&
                (there != NULL || program->habit == XR_HABIT_FIREFOX ||
                 is_in_its_place(run->location, program->word)))
                add_browser(a, program, there, run);
        }
        if (there != NULL && report->readers.count == before && a->engine->rq->stores.count == 0) {
            struct xr_reader_row *row = XR_PUSH(&report->readers);

            row->program = program;
            row->name = xr_strdup(program->name);
            row->path = xr_strdup(there->path);
            row->version = there->version != NULL ? xr_strdup(there->version) : NULL;
            row->measured = there->measured;
            row->cannot = xr_strdup(N_("no profile of it is in view; see --scope"));
            row->why = xr_strdup(row->cannot);
        }
    }
}

/* ---- other programs ---- */

static bool below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    while (len > 0 && dir[len - 1] == '/')
        len--;
    return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* What distributions publish for programs; its store is ca-certificates. */
static bool is_published(const char *path)
{
    static const char *const dirs[] = {
        "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted",
        "/etc/ca-certificates/extracted", "/var/lib/ca-certificates"};

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (below(path, dirs[i]))
            return true;
    }
    return false;
}

static const char *store_of(const struct xr_engine *engine, const char *path)
{
    const struct xr_runs *runs = &engine->report->runs;
    const char *root = engine->rq->site->root != NULL ? engine->rq->site->root : "";

    for (size_t i = 0; i < runs->count; i++) {
        const struct xr_run *run = &runs->items[i];
        const char *name = run->backend->table.name;
        char *whole = xr_format("%s%s", root, path);
        bool is = (strcmp(name, "openssl") == 0 && below(whole, run->location)) ||
                  (strcmp(name, "ca-certificates") == 0 && is_published(path));

        free(whole);
        if (is)
            return run->address;
    }
    return NULL;
}

/* With --store, a program counts if it reads one of these stores. */
static bool is_wanted(struct xr_engine *engine, struct xr_reader_row *reader)
{
    bool wanted = engine->rq->stores.count == 0;

    for (size_t i = 0; i < reader->reads.count; i++) {
        struct xr_read *read = &reader->reads.items[i];
        const char *store = read->path != NULL && !read->own ? store_of(engine, read->path) : NULL;

        if (store != NULL)
            read->store = xr_strdup(store);
        wanted = wanted || store != NULL;
    }
    return wanted;
}

static void take(struct xr_readers *to, struct xr_reader_row *from)
{
    *XR_PUSH(to) = *from;
    *from = (struct xr_reader_row){.program = from->program};
}

static void add_others(struct asking *a, struct xr_readers *found)
{
    struct xr_engine *engine = a->engine;

    for (size_t i = 0; i < found->count; i++) {
        struct xr_reader_row *reader = &found->items[i];

        if (reader->program->engine == XR_ENGINE_BROWSER || !is_wanted(engine, reader))
            continue;
        if (a->probe != NULL && a->probe->purpose == XR_SERVER)
            xr_readers_judge(reader, engine->rq->site->root, a->probe);
        else if (a->probe != NULL)
            reader->why = xr_strdup(N_("programs were measured as clients of servers alone"));
        take(&engine->report->readers, reader);
    }
}

/* ---- the question ---- */

struct chain {
    struct xr_bytes *items;
    struct xr_probe probe;
};

static bool read_chain(struct chain *out, struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    struct xr_input *input = &engine->report->input;

    if (rq->operands.count > 1) {
        xr_report_fail(engine->report, XR_EXIT_USAGE, "readers takes one file at a time");
        return false;
    }
    if (rq->host != NULL && !xr_engine_is_host(rq->host)) {
        xr_engine_say_host(engine);
        return false;
    }
    input->password = rq->password;
    xr_input_add(input, rq->operands.items[0]);
    for (size_t i = 0; i < rq->untrusted.count; i++)
        xr_input_add(input, rq->untrusted.items[i]);
    input->password = (struct xr_bytes){0};
    xr_engine_pool_input(engine);
    xr_engine_rejects(engine, XR_ERROR);
    out->items = xr_new(input->found.count + 1, sizeof(*out->items));
    out->probe =
        (struct xr_probe){.size = sizeof(out->probe),
                          .chain = out->items,
                          .purpose = rq->purposes ? rq->purposes & (~rq->purposes + 1) : XR_SERVER,
                          .host = rq->host,
                          .at = rq->at ? rq->at : rq->now};
    for (size_t i = 0; i < input->found.count; i++) {
        if (input->found.items[i].cert != NULL)
            out->items[out->probe.count++] = input->found.items[i].cert->der;
    }
    if (input->failed || out->probe.count == 0) {
        xr_report_raise(engine->report, XR_EXIT_FAILED);
        return false;
    }
    return true;
}

static void grade(struct xr_report *report)
{
    size_t yes = 0, no = 0;

    for (size_t i = 0; i < report->readers.count; i++) {
        yes += report->readers.items[i].answer == XR_YES;
        no += report->readers.items[i].answer == XR_NO;
    }
    if (no > 0)
        xr_report_raise(report, XR_EXIT_NO);
    else if (yes == 0)
        xr_report_raise(report, XR_EXIT_FAILED);
    else if (yes < report->readers.count)
        xr_report_raise(report, XR_EXIT_PARTIAL);
}

static void say_none(struct xr_engine *engine)
{
#ifdef _WIN32
    xr_report_say(engine->report, XR_NOTE, NULL, "no program of Windows is in the table yet");
#else
    xr_report_say(engine->report, XR_NOTE, NULL,
                  engine->rq->stores.count > 0
                      ? N_("none of the programs in the table was found to read these stores")
                      : N_("none of the programs in the table was found"));
#endif
}

void xr_verb_readers(struct xr_engine *engine)
{
    const struct xr_request *rq = engine->rq;
    struct xr_report *report = engine->report;
    struct xr_readers_at at = {.root = rq->site->root,
                               .home = rq->site->home,
                               .config_home = rq->site->config_home,
                               .environment = rq->environment};
    struct asking a = {.engine = engine};
    struct xr_readers found = {0};
    struct chain chain = {0};

    if (rq->operands.count > 0 && !read_chain(&chain, engine))
        goto out;
    a.probe = rq->operands.count > 0 ? &chain.probe : NULL;
    report->asked = a.probe != NULL;
    /* A machine without any store still has programs. */
    if (rq->stores.count > 0 ? !xr_engine_select(engine)
                             : !xr_engine_discover(engine) && report->exit == XR_EXIT_USAGE)
        goto out;
    if (at.root != NULL) { /* those of this machine are not in it */
        at.environment = (struct xr_words){0};
    } else if (at.home != NULL && xr_sys_exists(at.home) && !xr_tree_ours(at.home)) {
        xr_report_say(report, XR_NOTE, NULL,
                      "programs in %s are not looked for: it belongs to another user", at.home);
        at.home = at.config_home = NULL;
    }
    a.verdicts = xr_new(report->runs.count + 1, sizeof(*a.verdicts));
    xr_engine_each(engine, 0, false, ask, &a);
    xr_readers_find(&found, &at);
    add_others(&a, &found);
    add_browsers(&a, &found);
    if (report->readers.count == 0)
        say_none(engine);
    if (a.probe != NULL)
        grade(report);
out:
    xr_readers_free(&found);
    free(a.verdicts);
    free(chain.items);
}
