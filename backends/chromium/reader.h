/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a database that is open: in memory, or for writing. */
#ifndef XR_CHROMIUM_READER_H
#define XR_CHROMIUM_READER_H

#include "chromium.h"
#include "sqlite/sqlite.h"

/* Before anything of the schema is looked at: it may be made to harm. writing: rows of the table of
 * certificates may be changed. False: SQLite is too old for that. */
bool chromium_confine(const struct sqlite_library *sqlite, sqlite3 *db, bool writing);

/* Fills out, whose source is set: all but what tells a file's state. size: of the file. XR_INVALID: it
 * is damaged. */
enum xr_status chromium_read(struct chromium_view *out, const struct xr_host *host,
                             const struct sqlite_library *sqlite, sqlite3 *db, size_t size,
                             struct xr_error *err);

/* What SQLite says of its last call, as XR_INVALID (damaged), XR_BUSY (locked) or XR_FAILED. */
enum xr_status chromium_trouble(const struct sqlite_library *sqlite, sqlite3 *db,
                                const char *source, struct xr_error *err);

#endif
