/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index of a journal's beginning, in a file beside it, so that a command needs to read only what is
 * after that: where the transactions lie that are not over, and of the others what each changed, without
 * the states of it. docs/decisions/0032 has the reasons.
 *
 * It is a cache that may be lost, torn, old or from elsewhere at any time. It is believed only if its
 * checksums are right, it names the key of this journal, and the journal has, where the index ends, the
 * record that it ended with. Only durable records come into it. Else all of the journal is read.
 *
 * The file: "XRI2", SHA-256 of the rest of the head, the length of the head's body (8 bytes), the body,
 * and sections, whose lengths and SHA-256 are in the body.
 */
#ifndef XR_JOURNAL_INDEX_H
#define XR_JOURNAL_INDEX_H

#include "journal.h"

#define XR_INDEX_NAME "journal-index"

/* Opens the index of the journal, whose file is open, and reads the transactions that are not over;
 * if one of these may be undone, with outlines of the others. False: there is none to believe, and journal is to be read whole. */
bool xr_index_open(struct xr_journal *journal);
void xr_index_free(struct xr_journal_index *index);
/* Bytes of the journal that it covers. */
uint64_t xr_index_covers(const struct xr_journal_index *index);
/* Reads what it says of changes; false if that is damaged. */
bool xr_index_changes(struct xr_journal_index *index);
/* Calls tell for the newest change of each subject in a store, as xr_index_changes read it. leaves: it
 * removed a certificate from the anchors. */
void xr_index_newest(const struct xr_journal_index *index, const char *store,
                     void (*tell)(void *ctx, const struct xr_subject *subject, size_t ordinal,
                                  bool leaves),
                     void *ctx);
/* xr_journal_managed, of what it covers. */
bool xr_index_managed(const struct xr_journal_index *index, const char *store,
                      const struct xr_subject *subject, enum xr_place place);
/* Adds outlines of what is over to items; false if these parts of the index are damaged. */
bool xr_index_outlines(struct xr_journal *journal);
/* Is it time to replace it, because much was added since, or something was undone? */
bool xr_index_due(const struct xr_journal *journal);
/* Replaces it. items has all transactions, and all that they changed is known. */
void xr_index_write(struct xr_journal *journal);

#endif
