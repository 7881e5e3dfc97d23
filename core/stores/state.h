/* SPDX-License-Identifier: Apache-2.0 */
/* States of subjects as core keeps them: copies, comparison, and the snapshot of a store. */
#ifndef XR_STATE_H
#define XR_STATE_H

#include "kit/base.h"

struct xr_state *xr_state_new(const struct xr_subject *subject);
void xr_state_free(struct xr_state *state);
struct xr_state *xr_state_copy(const struct xr_state *state); /* NULL gives NULL */
/* Copies entry into the state. */
void xr_state_add(struct xr_state *state, const struct xr_entry *entry);

/* Compares everything except flags; the order of entries does not matter. NULL equals no
 * entries. */
bool xr_state_equal(const struct xr_state *a, const struct xr_state *b);
/* The same without native and label: would a reader of the store notice a difference? */
bool xr_state_same(const struct xr_state *a, const struct xr_state *b);
/* Is every entry of state (native aside) an entry of a or of b, as after an interrupted swap? */
bool xr_state_between(const struct xr_state *state, const struct xr_state *a,
                      const struct xr_state *b);
/* Does the change give any trust that was not there? */
bool xr_state_widens(const struct xr_state *from, const struct xr_state *to);
/* Do a and b differ in one of these places (XR_PLACE_BITs)? */
bool xr_state_differs_in(const struct xr_state *a, const struct xr_state *b, uint32_t places);
const struct xr_entry *xr_state_in(const struct xr_state *state, enum xr_place place);
/* Is every entry in a place there is, of that subject, and are its bytes the subject's? XR_INVALID
 * if not. */
enum xr_status xr_state_check(const struct xr_state *state, const struct xr_subject *subject,
                              struct xr_error *err);

/* Of a subject in an xr_idmap: its ID, marked with its type. */
void xr_subject_key(unsigned char key[XR_SHA256_LEN], const struct xr_subject *subject);

struct xr_snapshot {
    struct xr_state **items;
    size_t count, capacity;
    struct xr_idmap map;
    struct xr_idmap only; /* subjects to take; empty: all */
};
/* From now on, take only subjects that were given to this function. */
void xr_snapshot_only(struct xr_snapshot *snapshot, const struct xr_subject *subject);
/* xr_entry_fn; ctx is a struct xr_snapshot. */
enum xr_status xr_snapshot_take(void *ctx, const struct xr_entry *entry);
const struct xr_state *xr_snapshot_find(const struct xr_snapshot *snapshot,
                                        const struct xr_subject *subject);
void xr_snapshot_free(struct xr_snapshot *snapshot);

#endif
