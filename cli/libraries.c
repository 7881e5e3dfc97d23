/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that backends load at run time, and their versions. */
#include "platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* "3.87.1 /usr/lib/…/libnss3.so" */
static void look(char *out, size_t size, const struct library *library)
{
    void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL), *symbol = NULL;
    const char *(*plain)(void) = NULL;
    const char *(*with)(const char *) = NULL;
    const char *version = NULL;
    char origin[PATH_MAX] = "", path[2 * PATH_MAX], real[PATH_MAX];

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
                   realpath(path, real) != NULL ? real : path);
}

/* In a process of its own: a library that is broken may end the process that loads it, and is then
 * what the bug report is about. */
static char *look_apart(const struct library *library)
{
    char text[2 * PATH_MAX + 256] = "";
    size_t len = 0;
    int ends[2] = {-1, -1}, status = 0;
    pid_t child = -1;

    if (pipe(ends) != 0)
        return platform_text("not looked for: %s", strerror(errno));
    child = fork();
    if (child == 0) {
        look(text, sizeof(text), library);
        _exit(write(ends[1], text, strlen(text)) < 0);
    }
    (void)close(ends[1]);
    for (ssize_t got = 1; child > 0 && got > 0 && len < sizeof(text) - 1; len += (size_t)got) {
        got = read(ends[0], text + len, sizeof(text) - 1 - len);
        if (got <= 0)
            break;
    }
    (void)close(ends[0]);
    if (child < 0)
        return platform_text("not looked for: no process can be made");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        return platform_text("%s ends the program that loads it (signal %d)", library->file,
                             WTERMSIG(status));
    return platform_text("%s", len > 0 ? text : "not looked for: its loading says nothing");
}

void libraries_tell(void (*tell)(void *ctx, const char *name, const char *found), void *ctx)
{
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        char *found = look_apart(&libraries[i]);

        tell(ctx, libraries[i].name, found);
        free(found);
    }
}
