/* SPDX-License-Identifier: Apache-2.0 */
/* Values of others are never written; those of a list that are to go are named by their number and
 * compared with what was listed. */
#include "registry_swap.h"

#include "registry_entries.h"

#include <stdlib.h>

/* A value that is to be there afterwards. */
struct wanted {
    enum policy_key list;
    const struct registry_item *there; /* it is, already */
    struct registry_value value;       /* else; without a name it gets one */
};

struct swapping {
    struct registry *registry;
    const struct registry_product *product;
    const struct xr_host *host;
    struct registry_view view;
    struct registry_entries now; /* of the subject */
    struct {
        struct wanted *items;
        size_t count, capacity;
    } wanted;
};

/* ---- what is there ---- */

static bool as_expected(const struct swapping *w, const struct xr_subject *subject,
                        const struct xr_state *expect)
{
    const struct xr_entry **list = xr_new(w->now.count + 1, sizeof(*list));
    struct xr_state have = {.size = sizeof(have), .entries = list, .count = w->now.count};
    bool equal = false;

    have.subject = *subject;
    for (size_t i = 0; i < w->now.count; i++)
        list[i] = &w->now.items[i].entry;
    equal = w->host->state_equal(w->now.count > 0 ? &have : NULL, expect);
    free((void *)list);
    return equal;
}

static bool is_fixed(const struct registry_shown *shown)
{
    return (shown->entry.flags & XR_ENTRY_VENDOR) != 0;
}

/* ---- what is wanted ---- */

static enum xr_status check_entry(const struct xr_entry *entry, struct xr_limits *limits,
                                  struct xr_error *err)
{
    if (entry->place != XR_ANCHOR && entry->place != XR_INTERMEDIATE && entry->place != XR_DISTRUST)
        return xr_fail(err, XR_REFUSED, "policies have no such place");
    if (!xr_limits_of(limits, entry) || (xr_limits_any(limits) && entry->place != XR_ANCHOR))
        return xr_fail(err, XR_REFUSED, "policies attach no extension but limits of an anchor");
    if (entry->place == XR_ANCHOR && entry->purposes != XR_SERVER)
        return xr_fail(err, XR_REFUSED, "an anchor of this policy is one for servers");
    return XR_OK;
}

static void keep(struct swapping *w, const struct registry_shown *shown)
{
    for (size_t i = 0; i < shown->count; i++)
        *XR_PUSH(&w->wanted) =
            (struct wanted){.list = shown->items[i]->list, .there = shown->items[i]};
}

static const struct registry_item *holder(const struct swapping *w, enum policy_key list,
                                          const char *name)
{
    for (size_t i = 0; i < w->view.count; i++) {
        const struct registry_item *item = &w->view.items[i];

        if (item->list == list && !item->fixed && strcmp(item->value.name, name) == 0)
            return item;
    }
    return NULL;
}

static bool same_value(const struct registry_value *a, const struct registry_value *b)
{
    return a->type == b->type && a->data.len == b->data.len &&
           memcmp(a->data.data, b->data.data, a->data.len) == 0;
}

/* Values of a record, each exactly as it was. One whose number another value has by now gets another
 * number: what it says is the same. */
static enum xr_status restore(struct swapping *w, const struct xr_entry *entry,
                              struct xr_error *err)
{
    struct registry_records records = {0};
    enum xr_status status = XR_OK;

    if (!registry_records_read(&records, entry))
        status = xr_fail(err, XR_INVALID,
                         "the record of this entry is damaged, or not of a value "
                         "that crossroot adds");
    for (size_t i = 0; status == XR_OK && i < records.count; i++) {
        struct registry_record *record = &records.items[i];
        const struct registry_item *item = holder(w, record->list, record->value.name);
        struct wanted *wanted = XR_PUSH(&w->wanted);

        *wanted = (struct wanted){.list = record->list};
        if (item != NULL && same_value(&item->value, &record->value)) {
            wanted->there = item;
            continue;
        }
        wanted->value = record->value;
        record->value = (struct registry_value){0};
    }
    registry_records_free(&records);
    return status;
}

static enum xr_status plan_entry(struct swapping *w, const struct xr_entry *entry,
                                 struct xr_error *err)
{
    struct xr_limits limits = {0}, have = {0};
    enum xr_status status = check_entry(entry, &limits, err);
    bool done = false;

    for (size_t i = 0; status == XR_OK && !done && i < w->now.count; i++) {
        const struct registry_shown *shown = &w->now.items[i];

        if (shown->entry.place != entry->place ||
            (entry->native.len > 0 ? !xr_bytes_equal(shown->entry.native, entry->native)
                                   : is_fixed(shown)))
            continue;
        xr_limits_free(&have);
        done = xr_limits_of(&have, &shown->entry) && xr_limits_equal(&have, &limits);
        if (done)
            keep(w, shown);
    }
    if (status == XR_OK && !done && entry->native.len > 0) {
        status = restore(w, entry, err);
    } else if (status == XR_OK && !done) {
        struct wanted *wanted = XR_PUSH(&w->wanted);

        wanted->list = entry->place == XR_INTERMEDIATE ? POLICY_HINTS
                       : entry->place == XR_DISTRUST   ? POLICY_DISTRUST
                       : xr_limits_any(&limits)        ? POLICY_LIMITED
                                                       : POLICY_ANCHORS;
        registry_value_make(&wanted->value, entry->der, &limits);
    }
    xr_limits_free(&limits);
    xr_limits_free(&have);
    return status;
}

static bool is_wanted(const struct swapping *w, const struct registry_item *item)
{
    for (size_t i = 0; i < w->wanted.count; i++) {
        if (w->wanted.items[i].there == item)
            return true;
    }
    return false;
}

/* ---- whether that can be ---- */

static enum xr_status check_list(const struct swapping *w, enum policy_key list,
                                 struct xr_error *err)
{
    return w->view.why_fixed[list] != NULL
               ? xr_fail(err, XR_REFUSED, "%s: %s", policy_names[list], w->view.why_fixed[list])
               : XR_OK;
}

/* Entries of others that stay may limit this one. */
static enum xr_status check_limits(const struct swapping *w, const struct xr_state *want,
                                   struct xr_error *err)
{
    const struct registry_item *limiting = NULL;
    struct xr_limits limits = {0};
    bool same = true;

    for (size_t i = 0; i < w->now.count; i++) {
        const struct registry_shown *shown = &w->now.items[i];

        if (is_fixed(shown) && shown->items[0]->list == POLICY_LIMITED)
            limiting = shown->items[0];
    }
    for (size_t i = 0; limiting != NULL && want != NULL && i < want->count; i++) {
        if (want->entries[i]->place != XR_ANCHOR)
            continue;
        same = same && xr_limits_of(&limits, want->entries[i]) &&
               xr_limits_equal(&limits, &limiting->limits);
        xr_limits_free(&limits);
    }
    return same ? XR_OK
                : xr_fail(err, XR_REFUSED,
                          "an entry of an administrator limits this certificate to other names");
}

/* Limits are not taken away while an entry of somebody else's stays that is an anchor. */
static bool keeps_within(const struct swapping *w, const struct registry_item *going)
{
    for (size_t i = 0; going->list == POLICY_LIMITED && i < w->now.count; i++) {
        if (is_fixed(&w->now.items[i]) && w->now.items[i].entry.place == XR_ANCHOR)
            return true;
    }
    return false;
}

static enum xr_status check(const struct swapping *w, const struct xr_state *want,
                            struct xr_error *err)
{
    enum xr_status status = check_limits(w, want, err);

    for (size_t i = 0; status == XR_OK && i < w->wanted.count; i++) {
        if (w->wanted.items[i].there == NULL)
            status = check_list(w, w->wanted.items[i].list, err);
    }
    for (size_t i = 0; status == XR_OK && i < w->now.count; i++) {
        const struct registry_shown *shown = &w->now.items[i];

        for (size_t k = 0; status == XR_OK && k < shown->count; k++) {
            if (is_wanted(w, shown->items[k]))
                continue;
            status = check_list(w, shown->items[k]->list, err);
            if (status == XR_OK && is_fixed(shown))
                status = xr_fail(err, XR_REFUSED, "crossroot does not change this entry");
            if (status == XR_OK && keeps_within(w, shown->items[k]))
                status = xr_fail(err, XR_REFUSED,
                                 "an administrator's entry trusts it too, and only these limits "
                                 "keep that within bounds: remove it there first");
        }
    }
    return status;
}

/* ---- doing it ---- */

/* The first free number after the highest; if there is none, the lowest free one. */
static char *free_number(const struct registry_key *key)
{
    int32_t highest = 0, number = 0, lowest = 1;

    for (size_t i = 0; i < key->count; i++) {
        if (registry_number(&number, key->items[i].name) && number > highest)
            highest = number;
    }
    if (highest < INT32_MAX)
        return xr_format("%ld", (long)highest + 1);
    for (size_t i = 0; i < key->count; i++) {
        if (registry_number(&number, key->items[i].name) && number == lowest) {
            lowest++;
            i = SIZE_MAX; /* from the start again */
        }
    }
    return xr_format("%ld", (long)lowest);
}

static bool has_name(const struct registry_key *key, const char *name)
{
    for (size_t i = 0; i < key->count; i++) {
        if (strcmp(key->items[i].name, name) == 0)
            return true;
    }
    return false;
}

static enum xr_status add_value(struct swapping *w, struct wanted *wanted, struct xr_error *err)
{
    char *path = registry_list_path(w->product, wanted->list);
    struct registry_key key = {0};
    enum xr_status status = w->registry->read(w->registry, &key, path, err);

    if (status == XR_OK && wanted->value.name != NULL && has_name(&key, wanted->value.name)) {
        free(wanted->value.name);
        wanted->value.name = NULL;
    }
    if (status == XR_OK && wanted->value.name == NULL)
        wanted->value.name = free_number(&key);
    if (status == XR_OK)
        status = w->registry->set(w->registry, path, &wanted->value, err);
    registry_key_free(&key);
    free(path);
    return status;
}

/* A key that nothing is left in goes, and the keys above it likewise, up to Policies. One that hides
 * another setting of the policy stays: an empty list is a list. */
static enum xr_status tidy(struct swapping *w, enum policy_key list, struct xr_error *err)
{
    char *path = registry_list_path(w->product, list), *cut = NULL;
    enum xr_status status = XR_OK;

    while (status == XR_OK && !w->view.hides[list] && (cut = strrchr(path, '\\')) != NULL) {
        struct registry_key key = {0};
        bool empty = false;

        status = w->registry->read(w->registry, &key, path, err);
        empty = status == XR_OK && key.exists && key.count == 0 && key.below == 0;
        registry_key_free(&key);
        if (!empty)
            break;
        status = w->registry->remove(w->registry, path, err);
        *cut = '\0';
    }
    free(path);
    return status;
}

static enum xr_status remove_value(struct swapping *w, const struct registry_item *item,
                                   struct xr_error *err)
{
    char *path = registry_list_path(w->product, item->list);
    struct registry_key key = {0};
    enum xr_status status = w->registry->read(w->registry, &key, path, err);

    /* Another program may have written it since the lists were read. */
    for (size_t i = 0; status == XR_OK && i < key.count; i++) {
        if (strcmp(key.items[i].name, item->value.name) == 0 &&
            !same_value(&key.items[i], &item->value))
            status = xr_fail(err, XR_FAILED, "another program changed the value %s of %s",
                             item->value.name, path);
    }
    if (status == XR_OK)
        status = w->registry->unset(w->registry, path, item->value.name, err);
    if (status == XR_OK)
        status = tidy(w, item->list, err);
    registry_key_free(&key);
    free(path);
    return status;
}

/* Of the values of one entry, those in that list that are not wanted. */
static enum xr_status remove_from(struct swapping *w, const struct registry_shown *shown,
                                  enum policy_key list, bool *any, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < shown->count; i++) {
        if (shown->items[i]->list != list || is_wanted(w, shown->items[i]))
            continue;
        status = remove_value(w, shown->items[i], err);
        *any = *any || status == XR_OK;
    }
    return status;
}

/* What narrows trust comes first and goes last: anchors before their limits. */
static enum xr_status carry_out(struct swapping *w, struct xr_error *err)
{
    static const enum policy_key order[] = {POLICY_DISTRUST, POLICY_LIMITED, POLICY_HINTS,
                                            POLICY_ANCHORS};
    const size_t lists = sizeof(order) / sizeof(order[0]);
    enum xr_status status = XR_OK;
    bool any = false;

    for (size_t list = 0; list < lists; list++) {
        for (size_t i = 0; status == XR_OK && i < w->wanted.count; i++) {
            struct wanted *wanted = &w->wanted.items[i];

            if (wanted->list != order[list] || wanted->there != NULL)
                continue;
            status = add_value(w, wanted, err);
            any = any || status == XR_OK;
        }
    }
    for (size_t list = lists; list-- > 0;) {
        for (size_t i = 0; status == XR_OK && i < w->now.count; i++)
            status = remove_from(w, &w->now.items[i], order[list], &any, err);
    }
    return any && (status == XR_CONFLICT || status == XR_REFUSED) ? XR_FAILED : status;
}

enum xr_status registry_swap(struct registry *registry, const struct registry_product *product,
                             const struct xr_host *host, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err)
{
    const struct xr_state *any = want != NULL ? want : expect;
    struct swapping w = {.registry = registry, .product = product, .host = host};
    struct xr_slices slices = {.size = sizeof(slices)};
    enum xr_status status = XR_OK;

    if (any->subject.type != XR_SUBJECT_CERT)
        return xr_fail(err, XR_REFUSED, "policies hold certificates only");
    if (host->slices(&slices, any->entries[0]->der, err) != XR_OK)
        return XR_INVALID;
    status = registry_view_load(&w.view, registry, product, host, err);
    if (status == XR_OK)
        registry_entries_make(&w.now, &w.view, &any->subject);
    if (status == XR_OK && !as_expected(&w, &any->subject, expect))
        status = xr_fail(err, XR_CONFLICT, "the registry has changed meanwhile");
    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++)
        status = plan_entry(&w, want->entries[i], err);
    if (status == XR_OK)
        status = check(&w, want, err);
    if (status == XR_OK)
        status = carry_out(&w, err);
    for (size_t i = 0; i < w.wanted.count; i++) {
        free(w.wanted.items[i].value.name);
        xr_buf_free(&w.wanted.items[i].value.data);
    }
    free(w.wanted.items);
    registry_entries_free(&w.now);
    registry_view_free(&w.view);
    return status;
}
