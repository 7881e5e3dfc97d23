/* SPDX-License-Identifier: Apache-2.0 */
/* The index's file, as journal_index.c reads and journal_index_write.c writes it. */
#ifndef XR_JOURNAL_INDEX_FILE_H
#define XR_JOURNAL_INDEX_FILE_H

#include "journal_file.h"
#include "journal_index.h"

#define XR_INDEX_MAGIC     "XRI2" /* of XRI1, some hid what pruning had left */
#define XR_INDEX_MAGIC_LEN 4u
#define XR_INDEX_HEAD      (XR_INDEX_MAGIC_LEN + XR_SHA256_LEN + 8u)
#define XR_INDEX_BODY_MAX  ((size_t)1 << 20)
enum { XR_INDEX_ROWS, XR_INDEX_PARTS, XR_INDEX_STORES, XR_INDEX_CHANGES, XR_INDEX_SECTIONS };
enum { XR_ROW_OPEN = 1 };
/* Of the places of a state, a bit each; then: */
enum { XR_CHANGE_LEAVES = 1 << 16, XR_CHANGE_UNDONE = 1 << 17 };
#define XR_ROW_LEN    (2 * XR_JOURNAL_ID_LEN + 4 * 8) /* ID, undoes, begin, stop, parts, flags */
#define XR_PART_LEN   (2 * 8)                         /* store, stage */
#define XR_CHANGE_LEN (XR_SHA256_LEN + 4 * 8) /* subject, its type, store, transaction, bits */

struct section {
    uint64_t at, len;
    unsigned char sum[XR_SHA256_LEN];
    bool read;
    struct xr_buf bytes;
};

struct open_row {
    uint64_t ordinal, begin, stop;
    char id[XR_JOURNAL_ID_LEN + 1];
};

struct xr_change_row {
    unsigned char id[XR_SHA256_LEN];
    uint64_t type, store, ordinal, bits;
};

struct xr_journal_index {
    int fd;
    uint64_t covered, damaged;
    size_t transactions;
    struct section sections[XR_INDEX_SECTIONS];
    struct {
        struct open_row *items;
        size_t count, capacity;
    } opens;
    struct xr_strings stores; /* once read */
    bool outlined;            /* they are in items */
};

struct xr_change_row xr_index_change(const struct xr_journal_index *index, size_t i);
size_t xr_index_count(const struct xr_journal_index *index); /* of its changes */
int xr_change_by_subject(const void *a, const void *b);      /* as they are sorted */

static inline struct xr_bytes xr_index_bytes(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

#endif
