/* SPDX-License-Identifier: Apache-2.0 */
#include "own.h"

#include "private.h"

#include <stdlib.h>

static const enum policy_key lists[] = {POLICY_ANCHORS, POLICY_LIMITED, POLICY_HINTS,
                                        POLICY_DISTRUST};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static void entry_free(struct policy_own_entry *entry)
{
    xr_buf_free(&entry->der);
    xr_limits_free(&entry->limits);
}

void policy_own_free(struct policy_own_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        entry_free(&file->items[i]);
    free(file->items);
    *file = (struct policy_own_file){0};
}

void policy_own_drop(struct policy_own_file *file, size_t at)
{
    entry_free(&file->items[at]);
    memmove(&file->items[at], &file->items[at + 1], (file->count - at - 1) * sizeof(*file->items));
    file->count--;
}

static struct xr_bytes der_of(const struct policy_own_entry *entry)
{
    return (struct xr_bytes){(const unsigned char *)entry->der.data, entry->der.len};
}

void policy_own_add(struct policy_own_file *file, const struct xr_host *host, enum policy_key key,
                    struct xr_bytes der, const struct xr_limits *limits)
{
    struct policy_own_entry *entry = XR_PUSH(file);

    entry->key = key;
    xr_buf_add(&entry->der, der.data, der.len);
    for (size_t i = 0; limits != NULL && i < limits->dns.count; i++)
        xr_strings_add(&entry->limits.dns, limits->dns.items[i]);
    for (size_t i = 0; limits != NULL && i < limits->cidrs.count; i++)
        xr_strings_add(&entry->limits.cidrs, limits->cidrs.items[i]);
    host->sha256(entry->sha256, der);
}

/* ---- bytes ---- */

static int by_hash(const void *a, const void *b)
{
    const struct policy_own_entry *x = a, *y = b;

    return memcmp(x->sha256, y->sha256, XR_SHA256_LEN);
}

void policy_own_text(struct xr_buf *out, struct policy_own_file *file)
{
    json_t *all = json_object();
    char *text = NULL;

    if (file->count > 1)
        qsort(file->items, file->count, sizeof(*file->items), by_hash);
    for (size_t k = 0; k < LISTS; k++) {
        json_t *list = json_array();

        for (size_t i = 0; i < file->count; i++) {
            if (file->items[i].key == lists[k])
                (void)json_array_append_new(
                    list, policy_element(der_of(&file->items[i]), &file->items[i].limits));
        }
        if (json_array_size(list) > 0)
            (void)json_object_set_new(all, policy_names[lists[k]], list);
        else
            json_decref(list);
    }
    text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (text == NULL)
        xr_out_of_memory();
    xr_buf_fmt(out, "%s\n", text);
    free(text);
}

/* ---- reading ---- */

static bool take(struct policy_own_file *out, const struct xr_host *host, enum policy_key key,
                 const json_t *list)
{
    size_t i = 0;
    json_t *element = NULL;
    bool good = true;

    json_array_foreach(list, i, element)
    {
        struct xr_buf der = {0};
        struct xr_limits limits = {0};

        good = good && policy_element_read(&der, &limits, element, key == POLICY_LIMITED);
        if (good)
            policy_own_add(out, host, key,
                           (struct xr_bytes){(const unsigned char *)der.data, der.len}, &limits);
        xr_buf_free(&der);
        xr_limits_free(&limits);
    }
    return good;
}

static bool parse(struct policy_own_file *out, const struct xr_host *host,
                  const struct xr_buf *text)
{
    json_t *all = json_loadb(text->len > 0 ? text->data : "", text->len, 0, NULL);
    struct xr_buf again = {0};
    bool good = json_is_object(all);

    for (size_t k = 0; good && k < LISTS; k++)
        good = take(out, host, lists[k], json_object_get(all, policy_names[lists[k]]));
    json_decref(all);
    if (good)
        policy_own_text(&again, out);
    good = good && again.len == text->len && memcmp(again.data, text->data, text->len) == 0;
    xr_buf_free(&again);
    return good;
}

void policy_own_read(struct policy_own_file *out, const struct policy_root *root,
                     const struct xr_host *host, const char *dir)
{
    char *path = xr_format("%s/managed/" POLICY_OWN, dir);
    struct xr_buf text = {0};
    char why[128];
    bool closed = false;
    enum policy_file file = policy_read(&text, why, &closed, root, path);

    *out = (struct policy_own_file){.there = file != POLICY_FILE_NONE};
    if (file == POLICY_FILE_READ && parse(out, host, &text)) {
        out->strange = false;
    } else if (out->there) {
        policy_own_free(out);
        out->there = out->strange = true;
    }
    xr_buf_free(&text);
    free(path);
}
