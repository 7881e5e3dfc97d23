/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include "../pkcs11/symbols.h"

#include <dlfcn.h>
#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdlib.h>

#define SLOTS_MAX  1024u
#define ALL_FIELDS 2u /* see uri_of */

/* All functions are looked up at run time, because this program must start without p11-kit. */
#define KIT_FUNCTIONS(X)                    \
    X(p11_kit_modules_load_and_initialize)  \
    X(p11_kit_modules_finalize_and_release) \
    X(p11_kit_module_get_filename)          \
    X(p11_kit_message)                      \
    X(p11_kit_be_quiet)                     \
    X(p11_kit_uri_new)                      \
    X(p11_kit_uri_free)                     \
    X(p11_kit_uri_parse)                    \
    X(p11_kit_uri_format)                   \
    X(p11_kit_uri_get_token_info)           \
    X(p11_kit_uri_match_token_info)

static struct functions {
    KIT_FUNCTIONS(P11_FUNCTION)
} kit; /* once a process */

static const struct p11_symbol symbols[] = {KIT_FUNCTIONS(P11_SYMBOL)};

/* False without p11-kit, which is not an error. */
static bool load_kit(void)
{
    /* Never unloaded, because its modules stay in the process. */
    void *handle = dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_LOCAL);

    return handle != NULL && P11_RESOLVE(&kit, handle, symbols) == NULL;
}

/* Fields of a token are padded with blanks and hostile. */
static char *text_of(const unsigned char *field, size_t size)
{
    while (size > 0 && field[size - 1] == ' ')
        size--;
    return xr_memdup(field, size);
}

static bool says(const unsigned char *field, size_t size, const char *text)
{
    char *value = text_of(field, size);
    bool same = strcmp(value, text) == 0;

    free(value);
    return same;
}

/* p11-kit's trust module gives its path as the description of its slots, cut to 64 bytes. Through
 * p11-kit's client, it is a path on another machine or outside the container. */
static void find_path(struct pt_token *token, const CK_TOKEN_INFO *info, const CK_SLOT_INFO *slot)
{
    char *path = NULL, *file = NULL;

    if (!says(info->model, sizeof(info->model), "p11-kit-trust"))
        return;
    file = kit.p11_kit_module_get_filename(token->module);
    path = text_of(slot->slotDescription, sizeof(slot->slotDescription));
    if (file == NULL || strstr(file, "p11-kit-client") != NULL)
        token->why =
            xr_strdup(N_("p11-kit forwards this token from another system; change it there"));
    else if (path[0] != '/' || strlen(path) == sizeof(slot->slotDescription))
        token->why = xr_strdup(N_("its module does not say which directory it reads; name that: "
                                  "p11-kit:DIRECTORY"));
    else
        token->path = xr_strdup(path);
    free(path);
    free(file);
}

/* Adds fields until the URI matches only this token. */
static P11KitUri *uri_of(const CK_TOKEN_INFO *info, unsigned fields)
{
    P11KitUri *uri = kit.p11_kit_uri_new();
    CK_TOKEN_INFO *to = uri != NULL ? kit.p11_kit_uri_get_token_info(uri) : NULL;

    if (to == NULL)
        abort(); /* out of memory */
    memcpy(to->label, info->label, sizeof(to->label));
    if (fields > 0)
        memcpy(to->model, info->model, sizeof(to->model));
    if (fields > 1) {
        memcpy(to->serialNumber, info->serialNumber, sizeof(to->serialNumber));
        memcpy(to->manufacturerID, info->manufacturerID, sizeof(to->manufacturerID));
    }
    return uri;
}

struct raw {
    struct {
        CK_TOKEN_INFO *items;
        size_t count, capacity;
    } infos;
    struct pt_tokens *tokens;
};

static void add_slot(struct raw *raw, CK_FUNCTION_LIST *module, CK_SLOT_ID id)
{
    CK_TOKEN_INFO info = {0};
    CK_SLOT_INFO slot = {0};
    struct pt_token *token = NULL;
    char *label = NULL;

    if (module->C_GetTokenInfo(id, &info) != CKR_OK || module->C_GetSlotInfo(id, &slot) != CKR_OK ||
        (info.flags & CKF_TOKEN_INITIALIZED) == 0)
        return;
    *XR_PUSH(&raw->infos) = info;
    token = XR_PUSH(raw->tokens);
    label = text_of(info.label, sizeof(info.label));
    *token = (struct pt_token){
        .label = xr_visible(label), .module = module, .slot = id, .flags = info.flags};
    find_path(token, &info, &slot);
    free(label);
}

static char *format(P11KitUri *uri)
{
    char *text = NULL;

    if (kit.p11_kit_uri_format(uri, P11_KIT_URI_FOR_TOKEN, &text) != P11_KIT_URI_OK)
        abort(); /* out of memory */
    return text;
}

static void name_token(struct raw *raw, size_t at)
{
    struct pt_token *token = &raw->tokens->items[at];

    for (unsigned fields = 0; fields <= ALL_FIELDS; fields++) {
        P11KitUri *uri = uri_of(&raw->infos.items[at], fields);
        size_t same = 0;

        for (size_t k = 0; k < raw->infos.count; k++)
            same += kit.p11_kit_uri_match_token_info(uri, &raw->infos.items[k]) != 0;
        if (token->uri == NULL && (same == 1 || fields == ALL_FIELDS))
            token->uri = format(uri);
        if (fields == ALL_FIELDS)
            token->full = format(uri);
        kit.p11_kit_uri_free(uri);
    }
}

/* libp11-kit finds the user's configuration by these variables. */
static void tell_home(const struct xr_site *site)
{
    if (site->home != NULL)
        (void)setenv("HOME", site->home, 1);
    if (site->config_home != NULL)
        (void)setenv("XDG_CONFIG_HOME", site->config_home, 1);
}

enum xr_status pt_tokens_find(struct pt_tokens *out, const struct xr_site *site,
                              struct xr_error *err)
{
    struct raw raw = {.tokens = out};
    CK_FUNCTION_LIST **modules = NULL;

    if (!load_kit())
        return XR_OK;
    tell_home(site);
    kit.p11_kit_be_quiet();
    modules = out->modules = kit.p11_kit_modules_load_and_initialize(P11_KIT_MODULE_TRUSTED);
    if (modules == NULL) {
        const char *message = kit.p11_kit_message();

        return message != NULL
                   ? xr_fail(err, XR_FAILED, "p11-kit cannot load its modules: %s", message)
                   : xr_fail(err, XR_FAILED, "p11-kit cannot load its modules");
    }
    for (size_t i = 0; modules[i] != NULL; i++) {
        CK_ULONG count = 0, room = 0;
        CK_SLOT_ID *slots = NULL;

        if (modules[i]->C_GetSlotList(CK_TRUE, NULL, &count) != CKR_OK || count > SLOTS_MAX)
            continue;
        room = count;
        slots = xr_new(room, sizeof(*slots));
        if (modules[i]->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK || count > room)
            count = 0;
        for (CK_ULONG k = 0; k < count; k++)
            add_slot(&raw, modules[i], slots[k]);
        free(slots);
    }
    for (size_t i = 0; i < raw.infos.count; i++)
        name_token(&raw, i);
    free(raw.infos.items);
    return XR_OK;
}

static bool same_token(const char *a, const char *b)
{
    P11KitUri *x = kit.p11_kit_uri_new(), *y = kit.p11_kit_uri_new();
    bool same = x != NULL && y != NULL &&
                kit.p11_kit_uri_parse(a, P11_KIT_URI_FOR_TOKEN, x) == P11_KIT_URI_OK &&
                kit.p11_kit_uri_parse(b, P11_KIT_URI_FOR_TOKEN, y) == P11_KIT_URI_OK &&
                kit.p11_kit_uri_match_token_info(x, kit.p11_kit_uri_get_token_info(y)) != 0;

    kit.p11_kit_uri_free(x);
    kit.p11_kit_uri_free(y);
    return same;
}

enum xr_status pt_tokens_match(const struct pt_token **out, const struct pt_tokens *tokens,
                               const char *uri, struct xr_error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        if (!same_token(uri, tokens->items[i].full))
            continue;
        *out = &tokens->items[i];
        found++;
    }
    if (found == 1)
        return XR_OK;
    return found == 0 ? xr_fail(err, XR_ABSENT, "p11-kit has no such token")
                      : xr_fail(err, XR_REFUSED, "it matches %zu tokens of p11-kit", found);
}

void pt_tokens_free(struct pt_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        free(tokens->items[i].uri);
        free(tokens->items[i].full);
        free(tokens->items[i].label);
        free(tokens->items[i].path);
        free(tokens->items[i].why);
    }
    free(tokens->items);
    if (tokens->modules != NULL)
        kit.p11_kit_modules_finalize_and_release(tokens->modules);
    *tokens = (struct pt_tokens){0};
}
