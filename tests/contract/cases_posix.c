/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that need processes or users. */
#include "cases.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A child that opens the store for writing, says so, and keeps it: hold_ms, or 0 until it is
 * killed. Returns its pid once it holds the store. */
static pid_t holder(struct contract *ctx, unsigned hold_ms)
{
    int ready[2];
    char byte = 0;
    pid_t pid = 0;

    if (pipe(ready) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        struct xr_store store = {0};
        struct timespec pause = {.tv_sec = hold_ms / 1000,
                                 .tv_nsec = (long)(hold_ms % 1000) * 1000000};

        if (xr_store_open(&store, ctx->backend, XR_TARGET(&ctx->site, ctx->location), XR_WRITE,
                          ctx->worker, NULL) != XR_OK)
            _exit(1);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        if (hold_ms == 0)
            pause.tv_sec = 60;
        (void)nanosleep(&pause, NULL);
        xr_store_close(&store);
        _exit(0);
    }
    (void)close(ready[1]);
    if (pid > 0 && read(ready[0], &byte, 1) != 1) {
        (void)waitpid(pid, NULL, 0);
        pid = -1;
    }
    (void)close(ready[0]);
    return pid;
}

/* A lock needs something to lock. */
static const char *existing(struct contract *ctx)
{
    return contract_install(ctx, CERT_OLD,
                            contract_holds(ctx, XR_ANCHOR) ? XR_ANCHOR : XR_INTERMEDIATE);
}

static const char *second_waits(struct contract *ctx)
{
    int64_t start = 0, waited = 0;
    struct xr_store *store = NULL;
    pid_t pid = 0;
    int state = 0;

    TRY(existing(ctx));
    pid = holder(ctx, 800);
    NEED(pid > 0);
    start = now_ms();
    store = contract_open(ctx, XR_WRITE);
    waited = now_ms() - start;
    NEED(waitpid(pid, &state, 0) == pid && state == 0);
    NEED(store != NULL);
    NEED(waited >= 400);  /* it did wait… */
    NEED(waited < 20000); /* …and not for nothing */
    return NULL;
}

static const char *dead_writer(struct contract *ctx)
{
    int64_t start = 0;
    struct xr_store *store = NULL;
    pid_t pid = 0;

    TRY(existing(ctx));
    pid = holder(ctx, 0);
    NEED(pid > 0);
    NEED(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    start = now_ms();
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(now_ms() - start < 10000);
    return NULL;
}

static const char *two_makers(struct contract *ctx)
{
    struct xr_store *first = contract_open(ctx, XR_WRITE), *second = NULL;
    enum xr_status status = XR_OK;

    if (ctx->caps.identity[0] != '\0')
        return contract_skip(ctx, "the store exists before it is written, so its lock does");
    NEED(first != NULL);
    second = contract_open(ctx, XR_WRITE); /* nothing is there to lock yet */
    NEED(second != NULL);
    NEED(contract_list(ctx, second) != NULL);
    NEED(contract_swap(ctx, first, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, first) == XR_OK);
    contract_close(ctx, first);
    status = contract_swap(ctx, second, NULL, contract_wish(ctx, CERT_NEW, XR_ANCHOR));
    NEED(contract_flush(ctx, second) == XR_OK);
    contract_close(ctx, second);
    NEED(contract_count(ctx) == (status == XR_OK ? 2 : 1));
    TRY(contract_remove(ctx, CERT_OLD));
    if (status == XR_OK)
        TRY(contract_remove(ctx, CERT_NEW));
    NEED(contract_count(ctx) == 0);
    return NULL;
}

static void nothing(int signal)
{
    (void)signal;
}

/* While it ticks, every nanosleep of this process is over at once: a lock that is waited for in
 * steps is given up soon. One that is not makes the case slow, not wrong. */
static bool tick(bool on)
{
    const struct sigaction act = {.sa_handler = nothing}; /* interrupts: no SA_RESTART */
    const struct timeval often = {.tv_usec = on ? 500 : 0};
    const struct itimerval timer = {often, often};

    return sigaction(SIGALRM, &act, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0;
}

static const char *gave_up(struct contract *ctx)
{
    struct xr_store *first = NULL, *second = NULL;
    const char *image = NULL;
    enum xr_status status = XR_OK;

    if (ctx->caps.identity[0] != '\0')
        return contract_skip(ctx, "the store exists before it is written, so its lock does");
    /* The helper would wait half a minute, with the same code that waits in this process. */
    if ((ctx->backend->table.flags & XR_BACKEND_WORKER) != 0)
        return contract_skip(ctx, "another process cannot be hurried");
    first = contract_open(ctx, XR_WRITE);
    NEED(first != NULL);
    second = contract_open(ctx, XR_WRITE);
    NEED(second != NULL);
    NEED(contract_swap(ctx, first, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, first) == XR_OK);
    image = contract_image(ctx);
    NEED(tick(true));
    status = contract_swap(ctx, second, NULL, contract_wish(ctx, CERT_NEW, XR_ANCHOR));
    NEED(tick(false));
    NEED(status == XR_BUSY || status == XR_CONFLICT);
    (void)contract_list(ctx, second); /* as core puts back */
    (void)contract_flush(ctx, second);
    NEED(contract_same(ctx, image, contract_image(ctx)));
    contract_close(ctx, second);
    NEED(contract_same(ctx, image, contract_image(ctx)));
    NEED(contract_swap(ctx, first, NULL, contract_wish(ctx, CERT_SUB, XR_INTERMEDIATE)) == XR_OK);
    return NULL;
}

static const char *unprivileged_look(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_snapshot *now = NULL;

    if (store == NULL && ctx->err.status == XR_DENIED && ctx->err.text[0] != '\0')
        return contract_skip(ctx, "the store keeps its files from others");
    if (store == NULL && ctx->err.status == XR_ABSENT && ctx->location[0] != '/')
        return contract_skip(ctx, "there is no such store for others");
    NEED(store != NULL);
    NEED(!store->caps.writable && store->caps.why_not[0] != '\0' && store->caps.needs_privilege);
    now = contract_list(ctx, store);
    NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) != XR_OK);
    contract_close(ctx, store);
    return NULL;
}

static const char *unprivileged(struct contract *ctx)
{
    const char *before = NULL, *failed = NULL;

    if (geteuid() != 0)
        return contract_skip(ctx, "not here: only root can become somebody else");
    TRY(existing(ctx));
    before = contract_image(ctx);
    NEED(setegid(65534) == 0 && seteuid(65534) == 0);
    failed = unprivileged_look(ctx);
    NEED(seteuid(0) == 0 && setegid(0) == 0);
    if (failed != NULL)
        return failed;
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *any_umask(struct contract *ctx)
{
    mode_t before = umask(077);
    const char *narrow = NULL, *failed = existing(ctx);

    if (failed == NULL) {
        narrow = contract_image(ctx);
        failed = contract_remove(ctx, CERT_OLD);
    }
    (void)umask(0);
    if (failed == NULL)
        failed = existing(ctx);
    (void)umask(before);
    TRY(failed);
    NEED(contract_same(ctx, narrow, contract_image(ctx)));
    return NULL;
}

const struct contract_case contract_posix_cases[] = {
    {"A second writer waits for the first.", second_waits},
    {"A writer that died keeps nobody out.", dead_writer},
    {"Two who make the same store do not lose each other's certificates.", two_makers},
    {"A writer that gave up waiting touches nothing.", gave_up},
    {"Who may not write can still look, and is told why.", unprivileged},
    {"The umask of whoever installs makes no difference.", any_umask},
};
const size_t contract_posix_case_count =
    sizeof(contract_posix_cases) / sizeof(contract_posix_cases[0]);
