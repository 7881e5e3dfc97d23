/* SPDX-License-Identifier: Apache-2.0 */
#include "change/clash.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW INT64_C(1700000000)

/* REAL and FALSE have one issuer and serial number; OTHER has another number. */
enum { REAL, FALSE, OTHER, CERTS };
static struct xr_cert *certs[CERTS];
static struct xr_pool pool;
static struct xr_snapshot snapshot;
static struct xr_plan plan;

static void setup(void)
{
    for (unsigned i = 0; i < CERTS; i++) {
        struct pki_key *key = pki_key_new(PKI_EC);
        struct pki_spec spec = pki_spec_ca("Root", NOW);
        struct pki_blob der = {0};

        spec.serial = i == OTHER ? "0x78" : "0x77";
        cr_assert(key != NULL);
        cr_assert_eq(pki_issue(&der, key, NULL, NULL, &spec), 0);
        cr_assert_eq(xr_cert_new(&certs[i], (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
        cr_assert_eq(xr_pool_add(&pool, certs[i]), i);
        pki_blob_free(&der);
        pki_key_free(key);
    }
}

static void teardown(void)
{
    xr_plan_free(&plan);
    xr_snapshot_free(&snapshot);
    xr_pool_free(&pool);
    for (unsigned i = 0; i < CERTS; i++)
        xr_cert_free(certs[i]);
}

TestSuite(clash, .init = setup, .fini = teardown);

static struct xr_subject subject(unsigned cert)
{
    struct xr_subject made = {.type = XR_SUBJECT_CERT};

    memcpy(made.id, certs[cert]->sha256, sizeof(made.id));
    return made;
}

static struct xr_entry anchor(unsigned cert)
{
    return (struct xr_entry){.size = sizeof(struct xr_entry),
                             .subject = subject(cert),
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .der = certs[cert]->der};
}

static void holds(unsigned cert)
{
    struct xr_entry entry = anchor(cert);

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
}

static void step(unsigned cert, bool comes)
{
    struct xr_subject of = subject(cert);
    struct xr_entry entry = anchor(cert);
    struct xr_state *want = comes ? xr_state_new(&of) : NULL;

    if (comes)
        xr_state_add(want, &entry);
    xr_plan_step(&plan, &of, cert, xr_state_copy(xr_snapshot_find(&snapshot, &of)), want);
}

static bool names(const char *text, const unsigned char id[XR_SHA256_LEN])
{
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, id, XR_SHA256_LEN);
    return text != NULL && strstr(text, hex) != NULL;
}

static bool refused(size_t at, unsigned because_of)
{
    const struct xr_step *s = &plan.items[at];

    return s->action == XR_ACTION_REFUSE && s->want == NULL && s->ask == NULL &&
           names(s->why, certs[because_of]->sha256);
}

Test(clash, of_two_that_come_the_second_is_refused_and_the_others_go_on)
{
    step(REAL, true);
    step(FALSE, true);
    step(OTHER, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[0].action, XR_ACTION_ADD);
    cr_assert(refused(1, REAL));
    cr_assert_eq(plan.items[2].action, XR_ACTION_ADD);
}

Test(clash, one_that_the_store_has_keeps_the_other_out)
{
    holds(OTHER);
    holds(REAL);
    step(FALSE, true);
    step(REAL, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert(refused(0, REAL));
    cr_assert_eq(plan.items[1].action, XR_ACTION_NONE);
}

Test(clash, one_that_an_earlier_step_removes_makes_room)
{
    holds(REAL);
    step(REAL, false);
    step(FALSE, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[1].action, XR_ACTION_ADD);
}

Test(clash, a_removal_is_never_refused)
{
    holds(REAL);
    holds(FALSE);
    step(FALSE, false);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REMOVE);
}

/* Trust that another program left without its certificate. */
static struct xr_entry stray(void)
{
    struct xr_entry entry = anchor(REAL);

    entry.der = (struct xr_bytes){0};
    entry.issuer = certs[REAL]->d.slices.issuer;
    entry.serial = certs[REAL]->d.slices.serial;
    xr_subject_issuer_serial(&entry.subject, entry.issuer, entry.serial, xr_x509_sha256);
    return entry;
}

Test(clash, trust_for_another_certificate_is_named_by_its_id)
{
    struct xr_entry entry = stray();

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    step(REAL, true);
    step(OTHER, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[0].action, XR_ACTION_REFUSE);
    cr_assert(names(plan.items[0].why, entry.subject.id));
    cr_assert_eq(plan.items[1].action, XR_ACTION_ADD);
}

Test(clash, trust_that_goes_first_stays_if_the_certificate_is_refused)
{
    struct xr_entry entry = stray();

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    holds(FALSE);
    xr_plan_step(&plan, &entry.subject, REAL,
                 xr_state_copy(xr_snapshot_find(&snapshot, &entry.subject)), NULL);
    step(REAL, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[0].action, XR_ACTION_NONE);
    cr_assert(refused(1, FALSE));
}

Test(clash, trust_that_goes_first_is_in_nobodys_way)
{
    struct xr_entry entry = stray();

    cr_assert_eq(xr_snapshot_take(&snapshot, &entry), XR_OK);
    xr_plan_step(&plan, &entry.subject, REAL,
                 xr_state_copy(xr_snapshot_find(&snapshot, &entry.subject)), NULL);
    step(REAL, true);
    xr_plan_refuse_clashes(&plan, &snapshot, &pool);
    cr_assert_eq(plan.items[1].action, XR_ACTION_ADD);
}
