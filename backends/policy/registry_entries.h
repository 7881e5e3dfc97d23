/* SPDX-License-Identifier: Apache-2.0 */
/* A view of a registry's policies as entries of a store: one for each certificate and place. */
#ifndef XR_POLICY_REGISTRY_ENTRIES_H
#define XR_POLICY_REGISTRY_ENTRIES_H

#include "registry.h"

/* One entry, with the memory that it borrows. */
struct registry_shown {
    struct xr_entry entry;
    struct xr_attached attached;
    struct xr_buf native, extension;
    char *label;
    const struct xr_limits *limits;     /* of an anchor that has any; in the view */
    const struct registry_item **items; /* of the view, that it stands for */
    size_t count;
};
struct registry_entries {
    struct registry_shown *items;
    size_t count, capacity;
    const struct registry_item **order; /* behind items of them */
};
/* Those of one certificate, or with NULL all. The view is borrowed. */
void registry_entries_make(struct registry_entries *out, const struct registry_view *view,
                           const struct xr_subject *only);
void registry_entries_free(struct registry_entries *entries);

/* What a record of an entry has: a value of a list. */
struct registry_record {
    enum policy_key list;
    struct registry_value value;
};
struct registry_records {
    struct registry_record *items;
    size_t count, capacity;
};
/* Reads native of an entry, which may come from anybody's journal. False: it is no record of values
 * that mean what the entry says. */
bool registry_records_read(struct registry_records *out, const struct xr_entry *entry);
void registry_records_free(struct registry_records *records);

#endif
