/* SPDX-License-Identifier: Apache-2.0 */
#include "change/placement.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW      INT64_C(1700000000)
#define ALL      ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- fixtures ---- */

/* OLD signed CROSS, a second certificate of NEW's key; NEW signed SUB and the CAs under it. */
enum {
    OLD,
    NEW,
    CROSS,
    SUB,
    LEAF,
    EMAIL_ROOT,  /* a root whose EKU allows email alone */
    CONSTRAINED, /* below NEW, with name constraints */
    PATHLEN,     /* below NEW, with a path length */
    EMAIL_SUB,   /* below NEW, EKU email */
    NEW_LIMITED, /* NEW's key and name again, self-signed, with name constraints */
    SILENT,      /* self-signed, and does not say whether it is a CA */
    SILENT_LEAF, /* likewise, but its key usage leaves out certificates */
    UNCHECKED,   /* a root of an unknown signature algorithm */
    MALFORMED,   /* a root whose basicConstraints do not parse */
    CERTS
};
static struct xr_cert *certs[CERTS];
static struct xr_pool pool;
static struct xr_snapshot snapshot;

static struct pki_key *new_key(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);

    cr_assert(key != NULL);
    return key;
}

/* Makes a copy of the new root in which some bytes are others. */
static void make_patched(unsigned at, const void *is, const void *becomes, size_t len)
{
    const struct xr_cert *from = certs[NEW];
    struct pki_blob der = {xr_memdup(from->der.data, from->der.len), from->der.len};

    cr_assert_gt(pki_patch(&der, is, becomes, len), 0);
    cr_assert_eq(xr_cert_new(&certs[at], (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
    free(der.data);
    cr_assert_eq(xr_pool_add(&pool, certs[at]), at);
}

static void make(unsigned at, const struct pki_key *key, unsigned issuer,
                 const struct pki_key *issuer_key, const struct pki_spec *spec)
{
    struct pki_blob der = {0}, above = {0};
    struct xr_error err = {0};

    if (issuer != at) {
        const struct xr_cert *by = certs[issuer];

        above = (struct pki_blob){xr_memdup(by->der.data, by->der.len), by->der.len};
    }
    cr_assert_eq(
        pki_issue(&der, key, issuer != at ? &above : NULL, issuer != at ? issuer_key : NULL, spec),
        0);
    cr_assert_eq(xr_cert_new(&certs[at], (struct xr_bytes){der.data, der.len}, &err), XR_OK, "%s",
                 err.text);
    pki_blob_free(&der);
    free(above.data);
    cr_assert_eq(xr_pool_add(&pool, certs[at]), at);
}

static void setup(void)
{
    struct pki_key *old = new_key(), *new = new_key(), *sub = new_key(), *other = new_key();
    struct pki_key *lonely = new_key();
    struct pki_spec spec = pki_spec_ca("Old Root", NOW);

    make(OLD, old, OLD, NULL, &spec);
    spec.cn = "New Root";
    make(NEW, new, NEW, NULL, &spec);
    make(CROSS, new, OLD, old, &spec);
    spec.cn = "Sub CA";
    make(SUB, sub, NEW, new, &spec);
    spec = pki_spec_leaf("localhost", NOW);
    make(LEAF, other, SUB, sub, &spec);
    spec = pki_spec_ca("Email Root", NOW);
    spec.eku = "emailProtection";
    make(EMAIL_ROOT, other, EMAIL_ROOT, NULL, &spec);
    spec = pki_spec_ca("Limited CA", NOW);
    spec.name_constraints = "critical,permitted;DNS:example.org";
    make(CONSTRAINED, sub, NEW, new, &spec);
    spec = pki_spec_ca("Limited CA", NOW);
    spec.pathlen = 0;
    make(PATHLEN, sub, NEW, new, &spec);
    spec = pki_spec_ca("Limited CA", NOW);
    spec.eku = "emailProtection";
    make(EMAIL_SUB, sub, NEW, new, &spec);
    spec = pki_spec_ca("New Root", NOW);
    spec.name_constraints = "critical,permitted;DNS:example.org";
    make(NEW_LIMITED, new, NEW_LIMITED, NULL, &spec);
    spec = pki_spec_ca("Silent", NOW);
    spec.bare = true;
    spec.eku = "serverAuth";
    make(SILENT, lonely, SILENT, NULL, &spec);
    spec = pki_spec_leaf("Silent Leaf", NOW);
    spec.silent = true;
    make(SILENT_LEAF, lonely, SILENT_LEAF, NULL, &spec);
    make_patched(UNCHECKED, "\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x03\x7e",
                 8);
    make_patched(MALFORMED, PKI_CA_VALUE, PKI_BROKEN_VALUE, sizeof(PKI_CA_VALUE) - 1);
    pki_key_free(lonely);
    pki_key_free(old);
    pki_key_free(new);
    pki_key_free(sub);
    pki_key_free(other);
}

static void teardown(void)
{
    xr_snapshot_free(&snapshot);
    xr_pool_free(&pool);
    for (unsigned i = 0; i < CERTS; i++)
        xr_cert_free(certs[i]);
}

TestSuite(plan, .init = setup, .fini = teardown);

static struct xr_subject subject(unsigned cert)
{
    struct xr_subject made = {.type = XR_SUBJECT_CERT};

    memcpy(made.id, certs[cert]->sha256, sizeof(made.id));
    return made;
}

static struct xr_wish wish(enum xr_wish_kind what, unsigned cert)
{
    return (struct xr_wish){
        .what = what, .subject = subject(cert), .der = certs[cert]->der, .pool_at = cert};
}

static struct xr_wish wish_as(unsigned cert, enum xr_place place)
{
    struct xr_wish made = wish(XR_WISH_INSTALL, cert);

    made.place_given = true;
    made.place = place;
    return made;
}

static struct xr_wish wish_for(unsigned cert, uint32_t purposes)
{
    struct xr_wish made = wish(XR_WISH_INSTALL, cert);

    made.purposes = purposes;
    return made;
}

/* Puts a certificate into the store. */
static void holds(unsigned cert, enum xr_place place, uint32_t purposes, uint32_t flags)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = subject(cert),
                             .place = place,
                             .purposes = purposes,
                             .flags = flags,
                             .der = certs[cert]->der,
                             .native = {(const unsigned char *)"native", 6}};

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
}

static struct xr_caps caps_with(uint32_t purposes)
{
    return (struct xr_caps){
        .size = sizeof(struct xr_caps),
        .places = {XR_ENFORCED, XR_ENFORCED, XR_ENFORCED, XR_ENFORCED, XR_ENFORCED},
        .purposes = purposes,
        .subjects = 1u << XR_SUBJECT_CERT,
        .writable = true};
}

static const struct xr_plan_policy strict = {0};
static const struct xr_plan_policy dropping = {.drop_constraints = true};
static const struct xr_plan_policy only = {.only = true};
static const struct xr_plan_policy best = {.best_effort = true};

static struct xr_plan plan_one(struct xr_wish what, struct xr_caps caps,
                               struct xr_plan_policy policy)
{
    struct xr_plan plan = {0};

    xr_plan_build(&plan, &what, 1, &snapshot, &caps, &pool, &policy);
    cr_assert_eq(plan.count, 1);
    cr_assert(xr_subject_equal(&plan.items[0].subject, &what.subject));
    cr_assert_eq(plan.items[0].pool_at, what.pool_at);
    cr_assert(xr_state_equal(plan.items[0].before, xr_snapshot_find(&snapshot, &what.subject)));
    if (plan.items[0].action == XR_ACTION_REFUSE || plan.items[0].action == XR_ACTION_NONE)
        cr_assert(plan.items[0].want == NULL && plan.items[0].ask == NULL);
    if (plan.items[0].action == XR_ACTION_REFUSE)
        cr_assert(plan.items[0].why != NULL && *plan.items[0].why != '\0');
    return plan;
}

/* text is there and contains part, or part is NULL and text is not there. */
static void says(const char *text, const char *part, const char *file, int line)
{
    if (part == NULL)
        cr_assert(text == NULL, "%s:%d: \"%s\"", file, line, text);
    else
        cr_assert(text != NULL && strstr(text, part) != NULL, "%s:%d: no \"%s\" in \"%s\"", file,
                  line, part, text ? text : "(nothing)");
}
#define SAYS(text, part) says(text, part, __FILE__, __LINE__)

/* Asserts on the one step of a plan, and frees it. */
static void expect(struct xr_plan plan, enum xr_action action, const char *why, const char *ask,
                   const char *file, int line)
{
    cr_assert_eq(plan.items[0].action, action, "%s:%d: %s: %s", file, line,
                 xr_action_name(plan.items[0].action), plan.items[0].why ? plan.items[0].why : "");
    says(plan.items[0].why, why, file, line);
    says(plan.items[0].ask, ask, file, line);
    xr_plan_free(&plan);
}
#define EXPECT(plan, action, why, ask) expect(plan, action, why, ask, __FILE__, __LINE__)
#define EXPECT_REFUSED(plan, why)      expect(plan, XR_ACTION_REFUSE, why, NULL, __FILE__, __LINE__)

/* ---- install: places ---- */

Test(plan, a_certificates_kind_decides_where_it_goes)
{
    static const struct {
        unsigned cert;
        enum xr_place place;
        const char *ask;
    } rows[] = {
        {OLD, XR_ANCHOR, "it becomes a trust anchor for server"},
        {NEW, XR_ANCHOR, "it becomes a trust anchor for server"},
        {NEW_LIMITED, XR_ANCHOR, "it becomes a trust anchor for server"},
        {CROSS, XR_INTERMEDIATE, NULL},
        {SUB, XR_INTERMEDIATE, NULL},
        {CONSTRAINED, XR_INTERMEDIATE, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_plan plan = plan_one(wish(XR_WISH_INSTALL, rows[i].cert), caps_with(ALL), strict);
        const struct xr_step *step = &plan.items[0];

        cr_assert_eq(step->action, XR_ACTION_ADD, "row %zu", i);
        cr_assert_eq(step->place, rows[i].place, "row %zu", i);
        cr_assert(step->before == NULL);
        cr_assert_eq(step->want->count, 1);
        cr_assert_eq(step->want->entries[0]->place, rows[i].place);
        cr_assert_eq(step->want->entries[0]->purposes, rows[i].place == XR_ANCHOR ? XR_SERVER : 0);
        cr_assert(xr_bytes_equal(step->want->entries[0]->der, certs[rows[i].cert]->der));
        cr_assert(step->want->entries[0]->label != NULL);
        cr_assert_eq(step->want->entries[0]->native.len, 0);
        SAYS(step->ask, rows[i].ask);
        cr_assert_eq(step->pin_answers, rows[i].ask != NULL);
        xr_plan_free(&plan);
    }
}

Test(plan, places_a_certificate_cannot_have_are_refused)
{
    static const struct {
        unsigned cert;
        enum xr_place place;
        const char *why;
    } rows[] = {
        {LEAF, XR_ANCHOR, "not a CA certificate: it cannot be an anchor"},
        {LEAF, XR_INTERMEDIATE, "not a CA certificate: it cannot be an intermediate"},
        {LEAF, XR_CRL, "a certificate cannot go in the place crl"},
        {NEW, XR_CRL, "a certificate cannot go in the place crl"},
        {NEW, XR_PEER, "a CA certificate cannot be a peer"},
        {CROSS, XR_PEER, "a CA certificate cannot be a peer"},
        {SUB, XR_PEER, "a CA certificate cannot be a peer"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_REFUSED(plan_one(wish_as(rows[i].cert, rows[i].place), caps_with(ALL), dropping),
                       rows[i].why);
    EXPECT_REFUSED(plan_one(wish(XR_WISH_INSTALL, LEAF), caps_with(ALL), strict),
                   "only --as peer installs it");
}

Test(plan, self_signed_and_silent_is_placed_only_where_it_is_asked_to)
{
    struct xr_plan plan = {0};

    plan = plan_one(wish(XR_WISH_INSTALL, SILENT), caps_with(ALL), strict);
    SAYS(plan.items[0].why, "--as peer");
    EXPECT_REFUSED(plan, "--as anchor");
    plan = plan_one(wish_as(SILENT, XR_ANCHOR), caps_with(ALL), strict);
    cr_assert(plan.items[0].pin_answers);
    EXPECT(plan, XR_ACTION_ADD, NULL, "believed; it does not say that it is a CA");
    EXPECT(plan_one(wish_as(SILENT, XR_PEER), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
           "it is trusted as itself");
    EXPECT_REFUSED(plan_one(wish_as(SILENT, XR_INTERMEDIATE), caps_with(ALL), strict),
                   "it does not say that it is a CA: it cannot be an intermediate");
    plan = plan_one(wish(XR_WISH_INSTALL, SILENT_LEAF), caps_with(ALL), strict);
    cr_assert(strstr(plan.items[0].why, "anchor") == NULL, "%s", plan.items[0].why);
    EXPECT_REFUSED(plan, "only --as peer installs it");
    EXPECT_REFUSED(plan_one(wish_as(SILENT_LEAF, XR_ANCHOR), caps_with(ALL), strict),
                   "its key usage does not allow it to sign certificates");
}

Test(plan, a_root_whose_signature_nobody_can_check_asks_and_says_so)
{
    struct xr_plan plan = plan_one(wish(XR_WISH_INSTALL, UNCHECKED), caps_with(ALL), strict);

    cr_assert_eq(plan.items[0].place, XR_ANCHOR);
    cr_assert(plan.items[0].pin_answers);
    SAYS(plan.items[0].ask, "it becomes a trust anchor for server");
    EXPECT(plan, XR_ACTION_ADD, "its signature could not be checked: this OpenSSL does not know",
           "its signature could not be checked: this OpenSSL does not know");
}

Test(plan, a_malformed_certificate_is_never_installed_whatever_is_asked)
{
    static const enum xr_place places[] = {XR_ANCHOR, XR_INTERMEDIATE, XR_PEER};

    EXPECT_REFUSED(plan_one(wish(XR_WISH_INSTALL, MALFORMED), caps_with(ALL), strict),
                   "its extension X509v3 Basic Constraints cannot be read");
    for (size_t i = 0; i < COUNT(places); i++)
        EXPECT_REFUSED(plan_one(wish_as(MALFORMED, places[i]), caps_with(ALL), dropping),
                       "its extension X509v3 Basic Constraints cannot be read");
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, MALFORMED), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
           NULL);
}

Test(plan, what_install_refuses_is_said_to_go_nowhere)
{
    static const struct {
        unsigned cert;
        bool limited;
        uint32_t trust;
        const char *text;
    } rows[] = {
        {NEW, false, 0, "anchor, after confirmation"},
        {UNCHECKED, false, 0, "anchor, after confirmation"},
        {NEW, true, 0, "nowhere: no purpose is left"},
        {NEW, true, XR_EMAIL, "but not for servers: it allows only email"},
        {NEW, true, XR_SERVER, "anchor for server, after confirmation, in stores that can"},
        {EMAIL_ROOT, false, 0, "but not for servers: it allows only email"},
        {CROSS, false, 0, "intermediate: builds paths"},
        {LEAF, false, 0, "nowhere, unless --as peer"},
        {SILENT, false, 0, "nowhere, unless --as anchor or --as peer"},
        {SILENT_LEAF, false, 0, "nowhere, unless --as peer"},
        {MALFORMED, false, 0, "nowhere: OpenSSL does not accept it"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = xr_placement_text(&pool, rows[i].cert, rows[i].limited, rows[i].trust);

        cr_assert(strstr(text, rows[i].text) != NULL, "row %zu: %s", i, text);
        free(text);
    }
}

Test(plan, a_leaf_as_a_peer_asks)
{
    struct xr_plan plan = plan_one(wish_as(LEAF, XR_PEER), caps_with(ALL), strict);

    cr_assert_eq(plan.items[0].action, XR_ACTION_ADD);
    cr_assert_eq(plan.items[0].place, XR_PEER);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_PEER);
    SAYS(plan.items[0].ask, "trusted as itself");
    cr_assert(plan.items[0].pin_answers);
    xr_plan_free(&plan);
}

Test(plan, a_root_may_be_an_intermediate_which_asks_nothing)
{
    struct xr_plan plan = plan_one(wish_as(NEW, XR_INTERMEDIATE), caps_with(ALL), strict);

    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_INTERMEDIATE);
    cr_assert_eq(plan.items[0].want->entries[0]->purposes, 0);
    EXPECT(plan, XR_ACTION_ADD, NULL, NULL);
}

Test(plan, a_store_without_the_place_refuses)
{
    static const struct {
        unsigned cert;
        enum xr_place place;
        const char *why;
    } rows[] = {
        {NEW, XR_ANCHOR, "this store has no place for an anchor"},
        {CROSS, XR_INTERMEDIATE, "this store has no place for an intermediate"},
        {LEAF, XR_PEER, "this store has no place for a peer"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_caps caps = caps_with(ALL);

        caps.places[rows[i].place] = XR_CANNOT;
        EXPECT_REFUSED(plan_one(wish_as(rows[i].cert, rows[i].place), caps, strict), rows[i].why);
        caps.places[rows[i].place] = XR_ADVISORY;
        EXPECT(plan_one(wish_as(rows[i].cert, rows[i].place), caps, strict), XR_ACTION_ADD, NULL,
               rows[i].place == XR_INTERMEDIATE ? NULL : "trust");
    }
}

Test(plan, what_programs_must_be_told_is_said_of_a_place_that_is_advisory)
{
    struct xr_caps caps = caps_with(ALL);
    struct xr_plan plan;

    (void)snprintf(caps.why_cannot[XR_INTERMEDIATE], sizeof(caps.why_cannot[0]), "only if told");
    plan = plan_one(wish_as(CROSS, XR_INTERMEDIATE), caps, strict);
    EXPECT(plan, XR_ACTION_ADD, NULL, NULL);
    caps.places[XR_INTERMEDIATE] = XR_ADVISORY;
    plan = plan_one(wish_as(CROSS, XR_INTERMEDIATE), caps, strict);
    EXPECT(plan, XR_ACTION_ADD, "only if told", NULL);
}

Test(plan, a_crl_goes_among_the_crls)
{
    struct xr_wish crl = {.what = XR_WISH_INSTALL,
                          .subject = {.type = XR_SUBJECT_CRL, .id = {1}},
                          .der = {(const unsigned char *)"crl", 3},
                          .pool_at = XR_NONE};
    struct xr_caps caps = caps_with(ALL);
    struct xr_plan plan = plan_one(crl, caps, strict);

    cr_assert_eq(plan.items[0].place, XR_CRL);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_CRL);
    EXPECT(plan, XR_ACTION_ADD, NULL, NULL);
    crl.place_given = true;
    crl.place = XR_CRL;
    EXPECT(plan_one(crl, caps, strict), XR_ACTION_ADD, NULL, NULL);
    crl.place = XR_ANCHOR;
    EXPECT_REFUSED(plan_one(crl, caps, strict), "a CRL cannot go");
    crl.place_given = false;
    caps.places[XR_CRL] = XR_CANNOT;
    EXPECT_REFUSED(plan_one(crl, caps, strict), "this store has no place for a ");
    crl.refusal = "the CRL has expired";
    EXPECT_REFUSED(plan_one(crl, caps_with(ALL), strict), "the CRL has expired");
}

/* ---- install: purposes ---- */

Test(plan, an_anchors_purposes_are_what_wish_certificate_settings_and_store_allow)
{
    static const struct {
        unsigned cert;
        uint32_t caps, wanted;
        bool limited;
        uint32_t trust, got;
    } rows[] = {
        {NEW, ALL, 0, false, 0, XR_SERVER},
        {NEW, ALL, XR_EMAIL | XR_CODE, false, 0, XR_EMAIL | XR_CODE},
        {NEW, ALL, XR_ANY_PURPOSE, false, 0, ALL},
        {NEW, XR_SERVER | XR_EMAIL, XR_ANY_PURPOSE, false, 0, XR_SERVER | XR_EMAIL},
        {NEW, XR_SERVER | XR_EMAIL, XR_SERVER | XR_CODE, false, 0, XR_SERVER},
        {NEW, XR_EMAIL, 0, false, 0, 0},
        {NEW, ALL, XR_ANY_PURPOSE, true, XR_EMAIL, XR_EMAIL},
        {NEW, ALL, 0, true, XR_SERVER | XR_EMAIL, XR_SERVER},
        {NEW, ALL, 0, true, XR_EMAIL, 0},
        {NEW, ALL, XR_ANY_PURPOSE, true, 0, 0},
        {EMAIL_ROOT, ALL, XR_EMAIL, false, 0, XR_EMAIL},
        {EMAIL_ROOT, ALL, XR_ANY_PURPOSE, false, 0, XR_EMAIL},
        {EMAIL_ROOT, ALL, 0, false, 0, 0},
        {EMAIL_ROOT, ALL, XR_SERVER, false, 0, 0},
        {EMAIL_ROOT, ALL, XR_ANY_PURPOSE, true, XR_SERVER, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_wish what = wish_for(rows[i].cert, rows[i].wanted);
        struct xr_plan plan = {0};
        char ask[128], purposes[64];

        what.trust_limited = rows[i].limited;
        what.trust = rows[i].trust;
        plan = plan_one(what, caps_with(rows[i].caps), strict);
        if (rows[i].got == 0) {
            EXPECT_REFUSED(plan, "no purpose is left to trust it for");
            continue;
        }
        cr_assert_eq(plan.items[0].action, XR_ACTION_ADD, "row %zu", i);
        cr_assert_eq(plan.items[0].want->entries[0]->purposes, rows[i].got, "row %zu", i);
        xr_purposes_text(purposes, sizeof(purposes), rows[i].got);
        (void)snprintf(ask, sizeof(ask), "it becomes a trust anchor for %s", purposes);
        cr_assert(strncmp(plan.items[0].ask, ask, strlen(ask)) == 0,
                  "the question names what is given");
        xr_plan_free(&plan);
    }
}

Test(plan, a_store_that_cannot_restrict_trusts_for_any_purpose_and_says_so)
{
    struct xr_caps any = caps_with(XR_ANY_PURPOSE);
    struct xr_plan plan = plan_one(wish(XR_WISH_INSTALL, NEW), any, strict);

    cr_assert_eq(plan.items[0].want->entries[0]->purposes, XR_ANY_PURPOSE);
    EXPECT(plan, XR_ACTION_ADD, NULL, "it becomes a trust anchor for any purpose");
    EXPECT_REFUSED(plan_one(wish_for(NEW, XR_SERVER), any, strict),
                   "this store cannot restrict an anchor to a purpose");
    EXPECT(plan_one(wish_as(NEW, XR_INTERMEDIATE), any, strict), XR_ACTION_ADD, NULL, NULL);
}

Test(plan, trust_settings_are_not_dropped_by_a_store_that_cannot_hold_them)
{
    struct xr_caps any = caps_with(XR_ANY_PURPOSE);
    struct xr_wish what = wish(XR_WISH_INSTALL, NEW);

    what.trust_limited = true;
    what.trust = XR_EMAIL;
    EXPECT_REFUSED(plan_one(what, any, strict),
                   "its trust settings allow only email, and this store cannot restrict an anchor");
    what.trust = 0;
    EXPECT_REFUSED(plan_one(what, any, strict), "this store cannot restrict an anchor");
    what.trust = ALL;
    EXPECT(plan_one(what, any, strict), XR_ACTION_ADD, NULL, "any purpose");
    what.trust = XR_EMAIL;
    what.place_given = true;
    what.place = XR_ANCHOR;
    EXPECT(plan_one(what, any, strict), XR_ACTION_ADD, NULL, "any purpose");
}

/* ---- install: questions ---- */

Test(plan, an_anchor_that_is_not_self_signed_says_what_that_means)
{
    static const unsigned unlimited[] = {CROSS, SUB};
    static const unsigned limited[] = {CONSTRAINED, PATHLEN, EMAIL_SUB};

    for (size_t i = 0; i < COUNT(unlimited); i++) {
        struct xr_plan plan = plan_one(wish_as(unlimited[i], XR_ANCHOR), caps_with(ALL), strict);

        cr_assert_eq(plan.items[0].place, XR_ANCHOR);
        cr_assert(plan.items[0].pin_answers);
        EXPECT(plan, XR_ACTION_ADD, NULL, "it is not self-signed");
    }
    for (size_t i = 0; i < COUNT(limited); i++) {
        struct xr_wish what = wish_as(limited[i], XR_ANCHOR);

        what.purposes = XR_EMAIL;
        EXPECT_REFUSED(plan_one(what, caps_with(ALL), strict), "--drop-constraints accepts that");
        EXPECT(plan_one(what, caps_with(ALL), dropping), XR_ACTION_ADD, NULL,
               "it is not self-signed");
    }
    EXPECT(plan_one(wish(XR_WISH_INSTALL, NEW_LIMITED), caps_with(ALL), strict), XR_ACTION_ADD,
           NULL, "it becomes a trust anchor");
}

Test(plan, a_cross_certificate_of_a_distrusted_key_asks_and_no_pin_answers)
{
    static const unsigned held[] = {NEW, NEW_LIMITED};

    for (size_t i = 0; i < COUNT(held); i++) {
        struct xr_plan plan = {0};

        holds(held[i], XR_DISTRUST, 0, 0);
        plan = plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict);
        cr_assert_not(plan.items[0].pin_answers);
        EXPECT(plan, XR_ACTION_ADD, NULL, "its key is distrusted in this store");
        EXPECT(plan_one(wish(XR_WISH_INSTALL, SUB), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
               NULL);
        xr_snapshot_free(&snapshot);
    }
}

Test(plan, a_cross_certificate_of_a_key_distrusted_by_the_key_alone_asks)
{
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = {.type = XR_SUBJECT_KEY}, .place = XR_DISTRUST};
    struct xr_plan plan = {0};

    memcpy(entry.subject.id, certs[CROSS]->spki_sha256, XR_SHA256_LEN);
    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    plan = plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict);
    cr_assert_not(plan.items[0].pin_answers);
    EXPECT(plan, XR_ACTION_ADD, NULL, "its key is distrusted in this store");
    EXPECT(plan_one(wish(XR_WISH_INSTALL, SUB), caps_with(ALL), strict), XR_ACTION_ADD, NULL, NULL);
}

Test(plan, a_cross_certificate_around_a_constrained_anchor_asks)
{
    static const struct xr_attached limit = {.size = sizeof(limit),
                                             .oid = {(const unsigned char *)"oid", 3}};
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = subject(NEW),
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .attached = &limit,
                             .attached_count = 1};

    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
           NULL);
    holds(NEW_LIMITED, XR_ANCHOR, XR_SERVER, 0);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
           "its key has constraints in this store");
    xr_snapshot_free(&snapshot);
    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict), XR_ACTION_ADD, NULL,
           "its key has constraints in this store");
}

/* A root made anew from a distrusted key gives that key more than a cross certificate would. */
Test(plan, an_anchor_of_a_distrusted_key_asks_and_no_pin_answers)
{
    static const unsigned wanted[] = {NEW, CROSS};

    holds(NEW_LIMITED, XR_DISTRUST, 0, 0);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct xr_plan plan = plan_one(wish_as(wanted[i], XR_ANCHOR), caps_with(ALL), strict);

        cr_assert_not(plan.items[0].pin_answers);
        EXPECT(plan, XR_ACTION_ADD, NULL, "its key is distrusted in this store");
    }
}

/* Trust that the store holds for a certificate by issuer and serial number alone. */
static void holds_stray(unsigned cert, enum xr_place place)
{
    const struct xr_slices *slices = &certs[cert]->d.slices;
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_ISSUER_SERIAL},
                             .place = place,
                             .issuer = slices->issuer,
                             .serial = slices->serial};
    struct xr_buf both = {0};

    xr_buf_add(&both, slices->issuer.data, slices->issuer.len);
    xr_buf_add(&both, slices->serial.data, slices->serial.len);
    xr_x509_sha256(entry.subject.id, (struct xr_bytes){(const unsigned char *)both.data, both.len});
    xr_buf_free(&both);
    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
}

static struct xr_plan plan_of(struct xr_wish one)
{
    struct xr_caps caps = caps_with(ALL);
    struct xr_plan plan = {0};

    xr_plan_build(&plan, &one, 1, &snapshot, &caps, &pool, &strict);
    return plan;
}

Test(plan, a_distrust_by_issuer_and_serial_goes_first_and_is_asked_about)
{
    struct xr_plan plan = {0};

    holds_stray(CROSS, XR_DISTRUST);
    plan = plan_of(wish_as(CROSS, XR_ANCHOR));
    cr_assert_eq(plan.count, 2);
    cr_assert_eq(plan.items[0].subject.type, XR_SUBJECT_ISSUER_SERIAL);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REMOVE);
    cr_assert_null(plan.items[0].ask);
    cr_assert_eq(plan.items[1].action, XR_ACTION_ADD);
    cr_assert(strstr(plan.items[1].ask, "distrusted in this store") != NULL);
    cr_assert_not(plan.items[1].pin_answers);
    xr_plan_free(&plan);
}

Test(plan, trust_left_without_its_certificate_goes_before_it_comes)
{
    struct xr_plan plan = {0};

    holds_stray(CROSS, XR_ANCHOR);
    plan = plan_of(wish(XR_WISH_INSTALL, CROSS));
    cr_assert_eq(plan.count, 2);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REMOVE);
    cr_assert_null(plan.items[0].want);
    cr_assert_eq(plan.items[1].action, XR_ACTION_ADD);
    cr_assert_eq(plan.items[1].place, XR_INTERMEDIATE);
    xr_plan_free(&plan);
}

Test(plan, trust_left_without_its_certificate_can_be_removed)
{
    struct xr_plan plan = {0};

    holds_stray(CROSS, XR_ANCHOR);
    plan = plan_of(wish(XR_WISH_REMOVE, CROSS));
    cr_assert_eq(plan.count, 2);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REMOVE);
    cr_assert_eq(plan.items[1].action, XR_ACTION_NONE);
    xr_plan_free(&plan);
}

Test(plan, a_refused_wish_leaves_trust_without_its_certificate_alone)
{
    struct xr_plan plan = {0};

    holds_stray(LEAF, XR_ANCHOR);
    plan = plan_of(wish(XR_WISH_INSTALL, LEAF));
    cr_assert_eq(plan.count, 1);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REFUSE);
    xr_plan_free(&plan);
}

Test(plan, two_distrusted_certificates_of_a_key_are_one_question)
{
    struct xr_plan plan = {0};

    holds(NEW, XR_DISTRUST, 0, 0);
    holds(NEW_LIMITED, XR_DISTRUST, 0, 0);
    plan = plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict);
    cr_assert_str_eq(plan.items[0].ask, "its key is distrusted in this store");
    xr_plan_free(&plan);
}

/* The key of CROSS and NEW, distrusted by itself. */
static void holds_key(void)
{
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = {.type = XR_SUBJECT_KEY}, .place = XR_DISTRUST};

    memcpy(entry.subject.id, certs[CROSS]->spki_sha256, XR_SHA256_LEN);
    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
}

Test(plan, questions_about_a_key_come_in_the_order_of_the_store)
{
    static const char *const asked[] = {
        "its key has constraints in this store; its key is distrusted in this store",
        "its key is distrusted in this store; its key has constraints in this store"};

    for (size_t i = 0; i < COUNT(asked); i++) {
        struct xr_plan plan = {0};

        if (i > 0)
            holds_key();
        holds(NEW_LIMITED, XR_ANCHOR, XR_SERVER, 0);
        if (i == 0)
            holds_key();
        plan = plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict);
        cr_assert_str_eq(plan.items[0].ask, asked[i]);
        xr_plan_free(&plan);
        xr_snapshot_free(&snapshot);
    }
}

Test(plan, each_certificate_of_a_batch_is_asked_about_for_the_others_of_its_key)
{
    const struct xr_wish wishes[] = {wish(XR_WISH_INSTALL, CROSS), wish_as(NEW, XR_ANCHOR)};
    struct xr_caps caps = caps_with(ALL);
    struct xr_plan plan = {0};

    /* the first reason of two is a certificate's own; that of the other still counts */
    holds(NEW, XR_DISTRUST, 0, 0);
    holds(NEW_LIMITED, XR_DISTRUST, 0, 0);
    xr_plan_build(&plan, wishes, COUNT(wishes), &snapshot, &caps, &pool, &strict);
    cr_assert_eq(plan.count, 2);
    for (size_t i = 0; i < plan.count; i++)
        cr_assert(strstr(plan.items[i].ask, "its key is distrusted in this store") != NULL);
    xr_plan_free(&plan);
    xr_snapshot_free(&snapshot);
    holds(NEW, XR_DISTRUST, 0, 0);
    xr_plan_build(&plan, wishes, COUNT(wishes), &snapshot, &caps, &pool, &strict);
    cr_assert(strstr(plan.items[0].ask, "its key is distrusted in this store") != NULL);
    cr_assert(strstr(plan.items[1].ask, "its key is distrusted in this store") == NULL);
    xr_plan_free(&plan);
}

Test(plan, steps_are_found_by_their_subject)
{
    static const unsigned order[] = {NEW, CROSS, NEW};
    struct xr_subject leaf = subject(LEAF), new = subject(NEW), cross = subject(CROSS), key = new;
    struct xr_plan plan = {0};
    struct xr_steps steps;

    for (size_t i = 0; i < COUNT(order); i++) {
        struct xr_subject of = subject(order[i]);

        xr_plan_step(&plan, &of, order[i], NULL, xr_state_new(&of));
    }
    key.type = XR_SUBJECT_KEY;
    xr_steps_index(&steps, &plan);
    cr_assert_eq(xr_steps_of(&steps, &new), 0);
    cr_assert_eq(steps.next[0], 2);
    cr_assert_eq(steps.next[2], XR_NONE);
    cr_assert_eq(xr_steps_of(&steps, &cross), 1);
    cr_assert_eq(steps.next[1], XR_NONE);
    cr_assert_eq(xr_steps_of(&steps, &leaf), XR_NONE);
    cr_assert_eq(xr_steps_of(&steps, &key), XR_NONE, "the same ID, of another type");
    xr_steps_free(&steps);
    xr_plan_free(&plan);
}

Test(plan, ending_a_distrust_asks_and_no_pin_answers)
{
    static const struct {
        unsigned cert;
        enum xr_place place;
    } rows[] = {{NEW, XR_ANCHOR}, {CROSS, XR_INTERMEDIATE}, {LEAF, XR_PEER}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_plan plan = {0};

        holds(rows[i].cert, XR_DISTRUST, 0, 0);
        plan = plan_one(wish_as(rows[i].cert, rows[i].place), caps_with(ALL), strict);
        cr_assert_not(plan.items[0].pin_answers);
        cr_assert_eq(plan.items[0].want->count, 1);
        cr_assert_eq(plan.items[0].want->entries[0]->place, rows[i].place);
        EXPECT(plan, XR_ACTION_CHANGE, NULL, "it is distrusted in this store, and that would end");

        holds(rows[i].cert, rows[i].place, XR_SERVER, 0); /* both at once: still a change */
        EXPECT(plan_one(wish_as(rows[i].cert, rows[i].place), caps_with(ALL), strict),
               XR_ACTION_CHANGE, NULL, "that would end");
        xr_snapshot_free(&snapshot);
    }
}

Test(plan, a_caution_asks_and_no_pin_answers)
{
    struct xr_wish what = wish(XR_WISH_INSTALL, NEW);
    struct xr_plan plan = {0};

    what.caution = "it would shadow a good path";
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_not(plan.items[0].pin_answers);
    cr_assert_str_eq(plan.items[0].ask,
                     "it becomes a trust anchor for server: every web server that shows a "
                     "certificate of this CA will be believed; it would shadow a good path");
    xr_plan_free(&plan);
    what = wish(XR_WISH_INSTALL, SUB);
    what.caution = "it would shadow a good path";
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_not(plan.items[0].pin_answers);
    EXPECT(plan, XR_ACTION_ADD, NULL, "it would shadow a good path");
}

/* ---- install: what is there ---- */

Test(plan, what_is_there_already_needs_nothing)
{
    holds(NEW, XR_ANCHOR, XR_SERVER, XR_ENTRY_VENDOR);
    holds(CROSS, XR_INTERMEDIATE, 0, 0);
    holds(LEAF, XR_PEER, 0, 0);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, NEW), caps_with(ALL), strict), XR_ACTION_NONE, NULL,
           NULL);
    EXPECT(plan_one(wish_for(NEW, XR_SERVER), caps_with(ALL), strict), XR_ACTION_NONE, NULL, NULL);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, CROSS), caps_with(ALL), strict), XR_ACTION_NONE, NULL,
           NULL);
    EXPECT(plan_one(wish_as(LEAF, XR_PEER), caps_with(ALL), strict), XR_ACTION_NONE, NULL, NULL);
}

Test(plan, installing_adds_purposes_and_only_the_option_only_takes_them_away)
{
    static const struct {
        uint32_t held, wanted; /* 0: nothing said, so server */
        uint32_t added,
            alone;       /* what it is trusted for then, without and with --only; 0: as it is */
        const char *ask; /* without --only */
    } rows[] = {
        {XR_SERVER, XR_EMAIL, XR_SERVER | XR_EMAIL, XR_EMAIL,
         "trusted for: server → server, email"},
        {XR_CLIENT | XR_EMAIL | XR_CODE, 0, XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE, XR_SERVER,
         "trusted for: client, email, code → server, client, email, code"},
        {XR_SERVER | XR_EMAIL, XR_EMAIL, 0, XR_EMAIL, NULL},
        {XR_SERVER | XR_EMAIL, 0, 0, XR_SERVER, NULL},
        {XR_SERVER, XR_SERVER, 0, 0, NULL},
        {XR_SERVER, XR_ANY_PURPOSE, ALL, ALL,
         "trusted for: server → server, client, email, code, time"},
        {XR_ANY_PURPOSE, XR_EMAIL, 0, XR_EMAIL, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int alone = 0; alone < 2; alone++) {
            uint32_t expected = alone ? rows[i].alone : rows[i].added, before = 0, after = 0;
            struct xr_plan plan = {0};

            holds(NEW, XR_ANCHOR, rows[i].held, 0);
            plan = plan_one(wish_for(NEW, rows[i].wanted), caps_with(ALL), alone ? only : strict);
            cr_assert_eq(plan.items[0].action, expected != 0 ? XR_ACTION_CHANGE : XR_ACTION_NONE,
                         "row %zu, only %d", i, alone);
            cr_assert_eq(xr_step_trust(&plan.items[0], &before, &after), expected != 0);
            cr_assert_eq(before, rows[i].held, "row %zu", i);
            cr_assert_eq(after, expected != 0 ? expected : rows[i].held, "row %zu", i);
            if (expected != 0)
                SAYS(plan.items[0].ask, alone ? " → " : rows[i].ask);
            xr_plan_free(&plan);
            xr_snapshot_free(&snapshot);
        }
    }
}

Test(plan, only_leaves_stores_that_cannot_restrict_as_they_are)
{
    struct xr_caps any = caps_with(XR_ANY_PURPOSE);

    EXPECT(plan_one(wish(XR_WISH_INSTALL, NEW), any, only), XR_ACTION_ADD, NULL,
           "it becomes a trust anchor for any purpose");
    holds(NEW, XR_ANCHOR, XR_ANY_PURPOSE, 0);
    EXPECT(plan_one(wish(XR_WISH_INSTALL, NEW), any, only), XR_ACTION_NONE, NULL, NULL);
}

Test(plan, a_step_knows_what_it_is_trusted_for_before_and_after)
{
    uint32_t before = 1, after = 1;
    struct xr_plan plan = plan_one(wish(XR_WISH_INSTALL, NEW), caps_with(ALL), strict);

    cr_assert_not(xr_step_trust(&plan.items[0], &before, &after), "it was no anchor");
    cr_assert(before == 0 && after == XR_SERVER);
    xr_plan_free(&plan);
    holds(NEW, XR_ANCHOR, XR_SERVER | XR_EMAIL, 0);
    plan = plan_one(wish(XR_WISH_REMOVE, NEW), caps_with(ALL), strict);
    cr_assert_not(xr_step_trust(&plan.items[0], &before, &after));
    cr_assert(before == (XR_SERVER | XR_EMAIL) && after == 0);
    xr_plan_free(&plan);
    holds(NEW, XR_DISTRUST, XR_EMAIL, 0); /* an NSS database distrusts for single purposes */
    plan = plan_one(wish(XR_WISH_REMOVE, NEW), caps_with(ALL), strict);
    (void)xr_step_trust(&plan.items[0], &before, &after);
    cr_assert_eq(before, XR_SERVER);
    xr_plan_free(&plan);
}

/* Installed for email alone, then asked for as a server's CA: "nothing to do" would be untrue. */
Test(plan, an_anchor_for_something_else_is_not_there_already)
{
    struct xr_plan plan = {0};

    holds(NEW, XR_ANCHOR, XR_EMAIL, 0);
    plan = plan_one(wish(XR_WISH_INSTALL, NEW), caps_with(ALL), strict);
    cr_assert(plan.items[0].action == XR_ACTION_CHANGE || plan.items[0].why != NULL,
              "nothing is done and nothing is said");
    xr_plan_free(&plan);
}

/* Constraints that were attached to an anchor do not vanish without a word. */
Test(plan, a_change_of_purposes_does_not_drop_attached_constraints_unasked)
{
    static const struct xr_attached limit = {.size = sizeof(limit),
                                             .oid = {(const unsigned char *)"oid", 3}};
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = subject(NEW),
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER | XR_EMAIL,
                             .attached = &limit,
                             .attached_count = 1};
    struct xr_plan plan = {0};
    const struct xr_step *step = NULL;

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    plan = plan_one(wish_for(NEW, XR_SERVER), caps_with(ALL), only);
    step = &plan.items[0];
    cr_assert(step->action == XR_ACTION_REFUSE || step->want->entries[0]->attached_count == 1 ||
                  (step->ask != NULL && !step->pin_answers),
              "a pin answers, and the constraint is gone");
    xr_plan_free(&plan);
}

Test(plan, an_anchor_is_not_narrowed_by_installing_an_intermediate)
{
    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    EXPECT(plan_one(wish_as(NEW, XR_INTERMEDIATE), caps_with(ALL), strict), XR_ACTION_NONE,
           "already an anchor in this store", NULL);
}

Test(plan, an_intermediate_becomes_an_anchor_when_asked_for)
{
    struct xr_plan plan = {0};

    holds(CROSS, XR_INTERMEDIATE, 0, 0);
    plan = plan_one(wish_as(CROSS, XR_ANCHOR), caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].want->count, 1);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_ANCHOR);
    EXPECT(plan, XR_ACTION_CHANGE, NULL, "it is not self-signed");
}

/* ---- remove ---- */

Test(plan, remove_takes_a_certificate_out_of_every_place)
{
    struct xr_plan plan = {0};

    EXPECT(plan_one(wish(XR_WISH_REMOVE, NEW), caps_with(ALL), strict), XR_ACTION_NONE,
           "not in this store", NULL);
    holds(NEW, XR_ANCHOR, XR_SERVER, XR_ENTRY_OURS);
    holds(NEW, XR_INTERMEDIATE, 0, XR_ENTRY_OURS);
    plan = plan_one(wish(XR_WISH_REMOVE, NEW), caps_with(ALL), strict);
    cr_assert(plan.items[0].want == NULL);
    cr_assert_eq(plan.items[0].before->count, 2);
    EXPECT(plan, XR_ACTION_REMOVE, NULL, NULL);
}

Test(plan, remove_from_a_place_leaves_the_others_as_they_are)
{
    struct xr_wish what = wish(XR_WISH_REMOVE, NEW);
    struct xr_plan plan = {0};

    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    holds(NEW, XR_INTERMEDIATE, 0, 0);
    what.place_given = true;
    what.place = XR_ANCHOR;
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].place, XR_ANCHOR);
    cr_assert_eq(plan.items[0].want->count, 1);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_INTERMEDIATE);
    cr_assert_eq(plan.items[0].want->entries[0]->native.len, 6, "put back exactly");
    EXPECT(plan, XR_ACTION_REMOVE, NULL, NULL);
    what.place = XR_PEER;
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].place, XR_PEER);
    EXPECT(plan, XR_ACTION_NONE, "not in this store", NULL);
}

Test(plan, what_the_vendor_ships_is_not_removed_but_distrusted)
{
    struct xr_wish what = wish(XR_WISH_REMOVE, NEW);
    struct xr_plan plan = {0};

    holds(NEW, XR_ANCHOR, XR_SERVER, XR_ENTRY_VENDOR);
    EXPECT_REFUSED(plan_one(what, caps_with(ALL), strict), "use distrust instead");
    holds(NEW, XR_INTERMEDIATE, 0, XR_ENTRY_OURS);
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].want->count, 1, "ours goes, the vendor's stays");
    EXPECT(plan, XR_ACTION_REMOVE, "the entry that comes with the system stays", NULL);
    what.place_given = true;
    what.place = XR_ANCHOR;
    EXPECT_REFUSED(plan_one(what, caps_with(ALL), strict), "use distrust instead");
    what.place = XR_INTERMEDIATE;
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].want->count, 1);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_ANCHOR);
    EXPECT(plan, XR_ACTION_REMOVE, NULL, NULL);
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, NEW), caps_with(ALL), strict), XR_ACTION_CHANGE, NULL,
           NULL);
}

Test(plan, removing_a_distrust_asks_and_no_pin_answers)
{
    struct xr_wish what = wish(XR_WISH_REMOVE, NEW);
    struct xr_plan plan = {0};

    holds(NEW, XR_DISTRUST, 0, 0);
    plan = plan_one(what, caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].place, XR_DISTRUST);
    cr_assert_not(plan.items[0].pin_answers);
    EXPECT(plan, XR_ACTION_REMOVE, NULL, "that would end");
    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    what.place_given = true;
    what.place = XR_ANCHOR;
    EXPECT(plan_one(what, caps_with(ALL), strict), XR_ACTION_REMOVE, NULL, NULL);
    what.place = XR_DISTRUST;
    EXPECT(plan_one(what, caps_with(ALL), strict), XR_ACTION_REMOVE, NULL, "that would end");
}

/* ---- distrust ---- */

Test(plan, distrust_says_how_strong_it_is_and_weak_ones_need_consent)
{
    static const struct {
        enum xr_strength strength;
        bool best_effort, refused;
        const char *why;
    } rows[] = {
        {XR_CANNOT, false, true, "this store cannot distrust"},
        {XR_CANNOT, true, true, "this store cannot distrust"},
        {XR_ADVISORY, false, true, "ignore it; --best-effort accepts that"},
        {XR_ADVISORY, true, false, "ignore it"},
        {XR_DESELECT_ONLY, false, true,
         "a copy elsewhere would stay trusted; --best-effort accepts that"},
        {XR_DESELECT_ONLY, true, false, "a copy elsewhere would stay trusted"},
        {XR_ENFORCED, false, false, NULL},
        {XR_ENFORCED, true, false, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_caps caps = caps_with(ALL);
        struct xr_plan plan = {0};

        caps.places[XR_DISTRUST] = rows[i].strength;
        plan = plan_one(wish(XR_WISH_DISTRUST, NEW), caps, rows[i].best_effort ? best : strict);
        cr_assert_eq(plan.items[0].place, XR_DISTRUST);
        if (rows[i].refused) {
            EXPECT_REFUSED(plan, rows[i].why);
            continue;
        }
        if (rows[i].strength == XR_DESELECT_ONLY) {
            EXPECT_REFUSED(plan, "only deselect what comes with the system");
            holds(NEW, XR_ANCHOR, XR_SERVER, XR_ENTRY_VENDOR);
            plan = plan_one(wish(XR_WISH_DISTRUST, NEW), caps, best);
            cr_assert_eq(plan.items[0].want->count, 2, "the vendor's own entry cannot go");
            EXPECT(plan, XR_ACTION_CHANGE, rows[i].why, NULL);
            xr_snapshot_free(&snapshot);
            continue;
        }
        cr_assert_eq(plan.items[0].want->count, 1);
        cr_assert_eq(plan.items[0].want->entries[0]->place, XR_DISTRUST);
        EXPECT(plan, XR_ACTION_ADD, rows[i].why, NULL);
    }
}

Test(plan, a_store_that_blocks_by_key_names_the_anchors_that_would_go_too)
{
    static const struct xr_plan_policy by_key = {.key = true};
    struct xr_caps caps = caps_with(ALL);

    caps.distrust_by_key = true;
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, CROSS), caps, strict), XR_ACTION_ADD, NULL, NULL);
    holds(NEW, XR_ANCHOR, XR_SERVER, XR_ENTRY_VENDOR);
    EXPECT_REFUSED(plan_one(wish(XR_WISH_DISTRUST, CROSS), caps, strict),
                   "so these certificates would be distrusted too: New Root (SHA-256 ");
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, CROSS), caps, by_key), XR_ACTION_ADD, NULL, NULL);
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, NEW), caps, strict), XR_ACTION_CHANGE, NULL, NULL);
    holds(NEW, XR_DISTRUST, 0, 0);
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, CROSS), caps, strict), XR_ACTION_ADD, NULL, NULL);
}

Test(plan, a_store_without_a_place_says_why_and_what_to_do)
{
    struct xr_caps caps = caps_with(ALL);

    caps.places[XR_INTERMEDIATE] = XR_CANNOT;
    EXPECT_REFUSED(plan_one(wish(XR_WISH_INSTALL, CROSS), caps, strict), "no place for an");
    (void)strcpy(caps.why_cannot[XR_INTERMEDIATE], "it would become an anchor here");
    EXPECT_REFUSED(plan_one(wish(XR_WISH_INSTALL, CROSS), caps, strict),
                   "it would become an anchor here");
}

Test(plan, distrust_replaces_every_trust_and_is_done_once)
{
    struct xr_plan plan = {0};

    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    holds(NEW, XR_INTERMEDIATE, 0, 0);
    plan = plan_one(wish(XR_WISH_DISTRUST, NEW), caps_with(ALL), strict);
    cr_assert_eq(plan.items[0].want->count, 1);
    cr_assert_eq(plan.items[0].want->entries[0]->place, XR_DISTRUST);
    EXPECT(plan, XR_ACTION_CHANGE, NULL, NULL);
    xr_snapshot_free(&snapshot);
    holds(NEW, XR_DISTRUST, 0, 0);
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, NEW), caps_with(ALL), strict), XR_ACTION_NONE, NULL,
           NULL);
    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    EXPECT(plan_one(wish(XR_WISH_DISTRUST, NEW), caps_with(ALL), strict), XR_ACTION_CHANGE, NULL,
           NULL);
}

Test(plan, distrust_of_a_leaf_and_of_a_certificate_nobody_has_is_possible)
{
    struct xr_wish what = wish(XR_WISH_DISTRUST, LEAF);

    EXPECT(plan_one(what, caps_with(ALL), strict), XR_ACTION_ADD, NULL, NULL);
    what.der = (struct xr_bytes){0};
    what.pool_at = XR_NONE;
    EXPECT(plan_one(what, caps_with(ALL), strict), XR_ACTION_ADD, NULL, NULL);
}

/* caps.subjects says what distrust can name: a key's hash means nothing to a store of files. */
Test(plan, distrust_of_a_subject_the_store_cannot_name_is_refused)
{
    static const enum xr_subject_type types[] = {XR_SUBJECT_KEY, XR_SUBJECT_ISSUER_SERIAL};

    for (size_t i = 0; i < COUNT(types); i++) {
        struct xr_wish what = {
            .what = XR_WISH_DISTRUST, .subject = {.type = types[i], .id = {1}}, .pool_at = XR_NONE};
        struct xr_plan plan = plan_one(what, caps_with(ALL), strict);

        cr_assert_eq(plan.items[0].action, XR_ACTION_REFUSE);
        xr_plan_free(&plan);
    }
}

/* ---- many, and back again ---- */

Test(plan, wishes_give_one_step_each_in_their_order)
{
    struct xr_wish wishes[] = {wish(XR_WISH_DISTRUST, OLD), wish(XR_WISH_INSTALL, LEAF),
                               wish(XR_WISH_REMOVE, SUB), wish(XR_WISH_INSTALL, CROSS),
                               wish(XR_WISH_INSTALL, NEW)};
    static const enum xr_action want[] = {XR_ACTION_ADD, XR_ACTION_REFUSE, XR_ACTION_REMOVE,
                                          XR_ACTION_ADD, XR_ACTION_ADD};
    struct xr_caps caps = caps_with(ALL);
    struct xr_plan plan = {0};

    holds(SUB, XR_INTERMEDIATE, 0, 0);
    xr_plan_build(&plan, wishes, COUNT(wishes), &snapshot, &caps, &pool, &strict);
    cr_assert_eq(plan.count, COUNT(wishes));
    for (size_t i = 0; i < COUNT(wishes); i++) {
        cr_assert_eq(plan.items[i].action, want[i], "wish %zu", i);
        cr_assert(xr_subject_equal(&plan.items[i].subject, &wishes[i].subject));
    }
    xr_plan_free(&plan);
    cr_assert_eq(plan.count, 0);
    xr_plan_build(&plan, NULL, 0, &snapshot, &caps, &pool, &strict);
    cr_assert_eq(plan.count, 0);
    xr_plan_free(&plan);
}

static struct xr_state *one(enum xr_place place, uint32_t purposes)
{
    struct xr_entry entry = {
        .size = sizeof(entry), .subject = subject(NEW), .place = place, .purposes = purposes};
    struct xr_state *state = NULL;

    if (place == XR_PLACE_COUNT)
        return NULL;
    state = xr_state_new(&entry.subject);
    xr_state_add(state, &entry);
    return state;
}

Test(plan, a_step_back_asks_when_it_gives_trust)
{
    static const struct {
        enum xr_place before;
        uint32_t before_for;
        enum xr_place want;
        uint32_t want_for;
        enum xr_action action;
        bool asks;
        enum xr_place place;
    } rows[] = {
        {XR_ANCHOR, XR_SERVER, XR_PLACE_COUNT, 0, XR_ACTION_REMOVE, false, XR_ANCHOR},
        {XR_PLACE_COUNT, 0, XR_ANCHOR, XR_SERVER, XR_ACTION_ADD, true, XR_ANCHOR},
        {XR_PLACE_COUNT, 0, XR_PEER, 0, XR_ACTION_ADD, true, XR_PEER},
        {XR_PLACE_COUNT, 0, XR_INTERMEDIATE, 0, XR_ACTION_ADD, false, XR_INTERMEDIATE},
        {XR_PLACE_COUNT, 0, XR_DISTRUST, 0, XR_ACTION_ADD, false, XR_DISTRUST},
        {XR_DISTRUST, 0, XR_PLACE_COUNT, 0, XR_ACTION_REMOVE, true, XR_DISTRUST},
        {XR_DISTRUST, 0, XR_ANCHOR, XR_SERVER, XR_ACTION_CHANGE, true, XR_ANCHOR},
        {XR_ANCHOR, XR_SERVER, XR_DISTRUST, 0, XR_ACTION_CHANGE, false, XR_DISTRUST},
        {XR_ANCHOR, XR_SERVER, XR_ANCHOR, ALL, XR_ACTION_CHANGE, true, XR_ANCHOR},
        {XR_ANCHOR, ALL, XR_ANCHOR, XR_SERVER, XR_ACTION_CHANGE, false, XR_ANCHOR},
        {XR_ANCHOR, ALL, XR_ANCHOR, ALL, XR_ACTION_NONE, false, XR_ANCHOR},
        {XR_PLACE_COUNT, 0, XR_PLACE_COUNT, 0, XR_ACTION_NONE, false, XR_ANCHOR},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct xr_plan plan = {0};
        struct xr_subject of = subject(NEW);
        const struct xr_step *step = NULL;

        xr_plan_step(&plan, &of, NEW, one(rows[i].before, rows[i].before_for),
                     one(rows[i].want, rows[i].want_for));
        cr_assert_eq(plan.count, 1);
        step = &plan.items[0];
        cr_assert_eq(step->action, rows[i].action, "row %zu: %s", i, xr_action_name(step->action));
        cr_assert_eq(step->place, rows[i].place, "row %zu", i);
        cr_assert_eq(step->ask != NULL, rows[i].asks, "row %zu", i);
        cr_assert_not(step->pin_answers);
        xr_plan_free(&plan);
    }
}

Test(plan, actions_have_names)
{
    cr_assert_str_eq(xr_action_name(XR_ACTION_NONE), "none");
    cr_assert_str_eq(xr_action_name(XR_ACTION_ADD), "add");
    cr_assert_str_eq(xr_action_name(XR_ACTION_CHANGE), "change");
    cr_assert_str_eq(xr_action_name(XR_ACTION_REMOVE), "remove");
    cr_assert_str_eq(xr_action_name(XR_ACTION_REFUSE), "refuse");
}

/* ---- install: limits to names and addresses ---- */

static struct xr_limits limits_to(const char *name)
{
    struct xr_limits limits = {0};

    cr_assert(xr_limits_add_dns(&limits, name));
    return limits;
}

static struct xr_wish wish_limited(unsigned cert, const struct xr_limits *limits)
{
    struct xr_wish made = wish(XR_WISH_INSTALL, cert);

    made.limits = limits;
    return made;
}

static struct xr_caps caps_limiting(void)
{
    struct xr_caps caps = caps_with(ALL);

    caps.limited = XR_ENFORCED;
    return caps;
}

static void holds_limited(unsigned cert, const char *name)
{
    struct xr_limits limits = limits_to(name);
    struct xr_attached attached;
    struct xr_buf memory = {0};
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = subject(cert),
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .der = certs[cert]->der,
                             .attached = &attached,
                             .attached_count = 1};

    xr_limits_attach(&attached, &memory, &limits);
    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    xr_limits_free(&limits);
    xr_buf_free(&memory);
}

/* Frees the plan. */
static void expect_limits(struct xr_plan plan, const char *text)
{
    struct xr_limits found = {0};
    char *said = NULL;

    cr_assert(plan.items[0].want != NULL);
    cr_assert(xr_limits_of(&found, plan.items[0].want->entries[0]));
    said = xr_limits_text(&found);
    cr_assert_str_eq(said != NULL ? said : "", text);
    free(said);
    xr_limits_free(&found);
    xr_plan_free(&plan);
}

Test(plan, an_anchor_is_limited_where_the_store_can_and_refused_elsewhere)
{
    struct xr_limits limits = limits_to("example.com");
    struct xr_caps caps = caps_limiting();

    expect_limits(plan_one(wish_limited(NEW, &limits), caps, strict), "names below example.com");
    EXPECT(plan_one(wish_limited(NEW, &limits), caps, strict), XR_ACTION_ADD, NULL,
           "limited to names below example.com; addresses are not limited");
    EXPECT_REFUSED(plan_one(wish_limited(NEW, &limits), caps_with(ALL), strict),
                   "this store cannot limit an anchor");
    EXPECT_REFUSED(plan_one(wish_limited(CROSS, &limits), caps, strict),
                   "only an anchor can be limited");
    caps.limited = XR_CANNOT;
    (void)snprintf(caps.why_not_limited, sizeof(caps.why_not_limited), "another file does");
    EXPECT_REFUSED(plan_one(wish_limited(NEW, &limits), caps, strict), "another file does");
    caps.limited = XR_ENFORCED;
    caps.places[XR_ANCHOR] = XR_CANNOT; /* of those without limits */
    expect_limits(plan_one(wish_limited(NEW, &limits), caps, strict), "names below example.com");
    xr_limits_free(&limits);
}

Test(plan, who_ignores_limits_is_asked_about_with_them)
{
    struct xr_limits limits = limits_to("example.com");
    struct xr_caps caps = caps_limiting();

    caps.limited = XR_ADVISORY;
    (void)snprintf(caps.why_not_limited, sizeof(caps.why_not_limited), "NSS ignores them");
    EXPECT(plan_one(wish_limited(NEW, &limits), caps, strict), XR_ACTION_ADD, NULL,
           "NSS ignores them");
    xr_limits_free(&limits);
}

Test(plan, an_anchor_without_limits_is_limited_by_only_alone)
{
    struct xr_limits limits = limits_to("example.com");

    holds(NEW, XR_ANCHOR, XR_SERVER, 0);
    EXPECT(plan_one(wish_limited(NEW, &limits), caps_limiting(), strict), XR_ACTION_NONE,
           "--only limits it", NULL);
    expect_limits(plan_one(wish_limited(NEW, &limits), caps_limiting(), only),
                  "names below example.com");
    xr_limits_free(&limits);
}

Test(plan, more_names_are_added_and_only_replaces_them)
{
    struct xr_limits more = limits_to("b.example"), same = limits_to("a.example");
    struct xr_limits range = {0};
    struct xr_plan plan;

    cr_assert(xr_limits_add_cidr(&range, "192.0.2.0/24"));
    holds_limited(NEW, "a.example");
    plan = plan_one(wish_limited(NEW, &more), caps_limiting(), strict);
    cr_assert_not(plan.items[0].pin_answers);
    SAYS(plan.items[0].ask,
         "limited to names below a.example → names below a.example and b.example");
    expect_limits(plan, "names below a.example and b.example");
    expect_limits(plan_one(wish_limited(NEW, &more), caps_limiting(), only),
                  "names below b.example");
    EXPECT(plan_one(wish_limited(NEW, &same), caps_limiting(), strict), XR_ACTION_NONE, NULL, NULL);
    EXPECT_REFUSED(plan_one(wish_limited(NEW, &range), caps_limiting(), strict),
                   "these would leave none");
    xr_limits_free(&more);
    xr_limits_free(&same);
    xr_limits_free(&range);
}

Test(plan, limits_stay_when_an_anchor_is_installed_again)
{
    holds_limited(NEW, "a.example");
    EXPECT(plan_one(wish(XR_WISH_INSTALL, NEW), caps_limiting(), strict), XR_ACTION_NONE,
           "it stays limited to names below a.example", NULL);
    expect_limits(plan_one(wish_for(NEW, XR_EMAIL), caps_limiting(), strict),
                  "names below a.example");
}
