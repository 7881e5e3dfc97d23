/* SPDX-License-Identifier: Apache-2.0 */
#include "nursery.h"

#include "sys.h"

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

/* Bytes one call may answer with; the largest store known lists in some 20 MiB. */
#define LISTING_MAX ((size_t)512 << 20)

enum call {
    CALL_OPEN = 1,
    CALL_LIST,
    CALL_SWAP,
    CALL_FLUSH,
    CALL_PROBE,
    CALL_UNLOCK,
    CALL_DISCOVER,
    CALL_WARM,
    CALL_LAST = CALL_WARM
};
enum reply { REPLY_RESULT = 1, REPLY_ENTRY, REPLY_FOUND };

struct xr_worker {
    pid_t pid;
    int fd;
    unsigned limit_ms;
    const struct xr_pause *pause;
    bool lost;
    char why[200];
};

/* ---- messages: length (8 bytes), payload ---- */

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* deadline < 0: no limit (the helper waits as long as its parent lives). */
static bool wait_for(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        int got = 0;

        if (deadline >= 0 && left <= 0)
            return false;
        got = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (got > 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
    }
}

static bool move_all(int fd, bool out, char *data, size_t len, int64_t deadline)
{
    while (len > 0) {
        ssize_t moved = 0;

        if (!wait_for(fd, out ? POLLOUT : POLLIN, deadline))
            return false;
        moved = out ? send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                    : recv(fd, data, len, MSG_DONTWAIT);
        if (moved < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (moved <= 0)
            return false;
        data += moved;
        len -= (size_t)moved;
    }
    return true;
}

static bool send_message(int fd, const struct xr_buf *payload, int64_t deadline)
{
    struct xr_buf head = {0};
    bool ok = false;

    if (payload->len > XR_MESSAGE_MAX)
        return false;
    xr_put_number(&head, payload->len);
    ok = move_all(fd, true, head.data, head.len, deadline) &&
         move_all(fd, true, payload->data, payload->len, deadline);
    xr_buf_free(&head);
    return ok;
}

static bool receive_message(int fd, struct xr_buf *payload, int64_t deadline)
{
    char head[8];
    struct xr_reader in = {{(const unsigned char *)head, sizeof(head)}, false};
    size_t len = 0;

    payload->len = 0;
    if (!move_all(fd, false, head, sizeof(head), deadline))
        return false;
    len = (size_t)xr_get_number(&in, XR_MESSAGE_MAX);
    if (in.failed || len == 0)
        return false;
    payload->data = xr_grow(payload->data, &payload->capacity, len, 1);
    if (!move_all(fd, false, payload->data, len, deadline))
        return false;
    payload->len = len;
    return true;
}

/* A message may hold a password: nothing of it stays in memory. */
static void forget(struct xr_buf *message)
{
    if (message->data != NULL)
        explicit_bzero(message->data, message->len);
}

static struct xr_reader reader_of(const struct xr_buf *buf)
{
    return (struct xr_reader){{(const unsigned char *)buf->data, buf->len}, false};
}

/* ---- the parent's side ---- */

static void leave(const struct xr_pause *pause)
{
    if (pause != NULL)
        pause->leave(pause->ctx);
}

/* Milliseconds that took: they are not the helper's. */
static int64_t enter(const struct xr_pause *pause)
{
    int64_t before = now_ms();

    if (pause != NULL)
        pause->enter(pause->ctx);
    return now_ms() - before;
}

static enum xr_status fail_lost(const struct xr_worker *worker, struct xr_error *err)
{
    return xr_error_set(err, XR_LOST, "worker", 0, "%s", worker->why);
}

/* Ends a helper that broke its promise; says how it ended if it did so itself. */
static enum xr_status lose(struct xr_worker *worker, const char *backend, const char *why,
                           struct xr_error *err)
{
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
    if (ended > 0 && WIFSIGNALED(state))
        (void)snprintf(worker->why, sizeof(worker->why),
                       "the helper of backend %s crashed (signal %d)", backend, WTERMSIG(state));
    else if (ended > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 127)
        (void)snprintf(worker->why, sizeof(worker->why),
                       "the helper of backend %s could not be started", backend);
    else
        (void)snprintf(worker->why, sizeof(worker->why), "the helper of backend %s %s", backend,
                       why);
    return fail_lost(worker, err);
}

static enum xr_status lose_io(struct xr_worker *worker, const char *backend, int64_t deadline,
                              struct xr_error *err)
{
    char why[64];

    if (now_ms() < deadline)
        return lose(worker, backend, "broke off or sent nonsense", err);
    (void)snprintf(why, sizeof(why), "did not answer within %u ms", worker->limit_ms);
    return lose(worker, backend, why, err);
}

/* Sends a call and takes replies until the result; *result is what follows the error in it. */
static enum xr_status call(struct xr_worker *worker, const char *backend, struct xr_buf *request,
                           struct xr_buf *reply, struct xr_reader *result, xr_entry_fn emit,
                           void *ctx, struct xr_error *err)
{
    int64_t deadline = now_ms() + worker->limit_ms;
    enum xr_status emitted = XR_OK;
    size_t taken = 0;
    bool sent = false;

    if (!worker->lost) {
        leave(worker->pause);
        sent = send_message(worker->fd, request, deadline);
        deadline += enter(worker->pause);
    }
    forget(request);
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
        received = receive_message(worker->fd, reply, deadline);
        deadline += enter(worker->pause);
        if (!received)
            return lose_io(worker, backend, deadline, err);
        *result = reader_of(reply);
        kind = xr_get_number(result, REPLY_ENTRY);
        taken += reply->len;
        if (taken > LISTING_MAX)
            return lose(worker, backend, "sent more than any store holds", err);
        if (kind == REPLY_ENTRY && emit != NULL) {
            enum xr_status status = xr_get_listed(result, emitted == XR_OK ? emit : NULL, ctx);

            if (result->failed)
                return lose(worker, backend, "sent nonsense", err);
            emitted = emitted == XR_OK ? status : emitted;
            continue;
        }
        if (kind != REPLY_RESULT)
            return lose(worker, backend, "sent nonsense", err);
        xr_get_error(result, &said);
        if (result->failed)
            return lose(worker, backend, "sent nonsense", err);
        if (err != NULL && (said.status != XR_OK || said.text[0] != '\0'))
            *err = said;
        return said.status != XR_OK ? said.status : emitted;
    }
}

/* Between fork and exec: only what may be called there. */
static void child(int fd, const struct xr_worker_config *config)
{
    char *const argv[] = {(char *)(uintptr_t)config->program, NULL};
    char *const envp[] = {NULL};
    int null = -1;
    sigset_t none;

    /* What a thread of ours, or the caller, holds back is nothing to a helper. */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* Out of the way of the descriptors below, which the caller may have had closed. */
    fd = fcntl(fd, F_DUPFD, 10);
    null = open("/dev/null", O_RDWR);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        dup2(fd, 3) < 0 || close_range(4, ~0u, 0) != 0)
        _exit(126);
    if (config->has_identity && (setgroups(0, NULL) != 0 || setgid((gid_t)config->gid) != 0 ||
                                 setuid((uid_t)config->uid) != 0))
        _exit(126);
    /* No terminal, no place of the caller's, and no life after it. */
    if (setsid() < 0 || chdir("/") != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        _exit(126);
    (void)umask(022);
    (void)execve(config->program, argv, envp);
    _exit(127);
}

/* backend: whose nurse may bear it; NULL: none. */
static enum xr_status start(struct xr_worker **out, const struct xr_worker_config *config,
                            const struct xr_loaded *backend, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    int pair[2];
    pid_t pid = 0;

    if (config == NULL || config->program == NULL)
        return xr_fail(err, XR_FAILED, "no helper program is known for this backend");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return xr_fail_errno(err, "cannot start a helper");
    pid = xr_nursery_bear(config, backend, pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return start(out, config, NULL, err);
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

/* Returns as soon as it ended, if the kernel can tell (Linux 5.3). */
static void wait_for_end(pid_t pid, int64_t deadline)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        return;
    (void)wait_for(fd, POLLIN, deadline);
    (void)close(fd);
}

static void stop(struct xr_worker *worker)
{
    int64_t deadline = now_ms() + 2000;

    if (worker == NULL)
        return;
    leave(worker->pause);
    (void)close(worker->fd); /* its end of file: it closes the session and leaves */
    if (worker->pid > 0)
        wait_for_end(worker->pid, deadline);
    while (worker->pid > 0) {
        const struct timespec pause = {.tv_nsec = 1000000};
        pid_t ended = waitpid(worker->pid, NULL, WNOHANG);

        if (ended != 0 && !(ended < 0 && errno == EINTR))
            break;
        if (now_ms() > deadline)
            (void)kill(worker->pid, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
    (void)enter(worker->pause);
    free(worker);
}

static void put_site(struct xr_buf *out, const struct xr_site *site)
{
    xr_put_text(out, site->root);
    xr_put_text(out, site->home);
    xr_put_text(out, site->data_home);
    xr_put_number(out, site->uid);
    xr_put_text(out, site->layout);
    xr_put_number(out, site->updater_distro);
    xr_put_text(out, site->config_home);
    xr_put_text(out, site->nss);
}

static enum xr_status open_in_worker(struct xr_store *store, const struct xr_site *site,
                                     enum xr_mode mode, const struct xr_worker_config *config,
                                     struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = start(&store->worker, config, store->backend, err);

    if (status != XR_OK)
        return status;
    xr_put_number(&request, CALL_OPEN);
    xr_put_text(&request, store->backend->plugin);
    xr_put_text(&request, store->backend->table.name);
    xr_put_text(&request, store->location);
    put_site(&request, site);
    xr_put_number(&request, mode);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    if (status == XR_OK) {
        xr_get_caps(&result, &store->caps);
        if (result.failed)
            status = lose(store->worker, store->backend->table.name, "sent nonsense", err);
    }
    xr_buf_free(&reply);
    return status;
}

enum xr_status xr_store_open(struct xr_store *store, const struct xr_loaded *backend,
                             const struct xr_site *site, const char *location, enum xr_mode mode,
                             const struct xr_worker_config *config, struct xr_error *err)
{
    struct xr_target target = {.size = sizeof(target), .site = site};
    enum xr_status status = XR_OK;

    *store = (struct xr_store){.backend = backend, .location = xr_strdup(location)};
    store->caps.size = sizeof(store->caps);
    target.location = store->location;
    if ((backend->table.flags & XR_BACKEND_WORKER) != 0 || (config != NULL && config->has_identity))
        status = open_in_worker(store, site, mode, config, err);
    else
        status = backend->table.open(&store->session, &store->caps, &xr_host, &target, mode, err);
    if (status != XR_OK)
        xr_store_close(store);
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
    if (!in->failed)
        (void)emit(ctx, &found);
    free(location);
    free(identity);
    free(summary);
}

/* Takes what the helper names until its result. */
static enum xr_status take_found(struct xr_worker *worker, const char *backend, xr_found_fn emit,
                                 void *ctx, struct xr_error *err)
{
    int64_t deadline = now_ms() + worker->limit_ms;
    struct xr_buf reply = {0};
    enum xr_status status = XR_OK;
    unsigned count = 0;

    for (uint64_t kind = REPLY_FOUND; status == XR_OK && kind == REPLY_FOUND;) {
        struct xr_reader in;
        struct xr_error said = {0};

        if (!receive_message(worker->fd, &reply, deadline)) {
            status = lose_io(worker, backend, deadline, err);
            break;
        }
        in = reader_of(&reply);
        kind = xr_get_number(&in, REPLY_FOUND);
        if (kind == REPLY_FOUND && ++count <= XR_FOUND_MAX)
            get_found(&in, emit, ctx);
        else if (kind == REPLY_RESULT)
            xr_get_error(&in, &said);
        if (count > XR_FOUND_MAX)
            status = lose(worker, backend, "named more stores than a home can hold", err);
        else if (in.failed || kind == REPLY_ENTRY)
            status = lose(worker, backend, "sent nonsense", err);
        else if (said.status != XR_OK) {
            status = said.status;
            if (err != NULL)
                *err = said;
        }
    }
    xr_buf_free(&reply);
    return status;
}

enum xr_status xr_store_discover(const struct xr_loaded *backend, const struct xr_site *site,
                                 unsigned scope, const struct xr_worker_config *config,
                                 xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct xr_worker *worker = NULL;
    struct xr_buf request = {0};
    enum xr_status status = XR_OK;

    if (config == NULL || !config->has_identity)
        return backend->table.discover(&xr_host, site, scope, emit, ctx, err);
    status = start(&worker, config, NULL, err);
    if (status != XR_OK || worker == NULL)
        return status;
    xr_put_number(&request, CALL_DISCOVER);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    put_site(&request, site);
    xr_put_number(&request, scope);
    if (send_message(worker->fd, &request, now_ms() + worker->limit_ms))
        status = take_found(worker, backend->table.name, emit, ctx, err);
    else
        status = lose(worker, backend->table.name, "broke off or sent nonsense", err);
    xr_buf_free(&request);
    stop(worker);
    return status;
}

enum xr_status xr_worker_warm(struct xr_worker **out, const struct xr_loaded *backend,
                              const struct xr_site *site, const struct xr_worker_config *config)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = start(out, config, NULL, NULL);

    if (*out == NULL)
        return status;
    xr_put_number(&request, CALL_WARM);
    xr_put_text(&request, backend->plugin);
    xr_put_text(&request, backend->table.name);
    put_site(&request, site);
    status = call(*out, backend->table.name, &request, &reply, &result, NULL, NULL, NULL);
    /* What it calls itself is what it is called here: else the numbers of its copies say nothing. */
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

enum xr_status xr_store_renew(struct xr_store *store, struct xr_error *err)
{
    if (store->session == NULL || store->backend->table.renew == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "the store has to be opened anew");
    return store->backend->table.renew(store->session, &store->caps, err);
}

void xr_store_close(struct xr_store *store)
{
    if (store->session != NULL)
        store->backend->table.close(store->session);
    stop(store->worker);
    free(store->location);
    *store = (struct xr_store){0};
}

/* A call without arguments or results. */
static enum xr_status simple_call(struct xr_store *store, enum call what, xr_entry_fn emit,
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

enum xr_status xr_store_list(struct xr_store *store, xr_entry_fn emit, void *ctx,
                             struct xr_error *err)
{
    if (store->worker != NULL)
        return simple_call(store, CALL_LIST, emit, ctx, err);
    return store->backend->table.list(store->session, emit, ctx, err);
}

enum xr_status xr_store_swap(struct xr_store *store, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    if (store->worker == NULL)
        return store->backend->table.swap(store->session, expect, want, err);
    xr_put_number(&request, CALL_SWAP);
    xr_put_state(&request, expect);
    xr_put_state(&request, want);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

enum xr_status xr_store_flush(struct xr_store *store, struct xr_error *err)
{
    if (store->backend->table.flush == NULL)
        return XR_OK;
    if (store->worker != NULL)
        return simple_call(store, CALL_FLUSH, NULL, NULL, err);
    return store->backend->table.flush(store->session, err);
}

enum xr_status xr_store_probe(struct xr_store *store, struct xr_verdict *out,
                              const struct xr_probe *probe, struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    *out = (struct xr_verdict){.size = sizeof(*out)};
    if (store->backend->table.probe == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "this store has no verifier");
    if (store->worker == NULL)
        return store->backend->table.probe(store->session, out, probe, err);
    xr_put_number(&request, CALL_PROBE);
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
            status = lose(store->worker, store->backend->table.name, "sent nonsense", err);
    }
    xr_buf_free(&reply);
    return status;
}

enum xr_status xr_store_unlock(struct xr_store *store, struct xr_bytes password,
                               struct xr_error *err)
{
    struct xr_buf request = {0}, reply = {0};
    struct xr_reader result;
    enum xr_status status = XR_OK;

    if (store->backend->table.unlock == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "nothing there can be unlocked");
    if (store->worker == NULL)
        return store->backend->table.unlock(store->session, password, err);
    /* At once as long as it becomes: growing would leave a copy behind. */
    request.data = xr_grow(NULL, &request.capacity, password.len + 64, 1);
    xr_put_number(&request, CALL_UNLOCK);
    xr_put_bytes(&request, password);
    status =
        call(store->worker, store->backend->table.name, &request, &reply, &result, NULL, NULL, err);
    xr_buf_free(&reply);
    return status;
}

/* ---- the helper's side ---- */

struct serving {
    int fd;
    bool nurse;
    struct xr_registry registry;
    struct xr_store store;
};

static enum xr_status send_entry(void *ctx, const struct xr_entry *entry)
{
    struct serving *s = ctx;
    struct xr_buf out = {0};
    bool ok = false;

    xr_put_number(&out, REPLY_ENTRY);
    xr_put_listed(&out, entry);
    ok = send_message(s->fd, &out, -1);
    xr_buf_free(&out);
    return ok ? XR_OK : XR_FAILED;
}

/* A site as it came over the socket, which owns what it points to. */
struct sent_site {
    struct xr_site site;
    char *texts[6];
};

static void get_site(struct sent_site *out, struct xr_reader *in)
{
    *out = (struct sent_site){.site = {.size = sizeof(out->site)}};
    for (unsigned i = 0; i < 3; i++)
        out->texts[i] = xr_get_text(in);
    out->site.uid = (unsigned long)xr_get_number(in, UINT64_MAX);
    out->texts[3] = xr_get_text(in);
    out->site.updater_distro = xr_get_number(in, 1) != 0;
    for (unsigned i = 4; i < 6; i++)
        out->texts[i] = xr_get_text(in);
    out->site.root = out->texts[0];
    out->site.home = out->texts[1];
    out->site.data_home = out->texts[2];
    out->site.layout = out->texts[3];
    out->site.config_home = out->texts[4];
    out->site.nss = out->texts[5];
}

static void free_site(struct sent_site *sent)
{
    for (unsigned i = 0; i < sizeof(sent->texts) / sizeof(sent->texts[0]); i++)
        free(sent->texts[i]);
}

/* Owned by the registry. NULL with err. */
static const struct xr_loaded *load_backend(struct serving *s, const char *plugin, const char *name,
                                            struct xr_error *err)
{
    const struct xr_loaded *backend = xr_registry_find(&s->registry, name);

    if (plugin != NULL && backend != NULL && backend->plugin != NULL &&
        strcmp(backend->plugin, plugin) == 0)
        return backend; /* by the nurse */
    if (plugin != NULL && xr_registry_plugin(&s->registry, plugin, err) != XR_OK)
        return NULL;
    backend = xr_registry_find(&s->registry, name);
    if (backend == NULL)
        (void)xr_fail(err, XR_ABSENT, "the helper has no such backend");
    return backend;
}

static enum xr_status serve_open(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in), *location = xr_get_text(in);
    struct sent_site sent;
    struct xr_target target = {.size = sizeof(target), .site = &sent.site};
    enum xr_mode mode = XR_READ;
    enum xr_status status = XR_OK;

    get_site(&sent, in);
    mode = (enum xr_mode)xr_get_number(in, XR_PROBE);
    if (in->failed || name == NULL || location == NULL || s->store.backend != NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((s->store.backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    if (status == XR_OK && s->store.backend != NULL) {
        s->store.location = xr_strdup(location);
        s->store.caps.size = sizeof(s->store.caps);
        target.location = s->store.location;
        status = s->store.backend->table.open(&s->store.session, &s->store.caps, &xr_host, &target,
                                              mode, err);
    }
    free(plugin);
    free(name);
    free(location);
    free_site(&sent);
    return status;
}

static enum xr_status send_found(void *ctx, const struct xr_found *given)
{
    struct serving *s = ctx;
    struct xr_found found = {0};
    struct xr_buf out = {0};
    bool ok = false;

    memcpy(&found, given, given->size < sizeof(found) ? given->size : sizeof(found));
    xr_put_number(&out, REPLY_FOUND);
    xr_put_text(&out, found.location);
    xr_put_text(&out, found.identity);
    xr_put_text(&out, found.summary);
    ok = send_message(s->fd, &out, -1);
    xr_buf_free(&out);
    return ok ? XR_OK : XR_FAILED;
}

/* A home that cannot be entered would look like one without stores. */
static enum xr_status enter_home(const struct xr_site *site, struct xr_error *err)
{
    char *path = xr_format("%s%s/.", site->root ? site->root : "", site->home ? site->home : "");
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    enum xr_status status = fd >= 0 ? XR_OK : xr_fail_errno(err, "cannot enter %s", path);

    if (fd >= 0)
        (void)close(fd);
    free(path);
    return status;
}

static enum xr_status serve_discover(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in);
    const struct xr_loaded *backend = NULL;
    struct sent_site sent;
    unsigned scope = 0;
    enum xr_status status = XR_OK;

    get_site(&sent, in);
    scope = (unsigned)xr_get_number(in, UINT32_MAX);
    if (in->failed || name == NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    else
        status = enter_home(&sent.site, err);
    if (status == XR_OK && backend != NULL)
        status = backend->table.discover(&xr_host, &sent.site, scope, send_found, s, err);
    free(plugin);
    free(name);
    free_site(&sent);
    return status;
}

/* libcrypto finds its algorithms at their first use, which takes longer than the use. */
static void warm_digests(void)
{
    const struct xr_bytes nothing = {(const unsigned char *)"", 0};
    unsigned char sum[XR_SHA256_LEN];

    xr_host.sha256(sum, nothing);
    xr_host.sha1(sum, nothing);
    xr_host.md5(sum, nothing);
}

static enum xr_status serve_warm(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    char *plugin = xr_get_text(in), *name = xr_get_text(in);
    const struct xr_loaded *backend = NULL;
    struct sent_site sent;
    enum xr_status status = XR_OK;

    get_site(&sent, in);
    if (in->failed || name == NULL)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else if ((backend = load_backend(s, plugin, name, err)) == NULL)
        status = err->status;
    else if (backend->table.warm == NULL)
        status = xr_fail(err, XR_UNSUPPORTED, "nothing there can be loaded before");
    else
        backend->table.warm(&sent.site);
    warm_digests();
    s->nurse = status == XR_OK;
    free(plugin);
    free(name);
    free_site(&sent);
    return status;
}

static enum xr_status serve_swap(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    struct xr_state *expect = xr_get_state(in);
    struct xr_state *want = xr_get_state(in);
    enum xr_status status = XR_OK;

    if (in->failed || (expect == NULL && want == NULL))
        status = xr_fail(err, XR_INVALID, "malformed request");
    else
        status = xr_store_swap(&s->store, expect, want, err);
    xr_state_free(expect);
    xr_state_free(want);
    return status;
}

static enum xr_status serve_probe(struct serving *s, struct xr_reader *in,
                                  struct xr_verdict *verdict, struct xr_error *err)
{
    struct xr_probe probe = {.size = sizeof(probe)};
    struct xr_bytes *chain = NULL;
    char *host = NULL;
    enum xr_status status = XR_OK;

    probe.count = (size_t)xr_get_number(in, 4096);
    chain = xr_new(probe.count, sizeof(*chain));
    for (size_t i = 0; i < probe.count; i++)
        chain[i] = xr_get_bytes(in);
    probe.chain = chain;
    probe.purpose = (uint32_t)xr_get_number(in, UINT32_MAX);
    host = xr_get_text(in);
    probe.host = host;
    probe.at = (int64_t)xr_get_number(in, UINT64_MAX);
    if (in->failed)
        status = xr_fail(err, XR_INVALID, "malformed request");
    else
        status = xr_store_probe(&s->store, verdict, &probe, err);
    free(chain);
    free(host);
    return status;
}

static enum xr_status serve_unlock(struct serving *s, struct xr_reader *in, struct xr_error *err)
{
    struct xr_bytes password = xr_get_bytes(in);

    if (in->failed)
        return xr_fail(err, XR_INVALID, "malformed request");
    return xr_store_unlock(&s->store, password, err);
}

/* One request, one result. False when there is nobody to answer. */
static bool serve(struct serving *s, const struct xr_buf *request)
{
    struct xr_reader in = reader_of(request);
    uint64_t what = xr_get_number(&in, CALL_LAST);
    struct xr_error err = {.size = sizeof(err)};
    struct xr_verdict verdict = {.size = sizeof(verdict)};
    struct xr_buf reply = {0};
    enum xr_status status = XR_OK;
    bool ok = false;

    if (in.failed || (what != CALL_OPEN && what != CALL_DISCOVER && what != CALL_WARM &&
                      s->store.session == NULL))
        status = xr_fail(&err, XR_INVALID, "malformed request");
    else if (what == CALL_OPEN)
        status = serve_open(s, &in, &err);
    else if (what == CALL_DISCOVER)
        status = serve_discover(s, &in, &err);
    else if (what == CALL_WARM)
        status = serve_warm(s, &in, &err);
    else if (what == CALL_LIST)
        status = xr_store_list(&s->store, send_entry, s, &err);
    else if (what == CALL_SWAP)
        status = serve_swap(s, &in, &err);
    else if (what == CALL_FLUSH)
        status = xr_store_flush(&s->store, &err);
    else if (what == CALL_UNLOCK)
        status = serve_unlock(s, &in, &err);
    else
        status = serve_probe(s, &in, &verdict, &err);

    err.status = status;
    if (status != XR_OK && err.text[0] == '\0')
        (void)snprintf(err.text, sizeof(err.text), "the backend failed without a reason");
    xr_put_number(&reply, REPLY_RESULT);
    xr_put_error(&reply, &err);
    if (what == CALL_OPEN)
        xr_put_caps(&reply, &s->store.caps);
    else if (what == CALL_PROBE)
        xr_put_verdict(&reply, &verdict);
    else if (what == CALL_WARM)
        xr_put_number(&reply, (uint64_t)getpid());
    ok = send_message(s->fd, &reply, -1);
    xr_buf_free(&reply);
    return ok;
}

int xr_worker_serve(int fd)
{
    struct serving s = {.fd = fd};
    struct xr_buf request = {0};

    xr_registry_init(&s.registry);
    while (s.fd >= 0 && receive_message(s.fd, &request, -1) && serve(&s, &request)) {
        forget(&request);
        if (s.nurse) { /* by turns: every copy comes back here with a socket of its own */
            s.nurse = false;
            s.fd = xr_nursery_serve(s.fd);
        }
    }
    forget(&request);
    xr_buf_free(&request);
    xr_store_close(&s.store);
    xr_registry_free(&s.registry);
    return 0;
}
