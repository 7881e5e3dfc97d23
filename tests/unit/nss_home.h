/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the test's own, and files in it; paths are relative to it. */
#ifndef XR_TEST_NSS_HOME_H
#define XR_TEST_NSS_HOME_H

#include "../../backends/nss/nss.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[4096];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void make_top(void)
{
    char dir[] = "/tmp/xr-nss-XXXXXX";

    cr_assert_not_null(mkdtemp(dir));
    cr_assert_not_null(realpath(dir, top));
    cr_assert_eq(chmod(top, 0755), 0);
    (void)alarm(100); /* what hangs shows as a signal */
}

static void remove_top(void)
{
    /* A browser's helpers may be busy dying. */
    for (unsigned i = 0; i < 50 && access(top, F_OK) == 0; i++) {
        (void)usleep(i * 2000);
        (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

/* Criterion ends a skipped test without its .fini. */
#define SKIP(why)          \
    do {                   \
        remove_top();      \
        cr_skip_test(why); \
    } while (0)

static char *at(const char *path)
{
    return xr_format("%s/%s", top, path);
}

static void make_dir(const char *path)
{
    char *full = at(path);

    for (char *c = full + strlen(top) + 1;; c++) {
        char keep = *c;

        if (keep != '/' && keep != '\0')
            continue;
        *c = '\0';
        (void)mkdir(full, 0755);
        *c = keep;
        if (keep == '\0')
            break;
    }
    free(full);
}

static void make_bytes(const char *path, const char *content, size_t len)
{
    char *full = at(path), *slash = strrchr(full, '/');
    FILE *file = NULL;

    *slash = '\0';
    make_dir(full + strlen(top) + 1);
    *slash = '/';
    file = fopen(full, "we");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(content, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
    free(full);
}

static void make_file(const char *path, const char *content)
{
    make_bytes(path, content, strlen(content));
}

static void make_link(const char *path, const char *target)
{
    char *full = at(path);

    cr_assert_eq(symlink(target, full), 0);
    free(full);
}

#endif
