/* SPDX-License-Identifier: Apache-2.0 */
/* Where a hive is, and whether it can be written. Images may be hostile: no link is followed. */
#include "hive.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static const char config[] = "Windows/System32/config";

/* Finds a name as the directory spells it: upper and lower case are the same for Windows, but maybe
 * not for the file system. */
static char *spelt(int dir, const char *name)
{
    struct xr_strings names = {0};
    const char *found = name;
    char *out = NULL;

    (void)xr_dir_names(&names, dir, SIZE_MAX);
    for (size_t i = names.count; i-- > 0;) {
        if (strcasecmp(names.items[i], name) == 0)
            found = names.items[i];
    }
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.items[i], name) == 0)
            found = name;
    }
    out = xr_strdup(found);
    xr_strings_free(&names);
    return out;
}

/* Opens component by component and follows no link. */
static int open_dir(int base, const char *path, bool fold)
{
    const char *from = path[0] == '/' ? "/" : ".";
    struct xr_walk w;
    bool ok = xr_walk_start(&w, openat(base, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);

    w.up = path[0] == '/';
    while (ok && xr_walk_next(&w)) {
        if (fold) {
            char *name = spelt(w.dir, w.name);

            (void)snprintf(w.name, sizeof(w.name), "%s", name);
            free(name);
        }
        ok = xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
    }
    if (!ok)
        xr_walk_end(&w);
    return w.dir;
}

enum xr_status hive_find_in(struct hive_place *out, const char *root, struct xr_error *err)
{
    *out = (struct hive_place){.root = -1, .dir = -1};
    out->root = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    out->dir = out->root >= 0 ? open_dir(out->root, config, true) : -1;
    out->name = out->dir >= 0 ? spelt(out->dir, "SOFTWARE") : NULL;
    out->path = xr_format("/%s/%s", config, out->name != NULL ? out->name : "SOFTWARE");
    return out->dir >= 0 ? XR_OK : xr_fail_errno(err, "cannot open %s in the image", config);
}

enum xr_status hive_find_at(struct hive_place *out, const char *path, struct xr_error *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = NULL;

    *out = (struct hive_place){.root = -1, .dir = -1};
    if (path[0] != '/' || slash[1] == '\0')
        return xr_fail(err, XR_REFUSED, "name a hive by its full path");
    dir = xr_memdup(path, (size_t)(slash - path) + 1);
    out->dir = open_dir(AT_FDCWD, dir, false);
    out->name = xr_strdup(slash + 1);
    out->path = xr_strdup(path);
    free(dir);
    return out->dir >= 0 ? XR_OK
                         : xr_fail_errno(err, "cannot open its directory without following links");
}

void hive_place_free(struct hive_place *place)
{
    if (place->dir >= 0)
        (void)close(place->dir);
    if (place->root >= 0)
        (void)close(place->root);
    free(place->name);
    free(place->path);
    *place = (struct hive_place){.root = -1, .dir = -1};
}

/* A Windows that hibernated, also by fast startup, has registry changes in its memory image. */
static bool hibernated(const struct hive_place *place)
{
    char *name = place->root >= 0 ? spelt(place->root, "hiberfil.sys") : NULL;
    int fd = name != NULL
                 ? openat(place->root, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
                 : -1;
    char head[4] = "";
    bool yes = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
               strncasecmp(head, "hibr", sizeof(head)) == 0;

    if (fd >= 0)
        (void)close(fd);
    free(name);
    return yes;
}

void hive_describe(struct xr_caps *caps, const struct hive_place *place)
{
    const char *fixed = NULL;

    caps->writable = faccessat(place->dir, ".", W_OK, AT_EACCESS) == 0;
    if (!caps->writable) {
        caps->needs_privilege = errno == EACCES && geteuid() != 0;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", strerror(errno));
    } else if (place->name != NULL && (fixed = xr_why_fixed(place->dir, place->name)) != NULL) {
        caps->writable = false;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%.120s: %s", place->name, fixed);
    } else if (hibernated(place)) {
        caps->writable = false;
        (void)snprintf(caps->why_not, sizeof(caps->why_not),
                       N_("this Windows is hibernated (fast startup): start it and shut it down "
                          "with shutdown /s /t 0"));
    }
}

void hive_identify(char identity[96], const struct hive_place *place)
{
    size_t used = strlen(identity);
    struct stat st;

    if (fstat(place->dir, &st) == 0)
        (void)snprintf(identity + used, 96 - used, "%llu:%llu", (unsigned long long)st.st_dev,
                       (unsigned long long)st.st_ino);
}

bool hive_has_dir(const struct hive_place *place, const char *path)
{
    int fd = place->root >= 0 ? open_dir(place->root, path, true) : -1;

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}
