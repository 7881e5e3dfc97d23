/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that backends load at run time, and their versions. */
#include "platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Names as backends/ load them. version: a function without side effects that gives it; NULL: there is
 * none, and the file's name has to do. */
static const struct library {
    const char *name, *file, *version;
    bool takes_null;     /* as gnutls_check_version */
    const char *instead; /* what backends do without it; or empty */
} libraries[] = {
    {"NSS", "libnss3.so", "NSS_GetVersion", false, "; a browser's own is used if there is one"},
    {"softoken", "libsoftokn3.so", NULL, false, "; a browser's own is used if there is one"},
    {"p11-kit", "libp11-kit.so.0", NULL, false, ""},
    {"GnuTLS", "libgnutls.so.30", "gnutls_check_version", true, ""},
    {"hivex", "libhivex.so.0", NULL, false, ""},
    {"SQLite", "libsqlite3.so.0", "sqlite3_libversion", false, ""},
};

/* Only root can change the file, or put another in its place. path is one without links. */
static bool roots_alone(const char *path)
{
    char part[PATH_MAX];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return false;
    for (char *end = part + strlen(part); end != NULL; end = strrchr(part, '/')) {
        *end = '\0';
        if (lstat(part[0] != '\0' ? part : "/", &st) != 0 || st.st_uid != 0 ||
            (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return false;
    }
    return true;
}

/* Where root loads a library from: the directory of the C library and those that belong to it, not what
 * variables or the loader's configuration add. False with the reason. */
static bool find_for_root(char *out, char *why, size_t size, const struct library *library)
{
    Dl_info libc;
    void *in_libc = NULL;
    void (*const function)(void *) = free;
    char dir[PATH_MAX] = "", path[2 * PATH_MAX];
    const char *const dirs[][2] = {{"/usr", dir}, {"", dir}, {"", "/usr/lib64"}, {"", "/usr/lib"}};

    if (getenv("LD_LIBRARY_PATH") != NULL) {
        (void)snprintf(why, size, "not looked for as root while LD_LIBRARY_PATH is set");
        return false;
    }
    memcpy(&in_libc, &function, sizeof(in_libc));
    if (dladdr(in_libc, &libc) != 0 && libc.dli_fname != NULL && libc.dli_fname[0] == '/')
        (void)snprintf(dir, sizeof(dir), "%.*s",
                       (int)(strrchr(libc.dli_fname, '/') - libc.dli_fname), libc.dli_fname);
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s/%s", dirs[i][0], dirs[i][1], library->file);
        if (realpath(path, out) == NULL)
            continue;
        if (roots_alone(out))
            return true;
        (void)snprintf(why, size, "%s is not root's alone: it is not loaded as root", out);
        return false;
    }
    (void)snprintf(why, size, "not found%s", library->instead);
    return false;
}

/* "3.87.1 /usr/lib/…/libnss3.so" */
static void look(char *out, size_t size, const struct library *library)
{
    void *handle = NULL, *symbol = NULL;
    const char *(*plain)(void) = NULL;
    const char *(*with)(const char *) = NULL;
    const char *version = NULL;
    char origin[PATH_MAX] = "", path[2 * PATH_MAX], real[PATH_MAX] = "";

    if (geteuid() == 0 && !find_for_root(real, out, size, library))
        return;
    handle = dlopen(real[0] != '\0' ? real : library->file, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL) {
        const char *why = dlerror();

        (void)snprintf(out, size, "not found (%s)%s", why != NULL ? why : "no reason given",
                       library->instead);
        return;
    }
    if (library->version != NULL)
        symbol = dlsym(handle, library->version);
    if (symbol != NULL && library->takes_null) {
        memcpy(&with, &symbol, sizeof(with));
        version = with(NULL);
    } else if (symbol != NULL) {
        memcpy(&plain, &symbol, sizeof(plain));
        version = plain();
    }
    (void)dlinfo(handle, RTLD_DI_ORIGIN, origin);
    (void)snprintf(path, sizeof(path), "%s/%s", origin, library->file);
    (void)snprintf(out, size, "%s%s%s", version != NULL ? version : "", version != NULL ? ", " : "",
                   real[0] != '\0' || realpath(path, real) != NULL ? real : path);
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define ANSWER_MS 5000

/* Reads to the end; false if that did not come in time. */
static bool read_answer(char *out, size_t size, int from)
{
    struct pollfd ready = {.fd = from, .events = POLLIN};
    const int64_t end = now_ms() + ANSWER_MS;
    size_t len = 0;

    for (;;) {
        int64_t left = end - now_ms();
        int polled = left > 0 ? poll(&ready, 1, (int)left) : 0;
        ssize_t got = polled > 0 ? read(from, out + len, size - 1 - len) : -1;

        if (polled > 0 && got <= 0)
            return true;
        if (polled == 0)
            return false;
        len += got > 0 ? (size_t)got : 0;
    }
}

/* In a process of its own: a library that is broken may end or hold up the process that loads it, and is
 * then what the bug report is about. */
static char *look_apart(const struct library *library)
{
    char text[2 * PATH_MAX + 256] = "";
    int ends[2] = {-1, -1}, status = 0;
    bool answered = true;
    pid_t child = -1;

    if (pipe(ends) != 0)
        return platform_text("not looked for: %s", strerror(errno));
    child = fork();
    if (child == 0) {
        look(text, sizeof(text), library);
        _exit(write(ends[1], text, strlen(text)) < 0);
    }
    (void)close(ends[1]);
    if (child > 0 && !read_answer(text, sizeof(text), ends[0])) {
        answered = false;
        (void)kill(child, SIGKILL);
    }
    (void)close(ends[0]);
    if (child < 0)
        return platform_text("not looked for: no process can be made");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!answered)
        return platform_text("%s did not answer in %d seconds", library->file, ANSWER_MS / 1000);
    if (WIFSIGNALED(status))
        return platform_text("%s ends the program that loads it (signal %d)", library->file,
                             WTERMSIG(status));
    return platform_text("%s", text[0] != '\0' ? text : "not looked for: its loading says nothing");
}

void libraries_tell(void (*tell)(void *ctx, const char *name, const char *found), void *ctx)
{
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        char *found = look_apart(&libraries[i]);

        tell(ctx, libraries[i].name, found);
        free(found);
    }
}
