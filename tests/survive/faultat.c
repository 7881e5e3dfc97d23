/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faultat LOG N FAULT COMMAND...: runs a command and gives a fault to the N-th call, of it and all its
 * processes together, that changes files or names, syncs, locks or makes a channel. The kernel asks us
 * about these calls alone (seccomp_unotify(2)), so that all others run at full speed.
 *
 * FAULT is an error such as ENOSPC, SHORT (half of what was to be written is, which is what a full disk
 * does first) or KILL (of the command, before the call). N of 0 gives none. LOG gets a line a call:
 * number, name, path, and "!" if it got the fault, with tabs. Exit: the command's, 128 + the signal that
 * ended it, or 125 where this kernel or its policy does not allow it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_ARG (-1)

/* Where a call names its file: by a descriptor, or by a path below a directory (NO_ARG: the working
 * one). Of two names it is the new one. */
static const struct call {
    const char *name;
    long number;
    int fd, dir, path;
    int flags; /* only with flags of open(2) that may write or make something */
} calls[] = {
#define BY_FD(name)                                   \
    {                                                 \
#name, __NR_##name, 0, NO_ARG, NO_ARG, NO_ARG \
    }
#define BY_PATH(name, path)                              \
    {                                                    \
#name, __NR_##name, NO_ARG, NO_ARG, path, NO_ARG \
    }
#define BELOW(name, dir)                                   \
    {                                                      \
#name, __NR_##name, NO_ARG, dir, (dir) + 1, NO_ARG \
    }
    {"openat", __NR_openat, NO_ARG, 0, 1, 2},
    BY_FD(write),
    BY_FD(pwrite64),
    BY_FD(writev),
    BY_FD(ftruncate),
    BY_FD(fallocate),
    BY_FD(fsync),
    BY_FD(fdatasync),
    BY_FD(syncfs),
    BY_FD(fchmod),
    BY_FD(fchown),
    BY_FD(fsetxattr),
    BY_FD(flock),
    BELOW(fchmodat, 0),
    BELOW(fchownat, 0),
    BELOW(utimensat, 0),
    BELOW(unlinkat, 0),
    BELOW(mkdirat, 0),
    BELOW(mknodat, 0),
    BELOW(symlinkat, 1),
    BELOW(linkat, 2),
    BELOW(renameat2, 2),
#ifdef __NR_renameat
    BELOW(renameat, 2),
#endif
#ifdef __NR_open /* what newer architectures have no more */
    {"open", __NR_open, NO_ARG, NO_ARG, 0, 1},
    BY_PATH(creat, 0),
    BY_PATH(rename, 1),
    BY_PATH(link, 1),
    BY_PATH(symlink, 1),
    BY_PATH(unlink, 0),
    BY_PATH(mkdir, 0),
    BY_PATH(rmdir, 0),
    BY_PATH(chmod, 0),
    BY_PATH(chown, 0),
    BY_PATH(lchown, 0),
#endif
    BY_PATH(truncate, 0),
    {"socketpair", __NR_socketpair, NO_ARG, NO_ARG, NO_ARG, NO_ARG},
    {"pipe2", __NR_pipe2, NO_ARG, NO_ARG, NO_ARG, NO_ARG},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const struct {
    const char *name;
    int code;
} faults[] = {
    {"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EACCES", EACCES},
    {"EROFS", EROFS},   {"EMFILE", EMFILE}, {"EINTR", EINTR},
    {"EDQUOT", EDQUOT}, {"ENOLCK", ENOLCK}, {"EFBIG", EFBIG},
};

/* ---- in the command's process, before exec ---- */

static void add(struct sock_filter *out, unsigned short *count, struct sock_filter one)
{
    out[(*count)++] = one;
}

/* Only calls of this architecture; those with flags of open are asked about here too. */
static int listen_here(void)
{
    struct sock_filter filter[4 * CALLS + 8];
    struct sock_fprog program = {.filter = filter};
    unsigned short n = 0;
    int fd = -1;

    add(filter, &n,
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (size_t i = 0; i < CALLS; i++) {
        unsigned low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

        if (calls[i].flags == NO_ARG) {
            add(filter, &n,
                (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number,
                                             0, 1));
            add(filter, &n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
            continue;
        }
        add(filter, &n,
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0,
                                         4));
        add(filter, &n,
            (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                         (unsigned)offsetof(struct seccomp_data, args) +
                                             8u * (unsigned)calls[i].flags + low));
        add(filter, &n,
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
                                         O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1));
        add(filter, &n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
        add(filter, &n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    add(filter, &n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    program.len = n;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* else a signal has a call counted twice */
    fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                      &program);
#endif
    if (fd < 0)
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                          &program);
    return fd;
}

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool pass(int channel, int fd)
{
    union control control = {.room = {0}};
    char byte = 'x';
    struct iovec one = {&byte, 1};
    struct msghdr message = {.msg_iov = &one,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};

    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    return fd >= 0 && sendmsg(channel, &message, 0) == 1;
}

static int take(int channel)
{
    union control control;
    char byte = 0;
    struct iovec one = {&byte, 1};
    struct msghdr message = {.msg_iov = &one,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    int fd = -1;

    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == 1 && message.msg_controllen > 0)
        memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
    return fd;
}

/* ---- what a call is about ---- */

static bool read_link(char out[PATH_MAX], pid_t tid, const char *what)
{
    char link[64];
    ssize_t len = -1;

    (void)snprintf(link, sizeof(link), "/proc/%d/%s", (int)tid, what);
    len = readlink(link, out, PATH_MAX - 1);
    out[len < 0 ? 0 : len] = '\0';
    return len >= 0;
}

static void of_descriptor(char out[PATH_MAX], pid_t tid, int fd)
{
    char what[32];

    (void)snprintf(what, sizeof(what), fd == AT_FDCWD ? "cwd" : "fd/%d", fd);
    (void)read_link(out, tid, what);
}

/* A string never crosses into a page that is not there. */
static void of_memory(char out[PATH_MAX], pid_t tid, uint64_t at)
{
    size_t done = 0;

    while (done < PATH_MAX - 1) {
        size_t step = 4096 - (at + done) % 4096;
        struct iovec to = {out + done, step < PATH_MAX - 1 - done ? step : PATH_MAX - 1 - done};
        struct iovec from = {(void *)(uintptr_t)(at + done), to.iov_len};
        ssize_t got = process_vm_readv(tid, &to, 1, &from, 1, 0);

        if (got <= 0 || memchr(out + done, '\0', (size_t)got) != NULL) {
            done += got <= 0 ? 0 : (size_t)got;
            break;
        }
        done += (size_t)got;
    }
    out[done] = '\0';
}

static void path_of(char out[2 * PATH_MAX], const struct call *call,
                    const struct seccomp_notif *asked)
{
    pid_t tid = (pid_t)asked->pid;
    char dir[PATH_MAX] = "", name[PATH_MAX] = "";

    if (call->fd != NO_ARG)
        of_descriptor(dir, tid, (int)asked->data.args[call->fd]);
    else if (call->path != NO_ARG) {
        of_memory(name, tid, asked->data.args[call->path]);
        if (name[0] != '/')
            of_descriptor(dir, tid,
                          call->dir == NO_ARG ? AT_FDCWD : (int)asked->data.args[call->dir]);
    }
    (void)snprintf(out, 2 * PATH_MAX, "%s%s%s", dir, dir[0] != '\0' && name[0] != '\0' ? "/" : "",
                   name);
}

/* ---- faults ---- */

static pid_t group_of(pid_t tid)
{
    char path[64], line[128];
    long group = 0;
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
    f = fopen(path, "re");
    while (f != NULL && group == 0 && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "Tgid:", 5) == 0)
            group = strtol(line + 5, NULL, 10);
    }
    if (f != NULL)
        (void)fclose(f);
    return (pid_t)group;
}

/* Writes half of it in the caller's stead; 0 if that cannot be done. */
static int64_t write_half(const struct call *call, const struct seccomp_notif *asked)
{
    size_t len = (size_t)asked->data.args[2] / 2;
    char *data = len > 0 ? malloc(len) : NULL;
    struct iovec to = {data, len}, from = {(void *)(uintptr_t)asked->data.args[1], len};
    int process = (int)syscall(SYS_pidfd_open, group_of((pid_t)asked->pid), 0);
    int fd =
        process >= 0 ? (int)syscall(SYS_pidfd_getfd, process, (int)asked->data.args[0], 0) : -1;
    ssize_t put = 0;

    if (data != NULL && fd >= 0 &&
        process_vm_readv((pid_t)asked->pid, &to, 1, &from, 1, 0) == (ssize_t)len)
        put = strcmp(call->name, "write") == 0 ? write(fd, data, len)
                                               : pwrite(fd, data, len, (off_t)asked->data.args[3]);
    if (fd >= 0)
        (void)close(fd);
    if (process >= 0)
        (void)close(process);
    free(data);
    return put > 0 ? put : 0;
}

static bool give(struct seccomp_notif_resp *answer, const struct call *call,
                 const struct seccomp_notif *asked, const char *fault, pid_t command)
{
    if (strcmp(fault, "KILL") == 0)
        return kill(command, SIGKILL) == 0;
    if (strcmp(fault, "SHORT") == 0) {
        bool writes = strcmp(call->name, "write") == 0 || strcmp(call->name, "pwrite64") == 0;

        answer->val = writes ? write_half(call, asked) : 0;
        return answer->val > 0;
    }
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (strcmp(faults[i].name, fault) == 0)
            answer->error = -faults[i].code;
    }
    return answer->error != 0;
}

/* One call; false once there are no more. */
static bool answer_one(int listener, FILE *log, unsigned long *count, unsigned long at,
                       const char *fault, pid_t command)
{
    struct seccomp_notif asked;
    struct seccomp_notif_resp answer;
    const struct call *call = calls;
    char path[2 * PATH_MAX];
    bool given = false;

    memset(&asked, 0, sizeof(asked));
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
        return errno == EINTR || errno == ENOENT; /* the caller died */
    while (call < calls + CALLS - 1 && call->number != asked.data.nr)
        call++;
    path_of(path, call, &asked);
    answer = (struct seccomp_notif_resp){.id = asked.id};
    given = ++*count == at && give(&answer, call, &asked, fault, command);
    if (!given || (answer.error == 0 && answer.val == 0))
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)fprintf(log, "%lu\t%s\t%s%s\n", *count, call->name, path, given ? "\t!" : "");
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* ENOENT: it died meanwhile */
    return true;
}

static void answer_all(int listener, FILE *log, unsigned long at, const char *fault, pid_t command)
{
    unsigned long count = 0;
    struct pollfd p = {.fd = listener, .events = POLLIN};

    for (;;) {
        if (poll(&p, 1, -1) < 0 && errno == EINTR)
            continue;
        if ((p.revents & POLLIN) == 0) /* POLLHUP: nobody is left */
            break;
        if (!answer_one(listener, log, &count, at, fault, command))
            break;
    }
}

int main(int argc, char **argv)
{
    int channel[2], listener = -1, status = 0;
    FILE *log = NULL;
    pid_t command = 0;

    if (argc < 5 || (log = fopen(argv[1], "we")) == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        return 125;
    command = fork();
    if (command == 0) {
        int fd = -1;

        (void)close(channel[0]);
        fd = listen_here();
        if (!pass(channel[1], fd))
            _exit(125);
        (void)execvp(argv[4], argv + 4);
        _exit(127);
    }
    (void)close(channel[1]);
    listener = command > 0 ? take(channel[0]) : -1;
    if (listener < 0)
        return 125;
    answer_all(listener, log, strtoul(argv[2], NULL, 10), argv[3], command);
    (void)close(listener);
    while (waitpid(command, &status, 0) < 0 && errno == EINTR) {
    }
    if (fclose(log) != 0)
        return 125;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
