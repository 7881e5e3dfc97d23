/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to outputs, which are collected first and then made together: contents are written to
 * hidden files in the same directories, synced together, and renamed, so that a reader finds the
 * old or the new version of each and never half of one. Correct files are not touched.
 */
#include "../sources/sources.h"

#include "sys/linux/owner.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* From here on one syncfs costs less than the many fsyncs. */
#define SYNCFS_FROM 8u

static char *dir_of(const char *path)
{
    const char *name = ca_name(path);

    return xr_memdup(path, name == path ? 0 : (size_t)(name - path) - 1);
}

static struct ca_edit *push(struct ca_edits *edits, const char *dir, const char *name)
{
    struct ca_edit *edit = XR_PUSH(edits);

    edit->dir = xr_strdup(dir);
    edit->name = xr_strdup(name);
    return edit;
}

/* A link never counts as a file with that content, whatever it leads to. */
static bool is_file(const struct xr_session *s, const char *path, struct xr_bytes content,
                    unsigned mode)
{
    struct stat st;

    return ca_stat(&st, s, path, false) && S_ISREG(st.st_mode) &&
           (st.st_mode & mode & 0444) == (mode & 0444) && (size_t)st.st_size == content.len &&
           ca_has(NULL, s, path, content);
}

void ca_want_lent(struct ca_edits *edits, const struct xr_session *s, const char *path,
                  struct xr_bytes content, unsigned mode)
{
    char *dir = NULL;
    struct ca_edit *edit = NULL;

    if (is_file(s, path, content, mode))
        return;
    dir = dir_of(path);
    edit = push(edits, dir, ca_name(path));
    edit->text = content;
    edit->mode = mode;
    free(dir);
}

void ca_want_file(struct ca_edits *edits, const struct xr_session *s, const char *path,
                  struct xr_buf *content, unsigned mode)
{
    size_t before = edits->count;

    ca_want_lent(edits, s, path,
                 (struct xr_bytes){(const unsigned char *)content->data, content->len}, mode);
    if (edits->count > before) /* takes it over */
        edits->items[before].content = *content;
    else
        xr_buf_free(content);
    *content = (struct xr_buf){0};
}

void ca_want_link(struct ca_edits *edits, const char *dir, const char *name, const char *target)
{
    push(edits, dir, name)->target = xr_strdup(target);
}

void ca_want_gone(struct ca_edits *edits, const char *dir, const char *name)
{
    push(edits, dir, name)->removes = true;
}

void ca_edits_free(struct ca_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        free(edits->items[i].dir);
        free(edits->items[i].name);
        free(edits->items[i].target);
        free(edits->items[i].temp);
        xr_buf_free(&edits->items[i].content);
    }
    free(edits->items);
    *edits = (struct ca_edits){0};
}

/* ---- making them ---- */

struct place {
    char *dir;
    int fd;
    bool opened; /* for writing, by its owner: p11-kit leaves directories 0555 */
    mode_t mode;
};

struct making {
    const struct xr_session *s;
    struct {
        struct place *items;
        size_t count, capacity;
    } places;
};

static int place_of(struct making *m, const char *dir, struct xr_error *err)
{
    struct place *place = NULL;
    struct stat st;
    int fd = -1;

    /* Edits come directory by directory. */
    for (size_t i = m->places.count; i-- > 0;) {
        if (strcmp(m->places.items[i].dir, dir) == 0)
            return m->places.items[i].fd;
    }
    if (ca_make_dirs(m->s, dir, 0755, err) != XR_OK)
        return -1;
    fd = ca_open(m->s, dir, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        (void)xr_fail_errno(err, "cannot open /%s", dir);
        return -1;
    }
    place = XR_PUSH(&m->places);
    place->dir = xr_strdup(dir);
    place->fd = fd;
    if (faccessat(fd, ".", W_OK, AT_EACCESS) != 0 && fstat(fd, &st) == 0 &&
        st.st_uid == geteuid() && fchmod(fd, (st.st_mode & 07777) | 0200) == 0) {
        place->opened = true;
        place->mode = st.st_mode & 07777;
    }
    return fd;
}

static enum xr_status write_temp(int dir, struct ca_edit *edit, size_t number, bool sync,
                                 struct xr_error *err)
{
    int fd = -1;
    bool ok = false;

    edit->temp = xr_format("%s%ld.%zu", XR_TEMP_PREFIX, (long)getpid(), number);
    if (edit->target != NULL) {
        if (symlinkat(edit->target, dir, edit->temp) != 0)
            return xr_fail_errno(err, "cannot make the link /%s/%s", edit->dir, edit->name);
        xr_owner_give_link(dir, edit->temp, edit->name);
        return XR_OK;
    }
    fd = openat(dir, edit->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        xr_owner_give(fd, dir, edit->name);
    ok = fd >= 0 && xr_sys_write_all(fd, edit->text.data, edit->text.len) &&
         fchmod(fd, edit->mode) == 0 && (!sync || fsync(fd) == 0);
    if (!ok)
        (void)xr_fail_errno(err, "cannot write /%s/%s", edit->dir, edit->name);
    if (fd >= 0)
        (void)close(fd);
    return ok ? XR_OK : XR_FAILED;
}

/* Writes contents, and links that replace something. A link with a free name is made directly. */
static enum xr_status prepare(struct making *m, struct ca_edits *edits, struct xr_error *err)
{
    size_t files = 0;
    int some = -1;

    for (size_t i = 0; i < edits->count; i++)
        files += !edits->items[i].removes && edits->items[i].target == NULL;
    for (size_t i = 0; i < edits->count; i++) {
        struct ca_edit *edit = &edits->items[i];
        int dir = place_of(m, edit->dir, err);
        struct stat st;

        if (dir < 0)
            return XR_FAILED;
        if (edit->removes ||
            (edit->target != NULL && fstatat(dir, edit->name, &st, AT_SYMLINK_NOFOLLOW) != 0))
            continue;
        if (write_temp(dir, edit, i, files < SYNCFS_FROM, err) != XR_OK)
            return XR_FAILED;
        some = edit->target == NULL ? dir : some;
    }
    if (files >= SYNCFS_FROM && some >= 0 && syncfs(some) != 0)
        return xr_fail_errno(err, "cannot make the outputs in /%s durable", m->places.items[0].dir);
    return XR_OK;
}

/* The old file gets the temporary name, so that it can be put back. */
static bool replace(int dir, struct ca_edit *edit)
{
    char *old = NULL;
    bool ok = false;

    if (renameat2(dir, edit->temp, dir, edit->name, RENAME_EXCHANGE) == 0) {
        edit->made = CA_REPLACED;
        return true;
    }
    if (errno == ENOENT) {
        ok = renameat(dir, edit->temp, dir, edit->name) == 0;
        edit->made = ok ? CA_NEW : CA_NOT_MADE;
        return ok;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    /* This file system cannot exchange two names. */
    old = xr_format("%s.old", edit->temp);
    ok = linkat(dir, edit->name, dir, old, 0) == 0 &&
         renameat(dir, edit->temp, dir, edit->name) == 0;
    if (ok) {
        edit->made = CA_REPLACED;
        free(edit->temp);
        edit->temp = old;
        old = NULL;
    }
    free(old);
    return ok;
}

/* update-ca-certificates takes no lock, and may make the same link at the same time. */
static bool is_made(int dir, const struct ca_edit *edit)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(dir, edit->name, target, sizeof(target));

    return len >= 0 && (size_t)len == strlen(edit->target) &&
           memcmp(target, edit->target, (size_t)len) == 0;
}

static bool put(int dir, struct ca_edit *edit)
{
    bool ok = false;

    if (edit->temp != NULL)
        return replace(dir, edit);
    if (edit->removes) {
        edit->temp = xr_format("%s%ld.gone.%s", XR_TEMP_PREFIX, (long)getpid(), edit->name);
        ok = renameat(dir, edit->name, dir, edit->temp) == 0;
        edit->made = ok ? CA_REPLACED : CA_NOT_MADE;
        return ok || errno == ENOENT;
    }
    ok = symlinkat(edit->target, dir, edit->name) == 0;
    if (ok)
        xr_owner_give_link(dir, edit->name, NULL);
    edit->made = ok ? CA_NEW : CA_NOT_MADE;
    if (!ok && errno == EEXIST) {
        ok = is_made(dir, edit); /* and is not ours to take back */
        errno = EEXIST;
    }
    return ok;
}

/* The at-th edit to be made. New names come first, so that a reader never finds neither the old nor the
 * new one. What leads to another name comes after it in edits: made after it, and removed before it, or
 * it would dangle, and OpenSSL not look at the next number. */
static struct ca_edit *in_order(struct ca_edits *edits, size_t at)
{
    return &edits->items[at < edits->count ? at : 2 * edits->count - 1 - at];
}

static bool its_turn(const struct ca_edits *edits, const struct ca_edit *edit, size_t at)
{
    return edit->removes == (at >= edits->count);
}

static enum xr_status put_in_place(struct making *m, struct ca_edits *edits, struct xr_error *err)
{
    for (size_t at = 0; at < 2 * edits->count; at++) {
        struct ca_edit *edit = in_order(edits, at);

        if (its_turn(edits, edit, at) && !put(place_of(m, edit->dir, err), edit))
            return xr_fail_errno(
                err, edit->removes ? N_("cannot remove /%s/%s") : N_("cannot put /%s/%s in place"),
                edit->dir, edit->name);
    }
    return XR_OK;
}

/* Every output is again what it was. What cannot be put back is added to err. */
static void take_back(struct making *m, struct ca_edits *edits, struct xr_error *err)
{
    for (size_t at = 2 * edits->count; at-- > 0;) {
        struct ca_edit *edit = in_order(edits, at);
        int dir = -1;
        bool ok = true;

        if (!its_turn(edits, edit, at))
            continue;
        dir = place_of(m, edit->dir, NULL);
        if (edit->made == CA_NEW)
            ok = unlinkat(dir, edit->name, 0) == 0;
        else if (edit->made == CA_REPLACED)
            ok = renameat(dir, edit->temp, dir, edit->name) == 0;
        if (!ok && err != NULL) {
            int why = errno;
            char *before = xr_strdup(err->text);

            (void)snprintf(err->text, sizeof(err->text),
                           N_("%s; and /%s/%s cannot be put back: %s"), before, edit->dir,
                           edit->name, strerror(why));
            free(before);
        }
        if (edit->made == CA_REPLACED) {
            free(edit->temp);
            edit->temp = NULL;
        }
        edit->made = CA_NOT_MADE;
    }
}

static enum xr_status sync_places(const struct making *m, struct xr_error *err)
{
    for (size_t i = 0; i < m->places.count; i++) {
        if (fsync(m->places.items[i].fd) != 0)
            return xr_fail_errno(err, "cannot make /%s durable", m->places.items[i].dir);
    }
    return XR_OK;
}

enum xr_status ca_make(struct ca_edits *edits, const struct xr_session *s, struct xr_error *err)
{
    struct making m = {.s = s};
    enum xr_status status = prepare(&m, edits, err);

    if (status == XR_OK)
        status = put_in_place(&m, edits, err);
    if (status == XR_OK)
        status = sync_places(&m, err);
    if (status != XR_OK)
        take_back(&m, edits, err);
    for (size_t i = 0; i < edits->count; i++) {
        const struct ca_edit *edit = &edits->items[i];

        if (edit->temp != NULL && unlinkat(place_of(&m, edit->dir, NULL), edit->temp, 0) != 0 &&
            status == XR_OK && errno != ENOENT)
            status = xr_fail(err, XR_WARNED, "cannot remove /%s/%s: %s", edit->dir, edit->temp,
                             strerror(errno));
    }
    for (size_t i = 0; i < m.places.count; i++) {
        if (m.places.items[i].opened)
            (void)fchmod(m.places.items[i].fd, m.places.items[i].mode);
        (void)close(m.places.items[i].fd);
        free(m.places.items[i].dir);
    }
    free(m.places.items);
    return status;
}
