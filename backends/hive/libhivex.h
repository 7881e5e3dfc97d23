/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libhivex that are used here. It is loaded when the first hive is opened, so that
 * those who have no Windows image need none of it. */
#ifndef XR_HIVE_LIBHIVEX_H
#define XR_HIVE_LIBHIVEX_H

#include "kit/base.h"

#include <hivex.h>

#define HIVE_FUNCTIONS(X) \
    X(open)               \
    X(close)              \
    X(root)               \
    X(node_name)          \
    X(node_parent)        \
    X(node_children)      \
    X(node_get_child)     \
    X(node_add_child)     \
    X(node_delete_child)  \
    X(node_values)        \
    X(node_set_values)    \
    X(value_key)          \
    X(value_key_len)      \
    X(value_value)        \
    X(commit)

struct hive_functions {
#define MEMBER(name) __typeof__ (&hivex_##name)(name);
    HIVE_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL: it is missing or too old, err says what to install. Stays loaded. */
const struct hive_functions *hive_library(struct xr_error *err);

#endif
