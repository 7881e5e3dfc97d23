/* SPDX-License-Identifier: Apache-2.0 */
/* What programs share that stop a command and all its processes at system calls, to kill there. */
#ifndef XR_TRACEE_H
#define XR_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Starts a command, traced with these PTRACE_O_* options and PTRACE_O_EXITKILL. interrupted: its first
 * stop is before exec. before: what it calls itself just before exec, or NULL; false ends it. -1: see
 * errno. */
pid_t tracee_start(char **argv, unsigned long options, bool interrupted, bool (*before)(void));
/* Waits until every process has ended, but ends by SIGALRM after so many seconds. Returns the command's
 * exit code, or 128 + the signal that ended it. */
int tracee_wait(pid_t child, unsigned seconds, void (*stopped)(pid_t tid, int status),
                void (*ended)(pid_t tid));
/* The name of a task's program. */
void tracee_name(char *out, size_t size, pid_t tid);
/* kill -9 of the whole process that a task belongs to. */
void tracee_kill(pid_t tid);

#endif
