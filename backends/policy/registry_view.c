/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Chromium and its relatives make of the registry, after their source (policy_loader_win.cc,
 * registry_dict.cc): a list is a key; of its values those count whose names are numbers, in the order
 * of these names as text. A value of the policy's name that holds the whole list as JSON counts only
 * without that key; and what is below Recommended only without both.
 */
#include "registry.h"

#include "kit/der.h"

#include <errno.h>
#include <stdlib.h>

#define RECOMMENDED "Recommended"
#define VALUE_MAX   (XR_NATIVE_MAX / 4) /* longer ones do not fit into a record */

const struct registry_product registry_products[] = {
    {"chromium", "Chromium", "Policies\\Chromium", POLICY_CHROMIUM, NULL, {NULL}},
    {"chrome",
     "Google Chrome",
     "Policies\\Google\\Chrome",
     POLICY_CHROMIUM,
     "chrome.exe",
     {"Program Files/Google/Chrome/Application", "Program Files (x86)/Google/Chrome/Application"}},
    {"edge",
     "Microsoft Edge",
     "Policies\\Microsoft\\Edge",
     POLICY_CHROMIUM,
     "msedge.exe",
     {"Program Files (x86)/Microsoft/Edge/Application",
      "Program Files/Microsoft/Edge/Application"}},
    {"brave",
     "Brave",
     "Policies\\BraveSoftware\\Brave",
     POLICY_CHROMIUM,
     "brave.exe",
     {"Program Files/BraveSoftware/Brave-Browser/Application",
      "Program Files (x86)/BraveSoftware/Brave-Browser/Application"}},
    {"firefox",
     "Firefox",
     "Policies\\Mozilla\\Firefox",
     POLICY_FIREFOX,
     "firefox.exe",
     {"Program Files/Mozilla Firefox", "Program Files (x86)/Mozilla Firefox"}},
    {NULL, NULL, NULL, POLICY_CHROMIUM, NULL, {NULL}}};

void registry_key_free(struct registry_key *key)
{
    for (size_t i = 0; i < key->count; i++) {
        free(key->items[i].name);
        xr_buf_free(&key->items[i].data);
    }
    free(key->items);
    *key = (struct registry_key){0};
}

static void item_free(struct registry_item *item)
{
    free(item->value.name);
    xr_buf_free(&item->value.data);
    xr_buf_free(&item->der);
    xr_limits_free(&item->limits);
}

void registry_view_free(struct registry_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        item_free(&view->items[i]);
    free(view->items);
    xr_strings_free(&view->problems);
    *view = (struct registry_view){0};
}

enum xr_place registry_place(enum policy_key list)
{
    return list == POLICY_HINTS      ? XR_INTERMEDIATE
           : list == POLICY_DISTRUST ? XR_DISTRUST
                                     : XR_ANCHOR;
}

char *registry_list_path(const struct registry_product *product, enum policy_key list)
{
    return xr_format("%s\\%s", product->path, policy_names[list]);
}

/* ---- one value ---- */

static void put_utf8(struct xr_buf *out, uint32_t c)
{
    unsigned char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; c >>= 6)
        bytes[i] = (unsigned char)(0x80 | (c & 0x3f));
    bytes[0] = (unsigned char)(len == 1 ? c : (0xf00u >> len & 0xff) | c);
    xr_buf_add(out, bytes, len);
}

static uint32_t unit(const struct xr_buf *data, size_t i)
{
    const unsigned char *at = (const unsigned char *)data->data + 2 * i;

    return 2 * i + 1 < data->len ? (uint32_t)at[0] | (uint32_t)at[1] << 8 : 0;
}

char *registry_text(const struct registry_value *value)
{
    struct xr_buf out = {0};
    uint32_t c = 0;

    xr_buf_str(&out, "");
    for (size_t i = 0; (c = unit(&value->data, i)) != 0; i++) {
        uint32_t low = unit(&value->data, i + 1);

        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i++;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        put_utf8(&out, c);
    }
    return out.data;
}

void registry_value_make(struct registry_value *out, struct xr_bytes der,
                         const struct xr_limits *limits)
{
    json_t *element = policy_element(der, limits);
    char *text = json_is_string(element) ? xr_strdup(json_string_value(element))
                                         : json_dumps(element, JSON_COMPACT | JSON_ENSURE_ASCII);

    if (text == NULL)
        xr_out_of_memory();
    *out = (struct registry_value){.type = REGISTRY_SZ};
    for (size_t i = 0; i == 0 || text[i - 1] != '\0'; i++)
        xr_buf_add(&out->data, (const char[]){text[i], '\0'}, 2);
    free(text);
    json_decref(element);
}

static json_t *parse(const char *text)
{
    struct xr_buf strict = {0};
    json_t *json = NULL;

    if (policy_strict_json(&strict, (struct xr_bytes){(const unsigned char *)text, strlen(text)}))
        json =
            json_loadb(strict.data != NULL ? strict.data : "", strict.len, JSON_DECODE_ANY, NULL);
    xr_buf_free(&strict);
    return json;
}

/* One element of a list. What a browser makes of a certificate whose extensions do not parse is not
 * guessed at. */
static bool read_element(struct xr_buf *der, struct xr_limits *limits, const json_t *element,
                         enum policy_key list)
{
    struct xr_der_cert cert;

    return policy_element_read(der, limits, element, list == POLICY_LIMITED) &&
           xr_der_cert(&cert, (struct xr_bytes){(unsigned char *)der->data, der->len}, NULL) ==
               XR_OK &&
           !cert.malformed;
}

bool registry_value_read(struct xr_buf *der, struct xr_limits *limits,
                         const struct registry_value *value, enum policy_key list)
{
    bool good = false;
    char *text = NULL;
    json_t *element = NULL;

    if (value->type != REGISTRY_SZ && value->type != REGISTRY_EXPAND_SZ)
        return false;
    text = registry_text(value);
    element = list == POLICY_LIMITED ? parse(text) : json_string(text);
    good = read_element(der, limits, element, list);
    json_decref(element);
    free(text);
    return good;
}

/* As StringToInt of Chromium reads it. */
bool registry_number(int32_t *out, const char *name)
{
    size_t sign = name[0] == '-' || name[0] == '+' ? 1 : 0, digits = strlen(name + sign);
    long long number = 0;

    if (digits == 0 || digits > 4096 || strspn(name + sign, "0123456789") != digits)
        return false;
    errno = 0;
    number = strtoll(name, NULL, 10);
    if (errno != 0 || number > INT32_MAX || number < INT32_MIN)
        return false;
    *out = (int32_t)number;
    return true;
}

/* ---- lists ---- */

struct loading {
    struct registry_view *view;
    struct registry *registry;
    const struct registry_product *product;
    const struct xr_host *host;
};

static void problem(struct loading *l, const char *format, ...) XR_PRINTF(2, 3);

static void problem(struct loading *l, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xr_strings_add(&l->view->problems, text);
}

static void take(struct loading *l, enum policy_key list, const struct registry_value *value,
                 struct xr_buf *der, struct xr_limits *limits, bool fixed)
{
    struct registry_item *item = XR_PUSH(l->view);

    *item = (struct registry_item){.list = list,
                                   .fixed = fixed || value->data.len > VALUE_MAX,
                                   .value = {.name = xr_strdup(value->name), .type = value->type},
                                   .der = *der,
                                   .limits = *limits};
    xr_buf_add(&item->value.data, value->data.data, value->data.len);
    l->host->sha256(item->sha256, (struct xr_bytes){(unsigned char *)der->data, der->len});
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct registry_value *)a)->name,
                  ((const struct registry_value *)b)->name);
}

/* A value that is no element of the list stays as it is, whatever it is. */
static void read_values(struct loading *l, enum policy_key list, const char *path,
                        struct registry_key *key, bool fixed)
{
    struct xr_buf odd = {0};
    size_t count = 0;

    if (key->count > 1)
        qsort(key->items, key->count, sizeof(*key->items), by_name);
    for (size_t i = 0; i < key->count; i++) {
        const struct registry_value *value = &key->items[i];
        struct xr_buf der = {0};
        struct xr_limits limits = {0};
        int32_t number = 0;

        if (registry_number(&number, value->name) &&
            registry_value_read(&der, &limits, value, list)) {
            take(l, list, value, &der, &limits, fixed);
            continue;
        }
        xr_buf_free(&der);
        xr_limits_free(&limits);
        if (count++ < 4) {
            char *shown = xr_visible(value->name);

            xr_buf_fmt(&odd, "%s\"%.40s\"", odd.len > 0 ? ", " : "", shown);
            free(shown);
        }
    }
    if (count > 4)
        xr_buf_str(&odd, "…");
    if (count > 0)
        problem(l, "%zu values of %s are none that a browser takes: %s", count, path, odd.data);
    if (key->below > 0)
        problem(l, "%s has keys in it, which the browser may read and crossroot does not", path);
    xr_buf_free(&odd);
}

/* The list as one text of JSON. */
static void read_json(struct loading *l, enum policy_key list, const char *path,
                      const struct registry_value *value)
{
    bool text_type = value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ;
    char *text = text_type ? registry_text(value) : NULL;
    json_t *json = text != NULL ? parse(text) : NULL, *element = NULL;
    const struct registry_value bare = {.name = value->name,
                                        .type = value->type}; /* not once each */
    size_t i = 0, bad = 0;

    json_array_foreach(json, i, element)
    {
        struct xr_buf der = {0};
        struct xr_limits limits = {0};

        if (read_element(&der, &limits, element, list)) {
            take(l, list, &bare, &der, &limits, true);
            continue;
        }
        xr_buf_free(&der);
        xr_limits_free(&limits);
        bad++;
    }
    if (!json_is_array(json))
        problem(l, "the value %s of %s is no list, so the browser ignores it", policy_names[list],
                path);
    else if (bad > 0)
        problem(l, "%zu entries in the value %s of %s are none that a browser takes", bad,
                policy_names[list], path);
    json_decref(json);
    free(text);
}

static const struct registry_value *named(const struct registry_key *key, const char *name)
{
    for (size_t i = 0; i < key->count; i++) {
        const char *a = key->items[i].name, *b = name;

        while (*a != '\0' && (*a | 0x20) == (*b | 0x20)) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0')
            return &key->items[i];
    }
    return NULL;
}

/* One policy at one level; counts: nothing set it before. */
static enum xr_status read_level(struct loading *l, enum policy_key list, const char *path,
                                 const struct registry_key *level, bool recommended, bool *set,
                                 struct xr_error *err)
{
    static const char in_json[] = N_(
        "it is one text of JSON here, in a value of the policy's name, and a key of that name would "
        "take its place: an administrator must change it, or move it to a key");
    static const char in_recommended[] =
        N_("it is set below Recommended, and a list outside of it would take its place: an "
           "administrator must move it");
    char *at = xr_format("%s\\%s", path, policy_names[list]);
    const struct registry_value *value = named(level, policy_names[list]);
    struct registry_key key = {0};
    enum xr_status status = l->registry->read(l->registry, &key, at, err);

    if (status == XR_OK && key.exists && !*set) {
        read_values(l, list, at, &key, recommended);
        *set = true;
        if (recommended)
            l->view->why_fixed[list] = in_recommended;
    } else if (status == XR_OK && key.exists) {
        problem(l, "%s is not used: it counts only without what is set otherwise", at);
        l->view->hides[list] = true;
    }
    if (status == XR_OK && value != NULL && !*set) {
        read_json(l, list, path, value);
        *set = true;
        l->view->why_fixed[list] = recommended ? in_recommended : in_json;
    } else if (status == XR_OK && value != NULL) {
        problem(l, "the value %s of %s is not used: it counts only without the key of that name",
                policy_names[list], path);
        l->view->hides[list] = true;
    }
    registry_key_free(&key);
    free(at);
    return status;
}

static bool is_off(const struct registry_value *value)
{
    char *text = NULL;
    bool off = false;

    if (value->type == REGISTRY_DWORD)
        return value->data.len == 4 && memcmp(value->data.data, "\0\0\0\0", 4) == 0;
    if (value->type != REGISTRY_SZ && value->type != REGISTRY_EXPAND_SZ)
        return false;
    text = registry_text(value);
    off = strcmp(text, "0") == 0;
    free(text);
    return off;
}

enum xr_status registry_view_load(struct registry_view *out, struct registry *registry,
                                  const struct registry_product *product,
                                  const struct xr_host *host, struct xr_error *err)
{
    /* An anchor with limits comes before the same one without: the first of each counts. */
    static const enum policy_key lists[] = {POLICY_LIMITED, POLICY_ANCHORS, POLICY_HINTS,
                                            POLICY_DISTRUST};
    struct loading l = {.view = out, .registry = registry, .product = product, .host = host};
    struct registry_key managed = {0}, recommended = {0};
    char *below = xr_format("%s\\%s", product->path, RECOMMENDED);
    enum xr_status status = registry->read(registry, &managed, product->path, err);
    const struct registry_value *platform = NULL;

    *out = (struct registry_view){0};
    if (status == XR_OK)
        status = registry->read(registry, &recommended, below, err);
    for (size_t i = 0; status == XR_OK && i < sizeof(lists) / sizeof(lists[0]); i++) {
        bool set = false;

        status = read_level(&l, lists[i], product->path, &managed, false, &set, err);
        if (status == XR_OK)
            status = read_level(&l, lists[i], below, &recommended, true, &set, err);
    }
    platform = named(&managed, policy_names[POLICY_PLATFORM]);
    if (platform == NULL)
        platform = named(&recommended, policy_names[POLICY_PLATFORM]);
    if (platform != NULL && is_off(platform))
        problem(&l,
                N_("CAPlatformIntegrationEnabled is 0, so the certificates of Windows' own stores "
                   "count for nothing in this browser"));
    registry_key_free(&managed);
    registry_key_free(&recommended);
    free(below);
    if (status != XR_OK)
        registry_view_free(out);
    return status;
}

/* ---- Firefox ---- */

void registry_firefox_free(struct registry_firefox *firefox)
{
    for (size_t i = 0; i < firefox->count; i++) {
        free(firefox->items[i].file);
        xr_buf_free(&firefox->items[i].der);
    }
    free(firefox->items);
    *firefox = (struct registry_firefox){0};
}

struct only {
    struct xr_buf *der;
    size_t count;
};

static enum xr_status take_only(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct only *only = ctx;

    if (only->count++ == 0 && kind == XR_ITEM_CERT)
        xr_buf_add(only->der, der.data, der.len);
    return XR_OK;
}

static void read_install(struct registry_install *item, struct registry *registry,
                         const struct xr_host *host)
{
    struct xr_buf content = {0};
    struct only only = {.der = &item->der};

    if (registry->file(registry, &content, item->file) &&
        (host->items((struct xr_bytes){(unsigned char *)content.data, content.len}, take_only,
                     &only, NULL) != XR_OK ||
         only.count != 1))
        xr_buf_free(&item->der);
    xr_buf_free(&content);
}

enum xr_status registry_firefox_load(struct registry_firefox *out, struct registry *registry,
                                     const struct registry_product *product,
                                     const struct xr_host *host, struct xr_error *err)
{
    char *path = xr_format("%s\\Certificates", product->path);
    char *install = xr_format("%s\\Install", path);
    struct registry_key key = {0}, files = {0};
    enum xr_status status = registry->read(registry, &key, path, err);
    const struct registry_value *roots = NULL;

    *out = (struct registry_firefox){0};
    if (status == XR_OK)
        status = registry->read(registry, &files, install, err);
    roots = named(&key, "ImportEnterpriseRoots");
    out->no_system = roots != NULL && is_off(roots);
    if (files.count > 1)
        qsort(files.items, files.count, sizeof(*files.items), by_name);
    for (size_t i = 0; i < files.count; i++) {
        const struct registry_value *value = &files.items[i];
        int32_t number = 0;

        if (!registry_number(&number, value->name) ||
            (value->type != REGISTRY_SZ && value->type != REGISTRY_EXPAND_SZ))
            continue;
        *XR_PUSH(out) = (struct registry_install){.file = registry_text(value)};
        read_install(&out->items[out->count - 1], registry, host);
    }
    registry_key_free(&key);
    registry_key_free(&files);
    free(path);
    free(install);
    return status;
}
