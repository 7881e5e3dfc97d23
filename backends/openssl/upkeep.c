/* SPDX-License-Identifier: Apache-2.0 */
/* What crossroot keeps beside the entries: the manifest, bundles, links, directories. All of it is
 * derived from the entries, so that the same flush works after a change, an undo and a crash. */
#include "store.h"

#include "kit/der.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAVED ".before-crossroot"

/* ---- bundles ---- */

struct bundled {
    const struct item *item;
    struct xr_der_cert d;
    uint32_t issuer; /* hash of the name */
    bool leads;      /* by names, to an anchor of this store */
};
struct bundle {
    struct bundled *items;
    size_t count, capacity;
};

static int by_sha256(const void *a, const void *b)
{
    return memcmp(((const struct bundled *)a)->item->sha256,
                  ((const struct bundled *)b)->item->sha256, XR_SHA256_LEN);
}

/* OpenSSL takes the first issuer that fits and never goes back. */
static int by_use(const void *a, const void *b)
{
    const struct bundled *one = a, *two = b;
    int order = two->leads - one->leads;

    if (order == 0)
        order = xr_der_cert_order(&one->d, &two->d);
    return order != 0 ? order : by_sha256(a, b);
}

static int by_issuer(const void *a, const void *b)
{
    const struct bundled *one = *(struct bundled *const *)a, *two = *(struct bundled *const *)b;

    return one->issuer < two->issuer ? -1 : one->issuer > two->issuer;
}

/* A plain bundle cannot limit the purposes of a certificate. */
static struct bundle collect(const struct view *view)
{
    struct bundle all = {0};
    size_t kept = 0;

    for (const struct file *file = view->first; file != NULL; file = file->next) {
        for (size_t k = 0; od_view_counts(view, file) && k < file->held.count; k++) {
            if (file->held.items[k].purposes == XR_ANY_PURPOSE)
                XR_PUSH(&all)->item = &file->held.items[k];
        }
    }
    if (all.count > 1)
        qsort(all.items, all.count, sizeof(*all.items), by_sha256);
    for (size_t i = 0; i < all.count; i++) {
        if (kept == 0 || by_sha256(&all.items[kept - 1], &all.items[i]) != 0)
            all.items[kept++] = all.items[i];
    }
    all.count = kept;
    return all;
}

/* Index of the first whose issuer has that name, or of one after it. */
static size_t first_of(struct bundled *const *sorted, size_t count, uint32_t issuer)
{
    size_t low = 0;

    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (sorted[middle]->issuer < issuer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* From the anchors' names down, each name once: a chain may be as long as the bundle. */
static void mark_leading(struct bundle *all, const struct view *anchors)
{
    struct {
        uint32_t *items;
        size_t count, capacity;
    } names = {0};
    struct bundled **sorted = xr_new(all->count, sizeof(*sorted));

    for (size_t i = 0; i < all->count; i++)
        sorted[i] = &all->items[i];
    qsort((void *)sorted, all->count, sizeof(*sorted), by_issuer);
    for (const struct file *file = anchors->first; file != NULL; file = file->next) {
        for (size_t k = 0; od_view_counts(anchors, file) && k < file->held.count; k++)
            *XR_PUSH(&names) = file->held.items[k].hash;
    }
    for (size_t i = 0; i < names.count; i++) {
        uint32_t name = names.items[i];

        for (size_t k = first_of(sorted, all->count, name);
             k < all->count && sorted[k]->issuer == name && !sorted[k]->leads; k++) {
            sorted[k]->leads = true;
            *XR_PUSH(&names) = sorted[k]->item->hash;
        }
    }
    free((void *)sorted);
    free(names.items);
}

static void sort_by_use(struct bundle *all, const struct xr_session *s)
{
    for (size_t i = 0; i < all->count; i++) {
        struct bundled *one = &all->items[i];

        if (xr_der_cert(&one->d, one->item->der, NULL) != XR_OK ||
            s->host->name_hash(&one->issuer, one->d.slices.issuer, NULL) != XR_OK)
            one->d.malformed = true;
    }
    mark_leading(all, &s->views[0]);
    qsort(all->items, all->count, sizeof(*all->items), by_use);
}

static struct xr_buf bundle_of(const struct xr_session *s, size_t at)
{
    const struct view *view = &s->views[at];
    struct bundle all = collect(view);
    struct xr_buf out = {0};

    if (view->shape->place == XR_INTERMEDIATE && all.count > 1)
        sort_by_use(&all, s);
    for (size_t i = 0; i < all.count; i++) {
        struct xr_buf one = od_canonical(view->host, view->shape, all.items[i].item->der);

        xr_buf_add(&out, one.data, one.len);
        xr_buf_free(&one);
    }
    free(all.items);
    return out;
}

/* Saves a foreign bundle, to restore it when crossroot's last entry is removed. */
static enum xr_status save_foreign(struct xr_session *s, size_t at, struct xr_error *err)
{
    const char *name = od_shapes[at].bundle;
    char *saved = xr_format("%s%s", name, SAVED);
    struct stat st;
    enum xr_status status = XR_OK;

    if (!s->saved[at] && fstatat(s->dir, saved, &st, AT_SYMLINK_NOFOLLOW) == 0)
        status = xr_fail(err, XR_FAILED,
                         "%s is in the way and was not written by "
                         "crossroot",
                         saved);
    s->saved[at] = s->saved[at] || status == XR_OK;
    if (status == XR_OK)
        status = od_write_manifest(s, err);
    if (status == XR_OK && linkat(s->dir, name, s->dir, saved, 0) != 0 && errno != EEXIST)
        status = xr_fail_errno(err, "cannot keep %s", name);
    free(saved);
    return status;
}

static enum xr_status flush_bundle(struct xr_session *s, size_t at, struct xr_error *err)
{
    const char *name = od_shapes[at].bundle;
    struct xr_buf want = bundle_of(s, at), have = {0};
    struct stat st;
    bool present = fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    bool readable = present && od_read_small(&have, s->dir, name);
    enum xr_status status = XR_OK;

    if (want.len == 0
            ? !present
            : readable && want.len == have.len && memcmp(want.data, have.data, want.len) == 0)
        goto out;
    /* A foreign file is saved before it is recorded as ours, and recorded before it is written. */
    if (present && !s->bundle_ours[at])
        status = save_foreign(s, at, err);
    if (status != XR_OK)
        goto out;
    s->bundle_ours[at] = true;
    status = od_write_manifest(s, err);
    if (status == XR_OK && want.len > 0) {
        status = s->host->write_atomic(
            s->dir, name, (struct xr_bytes){(const unsigned char *)want.data, want.len}, 0644, err);
    } else if (status == XR_OK && present && unlinkat(s->dir, name, 0) != 0) {
        status = xr_fail_errno(err, "cannot remove %s", name);
    }
    s->dirty = true;
out:
    s->bundle_ours[at] = s->bundle_ours[at] && (want.len > 0 || status != XR_OK);
    xr_buf_free(&want);
    xr_buf_free(&have);
    return status;
}

static enum xr_status drop_bundle(struct xr_session *s, size_t at, struct xr_error *err)
{
    const char *name = od_shapes[at].bundle;
    char *saved = xr_format("%s%s", name, SAVED);
    bool ours = s->bundle_ours[at];
    enum xr_status status = XR_OK;
    struct stat st;

    s->bundle_ours[at] = false;
    if (s->saved[at] && fstatat(s->dir, saved, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        /* Recorded as not ours before it is restored, so that we do not remove it after a crash in
         * between. */
        status = od_write_manifest(s, err);
        if (status == XR_OK && renameat(s->dir, saved, s->dir, name) != 0)
            status = xr_fail_errno(err, "cannot restore %s", name);
        /* rename does nothing to two names of one file. */
        if (status == XR_OK)
            (void)unlinkat(s->dir, saved, 0);
        s->dirty = true;
    } else if (ours) {
        if (unlinkat(s->dir, name, 0) != 0 && errno != ENOENT)
            status = xr_fail_errno(err, "cannot remove %s", name);
        s->dirty = true;
    }
    if (status != XR_OK && ours) { /* it is still there, and swapping back needs to know whose */
        s->bundle_ours[at] = true;
        (void)od_write_manifest(s, NULL);
    }
    free(saved);
    return status;
}

/* ---- flush ---- */

static enum xr_status drop_empty_places(struct xr_session *s, struct xr_error *err)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct view *view = &s->views[i];

        if (!s->made[i] || view->count > 0)
            continue;
        if (view->fd >= 0 && unlinkat(s->dir, od_shapes[i].dir, AT_REMOVEDIR) != 0) {
            if (errno == ENOTEMPTY || errno == EEXIST)
                continue; /* holds something that is not a certificate */
            return xr_fail_errno(err, "cannot remove %s", od_shapes[i].dir);
        }
        if (view->fd >= 0) {
            (void)close(view->fd);
            view->fd = -1;
            s->dirty = true;
        }
        s->made[i] = false;
    }
    return XR_OK;
}

/* What is in the directory; not its own name. */
static enum xr_status sync_inside(struct xr_session *s, bool top, struct xr_error *err)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (s->views[i].dirty && s->views[i].fd >= 0 && fsync(s->views[i].fd) != 0)
            return xr_fail_errno(err, "cannot make %s/%s durable", s->name, od_shapes[i].dir);
        s->dirty = s->dirty || s->views[i].dirty;
        s->views[i].dirty = false;
    }
    if (top && s->dirty && s->dir >= 0 && fsync(s->dir) != 0)
        return xr_fail_errno(err, "cannot make %s durable", s->name);
    return XR_OK;
}

static enum xr_status sync_all(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = sync_inside(s, true, err);

    if (status == XR_OK && s->dirty && fsync(s->parent) != 0)
        status = xr_fail_errno(err, "cannot make %s durable", s->name);
    s->dirty = s->dirty && status != XR_OK;
    return status;
}

/* The directory is removed as it was created: under the hidden name, so that nobody sees half of
 * it. */
static enum xr_status leave_top(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (renameat2(s->parent, s->name, s->parent, s->pending, RENAME_NOREPLACE) != 0)
        return xr_fail_errno(err, "cannot remove %s", s->name);
    /* Under its own name it has its manifest, after a power cut too. */
    if (fsync(s->parent) == 0 && unlinkat(s->dir, MANIFEST, 0) == 0 &&
        unlinkat(s->parent, s->pending, AT_REMOVEDIR) == 0) {
        (void)close(s->dir);
        s->dir = -1;
        s->made_top = s->has_manifest = s->locked = false;
        s->dirty = true;
        return XR_OK;
    }
    /* Another program added a file, or the system failed: renames it back, for the next flush. */
    status = xr_fail_errno(err, "cannot remove %s", s->name);
    (void)od_write_manifest(s, NULL);
    (void)renameat2(s->parent, s->pending, s->parent, s->name, RENAME_NOREPLACE);
    return status;
}

/* Our last entry was removed: removes everything else that we made. */
static enum xr_status leave(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < SHAPES; i++) {
        if (od_shapes[i].bundle != NULL)
            status = drop_bundle(s, i, err);
    }
    if (status == XR_OK)
        status = drop_empty_places(s, err);
    /* After a power cut too, what is listed goes before the list, and all that is inside before the
     * directory itself. */
    if (status == XR_OK)
        status = sync_inside(s, true, err);
    if (status != XR_OK)
        return status;
    if (s->made_top && od_count(s->dir) == 1)
        return leave_top(s, err);
    if (unlinkat(s->dir, MANIFEST, 0) != 0 && errno != ENOENT)
        return xr_fail_errno(err, "cannot remove %s", MANIFEST);
    s->dirty = true;
    s->has_manifest = s->made_top = false;
    return XR_OK;
}

/* Finishes removals: removes a file whose link is already removed. */
static enum xr_status drop_gone(struct xr_session *s, struct xr_error *err)
{
    for (size_t i = 0; i < s->gone.count; i++) {
        for (size_t k = 0; k < SHAPES; k++) {
            size_t len = strlen(od_shapes[k].dir);
            const char *name = s->gone.items[i] + len + 1;
            struct file *file = NULL;

            if (strncmp(s->gone.items[i], od_shapes[k].dir, len) != 0 ||
                s->gone.items[i][len] != '/')
                continue;
            file = od_index_named(&s->views[k], name);
            if (file != NULL && file->index < 0 && !od_view_ours(file)) {
                enum xr_status status = od_view_remove(&s->views[k], file, err);

                if (status != XR_OK)
                    return status;
            }
        }
    }
    xr_strings_free(&s->gone);
    s->gone_written = 0;
    return XR_OK;
}

static bool holds_ours(const struct xr_session *s)
{
    for (size_t i = 0; i < SHAPES; i++) {
        for (const struct file *file = s->views[i].first; file != NULL; file = file->next) {
            if (od_view_ours(file))
                return true;
        }
    }
    return false;
}

static enum xr_status flush_loaded(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!s->locked || s->dir < 0)
        return s->dirty ? sync_all(s, err) : XR_OK;
    status = od_load(s, err);
    if (status == XR_OK)
        status = od_clear_temps(s->dir, &s->dirty, err);
    for (size_t i = 0; status == XR_OK && i < SHAPES; i++)
        status = od_view_tidy(&s->views[i], err);
    if (status != XR_OK || !s->has_manifest)
        return status != XR_OK ? status : sync_all(s, err);
    status = drop_gone(s, err);
    if (status == XR_OK) /* entries first, then what follows from them */
        status = sync_inside(s, false, err);
    if (status != XR_OK)
        return status;
    if (!holds_ours(s)) {
        status = leave(s, err);
        return status == XR_OK ? sync_all(s, err) : status;
    }
    for (size_t i = 0; status == XR_OK && i < SHAPES; i++)
        status = od_view_link_all(&s->views[i], err);
    for (size_t i = 0; status == XR_OK && i < SHAPES; i++) {
        if (od_shapes[i].bundle != NULL)
            status = flush_bundle(s, i, err);
    }
    if (status == XR_OK)
        status = drop_empty_places(s, err);
    if (status == XR_OK) /* lines of what is gone go after it */
        status = sync_inside(s, false, err);
    if (status == XR_OK)
        status = od_write_manifest(s, err);
    return status == XR_OK ? sync_all(s, err) : status;
}

enum xr_status od_flush(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = flush_loaded(s, err);

    if (status != XR_OK)
        od_unload(s);
    return status;
}
