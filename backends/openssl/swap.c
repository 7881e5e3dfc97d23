/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as the table sees them, and the one operation that changes them. */
#include "links.h"
#include "store.h"

#include "sys/linux/owner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NATIVE_NUMBER_AT 8u /* offset of a link's number in a native record */

/* ---- native: what puts a file back: name, mode, number, form, content ---- */

enum form { FORM_CANONICAL, FORM_CONTENT, FORM_LINK, FORM_FIXED };

/* Why a file of somebody else's cannot be remade from a record, or NULL. */
static const char *fixed_reason(const struct file *file)
{
    if (file->held.count != 1)
        return XR_PREDICATE(N_("%s holds several certificates: split it by hand first"));
    if (!file->itself && od_link_like(file->name))
        return XR_PREDICATE(N_("%s has the name of a link: rename it first"));
    if (file->target != NULL)
        return NULL;
    return xr_why_not_kept(
        (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len});
}

static void native_of(struct xr_buf *out, const struct view *view, const struct file *file,
                      size_t item)
{
    struct xr_buf plain = od_canonical(view->host, view->shape, file->held.items[item].der);
    enum form form = FORM_CONTENT;

    if (file->held.count != 1 || fixed_reason(file) != NULL)
        form = FORM_FIXED;
    else if (file->target != NULL)
        form = FORM_LINK;
    else if (plain.len == file->content.len &&
             memcmp(plain.data, file->content.data, plain.len) == 0)
        form = FORM_CANONICAL;
    xr_buf_put32(out, form);
    xr_buf_put32(out, file->mode);
    xr_buf_put32(out, (uint32_t)(file->index + 1));
    xr_buf_put32(out, file->itself);
    xr_buf_put32(out, (uint32_t)strlen(file->name));
    xr_buf_str(out, file->name);
    if (form == FORM_CONTENT)
        xr_buf_add(out, file->content.data, file->content.len);
    else if (form == FORM_LINK)
        xr_buf_str(out, file->target);
    else if (form == FORM_FIXED)
        xr_buf_put32(out, (uint32_t)item);
    xr_buf_free(&plain);
}

/* Parses a native blob (from a journal: to be doubted) into a file to be written. */
static bool file_of_native(struct file **out, enum form *form, struct xr_bytes in)
{
    uint32_t value[5];
    struct file *file = NULL;

    for (size_t i = 0; i < 5; i++) {
        if (!xr_bytes_get32(&value[i], &in))
            return false;
    }
    if (value[0] > FORM_FIXED || value[4] > in.len || value[4] == 0 || value[4] > 255 ||
        memchr(in.data, '/', value[4]) != NULL || memchr(in.data, '\0', value[4]) != NULL)
        return false;
    file = xr_new(1, sizeof(*file));
    file->name = xr_memdup(in.data, value[4]);
    file->mode = value[1] & 0777;
    file->index = value[2] > 100000 ? -1 : (int)value[2] - 1;
    file->itself = value[3] != 0;
    in.data += value[4];
    in.len -= value[4];
    *form = (enum form)value[0];
    if (*form == FORM_CONTENT)
        xr_buf_add(&file->content, in.data, in.len);
    else if (*form == FORM_LINK)
        file->target = xr_memdup(in.data, in.len);
    *out = file;
    if (strcmp(file->name, ".") == 0 || strcmp(file->name, "..") == 0) {
        od_file_free(file);
        return false;
    }
    return true;
}

/* ---- list ---- */

/* native is freed by the caller, after its last use of entry. */
static void fill_entry(struct xr_entry *entry, struct xr_buf *native, const struct view *view,
                       const struct file *file, size_t at)
{
    const struct item *item = &file->held.items[at];

    native_of(native, view, file, at);
    *entry = (struct xr_entry){.size = sizeof(*entry), .place = view->shape->place};
    entry->der = item->der;
    entry->subject.type = item->kind == XR_ITEM_CRL ? XR_SUBJECT_CRL : XR_SUBJECT_CERT;
    memcpy(entry->subject.id, item->sha256, sizeof(entry->subject.id));
    entry->purposes = view->shape->place == XR_ANCHOR ? item->purposes : 0;
    entry->flags = od_view_ours(file) ? XR_ENTRY_OURS : 0;
    entry->label = entry->flags ? NULL : file->shown;
    entry->native = (struct xr_bytes){(const unsigned char *)native->data, native->len};
}

static enum xr_status emit_item(const struct view *view, const struct file *file, size_t at,
                                xr_entry_fn emit, void *ctx)
{
    struct xr_buf native = {0};
    struct xr_entry entry;
    enum xr_status status = XR_OK;

    fill_entry(&entry, &native, view, file, at);
    status = emit(ctx, &entry);
    xr_buf_free(&native);
    return status;
}

enum xr_status od_list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    /* From the disk: core lists to see what is there, not what we think we wrote. */
    od_unload(s);
    status = od_load(s, err);
    for (size_t i = 0; i < SHAPES; i++) {
        for (const struct file *file = s->views[i].first; file != NULL; file = file->next) {
            for (size_t n = 0;
                 status == XR_OK && od_view_counts(&s->views[i], file) && n < file->held.count; n++)
                status = emit_item(&s->views[i], file, n, emit, ctx);
        }
    }
    return status;
}

/* ---- swap ---- */

/* One file that holds the subject now. */
struct holding {
    struct view *view;
    struct file *file;
    size_t item;
    bool kept;
};

struct holdings {
    struct holding *items;
    size_t count, capacity;
    size_t next; /* after the last one found: entries come in the order of the view */
};

static void find_holdings(struct holdings *out, struct xr_session *s,
                          const struct xr_subject *subject)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct view *view = &s->views[i];

        for (struct item *item = od_index_sum(view, subject->id, NULL); item != NULL;
             item = od_index_sum(view, subject->id, item)) {
            if ((item->kind == XR_ITEM_CRL) == (subject->type == XR_SUBJECT_CRL) &&
                od_view_counts(view, item->file))
                *XR_PUSH(out) = (struct holding){view, item->file, item->at, false};
        }
    }
}

/* A state whose entries' natives have no number: that of a link changes when a twin comes or goes,
 * and is a place in a row more than a property of the entry. */
struct unnumbered {
    struct xr_state state;
    struct xr_entry *entries;
    const struct xr_entry **list;
    struct xr_buf *natives;
};

static void unnumbered_init(struct unnumbered *out, size_t count)
{
    *out = (struct unnumbered){.state = {.size = sizeof(out->state)}};
    out->entries = xr_new(count, sizeof(*out->entries));
    out->list = xr_new(count, sizeof(*out->list));
    out->natives = xr_new(count, sizeof(*out->natives));
    out->state.entries = out->list;
    out->state.count = count;
}

/* entries[at] and natives[at] are filled: takes the number out and lists the entry. */
static void unnumber(struct unnumbered *out, size_t at)
{
    struct xr_buf *native = &out->natives[at];

    if (native->len >= NATIVE_NUMBER_AT + 4)
        memset(native->data + NATIVE_NUMBER_AT, 0, 4);
    out->entries[at].native = (struct xr_bytes){(const unsigned char *)native->data, native->len};
    out->list[at] = &out->entries[at];
    out->state.subject = out->entries[at].subject;
}

static void unnumbered_free(struct unnumbered *u)
{
    for (size_t i = 0; i < u->state.count; i++)
        xr_buf_free(&u->natives[i]);
    free(u->natives);
    free((void *)u->list);
    free(u->entries);
}

/* Does the store hold what is expected, numbers aside? */
static bool as_expected(const struct xr_session *s, const struct holdings *now,
                        const struct xr_state *expect)
{
    struct unnumbered have, want;
    size_t expected = expect != NULL ? expect->count : 0;
    bool equal = false;

    unnumbered_init(&have, now->count);
    for (size_t i = 0; i < now->count; i++) {
        fill_entry(&have.entries[i], &have.natives[i], now->items[i].view, now->items[i].file,
                   now->items[i].item);
        unnumber(&have, i);
    }
    unnumbered_init(&want, expected);
    for (size_t i = 0; i < expected; i++) {
        const struct xr_entry *entry = expect->entries[i];

        memcpy(&want.entries[i], entry,
               entry->size < sizeof(*entry) ? entry->size : sizeof(*entry));
        xr_buf_add(&want.natives[i], entry->native.data, entry->native.len);
        unnumber(&want, i);
    }
    equal = s->host->state_equal(&have.state, &want.state);
    unnumbered_free(&have);
    unnumbered_free(&want);
    return equal;
}

static enum xr_status make_place(struct xr_session *s, size_t at, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    struct view *view = &s->views[at];

    if (view->fd < 0)
        s->made[at] = true;
    /* The record comes before what it records: a crash between leaves a line too many. */
    status = od_write_manifest(s, err);
    if (status != XR_OK || view->fd >= 0)
        return status;
    if (!xr_mkdir_exact(s->dir, od_shapes[at].dir, 0755))
        return xr_fail_errno(err, "cannot make %s/%s", s->name, od_shapes[at].dir);
    view->fd = od_open_dir(s->dir, od_shapes[at].dir);
    if (view->fd >= 0)
        xr_owner_give(view->fd, s->dir, NULL);
    if (view->fd < 0 || fchmod(view->fd, 0755) != 0)
        return xr_fail_errno(err, "cannot open %s/%s", s->name, od_shapes[at].dir);
    s->dirty = true;
    return XR_OK;
}

/* Same file, another number: only the link moves. */
static bool only_number_differs(const struct file *now, const struct file *want, enum form form,
                                const struct view *view, struct xr_bytes der)
{
    struct xr_buf plain = {0};
    const struct xr_buf *content = &want->content;
    bool same = false;

    if (strcmp(now->name, want->name) != 0)
        return false;
    if (form == FORM_CANONICAL) {
        plain = od_canonical(view->host, view->shape, der);
        content = &plain;
    }
    same = now->mode == want->mode && !now->itself && !want->itself &&
           (form == FORM_LINK ? now->target != NULL && strcmp(now->target, want->target) == 0
                              : now->target == NULL && now->content.len == content->len &&
                                    memcmp(now->content.data, content->data, content->len) == 0);
    xr_buf_free(&plain);
    return same;
}

static enum xr_status renumber(struct view *view, struct file *file, int index,
                               struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (file->index == index)
        return XR_OK;
    status = od_link_remove(view, file, err);
    if (status == XR_OK && index >= 0)
        status = od_link_add(view, file, index, err);
    return status;
}

/* Makes one wanted entry true, or marks what already is. */
static enum xr_status realise(struct xr_session *s, struct holdings *now,
                              const struct xr_entry *entry, struct xr_error *err)
{
    char hex[2 * XR_SHA256_LEN + 1];
    struct file *wanted = NULL;
    enum form form = FORM_CANONICAL;
    enum xr_status status = XR_OK;
    size_t at = 0;

    if (od_shape_of(entry->place, &at) == NULL)
        return xr_fail(err, XR_REFUSED, "this store has no place for a %s",
                       xr_place_name(entry->place));
    if (entry->native.len > 0 && !file_of_native(&wanted, &form, entry->native))
        return xr_fail(err, XR_INVALID, "the record of this entry is damaged");
    for (size_t i = 0, from = wanted != NULL ? now->next : 0; i < now->count; i++) {
        struct holding *h = &now->items[(from + i) % now->count];

        if (h->kept || h->view != &s->views[at])
            continue;
        if (wanted == NULL || (form == FORM_FIXED && strcmp(wanted->name, h->file->name) == 0)) {
            h->kept = true;
            now->next = (from + i) % now->count + 1;
            goto out;
        }
        if (form != FORM_FIXED && only_number_differs(h->file, wanted, form, h->view, entry->der)) {
            h->kept = true;
            now->next = (from + i) % now->count + 1;
            status = renumber(h->view, h->file, wanted->index, err);
            goto out;
        }
    }
    if (form == FORM_FIXED) {
        status = xr_fail(err, XR_REFUSED, "%s cannot be restored from its record", wanted->name);
        goto out;
    }
    if (wanted == NULL) {
        wanted = xr_new(1, sizeof(*wanted));
        xr_hex(hex, entry->subject.id, XR_SHA256_LEN);
        wanted->name = xr_format("%s.pem", hex);
        wanted->mode = 0644;
        wanted->index = -1;
    }
    status = od_view_may_add(&s->views[at], wanted, entry->der, err);
    if (status == XR_OK)
        status = make_place(s, at, err);
    if (status == XR_OK)
        status = od_view_add(&s->views[at], wanted, entry->der, err);
out:
    od_file_free(wanted);
    return status;
}

static enum xr_status check_want(const struct xr_state *want, struct xr_error *err)
{
    for (size_t i = 0; want != NULL && i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if (entry->attached_count > 0)
            return xr_fail(err, XR_REFUSED, "this store cannot hold attached extensions");
        if (entry->subject.type != XR_SUBJECT_CERT && entry->subject.type != XR_SUBJECT_CRL)
            return xr_fail(err, XR_REFUSED, "this store holds certificates and CRLs only");
        if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE &&
            entry->native.len == 0)
            return xr_fail(err, XR_REFUSED, "this store cannot restrict an anchor to a purpose");
    }
    return XR_OK;
}

/* One certificate cannot be cut out of a file of several; it can stay if it stays in its place. */
static enum xr_status check_removable(const struct holdings *now, const struct xr_state *want,
                                      struct xr_error *err)
{
    uint32_t staying = 0; /* places */

    for (size_t i = 0; want != NULL && i < want->count; i++) {
        if ((unsigned)want->entries[i]->place < XR_PLACE_COUNT)
            staying |= XR_PLACE_BIT(want->entries[i]->place);
    }
    for (size_t i = 0; i < now->count; i++) {
        const struct holding *h = &now->items[i];

        if ((staying & XR_PLACE_BIT(h->view->shape->place)) == 0 && fixed_reason(h->file) != NULL)
            return xr_fail(err, XR_REFUSED, "%s/%s %s", h->view->shape->dir, h->file->name,
                           fixed_reason(h->file));
    }
    return XR_OK;
}

/* A file of somebody else's without its link would look like one that never counted: that it is
 * going is recorded first, for the flush after a crash. */
static enum xr_status remove_file(struct xr_session *s, struct view *view, struct file *file,
                                  struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!od_view_ours(file) && view->shape->hashed && strchr(file->name, '\n') == NULL) {
        char *path = xr_format("%s/%s", view->shape->dir, file->name);

        status = od_write_gone(s, path, err);
        free(path);
    }
    return status == XR_OK ? od_view_remove(view, file, err) : status;
}

enum xr_status od_swap(struct xr_session *s, const struct xr_state *expect,
                       const struct xr_state *want, struct xr_error *err)
{
    const struct xr_state *given = want != NULL ? want : expect; /* core gives at least one */
    const struct xr_subject subject = given->subject;
    struct holdings now = {0};
    enum xr_status status = check_want(want, err);

    if (status == XR_OK && s->dir < 0 && !as_expected(s, &now, expect))
        status = xr_fail(err, XR_CONFLICT, "the store no longer exists");
    if (status == XR_OK && s->dir < 0 && want != NULL)
        status = od_ensure_top(s, err);
    if (status == XR_OK)
        status = od_load(s, err);
    if (status != XR_OK)
        return status;
    find_holdings(&now, s, &subject);
    if (!as_expected(s, &now, expect)) {
        status = xr_fail(err, XR_CONFLICT, "the store has changed meanwhile");
        goto out;
    }
    status = check_removable(&now, want, err);
    for (size_t i = 0; want != NULL && status == XR_OK && i < want->count; i++) {
        status = realise(s, &now, want->entries[i], err);
        /* Only what changed nothing may be called a conflict or a refusal. */
        if (i > 0 && (status == XR_CONFLICT || status == XR_REFUSED))
            status = XR_FAILED;
    }
    for (size_t i = 0; status == XR_OK && i < now.count; i++) {
        if (!now.items[i].kept && now.items[i].file->held.count != 1)
            status =
                xr_fail(err, XR_FAILED, "%s holds several certificates", now.items[i].file->name);
        else if (!now.items[i].kept)
            status = remove_file(s, now.items[i].view, now.items[i].file, err);
    }
out:
    free(now.items);
    if (status != XR_OK && status != XR_CONFLICT && status != XR_REFUSED)
        od_unload(s); /* half done: what is there has to be looked at */
    return status;
}
