/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "sys/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define LINKS_MAX 40
/* O_PATH: nothing is opened in the sense of a device or a FIFO, and no permission to read needed. */
#define LOOK (O_PATH | O_NOFOLLOW | O_CLOEXEC)

const struct nss_chromium nss_chromiums[] = {
    {"chromium", "Chromium", "chrom"},
    {"google-chrome", "Google Chrome", "chrom"},
    {"google-chrome-beta", "Google Chrome", "chrom"},
    {"google-chrome-unstable", "Google Chrome", "chrom"},
    {"BraveSoftware/Brave-Browser", "Brave", "brave"},
    {"microsoft-edge", "Microsoft Edge", "msedge"},
    {"vivaldi", "Vivaldi", "vivaldi"},
    {"opera", "Opera", "opera"},
    {NULL, NULL, NULL},
};

/* done has no links and is where dir is; rest is still to be walked. */
struct walk {
    const struct nss_tree *tree;
    struct xr_buf done;
    char *rest;
    int dir; /* -1: done does not exist */
    unsigned links;
    bool any_link;
};

/* path has no links; should one be there by now, this fails. */
static int open_dir(const struct nss_tree *tree, const char *path)
{
    int dir = openat(tree->root, ".", LOOK | O_DIRECTORY);
    char *copy = xr_strdup(path), *save = NULL;

    for (char *name = strtok_r(copy, "/", &save); name != NULL && dir >= 0;
         name = strtok_r(NULL, "/", &save)) {
        int next = openat(dir, name, LOOK | O_DIRECTORY);

        (void)close(dir);
        dir = next;
    }
    free(copy);
    return dir;
}

static void go_to(struct walk *w, int dir)
{
    if (w->dir >= 0)
        (void)close(w->dir);
    w->dir = dir;
}

static void add_name(struct walk *w, const char *name)
{
    xr_buf_str(&w->done, "/");
    xr_buf_str(&w->done, name);
}

/* ".." of the root is the root; elsewhere done says what it is, whoever moves directories about. */
static void step_up(struct walk *w)
{
    while (w->done.len > 0 && w->done.data[w->done.len - 1] != '/')
        w->done.len--;
    if (w->done.len > 0)
        w->done.len--;
    w->done.data[w->done.len] = '\0';
    if (w->dir >= 0)
        go_to(w, open_dir(w->tree, w->done.data));
}

static bool may_follow(const struct walk *w, const struct stat *st, const char *target)
{
    return w->any_link || st->st_uid == 0 || st->st_uid == geteuid() ||
           (strchr(target, '/') == NULL && strcmp(target, "..") != 0);
}

static enum xr_status follow(struct walk *w, int fd, const struct stat *st, const char *name,
                             struct xr_error *err)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
    char *rest = NULL;

    if (len <= 0)
        return xr_fail_errno(err, "cannot read the link %s%s/%s", w->tree->prefix, w->done.data,
                             name);
    target[len] = '\0';
    if (!may_follow(w, st, target))
        return xr_fail(err, XR_REFUSED, "%s%s/%s is another user's link: not followed",
                       w->tree->prefix, w->done.data, name);
    if (++w->links > LINKS_MAX || strlen(w->rest) > PATH_MAX)
        return xr_fail(err, XR_INVALID, "%s%s/%s: too many links", w->tree->prefix, w->done.data,
                       name);
    rest = xr_format("%s/%s", target, w->rest);
    free(w->rest);
    w->rest = rest;
    if (target[0] == '/') {
        w->done.len = 0;
        w->done.data[0] = '\0';
        go_to(w, open_dir(w->tree, ""));
    }
    return XR_OK;
}

static enum xr_status step(struct walk *w, const char *name, struct xr_error *err)
{
    int fd = w->dir < 0 ? -1 : openat(w->dir, name, LOOK);
    struct stat st;
    enum xr_status status = XR_OK;

    if (fd < 0 && w->dir >= 0 && errno != ENOENT && errno != ENOTDIR)
        return xr_fail_errno(err, "%s%s/%s", w->tree->prefix, w->done.data, name);
    if (fd >= 0 && fstat(fd, &st) != 0) {
        status = xr_fail_errno(err, "%s%s/%s", w->tree->prefix, w->done.data, name);
    } else if (fd >= 0 && S_ISLNK(st.st_mode)) {
        status = follow(w, fd, &st, name, err);
    } else {
        add_name(w, name);
        go_to(w, fd);
        return XR_OK;
    }
    (void)close(fd);
    return status;
}

/* NULL at the end. The caller frees it. */
static char *next_name(struct walk *w)
{
    size_t start = strspn(w->rest, "/"), len = strcspn(w->rest + start, "/");
    char *name = len > 0 ? xr_memdup(w->rest + start, len) : NULL;
    char *rest = xr_strdup(w->rest + start + len);

    free(w->rest);
    w->rest = rest;
    return name;
}

static enum xr_status walk(struct nss_place *out, const struct nss_tree *tree, const char *start,
                           const char *path, bool any_link, struct xr_error *err)
{
    struct walk w = {.tree = tree, .rest = xr_strdup(path), .any_link = any_link};
    enum xr_status status = XR_OK;

    *out = (struct nss_place){0};
    xr_buf_str(&w.done, start);
    w.dir = open_dir(tree, start);
    if (strlen(path) >= PATH_MAX)
        status = xr_fail(err, XR_INVALID, "a path of %zu bytes is too long", strlen(path));
    while (status == XR_OK) {
        char *name = next_name(&w);

        if (name == NULL)
            break;
        if (strcmp(name, "..") == 0)
            step_up(&w);
        else if (strcmp(name, ".") != 0)
            status = step(&w, name, err);
        free(name);
    }
    if (status == XR_OK) {
        out->there = w.dir >= 0 && fstat(w.dir, &out->st) == 0;
        out->path = xr_strdup(w.done.data);
    }
    go_to(&w, -1);
    xr_buf_free(&w.done);
    free(w.rest);
    return status;
}

enum xr_status nss_tree_open(struct nss_tree *out, const char *root, const char *home,
                             struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = XR_OK;

    *out = (struct nss_tree){.prefix = root != NULL && strcmp(root, "/") != 0 ? root : "",
                             .home = home};
    out->root = open(root != NULL ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (out->root < 0)
        return xr_fail_errno(err, "%s", root != NULL ? root : "/");
    if (home == NULL)
        return XR_OK;
    if (home[0] != '/')
        status = xr_fail(err, XR_INVALID, "the home %s is no absolute path", home);
    else
        status = walk(&place, out, "", home, true, err);
    out->real_home = place.path;
    if (status != XR_OK)
        nss_tree_close(out);
    return status;
}

void nss_tree_close(struct nss_tree *tree)
{
    if (tree->root >= 0)
        (void)close(tree->root);
    free(tree->real_home);
    tree->root = -1;
    tree->real_home = NULL;
}

/* What follows the home in path, or NULL. */
static const char *below_home(const struct nss_tree *tree, const char *path)
{
    size_t len = tree->real_home != NULL ? strlen(tree->home) : 0;

    while (len > 0 && tree->home[len - 1] == '/')
        len--;
    if (tree->real_home == NULL || strncmp(path, tree->home, len) != 0 ||
        (path[len] != '/' && path[len] != '\0'))
        return NULL;
    return path + len;
}

enum xr_status nss_place_find(struct nss_place *out, const struct nss_tree *tree, const char *path,
                              struct xr_error *err)
{
    const char *below = below_home(tree, path);

    return walk(out, tree, below != NULL ? tree->real_home : "", below != NULL ? below : path,
                false, err);
}

void nss_place_free(struct nss_place *place)
{
    free(place->path);
    *place = (struct nss_place){0};
}

int nss_place_dir(const struct nss_tree *tree, const struct nss_place *place)
{
    return open_dir(tree, place->path);
}

/* Between a look and the opening a file may become something else: no link is followed, nothing
 * waited for, and what was opened is looked at again. */
static int open_file(const struct nss_tree *tree, const struct nss_place *place, struct stat *st)
{
    char *slash = strrchr(place->path, '/');
    char *parent = xr_memdup(place->path, slash != NULL ? (size_t)(slash - place->path) : 0);
    int dir = open_dir(tree, parent);
    int fd = -1;

    free(parent);
    if (dir < 0 || slash == NULL)
        goto out;
    fd = openat(dir, slash + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        (void)close(fd);
        fd = -1;
        errno = EINVAL;
    }
out:
    if (dir >= 0)
        (void)close(dir);
    return fd;
}

enum xr_status nss_place_read(struct xr_buf *out, const struct nss_tree *tree, const char *path,
                              size_t limit, struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = nss_place_find(&place, tree, path, err);
    struct stat st;
    int fd = -1;

    if (status != XR_OK)
        return status;
    if (!place.there)
        status = xr_fail(err, XR_ABSENT, "%s%s does not exist", tree->prefix, place.path);
    else if (!S_ISREG(place.st.st_mode))
        status = xr_fail(err, XR_INVALID, "%s%s is no regular file", tree->prefix, place.path);
    else if ((fd = open_file(tree, &place, &st)) < 0)
        status = xr_fail_errno(err, "cannot open %s%s", tree->prefix, place.path);
    else if (!xr_read_whole(out, fd, limit))
        status = errno == EFBIG ? xr_fail(err, XR_INVALID, "%s%s is larger than %zu bytes",
                                          tree->prefix, place.path, limit)
                                : xr_fail_errno(err, "cannot read %s%s", tree->prefix, place.path);
    if (fd >= 0)
        (void)close(fd);
    nss_place_free(&place);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_names(struct xr_strings *out, DIR *dir, size_t max)
{
    const struct dirent *entry = NULL;

    errno = 0;
    while (out->count <= max && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            xr_strings_add(out, entry->d_name);
        errno = 0;
    }
    return errno == 0;
}

enum xr_status nss_place_names(struct xr_strings *out, const struct nss_tree *tree,
                               const char *path, size_t max, struct xr_error *err)
{
    struct nss_place place = {0};
    enum xr_status status = nss_place_find(&place, tree, path, err);
    int at = status == XR_OK && place.there ? nss_place_dir(tree, &place) : -1;
    int fd = at >= 0 ? openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (status == XR_OK && place.there && (dir == NULL || !read_names(out, dir, max)))
        status = xr_fail_errno(err, "cannot read %s%s", tree->prefix, place.path);
    if (out->count > max) {
        free(out->items[--out->count]);
        status = xr_fail(err, XR_INVALID, "%s%s holds more than %zu names", tree->prefix,
                         place.path, max);
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_bytes);
    if (dir != NULL)
        (void)closedir(dir);
    else if (fd >= 0)
        (void)close(fd);
    if (at >= 0)
        (void)close(at);
    nss_place_free(&place);
    return status;
}
