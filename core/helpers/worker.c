/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "sys/sys.h"
#include "xr_config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Most bytes in the replies of one call; the largest known store lists in some 20 MiB. */
#define LISTING_MAX ((size_t)512 << 20)
#define UNSTARTED   128 /* above it an exit code is this and an errno */

static void leave(const struct xr_pause *pause)
{
    if (pause != NULL)
        pause->leave(pause->ctx);
}

/* Returns the milliseconds it took, which do not count for the helper. */
static int64_t enter(const struct xr_pause *pause)
{
    int64_t before = xr_talk_now();

    if (pause != NULL)
        pause->enter(pause->ctx);
    return xr_talk_now() - before;
}

static enum xr_status fail_lost(const struct xr_worker *worker, struct xr_error *err)
{
    return xr_error_set(err, XR_LOST, "worker", 0, "%s", worker->why);
}

enum xr_status xr_worker_lose(struct xr_worker *worker, struct xr_error *err, const char *format,
                              ...)
{
    const char *backend = worker->backend->table.name;
    va_list args;
    int state = 0;
    /* A crash shows as a closed socket a moment before the process can be waited for. */
    struct timespec pause = {.tv_nsec = 5000000};
    pid_t ended = 0;

    leave(worker->pause);
    for (int i = 0; i < 20 && ended == 0; i++) {
        ended = waitpid(worker->pid, &state, WNOHANG);
        if (ended == 0)
            (void)nanosleep(&pause, NULL);
    }
    if (ended == 0) {
        (void)kill(worker->pid, SIGKILL);
        (void)waitpid(worker->pid, &state, 0);
    }
    (void)enter(worker->pause);
    worker->pid = -1;
    worker->lost = true;
    if (ended > 0 && WIFSIGNALED(state) && WTERMSIG(state) == SIGXCPU)
        (void)snprintf(worker->why, sizeof(worker->why),
                       N_("the helper of backend %s needed more processor time than a helper may"),
                       backend);
    else if (ended > 0 && WIFSIGNALED(state))
        (void)snprintf(worker->why, sizeof(worker->why),
                       N_("the helper of backend %s crashed (signal %d)"), backend,
                       WTERMSIG(state));
    else if (ended > 0 && WIFEXITED(state) && WEXITSTATUS(state) > UNSTARTED)
        (void)snprintf(worker->why, sizeof(worker->why),
                       N_("the helper of backend %s could not be started: %s"), backend,
                       strerror(WEXITSTATUS(state) - UNSTARTED));
    else {
        va_start(args, format);
        (void)vsnprintf(worker->why, sizeof(worker->why), format, args);
        va_end(args);
    }
    return fail_lost(worker, err);
}

enum xr_status xr_worker_silent(struct xr_worker *worker, int64_t deadline, struct xr_error *err)
{
    const char *backend = worker->backend->table.name;

    if (xr_talk_now() < deadline)
        return xr_worker_lose(worker, err,
                              "the helper of backend %s stopped or sent an invalid reply", backend);
    return xr_worker_lose(worker, err, "the helper of backend %s did not answer within %u ms",
                          backend, worker->limit_ms);
}

enum xr_status xr_worker_garbled(struct xr_worker *worker, struct xr_error *err)
{
    return xr_worker_lose(worker, err, "the helper of backend %s sent an invalid reply",
                          worker->backend->table.name);
}

bool xr_worker_went_wrong(enum xr_status status)
{
    return status == XR_FAILED || status == XR_INVALID || status == XR_LOST;
}

enum xr_status xr_worker_call(struct xr_worker *worker, struct xr_buf *request,
                              struct xr_buf *reply, struct xr_reader *result, xr_entry_fn emit,
                              void *ctx, struct xr_error *err)
{
    int64_t deadline = xr_talk_now() + worker->limit_ms;
    enum xr_status emitted = XR_OK;
    size_t taken = 0;
    bool sent = false;

    if (!worker->lost) {
        leave(worker->pause);
        sent = xr_talk_send(worker->fd, request, deadline);
        deadline += enter(worker->pause);
    }
    xr_talk_forget(request);
    xr_buf_free(request);
    if (worker->lost)
        return fail_lost(worker, err);
    if (!sent)
        return xr_worker_silent(worker, deadline, err);
    for (;;) {
        struct xr_error said;
        uint64_t kind = 0;
        bool received = false;

        leave(worker->pause);
        received = xr_talk_receive(worker->fd, reply, deadline);
        deadline += enter(worker->pause);
        if (!received)
            return xr_worker_silent(worker, deadline, err);
        *result = xr_talk_reader(reply);
        kind = xr_get_number(result, XR_SAID_ENTRY);
        taken += reply->len;
        if (taken > LISTING_MAX)
            return xr_worker_lose(worker, err,
                                  "the helper of backend %s sent more data than any store can hold",
                                  worker->backend->table.name);
        if (kind == XR_SAID_ENTRY && emit != NULL) {
            enum xr_status status = xr_get_listed(result, emitted == XR_OK ? emit : NULL, ctx);

            if (result->failed)
                return xr_worker_garbled(worker, err);
            emitted = emitted == XR_OK ? status : emitted;
            continue;
        }
        if (kind != XR_SAID_RESULT)
            return xr_worker_garbled(worker, err);
        xr_get_error(result, &said);
        if (result->failed)
            return xr_worker_garbled(worker, err);
        if (err != NULL && (said.status != XR_OK || said.text[0] != '\0'))
            *err = said;
        worker->failed = worker->failed || xr_worker_went_wrong(said.status);
        return said.status != XR_OK ? said.status : emitted;
    }
}

/* The exit code of what never became a helper tells errno. */
static _Noreturn void give_up(void)
{
    _exit(UNSTARTED + (errno > 0 && errno < UNSTARTED - 1 ? errno : EIO));
}

/* Between fork and exec: calls only async-signal-safe functions. */
static void child(int fd, const struct xr_worker_config *config)
{
    char *const argv[] = {(char *)(uintptr_t)config->program, NULL};
    char *const envp[] = {NULL};
    int null = -1;
    sigset_t none;

    /* A helper must not inherit the signals that our thread or the caller blocks. */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* Moves fd above the descriptors below, which may have been closed in the caller. */
    fd = fcntl(fd, F_DUPFD, 10);
    null = open("/dev/null", O_RDWR);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        dup2(fd, 3) < 0 || close_range(4, ~0u, 0) != 0)
        give_up();
    if (config->has_identity && (setgroups(0, NULL) != 0 || setgid((gid_t)config->gid) != 0 ||
                                 setuid((uid_t)config->uid) != 0))
        give_up();
    /* No terminal, not in the caller's directory, and it ends with the caller. */
    if (setsid() < 0 || chdir("/") != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up();
    (void)umask(022);
    (void)execve(config->program, argv, envp);
    give_up();
}

/* What root runs must be as a plugin must be: nobody else can have put it there, or a link to it. A
 * missing program is execve's to report. */
static enum xr_status check_program(const char *program, struct xr_error *err)
{
    struct xr_error why = {0};
    int fd = -1;
    enum xr_status status =
        geteuid() == 0 ? xr_sys_open_trusted(&fd, program, strcmp(program, XR_WORKER) == 0, &why)
                       : XR_OK;

    if (fd >= 0)
        (void)close(fd);
    return status == XR_OK || status == XR_ABSENT
               ? XR_OK
               : xr_fail(err, status, "the helper program is refused: %s", why.text);
}

enum xr_status xr_worker_start(struct xr_worker **out, const struct xr_worker_config *config,
                               const struct xr_loaded *backend, bool copy, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    enum xr_status status = XR_OK;
    int pair[2];
    pid_t pid = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return xr_fail_errno(err, "cannot start a helper");
    pid = copy && config->copy != NULL
              ? (pid_t)config->copy(config->copier, config, backend, pair[1])
              : 0;
    if (pid < 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return xr_worker_start(out, config, backend, false, err);
    }
    if (pid == 0 && (status = check_program(config->program, err)) != XR_OK) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return status;
    }
    if (pid == 0) {
        leave(config->pause);
        pid = fork();
        if (pid == 0)
            child(pair[1], config);
        (void)enter(config->pause);
    }
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return xr_fail_errno(err, "cannot start a helper");
    }
    worker = xr_new(1, sizeof(*worker));
    worker->pid = pid;
    worker->fd = pair[0];
    worker->limit_ms = config->limit_ms ? config->limit_ms : XR_WORKER_LIMIT_MS;
    worker->pause = config->pause;
    worker->pool = config->pool;
    worker->backend = backend;
    worker->has_identity = config->has_identity;
    worker->uid = config->uid;
    worker->gid = config->gid;
    *out = worker;
    return XR_OK;
}

/* Returns as soon as the helper ends, if the kernel can tell (Linux 5.3). */
static void wait_for_end(pid_t pid, int64_t deadline)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        return;
    (void)xr_talk_wait(fd, POLLIN, deadline);
    (void)close(fd);
}

void xr_worker_stop(struct xr_worker *worker)
{
    int64_t deadline = xr_talk_now() + XR_CLOSE_MS;

    if (worker == NULL)
        return;
    leave(worker->pause);
    (void)close(worker->fd); /* the helper reads end of file, closes its session and exits */
    if (worker->pid > 0)
        wait_for_end(worker->pid, deadline);
    while (worker->pid > 0) {
        const struct timespec pause = {.tv_nsec = 1000000};
        pid_t ended = waitpid(worker->pid, NULL, WNOHANG);

        if (ended != 0 && !(ended < 0 && errno == EINTR))
            break;
        if (xr_talk_now() > deadline)
            (void)kill(worker->pid, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
    (void)enter(worker->pause);
    free(worker);
}

enum xr_status xr_worker_prepare(struct xr_worker **out, const struct xr_loaded *backend,
                                 const struct xr_site *site, const struct xr_worker_config *config)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = xr_worker_start(out, config, backend, false, NULL);

    if (*out == NULL)
        return status;
    xr_put_number(&request, XR_CALL_PRELOAD);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    xr_put_site(&request, site);
    status = xr_worker_call(*out, &request, &reply, &result, NULL, NULL, NULL);
    /* The process ID that it knows of itself must be the one seen here (not in another pid
     * namespace): else the process IDs of its copies mean nothing. */
    if (status == XR_OK &&
        (xr_get_number(&result, INT32_MAX) != (uint64_t)(*out)->pid || result.failed))
        status = XR_FAILED;
    xr_buf_free(&reply);
    return status;
}

int xr_worker_socket(const struct xr_worker *worker)
{
    return worker->fd;
}

bool xr_worker_is_child(int pid)
{
    siginfo_t info;

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}
