/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/output.h"

#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A resolved path, as its directory and its last component. */
struct place {
    char *path;
    const char *name;
    int dir;
};

static enum xr_status find(struct place *out, const char *path, struct xr_error *err)
{
    enum xr_status status = xr_sys_resolve(&out->path, path, err);
    char *slash = NULL;

    out->dir = -1;
    if (status != XR_OK)
        return status;
    slash = strrchr(out->path, '/');
    if (slash == NULL || slash[1] == '\0')
        return xr_fail(err, XR_REFUSED, "%s cannot be replaced", path);
    *slash = '\0';
    out->name = slash + 1;
    out->dir = open(out->path[0] != '\0' ? out->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->dir >= 0 ? XR_OK : xr_fail_errno(err, "%s", path);
}

static void leave(struct place *place)
{
    if (place->dir >= 0)
        (void)close(place->dir);
    free(place->path);
}

static enum xr_status read_there(struct xr_buf *out, int dir, const char *name, size_t limit,
                                 struct xr_error *err)
{
    /* Not through a link that was put there after the path was resolved. */
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    enum xr_status status = XR_OK;

    if (fd < 0)
        return xr_fail_errno(err, "%s", name);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file", name);
    else
        status = xr_sys_read_fd(out, fd, limit, err);
    (void)close(fd);
    return status;
}

enum xr_status xr_sys_output_read(struct xr_buf *out, const char *path, size_t limit,
                                  struct xr_error *err)
{
    struct place place = {0};
    enum xr_status status = find(&place, path, err);

    if (status == XR_OK)
        status = read_there(out, place.dir, place.name, limit, err);
    leave(&place);
    return status;
}

static bool same_file(int dir, const char *name, struct xr_bytes data)
{
    struct xr_buf have = {0};
    bool same = read_there(&have, dir, name, data.len, NULL) == XR_OK && have.len == data.len &&
                (data.len == 0 || memcmp(have.data, data.data, data.len) == 0);

    xr_sys_wipe(&have);
    return same;
}

/* A name of its own, which no reader looks for. */
static bool temp_name(char out[sizeof(XR_TEMP_PREFIX) + 16])
{
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1];

    if (!xr_sys_random(random, sizeof(random)))
        return false;
    xr_hex(hex, random, sizeof(random));
    (void)snprintf(out, sizeof(XR_TEMP_PREFIX) + 16, "%s%s", XR_TEMP_PREFIX, hex);
    return true;
}

/* Nothing has that name yet. shown: the name for people. */
static enum xr_status write_new(int dir, const char *name, const char *shown, struct xr_bytes data,
                                struct xr_error *err)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && xr_sys_write_all(fd, data.data, data.len);

    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok ? XR_OK : xr_fail_errno(err, "cannot write %s", shown);
}

static enum xr_status replace_file(const struct place *place, const struct stat *old,
                                   struct xr_bytes data, struct xr_error *err)
{
    enum xr_status status =
        xr_sys_write_atomic(place->dir, place->name, data, old->st_mode & 0777, err);

    if (status == XR_OK && !xr_sys_sync_dir(place->dir))
        status = xr_fail_errno(err, "cannot write %s", place->name);
    return status;
}

static enum xr_status new_file(const struct place *place, struct xr_bytes data,
                               struct xr_error *err)
{
    char temp[sizeof(XR_TEMP_PREFIX) + 16];
    enum xr_status status = XR_OK;

    if (!temp_name(temp))
        return xr_fail_errno(err, "cannot get random bytes");
    status = write_new(place->dir, temp, place->name, data, err);
    if (status == XR_OK && renameat(place->dir, temp, place->dir, place->name) != 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    if (status != XR_OK)
        (void)unlinkat(place->dir, temp, 0);
    return status;
}

enum xr_status xr_sys_output_file(enum xr_output_state *out, const char *path, struct xr_bytes data,
                                  enum xr_output_how how, struct xr_error *err)
{
    struct place place = {0};
    struct stat st;
    enum xr_status status = find(&place, path, err);

    *out = XR_OUTPUT_NEW;
    if (status != XR_OK)
        goto out;
    if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *out = S_ISREG(st.st_mode) && same_file(place.dir, place.name, data) ? XR_OUTPUT_SAME
                                                                             : XR_OUTPUT_OTHER;
        if (!S_ISREG(st.st_mode))
            status = xr_fail(err, XR_REFUSED, "%s is not a regular file", path);
        else if (how >= XR_OUTPUT_PUT && *out == XR_OUTPUT_OTHER)
            status = replace_file(&place, &st, data, err);
    } else if (errno != ENOENT) {
        status = xr_fail_errno(err, "%s", path);
    } else if (how >= XR_OUTPUT_PUT) {
        status = new_file(&place, data, err);
    }
out:
    leave(&place);
    return status;
}

/* ---- directories ---- */

/* What is below a directory, two levels of it. */
struct there {
    struct xr_strings names; /* files and links, with "/" in the second level */
    struct xr_strings dirs;
};

static enum xr_status look(struct there *out, int dir, const char *below, bool deeper,
                           struct xr_error *err)
{
    struct xr_strings names = {0};
    enum xr_status status = xr_sys_names(&names, dir, err);

    for (size_t i = 0; status == XR_OK && i < names.count; i++) {
        struct stat st;
        char *path = xr_format("%s%s%s", below, below[0] ? "/" : "", names.items[i]);

        if (fstatat(dir, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            int fd = deeper ? openat(dir, names.items[i],
                                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                            : -1;

            xr_strings_add(&out->dirs, path);
            if (fd < 0)
                status = xr_fail(err, XR_REFUSED, "%s is a directory", path);
            else
                status = look(out, fd, path, false, err);
            if (fd >= 0)
                (void)close(fd);
        } else {
            xr_strings_add(&out->names, path);
        }
        free(path);
    }
    xr_strings_free(&names);
    return status;
}

static void there_free(struct there *there)
{
    xr_strings_free(&there->names);
    xr_strings_free(&there->dirs);
}

static bool same_link(int dir, const char *name, const char *target)
{
    char have[4096];
    ssize_t len = readlinkat(dir, name, have, sizeof(have));

    return len >= 0 && (size_t)len == strlen(target) && memcmp(have, target, (size_t)len) == 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void differs(struct xr_strings *out, const char *name, const char *how)
{
    char *text = xr_format("%s %s", name, how);

    xr_strings_add(out, text);
    free(text);
}

static void compare(struct xr_strings *out, int dir, struct there *there,
                    const struct xr_output_entry *entries, size_t count)
{
    const char **ours = xr_new(count + 1, sizeof(*ours));

    if (there->names.count > 1)
        qsort(there->names.items, there->names.count, sizeof(char *), by_text);
    for (size_t i = 0; i < count; i++) {
        const struct xr_output_entry *entry = &entries[i];

        ours[i] = entry->name;
        if (there->names.count == 0 || bsearch(&entry->name, there->names.items, there->names.count,
                                               sizeof(char *), by_text) == NULL)
            differs(out, entry->name, "is missing");
        else if (entry->target != NULL ? !same_link(dir, entry->name, entry->target)
                                       : !same_file(dir, entry->name, entry->content))
            differs(out, entry->name, "differs");
    }
    qsort((void *)ours, count, sizeof(*ours), by_text);
    for (size_t i = 0; i < there->names.count; i++) {
        if (count == 0 ||
            bsearch(&there->names.items[i], ours, count, sizeof(*ours), by_text) == NULL)
            differs(out, there->names.items[i], "is surplus");
    }
    free((void *)ours);
}

static enum xr_status put_entry(int dir, const struct xr_output_entry *entry, struct xr_error *err)
{
    const char *slash = strchr(entry->name, '/');

    if (slash != NULL) {
        char *below = xr_memdup(entry->name, (size_t)(slash - entry->name));
        bool made = mkdirat(dir, below, 0777) == 0 || errno == EEXIST;

        free(below);
        if (!made)
            return xr_fail_errno(err, "cannot write %s", entry->name);
    }
    if (entry->target == NULL)
        return write_new(dir, entry->name, entry->name, entry->content, err);
    return symlinkat(entry->target, dir, entry->name) == 0
               ? XR_OK
               : xr_fail_errno(err, "cannot write %s", entry->name);
}

/* Removes a directory that is ours to remove; whatever it holds that is no file or link two levels deep
 * stays, and it with it. */
static void remove_tree(int parent, const char *name)
{
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct there there = {0};

    if (dir >= 0) {
        (void)look(&there, dir, "", true, NULL);
        for (size_t i = 0; i < there.names.count; i++)
            (void)unlinkat(dir, there.names.items[i], 0);
        for (size_t i = 0; i < there.dirs.count; i++)
            (void)unlinkat(dir, there.dirs.items[i], AT_REMOVEDIR);
        (void)close(dir);
        (void)unlinkat(parent, name, AT_REMOVEDIR);
    }
    there_free(&there);
}

/* The whole new directory under a name of its own, then at its place in one step. */
static enum xr_status build(const struct place *place, bool exchange,
                            const struct xr_output_entry *entries, size_t count,
                            struct xr_error *err)
{
    char temp[sizeof(XR_TEMP_PREFIX) + 16];
    enum xr_status status = XR_OK;
    int dir = -1;

    if (!temp_name(temp) || mkdirat(place->dir, temp, 0777) != 0)
        return xr_fail_errno(err, "cannot write %s", place->name);
    dir = openat(place->dir, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    for (size_t i = 0; status == XR_OK && i < count; i++)
        status = put_entry(dir, &entries[i], err);
    if (status == XR_OK && exchange && syncfs(dir) != 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    if (dir >= 0)
        (void)close(dir);
    if (status == XR_OK &&
        renameat2(place->dir, temp, place->dir, place->name, exchange ? RENAME_EXCHANGE : 0) != 0)
        status = xr_fail_errno(err, "cannot write %s", place->name);
    if (status != XR_OK || exchange)
        remove_tree(place->dir, temp);
    return status;
}

enum xr_status xr_sys_output_directory(enum xr_output_state *out, const char *path,
                                       const struct xr_output_entry *entries, size_t count,
                                       enum xr_output_how how, struct xr_strings *differences,
                                       struct xr_error *err)
{
    struct place place = {0};
    struct there there = {0};
    int dir = -1;
    size_t before = differences->count;
    enum xr_status status = find(&place, path, err);

    *out = XR_OUTPUT_NEW;
    if (status != XR_OK)
        goto out;
    dir = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno != ENOENT) {
        status = xr_fail_errno(err, "%s", path);
        goto out;
    }
    if (dir >= 0)
        status = look(&there, dir, "", true, err);
    if (status != XR_OK)
        goto out;
    if (dir >= 0) {
        compare(differences, dir, &there, entries, count);
        *out = differences->count == before ? XR_OUTPUT_SAME : XR_OUTPUT_OTHER;
    }
    if (how == XR_OUTPUT_CHECK || *out == XR_OUTPUT_SAME)
        goto out;
    if (there.names.count + there.dirs.count > 0 && how != XR_OUTPUT_REPLACE)
        status = xr_fail(err, XR_REFUSED,
                         "the directory is not empty; --overwrite replaces all "
                         "that is in it");
    else if (how >= XR_OUTPUT_PUT)
        status = build(&place, there.names.count + there.dirs.count > 0, entries, count, err);
out:
    if (dir >= 0)
        (void)close(dir);
    there_free(&there);
    leave(&place);
    return status;
}
