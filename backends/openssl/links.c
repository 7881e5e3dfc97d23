/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

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

static struct file *at_number(const struct view *view, uint32_t hash, int index)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->items[i]->index == index && view->items[i]->held.items[0].hash == hash)
            return view->items[i];
    }
    return NULL;
}

static bool taken(const struct view *view, uint32_t hash, int index)
{
    for (size_t i = 0; i < view->foreign.count; i++) {
        if (view->foreign.items[i].hash == hash && view->foreign.items[i].index == index)
            return true;
    }
    return at_number(view, hash, index) != NULL;
}

/* The lowest number free under a hash: OpenSSL stops at the first that is missing. */
static int next_free(const struct view *view, uint32_t hash)
{
    int next = 0;

    while (taken(view, hash, next))
        next++;
    return next;
}

/* Does OpenSSL, counting up from one number, get to another? */
static bool joined(const struct view *view, uint32_t hash, int from, int index)
{
    for (int i = from; i < index; i++) {
        const struct file *file = at_number(view, hash, i);
        bool there = file != NULL && !file->broken;

        for (size_t k = 0; !there && k < view->foreign.count; k++) {
            const struct hash_link *link = &view->foreign.items[k];

            there = link->hash == hash && link->index == i && !link->blocks;
        }
        if (!there)
            return false;
    }
    return true;
}

bool od_link_reached(const struct view *view, uint32_t hash, int index)
{
    return joined(view, hash, 0, index);
}

int od_link_last(const struct view *view, uint32_t hash)
{
    int last = -1;

    for (size_t i = 0; i < view->count; i++) {
        const struct file *file = view->items[i];

        if (file->index > last && file->held.items[0].hash == hash &&
            od_link_reached(view, hash, file->index))
            last = file->index;
    }
    return last;
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

static void rename_itself(struct file *file, const char *name)
{
    if (file->itself) {
        free(file->name);
        file->name = xr_strdup(name);
    }
}

/* Moves the holder of one number to another by a single rename. */
static enum xr_status move_link(struct view *view, struct file *file, int to, struct xr_error *err)
{
    char from_name[LINK_NAME_MAX], to_name[LINK_NAME_MAX];

    od_link_name(from_name, view, file->held.items[0].hash, file->index);
    od_link_name(to_name, view, file->held.items[0].hash, to);
    if (renameat(view->fd, from_name, view->fd, to_name) != 0)
        return fail_link(err, view, to_name);
    rename_itself(file, to_name);
    file->index = to;
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
    file->index = to;
    return XR_OK;
}

enum xr_status od_link_check(const struct view *view, uint32_t hash, int index,
                             struct xr_error *err)
{
    bool exposes = false;
    int next = next_free(view, hash);

    index = index >= 0 && index < next ? index : next;
    /* The lowest free number gets taken; what is right behind it and hidden would appear. */
    for (size_t i = 0; i < view->count && !exposes; i++) {
        const struct file *file = view->items[i];

        exposes = file->hidden && file->held.items[0].hash == hash && file->index > next &&
                  od_link_reached(view, hash, next) && joined(view, hash, next + 1, file->index);
    }
    if (exposes || !od_link_reached(view, hash, index))
        return xr_fail(err, XR_REFUSED,
                       "OpenSSL stops at a gap in the links %s/%08x.%s0 and up: run openssl rehash "
                       "there first",
                       view->shape->dir, (unsigned)hash, view->shape->infix);
    return XR_OK;
}

enum xr_status od_link_vacate(struct view *view, uint32_t hash, int index, struct xr_error *err)
{
    struct file *there = at_number(view, hash, index);

    return there != NULL ? move_link(view, there, next_free(view, hash), err) : XR_OK;
}

enum xr_status od_link_add(struct view *view, struct file *file, int index, struct xr_error *err)
{
    uint32_t hash = file->held.items[0].hash;
    int next = next_free(view, hash);
    char name[LINK_NAME_MAX];
    enum xr_status status = XR_OK;

    if (!view->shape->hashed || file->index >= 0)
        return XR_OK;
    if (index >= 0 && index < next) {
        struct file *there = at_number(view, hash, index);

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
        file->index = index;
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
    if (file->index < last && (moving = at_number(view, hash, last)) != NULL) {
        enum xr_status status = move_link(view, moving, file->index, err);

        if (status != XR_OK)
            return status;
    } else {
        od_link_name(name, view, hash, file->index);
        if (unlinkat(view->fd, name, 0) != 0 && errno != ENOENT)
            return xr_fail_errno(err, "cannot remove %s/%s", view->shape->dir, name);
    }
    file->index = -1;
    view->dirty = true;
    return XR_OK;
}
