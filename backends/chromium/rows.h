/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as entries, and entries as rows. The native record of an entry is all rows of its certificate
 * that put it into its place, byte for byte: usually one, under the certificate's own hash.
 */
#ifndef XR_CHROMIUM_ROWS_H
#define XR_CHROMIUM_ROWS_H

#include "chromium.h"
#include "kit/limits.h"

/* One certificate in one place. */
struct chromium_entry {
    struct xr_entry entry; /* points into the view and into what follows */
    struct xr_attached attached;
    struct xr_buf limits, native;
    char *remark;
    const char *spoiled; /* why it cannot be changed, one line; NULL: it can */
    size_t first;        /* of its rows in the view */
    size_t count;
};
struct chromium_entries {
    struct chromium_entry *items;
    size_t count, capacity;
};

/* In the order of their first rows. only: of that certificate, or NULL for all. */
void chromium_entries_of(struct chromium_entries *out, const struct chromium_view *view,
                         const struct xr_subject *only);
void chromium_entries_free(struct chromium_entries *entries);

/* Rows of one certificate. */
struct chromium_wanted {
    struct chromium_wanted_row {
        char *key;
        struct xr_bytes metadata;
    } * items;
    size_t count, capacity;
};

/* What a state of one certificate is as rows: those of the native records; of an entry without one,
 * those that now are the same; else a new row. XR_REFUSED or XR_INVALID: it cannot be held, or the
 * native record is no such rows, which would not mean what the entry says. */
enum xr_status chromium_wanted_of(struct chromium_wanted *out, const struct xr_state *want,
                                  const struct chromium_entries *now, struct xr_error *err);
void chromium_wanted_free(struct chromium_wanted *wanted);

#endif
