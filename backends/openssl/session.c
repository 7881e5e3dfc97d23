/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a session: opens it, creates it for the first entry, reads it. */
#include "links.h"
#include "store.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAKE_STEPS (XR_LOCK_MS / 10)

int od_open_dir(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool same_inode(int fd, int parent, const char *name)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Removes what a crash left while the directory itself was being created or removed. */
static void clear_pending(struct xr_session *s)
{
    int fd = od_open_dir(s->parent, s->pending);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) { /* locked: the process that creates it is alive */
        bool cleared = false;

        (void)od_clear_temps(fd, &cleared, NULL);
        (void)unlinkat(fd, MANIFEST, 0);
        (void)unlinkat(s->parent, s->pending, AT_REMOVEDIR);
    }
    (void)close(fd);
}

static enum xr_status open_top(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (int tries = 0; tries < 100; tries++) {
        s->dir = od_open_dir(s->parent, s->name);
        if (s->dir < 0 && errno == ENOENT)
            return XR_OK;
        if (s->dir < 0 && (errno == ENOTDIR || errno == ELOOP))
            return xr_fail(err, XR_INVALID, "%s is a link or not a directory", s->name);
        if (s->dir < 0)
            return xr_fail_errno(err, "cannot open %s", s->name);
        if (!s->write)
            return XR_OK;
        status = s->host->lock(s->dir, XR_LOCK_MS, s->name, err);
        s->locked = status == XR_OK;
        /* The process that had the lock may have removed or replaced it. */
        if (s->locked && same_inode(s->dir, s->parent, s->name))
            return XR_OK;
        (void)close(s->dir);
        s->dir = -1;
        if (!s->locked)
            return status;
        s->locked = false;
    }
    return xr_fail(err, XR_BUSY, "%s keeps being replaced by another program", s->name);
}

static enum xr_status open_views(struct xr_session *s, struct xr_error *err)
{
    for (size_t i = 0; i < SHAPES; i++) {
        s->views[i].shape = &od_shapes[i];
        s->views[i].host = s->host;
        od_index_start(&s->views[i]);
        s->views[i].fd = s->dir < 0 ? -1 : od_open_dir(s->dir, od_shapes[i].dir);
        if (s->views[i].fd < 0 && s->dir >= 0 && errno != ENOENT)
            return xr_fail_errno(err, "cannot open %s/%s", s->name, od_shapes[i].dir);
    }
    return XR_OK;
}

/* With links in the directory itself and none of our places, it is what SSL_CERT_DIR names: nobody
 * who reads it would look into places that we make there. */
static enum xr_status look_for_links(struct xr_session *s, struct xr_error *err)
{
    struct xr_strings names = {0};
    struct stat st;

    if (s->dir < 0 || fstatat(s->dir, MANIFEST, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return XR_OK;
    for (size_t i = 0; i < SHAPES; i++) {
        if (s->views[i].fd >= 0)
            return XR_OK;
    }
    if (!xr_dir_names(&names, s->dir, SIZE_MAX))
        return xr_fail_errno(err, "cannot read %s", s->name);
    for (size_t i = 0; i < names.count; i++) {
        if (od_link_like(names.items[i]) && strlen(names.items[i]) < sizeof(s->hashed) &&
            (s->hashed[0] == '\0' || strcmp(names.items[i], s->hashed) < 0))
            (void)snprintf(s->hashed, sizeof(s->hashed), "%s", names.items[i]);
    }
    xr_strings_free(&names);
    return XR_OK;
}

void od_hashed_text(char *out, size_t size, const struct xr_session *s)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (strcmp(s->name, od_shapes[i].dir) == 0) {
            (void)snprintf(
                out, size,
                N_("this is a hashed directory itself (it has %s), as a store has inside: "
                   "name its parent directory"),
                s->hashed);
            return;
        }
    }
    (void)snprintf(out, size,
                   N_("this is a hashed directory itself (it has %s): move it to anchors/ below "
                      "another directory and name that, or name a new directory; the system's own "
                      "is the store ca-certificates"),
                   s->hashed);
}

void od_session_close(struct xr_session *s)
{
    for (size_t i = 0; i < SHAPES; i++)
        od_view_free(&s->views[i]);
    if (s->dir >= 0)
        (void)close(s->dir);
    if (s->parent >= 0)
        (void)close(s->parent);
    xr_strings_free(&s->gone);
    free(s->name);
    free(s->pending);
    free(s);
}

/* Opens the directory above the store. Core gave a path without links, so a link in it now may be
 * an attack. */
static int open_parent(const char *path, const char *end)
{
    char *above = xr_memdup(path, (size_t)(end - path));
    struct xr_walk w;
    bool ok = xr_walk_start(&w, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), above);

    w.up = true;
    while (ok && xr_walk_next(&w))
        ok = xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
    if (!ok)
        xr_walk_end(&w);
    free(above);
    return w.dir;
}

enum xr_status od_load(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    bool fresh = !s->views[0].loaded;

    for (size_t i = 0; status == XR_OK && i < SHAPES; i++)
        status = od_view_load(&s->views[i], err);
    if (status == XR_OK && fresh)
        od_read_manifest(s);
    return status;
}

void od_unload(struct xr_session *s)
{
    for (size_t i = 0; i < SHAPES; i++)
        od_view_unload(&s->views[i]);
}

/* Creates the complete directory under a hidden name, locks it and renames it, so that others see
 * either nothing or our directory. XR_BUSY: another program is creating it or has done so. */
static enum xr_status make_top(struct xr_session *s, struct xr_error *err)
{
    int fd = -1;
    enum xr_status status = XR_OK;

    if (!xr_mkdir_exact(s->parent, s->pending, 0755))
        return errno == EEXIST ? xr_fail(err, XR_BUSY, "another program is creating %s", s->name)
                               : xr_fail_errno(err, "cannot make %s", s->name);
    fd = od_open_dir(s->parent, s->pending);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd); /* another program takes it for a leftover and will remove it */
        return xr_fail(err, XR_BUSY, "another program is creating %s", s->name);
    }
    if (fd >= 0)
        xr_owner_give(fd, s->parent, NULL);
    if (fd < 0 || fchmod(fd, 0755) != 0 || !same_inode(fd, s->parent, s->pending)) {
        status = errno == ENOENT ? xr_fail(err, XR_BUSY, "another program is creating %s", s->name)
                                 : xr_fail_errno(err, "cannot make %s", s->name);
        (void)unlinkat(s->parent, s->pending, AT_REMOVEDIR);
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    s->dir = fd;
    s->locked = true;
    s->made_top = true;
    status = od_write_manifest(s, err);
    if (status == XR_OK &&
        renameat2(s->parent, s->pending, s->parent, s->name, RENAME_NOREPLACE) != 0)
        status = errno == EEXIST ? xr_fail(err, XR_BUSY, "another program created %s", s->name)
                                 : xr_fail_errno(err, "cannot make %s", s->name);
    if (status != XR_OK) {
        (void)unlinkat(fd, MANIFEST, 0);
        (void)unlinkat(s->parent, s->pending, AT_REMOVEDIR);
        (void)close(fd);
        s->dir = -1;
        s->made_top = s->has_manifest = s->locked = false;
        return status;
    }
    /* Now, so that what is put into it cannot be found under the hidden name after a power cut. */
    s->dirty = true;
    return fsync(s->parent) == 0 ? XR_OK : xr_fail_errno(err, "cannot make %s durable", s->name);
}

/* Creates the directory, or takes one that another program created first; then reads it again. */
enum xr_status od_ensure_top(struct xr_session *s, struct xr_error *err)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    enum xr_status status = XR_BUSY;

    for (unsigned step = 0; step < MAKE_STEPS && status == XR_BUSY && s->dir < 0; step++) {
        status = open_top(s, err);
        if (status != XR_OK || s->dir >= 0)
            break;
        status = make_top(s, err);
        if (status == XR_BUSY) {
            clear_pending(s);
            (void)nanosleep(&pause, NULL);
        }
    }
    if (status != XR_OK)
        return status;
    for (size_t i = 0; i < SHAPES; i++)
        od_view_free(&s->views[i]);
    return open_views(s, err);
}

enum xr_status od_session_open(struct xr_session **out, const struct xr_host *host,
                               const char *path, bool write, struct xr_error *err)
{
    const char *slash = strrchr(path, '/');
    struct xr_session *s = NULL;
    enum xr_status status = XR_OK;

    if (path[0] != '/' || slash[1] == '\0')
        return xr_fail(err, XR_INVALID,
                       "name an openssl store by the absolute path of its "
                       "directory");
    s = xr_new(1, sizeof(*s));
    s->host = host;
    s->parent = s->dir = -1;
    s->write = write;
    s->name = xr_strdup(slash + 1);
    s->pending = xr_format(".%s.crossroot", s->name);
    for (size_t i = 0; i < SHAPES; i++)
        s->views[i].fd = -1;
    s->parent = open_parent(path, slash);
    if (s->parent < 0)
        status = xr_fail_errno(err, "cannot open the directory of %s", path);
    if (status == XR_OK) {
        if (s->write)
            clear_pending(s);
        status = open_top(s, err);
    }
    if (status == XR_OK)
        status = open_views(s, err);
    if (status == XR_OK)
        status = look_for_links(s, err);
    if (status != XR_OK) {
        od_session_close(s);
        return status;
    }
    *out = s;
    return XR_OK;
}
