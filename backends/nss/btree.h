/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of SQLite (sqlite.org/fileformat2.html), read without SQLite, and so strictly that what it gives
 * is what every SQLite finds there by any way: a page that is used twice, a cell outside its place, rows
 * out of order, an index that does not say what its table says, all that makes the file "not known", and
 * whoever asked asks softoken instead.
 */
#ifndef XR_NSS_BTREE_H
#define XR_NSS_BTREE_H

#include "kit/base.h"

/* The pages of a file. Those that are not in memory yet are read when they are needed. */
struct btree_file {
    unsigned char *data; /* as long as the file; owned by who opened it */
    size_t size;
    int fd;               /* -1: everything is in data */
    unsigned char *state; /* of each page */
    size_t page_size;
    uint32_t pages;
    struct btree_joined { /* payloads that lie in several pages */
        unsigned char **items;
        size_t count, capacity;
    } joined;
};
/* size: of the file. False: it is not known. Always followed by btree_close. */
bool btree_open(struct btree_file *out, unsigned char *data, size_t size, int fd);
void btree_close(struct btree_file *file);

enum { BTREE_COLUMNS = 512 };
struct btree_value {
    enum btree_type { BTREE_NULL, BTREE_INTEGER, BTREE_REAL, BTREE_TEXT, BTREE_BLOB } type;
    int64_t number;
    struct xr_bytes bytes; /* of text and blobs */
};
/* A row; columns that the file has not written are NULL. */
struct btree_row {
    int64_t rowid;
    size_t count;
    struct btree_value values[BTREE_COLUMNS]; /* borrowed until the file is closed */
};
/* False: the row is not known. */
typedef bool (*btree_row_fn)(void *ctx, const struct btree_row *row);

/* All rows of the table with that root, in their order, of at most columns values each. */
bool btree_rows(struct btree_file *file, uint32_t root, size_t columns, btree_row_fn each,
                void *ctx);

/* All entries of an index of one column, in its order: each a row of that column's value and the row's
 * number. */
bool btree_entries(struct btree_file *file, uint32_t root, btree_row_fn each, void *ctx);

/* What an index of one column without a collation of its own must say. */
struct btree_key {
    size_t row; /* for its owner */
    int64_t rowid;
    bool text; /* else it is number */
    int64_t number;
    struct xr_bytes bytes;
};
struct btree_keys {
    struct btree_key *items;
    size_t count, capacity;
};
/* Sorts keys as the index has them. False: two of them are equal, or the index with that root says
 * anything else. */
bool btree_index(struct btree_file *file, uint32_t root, struct btree_keys *keys);
/* Of keys that are sorted so. NULL: there is none. */
const struct btree_key *btree_find(const struct btree_keys *keys, const char *text);

#endif
