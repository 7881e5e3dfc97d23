/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share about an open hive. */
#ifndef XR_HIVE_INSIDE_H
#define XR_HIVE_INSIDE_H

#include "hive.h"
#include "libhivex.h"

struct hive {
    const struct hive_functions *lib;
    const struct xr_host *host;
    const struct hive_place *place;
    hive_h *h;
    struct stat st; /* of the file that was read */
    bool changed;
    /* Of keys that were asked for more than once: the names below them. libhivex reads all of them for
     * each name that it looks for. */
    struct hive_names {
        struct xr_idmap map; /* from a key and a name, and to its place in items */
        hive_key *items;     /* 0: there is none any more */
        size_t count, capacity;
    } * names;
    /* Values of the key that is being changed, not in h yet. libhivex writes all values of a key anew,
     * each time behind the end of the hive: a key of hundreds must not be written hundreds of times. */
    struct hive_pending {
        hive_key key; /* 0: none */
        hive_set_value *items;
        size_t count, capacity;
        bool kept; /* all of them can be written as they are */
    } pending;
};

/* keys.c: puts pending values into h; drops them. */
enum xr_status hive_settle(struct hive *hive, struct xr_error *err);
void hive_forget(struct hive *hive);
void hive_names_free(struct hive_names *names);

#endif
