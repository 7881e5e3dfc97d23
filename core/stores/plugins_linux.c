/* SPDX-License-Identifier: Apache-2.0 */
/* Loads backends from shared objects. */
#include "registry.h"

#include "sys/sys.h"
#include "xr_config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void unload(struct xr_loaded *loaded)
{
    if (loaded->handle == NULL)
        return;
    (void)dlclose(loaded->handle);
    (void)close(loaded->fd);
}

static enum xr_status load_descriptor(struct xr_registry *registry, int fd, const char *path,
                                      struct xr_error *err)
{
    /* Loads the file that was checked, even if the path leads to another one by now. The loader
     * identifies libraries by name, so the descriptor stays open and its number is not used
     * again. */
    char *name = xr_format("/proc/self/fd/%d", fd);
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    void *symbol = NULL;
    xr_backend_entry_fn entry = NULL;
    enum xr_status status = XR_OK;

    free(name);
    if (handle == NULL) {
        const char *why = dlerror();

        return xr_fail(err, XR_REFUSED, "it cannot be loaded: %s",
                       why ? why : N_("no reason given"));
    }
    symbol = dlsym(handle, XR_BACKEND_ENTRY);
    memcpy(&entry, &symbol, sizeof(entry));
    if (entry == NULL)
        status = xr_fail(err, XR_REFUSED, "it has no symbol %s", XR_BACKEND_ENTRY);
    else
        status = xr_registry_add(registry, entry(), err);
    if (status != XR_OK) {
        (void)dlclose(handle);
        return status;
    }
    registry->items[registry->count - 1].unload = unload;
    registry->items[registry->count - 1].handle = handle;
    registry->items[registry->count - 1].fd = fd;
    registry->items[registry->count - 1].plugin = xr_strdup(path);
    return XR_OK;
}

/* A file of the directory that is built in. */
static bool is_part(const char *path)
{
    const size_t len = strlen(XR_PLUGIN_DIR);

    return strncmp(path, XR_PLUGIN_DIR, len) == 0 && path[len] == '/' &&
           strchr(path + len + 1, '/') == NULL;
}

enum xr_status xr_registry_plugin(struct xr_registry *registry, const char *path,
                                  struct xr_error *err)
{
    struct xr_error why = {0};
    char *shown = xr_visible(path);
    int fd = -1;
    enum xr_status status = xr_sys_open_trusted(&fd, path, is_part(path), &why);

    if (status == XR_OK)
        status = load_descriptor(registry, fd, path, &why);
    if (status != XR_OK) {
        char *reason = xr_visible(why.text);

        if (fd >= 0)
            (void)close(fd);
        status = xr_fail(err, status, "plugin %s refused: %s", shown, reason);
        free(reason);
    }
    free(shown);
    return status;
}

void xr_registry_directory(struct xr_registry *registry, const char *path)
{
    struct xr_strings names = {0};
    struct xr_error err = {0};
    int fd = -1;
    enum xr_status status = XR_OK;

    if (access(path, F_OK) != 0)
        return;
    status = xr_sys_open_trusted_dir(&fd, path, strcmp(path, XR_PLUGIN_DIR) == 0, &err);
    if (status == XR_OK)
        status = xr_sys_names(&names, fd, &err);
    if (status != XR_OK) {
        char *line = xr_format(N_("plugin directory refused: %s"), err.text);

        xr_strings_add(&registry->refused, line);
        free(line);
    }
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(names.items[i]);
        char *file = NULL;

        if (len < 4 || strcmp(names.items[i] + len - 3, ".so") != 0)
            continue;
        file = xr_format("%s/%s", path, names.items[i]);
        if (xr_registry_plugin(registry, file, &err) != XR_OK)
            xr_strings_add(&registry->refused, err.text);
        free(file);
    }
    xr_strings_free(&names);
    if (fd >= 0)
        (void)close(fd);
}
