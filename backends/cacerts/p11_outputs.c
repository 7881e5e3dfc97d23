/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of the p11-kit family: what the distribution's update command has `trust extract` write,
 * and the links that the command adds. */
#include "store.h"

#include <stdlib.h>

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

/* The times in a keystore say when somebody ran a command; that alone is no reason to write. */
static bool same_keystore(const struct xr_session *s, const char *path, const struct xr_buf *want)
{
    struct xr_buf have = {0};
    bool same =
        ca_read(&have, NULL, s, path, NULL) == XR_OK &&
        pk_same_keystore((struct xr_bytes){(const unsigned char *)have.data, have.len},
                         (struct xr_bytes){(const unsigned char *)want->data, want->len}, s->host);

    xr_buf_free(&have);
    return same;
}

static void want_bundle(struct ca_edits *edits, const struct xr_session *s,
                        const struct ca_output *output, struct xr_buf *content)
{
    if (output->ask.format == PK_JAVA_CACERTS && same_keystore(s, output->path, content))
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

/* Is name in dir one of the layout's own links? */
static bool layout_link(const struct ca_layout *layout, const char *dir, const char *name)
{
    for (size_t i = 0; i < sizeof(layout->links) / sizeof(layout->links[0]); i++) {
        const char *path = layout->links[i].path;

        if (path != NULL && strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/' &&
            strcmp(path + strlen(dir) + 1, name) == 0)
            return true;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct pk_out *)a)->name, ((const struct pk_out *)b)->name);
}

/* Everything else in such a directory goes, as with --overwrite; subdirectories stay. */
static void want_directory(struct ca_edits *edits, const struct xr_session *s,
                           const struct ca_output *output, struct pk_outs *outs)
{
    struct xr_strings names = {0};

    if (outs->count > 1)
        qsort(outs->items, outs->count, sizeof(*outs->items), by_name);
    for (size_t i = 0; i < outs->count; i++) {
        char *path = xr_format("%s/%s", output->path, outs->items[i].name);

        if (outs->items[i].target != NULL)
            want_right_link(edits, s, output->path, outs->items[i].name, outs->items[i].target);
        else
            ca_want_file(edits, s, path, &outs->items[i].content, output->mode);
        free(path);
    }
    ca_names(&names, s, output->path);
    for (size_t i = 0; i < names.count; i++) {
        struct pk_out key = {.name = names.items[i]};
        char *path = xr_format("%s/%s", output->path, names.items[i]);
        struct stat st;

        if ((outs->count == 0 ||
             bsearch(&key, outs->items, outs->count, sizeof(*outs->items), by_name) == NULL) &&
            !layout_link(s->layout, output->path, names.items[i]) && ca_stat(&st, s, path, false) &&
            !S_ISDIR(st.st_mode))
            ca_want_gone(edits, output->path, names.items[i]);
        free(path);
    }
    xr_strings_free(&names);
}

/* The hash links once more in the directory that programs know, for those that are not there. */
static void want_hash_links(struct ca_edits *edits, const struct xr_session *s,
                            const struct pk_outs *outs)
{
    const char *to = s->layout->hash_links_to;
    struct xr_strings names = {0};
    struct stat st;

    if (to == NULL || !ca_stat(&st, s, to, true) || !S_ISDIR(st.st_mode))
        return;
    for (size_t i = 0; i < outs->count; i++) {
        char *target = NULL;

        if (outs->items[i].target == NULL)
            continue;
        target = xr_format("%s/%s", s->layout->hash_links_from, outs->items[i].name);
        want_right_link(edits, s, to, outs->items[i].name, target);
        free(target);
    }
    ca_names(&names, s, to);
    for (size_t i = 0; i < names.count; i++) {
        char *path = xr_format("%s/%s", to, names.items[i]);
        char *target = ca_readlink(s, path);
        size_t len = strlen(s->layout->hash_links_from);

        if (target != NULL && strncmp(target, s->layout->hash_links_from, len) == 0 &&
            target[len] == '/') {
            struct pk_out key = {.name = target + len + 1};

            if (outs->count == 0 ||
                bsearch(&key, outs->items, outs->count, sizeof(*outs->items), by_name) == NULL)
                ca_want_gone(edits, to, names.items[i]);
        }
        free(target);
        free(path);
    }
    xr_strings_free(&names);
}

static void want_links(struct ca_edits *edits, const struct xr_session *s)
{
    for (size_t i = 0; i < sizeof(s->layout->links) / sizeof(s->layout->links[0]); i++) {
        const struct ca_link *link = &s->layout->links[i];
        struct stat st;

        if (link->path != NULL && !(link->only_missing && ca_stat(&st, s, link->path, false))) {
            char *dir = xr_memdup(link->path, (size_t)(ca_name(link->path) - link->path) - 1);

            want_right_link(edits, s, dir, ca_name(link->path), link->target);
            free(dir);
        }
    }
}

enum xr_status ca_p11_outputs(struct ca_edits *edits, struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < CA_OUTPUTS_MAX && s->layout->outputs[i].path; i++) {
        const struct ca_output *output = &s->layout->outputs[i];
        struct pk_outs outs = {0};

        status = pk_extract(&outs, &s->pk, &output->ask, err);
        if (status == XR_OK && output->ask.format != PK_PEM_DIRECTORY_HASH &&
            output->ask.format != PK_OPENSSL_DIRECTORY) {
            want_bundle(edits, s, output, &outs.items[0].content);
        } else if (status == XR_OK) {
            want_directory(edits, s, output, &outs);
            if (output->ask.format == PK_PEM_DIRECTORY_HASH)
                want_hash_links(edits, s, &outs);
        }
        pk_outs_free(&outs);
    }
    if (status == XR_OK)
        want_links(edits, s);
    return status;
}
