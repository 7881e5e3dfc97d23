/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are run for a store: what they get, what is kept of what they say, and that none
 * outlasts its time. */
#include "sys/sys.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SHELL "/bin/sh"

struct outcome {
    enum xr_status status;
    int code;
    struct xr_command command;
    struct xr_error err;
    int64_t took_ms;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct outcome run(struct xr_command command)
{
    struct outcome out = {.command = command, .err = {.size = sizeof(out.err)}};
    int64_t start = now_ms();

    out.command.size = sizeof(out.command);
    if (out.command.limit_ms == 0)
        out.command.limit_ms = 20000;
    out.status = xr_run_command(&out.code, &out.command, &out.err);
    out.took_ms = now_ms() - start;
    return out;
}

static struct outcome script(const char *text, unsigned limit_ms)
{
    const char *argv[] = {SHELL, "-c", text, NULL};

    return run((struct xr_command){.argv = argv, .limit_ms = limit_ms});
}

Test(run, a_program_leaves_no_core_and_dies_of_a_full_file_as_usual)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct outcome out;

    (void)sigaction(SIGXFSZ, &ignore, &before);
    out = script(
        "ulimit -c; ulimit -H -c; sed -n 's/^SigIgn:.*\\(.\\)......$/\\1/p' /proc/self/status", 0);
    (void)sigaction(SIGXFSZ, &before, NULL);
    cr_assert(out.status == XR_OK && out.code == 0);
    cr_assert_str_eq(out.command.said, "0 / 0 / 0");
}

Test(run, arguments_are_words_and_never_a_shell_s)
{
    const char *argv[] = {"/bin/echo", "$(id)", "a  b", ";", "*", "`reboot`", NULL};
    struct outcome out = run((struct xr_command){.argv = argv});

    cr_assert(out.status == XR_OK && out.code == 0);
    cr_assert_str_eq(out.command.said, "$(id) a  b ; * `reboot`");
}

Test(run, the_environment_is_what_was_given_and_nothing_else)
{
    const char *argv[] = {"/usr/bin/env", NULL};
    const char *env[] = {"ONE=1", "TWO=2", NULL};
    struct outcome out;

    cr_assert(setenv("LD_PRELOAD_NOT", "secret", 1) == 0);
    out = run((struct xr_command){.argv = argv, .env = env});
    cr_assert_str_eq(out.command.said, "ONE=1 / TWO=2");
    out = run((struct xr_command){.argv = argv});
    cr_assert(strncmp(out.command.said, "PATH=/", 6) == 0);
    cr_assert(strstr(out.command.said, "secret") == NULL &&
              strstr(out.command.said, "HOME") == NULL);
}

Test(run, a_program_runs_in_its_directory_or_the_root)
{
    const char *argv[] = {"/bin/pwd", NULL};

    cr_assert_str_eq(run((struct xr_command){.argv = argv}).command.said, "/");
    cr_assert_str_eq(run((struct xr_command){.argv = argv, .directory = "/usr"}).command.said,
                     "/usr");
    cr_assert(run((struct xr_command){.argv = argv, .directory = "/no/such"}).code == 127);
}

Test(run, input_arrives_whole_however_long)
{
    enum { LONG = 3 << 20 };
    char *text = xr_new(LONG, 1);
    const char *argv[] = {"/usr/bin/wc", "-c", NULL};
    const char *deaf[] = {"/bin/true", NULL};
    struct outcome out;

    memset(text, 'x', LONG);
    out = run((struct xr_command){
        .argv = argv, .input = {(const unsigned char *)text, LONG}, .limit_ms = 60000});
    cr_assert(out.status == XR_OK && strcmp(out.command.said, "3145728") == 0, "%s",
              out.command.said);
    /* Who does not read it is not killed by us, nor we by it. */
    out = run((struct xr_command){.argv = deaf, .input = {(const unsigned char *)text, LONG}});
    cr_assert(out.status == XR_OK && out.code == 0);
    out = run((struct xr_command){.argv = argv});
    cr_assert_str_eq(out.command.said, "0"); /* and without input there is an end at once */
    free(text);
}

Test(run, the_exit_code_is_told_and_a_death_is_a_failure)
{
    struct outcome out = script("exit 42", 0);

    cr_assert(out.status == XR_OK && out.code == 42);
    out = script("kill -9 $$", 0);
    cr_assert(out.status == XR_FAILED && strstr(out.err.text, "signal 9") != NULL);
}

Test(run, what_cannot_be_started_is_a_failure_with_its_name)
{
    const char *none[] = {"/no/such/program", NULL}, *text[] = {"/etc/passwd", NULL};
    struct outcome out = run((struct xr_command){.argv = none});

    cr_assert(out.status != XR_OK && strstr(out.err.text, none[0]) != NULL);
    out = run((struct xr_command){.argv = text});
    cr_assert(out.status != XR_OK && strstr(out.err.text, text[0]) != NULL);
}

Test(run, the_time_limit_takes_the_children_too)
{
    struct outcome out = script("sleep 60 & echo $!; trap '' TERM; wait", 400);
    pid_t child = (pid_t)strtol(out.command.said, NULL, 10);
    int64_t until = now_ms() + 5000;

    cr_assert(out.status == XR_LOST && out.took_ms < 10000);
    cr_assert(strstr(out.err.text, "stopped") != NULL && child > 1);
    /* Whoever inherits it may take a moment to bury it. */
    for (;;) {
        char *path = xr_format("/proc/%ld/stat", (long)child);
        FILE *stat = fopen(path, "r");
        char state = 'X';

        free(path);
        if (stat != NULL) {
            (void)fscanf(stat, "%*d (%*[^)]) %c", &state);
            (void)fclose(stat);
        }
        if (state == 'X' || state == 'Z')
            break;
        cr_assert(now_ms() < until, "the child lives on, in state %c", state);
    }
}

Test(run, a_program_that_closed_its_output_still_has_a_limit)
{
    struct outcome out = script("exec >&- 2>&- <&-; sleep 60", 400);

    cr_assert(out.status == XR_LOST && out.took_ms < 10000);
}

Test(run, what_a_program_leaves_running_is_not_waited_for)
{
    struct outcome out = script("echo before; sleep 7 & exit 3", 60000);

    cr_assert(out.status == XR_OK && out.code == 3);
    cr_assert(out.took_ms < 6000, "it took %lld ms", (long long)out.took_ms);
    cr_assert_str_eq(out.command.said, "before");
}

Test(run, the_end_of_much_output_is_kept_as_one_harmless_line)
{
    struct outcome out = script("i=0; while [ $i -lt 9000 ]; do echo 0123456789; i=$((i+1)); done; "
                                "printf 'the \\033[31mlast\\033[0m\\t\\351 words\\n\\n' >&2",
                                60000);
    size_t len = strlen(out.command.said);

    cr_assert(out.status == XR_OK && out.code == 0);
    cr_assert(len > 100 && len < sizeof(out.command.said) - 1);
    for (size_t i = 0; i < len; i++)
        cr_assert((unsigned char)out.command.said[i] >= ' ' && out.command.said[i] != 0x7f);
    cr_assert(strncmp(out.command.said, "… ", strlen("… ")) == 0);
    cr_assert(strstr(out.command.said, "0123456789 / the ") != NULL);
    cr_assert_str_eq(out.command.said + len - 6, " words");
}

Test(run, no_descriptor_of_ours_is_inherited)
{
    int fd = open("/dev/null", O_RDONLY);
    struct outcome out;

    cr_assert(fd >= 0 && dup2(fd, 77) == 77);
    out = script("ls /proc/$$/fd", 0);
    cr_assert(out.status == XR_OK && out.command.said[0] == '0');
    cr_assert(strstr(out.command.said, "77") == NULL, "%s", out.command.said);
    (void)close(fd);
    (void)close(77);
}

static void handler(int number)
{
    (void)number;
}

Test(run, signals_are_as_usual_inside_and_as_before_outside)
{
    const struct sigaction act = {.sa_handler = handler};
    struct sigaction now;
    sigset_t term;
    struct outcome out;

    cr_assert(sigaction(SIGPIPE, &act, NULL) == 0);
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    cr_assert(sigprocmask(SIG_BLOCK, &term, NULL) == 0);
    out = script("kill -TERM $$; echo deaf", 0);
    cr_assert(out.status == XR_FAILED && strstr(out.err.text, "signal 15") != NULL, "%s",
              out.command.said);
    out = script("kill -PIPE $$; echo deaf", 0);
    cr_assert(out.status == XR_FAILED && strstr(out.err.text, "signal 13") != NULL);
    cr_assert(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == handler);
}
