/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossroot-contract: runs the cases that every backend of crossroot passes against a plugin. Each
 * case runs in a process of its own, so one that crashes or hangs is a failure among others.
 */
#include "cases.h"
#include "helpers/client.h"
#include "stores/registry.h"
#include "tree.h"
#include "xr_config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: crossroot-contract --plugin FILE --store BACKEND:DIR [OPTION]...\n"
    "       crossroot-contract --list\n"
    "\n"
    "Checks what a backend of crossroot promises (crossroot/backend.h): one line for each case,\n"
    "ok, FAIL or skip with the reason.\n"
    "\n"
    "  --plugin FILE        shared object to load; not needed for a built-in backend\n"
    "  --store BACKEND:DIR  DIR is an existing directory, not a store: each case makes a\n"
    "                       directory below it, with the store's location in that, and removes\n"
    "                       it again. The location does not exist at first; if the backend calls\n"
    "                       that absent, it is an empty directory.\n"
    "  --case SENTENCE      only that case, with its name from --list\n"
    "  --list               print the names of all cases\n"
    "  --helper             run sessions in crossroot's helper program, as for a backend that\n"
    "                       asks for one (XR_BACKEND_WORKER) or a store in a user's home\n"
    "  --database           do not compare the store's files: their bytes may differ although\n"
    "                       they hold the same\n"
    "  --worker FILE        use this helper program instead of the installed one\n"
    "  --limit SECONDS      time limit of one case (default 300)\n"
    "\n"
    "Exit status: 0 no case failed, 1 a case failed, 2 usage.\n";

struct options {
    const char *plugin, *store, *only, *worker;
    bool list, helper, database;
    int limit;
};

struct run {
    const struct options *options;
    const struct xr_loaded *backend;
    struct xr_worker_config worker;
};

enum outcome { PASSED, SKIPPED, FAILED, OUTCOMES };

static const struct {
    const struct contract_case *cases;
    const size_t *count;
    bool fixed; /* for stores that cannot be written */
} groups[] = {
    {contract_cases, &contract_case_count, false},
    {contract_posix_cases, &contract_posix_case_count, false},
    {contract_fixed_cases, &contract_fixed_case_count, true},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

/* ---- one case, in a process of its own ---- */

/* A path, where nothing is yet. */
static char *fresh_location(const char *scratch)
{
    return tree_path(scratch, "store");
}

static char *made_location(const char *scratch)
{
    tree_dir(scratch, "store");
    return fresh_location(scratch);
}

static const char *begin(struct contract *ctx, struct contract_kind *kind)
{
    const char *failed = contract_begin(ctx);

    if (failed == NULL || ctx->err.status != XR_ABSENT)
        return failed;
    contract_end(ctx);
    kind->location = made_location;
    *ctx = (struct contract){
        .kind = kind, .backend = ctx->backend, .worker = ctx->worker, .scratch = ctx->scratch};
    return contract_begin(ctx);
}

/* Writes the outcome and its reason, and ends the process. */
static _Noreturn void run_here(int out, const struct run *run, const struct contract_case *c,
                               bool fixed, const char *scratch)
{
    struct contract_kind kind = {.backend = run->backend->table.name,
                                 .location = fresh_location,
                                 .image = run->options->database ? NULL : tree_image};
    struct contract ctx = {
        .kind = &kind, .backend = run->backend, .worker = &run->worker, .scratch = scratch};
    const char *failed = begin(&ctx, &kind), *why = NULL;
    char outcome = PASSED;

    if (failed == NULL && ctx.caps.writable == fixed)
        (void)contract_skip(&ctx, fixed ? "the store can be written" : ctx.caps.why_not);
    else if (failed == NULL)
        failed = c->run(&ctx);
    if (failed != NULL)
        outcome = FAILED;
    else if (ctx.skipped != NULL)
        outcome = SKIPPED;
    why = failed != NULL ? failed : ctx.skipped != NULL ? ctx.skipped : "";
    if (write(out, &outcome, 1) != 1 || write(out, why, strlen(why)) != (ssize_t)strlen(why))
        _exit(1);
    contract_end(&ctx);
    exit(0); /* a sanitizer's last word is its exit code */
}

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until the case closed its end; false when the time is up first. */
static bool hear(struct xr_buf *said, int fd, int64_t until)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = until - now_ms();
        char bytes[4096];
        ssize_t len = 0;

        if (left <= 0 || poll(&ready, 1, (int)left) == 0)
            return false;
        len = read(fd, bytes, sizeof(bytes));
        if (len == 0)
            return true;
        if (len > 0)
            xr_buf_add(said, bytes, (size_t)len);
        else if (errno != EINTR)
            return true;
    }
}

/* why is allocated. */
static enum outcome run_apart(char **why, const struct run *run, const struct contract_case *c,
                              bool fixed, const char *scratch)
{
    struct xr_buf said = {0};
    enum outcome outcome = FAILED;
    bool heard = false;
    int ends[2], state = 0;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        *why = xr_format("cannot start a process: %s", strerror(errno));
        return FAILED;
    }
    if (pid == 0) {
        (void)close(ends[0]);
        (void)setpgid(0, 0); /* what it starts ends with it */
        run_here(ends[1], run, c, fixed, scratch);
    }
    (void)setpgid(pid, pid);
    (void)close(ends[1]);
    heard = hear(&said, ends[0], now_ms() + (int64_t)run->options->limit * 1000);
    (void)close(ends[0]);
    if (!heard)
        (void)kill(-pid, SIGKILL);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    (void)kill(-pid, SIGKILL);
    if (!heard)
        *why = xr_format("not finished after %d s", run->options->limit);
    else if (WIFSIGNALED(state))
        *why = xr_format("it crashed: %s", strsignal(WTERMSIG(state)));
    else if (state != 0 || said.len == 0 || (unsigned char)said.data[0] >= OUTCOMES)
        *why = xr_format("the process ended with exit status %d", WEXITSTATUS(state));
    else {
        outcome = (enum outcome)said.data[0];
        *why = xr_strdup(said.data + 1);
    }
    xr_buf_free(&said);
    return outcome;
}

/* ---- all of them ---- */

/* One line; what else a failure has to say, such as files that differ, is below it, indented. */
static void print(enum outcome outcome, const char *name, const char *why)
{
    static const char *const words[] = {"ok  ", "skip", "FAIL"};
    bool first = true;

    (void)printf("%s  %s", words[outcome], name);
    while (*why != '\0') {
        size_t len = strcspn(why, "\n");
        struct xr_buf line = {0};

        xr_buf_visible(&line, why, len);
        if (len > 0)
            (void)printf("%s%s", first ? " -- " : "\n      ", line.data);
        first = false;
        xr_buf_free(&line);
        why += len + (why[len] == '\n');
    }
    (void)printf("\n");
    (void)fflush(stdout);
}

static int run_all(const struct options *o, const struct xr_loaded *backend, const char *dir)
{
    const struct run run = {o, backend, {.remote = xr_helpers, .program = o->worker}};
    size_t counts[OUTCOMES] = {0};

    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0; i < *groups[g].count; i++) {
            const struct contract_case *c = &groups[g].cases[i];
            char *scratch = xr_format("%s/crossroot-contract.XXXXXX", dir), *why = NULL;
            enum outcome outcome = FAILED;

            if (o->only != NULL && strcmp(o->only, c->name) != 0) {
                free(scratch);
                continue;
            }
            if (mkdtemp(scratch) == NULL || chmod(scratch, 0755) != 0) {
                (void)fprintf(stderr, "crossroot-contract: %s: %s\n", dir, strerror(errno));
                free(scratch);
                return 2;
            }
            outcome = run_apart(&why, &run, c, groups[g].fixed, scratch);
            tree_remove(scratch);
            print(outcome, c->name, why);
            counts[outcome]++;
            free(scratch);
            free(why);
        }
    }
    if (counts[PASSED] + counts[SKIPPED] + counts[FAILED] == 0) {
        (void)fprintf(stderr, "crossroot-contract: there is no such case; see --list\n");
        return 2;
    }
    (void)printf("%zu ok, %zu skipped, %zu failed\n", counts[PASSED], counts[SKIPPED],
                 counts[FAILED]);
    return counts[FAILED] > 0;
}

static int with_registry(const struct options *o)
{
    const char *colon = strchr(o->store, ':');
    char *name = NULL, *dir = NULL;
    const struct xr_loaded *found = NULL;
    struct xr_registry registry;
    struct xr_loaded backend = {0};
    struct xr_error err = {.size = sizeof(err)};
    int code = 2;

    xr_registry_init(&registry);
    if (o->plugin != NULL && xr_registry_plugin(&registry, o->plugin, &err) != XR_OK) {
        (void)fprintf(stderr, "crossroot-contract: %s\n", err.text);
        goto out;
    }
    name = colon != NULL ? xr_memdup(o->store, (size_t)(colon - o->store)) : xr_strdup(o->store);
    found = xr_registry_find(&registry, name);
    if (colon == NULL || found == NULL) {
        (void)fprintf(stderr, "crossroot-contract: --store: %s\n",
                      colon == NULL ? "give it as BACKEND:DIR"
                                    : "there is no backend of that name");
        goto out;
    }
    dir = realpath(colon + 1, NULL);
    if (dir == NULL) {
        (void)fprintf(stderr, "crossroot-contract: %s: %s\n", colon + 1, strerror(errno));
        goto out;
    }
    backend = *found;
    if (o->helper)
        backend.table.flags |= XR_BACKEND_WORKER;
    if ((backend.table.flags & XR_BACKEND_WORKER) != 0 && access(o->worker, X_OK) != 0)
        (void)fprintf(stderr, "crossroot-contract: --worker: %s: %s\n", o->worker, strerror(errno));
    else
        code = run_all(o, &backend, dir);
out:
    free(name);
    free(dir);
    xr_registry_free(&registry);
    return code;
}

static int usage(void)
{
    (void)fprintf(stderr, "crossroot-contract: see crossroot-contract --help\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"plugin", required_argument, NULL, 'p'},
        {"store", required_argument, NULL, 's'},
        {"case", required_argument, NULL, 'c'},
        {"list", no_argument, NULL, 'l'},
        {"helper", no_argument, NULL, 'H'},
        {"database", no_argument, NULL, 'd'},
        {"worker", required_argument, NULL, 'w'},
        {"limit", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.worker = XR_WORKER, .limit = 300};
    int option = 0;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'p':
            o.plugin = optarg;
            break;
        case 's':
            o.store = optarg;
            break;
        case 'c':
            o.only = optarg;
            break;
        case 'l':
            o.list = true;
            break;
        case 'H':
            o.helper = true;
            break;
        case 'd':
            o.database = true;
            break;
        case 'w':
            o.worker = optarg;
            break;
        case 't':
            o.limit = (int)strtol(optarg, NULL, 10);
            break;
        case 'h':
            return fputs(help, stdout) < 0;
        case 'V':
            return printf("crossroot-contract %s\n", xr_version()) < 0;
        default:
            return usage();
        }
    }
    for (size_t g = 0; o.list && g < GROUPS; g++) {
        for (size_t i = 0; i < *groups[g].count; i++)
            (void)printf("%s\n", groups[g].cases[i].name);
    }
    if (o.list)
        return 0;
    if (optind != argc || o.store == NULL || o.limit < 1 || o.limit > 86400)
        return usage();
    return with_registry(&o);
}
