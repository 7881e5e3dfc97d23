/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "message.h"
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

struct xr_worker {
    pid_t pid;
    int fd;
    unsigned limit_ms;
    const struct xr_pause *pause;
    bool lost;
    char why[200];
};

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

/* Ends a helper that failed; reports how it ended if it ended by itself. */
XR_PRINTF(4, 5)
static enum xr_status lose(struct xr_worker *worker, const char *backend, struct xr_error *err,
                           const char *format, ...)
{
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

static enum xr_status lose_io(struct xr_worker *worker, const char *backend, int64_t deadline,
                              struct xr_error *err)
{
    if (xr_talk_now() < deadline)
        return lose(worker, backend, err,
                    "the helper of backend %s stopped or sent an invalid reply", backend);
    return lose(worker, backend, err, "the helper of backend %s did not answer within %u ms",
                backend, worker->limit_ms);
}

/* Sends a call and takes replies until the result; *result is what follows the error in it. */
static enum xr_status call(struct xr_worker *worker, const char *backend, struct xr_buf *request,
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
        return lose_io(worker, backend, deadline, err);
    for (;;) {
        struct xr_error said;
        uint64_t kind = 0;
        bool received = false;

        leave(worker->pause);
        received = xr_talk_receive(worker->fd, reply, deadline);
        deadline += enter(worker->pause);
        if (!received)
            return lose_io(worker, backend, deadline, err);
        *result = xr_talk_reader(reply);
        kind = xr_get_number(result, XR_SAID_ENTRY);
        taken += reply->len;
        if (taken > LISTING_MAX)
            return lose(worker, backend, err,
                        "the helper of backend %s sent more data than any store can hold", backend);
        if (kind == XR_SAID_ENTRY && emit != NULL) {
            enum xr_status status = xr_get_listed(result, emitted == XR_OK ? emit : NULL, ctx);

            if (result->failed)
                return lose(worker, backend, err, "the helper of backend %s sent an invalid reply",
                            backend);
            emitted = emitted == XR_OK ? status : emitted;
            continue;
        }
        if (kind != XR_SAID_RESULT)
            return lose(worker, backend, err, "the helper of backend %s sent an invalid reply",
                        backend);
        xr_get_error(result, &said);
        if (result->failed)
            return lose(worker, backend, err, "the helper of backend %s sent an invalid reply",
                        backend);
        if (err != NULL && (said.status != XR_OK || said.text[0] != '\0'))
            *err = said;
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

/* Starts a copy of the backend's fork server, or with NULL a new program. */
static enum xr_status start(struct xr_worker **out, const struct xr_worker_config *config,
                            const struct xr_loaded *backend, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    enum xr_status status = XR_OK;
    int pair[2];
    pid_t pid = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return xr_fail_errno(err, "cannot start a helper");
    pid = config->copy != NULL && backend != NULL
              ? (pid_t)config->copy(config->copier, config, backend, pair[1])
              : 0;
    if (pid < 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return start(out, config, NULL, err);
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

static void stop(struct xr_worker *worker)
{
    int64_t deadline = xr_talk_now() + 2000;

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

static enum xr_status remote_open(struct xr_store *store, const struct xr_target *target,
                                  enum xr_mode mode, const struct xr_worker_config *config,
                                  struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = start(&store->worker, config, store->backend, err);

    if (status != XR_OK)
        return status;
    xr_put_number(&request, XR_CALL_OPEN);
    xr_put_text(&request, store->backend->plugin);
    xr_put_text(&request, store->backend->table.name);
    xr_put_text(&request, store->location);
    xr_put_site(&request, target->site);
    xr_put_number(&request, mode);
    xr_put_subjects(&request, target->leaving, target->leaving_count);
    xr_put_subjects(&request, target->coming, target->coming_count);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    if (status == XR_OK) {
        xr_get_caps(&result, &store->caps);
        if (result.failed)
            status =
                lose(store->worker, store->backend->table.name, err,
                     "the helper of backend %s sent an invalid reply", store->backend->table.name);
    }
    xr_buf_free(&reply);
    return status;
}

static void get_found(struct xr_reader *in, xr_found_fn emit, void *ctx)
{
    struct xr_found found = {.size = sizeof(found)};
    char *location = xr_get_text(in), *identity = xr_get_text(in), *summary = xr_get_text(in);

    in->failed = in->failed || location == NULL || strlen(location) > PATH_MAX;
    found.location = location;
    found.identity = identity;
    found.summary = summary;
    found.only_named = xr_get_number(in, 1) == 1;
    if (!in->failed)
        (void)emit(ctx, &found);
    free(location);
    free(identity);
    free(summary);
}

/* Receives the stores that the helper emits, until its result. */
static enum xr_status take_found(struct xr_worker *worker, const char *backend, xr_found_fn emit,
                                 void *ctx, struct xr_error *err)
{
    int64_t deadline = xr_talk_now() + worker->limit_ms;
    struct xr_buf reply = {0};
    enum xr_status status = XR_OK;
    unsigned count = 0;

    for (uint64_t kind = XR_SAID_FOUND; status == XR_OK && kind == XR_SAID_FOUND;) {
        struct xr_reader in;
        struct xr_error said = {0};

        if (!xr_talk_receive(worker->fd, &reply, deadline)) {
            status = lose_io(worker, backend, deadline, err);
            break;
        }
        in = xr_talk_reader(&reply);
        kind = xr_get_number(&in, XR_SAID_FOUND);
        if (kind == XR_SAID_FOUND && ++count <= XR_FOUND_MAX)
            get_found(&in, emit, ctx);
        else if (kind == XR_SAID_RESULT)
            xr_get_error(&in, &said);
        if (count > XR_FOUND_MAX)
            status =
                lose(worker, backend, err,
                     "the helper of backend %s named more stores than a home can hold", backend);
        else if (in.failed || kind == XR_SAID_ENTRY)
            status = lose(worker, backend, err, "the helper of backend %s sent an invalid reply",
                          backend);
        else if (said.status != XR_OK) {
            status = said.status;
            if (err != NULL)
                *err = said;
        }
    }
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_discover(const struct xr_loaded *backend, const struct xr_site *site,
                                      unsigned scope, const struct xr_worker_config *config,
                                      xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    struct xr_buf request = {0};
    enum xr_status status = start(&worker, config, NULL, err);

    if (status != XR_OK || worker == NULL)
        return status;
    xr_put_number(&request, XR_CALL_DISCOVER);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    xr_put_site(&request, site);
    xr_put_number(&request, scope);
    if (xr_talk_send(worker->fd, &request, xr_talk_now() + worker->limit_ms))
        status = take_found(worker, backend->table.name, emit, ctx, err);
    else
        status =
            lose(worker, backend->table.name, err,
                 "the helper of backend %s stopped or sent an invalid reply", backend->table.name);
    xr_buf_free(&request);
    stop(worker);
    return status;
}

enum xr_status xr_worker_prepare(struct xr_worker **out, const struct xr_loaded *backend,
                                 const struct xr_site *site, const struct xr_worker_config *config)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = start(out, config, NULL, NULL);

    if (*out == NULL)
        return status;
    xr_put_number(&request, XR_CALL_PRELOAD);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    xr_put_site(&request, site);
    status = call(*out, backend->table.name, &request, &reply, &result, NULL, NULL, NULL);
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

void xr_worker_stop(struct xr_worker *worker)
{
    stop(worker);
}

/* A call without arguments or results. */
static enum xr_status simple_call(struct xr_store *store, enum xr_call what, xr_entry_fn emit,
                                  void *ctx, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, what);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, emit, ctx, err);
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_list(struct xr_store *store, xr_entry_fn emit, void *ctx,
                                  struct xr_error *err)
{
    return simple_call(store, XR_CALL_LIST, emit, ctx, err);
}

static enum xr_status remote_flush(struct xr_store *store, struct xr_error *err)
{
    return simple_call(store, XR_CALL_FLUSH, NULL, NULL, err);
}

static enum xr_status remote_swap(struct xr_store *store, const struct xr_state *expect,
                                  const struct xr_state *want, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_SWAP);
    xr_put_state(&request, expect);
    xr_put_state(&request, want);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_probe(struct xr_store *store, struct xr_verdict *out,
                                   const struct xr_probe *probe, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    xr_put_number(&request, XR_CALL_PROBE);
    xr_put_number(&request, probe->count);
    for (size_t i = 0; i < probe->count; i++)
        xr_put_bytes(&request, probe->chain[i]);
    xr_put_number(&request, probe->purpose);
    xr_put_text(&request, probe->host);
    xr_put_number(&request, (uint64_t)probe->at);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    if (status == XR_OK) {
        xr_get_verdict(&result, out);
        if (result.failed)
            status =
                lose(store->worker, store->backend->table.name, err,
                     "the helper of backend %s sent an invalid reply", store->backend->table.name);
    }
    xr_buf_free(&reply);
    return status;
}

static enum xr_status remote_unlock(struct xr_store *store, struct xr_bytes password,
                                    struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    /* Reserves the whole length at once: growing would leave a copy of the password in memory. */
    request.data = xr_grow(NULL, &request.capacity, password.len + 64, 1);
    xr_put_number(&request, XR_CALL_UNLOCK);
    xr_put_bytes(&request, password);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

static const struct xr_remote remote = {
    .open = remote_open,
    .close = stop,
    .discover = remote_discover,
    .list = remote_list,
    .swap = remote_swap,
    .flush = remote_flush,
    .probe = remote_probe,
    .unlock = remote_unlock,
};

const struct xr_remote *const xr_helpers = &remote;
