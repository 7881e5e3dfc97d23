/* SPDX-License-Identifier: Apache-2.0 */
#include "hive_stores.h"

#include <strings.h>

#define VALUE  "Blob"
#define BINARY 3u /* REG_BINARY */

/* Where the stores of each origin lie in the SOFTWARE hive. */
static const char *const roots[WIN_ORIGINS][4] = {
    [WIN_LOCAL] = {"Microsoft", "SystemCertificates"},
    [WIN_POLICY] = {"Policies", "Microsoft", "SystemCertificates"},
    [WIN_ENTERPRISE] = {"Microsoft", "EnterpriseCertificates"},
};

static const char *below(bool crls)
{
    return crls ? "CRLs" : "Certificates";
}

static void key_name(char out[41], const unsigned char sha1[20])
{
    xr_hex(out, sha1, 20);
    for (size_t i = 0; i < 40; i++)
        out[i] = (char)(out[i] >= 'a' ? out[i] - 32 : out[i]);
}

struct emitting {
    const struct hive *hive;
    size_t store;
    enum win_origin origin;
    win_element_fn emit;
    void *ctx;
};

static void emit_value(void *ctx, const struct hive_value *value)
{
    const struct emitting *e = ctx;

    if (strcasecmp(value->name, VALUE) == 0 && value->type == BINARY)
        e->emit(e->ctx, e->store, e->origin, value->data);
}

/* One that is damaged is left out. */
static void emit_key(void *ctx, hive_key key)
{
    const struct emitting *e = ctx;

    (void)hive_values(e->hive, key, emit_value, ctx, NULL);
}

static enum xr_status list(struct win_medium *medium, win_element_fn emit, void *ctx,
                           struct xr_error *err)
{
    const struct hive *hive = ((struct win_hive_stores *)(void *)medium)->hive;
    enum xr_status status = XR_OK;

    for (int origin = 0; origin < WIN_ORIGINS; origin++) {
        hive_key root = roots[origin][0] != NULL ? hive_path(hive, roots[origin]) : 0;

        for (size_t store = 0; store < win_store_count; store++) {
            hive_key key = hive_child(hive, root, win_stores[store].name);
            struct emitting e = {hive, store, (enum win_origin)origin, emit, ctx};

            for (int crls = 0; status == XR_OK && crls < 2; crls++)
                status =
                    hive_children(hive, hive_child(hive, key, below(crls != 0)), emit_key, &e, err);
        }
    }
    return status;
}

static enum xr_status put(struct win_medium *medium, size_t store, bool crl,
                          const unsigned char sha1[20], struct xr_bytes blob, struct xr_error *err)
{
    struct hive *hive = ((struct win_hive_stores *)(void *)medium)->hive;
    const struct hive_value value = {.name = VALUE, .type = BINARY, .data = blob};
    hive_key key = hive_make_path(hive, roots[WIN_LOCAL]);
    char name[41];

    key_name(name, sha1);
    key = hive_make_child(hive, hive_make_child(hive, key, win_stores[store].name), below(crl));
    key = hive_make_child(hive, key, name);
    if (key == 0)
        return xr_fail_errno(err, "cannot make a key of the hive");
    return hive_set(hive, key, &value, err);
}

static enum xr_status take(struct win_medium *medium, size_t store, bool crl,
                           const unsigned char sha1[20], struct xr_error *err)
{
    struct hive *hive = ((struct win_hive_stores *)(void *)medium)->hive;
    hive_key key = hive_child(hive, hive_path(hive, roots[WIN_LOCAL]), win_stores[store].name);
    char name[41];

    key_name(name, sha1);
    key = hive_child(hive, hive_child(hive, key, below(crl)), name);
    if (key == 0)
        return xr_fail(err, XR_FAILED,
                       "a certificate in the hive lies below a key with the wrong name");
    return hive_remove(hive, key, err);
}

void win_hive_stores(struct win_hive_stores *out, struct hive *hive)
{
    *out =
        (struct win_hive_stores){.medium = {.list = list, .put = put, .take = take}, .hive = hive};
}
