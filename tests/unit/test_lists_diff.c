/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two lists, and what a document of list --json says. */
#include "lists/diff.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW INT64_C(1700000000)
#define ALL (XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME)

static struct xr_cert *certs[4];
static struct xr_list before, after;
static struct xr_diff diff;

static struct xr_cert *make(const char *cn, const char *serial)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob der = {0};
    struct xr_cert *cert = NULL;
    struct xr_error err = {0};

    spec.serial = serial;
    cr_assert_eq(pki_issue(&der, key, NULL, NULL, &spec), 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){der.data, der.len}, &err), XR_OK);
    pki_blob_free(&der);
    pki_key_free(key);
    return cert;
}

static void setup(void)
{
    static const char *const names[] = {"Alpha", "Beta", "Gamma", "Delta"};

    for (size_t i = 0; i < 4; i++)
        certs[i] = make(names[i], NULL);
}

static void teardown(void)
{
    xr_diff_free(&diff);
    xr_list_free(&before);
    xr_list_free(&after);
    for (size_t i = 0; i < 4; i++)
        xr_cert_free(certs[i]);
}

TestSuite(lists_diff, .init = setup, .fini = teardown);

static struct xr_root *put(struct xr_list *list, struct xr_cert *cert, uint32_t trusted)
{
    struct xr_root *root = xr_list_add_cert(list, cert);

    root->trusted = trusted;
    return root;
}

static void compare(const struct xr_diff_options *options)
{
    static const struct xr_diff_options none = {0};

    xr_diff_free(&diff);
    xr_diff_lists(&diff, &before, &after, options != NULL ? options : &none);
}

static const struct xr_diff_row *row(size_t at)
{
    cr_assert_lt(at, diff.count);
    return &diff.items[at];
}

Test(lists_diff, equal_lists_have_no_differences_in_any_order)
{
    for (size_t i = 0; i < 4; i++) {
        put(&before, certs[i], XR_SERVER)->label = xr_strdup("label");
        put(&after, certs[3 - i], XR_SERVER)->label = xr_strdup("label");
    }
    compare(NULL);
    cr_assert_eq(diff.count, 0);
    cr_assert_eq(diff.same, 4);
}

Test(lists_diff, what_one_side_lacks_is_added_or_removed_in_the_order_of_names)
{
    put(&before, certs[0], XR_SERVER);
    put(&before, certs[3], XR_SERVER);
    put(&before, certs[1], XR_SERVER);
    put(&after, certs[2], XR_EMAIL);
    put(&after, certs[1], XR_SERVER);
    compare(NULL);
    cr_assert_eq(diff.count, 3);
    cr_assert_eq(diff.same, 1);
    cr_assert_eq(row(0)->kind, XR_DIFF_ADDED);
    cr_assert_str_eq(row(0)->name, "Gamma");
    cr_assert_null(row(0)->before);
    cr_assert_eq(row(0)->trusted[1], XR_EMAIL);
    cr_assert_eq(row(1)->kind, XR_DIFF_REMOVED);
    cr_assert_str_eq(row(1)->name, "Alpha");
    cr_assert_str_eq(row(2)->name, "Delta");
    cr_assert_null(row(2)->after);
}

Test(lists_diff, each_kind_of_change_is_told_apart)
{
    struct xr_root *a = put(&before, certs[0], XR_SERVER), *b = put(&after, certs[0], XR_SERVER);
    const struct xr_diff_options no_dates = {.no_dates = true}, no_labels = {.no_labels = true};

    a->server_after = (struct xr_format_date){true, 5};
    b->server_after = (struct xr_format_date){true, 5};
    compare(NULL);
    cr_assert_eq(diff.count, 0);
    b->server_after.at = 6;
    compare(NULL);
    cr_assert_eq(row(0)->kind, XR_DIFF_CHANGED);
    cr_assert_eq(row(0)->what, XR_DIFF_SERVER_AFTER);
    b->server_after.known = false;
    compare(NULL);
    cr_assert_eq(row(0)->what, XR_DIFF_SERVER_AFTER);
    a->email_after.known = true;
    compare(NULL);
    cr_assert_eq(row(0)->what, XR_DIFF_SERVER_AFTER | XR_DIFF_EMAIL_AFTER);
    compare(&no_dates);
    cr_assert_eq(diff.count, 0);
    b->trusted = 0;
    compare(&no_dates);
    cr_assert_eq(row(0)->what, XR_DIFF_TRUST);
    b->distrusted = XR_SERVER;
    compare(&no_dates);
    cr_assert_eq(row(0)->what, XR_DIFF_TRUST);
    cr_assert_eq(row(0)->distrusted[1], XR_SERVER);
    b->trusted = XR_SERVER;
    b->distrusted = 0;
    cr_assert(xr_limits_add_dns(&a->limits, "tr"));
    compare(&no_dates);
    cr_assert_eq(row(0)->what, XR_DIFF_LIMITS);
    cr_assert(xr_limits_add_dns(&b->limits, "tr"));
    a->label = xr_strdup("one");
    compare(&no_dates);
    cr_assert_eq(diff.count, 0, "a name that only one side knows is no difference");
    b->label = xr_strdup("two");
    a->server_after.known = a->email_after.known = false;
    compare(NULL);
    cr_assert_eq(row(0)->what, XR_DIFF_LABEL);
    cr_assert_str_eq(row(0)->name, "two");
    compare(&no_labels);
    cr_assert_eq(diff.count, 0);
}

Test(lists_diff, for_a_purpose_only_what_is_said_of_it_counts)
{
    const struct xr_diff_options server = {.purposes = XR_SERVER}, email = {.purposes = XR_EMAIL};

    put(&before, certs[0], XR_EMAIL)->server_after.known = true;
    put(&after, certs[0], XR_SERVER | XR_EMAIL);
    put(&before, certs[1], XR_SERVER);
    put(&after, certs[1], XR_ANY_PURPOSE);
    put(&before, certs[2], 0);
    put(&after, certs[3], 0)->distrusted = XR_ANY_PURPOSE;
    compare(&server);
    cr_assert_eq(diff.count, 2);
    cr_assert_str_eq(row(0)->name, "Alpha");
    cr_assert_eq(row(0)->kind, XR_DIFF_ADDED, "trusted for email alone is not in that list");
    cr_assert_str_eq(row(1)->name, "Delta");
    cr_assert_eq(row(1)->distrusted[1], XR_SERVER);
    cr_assert_eq(diff.same, 1, "any purpose is this one too");
    compare(&email);
    cr_assert_eq(diff.count, 2);
    cr_assert_eq(diff.same, 1, "a date of servers is no difference for email");
    cr_assert_str_eq(row(0)->name, "Beta");
    compare(NULL);
    cr_assert_eq(diff.count, 4);
    cr_assert_eq(diff.of_kind[XR_DIFF_ADDED], 1);
    cr_assert_eq(diff.of_kind[XR_DIFF_REMOVED], 1);
    cr_assert_eq(diff.of_kind[XR_DIFF_CHANGED], 2);
}

Test(lists_diff, where_a_side_cannot_tell_purposes_only_trust_and_distrust_count)
{
    const struct xr_diff_options options = {.silent = {false, true}};

    put(&before, certs[0], XR_SERVER | XR_EMAIL);
    put(&after, certs[0], ALL);
    put(&before, certs[1], 0);
    put(&before, certs[2], XR_EMAIL);
    put(&after, certs[2], 0)->distrusted = XR_SERVER;
    compare(&options);
    cr_assert_eq(diff.count, 1);
    cr_assert_eq(diff.same, 1);
    cr_assert_eq(row(0)->what, XR_DIFF_TRUST);
    cr_assert_eq(row(0)->trusted[0], XR_EMAIL);
    cr_assert_eq(row(0)->distrusted[1], XR_SERVER);
    compare(NULL);
    cr_assert_eq(diff.count, 3);
    cr_assert_eq(row(1)->trusted[0], XR_SERVER | XR_EMAIL);
    cr_assert_eq(row(1)->trusted[1], XR_ANY_PURPOSE, "all that there are is any");
}

Test(lists_diff, a_certificate_is_known_again_by_its_hash_or_its_number)
{
    const struct xr_slices *slices = &certs[0]->d.slices;

    put(&before, certs[0], 0)->distrusted = XR_ANY_PURPOSE;
    xr_list_add_serial(&after, slices->issuer, slices->serial)->distrusted = XR_ANY_PURPOSE;
    put(&before, certs[1], XR_SERVER);
    xr_list_add_sha256(&after, certs[1]->sha256)->trusted = XR_SERVER;
    compare(NULL);
    cr_assert_eq(diff.count, 0);
    cr_assert_eq(diff.same, 2);
    xr_list_free(&before);
    xr_list_add_id(&before, after.roots.items[0].id)->distrusted = XR_ANY_PURPOSE;
    xr_list_add_sha256(&before, certs[1]->sha256)->trusted = XR_SERVER;
    compare(NULL);
    cr_assert_eq(diff.count, 0);
}

Test(lists_diff, twins_of_one_number_are_two_certificates)
{
    struct xr_cert *one = make("Twin", "7"), *two = make("Twin", "7");

    put(&before, one, XR_SERVER);
    put(&after, two, XR_SERVER);
    compare(NULL);
    cr_assert_eq(diff.of_kind[XR_DIFF_ADDED], 1);
    cr_assert_eq(diff.of_kind[XR_DIFF_REMOVED], 1);
    xr_cert_free(one);
    xr_cert_free(two);
}

/* ---- documents ---- */

#define ENTRY(place, more) "{\"place\": \"" place "\", " more "}"
#define HASH               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER              "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NAMED(hash)        "\"sha256\": \"" hash "\", \"label\": \"L\", \"subject\": \"CN=S\""
#define DOCUMENT(stores)                                                       \
    "{\"schema\": 1, \"command\": \"list\", \"exit\": 0, \"stores\": [" stores \
    "], \"messages\": []}"
#define STORE(entries) "{\"store\": \"nss:/x\", \"entries\": [" entries "]}"

static enum xr_status read_document(struct xr_error *err, const char *text)
{
    xr_list_free(&before);
    return xr_list_json(&before, (struct xr_bytes){(const unsigned char *)text, strlen(text)}, err);
}

Test(lists_diff, a_document_of_list_gives_the_trust_of_its_entries)
{
    struct xr_error err = {0};
    const struct xr_root *first = NULL, *second = NULL, *third = NULL;

    cr_assert_eq(
        read_document(
            &err,
            DOCUMENT(STORE(
                ENTRY("anchor", NAMED(HASH) ", \"purposes\": [\"server\", \"email\"], \"limits\": "
                                            "{\"dns_names\": [\"tr\"], \"cidrs\": []}") ", " //
                ENTRY("intermediate", NAMED(OTHER) ", \"purposes\": [\"any\"]") ", "         //
                ENTRY("crl", "\"sha256\": \"" HASH "\", \"purposes\": []") ", "              //
                ENTRY("distrust", "\"sha256\": null, \"id\": \"" HASH
                                  "\", \"issuer\": \"CN=I\", \"serial\": \"7\", \"subject\": null, "
                                  "\"purposes\": [\"any\"]")) ", " //
                     STORE(ENTRY("anchor", NAMED(OTHER) ", \"purposes\": [\"any\"]")))),
        XR_OK, "%s", err.text);
    cr_assert_eq(before.roots.count, 3);
    first = &before.roots.items[0];
    second = &before.roots.items[1];
    third = &before.roots.items[2];
    cr_assert_eq(first->trusted, XR_SERVER | XR_EMAIL);
    cr_assert_str_eq(first->label, "L");
    cr_assert_str_eq(first->subject, "CN=S");
    cr_assert_eq(first->limits.dns.count, 1);
    cr_assert_eq(second->trusted, ALL);
    cr_assert(!third->has_sha256 && third->has_id);
    cr_assert_eq(third->distrusted, ALL);
}

Test(lists_diff, of_two_stores_of_a_document_the_one_that_distrusts_counts)
{
    struct xr_error err = {0};

    cr_assert_eq(
        read_document(
            &err,
            DOCUMENT(
                STORE(ENTRY("anchor", NAMED(HASH) ", \"purposes\": [\"server\", \"email\"]")) ", " STORE(
                    ENTRY("distrust", NAMED(HASH) ", \"purposes\": [\"server\"]")))),
        XR_OK, "%s", err.text);
    cr_assert_eq(before.roots.items[0].trusted, 0);
    cr_assert_eq(before.roots.items[0].distrusted, ALL);
}

Test(lists_diff, a_document_that_is_not_whole_is_an_error)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{", "no JSON"},
        {"[]", "not a document"},
        {"{\"schema\": 2, \"command\": \"list\", \"stores\": []}", "not a document"},
        {"{\"schema\": 1, \"command\": \"stores\", \"stores\": []}", "not a document"},
        {DOCUMENT("{\"store\": \"nss:/x\", \"entries\": [], \"why\": \"locked\"}"),
         "nss:/x could not be read there: locked"},
        {DOCUMENT("{\"store\": \"nss:/x\"}"), "without its address or its entries"},
        {DOCUMENT(STORE("{\"sha256\": \"" HASH "\"}")), "entry 1 of nss:/x: no \"place\""},
        {DOCUMENT(STORE(ENTRY("anchor", NAMED(HASH)))), "no \"purposes\""},
        {DOCUMENT(STORE(ENTRY("anchor", NAMED("12") ", \"purposes\": []"))), "no \"sha256\""},
        {DOCUMENT(STORE(ENTRY("anchor", NAMED(HASH) ", \"purposes\": [\"moon\"]"))),
         "unknown purpose moon"},
        {DOCUMENT(STORE(ENTRY("anchor", NAMED(HASH) ", \"purposes\": [\"any\"], \"limits\": "
                                                    "{\"dns_names\": [\"*\"]}"))),
         "cannot read its limits"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct xr_error err = {0};

        cr_assert_eq(read_document(&err, cases[i].text), XR_INVALID, "%s", cases[i].text);
        cr_assert(strstr(err.text, cases[i].reason) != NULL, "%s: %s", cases[i].text, err.text);
    }
}
