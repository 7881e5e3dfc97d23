/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's file, as journal.c, journal_read.c, journal_index.c and journal_prune.c share it. */
#ifndef XR_JOURNAL_FILE_H
#define XR_JOURNAL_FILE_H

#include "journal.h"

#define XR_JOURNAL_NAME      "journal"
#define XR_JOURNAL_KEY_LEN   16u
#define XR_JOURNAL_KEY_BLOCK (4u + XR_JOURNAL_KEY_LEN + XR_SHA256_LEN)
#define XR_JOURNAL_RECORDS   ((size_t)2 * XR_JOURNAL_KEY_BLOCK) /* where the first one begins */
#define XR_RECORD_MAGIC      "XRJ1"
#define XR_RECORD_MAGIC_LEN  4u
#define XR_RECORD_HEAD       (XR_RECORD_MAGIC_LEN + 4u + XR_SHA256_LEN)
/* One store's intent holds two states of every subject; 64 MiB are some 10,000 certificates. */
#define XR_RECORD_MAX  ((size_t)64 << 20)
#define XR_JOURNAL_MAX ((size_t)1 << 30)

/* Adds the key, twice, as a file begins. */
void xr_journal_put_key(struct xr_buf *out, const unsigned char key[XR_JOURNAL_KEY_LEN]);
bool xr_journal_get_key(struct xr_journal *journal, struct xr_bytes data);
void xr_journal_put_record(struct xr_buf *out, const struct xr_journal *journal,
                           const struct xr_buf *payload);
/* Is there a whole record at the beginning of rest? */
bool xr_journal_get_record(struct xr_bytes *payload, const struct xr_journal *journal,
                           struct xr_bytes rest);
/* SIZE_MAX if there is none. */
size_t xr_transaction_part(const struct xr_transaction *t, uint64_t number);
/* Applies a record that is in the file from at on. False if the payload is not a record, or is about an
 * unknown part or transaction. */
bool xr_journal_apply(struct xr_journal *journal, struct xr_bytes payload, uint64_t at);
/* Applies the records in data, which is in the file from at on: those of one transaction, or (id NULL)
 * all. False if one of these could not be applied. */
bool xr_journal_apply_all(struct xr_journal *journal, struct xr_bytes data, uint64_t at,
                          const char *id);
/* Reads what a file has of len bytes. */
bool xr_journal_some(struct xr_buf *out, int fd, uint64_t at, uint64_t len);
/* The same; false if there are fewer. */
bool xr_journal_bytes(struct xr_buf *out, int fd, uint64_t at, uint64_t len);
/* Fills journal, whose file is open; brief: with an index if there is a valid one. */
enum xr_status xr_journal_load(struct xr_journal *journal, bool brief, struct xr_error *err);
/* Before anything is added, or relies on it: makes durable that this file is the journal. False: see errno. */
bool xr_journal_place(struct xr_journal *journal);
/* Forgets all transactions that were read. */
void xr_journal_forget(struct xr_journal *journal);

/* Forgets all that was read, the index too. */
void xr_journal_unload(struct xr_journal *journal);

#endif
