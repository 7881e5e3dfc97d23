/* SPDX-License-Identifier: Apache-2.0 */
/* Windows has no links for everybody and replaces no directory in one step: neither is tried. */
#include "sys/output.h"

#include "sys/sys.h"

#include <direct.h>
#include <errno.h>
#include <io.h>
#include <stdlib.h>

#define REPLACED_MAX ((size_t)64 << 20)

static enum xr_status open_dir(int *out, const char *path, struct xr_error *err)
{
    struct xr_error why = {0};

    if (xr_sys_open_input(out, XR_HERE, path, true, &why) == XR_FILE_DIR)
        return XR_OK;
    if (*out >= 0)
        (void)_close(*out);
    *out = -1;
    return xr_fail(err, why.status != XR_OK ? why.status : XR_REFUSED, "%s",
                   why.text[0] != '\0' ? why.text : N_("not a directory"));
}

static enum xr_status read_there(struct xr_buf *out, int dir, const char *name, size_t limit,
                                 struct xr_error *err)
{
    struct xr_error why = {0};
    int fd = -1;
    enum xr_file_kind kind = xr_sys_open_input(&fd, dir, name, true, &why);
    enum xr_status status = XR_OK;

    if (kind == XR_FILE_DATA)
        status = xr_sys_read_fd(out, fd, limit, err);
    else
        status = xr_fail(err, kind == XR_FILE_NONE ? why.status : XR_REFUSED, "%s",
                         kind == XR_FILE_NONE ? why.text : N_("not a regular file"));
    if (fd >= 0)
        (void)_close(fd);
    return status;
}

/* The directory of a path, and the last component. */
static enum xr_status find(int *dir, char **whole, const char **name, const char *path,
                           struct xr_error *err)
{
    enum xr_status status = xr_sys_resolve(whole, path, err);
    char *slash = NULL;

    *dir = -1;
    if (status != XR_OK)
        return status;
    for (char *p = *whole; *p != '\0'; p++)
        slash = *p == '\\' || *p == '/' ? p : slash;
    if (slash == NULL || slash[1] == '\0')
        return xr_fail(err, XR_REFUSED, "%s cannot be replaced", path);
    *slash = '\0';
    *name = slash + 1;
    return open_dir(dir, *whole, err);
}

enum xr_status xr_sys_output_read(struct xr_buf *out, const char *path, size_t limit,
                                  struct xr_error *err)
{
    char *whole = NULL;
    const char *name = NULL;
    int dir = -1;
    enum xr_status status = find(&dir, &whole, &name, path, err);

    if (status == XR_OK)
        status = read_there(out, dir, name, limit, err);
    if (dir >= 0)
        (void)_close(dir);
    free(whole);
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

/* XR_ABSENT is what nothing has that name says; other troubles are for who writes. */
static enum xr_output_state state_of(int dir, const char *name, struct xr_bytes data)
{
    struct xr_buf have = {0};
    enum xr_status status = read_there(&have, dir, name, 0, NULL);

    xr_sys_wipe(&have);
    return status == XR_ABSENT          ? XR_OUTPUT_NEW
           : same_file(dir, name, data) ? XR_OUTPUT_SAME
                                        : XR_OUTPUT_OTHER;
}

static enum xr_status may_replace(int dir, const char *name, const char *path, bool keystore,
                                  struct xr_error *err)
{
    struct xr_buf old = {0};
    const char *kept = NULL;
    enum xr_status status = read_there(&old, dir, name, REPLACED_MAX, err);

    if (status == XR_OK)
        kept = xr_output_why_kept((struct xr_bytes){(const unsigned char *)old.data, old.len},
                                  !keystore);
    if (kept != NULL)
        status = xr_fail(err, XR_REFUSED, "%s is not replaced: %s", path, kept);
    xr_sys_wipe(&old);
    return status;
}

enum xr_status xr_sys_output_file(enum xr_output_state *out, const char *path, struct xr_bytes data,
                                  enum xr_output_how how, bool keystore, struct xr_error *err)
{
    char *whole = NULL;
    const char *name = NULL;
    int dir = -1;
    enum xr_status status = find(&dir, &whole, &name, path, err);

    *out = XR_OUTPUT_NEW;
    if (status == XR_OK)
        *out = state_of(dir, name, data);
    if (status == XR_OK && how != XR_OUTPUT_CHECK && *out == XR_OUTPUT_OTHER)
        status = may_replace(dir, name, path, keystore, err);
    if (status == XR_OK && how >= XR_OUTPUT_PUT && *out != XR_OUTPUT_SAME)
        status = xr_sys_write_atomic(dir, name, data, 0644, err);
    if (dir >= 0)
        (void)_close(dir);
    free(whole);
    return status;
}

/* ---- directories ---- */

static bool listed(const struct xr_output_entry *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(entries[i].name, "/");

        if (strlen(name) == len && memcmp(entries[i].name, name, len) == 0)
            return true;
    }
    return false;
}

static void add(struct xr_strings *out, char *text)
{
    xr_strings_add(out, text);
    free(text);
}

static void compare(struct xr_strings *out, const char *path, const struct xr_strings *names,
                    const struct xr_output_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *at = xr_format("%s/%s", path, entries[i].name);
        enum xr_output_state state = XR_OUTPUT_NEW;

        if (xr_sys_output_file(&state, at, entries[i].content, XR_OUTPUT_CHECK, false, NULL) !=
                XR_OK ||
            state == XR_OUTPUT_NEW)
            add(out, xr_format(N_("%s is missing"), entries[i].name));
        else if (state == XR_OUTPUT_OTHER)
            add(out, xr_format(N_("%s differs"), entries[i].name));
        free(at);
    }
    for (size_t i = 0; i < names->count; i++) {
        if (!listed(entries, count, names->items[i]))
            add(out, xr_format(N_("%s is surplus"), names->items[i]));
    }
}

static enum xr_status make_dir(const char *path, struct xr_error *err)
{
    return _mkdir(path) == 0 || errno == EEXIST ? XR_OK : xr_fail_errno(err, "%s", path);
}

static enum xr_status put_entry(const char *path, const struct xr_output_entry *entry,
                                struct xr_error *err)
{
    const char *slash = strchr(entry->name, '/');
    char *at = xr_format("%s/%s", path, entry->name);
    enum xr_output_state state = XR_OUTPUT_NEW;
    enum xr_status status = XR_OK;

    if (slash != NULL) {
        char *below = xr_format("%s/%.*s", path, (int)(slash - entry->name), entry->name);

        status = make_dir(below, err);
        free(below);
    }
    if (status == XR_OK)
        status = xr_sys_output_file(&state, at, entry->content, XR_OUTPUT_PUT, false, err);
    free(at);
    return status;
}

enum xr_status xr_sys_output_directory(enum xr_output_state *out, const char *path,
                                       const struct xr_output_entry *entries, size_t count,
                                       enum xr_output_how how, struct xr_strings *differences,
                                       struct xr_error *err)
{
    struct xr_strings names = {0};
    size_t before = differences->count;
    enum xr_status status = XR_OK;
    int dir = -1;

    *out = XR_OUTPUT_NEW;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].target != NULL)
            return xr_fail(err, XR_UNSUPPORTED, "links are not made on Windows");
    }
    if (open_dir(&dir, path, NULL) == XR_OK) {
        status = xr_sys_names(&names, dir, err);
        (void)_close(dir);
        compare(differences, path, &names, entries, count);
        *out = differences->count == before ? XR_OUTPUT_SAME : XR_OUTPUT_OTHER;
    }
    if (status == XR_OK && how != XR_OUTPUT_CHECK && *out != XR_OUTPUT_SAME) {
        if (names.count > 0)
            status = xr_fail(err, XR_REFUSED, "the directory is not empty");
        else if (how >= XR_OUTPUT_PUT)
            status = make_dir(path, err);
        for (size_t i = 0; status == XR_OK && how >= XR_OUTPUT_PUT && i < count; i++)
            status = put_entry(path, &entries[i], err);
    }
    xr_strings_free(&names);
    return status;
}
