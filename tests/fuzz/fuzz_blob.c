/* SPDX-License-Identifier: Apache-2.0 */
/* Windows' registry blobs (windows_blob.h), and stores of them (entries.h): is what was read written the same, are
 * names text, and is each certificate listed as itself. The first byte of an input says which. */
#include "../../backends/windows/entries.h"

#include "fuzz.h"
#include "stores/registry.h"
#include "stores/state.h"

#include <stdlib.h>

enum { A_BLOB, A_NAME, A_STORE, KINDS };

static void check_blob(struct xr_bytes blob)
{
    struct xr_buf same = {0}, plain = {0}, again = {0};
    struct xr_bytes rest = blob;
    struct xr_win_record record;
    size_t taken = 0;

    while (taken++ < 64 && xr_win_blob_next(&record, &rest)) {
        struct xr_buf eku = {0};
        uint32_t purposes = xr_win_eku_purposes(record.data);

        xr_win_blob_add(&same, record.id, record.data);
        CHECK(xr_win_blob_get(fuzz_buf_bytes(&same), record.id).data != NULL);
        xr_win_eku_make(&eku, purposes);
        CHECK(xr_win_eku_purposes(fuzz_buf_bytes(&eku)) == purposes);
        xr_buf_free(&eku);
    }
    /* All but the second number of a record, which is 1. */
    CHECK(same.len == (size_t)(rest.data - blob.data));
    xr_win_blob_plain(&plain, blob);
    CHECK(plain.len <= blob.len);
    rest = blob;
    for (taken = 0; taken < 64 && xr_win_blob_next(&record, &rest); taken++) {
        if (record.id > 0xffff) /* no property that is computed */
            CHECK(xr_win_blob_get(fuzz_buf_bytes(&plain), record.id).data != NULL);
    }
    xr_win_blob_plain(&again, fuzz_buf_bytes(&plain));
    CHECK(xr_bytes_equal(fuzz_buf_bytes(&plain), fuzz_buf_bytes(&again)));
    (void)xr_win_blob_good(blob);
    xr_buf_free(&same);
    xr_buf_free(&plain);
    xr_buf_free(&again);
}

static void check_name(struct xr_bytes name)
{
    char *text = xr_win_name_text(name), *again = NULL;
    struct xr_buf made = {0};
    size_t left = strlen(text);

    for (const char *at = text; left > 0;) {
        uint32_t c = 0;
        size_t len = xr_utf8_next(&c, (const unsigned char *)at, left);

        CHECK(len > 0);
        at += len;
        left -= len;
    }
    xr_win_name_make(&made, text);
    again = xr_win_name_text(fuzz_buf_bytes(&made));
    CHECK(strcmp(text, again) == 0);
    free(again);
    free(text);
    xr_buf_free(&made);
}

/* ---- a store whose elements are the parts of an input ---- */

struct medium {
    struct win_medium table;
    struct xr_bytes blobs;
};

static enum xr_status list(struct win_medium *medium, win_element_fn emit, void *ctx,
                           struct xr_error *err)
{
    struct xr_bytes rest = ((struct medium *)medium)->blobs, blob;

    (void)err;
    while (fuzz_part(&blob, &rest)) {
        if (blob.len > 0)
            emit(ctx, blob.data[0] / WIN_ORIGINS % win_store_count,
                 (enum win_origin)(blob.data[0] % WIN_ORIGINS),
                 (struct xr_bytes){blob.data + 1, blob.len - 1});
    }
    return XR_OK;
}

static void check_store(struct xr_bytes blobs)
{
    struct medium medium = {{.list = list}, blobs};
    struct win_view view = {.host = &xr_host, .medium = &medium.table};
    struct xr_snapshot snapshot = {0};
    struct xr_bytes der = fuzz_bytes(&fuzz_fixtures()->certs[FUZZ_LEAF]);
    struct xr_probe probe = {
        .size = sizeof(probe), .chain = &der, .count = 1, .purpose = XR_SERVER, .at = FUZZ_NOW};
    struct xr_verdict verdict = {.size = sizeof(verdict)};
    struct xr_error err = {0};

    if (win_load(&view, &err) == XR_OK) {
        CHECK(win_list(&view, xr_snapshot_take, &snapshot, &err) == XR_OK);
        for (size_t i = 0; i < snapshot.count; i++)
            CHECK(xr_state_check(snapshot.items[i], &snapshot.items[i]->subject, NULL) == XR_OK);
        (void)win_check(&view, &verdict, &probe, &err);
        CHECK_TEXT(verdict.why);
    }
    xr_snapshot_free(&snapshot);
    win_view_free(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes rest = {data + 1, size - 1};

    if (size < 1)
        return 0;
    if (data[0] % KINDS == A_BLOB)
        check_blob(rest);
    else if (data[0] % KINDS == A_NAME)
        check_name(rest);
    else
        check_store(rest);
    return 0;
}

static void put_blob(struct xr_buf *out, const struct pki_blob *cert, uint32_t id)
{
    static const char name[] = "A\0 \0n\0a\0m\0e\0=\xd8\0\xde\0";
    struct xr_buf eku = {0};

    xr_win_eku_make(&eku, XR_SERVER | XR_EMAIL);
    xr_win_blob_add(out, XR_WIN_NAME,
                    (struct xr_bytes){(const unsigned char *)name, sizeof(name) - 1});
    xr_win_blob_add(out, XR_WIN_SHA1, fuzz_bytes(cert));
    xr_win_blob_add(out, XR_WIN_EKU, fuzz_buf_bytes(&eku));
    xr_win_blob_add(out, id, fuzz_bytes(cert));
    xr_buf_free(&eku);
}

/* As many properties as fit, all of them unknown, the last one first. */
static void seed_many(struct fuzz_corpus *corpus)
{
    struct xr_buf out = {0};

    xr_buf_add(&out, "", 1);
    for (uint32_t i = 0; out.len + 12 < XR_NATIVE_MAX; i++)
        xr_win_blob_add(&out, UINT32_MAX - i, (struct xr_bytes){0});
    fuzz_seed_buf(corpus, &out);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf out = {0}, store = {0};

    xr_buf_add(&out, "", 1);
    put_blob(&out, &f->certs[FUZZ_ROOT], XR_WIN_CERT);
    fuzz_seed_buf(corpus, &out);
    xr_buf_str(&out, "\x01");
    xr_buf_add(&out, "A\0\xac\x20=\xd8\0\xde\0\xdc\0", 11);
    fuzz_seed_buf(corpus, &out);
    xr_buf_str(&store, "\x02");
    for (size_t i = 0; i < FUZZ_CERTS; i++) {
        unsigned char where = (unsigned char)(i * WIN_ORIGINS + i % 2);

        xr_buf_add(&out, &where, 1);
        put_blob(&out, i == FUZZ_ODD ? &f->crl : &f->certs[i],
                 i == FUZZ_ODD ? XR_WIN_CRL : XR_WIN_CERT);
        fuzz_put_part(&store, out.data, out.len);
        xr_buf_free(&out);
    }
    fuzz_seed_buf(corpus, &store);
    seed_many(corpus);
}
