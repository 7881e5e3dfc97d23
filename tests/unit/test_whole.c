/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors read to their end, or to their limit. */
#include "sys/whole.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int file_of(const char *content, size_t len)
{
    char path[] = "/tmp/crossroot-whole.XXXXXX";
    int fd = mkstemp(path);

    cr_assert(fd >= 0 && unlink(path) == 0 && xr_sys_write_all(fd, content, len) &&
              lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

Test(whole, a_file_is_read_up_to_its_limit)
{
    static const char content[] = "0123456789";

    for (size_t limit = 0; limit < 20; limit++) {
        struct xr_buf got = {0};
        int fd = file_of(content, 10);
        bool ok = xr_read_whole(&got, fd, limit);

        cr_assert_eq(ok, limit >= 10, "with a limit of %zu", limit);
        cr_assert(ok ? got.len == 10 && strcmp(got.data, content) == 0 : errno == EFBIG);
        (void)close(fd);
        xr_buf_free(&got);
    }
}

/* Stores keep thousands of them in memory. */
Test(whole, a_small_file_takes_a_small_buffer)
{
    static const size_t sizes[] = {1, 7, 8, 4094, 4095, 4096, 5000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct xr_buf got = {0};
        char *content = xr_new(sizes[i], 1);
        int fd = file_of(content, sizes[i]);

        cr_assert(xr_read_whole(&got, fd, 1 << 20) && got.len == sizes[i]);
        cr_assert_leq(got.capacity, 2 * sizes[i] + 8, "%zu for %zu", got.capacity, sizes[i]);
        (void)close(fd);
        free(content);
        xr_buf_free(&got);
    }
}

Test(whole, an_empty_file_is_an_empty_text)
{
    struct xr_buf got = {0};
    int fd = file_of("", 0);

    cr_assert(xr_read_whole(&got, fd, 0) && got.len == 0);
    cr_assert_str_eq(got.data, "");
    (void)close(fd);
    xr_buf_free(&got);
}

Test(whole, a_size_that_is_a_lie_does_not_matter)
{
    struct xr_buf got = {0};
    FILE *file = fopen("/proc/self/status", "re"); /* says it has none */

    cr_assert_not_null(file);
    cr_assert(xr_read_whole(&got, fileno(file), 1 << 20) && strstr(got.data, "Pid:") != NULL);
    (void)fclose(file);
    xr_buf_free(&got);
}

Test(whole, a_pipe_is_read_to_its_end_or_limit, .timeout = 20)
{
    static char content[200000];
    static const size_t limits[] = {sizeof(content), sizeof(content) - 1};

    memset(content, 'x', sizeof(content));
    for (size_t i = 0; i < 2; i++) {
        struct xr_buf got = {0};
        int ends[2], state = 0;
        pid_t child = -1;
        bool ok = false;

        cr_assert(pipe(ends) == 0);
        child = fork();
        if (child == 0) {
            (void)close(ends[0]);
            _exit(xr_sys_write_all(ends[1], content, sizeof(content)) ? 0 : 1);
        }
        (void)close(ends[1]);
        ok = xr_read_whole(&got, ends[0], limits[i]);
        cr_assert_eq(ok, i == 0);
        cr_assert(ok ? got.len == sizeof(content) : errno == EFBIG);
        (void)close(ends[0]);
        cr_assert(child > 0 && waitpid(child, &state, 0) == child);
        xr_buf_free(&got);
    }
}

Test(whole, what_cannot_be_read_says_why)
{
    struct xr_buf got = {0};

    cr_assert(!xr_read_whole(&got, -1, 10) && errno == EBADF);
    xr_buf_free(&got);
}
