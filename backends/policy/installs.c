/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policies.json of Firefox's family as a store of anchors. The file is its administrator's: only
 * elements of Certificates.Install that name a file of ours come and go. Those files are in a directory
 * of their own beside it, and are named by absolute paths.
 */
#include "edit.h"
#include "private.h"
#include "session.h"

#include "kit/der.h"
#include "sys/linux/owner.h"
#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES "crossroot" /* the directory */

static char *dir_of(const struct xr_session *s)
{
    return xr_memdup(s->path, (size_t)(strrchr(s->path, '/') - s->path));
}

static const char *name_of(const struct xr_session *s)
{
    return strrchr(s->path, '/') + 1;
}

/* The path of a certificate's file; name: its last component. */
static char *file_for(char name[2 * XR_SHA256_LEN + 5], const struct xr_session *s,
                      const unsigned char sha256[XR_SHA256_LEN])
{
    char *dir = dir_of(s), *path = NULL;

    xr_hex(name, sha256, XR_SHA256_LEN);
    (void)snprintf(name + 2 * XR_SHA256_LEN, 5, ".pem");
    path = xr_format("%s/" FILES "/%s", dir, name);
    free(dir);
    return path;
}

/* ---- which file counts ---- */

/* The file that keeps the browser from reading this one, or that this one would keep it from reading;
 * or NULL. */
static char *other_file(const struct xr_session *s, bool *hides)
{
    static const char tail[] = "/distribution/policies.json";

    *hides = false;
    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        for (const char *const *dir = p->installed; dir != NULL && *dir != NULL; dir++) {
            char *file = xr_format("%s%s", *dir, tail);
            bool this_one = strcmp(file, s->path) == 0;
            bool hidden = strcmp(p->path, s->path) == 0 && !policy_is(&s->root, p->path, S_IFREG) &&
                          policy_is(&s->root, file, S_IFREG);

            if (hidden) {
                *hides = true;
                return file;
            }
            free(file);
            if (this_one)
                return policy_is(&s->root, p->path, S_IFREG) ? xr_strdup(p->path) : NULL;
        }
    }
    return NULL;
}

/* ---- capabilities ---- */

static void refuse(struct xr_caps *caps, const char *format, ...) XR_PRINTF(2, 3);
static void refuse(struct xr_caps *caps, const char *format, ...)
{
    va_list args;

    caps->writable = caps->needs_privilege = false;
    caps->refused = true;
    va_start(args, format);
    (void)vsnprintf(caps->why_not, sizeof(caps->why_not), format, args);
    va_end(args);
}

static bool is_link(const struct xr_session *s)
{
    struct stat st;
    int fd = policy_open(&s->root, s->path, O_PATH | O_NOFOLLOW);
    bool link = fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);

    if (fd >= 0)
        (void)close(fd);
    return link;
}

/* Reads the file; none is one without bytes. For a look: links are followed. */
static enum xr_status look_at_text(struct xr_buf *out, const struct xr_session *s,
                                   struct xr_error *err)
{
    char why[128] = "";
    bool closed = false;
    enum policy_file file = policy_read(out, why, &closed, &s->root, s->path);

    if (file == POLICY_FILE_READ && out->len == 0)
        return xr_fail(err, XR_REFUSED, "%s is empty, which is no JSON: remove it first", s->path);
    if (file == POLICY_FILE_DENIED)
        return xr_fail(err, XR_DENIED, "cannot read %s", s->path);
    return file == POLICY_FILE_STRANGE ? xr_fail(err, XR_REFUSED, "%s: %s", s->path, why) : XR_OK;
}

static void describe_writable(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_error err = {0};
    struct xr_buf text = {0};
    char *dir = dir_of(s);
    bool hides = false;
    char *other = other_file(s, &hides);

    policy_dir_writable(caps, s, dir, name_of(s));
    if (strcmp(name_of(s), "policies.json") != 0)
        refuse(caps, N_("only a file with the name policies.json is written"));
    else if (other != NULL && hides)
        refuse(caps, N_("a new file would hide %.100s, which counts now: name policy:%.100s"),
               other, other);
    else if (other != NULL)
        refuse(caps, N_("nothing of it counts, because %.150s exists"), other);
    else if (is_link(s))
        refuse(caps, N_("%.150s is a link: name the file that it leads to"), s->path);
    else if (look_at_text(&text, s, &err) != XR_OK ||
             policy_edit_check((struct xr_bytes){(const unsigned char *)text.data, text.len},
                               &err) != XR_OK)
        refuse(caps, "%.80s: %.160s", s->path, err.text);
    xr_buf_free(&text);
    free(other);
    free(dir);
}

static void describe_read(struct xr_caps *caps, const struct xr_session *s)
{
    struct policy_firefox firefox = {0};
    bool hides = false;
    char *other = other_file(s, &hides);

    if (other != NULL && !hides) {
        (void)snprintf(caps->left_out, sizeof(caps->left_out),
                       N_("nothing of it counts, because %s exists"), other);
    } else {
        policy_firefox_read(&firefox, &s->root, s->path, NULL);
        if (firefox.system_roots)
            (void)snprintf(caps->left_out, sizeof(caps->left_out),
                           N_("Certificates.ImportEnterpriseRoots imports nothing on Linux"));
        policy_join(caps->left_out, sizeof(caps->left_out), &firefox.problems);
        if (firefox.stopped && caps->writable)
            refuse(caps,
                   N_("%.100s names a file in a way at which the browser stops reading: correct it "
                      "first"),
                   s->path);
        caps->serves_everybody = s->product != NULL && !firefox.closed;
        policy_firefox_free(&firefox);
    }
    free(other);
}

static void describe(struct xr_caps *caps, struct xr_session *s)
{
    const char *title = s->product != NULL ? s->product->title : N_("the browser");

    caps->places[XR_ANCHOR] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    (void)snprintf(caps->vendors, sizeof(caps->vendors), N_("one of the administrator's own"));
    caps->atomic = true;
    caps->shares_readers = true;
    (void)snprintf(caps->why_cannot[XR_INTERMEDIATE], sizeof(caps->why_cannot[0]),
                   N_("Certificates.Install makes an anchor of each certificate"));
    (void)snprintf(caps->why_cannot[XR_PEER], sizeof(caps->why_cannot[0]),
                   N_("Certificates.Install makes an anchor of each certificate"));
    (void)snprintf(caps->why_cannot[XR_DISTRUST], sizeof(caps->why_cannot[0]),
                   N_("policies of this browser cannot distrust a certificate"));
    (void)snprintf(caps->notice[XR_NOTICE_GIVEN], sizeof(caps->notice[0]),
                   N_("%s takes it into each profile at its next start"), title);
    (void)snprintf(caps->notice[XR_NOTICE_TAKEN], sizeof(caps->notice[0]),
                   N_("profiles in which %s started meanwhile keep it: crossroot --scope all-users "
                      "--store nss remove FILE takes it out of them"),
                   title);
    if (s->product != NULL)
        (void)snprintf(caps->serves, sizeof(caps->serves), "%s", s->product->name);
    describe_writable(caps, s);
    describe_read(caps, s);
}

/* ---- list ---- */

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    struct policy_firefox firefox = {0};
    enum xr_status status = XR_OK;
    bool hides = false;
    char *other = other_file(s, &hides);

    (void)err;
    if (other == NULL)
        policy_firefox_read(&firefox, &s->root, s->path, NULL);
    free(other);
    for (size_t i = 0; status == XR_OK && i < firefox.count; i++) {
        const struct policy_install *item = &firefox.items[i];
        struct xr_entry entry = {
            .size = sizeof(entry),
            .subject = {.type = XR_SUBJECT_CERT},
            .place = XR_ANCHOR,
            .purposes = XR_ANY_PURPOSE,
            .flags = XR_ENTRY_VENDOR,
            .label = item->file,
            .der = {(const unsigned char *)item->der.data, item->der.len},
            .remark =
                N_("installed in each profile at its start, for servers, clients and email, and "
                   "stays there")};
        char name[2 * XR_SHA256_LEN + 5], *own = NULL;

        s->host->sha256(entry.subject.id, entry.der);
        own = file_for(name, s, entry.subject.id);
        if (strcmp(own, item->file) == 0)
            entry.flags = XR_ENTRY_OURS;
        free(own);
        status = emit(ctx, &entry);
    }
    policy_firefox_free(&firefox);
    return status;
}

/* ---- swap ---- */

static int open_files(const struct xr_session *s)
{
    return openat(s->dir, FILES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static enum xr_status write_certificate(struct xr_session *s, const char *name, struct xr_bytes der,
                                        struct xr_error *err)
{
    size_t len = 0;
    char *pem = s->host->pem("CERTIFICATE", der, &len);
    struct xr_bytes bytes = {(const unsigned char *)pem, len};
    enum xr_status status = XR_OK;
    int fd = -1;

    if (!xr_owner_mkdir(s->dir, FILES, 0755) && errno != EEXIST)
        status = xr_fail_errno(err, "cannot make crossroot beside %s", s->path);
    if (status == XR_OK && (fd = open_files(s)) < 0)
        status = xr_fail_errno(err, "cannot open crossroot beside %s", s->path);
    if (status == XR_OK)
        status = s->host->write_atomic(fd, name, bytes, 0644, err);
    /* The policy must not name a file that a power cut takes. */
    if (status == XR_OK && (fsync(fd) != 0 || fsync(s->dir) != 0))
        status = xr_fail_errno(err, "cannot make %s durable", name);
    if (fd >= 0)
        (void)close(fd);
    s->host->release(pem);
    return status;
}

/* The file as it was when it was read, in the directory that is locked. */
struct text {
    struct xr_buf bytes;
    bool there;
    struct stat st;
};

/* No link is followed any more: a user whose directory it is could have put one there meanwhile. */
static enum xr_status read_text(struct text *out, const struct xr_session *s, struct xr_error *err)
{
    int fd = xr_open_regular(s->dir, name_of(s), &out->st);
    enum xr_status status = XR_OK;

    out->there = fd >= 0;
    if (fd < 0)
        return errno == ENOENT ? XR_OK : xr_fail_errno(err, "cannot read %s", s->path);
    if (!xr_read_whole(&out->bytes, fd, POLICY_FILE_MAX))
        status = xr_fail_errno(err, "cannot read %s", s->path);
    else if (out->bytes.len == 0)
        status = xr_fail(err, XR_REFUSED, "%s is empty, which is no JSON", s->path);
    (void)close(fd);
    return status;
}

static struct xr_bytes bytes_of(const struct text *text)
{
    return (struct xr_bytes){(const unsigned char *)text->bytes.data, text->bytes.len};
}

/* Editors take no lock: what somebody saved meanwhile is not overwritten. */
static bool unchanged(const struct xr_session *s, const struct text *text)
{
    struct stat now;
    const struct stat *was = &text->st;

    if (fstatat(s->dir, name_of(s), &now, AT_SYMLINK_NOFOLLOW) != 0)
        return !text->there && errno == ENOENT;
    return text->there && now.st_dev == was->st_dev && now.st_ino == was->st_ino &&
           now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static enum xr_status write_policy(struct xr_session *s, const struct text *before,
                                   const struct xr_buf *edited, bool gone, struct xr_error *err)
{
    struct xr_bytes bytes = {(const unsigned char *)edited->data, edited->len};
    unsigned mode = before->there ? before->st.st_mode & 0777 : 0644;

    if (!unchanged(s, before))
        return xr_fail(err, XR_FAILED, "%s was changed by somebody else just now", s->path);
    if (!gone)
        return s->host->write_atomic(s->dir, name_of(s), bytes, mode, err);
    return unlinkat(s->dir, name_of(s), 0) == 0 ? XR_OK
                                                : xr_fail_errno(err, "cannot remove %s", s->path);
}

/* Adds the element, or with write false only sees whether that can be done. */
static enum xr_status add_element(struct xr_session *s, const char *file, bool write,
                                  struct xr_error *err)
{
    struct text text = {.there = false};
    struct xr_buf edited = {0};
    enum xr_status status = read_text(&text, s, err);

    if (status == XR_OK)
        status = policy_edit_add(&edited, bytes_of(&text), file, err);
    if (status == XR_OK && write)
        status = write_policy(s, &text, &edited, false, err);
    xr_buf_free(&text.bytes);
    xr_buf_free(&edited);
    return status;
}

static enum xr_status install(struct xr_session *s, const struct xr_entry *entry,
                              struct xr_error *err)
{
    char name[2 * XR_SHA256_LEN + 5], *file = file_for(name, s, entry->subject.id);
    enum xr_status status = add_element(s, file, false, err);

    if (status == XR_OK) {
        status = write_certificate(s, name, entry->der, err);
        if (status == XR_OK)
            status = add_element(s, file, true, err);
        if (status == XR_REFUSED) /* which promises that nothing was changed */
            status = XR_FAILED;
    }
    free(file);
    return status;
}

static enum xr_status uninstall(struct xr_session *s, const unsigned char sha256[XR_SHA256_LEN],
                                struct xr_error *err)
{
    char name[2 * XR_SHA256_LEN + 5], *file = file_for(name, s, sha256);
    struct text text = {.there = false};
    struct xr_buf edited = {0};
    bool gone = false;
    int files = -1;
    enum xr_status status = read_text(&text, s, err);

    if (status == XR_OK)
        status = policy_edit_remove(&edited, &gone, bytes_of(&text), file, err);
    if (status == XR_OK)
        status = write_policy(s, &text, &edited, gone, err);
    files = status == XR_OK ? open_files(s) : -1;
    if (files >= 0) {
        (void)unlinkat(files, name, 0); /* else flush does */
        (void)close(files);
    }
    xr_buf_free(&text.bytes);
    xr_buf_free(&edited);
    free(file);
    return status;
}

static enum xr_status check(const struct xr_entry *entry, struct xr_error *err)
{
    struct xr_der_cert cert;

    if (entry->subject.type != XR_SUBJECT_CERT || entry->place != XR_ANCHOR)
        return xr_fail(err, XR_REFUSED, "Certificates.Install makes an anchor of each certificate");
    if (entry->attached_count > 0 || entry->purposes != XR_ANY_PURPOSE)
        return xr_fail(err, XR_REFUSED, "Certificates.Install knows neither purposes nor limits");
    if (xr_der_cert(&cert, entry->der, NULL) != XR_OK)
        return xr_fail(err, XR_REFUSED, "it cannot be parsed as a certificate");
    return XR_OK;
}

static enum xr_status change(struct xr_session *s, struct policy_now *now,
                             const struct xr_state *want, struct xr_error *err)
{
    const struct xr_entry *fresh = NULL;
    size_t count = 0;
    bool goes = false;
    enum xr_status status = policy_now_fresh(&fresh, &count, 1, now, want, err);

    for (size_t i = 0; status == XR_OK && i < now->count; i++)
        goes = goes || !now->items[i].claimed;
    if (status == XR_OK && count > 0)
        status = check(fresh, err);
    if (status == XR_OK && goes)
        status = uninstall(s, now->subject.id, err);
    if (status == XR_OK && count > 0)
        status = install(s, fresh, err);
    return status;
}

static enum xr_status list_session(void *ctx, xr_entry_fn emit, void *emit_ctx,
                                   struct xr_error *err)
{
    return list(ctx, emit, emit_ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    bool locked = s->dir >= 0;
    char *dir = dir_of(s);
    struct policy_now now = {0};
    enum xr_status status = policy_now_read(&now, s->host, list_session, s, expect, want, err);

    if (status == XR_OK && !locked) {
        policy_now_free(&now);
        status = policy_dir_open(s, dir, true, err);
        now = (struct policy_now){0};
        if (status == XR_OK)
            status = policy_now_read(&now, s->host, list_session, s, expect, want, err);
    }
    if (status == XR_OK)
        status = change(s, &now, want, err);
    policy_now_free(&now);
    free(dir);
    return status;
}

/* ---- flush ---- */

static bool temporary(const char *name)
{
    return strncmp(name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0;
}

/* Does an element of the list, by whatever path, lead to a file with that name in such a directory? */
static bool named(const struct xr_strings *listed, const char *name)
{
    char *tail = xr_format("/" FILES "/%s", name);
    size_t tail_len = strlen(tail);
    bool is = false;

    for (size_t i = 0; i < listed->count; i++) {
        size_t len = strlen(listed->items[i]);

        is = is || (len >= tail_len && strcmp(listed->items[i] + len - tail_len, tail) == 0);
    }
    free(tail);
    return is;
}

/* Of the directory of certificates, what an interruption left: the lock is ours. */
static void clear_files(struct xr_session *s, int files)
{
    struct policy_firefox firefox = {0};
    struct xr_strings names = {0};
    unsigned char id[XR_SHA256_LEN];

    policy_firefox_read(&firefox, &s->root, s->path, NULL);
    (void)xr_dir_names(&names, files, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        size_t len = strlen(name);
        bool ours = len == 2 * XR_SHA256_LEN + 4 && strcmp(name + len - 4, ".pem") == 0;

        if (ours) {
            char hex[2 * XR_SHA256_LEN + 1];

            (void)snprintf(hex, sizeof(hex), "%.64s", name);
            ours = xr_unhex(id, sizeof(id), hex);
        }
        /* A file that could not be read may name it. */
        if (temporary(name) || (ours && firefox.parsed && !named(&firefox.listed, name)))
            (void)unlinkat(files, name, 0);
    }
    xr_strings_free(&names);
    policy_firefox_free(&firefox);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    struct xr_strings names = {0};
    int files = s->dir >= 0 ? open_files(s) : -1;
    bool good = true;

    if (s->dir < 0)
        return XR_OK;
    if (files >= 0) {
        clear_files(s, files);
        good = fsync(files) == 0;
        (void)close(files);
        (void)unlinkat(s->dir, FILES, AT_REMOVEDIR); /* unless something is in it */
    }
    (void)xr_dir_names(&names, s->dir, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++) {
        if (temporary(names.items[i]))
            (void)unlinkat(s->dir, names.items[i], 0);
    }
    xr_strings_free(&names);
    return good && fsync(s->dir) == 0 ? XR_OK
                                      : xr_fail_errno(err, "cannot make %s durable", s->path);
}

const struct policy_form policy_firefox_form = {describe, list, swap, flush, NULL};
