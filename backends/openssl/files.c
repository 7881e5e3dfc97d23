/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "links.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void od_file_free(struct file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->held.count; i++)
        free((void *)(uintptr_t)file->held.items[i].raw.data);
    free(file->held.items);
    xr_buf_free(&file->content);
    free(file->name);
    free(file->shown);
    free(file->target);
    free(file);
}

void od_view_unload(struct view *view)
{
    struct file *file = view->first;

    od_index_free(view);
    while (file != NULL) {
        struct file *next = file->next;

        od_file_free(file);
        file = next;
    }
    free(view->foreign.items);
    xr_strings_free(&view->stray);
    memset(&view->foreign, 0, sizeof(view->foreign));
    view->loaded = false;
}

void od_view_free(struct view *view)
{
    od_view_unload(view);
    if (view->fd >= 0)
        (void)close(view->fd);
    view->fd = -1;
}

struct xr_buf od_canonical(const struct xr_host *host, const struct shape *shape,
                           struct xr_bytes der)
{
    struct xr_buf content = {0};
    size_t len = 0;
    char *pem = host->pem(shape->label, der, &len);

    xr_buf_add(&content, pem, len);
    host->release(pem);
    return content;
}

static bool ours_name(const char *name)
{
    return strlen(name) == 2 * XR_SHA256_LEN + 4 &&
           strspn(name, "0123456789abcdef") == 2 * XR_SHA256_LEN &&
           strcmp(name + 2 * XR_SHA256_LEN, ".pem") == 0;
}

bool od_view_ours(const struct file *file)
{
    char hex[2 * XR_SHA256_LEN + 1];

    if (!ours_name(file->name) || file->target != NULL || file->held.count != 1)
        return false;
    xr_hex(hex, file->held.items[0].sha256, XR_SHA256_LEN);
    return strncmp(file->name, hex, 2 * XR_SHA256_LEN) == 0;
}

bool od_view_counts(const struct view *view, const struct file *file)
{
    return !view->shape->hashed || (file->index >= 0 && !file->hidden) || od_view_ours(file);
}

/* ---- loading ---- */

struct collecting {
    const struct view *view;
    struct file *file;
};

static enum xr_status collect(void *ctx, enum xr_item_kind kind, struct xr_bytes bytes)
{
    struct collecting *c = ctx;
    const struct xr_host *host = c->view->host;
    struct item made = {.kind = kind, .der = bytes, .purposes = XR_ANY_PURPOSE};
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_bytes name = {0};
    bool crls = c->view->shape->place == XR_CRL;

    if ((kind == XR_ITEM_CRL) != crls)
        return XR_OK;
    if (kind == XR_ITEM_TRUSTED_CERT) {
        made.kind = XR_ITEM_CERT;
        if (host->trusted(&made.der.len, &made.purposes, bytes, NULL) != XR_OK)
            return XR_OK;
    }
    if (crls) {
        if (host->crl_issuer(&name, made.der, NULL) != XR_OK)
            return XR_OK;
    } else {
        if (host->slices(&slices, made.der, NULL) != XR_OK)
            return XR_OK;
        name = slices.subject;
    }
    if (host->name_hash(&made.hash, name, NULL) != XR_OK)
        return XR_OK;
    host->sha256(made.sha256, made.der);
    made.raw = (struct xr_bytes){xr_memdup(bytes.data, bytes.len), bytes.len};
    made.der.data = made.raw.data;
    *XR_PUSH(&c->file->held) = made;
    return XR_OK;
}

static enum xr_reading reading(const struct view *view)
{
    return view->shape->place == XR_CRL ? XR_READ_HASHED_CRL : XR_READ_HASHED;
}

/* No program reads a directory without hashes, so there whatever can be found in a file counts. */
static void parse_content(const struct view *view, struct file *file)
{
    struct collecting c = {view, file};
    struct xr_bytes data = {(const unsigned char *)file->content.data, file->content.len};

    if (view->shape->hashed)
        file->broken = view->host->openssl_items(data, reading(view), collect, &c, NULL) != XR_OK;
    else
        (void)view->host->items(data, collect, &c, NULL);
}

/* Opens a file to read it. A link to a name beside it is resolved here, one to elsewhere is followed
 * only if it is root's or our own: nobody else leads a privileged reader about. */
static int open_to_read(const struct view *view, const char *name, bool follow)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    char targets[2][4096];

    for (int hops = 0; follow && hops < 2; hops++) {
        char *target = targets[hops];
        ssize_t len = readlinkat(view->fd, name, target, sizeof(targets[hops]) - 1);
        struct stat st;

        if (len < 0)
            break;
        target[len] = '\0';
        if (strchr(target, '/') != NULL) {
            if (fstatat(view->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
                (st.st_uid != 0 && st.st_uid != geteuid()))
                return -1;
            return openat(view->fd, name, flags);
        }
        name = target;
    }
    return openat(view->fd, name, flags | O_NOFOLLOW);
}

/* False: not a readable regular file. */
static bool read_content(struct xr_buf *out, unsigned *mode, const struct view *view,
                         const char *name, bool follow)
{
    struct stat st;
    int fd = open_to_read(view, name, follow);
    bool ok = false;

    if (fd < 0)
        return false;
    ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && xr_read_whole(out, fd, FILE_MAX_BYTES);
    *mode = st.st_mode & 0777;
    (void)close(fd);
    return ok;
}

static struct file *read_file(const struct view *view, const char *name, bool follow)
{
    struct file *file = xr_new(1, sizeof(*file));

    if (!read_content(&file->content, &file->mode, view, name, follow)) {
        od_file_free(file);
        return NULL;
    }
    file->name = xr_strdup(name);
    file->shown = xr_visible(name);
    file->index = -1;
    parse_content(view, file);
    return file;
}

struct hash_links {
    struct hash_link *items;
    size_t count, capacity;
};

static void load_name(struct view *view, struct hash_links *links, const char *name)
{
    char target[4096];
    ssize_t len = readlinkat(view->fd, name, target, sizeof(target) - 1);
    struct file *file = NULL;
    uint32_t hash = 0;
    int index = 0;
    bool hashed = view->shape->hashed && od_link_parse(&hash, &index, view, name);

    if (strncmp(name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0) {
        xr_strings_add(&view->stray, name);
        return;
    }
    if (len >= 0)
        target[len] = '\0';
    if (len >= 0 && hashed && strchr(target, '/') == NULL) {
        *XR_PUSH(links) =
            (struct hash_link){hash, index, false, xr_strdup(name), xr_strdup(target)};
        return;
    }
    file = read_file(view, name, len >= 0);
    if (hashed && (file == NULL || file->held.count == 0 || file->held.items[0].hash != hash)) {
        /* OpenSSL goes on only past a file it can load. */
        *XR_PUSH(&view->foreign) = (struct hash_link){
            .hash = hash, .index = index, .blocks = file == NULL || file->broken};
    }
    if (file == NULL || file->held.count == 0) {
        od_file_free(file);
        return;
    }
    if (len >= 0)
        file->target = xr_strdup(target);
    if (hashed && file->held.items[0].hash == hash) {
        file->itself = true;
        file->index = index;
    }
    od_index_add(view, file);
}

static int by_index(const void *a, const void *b)
{
    return ((const struct hash_link *)a)->index - ((const struct hash_link *)b)->index;
}

static void attach_links(struct view *view, struct hash_links *links)
{
    if (links->count > 1)
        qsort(links->items, links->count, sizeof(*links->items), by_index);
    for (size_t i = 0; i < links->count; i++) {
        struct hash_link *link = &links->items[i];
        struct file *file = od_index_named(view, link->target);
        bool fits = file != NULL && file->held.items[0].hash == link->hash;

        if (fits && file->index < 0)
            od_index_number(view, file, link->index);
        else if (ours_name(link->target) ||
                 (fits && !file->itself && od_link_same(view, file, link->name)))
            xr_strings_add(&view->stray, link->name);
        else
            *XR_PUSH(&view->foreign) = (struct hash_link){
                .hash = link->hash, .index = link->index, .blocks = file == NULL || file->broken};
        free(link->name);
        free(link->target);
    }
    free(links->items);
    od_index_foreign(view);
}

static enum xr_status names_of(struct xr_strings *names, int dirfd, struct xr_error *err)
{
    return xr_dir_names(names, dirfd, SIZE_MAX) ? XR_OK
                                                : xr_fail_errno(err, "cannot read the directory");
}

size_t od_count(int fd)
{
    struct xr_strings names = {0};
    size_t count = names_of(&names, fd, NULL) == XR_OK ? names.count : SIZE_MAX;

    xr_strings_free(&names);
    return count;
}

enum xr_status od_clear_temps(int fd, bool *cleared, struct xr_error *err)
{
    struct xr_strings names = {0};
    enum xr_status status = names_of(&names, fd, err);

    for (size_t i = 0; status == XR_OK && i < names.count; i++) {
        if (strncmp(names.items[i], XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) != 0)
            continue;
        if (unlinkat(fd, names.items[i], 0) != 0 && errno != ENOENT)
            status = xr_fail_errno(err, "cannot remove %s", names.items[i]);
        *cleared = true;
    }
    xr_strings_free(&names);
    return status;
}

enum xr_status od_view_load(struct view *view, struct xr_error *err)
{
    struct xr_strings names = {0};
    struct hash_links links = {0};
    enum xr_status status = XR_OK;

    if (view->loaded || view->fd < 0) {
        view->loaded = true;
        return XR_OK;
    }
    status = names_of(&names, view->fd, err);
    if (status != XR_OK) {
        xr_strings_free(&names);
        return status;
    }
    for (size_t i = 0; i < names.count; i++)
        load_name(view, &links, names.items[i]);
    xr_strings_free(&names);
    attach_links(view, &links);
    for (struct file *file = view->first; file != NULL; file = file->next)
        file->hidden =
            file->index > 0 && !od_link_reached(view, file->held.items[0].hash, file->index);
    view->loaded = true;
    return XR_OK;
}

struct emitting {
    xr_bytes_fn emit;
    void *ctx;
};

static enum xr_status emit_bytes(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    const struct emitting *e = ctx;

    (void)kind;
    return e->emit(e->ctx, der);
}

enum xr_status od_view_lookup(const struct view *view, uint32_t hash, xr_bytes_fn emit, void *ctx)
{
    struct emitting e = {emit, ctx};
    enum xr_status status = XR_OK;

    for (int index = 0; view->fd >= 0 && status == XR_OK && index < LINKS_MAX; index++) {
        char name[LINK_NAME_MAX];
        struct xr_buf text = {0};
        unsigned mode = 0;

        od_link_name(name, view, hash, index);
        status = XR_INVALID;
        /* A file of several is taken as a whole. */
        if (read_content(&text, &mode, view, name, true))
            status = view->host->openssl_items(
                (struct xr_bytes){(const unsigned char *)text.data, text.len}, reading(view),
                emit_bytes, &e, NULL);
        xr_buf_free(&text);
    }
    /* As OpenSSL: the first number that it cannot load ends it. */
    return status == XR_INVALID ? XR_OK : status;
}

/* ---- files ---- */

/* Makes a link to elsewhere again, if what it leads to is still what was recorded. */
static enum xr_status relink(const struct view *view, struct file *file, struct xr_bytes der,
                             struct xr_error *err)
{
    struct file *led = NULL;
    bool same = false;

    if (symlinkat(file->target, view->fd, file->name) != 0)
        return xr_fail_errno(err, "cannot make %s", file->name);
    xr_owner_give_link(view->fd, file->name, NULL);
    led = read_file(view, file->name, true);
    same = led != NULL && led->held.count == 1 && xr_bytes_equal(led->held.items[0].der, der);
    if (same) {
        xr_buf_free(&file->content);
        file->content = led->content;
        led->content = (struct xr_buf){0};
    }
    od_file_free(led);
    if (same)
        return XR_OK;
    (void)unlinkat(view->fd, file->name, 0);
    return xr_fail(err, XR_REFUSED, "%s now leads to a different certificate", file->name);
}

/* A record's name and number must fit what they are for: it may be forged. */
static enum xr_status check_wanted(struct view *view, const struct file *wanted,
                                   const struct file *made, struct xr_bytes der,
                                   struct xr_error *err)
{
    uint32_t hash = 0;
    int index = 0;
    bool link_like = view->shape->hashed && od_link_parse(&hash, &index, view, wanted->name);

    if (made->held.count != 1 || !xr_bytes_equal(made->held.items[0].der, der))
        return xr_fail(err, XR_INVALID, "the record of %s is of another certificate", made->shown);
    if (strncmp(wanted->name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0 ||
        link_like != wanted->itself ||
        (wanted->itself && (hash != made->held.items[0].hash || index != wanted->index)))
        return xr_fail(err, XR_INVALID, "the record of %s has an invalid file name", made->shown);
    if (!view->shape->hashed)
        return XR_OK;
    return od_link_check(view, made->held.items[0].hash, wanted->index, err);
}

/* Takes a file out of the view and frees it. */
static void forget(struct view *view, struct file *file)
{
    od_index_drop(view, file);
    od_file_free(file);
}

/* Is the file that is there, without a link, exactly the wanted one? Then its place in the view is
 * taken by the new one. */
static bool adopt(struct view *view, const struct file *wanted, const struct file *file)
{
    struct file *there = od_index_named(view, file->name);

    if (there == NULL || there->index >= 0 || wanted->target != NULL || there->target != NULL ||
        there->mode != file->mode || there->content.len != file->content.len ||
        memcmp(there->content.data, file->content.data, file->content.len) != 0)
        return false;
    forget(view, there);
    return true;
}

static enum xr_status write_wanted(struct view *view, const struct file *wanted, struct file *file,
                                   struct xr_bytes der, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    struct xr_error why = {0};
    struct stat st;

    if (wanted->itself) { /* its own link */
        status = od_link_vacate(view, file->held.items[0].hash, wanted->index, err);
        if (status != XR_OK)
            return status;
    }
    if (fstatat(view->fd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        /* An interrupted removal leaves the very file without its link. */
        if (adopt(view, wanted, file))
            return XR_OK;
        return xr_fail(err, XR_CONFLICT, "%s/%s already exists", view->shape->dir, file->shown);
    }
    view->dirty = true;
    if (wanted->target != NULL) {
        file->target = xr_strdup(wanted->target);
        return relink(view, file, der, err);
    }
    status = view->host->write_atomic(
        view->fd, file->name,
        (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len}, file->mode,
        &why);
    if (status != XR_OK)
        (void)xr_error_set(err, status, why.domain, why.code, "%s: %s", view->shape->dir, why.text);
    return status;
}

/* The file as it will be, not yet written. */
static struct file *imagine(const struct view *view, const struct file *wanted, struct xr_bytes der)
{
    struct file *file = xr_new(1, sizeof(*file));

    file->name = xr_strdup(wanted->name);
    file->shown = xr_visible(wanted->name);
    file->mode = wanted->mode & 0777;
    file->index = -1;
    if (wanted->content.len > 0) /* as it was, byte for byte */
        xr_buf_add(&file->content, wanted->content.data, wanted->content.len);
    else
        file->content = od_canonical(view->host, view->shape, der);
    parse_content(view, file);
    return file;
}

enum xr_status od_view_may_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                               struct xr_error *err)
{
    struct file *file = imagine(view, wanted, der);
    enum xr_status status = check_wanted(view, wanted, file, der, err);

    od_file_free(file);
    return status;
}

enum xr_status od_view_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                           struct xr_error *err)
{
    struct file *file = imagine(view, wanted, der);
    enum xr_status status = write_wanted(view, wanted, file, der, err);

    if (status != XR_OK) {
        od_file_free(file);
        return status;
    }
    file->itself = wanted->itself;
    if (file->itself)
        file->index = wanted->index;
    od_index_add(view, file);
    if (file->itself)
        return XR_OK;
    return od_link_add(view, file, wanted->index, err);
}

static bool unchanged(const struct view *view, const struct file *file)
{
    struct file *now = read_file(view, file->name, file->target != NULL);
    bool same = now != NULL && now->content.len == file->content.len &&
                memcmp(now->content.data, file->content.data, file->content.len) == 0;

    od_file_free(now);
    return same;
}

enum xr_status od_view_remove(struct view *view, struct file *file, struct xr_error *err)
{
    bool replaced = false;
    enum xr_status status = XR_OK;

    if (!unchanged(view, file))
        return xr_fail(err, XR_FAILED, "%s/%s changed meanwhile", view->shape->dir, file->shown);
    if (file->itself) {
        int last = od_link_last(view, file->held.items[0].hash);

        replaced = file->index < last; /* by the rename that closes the gap */
        if (replaced)
            status = od_link_remove(view, file, err);
    } else {
        status = od_link_remove(view, file, err);
    }
    if (status != XR_OK)
        return status;
    if (!replaced && unlinkat(view->fd, file->name, 0) != 0 && errno != ENOENT)
        return xr_fail_errno(err, "cannot remove %s/%s", view->shape->dir, file->name);
    view->dirty = true;
    forget(view, file);
    return XR_OK;
}

enum xr_status od_view_tidy(struct view *view, struct xr_error *err)
{
    for (size_t i = 0; i < view->stray.count; i++) {
        if (unlinkat(view->fd, view->stray.items[i], 0) != 0 && errno != ENOENT)
            return xr_fail_errno(err, "cannot remove %s", view->stray.items[i]);
        view->dirty = true;
    }
    xr_strings_free(&view->stray);
    return XR_OK;
}

enum xr_status od_view_link_all(struct view *view, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!view->shape->hashed)
        return XR_OK;
    for (struct file *file = view->first; status == XR_OK && file != NULL; file = file->next) {
        if (file->index < 0 && od_view_ours(file))
            status = od_link_add(view, file, -1, err);
    }
    return status;
}
