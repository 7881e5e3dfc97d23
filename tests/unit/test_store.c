/* SPDX-License-Identifier: Apache-2.0 */
/* What no backend is asked for: swaps that are refused before it is called. */
#include "stores/store.h"

#include "stores/state.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static size_t calls;
static const struct xr_state *expected, *wanted;
static bool can_write = true;
static struct xr_store store;
static struct xr_error err;

static enum xr_status open_session(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *error)
{
    (void)host, (void)target, (void)mode, (void)error;
    *out = (struct xr_session *)(void *)&calls;
    caps->writable = can_write;
    (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", can_write ? "" : "it is of stone");
    return XR_OK;
}

static enum xr_status renew(struct xr_session *session, struct xr_caps *caps,
                            struct xr_error *error)
{
    (void)session, (void)error;
    caps->writable = can_write;
    return XR_OK;
}

static void close_session(struct xr_session *session)
{
    (void)session;
}

static enum xr_status swap(struct xr_session *session, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *error)
{
    (void)session, (void)error;
    calls++;
    expected = expect;
    wanted = want;
    return XR_OK;
}

static const struct xr_loaded backend = {.table = {.abi = XR_ABI_VERSION,
                                                   .size = sizeof(struct xr_backend),
                                                   .name = "counts",
                                                   .open = open_session,
                                                   .close = close_session,
                                                   .renew = renew,
                                                   .swap = swap}};

static void open_as(enum xr_mode mode)
{
    static const struct xr_site site = {.size = sizeof(site)};

    cr_assert(xr_store_open(&store, &backend, XR_TARGET(&site, "here"), mode, NULL, &err) == XR_OK);
}

static void open_to_write(void)
{
    open_as(XR_WRITE);
}

static void close_it(void)
{
    xr_store_close(&store);
}

TestSuite(store, .init = open_to_write, .fini = close_it);

static struct xr_entry entry_of(const char *text)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .der = {(const unsigned char *)text, strlen(text)}};

    xr_host.sha256(entry.subject.id, entry.der);
    return entry;
}

static struct xr_state *state_of(struct xr_entry entry)
{
    struct xr_state *state = xr_state_new(&entry.subject);

    xr_state_add(state, &entry);
    return state;
}

/* On either side, and beside another state of the same subject. */
static void refused(struct xr_state *bad)
{
    struct xr_entry key = {.size = sizeof(key), .subject = bad->subject};
    struct xr_state *good = xr_state_new(&bad->subject);

    cr_assert(xr_store_swap(&store, NULL, bad, &err) == XR_INVALID);
    cr_assert(xr_store_swap(&store, bad, NULL, &err) == XR_INVALID);
    if (bad->subject.type == XR_SUBJECT_KEY) {
        xr_state_add(good, &key);
        cr_assert(xr_store_swap(&store, good, bad, &err) == XR_INVALID);
        cr_assert(xr_store_swap(&store, bad, good, &err) == XR_INVALID);
    }
    cr_assert(calls == 0 && err.text[0] != '\0');
    xr_state_free(good);
    xr_state_free(bad);
}

Test(store, a_swap_of_what_is_right_reaches_the_backend)
{
    struct xr_state *one = state_of(entry_of("a certificate"));

    cr_assert(xr_store_swap(&store, NULL, one, &err) == XR_OK);
    cr_assert(calls == 1 && expected == NULL && wanted == one);
    cr_assert(xr_store_swap(&store, one, NULL, &err) == XR_OK);
    cr_assert(calls == 2 && expected == one && wanted == NULL);
    xr_state_free(one);
}

Test(store, a_backend_never_sees_a_state_without_entries)
{
    struct xr_state *one = state_of(entry_of("a certificate"));
    struct xr_state *empty = xr_state_new(&one->subject);

    cr_assert(xr_store_swap(&store, empty, one, &err) == XR_OK);
    cr_assert(calls == 1 && expected == NULL && wanted == one);
    cr_assert(xr_store_swap(&store, one, empty, &err) == XR_OK);
    cr_assert(calls == 2 && expected == one && wanted == NULL);
    cr_assert(xr_store_swap(&store, empty, empty, &err) == XR_INVALID);
    cr_assert(xr_store_swap(&store, NULL, NULL, &err) == XR_INVALID);
    cr_assert(calls == 2);
    xr_state_free(empty);
    xr_state_free(one);
}

Test(store, a_session_for_reading_swaps_nothing_until_it_is_renewed)
{
    struct xr_state *one = state_of(entry_of("a certificate"));

    for (size_t i = 0; i < 2; i++) {
        xr_store_close(&store);
        open_as(i == 0 ? XR_READ : XR_PROBE);
        cr_assert(xr_store_swap(&store, NULL, one, &err) == XR_DENIED);
        cr_assert_str_eq(err.text, "the session is for reading");
    }
    cr_assert(calls == 0);
    cr_assert(xr_store_renew(&store, &err) == XR_OK);
    cr_assert(xr_store_swap(&store, NULL, one, &err) == XR_OK && calls == 1);
    xr_state_free(one);
}

Test(store, a_store_that_cannot_be_written_is_not_and_says_why)
{
    struct xr_state *one = state_of(entry_of("a certificate"));

    xr_store_close(&store);
    can_write = false;
    open_as(XR_WRITE);
    cr_assert(xr_store_swap(&store, NULL, one, &err) == XR_DENIED && calls == 0);
    cr_assert_str_eq(err.text, "cannot be written: it is of stone");
    xr_state_free(one);
}

Test(store, two_states_are_of_one_subject)
{
    struct xr_state *one = state_of(entry_of("a certificate"));
    struct xr_state *other = state_of(entry_of("another one"));

    cr_assert(xr_store_swap(&store, one, other, &err) == XR_INVALID && calls == 0);
    xr_state_free(one);
    xr_state_free(other);
}

Test(store, a_subject_is_one_of_its_own_type_too)
{
    struct xr_entry entry = entry_of("a CRL");
    struct xr_state *one = state_of(entry), *other = NULL;

    entry.subject.type = XR_SUBJECT_CRL;
    other = state_of(entry);
    cr_assert(xr_store_swap(&store, one, other, &err) == XR_INVALID && calls == 0);
    xr_state_free(one);
    xr_state_free(other);
}

Test(store, an_entry_is_of_its_state_s_subject)
{
    struct xr_entry entry = entry_of("a certificate");
    struct xr_entry key = {.size = sizeof(key), .subject = {.type = XR_SUBJECT_KEY}};
    struct xr_state *state = state_of(key);

    xr_state_add(state, &entry);
    refused(state);
}

Test(store, an_entry_is_in_a_place_there_is)
{
    struct xr_entry key = {.size = sizeof(key), .subject = {.type = XR_SUBJECT_KEY}};

    key.place = XR_PLACE_COUNT;
    refused(state_of(key));
}

Test(store, bytes_are_those_of_their_subject)
{
    struct xr_entry wrong = entry_of("a certificate"), none = wrong, crl = wrong;

    wrong.subject.id[31] ^= 1;
    refused(state_of(wrong));
    none.der.len = 0;
    refused(state_of(none));
    crl.subject.type = XR_SUBJECT_CRL;
    crl.der.len--;
    refused(state_of(crl));
}

Test(store, issuer_and_serial_are_those_of_their_subject)
{
    struct xr_entry pair = {.size = sizeof(pair),
                            .issuer = {(const unsigned char *)"issuer", 6},
                            .serial = {(const unsigned char *)"serial", 6}};
    struct xr_state *state = NULL;

    xr_subject_issuer_serial(&pair.subject, pair.issuer, pair.serial, xr_host.sha256);
    state = state_of(pair);
    cr_assert(xr_store_swap(&store, NULL, state, &err) == XR_OK && calls == 1);
    xr_state_free(state);
    calls = 0;
    pair.serial.len--;
    refused(state_of(pair));
}

Test(store, a_subject_of_no_known_type_is_refused)
{
    struct xr_entry entry = entry_of("a certificate");

    entry.subject.type = (enum xr_subject_type)0;
    refused(state_of(entry));
    entry.subject.type = (enum xr_subject_type)(XR_SUBJECT_CRL + 1);
    refused(state_of(entry));
}
