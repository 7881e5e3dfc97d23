/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"
#include "password.h"
#include "progress.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Set by a signal's handler, read by any thread of the library's. */
static atomic_bool stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = true;
}

static bool interrupted(void *ctx)
{
    (void)ctx;
    return stopped;
}

static enum xr_reply confirm(void *ctx, const char *text)
{
    char line[16];

    (void)ctx;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return XR_REPLY_NOBODY;
    (void)fprintf(stderr, "%s\nGo on? [y/N] ", text);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return XR_REPLY_NO;
    return line[0] == 'y' || line[0] == 'Y' ? XR_REPLY_YES : XR_REPLY_NO;
}

static bool stopped_now(void)
{
    return stopped;
}

static bool ask_password(void *ctx, const char *store, bool again, char *out, size_t size,
                         size_t *len)
{
    (void)ctx;
    return password_ask(out, size, len, store, again, stopped_now);
}

/* $NAME if it is an absolute path, else HOME/rest; NULL without a home. */
static char *base_dir(const char *name, const char *home, const char *rest)
{
    const char *value = getenv(name);
    char *path = NULL;

    if (value != NULL && value[0] == '/')
        return strdup(value);
    if (home == NULL || asprintf(&path, "%s/%s", home, rest) < 0)
        return NULL;
    return path;
}

/* Helpers work elsewhere. What does not exist is left as it was typed, for the message about it. */
static char *from_here(const char *path)
{
    char *whole = path != NULL && path[0] != '/' ? realpath(path, NULL) : NULL;

    return whole != NULL || path == NULL ? whole : strdup(path);
}

static char **paths_from_here(const struct words *paths)
{
    char **out = calloc(paths->count + 1, sizeof(*out));

    if (out == NULL)
        abort();
    for (size_t i = 0; i < paths->count; i++)
        out[i] = from_here(paths->items[i]);
    return out;
}

static char *default_state(const char *home)
{
    char *base = NULL, *path = NULL;

    if (geteuid() == 0)
        return strdup("/var/lib/crossroot");
    base = base_dir("XDG_STATE_HOME", home, ".local/state");
    if (base == NULL || asprintf(&path, "%s/crossroot", base) < 0)
        path = NULL;
    free(base);
    return path;
}

/* A user's number as a program wrote it; false if there is no such user. */
static bool known_uid(uint32_t *out, const char *text)
{
    char *end = NULL;
    unsigned long value = 0;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || value >= UINT32_MAX || getpwuid((uid_t)value) == NULL)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* Who made this process root, if another user did: sudo, pkexec and doas each say it their way. */
static bool find_invoker(uint32_t *out)
{
    const char *name = getenv("DOAS_USER");
    const struct passwd *user = NULL;

    if (geteuid() != 0)
        return false;
    if (known_uid(out, getenv("SUDO_UID")) || known_uid(out, getenv("PKEXEC_UID")))
        return *out != 0;
    user = name != NULL ? getpwnam(name) : NULL;
    if (user == NULL || user->pw_uid == 0)
        return false;
    *out = user->pw_uid;
    return true;
}

static unsigned default_scope(const struct options *o, bool invoked)
{
    if (geteuid() != 0)
        return XR_SCOPE_USER;
    /* The users of an image are not those of this machine. */
    return invoked && o->root == NULL ? XR_SCOPE_SYSTEM | XR_SCOPE_USER : XR_SCOPE_SYSTEM;
}

static bool wants_color(FILE *out)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    return isatty(fileno(out)) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* A line that is drawn over needs a terminal that can. */
static bool wants_progress(const struct options *o)
{
    const char *term = getenv("TERM");

    return !o->quiet && isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

static struct xr_words words(const struct words *list)
{
    return (struct xr_words){list->items, list->count};
}

static struct xr_report *run(const struct options *o, struct xr_bytes password)
{
    const char *home = getenv("HOME");
    char *data_home = base_dir("XDG_DATA_HOME", home, ".local/share");
    char *config_home = base_dir("XDG_CONFIG_HOME", home, ".config");
    char *state = o->state != NULL ? strdup(o->state) : default_state(home);
    char *worker = from_here(o->worker), *nss = from_here(o->nss);
    char **plugins = paths_from_here(&o->plugins);
    uint32_t invoker = 0;
    bool invoked = find_invoker(&invoker);
    struct xr_report *report = NULL;
    struct xr_request rq = {
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
        .site = {.size = sizeof(rq.site),
                 .root = o->root,
                 .home = home,
                 .data_home = data_home,
                 .uid = geteuid(),
                 .layout = o->layout,
                 .updater_distro = o->updater_distro,
                 .config_home = config_home,
                 .nss = nss},
        .scope = o->scope ? o->scope : default_scope(o, invoked),
        .state_dir = state,
        .worker = worker,
        .now = (int64_t)time(NULL),
        .has_place = o->has_place,
        .place = o->place,
        .purposes = o->purposes,
        .host = o->host,
        .at = o->at,
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
        .has_invoker = invoked,
        .invoker = invoker,
        .progress = wants_progress(o) ? progress_show : NULL,
    };

    report = xr_run_request(&rq);
    free(state);
    free(data_home);
    free(config_home);
    free(worker);
    free(nss);
    for (size_t i = 0; i < o->plugins.count; i++)
        free(plugins[i]);
    free((void *)plugins);
    return report;
}

/* With the password that a descriptor holds, if one is named. */
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
    explicit_bzero(text, sizeof(text));
    free(why);
    return report;
}

static int show(const struct xr_report *report, const struct options *o)
{
    struct xr_text_style style = {.size = sizeof(style), .quiet = o->quiet, .verbose = o->verbose};
    int code = xr_report_exit(report);

    if (o->json) {
        xr_report_json(report, stdout);
    } else {
        style.color = wants_color(stdout);
        if (code != XR_EXIT_USAGE)
            xr_report_text(report, &style, stdout);
        (void)fflush(stdout);
        style.color = wants_color(stderr);
        xr_report_messages(report, &style, stderr);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct xr_report *report = NULL;
    /* The second signal ends the program as usual, wherever it is. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    char *why = NULL;
    int code = 0;

    if (!options_parse(&options, argc, argv, &why)) {
        report = xr_report_usage(options.verb, why);
    } else if (options.version) {
        (void)printf("crossroot %s\n", xr_version());
    } else if (options.help) {
        if (options.has_verb)
            help_verb(options.verb, stdout);
        else
            help_all(stdout);
    } else {
        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        (void)sigaction(SIGHUP, &action, NULL);
        report = run_with_password(&options);
    }
    if (report != NULL)
        code = show(report, &options);
    /* A full disk or a closed pipe must not look like success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == XR_EXIT_OK) {
        (void)fprintf(stderr, "crossroot: error: cannot write: %s\n", strerror(errno));
        code = XR_EXIT_FAILED;
    }
    xr_report_free(report);
    options_free(&options);
    free(why);
    return code;
}
