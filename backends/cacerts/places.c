/* SPDX-License-Identifier: Apache-2.0 */
/* A layout whose files are in other places, as options of the distribution's own command name them. */
#include "../sources/sources.h"

#include <stdlib.h>

/* The path inside the root, kept by the session; NULL if it is not absolute. */
static const char *keep(struct xr_session *s, const char *path)
{
    size_t len = strlen(path);
    char *inside = NULL;

    if (path[0] != '/')
        return NULL;
    while (len > 0 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[0] == '/') {
        path++;
        len--;
    }
    if (len == 0)
        return NULL;
    inside = xr_memdup(path, len);
    xr_strings_add(&s->moved_paths, inside);
    free(inside);
    return s->moved_paths.items[s->moved_paths.count - 1];
}

static enum xr_status move(struct xr_session *s, const char **place, const char *path,
                           struct xr_error *err)
{
    if (path == NULL)
        return XR_OK;
    *place = keep(s, path);
    return *place != NULL ? XR_OK
                          : xr_fail(err, XR_INVALID, "\"%s\" is not an absolute path", path);
}

/* The path below the other directory of extracts. */
static const char *below(struct xr_session *s, const char *dir, const char *path)
{
    static const char extracts[] = "/extracted/";
    const char *rest = strstr(path, extracts);
    char *moved = NULL;

    if (rest == NULL)
        return NULL;
    moved = xr_format("/%s/%s", dir, rest + strlen(extracts));
    path = keep(s, moved);
    free(moved);
    return path;
}

/* Links to the bundle beside the hash links, as for programs built on Debian and old releases. */
static void link_bundle(struct xr_session *s, struct ca_layout *layout, const char *dir)
{
    static const char *const names[] = {"ca-certificates.crt", "ca-bundle.crt"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = xr_format("/%s/pem/directory-hash/%s", dir, names[i]);

        layout->links[i].path = keep(s, path);
        layout->links[i].target = "../tls-ca-bundle.pem";
        free(path);
    }
}

static enum xr_status move_extracts(struct xr_session *s, struct ca_layout *layout,
                                    const char *path, struct xr_error *err)
{
    const char *dir = NULL;
    enum xr_status status = move(s, &dir, path, err);

    for (size_t i = 0; status == XR_OK && i < sizeof(layout->published) / sizeof(char *); i++) {
        if (layout->published[i] != NULL)
            layout->published[i] = below(s, dir, layout->published[i]);
    }
    for (size_t i = 0; status == XR_OK && i < CA_OUTPUTS_MAX && layout->outputs[i].path; i++) {
        layout->outputs[i].path = below(s, dir, layout->outputs[i].path);
        if (layout->outputs[i].path == NULL)
            status =
                xr_fail(err, XR_INVALID, "layout %s has no directory of extracts", layout->name);
    }
    layout->lock = dir;
    layout->copies.to = NULL;
    memset(layout->links, 0, sizeof(layout->links));
    if (status == XR_OK)
        link_bundle(s, layout, dir);
    s->extracts = status == XR_OK;
    return status;
}

enum xr_status ca_move(struct xr_session *s, const struct xr_places *places, struct xr_error *err)
{
    struct xr_places p = {0};
    struct ca_layout *layout = xr_new(1, sizeof(*layout));
    enum xr_status status = XR_OK;

    memcpy(&p, places, places->size < sizeof(p) ? places->size : sizeof(p));
    *layout = *s->layout;
    s->moved = layout;
    if (layout->family == CA_P11 ? p.list || p.packaged || p.local || p.published || p.bundle
                                 : p.extracted != NULL)
        return xr_fail(err, XR_INVALID, "layout %s has no such places", layout->name);
    s->all_packaged = p.all_packaged;
    if (p.extracted != NULL)
        status = move_extracts(s, layout, p.extracted, err);
    if (status == XR_OK)
        status = move(s, &layout->conf, p.list, err);
    if (status == XR_OK)
        status = move(s, &layout->vendor, p.packaged, err);
    if (status == XR_OK)
        status = move(s, &layout->anchors, p.local, err);
    if (status == XR_OK)
        status = move(s, &layout->directory, p.published, err);
    if (status == XR_OK && p.published != NULL)
        layout->lock = layout->directory;
    if (status == XR_OK)
        status = move(s, &layout->published[0], p.bundle, err);
    if (status == XR_OK)
        s->layout = layout;
    return status;
}
