/* SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"

#include <stdlib.h>

#define NAMES_MAX 1000u
#define PREFS_MAX ((size_t)4 << 20)

static const char before[] = "user_pref(\"toolkit.profiles.storeID\", \"";
static const char after[] = "\");";

static struct xr_bytes take_line(struct xr_bytes *rest)
{
    const unsigned char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len;
    struct xr_bytes line = {rest->data, len};

    rest->data += end != NULL ? len + 1 : len;
    rest->len -= end != NULL ? len + 1 : len;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

struct xr_bytes nss_prefs_group(struct xr_bytes prefs)
{
    const size_t head = sizeof(before) - 1, tail = sizeof(after) - 1;
    struct xr_bytes group = {0};

    while (prefs.len > 0) {
        struct xr_bytes line = take_line(&prefs);

        if (line.len >= head + tail && memcmp(line.data, before, head) == 0 &&
            memcmp(line.data + line.len - tail, after, tail) == 0)
            group = (struct xr_bytes){line.data + head, line.len - head - tail};
    }
    return group;
}

static bool one_of(const struct xr_strings *groups, struct xr_bytes group)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (group.len > 0 && strlen(groups->items[i]) == group.len &&
            memcmp(groups->items[i], group.data, group.len) == 0)
            return true;
    }
    return false;
}

/* XR_ABSENT: it is no profile. */
static enum xr_status is_member(bool *yes, const struct nss_tree *tree, const char *path,
                                const struct xr_strings *groups, struct xr_error *err)
{
    char *name = xr_format("%s/prefs.js", path);
    struct xr_buf text = {0};
    enum xr_status status = nss_place_read(&text, tree, name, PREFS_MAX, err);

    *yes = status == XR_OK &&
           one_of(groups, nss_prefs_group((struct xr_bytes){(unsigned char *)text.data, text.len}));
    xr_buf_free(&text);
    free(name);
    return status;
}

enum xr_status nss_group_members(struct xr_strings *out, const struct nss_tree *tree,
                                 const char *dir, const struct xr_strings *groups,
                                 struct xr_error *err)
{
    struct xr_strings names = {0};
    enum xr_status worst = nss_place_names(&names, tree, dir, NAMES_MAX, err);

    for (size_t i = 0; i < names.count; i++) {
        char *path = xr_format("%s/%s", dir, names.items[i]);
        struct xr_error why = {0};
        bool yes = false;
        enum xr_status status = is_member(&yes, tree, path, groups, &why);

        if (yes)
            xr_strings_add(out, path);
        if (status != XR_OK && status != XR_ABSENT && worst == XR_OK) {
            worst = status;
            if (err != NULL)
                *err = why;
        }
        free(path);
    }
    xr_strings_free(&names);
    return worst;
}
