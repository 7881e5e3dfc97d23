/* SPDX-License-Identifier: Apache-2.0 */
/* What both forms of policies do alike: the directory of a file, and states of one certificate. */
#include "session.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the directory ---- */

/* Others could lead root anywhere by a link. In an image, root's things may have its owner's number. */
static bool may_lead(const struct policy_root *root, const struct stat *link)
{
    struct stat top;

    return link->st_uid == 0 || link->st_uid == geteuid() ||
           (root->image && fstat(root->fd, &top) == 0 && link->st_uid == top.st_uid);
}

/* The directory in which the next component is, which is lost where that one is missing. */
static int before(const struct xr_trail *trail)
{
    return openat(trail->dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool make_next(struct xr_trail *trail, int parent)
{
    if (!xr_owner_mkdir(parent, trail->name, 0755) && errno != EEXIST)
        return false;
    trail->dir = openat(parent, trail->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return trail->dir >= 0;
}

static enum xr_status walk(struct xr_trail *trail, const struct policy_root *root, const char *path,
                           bool make, struct xr_error *err)
{
    enum xr_trail_step step = XR_TRAIL_THERE;

    while (step != XR_TRAIL_END) {
        int parent = before(trail);
        bool good = true;

        step = xr_trail_next(trail);
        if (step == XR_TRAIL_MISSING && make) {
            good = make_next(trail, parent);
        } else if (step == XR_TRAIL_MISSING) {
            good = false;
            errno = ENOENT;
        } else if (step == XR_TRAIL_LINK && !may_lead(root, &trail->st)) {
            (void)close(parent);
            return xr_fail(err, XR_REFUSED, "%s: %s is another user's link", path, trail->name);
        } else if (step == XR_TRAIL_LINK) {
            good = xr_trail_follow(trail);
        } else if (step == XR_TRAIL_FAILED) {
            good = false;
        }
        if (parent >= 0)
            (void)close(parent);
        if (!good)
            return xr_fail_errno(err, make ? N_("cannot make %s") : N_("cannot open %s"), path);
    }
    return XR_OK;
}

static enum xr_status open_path(int *out, const struct policy_root *root, const char *path,
                                bool make, struct xr_error *err)
{
    struct xr_trail trail;
    enum xr_status status = XR_OK;

    xr_trail_start(&trail, root->fd, "", path);
    status = walk(&trail, root, path, make, err);
    if (status == XR_OK) {
        *out = openat(trail.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*out < 0)
            status = xr_fail_errno(err, "cannot open %s", path);
    }
    xr_trail_free(&trail);
    return status;
}

enum xr_status policy_dir_open(struct xr_session *s, const char *path, bool make,
                               struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (s->dir >= 0)
        return XR_OK;
    status = open_path(&s->dir, &s->root, path, make, err);
    if (status == XR_OK && s->write)
        status = s->host->lock(s->dir, XR_LOCK_MS, path, err);
    if (status != XR_OK && s->dir >= 0) {
        (void)close(s->dir);
        s->dir = -1;
    }
    return status;
}

/* The deepest directory of path that there is; -1: none can be opened. */
static int open_deepest(const struct policy_root *root, const char *path, bool *whole,
                        struct xr_error *err)
{
    char *part = xr_strdup(path);
    int fd = -1;

    *whole = true;
    while (open_path(&fd, root, part, false, err) == XR_ABSENT && part[0] != '\0') {
        char *slash = strrchr(part, '/');

        *whole = false;
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    free(part);
    return fd;
}

void policy_dir_writable(struct xr_caps *caps, const struct xr_session *s, const char *path,
                         const char *name)
{
    struct xr_error err = {0};
    bool whole = false;
    int fd = open_deepest(&s->root, path, &whole, &err);
    const char *fixed = fd >= 0 ? xr_why_fixed(fd, whole ? name : ".") : NULL;

    caps->writable = false;
    if (fd < 0) {
        caps->needs_privilege = err.status == XR_DENIED && geteuid() != 0;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%.250s", err.text);
        caps->refused = err.status == XR_REFUSED;
    } else if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        caps->needs_privilege = errno == EACCES && geteuid() != 0;
        (void)snprintf(caps->why_not, sizeof(caps->why_not), N_("cannot write in %.150s: %s"), path,
                       strerror(errno));
    } else if (fixed != NULL) {
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%.120s/%s: %.100s", path, name,
                       fixed);
    } else {
        caps->writable = true;
    }
    if (fd >= 0)
        (void)close(fd);
}

/* ---- states ---- */

static enum xr_status keep(void *ctx, const struct xr_entry *entry)
{
    struct policy_now *now = ctx;
    struct policy_entry *kept = NULL;

    if (!xr_subject_equal(&entry->subject, &now->subject))
        return XR_OK;
    kept = XR_PUSH(now);
    kept->entry = *entry;
    xr_buf_add(&kept->der, entry->der.data, entry->der.len);
    xr_buf_str(&kept->label, entry->label != NULL ? entry->label : "");
    if (entry->attached_count > 0) {
        kept->attached = entry->attached[0];
        xr_buf_add(&kept->attached_bytes, entry->attached[0].value.data,
                   entry->attached[0].value.len);
    }
    return XR_OK;
}

/* Once no entry moves any more. */
static void settle(struct policy_now *now)
{
    for (size_t i = 0; i < now->count; i++) {
        struct policy_entry *kept = &now->items[i];

        kept->entry.der = (struct xr_bytes){(const unsigned char *)kept->der.data, kept->der.len};
        kept->entry.label = kept->label.data;
        kept->entry.remark = NULL;
        kept->attached.value = (struct xr_bytes){(const unsigned char *)kept->attached_bytes.data,
                                                 kept->attached_bytes.len};
        kept->entry.attached = kept->entry.attached_count > 0 ? &kept->attached : NULL;
    }
}

static bool equal(const struct policy_now *now, const struct xr_state *expect)
{
    const struct xr_entry **entries = xr_new(now->count, sizeof(*entries));
    struct xr_state state = {sizeof(state), now->subject, entries, now->count};
    bool same = false;

    for (size_t i = 0; i < now->count; i++)
        entries[i] = &now->items[i].entry;
    same = now->host->state_equal(now->count > 0 ? &state : NULL, expect);
    free((void *)entries);
    return same;
}

enum xr_status policy_now_read(struct policy_now *out, const struct xr_host *host,
                               policy_list_fn list, void *ctx, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    *out = (struct policy_now){.host = host, .subject = (want != NULL ? want : expect)->subject};
    status = list(ctx, keep, out, err);
    if (status != XR_OK)
        return status;
    settle(out);
    return equal(out, expect) ? XR_OK
                              : xr_fail(err, XR_CONFLICT, "the policies have changed meanwhile");
}

/* Entries of one place, with the same limits: labels of what is to be written are only proposals. */
static bool alike(const struct policy_now *now, const struct xr_entry *a, const struct xr_entry *b)
{
    struct xr_entry plain_a = *a, plain_b = *b;
    const struct xr_entry *first = &plain_a, *second = &plain_b;
    struct xr_state one = {sizeof(one), now->subject, &first, 1};
    struct xr_state two = {sizeof(two), now->subject, &second, 1};

    plain_a.label = plain_b.label = NULL;
    return now->host->state_equal(&one, &two);
}

static bool claim(struct policy_now *now, const struct xr_entry *wanted, bool by_label)
{
    for (size_t i = 0; i < now->count; i++) {
        struct policy_entry *kept = &now->items[i];

        if (kept->claimed || !alike(now, &kept->entry, wanted) ||
            (by_label && strcmp(kept->label.data, wanted->label != NULL ? wanted->label : "") != 0))
            continue;
        kept->claimed = true;
        return true;
    }
    return false;
}

enum xr_status policy_now_fresh(const struct xr_entry **out, size_t *count, size_t max,
                                struct policy_now *now, const struct xr_state *want,
                                struct xr_error *err)
{
    bool *found = xr_new(want != NULL ? want->count : 0, sizeof(*found));
    enum xr_status status = XR_OK;

    *count = 0;
    for (size_t by_label = 2; by_label-- > 0;) {
        for (size_t i = 0; want != NULL && i < want->count; i++)
            found[i] = found[i] || claim(now, want->entries[i], by_label == 1);
    }
    for (size_t i = 0; status == XR_OK && i < now->count; i++) {
        if (!now->items[i].claimed && (now->items[i].entry.flags & XR_ENTRY_VENDOR) != 0)
            status = xr_fail(err, XR_REFUSED, "it is in %s, which is its administrator's",
                             now->items[i].label.data);
    }
    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++) {
        if (!found[i] && *count == max)
            status =
                xr_fail(err, XR_REFUSED, "more entries of a certificate than there are places");
        else if (!found[i])
            out[(*count)++] = want->entries[i];
    }
    free(found);
    return status;
}

void policy_now_free(struct policy_now *now)
{
    for (size_t i = 0; i < now->count; i++) {
        xr_buf_free(&now->items[i].der);
        xr_buf_free(&now->items[i].label);
        xr_buf_free(&now->items[i].attached_bytes);
    }
    free(now->items);
}
