/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/model.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#define NOW INT64_C(1700000000)

/* ---- fixtures ---- */

static struct pki_key *new_key(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);

    cr_assert(key != NULL);
    return key;
}

/* A certificate; issuer NULL and issuer_key NULL make it self-signed. */
static struct xr_cert *make(const struct pki_key *key, const struct xr_cert *issuer,
                            const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    struct pki_blob der = {0}, above = {0};
    struct xr_cert *cert = NULL;
    struct xr_error err = {0};

    if (issuer != NULL)
        above = (struct pki_blob){xr_memdup(issuer->der.data, issuer->der.len), issuer->der.len};
    cr_assert_eq(pki_issue(&der, key, issuer != NULL ? &above : NULL, issuer_key, spec), 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){der.data, der.len}, &err), XR_OK, "%s",
                 err.text);
    pki_blob_free(&der);
    free(above.data);
    return cert;
}

static struct xr_cert *ca(const char *cn, const struct pki_key *key, const struct xr_cert *issuer,
                          const struct pki_key *issuer_key)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);

    return make(key, issuer, issuer_key, &spec);
}

static struct xr_cert *leaf(const char *cn, const struct pki_key *key, const struct xr_cert *issuer,
                            const struct pki_key *issuer_key)
{
    struct pki_spec spec = pki_spec_leaf(cn, NOW);

    return make(key, issuer, issuer_key, &spec);
}

/* The PKI of every cross-signing: the new root is known by two certificates. */
enum { OLD, NEW, CROSS, SUB, LEAF, FAMILY };
static struct xr_cert *family[FAMILY];
static struct pki_key *keys[4];

static void setup(void)
{
    for (size_t i = 0; i < 4; i++)
        keys[i] = new_key();
    family[OLD] = ca("Old Root", keys[0], NULL, NULL);
    family[NEW] = ca("New Root", keys[1], NULL, NULL);
    family[CROSS] = ca("New Root", keys[1], family[OLD], keys[0]);
    family[SUB] = ca("Sub CA", keys[2], family[NEW], keys[1]);
    family[LEAF] = leaf("localhost", keys[3], family[SUB], keys[2]);
}

static void teardown(void)
{
    for (size_t i = 0; i < FAMILY; i++)
        xr_cert_free(family[i]);
    for (size_t i = 0; i < 4; i++)
        pki_key_free(keys[i]);
}

TestSuite(model, .init = setup, .fini = teardown);

static bool listed(const struct xr_relatives *relatives, size_t at)
{
    for (size_t i = 0; i < relatives->count; i++) {
        if (relatives->items[i] == at)
            return true;
    }
    return false;
}

/* Kind of one certificate in a pool of its own. */
static enum xr_kind kind_alone(struct xr_cert *cert)
{
    struct xr_pool pool = {0};
    enum xr_kind kind = xr_pool_kind(&pool, xr_pool_add(&pool, cert));

    xr_pool_free(&pool);
    return kind;
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the pool ---- */

Test(model, a_certificate_is_in_the_pool_once)
{
    struct xr_pool pool = {0};
    struct xr_cert *again = NULL;
    static const unsigned char none[XR_SHA256_LEN] = {0};

    cr_assert_eq(xr_pool_find(&pool, none), XR_NONE);
    for (size_t i = 0; i < FAMILY; i++)
        cr_assert_eq(xr_pool_add(&pool, family[i]), i);
    cr_assert_eq(xr_cert_new(&again, family[SUB]->der, NULL), XR_OK);
    cr_assert_eq(xr_pool_add(&pool, again), SUB, "the same bytes in another object");
    cr_assert_eq(pool.count, FAMILY);
    cr_assert_eq(again->refs, 1);
    cr_assert_eq(family[SUB]->refs, 2);
    for (size_t i = 0; i < FAMILY; i++)
        cr_assert_eq(xr_pool_find(&pool, family[i]->sha256), i);
    cr_assert_eq(xr_pool_find(&pool, none), XR_NONE);
    xr_cert_free(again);
    xr_pool_free(&pool);
    cr_assert_eq(family[SUB]->refs, 1);
}

/* ---- kinds ---- */

Test(model, kinds_do_not_depend_on_the_order_of_certificates)
{
    static const enum xr_kind want[FAMILY] = {XR_KIND_ROOT, XR_KIND_ROOT, XR_KIND_CROSS,
                                              XR_KIND_INTERMEDIATE, XR_KIND_LEAF};
    size_t orders = 0;

    for (unsigned code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        struct xr_pool pool = {0};
        size_t order[FAMILY], at[FAMILY];
        unsigned rest = code, seen = 0;

        for (size_t i = 0; i < FAMILY; i++, rest /= 5) {
            order[i] = rest % 5;
            seen |= 1u << order[i];
        }
        if (seen != (1u << FAMILY) - 1)
            continue;
        orders++;
        for (size_t i = 0; i < FAMILY; i++)
            at[order[i]] = xr_pool_add(&pool, family[order[i]]);
        for (size_t i = 0; i < FAMILY; i++)
            cr_assert_eq(xr_pool_kind(&pool, at[i]), want[i], "order %u, certificate %zu: %s", code,
                         i, xr_kind_name(xr_pool_kind(&pool, at[i])));
        xr_pool_free(&pool);
    }
    cr_assert_eq(orders, 120);
}

Test(model, a_cross_certificate_is_one_by_its_family)
{
    struct xr_pool pool = {0};
    struct xr_cert *third = ca("Third Root", keys[3], NULL, NULL);
    struct xr_cert *other = ca("New Root", keys[1], third, keys[3]);
    size_t at = 0, second = 0;

    cr_assert_eq(kind_alone(family[CROSS]), XR_KIND_INTERMEDIATE, "alone nobody can tell");
    at = xr_pool_add(&pool, family[CROSS]);
    cr_assert_eq(xr_pool_kind(&pool, at), XR_KIND_INTERMEDIATE);
    second = xr_pool_add(&pool, other);
    cr_assert_eq(xr_pool_kind(&pool, at), XR_KIND_CROSS, "two issuers, no root in view");
    cr_assert_eq(xr_pool_kind(&pool, second), XR_KIND_CROSS);
    xr_pool_free(&pool);
    xr_cert_free(third);
    xr_cert_free(other);
}

Test(model, the_same_key_under_another_name_makes_no_cross_certificate)
{
    struct xr_pool pool = {0};
    struct xr_cert *renamed = ca("Another Name", keys[1], family[OLD], keys[0]);
    struct xr_cert *renewed = NULL;
    struct pki_spec spec = pki_spec_ca("Sub CA", NOW);
    size_t at = xr_pool_add(&pool, renamed), first = 0, second = 0;

    spec.not_after += PKI_YEAR;
    renewed = make(keys[2], family[NEW], keys[1], &spec);
    (void)xr_pool_add(&pool, family[NEW]);
    cr_assert_eq(xr_pool_kind(&pool, at), XR_KIND_INTERMEDIATE);
    first = xr_pool_add(&pool, family[SUB]);
    second = xr_pool_add(&pool, renewed);
    cr_assert_neq(first, second);
    cr_assert_eq(xr_pool_kind(&pool, first), XR_KIND_INTERMEDIATE, "renewed by the same issuer");
    cr_assert_eq(xr_pool_kind(&pool, second), XR_KIND_INTERMEDIATE);
    xr_pool_free(&pool);
    xr_cert_free(renamed);
    xr_cert_free(renewed);
}

Test(model, only_its_own_signature_makes_a_root)
{
    struct pki_spec spec = pki_spec_ca("New Root", NOW);
    struct xr_cert *forged = make(keys[1], NULL, keys[0], &spec); /* signed by somebody else */
    struct xr_pool pool = {0};
    size_t at = xr_pool_add(&pool, forged);

    cr_assert_not(xr_pool_self_signed(&pool, at));
    cr_assert_not(xr_pool_self_signed(&pool, at), "remembered");
    cr_assert_neq(xr_pool_kind(&pool, at), XR_KIND_ROOT);
    cr_assert(xr_pool_self_signed(&pool, xr_pool_add(&pool, family[NEW])));
    cr_assert_not(xr_pool_self_signed(&pool, xr_pool_add(&pool, family[CROSS])));
    xr_pool_free(&pool);
    xr_cert_free(forged);
}

Test(model, what_says_it_is_no_ca_is_a_leaf_even_if_it_signed_itself)
{
    struct pki_spec unsigning = pki_spec_ca("No Signing", NOW), v1 = pki_spec_ca("Version 1", NOW);
    struct xr_cert *certs[3];
    static const enum xr_kind want[] = {XR_KIND_LEAF, XR_KIND_LEAF, XR_KIND_ROOT};

    unsigning.key_usage = "critical,digitalSignature";
    v1.version = 1;
    certs[0] = leaf("self", keys[3], NULL, NULL);
    certs[1] = make(keys[3], NULL, NULL, &unsigning);
    certs[2] = make(keys[3], NULL, NULL, &v1);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(kind_alone(certs[i]), want[i], "certificate %zu", i);
        xr_cert_free(certs[i]);
    }
    certs[0] = make(keys[3], family[OLD], keys[0], &v1);
    cr_assert_eq(kind_alone(certs[0]), XR_KIND_LEAF, "version 1 below a CA says nothing");
    xr_cert_free(certs[0]);
}

Test(model, silent_about_being_a_ca_is_a_kind_of_its_own)
{
    struct pki_spec bare = pki_spec_ca("Bare", NOW);
    struct xr_cert *cert = NULL;
    struct xr_pool pool = {0};
    enum xr_kind kind = XR_KIND_LEAF;

    bare.bare = true;
    cert = make(keys[3], NULL, NULL, &bare);
    (void)xr_pool_add(&pool, cert);
    cr_assert_not(xr_pool_known_kind(&kind, &pool, 0), "its signature is not checked yet");
    cr_assert_eq(xr_pool_kind(&pool, 0), XR_KIND_SELF_SIGNED);
    xr_pool_free(&pool);
    xr_cert_free(cert);
    cert = make(keys[3], NULL, keys[0], &bare);
    cr_assert_eq(kind_alone(cert), XR_KIND_LEAF, "somebody else signed it");
    xr_cert_free(cert);
    cert = make(keys[3], family[OLD], keys[0], &bare);
    cr_assert_eq(kind_alone(cert), XR_KIND_LEAF, "it names another issuer");
    xr_cert_free(cert);
}

/* A copy of the certificate in which some bytes are others. */
static struct xr_cert *patched(const struct xr_cert *from, const void *is, const void *becomes,
                               size_t len, size_t times)
{
    struct pki_blob copy = {xr_memdup(from->der.data, from->der.len), from->der.len};
    struct xr_cert *cert = NULL;

    cr_assert_eq(pki_patch(&copy, is, becomes, len), times);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){copy.data, copy.len}, NULL), XR_OK);
    free(copy.data);
    return cert;
}

Test(model, extensions_that_do_not_parse_make_a_malformed_one)
{
    struct xr_cert *cert =
        patched(family[NEW], PKI_CA_VALUE, PKI_BROKEN_VALUE, sizeof(PKI_CA_VALUE) - 1, 1);

    cr_assert_eq(kind_alone(cert), XR_KIND_MALFORMED);
    xr_cert_free(cert);
}

Test(model, a_self_issued_ca_whose_signature_nobody_can_check_is_a_root)
{
    struct pki_key *rsa = pki_key_new(PKI_RSA);
    struct pki_spec spec = pki_spec_ca("Old as MD2", NOW);
    struct xr_cert *signed_one = make(rsa, NULL, NULL, &spec);
    struct xr_cert *old =
        patched(signed_one, PKI_SHA256_RSA, PKI_MD2_RSA, sizeof(PKI_MD2_RSA) - 1, 2);
    struct xr_pool pool = {0};
    struct xr_cert *bare = NULL, *silent = NULL;

    (void)xr_pool_add(&pool, old);
    (void)xr_pool_add(&pool, signed_one);
    cr_assert_eq(xr_pool_kind(&pool, 0), XR_KIND_ROOT);
    cr_assert_not(xr_pool_self_signed(&pool, 0), "which is not to say that it was checked");
    cr_assert(strstr(xr_pool_self_unchecked(&pool, 0), "md2WithRSAEncryption") != NULL);
    cr_assert(xr_pool_self_signed(&pool, 1));
    cr_assert_null(xr_pool_self_unchecked(&pool, 1));
    spec.bare = true;
    bare = make(rsa, NULL, NULL, &spec);
    silent = patched(bare, PKI_SHA256_RSA, PKI_MD2_RSA, sizeof(PKI_MD2_RSA) - 1, 2);
    cr_assert_eq(kind_alone(silent), XR_KIND_SELF_SIGNED);
    xr_pool_free(&pool);
    xr_cert_free(old);
    xr_cert_free(signed_one);
    xr_cert_free(bare);
    xr_cert_free(silent);
    pki_key_free(rsa);
}

Test(model, kinds_have_names)
{
    cr_assert_str_eq(xr_kind_name(XR_KIND_ROOT), "root");
    cr_assert_str_eq(xr_kind_name(XR_KIND_CROSS), "cross");
    cr_assert_str_eq(xr_kind_name(XR_KIND_INTERMEDIATE), "intermediate");
    cr_assert_str_eq(xr_kind_name(XR_KIND_LEAF), "leaf");
    cr_assert_str_eq(xr_kind_name(XR_KIND_SELF_SIGNED), "self-signed");
    cr_assert_str_eq(xr_kind_name(XR_KIND_MALFORMED), "malformed");
}

/* ---- relatives ---- */

Test(model, the_same_key_is_a_family_whatever_the_names)
{
    struct xr_pool pool = {0};
    struct xr_cert *renamed = ca("Another Name", keys[1], NULL, NULL);
    struct xr_relatives relatives;
    size_t at[FAMILY], other = 0;

    for (size_t i = 0; i < FAMILY; i++)
        at[i] = xr_pool_add(&pool, family[i]);
    other = xr_pool_add(&pool, renamed);
    xr_pool_same_key(&relatives, &pool, at[NEW]);
    cr_assert_eq(relatives.count, 2);
    cr_assert(listed(&relatives, at[CROSS]));
    cr_assert(listed(&relatives, other));
    xr_pool_same_key(&relatives, &pool, other);
    cr_assert_eq(relatives.count, 2);
    cr_assert_not(listed(&relatives, other), "not itself");
    xr_pool_same_key(&relatives, &pool, at[LEAF]);
    cr_assert_eq(relatives.count, 0);
    cr_assert_eq(relatives.left_out, 0);
    xr_pool_free(&pool);
    xr_cert_free(renamed);
}

Test(model, issuers_are_all_certificates_of_the_key_that_signed)
{
    struct xr_pool pool = {0};
    struct xr_cert *renamed = ca("Another Name", keys[1], NULL, NULL);
    struct xr_cert *namesake = ca("New Root", keys[3], NULL, NULL);
    struct xr_relatives issuers;
    size_t at[FAMILY];

    for (size_t i = FAMILY; i-- > 0;)
        at[i] = xr_pool_add(&pool, family[i]);
    (void)xr_pool_add(&pool, renamed);
    (void)xr_pool_add(&pool, namesake);
    xr_pool_issued_by(&issuers, &pool, at[SUB]);
    cr_assert_eq(issuers.count, 2,
                 "neither its key under another name nor its name on another key");
    cr_assert(listed(&issuers, at[NEW]));
    cr_assert(listed(&issuers, at[CROSS]));
    xr_pool_issued_by(&issuers, &pool, at[CROSS]);
    cr_assert_eq(issuers.count, 1);
    cr_assert(listed(&issuers, at[OLD]));
    xr_pool_issued_by(&issuers, &pool, at[LEAF]);
    cr_assert_eq(issuers.count, 1);
    cr_assert(listed(&issuers, at[SUB]));
    xr_pool_issued_by(&issuers, &pool, at[NEW]);
    cr_assert_eq(issuers.count, 0, "a root was made by itself, not by its cross certificate");
    xr_pool_free(&pool);
    xr_cert_free(renamed);
    xr_cert_free(namesake);
}

Test(model, names_that_compare_equal_are_one_name)
{
    struct pki_spec plain = pki_spec_ca("Example Root CA", NOW);
    struct pki_spec folded = pki_spec_ca("EXAMPLE  root ca ", NOW);
    struct xr_cert *root = NULL, *other = NULL, *child = NULL;
    struct xr_pool pool = {0};
    struct xr_relatives issuers;
    size_t at[3];

    plain.name_type = PKI_UTF8;
    folded.name_type = PKI_PRINTABLE;
    root = make(keys[1], NULL, NULL, &plain);
    other = make(keys[1], family[OLD], keys[0], &folded);
    child = ca("Child", keys[2], other, keys[1]);
    at[0] = xr_pool_add(&pool, root);
    at[1] = xr_pool_add(&pool, other);
    at[2] = xr_pool_add(&pool, child);
    cr_assert_eq(pool.items[at[0]].subject, pool.items[at[1]].subject);
    cr_assert_neq(pool.items[at[0]].subject, pool.items[at[2]].subject);
    xr_pool_issued_by(&issuers, &pool, at[2]);
    cr_assert_eq(issuers.count, 2);
    cr_assert_eq(xr_pool_kind(&pool, at[1]), XR_KIND_CROSS);
    xr_pool_free(&pool);
    xr_cert_free(root);
    xr_cert_free(other);
    xr_cert_free(child);
}

Test(model, an_empty_name_is_a_name_too)
{
    static unsigned char empty[] = {0x30, 0};
    struct pki_spec spec = pki_spec_ca("x", NOW);
    struct xr_cert *root = NULL, *child = NULL;
    struct xr_pool pool = {0};
    struct xr_relatives issuers;
    size_t at = 0;

    spec.subject = (struct pki_blob){empty, sizeof(empty)};
    root = make(keys[1], NULL, NULL, &spec);
    child = leaf("child", keys[2], root, keys[1]);
    at = xr_pool_add(&pool, root);
    cr_assert_eq(xr_pool_kind(&pool, at), XR_KIND_ROOT);
    xr_pool_issued_by(&issuers, &pool, xr_pool_add(&pool, child));
    cr_assert_eq(issuers.count, 1);
    cr_assert(listed(&issuers, at));
    xr_pool_free(&pool);
    xr_cert_free(root);
    xr_cert_free(child);
}

/* ---- limits ---- */

Test(model, two_hundred_certificates_of_one_key_are_capped)
{
    enum { MANY = 200 };
    struct xr_pool pool = {0};
    struct xr_relatives relatives;
    size_t child = 0, first = 0;

    for (int i = 0; i < MANY; i++) {
        struct pki_spec spec = pki_spec_ca("Many", NOW);
        struct xr_cert *cert = NULL;
        size_t at = 0;

        spec.not_after += i;
        cert = make(keys[0], NULL, NULL, &spec);
        at = xr_pool_add(&pool, cert);
        if (i == 0)
            first = at;
        if (i == MANY / 2) {
            struct xr_cert *below = ca("Below", keys[1], cert, keys[0]);

            child = xr_pool_add(&pool, below);
            xr_cert_free(below);
        }
        xr_cert_free(cert);
    }
    xr_pool_same_key(&relatives, &pool, first);
    cr_assert_eq(relatives.count, XR_RELATIVES_MAX);
    cr_assert_eq(relatives.left_out, MANY - 1 - XR_RELATIVES_MAX);
    cr_assert_not(listed(&relatives, first));
    for (size_t i = 0; i < relatives.count; i++) {
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(relatives.items[i], relatives.items[k]);
    }
    xr_pool_issued_by(&relatives, &pool, child);
    cr_assert_eq(relatives.count, XR_RELATIVES_MAX);
    cr_assert_eq(relatives.left_out, MANY - XR_RELATIVES_MAX);
    cr_assert_eq(xr_pool_kind(&pool, first), XR_KIND_ROOT);
    xr_pool_free(&pool);
}

/* Without key identifiers every key under a name must be tried: that is where the limit is. */
Test(model, three_hundred_keys_under_one_name_cost_no_square)
{
    enum { MANY = 300 };
    struct xr_pool pool = {0};
    double from = 0;
    size_t left_out = 0, found = 0;

    for (int i = 0; i < MANY; i++) {
        struct pki_key *key = new_key(), *below_key = NULL;
        struct pki_spec spec = pki_spec_ca("Namesake", NOW);
        struct xr_cert *root = NULL, *below = NULL;

        spec.bare = true;
        root = make(key, NULL, NULL, &spec);
        (void)xr_pool_add(&pool, root);
        below_key = new_key();
        spec.cn = "Below";
        below = make(below_key, root, key, &spec);
        (void)xr_pool_add(&pool, below);
        xr_cert_free(root);
        xr_cert_free(below);
        pki_key_free(key);
        pki_key_free(below_key);
    }
    from = seconds();
    for (size_t at = 0; at < pool.count; at++) {
        struct xr_relatives issuers;

        xr_pool_issued_by(&issuers, &pool, at);
        cr_assert_leq(issuers.count, 1);
        left_out += issuers.left_out;
        found += issuers.count;
    }
    from = seconds() - from;
    cr_assert_geq(found, XR_ISSUER_TRIES);
    cr_assert_eq(left_out, MANY * (MANY - XR_ISSUER_TRIES), "what was not tried is counted");
    cr_assert_lt(from, 10, "%.1f s", from);
    xr_pool_free(&pool);
}

Test(model, key_identifiers_find_the_issuer_among_three_hundred_namesakes)
{
    enum { MANY = 300 };
    struct xr_pool pool = {0};
    struct pki_key *first_key = NULL;
    struct xr_cert *below = NULL, *first = NULL;
    struct xr_relatives issuers;
    size_t at = 0;

    for (int i = 0; i < MANY; i++) {
        struct pki_key *key = new_key();
        struct xr_cert *root = ca("Namesake", key, NULL, NULL);

        (void)xr_pool_add(&pool, root);
        if (i == MANY / 2) {
            first_key = key;
            first = root;
            continue;
        }
        xr_cert_free(root);
        pki_key_free(key);
    }
    cr_assert_not_null(first);
    if (first == NULL)
        return;
    below = leaf("below", keys[3], first, first_key);
    at = xr_pool_add(&pool, below);
    xr_pool_issued_by(&issuers, &pool, at);
    cr_assert_eq(issuers.count, 1);
    cr_assert_eq(issuers.items[0], xr_pool_find(&pool, first->sha256));
    cr_assert_eq(issuers.left_out, 0);
    xr_pool_free(&pool);
    xr_cert_free(below);
    xr_cert_free(first);
    pki_key_free(first_key);
}

/* ---- paths ---- */

struct goal {
    size_t end, blocked; /* XR_NONE: any root; nothing */
    struct xr_pool *pool;
};

static bool ends(void *ctx, size_t at)
{
    const struct goal *goal = ctx;

    return goal->end == XR_NONE ? xr_pool_self_signed(goal->pool, at) : at == goal->end;
}

static bool pass(void *ctx, size_t at)
{
    const struct goal *goal = ctx;

    return at != goal->blocked;
}

static size_t find_path(size_t path[XR_PATH_MAX], struct xr_pool *pool, size_t from, size_t end,
                        size_t blocked)
{
    struct goal goal = {end, blocked, pool};

    return xr_pool_path(path, pool, from, ends, blocked == XR_NONE ? NULL : pass, &goal);
}

Test(model, the_shortest_path_is_found)
{
    struct xr_pool pool = {0};
    size_t at[FAMILY], path[XR_PATH_MAX];

    for (size_t i = 0; i < FAMILY; i++)
        at[i] = xr_pool_add(&pool, family[i]);
    cr_assert_eq(find_path(path, &pool, at[LEAF], XR_NONE, XR_NONE), 3);
    cr_assert(path[0] == at[LEAF] && path[1] == at[SUB] && path[2] == at[NEW]);
    cr_assert_eq(find_path(path, &pool, at[LEAF], at[OLD], XR_NONE), 4);
    cr_assert(path[0] == at[LEAF] && path[1] == at[SUB] && path[2] == at[CROSS] &&
              path[3] == at[OLD]);
    cr_assert_eq(find_path(path, &pool, at[NEW], XR_NONE, XR_NONE), 1, "it may be the end itself");
    cr_assert_eq(path[0], at[NEW]);
    cr_assert_eq(find_path(path, &pool, at[OLD], at[NEW], XR_NONE), 0, "not down again");
    xr_pool_free(&pool);
}

Test(model, what_pass_forbids_blocks_a_path)
{
    struct xr_pool pool = {0};
    size_t at[FAMILY], path[XR_PATH_MAX];

    for (size_t i = 0; i < FAMILY; i++)
        at[i] = xr_pool_add(&pool, family[i]);
    cr_assert_eq(find_path(path, &pool, at[LEAF], XR_NONE, at[NEW]), 4, "around by the old root");
    cr_assert_eq(path[2], at[CROSS]);
    cr_assert_eq(find_path(path, &pool, at[LEAF], at[OLD], at[CROSS]), 0);
    cr_assert_eq(find_path(path, &pool, at[LEAF], XR_NONE, at[SUB]), 0);
    cr_assert_eq(find_path(path, &pool, at[LEAF], XR_NONE, at[LEAF]), 0, "the start too");
    cr_assert_eq(find_path(path, &pool, at[LEAF], at[OLD], at[OLD]), 0, "the end too");
    xr_pool_free(&pool);
}

Test(model, a_leaf_is_no_step_of_a_path)
{
    struct xr_cert *below = leaf("below a leaf", keys[0], family[LEAF], keys[3]);
    struct xr_pool pool = {0};
    size_t at = xr_pool_add(&pool, below), path[XR_PATH_MAX];
    struct xr_relatives issuers;

    for (size_t i = 0; i < FAMILY; i++)
        (void)xr_pool_add(&pool, family[i]);
    xr_pool_issued_by(&issuers, &pool, at);
    cr_assert_eq(issuers.count, 1, "its key did sign");
    cr_assert_eq(find_path(path, &pool, at, XR_NONE, XR_NONE), 0);
    xr_pool_free(&pool);
    xr_cert_free(below);
}

Test(model, loops_of_cross_signatures_end)
{
    struct xr_cert *a_by_b = NULL, *b_by_a = NULL, *below = NULL;
    struct xr_cert *a = ca("A", keys[0], NULL, NULL), *b = ca("B", keys[1], NULL, NULL);
    struct xr_pool pool = {0};
    size_t at = 0, root = 0, path[XR_PATH_MAX];

    a_by_b = ca("A", keys[0], b, keys[1]);
    b_by_a = ca("B", keys[1], a, keys[0]);
    below = leaf("below", keys[2], a, keys[0]);
    (void)xr_pool_add(&pool, a_by_b);
    (void)xr_pool_add(&pool, b_by_a);
    at = xr_pool_add(&pool, below);
    cr_assert_eq(find_path(path, &pool, at, XR_NONE, XR_NONE), 0, "round and round, no root");
    root = xr_pool_add(&pool, b);
    cr_assert_eq(find_path(path, &pool, at, root, XR_NONE), 3);
    cr_assert_eq(path[2], root);
    xr_pool_free(&pool);
    xr_cert_free(a);
    xr_cert_free(b);
    xr_cert_free(a_by_b);
    xr_cert_free(b_by_a);
    xr_cert_free(below);
}

Test(model, a_path_has_a_longest_length)
{
    struct xr_cert *chain[XR_PATH_MAX + 1] = {0};
    struct pki_key *chain_keys[XR_PATH_MAX + 1] = {0};
    struct xr_pool pool = {0};
    size_t path[XR_PATH_MAX], last = 0;

    for (size_t i = 0; i <= XR_PATH_MAX; i++) {
        char *cn = xr_format("CA %zu", i);

        chain_keys[i] = new_key();
        chain[i] =
            ca(cn, chain_keys[i], i > 0 ? chain[i - 1] : NULL, i > 0 ? chain_keys[i - 1] : NULL);
        last = xr_pool_add(&pool, chain[i]);
        free(cn);
    }
    cr_assert_eq(find_path(path, &pool, last - 1, XR_NONE, XR_NONE), XR_PATH_MAX);
    for (size_t i = 0; i < XR_PATH_MAX; i++)
        cr_assert_eq(path[i], XR_PATH_MAX - 1 - i);
    cr_assert_eq(find_path(path, &pool, last, XR_NONE, XR_NONE), 0, "one too many");
    for (size_t i = 0; i <= XR_PATH_MAX; i++) {
        xr_cert_free(chain[i]);
        pki_key_free(chain_keys[i]);
    }
    xr_pool_free(&pool);
}
