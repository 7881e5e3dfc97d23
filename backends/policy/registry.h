/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies of Windows: values below SOFTWARE\Policies of HKEY_LOCAL_MACHINE. A list is a key of the
 * policy's name; its values are named by numbers. What a list means is the same wherever the registry
 * is: of the Windows that runs this, or in a hive of an image.
 */
#ifndef XR_POLICY_REGISTRY_H
#define XR_POLICY_REGISTRY_H

#include "private.h"

#include "kit/limits.h"

/* ---- a registry ---- */

enum registry_type { REGISTRY_SZ = 1, REGISTRY_EXPAND_SZ = 2, REGISTRY_DWORD = 4 };

struct registry_value {
    char *name; /* UTF-8 */
    uint32_t type;
    struct xr_buf data; /* as the registry has it; text is UTF-16LE */
};

/* One key, read. */
struct registry_key {
    bool exists;
    struct registry_value *items;
    size_t count, capacity;
    size_t below; /* number of keys in it */
};
void registry_key_free(struct registry_key *key);

/* What can be done with a registry, whatever it is. Paths are below SOFTWARE, with backslashes. */
struct registry {
    enum xr_status (*read)(struct registry *registry, struct registry_key *out, const char *path,
                           struct xr_error *err);
    /* Makes the key. Replaces a value of that name. */
    enum xr_status (*set)(struct registry *registry, const char *path,
                          const struct registry_value *value, struct xr_error *err);
    enum xr_status (*unset)(struct registry *registry, const char *path, const char *name,
                            struct xr_error *err);
    /* A key that has nothing in it. */
    enum xr_status (*remove)(struct registry *registry, const char *path, struct xr_error *err);
    /* Makes changes durable. If it fails, none was made where that is possible. */
    enum xr_status (*flush)(struct registry *registry, struct xr_error *err);
    /* A file of that Windows, by its full path there. False: it is not looked for, or not found. */
    bool (*file)(struct registry *registry, struct xr_buf *out, const char *path);
    void (*close)(struct registry *registry);
};

struct registry_product {
    const char *name, *title; /* name: in addresses */
    const char *path;
    enum policy_family family;
    const char *program;            /* its name below App Paths; NULL: it has none of its own */
    const char *const installed[3]; /* directories in an image, with slashes */
};
extern const struct registry_product registry_products[]; /* the last one has no name */

/* Opens where target says, and fills what it says of writing, identity and atomic. XR_UNSUPPORTED if
 * target is no place that this registry knows. */
enum xr_status registry_open(struct registry **out, const struct registry_product **product,
                             struct xr_caps *caps, const struct xr_host *host,
                             const struct xr_target *target, enum xr_mode mode,
                             struct xr_error *err);
/* Does target mean a registry? Nothing is opened. */
bool registry_meant(const struct xr_target *target);
enum xr_status registry_discover(const struct xr_site *site,
                                 bool (*emit)(void *ctx, const struct registry_product *product),
                                 void *ctx, struct xr_error *err);

/* ---- what its policies say ---- */

struct registry_item {
    enum policy_key list;
    bool fixed; /* not a value that is added and removed here */
    struct registry_value value;
    struct xr_buf der;
    struct xr_limits limits;
    unsigned char sha256[XR_SHA256_LEN];
};

struct registry_view {
    struct registry_item *items; /* by list, in the order in which they count */
    size_t count, capacity;
    /* Why values of a list can be neither added nor removed, or NULL. */
    const char *why_fixed[POLICY_KEYS];
    bool hides[POLICY_KEYS]; /* without its key, another setting of the policy would count */
    struct xr_strings problems;
};
enum xr_status registry_view_load(struct registry_view *out, struct registry *registry,
                                  const struct registry_product *product,
                                  const struct xr_host *host, struct xr_error *err);
void registry_view_free(struct registry_view *view);

/* Text of a value as a browser reads it, in UTF-8, allocated: to its first zero. */
char *registry_text(const struct registry_value *value);
/* A value of a list that says this, without its name. */
void registry_value_make(struct registry_value *out, struct xr_bytes der,
                         const struct xr_limits *limits);
/* Reads one; false: it is nothing that a browser takes. */
bool registry_value_read(struct xr_buf *der, struct xr_limits *limits,
                         const struct registry_value *value, enum policy_key list);
/* Is it the name of a value that counts in a list? */
bool registry_number(int32_t *out, const char *name);
/* PRODUCT's path with a policy's name, allocated. */
char *registry_list_path(const struct registry_product *product, enum policy_key list);
enum xr_place registry_place(enum policy_key list);

/* ---- Firefox's ---- */

struct registry_install {
    char *file;        /* as it is written */
    struct xr_buf der; /* empty: not found, or not one certificate */
};
struct registry_firefox {
    struct registry_install *items;
    size_t count, capacity;
    bool no_system; /* ImportEnterpriseRoots is off */
};
enum xr_status registry_firefox_load(struct registry_firefox *out, struct registry *registry,
                                     const struct registry_product *product,
                                     const struct xr_host *host, struct xr_error *err);
void registry_firefox_free(struct registry_firefox *firefox);

#endif
