/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include <stdlib.h>

/* ---- the PKI ---- */

static int issue(struct contract *ctx, enum contract_cert at, struct pki_key *key,
                 enum contract_cert issuer, struct pki_key *issuer_key, struct pki_spec spec)
{
    return pki_issue(&ctx->certs[at], key, issuer == at ? NULL : &ctx->certs[issuer],
                     issuer == at ? NULL : issuer_key, &spec);
}

static int make_pki(struct contract *ctx)
{
    struct pki_key *keys[11] = {0};
    struct pki_spec expired = pki_spec_ca("Contract Expired", CONTRACT_NOW);
    struct pki_spec leaf = pki_spec_leaf("localhost", CONTRACT_NOW);
    struct pki_spec twin = pki_spec_ca("Contract Twins", CONTRACT_NOW);
    struct pki_spec limited = pki_spec_ca("Contract Limited", CONTRACT_NOW);
    struct pki_spec hostile = pki_spec_ca("../../../../tmp/x\n/etc/passwd;$(reboot)\xe2\x80\xae"
                                          "mep.\x01",
                                          CONTRACT_NOW);
    struct pki_crl_spec crl = {.this_update = CONTRACT_NOW - PKI_DAY,
                               .next_update = CONTRACT_NOW + PKI_DAY,
                               .number = "1"};
    int bad = 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        keys[i] = pki_key_new(PKI_EC);
        if (keys[i] == NULL)
            bad = -1;
    }
    expired.not_before = CONTRACT_NOW - 2 * PKI_YEAR;
    expired.not_after = CONTRACT_NOW - PKI_DAY;
    leaf.san = "DNS:localhost,IP:127.0.0.1";
    limited.eku = "serverAuth,clientAuth";
    hostile.o = "|rm -rf /\r\n%00";
    if (bad == 0)
        bad = issue(ctx, CERT_OLD, keys[0], CERT_OLD, NULL,
                    pki_spec_ca("Contract Old Root", CONTRACT_NOW)) |
              issue(ctx, CERT_NEW, keys[1], CERT_NEW, NULL,
                    pki_spec_ca("Contract New Root", CONTRACT_NOW)) |
              issue(ctx, CERT_CROSS, keys[1], CERT_OLD, keys[0],
                    pki_spec_ca("Contract New Root", CONTRACT_NOW)) |
              issue(ctx, CERT_SUB, keys[2], CERT_NEW, keys[1],
                    pki_spec_ca("Contract Sub CA", CONTRACT_NOW)) |
              issue(ctx, CERT_LEAF, keys[3], CERT_SUB, keys[2], leaf) |
              issue(ctx, CERT_EXPIRED, keys[3], CERT_EXPIRED, NULL, expired) |
              issue(ctx, CERT_OVER, keys[4], CERT_EXPIRED, keys[3],
                    pki_spec_ca("Contract Below Expired", CONTRACT_NOW)) |
              issue(ctx, CERT_TWIN_A, keys[4], CERT_TWIN_A, NULL, twin) |
              issue(ctx, CERT_TWIN_B, keys[5], CERT_TWIN_B, NULL, twin) |
              issue(ctx, CERT_TWIN_C, keys[6], CERT_TWIN_C, NULL, twin) |
              issue(ctx, CERT_LIMITED, keys[10], CERT_LIMITED, NULL, limited) |
              issue(ctx, CERT_HOSTILE, keys[2], CERT_HOSTILE, NULL, hostile) |
              issue(ctx, CERT_SHIPPED, keys[7], CERT_SHIPPED, NULL,
                    pki_spec_ca("Contract Shipped", CONTRACT_NOW)) |
              issue(ctx, CERT_BESIDE, keys[8], CERT_BESIDE, NULL,
                    pki_spec_ca("Contract Shipped Too", CONTRACT_NOW)) |
              issue(ctx, CERT_OUT, keys[9], CERT_OUT, NULL,
                    pki_spec_ca("Contract Taken Out", CONTRACT_NOW)) |
              pki_crl(&ctx->certs[CERT_CRL], &ctx->certs[CERT_OLD], keys[0], &crl);
    ctx->key = keys[0];
    for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++)
        pki_key_free(keys[i]);
    return bad;
}

/* ---- life ---- */

const char *contract_begin(struct contract *ctx)
{
    struct xr_store *store = NULL;

    ctx->site =
        (struct xr_site){.size = sizeof(ctx->site), .home = ctx->scratch, .nss = ctx->kind->nss};
    if (make_pki(ctx) != 0)
        return contract_fail(ctx, __FILE__, __LINE__, "the fixture PKI could not be made");
    ctx->location = ctx->kind->location(ctx->scratch);
    if (ctx->kind->stock != NULL) {
        /* What it publishes is the store's own business, and so is for it to make. */
        ctx->kind->stock(ctx);
        store = contract_open(ctx, XR_WRITE);
        NEED(store != NULL);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
    }
    store = contract_open(ctx, XR_READ);
    NEED(store != NULL);
    ctx->caps = store->caps;
    if (ctx->kind->stock != NULL) {
        NEED(contract_list(ctx, store) != NULL);
        ctx->stock = ctx->snapshots.items[0];
    }
    contract_close(ctx, store);
    return NULL;
}

void contract_end(struct contract *ctx)
{
    for (size_t i = 0; i < ctx->stores.count; i++) {
        xr_store_close(ctx->stores.items[i]);
        free(ctx->stores.items[i]);
    }
    for (size_t i = 0; i < ctx->snapshots.count; i++) {
        xr_snapshot_free(ctx->snapshots.items[i]);
        free(ctx->snapshots.items[i]);
    }
    for (size_t i = 0; i < ctx->states.count; i++)
        xr_state_free(ctx->states.items[i]);
    for (size_t i = 0; i < ctx->texts.count; i++)
        free(ctx->texts.items[i]);
    for (size_t i = 0; i < CERT_COUNT; i++)
        pki_blob_free(&ctx->certs[i]);
    free(ctx->stores.items);
    free(ctx->snapshots.items);
    free(ctx->states.items);
    free(ctx->texts.items);
    free(ctx->location);
    pki_key_free(ctx->key);
}

const char *contract_fail(struct contract *ctx, const char *file, int line, const char *what)
{
    const char *slash = strrchr(file, '/');
    char said[600] = "";

    if (ctx->err.text[0] != '\0')
        (void)snprintf(said, sizeof(said), " (last error: status %d, %s)", (int)ctx->err.status,
                       ctx->err.text);
    if (ctx->text[0] == '\0') /* a difference found on the way is kept, see contract_same */
        (void)snprintf(ctx->text, sizeof(ctx->text), "%s:%d: %s%s", slash ? slash + 1 : file, line,
                       what, said);
    else {
        char *more =
            xr_format("%s:%d: %s%s\n%s", slash ? slash + 1 : file, line, what, said, ctx->text);

        (void)snprintf(ctx->text, sizeof(ctx->text), "%s", more);
        free(more);
    }
    return ctx->text;
}

const char *contract_skip(struct contract *ctx, const char *why)
{
    ctx->skipped = why;
    return NULL;
}

const char *contract_text(struct contract *ctx, char *text)
{
    *XR_PUSH(&ctx->texts) = text;
    return text;
}

/* ---- sessions ---- */

struct xr_store *contract_open_at(struct contract *ctx, const char *location, enum xr_mode mode)
{
    struct xr_store *store = xr_new(1, sizeof(*store));
    struct xr_target target = *XR_TARGET(&ctx->site, location);

    target.leaving = &ctx->leaving;
    target.leaving_count = ctx->leaving_count;
    target.soon = ctx->soon;
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    if (xr_store_open(store, ctx->backend, &target, mode, ctx->worker, &ctx->err) != XR_OK) {
        free(store);
        return NULL;
    }
    *XR_PUSH(&ctx->stores) = store;
    if (mode == XR_WRITE && store->caps.locked != 0 && ctx->kind->password != NULL) {
        const char *word = ctx->kind->password;
        struct xr_bytes password = {(const unsigned char *)word, strlen(word)};

        if (xr_store_unlock(store, password, &ctx->err) != XR_OK) {
            contract_close(ctx, store);
            return NULL;
        }
    }
    return store;
}

struct xr_store *contract_open(struct contract *ctx, enum xr_mode mode)
{
    return contract_open_at(ctx, ctx->location, mode);
}

void contract_close(struct contract *ctx, struct xr_store *store)
{
    for (size_t i = 0; i < ctx->stores.count; i++) {
        if (ctx->stores.items[i] != store)
            continue;
        ctx->stores.items[i] = ctx->stores.items[--ctx->stores.count];
        xr_store_close(store);
        free(store);
        return;
    }
}

/* ---- listing ---- */

static bool utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t point = 0;
        size_t len = xr_utf8_next(&point, at, left);

        if (len == 0)
            return false;
        at += len;
        left -= len;
    }
    return true;
}

struct listing {
    struct contract *ctx;
    struct xr_snapshot *snapshot;
    const struct xr_caps *caps;
    const char *wrong;
};

static enum xr_status take(void *ctx, const struct xr_entry *entry)
{
    struct listing *l = ctx;
    unsigned char sum[XR_SHA256_LEN];

    if (entry->size < sizeof(*entry))
        l->wrong = "an entry is shorter than its struct";
    else if ((unsigned)entry->place >= XR_PLACE_COUNT)
        l->wrong = "an entry is in no place";
    else if (l->caps->places[entry->place] == XR_CANNOT && entry->flags & XR_ENTRY_OURS)
        l->wrong = "we are said to have put an entry where nothing can be put";
    else if (entry->label != NULL && !utf8(entry->label))
        l->wrong = "a label is not UTF-8";
    else if (entry->native.len > XR_NATIVE_MAX)
        l->wrong = "a native blob is larger than XR_NATIVE_MAX";
    else if (entry->place == XR_ANCHOR && entry->purposes == 0)
        l->wrong = "an anchor without a purpose";
    else if (entry->subject.type == XR_SUBJECT_CERT && entry->der.len > 0) {
        xr_host.sha256(sum, entry->der);
        if (memcmp(sum, entry->subject.id, sizeof(sum)) != 0)
            l->wrong = "an entry's bytes are not its subject's";
    }
    if (l->wrong != NULL)
        return XR_INVALID;
    return xr_snapshot_take(l->snapshot, entry);
}

/* NULL when the stock is not as it was. */
static struct xr_snapshot *without_stock(struct contract *ctx, const struct xr_snapshot *all)
{
    struct xr_snapshot *rest = xr_new(1, sizeof(*rest));

    *XR_PUSH(&ctx->snapshots) = rest;
    for (size_t i = 0; i < ctx->stock->count; i++) {
        if (!xr_state_equal(ctx->stock->items[i],
                            xr_snapshot_find(all, &ctx->stock->items[i]->subject)))
            return NULL;
    }
    for (size_t i = 0; i < all->count; i++) {
        const struct xr_state *state = all->items[i];

        for (size_t k = 0;
             k < state->count && xr_snapshot_find(ctx->stock, &state->subject) == NULL; k++)
            (void)xr_snapshot_take(rest, state->entries[k]);
    }
    return rest;
}

const struct xr_snapshot *contract_list(struct contract *ctx, struct xr_store *store)
{
    struct xr_snapshot *snapshot = xr_new(1, sizeof(*snapshot));
    struct listing l = {ctx, snapshot, &store->caps, NULL};

    *XR_PUSH(&ctx->snapshots) = snapshot;
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    if (xr_store_list(store, take, &l, &ctx->err) == XR_OK && l.wrong == NULL) {
        if (ctx->stock == NULL || ctx->stock_changes)
            return snapshot;
        snapshot = without_stock(ctx, snapshot);
        if (snapshot != NULL)
            return snapshot;
        l.wrong = "what the store held at first is not as it was";
    }
    if (l.wrong != NULL)
        (void)xr_fail(&ctx->err, XR_INVALID, "%s", l.wrong);
    return NULL;
}

const struct xr_state *contract_held(struct contract *ctx, const struct xr_subject *subject,
                                     bool *ok)
{
    struct xr_store *store = contract_open(ctx, XR_READ);
    const struct xr_snapshot *now = store != NULL ? contract_list(ctx, store) : NULL;

    *ok = now != NULL;
    contract_close(ctx, store);
    return now != NULL ? xr_snapshot_find(now, subject) : NULL;
}

size_t contract_count(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_READ);
    const struct xr_snapshot *now = store != NULL ? contract_list(ctx, store) : NULL;
    size_t count = 0;

    contract_close(ctx, store);
    if (now == NULL)
        return SIZE_MAX;
    for (size_t i = 0; i < now->count; i++)
        count += now->items[i]->count;
    return count;
}

/* ---- wishes ---- */

struct xr_bytes contract_der(const struct contract *ctx, enum contract_cert cert)
{
    return (struct xr_bytes){ctx->certs[cert].data, ctx->certs[cert].len};
}

struct xr_subject contract_subject(const struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = {.type = cert == CERT_CRL ? XR_SUBJECT_CRL : XR_SUBJECT_CERT};

    xr_host.sha256(subject.id, contract_der(ctx, cert));
    return subject;
}

static void add_entry(struct contract *ctx, struct xr_state *state, struct xr_bytes der,
                      enum xr_place place)
{
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = state->subject, .place = place, .der = der};

    if (place == XR_ANCHOR)
        entry.purposes = ctx->caps.purposes & XR_ANY_PURPOSE ? XR_ANY_PURPOSE : XR_SERVER;
    xr_state_add(state, &entry);
}

struct xr_state *contract_wish_der(struct contract *ctx, struct xr_bytes der, enum xr_place place)
{
    struct xr_subject subject = {.type = place == XR_CRL ? XR_SUBJECT_CRL : XR_SUBJECT_CERT};
    struct xr_state *state = NULL;

    xr_host.sha256(subject.id, der);
    state = xr_state_new(&subject);
    *XR_PUSH(&ctx->states) = state;
    add_entry(ctx, state, der, place);
    return state;
}

struct xr_state *contract_wish(struct contract *ctx, enum contract_cert cert, enum xr_place place)
{
    return contract_wish_der(ctx, contract_der(ctx, cert), place);
}

void contract_also(struct contract *ctx, struct xr_state *wish, enum xr_place place)
{
    add_entry(ctx, wish, wish->entries[0]->der, place);
}

struct xr_state *contract_copy(struct contract *ctx, const struct xr_state *state)
{
    struct xr_state *copy = xr_state_copy(state);

    *XR_PUSH(&ctx->states) = copy;
    return copy;
}

struct xr_entry *contract_entry(struct xr_state *state, size_t at)
{
    return (struct xr_entry *)(uintptr_t)state->entries[at];
}

void contract_native(struct xr_entry *entry, const void *data, size_t len)
{
    free((void *)(uintptr_t)entry->native.data);
    entry->native = (struct xr_bytes){len > 0 ? xr_memdup(data, len) : NULL, len};
}

enum contract_cert contract_fit(enum xr_place place)
{
    static const enum contract_cert fits[XR_PLACE_COUNT] = {
        [XR_ANCHOR] = CERT_OLD, [XR_INTERMEDIATE] = CERT_CROSS,
        [XR_PEER] = CERT_LEAF,  [XR_DISTRUST] = CERT_SUB,
        [XR_CRL] = CERT_CRL,
    };

    return fits[place];
}

bool contract_holds(const struct contract *ctx, enum xr_place place)
{
    return ctx->caps.places[place] != XR_CANNOT;
}

bool contract_takes(const struct contract *ctx, enum xr_place place)
{
    return contract_holds(ctx, place) && ctx->caps.places[place] != XR_DESELECT_ONLY;
}

/* ---- changes ---- */

enum xr_status contract_swap(struct contract *ctx, struct xr_store *store,
                             const struct xr_state *expect, const struct xr_state *want)
{
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    return xr_store_swap(store, expect, want, &ctx->err);
}

enum xr_status contract_flush(struct contract *ctx, struct xr_store *store)
{
    ctx->err = (struct xr_error){.size = sizeof(ctx->err)};
    return xr_store_flush(store, &ctx->err);
}

const char *contract_put(struct contract *ctx, const struct xr_subject *subject,
                         const struct xr_state *want)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    const struct xr_snapshot *now = NULL;
    const struct xr_state *expect = NULL;

    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    expect = xr_snapshot_find(now, subject);
    if (expect != NULL || want != NULL)
        NEED(contract_swap(ctx, store, expect, want) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    return NULL;
}

const char *contract_install(struct contract *ctx, enum contract_cert cert, enum xr_place place)
{
    struct xr_subject subject = contract_subject(ctx, cert);

    return contract_put(ctx, &subject, contract_wish(ctx, cert, place));
}

const char *contract_remove(struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = contract_subject(ctx, cert);

    return contract_put(ctx, &subject, NULL);
}

/* ---- images ---- */

static const char *image(struct contract *ctx, bool times)
{
    char *text = ctx->kind->image != NULL ? ctx->kind->image(ctx->scratch, times) : NULL;

    return contract_text(ctx, text != NULL ? text : xr_strdup(""));
}

const char *contract_image(struct contract *ctx)
{
    return image(ctx, false);
}

const char *contract_image_times(struct contract *ctx)
{
    return image(ctx, true);
}

/* Lines of one text that the other does not have. */
static void only_in(struct xr_buf *out, const char *a, const char *b, char mark)
{
    while (*a != '\0') {
        size_t len = strcspn(a, "\n");
        const char *at = b;

        while (*at != '\0' && !(strcspn(at, "\n") == len && memcmp(at, a, len) == 0)) {
            at += strcspn(at, "\n");
            at += *at == '\n';
        }
        if (*at == '\0')
            xr_buf_fmt(out, "  %c %.*s\n", mark, (int)(len > 160 ? 160 : len), a);
        a += len;
        a += *a == '\n';
    }
}

bool contract_same(struct contract *ctx, const char *before, const char *after)
{
    struct xr_buf text = {0};

    if (strcmp(before, after) == 0)
        return true;
    only_in(&text, before, after, '-');
    only_in(&text, after, before, '+');
    (void)snprintf(ctx->text, sizeof(ctx->text), "%s", text.data ? text.data : "order differs");
    xr_buf_free(&text);
    return false;
}
