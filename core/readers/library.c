/* SPDX-License-Identifier: Apache-2.0 */
/* Which shared libraries a program loads, and what is written in a file: its loader and the program
 * itself are not asked, for that would run it. */
#include "readers.h"

#include "sys/tree.h"

#include <stdlib.h>

#define FILE_MAX  ((size_t)256 << 20)
#define DEPTH_MAX 4u

/* Where loaders look. Only one of the machine's own kind is there, or several that all are as good. */
static const char *const places[] = {
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib/i386-linux-gnu",
    "/usr/lib/loongarch64-linux-gnu",
    "/usr/lib/mips64el-linux-gnuabi64",
    "/usr/lib/powerpc64le-linux-gnu",
    "/usr/lib/riscv64-linux-gnu",
    "/usr/lib/s390x-linux-gnu",
};

static char *try_place(const struct xr_readers_at *at, const char *dir, size_t len,
                       const char *name)
{
    char *path = xr_format("%.*s/%s", (int)len, dir, name);
    struct xr_tree_file file = {0};
    char *real = NULL;

    if (xr_tree_file(&file, at->root, path, NULL) == XR_OK)
        real = xr_strdup(file.real);
    xr_tree_file_free(&file);
    free(path);
    return real;
}

/* A RUNPATH is a list of directories; $ORIGIN is that of the file itself. */
static char *in_runpath(const struct xr_readers_at *at, const char *runpath, const char *file,
                        const char *name)
{
    const char *slash = strrchr(file, '/');
    size_t origin = slash != NULL ? (size_t)(slash - file) : 0;
    char *real = NULL;

    for (const char *dir = runpath; real == NULL && *dir != '\0'; dir += *dir == ':') {
        size_t len = strcspn(dir, ":");

        if (len >= strlen("$ORIGIN") && strncmp(dir, "$ORIGIN", strlen("$ORIGIN")) == 0) {
            char *whole = xr_format("%.*s%.*s", (int)origin, file, (int)(len - strlen("$ORIGIN")),
                                    dir + strlen("$ORIGIN"));

            real = try_place(at, whole, strlen(whole), name);
            free(whole);
        } else if (dir[0] == '/') {
            real = try_place(at, dir, len, name);
        }
        dir += len;
    }
    return real;
}

static char *locate(const struct xr_readers_at *at, const struct xr_elf *elf, const char *file,
                    const char *name)
{
    char *real = NULL;

    for (size_t i = 0; real == NULL && i < elf->runpath.count; i++)
        real = in_runpath(at, elf->runpath.items[i], file, name);
    for (size_t i = 0; real == NULL && i < sizeof(places) / sizeof(places[0]); i++)
        real = try_place(at, places[i], strlen(places[i]), name);
    return real;
}

static char *find(const struct xr_readers_at *at, const char *file, const char *prefix,
                  unsigned depth)
{
    struct xr_buf bytes = {0};
    struct xr_elf elf = {0};
    char *found = NULL;

    if (xr_tree_read(&bytes, at->root, file, FILE_MAX, NULL) != XR_OK ||
        !xr_elf_read(&elf, (struct xr_bytes){(const unsigned char *)bytes.data, bytes.len}))
        goto out;
    for (size_t i = 0; found == NULL && i < elf.needed.count; i++) {
        if (strncmp(elf.needed.items[i], prefix, strlen(prefix)) == 0)
            found = locate(at, &elf, file, elf.needed.items[i]);
    }
    /* What only the C library or a library for threads needs is no TLS. */
    for (size_t i = 0; found == NULL && depth < DEPTH_MAX && i < elf.needed.count; i++) {
        static const char *const between[] = {"libcurl", "libssl", "libssh",  "libpython",
                                              "libruby", "libphp", "libgit2", "libnode"};
        char *next = NULL;

        for (size_t k = 0; next == NULL && k < sizeof(between) / sizeof(between[0]); k++) {
            if (strncmp(elf.needed.items[i], between[k], strlen(between[k])) == 0)
                next = locate(at, &elf, file, elf.needed.items[i]);
        }
        if (next != NULL)
            found = find(at, next, prefix, depth + 1);
        free(next);
    }
out:
    xr_elf_free(&elf);
    xr_buf_free(&bytes);
    return found;
}

char *xr_readers_library(const struct xr_readers_at *at, const char *file, const char *prefix)
{
    return find(at, file, prefix, 0);
}

bool xr_readers_mentions(const struct xr_readers_at *at, const char *file, const char *text)
{
    struct xr_buf bytes = {0};
    /* With the byte that ends it, or the beginning of a longer path would do. */
    bool found = xr_tree_read(&bytes, at->root, file, FILE_MAX, NULL) == XR_OK && bytes.len > 0 &&
                 xr_memmem(bytes.data, bytes.len, text, strlen(text) + 1) != NULL;

    xr_buf_free(&bytes);
    return found;
}

char *xr_readers_after(const struct xr_readers_at *at, const char *file, const char *mark,
                       const char *end)
{
    struct xr_buf bytes = {0};
    const char *here = NULL, *stop = NULL;
    char *text = NULL;

    if (xr_tree_read(&bytes, at->root, file, FILE_MAX, NULL) == XR_OK && bytes.len > 0)
        here = xr_memmem(bytes.data, bytes.len, mark, strlen(mark));
    if (here != NULL) {
        here += strlen(mark);
        stop = here;
        while (stop < bytes.data + bytes.len && stop - here < 4096 && *stop != '\0' &&
               strchr(end, *stop) == NULL)
            stop++;
        text = xr_format("%.*s", (int)(stop - here), here);
    }
    xr_buf_free(&bytes);
    return text;
}

const char *xr_readers_variable(const struct xr_readers_at *at, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < at->environment.count; i++) {
        const char *item = at->environment.items[i];

        if (strncmp(item, name, len) == 0 && item[len] == '=')
            return item[len + 1] != '\0' ? item + len + 1 : NULL;
    }
    return NULL;
}
