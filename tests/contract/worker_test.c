/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in the helper program, with a backend and with helpers that misbehave. With XR_FORKED
 * the helpers are copies of one. */
#include "helpers/forkserver.h"
#include "helpers/pool.h"
#include "pki.h"
#include "running.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *dir;
static struct xr_registry registry;
static const struct xr_loaded *naughty;
static struct xr_worker_config config;
static struct xr_error err;
static struct xr_store store;
static const struct xr_site site = {.size = sizeof(site)};
static struct xr_forkservers forkservers;
static struct xr_helper_pool pool;

static void begin(void)
{
    size_t len = 0;
    char *data = tree_read(&len, XR_PLUGINS, "naughty.so");
    char *path = NULL;

    dir = tree_new("worker");
    tree_write(dir, "naughty.so", data, len, 0755);
    free(data);
    path = tree_path(dir, "naughty.so");
    err = (struct xr_error){.size = sizeof(err)};
    cr_assert(xr_registry_plugin(&registry, path, &err) == XR_OK, "%s", err.text);
    free(path);
    naughty = xr_registry_find(&registry, "naughty");
    config =
        (struct xr_worker_config){.remote = xr_helpers, .program = XR_TEST_BIN_DIR "/core/worker"};
    config.copy = xr_forkservers_spawn;
    config.copier = &forkservers;
    if (XR_FORKED)
        xr_forkservers_prepare(&forkservers, naughty, &site, &config);
}

static void end(void)
{
    xr_store_close(&store);
    xr_helper_pool_free(&pool);
    xr_forkservers_free(&forkservers);
    xr_registry_free(&registry);
    tree_remove(dir);
    free(dir);
}

TestSuite(worker, .init = begin, .fini = end);

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Neither running nor a zombie. */
static bool no_children(void)
{
    bool none = false;

    xr_forkservers_free(&forkservers);
    none = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    if (XR_FORKED)
        xr_forkservers_prepare(&forkservers, naughty, &site, &config);
    return none;
}

static enum xr_status open_store(const char *location)
{
    return xr_store_open(&store, naughty, XR_TARGET(&site, location), XR_WRITE, &config, &err);
}

static enum xr_status count(void *ctx, const struct xr_entry *entry)
{
    (void)entry;
    ++*(size_t *)ctx;
    return XR_OK;
}

static enum xr_status list(void)
{
    size_t entries = 0;

    return xr_store_list(&store, count, &entries, &err);
}

static struct pki_blob root(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Worker Root", 1760000000);
    struct pki_blob der = {0};

    cr_assert(key != NULL && pki_issue(&der, key, NULL, NULL, &spec) == 0);
    pki_key_free(key);
    return der;
}

/* ---- a backend that crashes or hangs ---- */

Test(worker, a_crash_is_told_with_its_signal_and_the_parent_lives)
{
    cr_assert(open_store("crash-list") == XR_OK, "%s", err.text);
    cr_assert(list() == XR_LOST);
    cr_assert(err.status == XR_LOST && strstr(err.text, "signal 6") != NULL, "%s", err.text);
    cr_assert(strstr(err.text, "naughty") != NULL);
    cr_assert(no_children());
    /* Whatever is asked next is answered the same, at once. */
    cr_assert(list() == XR_LOST && strstr(err.text, "signal 6") != NULL);
    cr_assert(xr_store_flush(&store, &err) == XR_LOST);
}

Test(worker, a_crash_within_a_list_is_a_lost_helper)
{
    cr_assert(open_store("crash-within-list") == XR_OK);
    cr_assert(list() == XR_LOST && strstr(err.text, "signal 6") != NULL, "%s", err.text);
    cr_assert(no_children());
}

Test(worker, a_crash_while_opening_leaves_nothing)
{
    cr_assert(open_store("crash-open") == XR_LOST && strstr(err.text, "signal 6") != NULL);
    cr_assert(store.backend == NULL && store.worker == NULL && no_children());
}

Test(worker, a_backend_that_ends_the_process_is_a_lost_helper)
{
    cr_assert(open_store("quit-open") == XR_LOST && err.text[0] != '\0');
    cr_assert(no_children());
}

Test(worker, a_crash_while_closing_harms_nobody)
{
    cr_assert(open_store("crash-close") == XR_OK);
    xr_store_close(&store);
    cr_assert(no_children());
}

Test(worker, a_crash_of_probe_or_flush_is_a_lost_helper)
{
    struct xr_verdict verdict;
    struct xr_bytes chain = {0};
    const struct xr_probe probe = {.size = sizeof(probe), .chain = &chain, .count = 1};

    cr_assert(open_store("crash-probe") == XR_OK);
    cr_assert(xr_store_probe(&store, &verdict, &probe, &err) == XR_LOST);
    xr_store_close(&store);
    cr_assert(open_store("crash-flush") == XR_OK);
    cr_assert(xr_store_flush(&store, &err) == XR_LOST);
    cr_assert(no_children());
}

Test(worker, a_hang_ends_at_the_time_limit_and_the_helper_with_it)
{
    static const char *const where[] = {"hang-open", "hang-list", "hang-swap"};
    struct xr_entry entry = {.size = sizeof(entry), .subject = {.type = XR_SUBJECT_KEY}};
    struct xr_state *want = xr_state_new(&entry.subject);

    xr_state_add(want, &entry);
    config.limit_ms = 300;
    for (size_t i = 0; i < 3; i++) {
        int64_t start = now_ms();
        enum xr_status status = open_store(where[i]);

        if (i > 0) {
            cr_assert(status == XR_OK);
            status = i == 1 ? list() : xr_store_swap(&store, NULL, want, &err);
        }
        cr_assert(status == XR_LOST);
        cr_assert(strstr(err.text, "300 ms") != NULL, "%s", err.text);
        cr_assert(now_ms() - start >= 290 && now_ms() - start < 5000);
        cr_assert(no_children());
        xr_store_close(&store);
    }
    xr_state_free(want);
}

Test(worker, a_hang_while_closing_ends_too)
{
    int64_t start = now_ms();

    cr_assert(open_store("hang-close") == XR_OK);
    xr_store_close(&store);
    cr_assert(now_ms() - start < 10000 && no_children());
}

Test(worker, a_list_without_end_ends_at_the_time_limit)
{
    config.limit_ms = 500;
    cr_assert(open_store("flood") == XR_OK);
    cr_assert(list() == XR_LOST);
    cr_assert(no_children());
}

Test(worker, an_error_comes_through_as_it_was)
{
    cr_assert(open_store("fail-open") == XR_DENIED);
    cr_assert_str_eq(err.text, "not for you");
    cr_assert_str_eq(err.domain, "naughty");
    cr_assert(err.code == 42 && no_children());
}

Test(worker, garbage_from_a_backend_never_reaches_the_parent)
{
    static const char *const what[] = {"garbage-place", "garbage-type", "garbage-length",
                                       "garbage-count"};

    for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
        cr_assert(open_store(what[i]) == XR_OK);
        cr_assert(list() == XR_LOST, "%s", what[i]);
        cr_assert(no_children());
        xr_store_close(&store);
    }
}

Test(worker, a_garbled_verdict_is_a_lost_helper)
{
    static const char *const what[] = {"garbage-verdict", "garbage-answer"};
    struct xr_bytes chain = {0};
    const struct xr_probe probe = {.size = sizeof(probe), .chain = &chain, .count = 1};

    for (size_t i = 0; i < 2; i++) {
        struct xr_verdict verdict;

        cr_assert(open_store(what[i]) == XR_OK);
        cr_assert(xr_store_probe(&store, &verdict, &probe, &err) == XR_LOST);
        cr_assert(no_children());
        xr_store_close(&store);
    }
}

Test(worker, a_label_larger_than_a_message_fails_with_a_reason)
{
    cr_assert(open_store("huge-label") == XR_OK);
    err.text[0] = '\0';
    cr_assert(list() != XR_OK);
    cr_assert(err.text[0] != '\0');
}

/* ---- a transaction over such a backend ---- */

static enum xr_result transact(const char *what, char **why, struct xr_bytes der,
                               enum xr_stage *stage)
{
    char *location = xr_format("%s:%s/entry", what, dir), *state = tree_path(dir, "state");
    struct running r;
    enum xr_result result = XR_RESULT_NOT_ASKED;

    running_begin(&r, naughty, location, &config);
    running_wish(&r, XR_WISH_INSTALL, der);
    cr_assert(running_survey(&r) == XR_OK, "%s", r.err.text);
    cr_assert(running_apply(&r, state) == XR_OK, "%s", r.err.text);
    result = r.run.result;
    *why = r.run.why               ? xr_strdup(r.run.why)
           : r.run.notes.count > 0 ? xr_strdup(r.run.notes.items[0].text)
                                   : NULL;
    *stage = r.journal.items[r.txn.transaction].items[0].stage;
    running_end(&r);
    free(location);
    free(state);
    return result;
}

static void check(const char *what, enum xr_result result, const char *why_part,
                  enum xr_stage stage, bool there)
{
    struct pki_blob der = root();
    char *why = NULL;
    enum xr_stage got_stage = XR_STAGE_PENDING;
    enum xr_result got = transact(what, &why, (struct xr_bytes){der.data, der.len}, &got_stage);

    cr_assert(got == result, "%s: %s (%s)", what, xr_result_name(got), why ? why : "no reason");
    if (why_part != NULL)
        cr_assert(why != NULL && strstr(why, why_part) != NULL, "%s", why ? why : "no reason");
    cr_assert(got_stage == stage);
    cr_assert(tree_has(dir, "entry") == there);
    cr_assert(no_children());
    free(why);
    pki_blob_free(&der);
}

Test(worker, an_honest_store_is_done)
{
    check("honest", XR_RESULT_DONE, NULL, XR_STAGE_DONE, true);
}

Test(worker, a_lie_is_found_by_listing_again)
{
    check("lie", XR_RESULT_FAILED, "did not keep", XR_STAGE_BACK, false);
}

Test(worker, what_a_store_made_instead_is_told_and_not_called_rolled_back)
{
    check("anchor-instead", XR_RESULT_DONE, NULL, XR_STAGE_DONE, true);
}

Test(worker, a_crash_before_the_change_is_rolled_back)
{
    check("crash-swap-before", XR_RESULT_FAILED, NULL, XR_STAGE_BACK, false);
}

Test(worker, a_crash_after_the_last_change_is_seen_to_be_done)
{
    check("crash-swap-after", XR_RESULT_DONE, NULL, XR_STAGE_DONE, true);
}

Test(worker, a_crash_of_flush_ends_in_one_state_or_stays_pending)
{
    struct pki_blob der = root();
    char *why = NULL;
    enum xr_stage stage = XR_STAGE_PENDING;
    enum xr_result result =
        transact("crash-flush", &why, (struct xr_bytes){der.data, der.len}, &stage);

    cr_assert(result == XR_RESULT_FAILED && why != NULL);
    cr_assert(stage == XR_STAGE_PENDING || (stage == XR_STAGE_BACK && !tree_has(dir, "entry")));
    cr_assert(no_children());
    free(why);
    pki_blob_free(&der);
}

Test(worker, a_hang_of_swap_is_rolled_back)
{
    config.limit_ms = 300;
    check("hang-swap", XR_RESULT_FAILED, NULL, XR_STAGE_BACK, false);
}

Test(worker, a_failing_hook_is_a_warning)
{
    check("fail-hook", XR_RESULT_DONE, "hook", XR_STAGE_DONE, true);
}

Test(worker, a_failing_flush_is_rolled_back)
{
    check("fail-flush", XR_RESULT_FAILED, "cannot be replaced", XR_STAGE_BACK, false);
}

/* ---- helpers that break the protocol ---- */

static void use_fake(const char *what)
{
    char *target = tree_path(XR_PLUGINS, "fake");
    char *path = tree_path(dir, what);

    if (!tree_has(dir, what))
        tree_link(dir, what, target);
    free(target);
    free((void *)(uintptr_t)config.program);
    config.program = path;
}

Test(worker, nonsense_from_the_helper_is_a_lost_helper)
{
    static const char *const what[] = {"garbage", "oversized", "promising", "empty",
                                       "kind",    "unasked",   "status",    "lengths",
                                       "nocaps",  "half",      "silent"};

    config.program = NULL;
    config.limit_ms = 5000;
    for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
        int64_t start = now_ms();

        use_fake(what[i]);
        err.text[0] = '\0';
        cr_assert(open_store("honest") == XR_LOST, "%s", what[i]);
        cr_assert(strstr(err.text, "invalid reply") != NULL, "%s: %s", what[i], err.text);
        cr_assert(now_ms() - start < 4000, "%s waits for the limit", what[i]);
        cr_assert(no_children(), "%s", what[i]);
        cr_assert(store.worker == NULL);
    }
    free((void *)(uintptr_t)config.program);
}

Test(worker, nonsense_is_no_reason_to_need_an_error)
{
    config.program = NULL;
    use_fake("garbage");
    cr_assert(xr_store_open(&store, naughty, XR_TARGET(&site, "honest"), XR_READ, &config, NULL) ==
              XR_LOST);
    cr_assert(no_children());
    free((void *)(uintptr_t)config.program);
}

Test(worker, a_helper_that_drips_or_is_deaf_ends_at_the_time_limit)
{
    static const char *const what[] = {"drip", "deaf"};

    config.program = NULL;
    config.limit_ms = 300;
    for (size_t i = 0; i < 2; i++) {
        int64_t start = now_ms();

        use_fake(what[i]);
        cr_assert(open_store("honest") == XR_LOST);
        cr_assert(strstr(err.text, "300 ms") != NULL, "%s", err.text);
        cr_assert(now_ms() - start < 5000 && no_children());
    }
    free((void *)(uintptr_t)config.program);
}

Test(worker, a_missing_helper_is_told_clearly)
{
    config.program = "/nonexistent/worker";
    cr_assert(open_store("honest") != XR_OK);
    cr_assert(strstr(err.text, "could not be started: No such file") != NULL, "%s", err.text);
    cr_assert(no_children());
    config.program = NULL;
    cr_assert(open_store("honest") == XR_FAILED && err.text[0] != '\0');
    cr_assert(xr_store_open(&store, naughty, XR_TARGET(&site, "honest"), XR_READ, NULL, &err) ==
              XR_FAILED);
    config.program = "/etc/passwd"; /* there, and no program */
    cr_assert(open_store("honest") != XR_OK);
    cr_assert(strstr(err.text, "could not be started: Permission denied") != NULL, "%s", err.text);
    cr_assert(no_children());
}

/* ---- discovery as somebody else ---- */

static enum xr_status count_found(void *ctx, const struct xr_found *found)
{
    (void)found;
    ++*(size_t *)ctx;
    return XR_OK;
}

static enum xr_status discover(const char *home, size_t *count)
{
    struct xr_site at = {.size = sizeof(at), .home = home, .uid = 65534};

    config.has_identity = true;
    config.uid = config.gid = 65534;
    *count = 0;
    return xr_store_discover(naughty, &at, XR_SCOPE_USER, &config, count_found, count, &err);
}

Test(worker, what_a_helper_finds_is_named_and_a_crash_of_it_is_told)
{
    static const struct {
        const char *home;
        enum xr_status status;
        size_t found;
        const char *text;
    } cases[] = {{"good", XR_OK, 1, NULL},
                 {"crash", XR_LOST, 0, "signal 6"},
                 {"crash-later", XR_LOST, 1, "signal 6"},
                 {"hang", XR_LOST, 0, "400 ms"},
                 {"none", XR_ABSENT, 0, "cannot enter"},
                 {"closed", XR_DENIED, 0, "cannot enter"}};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become somebody else");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *home = tree_path(dir, cases[i].home);
        size_t count = 0;

        if (cases[i].status != XR_ABSENT)
            tree_dir(dir, cases[i].home);
        cr_assert(chmod(home, cases[i].status == XR_DENIED ? 0700 : 0755) == 0 ||
                  cases[i].status == XR_ABSENT);
        config.limit_ms = strcmp(cases[i].home, "hang") == 0 ? 400 : 0;
        cr_assert(discover(home, &count) == cases[i].status, "%s: %s", cases[i].home, err.text);
        cr_assert(count == cases[i].found, "%s", cases[i].home);
        if (cases[i].text != NULL)
            cr_assert(strstr(err.text, cases[i].text) != NULL, "%s", err.text);
        cr_assert(no_children());
        free(home);
    }
}

Test(worker, nonsense_that_a_helper_finds_is_a_lost_helper)
{
    static const char *const what[] = {"garbage", "oversized",  "promising",    "empty", "kind",
                                       "unasked", "status",     "lengths",      "half",  "silent",
                                       "finds",   "finds-long", "finds-nothing"};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become somebody else");
    config.program = NULL;
    config.limit_ms = 20000;
    for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
        int64_t start = now_ms();
        size_t count = 0;

        use_fake(what[i]);
        err.text[0] = '\0';
        cr_assert(discover(dir, &count) == XR_LOST, "%s", what[i]);
        cr_assert(strstr(err.text,
                         strcmp(what[i], "finds") == 0 ? "more stores" : "invalid reply") != NULL,
                  "%s: %s", what[i], err.text);
        cr_assert(count <= XR_FOUND_MAX && now_ms() - start < 15000, "%s", what[i]);
        cr_assert(no_children(), "%s", what[i]);
    }
    free((void *)(uintptr_t)config.program);
}

/* ---- who and with what ---- */

static enum xr_status keep_label(void *ctx, const struct xr_entry *entry)
{
    *(char **)ctx = xr_strdup(entry->label);
    return XR_OK;
}

Test(worker, the_helper_has_neither_environment_nor_descriptors_of_its_parent)
{
    char *file = tree_path(dir, "secret"), *location = xr_format("whoami:%s", file);
    char *label = NULL;
    int fd = -1;

    tree_text(dir, "secret", "not for helpers");
    fd = open(file, O_RDONLY); /* without O_CLOEXEC, as the caller of a library may have it */
    cr_assert(fd >= 0);
    cr_assert(open_store(location) == XR_OK);
    cr_assert(xr_store_list(&store, keep_label, &label, &err) == XR_OK);
    (void)close(fd);
    cr_assert(strstr(label, " env=0 open=0") != NULL, "%s", label);
    free(label);
    free(location);
    free(file);
}

Test(worker, another_identity_is_taken_on_whole)
{
    char *label = NULL;

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become somebody else");
    config.has_identity = true;
    config.uid = config.gid = 65534;
    cr_assert(open_store("whoami") == XR_OK, "%s", err.text);
    cr_assert(xr_store_list(&store, keep_label, &label, &err) == XR_OK);
    cr_assert(strstr(label, "uid=65534 euid=65534 gid=65534 egid=65534 odd=0 ") == label, "%s",
              label);
    free(label);
}

Test(worker, an_identity_makes_a_helper_of_any_backend)
{
    struct xr_registry builtin;
    char *path = NULL;

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become somebody else");
    path = tree_path(dir, "store");
    config.has_identity = true;
    config.uid = config.gid = 65534;
    xr_registry_init(&builtin);
    cr_assert(xr_store_open(&store, xr_registry_find(&builtin, "openssl"), XR_TARGET(&site, path),
                            XR_WRITE, &config, &err) == XR_OK,
              "%s", err.text);
    cr_assert(store.worker != NULL && !store.caps.writable && store.caps.needs_privilege);
    xr_store_close(&store);
    xr_registry_free(&builtin);
    free(path);
}

Test(worker, who_may_not_become_somebody_is_told_so)
{
    int state = 0;
    pid_t pid = fork();

    if (pid == 0) { /* somebody without the right, who could not tidy up after us */
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(1);
        config.has_identity = true;
        config.uid = config.gid = 1;
        _exit(open_store("honest") != XR_OK && err.text[0] != '\0' && no_children() ? 0 : 2);
    }
    cr_assert(pid > 0 && waitpid(pid, &state, 0) == pid);
    cr_assert(WIFEXITED(state) && WEXITSTATUS(state) == 0, "%x", (unsigned)state);
}

Test(worker, a_caller_without_standard_files_still_starts_a_helper)
{
    enum xr_status status = XR_OK;
    int kept[3];

    for (int fd = 0; fd < 3; fd++) {
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
        (void)close(fd);
    }
    status = open_store("honest");
    for (int fd = 0; fd < 3; fd++) {
        if (kept[fd] >= 0) {
            (void)dup2(kept[fd], fd);
            (void)close(kept[fd]);
        }
    }
    cr_assert(status == XR_OK, "%s", err.text);
}

Test(worker, a_caller_that_ignores_its_children_loses_none)
{
    cr_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    config.limit_ms = 300;
    cr_assert(open_store("hang-list") == XR_OK);
    cr_assert(list() == XR_LOST);
    xr_store_close(&store);
    cr_assert(open_store("honest") == XR_OK);
    cr_assert(list() == XR_OK);
    xr_store_close(&store);
    cr_assert(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
    cr_assert(no_children());
}

Test(worker, many_sessions_at_once_do_not_mix)
{
    struct xr_store stores[16] = {0};
    struct pki_blob der = root();

    for (size_t i = 0; i < 16; i++) {
        char *location = xr_format("honest:%s/entry%zu", dir, i);
        struct xr_subject subject = {.type = XR_SUBJECT_CERT};
        struct xr_entry entry = {.size = sizeof(entry),
                                 .place = (enum xr_place)(i % XR_PLACE_COUNT),
                                 .der = {der.data, der.len}};
        struct xr_state *want = NULL;

        xr_host.sha256(subject.id, entry.der);
        entry.subject = subject;
        want = xr_state_new(&subject);
        xr_state_add(want, &entry);
        cr_assert(xr_store_open(&stores[i], naughty, XR_TARGET(&site, location), XR_WRITE, &config,
                                &err) == XR_OK);
        cr_assert(xr_store_swap(&stores[i], NULL, want, &err) == XR_OK);
        xr_state_free(want);
        free(location);
    }
    for (size_t i = 0; i < 16; i++) {
        struct xr_snapshot now = {0};

        cr_assert(xr_store_list(&stores[i], xr_snapshot_take, &now, &err) == XR_OK);
        cr_assert(now.count == 1 &&
                  now.items[0]->entries[0]->place == (enum xr_place)(i % XR_PLACE_COUNT));
        xr_snapshot_free(&now);
        xr_store_close(&stores[i]);
    }
    cr_assert(no_children());
    pki_blob_free(&der);
}

/* ---- the one that helpers are copied from ---- */

static size_t helpers(void)
{
    char *path = xr_format("/proc/self/task/%d/children", (int)getpid()), *save = NULL;
    FILE *file = fopen(path, "r");
    char text[512] = "";
    size_t count = 0;

    cr_assert(file != NULL && fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    free(path);
    for (char *word = strtok_r(text, " \n", &save); word != NULL;
         word = strtok_r(NULL, " \n", &save))
        count++;
    return count;
}

Test(worker, copies_are_children_of_the_caller_beside_their_nurse)
{
    cr_assert(open_store("honest") == XR_OK);
    cr_assert(helpers() == (XR_FORKED ? 2 : 1));
    cr_assert(list() == XR_OK);
}

Test(worker, a_nurse_that_is_gone_is_done_without)
{
    int state = 0;
    pid_t server = 0;

    if (!XR_FORKED)
        cr_skip_test("sessions are not forked");
    cr_assert(helpers() == 1);
    {
        char *path = xr_format("/proc/self/task/%d/children", (int)getpid());
        FILE *file = fopen(path, "r");
        char line[64] = "";

        cr_assert(file != NULL && fgets(line, sizeof(line), file) != NULL);
        server = (pid_t)strtol(line, NULL, 10);
        cr_assert(server > 1);
        (void)fclose(file);
        free(path);
    }
    cr_assert(kill(server, SIGKILL) == 0 && waitpid(server, &state, 0) == server);
    for (int i = 0; i < 2; i++) {
        cr_assert(open_store("honest") == XR_OK, "%s", err.text);
        cr_assert(list() == XR_OK);
        xr_store_close(&store);
    }
}

Test(worker, copies_become_who_their_nurse_is)
{
    char *label = NULL;

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become somebody else");
    config.has_identity = true;
    config.uid = config.gid = 65534;
    if (XR_FORKED)
        xr_forkservers_prepare(&forkservers, naughty, &site, &config);
    cr_assert(open_store("whoami") == XR_OK, "%s", err.text);
    cr_assert(xr_store_list(&store, keep_label, &label, &err) == XR_OK);
    cr_assert(strstr(label, "uid=65534 euid=65534 gid=65534 egid=65534 odd=0 env=0 open=0") ==
                  label,
              "%s", label);
    free(label);
}

/* ---- helpers that serve several stores ---- */

/* The process that serves the open store. */
static long process(void)
{
    return strtol(store.caps.summary, NULL, 10);
}

/* Opens and closes a store, and returns which process served it. */
static long served(const char *location)
{
    long pid = 0;

    cr_assert(open_store(location) == XR_OK, "%s", err.text);
    pid = process();
    xr_store_close(&store);
    return pid;
}

static bool runs(long pid)
{
    return kill((pid_t)pid, 0) == 0;
}

Test(worker, a_helper_serves_one_store_after_the_other)
{
    long first = 0;

    config.pool = &pool;
    first = served("good");
    cr_assert(first > 0 && served("good") == first && served("other") == first);
    cr_assert(open_store("good") == XR_OK && list() == XR_OK && process() == first);
    cr_assert(xr_store_flush(&store, &err) == XR_OK);
    xr_store_close(&store);
    cr_assert(runs(first));
    xr_helper_pool_free(&pool);
    cr_assert(no_children());
}

Test(worker, two_stores_at_once_have_two_helpers)
{
    struct xr_store other = {0};
    long first = 0;

    config.pool = &pool;
    cr_assert(open_store("good") == XR_OK);
    first = process();
    other = store;
    store = (struct xr_store){0};
    cr_assert(open_store("good") == XR_OK && process() != first);
    xr_store_close(&other);
    xr_store_close(&store);
    cr_assert(pool.count == 2);
    xr_helper_pool_free(&pool);
    cr_assert(no_children());
}

Test(worker, after_a_failure_or_a_crash_nobody_else_is_served)
{
    static const char *const bad[] = {"crash-list", "hang-close", "crash-close", "fail-list"};

    config.pool = &pool;
    config.limit_ms = 5000;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        long before = served("good"), now = 0;

        cr_assert(open_store(bad[i]) == XR_OK && process() == before, "%s", bad[i]);
        (void)list();
        xr_store_close(&store);
        cr_assert(pool.count == 0, "%s", bad[i]);
        now = served("good");
        cr_assert(now != before && !runs(before), "%s", bad[i]);
    }
    cr_assert(open_store("crash-open") == XR_LOST);
    cr_assert(pool.count == 0);
}

Test(worker, what_one_store_leaves_is_no_reason_to_refuse_the_next)
{
    long first = 0;

    config.pool = &pool;
    first = served("good");
    cr_assert(open_store("first-only") == XR_OK, "%s", err.text);
    cr_assert(process() != first && !runs(first));
    xr_store_close(&store);
    /* A refusal is an answer as any other: nobody else is asked. */
    first = served("good");
    cr_assert(open_store("fail-open") == XR_DENIED && served("good") == first);
}

Test(worker, no_more_helpers_wait_than_are_of_use)
{
    struct xr_store many[XR_HELPERS_KEPT + 3] = {{0}};

    config.pool = &pool;
    for (size_t i = 0; i < XR_HELPERS_KEPT + 3; i++) {
        cr_assert(open_store("good") == XR_OK, "%s", err.text);
        many[i] = store;
        store = (struct xr_store){0};
    }
    for (size_t i = 0; i < XR_HELPERS_KEPT + 3; i++)
        xr_store_close(&many[i]);
    cr_assert(pool.count == XR_HELPERS_KEPT);
    xr_helper_pool_free(&pool);
    cr_assert(no_children());
}

Test(worker, a_helper_serves_one_user_only)
{
    long first = 0, second = 0;

    if (geteuid() != 0)
        cr_skip_test("not here: root alone may start helpers of other users");
    cr_assert(chmod(dir, 0755) == 0);
    config.pool = &pool;
    first = served("good");
    config.has_identity = true;
    config.uid = config.gid = 65534;
    second = served("good");
    cr_assert(second != first && served("good") == second);
    config.uid = 65533;
    cr_assert(served("good") != second);
    config.uid = 65534;
    config.gid = 65533;
    cr_assert(served("good") != second);
    config.has_identity = false;
    cr_assert(served("good") == first);
}
