/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killcall N WHOM COMMAND...: runs a command and kills -9 at the N-th call of it and all its
 * processes that would change files, before that call is done. WHOM: "caller" the process that made
 * it, "all" every one. N of 0 only counts. Then it waits until every process has ended, and prints to
 * the file that KILLCALL names "N CALL NAME", the name being that of the program that made the call,
 * or "N - -" when there were only N calls. Exit: the command's, 128 + the signal that ended it, 125
 * after 120 seconds.
 *
 * The kernel stops only these calls (seccomp), so that a run takes little longer than without. A sync
 * is not among them: for whoever is killed there, files are as at the next call that changes them.
 */
#include "tracee.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS   4096u
#define SECONDS 120u

#define CALL(name)               \
    {                            \
        SYS_##name, #name, -1, 0 \
    }

/* Which calls. flags: only with one of these bits in argument number at. */
static const struct {
    unsigned number;
    const char *name;
    int at;
    unsigned flags;
} calls[] = {
    {SYS_openat, "openat", 2, O_CREAT | O_TRUNC},
    CALL(write),
    CALL(pwrite64),
    CALL(writev),
    CALL(pwritev),
    CALL(renameat2),
    CALL(renameat),
    CALL(unlinkat),
    CALL(mkdirat),
    CALL(symlinkat),
    CALL(linkat),
    CALL(mknodat),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(fchown),
    CALL(fchownat),
    CALL(truncate),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(utimensat),
    CALL(setxattr),
    CALL(fsetxattr),
    CALL(removexattr),
    CALL(fremovexattr),
    CALL(copy_file_range),
    CALL(sendfile),
#ifdef SYS_open
    {SYS_open, "open", 1, O_CREAT | O_TRUNC},
    CALL(creat),
    CALL(rename),
    CALL(unlink),
    CALL(rmdir),
    CALL(mkdir),
    CALL(symlink),
    CALL(link),
    CALL(mknod),
    CALL(chmod),
    CALL(chown),
    CALL(lchown),
#endif
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static pid_t tasks[TASKS];
static size_t task_count;
static unsigned long wanted, seen;
static bool everybody, fired;
static char killed[64] = "-";
static const char *killed_at = "-";

static void know(pid_t tid)
{
    for (size_t i = 0; i < task_count; i++)
        if (tasks[i] == tid)
            return;
    if (task_count == TASKS) {
        (void)fputs("killcall: too many tasks\n", stderr);
        exit(125);
    }
    tasks[task_count++] = tid;
}

static void forget(pid_t tid)
{
    for (size_t i = 0; i < task_count; i++)
        if (tasks[i] == tid)
            tasks[i] = tasks[--task_count];
}

static void fire(pid_t tid, unsigned long call)
{
    fired = true;
    killed_at = call < CALLS ? calls[call].name : "?";
    tracee_name(killed, sizeof(killed), tid);
    for (size_t i = 0; everybody && i < task_count; i++)
        tracee_kill(tasks[i]);
    tracee_kill(tid);
}

static void stopped(pid_t tid, int status)
{
    int signal = WSTOPSIG(status), event = status >> 16;
    unsigned long message = 0;

    know(tid);
    if (event != 0 && ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message) != 0)
        message = 0;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
        know((pid_t)message);
    if (event == PTRACE_EVENT_SECCOMP && !fired && ++seen == wanted)
        fire(tid, message);
    else if (fired && everybody) /* born meanwhile */
        tracee_kill(tid);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        (void)ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* stopped by job control */
        return;
    }
    /* ESRCH: it was killed meanwhile. */
    (void)ptrace(PTRACE_CONT, tid, NULL, (void *)(long)(event != 0 ? 0 : signal));
}

/* ---- the command's side ---- */

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

static size_t argument(int at)
{
    return offsetof(struct seccomp_data, args) + (size_t)at * sizeof(uint64_t);
}

/* Tells the tracer of these calls; the message is the index in the table. */
static bool filter(void)
{
    struct sock_filter code[CALLS * 5 + 8];
    struct sock_fprog program = {.filter = code};
    unsigned short n = 0;

    for (size_t i = 0; i < CALLS; i++) {
        bool some = calls[i].at >= 0, output = calls[i].number == SYS_write;

        code[n++] = load(offsetof(struct seccomp_data, nr));
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0,
                                                 some || output ? 3 : 1);
        if (some || output)
            code[n++] = load(argument(output ? 0 : calls[i].at));
        if (some) /* any of these flags */
            code[n++] =
                (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, calls[i].flags, 0, 1);
        if (output) /* not standard output or error */
            code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 2, 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | (unsigned)i);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = n;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int main(int argc, char **argv)
{
    int code = 125;
    pid_t child = 0;
    const char *where = getenv("KILLCALL");
    FILE *said = NULL;

    if (argc < 4) {
        (void)fputs("usage: killcall N caller|all COMMAND...\n", stderr);
        return 125;
    }
    wanted = strtoul(argv[1], NULL, 10);
    everybody = strcmp(argv[2], "all") == 0;
    child = tracee_start(argv + 3,
                         PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACECLONE,
                         false, filter);
    if (child < 0) {
        perror("killcall: ptrace");
        return 125;
    }
    know(child);
    code = tracee_wait(child, SECONDS, stopped, forget);
    said = where != NULL ? fopen(where, "w") : stderr;
    if (said == NULL || fprintf(said, "%lu %s %s\n", seen, killed_at, killed) < 0 ||
        fflush(said) != 0)
        return 125;
    return code;
}
