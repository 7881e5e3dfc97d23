/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in view, paths and browsers' rules (model.h, x509.h, browsers.h): are kinds the same from
 * both sides, is a path one, and is there no yes without an anchor. An input is certificates in DER, one
 * after the other. */
#include "certs/model.h"

#include "fuzz.h"
#include "stores/registry.h"

#include <stdlib.h>

#define CERTS_MAX 8u

static bool is_root(void *ctx, size_t at)
{
    struct xr_pool *pool = ctx;

    return xr_pool_kind(pool, at) == XR_KIND_ROOT;
}

static bool any(void *ctx, size_t at)
{
    (void)ctx;
    (void)at;
    return true;
}

static void check_pool(struct xr_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        enum xr_kind kind = XR_KIND_LEAF, known = XR_KIND_LEAF;
        bool is_known = xr_pool_known_kind(&known, pool, i);
        struct xr_relatives family, issuers;
        size_t path[XR_PATH_MAX], len = 0;

        kind = xr_pool_kind(pool, i);
        CHECK(!is_known || known == kind);
        CHECK(xr_pool_find(pool, pool->items[i].cert->sha256) == i);
        xr_pool_same_key(&family, pool, i);
        for (size_t k = 0; k < family.count; k++)
            CHECK(family.items[k] != i &&
                  memcmp(pool->items[family.items[k]].cert->spki_sha256,
                         pool->items[i].cert->spki_sha256, XR_SHA256_LEN) == 0);
        xr_pool_issued_by(&issuers, pool, i);
        for (size_t k = 0; k < issuers.count; k++)
            CHECK(issuers.items[k] != i &&
                  xr_cert_signed_by(pool->items[i].cert, pool->items[issuers.items[k]].cert));
        len = xr_pool_path(path, pool, i, is_root, any, pool);
        CHECK(len <= XR_PATH_MAX && (len == 0 || path[0] == i));
        for (size_t k = 1; k < len; k++)
            CHECK(xr_cert_signed_by(pool->items[path[k - 1]].cert, pool->items[path[k]].cert));
        CHECK(len == 0 || xr_pool_kind(pool, path[len - 1]) == XR_KIND_ROOT);
    }
}

/* ---- verifiers ---- */

struct trusting {
    const struct xr_pool *pool;
    bool anchors;
};

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name, uint32_t hash,
                             xr_bytes_fn emit, void *emit_ctx)
{
    const struct trusting *t = ctx;
    enum xr_status status = XR_OK;

    (void)hash;
    for (size_t i = 0; status == XR_OK && i < t->pool->count; i++) {
        const struct xr_cert *cert = t->pool->items[i].cert;

        if ((place == XR_ANCHOR ? t->anchors : place == XR_INTERMEDIATE) &&
            xr_bytes_equal(cert->d.slices.subject, name))
            status = emit(emit_ctx, cert->der);
    }
    return status;
}

static void check_verdict(const struct xr_verdict *verdict, bool anchors)
{
    CHECK_TEXT(verdict->by);
    CHECK_TEXT(verdict->why);
    CHECK(verdict->path_len <= XR_PATH_MAX);
    CHECK(anchors || verdict->answer != XR_YES);
    for (size_t i = 0; i < verdict->also_count; i++)
        CHECK(anchors || verdict->also[i].answer != XR_YES);
}

static void check_paths(struct xr_pool *pool, const struct xr_probe *probe)
{
    for (int anchors = 0; anchors < 2; anchors++) {
        struct trusting trusting = {pool, anchors == 1};
        struct xr_path_check check = {.size = sizeof(check),
                                      .probe = probe,
                                      .partial = anchors == 1,
                                      .lookup = lookup,
                                      .lookup_ctx = &trusting,
                                      .also_partial = true};
        struct xr_verdict verdict = {.size = sizeof(verdict)};
        struct xr_error err = {0};

        if (xr_x509_path_check(&verdict, &check, &err) == XR_OK)
            check_verdict(&verdict, anchors == 1);
        else
            CHECK(err.text[0] != '\0');
    }
}

static void check_browsers(struct xr_pool *pool, const struct xr_probe *probe)
{
    static const char *const dns[] = {"example.org"}, *const cidrs[] = {"10.0.0.0/8"};
    struct xr_browser_cert certs[CERTS_MAX];
    const struct xr_browser_cert *known[CERTS_MAX];

    for (size_t i = 0; i < pool->count; i++) {
        certs[i] = (struct xr_browser_cert){.size = sizeof(certs[i]),
                                            .der = pool->items[i].cert->der,
                                            .trust = i > 0 ? XR_BROWSER_ANCHOR : XR_BROWSER_HINT};
        if (i == 3) {
            certs[i].permitted_dns = dns;
            certs[i].permitted_dns_count = 1;
            certs[i].permitted_cidrs = cidrs;
            certs[i].permitted_cidrs_count = 1;
        }
        known[i] = &certs[i];
    }
    for (int way = 0; way < 4; way++) {
        struct xr_browser_check check = {.size = sizeof(check),
                                         .probe = probe,
                                         .browser = way % 2 ? XR_FIREFOX : XR_CHROMIUM,
                                         .known = known,
                                         .known_count = way < 2 ? pool->count : 0};
        struct xr_opinion opinion = {.size = sizeof(opinion)};
        struct xr_error err = {0};

        if (xr_host.browser_check(&opinion, &check, &err) != XR_OK)
            continue;
        CHECK_TEXT(opinion.why);
        CHECK(way < 2 || opinion.answer != XR_YES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[4] = {NULL, "localhost", "127.0.0.1", "2001:db8::1"};
    struct xr_bytes rest = {data, size}, chain[CERTS_MAX];
    struct xr_pool pool = {0};
    struct xr_der_item item;
    size_t count = 0;

    while (count < CERTS_MAX && xr_der_next(&item, &rest)) {
        struct xr_cert *cert = NULL;

        if (xr_cert_new(&cert, item.whole, NULL) != XR_OK)
            continue;
        (void)xr_pool_add(&pool, cert);
        xr_cert_free(cert);
        chain[count++] = item.whole;
    }
    check_pool(&pool);
    if (count > 0) {
        struct xr_probe probe = {.size = sizeof(probe),
                                 .chain = chain,
                                 .count = count,
                                 .purpose = XR_SERVER,
                                 .host = hosts[size % 4],
                                 .at = FUZZ_NOW};

        check_paths(&pool, &probe);
        check_browsers(&pool, &probe);
    }
    xr_pool_free(&pool);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const enum fuzz_cert chains[][5] = {
        {FUZZ_LEAF, FUZZ_SUB, FUZZ_ROOT, FUZZ_CERTS},
        {FUZZ_LEAF, FUZZ_SUB, FUZZ_CROSS, FUZZ_ROOT2, FUZZ_CERTS},
        {FUZZ_ROOT, FUZZ_CROSS, FUZZ_ROOT2, FUZZ_SUB, FUZZ_CERTS},
        {FUZZ_CONSTRAINED, FUZZ_ODD, FUZZ_V1, FUZZ_ED25519, FUZZ_CERTS},
        {FUZZ_CONSTRAINED_LEAF, FUZZ_CONSTRAINED, FUZZ_CERTS},
        {FUZZ_CONSTRAINED_OUT, FUZZ_CONSTRAINED, FUZZ_CERTS},
        {FUZZ_CONSTRAINED_LEAF, FUZZ_CONSTRAINED, FUZZ_CONSTRAINED_OUT, FUZZ_CERTS},
        {FUZZ_ED25519, FUZZ_CERTS},
        {FUZZ_LEAF, FUZZ_CERTS},
    };
    const struct fuzz_fixtures *f = fuzz_fixtures();

    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        struct xr_buf out = {0};

        for (size_t k = 0; chains[i][k] != FUZZ_CERTS; k++)
            xr_buf_add(&out, f->certs[chains[i][k]].data, f->certs[chains[i][k]].len);
        fuzz_seed_buf(corpus, &out);
    }
}
