/* SPDX-License-Identifier: Apache-2.0 */
#include "forkserver.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SPAWN_MS 5000

struct xr_forkserver {
    const struct xr_loaded *backend;
    char *program;
    bool has_identity;
    uint32_t uid, gid;
    struct xr_worker *worker; /* NULL: it could not be started */
};

static struct xr_forkserver *find(const struct xr_forkservers *forkservers,
                                  const struct xr_loaded *backend,
                                  const struct xr_worker_config *config)
{
    for (size_t i = 0; i < forkservers->count; i++) {
        struct xr_forkserver *server = &forkservers->items[i];

        if (server->backend == backend && server->has_identity == config->has_identity &&
            strcmp(server->program, config->program) == 0 &&
            (!server->has_identity || (server->uid == config->uid && server->gid == config->gid)))
            return server;
    }
    return NULL;
}

/* Takes it out of the list before waiting for its end, so that nobody finds it. */
static void dismiss(struct xr_forkserver *server)
{
    struct xr_worker *worker = server->worker;

    server->worker = NULL;
    xr_worker_stop(worker);
}

void xr_forkservers_free(struct xr_forkservers *forkservers)
{
    for (size_t i = 0; i < forkservers->count; i++) {
        dismiss(&forkservers->items[i]);
        free(forkservers->items[i].program);
    }
    free(forkservers->items);
    *forkservers = (struct xr_forkservers){0};
}

void xr_forkservers_prepare(struct xr_forkservers *forkservers, const struct xr_loaded *backend,
                            const struct xr_site *site, const struct xr_worker_config *config)
{
    struct xr_forkserver *server = NULL;

    if (backend->table.preload == NULL || config->program == NULL ||
        find(forkservers, backend, config) != NULL)
        return;
    server = XR_PUSH(forkservers);
    *server = (struct xr_forkserver){.backend = backend,
                                     .program = xr_strdup(config->program),
                                     .has_identity = config->has_identity,
                                     .uid = config->uid,
                                     .gid = config->gid};
    if (xr_worker_prepare(&server->worker, backend, site, config) != XR_OK)
        dismiss(server);
}

/* Sends one byte with the descriptor; the answer is the process ID. */
static bool send_descriptor(int to, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    char byte = 1;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static pid_t receive_pid(int from)
{
    struct pollfd p = {.fd = from, .events = POLLIN};
    int32_t pid = -1;
    int ready = 0;

    do {
        ready = poll(&p, 1, SPAWN_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || recv(from, &pid, sizeof(pid), MSG_DONTWAIT) != (ssize_t)sizeof(pid))
        return -1;
    return pid > 1 ? pid : -1;
}

int xr_forkservers_spawn(void *forkservers, const struct xr_worker_config *config,
                         const struct xr_loaded *backend, int fd)
{
    struct xr_forkserver *server = find(forkservers, backend, config);
    pid_t pid = -1;

    if (server == NULL || server->worker == NULL)
        return 0;
    if (send_descriptor(xr_worker_socket(server->worker), fd))
        pid = receive_pid(xr_worker_socket(server->worker));
    if (pid < 0 || !xr_worker_is_child(pid)) {
        dismiss(server);
        return -1;
    }
    return pid;
}

/* ---- the server's side ---- */

static int receive_descriptor(int from)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    const struct cmsghdr *head = NULL;
    ssize_t got = 0;
    int fd = -1;

    do {
        got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    head = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head == NULL || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

int xr_forkserver_serve(int fd)
{
    for (;;) {
        int to_serve = receive_descriptor(fd);
        int32_t pid = -1;

        if (to_serve < 0)
            return -1;
        /* The copy becomes a child of our parent, which waits for it like for one that it started
         * itself. */
        pid = (int32_t)syscall(SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL,
                               0UL);
        if (pid == 0) {
            (void)close(fd);
            if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
                _exit(126);
            return to_serve;
        }
        (void)close(to_serve);
        if (send(fd, &pid, sizeof(pid), MSG_NOSIGNAL) != (ssize_t)sizeof(pid))
            return -1;
    }
}
