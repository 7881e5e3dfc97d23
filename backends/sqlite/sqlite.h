/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libsqlite3 that are used here. It is loaded when the first database is opened, so that
 * those who have none need no SQLite. */
#ifndef XR_SQLITE_SQLITE_H
#define XR_SQLITE_SQLITE_H

#include "kit/base.h"

#include <sqlite3.h>

#define XR_SQLITE_CALLS(X) \
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

struct sqlite_library {
#define MEMBER(name) __typeof__ (&sqlite3_##name)(name);
    XR_SQLITE_CALLS(MEMBER)
#undef MEMBER
};

/* NULL: it is missing or too old, err says what to install. Stays loaded. */
const struct sqlite_library *sqlite_library(struct xr_error *err);

#endif
