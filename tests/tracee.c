/* SPDX-License-Identifier: Apache-2.0 */
#include "tracee.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of /proc/TID: one line of a file, or 0. */
static long number_of(pid_t tid, const char *file, const char *field, char *text, size_t size)
{
    char path[64], line[256];
    long number = 0;
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, file);
    f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, field, strlen(field)) != 0)
            continue;
        if (text != NULL)
            (void)snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
        number = strtol(line + strlen(field), NULL, 10);
        break;
    }
    if (f != NULL)
        (void)fclose(f);
    return number;
}

void tracee_name(char *out, size_t size, pid_t tid)
{
    (void)number_of(tid, "comm", "", out, size);
}

void tracee_kill(pid_t tid)
{
    long group = number_of(tid, "status", "Tgid:", NULL, 0);

    if (group > 1)
        (void)kill((pid_t)group, SIGKILL);
}

pid_t tracee_start(char **argv, unsigned long options, bool interrupted, bool (*before)(void))
{
    int ready[2];
    pid_t child = 0;
    char c = 0;

    if (pipe(ready) != 0 || (child = fork()) < 0)
        return -1;
    if (child == 0) {
        (void)close(ready[1]);
        if (read(ready[0], &c, 1) == 1 && (before == NULL || before())) {
            (void)close(ready[0]);
            (void)execvp(argv[0], argv);
        }
        _exit(127);
    }
    (void)close(ready[0]);
    if (ptrace(PTRACE_SEIZE, child, NULL, (void *)(options | PTRACE_O_EXITKILL)) != 0 ||
        (interrupted && ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0) ||
        write(ready[1], &c, 1) != 1)
        return -1;
    (void)close(ready[1]);
    return child;
}

int tracee_wait(pid_t child, unsigned seconds, void (*stopped)(pid_t tid, int status),
                void (*ended)(pid_t tid))
{
    int status = 0, code = 125;
    pid_t tid = 0;

    /* Should somebody hang, this ends with SIGALRM, and PTRACE_O_EXITKILL ends the rest. */
    (void)alarm(seconds);
    while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (tid <= 0)
            continue;
        if (WIFSTOPPED(status)) {
            stopped(tid, status);
            continue;
        }
        ended(tid);
        if (tid == child)
            code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return code;
}
