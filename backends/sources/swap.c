/* SPDX-License-Identifier: Apache-2.0 */
/* The one operation that changes entries: files of the sources, and lines of ca-certificates.conf. */
#include "swapping.h"

#include "sys/linux/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Editors and packages take no lock, so checks that the files are still as listed. */
static bool edited(const struct swapping *w)
{
    const struct xr_session *s = w->s;
    struct ca_stamp none = {0}, stamp = {0};
    struct stat st;

    if (s->layout->conf != NULL) {
        if (ca_stat(&st, s, s->layout->conf, true))
            stamp = ca_stamp_of(&st);
        if (!ca_same_stamp(&stamp, &s->conf_stamp))
            return true;
    }
    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_file *file = w->now.items[i].cert->file;

        stamp = none;
        if (ca_stat(&st, s, file->path, true))
            stamp = ca_stamp_of(&st);
        if (!ca_same_stamp(&stamp, &file->stamp))
            return true;
    }
    return false;
}

static bool as_expected(const struct swapping *w, const struct xr_state *expect)
{
    size_t count = w->now.count;
    struct ca_shown *shown = xr_new(count, sizeof(*shown));
    const struct xr_entry **list = xr_new(count, sizeof(*list));
    struct xr_state have = {.size = sizeof(have), .entries = list, .count = count};
    bool equal = false;

    for (size_t i = 0; i < count; i++) {
        ca_shown_init(&shown[i], w->s, w->now.items[i].cert);
        list[i] = &shown[i].entry;
        have.subject = shown[i].entry.subject;
    }
    equal = w->s->host->state_equal(count > 0 ? &have : NULL, expect);
    for (size_t i = 0; i < count; i++)
        ca_shown_free(&shown[i]);
    free(shown);
    free((void *)list);
    return equal;
}

/* Does an existing entry already give what is wanted? */
static bool serves(const struct xr_session *s, const struct ca_cert *cert,
                   const struct xr_entry *entry, const struct ca_record *record)
{
    struct xr_buf native = {0};
    bool same = false;

    if (cert->place != entry->place || (s->layout->objects && cert->purposes != entry->purposes))
        return false;
    if (record == NULL)
        return true;
    ca_native(&native, s, cert);
    same =
        native.len == entry->native.len && memcmp(native.data, entry->native.data, native.len) == 0;
    xr_buf_free(&native);
    return same;
}

static bool keep(struct swapping *w, const struct xr_entry *entry, const struct ca_record *record)
{
    for (size_t i = 0; i < w->now.count; i++) {
        struct holding *h = &w->now.items[i];

        if (!h->kept && serves(w->s, h->cert, entry, record)) {
            h->kept = true;
            return true;
        }
    }
    return false;
}

/* A distrust in a store that can only deselect packaged files: all files with it must be
 * packaged. */
static enum xr_status plan_deselect(struct swapping *w, struct xr_error *err)
{
    size_t packaged = 0;

    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_file *file = w->now.items[i].cert->file;

        if (!file->vendor)
            continue;
        packaged++;
        if (file->objects != 1)
            return xr_fail(err, XR_REFUSED,
                           "/%s holds several certificates, which would all be "
                           "removed",
                           file->path);
    }
    if (packaged == 0)
        return xr_fail(err, XR_REFUSED, "no package ships it: remove it instead");
    w->deselects = true;
    return XR_OK;
}

static bool write_over(struct swapping *w, const struct write *made)
{
    const struct ca_file *there = ca_find_file(w->s, made->path);

    if (w->s->layout->objects && there != NULL && there->stamp.ino != 0 && there->objects == 0 &&
        strncmp(ca_name(made->path), CA_OURS, strlen(CA_OURS)) == 0 && ca_only_purposes(w, there))
        return true;
    for (size_t i = 0; w->s->layout->objects && made->target == NULL && i < w->now.count; i++) {
        struct holding *h = &w->now.items[i];

        if (h->kept || h->cert->vendor || h->cert->file->target != NULL ||
            strcmp(h->cert->file->path, made->path) != 0 ||
            ca_fixed_reason(w->s, h->cert->file) != NULL)
            continue;
        h->kept = h->over = true;
        return true;
    }
    return false;
}

/* Extensions that stay in other files are not written again. */
static struct xr_buf content_of(const struct swapping *w, const struct xr_entry *entry)
{
    struct xr_entry alone = *entry;
    struct xr_attached *attached = xr_new(entry->attached_count, sizeof(*attached));
    struct xr_buf out = {0};

    alone.attached = attached;
    alone.attached_count = 0;
    for (size_t i = 0; i < entry->attached_count; i++) {
        const struct xr_attached *wanted = xr_attached_at(entry, i);

        if (!ca_key_keeps(w, wanted->value))
            attached[alone.attached_count++] = *wanted;
    }
    out = ca_canonical(w->s, &alone);
    free(attached);
    return out;
}

static enum xr_status plan_write(struct swapping *w, const struct xr_entry *entry,
                                 const struct ca_record *record, struct xr_error *err)
{
    const struct ca_layout *layout = w->s->layout;
    const char *dir =
        entry->place == XR_DISTRUST && !layout->objects ? w->s->blocklist : layout->anchors;
    char hex[2 * XR_SHA256_LEN + 1];
    struct write *made = NULL;
    struct stat st;

    if (record != NULL && record->form != CA_FORM_CANONICAL && record->form != CA_FORM_CONTENT &&
        record->form != CA_FORM_LINK)
        return xr_fail(err, XR_REFUSED, "/%s cannot be restored from its record", record->path);
    xr_hex(hex, entry->subject.id, XR_SHA256_LEN);
    made = XR_PUSH(&w->writes);
    made->path =
        record != NULL
            ? xr_strdup(record->path)
            : xr_format("%s/%s%s%s%s", dir, CA_OURS, hex,
                        layout->objects && entry->place == XR_DISTRUST ? "-distrusted" : "",
                        layout->extension);
    made->mode = record != NULL ? record->mode : 0644;
    if (record != NULL && record->form == CA_FORM_LINK)
        made->target = xr_memdup(record->rest.data, record->rest.len);
    else if (record != NULL && record->form == CA_FORM_CONTENT)
        xr_buf_add(&made->content, record->rest.data, record->rest.len);
    else
        made->content = content_of(w, entry);
    if (!write_over(w, made) && ca_stat(&st, w->s, made->path, false))
        return xr_fail(err, XR_CONFLICT, "/%s is in the way", made->path);
    if (made->target != NULL && !ca_link_makes(w->s, entry, made->path, made->target))
        return xr_fail(err, XR_REFUSED, "/%s would not lead to what it led to before", made->path);
    if (record != NULL && made->target == NULL &&
        !ca_makes(w->s, entry, made->path, &made->content))
        return xr_fail(err, XR_INVALID, "the record of this entry is damaged");
    return XR_OK;
}

static enum xr_status plan_want(struct swapping *w, const struct xr_entry *entry,
                                struct xr_error *err)
{
    struct ca_record record = {.form = CA_FORM_CANONICAL};
    const struct ca_record *given = NULL;
    enum xr_status status = XR_OK;

    if (entry->native.len > 0) {
        if (!ca_record(&record, w->s, entry->native))
            return xr_fail(err, XR_INVALID, "the record of this entry is damaged");
        given = &record;
    }
    if (!keep(w, entry, given)) {
        if (w->s->layout->family == CA_LIST && entry->place == XR_DISTRUST)
            status = plan_deselect(w, err);
        else
            status = plan_write(w, entry, given, err);
    }
    if (given != NULL)
        free(record.path);
    return status;
}

static enum xr_status check_going(const struct swapping *w, const struct xr_state *want,
                                  struct xr_error *err)
{
    bool stays = false; /* an anchor, as we write it */

    for (size_t i = 0; want != NULL && i < want->count; i++)
        stays =
            stays || (want->entries[i]->place == XR_ANCHOR && want->entries[i]->native.len == 0);
    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_cert *cert = w->now.items[i].cert;
        const char *reason =
            cert->by_list || cert->vendor ? NULL : ca_fixed_reason(w->s, cert->file);

        if (stays && cert->place == XR_ANCHOR && w->s->layout->family == CA_P11 &&
            w->s->p11.certs.items[cert->object].dated &&
            (!w->now.items[i].kept || w->now.items[i].over))
            return xr_fail(err, XR_REFUSED,
                           "/%s has a date after which NSS trusts nothing that it issues, and that "
                           "date would be lost: remove the file first",
                           cert->file->path);
        if (w->now.items[i].kept)
            continue;
        if (cert->vendor && !cert->by_list)
            return xr_fail(err, XR_REFUSED, "/%s comes with the system", cert->file->path);
        if (cert->by_list && cert->file->objects != 1)
            return xr_fail(err, XR_REFUSED, "/%s holds several certificates", cert->file->path);
        if (reason != NULL)
            return xr_fail(err, XR_REFUSED, "/%s %s", cert->file->path, reason);
    }
    return XR_OK;
}

static void mark_dirty(struct xr_session *s, const char *path)
{
    const char *name = ca_name(path);
    char *dir = xr_memdup(path, name == path ? 0 : (size_t)(name - path) - 1);
    bool known = false;

    for (size_t i = 0; i < s->dirty_dirs.count; i++)
        known = known || strcmp(s->dirty_dirs.items[i], dir) == 0;
    if (!known)
        xr_strings_add(&s->dirty_dirs, dir);
    ca_forget(s, path);
    free(dir);
}

/* Core knows the name in the directory alone. */
static enum xr_status write_whole(const struct xr_session *s, int dir, const char *path,
                                  struct xr_bytes data, unsigned mode, struct xr_error *err)
{
    struct xr_error why = {0};
    enum xr_status status = s->host->write_atomic(dir, ca_name(path), data, mode, &why);

    if (status == XR_OK)
        return XR_OK;
    return xr_error_set(err, status, why.domain, why.code, "cannot write /%s: %s", path,
                        strcmp(why.domain, "errno") == 0 ? strerror((int)why.code) : why.text);
}

static enum xr_status write_source(struct xr_session *s, const struct write *write,
                                   struct xr_error *err)
{
    const char *name = ca_name(write->path);
    char *dir = xr_memdup(write->path, (size_t)(name - write->path) - 1);
    enum xr_status status = ca_make_dirs(s, dir, 0755, err);
    int fd = status == XR_OK ? ca_open(s, dir, O_RDONLY | O_DIRECTORY) : -1;

    if (status == XR_OK && fd < 0)
        status = xr_fail_errno(err, "cannot open /%s", dir);
    if (status == XR_OK && write->target != NULL) {
        if (symlinkat(write->target, fd, name) != 0)
            status = xr_fail_errno(err, "cannot make the link /%s", write->path);
        else
            xr_owner_give_link(fd, name, NULL);
    } else if (status == XR_OK) {
        struct xr_bytes data = {(const unsigned char *)write->content.data, write->content.len};

        status = write_whole(s, fd, write->path, data, write->mode, err);
    }
    if (fd >= 0)
        (void)close(fd);
    mark_dirty(s, write->path);
    free(dir);
    return status;
}

static enum xr_status remove_source(struct xr_session *s, const char *path, struct xr_error *err)
{
    int fd = ca_open_parent(s, path);
    enum xr_status status = XR_OK;

    if (fd < 0 || unlinkat(fd, ca_name(path), 0) != 0)
        status = xr_fail_errno(err, "cannot remove /%s", path);
    if (fd >= 0)
        (void)close(fd);
    mark_dirty(s, path);
    return status;
}

/* Selects or deselects every packaged file of the subject. */
static enum xr_status write_conf(const struct swapping *w, bool deselected, struct xr_error *err)
{
    struct xr_session *s = w->s;
    struct xr_buf text = {0};
    const char *vendor = s->layout->vendor;
    int fd = -1;
    struct stat st;
    enum xr_status status = XR_OK;

    xr_buf_add(&text, s->conf.data, s->conf.len);
    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_file *file = w->now.items[i].cert->file;
        struct xr_buf next = {0};

        if (!file->vendor)
            continue;
        next = ca_conf_set(&text, file->path + strlen(vendor) + 1, deselected);
        xr_buf_free(&text);
        text = next;
    }
    if (!ca_stat(&st, s, s->layout->conf, false) || !S_ISREG(st.st_mode))
        status = xr_fail(err, XR_FAILED, "/%s is a link or not a regular file", s->layout->conf);
    else if ((fd = ca_open_parent(s, s->layout->conf)) < 0)
        status = xr_fail_errno(err, "cannot open the directory of /%s", s->layout->conf);
    else
        status = write_whole(s, fd, s->layout->conf,
                             (struct xr_bytes){(const unsigned char *)text.data, text.len},
                             st.st_mode & 0777, err);
    if (fd >= 0)
        (void)close(fd);
    mark_dirty(s, s->layout->conf);
    xr_buf_free(&text);
    return status;
}

/* Creates new files before it removes old ones. */
static enum xr_status carry_out(struct swapping *w, struct xr_error *err)
{
    enum xr_status status = w->deselects ? write_conf(w, true, err) : XR_OK;
    bool selects = false;

    for (size_t i = 0; status == XR_OK && i < w->writes.count; i++)
        status = write_source(w->s, &w->writes.items[i], err);
    for (size_t i = 0; status == XR_OK && i < w->now.count; i++) {
        const struct holding *h = &w->now.items[i];

        if (h->kept)
            continue;
        if (h->cert->by_list)
            selects = true;
        else
            status = remove_source(w->s, h->cert->file->path, err);
    }
    if (status == XR_OK && selects)
        status = write_conf(w, false, err);
    /* A conflict or a refusal promises that nothing was changed, so it is reported only then. */
    return status == XR_CONFLICT || status == XR_REFUSED ? XR_FAILED : status;
}

static void swapping_free(struct swapping *w)
{
    for (size_t i = 0; i < w->writes.count; i++) {
        free(w->writes.items[i].path);
        free(w->writes.items[i].target);
        xr_buf_free(&w->writes.items[i].content);
    }
    free(w->writes.items);
    free(w->now.items);
    pf_free(&w->made);
}

static struct touch touch_of(const struct xr_session *s, const struct xr_state *state)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct touch touch = {.known = state->subject.type == XR_SUBJECT_ISSUER_SERIAL};

    memcpy(touch.subject, state->subject.id, sizeof(touch.subject));
    if (state->subject.type != XR_SUBJECT_CERT ||
        s->host->slices(&slices, state->entries[0]->der, NULL) != XR_OK)
        return touch;
    touch.known = true;
    touch.spki = slices.spki;
    s->host->sha256(touch.key, slices.spki);
    return touch;
}

static bool touched(const struct xr_session *s, const struct touch *touch)
{
    size_t value = 0;

    return !touch->known || xr_idmap_get(&s->touched, touch->subject, &value);
}

static void note_touch(struct xr_session *s, const struct touch *touch)
{
    bool added = false;

    s->ahead = touch->known;
    (void)xr_idmap_put(&s->touched, touch->subject, 0, &added);
    if (touch->spki.len > 0)
        (void)xr_idmap_put(&s->touched, touch->key, 0, &added);
}

/* Finds what the store holds of the subject, as it is now. */
static enum xr_status look(struct swapping *w, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!w->s->loaded && (!w->s->ahead || touched(w->s, w->touch)))
        status = ca_load(w->s, err); /* else listed under this lock */
    if (status != XR_OK)
        return status;
    ca_find_holdings(w, w->subject);
    if (!edited(w))
        return XR_OK;
    w->now.count = 0;
    w->s->sure = false;
    status = ca_load(w->s, err);
    if (status == XR_OK)
        ca_find_holdings(w, w->subject);
    return status;
}

static enum xr_status plan(struct swapping *w, const struct xr_state *expect,
                           const struct xr_state *want, bool *stale, struct xr_error *err)
{
    enum xr_status status = look(w, err);

    if (status == XR_OK && !as_expected(w, expect))
        status = xr_fail(err, XR_CONFLICT, "the store has changed meanwhile");
    for (size_t i = 0; want != NULL && status == XR_OK && i < want->count; i++)
        status = plan_want(w, want->entries[i], err);
    if (status == XR_OK)
        status = check_going(w, want, err);
    return status == XR_OK ? ca_check_key(w, want, stale, err) : status;
}

enum xr_status ca_swap(struct xr_session *s, const struct xr_state *expect,
                       const struct xr_state *want, struct xr_error *err)
{
    const struct xr_subject *subject = want != NULL ? &want->subject : &expect->subject;
    struct touch touch = touch_of(s, want != NULL ? want : expect);
    struct swapping w = {.s = s, .subject = subject, .touch = &touch, .made = {.host = s->host}};
    bool stale = false;
    enum xr_status status = ca_check_want(s, want, err);

    if (status != XR_OK)
        return status;
    status = plan(&w, expect, want, &stale, err);
    if (stale) {
        swapping_free(&w);
        w = (struct swapping){
            .s = s, .subject = subject, .touch = &touch, .made = {.host = s->host}};
        stale = false;
        s->ahead = false;
        status = plan(&w, expect, want, &stale, err);
    }
    if (status == XR_OK) {
        status = carry_out(&w, err);
        if (status == XR_OK) {
            ca_note_key(&w);
            note_touch(s, &touch);
        }
    }
    swapping_free(&w);
    return status;
}
