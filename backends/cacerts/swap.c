/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as the table sees them, and the one operation that changes them: files of the anchors and
 * the blocklist directory, and lines of ca-certificates.conf. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NATIVE_CONTENT_MAX ((size_t)512 << 10)
#define OURS               "crossroot-"

/* ---- native: what puts an entry back: form, mode, path, content ---- */

enum form {
    FORM_CANONICAL, /* one PEM block, as we write it */
    FORM_CONTENT,
    FORM_LINK,
    FORM_FIXED,  /* cannot be remade, and so is not removed */
    FORM_VENDOR, /* comes with a package */
    FORM_LINE,   /* a ! line about a packaged file */
};

struct record {
    enum form form;
    unsigned mode;
    char *path;
    struct xr_bytes rest; /* content or target, borrowed */
};

static void put32(struct xr_buf *out, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
                              (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    xr_buf_add(out, bytes, sizeof(bytes));
}

static bool get32(uint32_t *out, struct xr_bytes *in)
{
    if (in->len < 4)
        return false;
    *out = (uint32_t)in->data[0] | (uint32_t)in->data[1] << 8 | (uint32_t)in->data[2] << 16 |
           (uint32_t)in->data[3] << 24;
    in->data += 4;
    in->len -= 4;
    return true;
}

static struct xr_buf canonical(const struct xr_session *s, struct xr_bytes der)
{
    size_t len = 0;
    char *pem = s->host->pem("CERTIFICATE", der, &len);
    struct xr_buf out = {0};

    xr_buf_add(&out, pem, len);
    s->host->release(pem);
    return out;
}

/* Why a file of somebody else's cannot be remade from a record, or NULL. */
static const char *fixed_reason(const struct xr_session *s, const struct ca_file *file)
{
    static const char key[] = "PRIVATE KEY-----";

    if (file->objects != 1)
        return "holds several certificates: split it by hand first";
    if (s->layout->family == CA_P11 && !file->only_object)
        return "holds more than a certificate: change it by hand";
    if (file->target != NULL)
        return NULL;
    if (file->content.len > NATIVE_CONTENT_MAX)
        return "is too large to be kept for an undo: remove it by hand";
    if (memmem(file->content.data, file->content.len, key, sizeof(key) - 1) != NULL)
        return "holds a private key, which is never copied: remove it by hand";
    return NULL;
}

static enum form form_of(const struct xr_session *s, const struct ca_cert *cert)
{
    const struct ca_file *file = cert->file;
    struct xr_buf plain = {0};
    enum form form = FORM_CONTENT;

    if (cert->by_list)
        return FORM_LINE;
    if (cert->vendor)
        return FORM_VENDOR;
    if (fixed_reason(s, file) != NULL)
        return FORM_FIXED;
    if (file->target != NULL)
        return FORM_LINK;
    plain = canonical(s, cert->der);
    if (plain.len == file->content.len && memcmp(plain.data, file->content.data, plain.len) == 0)
        form = FORM_CANONICAL;
    xr_buf_free(&plain);
    return form;
}

static void native_of(struct xr_buf *out, const struct xr_session *s, const struct ca_cert *cert)
{
    enum form form = form_of(s, cert);

    put32(out, form);
    put32(out, form == FORM_LINE || form == FORM_VENDOR ? 0 : cert->file->mode);
    put32(out, (uint32_t)strlen(cert->file->path));
    xr_buf_str(out, cert->file->path);
    if (form == FORM_CONTENT)
        xr_buf_add(out, cert->file->content.data, cert->file->content.len);
    else if (form == FORM_LINK)
        xr_buf_str(out, cert->file->target);
}

/* Is it below dir, by plain names? */
static bool below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    if (strncmp(path, dir, len) != 0 || path[len] != '/')
        return false;
    for (const char *at = path + len; *at != '\0';) {
        size_t part = strcspn(at + 1, "/");

        if (part == 0 || (part == 1 && at[1] == '.') || (part == 2 && at[1] == '.' && at[2] == '.'))
            return false;
        at += part + 1;
    }
    return true;
}

/* A record is the journal's, and to be doubted: only where sources of an administrator lie, and only
 * as a file that counts. */
static bool may_write(const struct xr_session *s, const char *path)
{
    if (s->layout->family == CA_LIST)
        return below(path, s->layout->anchors) && ca_name_counts(s->layout, ca_name(path));
    for (size_t i = 0; i < CA_TOKENS_MAX && s->layout->tokens[i].path != NULL; i++) {
        if (!s->layout->tokens[i].vendor && below(path, s->layout->tokens[i].path))
            return true;
    }
    return false;
}

static bool record_of(struct record *out, const struct xr_session *s, struct xr_bytes in)
{
    uint32_t value[3];

    *out = (struct record){.form = FORM_CANONICAL};
    for (size_t i = 0; i < 3; i++) {
        if (!get32(&value[i], &in))
            return false;
    }
    if (value[0] > FORM_LINE || value[2] == 0 || value[2] > in.len || value[2] > 4095 ||
        memchr(in.data, '\0', value[2]) != NULL)
        return false;
    out->form = (enum form)value[0];
    out->mode = value[1] & 0777;
    out->path = xr_memdup(in.data, value[2]);
    out->rest = (struct xr_bytes){in.data + value[2], in.len - value[2]};
    if (out->form == FORM_VENDOR || out->form == FORM_LINE || may_write(s, out->path))
        return true;
    free(out->path);
    return false;
}

/* ---- list ---- */

static bool ours(const struct ca_cert *cert)
{
    char hex[2 * XR_SHA256_LEN + 1];
    const char *name = ca_name(cert->file->path);

    xr_hex(hex, cert->sha256, XR_SHA256_LEN);
    return !cert->by_list && !cert->vendor && strncmp(name, OURS, strlen(OURS)) == 0 &&
           strncmp(name + strlen(OURS), hex, strlen(hex)) == 0;
}

struct shown {
    struct xr_entry entry;
    struct xr_buf native;
    char *label;
};

static void shown_init(struct shown *out, const struct xr_session *s, const struct ca_cert *cert)
{
    struct xr_entry *entry = &out->entry;

    *out = (struct shown){.entry = {.size = sizeof(*entry)}};
    native_of(&out->native, s, cert);
    entry->subject.type = XR_SUBJECT_CERT;
    memcpy(entry->subject.id, cert->sha256, XR_SHA256_LEN);
    entry->place = cert->place;
    entry->purposes = cert->purposes;
    entry->der = cert->der;
    entry->flags = (cert->vendor ? (uint32_t)XR_ENTRY_VENDOR : 0u) |
                   (ours(cert) ? (uint32_t)XR_ENTRY_OURS : 0u);
    if (!(entry->flags & XR_ENTRY_OURS))
        entry->label = out->label = xr_visible(ca_name(cert->file->path));
    entry->native = (struct xr_bytes){(const unsigned char *)out->native.data, out->native.len};
}

static void shown_free(struct shown *shown)
{
    xr_buf_free(&shown->native);
    free(shown->label);
}

enum xr_status ca_list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    /* A flush has just read what a swap wrote: that is what is there. */
    enum xr_status status = s->fresh ? XR_OK : ca_load(s, err);

    s->fresh = false;
    for (size_t i = 0; status == XR_OK && i < s->certs.count; i++) {
        struct shown shown;

        shown_init(&shown, s, &s->certs.items[i]);
        status = emit(ctx, &shown.entry);
        shown_free(&shown);
    }
    return status;
}

/* ---- swap ---- */

struct holding {
    struct ca_cert *cert;
    bool kept;
};

struct write {
    char *path;
    struct xr_buf content;
    char *target; /* a link, or NULL */
    unsigned mode;
};

/* What has to happen, decided before anything does. */
struct swapping {
    struct xr_session *s;
    struct {
        struct holding *items;
        size_t count, capacity;
    } now;
    struct {
        struct write *items;
        size_t count, capacity;
    } writes;
    bool deselects;
};

static void find_holdings(struct swapping *w, const struct xr_subject *subject)
{
    for (size_t i = 0; i < w->s->certs.count; i++) {
        if (subject->type == XR_SUBJECT_CERT &&
            memcmp(w->s->certs.items[i].sha256, subject->id, XR_SHA256_LEN) == 0)
            XR_PUSH(&w->now)->cert = &w->s->certs.items[i];
    }
}

static bool as_expected(const struct swapping *w, const struct xr_state *expect)
{
    size_t count = w->now.count;
    struct shown *shown = xr_new(count, sizeof(*shown));
    const struct xr_entry **list = xr_new(count, sizeof(*list));
    struct xr_state have = {.size = sizeof(have), .entries = list, .count = count};
    bool equal = false;

    for (size_t i = 0; i < count; i++) {
        shown_init(&shown[i], w->s, w->now.items[i].cert);
        list[i] = &shown[i].entry;
        have.subject = shown[i].entry.subject;
    }
    equal = w->s->host->state_equal(count > 0 ? &have : NULL, expect);
    for (size_t i = 0; i < count; i++)
        shown_free(&shown[i]);
    free(shown);
    free((void *)list);
    return equal;
}

static enum xr_status check_want(const struct xr_session *s, const struct xr_state *want,
                                 struct xr_error *err)
{
    for (size_t i = 0; want != NULL && i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];
        struct xr_slices slices = {.size = sizeof(slices)};
        unsigned char sum[XR_SHA256_LEN];

        if (entry->subject.type != want->subject.type ||
            memcmp(entry->subject.id, want->subject.id, XR_SHA256_LEN) != 0)
            return xr_fail(err, XR_INVALID, "an entry is of another subject than its state");
        if (entry->attached_count > 0)
            return xr_fail(err, XR_REFUSED, "this store cannot hold attached extensions");
        if (entry->subject.type != XR_SUBJECT_CERT)
            return xr_fail(err, XR_REFUSED, "this store holds certificates only");
        s->host->sha256(sum, entry->der);
        if (memcmp(sum, entry->subject.id, sizeof(sum)) != 0)
            return xr_fail(err, XR_INVALID, "an entry's bytes are not its subject's");
        if (s->host->slices(&slices, entry->der, err) != XR_OK)
            return XR_INVALID;
        if (entry->native.len > 0)
            continue; /* put back as it was; a wish says less */
        if (entry->place != XR_ANCHOR && entry->place != XR_DISTRUST)
            return xr_fail(err, XR_REFUSED, "this store has no place for a %s",
                           xr_place_name(entry->place));
        if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE)
            return xr_fail(err, XR_REFUSED, "this store cannot restrict an anchor to a purpose");
    }
    return XR_OK;
}

/* Does what is there serve for a wanted entry? */
static bool serves(const struct xr_session *s, const struct ca_cert *cert,
                   const struct xr_entry *entry, const struct record *record)
{
    struct xr_buf native = {0};
    bool same = false;

    if (cert->place != entry->place)
        return false;
    if (record == NULL)
        return true;
    native_of(&native, s, cert);
    same =
        native.len == entry->native.len && memcmp(native.data, entry->native.data, native.len) == 0;
    xr_buf_free(&native);
    return same;
}

static bool keep(struct swapping *w, const struct xr_entry *entry, const struct record *record)
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

/* A distrust where only packaged files can be deselected: all files of it have to be such. */
static enum xr_status plan_deselect(struct swapping *w, struct xr_error *err)
{
    size_t packaged = 0;

    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_file *file = w->now.items[i].cert->file;

        if (!file->vendor)
            continue;
        packaged++;
        if (file->objects != 1)
            return xr_fail(err, XR_REFUSED, "/%s holds several certificates, which would all go",
                           file->path);
    }
    if (packaged == 0)
        return xr_fail(err, XR_REFUSED, "no package ships it: remove it instead");
    w->deselects = true;
    return XR_OK;
}

static enum xr_status plan_write(struct swapping *w, const struct xr_entry *entry,
                                 const struct record *record, struct xr_error *err)
{
    const struct ca_layout *layout = w->s->layout;
    const char *dir = entry->place == XR_DISTRUST ? w->s->blocklist : layout->anchors;
    char hex[2 * XR_SHA256_LEN + 1];
    struct write *made = NULL;
    struct stat st;

    if (record != NULL && (record->form == FORM_VENDOR || record->form == FORM_FIXED))
        return xr_fail(err, XR_REFUSED, "/%s cannot be remade from its record", record->path);
    xr_hex(hex, entry->subject.id, XR_SHA256_LEN);
    made = XR_PUSH(&w->writes);
    made->path = record != NULL ? xr_strdup(record->path)
                                : xr_format("%s/%s%s%s", dir, OURS, hex, layout->extension);
    made->mode = record != NULL ? record->mode : 0644;
    if (record != NULL && record->form == FORM_LINK)
        made->target = xr_memdup(record->rest.data, record->rest.len);
    else if (record != NULL && record->form == FORM_CONTENT)
        xr_buf_add(&made->content, record->rest.data, record->rest.len);
    else
        made->content = canonical(w->s, entry->der);
    if (ca_stat(&st, w->s, made->path, false))
        return xr_fail(err, XR_CONFLICT, "/%s is in the way", made->path);
    return XR_OK;
}

static enum xr_status plan_want(struct swapping *w, const struct xr_entry *entry,
                                struct xr_error *err)
{
    struct record record;
    const struct record *given = NULL;
    enum xr_status status = XR_OK;

    if (entry->native.len > 0) {
        if (!record_of(&record, w->s, entry->native))
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

static enum xr_status check_going(const struct swapping *w, struct xr_error *err)
{
    for (size_t i = 0; i < w->now.count; i++) {
        const struct ca_cert *cert = w->now.items[i].cert;
        const char *reason = cert->by_list || cert->vendor ? NULL : fixed_reason(w->s, cert->file);

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
    } else if (status == XR_OK) {
        struct xr_bytes data = {(const unsigned char *)write->content.data, write->content.len};

        status = s->host->write_atomic(fd, name, data, write->mode, err);
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
        status = xr_fail(err, XR_FAILED, "/%s is a link or no regular file", s->layout->conf);
    else if ((fd = ca_open_parent(s, s->layout->conf)) < 0)
        status = xr_fail_errno(err, "cannot open the directory of /%s", s->layout->conf);
    else
        status = s->host->write_atomic(
            fd, ca_name(s->layout->conf),
            (struct xr_bytes){(const unsigned char *)text.data, text.len}, st.st_mode & 0777, err);
    if (fd >= 0)
        (void)close(fd);
    mark_dirty(s, s->layout->conf);
    xr_buf_free(&text);
    return status;
}

/* What comes is made before what goes is taken away. */
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
    /* Only what changed nothing may be called a conflict or a refusal. */
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
}

enum xr_status ca_swap(struct xr_session *s, const struct xr_state *expect,
                       const struct xr_state *want, struct xr_error *err)
{
    const struct xr_subject *subject = want != NULL     ? &want->subject
                                       : expect != NULL ? &expect->subject
                                                        : NULL;
    struct swapping w = {.s = s};
    enum xr_status status = XR_OK;

    if (subject == NULL)
        return xr_fail(err, XR_INVALID, "a swap of nothing for nothing");
    if (!s->write || s->lock < 0)
        return xr_fail(err, XR_DENIED, "the session is for reading");
    status = check_want(s, want, err);
    if (status == XR_OK && !s->loaded) /* else listed under this lock */
        status = ca_load(s, err);
    if (status != XR_OK)
        return status;
    find_holdings(&w, subject);
    if (!as_expected(&w, expect))
        status = xr_fail(err, XR_CONFLICT, "the store holds something else than expected");
    for (size_t i = 0; want != NULL && status == XR_OK && i < want->count; i++)
        status = plan_want(&w, want->entries[i], err);
    if (status == XR_OK)
        status = check_going(&w, err);
    if (status == XR_OK)
        status = carry_out(&w, err);
    swapping_free(&w);
    return status;
}
