/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of a Windows that is not running: its SOFTWARE hive, in the image that --root names, or
 * as "PRODUCT,hive=PATH". */
#include "hive/hive.h"
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BY_PATH   ",hive="
#define PARTS_MAX 8

struct offline {
    struct registry registry; /* first */
    const struct xr_host *host;
    struct hive_place place;
    struct hive *hive; /* NULL: it was lost */
    bool write;
};

static struct offline *of(struct registry *registry)
{
    return (struct offline *)(void *)registry;
}

/* ---- paths ---- */

struct parts {
    char *text;
    const char *names[PARTS_MAX + 1];
};

static void split(struct parts *out, const char *path)
{
    size_t count = 0;
    char *at = NULL;

    *out = (struct parts){.text = xr_strdup(path)};
    for (at = out->text; at != NULL && count < PARTS_MAX; count++) {
        char *end = strchr(at, '\\');

        if (end != NULL)
            *end++ = '\0';
        out->names[count] = at;
        at = end;
    }
}

static hive_key find(const struct offline *o, const char *path)
{
    struct parts parts;
    hive_key key = 0;

    split(&parts, path);
    key = hive_path(o->hive, parts.names);
    free(parts.text);
    return key;
}

static enum xr_status lost(const struct offline *o, struct xr_error *err)
{
    return o->hive != NULL ? XR_OK : xr_fail(err, XR_LOST, "%s must be read again", o->place.path);
}

/* ---- operations ---- */

static void take_value(void *ctx, const struct hive_value *value)
{
    struct registry_key *key = ctx;
    struct registry_value *copy = XR_PUSH(key);

    copy->name = xr_strdup(value->name);
    copy->type = value->type;
    xr_buf_add(&copy->data, value->data.data, value->data.len);
}

static void count_key(void *ctx, hive_key at)
{
    struct registry_key *key = ctx;

    (void)at;
    key->below++;
}

static enum xr_status read_key(struct registry *registry, struct registry_key *out,
                               const char *path, struct xr_error *err)
{
    const struct offline *o = of(registry);
    enum xr_status status = lost(o, err);
    hive_key key = status == XR_OK ? find(o, path) : 0;

    *out = (struct registry_key){.exists = key != 0};
    if (status == XR_OK)
        status = hive_values(o->hive, key, take_value, out, err);
    if (status == XR_OK)
        status = hive_children(o->hive, key, count_key, out, err);
    if (status != XR_OK)
        registry_key_free(out);
    return status;
}

static enum xr_status set(struct registry *registry, const char *path,
                          const struct registry_value *value, struct xr_error *err)
{
    const struct offline *o = of(registry);
    const struct hive_value with = {
        .name = value->name,
        .type = value->type,
        .data = {(const unsigned char *)value->data.data, value->data.len}};
    struct parts parts;
    hive_key key = 0;

    if (lost(o, err) != XR_OK)
        return XR_LOST;
    if (with.data.len > HIVE_DATA_MAX) /* before a key is made for it */
        return xr_fail(err, XR_REFUSED, "it is too long for libhivex to write");
    split(&parts, path);
    key = hive_make_path(o->hive, parts.names);
    free(parts.text);
    if (key == 0)
        return xr_fail_errno(err, "cannot make the key %s", path);
    return hive_set(o->hive, key, &with, err);
}

static enum xr_status unset(struct registry *registry, const char *path, const char *name,
                            struct xr_error *err)
{
    const struct offline *o = of(registry);
    hive_key key = 0;

    if (lost(o, err) != XR_OK)
        return XR_LOST;
    key = find(o, path);
    return key != 0 ? hive_unset(o->hive, key, name, err)
                    : xr_fail(err, XR_FAILED, "there is no key %s", path);
}

static enum xr_status remove_key(struct registry *registry, const char *path, struct xr_error *err)
{
    const struct offline *o = of(registry);
    hive_key key = 0;

    if (lost(o, err) != XR_OK)
        return XR_LOST;
    key = find(o, path);
    return key != 0 ? hive_remove(o->hive, key, err) : XR_OK;
}

/* Where its drives are is not known here. */
static bool file(struct registry *registry, struct xr_buf *out, const char *path)
{
    (void)registry;
    (void)out;
    (void)path;
    return false;
}

static enum xr_status read_hive(struct offline *o, struct xr_error *err)
{
    hive_close(o->hive);
    o->hive = NULL;
    return hive_open(&o->hive, o->host, &o->place, o->write, err);
}

static enum xr_status flush(struct registry *registry, struct xr_error *err)
{
    struct offline *o = of(registry);
    enum xr_status status = XR_OK;

    if (!o->write)
        return XR_OK;
    if (lost(o, err) != XR_OK)
        return XR_LOST;
    hive_tidy(&o->place);
    status = hive_commit(o->hive, err);
    /* What could not be written must not be listed. */
    if (status != XR_OK && read_hive(o, NULL) != XR_OK)
        status = XR_LOST;
    return status;
}

static void close_all(struct registry *registry)
{
    struct offline *o = of(registry);

    hive_close(o->hive);
    hive_place_free(&o->place);
    free(o);
}

/* ---- which one ---- */

static const struct registry_product *product_of(const char *location, size_t len)
{
    for (const struct registry_product *p = registry_products; p->name != NULL; p++) {
        if (strlen(p->name) == len && strncmp(p->name, location, len) == 0)
            return p;
    }
    return NULL;
}

static bool has_hive(struct hive_place *out, const char *root, struct xr_error *err)
{
    return hive_find_in(out, root, err) == XR_OK && faccessat(out->dir, out->name, F_OK, 0) == 0;
}

bool registry_meant(const struct xr_target *target)
{
    struct hive_place place;
    bool is = false;

    if (target->site->root == NULL)
        return strstr(target->location, BY_PATH) != NULL;
    if (product_of(target->location, strlen(target->location)) == NULL)
        return false;
    is = has_hive(&place, target->site->root, NULL);
    hive_place_free(&place);
    return is;
}

static enum xr_status place_of(struct offline *o, const struct registry_product **product,
                               const struct xr_target *target, struct xr_error *err)
{
    const char *location = target->location;
    const char *by_path = target->site->root == NULL ? strstr(location, BY_PATH) : NULL;

    *product =
        product_of(location, by_path != NULL ? (size_t)(by_path - location) : strlen(location));
    if (*product == NULL || (target->site->root == NULL && by_path == NULL))
        return xr_fail(err, XR_UNSUPPORTED,
                       "name a browser, such as policy:chrome with --root, or with a hive "
                       "policy:chrome,hive=PATH");
    return by_path != NULL ? hive_find_at(&o->place, by_path + strlen(BY_PATH), err)
                           : hive_find_in(&o->place, target->site->root, err);
}

enum xr_status registry_open(struct registry **out, const struct registry_product **product,
                             struct xr_caps *caps, const struct xr_host *host,
                             const struct xr_target *target, enum xr_mode mode,
                             struct xr_error *err)
{
    struct offline *o = xr_new(1, sizeof(*o));
    enum xr_status status = XR_OK;

    *o = (struct offline){.registry = {.read = read_key,
                                       .set = set,
                                       .unset = unset,
                                       .remove = remove_key,
                                       .flush = flush,
                                       .file = file,
                                       .close = close_all},
                          .host = host,
                          .place = {.root = -1, .dir = -1}};
    status = place_of(o, product, target, err);
    if (status == XR_OK && *product != NULL) {
        hive_describe(caps, &o->place);
        (void)snprintf(caps->identity, sizeof(caps->identity), "policy:%s:", (*product)->name);
        hive_identify(caps->identity, &o->place);
        caps->atomic = true;
        o->write = mode == XR_WRITE && caps->writable && (*product)->family == POLICY_CHROMIUM;
        /* The same lock as of the other stores in this hive. */
        if (o->write)
            status = host->lock(o->place.dir, XR_LOCK_MS, o->place.path, err);
    }
    if (status == XR_OK)
        status = read_hive(o, err);
    if (status != XR_OK) {
        close_all(&o->registry);
        return status;
    }
    *out = &o->registry;
    return XR_OK;
}

/* Products that are installed for all users. A hive is not opened before one is named: that is left to
 * sessions. */
enum xr_status registry_discover(const struct xr_site *site,
                                 bool (*emit)(void *ctx, const struct registry_product *product),
                                 void *ctx, struct xr_error *err)
{
    struct hive_place place;
    struct xr_error why = {0};
    enum xr_status status = XR_OK;
    bool is = false;

    if (site->root == NULL)
        return XR_OK;
    is = has_hive(&place, site->root, &why);
    if (!is && (why.code == EMFILE || why.code == ENFILE || why.code == EIO)) /* it may be there */
        status = xr_fail(err, XR_FAILED, "%s", why.text);
    for (const struct registry_product *p = registry_products; is && p->name != NULL; p++) {
        bool installed = false;

        for (size_t i = 0; i < 3 && p->installed[i] != NULL; i++)
            installed = installed || hive_has_dir(&place, p->installed[i]);
        is = !installed || emit(ctx, p);
    }
    hive_place_free(&place);
    return status;
}
