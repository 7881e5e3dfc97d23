/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the source directories. A store is loaded several times for one change, so a load reads the
 * directories and their files' stamps, and then only files that are new or have changed. */
#include "sources.h"

#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DEPTH_MAX 16u

/* ---- files ---- */

void ca_unload(struct xr_session *s)
{
    for (size_t i = 0; i < s->files.count; i++)
        ca_file_free(s->files.items[i]);
    free(s->files.items);
    free(s->certs.items);
    free(s->order.items);
    memset(&s->files, 0, sizeof(s->files));
    memset(&s->certs, 0, sizeof(s->certs));
    memset(&s->order, 0, sizeof(s->order));
    xr_buf_free(&s->conf);
    ca_forget_paths(&s->by_path);
    s->loads++;
    pf_free(&s->p11);
    s->p11.host = s->host;
    s->loaded = s->sure = false;
}

void ca_forget(struct xr_session *s, const char *path)
{
    struct ca_file *file = ca_find_file(s, path);

    if (file != NULL)
        file->stamp = (struct ca_stamp){0};
    s->loaded = s->fresh = s->ahead = false;
}

/* Files of the load before, by path; what is still the same is taken over. */
struct loading {
    struct xr_session *s;
    struct ca_file **old;
    bool *taken;                 /* which of them were; these have new numbers */
    struct ca_paths old_by_path; /* also those that were taken over already */
    size_t old_count, next;
    char *dir; /* open as dir_fd */
    int dir_fd;
    bool changed;   /* a file is new, changed or removed */
    bool distrusts; /* the files that are read now may */
    char *unseen;   /* the first path that may hold something and could not be looked at, or NULL */
    int why_unseen;
};

static void note_unseen(struct loading *l, const char *path, int code)
{
    if (l->unseen != NULL)
        return;
    l->unseen = xr_strdup(path);
    l->why_unseen = code;
}

static bool is_same(const struct xr_session *s, const struct ca_file *file, int dir)
{
    struct ca_stamp now;
    struct stat st;

    if (s->sure)
        return file->stamp.ino != 0;
    if (fstatat(dir, ca_name(file->path), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (S_ISLNK(st.st_mode) && !ca_stat(&st, s, file->path, true)))
        return false;
    now = ca_stamp_of(&st);
    return ca_same_stamp(&file->stamp, &now);
}

/* Returns the file of the previous load if it is unchanged. If another program changes a file
 * between our check under the lock and our outputs, the next command finds the outputs stale. */
static struct ca_file *take_old(struct loading *l, int dir, const char *path)
{
    struct ca_file *found = NULL, *file = NULL;
    size_t at = l->next;

    /* Both loads go through the directories in the same order, but for files that came or went. */
    if (at >= l->old_count || l->taken[at] || strcmp(l->old[at]->path, path) != 0) {
        found = ca_find_by_path(&l->old_by_path, l->old, path);
        at = found != NULL ? found->number : l->old_count;
    }
    if (at >= l->old_count || l->taken[at] || (found != NULL && l->old[at] != found) ||
        !is_same(l->s, l->old[at], dir)) {
        l->changed = true;
        return NULL;
    }
    file = l->old[at];
    l->changed = l->changed || at != l->next;
    l->taken[at] = true;
    l->next = at + 1;
    return file;
}

/* The directory of the last file, because files come directory by directory. */
static int directory_of(struct loading *l, const char *path)
{
    const char *name = ca_name(path);
    size_t len = name == path ? 0 : (size_t)(name - path) - 1;

    if (l->dir != NULL && strlen(l->dir) == len && strncmp(l->dir, path, len) == 0)
        return l->dir_fd;
    if (l->dir != NULL && l->dir_fd >= 0)
        (void)close(l->dir_fd);
    free(l->dir);
    l->dir = xr_memdup(path, len);
    l->dir_fd = ca_open(l->s, l->dir, O_RDONLY | O_DIRECTORY);
    if (l->dir_fd < 0 && ca_cannot_look(errno))
        note_unseen(l, l->dir, errno);
    return l->dir_fd;
}

/* Reads a plain file through its directory, and what a link leads to within the root. */
static bool read_file(const struct xr_session *s, int dir, struct ca_file *file)
{
    struct stat st;
    int fd = ca_open_file(s, dir, file->path, &st);
    bool ok = false;

    if (fd < 0 && errno == ELOOP) {
        file->target = ca_readlink_at(dir, ca_name(file->path));
        fd = ca_open_file(s, -1, file->path, &st);
    }
    if (fd < 0)
        return false;
    ok = xr_read_file(&file->content, fd, (uintmax_t)st.st_size, CA_FILE_MAX);
    (void)close(fd);
    file->stamp = ca_stamp_of(&st);
    file->mode = st.st_mode & 0777;
    return ok;
}

static struct xr_bytes content_of(const struct ca_file *file)
{
    return (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len};
}

static bool all_unreadable(const struct ca_file *file)
{
    size_t unreadable = 0;

    for (size_t i = 0; i < file->held.count; i++)
        unreadable += file->held.items[i].unreadable;
    return unreadable == file->held.count;
}

/* A file that may distrust something and was not read: going on without it could make what it
 * distrusts trusted again, so nothing is written. Who only reads is told of it as of any other. */
static bool must_count(const struct loading *l, int code)
{
    return l->distrusts && l->s->write && code != 0 && code != ENOENT && code != ENOTDIR &&
           code != EINVAL;
}

/* Returns a file by its path, newly read or from the previous load; NULL if it is not a regular
 * file or cannot be read. */
static struct ca_file *add_file(struct loading *l, const char *path)
{
    struct xr_session *s = l->s;
    int dir = directory_of(l, path);
    struct ca_file *file = NULL;

    if (dir < 0)
        return NULL;
    file = take_old(l, dir, path);
    if (file == NULL) {
        file = xr_new(1, sizeof(*file));
        file->path = xr_strdup(path);
        if (!read_file(s, dir, file)) {
            int code = errno;
            struct stat st;

            /* One file that the disk cannot read is left out like one that nobody can parse. */
            if ((code != EIO && ca_cannot_look(code)) || must_count(l, code))
                note_unseen(l, path, code);
            else if ((code != ENOENT || file->target != NULL) &&
                     !(code == EINVAL && ca_stat(&st, s, path, true) && S_ISDIR(st.st_mode)))
                ca_leave_out(s, path, ca_why_unread(code));
            ca_file_free(file);
            return NULL;
        }
        file->reading = ++s->readings;
        l->changed = true;
        if (s->layout->family == CA_LIST)
            ca_parse_list_file(s, file);
    }
    if (s->layout->family == CA_LIST && all_unreadable(file))
        ca_leave_out(s, path,
                     file->held.count > 0 ? N_("OpenSSL cannot decode it")
                                          : ca_why_nothing(content_of(file)));
    return ca_keep_file(s, file);
}

/* ---- a list and a local directory (Debian) ---- */

static void add_cert(struct xr_session *s, struct ca_file *file, const struct ca_item *item,
                     bool distrusted)
{
    *XR_PUSH(&s->certs) = (struct ca_cert){
        .file = file,
        .subject = {.type = XR_SUBJECT_CERT},
        .der = item->der,
        .place = distrusted ? XR_DISTRUST : XR_ANCHOR,
        .purposes = distrusted ? 0 : XR_ANY_PURPOSE,
        .vendor = file->vendor && !distrusted,
        .by_list = distrusted,
        .remark = distrusted ? NULL : ca_pem_remark(file, item),
    };
    memcpy(s->certs.items[s->certs.count - 1].subject.id, item->sha256, XR_SHA256_LEN);
}

static void load_listed(struct loading *l)
{
    struct xr_session *s = l->s;
    struct ca_conf_line line;
    struct stat st;
    size_t at = 0;

    while (ca_conf_next(&line, &at, &s->conf)) {
        char *name = xr_memdup(line.path, line.len);
        char *path = xr_format("%s/%s", s->layout->vendor, name);
        struct ca_file *file = ca_find_file(s, path);
        bool again = file != NULL;

        if (file == NULL)
            file = add_file(l, path);
        if (file == NULL && !line.deselected && !ca_stat(&st, s, path, false))
            ca_leave_out(s, path, N_("it is listed in ca-certificates.conf, and missing"));
        if (file != NULL) {
            /* A file that one line selects is published, even if another line deselects it. */
            file->deselected = line.deselected && (!again || file->deselected);
            file->vendor = true;
            if (!line.deselected)
                *XR_PUSH(&s->order) = file->number;
        }
        free(name);
        free(path);
    }
}

/* A directory that is being read, and those it lies in. */
struct level {
    const struct level *above;
    unsigned depth;
    struct stat st;
};

/* A link to a directory that it lies in ends there, as for the distribution's find -L. */
static bool is_loop(const struct level *at)
{
    for (const struct level *above = at->above; above != NULL; above = above->above) {
        if (above->st.st_dev == at->st.st_dev && above->st.st_ino == at->st.st_ino)
            return true;
    }
    return false;
}

/* Why a file in the directory of anchors does not count; NULL: it does. */
static const char *why_not(const struct xr_session *s, const struct ca_dirent *entry)
{
    if (entry->directory)
        return N_("it is a directory, and files below it are not read");
    if (strchr(entry->name, '\n') != NULL) /* it would be two lines to a hook */
        return N_("its name has a line break");
    return ca_name_counts(s->layout, entry->name) ? NULL : N_("its name does not end in .crt");
}

/* Where the directory of anchors is that of the links too, only our own files are sources. */
static bool is_source(const struct xr_session *s, const struct ca_dirent *entry)
{
    return strncmp(entry->name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) != 0 &&
           (strcmp(s->layout->anchors, s->layout->directory) != 0 ||
            strncmp(entry->name, CA_OURS, strlen(CA_OURS)) == 0);
}

static void find_files(struct xr_strings *out, struct loading *l, const char *dir,
                       const struct level *above)
{
    struct xr_session *s = l->s;
    struct level at = {.above = above, .depth = above != NULL ? above->depth + 1 : 0};
    struct ca_entries names = {0};

    if (!ca_stat(&at.st, s, dir, true)) {
        if (ca_cannot_look(errno))
            note_unseen(l, dir, errno);
        return;
    }
    if (is_loop(&at))
        return;
    if (!ca_entries(&names, s, dir))
        note_unseen(l, dir, errno);
    for (size_t i = 0; i < names.count; i++) {
        const struct ca_dirent *entry = &names.items[i];
        char *path = xr_format("%s/%s", dir, entry->name);
        const char *why = why_not(s, entry);

        if (entry->directory && s->layout->recursive && at.depth < DEPTH_MAX)
            find_files(out, l, path, &at);
        else if (is_source(s, entry) && why == NULL)
            xr_strings_add(out, path);
        else if (is_source(s, entry))
            ca_leave_out(s, path, why);
        free(path);
    }
    ca_entries_free(&names);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every .crt below that directory, sorted. */
static struct xr_strings paths_below(struct loading *l, const char *dir)
{
    struct xr_strings paths = {0};

    find_files(&paths, l, dir, NULL);
    if (paths.count > 1)
        qsort(paths.items, paths.count, sizeof(*paths.items), by_bytes);
    return paths;
}

/* Those that the list could name come after it, unless it names them. */
static void load_packaged(struct loading *l)
{
    struct xr_session *s = l->s;
    struct xr_strings paths = paths_below(l, s->layout->vendor);

    for (size_t i = 0; i < paths.count; i++) {
        struct ca_file *file =
            ca_find_file(s, paths.items[i]) == NULL ? add_file(l, paths.items[i]) : NULL;

        if (file == NULL)
            continue;
        file->vendor = true;
        *XR_PUSH(&s->order) = file->number;
    }
    xr_strings_free(&paths);
}

static void load_local(struct loading *l)
{
    struct xr_session *s = l->s;
    struct xr_strings paths = paths_below(l, s->layout->anchors);

    for (size_t i = 0; i < paths.count; i++) {
        if (add_file(l, paths.items[i]) != NULL)
            *XR_PUSH(&s->order) = s->files.count - 1;
    }
    xr_strings_free(&paths);
}

static enum xr_status load_list(struct loading *l, struct xr_error *err)
{
    struct xr_session *s = l->s;
    struct ca_file *base = NULL;
    enum xr_status status = XR_OK;

    s->conf_stamp = (struct ca_stamp){0};
    status = ca_read(&s->conf, &s->conf_stamp, s, s->layout->conf, err);
    if (status != XR_OK && status != XR_ABSENT)
        return status;
    load_listed(l);
    if (s->all_packaged)
        load_packaged(l);
    load_local(l);
    base = ca_load_bundle(s);
    if (base != NULL)
        (void)ca_keep_file(s, base);
    for (size_t i = 0; i < s->files.count; i++) {
        struct ca_file *file = s->files.items[i];

        for (size_t k = 0; k < file->held.count; k++) {
            add_cert(s, file, &file->held.items[k], false);
            if (file->deselected)
                add_cert(s, file, &file->held.items[k], true);
        }
    }
    return XR_OK;
}

/* ---- source directories of p11-kit's trust module ---- */

static void add_p11(struct loading *l, size_t token, const char *path, enum pf_area area,
                    bool vendor)
{
    struct ca_file *file = add_file(l, path);

    if (file == NULL)
        return;
    file->vendor = vendor;
    file->area = area;
    file->token = token;
}

static void load_area(struct loading *l, size_t token, const char *dir, enum pf_area area,
                      bool vendor)
{
    struct xr_session *s = l->s;
    struct xr_strings names = {0};
    struct stat st;
    bool seen = ca_names(&names, s, dir);
    int code = errno;

    /* Other files than anchors may say themselves that they distrust. */
    l->distrusts = area != PF_ANCHORS;
    if (!seen || must_count(l, code))
        note_unseen(l, dir, code);
    else if (code == ENOTDIR && area != PF_BASE && ca_stat(&st, s, dir, true) &&
             S_ISREG(st.st_mode))
        ca_leave_out(s, dir, N_("it is not a directory"));
    for (size_t i = 0; i < names.count; i++) {
        char *path = xr_format("%s/%s", dir, names.items[i]);

        if (strncmp(names.items[i], XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) != 0)
            add_p11(l, token, path, area, vendor);
        free(path);
    }
    l->distrusts = false;
    xr_strings_free(&names);
}

static void parse_p11(struct xr_session *s)
{
    pf_free(&s->p11);
    s->p11.host = s->host;
    for (size_t i = 0; i < s->files.count; i++) {
        struct ca_file *file = s->files.items[i];
        struct xr_bytes data = {(const unsigned char *)file->content.data, file->content.len};
        size_t certs = s->p11.certs.count, extensions = s->p11.extensions.count;

        file->pf_file = s->p11.files;
        if (pf_add(&s->p11, file->token, file->area, ca_name(file->path), data, NULL) != XR_OK)
            file->pf_file = CA_NONE;
        file->object_at = certs;
        file->objects = s->p11.certs.count - certs;
        file->extension_at = extensions;
        file->extension_count = s->p11.extensions.count - extensions;
        file->attaches = s->p11.extensions.count > extensions;
        file->only_object = ca_one_object(s, &s->p11, certs, extensions);
    }
    pf_combine(&s->p11);
}

/* p11-kit reads them, and finds nothing. */
static void leave_out_p11(struct xr_session *s)
{
    for (size_t i = 0; i < s->files.count; i++) {
        const struct ca_file *file = s->files.items[i];

        if (file->pf_file == CA_NONE || (file->objects == 0 && !file->attaches))
            ca_leave_out(s, file->path, ca_why_nothing(content_of(file)));
    }
}

static void collect_p11(struct xr_session *s)
{
    size_t *by_number = xr_new(s->p11.files + 1, sizeof(*by_number));

    for (size_t i = 0; i < s->files.count; i++) {
        if (s->files.items[i]->pf_file != CA_NONE)
            by_number[s->files.items[i]->pf_file] = i;
    }
    for (size_t i = 0; i < s->p11.certs.count; i++) {
        const struct pf_cert *cert = &s->p11.certs.items[i];
        struct ca_file *file = s->files.items[by_number[cert->file]];
        struct xr_subject subject;
        struct ca_cert *out = NULL;

        if (!ca_identify_cert(&subject, s, cert))
            continue;
        out = XR_PUSH(&s->certs);
        *out = (struct ca_cert){.file = file,
                                .subject = subject,
                                .der = cert->der,
                                .key = cert->spki,
                                .object = i,
                                .place = ca_place_of(cert),
                                .vendor = file->vendor};
        if (subject.type == XR_SUBJECT_ISSUER_SERIAL) {
            out->issuer = cert->issuer;
            out->serial = cert->serial;
        }
        out->purposes = out->place == XR_ANCHOR ? ca_purposes(s, &s->p11, cert) : 0;
    }
    free(by_number);
}

static void load_p11(struct loading *l)
{
    struct xr_session *s = l->s;

    for (size_t t = 0; t < CA_TOKENS_MAX && s->layout->tokens[t].path != NULL; t++) {
        const struct ca_token *token = &s->layout->tokens[t];
        char *anchors = xr_format("%s/anchors", token->path);
        struct xr_strings blocklists = {0};
        struct stat st;

        if (ca_stat(&st, s, token->path, true) && S_ISREG(st.st_mode)) /* the token is a file */
            add_p11(l, t, token->path, PF_ANCHORS, true);
        load_area(l, t, token->path, PF_BASE, token->vendor);
        load_area(l, t, anchors, PF_ANCHORS, token->vendor);
        ca_each_blocklist(&blocklists, s, token->path);
        s->contested = s->contested || blocklists.count > 1;
        for (size_t i = 0; i < blocklists.count; i++)
            load_area(l, t, blocklists.items[i], PF_BLOCKLIST, token->vendor);
        free(anchors);
        xr_strings_free(&blocklists);
    }
    l->changed = l->changed || l->next != l->old_count;
    if (l->changed || s->p11.certs.count == 0) {
        parse_p11(s);
        if (s->layout->outputs[0].path != NULL)
            ca_leave_out_unreadable(s);
    }
    leave_out_p11(s);
    collect_p11(s);
}

/* ---- load ---- */

enum xr_status ca_load(struct xr_session *s, struct xr_error *err)
{
    struct loading l = {.s = s,
                        .old = s->files.items,
                        .taken = xr_new(s->files.count, sizeof(bool)),
                        .old_by_path = s->by_path,
                        .old_count = s->files.count};
    enum xr_status status = XR_OK;

    s->loads++;
    memset(&s->files, 0, sizeof(s->files));
    s->certs.count = s->order.count = 0;
    ca_left_free(s);
    s->contested = false;
    xr_buf_free(&s->conf);
    s->by_path = (struct ca_paths){0};
    if (s->layout->family == CA_LIST)
        status = load_list(&l, err);
    else if (s->layout->family == CA_P11)
        load_p11(&l);
    if (status == XR_OK && l.unseen != NULL) {
        errno = l.why_unseen;
        status = xr_fail_errno(err, "cannot read /%s", l.unseen);
    }
    free(l.unseen);
    ca_forget_paths(&l.old_by_path);
    for (size_t i = 0; i < l.old_count; i++) {
        if (l.taken[i])
            continue;
        l.changed = true;
        ca_file_free(l.old[i]);
    }
    free(l.old);
    free(l.taken);
    if (l.dir != NULL && l.dir_fd >= 0)
        (void)close(l.dir_fd);
    free(l.dir);
    s->loaded = status == XR_OK;
    s->sure = s->loaded && s->lock >= 0;
    s->changes += l.changed;
    s->ahead = false;
    xr_idmap_free(&s->touched);
    return status;
}
