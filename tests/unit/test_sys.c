/* SPDX-License-Identifier: Apache-2.0 */
/* Times, whole files, locks, and which paths can be trusted. */
#include "sys/sys.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534u

/* ---- fixtures ---- */

static char *scratch_new(void)
{
    char path[] = "/tmp/crossroot-sys.XXXXXX";
    char *real = NULL;

    cr_assert(mkdtemp(path) != NULL);
    real = realpath(path, NULL);
    cr_assert(real != NULL);
    return real;
}

static int scratch_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void scratch_free(char *path)
{
    cr_assert(nftw(path, scratch_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
    free(path);
}

/* A directory of exactly that mode; the path is the caller's. */
static char *dir_new(const char *parent, const char *name, mode_t mode)
{
    char *path = xr_format("%s/%s", parent, name);

    cr_assert(mkdir(path, 0700) == 0 && chmod(path, mode) == 0);
    return path;
}

static char *file_new(const char *parent, const char *name, const char *content, mode_t mode)
{
    char *path = xr_format("%s/%s", parent, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    cr_assert(fd >= 0 && xr_sys_write_all(fd, content, strlen(content)) && fchmod(fd, mode) == 0 &&
              close(fd) == 0);
    return path;
}

static char *link_new(const char *target, const char *parent, const char *name)
{
    char *path = xr_format("%s/%s", parent, name);

    cr_assert(symlink(target, path) == 0);
    return path;
}

static int dir_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert(fd >= 0);
    return fd;
}

static struct stat stat_of(const char *path)
{
    struct stat st;

    cr_assert(lstat(path, &st) == 0);
    return st;
}

static bool content_is(int dirfd, const char *name, const char *content)
{
    struct xr_buf buf = {0};
    struct xr_error err = {0};
    bool same = xr_sys_read_at(&buf, dirfd, name, 1 << 20, &err) == XR_OK &&
                buf.len == strlen(content) && memcmp(buf.data, content, buf.len) == 0;

    xr_buf_free(&buf);
    return same;
}

static struct xr_bytes text_bytes(const char *text)
{
    return (struct xr_bytes){(const unsigned char *)text, strlen(text)};
}

/* ---- times ---- */

Test(sys, days_count_from_1970)
{
    cr_assert_eq(xr_days(1970, 1, 1), 0);
    cr_assert_eq(xr_days(1969, 12, 31), -1);
    cr_assert_eq(xr_days(2000, 3, 1), 11017);
    cr_assert_eq(xr_days(1, 1, 1), -719162);
    cr_assert_eq(xr_days(9999, 12, 31), 2932896);
}

Test(sys, every_day_from_year_1_to_9999_goes_to_text_and_back)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = xr_days(1, 1, 1);

    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);

            for (int day = 1; day <= length; day++, days++) {
                char text[XR_TIME_TEXT_MAX], expected[32];
                bool ok = false;

                if (xr_days(year, month, day) != days)
                    cr_assert_fail("%d-%d-%d is not day %lld", year, month, day, (long long)days);
                if (day > 2 && day < length - 1)
                    continue; /* the text of the edges of each month */
                (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT23:59:58Z", year, month,
                               day);
                xr_sys_time_text(text, days * 86400 + 86398);
                if (strcmp(text, expected) != 0)
                    cr_assert_fail("%s expected, got %s", expected, text);
                if (xr_sys_parse_time(text, &ok) != days * 86400 + 86398 || !ok)
                    cr_assert_fail("%s is not read back", text);
            }
        }
    }
    cr_assert_eq(days, xr_days(10000, 1, 1));
}

Test(sys, leap_days_are_days)
{
    bool ok = false;
    char text[XR_TIME_TEXT_MAX];

    cr_assert_eq(xr_sys_parse_time("2000-02-29", &ok), INT64_C(951782400));
    cr_assert(ok);
    cr_assert_eq(xr_sys_parse_time("2024-02-29T12:00:00Z", &ok), INT64_C(1709208000));
    cr_assert(ok);
    xr_sys_time_text(text, INT64_C(951782399) + 86400);
    cr_assert_str_eq(text, "2000-02-29T23:59:59Z");
    xr_sys_time_text(text, INT64_C(951782400) + 86400);
    cr_assert_str_eq(text, "2000-03-01T00:00:00Z");
    xr_sys_time_text(text, -1);
    cr_assert_str_eq(text, "1969-12-31T23:59:59Z");
    xr_sys_time_text(text, INT64_C(-62135596800));
    cr_assert_str_eq(text, "0001-01-01T00:00:00Z");
    xr_sys_time_text(text, INT64_C(253402300799));
    cr_assert_str_eq(text, "9999-12-31T23:59:59Z");
}

Test(sys, any_number_of_seconds_fits_the_text)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, INT64_MAX / 2);
    cr_assert(strlen(text) < XR_TIME_TEXT_MAX && text[strlen(text) - 1] == 'Z');
    xr_sys_time_text(text, INT64_MIN / 2);
    cr_assert(strlen(text) < XR_TIME_TEXT_MAX && text[strlen(text) - 1] == 'Z');
}

Test(sys, dates_and_times_of_rfc_3339_are_read)
{
    bool ok = false;

    cr_assert_eq(xr_sys_parse_time("1970-01-01", &ok), 0);
    cr_assert(ok);
    cr_assert_eq(xr_sys_parse_time("1970-01-02T00:00:01Z", &ok), 86401);
    cr_assert(ok);
    cr_assert_eq(xr_sys_parse_time("2026-11-22 20:29:00Z", &ok), INT64_C(1795379340));
    cr_assert(ok);
    cr_assert_eq(xr_sys_parse_time("1969-12-31T23:59:59Z", &ok), -1);
    cr_assert(ok);
}

Test(sys, what_is_no_date_is_not_read)
{
    static const char *const bad[] = {
        "",
        "now",
        "2026",
        "2026-1-1",
        "2026-01",
        "20260101",
        "2026/01/01",
        "26-01-01",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-01-32",
        "2026-02-29",
        "2024-02-30",
        "1900-02-29",
        "2026-04-31T00:00:00Z",
        "2026-01-01T",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+0",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01x00:00:00Z",
        " 2026-01-01",
        "2026-01-01 ",
        "-026-01-01",
        "2026-01-0\xb1",
        "12026-01-01",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *exact = xr_strdup(bad[i]);
        bool ok = true;

        cr_assert_eq(xr_sys_parse_time(exact, &ok), 0);
        cr_assert(!ok, "\"%s\"", bad[i]);
        free(exact);
    }
}

/* ---- whole files ---- */

Test(sys, a_file_is_read_up_to_its_limit)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    char *scratch = scratch_new();
    char *content = xr_new(100001, 1);
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    memset(content, 'x', 100000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct xr_buf buf = {0};
        char *path = NULL;

        content[sizes[i]] = '\0';
        path = file_new(scratch, "file", content, 0600);
        cr_assert_eq(xr_sys_read_at(&buf, dir, "file", sizes[i], &err), XR_OK);
        cr_assert(buf.len == sizes[i] && strcmp(buf.data, content) == 0);
        xr_sys_wipe(&buf);
        cr_assert(buf.data == NULL && buf.len == 0 && buf.capacity == 0);
        if (sizes[i] > 0) {
            cr_assert_eq(xr_sys_read_at(&buf, dir, "file", sizes[i] - 1, &err), XR_INVALID);
            cr_assert(strncmp(err.text, "larger than", 11) == 0);
            xr_sys_wipe(&buf);
        }
        cr_assert(remove(path) == 0);
        free(path);
        content[sizes[i]] = 'x';
    }
    xr_sys_wipe(&(struct xr_buf){0});
    close(dir);
    free(content);
    scratch_free(scratch);
}

Test(sys, a_pipe_is_read_to_its_end_or_limit)
{
    struct xr_buf buf = {0};
    struct xr_error err = {0};
    int ends[2], status = -1;
    pid_t writer = -1;

    cr_assert(pipe(ends) == 0);
    writer = fork();
    if (writer == 0) {
        for (size_t i = 0; i < 3000; i++) {
            if (!xr_sys_write_all(ends[1], "0123456789abcdef", 16))
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    cr_assert_eq(xr_sys_read_fd(&buf, ends[0], 48000, &err), XR_OK);
    cr_assert(buf.len == 48000 && memcmp(buf.data + 47984, "0123456789abcdef", 17) == 0);
    cr_assert(waitpid(writer, &status, 0) == writer && status == 0);
    close(ends[0]);
    xr_sys_wipe(&buf);

    cr_assert(pipe(ends) == 0 && xr_sys_write_all(ends[1], "too much", 8));
    close(ends[1]);
    cr_assert_eq(xr_sys_read_fd(&buf, ends[0], 7, &err), XR_INVALID);
    close(ends[0]);
    xr_sys_wipe(&buf);
    cr_assert_eq(xr_sys_read_fd(&buf, -1, 7, &err), XR_FAILED);
    cr_assert_eq(err.code, EBADF);
    xr_sys_wipe(&buf);
}

Test(sys, only_a_regular_file_is_read_and_no_link, .timeout = 20)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "content", 0600);
    char *link = link_new("file", scratch, "link");
    char *sub = dir_new(scratch, "dir", 0700);
    char *fifo = xr_format("%s/fifo", scratch);
    int dir = dir_open(scratch);
    struct xr_buf buf = {0};
    struct xr_error err = {0};

    cr_assert(mkfifo(fifo, 0600) == 0);
    cr_assert(content_is(dir, "file", "content"));
    cr_assert(content_is(AT_FDCWD, file, "content"));
    cr_assert_eq(xr_sys_read_at(&buf, dir, "link", 100, &err), XR_FAILED);
    cr_assert_eq(err.code, ELOOP);
    cr_assert_eq(xr_sys_read_at(&buf, dir, "dir", 100, &err), XR_INVALID);
    cr_assert_eq(xr_sys_read_at(&buf, dir, "fifo", 100, &err), XR_INVALID);
    cr_assert_eq(xr_sys_read_at(&buf, dir, "missing", 100, &err), XR_ABSENT);
    cr_assert_eq(buf.len, 0u);
    xr_buf_free(&buf);
    close(dir);
    free(file);
    free(link);
    free(sub);
    free(fifo);
    scratch_free(scratch);
}

Test(sys, a_file_is_replaced_whole_with_its_mode_whatever_the_umask)
{
    static const unsigned modes[] = {0644, 0600, 0444, 0755};
    static const mode_t umasks[] = {0, 022, 077, 0777};
    char *scratch = scratch_new();
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            char *path = xr_format("%s/file", scratch);
            char *content = xr_format("content %zu %zu", i, k);
            struct xr_strings names = {0};
            mode_t before = umask(umasks[k]);

            cr_assert_eq(xr_sys_write_atomic(dir, "file", text_bytes(content), modes[i], &err),
                         XR_OK, "%s", err.text);
            (void)umask(before);
            cr_assert_eq(stat_of(path).st_mode, (mode_t)(S_IFREG | modes[i]));
            cr_assert(content_is(dir, "file", content));
            cr_assert_eq(xr_sys_names(&names, dir, &err), XR_OK);
            cr_assert(names.count == 1, "nothing temporary is left");
            xr_strings_free(&names);
            free(content);
            free(path);
        }
    }
    cr_assert_eq(xr_sys_write_atomic(dir, "empty", (struct xr_bytes){0}, 0600, &err), XR_OK);
    cr_assert(content_is(dir, "empty", ""));
    close(dir);
    scratch_free(scratch);
}

Test(sys, who_reads_the_old_file_keeps_the_old_file)
{
    char *scratch = scratch_new();
    char *path = file_new(scratch, "file", "old", 0600);
    int dir = dir_open(scratch), reader = open(path, O_RDONLY);
    struct xr_buf buf = {0};
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_write_atomic(dir, "file", text_bytes("new"), 0600, &err), XR_OK);
    cr_assert(content_is(dir, "file", "new"));
    cr_assert_eq(xr_sys_read_fd(&buf, reader, 100, &err), XR_OK);
    cr_assert_str_eq(buf.data, "old");
    xr_buf_free(&buf);
    close(reader);
    close(dir);
    free(path);
    scratch_free(scratch);
}

Test(sys, a_link_in_the_way_is_replaced_and_not_followed)
{
    char *scratch = scratch_new();
    char *target = file_new(scratch, "target", "untouched", 0600);
    char *link = link_new("target", scratch, "link");
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_write_atomic(dir, "link", text_bytes("new"), 0600, &err), XR_OK);
    cr_assert(S_ISREG(stat_of(link).st_mode));
    cr_assert(content_is(dir, "link", "new") && content_is(dir, "target", "untouched"));
    close(dir);
    free(target);
    free(link);
    scratch_free(scratch);
}

Test(sys, a_write_that_fails_leaves_nothing_behind)
{
    char *scratch = scratch_new();
    char *sub = dir_new(scratch, "taken", 0700);
    char *inside = file_new(sub, "x", "", 0600);
    int dir = dir_open(scratch);
    struct xr_strings names = {0};
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_write_atomic(dir, "taken", text_bytes("new"), 0600, &err), XR_FAILED);
    cr_assert(strstr(err.text, "cannot write taken") != NULL);
    cr_assert_eq(xr_sys_names(&names, dir, &err), XR_OK);
    cr_assert(names.count == 1 && strcmp(names.items[0], "taken") == 0);
    xr_strings_free(&names);
    cr_assert_eq(xr_sys_write_atomic(-1, "file", text_bytes("new"), 0600, &err), XR_FAILED);
    close(dir);
    free(inside);
    free(sub);
    scratch_free(scratch);
}

Test(sys, names_are_sorted_by_bytes)
{
    static const char *const made[] = {"b", "a", "B", "\xff", ".hidden", "10", "9"};
    static const char *const sorted[] = {".hidden", "10", "9", "B", "a", "b", "\xff"};
    char *scratch = scratch_new();
    int dir = dir_open(scratch);
    struct xr_strings names = {0};
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_names(&names, dir, &err), XR_OK);
    cr_assert_eq(names.count, 0u);
    for (size_t i = 0; i < 7; i++)
        free(file_new(scratch, made[i], "", 0600));
    cr_assert_eq(xr_sys_names(&names, dir, &err), XR_OK);
    cr_assert_eq(names.count, 7u);
    for (size_t i = 0; i < 7; i++)
        cr_assert_str_eq(names.items[i], sorted[i]);
    xr_strings_free(&names);
    cr_assert_eq(xr_sys_names(&names, -1, &err), XR_FAILED);
    xr_strings_free(&names);
    close(dir);
    scratch_free(scratch);
}

/* ---- locks ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    cr_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Test(sys, a_lock_is_busy_for_another_descriptor, .timeout = 20)
{
    char *scratch = scratch_new();
    char *path = file_new(scratch, "lock", "", 0600);
    int one = open(path, O_RDWR), two = open(path, O_RDWR);
    struct xr_error err = {0};
    int64_t began = 0;

    cr_assert_eq(xr_sys_lock(one, true, 0, &err), XR_OK);
    cr_assert_eq(xr_sys_lock(one, true, 0, &err), XR_OK, "again for who holds it");
    cr_assert_eq(xr_sys_lock(two, true, 0, &err), XR_BUSY);
    cr_assert_str_eq(err.text, "another process holds the lock");
    cr_assert_eq(xr_sys_lock(two, false, 0, &err), XR_BUSY);
    began = now_ms();
    cr_assert_eq(xr_sys_lock(two, true, 100, &err), XR_BUSY);
    cr_assert_geq(now_ms() - began, 90);
    cr_assert_eq(close(one), 0);
    cr_assert_eq(xr_sys_lock(two, true, 0, &err), XR_OK, "closing gives it back");
    close(two);
    cr_assert_eq(xr_sys_lock(-1, true, 0, &err), XR_FAILED);
    cr_assert_eq(err.code, EBADF);
    free(path);
    scratch_free(scratch);
}

Test(sys, readers_share_a_lock)
{
    char *scratch = scratch_new();
    int one = dir_open(scratch), two = dir_open(scratch), three = dir_open(scratch);
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_lock(one, false, 0, &err), XR_OK);
    cr_assert_eq(xr_sys_lock(two, false, 0, &err), XR_OK);
    cr_assert_eq(xr_sys_lock(three, true, 0, &err), XR_BUSY);
    close(one);
    close(two);
    cr_assert_eq(xr_sys_lock(three, true, 0, &err), XR_OK);
    close(three);
    scratch_free(scratch);
}

Test(sys, a_lock_that_is_given_back_in_time_is_taken, .timeout = 20)
{
    char *scratch = scratch_new();
    int mine = dir_open(scratch);
    struct xr_error err = {0};
    int ready[2], status = -1;
    char byte = 0;
    pid_t holder = -1;

    cr_assert(pipe(ready) == 0);
    holder = fork();
    if (holder == 0) {
        int theirs = open(scratch, O_RDONLY | O_DIRECTORY);

        if (flock(theirs, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)usleep(100000);
        _exit(0);
    }
    cr_assert(read(ready[0], &byte, 1) == 1);
    cr_assert_eq(xr_sys_lock(mine, true, 5000, &err), XR_OK);
    cr_assert(waitpid(holder, &status, 0) == holder && status == 0);
    close(mine);
    close(ready[0]);
    close(ready[1]);
    scratch_free(scratch);
}

/* ---- the directory of records ---- */

static enum xr_status state_dir(const char *path, struct xr_error *err)
{
    struct stat by_path, by_fd;
    enum xr_status status = XR_OK;
    int fd = -1;

    *err = (struct xr_error){0};
    status = xr_sys_state_dir(&fd, path, err);
    if (status == XR_OK) {
        cr_assert(fd >= 0 && fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0);
        cr_assert(by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino);
        cr_assert(S_ISDIR(by_fd.st_mode));
        close(fd);
    } else {
        cr_assert(err->status == status && err->text[0] != '\0');
    }
    return status;
}

Test(sys, the_state_directory_is_made_for_its_owner_alone)
{
    static const mode_t umasks[] = {0, 022, 077, 0777};

    for (size_t i = 0; i < 4; i++) {
        char *scratch = scratch_new();
        char *deep = xr_format("%s/local/state/crossroot", scratch);
        char *parent = xr_format("%s/local/state", scratch);
        char *top = xr_format("%s/local", scratch);
        struct xr_error err = {0};
        mode_t before = umask(umasks[i]);

        cr_assert_eq(state_dir(deep, &err), XR_OK, "%s", err.text);
        (void)umask(before);
        cr_assert_eq(stat_of(deep).st_mode, (mode_t)(S_IFDIR | 0700));
        cr_assert_eq(stat_of(parent).st_mode, (mode_t)(S_IFDIR | 0700));
        cr_assert_eq(stat_of(top).st_mode, (mode_t)(S_IFDIR | 0700));
        cr_assert_eq(state_dir(deep, &err), XR_OK, "it may be there already");
        free(deep);
        free(parent);
        free(top);
        scratch_free(scratch);
    }
}

static enum xr_status own(int dir, const char *name, bool append, struct xr_error *err)
{
    int fd = -1;
    enum xr_status status = xr_sys_open_own(&fd, dir, name, append, err);

    if (fd >= 0)
        close(fd);
    return status;
}

Test(sys, an_own_file_can_be_opened_again_whatever_the_umask)
{
    char *scratch = scratch_new();
    char *path = xr_format("%s/file", scratch);
    int dir = dir_open(scratch);
    struct xr_error err = {0};
    mode_t before = umask(0777);

    cr_assert_eq(own(dir, "file", true, &err), XR_OK, "%s", err.text);
    (void)umask(before);
    cr_assert_eq(stat_of(path).st_mode, (mode_t)(S_IFREG | 0600));
    cr_assert_eq(own(dir, "file", false, &err), XR_OK, "%s", err.text);
    close(dir);
    free(path);
    scratch_free(scratch);
}

Test(sys, a_file_with_a_second_name_is_not_ones_own)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "content", 0600),
         *second = xr_format("%s/second", scratch);
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    cr_assert_eq(own(dir, "file", true, &err), XR_OK, "%s", err.text);
    cr_assert(link(file, second) == 0);
    cr_assert_eq(own(dir, "file", true, &err), XR_REFUSED);
    cr_assert_eq(own(dir, "file", false, &err), XR_REFUSED);
    cr_assert(strstr(err.text, "another name") != NULL, "%s", err.text);
    cr_assert(unlink(second) == 0);
    cr_assert_eq(own(dir, "file", false, &err), XR_OK, "%s", err.text);
    close(dir);
    free(file);
    free(second);
    scratch_free(scratch);
}

Test(sys, a_file_that_others_can_write_is_not_ones_own)
{
    static const mode_t modes[] = {0620, 0602, 0666};
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "content", 0600);
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    for (size_t i = 0; i < 3; i++) {
        cr_assert(chmod(file, modes[i]) == 0);
        cr_assert_eq(own(dir, "file", true, &err), XR_REFUSED);
        cr_assert_eq(own(dir, "file", false, &err), XR_REFUSED);
        cr_assert(strstr(err.text, "other users") != NULL, "%s", err.text);
        cr_assert_eq(stat_of(file).st_mode, S_IFREG | modes[i], "nor is it changed");
    }
    close(dir);
    free(file);
    scratch_free(scratch);
}

Test(sys, nothing_but_a_file_is_ones_own, .timeout = 20)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "content", 0600), *fifo = xr_format("%s/fifo", scratch);
    char *link = link_new("file", scratch, "link"), *sub = dir_new(scratch, "dir", 0700);
    int dir = dir_open(scratch);
    struct xr_error err = {0};

    cr_assert(mkfifo(fifo, 0600) == 0);
    for (int append = 0; append < 2; append++) {
        cr_assert_eq(own(dir, "fifo", append != 0, &err), XR_REFUSED);
        cr_assert_eq(own(dir, "link", append != 0, &err), XR_FAILED);
        cr_assert_neq(own(dir, "dir", append != 0, &err), XR_OK);
    }
    close(dir);
    free(file);
    free(fifo);
    free(link);
    free(sub);
    scratch_free(scratch);
}

Test(sys, a_slash_after_the_state_directory_does_not_matter)
{
    char *scratch = scratch_new();
    char *slashed = xr_format("%s/state/", scratch);
    char *doubled = xr_format("%s//a//b", scratch);
    struct xr_error err = {0};

    cr_assert_eq(state_dir(slashed, &err), XR_OK, "%s", err.text);
    cr_assert_eq(state_dir(doubled, &err), XR_OK, "%s", err.text);
    free(slashed);
    free(doubled);
    scratch_free(scratch);
}

Test(sys, opening_the_state_directory_makes_nothing)
{
    char *scratch = scratch_new();
    char *missing = xr_format("%s/state", scratch);
    char *deep = xr_format("%s/a/b", scratch);
    struct xr_error err = {0};
    struct xr_strings names = {0};
    int dir = dir_open(scratch), fd = -1;

    cr_assert_eq(xr_sys_state_dir_open(&fd, missing, &err), XR_ABSENT);
    cr_assert_eq(xr_sys_state_dir_open(&fd, deep, &err), XR_ABSENT);
    cr_assert_eq(fd, -1);
    cr_assert(xr_sys_names(&names, dir, &err) == XR_OK && names.count == 0);
    cr_assert_eq(state_dir(missing, &err), XR_OK);
    cr_assert_eq(xr_sys_state_dir_open(&fd, missing, &err), XR_OK);
    close(fd);
    close(dir);
    xr_strings_free(&names);
    free(missing);
    free(deep);
    scratch_free(scratch);
}

Test(sys, a_state_directory_others_may_write_is_refused)
{
    static const mode_t bad[] = {0770, 0720, 0702, 0777, 01777};
    char *scratch = scratch_new();
    struct xr_error err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *path = dir_new(scratch, "state", bad[i]);
        char *below = xr_format("%s/below", path);

        cr_assert_eq(state_dir(path, &err), XR_REFUSED, "%04o", (unsigned)bad[i]);
        cr_assert(strstr(err.text, "other users can write to") != NULL);
        if ((bad[i] & S_ISVTX) == 0) {
            cr_assert_eq(state_dir(below, &err), XR_REFUSED, "%04o", (unsigned)bad[i]);
            cr_assert(access(below, F_OK) != 0, "nothing was made");
        }
        cr_assert(chmod(path, 0755) == 0);
        cr_assert_eq(state_dir(path, &err), XR_OK, "others may read");
        cr_assert(rmdir(path) == 0);
        free(below);
        free(path);
    }
    scratch_free(scratch);
}

Test(sys, a_state_directory_that_is_no_directory_is_refused)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "", 0600);
    char *below = xr_format("%s/file/state", scratch);
    char *dangling = link_new("nowhere", scratch, "dangling");
    char *target = xr_format("%s/nowhere", scratch);
    struct xr_error err = {0};

    cr_assert_neq(state_dir(file, &err), XR_OK);
    cr_assert_neq(state_dir(below, &err), XR_OK);
    cr_assert_neq(state_dir(dangling, &err), XR_OK, "a link is not made into a directory");
    cr_assert(access(target, F_OK) != 0);
    free(file);
    free(below);
    free(dangling);
    free(target);
    scratch_free(scratch);
}

Test(sys, a_link_is_no_state_directory_but_may_be_above_one)
{
    char *scratch = scratch_new();
    char *real = dir_new(scratch, "real", 0700), *link = link_new("real", scratch, "link");
    char *slashed = xr_format("%s/", link), *below = xr_format("%s/state", link);
    char *made = xr_format("%s/state", real);
    struct xr_error err = {0};
    int fd = -1;

    cr_assert_neq(state_dir(link, &err), XR_OK);
    cr_assert_neq(state_dir(slashed, &err), XR_OK);
    cr_assert_neq(xr_sys_state_dir_open(&fd, link, &err), XR_OK);
    cr_assert_eq(fd, -1);
    cr_assert_eq(state_dir(below, &err), XR_OK, "%s", err.text);
    cr_assert(S_ISDIR(stat_of(made).st_mode));
    free(real);
    free(link);
    free(slashed);
    free(below);
    free(made);
    scratch_free(scratch);
}

Test(sys, another_users_link_above_the_state_directory_is_refused)
{
    char *scratch = NULL, *real = NULL, *link = NULL, *below = NULL, *made = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a link away");
    scratch = scratch_new();
    real = dir_new(scratch, "real", 0700);
    link = link_new("real", scratch, "link");
    below = xr_format("%s/state", link);
    made = xr_format("%s/state", real);
    cr_assert(lchown(link, NOBODY, NOBODY) == 0);
    cr_assert_eq(state_dir(below, &err), XR_REFUSED);
    cr_assert(access(made, F_OK) != 0);
    free(real);
    free(link);
    free(below);
    free(made);
    scratch_free(scratch);
}

Test(sys, a_relative_state_directory_below_one_that_is_gone_is_refused)
{
    char *scratch = scratch_new();
    struct xr_error err = {0};

    cr_assert(chdir(scratch) == 0);
    scratch_free(scratch);
    cr_assert_neq(state_dir("state", &err), XR_OK);
    cr_assert(chdir("/") == 0);
}

Test(sys, a_state_directory_of_another_user_is_refused)
{
    char *scratch = NULL, *theirs = NULL, *below = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a directory away");
    scratch = scratch_new();
    theirs = dir_new(scratch, "theirs", 0755);
    below = xr_format("%s/below", theirs);
    cr_assert(chown(theirs, NOBODY, NOBODY) == 0);
    cr_assert_eq(state_dir(theirs, &err), XR_REFUSED);
    cr_assert(strstr(err.text, "another user") != NULL);
    cr_assert_eq(state_dir(below, &err), XR_REFUSED);
    cr_assert(access(below, F_OK) != 0);
    free(theirs);
    free(below);
    scratch_free(scratch);
}

Test(sys, roots_directory_is_no_users_state_directory)
{
    char *scratch = NULL, *roots = NULL, *users = NULL, *deep = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can become another user");
    scratch = scratch_new();
    cr_assert(chmod(scratch, 0755) == 0);
    roots = dir_new(scratch, "roots", 0755);
    users = dir_new(scratch, "users", 0755);
    deep = xr_format("%s/a/b", users);
    cr_assert(chown(users, NOBODY, NOBODY) == 0);
    cr_assert(seteuid(NOBODY) == 0);
    cr_assert_eq(state_dir(roots, &err), XR_REFUSED);
    cr_assert(strstr(err.text, "does not belong to this user") != NULL, "%s", err.text);
    cr_assert_eq(state_dir(deep, &err), XR_OK, "%s", err.text);
    cr_assert(seteuid(0) == 0);
    cr_assert_eq(stat_of(deep).st_uid, NOBODY);
    free(roots);
    free(users);
    free(deep);
    scratch_free(scratch);
}

/* ---- files that run inside this process ---- */

static enum xr_status trusted(const char *path, bool dir, struct xr_error *err)
{
    struct stat by_path, by_fd;
    enum xr_status status = XR_OK;
    int fd = -1;

    *err = (struct xr_error){0};
    status = dir ? xr_sys_open_trusted_dir(&fd, path, false, err)
                 : xr_sys_open_trusted(&fd, path, false, err);
    if (status == XR_OK) {
        cr_assert(fd >= 0 && fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0);
        cr_assert(by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino);
        close(fd);
    } else {
        cr_assert(err->status == status && err->text[0] != '\0');
    }
    return status;
}

Test(sys, a_file_nobody_else_can_write_is_trusted)
{
    char *scratch = scratch_new(); /* below /tmp, which is sticky */
    char *file = file_new(scratch, "plugin.so", "code", 0644);
    struct xr_error err = {0};
    int fd = -1;
    char byte = 0;

    cr_assert_eq(trusted(file, false, &err), XR_OK, "%s", err.text);
    cr_assert_eq(xr_sys_open_trusted(&fd, file, false, &err), XR_OK);
    cr_assert(read(fd, &byte, 1) == 1 && byte == 'c');
    cr_assert((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    cr_assert_eq(trusted(scratch, true, &err), XR_OK, "%s", err.text);
    free(file);
    scratch_free(scratch);
}

Test(sys, a_file_others_may_write_is_not_trusted)
{
    static const mode_t bad[] = {0664, 0646, 0666, 01666};
    char *scratch = scratch_new();
    struct xr_error err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *file = file_new(scratch, "plugin.so", "code", bad[i]);

        cr_assert_eq(trusted(file, false, &err), XR_REFUSED, "%04o", (unsigned)bad[i]);
        cr_assert(remove(file) == 0);
        free(file);
    }
    scratch_free(scratch);
}

Test(sys, a_file_in_a_directory_others_may_write_is_not_trusted)
{
    static const mode_t bad[] = {0777, 0770, 0702, 01777, 01770};
    char *scratch = scratch_new();
    struct xr_error err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *dir = dir_new(scratch, "open", bad[i]);
        char *file = file_new(dir, "plugin.so", "code", 0644);

        cr_assert_eq(trusted(file, false, &err), XR_REFUSED, "%04o", (unsigned)bad[i]);
        cr_assert_eq(trusted(dir, true, &err), XR_REFUSED, "%04o", (unsigned)bad[i]);
        cr_assert(remove(file) == 0 && rmdir(dir) == 0);
        free(file);
        free(dir);
    }
    scratch_free(scratch);
}

Test(sys, a_sticky_directory_passes_as_an_ancestor_and_a_plain_open_one_does_not)
{
    char *scratch = scratch_new();
    char *sticky = dir_new(scratch, "sticky", 01777), *open_to_all = dir_new(scratch, "open", 0777);
    char *below_sticky = dir_new(sticky, "own", 0755),
         *below_open = dir_new(open_to_all, "own", 0755);
    char *good = file_new(below_sticky, "plugin.so", "", 0644);
    char *bad = file_new(below_open, "plugin.so", "", 0644);
    struct xr_error err = {0};

    cr_assert_eq(trusted(good, false, &err), XR_OK, "%s", err.text);
    cr_assert_eq(trusted(below_sticky, true, &err), XR_OK, "%s", err.text);
    cr_assert_eq(trusted(bad, false, &err), XR_REFUSED);
    cr_assert_eq(trusted(below_open, true, &err), XR_REFUSED);
    free(good);
    free(bad);
    free(below_sticky);
    free(below_open);
    free(sticky);
    free(open_to_all);
    scratch_free(scratch);
}

Test(sys, a_link_to_a_trusted_file_is_resolved)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "plugin.so.1", "", 0644);
    char *link = link_new("plugin.so.1", scratch, "plugin.so");
    char *open_to_all = dir_new(scratch, "open", 0777);
    char *theirs = file_new(open_to_all, "evil.so", "", 0644);
    char *trap = link_new("open/evil.so", scratch, "trap.so");
    char *missing = xr_format("%s/missing.so", scratch);
    struct xr_error err = {0};

    cr_assert_eq(trusted(link, false, &err), XR_OK, "%s", err.text);
    cr_assert_eq(trusted(trap, false, &err), XR_REFUSED, "what it leads to is what counts");
    cr_assert_eq(trusted(missing, false, &err), XR_ABSENT);
    cr_assert_eq(trusted(scratch, false, &err), XR_REFUSED, "a directory is no file");
    cr_assert_neq(trusted(file, true, &err), XR_OK, "a file is no directory");
    free(file);
    free(link);
    free(open_to_all);
    free(theirs);
    free(trap);
    free(missing);
    scratch_free(scratch);
}

Test(sys, a_pipe_is_not_trusted_and_does_not_hang, .timeout = 20)
{
    char *scratch = scratch_new();
    char *fifo = xr_format("%s/fifo", scratch);
    struct xr_error err = {0};

    cr_assert(mkfifo(fifo, 0600) == 0);
    cr_assert_eq(trusted(fifo, false, &err), XR_REFUSED);
    free(fifo);
    scratch_free(scratch);
}

Test(sys, what_another_user_owns_is_not_trusted)
{
    char *scratch = NULL, *theirs = NULL, *file = NULL, *inside = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a file away");
    scratch = scratch_new();
    theirs = dir_new(scratch, "theirs", 0755);
    file = file_new(scratch, "plugin.so", "", 0644);
    inside = file_new(theirs, "plugin.so", "", 0644);
    cr_assert(chown(theirs, NOBODY, NOBODY) == 0 && chown(file, NOBODY, NOBODY) == 0);
    cr_assert_eq(trusted(file, false, &err), XR_REFUSED);
    cr_assert(strstr(err.text, "another user") != NULL);
    cr_assert_eq(trusted(inside, false, &err), XR_REFUSED, "root's file in another's directory");
    cr_assert_eq(trusted(theirs, true, &err), XR_REFUSED);
    free(theirs);
    free(file);
    free(inside);
    scratch_free(scratch);
}

/* ---- paths ---- */

static bool canonical_is(const char *path, const char *expected)
{
    struct xr_error err = {0};
    char *got = NULL;
    enum xr_status status = xr_sys_canonical(&got, path, &err);
    bool ok = status == XR_OK && strcmp(got, expected) == 0;

    if (!ok)
        cr_log_error("%s: got %s", path, status == XR_OK ? got : err.text);
    free(got);
    return ok;
}

Test(sys, a_canonical_path_is_absolute_and_without_links)
{
    char *scratch = scratch_new();
    char *dir = dir_new(scratch, "dir", 0700), *link = link_new("dir", scratch, "link");
    char *dangling = link_new("nowhere", scratch, "dangling");
    char *missing = xr_format("%s/missing", dir);
    char *cases[] = {xr_format("%s/link/../link/./missing", scratch),
                     xr_format("%s//dir///missing", scratch),
                     xr_format("%s/link/missing/", scratch), xr_format("%s/dir/missing", scratch)};

    cr_assert(canonical_is(link, dir));
    cr_assert(canonical_is(dangling, dangling), "kept as it is");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert(canonical_is(cases[i], missing), "%zu", i);
        free(cases[i]);
    }
    cr_assert(canonical_is("/", "/"));
    cr_assert(canonical_is("//", "/"));
    cr_assert(canonical_is("/crossroot-does-not-exist", "/crossroot-does-not-exist"));
    cr_assert(chdir(dir) == 0);
    cr_assert(canonical_is("missing", missing));
    cr_assert(canonical_is("./missing", missing));
    cr_assert(canonical_is(".", dir));
    cr_assert(canonical_is("../link/missing", missing));
    cr_assert(chdir("/") == 0);
    cr_assert(canonical_is("crossroot-does-not-exist", "/crossroot-does-not-exist"));
    free(missing);
    free(dangling);
    free(link);
    free(dir);
    scratch_free(scratch);
}

Test(sys, only_the_last_component_of_a_path_may_be_missing)
{
    char *scratch = scratch_new();
    char *file = file_new(scratch, "file", "", 0600), *loop = link_new("loop", scratch, "loop");
    char *deep = xr_format("%s/a/b", scratch), *up = xr_format("%s/a/..", scratch);
    char *dot = xr_format("%s/a/.", scratch), *below = xr_format("%s/file/x", scratch);
    struct xr_error err = {0};
    char *got = NULL;

    cr_assert_eq(xr_sys_canonical(&got, deep, &err), XR_ABSENT);
    cr_assert(strstr(err.text, deep) != NULL);
    cr_assert_eq(xr_sys_canonical(&got, up, &err), XR_ABSENT);
    cr_assert_eq(xr_sys_canonical(&got, dot, &err), XR_ABSENT);
    cr_assert_eq(xr_sys_canonical(&got, "", &err), XR_ABSENT);
    cr_assert_eq(xr_sys_canonical(&got, below, &err), XR_FAILED);
    cr_assert_eq(err.code, ENOTDIR);
    cr_assert_eq(xr_sys_canonical(&got, loop, &err), XR_FAILED);
    cr_assert_eq(err.code, ELOOP);
    cr_assert_null(got);
    free(file);
    free(loop);
    free(deep);
    free(up);
    free(dot);
    free(below);
    scratch_free(scratch);
}

Test(sys, ones_own_links_are_resolved)
{
    char *scratch = scratch_new();
    char *dir = dir_new(scratch, "dir", 0700), *link = link_new("dir", scratch, "link");
    char *below = xr_format("%s/link/../dir//./new", scratch), *deep = xr_format("%s/no/a", dir);
    char *want = xr_format("%s/new", dir), *got = NULL;
    struct xr_error err = {0};

    cr_assert_eq(xr_sys_resolve(&got, link, &err), XR_OK, "%s", err.text);
    cr_assert_str_eq(got, dir);
    free(got);
    cr_assert_eq(xr_sys_resolve(&got, below, &err), XR_OK, "%s", err.text);
    cr_assert_str_eq(got, want);
    free(got);
    cr_assert_eq(xr_sys_resolve(&got, "/", &err), XR_OK);
    cr_assert_str_eq(got, "/");
    free(got);
    cr_assert_eq(xr_sys_resolve(&got, deep, &err), XR_ABSENT, "only the last may be missing");
    free(deep);
    free(want);
    free(below);
    free(link);
    free(dir);
    scratch_free(scratch);
}

Test(sys, a_loop_of_links_ends)
{
    char *scratch = scratch_new();
    char *link = link_new("link", scratch, "link"), *got = NULL;
    struct xr_error err = {0};

    cr_assert_neq(xr_sys_resolve(&got, link, &err), XR_OK);
    free(link);
    scratch_free(scratch);
}

Test(sys, another_users_link_anywhere_in_a_path_is_refused)
{
    char *scratch = NULL, *dir = NULL, *link = NULL, *got = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a link away");
    scratch = scratch_new();
    dir = dir_new(scratch, "dir", 0700);
    link = link_new("dir", scratch, "link");
    cr_assert(lchown(link, NOBODY, NOBODY) == 0);
    {
        char *paths[] = {xr_format("%s", link), xr_format("%s/", link), xr_format("%s/a/b", link),
                         xr_format("%s//link//a", scratch), xr_format("%s/dir/../link", scratch)};

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            cr_assert_eq(xr_sys_resolve(&got, paths[i], &err), XR_REFUSED, "%s", paths[i]);
            cr_assert(strstr(err.text, "another user's link") != NULL);
            free(paths[i]);
        }
    }
    free(dir);
    free(link);
    scratch_free(scratch);
}
