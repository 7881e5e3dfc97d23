/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/sending.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW INT64_C(1700000000)

/* ---- fixtures: keys by letter, certificates by "SUBJECT by ISSUER" ---- */

static struct pki_key *keys[26];
static struct xr_cert *own[26]; /* self-signed, in view or not */
static struct xr_pool pool;
static struct xr_sending sending;

static struct pki_key *key_of(char who)
{
    size_t at = (size_t)(who - 'A');

    if (keys[at] == NULL)
        keys[at] = pki_key_new(PKI_EC);
    cr_assert(keys[at] != NULL);
    return keys[at];
}

static struct xr_cert *issue(char who, const struct xr_cert *above, char by, struct pki_spec spec)
{
    struct pki_blob der = {0}, issuer = {0};
    struct xr_cert *cert = NULL;
    char cn[] = {'C', 'A', ' ', who, '\0'};

    spec.cn = cn;
    if (above != NULL)
        issuer = (struct pki_blob){
            above->der.data != NULL ? xr_memdup(above->der.data, above->der.len) : NULL,
            above->der.len};
    cr_assert_eq(pki_issue(&der, key_of(who), above != NULL ? &issuer : NULL,
                           above != NULL ? key_of(by) : NULL, &spec),
                 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
    pki_blob_free(&der);
    pki_blob_free(&issuer);
    return cert;
}

static struct xr_cert *own_of(char who)
{
    size_t at = (size_t)(who - 'A');

    if (own[at] == NULL)
        own[at] = issue(who, NULL, who, pki_spec_ca("", NOW));
    return own[at];
}

static size_t put(struct xr_cert *cert)
{
    size_t at = xr_pool_add(&pool, cert);

    xr_cert_free(cert);
    return at;
}

static size_t root(char who)
{
    return xr_pool_add(&pool, own_of(who));
}

static size_t ca_with(char who, char by, struct pki_spec spec)
{
    return put(issue(who, own_of(by), by, spec));
}

static size_t ca(char who, char by)
{
    return ca_with(who, by, pki_spec_ca("", NOW));
}

static size_t ca_until(char who, char by, int64_t until)
{
    struct pki_spec spec = pki_spec_ca("", NOW);

    spec.not_after = until;
    return ca_with(who, by, spec);
}

static size_t leaf(char by)
{
    return ca_with('L', by, pki_spec_leaf("", NOW));
}

static void teardown(void)
{
    xr_sending_free(&sending);
    xr_pool_free(&pool);
    for (size_t i = 0; i < 26; i++) {
        xr_cert_free(own[i]);
        pki_key_free(keys[i]);
    }
}

TestSuite(sending, .fini = teardown);

static void find(size_t from, bool all)
{
    xr_sending_free(&sending);
    xr_sending_find(&sending, &pool, from, NOW, all);
}

#define SENDS(...)                                                                     \
    do {                                                                               \
        const size_t want[] = {__VA_ARGS__};                                           \
        size_t count = sizeof(want) / sizeof(want[0]);                                 \
                                                                                       \
        cr_assert_eq(sending.sent.count, count, "%zu sent", sending.sent.count);       \
        for (size_t i = 0; i < count; i++)                                             \
            cr_assert_eq(sending.sent.items[i].at, want[i], "at %zu: %zu, not %zu", i, \
                         sending.sent.items[i].at, want[i]);                           \
    } while (0)

static enum xr_unsent why(size_t at)
{
    for (size_t i = 0; i < sending.left_out.count; i++) {
        if (sending.left_out.items[i].at == at)
            return sending.left_out.items[i].why;
    }
    cr_assert(false, "it is not among what was left out");
    return XR_UNSENT_ROOT;
}

/* ---- one way ---- */

Test(sending, a_cross_certificate_follows_the_ca_that_it_helps)
{
    size_t new_root = root('N'), old_root = root('O');
    size_t cross = ca('N', 'O'), sub = ca('S', 'N'), l = leaf('S');

    find(l, false);
    SENDS(l, sub, cross);
    cr_assert(sending.rooted);
    cr_assert_eq(sending.open, XR_NONE);
    cr_assert_eq(why(new_root), XR_UNSENT_ROOT);
    cr_assert_eq(why(old_root), XR_UNSENT_ROOT);
}

Test(sending, no_cross_certificate_is_sent_that_has_expired_or_is_early)
{
    struct pki_spec early = pki_spec_ca("", NOW);
    size_t expired = ca_until('N', 'O', NOW - 1), sub = ca('S', 'N'), l = leaf('S'), later = 0;

    early.not_before = NOW + 1;
    later = ca_with('N', 'O', early);
    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l, sub);
    cr_assert_eq(why(expired), XR_UNSENT_EXPIRED);
    cr_assert_eq(why(later), XR_UNSENT_EARLY);
}

Test(sending, a_certificate_is_valid_in_its_last_second)
{
    size_t cross = ca_until('N', 'O', NOW), l = leaf('N');

    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l, cross);
}

Test(sending, of_twins_the_one_that_lasts_longer_is_sent)
{
    size_t shorter = ca_until('N', 'O', NOW + PKI_DAY), l = leaf('N');
    size_t longer = ca_until('N', 'O', NOW + 2 * PKI_DAY);

    (void)root('N');
    (void)root('O');
    find(l, true);
    SENDS(l, longer);
    cr_assert_eq(why(shorter), XR_UNSENT_TWIN);
}

Test(sending, of_crosses_by_several_roots_the_one_of_use_longest_is_sent)
{
    size_t by_o = ca_until('N', 'O', NOW + PKI_DAY), by_p = ca_until('N', 'P', NOW + 2 * PKI_DAY);
    size_t l = leaf('N');

    (void)root('N');
    (void)root('O');
    (void)root('P');
    find(l, false);
    SENDS(l, by_p);
    cr_assert_eq(why(by_o), XR_UNSENT_OTHER_WAY);
    find(l, true);
    SENDS(l, by_p, by_o);
    cr_assert_eq(sending.way_len, 2);
}

Test(sending, a_cross_is_of_use_no_longer_than_the_root_that_signed_it)
{
    struct pki_spec spec = pki_spec_ca("", NOW);
    size_t cross = ca('N', 'O'), by_p = ca_until('N', 'P', NOW + 3 * PKI_DAY), l = leaf('N');

    spec.not_after = NOW + 2 * PKI_DAY; /* the root O ends before its signature of N does */
    (void)put(issue('O', NULL, 'O', spec));
    (void)root('N');
    (void)root('P');
    find(l, false);
    SENDS(l, by_p);
    cr_assert_eq(sending.sent.items[1].until, NOW + 3 * PKI_DAY);
    cr_assert_eq(why(cross), XR_UNSENT_OTHER_WAY);
}

Test(sending, a_cross_below_an_expired_root_is_of_no_use)
{
    struct pki_spec spec = pki_spec_ca("", NOW);
    size_t cross = ca('N', 'O'), l = leaf('N'), expired = 0;

    spec.not_after = NOW - 1;
    expired = put(issue('O', NULL, 'O', spec));
    (void)root('N');
    find(l, false);
    SENDS(l);
    cr_assert(sending.rooted);
    cr_assert_eq(why(cross), XR_UNSENT_DEAD);
    for (size_t i = 0; i < sending.left_out.count; i++) {
        if (sending.left_out.items[i].at == cross)
            cr_assert_eq(sending.left_out.items[i].other, expired);
    }
}

Test(sending, crosses_of_crosses_are_sent_in_order)
{
    size_t third = ca('O', 'P'), second = ca('N', 'O'), l = leaf('N');

    (void)root('N');
    (void)root('O');
    (void)root('P');
    find(l, false);
    SENDS(l, second, third);
}

Test(sending, an_intermediate_with_two_issuers_goes_where_more_roots_are)
{
    size_t by_o = ca_until('S', 'O', NOW + 9 * PKI_DAY), by_n = ca_until('S', 'N', NOW + PKI_DAY);
    size_t cross = ca('N', 'O'), l = leaf('S');

    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l, by_n, cross);
    cr_assert_eq(why(by_o), XR_UNSENT_OTHER_WAY);
    find(l, true);
    SENDS(l, by_n, cross, by_o);
}

Test(sending, roots_that_signed_each_other_are_no_ring_without_end)
{
    size_t n_by_o = ca('N', 'O'), o_by_n = ca('O', 'N'), l = leaf('N');

    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l, n_by_o);
    cr_assert_eq(why(o_by_n), XR_UNSENT_LOOP);
    find(l, true);
    SENDS(l, n_by_o);
}

Test(sending, a_ring_without_a_root_is_no_way)
{
    size_t n_by_o = ca('N', 'O'), o_by_n = ca('O', 'N'), l = leaf('N');

    (void)o_by_n;
    find(l, false);
    cr_assert(!sending.rooted);
    cr_assert_eq(sending.sent.items[1].at, n_by_o);
    find(l, true);
    cr_assert(!sending.rooted);
}

/* ---- what cannot follow ---- */

Test(sending, a_path_length_is_kept)
{
    struct pki_spec spec = pki_spec_ca("", NOW);
    size_t none = 0, one = 0, sub = ca('S', 'N'), l = leaf('S');

    spec.pathlen = 0;
    none = ca_with('N', 'O', spec);
    (void)root('N');
    (void)root('O');
    (void)root('P');
    find(l, false);
    SENDS(l, sub);
    cr_assert_eq(why(none), XR_UNSENT_PATHLEN);
    spec.pathlen = 1;
    one = ca_with('N', 'P', spec);
    find(l, false);
    SENDS(l, sub, one);
}

Test(sending, a_ca_for_mail_does_not_serve_a_server)
{
    struct pki_spec spec = pki_spec_ca("", NOW);
    size_t mail = 0, l = leaf('N');

    spec.eku = "emailProtection";
    mail = ca_with('N', 'O', spec);
    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l);
    cr_assert_eq(why(mail), XR_UNSENT_PURPOSE);
}

Test(sending, an_unknown_critical_extension_is_refused_by_clients)
{
    struct pki_spec spec = pki_spec_ca("", NOW);
    size_t odd = 0, l = leaf('N');

    spec.unknown_critical = true;
    odd = ca_with('N', 'O', spec);
    (void)root('N');
    (void)root('O');
    find(l, false);
    SENDS(l);
    cr_assert_eq(why(odd), XR_UNSENT_BROKEN);
}

/* ---- ends ---- */

Test(sending, an_issuer_that_is_not_in_view_leaves_the_way_open)
{
    size_t sub = ca('S', 'N'), l = leaf('S');

    find(l, false);
    SENDS(l, sub);
    cr_assert(!sending.rooted);
    cr_assert_eq(sending.open, sub);
}

Test(sending, a_cross_whose_root_is_not_in_view_is_sent)
{
    size_t cross = ca('N', 'O'), l = leaf('N');

    (void)root('N');
    find(l, false);
    SENDS(l, cross);
    cr_assert(sending.rooted);
    cr_assert_eq(sending.open, cross);
}

Test(sending, but_not_instead_of_one_whose_root_is)
{
    size_t unknown = ca('N', 'O'), cross = ca_until('N', 'P', NOW + PKI_DAY), l = leaf('N');

    (void)root('N');
    (void)root('P');
    find(l, false);
    SENDS(l, cross);
    cr_assert_eq(why(unknown), XR_UNSENT_OTHER_WAY);
}

Test(sending, what_signed_itself_stands_alone)
{
    size_t n = root('N');

    (void)ca('N', 'O');
    (void)root('O');
    find(n, true);
    SENDS(n);
    cr_assert(sending.rooted);
    cr_assert_eq(sending.left_out.count, 0);
}

Test(sending, another_key_of_the_same_name_signed_nothing)
{
    size_t l = leaf('N');
    struct pki_spec spec = pki_spec_ca("", NOW);
    struct pki_blob der = {0};
    struct xr_cert *impostor = NULL;

    spec.cn = "CA N";
    cr_assert_eq(pki_issue(&der, key_of('X'), NULL, NULL, &spec), 0);
    cr_assert_eq(xr_cert_new(&impostor, (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
    pki_blob_free(&der);
    (void)put(impostor);
    find(l, true);
    SENDS(l);
    cr_assert(!sending.rooted);
    cr_assert_eq(sending.open, l);
    cr_assert_eq(sending.left_out.count, 0);
}

/* ---- hostile ---- */

/* Twelve CAs that all signed each other: more simple ways than can be followed. */
Test(sending, cas_that_all_signed_each_other_take_no_more_than_the_steps)
{
    size_t l = 0;

    for (int who = 'A'; who < 'A' + 11; who++) {
        for (int by = 'A'; by < 'A' + 11; by++) {
            if (who != by)
                (void)ca((char)who, (char)by);
        }
    }
    l = leaf('A');
    (void)root('K');
    find(l, true);
    cr_assert(sending.gave_up);
    cr_assert_eq(sending.sent.items[0].at, l);
    cr_assert_leq(sending.sent.count, pool.count);
}

Test(sending, a_chain_that_is_too_long_ends)
{
    size_t l = 0;

    for (int who = 'A'; who < 'A' + 11; who++)
        (void)ca((char)who, (char)(who + 1));
    for (int who = 'M'; who < 'M' + 8; who++)
        (void)ca((char)who, (char)(who + 1));
    (void)ca('K' + 1, 'M');
    (void)root('U');
    l = ca_with('Z', 'A', pki_spec_leaf("", NOW));
    find(l, false);
    cr_assert(sending.gave_up);
    cr_assert_leq(sending.sent.count, XR_SENDING_DEPTH + 1);
}
