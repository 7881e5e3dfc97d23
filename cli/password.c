/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include "language.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

bool password_read(char *out, size_t size, size_t *len, int fd, char **why)
{
    *len = 0;
    for (;;) {
        char byte = 0;
        /* Byte by byte, because what follows the line may be for another reader. */
        ssize_t got = read(fd, &byte, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *why = platform_text("--password-fd %d: %s", fd, strerror(errno));
            return false;
        }
        if (got == 0 || byte == '\n') {
            if (*len > 0 && out[*len - 1] == '\r') /* a file from Windows; certutil takes it too */
                (*len)--;
            return true;
        }
        if (*len == size) {
            *why =
                platform_text(N_("--password-fd %d: a password has at most %zu bytes"), fd, size);
            return false;
        }
        out[(*len)++] = byte;
    }
}

/* ---- on a terminal ---- */

/* Signals that would leave the terminal without echo. They are delivered only while we wait for a
 * line. */
static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGTSTP};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

struct asking {
    int tty;
    struct termios usual;
    struct sigaction before[WATCHED];
    sigset_t mask, waiting; /* signal masks: the caller's, and the one while we wait */
};

static void say(int tty, const char *text)
{
    size_t len = strlen(text);

    if (write(tty, text, len) < 0) {
        /* if nobody sees the prompt, nobody answers */
    }
}

/* Replaces only default handlers, which would end or stop the program at once. The caller's own
 * handlers (such as the one that notes an interruption) and ignored signals stay as they are. */
static void begin(struct asking *a)
{
    struct sigaction ours = {.sa_handler = on_signal};
    struct termios silent = a->usual;
    sigset_t block;

    caught = 0;
    (void)sigemptyset(&block);
    for (size_t i = 0; i < WATCHED; i++)
        (void)sigaddset(&block, watched[i]);
    (void)sigprocmask(SIG_BLOCK, &block, &a->mask);
    a->waiting = a->mask;
    for (size_t i = 0; i < WATCHED; i++) {
        (void)sigdelset(&a->waiting, watched[i]);
        (void)sigaction(watched[i], NULL, &a->before[i]);
        if (a->before[i].sa_handler == SIG_DFL)
            (void)sigaction(watched[i], &ours, NULL);
    }
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    (void)tcsetattr(a->tty, TCSAFLUSH, &silent);
}

static void finish(struct asking *a)
{
    (void)tcsetattr(a->tty, TCSAFLUSH, &a->usual);
    for (size_t i = 0; i < WATCHED; i++) {
        if (a->before[i].sa_handler == SIG_DFL)
            (void)sigaction(watched[i], &a->before[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &a->mask, NULL);
}

/* Returns 1 for a line (without its newline), 0 at the end of input or after an interruption, -1
 * for a caught signal. */
static int take_line(struct asking *a, char *out, size_t size, size_t *len, bool (*stopped)(void))
{
    struct pollfd p = {.fd = a->tty, .events = POLLIN};
    ssize_t got = 0;

    while (ppoll(&p, 1, NULL, &a->waiting) < 0) {
        if (errno != EINTR || stopped())
            return 0;
        if (caught != 0)
            return -1;
    }
    got = read(a->tty, out, size);
    if (got <= 0 || out[got - 1] != '\n')
        return 0;
    *len = (size_t)got - 1;
    return 1;
}

/* In the background we must not change the terminal: the system stops us until we are in the
 * foreground. */
static bool in_foreground(int tty)
{
    if (tcgetpgrp(tty) == getpgrp())
        return true;
    (void)raise(SIGTTIN);
    return tcgetpgrp(tty) == getpgrp();
}

bool password_ask(char *out, size_t size, size_t *len, const char *store, bool again,
                  bool (*stopped)(void))
{
    struct asking a = {.tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
    char *prompt = NULL;
    int got = -1;

    if (a.tty < 0)
        return false;
    prompt = platform_text(TR("Password for %s: "), store);
    while (got < 0 && in_foreground(a.tty) && tcgetattr(a.tty, &a.usual) == 0) {
        int number = 0;

        begin(&a);
        if (again)
            say(a.tty, TR("Wrong password.\n"));
        say(a.tty, prompt);
        got = take_line(&a, out, size, len, stopped);
        say(a.tty, "\n");
        number = caught;
        finish(&a);
        if (got < 0)
            (void)raise(number); /* it ends us, or stops us: then we ask again */
    }
    free(prompt);
    (void)close(a.tty);
    return got == 1;
}
