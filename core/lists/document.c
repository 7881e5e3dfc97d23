/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document of `crossroot list --json` (docs/json.md) as a list: all of its stores together. jansson is
 * used here too, and not in core/report alone, since a reader must stand below those that compare lists.
 */
#include "lists.h"

#include <jansson.h>
#include <stdlib.h>

struct reading {
    struct xr_list *out;
    struct xr_error *err;
    const char *store; /* at work */
    size_t entry;
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static enum xr_status fail(const struct reading *r, const char *what)
{
    return xr_fail(r->err, XR_INVALID, N_("entry %zu of %.100s: %s"), r->entry + 1, r->store, what);
}

static enum xr_status read_purposes(uint32_t *out, struct reading *r, const json_t *names)
{
    const json_t *name = NULL;
    size_t i = 0;

    if (!json_is_array(names))
        return fail(r, N_("no \"purposes\""));
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        uint32_t found = text != NULL && strcmp(text, "any") == 0 ? XR_ALL_PURPOSES : 0;

        for (uint32_t bit = 1; text != NULL && found == 0 && xr_purpose_name(bit) != NULL;
             bit <<= 1)
            found = strcmp(text, xr_purpose_name(bit)) == 0 ? bit : 0;
        if (found == 0)
            return xr_fail(r->err, XR_INVALID, "entry %zu of %.100s: unknown purpose %.32s",
                           r->entry + 1, r->store, text != NULL ? text : "");
        *out |= found;
    }
    return XR_OK;
}

static enum xr_status read_limits(struct xr_limits *out, struct reading *r, const json_t *entry)
{
    static const struct {
        const char *key;
        bool (*add)(struct xr_limits *out, const char *text);
    } kinds[] = {{"dns_names", xr_limits_add_dns}, {"cidrs", xr_limits_add_cidr}};
    const json_t *limits = json_object_get(entry, "limits"), *one = NULL;
    size_t i = 0;

    for (size_t k = 0; limits != NULL && k < 2; k++) {
        json_array_foreach(json_object_get(limits, kinds[k].key), i, one)
        {
            const char *text = json_string_value(one);

            if (text == NULL || !kinds[k].add(out, text))
                return fail(r, N_("cannot read its limits"));
        }
    }
    return XR_OK;
}

/* The entry of its certificate, or of what is known instead; NULL: it is about neither. */
static struct xr_root *root_of(struct reading *r, const json_t *entry, bool *bad)
{
    const char *sha256 = text_of(entry, "sha256"), *id = text_of(entry, "id");
    const char *hash = sha256 != NULL ? sha256 : id;
    unsigned char bytes[XR_SHA256_LEN];

    *bad = hash == NULL || !xr_unhex(bytes, sizeof(bytes), hash);
    if (*bad)
        return NULL;
    if (sha256 != NULL)
        return xr_list_add_sha256(r->out, bytes);
    /* An entry of a key has no serial number, and says nothing of one certificate. */
    return text_of(entry, "serial") != NULL ? xr_list_add_id(r->out, bytes) : NULL;
}

static void keep_text(char **out, const char *text)
{
    if (*out == NULL && text != NULL && text[0] != '\0')
        *out = xr_strdup(text);
}

static enum xr_status add_entry(struct reading *r, const json_t *entry)
{
    const char *place = text_of(entry, "place");
    struct xr_root *root = NULL;
    struct xr_limits limits = {0};
    uint32_t purposes = 0;
    bool bad = false;
    enum xr_status status = XR_OK;

    if (place == NULL)
        return fail(r, N_("no \"place\""));
    if (strcmp(place, xr_place_name(XR_CRL)) == 0)
        return XR_OK;
    status = read_purposes(&purposes, r, json_object_get(entry, "purposes"));
    if (status == XR_OK)
        status = read_limits(&limits, r, entry);
    root = status == XR_OK ? root_of(r, entry, &bad) : NULL;
    if (bad)
        status = fail(r, N_("no \"sha256\", and no \"id\""));
    if (root == NULL)
        goto out;
    keep_text(&root->label, text_of(entry, "label"));
    keep_text(&root->subject, text_of(entry, "subject"));
    if (root->subject == NULL && text_of(entry, "issuer") != NULL &&
        text_of(entry, "serial") != NULL)
        root->subject = xr_format(N_("serial number %.64s of %.256s"), text_of(entry, "serial"),
                                  text_of(entry, "issuer"));
    if (strcmp(place, xr_place_name(XR_ANCHOR)) == 0) {
        root->trusted |= purposes;
        if (!xr_limits_any(&root->limits)) {
            root->limits = limits;
            limits = (struct xr_limits){0};
        }
    } else if (strcmp(place, xr_place_name(XR_DISTRUST)) == 0) {
        root->distrusted = XR_ALL_PURPOSES;
    }
out:
    xr_limits_free(&limits);
    return status;
}

static enum xr_status add_store(struct reading *r, const json_t *store)
{
    const json_t *entries = json_object_get(store, "entries"), *entry = NULL;
    const char *why = text_of(store, "why");

    r->store = text_of(store, "store");
    if (r->store == NULL || !json_is_array(entries))
        return xr_fail(r->err, XR_INVALID, "a store without its address or its entries");
    if (why != NULL)
        return xr_fail(r->err, XR_INVALID, "%.100s could not be read there: %.200s", r->store, why);
    json_array_foreach(entries, r->entry, entry)
    {
        enum xr_status status = add_entry(r, entry);

        if (status != XR_OK)
            return status;
    }
    return XR_OK;
}

enum xr_status xr_list_json(struct xr_list *out, struct xr_bytes data, struct xr_error *err)
{
    struct reading r = {.out = out, .err = err};
    json_error_t where;
    json_t *root = json_loadb((const char *)data.data, data.len, JSON_REJECT_DUPLICATES, &where);
    const json_t *stores = json_object_get(root, "stores"), *store = NULL;
    const char *command = text_of(root, "command");
    enum xr_status status = XR_OK;
    size_t i = 0;

    if (root == NULL)
        status = xr_fail(err, XR_INVALID, "no JSON: line %d: %s", where.line, where.text);
    else if (json_integer_value(json_object_get(root, "schema")) != 1 || command == NULL ||
             strcmp(command, "list") != 0 || !json_is_array(stores))
        status = xr_fail(err, XR_INVALID, "not a document of crossroot list --json, schema 1");
    if (status == XR_OK)
        json_array_foreach(stores, i, store)
        {
            status = add_store(&r, store);
            if (status != XR_OK)
                break;
        }
    for (i = 0; i < out->roots.count; i++)
        out->roots.items[i].trusted &= ~out->roots.items[i].distrusted;
    json_decref(root);
    return status;
}
