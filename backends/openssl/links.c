/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include "index.h"

#include "sys/linux/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

void od_link_name(char out[LINK_NAME_MAX], const struct view *view, uint32_t hash, int index)
{
    (void)snprintf(out, LINK_NAME_MAX, "%08x.%s%d", (unsigned)hash, view->shape->infix, index);
}

bool od_link_parse(uint32_t *hash, int *index, const struct view *view, const char *name)
{
    unsigned char bytes[4];
    char hex[9];
    size_t infix = strlen(view->shape->infix);
    long value = 0;

    if (strlen(name) < 10 + infix || name[8] != '.' ||
        strncmp(name + 9, view->shape->infix, infix) != 0)
        return false;
    memcpy(hex, name, 8);
    hex[8] = '\0';
    if (!xr_unhex(bytes, 4, hex))
        return false;
    for (const char *at = name + 9 + infix; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || value > LINKS_MAX)
            return false;
        value = value * 10 + (*at - '0');
    }
    *hash =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    *index = (int)value;
    return true;
}

bool od_link_like(const char *name)
{
    const char *number = name;

    if (strspn(name, "0123456789abcdefABCDEF") != 8 || name[8] != '.')
        return false;
    number = name + 9;
    number += *number == 'r';
    return *number != '\0' && number[strspn(number, "0123456789")] == '\0';
}

/* ---- numbers ---- */

bool od_link_reached(struct view *view, uint32_t hash, int index)
{
    return index <= od_index_stop(view, hash);
}

int od_link_last(struct view *view, uint32_t hash)
{
    const struct file *file = od_index_down(view, hash, od_index_stop(view, hash));

    return file != NULL ? file->index : -1;
}

/* Would a file that is hidden behind a number be found once that is there? */
static bool exposes(struct view *view, uint32_t hash, int number)
{
    struct file *file = od_index_up(view, hash, number + 1);

    for (int at = number + 1; file != NULL; file = od_index_up(view, hash, file->index + 1)) {
        while (at < file->index && od_index_passes(view, hash, at))
            at++;
        if (at < file->index)
            return false;
        if (file->hidden)
            return true;
    }
    return false;
}

bool od_link_same(const struct view *view, const struct file *file, const char *name)
{
    char first[LINK_NAME_MAX];
    struct stat a, b;

    od_link_name(first, view, file->held.items[0].hash, file->index);
    return fstatat(view->fd, first, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(view->fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* ---- links: N without holes at any moment ---- */

static enum xr_status fail_link(struct xr_error *err, const struct view *view, const char *name)
{
    return xr_fail_errno(err, "cannot make the link %s/%s", view->shape->dir, name);
}

static void rename_itself(struct view *view, struct file *file, const char *name)
{
    if (file->itself)
        od_index_name(view, file, xr_strdup(name));
}

/* Moves the holder of one number to another by a single rename. */
static enum xr_status move_link(struct view *view, struct file *file, int to, struct xr_error *err)
{
    char from_name[LINK_NAME_MAX], to_name[LINK_NAME_MAX];

    od_link_name(from_name, view, file->held.items[0].hash, file->index);
    od_link_name(to_name, view, file->held.items[0].hash, to);
    if (renameat(view->fd, from_name, view->fd, to_name) != 0)
        return fail_link(err, view, to_name);
    rename_itself(view, file, to_name);
    od_index_number(view, file, to);
    view->dirty = true;
    return XR_OK;
}

static enum xr_status make_link(struct view *view, struct file *file, const char *name,
                                struct xr_error *err)
{
    char temp[64];

    /* rename, not symlink: the name may be taken by what moved away a moment ago. */
    (void)snprintf(temp, sizeof(temp), "%slink", XR_TEMP_PREFIX);
    (void)unlinkat(view->fd, temp, 0);
    if (symlinkat(file->name, view->fd, temp) != 0)
        return fail_link(err, view, name);
    xr_owner_give_link(view->fd, temp, NULL);
    if (renameat(view->fd, temp, view->fd, name) != 0)
        return fail_link(err, view, name);
    view->dirty = true;
    return XR_OK;
}

/* The holder of one number gets another beside it: a second name of the same link, so that an
 * interruption can be told from two links that somebody made. */
static enum xr_status double_link(struct view *view, struct file *file, int to,
                                  struct xr_error *err)
{
    char from_name[LINK_NAME_MAX], to_name[LINK_NAME_MAX];

    od_link_name(from_name, view, file->held.items[0].hash, file->index);
    od_link_name(to_name, view, file->held.items[0].hash, to);
    view->dirty = true;
    if (linkat(view->fd, from_name, view->fd, to_name, 0) != 0) {
        /* Not every file system or user may: then there is a link of its own. */
        enum xr_status status = make_link(view, file, to_name, err);

        if (status != XR_OK)
            return status;
    }
    od_index_number(view, file, to);
    return XR_OK;
}

enum xr_status od_link_check(struct view *view, uint32_t hash, int index, struct xr_error *err)
{
    int next = od_index_free_number(view, hash);

    index = index >= 0 && index < next ? index : next;
    /* The lowest free number gets taken; what is right behind it and hidden would appear. */
    if (!od_link_reached(view, hash, index) ||
        (od_link_reached(view, hash, next) && exposes(view, hash, next)))
        return xr_fail(err, XR_REFUSED,
                       "OpenSSL stops at a gap in the links %s/%08x.%s0 and up: run openssl rehash "
                       "there first",
                       view->shape->dir, (unsigned)hash, view->shape->infix);
    return XR_OK;
}

enum xr_status od_link_vacate(struct view *view, uint32_t hash, int index, struct xr_error *err)
{
    struct file *there = od_index_numbered(view, hash, index);

    return there != NULL ? move_link(view, there, od_index_free_number(view, hash), err) : XR_OK;
}

enum xr_status od_link_add(struct view *view, struct file *file, int index, struct xr_error *err)
{
    uint32_t hash = file->held.items[0].hash;
    int next = od_index_free_number(view, hash);
    char name[LINK_NAME_MAX];
    enum xr_status status = XR_OK;

    if (!view->shape->hashed || file->index >= 0)
        return XR_OK;
    if (index >= 0 && index < next) {
        struct file *there = od_index_numbered(view, hash, index);

        if (there != NULL && there->itself) {
            status = move_link(view, there, next, err);
        } else if (there != NULL) {
            /* The one who was there gets a second link first, so that it is never gone. */
            status = double_link(view, there, next, err);
        }
    } else {
        index = next;
    }
    if (status != XR_OK)
        return status;
    od_link_name(name, view, hash, index);
    status = make_link(view, file, name, err);
    if (status == XR_OK)
        od_index_number(view, file, index);
    return status;
}

enum xr_status od_link_remove(struct view *view, struct file *file, struct xr_error *err)
{
    uint32_t hash = file->held.items[0].hash;
    int last = od_link_last(view, hash);
    struct file *moving = NULL;
    char name[LINK_NAME_MAX];

    if (file->index < 0)
        return XR_OK;
    if (file->index < last && (moving = od_index_numbered(view, hash, last)) != NULL) {
        enum xr_status status = move_link(view, moving, file->index, err);

        if (status != XR_OK)
            return status;
    } else {
        od_link_name(name, view, hash, file->index);
        if (unlinkat(view->fd, name, 0) != 0 && errno != ENOENT)
            return xr_fail_errno(err, "cannot remove %s/%s", view->shape->dir, name);
    }
    od_index_number(view, file, -1);
    view->dirty = true;
    return XR_OK;
}
