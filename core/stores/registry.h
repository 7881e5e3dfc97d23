/* SPDX-License-Identifier: Apache-2.0 */
/* The backends: the built-in ones and plugins, with the same checks. */
#ifndef XR_REGISTRY_H
#define XR_REGISTRY_H

#include "kit/base.h"

struct xr_loaded {
    struct xr_backend table; /* a copy; members that an older backend does not have are zero */
    char *plugin;            /* file it came from, NULL for a built-in */
    /* Ends a plugin; NULL for a built-in. */
    void (*unload)(struct xr_loaded *loaded);
    void *handle;
    int fd; /* kept open with its handle */
};

struct xr_registry {
    struct xr_loaded *items;
    size_t count, capacity;
    struct xr_strings refused; /* one line each: file and reason */
};

/* The built-in backends. */
void xr_registry_init(struct xr_registry *registry);
/* Copies and checks one table: ABI, size, name, required operations, name not yet in use. */
enum xr_status xr_registry_add(struct xr_registry *registry, const struct xr_backend *table,
                               struct xr_error *err);
/* One plugin file. A refusal names the file and the reason. */
enum xr_status xr_registry_plugin(struct xr_registry *registry, const char *path,
                                  struct xr_error *err);
/* Every *.so of a directory, in the order of their names. Refusals go to refused, and the others
 * still load. A missing directory holds none. */
void xr_registry_directory(struct xr_registry *registry, const char *path);
const struct xr_loaded *xr_registry_find(const struct xr_registry *registry, const char *name);
void xr_registry_free(struct xr_registry *registry);

/* The functions that core offers to backends. */
extern const struct xr_host xr_host;

#endif
