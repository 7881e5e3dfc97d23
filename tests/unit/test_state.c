/* SPDX-License-Identifier: Apache-2.0 */
#include "stores/state.h"
#include "stores/wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ---- fixtures ---- */

#define BYTES(text) ((struct xr_bytes){(const unsigned char *)(text), sizeof(text) - 1})

static struct xr_subject subject(enum xr_subject_type type, unsigned number)
{
    struct xr_subject made = {.type = type};

    memset(made.id, (int)number, sizeof(made.id));
    return made;
}

static struct xr_entry entry(enum xr_place place, uint32_t purposes)
{
    return (struct xr_entry){.size = sizeof(struct xr_entry),
                             .subject = subject(XR_SUBJECT_CERT, 1),
                             .place = place,
                             .purposes = purposes,
                             .label = "label",
                             .der = BYTES("der"),
                             .native = BYTES("native")};
}

static struct xr_state *state_of(const struct xr_entry *entries, size_t count)
{
    struct xr_subject of = subject(XR_SUBJECT_CERT, 1);
    struct xr_state *made = xr_state_new(&of);

    for (size_t i = 0; i < count; i++)
        xr_state_add(made, &entries[i]);
    return made;
}

static struct xr_state *one(enum xr_place place, uint32_t purposes)
{
    struct xr_entry only = entry(place, purposes);

    return state_of(&only, 1);
}

/* A state with everything a state can have. */
static struct xr_state *rich(void)
{
    static const struct xr_attached attached[] = {
        {.size = sizeof(struct xr_attached), .oid = BYTES("oid"), .value = BYTES("\0value\0")},
        {.size = sizeof(struct xr_attached), .oid = BYTES("oid 2"), .value = BYTES("")},
    };
    struct xr_entry entries[] = {entry(XR_ANCHOR, XR_SERVER | XR_EMAIL), entry(XR_DISTRUST, 0),
                                 entry(XR_PEER, 0)};

    entries[0].attached = attached;
    entries[0].attached_count = 2;
    entries[0].flags = XR_ENTRY_VENDOR;
    entries[1].subject = subject(XR_SUBJECT_ISSUER_SERIAL, 7);
    entries[1].issuer = BYTES("issuer");
    entries[1].serial = BYTES("\x02\x01\x05");
    entries[1].label = NULL;
    entries[1].der = (struct xr_bytes){0};
    entries[2].label = "";
    entries[2].native = (struct xr_bytes){0};
    return state_of(entries, 3);
}

/* ---- copies ---- */

Test(state, a_copy_owns_everything_in_it)
{
    char label[] = "label";
    unsigned char der[] = {1, 2, 3};
    struct xr_attached attached = {.size = sizeof(attached), .oid = {der, 3}, .value = {der, 2}};
    struct xr_entry given = entry(XR_ANCHOR, XR_SERVER);
    struct xr_state *state = NULL, *copy = NULL;

    given.label = label;
    given.der = (struct xr_bytes){der, sizeof(der)};
    given.attached = &attached;
    given.attached_count = 1;
    state = state_of(&given, 1);
    memset(label, 'x', sizeof(label) - 1);
    memset(der, 0, sizeof(der));
    memset(&attached, 0, sizeof(attached));
    copy = xr_state_copy(state);
    xr_state_free(state);
    cr_assert_eq(copy->count, 1);
    cr_assert_str_eq(copy->entries[0]->label, "label");
    cr_assert_eq(memcmp(copy->entries[0]->der.data, "\1\2\3", 3), 0);
    cr_assert_eq(copy->entries[0]->attached_count, 1);
    cr_assert_eq(memcmp(copy->entries[0]->attached[0].oid.data, "\1\2\3", 3), 0);
    cr_assert_eq(copy->entries[0]->attached[0].value.len, 2);
    xr_state_free(copy);
    cr_assert(xr_state_copy(NULL) == NULL);
    xr_state_free(NULL);
}

Test(state, an_older_backends_shorter_entry_has_zeros_where_it_ends)
{
    struct xr_entry given = entry(XR_ANCHOR, XR_SERVER);
    struct xr_attached attached = {.size = sizeof(attached)};
    struct xr_state *state = NULL;

    given.size = offsetof(struct xr_entry, attached);
    given.attached = &attached;
    given.attached_count = 1000; /* bytes behind the end of what it gave */
    state = state_of(&given, 1);
    cr_assert_eq(state->entries[0]->size, sizeof(struct xr_entry));
    cr_assert_eq(state->entries[0]->attached_count, 0);
    cr_assert_eq(state->entries[0]->native.len, 0);
    cr_assert_eq(state->entries[0]->der.len, 3);
    xr_state_free(state);
}

/* ---- comparison ---- */

Test(state, every_field_but_flags_counts_for_equal)
{
    enum { LABEL, PURPOSES, PLACE, DER, NATIVE, ISSUER, SERIAL, ATTACHED, SUBJECT, FLAGS, FIELDS };
    static const struct xr_attached attached = {.size = sizeof(attached), .oid = BYTES("x")};

    for (unsigned field = 0; field < FIELDS; field++) {
        struct xr_entry other = entry(XR_ANCHOR, XR_SERVER);
        struct xr_state *a = one(XR_ANCHOR, XR_SERVER), *b = NULL;
        bool reader_sees = field != LABEL && field != NATIVE && field != FLAGS;

        switch (field) {
        case LABEL:
            other.label = "another";
            break;
        case PURPOSES:
            other.purposes = XR_SERVER | XR_CLIENT;
            break;
        case PLACE:
            other.place = XR_PEER;
            break;
        case DER:
            other.der = BYTES("dex");
            break;
        case NATIVE:
            other.native = BYTES("nativ");
            break;
        case ISSUER:
            other.issuer = BYTES("x");
            break;
        case SERIAL:
            other.serial = BYTES("x");
            break;
        case ATTACHED:
            other.attached = &attached;
            other.attached_count = 1;
            break;
        case SUBJECT:
            other.subject.id[31] ^= 1;
            break;
        default:
            other.flags = XR_ENTRY_VENDOR | XR_ENTRY_OURS;
        }
        b = state_of(&other, 1);
        cr_assert_eq(xr_state_equal(a, b), field == FLAGS, "field %u", field);
        cr_assert_eq(xr_state_equal(b, a), field == FLAGS, "field %u", field);
        cr_assert_eq(xr_state_same(a, b), !reader_sees, "field %u", field);
        cr_assert_eq(xr_state_same(b, a), !reader_sees, "field %u", field);
        cr_assert_eq(xr_state_between(b, a, NULL), !reader_sees, "field %u", field);
        xr_state_free(a);
        xr_state_free(b);
    }
}

Test(state, no_state_and_no_entries_are_alike)
{
    struct xr_state *none = state_of(NULL, 0), *some = one(XR_ANCHOR, XR_SERVER);

    cr_assert(xr_state_equal(NULL, NULL));
    cr_assert(xr_state_equal(none, NULL));
    cr_assert(xr_state_equal(NULL, none));
    cr_assert(xr_state_same(none, NULL));
    cr_assert_not(xr_state_equal(some, NULL));
    cr_assert_not(xr_state_equal(NULL, some));
    cr_assert_not(xr_state_same(none, some));
    cr_assert(xr_state_between(NULL, NULL, NULL));
    cr_assert(xr_state_between(none, some, NULL));
    cr_assert_not(xr_state_between(some, none, NULL));
    cr_assert(xr_state_in(NULL, XR_ANCHOR) == NULL);
    cr_assert(xr_state_in(none, XR_ANCHOR) == NULL);
    xr_state_free(none);
    xr_state_free(some);
}

Test(state, a_missing_label_and_an_empty_one_are_alike)
{
    struct xr_entry unlabelled = entry(XR_ANCHOR, 0), empty = entry(XR_ANCHOR, 0);
    struct xr_state *a = NULL, *b = NULL;

    unlabelled.label = NULL;
    empty.label = "";
    a = state_of(&unlabelled, 1);
    b = state_of(&empty, 1);
    cr_assert(xr_state_equal(a, b));
    xr_state_free(a);
    xr_state_free(b);
}

Test(state, the_order_of_entries_does_not_count_but_their_number_does)
{
    struct xr_entry x = entry(XR_ANCHOR, XR_SERVER), y = entry(XR_PEER, 0);
    struct xr_state *xy = state_of((const struct xr_entry[]){x, y}, 2);
    struct xr_state *yx = state_of((const struct xr_entry[]){y, x}, 2);
    struct xr_state *xx = state_of((const struct xr_entry[]){x, x}, 2);
    struct xr_state *xxy = state_of((const struct xr_entry[]){x, x, y}, 3);
    struct xr_state *xyy = state_of((const struct xr_entry[]){x, y, y}, 3);
    struct xr_state *yxx = state_of((const struct xr_entry[]){y, x, x}, 3);
    struct xr_state *just_x = state_of(&x, 1);

    cr_assert(xr_state_equal(xy, yx));
    cr_assert(xr_state_equal(xxy, yxx));
    cr_assert_not(xr_state_equal(xxy, xyy), "the same set, not the same multiset");
    cr_assert_not(xr_state_equal(xyy, xxy));
    cr_assert_not(xr_state_equal(xx, just_x));
    cr_assert_not(xr_state_equal(xx, xy));
    cr_assert_not(xr_state_same(xxy, xyy));
    cr_assert(xr_state_same(xxy, yxx));
    xr_state_free(xy);
    xr_state_free(yx);
    xr_state_free(xx);
    xr_state_free(xxy);
    xr_state_free(xyy);
    xr_state_free(yxx);
    xr_state_free(just_x);
}

Test(state, between_is_made_of_entries_of_either_side)
{
    struct xr_entry x = entry(XR_ANCHOR, XR_SERVER), y = entry(XR_DISTRUST, 0);
    struct xr_entry z = entry(XR_PEER, 0);
    struct xr_state *before = state_of(&x, 1), *want = state_of(&y, 1);
    struct xr_state *both = state_of((const struct xr_entry[]){x, y}, 2);
    struct xr_state *foreign = state_of((const struct xr_entry[]){x, y, z}, 3);

    cr_assert(xr_state_between(before, before, want));
    cr_assert(xr_state_between(want, before, want));
    cr_assert(xr_state_between(both, before, want));
    cr_assert(xr_state_between(NULL, before, want));
    cr_assert_not(xr_state_between(foreign, before, want));
    cr_assert_not(xr_state_between(want, before, NULL));
    cr_assert(xr_state_between(want, NULL, want));
    xr_state_free(before);
    xr_state_free(want);
    xr_state_free(both);
    xr_state_free(foreign);
}

Test(state, in_gives_the_entry_of_a_place)
{
    struct xr_entry entries[] = {entry(XR_INTERMEDIATE, 0), entry(XR_ANCHOR, XR_EMAIL)};
    struct xr_state *state = state_of(entries, 2);

    cr_assert_eq(xr_state_in(state, XR_ANCHOR)->purposes, XR_EMAIL);
    cr_assert_eq(xr_state_in(state, XR_INTERMEDIATE)->place, XR_INTERMEDIATE);
    cr_assert(xr_state_in(state, XR_DISTRUST) == NULL);
    xr_state_free(state);
}

/* ---- widens ---- */

enum { NOTHING = XR_PLACE_COUNT };

Test(state, widens_when_trust_appears_that_was_not_there)
{
    static const struct {
        int from;
        uint32_t from_for;
        int to;
        uint32_t to_for;
        bool widens;
    } rows[] = {
        {NOTHING, 0, NOTHING, 0, false},
        {NOTHING, 0, XR_ANCHOR, XR_SERVER, true},
        {NOTHING, 0, XR_ANCHOR, 0, true}, /* no restriction known */
        {NOTHING, 0, XR_PEER, 0, true},
        {NOTHING, 0, XR_INTERMEDIATE, 0, false},
        {NOTHING, 0, XR_CRL, 0, false},
        {NOTHING, 0, XR_DISTRUST, 0, false},
        {XR_DISTRUST, 0, NOTHING, 0, true},
        {XR_DISTRUST, 0, XR_INTERMEDIATE, 0, true},
        {XR_DISTRUST, 0, XR_ANCHOR, XR_SERVER, true},
        {XR_DISTRUST, 0, XR_DISTRUST, 0, false},
        {XR_ANCHOR, XR_SERVER, NOTHING, 0, false},
        {XR_ANCHOR, XR_SERVER, XR_DISTRUST, 0, false},
        {XR_ANCHOR, XR_SERVER, XR_INTERMEDIATE, 0, false},
        {XR_ANCHOR, XR_SERVER, XR_ANCHOR, XR_SERVER, false},
        {XR_ANCHOR, XR_SERVER, XR_ANCHOR, XR_EMAIL, true},
        {XR_ANCHOR, XR_SERVER | XR_EMAIL, XR_ANCHOR, XR_EMAIL, false},
        {XR_ANCHOR, XR_SERVER, XR_ANCHOR, XR_SERVER | XR_EMAIL, true},
        {XR_ANCHOR, XR_ANY_PURPOSE, XR_ANCHOR, XR_SERVER, false},
        {XR_ANCHOR, XR_ANY_PURPOSE, XR_ANCHOR, 0, false},
        {XR_ANCHOR, 0, XR_ANCHOR, XR_ANY_PURPOSE, false},
        {XR_ANCHOR, XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME, XR_ANCHOR, XR_ANY_PURPOSE,
         true},
        {XR_ANCHOR, XR_SERVER, XR_PEER, 0, true},
        {XR_PEER, 0, XR_PEER, 0, false},
        {XR_PEER, 0, XR_ANCHOR, XR_SERVER, true},
        {XR_INTERMEDIATE, 0, XR_ANCHOR, XR_SERVER, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xr_state *from =
            rows[i].from == NOTHING ? NULL : one((enum xr_place)rows[i].from, rows[i].from_for);
        struct xr_state *to =
            rows[i].to == NOTHING ? NULL : one((enum xr_place)rows[i].to, rows[i].to_for);

        cr_assert_eq(xr_state_widens(from, to), rows[i].widens, "row %zu", i);
        xr_state_free(from);
        xr_state_free(to);
    }
}

Test(state, widens_looks_at_all_entries_of_a_place_together)
{
    struct xr_entry two[] = {entry(XR_ANCHOR, XR_SERVER), entry(XR_ANCHOR, XR_EMAIL)};
    struct xr_entry held[] = {entry(XR_ANCHOR, XR_SERVER), entry(XR_DISTRUST, 0)};
    struct xr_state *split = state_of(two, 2), *joined = one(XR_ANCHOR, XR_SERVER | XR_EMAIL);
    struct xr_state *both = state_of(held, 2), *free_again = one(XR_ANCHOR, XR_SERVER);

    cr_assert_not(xr_state_widens(split, joined));
    cr_assert_not(xr_state_widens(joined, split));
    cr_assert(xr_state_widens(free_again, split));
    cr_assert(xr_state_widens(both, free_again), "the distrust beside the anchor is gone");
    cr_assert_not(xr_state_widens(free_again, both));
    xr_state_free(split);
    xr_state_free(joined);
    xr_state_free(both);
    xr_state_free(free_again);
}

/* A constraint attached from outside is a limit of the trust; without it there is more. */
Test(state, widens_when_an_attached_constraint_goes)
{
    static const struct xr_attached limit = {.size = sizeof(limit), .oid = BYTES("2.5.29.30")};
    struct xr_entry limited = entry(XR_ANCHOR, XR_SERVER);
    struct xr_state *from = NULL, *to = one(XR_ANCHOR, XR_SERVER);

    limited.attached = &limit;
    limited.attached_count = 1;
    from = state_of(&limited, 1);
    cr_assert(xr_state_widens(from, to));
    cr_assert_not(xr_state_widens(to, from));
    xr_state_free(from);
    xr_state_free(to);
}

/* ---- snapshot ---- */

Test(state, a_snapshot_gathers_the_entries_of_each_subject)
{
    struct xr_snapshot snapshot = {0};
    struct xr_entry entries[] = {entry(XR_ANCHOR, XR_SERVER), entry(XR_DISTRUST, 0),
                                 entry(XR_PEER, 0), entry(XR_CRL, 0)};
    struct xr_subject absent = subject(XR_SUBJECT_CERT, 9);

    entries[1].subject = subject(XR_SUBJECT_CERT, 2);
    entries[3].subject = subject(XR_SUBJECT_CRL, 1); /* the id of the first, another type */
    for (size_t i = 0; i < 4; i++)
        entries[i].der = (struct xr_bytes){0}; /* the subject alone: ids need not be hashes */
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(xr_snapshot_take(&snapshot, &entries[i]), XR_OK);
    cr_assert_eq(snapshot.count, 3);
    cr_assert_eq(xr_snapshot_find(&snapshot, &entries[0].subject)->count, 2);
    cr_assert_eq(xr_snapshot_find(&snapshot, &entries[1].subject)->count, 1);
    cr_assert_eq(xr_snapshot_find(&snapshot, &entries[3].subject)->entries[0]->place, XR_CRL);
    cr_assert(xr_snapshot_find(&snapshot, &absent) == NULL);
    xr_snapshot_free(&snapshot);
    cr_assert(xr_snapshot_find(&snapshot, &absent) == NULL, "an empty one");
}

/* ---- wire ---- */

static struct xr_reader reader(const struct xr_buf *buf)
{
    return (struct xr_reader){{(const unsigned char *)buf->data, buf->len}, false};
}

Test(wire, numbers_bytes_and_texts_round_trip)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct xr_buf buf = {0};
    struct xr_reader in;
    struct xr_bytes bytes;
    char *text = NULL;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        xr_put_number(&buf, numbers[i]);
    xr_put_bytes(&buf, BYTES("a\0b"));
    xr_put_bytes(&buf, (struct xr_bytes){0});
    xr_put_text(&buf, NULL);
    xr_put_text(&buf, "");
    xr_put_text(&buf, "text");
    in = reader(&buf);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_assert_eq(xr_get_number(&in, UINT64_MAX), numbers[i]);
    bytes = xr_get_bytes(&in);
    cr_assert(xr_bytes_equal(bytes, BYTES("a\0b")));
    cr_assert_eq(xr_get_bytes(&in).len, 0);
    cr_assert(xr_get_text(&in) == NULL);
    text = xr_get_text(&in);
    cr_assert_str_eq(text, "");
    free(text);
    text = xr_get_text(&in);
    cr_assert_str_eq(text, "text");
    free(text);
    cr_assert_not(in.failed);
    cr_assert_eq(in.rest.len, 0);
    cr_assert_eq(xr_get_number(&in, UINT64_MAX), 0);
    cr_assert(in.failed, "there is nothing more");
    xr_buf_free(&buf);
}

Test(wire, a_reader_that_failed_yields_nothing_from_then_on)
{
    struct xr_buf buf = {0};
    struct xr_reader in;
    unsigned char fixed[4] = {1, 2, 3, 4};

    xr_put_number(&buf, 5);
    xr_put_number(&buf, 1);
    in = reader(&buf);
    cr_assert_eq(xr_get_number(&in, 4), 0, "out of range");
    cr_assert(in.failed);
    cr_assert_eq(xr_get_number(&in, UINT64_MAX), 0);
    cr_assert_eq(xr_get_bytes(&in).len, 0);
    cr_assert(xr_get_text(&in) == NULL);
    cr_assert(xr_get_state(&in) == NULL);
    xr_get_fixed(&in, fixed, sizeof(fixed));
    cr_assert_eq(memcmp(fixed, "\0\0\0\0", 4), 0);
    xr_buf_free(&buf);
}

Test(wire, a_text_with_a_zero_in_it_is_no_text)
{
    struct xr_buf buf = {0};
    struct xr_reader in;

    xr_put_bytes(&buf, BYTES("a\0b"));
    in = reader(&buf);
    cr_assert(xr_get_text(&in) == NULL);
    cr_assert(in.failed);
    xr_buf_free(&buf);
}

Test(wire, states_round_trip_with_all_they_hold)
{
    struct xr_buf buf = {0};
    struct xr_state *state = rich(), *empty = state_of(NULL, 0), *got = NULL;
    struct xr_reader in;

    xr_put_state(&buf, state);
    xr_put_state(&buf, NULL);
    xr_put_state(&buf, empty);
    in = reader(&buf);
    got = xr_get_state(&in);
    cr_assert(got != NULL);
    cr_assert(xr_subject_equal(&got->subject, &state->subject));
    cr_assert(xr_state_equal(got, state));
    cr_assert_eq(got->count, 3);
    cr_assert_eq(got->entries[0]->flags, XR_ENTRY_VENDOR);
    cr_assert_eq(got->entries[0]->attached_count, 2);
    cr_assert(xr_bytes_equal(got->entries[0]->attached[0].value, BYTES("\0value\0")));
    cr_assert(got->entries[1]->label == NULL);
    cr_assert_eq(got->entries[1]->subject.type, XR_SUBJECT_ISSUER_SERIAL);
    cr_assert(xr_bytes_equal(got->entries[1]->serial, BYTES("\x02\x01\x05")));
    xr_state_free(got);
    cr_assert(xr_get_state(&in) == NULL);
    cr_assert_not(in.failed);
    got = xr_get_state(&in);
    cr_assert(got != NULL && got->count == 0);
    xr_state_free(got);
    cr_assert_not(in.failed);
    cr_assert_eq(in.rest.len, 0);
    xr_state_free(state);
    xr_state_free(empty);
    xr_buf_free(&buf);
}

static enum xr_status emit_entry(void *ctx, const struct xr_entry *got)
{
    struct xr_state **out = ctx;

    *out = xr_state_new(&got->subject);
    xr_state_add(*out, got);
    return XR_BUSY;
}

Test(wire, an_entry_goes_to_the_callback_whose_answer_comes_back)
{
    struct xr_buf buf = {0};
    struct xr_state *state = rich(), *got = NULL;
    struct xr_reader in;

    xr_put_entry(&buf, state->entries[0]);
    in = reader(&buf);
    cr_assert_eq(xr_get_entry(&in, emit_entry, &got), XR_BUSY);
    cr_assert_eq(got->entries[0]->attached_count, 2);
    cr_assert(xr_bytes_equal(got->entries[0]->native, BYTES("native")));
    xr_state_free(got);
    got = NULL;
    in = reader(&buf);
    cr_assert_eq(xr_get_entry(&in, NULL, NULL), XR_OK);
    in = reader(&buf);
    in.rest.len--;
    cr_assert_neq(xr_get_entry(&in, emit_entry, &got), XR_OK);
    cr_assert(got == NULL, "half an entry was emitted");
    xr_state_free(state);
    xr_buf_free(&buf);
}

static struct xr_caps some_caps(void)
{
    struct xr_caps caps = {
        .size = sizeof(caps),
        .places = {XR_ENFORCED, XR_CANNOT, XR_ADVISORY, XR_DESELECT_ONLY, XR_ENFORCED},
        .purposes = XR_SERVER | XR_ANY_PURPOSE,
        .subjects = 1u << XR_SUBJECT_CERT | 1u << XR_SUBJECT_KEY,
        .writable = true,
        .needs_privilege = true,
        .verifier = "verifier",
        .why_not = "why not",
        .identity = "identity"};

    return caps;
}

static struct xr_verdict some_verdict(void)
{
    struct xr_verdict verdict = {
        .size = sizeof(verdict), .answer = XR_NO, .by = "by", .why = "why", .path_len = 3};

    memset(verdict.path, 0xa5, (size_t)3 * XR_SHA256_LEN);
    return verdict;
}

static struct xr_error some_error(void)
{
    struct xr_error err = {0};

    (void)xr_error_set(&err, XR_LOST, "errno", -7, "text \xff");
    return err;
}

Test(wire, caps_verdict_and_error_round_trip)
{
    struct xr_buf buf = {0};
    struct xr_caps caps = some_caps(), got_caps;
    struct xr_verdict verdict = some_verdict(), got_verdict;
    struct xr_error err = some_error(), got_err;
    struct xr_reader in;

    xr_put_caps(&buf, &caps);
    xr_put_verdict(&buf, &verdict);
    xr_put_error(&buf, &err);
    in = reader(&buf);
    xr_get_caps(&in, &got_caps);
    xr_get_verdict(&in, &got_verdict);
    xr_get_error(&in, &got_err);
    cr_assert_not(in.failed);
    cr_assert_eq(in.rest.len, 0);
    cr_assert_eq(got_caps.size, sizeof(got_caps));
    cr_assert_eq(memcmp(got_caps.places, caps.places, sizeof(caps.places)), 0);
    cr_assert_eq(got_caps.purposes, caps.purposes);
    cr_assert_eq(got_caps.subjects, caps.subjects);
    cr_assert(got_caps.writable && !got_caps.atomic && got_caps.needs_privilege);
    cr_assert_str_eq(got_caps.verifier, "verifier");
    cr_assert_str_eq(got_caps.why_not, "why not");
    cr_assert_str_eq(got_caps.identity, "identity");
    cr_assert_eq(got_verdict.answer, XR_NO);
    cr_assert_str_eq(got_verdict.by, "by");
    cr_assert_str_eq(got_verdict.why, "why");
    cr_assert_eq(got_verdict.path_len, 3);
    cr_assert_eq(memcmp(got_verdict.path, verdict.path, (size_t)3 * XR_SHA256_LEN), 0);
    cr_assert_eq(got_err.status, XR_LOST);
    cr_assert_str_eq(got_err.domain, "errno");
    cr_assert_eq(got_err.code, -7);
    cr_assert_str_eq(got_err.text, "text \xff");
    xr_buf_free(&buf);
}

Test(wire, fields_of_a_fixed_size_are_cut_not_overrun)
{
    struct xr_buf buf = {0};
    struct xr_error got;
    struct xr_reader in;
    char longer[2000];

    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    xr_put_number(&buf, XR_FAILED);
    xr_put_text(&buf, longer);
    xr_put_number(&buf, 0);
    xr_put_text(&buf, longer);
    in = reader(&buf);
    xr_get_error(&in, &got);
    cr_assert_not(in.failed);
    cr_assert_eq(strlen(got.domain), sizeof(got.domain) - 1);
    cr_assert_eq(strlen(got.text), sizeof(got.text) - 1);
    xr_buf_free(&buf);
}

/* Everything there is, one after the other. */
static struct xr_buf everything(void)
{
    struct xr_buf buf = {0};
    struct xr_state *state = rich();
    struct xr_caps caps = some_caps();
    struct xr_verdict verdict = some_verdict();
    struct xr_error err = some_error();

    xr_put_state(&buf, state);
    xr_put_entry(&buf, state->entries[0]);
    xr_put_caps(&buf, &caps);
    xr_put_verdict(&buf, &verdict);
    xr_put_error(&buf, &err);
    xr_state_free(state);
    return buf;
}

static bool get_everything(struct xr_bytes bytes)
{
    struct xr_reader in = {bytes, false};
    struct xr_caps caps;
    struct xr_verdict verdict;
    struct xr_error err;
    struct xr_state *state = xr_get_state(&in), *got = NULL;
    bool whole = state != NULL;

    (void)xr_get_entry(&in, emit_entry, &got);
    xr_get_caps(&in, &caps);
    xr_get_verdict(&in, &verdict);
    xr_get_error(&in, &err);
    cr_assert_leq(verdict.path_len, XR_PATH_MAX);
    cr_assert_lt(err.status, XR_STATUS_COUNT);
    cr_assert(memchr(err.text, '\0', sizeof(err.text)) != NULL);
    cr_assert(memchr(caps.identity, '\0', sizeof(caps.identity)) != NULL);
    for (size_t i = 0; state != NULL && i < state->count; i++)
        cr_assert_lt(state->entries[i]->place, XR_PLACE_COUNT);
    if (got != NULL)
        cr_assert_lt(got->entries[0]->place, XR_PLACE_COUNT);
    xr_state_free(state);
    xr_state_free(got);
    return whole && !in.failed;
}

Test(wire, a_cut_at_any_byte_fails_cleanly)
{
    struct xr_buf buf = everything();

    for (size_t cut = 0; cut <= buf.len; cut++) {
        unsigned char *exact = xr_new(cut, 1); /* so that the sanitizer sees a read past it */

        memcpy(exact, buf.data, cut);
        cr_assert_eq(get_everything((struct xr_bytes){exact, cut}), cut == buf.len, "cut at %zu",
                     cut);
        free(exact);
    }
    xr_buf_free(&buf);
}

Test(wire, flipped_bits_never_crash_it)
{
    struct xr_buf buf = everything();
    unsigned char *bytes = xr_new(buf.len, 1);
    uint32_t seed = 20240301;
    size_t whole = 0;

    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        memcpy(bytes, buf.data, buf.len);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        whole += get_everything((struct xr_bytes){bytes, buf.len});
    }
    cr_assert_gt(whole, 0, "a flip inside a byte string is no damage to the format");
    for (unsigned round = 0; round < 5000; round++) {
        memcpy(bytes, buf.data, buf.len);
        for (unsigned flips = 0; flips < 1 + round % 16; flips++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[(seed >> 8) % buf.len] ^= (unsigned char)(1u << (seed >> 29));
        }
        (void)get_everything((struct xr_bytes){bytes, buf.len});
    }
    free(bytes);
    xr_buf_free(&buf);
}

Test(wire, lengths_and_counts_beyond_the_input_are_refused_at_once)
{
    static const uint64_t huge[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX, (uint64_t)1 << 32, 5000};

    for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
        struct xr_buf buf = {0};
        struct xr_subject of = subject(XR_SUBJECT_CERT, 1);
        struct xr_reader in;

        xr_put_number(&buf, huge[i]);
        in = reader(&buf);
        cr_assert_eq(xr_get_bytes(&in).len, 0);
        cr_assert(in.failed);
        xr_buf_free(&buf);

        xr_put_number(&buf, 1);
        xr_put_number(&buf, (uint64_t)of.type);
        xr_buf_add(&buf, of.id, sizeof(of.id));
        xr_put_number(&buf, huge[i]); /* entries */
        in = reader(&buf);
        cr_assert(xr_get_state(&in) == NULL);
        cr_assert(in.failed);
        xr_buf_free(&buf);
    }
}

/* What one side writes the other must be able to read: a directory may hold a certificate 5000
 * times. */
Test(wire, a_state_of_any_size_round_trips)
{
    struct xr_buf buf = {0};
    struct xr_subject of = subject(XR_SUBJECT_CERT, 1);
    struct xr_state *state = xr_state_new(&of), *got = NULL;
    struct xr_entry some = entry(XR_ANCHOR, XR_SERVER);
    struct xr_reader in;

    for (unsigned i = 0; i < 5000; i++)
        xr_state_add(state, &some);
    xr_put_state(&buf, state);
    in = reader(&buf);
    got = xr_get_state(&in);
    cr_assert_not(in.failed);
    cr_assert(got != NULL && got->count == state->count);
    xr_state_free(got);
    xr_state_free(state);
    xr_buf_free(&buf);
}

/* A hostile helper may say so; each costs the same. */
Test(state, a_store_may_hold_one_certificate_two_hundred_thousand_times)
{
    enum { TIMES = 200000 };
    struct xr_entry again = entry(XR_ANCHOR, XR_SERVER);
    struct xr_subject of = subject(XR_SUBJECT_CERT, 1);
    struct xr_state *made = xr_state_new(&of);

    again.der = again.native = (struct xr_bytes){0};
    for (size_t i = 0; i < TIMES; i++) {
        again.purposes = (uint32_t)i;
        xr_state_add(made, &again);
    }
    cr_assert_eq(made->count, TIMES);
    for (size_t i = 0; i < TIMES; i++)
        cr_assert(made->entries[i]->purposes == i);
    xr_state_free(made);
}
