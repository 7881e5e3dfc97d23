/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over DER: what it takes, what it refuses, and that it stays inside its bytes. */
#include "kit/der.h"
#include "pki.h"
#include "sys/sys.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NOW INT64_C(1800000000)

/* ---- fixtures ---- */

static struct pki_blob issue(const struct pki_spec *spec)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob cert;

    cr_assert(key != NULL && pki_issue(&cert, key, NULL, NULL, spec) == 0);
    pki_key_free(key);
    return cert;
}

/* Parses a copy of exactly that size, so that the sanitizer guards its end. The slices are gone
 * afterwards: only numbers and flags may be looked at. */
static enum xr_status parse(struct xr_der_cert *out, const void *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    cr_assert(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    status = xr_der_cert(out, (struct xr_bytes){exact, len}, &err);
    cr_assert(status == XR_OK || (status == XR_INVALID && err.text[0] != '\0'));
    free(exact);
    return status;
}

static struct xr_der_cert parsed(const struct pki_spec *spec)
{
    struct pki_blob cert = issue(spec);
    struct xr_der_cert out;

    cr_assert_eq(parse(&out, cert.data, cert.len), XR_OK);
    pki_blob_free(&cert);
    return out;
}

static void tlv(struct xr_buf *out, unsigned tag, const void *content, size_t len)
{
    unsigned char header[4] = {(unsigned char)tag};
    size_t used = 2;

    if (len < 0x80) {
        header[1] = (unsigned char)len;
    } else if (len < 0x100) {
        header[1] = 0x81;
        header[2] = (unsigned char)len;
        used = 3;
    } else {
        header[1] = 0x82;
        header[2] = (unsigned char)(len >> 8);
        header[3] = (unsigned char)len;
        used = 4;
    }
    xr_buf_add(out, header, used);
    xr_buf_add(out, content, len);
}

static void wrap(struct xr_buf *buf, unsigned tag)
{
    struct xr_buf outer = {0};

    tlv(&outer, tag, buf->data, buf->len);
    xr_buf_free(buf);
    *buf = outer;
}

/* A certificate by hand; what is NULL takes the usual form. */
struct hand {
    const char *version; /* content of [0], whole */
    size_t version_len;
    const char *serial; /* content octets */
    size_t serial_len;
    unsigned time_tag;
    const char *not_before, *not_after;
    const struct xr_buf *extensions; /* elements of the SEQUENCE */
    const char *outer_alg;           /* 2 octets instead of those inside */
    const char *signature;           /* content of the BIT STRING */
    size_t signature_len;
};

static struct xr_buf by_hand(const struct hand *hand)
{
    static const char alg[] = "\x30\x03\x06\x01\x2a";
    unsigned tag = hand->time_tag ? hand->time_tag : XR_DER_UTC_TIME;
    const char *before = hand->not_before ? hand->not_before : "200101000000Z";
    const char *after = hand->not_after ? hand->not_after : "300101000000Z";
    struct xr_buf out = {0}, dates = {0};

    if (hand->version == NULL)
        tlv(&out, 0xa0, "\x02\x01\x02", 3);
    else if (hand->version_len > 0)
        tlv(&out, 0xa0, hand->version, hand->version_len);
    tlv(&out, XR_DER_INTEGER, hand->serial ? hand->serial : "\x05",
        hand->serial ? hand->serial_len : 1);
    xr_buf_add(&out, alg, 5);
    tlv(&out, XR_DER_SEQUENCE, "", 0);
    tlv(&dates, tag, before, strlen(before));
    tlv(&dates, tag, after, strlen(after));
    tlv(&out, XR_DER_SEQUENCE, dates.data, dates.len);
    xr_buf_free(&dates);
    tlv(&out, XR_DER_SEQUENCE, "", 0);
    tlv(&out, XR_DER_SEQUENCE, "\x05\x00", 2);
    if (hand->extensions != NULL) {
        struct xr_buf list = {0};

        tlv(&list, XR_DER_SEQUENCE, hand->extensions->data, hand->extensions->len);
        tlv(&out, 0xa3, list.data, list.len);
        xr_buf_free(&list);
    }
    wrap(&out, XR_DER_SEQUENCE);
    xr_buf_add(&out, hand->outer_alg ? hand->outer_alg : alg, 5);
    tlv(&out, XR_DER_BIT_STRING, hand->signature ? hand->signature : "\0\x01",
        hand->signature ? hand->signature_len : 2);
    wrap(&out, XR_DER_SEQUENCE);
    return out;
}

static enum xr_status parse_hand(struct xr_der_cert *out, const struct hand *hand)
{
    struct xr_buf cert = by_hand(hand);
    enum xr_status status = parse(out, cert.data, cert.len);

    xr_buf_free(&cert);
    return status;
}

/* Appends an extension of the id-ce arc. */
static void extension(struct xr_buf *out, unsigned arc, bool critical, const void *value,
                      size_t len)
{
    const unsigned char oid[] = {0x55, 0x1d, (unsigned char)arc};
    struct xr_buf body = {0};

    tlv(&body, XR_DER_OID, oid, sizeof(oid));
    if (critical)
        tlv(&body, XR_DER_BOOLEAN, "\xff", 1);
    tlv(&body, XR_DER_OCTET_STRING, value, len);
    tlv(out, XR_DER_SEQUENCE, body.data, body.len);
    xr_buf_free(&body);
}

/* The certificate with this one extension. */
static struct xr_der_cert with(unsigned arc, const char *value, size_t len)
{
    struct xr_buf list = {0};
    struct xr_der_cert out;

    extension(&list, arc, false, value, len);
    cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_OK);
    xr_buf_free(&list);
    return out;
}

/* ---- elements ---- */

static bool takes(const char *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    struct xr_bytes rest = {exact, len};
    struct xr_der_item item;
    bool ok = false;

    memcpy(exact, data, len);
    ok = xr_der_next(&item, &rest);
    if (ok)
        cr_assert(item.whole.data == exact && item.whole.len + rest.len == len &&
                  item.content.data + item.content.len == rest.data);
    free(exact);
    return ok;
}

Test(der, an_element_is_taken_off_the_front)
{
    static const unsigned char data[] = {0x04, 0x02, 0xaa, 0xbb, 0x05, 0x00};
    struct xr_bytes rest = {data, sizeof(data)};
    struct xr_der_item item;

    cr_assert(xr_der_next(&item, &rest));
    cr_assert_eq(item.tag, (unsigned)XR_DER_OCTET_STRING);
    cr_assert(item.content.data == data + 2 && item.content.len == 2);
    cr_assert(item.whole.data == data && item.whole.len == 4);
    cr_assert(!xr_der_expect(&item, &rest, XR_DER_INTEGER));
    cr_assert_eq(rest.len, 2u, "what was not expected stays");
    cr_assert(xr_der_expect(&item, &rest, 0x05));
    cr_assert_eq(rest.len, 0u);
    cr_assert(!xr_der_next(&item, &rest));
    cr_assert(!xr_der_expect(&item, &rest, 0x05));
}

/* Is an OCTET STRING with that header and `len` zeros taken? */
static bool takes_after(const char *header, size_t header_len, size_t len)
{
    struct xr_buf data = {0};
    char *zeros = xr_new(len, 1);
    bool ok = false;

    xr_buf_add(&data, header, header_len);
    xr_buf_add(&data, zeros, len);
    ok = takes(data.data, data.len);
    xr_buf_free(&data);
    free(zeros);
    return ok;
}

Test(der, lengths_in_their_shortest_form_are_taken)
{
    cr_assert(takes_after("\x04\x00", 2, 0));
    cr_assert(takes_after("\x04\x7f", 2, 0x7f));
    cr_assert(takes_after("\x04\x81\x80", 3, 0x80));
    cr_assert(takes_after("\x04\x81\xff", 3, 0xff));
    cr_assert(takes_after("\x04\x82\x01\x00", 4, 0x100));
    cr_assert(takes_after("\x04\x83\x01\x00\x00", 5, 0x10000));
}

Test(der, lengths_that_could_be_shorter_are_refused)
{
    cr_assert(!takes_after("\x04\x81\x7f", 3, 0x7f));
    cr_assert(!takes_after("\x04\x81\x00", 3, 0));
    cr_assert(!takes_after("\x04\x82\x00\x80", 4, 0x80));
    cr_assert(!takes_after("\x04\x84\x00\x00\x00\x01", 6, 1));
}

Test(der, indefinite_and_reserved_lengths_are_refused)
{
    cr_assert(!takes("\x30\x80\x05\x00\x00\x00", 6));
    cr_assert(!takes("\x30\xff\x01\x01\x01\x01", 6));
}

Test(der, lengths_of_four_gibibytes_are_refused)
{
    cr_assert(!takes("\x04\x84\xff\xff\xff\xff", 6));
    cr_assert(!takes("\x04\x84\x80\x00\x00\x00", 6));
    cr_assert(!takes("\x04\x85\x01\x00\x00\x00\x00", 7));
    cr_assert(!takes("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10));
    cr_assert(!takes("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xf6", 10), "one that would wrap around");
}

Test(der, elements_that_end_too_early_are_refused)
{
    cr_assert(!takes("", 0));
    cr_assert(!takes("\x04", 1));
    cr_assert(!takes("\x04\x01", 2));
    cr_assert(!takes("\x04\x81", 2));
    cr_assert(!takes("\x04\x82\x01", 3));
    cr_assert(!takes("\x04\x84\x01\x01\x01", 5));
    cr_assert(!takes("\x04\x81\x80\x00", 4));
}

Test(der, tag_numbers_of_many_octets_are_refused)
{
    cr_assert(!takes("\x1f\x01\x00", 3));
    cr_assert(!takes("\xbf\x81\x01\x00", 4));
    cr_assert(!takes("\xff\x00", 2));
}

/* ---- whole certificates ---- */

Test(der, a_certificate_is_taken_apart_into_its_own_bytes)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob cert, spki;
    struct xr_der_cert out;
    struct xr_error err;

    spec.serial = "0x1234";
    cr_assert(pki_issue(&cert, key, NULL, NULL, &spec) == 0 && pki_key_spki(&spki, key) == 0);
    cr_assert_eq(xr_der_cert(&out, (struct xr_bytes){cert.data, cert.len}, &err), XR_OK);
    cr_assert(xr_bytes_equal(out.slices.spki, (struct xr_bytes){spki.data, spki.len}));
    cr_assert(xr_bytes_equal(out.slices.subject, out.slices.issuer));
    cr_assert(xr_bytes_equal(out.slices.serial,
                             (struct xr_bytes){(const unsigned char *)"\x02\x02\x12\x34", 4}));
    cr_assert_eq(out.slices.size, sizeof(out.slices));
    cr_assert(out.slices.tbs.data > cert.data && out.slices.spki.data + out.slices.spki.len <=
                                                     out.slices.tbs.data + out.slices.tbs.len);
    cr_assert(out.signature.data + out.signature.len == cert.data + cert.len);
    cr_assert_eq(out.not_before, spec.not_before);
    cr_assert_eq(out.not_after, spec.not_after);
    cr_assert_eq(out.version, 3);
    cr_assert(!out.alg_mismatch && !out.malformed && !out.unknown_critical);
    cr_assert_eq(out.skid.len, 20u);
    cr_assert(xr_bytes_equal(out.skid, out.akid));
    pki_blob_free(&cert);
    pki_blob_free(&spki);
    pki_key_free(key);
}

Test(der, a_certificate_cut_at_any_byte_is_refused)
{
    struct pki_spec spec = pki_spec_leaf("A", NOW);
    struct pki_blob cert;
    struct xr_der_cert out;

    spec.san = "DNS:localhost,IP:127.0.0.1";
    cert = issue(&spec);
    for (size_t len = 0; len < cert.len; len++)
        cr_assert_eq(parse(&out, cert.data, len), XR_INVALID, "%zu of %zu", len, cert.len);
    cr_assert_eq(parse(&out, cert.data, cert.len), XR_OK);
    pki_blob_free(&cert);
}

Test(der, a_certificate_cut_inside_with_its_lengths_mended_is_refused)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert = issue(&spec);
    struct xr_der_cert whole;
    struct xr_error err;
    size_t content = 0;

    cr_assert_eq(xr_der_cert(&whole, (struct xr_bytes){cert.data, cert.len}, &err), XR_OK);
    content = whole.slices.spki.len + (size_t)(whole.slices.spki.data - whole.slices.tbs.data) - 4;
    for (size_t len = 0; len < content; len++) {
        struct xr_buf cut = {0};
        struct xr_der_cert out;

        tlv(&cut, XR_DER_SEQUENCE, whole.slices.tbs.data + 4, len);
        xr_buf_add(&cut, whole.signature_alg.data, whole.signature_alg.len);
        tlv(&cut, XR_DER_BIT_STRING, "\0\x01", 2);
        wrap(&cut, XR_DER_SEQUENCE);
        cr_assert_eq(parse(&out, cut.data, cut.len), XR_INVALID, "%zu of %zu", len, content);
        xr_buf_free(&cut);
    }
    pki_blob_free(&cert);
}

Test(der, bytes_after_a_certificate_are_refused)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert = issue(&spec);
    struct xr_buf longer = {0};
    struct xr_der_cert out;

    xr_buf_add(&longer, cert.data, cert.len);
    xr_buf_add(&longer, "", 1);
    cr_assert_eq(parse(&out, longer.data, longer.len), XR_INVALID);
    xr_buf_free(&longer);
    pki_blob_free(&cert);
}

Test(der, flipped_bits_never_crash)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert;
    struct xr_der_cert out;
    bool key = false;

    spec.eku = "serverAuth";
    spec.name_constraints = "critical,permitted;DNS:example.org";
    cert = issue(&spec);
    for (size_t bit = 0; bit < cert.len * 8; bit++) {
        unsigned char mask = (unsigned char)(1u << bit % 8);

        cert.data[bit / 8] ^= mask;
        (void)parse(&out, cert.data, cert.len);
        (void)xr_der_guess((struct xr_bytes){cert.data, cert.len}, &key);
        cert.data[bit / 8] ^= mask;
    }
    /* And every value of each of the first bytes, where the lengths are. */
    for (size_t at = 0; at < 64; at++) {
        unsigned char was = cert.data[at];

        for (unsigned value = 0; value < 256; value++) {
            cert.data[at] = (unsigned char)value;
            (void)parse(&out, cert.data, cert.len);
        }
        cert.data[at] = was;
    }
    cr_assert_eq(parse(&out, cert.data, cert.len), XR_OK);
    pki_blob_free(&cert);
}

Test(der, versions_one_to_three_are_told_apart)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out;

    spec.version = 1;
    out = parsed(&spec);
    cr_assert_eq(out.version, 1);
    cr_assert(!out.has_basic_constraints && !out.has_key_usage && !out.has_eku && !out.ca);
    cr_assert_eq(out.skid.len + out.akid.len, 0u);
    cr_assert_eq(out.pathlen, -1);

    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "", .version_len = 0}), XR_OK);
    cr_assert_eq(out.version, 1);
    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "\x02\x01\x01", .version_len = 3}),
                 XR_OK);
    cr_assert_eq(out.version, 2);
    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "\x02\x01\x02", .version_len = 3}),
                 XR_OK);
    cr_assert_eq(out.version, 3);
    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "\x02\x01\x03", .version_len = 3}),
                 XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "\x02\x02\x00\x02", .version_len = 4}),
                 XR_INVALID);
    cr_assert_eq(
        parse_hand(&out, &(struct hand){.version = "\x02\x01\x02\x05\x00", .version_len = 5}),
        XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.version = "\x02\x00", .version_len = 2}),
                 XR_INVALID);
}

Test(der, serial_numbers_may_be_negative_zero_or_huge)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert;
    struct xr_der_cert out;
    struct xr_error err;

    spec.serial = "-12";
    cert = issue(&spec);
    cr_assert_eq(xr_der_cert(&out, (struct xr_bytes){cert.data, cert.len}, &err), XR_OK);
    cr_assert(xr_bytes_equal(out.slices.serial,
                             (struct xr_bytes){(const unsigned char *)"\x02\x01\xf4", 3}));
    pki_blob_free(&cert);
    spec.serial = "0";
    cert = issue(&spec);
    cr_assert_eq(xr_der_cert(&out, (struct xr_bytes){cert.data, cert.len}, &err), XR_OK);
    cr_assert(xr_bytes_equal(out.slices.serial,
                             (struct xr_bytes){(const unsigned char *)"\x02\x01\x00", 3}));
    pki_blob_free(&cert);
    cr_assert_eq(parse_hand(&out, &(struct hand){.serial = "0123456789abcdef0123456789abcdef",
                                                 .serial_len = 32}),
                 XR_OK);
    cr_assert_eq(parse_hand(&out, &(struct hand){.serial = "", .serial_len = 0}), XR_INVALID);
}

Test(der, different_algorithms_inside_and_outside_are_seen)
{
    struct xr_der_cert out;

    cr_assert_eq(parse_hand(&out, &(struct hand){0}), XR_OK);
    cr_assert(!out.alg_mismatch);
    cr_assert_eq(parse_hand(&out, &(struct hand){.outer_alg = "\x30\x03\x06\x01\x2b"}), XR_OK);
    cr_assert(out.alg_mismatch);
}

Test(der, a_signature_must_be_whole_octets)
{
    struct xr_der_cert out;

    cr_assert_eq(parse_hand(&out, &(struct hand){.signature = "\x00", .signature_len = 1}),
                 XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.signature = "", .signature_len = 0}), XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.signature = "\x03\x08", .signature_len = 2}),
                 XR_INVALID);
}

/* ---- times ---- */

static bool time_is(unsigned tag, const char *text, const char *expected)
{
    size_t len = strlen(text);
    unsigned char *exact = malloc(len + 1);
    /* At the end of the allocation, without the closing zero. */
    struct xr_der_item item = {.tag = tag, .content = {exact + 1, len}};
    char got[XR_TIME_TEXT_MAX] = "refused";
    int64_t at = 0;
    bool ok = false;

    for (size_t i = 0; i < len; i++)
        exact[i + 1] = (unsigned char)text[i];
    if (xr_der_time(&at, &item))
        xr_sys_time_text(got, at);
    ok = strcmp(got, expected) == 0;
    if (!ok)
        cr_log_error("%s: %s expected, got %s", text, expected, got);
    free(exact);
    return ok;
}

Test(der, utc_times_reach_from_1950_to_2049)
{
    cr_assert(time_is(XR_DER_UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "691231235959Z", "1969-12-31T23:59:59Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "000229120000Z", "2000-02-29T12:00:00Z"));
}

Test(der, generalized_times_reach_to_the_end_of_9999)
{
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00Z"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "00010101000000Z", "0001-01-01T00:00:00Z"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "19000228235959Z", "1900-02-28T23:59:59Z"));
}

Test(der, times_with_a_zone_or_without_seconds_are_read)
{
    cr_assert(time_is(XR_DER_UTC_TIME, "2601020304Z", "2026-01-02T03:04:00Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "260102030405+0100", "2026-01-02T02:04:05Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "260102030405-0230", "2026-01-02T05:34:05Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "2601020304+0000", "2026-01-02T03:04:00Z"));
    cr_assert(time_is(XR_DER_UTC_TIME, "2601010000+0100", "2025-12-31T23:00:00Z"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "202601020304Z", "2026-01-02T03:04:00Z"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "20260102030405-1200", "2026-01-02T15:04:05Z"));
}

Test(der, what_is_no_time_is_refused)
{
    static const char *const utc[] = {
        "",
        "Z",
        "260102Z",
        "26010203Z",
        "260102030405",
        "260102030405z",
        "260102030405ZZ",
        "2601020304055Z",
        "260102030405+01",
        "260102030405+01000",
        "260102030405 0100",
        "261302030405Z",
        "260002030405Z",
        "260100030405Z",
        "260132030405Z",
        "260102240405Z",
        "260102036005Z",
        "260102030461Z",
        "26010203040aZ",
        " 60102030405Z",
        "+60102030405Z",
        "26010203040\xb2Z",
    };

    for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++)
        cr_assert(time_is(XR_DER_UTC_TIME, utc[i], "refused"), "%s", utc[i]);
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "2601020304Z", "refused"));
    cr_assert(time_is(XR_DER_GENERALIZED_TIME, "20260102030405.5", "refused"));
    cr_assert(time_is(XR_DER_INTEGER, "260102030405Z", "refused"), "no time at all");
}

Test(der, a_certificate_without_two_dates_is_refused)
{
    struct xr_der_cert out;

    cr_assert_eq(parse_hand(&out, &(struct hand){.not_before = "yesterday 12Z"}), XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.not_after = "never"}), XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.time_tag = XR_DER_UTF8}), XR_INVALID);
    cr_assert_eq(parse_hand(&out, &(struct hand){.time_tag = XR_DER_GENERALIZED_TIME,
                                                 .not_before = "19491231235959Z",
                                                 .not_after = "99991231235959Z"}),
                 XR_OK);
    cr_assert_eq(out.not_after, INT64_C(253402300799));
    cr_assert_lt(out.not_before, 0);
}

/* ---- extensions ---- */

Test(der, basic_constraints_are_read)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out = parsed(&spec);

    cr_assert(out.has_basic_constraints && out.ca && out.pathlen == -1);
    spec.pathlen = 0;
    out = parsed(&spec);
    cr_assert(out.ca && out.pathlen == 0);
    spec.pathlen = 3;
    out = parsed(&spec);
    cr_assert(out.ca && out.pathlen == 3);
    spec.pathlen = 1000;
    out = parsed(&spec);
    cr_assert(out.ca && out.pathlen == 1000);
    spec = pki_spec_leaf("A", NOW);
    out = parsed(&spec);
    cr_assert(out.has_basic_constraints && !out.ca && !out.malformed);
    spec.bare = true;
    out = parsed(&spec);
    cr_assert(!out.has_basic_constraints && !out.ca && out.version == 3);
}

Test(der, path_lengths_that_limit_nothing_are_no_limit)
{
    struct xr_der_cert out = with(19, "\x30\x09\x01\x01\xff\x02\x04\x7f\xff\xff\xff", 11);

    cr_assert(out.ca && !out.malformed);
    cr_assert_eq(out.pathlen, -1);
    out = with(19, "\x30\x07\x01\x01\xff\x02\x02\x7f\xff", 9);
    cr_assert_eq(out.pathlen, 0x7fff);
}

Test(der, damaged_basic_constraints_are_malformed)
{
    static const struct {
        const char *value;
        size_t len;
    } bad[] = {
        {"", 0},
        {"\x30", 1},
        {"\x31\x00", 2},
        {"\x30\x00\x00", 3},
        {"\x30\x02\x01\x00", 4},
        {"\x30\x04\x01\x02\xff\xff", 6},
        {"\x30\x03\x02\x01\xff", 5},
        {"\x30\x02\x02\x00", 4},
        {"\x30\x06\x01\x01\xff\x04\x01\x00", 8},
        {"\x30\x09\x01\x01\xff\x02\x01\x00\x02\x01\x00", 11},
    };
    struct xr_der_cert out;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        out = with(19, bad[i].value, bad[i].len);
        cr_assert(out.malformed, "%zu", i);
    }
    out = with(19, "\x30\x00", 2);
    cr_assert(!out.malformed && out.has_basic_constraints && !out.ca);
}

Test(der, key_usage_is_read)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out = parsed(&spec);

    cr_assert(out.has_key_usage && out.key_usage == (XR_KU_CERT_SIGN | XR_KU_CRL_SIGN));
    spec.key_usage = "critical,keyCertSign";
    out = parsed(&spec);
    cr_assert(out.has_key_usage && out.key_usage == XR_KU_CERT_SIGN);
    spec.key_usage = "cRLSign";
    out = parsed(&spec);
    cr_assert(out.has_key_usage && out.key_usage == XR_KU_CRL_SIGN);
    spec.key_usage = "digitalSignature,decipherOnly";
    out = parsed(&spec);
    cr_assert(out.has_key_usage && out.key_usage == 0);
    spec.key_usage = "";
    out = parsed(&spec);
    cr_assert(!out.has_key_usage && out.key_usage == 0);

    out = with(15, "\x03\x01\x00", 3);
    cr_assert(out.has_key_usage && out.key_usage == 0 && !out.malformed);
    out = with(15, "\x03\x00", 2);
    cr_assert(out.malformed);
    out = with(15, "\x04\x02\x01\x06", 4);
    cr_assert(out.malformed);
    out = with(15, "\x03\x02\x01\x06\x00", 5);
    cr_assert(out.malformed);
}

Test(der, extended_key_usage_is_read)
{
    static const struct {
        const char *eku;
        uint32_t purposes;
    } cases[] = {
        {"serverAuth", XR_SERVER},
        {"clientAuth", XR_CLIENT},
        {"codeSigning", XR_CODE},
        {"emailProtection", XR_EMAIL},
        {"critical,timeStamping", XR_TIME},
        {"serverAuth,clientAuth,1.3.6.1.4.1.32473.9", XR_SERVER | XR_CLIENT},
        {"anyExtendedKeyUsage,emailProtection", XR_ANY_PURPOSE | XR_EMAIL},
        {"OCSPSigning", 0},
        {"1.3.6.1.5.5.7.3.129", 0},
    };
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out = parsed(&spec);

    cr_assert(!out.has_eku && out.eku == 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spec.eku = cases[i].eku;
        out = parsed(&spec);
        cr_assert(out.has_eku && out.eku == cases[i].purposes, "%s: %#x", cases[i].eku, out.eku);
        cr_assert(!out.malformed);
    }
    out = with(37, "\x30\x02\x06\x00", 4);
    cr_assert(out.has_eku && out.eku == 0);
    out = with(37, "\x30\x02\x05\x00", 4);
    cr_assert(out.malformed);
    out = with(37, "\x30\x03\x06\x08\x2b", 5);
    cr_assert(out.malformed);
}

Test(der, key_identifiers_are_read)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out;

    out = with(14, "\x04\x03\x01\x02\x03", 5);
    cr_assert_eq(out.skid.len, 3u);
    out = with(14, "\x03\x03\x01\x02\x03", 5);
    cr_assert(out.malformed);
    out = with(35, "\x30\x05\x80\x03\x01\x02\x03", 7);
    cr_assert_eq(out.akid.len, 3u);
    out = with(35, "\x30\x03\x82\x01\x07", 5);
    cr_assert(out.akid.len == 0 && !out.malformed, "an issuer's serial alone is no key");
    out = with(35, "\x30\x05\x80\x04\x01\x02\x03", 7);
    cr_assert(out.malformed);
    spec.bare = true;
    out = parsed(&spec);
    cr_assert_eq(out.skid.len + out.akid.len, 0u);
}

Test(der, name_constraints_are_seen)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out = parsed(&spec);

    cr_assert(!out.name_constraints);
    spec.name_constraints = "critical,permitted;DNS:example.org";
    out = parsed(&spec);
    cr_assert(out.name_constraints && !out.unknown_critical && !out.malformed);
    out = with(30, "\x05\x00", 2);
    cr_assert(out.name_constraints && out.malformed);
}

Test(der, an_extension_that_occurs_twice_is_malformed)
{
    static const struct {
        unsigned arc;
        const char *value;
        size_t len;
    } known[] = {
        {14, "\x04\x01\x01", 3}, {15, "\x03\x02\x01\x06", 4}, {19, "\x30\x03\x01\x01\xff", 5},
        {30, "\x30\x00", 2},     {35, "\x30\x00", 2},         {37, "\x30\x03\x06\x01\x2a", 5},
        {17, "\x30\x00", 2},     {32, "\x30\x00", 2},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct xr_buf list = {0};
        struct xr_der_cert out;

        extension(&list, known[i].arc, true, known[i].value, known[i].len);
        cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_OK);
        cr_assert(!out.malformed, "%u", known[i].arc);
        extension(&list, known[i].arc, false, known[i].value, known[i].len);
        cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_OK);
        cr_assert(out.malformed, "%u", known[i].arc);
        xr_buf_free(&list);
    }
}

Test(der, an_unknown_critical_extension_is_seen)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct xr_der_cert out = parsed(&spec);
    struct xr_buf list = {0};

    cr_assert(!out.unknown_critical);
    spec.unknown_critical = true;
    out = parsed(&spec);
    cr_assert(out.unknown_critical && !out.malformed);

    extension(&list, 99, false, "\x05\x00", 2);
    cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_OK);
    cr_assert(!out.unknown_critical, "one that is not critical may be anything");
    extension(&list, 99, true, "\x05\x00", 2);
    cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_OK);
    cr_assert(out.unknown_critical && !out.malformed);
    xr_buf_free(&list);
}

Test(der, extensions_that_are_no_extensions_are_refused)
{
    static const struct {
        const char *list;
        size_t len;
    } bad[] = {
        {"\x05\x00", 2},
        {"\x30\x00", 2},
        {"\x30\x05\x06\x03\x55\x1d\x13", 7},
        {"\x30\x07\x06\x03\x55\x1d\x13\x05\x00", 9},
        {"\x30\x09\x06\x03\x55\x1d\x13\x01\x00\x04\x00", 11},
        {"\x30\x09\x06\x03\x55\x1d\x13\x04\x00\x05\x00", 11},
        {"\x30\x08\x06\x03\x55\x1d\x13\x04\x00", 9},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct xr_buf list = {0};
        struct xr_der_cert out;

        xr_buf_add(&list, bad[i].list, bad[i].len);
        cr_assert_eq(parse_hand(&out, &(struct hand){.extensions = &list}), XR_INVALID, "%zu", i);
        xr_buf_free(&list);
    }
}

/* ---- trust settings, CRLs, guesses ---- */

Test(der, trust_settings_are_read)
{
    static const char *const trust[] = {"serverAuth", "clientAuth", NULL};
    static const char *const reject[] = {"emailProtection", NULL};
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert = issue(&spec), with_settings;
    struct xr_der_aux aux;
    struct xr_error err = {0};

    cr_assert(pki_trusted(&with_settings, &cert, trust, reject, "alias") == 0);
    cr_assert_eq(
        xr_der_aux(&aux,
                   (struct xr_bytes){with_settings.data + cert.len, with_settings.len - cert.len},
                   &err),
        XR_OK);
    cr_assert(aux.has_trust && aux.trust == (XR_SERVER | XR_CLIENT) && aux.reject == XR_EMAIL);
    for (size_t len = 0; len < with_settings.len - cert.len; len++) {
        unsigned char *exact = malloc(len > 0 ? len : 1);

        memcpy(exact, with_settings.data + cert.len, len);
        cr_assert_eq(xr_der_aux(&aux, (struct xr_bytes){exact, len}, &err), XR_INVALID);
        free(exact);
    }
    cr_assert_eq(xr_der_aux(&aux, (struct xr_bytes){(const unsigned char *)"\x30\x00", 2}, &err),
                 XR_OK);
    cr_assert(!aux.has_trust && aux.trust == 0 && aux.reject == 0);
    cr_assert_eq(
        xr_der_aux(&aux, (struct xr_bytes){(const unsigned char *)"\x30\x02\x30\x00", 4}, &err),
        XR_OK);
    cr_assert(aux.has_trust && aux.trust == 0, "an empty list trusts for nothing");
    pki_blob_free(&with_settings);
    pki_blob_free(&cert);
}

Test(der, the_least_limited_certificate_of_a_name_comes_first)
{
    struct pki_spec plain = pki_spec_ca("A", NOW), specs[8];
    struct xr_der_cert sorted[8];
    const size_t count = sizeof(specs) / sizeof(specs[0]);

    for (size_t i = 0; i < count; i++)
        specs[i] = plain;
    specs[1].not_after -= PKI_DAY;
    specs[2].pathlen = 1;
    specs[3].pathlen = 0;
    specs[4].eku = "serverAuth";
    specs[5].name_constraints = "critical,permitted;DNS:example.org";
    specs[6].eku = "emailProtection";
    specs[7].unknown_critical = true;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = parsed(&specs[i]);
        sorted[i].signature_alg = (struct xr_bytes){0}; /* the bytes are gone */
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int order = xr_der_cert_order(&sorted[i], &sorted[k]);

            cr_assert(i < k   ? order < 0
                      : i > k ? order > 0
                              : order == 0,
                      "%zu, %zu: %d", i, k, order);
        }
    }
}

Test(der, a_weak_signature_comes_behind_every_limit_a_server_can_meet)
{
    static const unsigned char sha1[] = {0x30, 0x0b, 6,    9, 0x2a, 0x86, 0x48,
                                         0x86, 0xf7, 0x0d, 1, 1,    5};
    static const unsigned char ecdsa_sha1[] = {0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
    static const unsigned char ecdsa_sha256[] = {0x30, 0x0a, 6,    8, 0x2a, 0x86,
                                                 0x48, 0xce, 0x3d, 4, 3,    2};
    struct xr_der_cert limited = {.pathlen = 0,
                                  .name_constraints = true,
                                  .has_eku = true,
                                  .eku = XR_SERVER,
                                  .signature_alg = {ecdsa_sha256, sizeof(ecdsa_sha256)}};
    struct xr_der_cert weak = {.pathlen = -1, .signature_alg = {sha1, sizeof(sha1)}};

    cr_assert(xr_der_cert_order(&limited, &weak) < 0);
    weak.signature_alg = (struct xr_bytes){ecdsa_sha1, sizeof(ecdsa_sha1)};
    cr_assert(xr_der_cert_order(&limited, &weak) < 0);
    weak.signature_alg = limited.signature_alg;
    cr_assert(xr_der_cert_order(&limited, &weak) > 0);
}

Test(der, a_crl_names_its_issuer)
{
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_crl_spec crl_spec = {.this_update = NOW, .next_update = PKI_NO_TIME};
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob cert, crl;
    struct xr_der_cert parts;
    struct xr_bytes issuer;
    struct xr_error err = {0};

    cr_assert(pki_issue(&cert, key, NULL, NULL, &spec) == 0 &&
              pki_crl(&crl, &cert, key, &crl_spec) == 0);
    cr_assert_eq(xr_der_cert(&parts, (struct xr_bytes){cert.data, cert.len}, &err), XR_OK);
    cr_assert_eq(xr_der_crl_issuer(&issuer, (struct xr_bytes){crl.data, crl.len}, &err), XR_OK);
    cr_assert(xr_bytes_equal(issuer, parts.slices.subject));
    cr_assert(issuer.data > crl.data && issuer.data < crl.data + crl.len, "a slice of it");
    for (size_t len = 0; len < crl.len; len++) {
        unsigned char *exact = malloc(len > 0 ? len : 1);

        memcpy(exact, crl.data, len);
        cr_assert_eq(xr_der_crl_issuer(&issuer, (struct xr_bytes){exact, len}, &err), XR_INVALID);
        free(exact);
    }
    cr_assert_eq(xr_der_crl_issuer(&issuer, (struct xr_bytes){cert.data, cert.len}, NULL),
                 XR_INVALID);
    pki_blob_free(&cert);
    pki_blob_free(&crl);
    pki_key_free(key);
}

Test(der, private_keys_are_recognized_without_being_read)
{
    static const enum pki_key_type types[] = {PKI_EC, PKI_RSA, PKI_ED25519};
    struct pki_spec spec = pki_spec_ca("A", NOW);
    struct pki_blob cert = issue(&spec);
    bool private_key = false;

    for (size_t i = 0; i < 3; i++) {
        struct pki_key *key = pki_key_new(types[i]);
        struct pki_blob der, spki;

        cr_assert(pki_key_der(&der, key) == 0 && pki_key_spki(&spki, key) == 0);
        private_key = false;
        cr_assert(xr_der_guess((struct xr_bytes){der.data, der.len}, &private_key) != NULL);
        cr_assert(private_key);
        cr_assert(xr_der_guess((struct xr_bytes){spki.data, spki.len}, &private_key) == NULL);
        cr_assert(!private_key, "a public key is none");
        pki_blob_free(&der);
        pki_blob_free(&spki);
        pki_key_free(key);
    }
    cr_assert(xr_der_guess((struct xr_bytes){cert.data, cert.len}, &private_key) == NULL);
    cr_assert(!private_key);
    cr_assert(xr_der_guess((struct xr_bytes){0}, &private_key) == NULL);
    pki_blob_free(&cert);
}
