/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs as by the distribution's own command: whatever the sources hold. What is said of them follows
 * Debian's update-ca-certificates, which looks at each link as it goes; so one that is made twice is
 * told twice. The outputs are those of a flush.
 */
#include "../sources/sources.h"

#include <search.h>
#include <stdlib.h>
#include <unistd.h>

/* A name in the directory of links, as that command would find it. */
struct link {
    char *name, *target; /* target NULL: it is no link */
    bool led;            /* to something, at first */
    bool there, told;
};

struct telling {
    const struct xr_session *s;
    bool anew;
    xr_refreshed_fn emit;
    void *ctx;
    struct {
        struct link **items;
        size_t count, capacity;
    } links;
    void *by_name; /* of them, see tsearch(3) */
    struct xr_strings added, removed;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct link *)a)->name, ((const struct link *)b)->name);
}

static struct link *find(struct telling *t, const char *name)
{
    const struct link key = {.name = (char *)(uintptr_t)name};
    struct link **found = tfind(&key, &t->by_name, by_name);

    return found != NULL ? *found : NULL;
}

static struct link *add(struct telling *t, const char *name)
{
    struct link *link = *XR_PUSH(&t->links) = xr_new(1, sizeof(*link));

    link->name = xr_strdup(name);
    if (tsearch(link, &t->by_name, by_name) == NULL)
        abort();
    return link;
}

static bool begins(const char *target, const char *dir)
{
    return target[0] == '/' && strncmp(target + 1, dir, strlen(dir)) == 0;
}

/* Would --fresh have cleared it? */
static bool cleared(const struct telling *t, const struct link *link)
{
    return t->anew && link->target != NULL &&
           (!link->led || begins(link->target, t->s->layout->vendor) ||
            begins(link->target, t->s->layout->anchors));
}

static void see(void *ctx, int dir, const struct dirent *entry)
{
    struct telling *t = ctx;
    struct link *link = NULL;
    char *path = NULL;
    struct stat st;

    if (strncmp(entry->d_name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0)
        return;
    link = add(t, entry->d_name);
    link->target = ca_readlink_at(dir, entry->d_name);
    path = xr_format("%s/%s", t->s->layout->directory, entry->d_name);
    link->led = ca_stat(&st, t->s, path, true);
    link->there = !cleared(t, link);
    link->told = !link->there; /* by "Clearing symlinks" */
    free(path);
}

static void tell_path(struct telling *t, struct xr_strings *to, const char *name)
{
    char *path = xr_format("/%s/%s", t->s->layout->directory, name);

    xr_strings_add(to, path);
    free(path);
}

/* Its own names for what is deselected: blanks and parentheses stay. */
static void tell_deselected(struct telling *t)
{
    struct ca_conf_line line;
    size_t at = 0;

    while (ca_conf_next(&line, &at, &t->s->conf)) {
        char *source = xr_memdup(line.path, line.len), *name = NULL;
        size_t len = 0;
        struct link *link = NULL;

        if (line.deselected) {
            len = strlen(ca_name(source));
            len -= len > 4 && strcmp(ca_name(source) + len - 4, ".crt") == 0 ? 4 : 0;
            name = xr_format("%.*s.pem", (int)len, ca_name(source));
            link = find(t, name);
        }
        if (link != NULL && link->there && link->target != NULL) {
            tell_path(t, &t->removed, name);
            link->there = false;
            link->told = true;
        }
        free(name);
        free(source);
    }
}

static void tell_missing(struct telling *t)
{
    struct ca_conf_line line;
    size_t at = 0;

    while (ca_conf_next(&line, &at, &t->s->conf)) {
        char *path = NULL;
        struct stat st;

        if (line.deselected)
            continue;
        path = xr_format("/%s/%.*s", t->s->layout->vendor, (int)line.len, line.path);
        if (!ca_stat(&st, t->s, path + 1, true) || !S_ISREG(st.st_mode))
            t->emit(t->ctx, XR_REFRESHED_MISSING, path);
        free(path);
    }
}

static void tell_added(struct telling *t)
{
    for (size_t i = 0; i < t->s->order.count; i++) {
        const struct ca_file *file = t->s->files.items[t->s->order.items[i]];
        char *name = ca_link_name(t->s->layout, file->path);
        char *target = xr_format("/%s", file->path);
        struct link *link = find(t, name);

        if (link == NULL)
            link = add(t, name);
        else if (!link->told && link->target == NULL && link->there)
            goto next; /* a file is left as it is, which the flush remarks */
        if (!link->there || strcmp(link->target, target) != 0) {
            tell_path(t, &t->added, name);
            free(link->target);
            link->target = target;
            target = NULL;
        }
        link->there = link->told = true;
next:
        free(target);
        free(name);
    }
}

/* What goes besides: links of sources that are gone, which Debian's forgets until something changes. */
static void tell_gone(struct telling *t, const struct ca_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct ca_edit *edit = &edits->items[i];
        struct link *link = edit->removes && strcmp(edit->dir, t->s->layout->directory) == 0
                                ? find(t, edit->name)
                                : NULL;
        uint32_t hash = 0;
        unsigned number = 0;
        bool crl = false;

        if (link == NULL || link->told)
            continue;
        if (!ca_hash_name(link->name, &hash, &crl, &number))
            tell_path(t, &t->removed, link->name);
        else if (link->led && (find(t, link->target) == NULL || find(t, link->target)->there))
            continue; /* only its number is another */
        {
            char *path = xr_format("/%s/%s", edit->dir, edit->name);

            t->emit(t->ctx, XR_REFRESHED_ORPHAN, path);
            free(path);
        }
    }
}

static void tell_skipped(struct telling *t)
{
    struct stat st;

    if (ca_stat(&st, t->s, t->s->layout->published[0], true))
        t->emit(t->ctx, XR_REFRESHED_SKIPPED, ca_name(t->s->layout->published[0]));
    for (size_t i = 0; i < t->s->order.count; i++) {
        const struct ca_file *file = t->s->files.items[t->s->order.items[i]];
        char *name = file->held.count != 1 ? ca_link_name(t->s->layout, file->path) : NULL;

        if (name != NULL)
            t->emit(t->ctx, XR_REFRESHED_SKIPPED, name);
        free(name);
    }
}

static void tell(struct telling *t, const struct ca_edits *edits)
{
    ca_scan(t->s, t->s->layout->directory, see, t);
    tell_deselected(t);
    tell_missing(t);
    tell_added(t);
    tell_gone(t, edits);
    if (t->added.count + t->removed.count > 0)
        tell_skipped(t);
}

static void keep_item(void *item)
{
    (void)item; /* the list owns it */
}

static void telling_free(struct telling *t)
{
    tdestroy(t->by_name, keep_item);
    for (size_t i = 0; i < t->links.count; i++) {
        free(t->links.items[i]->name);
        free(t->links.items[i]->target);
        free(t->links.items[i]);
    }
    free(t->links.items);
    xr_strings_free(&t->added);
    xr_strings_free(&t->removed);
}

/* The directories that outputs lie in, as p11-kit leaves its own. */
static enum xr_status make_directories(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < CA_OUTPUTS_MAX && s->layout->outputs[i].path != NULL; i++) {
        const char *path = s->layout->outputs[i].path;
        char *dir = xr_memdup(path, (size_t)(ca_name(path) - path) - 1);

        if (status == XR_OK)
            status = ca_make_dirs(s, dir, 0755, err);
        if (status == XR_OK && xr_format_is_directory(s->layout->outputs[i].ask.format))
            status = ca_make_dirs(s, path, 0555, err);
        free(dir);
    }
    return status;
}

/* What lies among the sources and counts for nothing. Debian's command says nothing of a name that it
 * passes over, and says itself what is listed and missing. */
static void say_left(const struct xr_session *s, xr_refreshed_fn emit, void *ctx)
{
    for (size_t i = 0; i < s->left.count; i++) {
        const struct ca_left *left = &s->left.items[i];
        char *path = NULL, *text = NULL;
        struct stat st;

        if (s->layout->family == CA_LIST && (!ca_name_counts(s->layout, ca_name(left->path)) ||
                                             !ca_stat(&st, s, left->path, false)))
            continue;
        path = xr_visible(left->path);
        text = xr_format(N_("/%s counts for nothing: %s"), path, left->why);
        emit(ctx, XR_REFRESHED_REMARK, text);
        free(text);
        free(path);
    }
}

enum xr_status ca_refresh(struct xr_session *s, bool anew, xr_refreshed_fn emit, void *ctx,
                          struct xr_error *err)
{
    struct telling t = {.s = s, .anew = anew, .emit = emit, .ctx = ctx};
    struct ca_edits edits = {0};
    struct xr_buf changed = {0};
    enum xr_status status = XR_OK;

    if (s->lock < 0)
        return xr_fail(err, XR_DENIED, "the session does not write");
    s->anew = anew;
    ca_clear_all_temps(s);
    status = ca_load(s, err);
    if (status == XR_OK && s->layout->family == CA_LIST) {
        ca_list_outputs(&edits, &changed, s);
        tell(&t, &edits);
    } else if (status == XR_OK) {
        status = s->extracts ? make_directories(s, err) : XR_OK;
        if (status == XR_OK)
            ca_p11_outputs(&edits, s);
    }
    if (status == XR_OK && edits.count > 0)
        status = ca_make(&edits, s, err);
    if (status == XR_WARNED) {
        emit(ctx, XR_REFRESHED_REMARK, err->text);
        status = XR_OK;
    }
    for (size_t i = 0; status == XR_OK && i < t.added.count; i++)
        emit(ctx, XR_REFRESHED_ADDED, t.added.items[i]);
    for (size_t i = 0; status == XR_OK && i < t.removed.count; i++)
        emit(ctx, XR_REFRESHED_REMOVED, t.removed.items[i]);
    for (size_t i = 0; status == XR_OK && i < s->remarks.count; i++)
        emit(ctx, XR_REFRESHED_REMARK, s->remarks.items[i]);
    if (status == XR_OK)
        say_left(s, emit, ctx);
    telling_free(&t);
    ca_edits_free(&edits);
    xr_buf_free(&changed);
    return status;
}
