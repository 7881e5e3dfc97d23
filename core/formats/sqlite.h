/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a whole SQLite 3 database at once (https://www.sqlite.org/fileformat2.html): tables of rows,
 * and indexes of one column. Nothing is ever read or changed here, so the trees are packed full, and the
 * same rows give the same bytes.
 */
#ifndef XR_SQLITE_H
#define XR_SQLITE_H

#include "kit/base.h"

enum xr_sqlite_kind { XR_SQLITE_NULL, XR_SQLITE_INTEGER, XR_SQLITE_TEXT, XR_SQLITE_BLOB };

struct xr_sqlite_value {
    enum xr_sqlite_kind kind;
    int64_t number;        /* of an integer */
    struct xr_bytes bytes; /* of text (UTF-8) and a blob */
};

struct xr_sqlite_index {
    const char *name;
    const char *sql; /* NULL: SQLite makes it by itself, for a column that is UNIQUE */
    size_t column;   /* from 0 */
};

struct xr_sqlite_table {
    const char *name, *sql;
    size_t columns;
    const struct xr_sqlite_index *indexes;
    size_t index_count;
    /* The rows that were added, as records; zero at first. */
    struct xr_buf records;
    struct xr_sqlite_span {
        size_t at, len;
    } * items;
    size_t count, capacity;
};

/* Appends a row: one value for each column, all of them copied. Its rowid is its number, from 1. */
void xr_sqlite_add(struct xr_sqlite_table *table, const struct xr_sqlite_value *row);
/* Appends the bytes of the database to out, which is empty. */
void xr_sqlite_write(struct xr_buf *out, const struct xr_sqlite_table *tables, size_t count);
void xr_sqlite_free(struct xr_sqlite_table *table); /* the rows */

#endif
