/* SPDX-License-Identifier: Apache-2.0 */
/* Whose home is what: lines of passwd, and which of the homes they name count. */
#include "sys/users.h"

#include "sys/sys.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct xr_users users;

static void forget(void)
{
    xr_users_free(&users);
}

TestSuite(users, .fini = forget);

static void parse_bytes(const char *text, size_t len)
{
    /* Of exactly that size, so that a sanitizer sees what is read behind it. */
    unsigned char *copy = xr_memdup(text, len);
    unsigned char *exact = realloc(copy, len > 0 ? len : 1);

    xr_users_parse(&users, (struct xr_bytes){exact, len});
    free(exact);
}

static void parse(const char *text)
{
    parse_bytes(text, strlen(text));
}

Test(users, an_account_is_its_name_numbers_and_home)
{
    parse("alice:x:1000:1001:Alice,,,:/home/alice:/bin/bash\n");
    cr_assert(users.count == 1);
    cr_assert_str_eq(users.items[0].name, "alice");
    cr_assert_str_eq(users.items[0].home, "/home/alice");
    cr_assert(users.items[0].uid == 1000 && users.items[0].gid == 1001);
}

Test(users, an_account_without_a_shell_or_a_last_newline_counts)
{
    parse("a:x:1:1::/a:/usr/sbin/nologin\nb:x:2:2::/b:\nc:x:3:3::/c\nd::4:4::/d:/bin/sh");
    cr_assert(users.count == 4);
    cr_assert_str_eq(users.items[2].home, "/c");
    cr_assert_str_eq(users.items[3].name, "d");
}

Test(users, a_line_that_is_no_account_is_passed_over)
{
    parse(
        "\n:\n::::::\nnothing\n# comment:x:1:1::/c:/bin/sh\n+::::::\n+nis:x:1:1::/n:\n-nis:x:1:1::/n:\n"
        "few:x:1:1:\nfewer:x:1\n:x:5:5::/noname:/bin/sh\nlast:x:7:7::/last:\n");
    cr_assert(users.count == 1);
    cr_assert_str_eq(users.items[0].name, "last");
}

Test(users, a_number_is_digits_and_fits)
{
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "-1",
                                        "+1",
                                        "0x1",
                                        "1e3",
                                        "4294967295",
                                        "4294967296",
                                        "9999999999",
                                        "99999999999999999999999999"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *uid = xr_format("u:x:%s:1::/u:\n", wrong[i]);
        char *gid = xr_format("g:x:1:%s::/g:\n", wrong[i]);

        parse(uid);
        parse(gid);
        cr_assert(users.count == 0, "\"%s\"", wrong[i]);
        free(uid);
        free(gid);
    }
    parse("zero:x:0:0::/z:\nmost:x:4294967294:0000000001::/m:\n");
    cr_assert(users.count == 2 && users.items[1].uid == UINT32_MAX - 1 && users.items[1].gid == 1);
}

Test(users, a_home_is_absolute)
{
    parse(
        "a:x:1:1:::\nb:x:1:1::home/b:\nc:x:1:1::~c:\nd:x:1:1::.:\ne:x:1:1::\\/e:\nf:x:1:1:: /f:\n");
    cr_assert(users.count == 0);
}

Test(users, a_byte_of_zero_spoils_its_line_alone)
{
    static const char text[] = "a:x:1:1::/a\0b:\nb:x:2:2::/b:\nc\0:x:3:3::/c:\n";

    parse_bytes(text, sizeof(text) - 1);
    cr_assert(users.count == 1);
    cr_assert_str_eq(users.items[0].home, "/b");
}

Test(users, any_bytes_can_be_read)
{
    unsigned seed = 1;

    parse_bytes("", 0);
    for (unsigned round = 0; round < 3000; round++) {
        static const char letters[] = "a:0/1:\n\0:x9#+-\xff:";
        char text[64];
        size_t len = 0;

        for (len = 0; len < round % sizeof(text); len++) {
            seed = seed * 1103515245u + 12345u;
            text[len] = letters[(seed >> 16) % (sizeof(letters) - 1)];
        }
        parse_bytes(text, len);
    }
    for (size_t i = 0; i < users.count; i++)
        cr_assert(users.items[i].home[0] == '/' && users.items[i].name[0] != '\0');
}

Test(users, there_is_an_end_to_accounts)
{
    struct xr_buf text = {0};

    for (unsigned i = 0; i < 70000; i++)
        xr_buf_str(&text, "a:x:1:1::/a:\n");
    parse_bytes(text.data, text.len);
    cr_assert(users.count == 65536);
    xr_buf_free(&text);
}

/* ---- homes of an image; all of it is the caller's, whoever that is ---- */

static char *image;

static void begin(void)
{
    char path[] = "/tmp/crossroot-users.XXXXXX";

    cr_assert(mkdtemp(path) != NULL);
    image = realpath(path, NULL);
    cr_assert(image != NULL && chmod(image, 0755) == 0);
}

static int entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void end(void)
{
    xr_users_free(&users);
    cr_assert(nftw(image, entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
    free(image);
}

TestSuite(images, .init = begin, .fini = end);

static void dir(const char *name, mode_t mode)
{
    char *path = xr_format("%s/%s", image, name);

    cr_assert(mkdir(path, 0700) == 0 && chmod(path, mode) == 0, "%s", path);
    free(path);
}

static void link_to(const char *name, const char *target)
{
    char *path = xr_format("%s/%s", image, name);

    cr_assert(symlink(target, path) == 0);
    free(path);
}

/* name:uid-is-mine:home of each; a uid of -1 stands for the caller's. */
static void passwd(const char *const *lines)
{
    struct xr_buf text = {0};
    char *path = xr_format("%s/etc/passwd", image);
    int fd = -1;

    for (; *lines != NULL; lines += 2)
        xr_buf_fmt(&text, "%s:x:%lu:5::%s:\n", lines[0],
                   (unsigned long)geteuid() + (lines[0][0] == '!'), lines[1]);
    dir("etc", 0755);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    cr_assert(fd >= 0 && xr_sys_write_all(fd, text.data, text.len) && close(fd) == 0);
    free(path);
    xr_buf_free(&text);
}

static enum xr_status look(void)
{
    struct xr_error err = {0};

    users.root = image;
    return xr_users_read(&users, &err);
}

static bool has(const char *home)
{
    for (size_t i = 0; i < users.count; i++) {
        if (strcmp(users.items[i].home, home) == 0)
            return true;
    }
    return false;
}

Test(images, a_home_that_is_there_and_its_users_counts_once)
{
    static const char *const lines[] = {"a",           "/home/a", "b",       "/home/b", "again",
                                        "/home/./a/",  "none",    "/home/n", "slash",   "/",
                                        "up",          "/../..",  "!else",   "/home/c", "file",
                                        "/etc/passwd", NULL};

    dir("home", 0755);
    dir("home/a", 0700);
    dir("home/b", 0755);
    dir("home/c", 0755);
    passwd(lines);
    cr_assert(look() == XR_OK);
    cr_assert(users.count == 2 && has("/home/a") && has("/home/b"));
    cr_assert(users.items[0].gid == 5 && users.notes.count == 0);
}

Test(images, links_lead_to_places_in_the_image)
{
    static const char *const lines[] = {"a", "/home/a", "b", "/out/b", "c", "/loop/c", NULL};

    dir("var", 0755);
    dir("var/home", 0755);
    dir("var/home/a", 0700);
    link_to("home", "/var/home");
    link_to("out", "../../../../../../../../tmp");
    link_to("loop", "loop");
    passwd(lines);
    cr_assert(look() == XR_OK);
    cr_assert(users.count == 1 && has("/var/home/a"));
}

Test(images, a_home_that_others_can_exchange_is_told_of)
{
    static const char *const lines[] = {"a", "/all/a", "b", "/sticky/b", "c", "/group/c", NULL};

    dir("all", 0777);
    dir("all/a", 0700);
    dir("sticky", 01777);
    dir("sticky/b", 0700);
    dir("group", 0775);
    dir("group/c", 0700);
    passwd(lines);
    cr_assert(look() == XR_OK);
    cr_assert(users.count == 1 && has("/sticky/b"));
    cr_assert(users.notes.count == 2 && strstr(users.notes.items[0], "/all/a") != NULL);
}

Test(images, a_home_below_one_of_another_users_does_not_count)
{
    static const char *const lines[] = {"outer", "/home/outer", "inner", "/home/outer/inner", NULL};
    char *path = NULL;

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give directories away");
    dir("home", 0755);
    dir("home/outer", 0755);
    dir("home/outer/inner", 0755);
    path = xr_format("%s/home/outer", image);
    cr_assert(chown(path, 71001, 71001) == 0);
    free(path);
    passwd(lines);
    cr_assert(look() == XR_OK);
    cr_assert(users.count == 0);
    cr_assert(users.notes.count == 1 && strstr(users.notes.items[0], "inner") != NULL);
}

Test(images, a_passwd_that_is_no_file_is_told_of)
{
    char *path = xr_format("%s/etc/passwd", image);

    dir("etc", 0755);
    cr_assert(look() == XR_ABSENT);
    xr_users_free(&users);
    cr_assert(mkfifo(path, 0644) == 0);
    cr_assert(look() == XR_INVALID);
    xr_users_free(&users);
    cr_assert(unlink(path) == 0 && symlink("/dev/zero", path) == 0);
    cr_assert(look() == XR_ABSENT); /* the image has no such device */
    free(path);
}

Test(images, the_longest_home_is_whose_a_path_is)
{
    static const char *const lines[] = {"a", "/home/a", "svc", "/home/a/svc", NULL};
    static const struct {
        const char *path, *name;
    } cases[] = {{"/home/a", "a"},       {"/home/a/.mozilla", "a"},
                 {"/home/a/svc", "svc"}, {"/home/a/svc/x", "svc"},
                 {"/home/a/svcx", "a"},  {"/home/ab", NULL},
                 {"/home", NULL},        {"/", NULL}};

    dir("home", 0755);
    dir("home/a", 0755);
    dir("home/a/svc", 0755);
    passwd(lines);
    cr_assert(look() == XR_OK && users.count == 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = xr_format("%s%s", image, cases[i].path);
        size_t at = xr_users_of(&users, path);

        if (cases[i].name == NULL)
            cr_assert(at == SIZE_MAX, "%s", cases[i].path);
        else
            cr_assert(at != SIZE_MAX && strcmp(users.items[at].name, cases[i].name) == 0, "%s",
                      cases[i].path);
        cr_assert(xr_users_of(&users, cases[i].path) == SIZE_MAX); /* not in the image */
        free(path);
    }
}

/* ---- this machine's ---- */

Test(users, the_database_of_this_machine_can_be_read)
{
    struct xr_error err = {0};
    size_t at = 0;

    cr_assert(xr_users_read(&users, &err) == XR_OK, "%s", err.text);
    for (size_t i = 0; i < users.count; i++) {
        struct stat st;

        cr_assert(stat(users.items[i].home, &st) == 0 && st.st_uid == users.items[i].uid);
        cr_assert(i == 0 || users.items[i - 1].uid <= users.items[i].uid);
        cr_assert(xr_users_of(&users, users.items[i].home) == i);
    }
    cr_assert(xr_users_find(&at, &users, UINT32_MAX - 7, &err) == XR_ABSENT && err.text[0] != '\0');
}

Test(users, what_does_not_exist_in_a_home_is_left_as_it_is_written)
{
    char path[] = "/tmp/crossroot-users.XXXXXX";
    char *own = NULL, *out = NULL, *below = NULL, *link = NULL;
    struct xr_error err = {0};

    cr_assert(mkdtemp(path) != NULL);
    own = realpath(path, NULL);
    below = xr_format("%s/./none//of/./this/", own);
    cr_assert(xr_users_resolve(&out, &users, below, &err) == XR_OK, "%s", err.text);
    cr_assert(strncmp(out, own, strlen(own)) == 0);
    cr_assert_str_eq(out + strlen(own), "/none/of/this");
    free(out);
    out = NULL;
    free(below);
    below = xr_format("%s/none/../of/this", own);
    cr_assert(xr_users_resolve(&out, &users, below, &err) == XR_REFUSED && out == NULL);
    free(below);
    link = xr_format("%s/link", own);
    cr_assert_eq(symlink("nowhere", link), 0);
    cr_assert(xr_users_resolve(&out, &users, link, &err) == XR_ABSENT && out == NULL,
              "a link to nowhere is no directory to be made");
    cr_assert_eq(unlink(link), 0);
    cr_assert_eq(rmdir(own), 0);
    free(link);
    free(own);
}

Test(users, only_what_root_must_not_touch_is_left_as_it_is_written)
{
    char path[] = "/tmp/crossroot-users.XXXXXX";
    char *home = NULL, *out = NULL, *below = NULL;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root leaves anything alone");
    cr_assert(mkdtemp(path) != NULL && chown(path, 71001, 71001) == 0);
    home = realpath(path, NULL);
    *XR_PUSH(&users) = (struct xr_user){xr_strdup("a"), 71001, 71001, xr_strdup(home)};
    users.all = true;
    below = xr_format("%s/.//none/../x", home);
    cr_assert(xr_users_resolve(&out, &users, below, &err) == XR_REFUSED && out == NULL);
    free(below);
    below = xr_format("%s/../%s/./none//of/./this/", home, strrchr(home, '/') + 1);
    cr_assert(xr_users_resolve(&out, &users, below, &err) == XR_REFUSED, "out of a home again");
    free(below);
    below = xr_format("%s/./none//of/./this/", home);
    cr_assert(xr_users_resolve(&out, &users, below, &err) == XR_OK, "%s", err.text);
    cr_assert(strncmp(out, home, strlen(home)) == 0);
    cr_assert_str_eq(out + strlen(home), "/none/of/this");
    free(out);
    out = NULL;
    cr_assert(xr_sys_resolve(&out, below, &err) == XR_ABSENT, "it would have been looked at");
    free(below);
    free(home);
    cr_assert(rmdir(path) == 0);
}
