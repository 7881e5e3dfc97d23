/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into one program: its k-th allocation fails, whoever asks for it.
 *
 *   XR_FAIL_AT=K       the K-th fails; 0: none
 *   XR_FAIL_LASTING=1  and so does every later one
 *   XR_FAIL_LOG=FILE   gets a line "count N" when the program ends by itself, "failed" when the
 *                      allocation was asked for, and "fault OBJECT" for an invalid access, with the file
 *                      of the code that did it or let libc do it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

/* glibc's own, which need not be looked up: to look up allocates. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static atomic_ulong asked;
static unsigned long at;
static bool lasting, ready;
static int log_fd = -1;

static void say(const char *what, const char *more)
{
    char line[512];
    int len = snprintf(line, sizeof(line), "%s %s\n", what, more);
    ssize_t put = log_fd >= 0 && len > 0 ? write(log_fd, line, (size_t)len) : 0;

    (void)put;
}

static bool fails(void)
{
    unsigned long number = atomic_fetch_add(&asked, 1) + 1;

    if (!ready || at == 0 || number < at || (number > at && !lasting))
        return false;
    if (number == at)
        say("failed", "");
    errno = ENOMEM;
    return true;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

/* Finds the file of the code that is to blame: libc only did what it was asked for. */
static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *ctx)
{
    const char **blamed = ctx;
    Dl_info where = {0};
    void *code = (void *)_Unwind_GetIP(context);

    if (code == NULL || dladdr(code, &where) == 0 || where.dli_fname == NULL ||
        strstr(where.dli_fname, "failalloc") != NULL || strstr(where.dli_fname, "/libc.so") != NULL)
        return _URC_NO_REASON;
    *blamed = where.dli_fname;
    return _URC_END_OF_STACK;
}

static void fault(int number)
{
    const char *blamed = "unknown";

    (void)_Unwind_Backtrace(look, &blamed);
    say("fault", blamed);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("XR_FAIL_AT"), *log = getenv("XR_FAIL_LOG");
    struct sigaction action = {.sa_flags = SA_NODEFER};

    action.sa_handler = fault;
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGBUS, &action, NULL);
    log_fd = log != NULL ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    at = text != NULL ? strtoul(text, NULL, 10) : 0;
    lasting = getenv("XR_FAIL_LASTING") != NULL;
    atomic_store(&asked, 0);
    ready = true;
}

static void say_count(void)
{
    char number[32];

    (void)snprintf(number, sizeof(number), "%lu", atomic_load(&asked));
    say("count", number);
}

__attribute__((destructor)) static void end(void)
{
    say_count();
}

/* Helpers end by it. */
__attribute__((visibility("default"), noreturn)) void _exit(int code)
{
    say_count();
    (void)syscall(SYS_exit_group, code);
    __builtin_unreachable();
}
