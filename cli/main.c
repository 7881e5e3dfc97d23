/* SPDX-License-Identifier: Apache-2.0 */
#include "language.h"
#include "options.h"
#include "password.h"
#include "platform.h"
#include "progress.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

static bool interrupted(void *ctx)
{
    (void)ctx;
    return platform_stopped();
}

/* Is this line "y" or "yes", or in Japanese what its keyboards write for them? No more than that:
 * "yamete" is "stop". A line without its end was longer, or not finished. */
static bool is_yes(const char *line)
{
    static const char *const words[] = {"y", "yes"}, *const japanese[] = {"ｙ", "Ｙ", "はい"};
    size_t len = strlen(line);
    bool whole = len > 0 && line[len - 1] == '\n';

    while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
        len--;
    while (len > 0 && strchr(" \t", *line) != NULL) {
        line++;
        len--;
    }
    for (size_t i = 0; whole && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == len && strncasecmp(line, words[i], len) == 0)
            return true;
    }
    for (size_t i = 0; whole && language() != NULL && i < sizeof(japanese) / sizeof(japanese[0]);
         i++) {
        if (strlen(japanese[i]) == len && strncmp(line, japanese[i], len) == 0)
            return true;
    }
    return false;
}

static enum xr_reply confirm(void *ctx, const char *text)
{
    char line[64], *said = NULL;

    (void)ctx;
    if (!platform_terminal(stdin) || !platform_terminal(stderr))
        return XR_REPLY_NOBODY;
    said = xr_tr_said(language(), text);
    (void)fprintf(stderr, TR("%s\nContinue? [y/N] "), said);
    free(said);
    platform_flush();
    if (!platform_line(line, sizeof(line)))
        return XR_REPLY_NO;
    return is_yes(line) ? XR_REPLY_YES : XR_REPLY_NO;
}

static bool ask_password(void *ctx, const char *store, bool again, char *out, size_t size,
                         size_t *len)
{
    (void)ctx;
    return password_ask(out, size, len, store, again, platform_stopped);
}

/* Thousands of changes of a test are not the machine's. */
static bool wants_log(void)
{
    const char *log = getenv("CROSSROOT_LOG");

    return log == NULL || strcmp(log, "none") != 0;
}

static atomic_bool log_lost;

static void tell_log(void *ctx, const char *line)
{
    (void)ctx;
    if (!platform_log(line))
        log_lost = true;
}

static char **paths_from_here(const struct words *paths)
{
    char **out = calloc(paths->count + 1, sizeof(*out));

    if (out == NULL)
        abort();
    for (size_t i = 0; i < paths->count; i++)
        out[i] = platform_path(paths->items[i]);
    return out;
}

static bool wants_progress(const struct options *o)
{
    return !o->quiet && platform_draws();
}

static struct xr_words words(const struct words *list)
{
    return (struct xr_words){list->items, list->count};
}

/* What a file, or a program, is to this machine depends on the machine's own stores too; everybody may read them. */
static unsigned scope_of(enum xr_verb verb, unsigned scope)
{
    return verb == XR_VERB_INSPECT || verb == XR_VERB_READERS ? scope | XR_SCOPE_SYSTEM : scope;
}

/* What packagers' tools set for reproducible builds
 * (https://reproducible-builds.org/specs/source-date-epoch/). */
static bool source_date(int64_t *out)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    size_t len = epoch != NULL ? strspn(epoch, "0123456789") : 0;

    if (len == 0 || len > 12 || epoch[len] != '\0')
        return false;
    *out = strtoll(epoch, NULL, 10);
    return true;
}

/* The history shows the times of this machine, so a date is meant so too. */
static const char *prune_before(char *out, size_t size, const char *before)
{
    bool dated = false;
    int64_t day = before != NULL ? xr_time_parse(before, &dated) : 0;

    if (!dated || strlen(before) != strlen("2026-01-01"))
        return before;
    platform_midnight(out, size, day);
    (void)xr_time_parse(out, &dated);
    return dated ? out : before;
}

static struct xr_report *run(const struct options *o, struct xr_bytes password)
{
    char before[80];
    struct here here;
    char *worker = platform_path(o->worker), *nss = platform_path(o->nss);
    char **plugins = paths_from_here(&o->plugins);
    struct xr_report *report = NULL;
    struct xr_site site;
    struct xr_request rq;
    int64_t now = (int64_t)time(NULL), expires_by = 0, when = 0;
    bool dated = false;

    platform_find(&here, o->root != NULL);
    dated = o->verb == XR_VERB_EXTRACT && source_date(&when);
    if (dated)
        now = when;
    site = (struct xr_site){.size = sizeof(site),
                            .root = o->root,
                            .home = here.home,
                            .data_home = here.data_home,
                            .uid = here.uid,
                            .layout = o->layout,
                            .updater_distro = o->updater_distro,
                            .config_home = here.config_home,
                            .nss = nss,
                            .rebuild = o->rebuild};
    if (o->has_expires_within)
        expires_by = now + (int64_t)o->expires_within * 86400;
    expires_by += o->has_expires_within && expires_by == 0; /* which is no date */
    rq = (struct xr_request){
        .size = sizeof(rq),
        .verb = o->verb,
        .operands = words(&o->operands),
        .stores = words(&o->stores),
        .excluded = words(&o->excluded),
        .plugins = {(const char *const *)plugins, o->plugins.count},
        .pins = words(&o->pins),
        .published = words(&o->published),
        .untrusted = words(&o->untrusted),
        .serials = words(&o->serials),
        .site = &site,
        .scope = o->scope ? o->scope : scope_of(o->verb, here.scope),
        .state_dir = o->state ? o->state : here.state,
        .worker = worker,
        /* Not as .at, where 0 is no date. */
        .now = o->has_at ? o->at : now,
        .has_place = o->has_place,
        .place = o->place,
        .purposes = o->purposes,
        .host = o->host,
        .yes = o->yes,
        .dry_run = o->dry_run,
        .best_effort = o->best_effort,
        .drop_constraints = o->drop_constraints,
        .key = o->key,
        .require_verified = o->require_verified,
        .all_or_nothing = o->all_or_nothing,
        .managed = o->managed,
        .confirm = confirm,
        .interrupted = interrupted,
        .password = password,
        .ask_password = ask_password,
        .has_invoker = here.invoked,
        .invoker = here.invoker,
        .progress = wants_progress(o) ? progress_show : NULL,
        .only = o->only,
        .verbose = o->verbose,
        .expires_by = expires_by,
        .sort = o->sort,
        .reach = o->scope ? 0 : here.reach,
        .by = here.user,
        .only_files = o->only_files,
        .environment = platform_environment(),
        .permit_dns = words(&o->permit_dns),
        .permit_cidrs = words(&o->permit_cidrs),
        .sources = words(&o->from),
        .outputs = words(&o->outputs),
        .blocklists = words(&o->blocklists),
        .merge = o->merge,
        .comments = o->comments,
        .check = o->check,
        .update = o->update,
        .overwrite = o->overwrite,
        .all_paths = o->all_paths,
        .expired = o->expired,
        .distrust_after = o->distrust_after,
        .has_modified = o->has_modified || dated,
        .modified = o->has_modified ? o->modified : when,
        .log = wants_log() ? tell_log : NULL,
        .prune = prune_before(before, sizeof(before), o->prune),
        .text_only = !o->json,
    };

    report = xr_run_request(&rq);
    platform_free(&here);
    free(worker);
    free(nss);
    for (size_t i = 0; i < o->plugins.count; i++)
        free(plugins[i]);
    free((void *)plugins);
    return report;
}

/* Runs the request, with the password from --password-fd if that is given. */
static struct xr_report *run_with_password(const struct options *o)
{
    char text[XR_PASSWORD_MAX];
    struct xr_bytes password = {0};
    struct xr_report *report = NULL;
    char *why = NULL;

    if (o->has_password_fd) {
        password.data = (const unsigned char *)text;
        if (!password_read(text, sizeof(text), &password.len, o->password_fd, &why))
            report = xr_report_usage(o->verb, why);
    }
    if (report == NULL)
        report = run(o, password);
    platform_wipe(text, sizeof(text));
    free(why);
    return report;
}

/* Says that standard output failed, as errno tells. What was changed is changed all the same. */
static void tell_unwritten(const char *transaction)
{
    const char *why = errno != 0 ? TR(strerror(errno)) : NULL;

    if (transaction != NULL && why != NULL)
        (void)fprintf(stderr,
                      TR("crossroot: error: what was done is recorded as transaction %s, but the "
                         "output could not be written: %s\n"),
                      transaction, why);
    else if (transaction != NULL)
        (void)fprintf(stderr,
                      TR("crossroot: error: what was done is recorded as transaction %s, but the "
                         "output could not be written\n"),
                      transaction);
    else if (why != NULL)
        (void)fprintf(stderr, TR("crossroot: error: the output could not be written: %s\n"), why);
    else
        (void)fputs(TR("crossroot: error: the output could not be written\n"), stderr);
}

/* A full disk or a closed pipe must not look like success. */
static int deliver(FILE *results, const char *transaction, int code)
{
    if (platform_deliver(results, transaction != NULL))
        return code;
    tell_unwritten(transaction);
    return code == XR_EXIT_OK ? XR_EXIT_FAILED : code;
}

static int show(const struct xr_report *report, const struct options *o)
{
    struct xr_text_style style = {.size = sizeof(style),
                                  .quiet = o->quiet,
                                  .verbose = o->verbose,
                                  .local_time = platform_local_time,
                                  .pem = o->pem,
                                  .markdown = o->markdown,
                                  .catalogue = language()};
    int code = xr_report_exit(report);
    FILE *results = platform_collect();

    style.color = platform_color(stdout);
    style.width = platform_width(stdout);
    if (o->json)
        xr_report_json(report, results);
    else if (code != XR_EXIT_USAGE)
        xr_report_text(report, &style, results);
    code = deliver(results, xr_report_transaction(report), code);
    if (!o->json) {
        platform_flush(); /* the report comes before its messages */
        style.color = platform_color(stderr);
        style.width = platform_width(stderr);
        xr_report_messages(report, &style, stderr);
    }
    return code;
}

/* What needs no library. */
static int tell(const struct options *o)
{
    FILE *results = platform_collect();

    if (o->version && o->verbose)
        version_tell(o, results);
    else if (o->version)
        (void)fprintf(results, "crossroot %s\n", xr_version());
    else if (o->help && o->command != COMMANDS)
        help_command(o->command, results);
    else if (o->help_licences)
        platform_licences(results);
    else if (o->help_options)
        help_options(results);
    else if (o->help)
        help_all(results);
    else
        completion_write(o->operands.items[0], results);
    return deliver(results, NULL, XR_EXIT_OK);
}

int main(int argc, char **argv)
{
    struct options options;
    struct xr_report *report = NULL;
    char *why = NULL;
    bool parsed = false;
    int code = 0;

    platform_begin(&argc, &argv);
    parsed = options_parse(&options, argc, argv, &why);
    if (!options.json) /* which is English, and what stands beside it */
        language_begin();
    if (!parsed) {
        report = xr_report_usage(options.verb, why);
    } else if (options.version || options.help || options.command == COMMAND_COMPLETION) {
        code = tell(&options);
    } else {
        platform_heed_signals();
        report = run_with_password(&options);
    }
    if (report != NULL)
        code = show(report, &options);
    if (log_lost && !options.quiet)
        (void)fputs(
            TR("crossroot: warning: the system's log takes no messages: lines of this change "
               "are not in it\n"),
            stderr);
    if (code == XR_EXIT_PRIVILEGE && !options.json && !options.quiet)
        platform_advise_privilege();
    xr_report_free(report);
    options_free(&options);
    free(why);
    language_end();
    platform_end();
    return code;
}
