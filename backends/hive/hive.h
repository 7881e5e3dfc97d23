/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry hive of a Windows that is not running, as a file, by libhivex. Changes are collected in
 * memory, and written all at once. Names of keys and values are UTF-8; upper and lower case are the
 * same, as for Windows.
 */
#ifndef XR_HIVE_H
#define XR_HIVE_H

#include "kit/base.h"

#include <sys/stat.h>

/* ---- where it is ---- */

struct hive_place {
    int root;          /* of the image, or -1 */
    int dir;           /* that has the hive */
    char *name, *path; /* of the hive: in dir, and for messages */
};
/* The SOFTWARE hive of the image root. Whether it exists is not looked at. */
enum xr_status hive_find_in(struct hive_place *out, const char *root, struct xr_error *err);
/* The hive at a full path, on the way to which no link is followed. */
enum xr_status hive_find_at(struct hive_place *out, const char *path, struct xr_error *err);
/* Fills writable, needs_privilege and why_not. */
void hive_describe(struct xr_caps *caps, const struct hive_place *place);
/* "DEVICE:INODE" of the directory, behind what identity holds. */
void hive_identify(char identity[96], const struct hive_place *place);
/* Does the image have that directory? Each part of the path in any upper or lower case. */
bool hive_has_dir(const struct hive_place *place, const char *path);
void hive_place_free(struct hive_place *place); /* and lets its lock go */

/* ---- the file ---- */

struct hive;

/* place is borrowed. XR_REFUSED for a hive that Windows left with changes of which some are only in its
 * logs. XR_ABSENT if libhivex cannot be loaded. */
enum xr_status hive_open(struct hive **out, const struct xr_host *host,
                         const struct hive_place *place, bool write, struct xr_error *err);
void hive_close(struct hive *hive); /* NULL is fine; drops uncommitted changes */
/* Writes all changes at once: to a copy beside it, which is read back, made durable and renamed.
 * Does nothing without changes. Fails if another program wrote the hive meanwhile. */
enum xr_status hive_commit(struct hive *hive, struct xr_error *err);
/* Removes what a killed run left. Call it under the lock. */
void hive_tidy(const struct hive_place *place);

/* ---- keys ---- */

typedef size_t hive_key; /* 0: none, of which nothing is found */

hive_key hive_root(const struct hive *hive);
hive_key hive_child(const struct hive *hive, hive_key key, const char *name);
/* Makes it if there is none. 0: see errno */
hive_key hive_make_child(struct hive *hive, hive_key key, const char *name);
/* Below root, by names from the top down that end with NULL. */
hive_key hive_path(const struct hive *hive, const char *const *names);
hive_key hive_make_path(struct hive *hive, const char *const *names);
/* The keys below it; at most HIVE_KEYS_MAX. */
#define HIVE_KEYS_MAX 100000u
typedef void (*hive_key_fn)(void *ctx, hive_key key);
enum xr_status hive_children(const struct hive *hive, hive_key key, hive_key_fn emit, void *ctx,
                             struct xr_error *err);
/* With all below it. */
enum xr_status hive_remove(struct hive *hive, hive_key key, struct xr_error *err);

/* ---- values ---- */

/* Windows keeps longer data in several cells, which libhivex reads and does not make. */
#define HIVE_DATA_MAX 16344u
struct hive_value {
    const char *name; /* "": the value of the key itself */
    uint32_t type;    /* REG_SZ is 1, REG_BINARY 3 … */
    struct xr_bytes data;
    bool kept; /* it can be written again as it is */
};
typedef void (*hive_value_fn)(void *ctx, const struct hive_value *value);
enum xr_status hive_values(const struct hive *hive, hive_key key, hive_value_fn emit, void *ctx,
                           struct xr_error *err);
/* Set one value, or remove it. libhivex writes all values of a key again: XR_REFUSED, and nothing is
 * changed, if one of them would not stay as it is. */
enum xr_status hive_set(struct hive *hive, hive_key key, const struct hive_value *value,
                        struct xr_error *err);
enum xr_status hive_unset(struct hive *hive, hive_key key, const char *name, struct xr_error *err);

#endif
