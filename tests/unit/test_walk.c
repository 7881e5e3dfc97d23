/* SPDX-License-Identifier: Apache-2.0 */
/* Paths walked by hand: what is entered, what is told of links, and what nobody is led out of. */
#include "sys/linux/walk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534u
#define DIRS   (O_RDONLY | O_DIRECTORY)

/* ---- fixtures: a directory a test, top, with top/a/b/c ---- */

static char top[] = "/tmp/crossroot-walk.XXXXXX";
static int top_fd = -1;

static void make(void)
{
    cr_assert(mkdtemp(top) != NULL);
    top_fd = open(top, DIRS | O_CLOEXEC);
    cr_assert(top_fd >= 0 && mkdirat(top_fd, "a", 0700) == 0 && mkdirat(top_fd, "a/b", 0700) == 0 &&
              mkdirat(top_fd, "a/b/c", 0700) == 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void clean(void)
{
    (void)close(top_fd);
    cr_assert(nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

TestSuite(walk, .init = make, .fini = clean, .timeout = 20);

static void file_new(const char *name, const char *content)
{
    int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    cr_assert(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content) &&
              close(fd) == 0);
}

static void link_new(const char *target, const char *name)
{
    cr_assert(symlinkat(target, top_fd, name) == 0);
}

static bool is(int fd, const char *name)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstatat(top_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int here(void)
{
    return fcntl(top_fd, F_DUPFD_CLOEXEC, 0);
}

/* Where a path without links leads to; "" for nowhere. */
static bool leads_to(const char *path, const char *name, int flags)
{
    int fd = xr_walk_to(here(), path, flags);
    bool right = is(fd, name);

    (void)close(fd);
    return right;
}

static bool fails(const char *path, int flags, int code)
{
    int fd = 0;

    errno = 0;
    fd = xr_walk_to(here(), path, flags);
    if (fd >= 0)
        (void)close(fd);
    return fd < 0 && errno == code;
}

/* ---- a path that is to have no links ---- */

Test(walk, a_path_without_links_is_walked_to_its_end)
{
    static const int flags[] = {DIRS, O_PATH};

    for (size_t i = 0; i < 2; i++) {
        cr_assert(leads_to("a/b/c", "a/b/c", flags[i]));
        cr_assert(leads_to("/a//b/", "a/b", flags[i]));
        cr_assert(leads_to("a/./b", "a/b", flags[i]));
        cr_assert(leads_to("", ".", flags[i]));
        cr_assert(leads_to("///", ".", flags[i]));
    }
}

Test(walk, each_step_knows_its_name_and_whether_it_is_the_last)
{
    struct xr_walk w;

    cr_assert(xr_walk_start(&w, here(), "//a//b//"));
    cr_assert(is(w.dir, ".") && S_ISDIR(w.st.st_mode));
    cr_assert(xr_walk_next(&w) && strcmp(w.name, "a") == 0 && !w.last);
    cr_assert(xr_walk_enter(&w, DIRS) && is(w.dir, "a"));
    cr_assert(xr_walk_next(&w) && strcmp(w.name, "b") == 0 && w.last);
    cr_assert(xr_walk_enter(&w, DIRS) && is(w.dir, "a/b"));
    cr_assert(!xr_walk_next(&w));
    xr_walk_end(&w);
    cr_assert_eq(w.dir, -1);
}

Test(walk, a_link_in_the_middle_or_at_the_end_is_not_entered)
{
    static const int flags[] = {DIRS, O_RDONLY, O_PATH, O_PATH | O_DIRECTORY};
    static const char *const paths[] = {"link", "link/", "link/b", "a/up/a", "a/up"};

    link_new("a", "link");
    link_new("..", "a/up");
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct xr_walk w;

        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++)
            cr_assert(fails(paths[j], flags[i], ENOTDIR) || fails(paths[j], flags[i], ELOOP));
        cr_assert(xr_walk_start(&w, here(), "link") && xr_walk_next(&w));
        cr_assert(!xr_walk_enter(&w, flags[i]) && is(w.dir, "."), "with flags %o", flags[i]);
        cr_assert(errno == ENOTDIR || errno == ELOOP);
        xr_walk_end(&w);
    }
}

Test(walk, a_directory_that_became_a_link_on_the_way_is_not_entered)
{
    struct xr_walk w;

    cr_assert(xr_walk_start(&w, here(), "a/b/c") && xr_walk_next(&w) && xr_walk_enter(&w, DIRS) &&
              xr_walk_next(&w));
    cr_assert(renameat(top_fd, "a/b", top_fd, "b") == 0);
    link_new("../b", "a/b");
    cr_assert(!xr_walk_enter(&w, DIRS));
    xr_walk_end(&w);
}

Test(walk, two_dots_lead_out_only_where_that_is_allowed)
{
    struct xr_walk w;

    cr_assert(fails("..", DIRS, EXDEV) && fails("a/../a", O_PATH, EXDEV));
    cr_assert(xr_walk_start(&w, here(), "a/.."));
    w.up = true;
    while (xr_walk_next(&w))
        cr_assert(xr_walk_enter(&w, DIRS));
    cr_assert(is(w.dir, "."));
    xr_walk_end(&w);
}

Test(walk, the_owner_and_mode_of_what_was_entered_are_told)
{
    struct xr_walk w;

    cr_assert(fchmodat(top_fd, "a/b", 01777, 0) == 0);
    cr_assert(xr_walk_start(&w, here(), "a/b") && w.st.st_uid == geteuid());
    while (xr_walk_next(&w))
        cr_assert(xr_walk_enter(&w, O_PATH | O_DIRECTORY) && w.st.st_uid == geteuid());
    cr_assert_eq(w.st.st_mode & 07777, 01777u);
    xr_walk_end(&w);
    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a directory away");
    cr_assert(fchownat(top_fd, "a/b", NOBODY, NOBODY, 0) == 0);
    cr_assert(xr_walk_start(&w, here(), "a/b/c"));
    cr_assert(xr_walk_next(&w) && xr_walk_enter(&w, DIRS) && w.st.st_uid == 0);
    cr_assert(xr_walk_next(&w) && xr_walk_enter(&w, DIRS) && w.st.st_uid == NOBODY);
    cr_assert(xr_walk_next(&w) && xr_walk_enter(&w, DIRS) && w.st.st_uid == 0);
    xr_walk_end(&w);
}

Test(walk, what_is_missing_can_be_made_and_entered)
{
    struct xr_walk w;

    cr_assert(fails("a/none/c", DIRS, ENOENT));
    cr_assert(xr_walk_start(&w, here(), "a/new") && xr_walk_next(&w) && xr_walk_enter(&w, DIRS) &&
              xr_walk_next(&w));
    cr_assert(!xr_walk_enter(&w, DIRS) && errno == ENOENT && is(w.dir, "a"));
    cr_assert(mkdirat(w.dir, w.name, 0700) == 0 && xr_walk_enter(&w, DIRS) && is(w.dir, "a/new"));
    xr_walk_end(&w);
}

Test(walk, a_fifo_is_entered_without_waiting_and_never_as_a_directory)
{
    struct xr_walk w;

    cr_assert(mkfifoat(top_fd, "a/fifo", 0600) == 0);
    cr_assert(fails("a/fifo", DIRS, ENOTDIR) && fails("a/fifo/x", DIRS, ENOTDIR));
    cr_assert(xr_walk_start(&w, here(), "fifo") && xr_walk_next(&w));
    xr_walk_end(&w);
    cr_assert(xr_walk_start(&w, here(), "a/fifo") && xr_walk_next(&w) && xr_walk_enter(&w, DIRS));
    cr_assert(xr_walk_next(&w) && xr_walk_enter(&w, O_RDONLY) && S_ISFIFO(w.st.st_mode));
    xr_walk_end(&w);
}

Test(walk, a_name_too_long_for_the_system_is_an_error)
{
    char *name = xr_new(XR_WALK_MAX + 1, 1);

    for (size_t len = XR_WALK_MAX; len > 255; len /= 2) {
        memset(name, 'x', len);
        name[len] = '\0';
        cr_assert(fails(name, DIRS, ENAMETOOLONG), "of %zu bytes", len);
    }
    free(name);
}

Test(walk, a_walk_from_nowhere_fails_as_the_opening_did)
{
    errno = 0;
    cr_assert(xr_walk_to(open("/nonexistent", O_RDONLY | O_CLOEXEC), "a", DIRS) < 0 &&
              errno == ENOENT);
}

/* ---- a path whose links are resolved ---- */

/* Follows every link; what the walk says in one line. */
static char *trail(const char *start, const char *path)
{
    struct xr_trail t;
    enum xr_trail_step step = XR_TRAIL_END;
    struct xr_buf out = {0};

    xr_trail_start(&t, top_fd, start, path);
    while ((step = xr_trail_next(&t)) != XR_TRAIL_END && step != XR_TRAIL_FAILED) {
        if (step != XR_TRAIL_LINK)
            continue;
        xr_buf_fmt(&out, "%s/%s->%s ", t.done.data, t.name, t.target);
        if (!xr_trail_follow(&t))
            break;
    }
    if (step != XR_TRAIL_END)
        xr_buf_fmt(&out, "%s", errno == ELOOP ? "ELOOP" : "FAILED");
    else if (t.dir < 0)
        xr_buf_fmt(&out, "%s (missing)", t.done.data);
    else if (t.done.len > 0 && !is(t.dir, t.done.data + 1))
        xr_buf_fmt(&out, "%s (another one)", t.done.data);
    else
        xr_buf_fmt(&out, "%s/", t.done.data);
    xr_trail_free(&t);
    return out.data;
}

static void expect(const char *start, const char *path, const char *wanted)
{
    char *got = trail(start, path);

    cr_assert_str_eq(got, wanted);
    free(got);
}

Test(walk, a_trail_tells_of_links_in_the_middle_and_at_the_end)
{
    link_new("b", "a/mid");
    link_new("b/c", "a/end");
    expect("", "/a/b/c", "/a/b/c/");
    expect("", "a/mid/c", "/a/mid->b /a/b/c/");
    expect("", "/a/mid/../end", "/a/mid->b /a/end->b/c /a/b/c/");
    expect("/a", "end", "/a/end->b/c /a/b/c/");
    expect("", "", "/");
}

Test(walk, a_trail_stays_below_its_root)
{
    link_new("/a/b", "abs");
    link_new("../../../../a", "a/b/up");
    link_new("/", "a/root");
    link_new("/../../etc", "out");
    expect("", "/abs/c", "/abs->/a/b /a/b/c/");
    expect("", "a/b/up/b", "/a/b/up->../../../../a /a/b/");
    expect("", "a/root/a", "/a/root->/ /a/");
    expect("", "../../..", "/");
    expect("/a", "..", "/");
    expect("/a", "../../..", "/");
    expect("", "out/passwd", "/out->/../../etc /etc/passwd (missing)");
}

Test(walk, a_loop_of_links_ends_a_trail)
{
    struct xr_trail t;
    unsigned links = 0;

    link_new("y", "x");
    link_new("./x", "y");
    xr_trail_start(&t, top_fd, "", "x/a");
    while (xr_trail_next(&t) == XR_TRAIL_LINK && xr_trail_follow(&t))
        links++;
    cr_assert(errno == ELOOP && links == 40u);
    xr_trail_free(&t);
    link_new("grow/grow", "grow");
    {
        char *got = trail("", "grow");

        cr_assert(strstr(got, "ELOOP") != NULL);
        free(got);
    }
}

Test(walk, a_trail_goes_on_by_name_where_nothing_is)
{
    link_new("none/below", "dangling");
    file_new("file", "");
    expect("", "a/none/c", "/a/none/c (missing)");
    expect("", "a/none/../b", "/a/b (missing)");
    expect("", "dangling", "/dangling->none/below /none/below (missing)");
    expect("", "file", "/file/");
    expect("", "file/x", "/file/x (missing)");
    expect("/none", "a", "/none/a (missing)");
}

Test(walk, a_trail_tells_why_something_is_missing)
{
    struct xr_trail t;

    file_new("file", "");
    xr_trail_start(&t, top_fd, "", "file/x/y");
    cr_assert(xr_trail_next(&t) == XR_TRAIL_THERE && S_ISREG(t.st.st_mode) && !xr_trail_ends(&t));
    cr_assert(xr_trail_next(&t) == XR_TRAIL_MISSING && errno == ENOTDIR);
    cr_assert(xr_trail_next(&t) == XR_TRAIL_MISSING && errno == ENOENT && xr_trail_ends(&t));
    cr_assert(xr_trail_next(&t) == XR_TRAIL_END);
    xr_trail_free(&t);
    xr_trail_start(&t, top_fd, "", "none");
    cr_assert(xr_trail_next(&t) == XR_TRAIL_MISSING && errno == ENOENT);
    xr_trail_free(&t);
}

Test(walk, a_name_too_long_ends_a_trail)
{
    char *name = xr_new(XR_WALK_MAX + 1, 1);

    for (size_t len = XR_WALK_MAX; len > 255; len /= 2) {
        memset(name, 'x', len);
        name[len] = '\0';
        expect("", name, "FAILED");
    }
    free(name);
}

Test(walk, a_trail_tells_whose_a_link_is)
{
    struct xr_trail t;

    link_new("a", "link");
    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a link away");
    cr_assert(fchownat(top_fd, "link", NOBODY, NOBODY, AT_SYMLINK_NOFOLLOW) == 0);
    xr_trail_start(&t, top_fd, "", "link/b");
    cr_assert(xr_trail_next(&t) == XR_TRAIL_LINK && t.st.st_uid == NOBODY);
    cr_assert(t.done.len == 0 && strcmp(t.name, "link") == 0 && strcmp(t.target, "a") == 0);
    cr_assert(is(t.dir, "."), "it is not followed unasked");
    xr_trail_free(&t);
}

Test(walk, a_fifo_on_a_trail_is_only_looked_at)
{
    struct xr_trail t;

    cr_assert(mkfifoat(top_fd, "fifo", 0600) == 0);
    xr_trail_start(&t, top_fd, "", "fifo");
    cr_assert(xr_trail_next(&t) == XR_TRAIL_THERE && S_ISFIFO(t.st.st_mode));
    cr_assert(fcntl(t.dir, F_GETFL) & O_PATH);
    xr_trail_free(&t);
}

Test(walk, what_is_left_can_be_taken_as_it_is_written)
{
    struct xr_trail t;

    xr_trail_start(&t, top_fd, "", "a//b/../c/");
    cr_assert(xr_trail_next(&t) == XR_TRAIL_THERE);
    cr_assert(xr_trail_take(&t) && strcmp(t.name, "b") == 0);
    cr_assert(xr_trail_take(&t) && strcmp(t.name, "..") == 0);
    cr_assert(!xr_trail_ends(&t) && xr_trail_take(&t) && strcmp(t.name, "c") == 0);
    cr_assert(xr_trail_ends(&t) && !xr_trail_take(&t));
    xr_trail_free(&t);
}

Test(walk, the_kernel_leads_nobody_out_of_a_root)
{
    int root = openat(top_fd, "a", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = xr_open_inside(root, "", O_PATH);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        cr_skip_test("not here: this system has no openat2");
    cr_assert(is(fd, "a"));
    (void)close(fd);
    link_new("/b", "a/abs");
    link_new("../../..", "a/up");
    fd = xr_open_inside(root, "abs/c", O_PATH);
    cr_assert(is(fd, "a/b/c"));
    (void)close(fd);
    fd = xr_open_inside(root, "up", O_PATH);
    cr_assert(is(fd, "a"));
    (void)close(fd);
    (void)close(root);
}

/* ---- in a directory ---- */

Test(walk, only_a_regular_file_is_opened_to_be_read)
{
    struct stat st;
    int fd = -1;

    file_new("file", "12");
    link_new("file", "link");
    cr_assert(mkfifoat(top_fd, "fifo", 0600) == 0);
    fd = xr_open_regular(top_fd, "file", &st);
    cr_assert(is(fd, "file") && st.st_size == 2);
    (void)close(fd);
    cr_assert(xr_open_regular(top_fd, "link", &st) < 0 && errno == ELOOP);
    cr_assert(xr_open_regular(top_fd, "fifo", &st) < 0 && errno == EINVAL);
    cr_assert(xr_open_regular(top_fd, "a", &st) < 0 && errno == EINVAL);
    cr_assert(xr_open_regular(top_fd, "none", &st) < 0 && errno == ENOENT);
    cr_assert(xr_open_regular(AT_FDCWD, "/dev/null", &st) < 0 && errno == EINVAL);
}

Test(walk, names_come_in_the_order_of_their_bytes)
{
    static const char *const sorted[] = {".hidden", "10", "9", "B", "a", "b", "link", "\xff"};
    struct xr_strings names = {0};
    int looking = openat(top_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < 8; i++) {
        if (strcmp(sorted[i], "a") != 0 && strcmp(sorted[i], "link") != 0)
            file_new(sorted[i], "");
    }
    link_new("nowhere", "link");
    for (int i = 0; i < 2; i++) {
        cr_assert(xr_dir_names(&names, i == 0 ? top_fd : looking, SIZE_MAX), "twice");
        cr_assert_eq(names.count, 8u);
        for (size_t j = 0; j < 8; j++)
            cr_assert_str_eq(names.items[j], sorted[j]);
        xr_strings_free(&names);
    }
    cr_assert(xr_dir_names(&names, top_fd, 8) && names.count == 8, "as many as may be");
    xr_strings_free(&names);
    (void)close(looking);
}

Test(walk, too_many_names_are_an_error)
{
    struct xr_strings names = {0};

    file_new("x", "");
    file_new("y", "");
    cr_assert(!xr_dir_names(&names, top_fd, 2) && errno == EFBIG && names.count == 2);
    cr_assert(strcmp(names.items[0], names.items[1]) < 0);
    xr_strings_free(&names);
    cr_assert(!xr_dir_names(&names, -1, 2) && errno == EBADF);
    cr_assert_eq(names.count, 0u);
}
