/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killat N WHOM COMMAND...: runs a command and kills -9 at the N-th system call of it and all its
 * processes, before that call is done. WHOM: "caller" the process that made it, "all" every one.
 * N of 0 only counts. Then it waits until every process has ended, and prints to the file that
 * KILLAT names "N NAME", the name being that of the program that made the call, or "N -" when there
 * were only N calls. Exit: the command's, 128 + the signal that ended it, 125 after 60 seconds.
 */
#include "tracee.h"

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
static bool everybody;
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

static void fire(pid_t tid)
{
    tracee_name(killed, sizeof(killed), tid);
    for (size_t i = 0; everybody && i < task_count; i++)
        tracee_kill(tasks[i].tid);
    tracee_kill(tid);
}

static void stopped(pid_t tid, int status)
{
    struct task *task = task_of(tid);
    int signal = WSTOPSIG(status), event = status >> 16;
    enum __ptrace_request go = at != 0 && calls >= at ? PTRACE_CONT : PTRACE_SYSCALL;

    if (signal == (SIGTRAP | 0x80)) {
        task->inside = !task->inside;
        if (task->inside && (at == 0 || calls < at) && ++calls == at) {
            fire(tid);
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

static void ended(pid_t tid)
{
    *task_of(tid) = tasks[task_count - 1];
    task_count--;
}

int main(int argc, char **argv)
{
    int code = 125;
    pid_t child = 0;
    const char *where = getenv("KILLAT");
    FILE *said = NULL;

    if (argc < 4) {
        (void)fputs("usage: killat N caller|all COMMAND...\n", stderr);
        return 125;
    }
    at = strtoul(argv[1], NULL, 10);
    everybody = strcmp(argv[2], "all") == 0;
    child = tracee_start(argv + 3,
                         PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
                         true, NULL);
    if (child < 0) {
        perror("killat: ptrace");
        return 125;
    }
    code = tracee_wait(child, SECONDS, stopped, ended);
    said = where != NULL ? fopen(where, "w") : stderr;
    if (said == NULL || fprintf(said, "%lu %s\n", calls, killed) < 0 || fflush(said) != 0)
        return 125;
    return code;
}
