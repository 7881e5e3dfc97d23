/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_entries.h"

#include <stdlib.h>

/* In front of a record: its entry is made of values that are added and removed here, or it is not. */
enum { RECORD_OURS = 1, RECORD_FIXED = 2 };

static bool same_subject(const struct registry_item *a, const struct registry_item *b)
{
    return memcmp(a->sha256, b->sha256, XR_SHA256_LEN) == 0;
}

static int by_entry(const void *a, const void *b)
{
    const struct registry_item *x = *(const struct registry_item *const *)a;
    const struct registry_item *y = *(const struct registry_item *const *)b;
    int order = memcmp(x->sha256, y->sha256, XR_SHA256_LEN);

    if (order == 0)
        order = (int)registry_place(x->list) - (int)registry_place(y->list);
    if (order == 0)
        order = (int)x->fixed - (int)y->fixed;
    return order != 0 ? order : x < y ? -1 : x > y;
}

static bool together(const struct registry_item *a, const struct registry_item *b)
{
    return same_subject(a, b) && registry_place(a->list) == registry_place(b->list) &&
           a->fixed == b->fixed;
}

static void put_text(struct xr_buf *out, const void *data, size_t len)
{
    xr_buf_put32(out, (uint32_t)len);
    xr_buf_add(out, data, len);
}

static void record(struct xr_buf *out, const struct registry_item *item)
{
    xr_buf_put32(out, (uint32_t)item->list);
    xr_buf_put32(out, item->value.type);
    put_text(out, item->value.name, strlen(item->value.name));
    put_text(out, item->value.data.data, item->value.data.len);
}

static void show(struct registry_shown *shown, const struct xr_limits *limits)
{
    const struct registry_item *first = shown->items[0];
    struct xr_entry *entry = &shown->entry;
    bool fixed = first->fixed;
    struct xr_buf label = {0};

    xr_buf_put32(&shown->native, fixed ? RECORD_FIXED : RECORD_OURS);
    for (size_t i = 0; i < shown->count; i++) {
        const struct registry_item *item = shown->items[i];

        if (!fixed)
            record(&shown->native, item);
        xr_buf_fmt(&label, "%s%s\\%s", i > 0 ? ", " : "", policy_names[item->list],
                   item->value.name);
    }
    if (shown->native.len > XR_NATIVE_MAX) { /* one certificate thousands of times */
        fixed = true;
        shown->native.len = 0;
        xr_buf_put32(&shown->native, RECORD_FIXED);
    }
    shown->label = xr_visible(label.data);
    xr_buf_free(&label);
    *entry = (struct xr_entry){.size = sizeof(*entry),
                               .subject = {.type = XR_SUBJECT_CERT},
                               .place = registry_place(first->list),
                               .flags = fixed ? XR_ENTRY_VENDOR : 0u,
                               .label = shown->label,
                               .der = {(unsigned char *)first->der.data, first->der.len},
                               .native = {(unsigned char *)shown->native.data, shown->native.len}};
    memcpy(entry->subject.id, first->sha256, XR_SHA256_LEN);
    if (entry->place != XR_ANCHOR)
        return;
    entry->purposes = XR_SERVER;
    shown->limits = limits;
    if (limits != NULL) {
        xr_limits_attach(&shown->attached, &shown->extension, limits);
        entry->attached_count = 1;
    }
}

/* Borrowed by the entry from where it lies for good. */
static void settle(struct registry_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct registry_shown *shown = &entries->items[i];

        if (shown->entry.attached_count > 0)
            shown->entry.attached = &shown->attached;
    }
}

/* The first entry with limits counts, whoever made it, also for the same certificate without any. */
static const struct xr_limits *limits_of(const struct registry_item *const *of, size_t count)
{
    const struct registry_item *first = NULL;

    for (size_t i = 0; i < count && same_subject(of[0], of[i]); i++) {
        if (of[i]->list == POLICY_LIMITED && (first == NULL || of[i] < first))
            first = of[i];
    }
    return first != NULL ? &first->limits : NULL;
}

void registry_entries_make(struct registry_entries *out, const struct registry_view *view,
                           const struct xr_subject *only)
{
    const struct xr_limits *limits = NULL;
    size_t count = 0;

    *out = (struct registry_entries){.order = xr_new(view->count + 1, sizeof(*out->order))};
    for (size_t i = 0; i < view->count; i++) {
        if (only == NULL || (only->type == XR_SUBJECT_CERT &&
                             memcmp(view->items[i].sha256, only->id, XR_SHA256_LEN) == 0))
            out->order[count++] = &view->items[i];
    }
    if (count > 1)
        qsort((void *)out->order, count, sizeof(*out->order), by_entry);
    for (size_t i = 0, next = 0; i < count; i = next) {
        struct registry_shown *shown = XR_PUSH(out);

        if (i == 0 || !same_subject(out->order[i - 1], out->order[i]))
            limits = limits_of(out->order + i, count - i);
        for (next = i; next < count && together(out->order[i], out->order[next]);)
            next++;
        shown->items = out->order + i;
        shown->count = next - i;
        show(shown, limits);
    }
    settle(out);
}

void registry_entries_free(struct registry_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        xr_buf_free(&entries->items[i].native);
        xr_buf_free(&entries->items[i].extension);
        free(entries->items[i].label);
    }
    free(entries->items);
    free((void *)entries->order);
    *entries = (struct registry_entries){0};
}

/* ---- records ---- */

void registry_records_free(struct registry_records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        free(records->items[i].value.name);
        xr_buf_free(&records->items[i].value.data);
    }
    free(records->items);
    *records = (struct registry_records){0};
}

static bool get_text(struct xr_bytes *out, struct xr_bytes *in)
{
    uint32_t len = 0;

    if (!xr_bytes_get32(&len, in) || len > in->len)
        return false;
    *out = (struct xr_bytes){in->data, len};
    in->data += len;
    in->len -= len;
    return true;
}

static bool read_one(struct registry_record *out, struct xr_bytes *in)
{
    uint32_t list = 0, type = 0;
    struct xr_bytes name = {0}, data = {0};
    int32_t number = 0;

    if (!xr_bytes_get32(&list, in) || !xr_bytes_get32(&type, in) || !get_text(&name, in) ||
        !get_text(&data, in) || list > POLICY_DISTRUST)
        return false;
    out->list = (enum policy_key)list;
    out->value.type = type;
    out->value.name = xr_memdup(name.data, name.len);
    xr_buf_add(&out->value.data, data.data, data.len);
    return strlen(out->value.name) == name.len && registry_number(&number, out->value.name);
}

/* Does the value mean that certificate in that place? Its limits are added. */
static bool means(struct xr_limits *limits, const struct registry_record *record,
                  const struct xr_entry *entry)
{
    struct xr_buf der = {0};
    struct xr_limits own = {0};
    bool good = registry_place(record->list) == entry->place &&
                registry_value_read(&der, &own, &record->value, record->list) &&
                xr_bytes_equal((struct xr_bytes){(unsigned char *)der.data, der.len}, entry->der);

    xr_buf_free(&der);
    if (good && record->list == POLICY_LIMITED && !xr_limits_any(limits))
        *limits = own;
    else
        xr_limits_free(&own);
    return good;
}

bool registry_records_read(struct registry_records *out, const struct xr_entry *entry)
{
    struct xr_bytes in = entry->native;
    struct xr_limits limits = {0}, said = {0};
    uint32_t kind = 0;
    bool good = xr_bytes_get32(&kind, &in) && kind == RECORD_OURS && in.len > 0;

    while (good && in.len > 0) {
        struct registry_record *record = XR_PUSH(out);

        good = read_one(record, &in) && means(&limits, record, entry);
    }
    /* Limits may have been those of another entry; the swap asks what they will be. */
    good = good && xr_limits_of(&said, entry) &&
           (!xr_limits_any(&limits) || xr_limits_equal(&limits, &said));
    xr_limits_free(&limits);
    xr_limits_free(&said);
    return good;
}
