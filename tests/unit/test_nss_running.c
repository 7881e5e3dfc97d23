/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that have a database open: made here, and the real ones. */
#include "nss_home.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define GIVEN caps.notice[XR_NOTICE_GIVEN]
#define TAKEN caps.notice[XR_NOTICE_TAKEN]

static struct xr_caps caps;
static pid_t child;

static void kill_child(void)
{
    if (child > 0) {
        (void)kill(-child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        child = 0;
    }
}

static void end(void)
{
    kill_child();
    remove_top();
}

/* Fills caps for the database in that directory. */
static void look(const char *path)
{
    char *full = at(path);
    int dir = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);

    cr_assert_geq(dir, 0);
    memset(&caps, 'x', sizeof(caps));
    nss_running(&caps, dir, full);
    cr_assert_eq(close(dir), 0);
    free(full);
}

/* A process of that name that holds a write lock on a file (NULL: none) until it is killed. */
static void start(const char *name, const char *file)
{
    char *full = file != NULL ? at(file) : NULL;
    int ready[2];
    char one = 0;

    cr_assert_eq(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, name);
        if (full == NULL || fcntl(open(full, O_RDWR | O_CLOEXEC), F_SETLK, &lock) == 0)
            (void)!write(ready[1], "1", 1);
        for (;;)
            (void)pause();
    }
    cr_assert_gt(child, 0);
    cr_assert_eq(read(ready[0], &one, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    free(full);
}

/* Each is the program's name, the number of the child and the rest. */
static void expect_notices(const char *name, const char *given, const char *taken)
{
    char *want_given = xr_format("%s (process %d) %s", name, (int)child, given);
    char *want_taken = xr_format("%s (process %d) %s", name, (int)child, taken);

    cr_assert_str_eq(GIVEN, want_given);
    cr_assert_str_eq(TAKEN, want_taken);
    free(want_given);
    free(want_taken);
}

static void expect_silence(void)
{
    cr_assert_str_empty(GIVEN);
    cr_assert_str_empty(TAKEN);
}

/* A link to before HOST between PID after. */
static void odd_lock(const char *path, const char *before, const char *between, const char *after)
{
    char host[256] = "", *full = at(path), *target = NULL;

    cr_assert_eq(gethostname(host, sizeof(host) - 1), 0);
    target = xr_format("%s%s%s%d%s", before, host, between, (int)child, after);
    (void)unlink(full);
    make_link(path, target);
    free(target);
    free(full);
}

static void single_lock(const char *path)
{
    odd_lock(path, "", "-", "");
}

TestSuite(nss_running, .init = make_top, .fini = end);

Test(nss_running, a_lock_tells_who_has_the_profile)
{
    make_file("home/.mozilla/firefox/p/.parentlock", "");
    start("firefox-esr", "home/.mozilla/firefox/p/.parentlock");
    look("home/.mozilla/firefox/p");
    expect_notices("Firefox",
                   "is running with this profile: restart it if it still refuses what is trusted "
                   "now",
                   "is running with this profile: restart it; until then it may still trust what "
                   "was removed");
    kill_child();
    look("home/.mozilla/firefox/p");
    expect_silence();
}

Test(nss_running, the_program_is_named_by_its_process_else_by_the_path)
{
    make_file("home/.mozilla/firefox/x/.parentlock", "");
    start("thunderbird-bin", "home/.mozilla/firefox/x/.parentlock");
    look("home/.mozilla/firefox/x");
    cr_assert_eq(strncmp(TAKEN, "Thunderbird (process ", 21), 0, "%s", TAKEN);
    kill_child();
    start("Main", "home/.mozilla/firefox/x/.parentlock");
    look("home/.mozilla/firefox/x");
    cr_assert_eq(strncmp(TAKEN, "Firefox (process ", 17), 0, "%s", TAKEN);
    kill_child();
    make_file("home/mail/.parentlock", "");
    start("Main", "home/mail/.parentlock");
    look("home/mail");
    cr_assert_eq(strncmp(TAKEN, "a program (process ", 19), 0, "%s", TAKEN);
}

Test(nss_running, relatives_of_firefox_are_named_by_path_and_process)
{
    static const char *const cases[][3] = {
        {"home/.local/share/torbrowser/tbb/x86_64/tor-browser/Browser/TorBrowser/Data/Browser/p",
         "firefox.real", "Tor Browser"},
        {"home/.thunderbird/p", "betterbird-bin", "Betterbird"},
        {"home/.config/zen/p", "Isolated Web Co", "Zen"},
        {"zen/disk/p", "Main", "a program"},
        {"home/.waterfox/p", "waterfox-bin", "Waterfox"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *lock = xr_format("%s/.parentlock", cases[i][0]);

        make_file(lock, "");
        start(cases[i][1], lock);
        look(cases[i][0]);
        cr_assert(strncmp(TAKEN, cases[i][2], strlen(cases[i][2])) == 0 &&
                      TAKEN[strlen(cases[i][2])] == ' ',
                  "%s", TAKEN);
        kill_child();
        free(lock);
    }
}

/* As in a sandbox: the kernel tells of the lock, but has no number for its holder. */
Test(nss_running, a_process_that_cannot_be_seen_gets_no_number)
{
    char said[sizeof(TAKEN)] = "";
    int out[2], status = 0;
    pid_t inner = 0;

    make_file("home/.mozilla/firefox/p/.parentlock", "");
    start("firefox-esr", "home/.mozilla/firefox/p/.parentlock");
    cr_assert_eq(pipe(out), 0);
    inner = fork();
    if (inner == 0) { /* a process that has such a namespace for its children starts no thread */
        if (unshare(geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWPID | CLONE_NEWUSER) != 0)
            _exit(1);
        inner = fork();
        if (inner == 0) {
            look("home/.mozilla/firefox/p");
            (void)!write(out[1], TAKEN, sizeof(TAKEN));
        }
        _exit(inner > 0 && waitpid(inner, NULL, 0) < 0);
    }
    cr_assert_eq(waitpid(inner, &status, 0), inner);
    if (status != 0)
        SKIP("no process namespaces here");
    cr_assert_eq(read(out[0], said, sizeof(said)), (ssize_t)sizeof(said));
    cr_assert_str_eq(said, "Firefox is running with this profile: restart it; until then it may "
                           "still trust what was removed");
}

Test(nss_running, what_a_crash_leaves_behind_says_nothing)
{
    char *link = xr_format("127.0.0.1:+%d", (int)getpid());

    make_file("home/.mozilla/firefox/p/.parentlock", "");
    make_link("home/.mozilla/firefox/p/lock", link);
    look("home/.mozilla/firefox/p");
    expect_silence();
    free(link);
}

Test(nss_running, a_lock_that_is_no_file_says_nothing_and_hangs_nobody)
{
    char *fifo = at("p/.parentlock");

    make_file("d/other", "");
    make_dir("p");
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    look("p");
    expect_silence();
    cr_assert_eq(unlink(fifo), 0);
    start("firefox", "d/other");
    make_link("p/.parentlock", "../d/other");
    look("p");
    expect_silence();
    free(fifo);
}

Test(nss_running, a_chromium_of_the_home_is_noticed)
{
    static const char *const databases[] = {"home/.pki/nssdb", "home/.local/share/pki/nssdb"};

    start("chromium", NULL);
    make_dir("home/.config/chromium");
    single_lock("home/.config/chromium/SingletonLock");
    for (size_t i = 0; i < 2; i++) {
        make_dir(databases[i]);
        look(databases[i]);
        expect_notices("Chromium",
                       "is running: restart it if it still refuses a server that it refused before",
                       "is running: restart it; until then it may still trust servers that it has "
                       "talked to");
    }
    make_dir("other/pki/nssdb");
    look("other/pki/nssdb");
    expect_silence();
    kill_child();
    look(databases[0]);
    expect_silence();
}

Test(nss_running, relatives_of_chromium_are_noticed_by_their_names)
{
    make_dir("home/.pki/nssdb");
    make_dir("home/.config/BraveSoftware/Brave-Browser");
    start("brave", NULL);
    single_lock("home/.config/BraveSoftware/Brave-Browser/SingletonLock");
    look("home/.pki/nssdb");
    cr_assert_eq(strncmp(TAKEN, "Brave (process ", 15), 0, "%s", TAKEN);
}

Test(nss_running, chromiums_snap_keeps_its_settings_elsewhere)
{
    make_dir("home/snap/chromium/12/.pki/nssdb");
    make_dir("home/snap/chromium/common/chromium");
    start("chrome", NULL);
    single_lock("home/snap/chromium/common/chromium/SingletonLock");
    look("home/snap/chromium/12/.pki/nssdb");
    cr_assert_eq(strncmp(TAKEN, "Chromium (process ", 18), 0, "%s", TAKEN);
}

Test(nss_running, in_doubt_nothing_is_said_of_chromium)
{
    static const char *const wrong[][3] = {
        {"other", "-", ""}, {"", "", ""},   {"", "-", "0000000000000000000"},
        {"", "-", " "},     {"", "-+", ""}, {"", "-x", ""},
        {"", "--", ""},     {"", "-0", ""}, {"", ".x-", ""},
        {"", "-", "/"}};

    make_dir("home/.pki/nssdb");
    make_dir("home/.config/chromium");
    start("chromium", NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        odd_lock("home/.config/chromium/SingletonLock", wrong[i][0], wrong[i][1], wrong[i][2]);
        look("home/.pki/nssdb");
        expect_silence();
    }
    kill_child();
    start("bash", NULL); /* the number belongs to somebody else by now */
    single_lock("home/.config/chromium/SingletonLock");
    look("home/.pki/nssdb");
    expect_silence();
}

Test(nss_running, another_users_chromium_is_not_the_homes)
{
    char *lock = at("home/.config/chromium/SingletonLock");

    if (geteuid() != 0)
        SKIP("only root can give a link away");
    make_dir("home/.pki/nssdb");
    make_dir("home/.config/chromium");
    start("chromium", NULL);
    single_lock("home/.config/chromium/SingletonLock");
    cr_assert_eq(lchown(lock, 65534, 65534), 0);
    look("home/.pki/nssdb");
    expect_silence();
    free(lock);
}

/* ---- the real ones ---- */

static void rest(void)
{
    const struct timespec tenth = {.tv_nsec = 100000000};

    (void)nanosleep(&tenth, NULL);
}

/* Runs a browser without any network; false: not possible here. */
static bool start_browser(const char *const argv[])
{
    char *home = at("home");
    int ready[2];
    char one = 0;

    if (access(argv[0], X_OK) != 0)
        return false;
    make_dir("home");
    cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER) != 0)
            _exit(1);
        (void)!write(ready[1], "1", 1);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)setenv("HOME", home, 1);
        (void)unsetenv("XDG_CONFIG_HOME");
        (void)unsetenv("XDG_DATA_HOME");
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(1);
    }
    free(home);
    (void)close(ready[1]);
    one = (char)read(ready[0], &one, 1);
    (void)close(ready[0]);
    return one == 1;
}

static void wait_for_notice(const char *path)
{
    caps = (struct xr_caps){0};
    for (unsigned i = 0; i < 600 && TAKEN[0] == '\0'; i++) {
        rest();
        look(path);
    }
}

Test(nss_running, the_real_firefox_is_noticed_while_it_runs, .timeout = 90)
{
    char *profile = at("home/p"), *link = at("home/p/lock");
    const char *const argv[] = {
        "/usr/bin/firefox-esr", "--headless", "--no-remote", "--profile", profile,
        "about:blank",          NULL};
    struct stat st;
    char wanted[64];

    make_dir("home/p");
    if (!start_browser(argv))
        SKIP("no Firefox ESR, or no network namespace");
    wait_for_notice("home/p");
    (void)snprintf(wanted, sizeof(wanted), "Firefox (process %d) is", (int)child);
    cr_assert_eq(strncmp(TAKEN, wanted, strlen(wanted)), 0, "%s", TAKEN);
    for (unsigned i = 0; i < 100 && lstat(link, &st) != 0; i++)
        rest(); /* it comes after the lock */
    kill_child();
    look("home/p");
    expect_silence();
    cr_assert_eq(lstat(link, &st), 0, "this Firefox leaves no link behind, look again");
    free(profile);
    free(link);
}

Test(nss_running, the_real_chromium_is_noticed_while_it_runs, .timeout = 90)
{
    /* Without a screen it would take settings of a moment. */
    char *settings = xr_format("--user-data-dir=%s/home/.config/chromium", top);
    const char *const argv[] = {
        "/usr/bin/chromium", "--headless", "--no-sandbox", settings, "--remote-debugging-port=0",
        "about:blank",       NULL};
    char *lock = at("home/.config/chromium/SingletonLock"), wanted[64];
    struct stat st;

    make_dir("home/.pki/nssdb");
    if (!start_browser(argv))
        SKIP("no Chromium, or no network namespace");
    wait_for_notice("home/.pki/nssdb");
    (void)snprintf(wanted, sizeof(wanted), "Chromium (process %d) is", (int)child);
    cr_assert_eq(strncmp(TAKEN, wanted, strlen(wanted)), 0, "%s", TAKEN);
    kill_child();
    look("home/.pki/nssdb");
    expect_silence();
    cr_assert_eq(lstat(lock, &st), 0, "this Chromium leaves no lock behind, look again");
    free(lock);
    free(settings);
}

static enum xr_status count(void *ctx, const struct xr_found *found)
{
    struct xr_buf *out = ctx;

    /* Where Chromium is installed, its database is among them. */
    if (strncmp(found->summary, "Firefox ", 8) == 0)
        xr_buf_fmt(out, "%s\n", found->summary);
    return XR_OK;
}

Test(nss_running, the_profiles_that_the_real_firefox_makes_are_found, .timeout = 90)
{
    static const char *const argv[] = {"/usr/bin/firefox-esr", "--headless", "about:blank", NULL};
    char *home = at("home");
    struct xr_site site = {.size = sizeof(site), .home = home};
    struct xr_buf out = {0};

    if (!start_browser(argv))
        SKIP("no Firefox ESR, or no network namespace");
    for (unsigned i = 0;
         i < 600 && (out.len == 0 || strchr(out.data, '\n') + 1 == out.data + out.len); i++) {
        rest();
        out.len = 0;
        cr_assert_eq(nss_discover(NULL, &site, XR_SCOPE_USER, count, &out, NULL), XR_OK);
    }
    cr_assert_not_null(out.data);
    cr_assert_not_null(strstr(out.data, "Firefox profile \"default-esr\"\n"), "%s", out.data);
    cr_assert_not_null(strstr(out.data, "Firefox profile \"default\"\n"), "%s", out.data);
    xr_buf_free(&out);
    free(home);
}
