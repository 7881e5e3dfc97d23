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

#define BIRTH_MS 5000

struct xr_nurse {
    const struct xr_loaded *backend;
    char *program;
    bool has_identity;
    uint32_t uid, gid;
    struct xr_worker *worker; /* NULL: none could be had */
};

static struct xr_nurse *find(const struct xr_nursery *nursery, const struct xr_loaded *backend,
                             const struct xr_worker_config *config)
{
    for (size_t i = 0; i < nursery->count; i++) {
        struct xr_nurse *nurse = &nursery->items[i];

        if (nurse->backend == backend && nurse->has_identity == config->has_identity &&
            strcmp(nurse->program, config->program) == 0 &&
            (!nurse->has_identity || (nurse->uid == config->uid && nurse->gid == config->gid)))
            return nurse;
    }
    return NULL;
}

/* Nobody finds it while its end is waited for. */
static void dismiss(struct xr_nurse *nurse)
{
    struct xr_worker *worker = nurse->worker;

    nurse->worker = NULL;
    xr_worker_stop(worker);
}

void xr_nursery_free(struct xr_nursery *nursery)
{
    for (size_t i = 0; i < nursery->count; i++) {
        dismiss(&nursery->items[i]);
        free(nursery->items[i].program);
    }
    free(nursery->items);
    *nursery = (struct xr_nursery){0};
}

void xr_nursery_warm(struct xr_nursery *nursery, const struct xr_loaded *backend,
                     const struct xr_site *site, const struct xr_worker_config *config)
{
    struct xr_nurse *nurse = NULL;

    if (backend->table.warm == NULL || config->program == NULL ||
        find(nursery, backend, config) != NULL)
        return;
    nurse = XR_PUSH(nursery);
    *nurse = (struct xr_nurse){.backend = backend,
                               .program = xr_strdup(config->program),
                               .has_identity = config->has_identity,
                               .uid = config->uid,
                               .gid = config->gid};
    if (xr_worker_warm(&nurse->worker, backend, site, config) != XR_OK)
        dismiss(nurse);
}

/* One byte with the descriptor, answered by the number of the process. */
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
        ready = poll(&p, 1, BIRTH_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || recv(from, &pid, sizeof(pid), MSG_DONTWAIT) != (ssize_t)sizeof(pid))
        return -1;
    return pid > 1 ? pid : -1;
}

pid_t xr_nursery_bear(const struct xr_worker_config *config, const struct xr_loaded *backend,
                      int fd)
{
    struct xr_nurse *nurse = NULL;
    pid_t pid = -1;

    if (config->nursery == NULL || backend == NULL)
        return 0;
    nurse = find(config->nursery, backend, config);
    if (nurse == NULL || nurse->worker == NULL)
        return 0;
    if (send_descriptor(xr_worker_socket(nurse->worker), fd))
        pid = receive_pid(xr_worker_socket(nurse->worker));
    if (pid < 0 || !xr_worker_is_child(pid)) {
        dismiss(nurse);
        return -1;
    }
    return pid;
}

/* ---- the nurse's side ---- */

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

int xr_nursery_serve(int fd)
{
    for (;;) {
        int to_serve = receive_descriptor(fd);
        int32_t pid = -1;

        if (to_serve < 0)
            return -1;
        /* A child of our parent, which waits for it as for one that it started itself. */
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
