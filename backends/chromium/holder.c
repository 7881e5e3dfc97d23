/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured with Chromium 156: it opens the file of a profile when it opens the profile, and keeps it
 * locked until it ends: for reading if it only read, for writing once it wrote. So any lock counts.
 *
 * The lock is the kernel's word, with the process that has it. SingletonLock among the browser's
 * settings says less: it stays after a crash, and a browser that runs need not have opened this profile.
 */
#include "holder.h"

#include "file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TRIES    20u
#define PAUSE_NS 25000000L

/* Does path end with the program's settings directory, or with a directory in it? *name: which. */
static bool is_of(const char **name, const struct nss_chromium *program, const char *path)
{
    size_t len = strlen(program->settings);

    for (const char *at = strstr(path, program->settings); at != NULL;
         at = strstr(at + 1, program->settings)) {
        const char *end = at + len;

        if (at > path && at[-1] == '/' &&
            (end[0] == '\0' || (end[0] == '/' && strchr(end + 1, '/') == NULL))) {
            *name = end[0] == '/' ? end + 1 : "";
            return true;
        }
    }
    return false;
}

/* The longer names are looked for first, as some have others in them. */
const struct nss_chromium *chromium_program(const char **name, const char *path)
{
    for (unsigned round = 0; round < 2; round++) {
        for (const struct nss_chromium *p = nss_chromiums; p->settings != NULL; p++) {
            if (p->in_home == (round == 0) && is_of(name, p, path))
                return p;
        }
    }
    return NULL;
}

/* Empty if it is not known. */
static void process_name(char out[32], long pid)
{
    char path[64];
    ssize_t got = -1;
    int fd = -1;

    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
    fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, out, 31);
        (void)close(fd);
    }
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static bool runs_as(const struct nss_chromium *program, const char *process)
{
    return strncmp(process, program->process, strlen(program->process)) == 0;
}

/* The browser that such a process is of; the profile's own first, as several have one name. */
static const char *browser_of(const char *process, const char *path)
{
    const char *name = NULL;
    const struct nss_chromium *own = chromium_program(&name, path);

    if (own != NULL && (process[0] == '\0' || runs_as(own, process)))
        return own->name;
    for (const struct nss_chromium *p = nss_chromiums; p->settings != NULL; p++) {
        if (runs_as(p, process))
            return p->name;
    }
    return NULL;
}

static void tell(char out[256], long pid, const char *process, const char *path)
{
    const char *browser = browser_of(process, path);
    struct xr_buf shown = {0};
    char *holder = NULL;

    if (browser != NULL)
        xr_buf_str(&shown, browser);
    else if (process[0] != '\0')
        xr_buf_visible(&shown, process, strlen(process));
    else
        xr_buf_str(&shown, N_("a program"));
    holder = pid > 0 ? xr_format(N_("%s (process %ld)"), shown.data, pid) : xr_strdup(shown.data);
    (void)snprintf(out, 256,
                   N_("%s is running with this profile and keeps the file locked: close it first"),
                   holder);
    free(holder);
    xr_buf_free(&shown);
}

bool chromium_held(char out[256], int dir, const char *path)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    char process[32] = "";
    long pid = 0;

    for (unsigned i = 0; i < TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        if (!chromium_file_locked(&pid, dir))
            return false;
        process[0] = '\0';
        if (pid > 0)
            process_name(process, pid);
        if (browser_of(process, path) != NULL && process[0] != '\0')
            break;
    }
    tell(out, pid, process, path);
    return true;
}
