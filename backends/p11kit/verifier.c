/* SPDX-License-Identifier: Apache-2.0 */
#include "verifier.h"

#include <stdlib.h>

void pt_beliefs_free(struct pt_beliefs *beliefs)
{
    for (size_t i = 0; i < beliefs->certs.count; i++)
        free((void *)(uintptr_t)beliefs->certs.items[i].der.data);
    free(beliefs->certs.items);
    *beliefs = (struct pt_beliefs){.host = beliefs->host};
}

void pt_believe(struct pt_beliefs *beliefs, enum xr_place place, struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_bytes alone = der; /* without trust settings */
    uint32_t hash = 0, purposes = 0;

    (void)beliefs->host->trusted(&alone.len, &purposes, der, NULL);
    if (beliefs->host->slices(&slices, alone, NULL) == XR_OK &&
        beliefs->host->name_hash(&hash, slices.subject, NULL) == XR_OK) {
        size_t number = beliefs->certs.count;

        *XR_PUSH(&beliefs->certs) =
            (struct pt_believed){{xr_memdup(der.data, der.len), der.len}, hash, place, number};
        beliefs->sorted = false;
    }
}

static int by_hash(const void *a, const void *b)
{
    const struct pt_believed *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void sort(struct pt_beliefs *beliefs)
{
    if (!beliefs->sorted && beliefs->certs.count > 1)
        qsort(beliefs->certs.items, beliefs->certs.count, sizeof(*beliefs->certs.items), by_hash);
    beliefs->sorted = true;
}

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                             uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    const struct pt_beliefs *b = ctx;
    enum xr_status status = XR_OK;
    size_t low = 0, high = b->certs.count;

    (void)name;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (b->certs.items[middle].hash < name_hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; status == XR_OK && low < b->certs.count && b->certs.items[low].hash == name_hash;
         low++) {
        if (b->certs.items[low].place == place)
            status = emit(emit_ctx, b->certs.items[low].der);
    }
    return status;
}

enum xr_status pt_check(struct xr_verdict *out, struct pt_beliefs *beliefs,
                        const struct xr_probe *question,
                        bool (*distrusted)(const void *ctx, struct xr_bytes der), const void *ctx,
                        struct xr_error *err)
{
    struct xr_probe asked = *question;
    struct xr_path_check check = {.size = sizeof(check),
                                  .probe = &asked,
                                  .also_partial = true,
                                  .lookup = lookup,
                                  .lookup_ctx = beliefs};
    struct xr_bytes *chain = NULL;
    enum xr_status status = XR_OK;

    if (distrusted(ctx, question->chain[0])) {
        out->answer = XR_NO;
        (void)snprintf(out->by, sizeof(out->by), N_("p11-kit's rules"));
        (void)snprintf(out->why, sizeof(out->why), N_("it is distrusted in this token"));
        return XR_OK;
    }
    sort(beliefs);
    chain = xr_new(question->count, sizeof(*chain));
    asked.chain = chain;
    asked.count = 0;
    for (size_t i = 0; i < question->count; i++) {
        if (!distrusted(ctx, question->chain[i]))
            chain[asked.count++] = question->chain[i];
    }
    status = beliefs->host->path_check(out, &check, err);
    free(chain);
    return status;
}
