/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include <stdlib.h>
#include <strings.h>

/* ---- keys ---- */

hive_key hive_root(const struct hive *hive)
{
    return hive->lib->root(hive->h);
}

hive_key hive_child(const struct hive *hive, hive_key key, const char *name)
{
    return key == 0 ? 0 : hive->lib->node_get_child(hive->h, key, name);
}

hive_key hive_make_child(struct hive *hive, hive_key key, const char *name)
{
    hive_key found = hive_child(hive, key, name);

    if (found != 0 || key == 0)
        return found;
    hive->changed = true;
    return hive->lib->node_add_child(hive->h, key, name);
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
    enum xr_status status = XR_OK;

    if (hive->pending.key == key)
        hive_forget(hive);
    status = hive_settle(hive, err); /* it may be below the key */
    hive->changed = true;
    if (status == XR_OK && hive->lib->node_delete_child(hive->h, key) != 0)
        status = xr_fail_errno(err, "cannot change %s", hive->place->path);
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
