/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libsqlite3 that are used here. It is loaded when the first database is read, so that
 * those who have no such browser need no SQLite. */
#ifndef XR_CHROMIUM_SQLITE_H
#define XR_CHROMIUM_SQLITE_H

#include "kit/base.h"

#include <sqlite3.h>

#define CHROMIUM_SQLITE(X) \
    X(open_v2)             \
    X(close_v2)            \
    X(deserialize)         \
    X(db_config)           \
    X(limit)               \
    X(set_authorizer)      \
    X(prepare_v2)          \
    X(step)                \
    X(finalize)            \
    X(bind_text)           \
    X(bind_blob)           \
    X(changes)             \
    X(busy_timeout)        \
    X(vfs_find)            \
    X(vfs_register)        \
    X(column_type)         \
    X(column_int64)        \
    X(column_text)         \
    X(column_blob)         \
    X(column_bytes)        \
    X(extended_errcode)    \
    X(errmsg)

struct chromium_sqlite {
#define MEMBER(name) __typeof__ (&sqlite3_##name)(name);
    CHROMIUM_SQLITE(MEMBER)
#undef MEMBER
};

/* NULL: it is missing or too old, err says what to install. Stays loaded. */
const struct chromium_sqlite *chromium_sqlite(struct xr_error *err);

#endif
