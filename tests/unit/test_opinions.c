/* SPDX-License-Identifier: Apache-2.0 */
/* What core says for Firefox and Chromium. That the browsers say so too is asked of them themselves, by
 * tests/nss/opinions.sh. */
#include "certs/browsers.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>

#define NOW INT64_C(1800000000)

enum { OLD, NEW, CROSS, SUB, LEAF, CERTS };

static struct pki_key *keys[CERTS];
static struct pki_blob certs[CERTS];

static void issue(struct pki_blob *out, int key, int issuer, struct pki_spec spec)
{
    pki_blob_free(out);
    cr_assert_eq(pki_issue(out, keys[key], issuer < 0 ? NULL : &certs[issuer],
                           issuer < 0 ? NULL : keys[issuer], &spec),
                 0);
}

static struct pki_spec leaf_spec(void)
{
    struct pki_spec spec = pki_spec_leaf("server", NOW);

    spec.san = "DNS:a.example.org,DNS:*.wild.example.org,IP:192.0.2.1";
    return spec;
}

/* old signs cross, which has the name and key of new; new's key signs sub, which signs leaf. */
static void make(void)
{
    for (int i = 0; i < CERTS; i++)
        keys[i] = i == CROSS ? NULL : pki_key_new(PKI_EC);
    keys[CROSS] = keys[NEW];
    issue(&certs[OLD], OLD, -1, pki_spec_ca("Old", NOW));
    issue(&certs[NEW], NEW, -1, pki_spec_ca("New", NOW));
    issue(&certs[CROSS], NEW, OLD, pki_spec_ca("New", NOW));
    issue(&certs[SUB], SUB, NEW, pki_spec_ca("Sub", NOW));
    issue(&certs[LEAF], LEAF, SUB, leaf_spec());
}

static void drop(void)
{
    for (int i = 0; i < CERTS; i++) {
        if (i != CROSS)
            pki_key_free(keys[i]);
        pki_blob_free(&certs[i]);
    }
}

TestSuite(opinions, .init = make, .fini = drop);

static struct xr_bytes bytes(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

static struct xr_browser_cert as(const struct pki_blob *blob, enum xr_browser_trust trust)
{
    return (struct xr_browser_cert){.size = sizeof(struct xr_browser_cert),
                                    .der = bytes(blob),
                                    .trust = trust,
                                    .source = "a file"};
}

/* The question; sent: leaf and sub unless set. */
struct asked {
    struct xr_browser_cert known[24];
    size_t known_count;
    struct xr_bytes sent[24];
    size_t sent_count;
    const char *host, *unread;
    bool any_host, fetches;
    int64_t at;
    char why[256]; /* of the last answer */
};

static void know(struct asked *a, const struct pki_blob *blob, enum xr_browser_trust trust)
{
    a->known[a->known_count++] = as(blob, trust);
}

static void send(struct asked *a, const struct pki_blob *blob)
{
    a->sent[a->sent_count++] = bytes(blob);
}

static const char *ask_one(struct asked *a, enum xr_browser browser)
{
    static const char *const words[] = {[XR_UNKNOWN] = "?", [XR_YES] = "yes", [XR_NO] = "no"};
    const struct xr_browser_cert *list[24];
    struct xr_probe probe = {.size = sizeof(probe),
                             .purpose = XR_SERVER,
                             .host = a->any_host       ? NULL
                                     : a->host != NULL ? a->host
                                                       : "a.example.org",
                             .at = a->at != 0 ? a->at : NOW};
    struct xr_browser_check check = {.size = sizeof(check),
                                     .probe = &probe,
                                     .browser = browser,
                                     .known = list,
                                     .known_count = a->known_count,
                                     .unread = a->unread,
                                     .fetches = a->fetches};
    struct xr_opinion opinion = {.size = sizeof(opinion)};
    struct xr_error err = {0};

    if (a->sent_count == 0) {
        send(a, &certs[LEAF]);
        send(a, &certs[SUB]);
    }
    probe.chain = a->sent;
    probe.count = a->sent_count;
    for (size_t i = 0; i < a->known_count; i++)
        list[i] = &a->known[i];
    cr_assert_eq(xr_browser_check(&opinion, &check, &err), XR_OK, "%s", err.text);
    memcpy(a->why, opinion.why, sizeof(a->why));
    return words[opinion.answer];
}

/* Both answers as "FIREFOX CHROMIUM". */
static void answers(struct asked *a, const char *want)
{
    const char *firefox = ask_one(a, XR_FIREFOX);
    char got[16];

    (void)snprintf(got, sizeof(got), "%s %s", firefox, ask_one(a, XR_CHROMIUM));
    cr_expect_str_eq(got, want, "%s: %s", got, a->why);
}

static struct asked with_cross(void)
{
    struct asked a = {0};

    know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
    know(&a, &certs[CROSS], XR_BROWSER_HINT);
    return a;
}

Test(opinions, a_hint_completes_a_path_to_an_anchor)
{
    struct asked a = {0};

    answers(&a, "no no");
    know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
    answers(&a, "no no");
    cr_assert(strstr(a.why, "no certificate of \"New\" was found"), "%s", a.why);
    know(&a, &certs[CROSS], XR_BROWSER_HINT);
    answers(&a, "yes yes");
}

Test(opinions, what_the_server_sends_is_a_hint)
{
    struct asked a = {0};

    know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
    send(&a, &certs[LEAF]);
    send(&a, &certs[CROSS]); /* in any order */
    send(&a, &certs[SUB]);
    answers(&a, "yes yes");
}

Test(opinions, a_hint_alone_is_no_anchor)
{
    struct asked a = {0};

    know(&a, &certs[OLD], XR_BROWSER_HINT);
    know(&a, &certs[CROSS], XR_BROWSER_HINT);
    answers(&a, "no no");
    cr_assert(strstr(a.why, "\"Old\" is not trusted"), "%s", a.why);
}

Test(opinions, distrust_in_one_source_wins)
{
    static const int each[] = {OLD, CROSS, SUB, LEAF};

    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        struct asked a = with_cross();

        know(&a, &certs[each[i]], XR_BROWSER_DISTRUST);
        answers(&a, "no no");
        cr_assert(strstr(a.why, "is distrusted by a file"), "%s", a.why);
    }
}

Test(opinions, distrust_of_a_twin_leaves_the_other_but_of_its_key_nothing)
{
    struct asked a = with_cross();

    know(&a, &certs[NEW], XR_BROWSER_DISTRUST);
    answers(&a, "yes yes");
    know(&a, &certs[NEW], XR_BROWSER_DISTRUST_KEY);
    answers(&a, "no no");
}

Test(opinions, limits_of_a_source_win_over_trust_without_them)
{
    static const char *const other[] = {"example.com"}, *const ours[] = {"Example.ORG"};
    static const char *const range[] = {"192.0.2.0/24"};
    struct asked a = with_cross();
    struct pki_spec spec = leaf_spec();

    spec.san = "DNS:a.example.org";
    issue(&certs[LEAF], LEAF, SUB, spec);
    know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
    a.known[2].permitted_dns = other;
    a.known[2].permitted_dns_count = 1;
    answers(&a, "no no");
    a.known[2].permitted_dns = ours;
    answers(&a, "yes yes");
    spec.san = "DNS:a.example.org,IP:192.0.2.1";
    issue(&certs[LEAF], LEAF, SUB, spec);
    a.sent_count = 0;
    answers(&a, "yes yes"); /* limits of names leave addresses free */
    a.known[2].permitted_cidrs = range;
    a.known[2].permitted_cidrs_count = 1;
    answers(&a, "yes yes");
    spec.san = "DNS:a.example.org,IP:198.51.100.1";
    issue(&certs[LEAF], LEAF, SUB, spec);
    a.sent_count = 0;
    answers(&a, "no no");
    a.known[2].permitted_cidrs_count = 0;
    spec.san = "DNS:a.example.org,DNS:a.example.com";
    issue(&certs[LEAF], LEAF, SUB, spec);
    a.sent_count = 0;
    answers(&a, "no no"); /* every name counts, not only the host */
}

Test(opinions, a_public_root_may_be_unknown_to_the_browser)
{
    struct asked a = {0};

    know(&a, &certs[OLD], XR_BROWSER_PUBLIC);
    know(&a, &certs[CROSS], XR_BROWSER_HINT);
    answers(&a, "? ?");
    know(&a, &certs[OLD], XR_BROWSER_DISTRUST);
    answers(&a, "no no");
}

Test(opinions, trust_that_versions_read_differently_is_a_doubt)
{
    struct asked a = with_cross();

    know(&a, &certs[CROSS], XR_BROWSER_UNCLEAR);
    answers(&a, "? ?");
}

Test(opinions, a_source_that_cannot_be_read_makes_no_answer_sure)
{
    struct asked a = with_cross();

    a.unread = "a file is damaged";
    answers(&a, "? ?");
    cr_assert_str_eq(a.why, "a file is damaged");
}

Test(opinions, names_count_only_in_the_subject_alternative_name)
{
    struct asked a = with_cross();
    struct pki_spec spec = leaf_spec();

    spec.cn = "a.example.org";
    spec.san = NULL;
    issue(&certs[LEAF], LEAF, SUB, spec);
    answers(&a, "no no");
    a.any_host = true;
    answers(&a, "no no");
}

Test(opinions, hosts_match_as_in_browsers)
{
    static const struct {
        const char *host, *want;
    } hosts[] = {{"a.example.org", "yes yes"},
                 {"A.Example.Org", "yes yes"},
                 {"b.example.org", "no no"},
                 {"x.wild.example.org", "yes yes"},
                 {"x_y.wild.example.org", "yes yes"},
                 {"x.y.wild.example.org", "no no"},
                 {"wild.example.org", "no no"},
                 {"a.example.org.", "? ?"},
                 {"192.0.2.1", "yes yes"},
                 {"192.0.2.2", "no no"},
                 {"[2001:db8::1]", "no no"},
                 {"", "no no"}};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct asked a = with_cross();

        a.host = hosts[i].host;
        answers(&a, hosts[i].want);
    }
}

Test(opinions, another_path_is_tried_in_any_order)
{
    for (int order = 0; order < 2; order++) {
        struct asked a = {0};
        struct pki_blob limited = {0};
        struct pki_spec spec = pki_spec_ca("New", NOW);

        spec.name_constraints = "critical,permitted;DNS:example.com";
        cr_assert_eq(pki_issue(&limited, keys[NEW], &certs[OLD], keys[OLD], &spec), 0);
        know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
        know(&a, order == 0 ? &limited : &certs[CROSS], XR_BROWSER_HINT);
        know(&a, order == 0 ? &certs[CROSS] : &limited, XR_BROWSER_HINT);
        answers(&a, "yes yes");
        a.known[order == 0 ? 2 : 1].der = bytes(&limited);
        answers(&a, "no no");
        cr_assert(strstr(a.why, "is limited to other names"), "%s", a.why);
        pki_blob_free(&limited);
    }
}

Test(opinions, an_unknown_critical_extension_is_refused_even_on_the_anchor)
{
    struct asked a = with_cross();
    struct pki_spec spec = pki_spec_ca("Old", NOW);

    spec.unknown_critical = true;
    issue(&certs[OLD], OLD, -1, spec);
    a.known[0].der = bytes(&certs[OLD]);
    answers(&a, "no no");
}

Test(opinions, every_certificate_of_the_path_is_valid_at_that_time)
{
    struct asked a = with_cross();
    struct pki_spec spec = leaf_spec();

    spec.not_before = NOW + 3600;
    issue(&certs[LEAF], LEAF, SUB, spec);
    answers(&a, "no no");
    a.at = NOW + 7200;
    answers(&a, "yes yes");
    a.at = NOW + 20 * PKI_YEAR;
    answers(&a, "no no");
}

Test(opinions, the_browsers_differ_about_servers_that_are_cas)
{
    struct asked a = with_cross();
    struct pki_spec spec = leaf_spec();

    spec.ca = true;
    spec.pathlen = -1;
    spec.key_usage = "digitalSignature";
    issue(&certs[LEAF], LEAF, SUB, spec);
    answers(&a, "no yes");
}

Test(opinions, the_browsers_differ_about_any_extended_key_usage)
{
    struct asked a = with_cross();
    struct pki_spec spec = leaf_spec();

    spec.eku = "anyExtendedKeyUsage";
    issue(&certs[LEAF], LEAF, SUB, spec);
    answers(&a, "no yes");
    spec.eku = "clientAuth";
    issue(&certs[LEAF], LEAF, SUB, spec);
    a.sent_count = 0;
    answers(&a, "no no");
}

Test(opinions, a_peer_counts_in_chromium_whoever_signed_it)
{
    struct asked a = {0};
    struct pki_blob own = {0};
    struct pki_spec spec = leaf_spec();

    cr_assert_eq(pki_issue(&own, keys[LEAF], NULL, NULL, &spec), 0);
    know(&a, &own, XR_BROWSER_PEER);
    send(&a, &own);
    answers(&a, "no yes");
    a.host = "b.example.org";
    answers(&a, "no no");
    a.host = NULL;
    a.at = NOW + 20 * PKI_YEAR;
    answers(&a, "no no");
    pki_blob_free(&own);
    a = (struct asked){0};
    know(&a, &certs[LEAF], XR_BROWSER_PEER);
    answers(&a, "no yes");
    know(&a, &certs[LEAF], XR_BROWSER_DISTRUST);
    answers(&a, "no no");
}

Test(opinions, a_database_is_searched_by_the_bytes_of_a_name)
{
    struct asked a = {0};
    struct pki_blob printable = {0};
    struct pki_spec spec = pki_spec_ca("New", NOW);

    spec.name_type = PKI_PRINTABLE; /* sub names its issuer as UTF-8 */
    cr_assert_eq(pki_issue(&printable, keys[NEW], &certs[OLD], keys[OLD], &spec), 0);
    know(&a, &certs[OLD], XR_BROWSER_ANCHOR);
    know(&a, &printable, XR_BROWSER_HINT);
    a.known[1].by_name_bytes = true;
    answers(&a, "no no");
    send(&a, &printable);
    answers(&a, "no ?");
    pki_blob_free(&printable);
}

Test(opinions, without_a_host_a_ca_is_asked_about_as_an_issuer)
{
    struct asked a = with_cross();

    a.any_host = true;
    send(&a, &certs[SUB]);
    answers(&a, "yes yes");
    a.any_host = false;
    answers(&a, "no no"); /* it has no names */
    a.any_host = true;
    a.sent[0] = bytes(&certs[OLD]);
    answers(&a, "yes yes");
}

Test(opinions, path_lengths_and_name_constraints_of_the_anchor_count)
{
    struct asked a = with_cross();
    struct pki_spec spec = pki_spec_ca("Old", NOW);

    spec.pathlen = 1; /* cross and sub are two */
    issue(&certs[OLD], OLD, -1, spec);
    a.known[0].der = bytes(&certs[OLD]);
    answers(&a, "no no");
    spec.pathlen = -1;
    spec.name_constraints = "critical,excluded;DNS:example.org";
    issue(&certs[OLD], OLD, -1, spec);
    a.known[0].der = bytes(&certs[OLD]);
    answers(&a, "no no");
}

Test(opinions, firefox_takes_six_issuers_and_chromium_nineteen)
{
    enum { MANY = 20 };
    struct pki_blob chain[MANY] = {{0}};
    struct pki_key *key = pki_key_new(PKI_EC);
    struct asked a = {0};

    for (int i = 0; i < MANY; i++) {
        char name[16];
        struct pki_spec spec;

        (void)snprintf(name, sizeof(name), "CA %d", i);
        spec = pki_spec_ca(name, NOW);
        cr_assert_eq(pki_issue(&chain[i], key, i > 0 ? &chain[i - 1] : NULL, key, &spec), 0);
    }
    for (int last = 5; last < MANY; last++) {
        struct pki_spec spec = leaf_spec();
        struct pki_blob leaf = {0};

        cr_assert_eq(pki_issue(&leaf, keys[LEAF], &chain[last], key, &spec), 0);
        a = (struct asked){0};
        know(&a, &chain[0], XR_BROWSER_ANCHOR);
        send(&a, &leaf);
        for (int i = last; i > 0; i--)
            send(&a, &chain[i]);
        answers(&a, last <= 6 ? "yes yes" : "no yes");
        pki_blob_free(&leaf);
    }
    for (int i = 0; i < MANY; i++)
        pki_blob_free(&chain[i]);
    pki_key_free(key);
}

Test(opinions, loops_of_cross_certificates_end)
{
    struct asked a = {0};
    struct pki_blob back = {0};
    struct pki_spec spec = pki_spec_ca("Old", NOW);

    cr_assert_eq(pki_issue(&back, keys[OLD], &certs[NEW], keys[NEW], &spec), 0);
    know(&a, &certs[CROSS], XR_BROWSER_HINT);
    know(&a, &back, XR_BROWSER_HINT);
    answers(&a, "no no");
    know(&a, &certs[NEW], XR_BROWSER_ANCHOR);
    answers(&a, "yes yes");
    pki_blob_free(&back);
}

Test(opinions, many_wrong_issuers_of_one_name_are_a_doubt_and_no_endless_search)
{
    static struct asked a;
    struct pki_blob subs[16] = {{0}};

    a = (struct asked){0};
    for (int i = 0; i < 16; i++) { /* all of one name and key: every one has every one above it */
        struct pki_spec spec = pki_spec_ca("Ring", NOW);

        cr_assert_eq(pki_issue(&subs[i], keys[SUB], i > 0 ? &subs[0] : NULL, keys[SUB], &spec), 0);
        know(&a, &subs[i], XR_BROWSER_HINT);
    }
    issue(&certs[SUB], SUB, -1, pki_spec_ca("Ring", NOW));
    issue(&certs[LEAF], LEAF, SUB, leaf_spec());
    send(&a, &certs[LEAF]);
    answers(&a, "no no");
    for (int i = 0; i < 16; i++)
        pki_blob_free(&subs[i]);
}

Test(opinions, bytes_that_are_no_certificate_are_no_question)
{
    struct xr_bytes junk = {(const unsigned char *)"junk", 4};
    struct xr_probe probe = {.size = sizeof(probe), .chain = &junk, .count = 1, .at = NOW};
    struct xr_browser_check check = {.size = sizeof(check), .probe = &probe, .browser = XR_FIREFOX};
    struct xr_opinion opinion = {.size = sizeof(opinion)};
    struct xr_error err = {0};

    cr_assert_eq(xr_browser_check(&opinion, &check, &err), XR_INVALID);
    probe.count = 0;
    cr_assert_eq(xr_browser_check(&opinion, &check, &err), XR_INVALID);
}
