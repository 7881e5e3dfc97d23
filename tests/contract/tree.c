/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "certs/x509.h"
#include "kit/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(bool ok, const char *what, const char *path)
{
    if (ok)
        return;
    (void)fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    abort();
}

char *tree_path(const char *dir, const char *name)
{
    return xr_format("%s/%s", dir, name);
}

char *tree_new(const char *name)
{
    const char *base = getenv("TMPDIR");
    char *pattern = xr_format("%s/xr-%s.XXXXXX", base ? base : "/tmp", name);
    char *real = NULL;

    need(mkdtemp(pattern) != NULL, "mkdtemp", pattern);
    need(chmod(pattern, 0755) == 0, "chmod", pattern);
    real = realpath(pattern, NULL);
    need(real != NULL, "realpath", pattern);
    free(pattern);
    return real;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_D || type == FTW_DNR)
        (void)chmod(path, (st->st_mode & 07777) | 0700);
    return 0;
}

void tree_remove(const char *path)
{
    (void)nftw(path, open_up, 16, FTW_PHYS);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_in(struct xr_strings *names, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;

    need(dir != NULL, "opendir", path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            xr_strings_add(names, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(*names->items), by_text);
}

static void image_of(struct xr_buf *out, const char *path, const char *shown, bool times)
{
    struct xr_strings names = {0};

    names_in(&names, path);
    for (size_t i = 0; i < names.count; i++) {
        char *full = tree_path(path, names.items[i]);
        char *below = xr_format("%s%s%s", shown, shown[0] ? "/" : "", names.items[i]);
        struct stat st;

        need(lstat(full, &st) == 0, "lstat", full);
        xr_buf_fmt(out, "%c %04o ",
                   S_ISDIR(st.st_mode)   ? 'd'
                   : S_ISLNK(st.st_mode) ? 'l'
                   : S_ISREG(st.st_mode) ? 'f'
                                         : '?',
                   (unsigned)(st.st_mode & 07777));
        xr_buf_visible(out, below, strlen(below));
        if (S_ISLNK(st.st_mode)) {
            char target[4096];
            ssize_t len = readlink(full, target, sizeof(target));

            need(len >= 0, "readlink", full);
            xr_buf_str(out, " -> ");
            xr_buf_visible(out, target, (size_t)len);
        } else if (S_ISREG(st.st_mode)) {
            size_t len = 0;
            char *data = tree_read(&len, path, names.items[i]);
            unsigned char sum[XR_SHA256_LEN];
            char hex[2 * XR_SHA256_LEN + 1];

            xr_x509_sha256(sum, (struct xr_bytes){(unsigned char *)data, len});
            xr_hex(hex, sum, 8);
            xr_buf_fmt(out, " %zu %s", len, hex);
            free(data);
        }
        if (times)
            xr_buf_fmt(out, " %llu %lld.%09ld", (unsigned long long)st.st_ino,
                       (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
        xr_buf_str(out, "\n");
        if (S_ISDIR(st.st_mode))
            image_of(out, full, below, times);
        free(below);
        free(full);
    }
    xr_strings_free(&names);
}

char *tree_image(const char *path, bool times)
{
    struct xr_buf out = {0};

    xr_buf_str(&out, "");
    image_of(&out, path, "", times);
    return out.data != NULL ? out.data : xr_strdup("");
}

void tree_dir(const char *dir, const char *name)
{
    char *path = tree_path(dir, name);

    need(mkdir(path, 0755) == 0, "mkdir", path);
    need(chmod(path, 0755) == 0, "chmod", path);
    free(path);
}

void tree_dirs(const char *dir, const char *path)
{
    for (size_t end = 1; end <= strlen(path); end++) {
        char *part = NULL;

        if (path[end] != '/' && path[end] != '\0')
            continue;
        part = xr_memdup(path, end);
        if (!tree_has(dir, part))
            tree_dir(dir, part);
        free(part);
    }
}

void tree_write(const char *dir, const char *name, const void *data, size_t len, unsigned mode)
{
    char *path = tree_path(dir, name);
    FILE *file = fopen(path, "wb");

    need(file != NULL, "fopen", path);
    need(len == 0 || fwrite(data, len, 1, file) == 1, "fwrite", path);
    need(fclose(file) == 0, "fclose", path);
    need(chmod(path, (mode_t)mode) == 0, "chmod", path);
    free(path);
}

void tree_text(const char *dir, const char *name, const char *text)
{
    tree_write(dir, name, text, strlen(text), 0644);
}

void tree_link(const char *dir, const char *name, const char *target)
{
    char *path = tree_path(dir, name);

    need(symlink(target, path) == 0, "symlink", path);
    free(path);
}

void tree_unlink(const char *dir, const char *name)
{
    char *path = tree_path(dir, name);

    need(unlink(path) == 0, "unlink", path);
    free(path);
}

bool tree_has(const char *dir, const char *name)
{
    char *path = tree_path(dir, name);
    struct stat st;
    bool has = lstat(path, &st) == 0;

    free(path);
    return has;
}

char *tree_read(size_t *len, const char *dir, const char *name)
{
    char *path = tree_path(dir, name);
    FILE *file = fopen(path, "rb");
    struct xr_buf buf = {0};
    char block[4096];
    size_t got = 0;

    need(file != NULL, "fopen", path);
    xr_buf_str(&buf, "");
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        xr_buf_add(&buf, block, got);
    (void)fclose(file);
    free(path);
    if (len != NULL)
        *len = buf.len;
    return buf.data != NULL ? buf.data : xr_strdup("");
}

void tree_copy(const char *to, const char *from)
{
    struct xr_strings names = {0};
    struct stat st;

    need(lstat(from, &st) == 0, "lstat", from);
    need(mkdir(to, 0700) == 0, "mkdir", to);
    names_in(&names, from);
    for (size_t i = 0; i < names.count; i++) {
        char *source = tree_path(from, names.items[i]);
        char *target = tree_path(to, names.items[i]);
        struct stat inner;

        need(lstat(source, &inner) == 0, "lstat", source);
        if (S_ISDIR(inner.st_mode)) {
            tree_copy(target, source);
        } else if (S_ISLNK(inner.st_mode)) {
            char where[4096] = "";

            need(readlink(source, where, sizeof(where) - 1) >= 0, "readlink", source);
            tree_link(to, names.items[i], where);
        } else {
            size_t len = 0;
            char *data = tree_read(&len, from, names.items[i]);

            tree_write(to, names.items[i], data, len, (unsigned)(inner.st_mode & 07777));
            free(data);
        }
        free(source);
        free(target);
    }
    need(chmod(to, st.st_mode & 07777) == 0, "chmod", to);
    xr_strings_free(&names);
}
