/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program of the system: a distribution's hook or its update command. */
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST_WORDS 4096u

static const char *const plain_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

struct running {
    pid_t pid;
    int in, out; /* pipes: its standard input; its output */
    size_t fed;
    bool over; /* it ended, with state */
    int state;
    char said[LAST_WORDS]; /* the end of it */
    size_t said_len;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Only async-signal-safe calls: another thread of the caller may hold any lock. */
static _Noreturn void become(const struct xr_command *command, int in, int out)
{
    sigset_t none;
    struct sigaction usual = {.sa_handler = SIG_DFL};
    const struct rlimit none_at_all = {0, 0};

    (void)sigemptyset(&none);
    (void)sigaction(SIGPIPE, &usual, NULL);
    (void)sigaction(SIGXFSZ, &usual, NULL);
    (void)sigaction(SIGINT, &usual, NULL);
    (void)sigaction(SIGTERM, &usual, NULL);
    (void)sigaction(SIGHUP, &usual, NULL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* No other limits than the time: these are the distribution's own programs, and Java reserves
     * more address space than any limit would leave. */
    (void)setrlimit(RLIMIT_CORE, &none_at_all);
    (void)setpgid(0, 0); /* so that the time limit reaches its children too */
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
        chdir(command->directory ? command->directory : "/") == 0) {
        (void)close_range(3, ~0U, 0);
        (void)execve(command->argv[0], (char *const *)(uintptr_t)command->argv,
                     (char *const *)(uintptr_t)(command->env ? command->env : plain_env));
    }
    _exit(127);
}

static bool start(struct running *r, const struct xr_command *command)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};

    r->in = r->out = -1;
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && (r->pid = fork()) >= 0) {
        if (r->pid == 0)
            become(command, in[0], out[1]);
        r->in = in[1];
        r->out = out[0];
        in[1] = out[0] = -1;
        (void)fcntl(r->in, F_SETFL, O_NONBLOCK);
    }
    for (int i = 0; i < 2; i++) {
        if (in[i] >= 0)
            (void)close(in[i]);
        if (out[i] >= 0)
            (void)close(out[i]);
    }
    return r->out >= 0;
}

/* Keeps the end of the output, because errors come last. */
static void hear(struct running *r, const char *text, size_t len)
{
    size_t keep = len < LAST_WORDS ? LAST_WORDS - len : 0;

    if (len > LAST_WORDS) {
        text += len - LAST_WORDS;
        len = LAST_WORDS;
    }
    if (r->said_len > keep) {
        memmove(r->said, r->said + (r->said_len - keep), keep);
        r->said_len = keep;
    }
    memcpy(r->said + r->said_len, text, len);
    r->said_len += len;
}

static void feed(struct running *r, struct xr_bytes input)
{
    ssize_t got = r->fed < input.len ? write(r->in, input.data + r->fed, input.len - r->fed) : 0;

    if (got > 0)
        r->fed += (size_t)got;
    if (r->fed >= input.len || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        (void)close(r->in); /* a hook need not read its input */
        r->in = -1;
    }
}

static bool ended(struct running *r)
{
    r->over = r->over || waitpid(r->pid, &r->state, WNOHANG) == r->pid;
    return r->over;
}

static void listen_to(struct running *r)
{
    char text[4096];
    ssize_t got = read(r->out, text, sizeof(text));

    if (got > 0) {
        hear(r, text, (size_t)got);
    } else if (got == 0 || errno != EINTR) {
        (void)close(r->out);
        r->out = -1;
    }
}

/* False if the time limit is reached. A program that closes its output may still run. A process
 * that it leaves running may keep the output open; we do not wait for that. */
static bool converse(struct running *r, const struct xr_command *command, int64_t deadline)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    while (r->out >= 0) {
        struct pollfd p[2] = {{.fd = r->out, .events = POLLIN}, {.fd = r->in, .events = POLLOUT}};
        bool over = ended(r);
        int64_t left = deadline - now_ms();
        int ready = 0;

        if (left <= 0 && !over)
            return false;
        ready = poll(p, 2, over ? 0 : left > 50 ? 50 : (int)left);
        if (ready < 0)
            continue; /* a signal: the caller asks its own flag when we are back */
        if (r->in >= 0 && p[1].revents != 0)
            feed(r, command->input);
        if (p[0].revents != 0 && (!over || left > 0))
            listen_to(r);
        else if (over)
            break;
    }
    while (!ended(r)) {
        if (now_ms() > deadline)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

/* Joins the last lines into one. */
static void last_words(char out[512], struct running *r)
{
    struct xr_buf text = {0};
    const char *at = r->said, *end = at + r->said_len;
    bool first = true;

    for (size_t i = 0; i < r->said_len; i++)
        r->said[i] = (char)(r->said[i] == '\t' || r->said[i] == '\r' ? ' ' : r->said[i]);
    while (end > at && (end[-1] == '\n' || end[-1] == ' '))
        end--;
    if (end - at > 300) {
        const char *line = memchr(end - 300, '\n', 300);

        at = line != NULL ? line : end - 300;
        xr_buf_str(&text, "… ");
    }
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop != NULL ? stop : end) - at);

        while (len > 0 && *at == ' ') {
            at++;
            len--;
        }
        if (len > 0 && !first)
            xr_buf_str(&text, " / ");
        first = first && len == 0;
        xr_buf_visible(&text, at, len);
        at += len + 1;
    }
    (void)snprintf(out, 512, "%s", text.data ? text.data : "");
    xr_buf_free(&text);
}

enum xr_status xr_run_command(int *exit_code, struct xr_command *command, struct xr_error *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct running r = {0};
    int64_t deadline = now_ms() + command->limit_ms;
    bool in_time = false;

    *exit_code = -1;
    if (access(command->argv[0], X_OK) != 0)
        return xr_fail_errno(err, "cannot run %s", command->argv[0]);
    (void)sigaction(SIGPIPE, &ignore, &before);
    if (!start(&r, command)) {
        (void)sigaction(SIGPIPE, &before, NULL);
        return xr_fail_errno(err, "cannot run %s", command->argv[0]);
    }
    in_time = converse(&r, command, deadline);
    if (!in_time) {
        (void)kill(-r.pid, SIGKILL);
        (void)kill(r.pid, SIGKILL);
        while (waitpid(r.pid, &r.state, 0) < 0 && errno == EINTR) {
        }
    }
    if (r.in >= 0)
        (void)close(r.in);
    if (r.out >= 0)
        (void)close(r.out);
    (void)sigaction(SIGPIPE, &before, NULL);
    last_words(command->said, &r);
    if (!in_time)
        return xr_fail(err, XR_LOST, "%s was stopped after %u s", command->argv[0],
                       command->limit_ms / 1000);
    if (!WIFEXITED(r.state))
        return xr_fail(err, XR_FAILED, "%s was killed by signal %d", command->argv[0],
                       WTERMSIG(r.state));
    *exit_code = WEXITSTATUS(r.state);
    return XR_OK;
}
