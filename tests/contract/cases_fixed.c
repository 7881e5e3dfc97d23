/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for stores that cannot be written, whatever the caller: they hold what they were made with. */
#include "cases.h"

static const char *says_why(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(!store->caps.writable && store->caps.why_not[0] != '\0');
    NEED(!store->caps.needs_privilege);
    NEED(ctx->stock->count > 0);
    return NULL;
}

static const char *denies(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_OLD, CERT_CROSS, CERT_SHIPPED};
    const char *before = contract_image_times(ctx);

    for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
        struct xr_subject subject = contract_subject(ctx, certs[i]);
        const struct xr_state *held = xr_snapshot_find(ctx->stock, &subject);

        for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
            struct xr_store *store = place != XR_CRL ? contract_open(ctx, XR_WRITE) : NULL;
            enum xr_status status = XR_OK;

            if (place == XR_CRL)
                continue;
            NEED(store != NULL);
            status =
                contract_swap(ctx, store, held, contract_wish(ctx, certs[i], (enum xr_place)place));
            NEED(status == XR_DENIED || status == XR_REFUSED);
            NEED(ctx->err.text[0] != '\0');
            NEED(contract_flush(ctx, store) == XR_OK);
            contract_close(ctx, store);
        }
    }
    NEED(contract_count(ctx) == 0); /* beside the stock */
    NEED(contract_same(ctx, before, contract_image_times(ctx)));
    return NULL;
}

static const char *keeps(struct contract *ctx)
{
    const char *before = contract_image_times(ctx);

    for (size_t i = 0; i < ctx->stock->count; i++) {
        struct xr_store *store = contract_open(ctx, XR_WRITE);
        enum xr_status status = XR_OK;

        NEED(store != NULL);
        status = contract_swap(ctx, store, ctx->stock->items[i], NULL);
        NEED(status == XR_DENIED || status == XR_REFUSED);
        contract_close(ctx, store);
    }
    NEED(contract_same(ctx, before, contract_image_times(ctx)));
    return NULL;
}

static const char *renews(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_READ);
    enum xr_status status = XR_OK;

    NEED(store != NULL && contract_list(ctx, store) != NULL);
    status = xr_store_renew(store, &ctx->err);
    if (status == XR_UNSUPPORTED)
        return contract_skip(ctx, "a session cannot be renewed");
    NEED(status == XR_OK && !store->caps.writable);
    NEED(contract_list(ctx, store) != NULL);
    NEED(contract_swap(ctx, store, ctx->stock->items[0], NULL) != XR_OK);
    return NULL;
}

static const char *answers(struct contract *ctx)
{
    const struct xr_bytes chain = contract_der(ctx, CERT_SHIPPED);
    const struct xr_probe probe = {.size = sizeof(probe),
                                   .chain = &chain,
                                   .count = 1,
                                   .purpose = XR_SERVER,
                                   .at = CONTRACT_NOW};
    struct xr_verdict verdict = {.size = sizeof(verdict)};
    struct xr_store *store = contract_open(ctx, XR_READ);

    NEED(store != NULL);
    if (store->caps.verifier[0] == '\0' || store->caps.shares_readers)
        return contract_skip(ctx, "nobody can be asked");
    NEED(xr_store_probe(store, &verdict, &probe, &ctx->err) == XR_OK);
    NEED(verdict.answer == XR_YES);
    return NULL;
}

const struct contract_case contract_fixed_cases[] = {
    {"A store that cannot be written opens all the same, and says why.", says_why},
    {"Nothing is added to it, moved or distrusted.", denies},
    {"What it holds stays.", keeps},
    {"A session that is renewed for writing still only reads.", renews},
    {"Its verifier believes what it holds.", answers},
};
const size_t contract_fixed_case_count =
    sizeof(contract_fixed_cases) / sizeof(contract_fixed_cases[0]);
