/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include <stdlib.h>
#include <strings.h>

/* ---- names ---- */

/* The place of the key of that name; of an empty one: of what is known of the key's names. */
static hive_key *place_of(const struct hive *hive, hive_key parent, const char *name)
{
    struct hive_names *names = hive->names;
    unsigned char id[XR_SHA256_LEN];
    struct xr_buf text = {0};
    bool added = false;
    size_t at = 0;

    xr_buf_add(&text, &parent, sizeof(parent));
    xr_buf_add(&text, name, strlen(name));
    for (size_t i = sizeof(parent); i < text.len; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z') /* as libhivex compares */
            text.data[i] = (char)(text.data[i] - 'A' + 'a');
    }
    hive->host->sha256(id, (struct xr_bytes){(unsigned char *)text.data, text.len});
    xr_buf_free(&text);
    at = xr_idmap_put(&names->map, id, names->count, &added);
    if (added)
        *XR_PUSH(names) = 0;
    return &names->items[at];
}

/* What is known of a key's names. DIRECT: libhivex is asked, since they are not all readable or not all
 * different, in which case its answer depends on their order. */
enum { UNKNOWN, ASKED, READ, DIRECT };

static hive_key read_names(const struct hive *hive, hive_key parent)
{
    hive_node_h *children = hive->lib->node_children(hive->h, parent);
    bool good = children != NULL;

    for (size_t i = 0; good && children[i] != 0; i++) {
        char *name = hive->lib->node_name(hive->h, children[i]);

        good = name != NULL && name[0] != '\0';
        if (good) {
            hive_key *place = place_of(hive, parent, name);

            good = *place == 0 || *place == children[i]; /* which was made here */
            *place = children[i];
        }
        free(name);
    }
    free(children);
    return good ? READ : DIRECT;
}

/* After a failure that may have changed something. */
static void names_reset(struct hive_names *names)
{
    xr_idmap_free(&names->map);
    free(names->items);
    *names = (struct hive_names){0};
}

void hive_names_free(struct hive_names *names)
{
    if (names != NULL)
        names_reset(names);
    free(names);
}

/* ---- keys ---- */

hive_key hive_root(const struct hive *hive)
{
    return hive->lib->root(hive->h);
}

hive_key hive_child(const struct hive *hive, hive_key key, const char *name)
{
    hive_key *known = NULL, was = UNKNOWN;

    if (key == 0)
        return 0;
    known = place_of(hive, key, "");
    was = *known;
    if (was == UNKNOWN) {
        *known = ASKED;
    } else if (was == ASKED) {
        was = read_names(hive, key);
        *place_of(hive, key, "") = was;
    }
    return was == READ && name[0] != '\0' ? *place_of(hive, key, name)
                                          : hive->lib->node_get_child(hive->h, key, name);
}

hive_key hive_make_child(struct hive *hive, hive_key key, const char *name)
{
    hive_key found = hive_child(hive, key, name);

    if (found != 0 || key == 0)
        return found;
    hive->changed = true;
    found = hive->lib->node_add_child(hive->h, key, name);
    if (found != 0) /* so the name is not empty */
        *place_of(hive, key, name) = found;
    return found;
}

hive_key hive_path(const struct hive *hive, const char *const *names)
{
    hive_key key = hive_root(hive);

    while (*names != NULL)
        key = hive_child(hive, key, *names++);
    return key;
}

hive_key hive_make_path(struct hive *hive, const char *const *names)
{
    hive_key key = hive_root(hive);

    while (*names != NULL)
        key = hive_make_child(hive, key, *names++);
    return key;
}

enum xr_status hive_children(const struct hive *hive, hive_key key, hive_key_fn emit, void *ctx,
                             struct xr_error *err)
{
    hive_node_h *children = key != 0 ? hive->lib->node_children(hive->h, key) : NULL;

    if (key != 0 && children == NULL)
        return xr_fail(err, XR_INVALID, "a key of the hive is damaged");
    for (size_t i = 0; children != NULL && children[i] != 0 && i < HIVE_KEYS_MAX; i++)
        emit(ctx, children[i]);
    free(children);
    return XR_OK;
}

enum xr_status hive_remove(struct hive *hive, hive_key key, struct xr_error *err)
{
    hive_key parent = hive->lib->node_parent(hive->h, key);
    char *name = hive->lib->node_name(hive->h, key);
    enum xr_status status = XR_OK;

    if (hive->pending.key == key)
        hive_forget(hive);
    status = hive_settle(hive, err); /* it may be below the key */
    hive->changed = true;
    if (status == XR_OK && hive->lib->node_delete_child(hive->h, key) != 0)
        status = xr_fail_errno(err, "cannot change %s", hive->place->path);
    if (status == XR_OK && parent != 0 && name != NULL && name[0] != '\0')
        *place_of(hive, parent, name) = 0;
    else
        names_reset(hive->names);
    free(name);
    return status;
}

/* ---- values ---- */

/* What hive_value borrows from. */
struct read {
    char *name, *data;
    struct hive_value value;
};

static bool read_value(struct read *out, const struct hive *hive, hive_value_h at)
{
    hive_type type = hive_t_REG_NONE;
    size_t len = 0;

    *out = (struct read){0};
    out->name = hive->lib->value_key(hive->h, at);
    out->data = hive->lib->value_value(hive->h, at, &type, &len);
    out->value = (struct hive_value){
        .name = out->name, .type = (uint32_t)type, .data = {(unsigned char *)out->data, len}};
    if (out->name == NULL || out->data == NULL)
        return false;
    /* A name may go on behind a zero, which its text does not show. */
    out->value.kept =
        len <= HIVE_DATA_MAX && hive->lib->value_key_len(hive->h, at) == strlen(out->name);
    return true;
}

static void read_free(struct read *read)
{
    free(read->name);
    free(read->data);
}

enum xr_status hive_values(const struct hive *hive, hive_key key, hive_value_fn emit, void *ctx,
                           struct xr_error *err)
{
    const struct hive_pending *pending = &hive->pending;
    hive_value_h *values = NULL;
    bool good = true;

    for (size_t i = 0; key != 0 && key == pending->key && i < pending->count; i++) {
        const hive_set_value *one = &pending->items[i];
        const struct hive_value value = {
            one->key, (uint32_t)one->t, {(const unsigned char *)one->value, one->len}, true};

        emit(ctx, &value);
    }
    if (key == 0 || key == pending->key)
        return XR_OK;
    values = hive->lib->node_values(hive->h, key);
    good = values != NULL;
    for (size_t i = 0; values != NULL && values[i] != 0 && i < HIVE_KEYS_MAX; i++) {
        struct read read;

        if (read_value(&read, hive, values[i]))
            emit(ctx, &read.value);
        else
            good = false;
        read_free(&read);
    }
    free(values);
    return good ? XR_OK : xr_fail(err, XR_INVALID, "a value of the hive is damaged");
}

/* ---- changes ---- */

void hive_forget(struct hive *hive)
{
    struct hive_pending *pending = &hive->pending;

    for (size_t i = 0; i < pending->count; i++) {
        free(pending->items[i].key);
        free(pending->items[i].value);
    }
    free(pending->items);
    *pending = (struct hive_pending){0};
}

enum xr_status hive_settle(struct hive *hive, struct xr_error *err)
{
    const struct hive_pending *pending = &hive->pending;
    enum xr_status status = XR_OK;

    if (pending->key != 0 &&
        hive->lib->node_set_values(hive->h, pending->key, pending->count, pending->items, 0) != 0)
        status = xr_fail_errno(err, "cannot change %s", hive->place->path);
    hive_forget(hive);
    return status;
}

static void collect(void *ctx, const struct hive_value *value)
{
    struct hive_pending *pending = ctx;

    pending->kept = pending->kept && value->kept;
    *XR_PUSH(pending) = (hive_set_value){.key = xr_strdup(value->name),
                                         .t = (hive_type)value->type,
                                         .len = value->data.len,
                                         .value = xr_memdup(value->data.data, value->data.len)};
}

/* Makes the values of that key the pending ones. */
static enum xr_status take_up(struct hive *hive, hive_key key, struct xr_error *err)
{
    struct hive_pending fresh = {.kept = true};
    enum xr_status status = XR_OK;

    if (hive->pending.key == key)
        return XR_OK;
    status = hive_settle(hive, err);
    if (status == XR_OK)
        status = hive_values(hive, key, collect, &fresh, err);
    fresh.key = key;
    hive->pending = fresh;
    if (status == XR_OK && !fresh.kept)
        status = xr_fail(err, XR_REFUSED,
                         "libhivex cannot keep a value of the same key as it is: it is too long, "
                         "or its name is damaged");
    if (status != XR_OK)
        hive_forget(hive);
    return status;
}

static void drop(struct hive_pending *pending, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < pending->count; i++) {
        if (strcasecmp(pending->items[i].key, name) != 0) {
            pending->items[kept++] = pending->items[i];
            continue;
        }
        free(pending->items[i].key);
        free(pending->items[i].value);
    }
    pending->count = kept;
}

static enum xr_status rewrite(struct hive *hive, hive_key key, const char *name,
                              const struct hive_value *with, struct xr_error *err)
{
    enum xr_status status = with != NULL && with->data.len > HIVE_DATA_MAX
                                ? xr_fail(err, XR_REFUSED, "it is too long for libhivex to write")
                                : take_up(hive, key, err);

    if (status != XR_OK)
        return status;
    hive->changed = true;
    drop(&hive->pending, name);
    if (with != NULL) {
        struct hive_value known = *with;

        known.kept = true;
        collect(&hive->pending, &known);
    }
    return XR_OK;
}

enum xr_status hive_set(struct hive *hive, hive_key key, const struct hive_value *value,
                        struct xr_error *err)
{
    return rewrite(hive, key, value->name, value, err);
}

enum xr_status hive_unset(struct hive *hive, hive_key key, const char *name, struct xr_error *err)
{
    return rewrite(hive, key, name, NULL, err);
}
