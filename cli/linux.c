/* SPDX-License-Identifier: Apache-2.0 */
#include "language.h"
#include "platform.h"

#include <crossroot/crossroot.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

void platform_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    /* A file that is opened later must not become a standard stream. What is written to these is still
     * an error. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            abort();
    }
}

void platform_end(void)
{
}

const char *platform_language(void)
{
    return NULL;
}

bool platform_asks_help(const char *word, bool first)
{
    (void)word;
    (void)first;
    return false;
}

/* ---- signals ---- */

/* Set by a signal handler, read by all threads of the library. */
static atomic_bool stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = true;
}

void platform_heed_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    /* A file that may not grow is an error like a full disk, and does not end us in the middle. */
    (void)signal(SIGXFSZ, SIG_IGN);
}

bool platform_stopped(void)
{
    return stopped;
}

/* ---- who ---- */

/* $NAME if it is an absolute path, else HOME/rest; NULL without a home. */
static char *base_dir(const char *name, const char *home, const char *rest)
{
    const char *value = getenv(name);

    if (value != NULL && value[0] == '/')
        return platform_text("%s", value);
    return home != NULL ? platform_text("%s/%s", home, rest) : NULL;
}

#define ROOTS_STATE "/var/lib/crossroot"

/* Is this only the root of a user namespace, as in podman unshare, in which the machine's own root
 * is nobody? Then root's state is out of reach, and it works for an ordinary user. */
static bool is_inner_root(void)
{
    struct stat st;
    char line[64] = "";
    FILE *map = fopen("/proc/self/uid_map", "re");
    bool inner = map != NULL && fgets(line, sizeof(line), map) != NULL;

    if (map != NULL)
        (void)fclose(map);
    if (inner) {
        char *end = line;

        (void)strtoul(end, &end, 10);
        (void)strtoul(end, &end, 10);
        inner = strtoul(end, &end, 10) < UINT32_MAX;
    }
    return inner && (stat(ROOTS_STATE, &st) == 0 || stat("/var/lib", &st) == 0) && st.st_uid != 0;
}

static char *default_state(const char *home)
{
    char *base = NULL, *path = NULL;

    if (geteuid() == 0 && !is_inner_root())
        return platform_text("%s", ROOTS_STATE);
    base = base_dir("XDG_STATE_HOME", home, ".local/state");
    path = base != NULL ? platform_text("%s/crossroot", base) : NULL;
    free(base);
    return path;
}

/* Parses a UID; false if there is no such user. */
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

/* The user who made this process root, if any: sudo, pkexec and doas tell it in different
 * variables. */
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

static unsigned default_scope(bool image, bool invoked)
{
    if (geteuid() != 0)
        return XR_SCOPE_USER;
    /* The users of an image are not those of this machine. */
    return invoked && !image ? XR_SCOPE_SYSTEM | XR_SCOPE_USER : XR_SCOPE_SYSTEM;
}

/* Every scope with stores that this process may open. */
static unsigned default_reach(void)
{
    return XR_SCOPE_SYSTEM |
           (geteuid() == 0 && !is_inner_root() ? XR_SCOPE_ALL_USERS : XR_SCOPE_USER);
}

static char *user_name(unsigned long uid)
{
    const struct passwd *user = getpwuid((uid_t)uid);

    return user != NULL ? platform_text("%s", user->pw_name) : platform_text("uid %lu", uid);
}

void platform_find(struct here *out, bool image)
{
    const char *home = getenv("HOME");

    *out = (struct here){.home = home != NULL ? platform_text("%s", home) : NULL,
                         .data_home = base_dir("XDG_DATA_HOME", home, ".local/share"),
                         .config_home = base_dir("XDG_CONFIG_HOME", home, ".config"),
                         .state = default_state(home),
                         .uid = geteuid()};
    out->invoked = find_invoker(&out->invoker);
    out->scope = default_scope(image, out->invoked);
    out->reach = default_reach();
    out->user = user_name(out->invoked ? out->invoker : out->uid);
}

/* Helpers run in another directory. */
char *platform_path(const char *path)
{
    char *here = path != NULL && path[0] != '/' ? getcwd(NULL, 0) : NULL, *whole = NULL;

    if (here == NULL && path != NULL && path[0] != '/' && errno == ENOMEM)
        abort();
    /* Links in it are for whoever opens it to judge. */
    if (here != NULL && access(path, F_OK) == 0)
        whole = platform_text("%s/%s", here, path);
    free(here);
    return whole != NULL || path == NULL ? whole : platform_text("%s", path);
}

void platform_wipe(void *memory, size_t len)
{
    explicit_bzero(memory, len);
}

/* ---- the terminal ---- */

bool platform_terminal(FILE *file)
{
    return isatty(fileno(file)) != 0;
}

bool platform_line(char *out, size_t size)
{
    return fgets(out, (int)size, stdin) != NULL;
}

static bool smart(FILE *file)
{
    const char *term = getenv("TERM");

    return platform_terminal(file) && term != NULL && strcmp(term, "dumb") != 0;
}

bool platform_color(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");

    return smart(file) && (no_color == NULL || no_color[0] == '\0');
}

bool platform_draws(void)
{
    return smart(stderr);
}

unsigned platform_width(FILE *file)
{
    const char *columns = getenv("COLUMNS");
    struct winsize window;
    long width = 0;

    if (!platform_terminal(file))
        return 0;
    if (ioctl(fileno(file), TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    /* A serial line, say, does not tell. */
    width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    return width > 0 && width < 10000 ? (unsigned)width : 80;
}

void platform_local_time(char *out, size_t size, int64_t at)
{
    time_t when = (time_t)at;
    struct tm tm;

    if (localtime_r(&when, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M %z", &tm) == 0)
        out[0] = '\0';
}

void platform_midnight(char *out, size_t size, int64_t day)
{
    time_t when = (time_t)day;
    struct tm tm;

    out[0] = '\0';
    if (gmtime_r(&when, &tm) == NULL)
        return;
    tm.tm_isdst = -1;
    when = mktime(&tm);
    if (gmtime_r(&when, &tm) == NULL || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
}

void platform_flush(void)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
}

/* The C library forgets why a write failed if it is not the last one. */
static char *collected;
static size_t collected_len;

FILE *platform_collect(void)
{
    FILE *results = open_memstream(&collected, &collected_len);

    if (results == NULL)
        abort();
    return results;
}

bool platform_deliver(FILE *results, bool to_the_end)
{
    size_t at = 0;
    bool good = fclose(results) == 0;

    if (to_the_end)
        (void)signal(SIGPIPE, SIG_IGN);
    errno = 0;
    while (good && at < collected_len) {
        ssize_t put = write(STDOUT_FILENO, collected + at, collected_len - at);

        good = put > 0 || (put < 0 && errno == EINTR);
        at += put > 0 ? (size_t)put : 0;
    }
    free(collected);
    return good;
}

void platform_advise_privilege(void)
{
}

/* ---- the system ---- */

/* os-release(5): shell assignments, quoted where needed. */
static char *pretty_name(void)
{
    FILE *file = fopen("/etc/os-release", "re");
    char line[256];
    char *name = NULL;

    while (file != NULL && name == NULL && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "PRETTY_NAME=", 12) == 0) {
            const char *value = line + 12 + (line[12] == '"' || line[12] == '\'');

            name = platform_text("%.*s", (int)strcspn(value, "\"'"), value);
        }
    }
    if (file != NULL)
        (void)fclose(file);
    return name;
}

char *platform_system(void)
{
    struct utsname kernel;
    char *name = pretty_name(), *text = NULL;

    if (uname(&kernel) != 0)
        abort();
    text = platform_text("%s %s %s%s%s", kernel.sysname, kernel.release, kernel.machine,
                         name != NULL ? ", " : "", name != NULL ? name : "");
    free(name);
    return text;
}

/* Libraries of others are the system's own. */
void platform_licences(FILE *out)
{
    (void)fputs(
        TR("crossroot is licensed under the Apache License 2.0. Its package has the text in\n"
           "/usr/share/doc/crossroot or /usr/share/licenses/crossroot.\n"),
        out);
}

bool platform_runs(const char *path)
{
    return access(path, X_OK) == 0;
}
