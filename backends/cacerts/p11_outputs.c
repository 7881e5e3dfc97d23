/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of the p11-kit family: what the distribution's update command has `trust extract` write,
 * and the links that the command adds. */
#include "../sources/sources.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool right_link(const struct xr_session *s, const char *dir, const char *name,
                       const char *target)
{
    char *path = xr_format("%s/%s", dir, name);
    char *have = ca_readlink(s, path);
    bool same = have != NULL && strcmp(have, target) == 0;

    free(have);
    free(path);
    return same;
}

static void want_right_link(struct ca_edits *edits, const struct xr_session *s, const char *dir,
                            const char *name, const char *target)
{
    if (!right_link(s, dir, name, target))
        ca_want_link(edits, dir, name, target);
}

/* The times in a keystore only say when a command ran; that alone is no reason to write. */
static bool same_keystore(const struct xr_session *s, const char *path, const struct xr_buf *want)
{
    struct xr_buf have = {0};
    bool same = ca_read(&have, NULL, s, path, NULL) == XR_OK &&
                xr_format_same_jks((struct xr_bytes){(const unsigned char *)have.data, have.len},
                                   (struct xr_bytes){(const unsigned char *)want->data, want->len},
                                   s->host);

    xr_buf_free(&have);
    return same;
}

static void want_bundle(struct ca_edits *edits, const struct xr_session *s,
                        const struct ca_output *output, struct xr_buf *content)
{
    if (output->ask.format == XR_FORMAT_JAVA && same_keystore(s, output->path, content))
        return;
    if (output->head != NULL) {
        struct xr_buf whole = {0};

        xr_buf_str(&whole, output->head);
        xr_buf_add(&whole, content->data, content->len);
        xr_buf_free(content);
        *content = whole;
    }
    ca_want_file(edits, s, output->path, content, output->mode);
}

static bool kept(const struct ca_layout *layout, const char *name)
{
    return (layout->kept[0] != NULL && strcmp(layout->kept[0], name) == 0) ||
           (layout->kept[1] != NULL && strcmp(layout->kept[1], name) == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct xr_format_file *)a)->name,
                  ((const struct xr_format_file *)b)->name);
}

/* Everything else in such a directory goes, as with --overwrite; subdirectories stay. Those that links
 * lead to stand before the links. */
static void drop_others(struct ca_edits *edits, const struct xr_session *s, const char *dir,
                        const struct xr_format_files *outs)
{
    struct xr_strings names = {0};

    ca_names(&names, s, dir);
    for (size_t i = 0; i < 2 * names.count; i++) {
        bool links = i >= names.count; /* it is their turn */
        const char *name = names.items[links ? i - names.count : i];
        struct xr_format_file key = {.name = (char *)(uintptr_t)name};
        char *path = xr_format("%s/%s", dir, name);
        struct stat st;

        if ((outs->count == 0 ||
             bsearch(&key, outs->items, outs->count, sizeof(*outs->items), by_name) == NULL) &&
            !kept(s->layout, name) && ca_stat(&st, s, path, false) && !S_ISDIR(st.st_mode) &&
            S_ISLNK(st.st_mode) == links)
            ca_want_gone(edits, dir, name);
        free(path);
    }
    xr_strings_free(&names);
}

static void want_directory(struct ca_edits *edits, const struct xr_session *s,
                           const struct ca_output *output, struct xr_format_files *outs)
{
    if (outs->count > 1)
        qsort(outs->items, outs->count, sizeof(*outs->items), by_name);
    for (size_t i = 0; i < outs->count; i++) {
        char *path = xr_format("%s/%s", output->path, outs->items[i].name);

        if (outs->items[i].target == NULL)
            ca_want_file(edits, s, path, &outs->items[i].content, output->mode);
        free(path);
    }
    for (size_t i = 0; i < outs->count; i++) {
        if (outs->items[i].target != NULL)
            want_right_link(edits, s, output->path, outs->items[i].name, outs->items[i].target);
    }
    drop_others(edits, s, output->path, outs);
}

/* The links of a directory that lead into the one with hash links, by their text. */
struct copies {
    struct {
        char *name, *target;
    } * items;
    size_t count, capacity;
};

static void read_copies(struct copies *out, const struct xr_session *s)
{
    const char *from = s->layout->copies.from;
    struct ca_entries entries = {0};
    int dir = ca_open(s, s->layout->copies.to, O_RDONLY | O_DIRECTORY);

    ca_entries(&entries, s, s->layout->copies.to);
    for (size_t i = 0; dir >= 0 && i < entries.count; i++) {
        char *target = entries.items[i].link ? ca_readlink_at(dir, entries.items[i].name) : NULL;

        if (target != NULL && strncmp(target, from, strlen(from)) == 0) {
            (void)XR_PUSH(out);
            out->items[out->count - 1].name = xr_strdup(entries.items[i].name);
            out->items[out->count - 1].target = target;
        } else {
            free(target);
        }
    }
    if (dir >= 0)
        (void)close(dir);
    ca_entries_free(&entries);
}

static void copies_free(struct copies *copies)
{
    for (size_t i = 0; i < copies->count; i++) {
        free(copies->items[i].name);
        free(copies->items[i].target);
    }
    free(copies->items);
}

/* Both lists are in the order of their names. */
static void want_copies(struct ca_edits *edits, const struct xr_session *s,
                        const struct xr_format_files *outs)
{
    const char *to = s->layout->copies.to, *from = s->layout->copies.from;
    struct copies have = {0};
    struct stat st;
    size_t k = 0;

    if (to == NULL || !ca_stat(&st, s, to, true) || !S_ISDIR(st.st_mode))
        return;
    read_copies(&have, s);
    for (size_t i = 0; (s->layout->copies.all || have.count > 0) && i < outs->count; i++) {
        const struct xr_format_file *out = &outs->items[i];
        char *target = NULL;
        int order = 1;

        if (out->target == NULL && !s->layout->copies.all)
            continue;
        for (; k < have.count && (order = strcmp(have.items[k].name, out->name)) < 0; k++)
            ca_want_gone(edits, to, have.items[k].name);
        target = xr_format("%s%s", from, out->target ? out->target : out->name);
        if (k >= have.count || order != 0)
            ca_want_link(edits, to, out->name, target);
        else if (strcmp(have.items[k].target, target) != 0)
            ca_want_link(edits, to, out->name, target);
        k += k < have.count && order == 0;
        free(target);
    }
    for (; k < have.count; k++)
        ca_want_gone(edits, to, have.items[k].name);
    copies_free(&have);
}

static void want_links(struct ca_edits *edits, const struct xr_session *s)
{
    for (size_t i = 0; i < 2 && s->layout->links[i].path != NULL; i++) {
        const struct ca_link *link = &s->layout->links[i];
        char *dir = xr_memdup(link->path, (size_t)(ca_name(link->path) - link->path) - 1);
        struct stat st;

        if (ca_stat(&st, s, dir, true) && !ca_stat(&st, s, link->path, false))
            ca_want_link(edits, dir, ca_name(link->path), link->target);
        free(dir);
    }
}

/* Releases of a distribution publish different outputs, so this checks which exist in the root. */
bool ca_is_published(const struct xr_session *s, const struct ca_output *output)
{
    char *dir = xr_memdup(output->path, (size_t)(ca_name(output->path) - output->path) - 1);
    struct stat st;
    bool is =
        strcmp(output->path, s->layout->published[0]) == 0 ||
        ca_stat(&st, s, xr_format_is_directory(output->ask.format) ? output->path : dir, true);

    free(dir);
    return is;
}

void ca_p11_outputs(struct ca_edits *edits, struct xr_session *s)
{
    for (size_t i = 0; i < CA_OUTPUTS_MAX && s->layout->outputs[i].path; i++) {
        const struct ca_output *output = &s->layout->outputs[i];
        struct xr_format_files outs = {0};

        if (!ca_is_published(s, output))
            continue;
        pf_extract(&outs, &s->p11, &output->ask);
        if (!xr_format_is_directory(output->ask.format)) {
            want_bundle(edits, s, output, &outs.items[0].content);
        } else {
            want_directory(edits, s, output, &outs);
            if (output->ask.format == XR_FORMAT_PEM_DIRECTORY)
                want_copies(edits, s, &outs);
        }
        xr_format_files_free(&outs);
    }
    want_links(edits, s);
}
