/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killat N WHOM COMMAND...: runs a command and kills -9 at the N-th system call of it and all its
 * processes, before that call is done. WHOM: "caller" the process that made it, "all" every one.
 * N of 0 only counts. Then it waits until every process has ended, and prints to the file that
 * KILLAT names "N NAME", the name being that of the program that made the call, or "N -" when there
 * were only N calls. Exit: the command's, 128 + the signal that ended it, 125 after 60 seconds.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS   4096u
#define SECONDS 60u

struct task {
    pid_t tid;
    bool inside; /* a system call */
};
static struct task tasks[TASKS];
static size_t task_count;
static unsigned long at, calls;
static char killed[64] = "-";

static struct task *task_of(pid_t tid)
{
    for (size_t i = 0; i < task_count; i++)
        if (tasks[i].tid == tid)
            return &tasks[i];
    if (task_count == TASKS) {
        (void)fputs("killat: too many tasks\n", stderr);
        exit(125);
    }
    tasks[task_count] = (struct task){.tid = tid};
    return &tasks[task_count++];
}

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

static void kill_group(pid_t tid)
{
    long group = number_of(tid, "status", "Tgid:", NULL, 0);

    if (group > 1)
        (void)kill((pid_t)group, SIGKILL);
}

static void fire(pid_t tid, bool all)
{
    (void)number_of(tid, "comm", "", killed, sizeof(killed));
    for (size_t i = 0; all && i < task_count; i++)
        kill_group(tasks[i].tid);
    kill_group(tid);
}

static void stopped(pid_t tid, int status, bool all)
{
    struct task *task = task_of(tid);
    int signal = WSTOPSIG(status), event = status >> 16;
    enum __ptrace_request go = at != 0 && calls >= at ? PTRACE_CONT : PTRACE_SYSCALL;

    if (signal == (SIGTRAP | 0x80)) {
        task->inside = !task->inside;
        if (task->inside && (at == 0 || calls < at) && ++calls == at) {
            fire(tid, all);
            go = PTRACE_CONT;
        }
        signal = 0;
    } else if (event == PTRACE_EVENT_EXEC) {
        signal = 0; /* still inside execve, which returns once more */
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        (void)ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* stopped by job control */
        return;
    } else if (event != 0) {
        signal = 0;
    }
    /* ESRCH: it was killed meanwhile. */
    (void)ptrace(go, tid, NULL, (void *)(long)signal);
}

static pid_t start(char **argv)
{
    int ready[2];
    pid_t child = 0;
    char c = 0;

    if (pipe(ready) != 0 || (child = fork()) < 0)
        return -1;
    if (child == 0) {
        (void)close(ready[1]);
        if (read(ready[0], &c, 1) == 1) {
            (void)close(ready[0]);
            (void)execvp(argv[0], argv);
        }
        _exit(127);
    }
    (void)close(ready[0]);
    if (ptrace(PTRACE_SEIZE, child, NULL,
               (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) != 0 ||
        ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0 || write(ready[1], &c, 1) != 1)
        return -1;
    (void)close(ready[1]);
    return child;
}

int main(int argc, char **argv)
{
    int status = 0, code = 125;
    pid_t child = 0, tid = 0;
    const char *where = getenv("KILLAT");
    FILE *said = NULL;
    bool all = argc > 2 && strcmp(argv[2], "all") == 0;

    if (argc < 4) {
        (void)fputs("usage: killat N caller|all COMMAND...\n", stderr);
        return 125;
    }
    at = strtoul(argv[1], NULL, 10);
    child = start(argv + 3);
    if (child < 0) {
        perror("killat: ptrace");
        return 125;
    }
    /* Should somebody hang, this ends with SIGALRM, and PTRACE_O_EXITKILL ends the rest. */
    (void)alarm(SECONDS);
    while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (tid <= 0)
            continue;
        if (WIFSTOPPED(status)) {
            stopped(tid, status, all);
            continue;
        }
        *task_of(tid) = tasks[task_count - 1];
        task_count--;
        if (tid == child)
            code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    said = where != NULL ? fopen(where, "w") : stderr;
    if (said == NULL || fprintf(said, "%lu %s\n", calls, killed) < 0 || fflush(said) != 0)
        return 125;
    return code;
}
