/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for every backend on every system. */
#include "cases.h"

#include <stdlib.h>
#include <time.h>

/* NOLINTBEGIN(bugprone-macro-parentheses): place is a name to be declared */
#define EACH_PLACE(ctx, place)                                    \
    for (enum xr_place place = XR_ANCHOR; place < XR_PLACE_COUNT; \
         place = (enum xr_place)(place + 1))                      \
        if (contract_takes(ctx, place))
/* NOLINTEND(bugprone-macro-parentheses) */

/* ---- reading ---- */

static const char *fresh(struct contract *ctx)
{
    const char *before = contract_image_times(ctx);

    NEED(contract_count(ctx) == 0);
    NEED(contract_same(ctx, before, contract_image_times(ctx)));
    return NULL;
}

static const char *fresh_write(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(contract_list(ctx, store) != NULL);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static enum xr_status stop(void *ctx, const struct xr_entry *entry)
{
    (void)entry;
    ++*(int *)ctx;
    return XR_BUSY;
}

static const char *list_stops(struct contract *ctx)
{
    struct xr_store *store = NULL;
    int calls = 0;

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    store = contract_open(ctx, XR_READ);
    NEED(store != NULL);
    NEED(xr_store_list(store, stop, &calls, &ctx->err) == XR_BUSY);
    NEED(calls == 1);
    NEED(contract_list(ctx, store) != NULL); /* and the session goes on */
    return NULL;
}

static const char *read_cannot_write(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_READ);

    NEED(store != NULL);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) != XR_OK);
    NEED(ctx->err.text[0] != '\0');
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *read_beside_writer(struct contract *ctx)
{
    struct xr_store *writer = contract_open(ctx, XR_WRITE);

    NEED(writer != NULL);
    NEED(contract_swap(ctx, writer, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, writer) == XR_OK);
    NEED(contract_count(ctx) == 1); /* opens and reads while the other one holds the store */
    contract_close(ctx, writer);
    NEED(contract_count(ctx) == 1);
    return NULL;
}

/* ---- adding, removing, and back ---- */

static const char *add_remove(struct contract *ctx)
{
    const char *before = contract_image(ctx);

    EACH_PLACE(ctx, place)
    {
        enum contract_cert cert = contract_fit(place);
        struct xr_subject subject = contract_subject(ctx, cert);
        const struct xr_state *held = NULL;
        bool ok = false;

        TRY(contract_install(ctx, cert, place));
        held = contract_held(ctx, &subject, &ok);
        NEED(ok && held != NULL && held->count == 1 && held->entries[0]->place == place);
        NEED(xr_bytes_equal(held->entries[0]->der, contract_der(ctx, cert)));
        NEED(contract_count(ctx) == 1);
        TRY(contract_remove(ctx, cert));
        NEED(contract_count(ctx) == 0);
        NEED(contract_same(ctx, before, contract_image(ctx)));
    }
    return NULL;
}

/* A store that cannot restrict an anchor does not take the certificate's own limits for its own. */
static const char *own_purposes(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    const struct xr_state *held = NULL;
    struct xr_state *wish = NULL;
    bool ok = false;

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "no anchors");
    wish = contract_wish(ctx, CERT_LIMITED, XR_ANCHOR);
    TRY(contract_put(ctx, &wish->subject, wish));
    held = contract_held(ctx, &wish->subject, &ok);
    NEED(ok && xr_state_same(held, wish));
    TRY(contract_remove(ctx, CERT_LIMITED));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* What core makes of "installing adds" and of --only. */
static const char *other_purposes(struct contract *ctx)
{
    const struct xr_state *held = NULL;
    const char *before = contract_image(ctx);
    uint32_t first = ctx->caps.purposes & (~ctx->caps.purposes + 1);
    uint32_t second = ctx->caps.purposes & ~first;
    const uint32_t steps[] = {first, first | (second & (~second + 1)), second & (~second + 1)};
    bool ok = false;

    if (!contract_holds(ctx, XR_ANCHOR) || ctx->caps.purposes == XR_ANY_PURPOSE || second == 0)
        return contract_skip(ctx, "the store cannot restrict an anchor");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct xr_state *wish = contract_wish(ctx, CERT_NEW, XR_ANCHOR);

        contract_entry(wish, 0)->purposes = steps[i];
        TRY(contract_put(ctx, &wish->subject, wish));
        held = contract_held(ctx, &wish->subject, &ok);
        NEED(ok && held != NULL && held->count == 1 && held->entries[0]->place == XR_ANCHOR);
        NEED(held->entries[0]->purposes == steps[i]);
    }
    TRY(contract_remove(ctx, CERT_NEW));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *there_and_back(struct contract *ctx)
{
    for (int flushed = 0; flushed < 2; flushed++) {
        EACH_PLACE(ctx, place)
        {
            enum contract_cert cert = contract_fit(place);
            struct xr_subject subject = contract_subject(ctx, cert);
            const struct xr_snapshot *now = NULL;
            struct xr_store *store = NULL;
            const char *before = NULL;

            TRY(contract_install(ctx, CERT_HOSTILE,
                                 contract_holds(ctx, XR_ANCHOR) ? XR_ANCHOR : XR_INTERMEDIATE));
            before = contract_image(ctx);
            store = contract_open(ctx, XR_WRITE);
            NEED(store != NULL);
            NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, cert, place)) == XR_OK);
            if (flushed)
                NEED(contract_flush(ctx, store) == XR_OK);
            now = contract_list(ctx, store);
            NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
            NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
            contract_close(ctx, store);
            NEED(contract_same(ctx, before, contract_image(ctx)));
            TRY(contract_remove(ctx, CERT_HOSTILE));
        }
    }
    return NULL;
}

static const char *removal_undone(struct contract *ctx)
{
    EACH_PLACE(ctx, place)
    {
        enum contract_cert cert = contract_fit(place);
        struct xr_subject subject = contract_subject(ctx, cert);
        const struct xr_snapshot *now = NULL;
        const struct xr_state *was = NULL;
        struct xr_store *store = NULL;
        const char *before = NULL;

        TRY(contract_install(ctx, cert, place));
        before = contract_image(ctx);
        store = contract_open(ctx, XR_WRITE);
        NEED(store != NULL);
        now = contract_list(ctx, store);
        NEED(now != NULL);
        was = xr_snapshot_find(now, &subject);
        NEED(contract_swap(ctx, store, was, NULL) == XR_OK);
        NEED(contract_swap(ctx, store, NULL, was) == XR_OK);
        NEED(contract_swap(ctx, store, was, NULL) == XR_OK); /* as often as one likes */
        NEED(contract_flush(ctx, store) == XR_OK);
        NEED(contract_swap(ctx, store, NULL, was) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
        NEED(contract_same(ctx, before, contract_image(ctx)));
        TRY(contract_remove(ctx, cert));
    }
    return NULL;
}

static const char *moves(struct contract *ctx)
{
    EACH_PLACE(ctx, from)
    {
        EACH_PLACE(ctx, to)
        {
            struct xr_subject subject = contract_subject(ctx, CERT_SUB);
            const struct xr_snapshot *now = NULL;
            const struct xr_state *was = NULL, *is = NULL;
            struct xr_store *store = NULL;
            const char *before = NULL;

            if (from == to || from == XR_CRL || to == XR_CRL || from == XR_PEER || to == XR_PEER)
                continue;
            TRY(contract_install(ctx, CERT_SUB, from));
            before = contract_image(ctx);
            store = contract_open(ctx, XR_WRITE);
            NEED(store != NULL);
            now = contract_list(ctx, store);
            NEED(now != NULL);
            was = xr_snapshot_find(now, &subject);
            NEED(contract_swap(ctx, store, was, contract_wish(ctx, CERT_SUB, to)) == XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
            now = contract_list(ctx, store);
            NEED(now != NULL);
            is = xr_snapshot_find(now, &subject);
            NEED(is != NULL && is->count == 1 && is->entries[0]->place == to);
            NEED(contract_count(ctx) == 1);
            NEED(contract_swap(ctx, store, is, was) == XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
            contract_close(ctx, store);
            NEED(contract_same(ctx, before, contract_image(ctx)));
            TRY(contract_remove(ctx, CERT_SUB));
        }
    }
    return NULL;
}

static const char *two_places(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    struct xr_state *both = contract_wish(ctx, CERT_OLD, XR_ANCHOR);
    const struct xr_state *held = NULL;
    struct xr_store *store = NULL;
    const char *before = NULL;
    enum xr_status status = XR_OK;
    bool ok = false;

    if (!contract_holds(ctx, XR_ANCHOR) || !contract_holds(ctx, XR_INTERMEDIATE))
        return contract_skip(ctx, "the store has not both places");
    TRY(contract_install(ctx, CERT_OLD, XR_INTERMEDIATE));
    before = contract_image(ctx);
    contract_also(ctx, both, XR_INTERMEDIATE);
    held = contract_held(ctx, &subject, &ok);
    NEED(ok);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    status = contract_swap(ctx, store, held, both);
    NEED(status == XR_OK || status == XR_REFUSED);
    if (status == XR_OK) {
        const struct xr_snapshot *now = contract_list(ctx, store);

        NEED(now != NULL);
        NEED(xr_snapshot_find(now, &subject)->count == 2);
        NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), held) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
    }
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *same_again(struct contract *ctx)
{
    EACH_PLACE(ctx, place)
    {
        enum contract_cert cert = contract_fit(place);
        struct xr_subject subject = contract_subject(ctx, cert);
        const struct xr_state *held = NULL;
        struct xr_store *store = NULL;
        const char *before = NULL;
        bool ok = false;

        TRY(contract_install(ctx, cert, place));
        before = contract_image_times(ctx);
        held = contract_held(ctx, &subject, &ok);
        NEED(ok);
        store = contract_open(ctx, XR_WRITE);
        NEED(store != NULL);
        NEED(contract_swap(ctx, store, held, held) == XR_OK);
        NEED(contract_swap(ctx, store, held, contract_wish(ctx, cert, place)) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
        NEED(contract_same(ctx, before, contract_image_times(ctx)));
        TRY(contract_remove(ctx, cert));
    }
    return NULL;
}

static const char *one_session(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    for (int round = 0; round < 3; round++) {
        EACH_PLACE(ctx, place)
        {
            struct xr_state *wish = contract_wish(ctx, contract_fit(place), place);
            const struct xr_snapshot *now = NULL;

            NEED(contract_swap(ctx, store, NULL, wish) == XR_OK);
            now = contract_list(ctx, store);
            NEED(now != NULL && now->count == 1);
            NEED(contract_swap(ctx, store, now->items[0], NULL) == XR_OK);
            if (round > 0)
                NEED(contract_flush(ctx, store) == XR_OK);
        }
    }
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* ---- compare and set ---- */

static const char *wrong_expectation(struct contract *ctx, struct xr_store *store,
                                     const struct xr_state *expect, const struct xr_state *want)
{
    const char *before = contract_image(ctx);

    NEED(contract_swap(ctx, store, expect, want) == XR_CONFLICT);
    NEED(ctx->err.status == XR_CONFLICT && ctx->err.text[0] != '\0');
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *conflicts(struct contract *ctx)
{
    EACH_PLACE(ctx, place)
    {
        enum contract_cert cert = contract_fit(place);
        struct xr_subject subject = contract_subject(ctx, cert);
        struct xr_state *wish = contract_wish(ctx, cert, place), *other = NULL;
        const struct xr_snapshot *now = NULL;
        const struct xr_state *held = NULL;
        struct xr_store *store = contract_open(ctx, XR_WRITE);

        NEED(store != NULL);
        TRY(wrong_expectation(ctx, store, wish, NULL)); /* there is none */
        TRY(wrong_expectation(ctx, store, wish, wish));
        NEED(contract_swap(ctx, store, NULL, wish) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
        now = contract_list(ctx, store);
        NEED(now != NULL);
        held = xr_snapshot_find(now, &subject);
        NEED(held != NULL);

        TRY(wrong_expectation(ctx, store, NULL, wish)); /* there is one */
        other = contract_copy(ctx, held);
        contract_entry(other, 0)->purposes ^= XR_CODE;
        TRY(wrong_expectation(ctx, store, other, NULL));
        other = contract_copy(ctx, held);
        contract_entry(other, 0)->place = place == XR_ANCHOR ? XR_INTERMEDIATE : XR_ANCHOR;
        TRY(wrong_expectation(ctx, store, other, NULL));
        other = contract_copy(ctx, held);
        contract_also(ctx, other, XR_DISTRUST);
        TRY(wrong_expectation(ctx, store, other, NULL)); /* less is there */
        if (held->entries[0]->native.len > 0) {
            other = contract_copy(ctx, held);
            ((unsigned char *)(uintptr_t)other->entries[0]
                 ->native.data)[held->entries[0]->native.len - 1] ^= 1;
            TRY(wrong_expectation(ctx, store, other, NULL));
            contract_native(contract_entry(other, 0), "", 0);
            TRY(wrong_expectation(ctx, store, other, NULL));
        }
        NEED(contract_swap(ctx, store, held, NULL) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
    }
    return NULL;
}

static const char *old_expectation(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_SUB);
    const struct xr_state *seen = NULL;
    struct xr_store *store = NULL;
    const char *before = NULL;
    bool ok = false;

    if (!contract_holds(ctx, XR_ANCHOR) || !contract_holds(ctx, XR_INTERMEDIATE))
        return contract_skip(ctx, "the store has not both places");
    TRY(contract_install(ctx, CERT_SUB, XR_ANCHOR));
    seen = contract_held(ctx, &subject, &ok);
    NEED(ok);
    /* Somebody narrows it meanwhile: what was seen before must not bring the trust back. */
    TRY(contract_install(ctx, CERT_SUB, XR_INTERMEDIATE));
    before = contract_image(ctx);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(contract_swap(ctx, store, seen, contract_wish(ctx, CERT_SUB, XR_ANCHOR)) == XR_CONFLICT);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* ---- wishes that are refused ---- */

/* Refused with a reason, and after a flush nothing is there. */
static const char *refused(struct contract *ctx, const struct xr_state *want)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    enum xr_status status = XR_OK;

    NEED(store != NULL);
    status = contract_swap(ctx, store, NULL, want);
    NEED(status == XR_REFUSED || status == XR_INVALID || status == XR_UNSUPPORTED);
    NEED(ctx->err.text[0] != '\0');
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_count(ctx) == 0);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *wrong_bytes(struct contract *ctx)
{
    EACH_PLACE(ctx, place)
    {
        struct xr_state *wish = contract_wish(ctx, contract_fit(place), place);
        struct xr_entry *entry = contract_entry(wish, 0);

        wish->subject.id[5] ^= 1;
        entry->subject.id[5] ^= 1;
        TRY(refused(ctx, wish));
    }
    return NULL;
}

static const char *other_subject_inside(struct contract *ctx)
{
    struct xr_state *wish = contract_wish(ctx, CERT_NEW, XR_ANCHOR);

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    /* The state says old, its entry is new: what is compared would not be what is written. */
    wish->subject = contract_subject(ctx, CERT_OLD);
    return refused(ctx, wish);
}

static const char *two_subjects(struct contract *ctx)
{
    const char *before = NULL;
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_state *held = NULL;
    struct xr_store *store = NULL;
    bool ok = false;

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    before = contract_image(ctx);
    held = contract_held(ctx, &subject, &ok);
    NEED(ok);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(contract_swap(ctx, store, held, contract_wish(ctx, CERT_NEW, XR_ANCHOR)) != XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *unheld_place(struct contract *ctx)
{
    bool any = false;

    for (enum xr_place place = XR_ANCHOR; place < XR_PLACE_COUNT;
         place = (enum xr_place)(place + 1)) {
        if (contract_holds(ctx, place))
            continue;
        any = true;
        TRY(refused(ctx, contract_wish(ctx, contract_fit(place), place)));
    }
    return any ? NULL : contract_skip(ctx, "the store has every place");
}

static const char *wrong_type(struct contract *ctx)
{
    if (contract_holds(ctx, XR_CRL)) {
        struct xr_state *wish = contract_wish(ctx, CERT_OLD, XR_CRL);

        TRY(refused(ctx, wish)); /* a certificate as a CRL, whatever its subject says */
        wish->subject.type = XR_SUBJECT_CERT;
        contract_entry(wish, 0)->subject.type = XR_SUBJECT_CERT;
        TRY(refused(ctx, wish));
    }
    if (contract_holds(ctx, XR_ANCHOR)) {
        struct xr_state *wish = contract_wish(ctx, CERT_CRL, XR_ANCHOR);

        TRY(refused(ctx, wish));
        wish->subject.type = XR_SUBJECT_CRL;
        contract_entry(wish, 0)->subject.type = XR_SUBJECT_CRL;
        TRY(refused(ctx, wish));
    }
    return NULL;
}

static const char *not_a_certificate(struct contract *ctx)
{
    static const unsigned char junk[] = "neither DER nor PEM";

    EACH_PLACE(ctx, place)
    {
        struct xr_bytes half = {ctx->certs[CERT_OLD].data, ctx->certs[CERT_OLD].len / 2};

        TRY(refused(ctx, contract_wish_der(ctx, half, place)));
        TRY(refused(ctx, contract_wish_der(ctx, (struct xr_bytes){junk, sizeof(junk)}, place)));
        TRY(refused(ctx, contract_wish_der(ctx, (struct xr_bytes){NULL, 0}, place)));
    }
    return NULL;
}

static const char *trailing_bytes(struct contract *ctx)
{
    unsigned char *longer = xr_new(ctx->certs[CERT_OLD].len + 1, 1);
    struct xr_bytes der = {longer, ctx->certs[CERT_OLD].len + 1};
    const char *failed = NULL;

    memcpy(longer, ctx->certs[CERT_OLD].data, ctx->certs[CERT_OLD].len);
    /* Its sha256 is of the longer bytes: what would be listed is another subject. */
    if (contract_holds(ctx, XR_ANCHOR))
        failed = refused(ctx, contract_wish_der(ctx, der, XR_ANCHOR));
    free(longer);
    return failed;
}

static const char *key_subject(struct contract *ctx)
{
    struct xr_state *wish = contract_wish(ctx, CERT_OLD, XR_DISTRUST);
    static const enum xr_subject_type types[] = {XR_SUBJECT_KEY, XR_SUBJECT_ISSUER_SERIAL};
    bool any = false;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (contract_holds(ctx, XR_DISTRUST) && (ctx->caps.subjects & 1u << types[i]) != 0)
            continue;
        any = true;
        wish->subject.type = types[i];
        contract_entry(wish, 0)->subject.type = types[i];
        TRY(refused(ctx, wish));
    }
    return any ? NULL : contract_skip(ctx, "the store can distrust keys and serial numbers");
}

static const char *unrestrictable(struct contract *ctx)
{
    struct xr_state *wish = contract_wish(ctx, CERT_OLD, XR_ANCHOR);

    if (!contract_holds(ctx, XR_ANCHOR) || ctx->caps.purposes != XR_ANY_PURPOSE)
        return contract_skip(ctx, "the store can restrict an anchor");
    contract_entry(wish, 0)->purposes = XR_SERVER;
    TRY(refused(ctx, wish));
    contract_entry(wish, 0)->purposes = XR_ANY_PURPOSE | XR_SERVER;
    TRY(refused(ctx, wish));
    contract_entry(wish, 0)->purposes = 0;
    return refused(ctx, wish);
}

static const char *attached(struct contract *ctx)
{
    static const unsigned char oid[] = {6, 3, 0x55, 0x1d, 30};
    static const unsigned char value[] = {0x30, 9, 6, 3, 0x55, 0x1d, 30, 4, 2, 0x30, 0};
    struct xr_attached *extension = xr_new(1, sizeof(*extension));
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    struct xr_state *wish = contract_wish(ctx, CERT_OLD, XR_ANCHOR);
    struct xr_store *store = NULL;
    const struct xr_state *held = NULL;
    enum xr_status status = XR_OK;
    bool ok = false;

    *extension = (struct xr_attached){.size = sizeof(*extension),
                                      .oid = {xr_memdup(oid, sizeof(oid)), sizeof(oid)},
                                      .value = {xr_memdup(value, sizeof(value)), sizeof(value)}};
    contract_entry(wish, 0)->attached = extension;
    contract_entry(wish, 0)->attached_count = 1;
    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    status = contract_swap(ctx, store, NULL, wish);
    contract_close(ctx, store);
    held = contract_held(ctx, &subject, &ok);
    NEED(ok);
    /* Name constraints that a store drops make its anchor wider than was asked. */
    if (status == XR_OK)
        NEED(held != NULL && held->entries[0]->attached_count == 1);
    else
        NEED(held == NULL);
    return NULL;
}

/* ---- native blobs: from a journal, to be doubted ---- */

const char *contract_survives(struct contract *ctx, const struct xr_state *want)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    const struct xr_snapshot *now = NULL;
    enum xr_status status = XR_OK;

    NEED(store != NULL);
    status = contract_swap(ctx, store, NULL, want);
    NEED(status != XR_LOST);
    contract_close(ctx, store);

    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    for (size_t i = 0; i < now->count; i++) {
        NEED(xr_subject_equal(&now->items[i]->subject, &want->subject));
        NEED(now->items[i]->count == 1 &&
             now->items[i]->entries[0]->place == want->entries[0]->place);
        NEED(status == XR_OK); /* refused is not half done */
        NEED(contract_swap(ctx, store, now->items[i], NULL) == XR_OK);
    }
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    return NULL;
}

static const char *native_of(struct contract *ctx, struct xr_bytes *out, enum contract_cert cert,
                             enum xr_place place)
{
    struct xr_subject subject = contract_subject(ctx, cert);
    const struct xr_state *held = NULL;
    bool ok = false;

    TRY(contract_install(ctx, cert, place));
    held = contract_held(ctx, &subject, &ok);
    NEED(ok && held != NULL);
    *out = held->entries[0]->native;
    TRY(contract_remove(ctx, cert));
    return NULL;
}

/* Every byte in this process; some of them where each try starts helpers. */
static size_t stride(const struct contract *ctx)
{
    return (ctx->backend->table.flags & XR_BACKEND_WORKER) != 0 ? 7 : 1;
}

static const char *native_truncated(struct contract *ctx)
{
    EACH_PLACE(ctx, place)
    {
        enum contract_cert cert = contract_fit(place);
        const char *before = contract_image(ctx);
        struct xr_bytes native = {0};

        TRY(native_of(ctx, &native, cert, place));
        for (size_t len = 1; len < native.len; len += stride(ctx)) {
            struct xr_state *want = contract_wish(ctx, cert, place);

            contract_native(contract_entry(want, 0), native.data, len);
            TRY(contract_survives(ctx, want));
        }
        NEED(contract_same(ctx, before, contract_image(ctx)));
        if (place == XR_ANCHOR && native.len == 0)
            return contract_skip(ctx, "the backend needs no native record");
    }
    return NULL;
}

static const char *native_flipped(struct contract *ctx)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    const char *before = contract_image(ctx);
    struct xr_bytes native = {0};

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    TRY(native_of(ctx, &native, CERT_OLD, XR_ANCHOR));
    for (size_t at = 0; at < native.len * sizeof(masks); at += stride(ctx)) {
        struct xr_state *want = contract_wish(ctx, CERT_OLD, XR_ANCHOR);
        unsigned char *bytes = xr_memdup(native.data, native.len);

        bytes[at / sizeof(masks)] ^= masks[at % sizeof(masks)];
        contract_native(contract_entry(want, 0), bytes, native.len);
        free(bytes);
        TRY(contract_survives(ctx, want));
    }
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *native_of_another(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_state *want = contract_wish(ctx, CERT_NEW, XR_ANCHOR);
    struct xr_bytes native = {0};

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    TRY(native_of(ctx, &native, CERT_OLD, XR_ANCHOR));
    contract_native(contract_entry(want, 0), native.data, native.len);
    TRY(contract_survives(ctx, want));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* ---- flush ---- */

static const char *flush_idle(struct contract *ctx)
{
    const char *before = NULL;

    EACH_PLACE(ctx, place)
    TRY(contract_install(ctx, contract_fit(place), place));
    before = contract_image_times(ctx);
    for (int i = 0; i < 2; i++) {
        struct xr_store *store = contract_open(ctx, XR_WRITE);

        NEED(store != NULL);
        NEED(contract_flush(ctx, store) == XR_OK);
        NEED(contract_list(ctx, store) != NULL);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
        NEED(contract_same(ctx, before, contract_image_times(ctx)));
    }
    return NULL;
}

/* ---- several of one name, many, odd names ---- */

static const char *twins(struct contract *ctx)
{
    static const enum contract_cert orders[6][3] = {
        {CERT_TWIN_A, CERT_TWIN_B, CERT_TWIN_C}, {CERT_TWIN_A, CERT_TWIN_C, CERT_TWIN_B},
        {CERT_TWIN_B, CERT_TWIN_A, CERT_TWIN_C}, {CERT_TWIN_B, CERT_TWIN_C, CERT_TWIN_A},
        {CERT_TWIN_C, CERT_TWIN_A, CERT_TWIN_B}, {CERT_TWIN_C, CERT_TWIN_B, CERT_TWIN_A},
    };
    const char *empty = contract_image(ctx), *full = NULL;

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    for (size_t i = 0; i < 3; i++)
        TRY(contract_install(ctx, orders[0][i], XR_ANCHOR));
    full = contract_image(ctx);
    NEED(contract_count(ctx) == 3);
    for (size_t order = 0; order < 6; order++) {
        struct xr_state *were[3] = {0};
        struct xr_store *store = contract_open(ctx, XR_WRITE);

        NEED(store != NULL);
        for (size_t i = 0; i < 3; i++) {
            struct xr_subject subject = contract_subject(ctx, orders[order][i]);
            const struct xr_snapshot *now = contract_list(ctx, store);

            NEED(now != NULL);
            were[i] = contract_copy(ctx, xr_snapshot_find(now, &subject));
            NEED(were[i] != NULL);
            NEED(contract_swap(ctx, store, were[i], NULL) == XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
            NEED(contract_count(ctx) == 2 - i);
        }
        NEED(contract_same(ctx, empty, contract_image(ctx)));
        for (size_t i = 3; i-- > 0;) {
            NEED(contract_swap(ctx, store, NULL, were[i]) == XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
        }
        contract_close(ctx, store);
        NEED(contract_same(ctx, full, contract_image(ctx)));
    }
    return NULL;
}

static const char *many(struct contract *ctx)
{
    enum { MANY = 300 };
    const char *before = contract_image(ctx);
    struct xr_store *store = NULL;
    const struct xr_snapshot *now = NULL;

    if (!contract_holds(ctx, XR_ANCHOR))
        return contract_skip(ctx, "the store has no anchors");
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    for (int i = 0; i < MANY; i++) {
        char cn[64];
        struct pki_blob der = {0};
        struct pki_spec spec = {0};
        struct xr_state *wish = NULL;

        (void)snprintf(cn, sizeof(cn), "Contract Many %d", i / 3); /* three of each name */
        spec = pki_spec_ca(cn, CONTRACT_NOW);
        NEED(pki_issue(&der, ctx->key, NULL, NULL, &spec) == 0);
        wish = contract_wish_der(ctx, (struct xr_bytes){der.data, der.len}, XR_ANCHOR);
        pki_blob_free(&der);
        NEED(contract_swap(ctx, store, NULL, wish) == XR_OK);
    }
    NEED(contract_flush(ctx, store) == XR_OK);
    now = contract_list(ctx, store);
    NEED(now != NULL && now->count == MANY);
    NEED(contract_count(ctx) == MANY);
    for (size_t i = 0; i < MANY; i++) {
        /* A removal may renumber others of its name: ask again for what is there. */
        const struct xr_snapshot *fresh_list = i % 3 != 0 ? contract_list(ctx, store) : now;
        const struct xr_state *held = NULL;

        NEED(fresh_list != NULL);
        held = xr_snapshot_find(fresh_list, &now->items[i]->subject);
        if (contract_swap(ctx, store, held, NULL) == XR_CONFLICT) {
            fresh_list = contract_list(ctx, store);
            NEED(fresh_list != NULL);
            held = xr_snapshot_find(fresh_list, &now->items[i]->subject);
            NEED(contract_swap(ctx, store, held, NULL) == XR_OK);
        }
    }
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *hostile_name(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    const char *image = NULL;

    TRY(contract_install(ctx, CERT_HOSTILE,
                         contract_holds(ctx, XR_ANCHOR) ? XR_ANCHOR : XR_INTERMEDIATE));
    NEED(contract_count(ctx) == 1);
    image = contract_image(ctx);
    /* A store may name a file after a certificate, but with its harmless characters alone. */
    NEED(strpbrk(image, "\\$();|%`") == NULL && strstr(image, "/etc/passwd") == NULL &&
         strstr(image, "rm -rf") == NULL);
    TRY(contract_remove(ctx, CERT_HOSTILE));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* ---- what the session says of itself ---- */

static const char *caps_sane(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    size_t held = 0;

    NEED(store != NULL);
    NEED(store->caps.size == sizeof(store->caps));
    NEED(store->caps.writable == (store->caps.why_not[0] == '\0'));
    NEED(store->caps.purposes != 0);
    for (size_t i = 0; i < XR_PLACE_COUNT; i++) {
        NEED((unsigned)store->caps.places[i] <= XR_ENFORCED);
        held += store->caps.places[i] != XR_CANNOT;
    }
    NEED(held > 0);
    NEED(store->caps.verifier[0] == '\0' || ctx->backend->table.probe != NULL);
    return NULL;
}

/* ---- probe ---- */

struct question {
    enum contract_cert chain[3];
    size_t count;
    uint32_t purpose;
    const char *host;
    int64_t at;
};

static enum xr_answer ask(struct contract *ctx, struct xr_verdict *verdict,
                          const struct question *question)
{
    bool apart = (ctx->backend->table.flags & XR_BACKEND_PROBE_APART) != 0;
    struct xr_store *store = contract_open(ctx, apart ? XR_PROBE : XR_READ);
    struct xr_bytes chain[3];
    struct xr_probe probe = {.size = sizeof(probe),
                             .chain = chain,
                             .count = question->count,
                             .purpose = question->purpose,
                             .host = question->host,
                             .at = question->at ? question->at : CONTRACT_NOW};
    enum xr_status status = XR_FAILED;

    for (size_t i = 0; i < question->count; i++)
        chain[i] = contract_der(ctx, question->chain[i]);
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    if (store != NULL)
        status = xr_store_probe(store, verdict, &probe, &ctx->err);
    contract_close(ctx, store);
    if (status == XR_OK && verdict->answer == XR_NO && ctx->err.text[0] == '\0')
        (void)snprintf(ctx->err.text, sizeof(ctx->err.text), "no: %s", verdict->why);
    return status == XR_OK ? verdict->answer : XR_UNKNOWN;
}

static bool path_is(const struct contract *ctx, const struct xr_verdict *verdict,
                    const enum contract_cert *path, size_t count)
{
    if (verdict->path_len != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct xr_subject subject = contract_subject(ctx, path[i]);

        if (memcmp(verdict->path[i], subject.id, sizeof(subject.id)) != 0)
            return false;
    }
    return true;
}

static bool can_probe(const struct contract *ctx)
{
    return ctx->caps.verifier[0] != '\0' && !ctx->caps.shares_readers &&
           contract_holds(ctx, XR_ANCHOR);
}

static const char *probe_cross(struct contract *ctx)
{
    static const enum contract_cert path[] = {CERT_SUB, CERT_CROSS, CERT_OLD};
    static const enum contract_cert leaf_path[] = {CERT_LEAF, CERT_SUB, CERT_CROSS, CERT_OLD};
    const struct question sub = {.chain = {CERT_SUB}, .count = 1, .purpose = XR_SERVER};
    const struct question leaf = {
        .chain = {CERT_LEAF, CERT_SUB}, .count = 2, .purpose = XR_SERVER, .host = "localhost"};
    struct xr_verdict verdict;

    if (!can_probe(ctx) || !contract_holds(ctx, XR_INTERMEDIATE))
        return contract_skip(ctx, "the store has no verifier, or not both places");
    NEED(ask(ctx, &verdict, &sub) == XR_NO);
    NEED(verdict.why[0] != '\0' && verdict.by[0] != '\0' && verdict.path_len == 0);
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    NEED(ask(ctx, &verdict, &sub) == XR_NO); /* a cross certificate alone anchors nothing */
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(ask(ctx, &verdict, &sub) == XR_YES);
    NEED(path_is(ctx, &verdict, path, 3));
    NEED(ask(ctx, &verdict, &leaf) == XR_YES);
    NEED(path_is(ctx, &verdict, leaf_path, 4));
    TRY(contract_remove(ctx, CERT_CROSS));
    NEED(ask(ctx, &verdict, &sub) == XR_NO);
    return NULL;
}

static const char *probe_sent(struct contract *ctx)
{
    const struct question sent = {.chain = {CERT_LEAF, CERT_SUB, CERT_CROSS},
                                  .count = 3,
                                  .purpose = XR_SERVER,
                                  .host = "127.0.0.1"};
    struct xr_verdict verdict;

    if (!can_probe(ctx))
        return contract_skip(ctx, "the store has no verifier, or no anchors");
    NEED(ask(ctx, &verdict, &sent) == XR_NO); /* what a server sends is never trusted itself */
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(ask(ctx, &verdict, &sent) == XR_YES);
    NEED(verdict.path_len == 4);
    return NULL;
}

static const char *probe_host_and_purpose(struct contract *ctx)
{
    struct question leaf = {
        .chain = {CERT_LEAF, CERT_SUB}, .count = 2, .purpose = XR_SERVER, .host = "localhost"};
    struct question root = {.chain = {CERT_OLD}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;

    if (!can_probe(ctx))
        return contract_skip(ctx, "the store has no verifier, or no anchors");
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    NEED(ask(ctx, &verdict, &leaf) == XR_YES);
    leaf.host = "elsewhere.example";
    NEED(ask(ctx, &verdict, &leaf) == XR_NO);
    leaf.host = NULL;
    NEED(ask(ctx, &verdict, &leaf) == XR_YES);
    leaf.purpose = XR_EMAIL; /* its EKU says server */
    NEED(ask(ctx, &verdict, &leaf) == XR_NO);
    leaf.purpose = XR_SERVER;
    leaf.at = CONTRACT_NOW + 40 * PKI_YEAR;
    NEED(ask(ctx, &verdict, &leaf) == XR_NO);
    NEED(ask(ctx, &verdict, &root) == XR_NO); /* not in this store */
    root.chain[0] = CERT_NEW;
    NEED(ask(ctx, &verdict, &root) == XR_YES); /* an anchor, asked as an issuer */
    NEED(verdict.path_len == 1);
    root.host = "elsewhere.example"; /* whoever names a host asks about a server */
    NEED(ask(ctx, &verdict, &root) == XR_NO);
    return NULL;
}

static const char *probe_expired(struct contract *ctx)
{
    struct question over = {.chain = {CERT_OVER}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;

    if (!can_probe(ctx))
        return contract_skip(ctx, "the store has no verifier, or no anchors");
    TRY(contract_install(ctx, CERT_EXPIRED, XR_ANCHOR));
    NEED(ask(ctx, &verdict, &over) == XR_NO);
    NEED(verdict.why[0] != '\0');
    return NULL;
}

static const char *probe_twins(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_A, CERT_TWIN_B, CERT_TWIN_C};
    struct xr_verdict verdict;

    if (!can_probe(ctx))
        return contract_skip(ctx, "the store has no verifier, or no anchors");
    for (size_t i = 0; i < 3; i++)
        TRY(contract_install(ctx, certs[i], XR_ANCHOR));
    for (size_t gone = 0; gone < 3; gone++) {
        TRY(contract_remove(ctx, certs[gone]));
        for (size_t i = 0; i < 3; i++) {
            const struct question one = {.chain = {certs[i]}, .count = 1, .purpose = XR_SERVER};

            NEED(ask(ctx, &verdict, &one) == (i == gone ? XR_NO : XR_YES));
        }
        TRY(contract_install(ctx, certs[gone], XR_ANCHOR));
    }
    return NULL;
}

static const char *probe_changes_nothing(struct contract *ctx)
{
    const struct question sub = {.chain = {CERT_SUB}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;
    const char *before = NULL;

    if (!can_probe(ctx))
        return contract_skip(ctx, "the store has no verifier, or no anchors");
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    before = contract_image_times(ctx);
    (void)ask(ctx, &verdict, &sub);
    NEED(contract_same(ctx, before, contract_image_times(ctx)));
    return NULL;
}

/* ---- distrust, as strong as the session says ---- */

static const char *deselects(struct contract *ctx)
{
    const struct question shipped = {.chain = {CERT_SHIPPED}, .count = 1, .purpose = XR_SERVER};
    struct xr_subject subject = contract_subject(ctx, CERT_SHIPPED);
    const struct xr_snapshot *now = NULL;
    const struct xr_state *was = NULL, *is = NULL;
    struct xr_state *want = NULL;
    struct xr_store *store = NULL;
    struct xr_verdict verdict;
    const char *before = contract_image(ctx);

    if (ctx->caps.places[XR_DISTRUST] != XR_DESELECT_ONLY)
        return contract_skip(ctx, "a distrust does more here, or nothing");
    ctx->stock_changes = true;
    NEED(!can_probe(ctx) || ask(ctx, &verdict, &shipped) == XR_YES);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    was = xr_snapshot_find(now, &subject);
    NEED(was != NULL && was->count == 1 && was->entries[0]->flags & XR_ENTRY_VENDOR);
    want = contract_copy(ctx, was);
    contract_also(ctx, want, XR_DISTRUST);
    NEED(contract_swap(ctx, store, was, want) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    is = xr_snapshot_find(now, &subject);
    NEED(is != NULL && xr_state_same(is, want));
    NEED(!can_probe(ctx) || ask(ctx, &verdict, &shipped) == XR_NO);
    NEED(contract_swap(ctx, store, is, was) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *deselects_nothing_else(struct contract *ctx)
{
    if (ctx->caps.places[XR_DISTRUST] != XR_DESELECT_ONLY)
        return contract_skip(ctx, "a distrust does more here, or nothing");
    return refused(ctx, contract_wish(ctx, CERT_OLD, XR_DISTRUST));
}

static const char *distrust_enforced(struct contract *ctx)
{
    const struct question shipped = {.chain = {CERT_NEW}, .count = 1, .purpose = XR_SERVER};
    const struct question below = {.chain = {CERT_SUB}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;

    if (!can_probe(ctx) || ctx->caps.places[XR_DISTRUST] != XR_ENFORCED)
        return contract_skip(ctx, "a distrust does less here, or nobody can be asked");
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    NEED(ask(ctx, &verdict, &below) == XR_YES);
    TRY(contract_install(ctx, CERT_NEW, XR_DISTRUST));
    NEED(ask(ctx, &verdict, &shipped) == XR_NO);
    NEED(ask(ctx, &verdict, &below) == XR_NO);
    return NULL;
}

static const char *distrust_of_key(struct contract *ctx)
{
    const struct question root = {.chain = {CERT_NEW}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;

    if (!can_probe(ctx) || ctx->caps.places[XR_DISTRUST] != XR_ENFORCED)
        return contract_skip(ctx, "a distrust does less here, or nobody can be asked");
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_CROSS, XR_DISTRUST)); /* another one of its key */
    NEED(contract_count(ctx) == 2);
    NEED(ask(ctx, &verdict, &root) == (ctx->caps.distrust_by_key ? XR_NO : XR_YES));
    TRY(contract_remove(ctx, CERT_CROSS));
    NEED(ask(ctx, &verdict, &root) == XR_YES);
    return NULL;
}

/* ---- a session that is renewed ---- */

static const char *renews(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_snapshot *now = NULL;
    struct xr_store *store = NULL;
    const struct xr_state *seen = NULL;
    enum xr_status status = XR_OK;

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    store = contract_open(ctx, XR_READ);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL && now->count == 1);
    seen = xr_snapshot_find(now, &subject);
    TRY(contract_remove(ctx, CERT_OLD));
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    status = xr_store_renew(store, &ctx->err);
    if (status == XR_UNSUPPORTED) {
        NEED(contract_list(ctx, store) != NULL); /* it still reads */
        return contract_skip(ctx, "a session cannot be renewed");
    }
    NEED(status == XR_OK && store->caps.writable);
    /* What it read before is not what it goes by. */
    NEED(contract_swap(ctx, store, seen, NULL) == XR_CONFLICT);
    now = contract_list(ctx, store);
    NEED(now != NULL && now->count == 1 && xr_snapshot_find(now, &subject) == NULL);
    NEED(contract_swap(ctx, store, now->items[0], NULL) == XR_OK);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_count(ctx) == 1);
    return NULL;
}

/* Without the certificate: by issuer and serial number. */
static const char *by_serial(struct contract *ctx)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_state *wish = contract_wish(ctx, CERT_CROSS, XR_DISTRUST), *back = NULL;
    const struct question below = {.chain = {CERT_SUB}, .count = 1, .purpose = XR_SERVER};
    struct xr_verdict verdict;
    const struct xr_state *held = NULL;
    struct xr_buf both = {0};
    struct xr_entry *entry = contract_entry(wish, 0);
    bool ok = false;

    if ((ctx->caps.subjects & 1u << XR_SUBJECT_ISSUER_SERIAL) == 0)
        return contract_skip(ctx, "the store distrusts by certificate only");
    NEED(xr_host.slices(&slices, contract_der(ctx, CERT_CROSS), NULL) == XR_OK);
    xr_buf_add(&both, slices.issuer.data, slices.issuer.len);
    xr_buf_add(&both, slices.serial.data, slices.serial.len);
    free((void *)(uintptr_t)entry->der.data);
    entry->der = (struct xr_bytes){0};
    entry->issuer.data = xr_memdup(slices.issuer.data, slices.issuer.len);
    entry->issuer.len = slices.issuer.len;
    entry->serial.data = xr_memdup(slices.serial.data, slices.serial.len);
    entry->serial.len = slices.serial.len;
    wish->subject.type = XR_SUBJECT_ISSUER_SERIAL;
    entry->subject.type = wish->subject.type;
    TRY(refused(ctx, wish)); /* the id is another's */
    xr_host.sha256(wish->subject.id, (struct xr_bytes){(unsigned char *)both.data, both.len});
    xr_buf_free(&both);
    entry->subject = wish->subject;
    TRY(contract_put(ctx, &wish->subject, wish));
    held = contract_held(ctx, &wish->subject, &ok);
    NEED(ok && held != NULL && held->count == 1 && held->entries[0]->place == XR_DISTRUST);
    NEED(xr_bytes_equal(held->entries[0]->serial, entry->serial));
    back = contract_copy(ctx, held);
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    NEED(ask(ctx, &verdict, &below) == XR_NO);
    TRY(contract_put(ctx, &wish->subject, NULL));
    NEED(ask(ctx, &verdict, &below) == XR_YES);
    TRY(contract_put(ctx, &wish->subject, back));
    NEED(ask(ctx, &verdict, &below) == XR_NO);
    return NULL;
}

const struct contract_case contract_cases[] = {
    {"A store that does not exist yet lists nothing, and reading it makes nothing.", fresh},
    {"Opening a store for writing without a change makes nothing.", fresh_write},
    {"A list ends when its reader says so.", list_stops},
    {"A session for reading cannot change anything.", read_cannot_write},
    {"A store can be read while a writer holds it.", read_beside_writer},
    {"What is added to a place is listed there, and its removal leaves no trace.", add_remove},
    {"A root with an EKU of its own is kept as wished, and goes again.", own_purposes},
    {"An anchor gets more purposes, and fewer.", other_purposes},
    {"A swap is undone by the opposite swap.", there_and_back},
    {"A removal is undone exactly, as often as one likes.", removal_undone},
    {"A certificate moves between places and back without a copy left behind.", moves},
    {"A certificate in two places is all or nothing.", two_places},
    {"Adding what is there already changes nothing.", same_again},
    {"One session adds and removes again and again.", one_session},
    {"A swap that expects anything else is a conflict and changes nothing.", conflicts},
    {"What was seen before somebody narrowed it is a conflict.", old_expectation},
    {"Bytes that are not their subject's are refused.", wrong_bytes},
    {"An entry of another subject inside a wish is refused.", other_subject_inside},
    {"A swap of one subject for another is refused.", two_subjects},
    {"A place that the store does not have is refused.", unheld_place},
    {"A certificate is no CRL, and a CRL no anchor.", wrong_type},
    {"What is no certificate is refused.", not_a_certificate},
    {"A certificate with bytes behind it is refused.", trailing_bytes},
    {"A subject that the store cannot name is refused.", key_subject},
    {"A purpose is refused where an anchor cannot be restricted.", unrestrictable},
    {"Attached constraints are kept or the anchor is refused.", attached},
    {"A native record cut at any length does no harm.", native_truncated},
    {"A native record with any byte changed does no harm.", native_flipped},
    {"The native record of another certificate does no harm.", native_of_another},
    {"A flush without changes writes nothing.", flush_idle},
    {"Certificates of one name come and go in every order.", twins},
    {"Three hundred certificates go in, and out in any order.", many},
    {"Names inside certificates do no harm as names of files.", hostile_name},
    {"A session describes itself without contradiction.", caps_sane},
    {"The verifier finds the way over a cross certificate, and none without it.", probe_cross},
    {"The verifier takes what a server sends as untrusted.", probe_sent},
    {"The verifier looks at host, purpose and time.", probe_host_and_purpose},
    {"The verifier refuses an expired anchor.", probe_expired},
    {"The verifier finds each of several certificates of one name.", probe_twins},
    {"A question to the verifier changes nothing.", probe_changes_nothing},
    {"A distrust that only deselects takes what is shipped, and gives it back.", deselects},
    {"A distrust that only deselects refuses what nobody ships.", deselects_nothing_else},
    {"An enforced distrust wins over the anchor.", distrust_enforced},
    {"A distrust takes the others of the key along where it says so.", distrust_of_key},
    {"A distrust by issuer and serial number needs no certificate, and can be put back.",
     by_serial},
    {"A session that is renewed for writing sees what was changed meanwhile.", renews},
};
const size_t contract_case_count = sizeof(contract_cases) / sizeof(contract_cases[0]);
