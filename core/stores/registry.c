/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include "certs/browsers.h"
#include "certs/cafile.h"
#include "certs/scan.h"
#include "kit/pem.h"
#include "state.h"
#include "sys/sys.h"
#include "xr_config.h"

#include <stdalign.h>
#include <stdlib.h>

static enum xr_status host_slices(struct xr_slices *out, struct xr_bytes der, struct xr_error *err)
{
    struct xr_der_cert cert;
    enum xr_status status = xr_der_cert(&cert, der, err);
    size_t size = out->size;

    if (status == XR_OK) {
        memcpy(out, &cert.slices, size < sizeof(cert.slices) ? size : sizeof(cert.slices));
        out->size = size;
    }
    return status;
}

static enum xr_status host_lock(int fd, unsigned wait_ms, const char *what, struct xr_error *err)
{
    struct xr_error why = {0};
    enum xr_status status = xr_sys_lock(fd, true, wait_ms, &why);

    if (status == XR_BUSY)
        return xr_fail(err, status, "another process keeps %s locked", what);
    return status != XR_OK ? xr_fail(err, status, "%s: %s", what, why.text) : XR_OK;
}

const struct xr_host xr_host = {
    .size = sizeof(struct xr_host),
    .write_atomic = xr_sys_write_atomic,
    .slices = host_slices,
    .crl_issuer = xr_der_crl_issuer,
    .name_hash = xr_x509_name_hash,
    .sha256 = xr_x509_sha256,
    .pem = xr_pem,
    .items = xr_input_items,
    .trusted = xr_input_trusted,
    .state_equal = xr_state_equal,
    .path_check = xr_x509_path_check,
    .release = free,
    .sha1 = xr_x509_sha1,
    .md5 = xr_x509_md5,
    .run = xr_run_command,
    .lock = host_lock,
    .openssl_items = xr_openssl_items,
    .browser_check = xr_browser_check,
};

#define XR_BUILTIN(name) const struct xr_backend *xr_backend_entry_##name(void);
XR_BUILTIN_LIST
#undef XR_BUILTIN

void xr_registry_init(struct xr_registry *registry)
{
#define XR_BUILTIN(name) xr_backend_entry_##name,
    static const xr_backend_entry_fn builtin[] = {XR_BUILTIN_LIST NULL};
#undef XR_BUILTIN

    *registry = (struct xr_registry){0};
    for (size_t i = 0; builtin[i] != NULL; i++) {
        struct xr_error err = {0};

        if (xr_registry_add(registry, builtin[i](), &err) != XR_OK)
            xr_strings_add(&registry->refused, err.text);
    }
}

static bool plain_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    return len > 0 && len < 32 && name[len] == '\0';
}

enum xr_status xr_registry_add(struct xr_registry *registry, const struct xr_backend *table,
                               struct xr_error *err)
{
    struct xr_backend copy = {0};
    struct xr_loaded *loaded = NULL;
    const char *missing = NULL;
    size_t known = 0;

    if (table == NULL)
        return xr_fail(err, XR_REFUSED, "it returns no table");
    if (table->abi != XR_ABI_VERSION)
        return xr_fail(err, XR_REFUSED, "its ABI is version %u, this crossroot's is %u",
                       (unsigned)table->abi, XR_ABI_VERSION);
    if (table->size < offsetof(struct xr_backend, flush))
        return xr_fail(err, XR_REFUSED, "its table of %zu bytes is too short", table->size);
    /* A pointer that is only partly inside the table does not count. */
    known = table->size < sizeof(copy) ? table->size : sizeof(copy);
    known -= known % alignof(struct xr_backend);
    memcpy(&copy, table, known);
    copy.size = sizeof(copy);
    if (copy.name == NULL || !plain_name(copy.name))
        return xr_fail(err, XR_REFUSED,
                       "its name may have only lower-case letters, digits, - "
                       "and _");
    missing = copy.discover == NULL ? "discover"
              : copy.open == NULL   ? "open"
              : copy.close == NULL  ? "close"
              : copy.list == NULL   ? "list"
              : copy.swap == NULL   ? "swap"
                                    : NULL;
    if (missing != NULL)
        return xr_fail(err, XR_REFUSED, "backend %s lacks the required operation %s", copy.name,
                       missing);
    if (xr_registry_find(registry, copy.name) != NULL)
        return xr_fail(err, XR_REFUSED, "there is already a backend named %s", copy.name);
    if (copy.summary == NULL)
        copy.summary = "";
    loaded = XR_PUSH(registry);
    loaded->table = copy;
    return XR_OK;
}

const struct xr_loaded *xr_registry_find(const struct xr_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->items[i].table.name, name) == 0)
            return &registry->items[i];
    }
    return NULL;
}

void xr_registry_free(struct xr_registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        free(registry->items[i].plugin);
        if (registry->items[i].unload != NULL)
            registry->items[i].unload(&registry->items[i]);
    }
    free(registry->items);
    xr_strings_free(&registry->refused);
    *registry = (struct xr_registry){0};
}
