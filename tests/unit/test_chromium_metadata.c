/* SPDX-License-Identifier: Apache-2.0 */
/* The trust settings of a row: what is known, and that nothing else passes for it. */
#include "../../backends/chromium/metadata.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* The message, from its bytes in hex, in memory of exactly its size. */
static const char *read_hex(struct chromium_metadata *out, const char *hex)
{
    size_t len = strlen(hex) / 2;
    unsigned char *bytes = malloc(len ? len : 1);
    const char *why = NULL;

    cr_assert(bytes != NULL && strlen(hex) % 2 == 0 && xr_unhex(bytes, len, hex), "%s", hex);
    *out = (struct chromium_metadata){0};
    why = chromium_metadata_read(out, (struct xr_bytes){bytes, len});
    free(bytes);
    return why;
}

static void refused(const char *hex)
{
    struct chromium_metadata m;

    cr_expect_not_null(read_hex(&m, hex), "%s", hex);
    chromium_metadata_free(&m);
}

Test(chromium_metadata, the_three_kinds_of_trust_are_known)
{
    struct chromium_metadata m;

    for (unsigned trust = 1; trust <= 3; trust++) {
        char hex[16];

        (void)snprintf(hex, sizeof(hex), "0a02080%u", trust);
        cr_assert_null(read_hex(&m, hex));
        cr_assert_eq((unsigned)m.trust, trust);
        cr_assert(m.dns.count == 0 && m.cidrs.count == 0);
        chromium_metadata_free(&m);
    }
}

Test(chromium_metadata, names_and_ranges_are_read_in_their_order)
{
    struct chromium_metadata m;

    cr_assert_null(read_hex(&m, "0a020803"
                                "1230"
                                "0a0b6578616d706c652e636f6d"
                                "0a01"
                                "78"
                                "1a080a04c63364001018"
                                "1a140a1020010db80000000000000000000000001020"));
    cr_assert_eq(m.dns.count, 2);
    cr_assert_str_eq(m.dns.items[0], "example.com");
    cr_assert_str_eq(m.dns.items[1], "x");
    cr_assert_eq(m.cidrs.count, 2);
    cr_assert_str_eq(m.cidrs.items[0], "198.51.100.0/24");
    cr_assert_str_eq(m.cidrs.items[1], "2001:db8::/32");
    chromium_metadata_free(&m);
}

Test(chromium_metadata, a_prefix_of_no_bits_is_left_out_and_one_of_all_bits_is_allowed)
{
    struct chromium_metadata m;

    cr_assert_null(read_hex(&m, "0a020803"
                                "1212"
                                "1a060a0400000000"
                                "1a080a047f0000011020"));
    cr_assert_str_eq(m.cidrs.items[0], "0.0.0.0/0");
    cr_assert_str_eq(m.cidrs.items[1], "127.0.0.1/32");
    chromium_metadata_free(&m);
}

Test(chromium_metadata, constraints_may_come_first_or_be_empty)
{
    struct chromium_metadata m;

    cr_assert_null(read_hex(&m, "12030a0178"
                                "0a020803"));
    cr_assert_eq(m.dns.count, 1);
    chromium_metadata_free(&m);
    cr_assert_null(read_hex(&m, "0a0208031200"));
    cr_assert_eq(m.dns.count, 0);
    chromium_metadata_free(&m);
}

Test(chromium_metadata, a_longer_form_of_a_number_is_that_number)
{
    struct chromium_metadata m;

    cr_assert_null(read_hex(&m, "0a03088300"));
    cr_assert_eq(m.trust, CHROMIUM_TRUSTED);
    chromium_metadata_free(&m);
    cr_assert_null(read_hex(&m, "0a0b0883808080808080808000"));
    cr_assert_eq(m.trust, CHROMIUM_TRUSTED);
    chromium_metadata_free(&m);
}

Test(chromium_metadata, names_are_read_as_chromium_compares_them)
{
    struct chromium_metadata m;

    cr_assert_null(read_hex(&m, "0a020803"
                                "1212"
                                "0a0a4c6f63616c686f73742e" /* "Localhost." */
                                "0a00"                     /* every name */
                                "0a022e78"));              /* ".x" */
    cr_assert_eq(m.dns.count, 3);
    cr_assert_str_eq(m.dns.items[0], "localhost");
    cr_assert_str_eq(m.dns.items[1], "");
    cr_assert_str_eq(m.dns.items[2], ".x");
    chromium_metadata_free(&m);
}

Test(chromium_metadata, what_is_written_is_read_again)
{
    static const char *const names[] = {"example.com", "", "x"};
    static const char *const ranges[] = {"198.51.100.0/24", "0.0.0.0/0", "2001:db8::/32",
                                         "2001:db8::1/128"};

    for (unsigned trust = CHROMIUM_UNSPECIFIED; trust <= CHROMIUM_TRUSTED; trust++) {
        struct xr_limits limits = {0};
        struct chromium_metadata m = {0};
        struct xr_buf out = {0};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            cr_assert(xr_limits_add_dns(&limits, names[i]));
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
            cr_assert(xr_limits_add_cidr(&limits, ranges[i]));
        cr_assert(chromium_metadata_write(&out, (enum chromium_trust)trust, &limits));
        cr_assert_null(
            chromium_metadata_read(&m, (struct xr_bytes){(unsigned char *)out.data, out.len}));
        cr_assert_eq((unsigned)m.trust, trust);
        cr_assert_eq(m.dns.count, limits.dns.count);
        for (size_t i = 0; i < m.dns.count; i++)
            cr_assert_str_eq(m.dns.items[i], limits.dns.items[i]);
        cr_assert_eq(m.cidrs.count, limits.cidrs.count);
        for (size_t i = 0; i < m.cidrs.count; i++)
            cr_assert_str_eq(m.cidrs.items[i], limits.cidrs.items[i]);
        chromium_metadata_free(&m);
        xr_limits_free(&limits);
        xr_buf_free(&out);
    }
}

/* As its certificate manager made it, byte for byte (156). */
Test(chromium_metadata, the_message_is_chromiums)
{
    static const unsigned char plain[] = {0x0a, 2, 8, 2};
    struct xr_limits none = {0};
    struct xr_buf out = {0};

    cr_assert(chromium_metadata_write(&out, CHROMIUM_DISTRUSTED, &none));
    cr_assert(out.len == sizeof(plain) && memcmp(out.data, plain, sizeof(plain)) == 0);
    xr_buf_free(&out);
}

Test(chromium_metadata, more_than_is_ever_read_is_not_written)
{
    struct xr_limits limits = {0};
    struct xr_buf out = {0};

    for (unsigned i = 0; i < 6000; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "n%u.example", i);
        cr_assert(xr_limits_add_dns(&limits, name));
    }
    cr_assert(!chromium_metadata_write(&out, CHROMIUM_TRUSTED, &limits));
    xr_limits_free(&limits);
    xr_buf_free(&out);
}

Test(chromium_metadata, every_beginning_of_a_message_but_the_whole_is_refused)
{
    static const char whole[] = "12160a0178"
                                "1a080a04c63364001018"
                                "1a070a04c633640010"
                                "0a020802";
    static const char good[] = "0a020802"
                               "120d0a0178"
                               "1a080a04c63364001018";
    struct chromium_metadata m;

    refused(whole); /* its second range has no prefix length after its tag */
    cr_assert_null(read_hex(&m, good));
    chromium_metadata_free(&m);
    for (size_t len = 0; len + 2 < sizeof(good); len += 2) {
        char *part = xr_memdup(good, len);

        if (len != strlen("0a020802")) /* which is whole by itself */
            refused(part);
        free(part);
    }
}

Test(chromium_metadata, what_is_not_known_is_refused)
{
    static const char *const odd[] = {
        "",                             /* Chromium: unknown trust, so nothing */
        "0a00",                         /* likewise */
        "0a020800",                     /* likewise */
        "0a020804",                     /* a newer kind of trust */
        "0a0608838080801000",           /* 3 after 2^32 is taken off */
        "0a0b08ffffffffffffffffff01",   /* -1 */
        "0a0b08ffffffffffffffffff02",   /* more than 64 bits */
        "0a0c088380808080808080808000", /* eleven bytes */
        "0a0208030a020802",             /* two kinds of trust */
        "0a0408030802",                 /* likewise */
        "0a02080312001200",             /* constraints twice */
        "0a0408031001",                 /* an unknown part of the trust */
        "0a020803"
        "1801", /* an unknown part of the whole */
        "0a020803"
        "1a00", /* likewise */
        "0a020803"
        "12021200", /* an unknown part of the constraints, which Chromium reserves */
        "0a020803"
        "12022200", /* likewise, a new one */
        "0a020803"
        "12020801", /* a name that is a number */
        "0a020803"
        "12021801", /* a range that is one */
        "0a020803"
        "12030a0120", /* a blank */
        "0a020803"
        "12030a0100", /* a zero byte */
        "0a020803"
        "12040a02c3a4", /* not ASCII */
        "0a020803"
        "12030a017f",
        "0a020803"
        "12021a00", /* a range of nothing */
        "0a020803"
        "12091a070a0300000010"
        "00", /* an address of three bytes */
        "0a020803"
        "120a1a080a04000000001021", /* 33 bits of 32 */
        "0a020803"
        "120b1a090a0400000000108102", /* 257 */
        "0a020803"
        "120c1a0a0a04000000000a0400000000", /* two addresses */
        "0a020803"
        "120c1a0a0a0400000000100110"
        "02", /* two prefixes */
        "0a020803"
        "120a1a080a04000000001801", /* an unknown part of a range */
        "0802",                     /* the trust without its message */
        "0d00000000",               /* four bytes */
        "0900000000000000"
        "00",   /* eight */
        "0b0c", /* a group */
        "0f",   /* no wire type */
        "0a",
        "0a7f",
        "0affffffffffffffffff01", /* a length of 2^64 - 1 */
        "0affffffffffffffffff7f",
        "ffffffffffffffffffff",
        "00", /* field 0 */
        "0a020803"
        "12ffffffff0f",
        "0a03080312", /* longer inside than outside */
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        refused(odd[i]);
}

Test(chromium_metadata, a_name_has_at_most_255_bytes)
{
    for (unsigned len = 254; len <= 257; len++) {
        struct xr_buf hex = {0};
        struct chromium_metadata m;
        const char *why = NULL;

        /* two bytes for a length of 128 or more */
        xr_buf_fmt(&hex, "0a02080312%02x%02x0a%02x%02x", ((len + 3) & 0x7fu) | 0x80u,
                   (len + 3) >> 7, (len & 0x7fu) | 0x80u, len >> 7);
        for (unsigned i = 0; i < len; i++)
            xr_buf_str(&hex, "78");
        why = read_hex(&m, hex.data);
        cr_assert_eq(why == NULL, len <= 255, "%u: %s", len, why ? why : "known");
        chromium_metadata_free(&m);
        xr_buf_free(&hex);
    }
}

/* A message of many small parts would take many times its own memory. */
Test(chromium_metadata, a_message_of_more_than_64_kib_is_refused)
{
    struct xr_buf hex = {0};

    xr_buf_str(&hex, "0a02080312"
                     "80800c");
    for (unsigned i = 0; i < 3 * 65536 / 3; i++)
        xr_buf_str(&hex, "0a0178");
    refused(hex.data);
    xr_buf_free(&hex);
}

/* Whatever the bytes: an answer, and nothing read beyond them (AddressSanitizer looks). */
Test(chromium_metadata, any_bytes_get_an_answer)
{
    uint32_t seed = 1;
    size_t known = 0;

    for (unsigned round = 0; round < 200000; round++) {
        unsigned char bytes[24] = {0x0a, 0x02, 0x08, 0x03, 0x12, 0x0d, 0x0a, 0x01, 0x78, 0x1a,
                                   0x08, 0x0a, 0x04, 1,    2,    3,    4,    0x10, 0x18};
        size_t len = 19;
        struct chromium_metadata m = {0};
        unsigned char *copy = NULL;

        for (unsigned k = 0; k < round % 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[(seed >> 24) % len] = (unsigned char)(seed >> 16);
        }
        seed = seed * 1664525u + 1013904223u;
        if (round % 3 == 0)
            len = (seed >> 24) % (len + 1);
        copy = xr_new(len ? len : 1, 1);
        memcpy(copy, bytes, len);
        known += chromium_metadata_read(&m, (struct xr_bytes){copy, len}) == NULL;
        cr_assert(m.dns.count <= 10 && m.cidrs.count <= 10);
        chromium_metadata_free(&m);
        free(copy);
    }
    cr_assert(known > 1000 && known < 199000, "%zu", known);
}
