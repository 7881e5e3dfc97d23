/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/pins.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

/* ---- fixtures ---- */

/* Digits without a pattern, so that only what a test changes brings two values near. */
static const char sha256_text[] =
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
static const char sha1_text[] = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3";

/* Matching reads nothing of a certificate but its fingerprints; these are of the bytes "test". */
static struct xr_cert fixture(void)
{
    static const unsigned char bytes[] = {'t', 'e', 's', 't'};
    struct xr_cert cert = {.der = {bytes, sizeof(bytes)}};

    cr_assert(xr_unhex(cert.sha256, sizeof(cert.sha256), sha256_text));
    return cert;
}

static char *upper(const char *text)
{
    char *made = xr_strdup(text);

    for (char *at = made; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return made;
}

/* The digits in groups with a separator between them. */
static char *grouped(const char *digits, size_t group, const char *separator)
{
    struct xr_buf out = {0};

    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i % group == 0)
            xr_buf_str(&out, separator);
        xr_buf_add(&out, &digits[i], 1);
    }
    return out.data;
}

static char *full_width(const char *digits)
{
    struct xr_buf out = {0};

    for (const char *at = digits; *at != '\0'; at++) {
        unsigned c = 0xff01u + (unsigned)(*at - '!');
        const char bytes[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                              (char)(0x80 | (c & 0x3f))};

        xr_buf_add(&out, bytes, sizeof(bytes));
    }
    return out.data;
}

/* The page holds these values, in that order, and no other. Frees the page. */
static void page_owned(char *page, size_t count, const char *const *values)
{
    struct xr_pins pins = {0};

    xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)page, strlen(page)});
    cr_assert_eq(pins.count, count, "%zu values, not %zu, in: %s", pins.count, count, page);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(pins.items[i].digits, values[i], "in: %s", page);
        cr_assert_not(pins.items[i].typed);
    }
    xr_pins_free(&pins);
    free(page);
}

static void page_one(char *page, const char *value)
{
    page_owned(page, 1, &value);
}

static void page_none(const char *page)
{
    page_owned(xr_strdup(page), 0, NULL);
}

/* The same value with its first n digits (every step-th) replaced by others. */
static char *changed(const char *digits, size_t n, size_t step)
{
    char *made = xr_strdup(digits);

    for (size_t i = 0; i < n; i++)
        made[i * step] = "123456789abcdef0"[xr_hex_digit((unsigned char)made[i * step])];
    return made;
}

static enum xr_pin_match match(struct xr_pin_near *near, struct xr_pins *pins)
{
    struct xr_cert cert = fixture();

    return xr_pins_match(near, pins, true, &cert);
}

/* Types the digits whatever their number, as the page reader or --pin would keep them. */
static void type(struct xr_pins *pins, const char *digits)
{
    (void)xr_pins_typed(pins, digits, NULL);
}

static enum xr_pin_match match_one(const char *digits)
{
    struct xr_pins pins = {0};
    struct xr_pin_near near;
    enum xr_pin_match result = XR_PIN_NONE;

    type(&pins, digits);
    result = match(&near, &pins);
    xr_pins_free(&pins);
    return result;
}

/* ---- typed ---- */

static void typed_owned(char *text, const char *digits)
{
    struct xr_pins pins = {0};
    struct xr_error err = {0};

    cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_OK, "%s: %s", text, err.text);
    cr_assert_eq(pins.count, 1);
    cr_assert_str_eq(pins.items[0].digits, digits);
    cr_assert(pins.items[0].typed);
    cr_assert_not(pins.items[0].used);
    xr_pins_free(&pins);
    free(text);
}

Test(pins, typed_digits_may_have_any_case_and_separators)
{
    static const char *const values[] = {sha256_text, sha1_text};

    for (size_t i = 0; i < 2; i++) {
        typed_owned(xr_strdup(values[i]), values[i]);
        typed_owned(upper(values[i]), values[i]);
        typed_owned(grouped(values[i], 2, ":"), values[i]);
        typed_owned(grouped(values[i], 2, " "), values[i]);
        typed_owned(grouped(values[i], 4, "-"), values[i]);
        typed_owned(grouped(values[i], 8, "\n\t "), values[i]);
        typed_owned(xr_format("  %s ", values[i]), values[i]);
    }
}

Test(pins, typed_prefixes_say_which_digest)
{
    struct xr_pins pins = {0};
    struct xr_error err = {0};
    char *text = NULL;

    typed_owned(xr_format("sha256:%s", sha256_text), sha256_text);
    typed_owned(xr_format("SHA256: %s", sha256_text), sha256_text);
    typed_owned(xr_format("Sha-256:%s", sha256_text), sha256_text);
    typed_owned(xr_format("sha1:%s", sha1_text), sha1_text);
    typed_owned(xr_format("SHA-1:%s", sha1_text), sha1_text);

    text = xr_format("sha1:%s", sha256_text);
    cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_INVALID);
    cr_assert(strstr(err.text, "a SHA-1 fingerprint has 40") != NULL, "%s", err.text);
    free(text);
    text = xr_format("sha256:%s", sha1_text);
    cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_INVALID);
    cr_assert(strstr(err.text, "a SHA-256 fingerprint has 64") != NULL, "%s", err.text);
    free(text);
    text = xr_format("md5:%s", sha1_text);
    cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_INVALID);
    free(text);
    xr_pins_free(&pins);
}

Test(pins, typed_text_may_be_what_people_paste)
{
    static const struct {
        const char *before, *after;
    } frames[] = {{"sha256 Fingerprint=", ""},
                  {"SHA256 Fingerprint:", ""},
                  {"X509 SHA256 Fingerprint=", ""},
                  {"Fingerprint (SHA-256): ", ""},
                  {"Thumbprint sha256=", ""},
                  {"sha256=", ""},
                  {"SHA2-256(root.der)= ", ""},
                  {"SHA256 (a file) = ", "\n"},
                  {"", "  root.der\n"},
                  {"", " *root.der"},
                  {"", "  -"},
                  {"\"", "\""},
                  {"\xe2\x80\x9c", "\xe2\x80\x9d"},
                  {"0x", ""},
                  {"\xe2\x80\x8e", ""},
                  {"\xef\xbb\xbf", "\xc2\xa0"},
                  {"\xe2\x80\xaa", "\xe2\x80\xac"}};
    char *wide = full_width(sha256_text), *lines = grouped(sha256_text, 32, "\r\n");
    char *blanks = grouped(sha256_text, 2, "\xc2\xa0"),
         *dashes = grouped(sha256_text, 4, "\xe2\x80\x91");

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        typed_owned(xr_format("%s%s%s", frames[i].before, sha256_text, frames[i].after),
                    sha256_text);
    typed_owned(xr_format("SHA1 Fingerprint=%s", sha1_text), sha1_text);
    typed_owned(xr_format("%s  a file of hex, 1234", sha1_text), sha1_text);
    typed_owned(wide, sha256_text);
    typed_owned(lines, sha256_text);
    typed_owned(blanks, sha256_text);
    typed_owned(dashes, sha256_text);
}

Test(pins, typed_text_that_is_something_else_is_named)
{
    static const char hash[] = "UNFPjDhLgbHT3p5IfzAxdKk+rh7DFVeVVA2C/y3VBwE=";
    static const struct {
        const char *before, *name;
        size_t digits;
    } others[] = {{"md5 Fingerprint=", "an MD5", 32},
                  {"", "an MD5", 32},
                  {"sha384:", "a SHA-384", 96},
                  {"", "a SHA-384", 96},
                  {"sha512 Fingerprint=", "a SHA-512", 128},
                  {"", "a SHA-512", 128},
                  {"SHA2-512(x)= ", "a SHA-512", 128},
                  {"", "a SHA-224", 56}};
    static const char *const keys[] = {"sha256/%s", "sha256//%s", "pin-sha256=\"%s\"", "%s"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char *text = xr_format("%s%.64s%.64s", others[i].before, sha256_text, sha256_text);
        struct xr_pins pins = {0};
        struct xr_error err = {0};

        text[strlen(others[i].before) + others[i].digits] = '\0';
        cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_INVALID);
        cr_assert(strstr(err.text, others[i].name) != NULL, "%s: %s", text, err.text);
        xr_pins_free(&pins);
        free(text);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *at = strstr(keys[i], "%s");
        char *text = xr_format("%.*s%s%s", (int)(at - keys[i]), keys[i], hash, at + 2);
        struct xr_pins pins = {0};
        struct xr_error err = {0};

        cr_assert_eq(xr_pins_typed(&pins, text, &err), XR_INVALID);
        cr_assert(strstr(err.text, "the hash of a key") != NULL, "%s: %s", text, err.text);
        cr_assert_eq(pins.count, 0);
        free(text);
    }
}

Test(pins, typed_values_of_a_wrong_length_are_invalid_and_kept_if_they_may_be_misprints)
{
    char digits[100];

    for (size_t len = 0; len < sizeof(digits); len++) {
        struct xr_pins pins = {0};
        struct xr_error err = {0};
        enum xr_status status = XR_OK;

        for (size_t i = 0; i < len; i++)
            digits[i] = sha256_text[i % 64];
        digits[len] = '\0';
        status = xr_pins_typed(&pins, digits, &err);
        cr_assert_eq(status, len == 40 || len == 64 ? XR_OK : XR_INVALID, "%zu digits", len);
        cr_assert_eq(pins.count, len >= XR_PIN_DIGITS_MIN && len <= XR_PIN_DIGITS_MAX, "%zu digits",
                     len);
        if (pins.count == 1)
            cr_assert_eq(strlen(pins.items[0].digits), len);
        if (status != XR_OK) {
            char *number = xr_format("%zu hex digits", len);

            cr_assert(strstr(err.text, number) != NULL, "%s", err.text);
            free(number);
        }
        xr_pins_free(&pins);
        if (len == sizeof(digits) - 1)
            break;
    }
}

Test(pins, typed_text_that_is_no_fingerprint_is_invalid_and_not_kept)
{
    static const char *const texts[] = {
        "",      " ",        ":",  "sha256:", "-",
        "hello", "\xff\xfe", "zz", "0xzz",    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1g"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct xr_pins pins = {0};
        struct xr_error err = {0};

        cr_assert_eq(xr_pins_typed(&pins, texts[i], &err), XR_INVALID, "\"%s\"", texts[i]);
        cr_assert_gt(strlen(err.text), 0);
        cr_assert_eq(pins.count, 0);
        for (const char *at = err.text; *at != '\0'; at++)
            cr_assert(*at >= ' ' && *at <= '~', "the error quotes raw bytes");
        xr_pins_free(&pins);
    }
}

Test(pins, the_same_value_typed_twice_is_one)
{
    struct xr_pins pins = {0};
    char *groups = grouped(sha256_text, 2, ":");

    type(&pins, sha256_text);
    type(&pins, groups);
    cr_assert_eq(pins.count, 1);
    xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)sha256_text, 64});
    cr_assert_eq(pins.count, 2, "published is not typed");
    free(groups);
    xr_pins_free(&pins);
}

/* ---- pages ---- */

Test(pins, a_page_may_print_a_fingerprint_in_any_usual_form)
{
    static const struct {
        size_t group;
        const char *separator;
    } forms[] = {{2, ":"},
                 {2, " "},
                 {2, "-"},
                 {4, " "},
                 {8, " "},
                 {4, ":"},
                 {8, "-"},
                 {2, "\xc2\xa0"} /* no-break space */,
                 {2, "\xe3\x80\x80"} /* ideographic */,
                 {2, "\xef\xbc\x9a"} /* full-width colon */,
                 {2, "\t"},
                 {5, " "},
                 {6, " "}};
    static const char *const values[] = {sha256_text, sha1_text};

    for (size_t v = 0; v < 2; v++) {
        page_one(xr_strdup(values[v]), values[v]);
        page_one(upper(values[v]), values[v]);
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
            char *text = grouped(values[v], forms[i].group, forms[i].separator);
            char *loud = upper(text);

            page_one(xr_format("<p>Fingerprint: %s</p>\n", text), values[v]);
            page_one(xr_format("(%s)", loud), values[v]);
            page_one(loud, values[v]);
            page_one(text, values[v]);
        }
    }
}

/* Is this value among those of the page? Frees the page. */
static void page_holds(char *page, size_t len, const char *value)
{
    struct xr_pins pins = {0};
    bool found = false;

    xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)page, len});
    for (size_t i = 0; i < pins.count; i++)
        found = found || strcmp(pins.items[i].digits, value) == 0;
    cr_assert(found, "not found in: %s", page);
    xr_pins_free(&pins);
    free(page);
}

Test(pins, a_page_may_break_a_fingerprint_anywhere)
{
    static const char *const breaks[] = {
        "<br>",          "<br/>\n",      "<wbr>",    "&shy;",
        "\xc2\xad",      "\n",           "\r\n    ", "</td>\n<td class=\"x\">",
        "</span><span>", "\xe2\x80\x8b", "<!-- -->"};

    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        char *page = xr_format("<tr><td>SHA256</td><td>%.32s%s%s</td></tr>", sha256_text, breaks[i],
                               sha256_text + 32);
        char *groups = grouped(sha256_text, 4, " ");
        char *lines = xr_format("<td>%.40s%s%s</td>", groups, breaks[i], groups + 40);

        page_holds(page, strlen(page), sha256_text);
        page_holds(lines, strlen(lines), sha256_text);
        free(groups);
    }
}

Test(pins, a_page_in_utf_16_is_read)
{
    for (int big = 0; big < 2; big++) {
        size_t len = 2 + 2 * strlen(sha256_text);
        char *page = xr_new(len + 1, 1);

        page[0] = big ? '\xfe' : '\xff';
        page[1] = big ? '\xff' : '\xfe';
        for (size_t i = 0; sha256_text[i] != '\0'; i++)
            page[2 + 2 * i + (size_t)big] = sha256_text[i];
        page_holds(page, len, sha256_text);
    }
}

/* Full-width digits, and what stands for a colon, in Shift_JIS or EUC-JP. */
static char *wide_in(bool euc, const char *digits, size_t group, const char *colon)
{
    struct xr_buf out = {0};

    for (size_t i = 0; digits[i] != '\0'; i++) {
        unsigned char c = (unsigned char)digits[i];
        unsigned cell = c - 0x20u;
        const char in_euc[] = {'\xa3', (char)(cell + 0xa0)};
        const char in_sjis[] = {'\x82', (char)(cell + (c >= 'a' ? 0x40 : 0x3f))};

        if (i > 0 && i % group == 0)
            xr_buf_str(&out, colon);
        xr_buf_add(&out, euc ? in_euc : in_sjis, 2);
    }
    return out.data;
}

Test(pins, a_page_in_shift_jis_or_euc_jp_is_read)
{
    static const struct {
        bool euc;
        const char *head; /* "fingerprint:" in kanji */
        const char *colon;
    } pages[] = {{false,
                  "\x8ew\x96\xe4\x81"
                  "F",
                  "\x81"
                  "F"},
                 {true, "\xbb\xd8\xcc\xe6\xa1\xa7", "\xa1\xa7"}};

    for (size_t i = 0; i < 2; i++) {
        const char *head = pages[i].head, *colon = pages[i].colon;
        const char *name = pages[i].euc ? "EUC-JP" : "Shift_JIS";
        char *loud = upper(sha256_text);

        for (int said = 0; said < 2; said++) {
            const char *meta = said ? "<meta charset=\"" : "<p class=\"";

            page_one(xr_format("%s%s\">%s%s", meta, name, head, sha256_text), sha256_text);
            for (size_t group = 2; group <= 64; group += 62) {
                char *wide = wide_in(pages[i].euc, group == 2 ? loud : sha256_text, group, colon);

                page_one(xr_format("%s%s\">%s%s\n", meta, name, head, wide), sha256_text);
                free(wide);
            }
        }
        free(loud);
    }
}

Test(pins, the_second_byte_of_a_shift_jis_character_is_no_digit)
{
    static const char *const before[] = {
        "\x83"
        "A", /* katakana a: the second byte is an ASCII A */
        "\x83"
        "a",            /* mi */
        "\x83\x5c",     /* so: a backslash */
        "\x82\xa0",     /* hiragana a */
        "\xb1\xb2\xc3", /* half-width katakana: one byte each */
        "\x88"
        "E\x93"
        "D",
    };

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        page_one(xr_format("<meta charset=x-sjis>%s%s", before[i], sha256_text), sha256_text);
        page_one(xr_format("%s%s%s", before[i], sha1_text, before[i]), sha1_text);
    }
    /* What is no character does not swallow what follows. */
    page_one(xr_format("<meta charset=shift_jis>\xfd\x82\n%s", sha256_text), sha256_text);
    /* Many pages in UTF-8 still say what they once were. */
    page_one(xr_format("<meta charset=Shift_JIS>\xe6\x8c\x87\xe7\xb4\x8b%s", sha256_text),
             sha256_text);
}

Test(pins, a_page_may_name_the_digest_before_it)
{
    static const char *const heads[] = {"SHA-256 ",    "SHA256 ",         "SHA-256: ",
                                        "SHA256:",     "sha256=",         "SHA256 Fingerprint=",
                                        "SHA-256\n",   "SHA-1 ",          "SHA1 ",
                                        "SHA1: ",      "sha-1:",          "256-bit: ",
                                        "(SHA-256)  ", "SHA2-256 ",       "SHA 256 ",

                                        "No. 12 ",     "Valid to 2031. ", "SHA-256\xef\xbc\x9a"};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char *colons = grouped(sha256_text, 2, ":");
        char *loud = upper(colons);
        char *quads = grouped(sha256_text, 4, " ");

        page_one(xr_format("%s%s", heads[i], sha256_text), sha256_text);
        page_one(xr_format("%s%s.", heads[i], loud), sha256_text);
        page_one(xr_format("%s%s", heads[i], quads), sha256_text);
        free(colons);
        free(loud);
        free(quads);
    }
}

Test(pins, a_page_in_japanese_is_read)
{
    char *digits = full_width(sha1_text);
    char *loud = upper(sha256_text);
    char *wide = full_width(loud);
    char *colons = grouped(sha256_text, 2, "\xef\xbc\x9a");

    /* "The fingerprint is … ." without a space anywhere */
    page_one(xr_format("\xe6\x8b\x87\xe5\x8d\xb0\xe3\x81\xaf%s\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82",
                       loud),
             sha256_text);
    page_one(xr_format("\xef\xbc\x88%s\xef\xbc\x89", digits), sha1_text);
    page_one(xr_format("\xe3\x80\x8c%s\xe3\x80\x8d", wide), sha256_text);
    page_one(xr_format("\xef\xbc\xb3\xef\xbc\xa8\xef\xbc\xa1\xef\xbc\x8d\xef\xbc\x91\xe3\x80\x80%s",
                       digits), /* SHA-1, full width */
             sha1_text);
    page_one(colons, sha256_text);
    free(digits);
    free(loud);
    free(wide);
}

Test(pins, a_page_may_hold_many_values)
{
    char *third = changed(sha256_text, 20, 3);
    const char *values[] = {sha1_text, sha256_text, third};
    char *colons = grouped(sha1_text, 2, ":");

    page_owned(xr_format("<table>\n<tr><td>SHA-1</td><td>%s</td></tr>\n"
                         "<tr><td>SHA-256</td><td>%s</td></tr>\n<tr><td><code>%s</code></td></tr>"
                         "<!-- again: %s --></table>",
                         colons, sha256_text, third, sha256_text),
               3, values);
    free(colons);
    free(third);
}

Test(pins, words_that_look_like_hex_are_no_pins)
{
    char *joined = xr_format("x%s %sz %s_ _%s id%s", sha256_text, sha256_text, sha1_text, sha1_text,
                             sha256_text);

    page_none("");
    page_none("be a dad, face a fee, add cafe babe decade facade deface efface");
    page_none("ad be ad be ad be ad be ad be");
    page_none("2024-02-29 12:34:56, 2031:01:02, +49 30 1234567890, 1234 5678 9012 3456");
    page_none("550e8400-e29b-41d4-a716-446655440000 ");
    page_none("MD5 d41d8cd98f00b204e9800998ecf842");
    page_none(joined);
    page_none("#aabbcc #ddeeff; rgb(12, 34, 56)");
    free(joined);
}

Test(pins, a_value_too_long_or_too_short_to_be_a_misprint_is_no_pin)
{
    char digits[201];

    for (size_t len = 1; len < sizeof(digits); len++) {
        struct xr_pins pins = {0};

        for (size_t i = 0; i < len; i++)
            digits[i] = sha256_text[i % 64];
        xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)digits, len});
        cr_assert_eq(pins.count, len >= XR_PIN_DIGITS_MIN && len <= XR_PIN_DIGITS_MAX, "%zu digits",
                     len);
        if (pins.count == 1)
            cr_assert_eq(strlen(pins.items[0].digits), len);
        xr_pins_free(&pins);
    }
}

Test(pins, a_page_of_any_bytes_is_read)
{
    uint32_t seed = 4711;
    static const char alphabet[] = "0123456789abcdefABCDEF:: -- \t\n<>g\xef\xbc\x91\xff\xe3\x80";

    for (unsigned round = 0; round < 2000; round++) {
        struct xr_pins pins = {0};
        size_t len = round % 300;
        unsigned char *page = xr_new(len, 1); /* exactly that long, for the sanitizer */

        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            page[i] = (unsigned char)alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        xr_pins_page(&pins, (struct xr_bytes){page, len});
        for (size_t i = 0; i < pins.count; i++) {
            size_t digits = strlen(pins.items[i].digits);

            cr_assert(digits >= XR_PIN_DIGITS_MIN && digits <= XR_PIN_DIGITS_MAX);
            cr_assert_eq(strspn(pins.items[i].digits, "0123456789abcdef"), digits);
        }
        xr_pins_free(&pins);
        free(page);
    }
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* CPU seconds to read a page of that many bytes, made of one unit over and over. */
static double page_seconds(const char *unit, size_t len)
{
    unsigned char *page = xr_new(len, 1);
    struct xr_pins pins = {0};
    double from = 0;

    for (size_t i = 0, n = strlen(unit); i < len; i++)
        page[i] = (unsigned char)unit[i % n];
    from = seconds();
    xr_pins_page(&pins, (struct xr_bytes){page, len});
    from = seconds() - from;
    xr_pins_free(&pins);
    free(page);
    return from;
}

Test(pins, a_huge_page_takes_time_in_proportion_to_its_size)
{
    static const char *const units[] = {"ab ",       "ab",   "a ",           "ab:cd ef-",
                                        "abcdefab ", "ab  ", "\xef\xbc\x91", "ab\xe3\x80\x80",
                                        "ab x",      "a"};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double small = page_seconds(units[i], (size_t)1 << 16);
        double large = page_seconds(units[i], (size_t)1 << 19);

        /* Eight times as much; a square would be 64 times. */
        cr_assert(large < 0.1 || large < 24 * small, "\"%s\": %.3f s, then %.3f s", units[i], small,
                  large);
    }
}

/* A list of all CAs of the world has some thousand values; a hostile page as many as fit. */
Test(pins, many_different_values_take_time_in_proportion_to_their_number)
{
    double took[2];

    for (unsigned round = 0; round < 2; round++) {
        size_t count = round == 0 ? 2000 : 16000;
        struct xr_pins pins = {0};
        struct xr_buf page = {0};

        for (size_t i = 0; i < count; i++)
            xr_buf_fmt(&page, "%056zx%08zx\n", i, i);
        took[round] = seconds();
        xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)page.data, page.len});
        took[round] = seconds() - took[round];
        cr_assert_eq(pins.count, count);
        xr_pins_free(&pins);
        xr_buf_free(&page);
    }
    cr_assert(took[1] < 0.2 || took[1] < 24 * took[0], "%.3f s for 2000 values, %.3f s for 16000",
              took[0], took[1]);
}

/* A number that happens to have as many digits as the groups behind it (or a two-digit one before
 * bytes) makes the value 68 digits long, which is near and so a refusal. */
/* The page holds this value, whole, among at most two. */
static void page_has(char *page, const char *value)
{
    struct xr_pins pins = {0};
    bool found = false;

    xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)page, strlen(page)});
    for (size_t i = 0; i < pins.count; i++)
        found = found || strcmp(pins.items[i].digits, value) == 0;
    cr_assert(found, "in: %s", page);
    cr_assert_leq(pins.count, 2);
    xr_pins_free(&pins);
    free(page);
}

Test(pins, a_number_before_a_value_in_groups_does_not_join_it)
{
    char *quads = grouped(sha256_text, 4, " "), *pairs = grouped(sha1_text, 2, " ");

    page_has(xr_format("RSA 2048 %s", quads), sha256_text);
    page_has(xr_format("%s 2031", quads), sha256_text);
    page_has(xr_format("SHA1 20 %s", pairs), sha1_text);
    free(quads);
    free(pairs);
}

/* ---- distance ---- */

Test(pins, distance_counts_changed_missing_and_added_digits)
{
    cr_assert_eq(xr_pins_distance("", "", 8), 0);
    cr_assert_eq(xr_pins_distance("abc", "abc", 8), 0);
    cr_assert_eq(xr_pins_distance("abc", "", 8), 3);
    cr_assert_eq(xr_pins_distance("abc", "abd", 8), 1);
    cr_assert_eq(xr_pins_distance("abc", "ac", 8), 1);
    cr_assert_eq(xr_pins_distance("abc", "0abc", 8), 1);
    cr_assert_eq(xr_pins_distance("abcd", "badc", 8), 3, "a swap is two changes or one move");
    cr_assert_eq(xr_pins_distance("0123456789", "1234567890", 8), 2, "shifted by one");
    cr_assert_eq(xr_pins_distance("abcdef", "012345", 3), 4, "limit + 1");
    cr_assert_eq(xr_pins_distance("abcdef", "", 3), 4);
    cr_assert_eq(xr_pins_distance(sha256_text, sha1_text, 8), 9);
}

Test(pins, distance_is_symmetric_and_obeys_its_limit)
{
    for (size_t n = 0; n <= 12; n++) {
        char *other = changed(sha256_text, n, 5);
        unsigned want = n <= 8 ? (unsigned)n : 9;

        cr_assert_eq(xr_pins_distance(sha256_text, other, 8), want);
        cr_assert_eq(xr_pins_distance(other, sha256_text, 8), want);
        cr_assert_eq(xr_pins_distance(other, sha256_text, 64), n);
        free(other);
    }
}

/* ---- matching ---- */

Test(pins, an_exact_value_matches_and_is_marked_used)
{
    struct xr_pins pins = {0};
    struct xr_pin_near near;

    type(&pins, sha1_text);
    cr_assert_eq(match(&near, &pins), XR_PIN_SHA1);
    cr_assert(near.sha256 == NULL && near.sha1 == NULL);
    cr_assert(pins.items[0].used);
    type(&pins, sha256_text);
    cr_assert_eq(match(&near, &pins), XR_PIN_SHA256);
    cr_assert(near.sha256 == NULL && near.sha1 == NULL);
    cr_assert(pins.items[1].used);
    xr_pins_free(&pins);
}

Test(pins, typed_and_published_values_are_kept_apart)
{
    struct xr_cert cert = fixture();
    struct xr_pins pins = {0};
    struct xr_pin_near near;

    type(&pins, sha256_text);
    cr_assert_eq(xr_pins_match(&near, &pins, false, &cert), XR_PIN_NONE);
    cr_assert_not(pins.items[0].used);
    xr_pins_free(&pins);
    xr_pins_page(&pins, (struct xr_bytes){(const unsigned char *)sha256_text, 64});
    cr_assert_eq(xr_pins_match(&near, &pins, true, &cert), XR_PIN_NONE);
    cr_assert_eq(xr_pins_match(&near, &pins, false, &cert), XR_PIN_SHA256);
    xr_pins_free(&pins);
    cr_assert_eq(xr_pins_match(&near, &pins, true, &cert), XR_PIN_NONE, "no pins at all");
}

Test(pins, a_value_is_near_up_to_a_distance_of_eight)
{
    static const char *const values[] = {sha256_text, sha1_text};

    for (size_t v = 0; v < 2; v++) {
        for (size_t n = 1; n <= 10; n++) {
            struct xr_pins pins = {0};
            struct xr_pin_near near;
            char *other = changed(values[v], n, 4);

            type(&pins, other);
            cr_assert_eq(match(&near, &pins), n <= XR_PIN_NEAR ? XR_PIN_NEAR_MISS : XR_PIN_NONE,
                         "%zu digits of value %zu", n, v);
            cr_assert_eq(near.sha256 != NULL, v == 0 && n <= XR_PIN_NEAR);
            cr_assert_eq(near.sha1 != NULL, v == 1 && n <= XR_PIN_NEAR);
            cr_assert_not(pins.items[0].used, "a near miss is no use of a pin");
            xr_pins_free(&pins);
            free(other);
        }
    }
}

Test(pins, missing_and_surplus_digits_are_near_too)
{
    for (size_t n = 1; n <= 9; n++) {
        char *shorter = xr_strdup(sha256_text + n);
        char *longer = xr_format("%s%.*s", sha256_text, (int)n, "0123456789");

        cr_assert_eq(match_one(shorter), n <= XR_PIN_NEAR ? XR_PIN_NEAR_MISS : XR_PIN_NONE);
        cr_assert_eq(match_one(longer), n <= XR_PIN_NEAR ? XR_PIN_NEAR_MISS : XR_PIN_NONE);
        free(shorter);
        shorter = xr_format("%.*s", (int)(40 - n), sha1_text);
        cr_assert_eq(match_one(shorter), n <= XR_PIN_NEAR ? XR_PIN_NEAR_MISS : XR_PIN_NONE);
        free(shorter);
        free(longer);
    }
}

Test(pins, any_single_misprint_is_a_near_miss_and_never_a_match)
{
    for (size_t at = 0; at < 64; at++) {
        char *other = xr_strdup(sha256_text);

        for (unsigned digit = 0; digit < 16; digit++) {
            other[at] = "0123456789abcdef"[digit];
            cr_assert_eq(match_one(other),
                         other[at] == sha256_text[at] ? XR_PIN_SHA256 : XR_PIN_NEAR_MISS);
        }
        free(other);
    }
}

Test(pins, a_near_sha256_wins_over_an_exact_sha1)
{
    char *other = changed(sha256_text, 2, 7);

    for (unsigned order = 0; order < 2; order++) {
        struct xr_pins pins = {0};
        struct xr_pin_near near;

        type(&pins, order == 0 ? sha1_text : other);
        type(&pins, order == 0 ? other : sha1_text);
        cr_assert_eq(match(&near, &pins), XR_PIN_NEAR_MISS);
        cr_assert(near.sha256 != NULL && strcmp(near.sha256->digits, other) == 0);
        cr_assert(near.sha1 == NULL, "the SHA-1 is right");
        xr_pins_free(&pins);
    }
    free(other);
}

Test(pins, an_exact_sha256_matches_and_a_misprinted_sha1_beside_it_is_reported)
{
    char *other = changed(sha1_text, 3, 7);

    for (unsigned order = 0; order < 2; order++) {
        struct xr_pins pins = {0};
        struct xr_pin_near near;

        type(&pins, order == 0 ? sha256_text : other);
        type(&pins, order == 0 ? other : sha256_text);
        cr_assert_eq(match(&near, &pins), XR_PIN_SHA256);
        cr_assert(near.sha256 == NULL);
        cr_assert(near.sha1 != NULL && strcmp(near.sha1->digits, other) == 0);
        xr_pins_free(&pins);
    }
    free(other);
}

Test(pins, near_misses_of_both_digests_are_both_reported)
{
    struct xr_pins pins = {0};
    struct xr_pin_near near;
    char *long_one = changed(sha256_text, 1, 1), *short_one = changed(sha1_text, 1, 1);

    type(&pins, short_one);
    type(&pins, long_one);
    cr_assert_eq(match(&near, &pins), XR_PIN_NEAR_MISS);
    cr_assert(near.sha256 != NULL && near.sha1 != NULL);
    xr_pins_free(&pins);
    free(long_one);
    free(short_one);
}

Test(pins, the_closest_of_several_near_values_is_reported)
{
    struct xr_pins pins = {0};
    struct xr_pin_near near;
    char *far = changed(sha256_text, 7, 3), *close = changed(sha256_text, 2, 3);
    char *between = changed(sha256_text, 4, 3);

    type(&pins, far);
    type(&pins, close);
    type(&pins, between);
    cr_assert_eq(match(&near, &pins), XR_PIN_NEAR_MISS);
    cr_assert_str_eq(near.sha256->digits, close);
    type(&pins, sha256_text);
    cr_assert_eq(match(&near, &pins), XR_PIN_SHA256);
    cr_assert(near.sha256 == NULL, "the right one is among them");
    xr_pins_free(&pins);
    free(far);
    free(close);
    free(between);
}

/* ---- explanation ---- */

static char *explain(const char *digits)
{
    struct xr_cert cert = fixture();
    struct xr_pins pins = {0};
    char *text = NULL;

    type(&pins, digits);
    cr_assert_eq(pins.count, 1);
    text = xr_pins_explain(&pins.items[0], &cert);
    xr_pins_free(&pins);
    return text;
}

static void has(const char *text, const char *part)
{
    cr_assert(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

Test(pins, an_explanation_names_the_position_and_both_digits)
{
    char *other = xr_strdup(sha256_text);
    char *text = NULL;

    other[9] = 'b'; /* 8 */
    text = explain(other);
    cr_assert_str_eq(
        text,
        "the SHA-256 given has 64 digits and differs in 1 position, of which 1 looks alike: a "
        "misprint?\n"
        "  given        9F86D0818B4C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08\n"
        "  certificate  9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08\n"
        "                        ^\n"
        "  digit 10: B\xe2\x86\x92"
        "8");
    free(text);
    free(other);
}

Test(pins, an_explanation_names_every_position_in_five_lines)
{
    for (size_t n = 1; n <= 8; n++) {
        char *other = changed(sha1_text, n, 5);
        char *text = explain(other);
        char *head = xr_format("and differs in %zu position%s", n, n == 1 ? "" : "s");
        size_t lines = 1;

        has(text, head);
        has(text, "the SHA-1 given has 40 digits");
        for (size_t i = 0; i < n; i++) {
            char *place = xr_format("%s%zu: %c\xe2\x86\x92%c", i == 0 ? "  digit " : "  ",
                                    5 * i + 1, toupper((unsigned char)other[5 * i]),
                                    toupper((unsigned char)sha1_text[5 * i]));

            has(text, place);
            free(place);
        }
        for (const char *at = text; *at != '\0'; at++)
            lines += *at == '\n';
        cr_assert_eq(lines, 5u);
        cr_assert_neq(text[strlen(text) - 1], '\n');
        cr_assert(strstr(text, " \n") == NULL, "a line ends in spaces");
        free(head);
        free(text);
        free(other);
    }
}

Test(pins, an_explanation_aligns_what_is_missing_or_too_much)
{
    char *other = xr_format("%.10s%s", sha256_text, sha256_text + 11); /* without its 11th digit */
    char *text = explain(other);

    has(text, "has 63 digits instead of 64 and differs in 1 position\n");
    has(text, "  given        9F86D08188-C7D65");
    has(text, "  certificate  9F86D081884C7D65");
    has(text, "                         ^\n");
    has(text, "  digit after 10: -\xe2\x86\x92"
              "4");
    free(text);
    free(other);

    other = xr_format("%.10se%s", sha256_text, sha256_text + 10); /* with one more */
    text = explain(other);
    has(text, "has 65 digits instead of 64 and differs in 1 position\n");
    has(text, "  given        9F86D08188E4C7D6");
    has(text, "  certificate  9F86D08188-4C7D6");
    has(text, "  digit 11: E\xe2\x86\x92-");
    free(text);
    free(other);
}

Test(pins, an_explanation_of_any_kept_value_is_made)
{
    uint32_t seed = 99;

    for (size_t len = XR_PIN_DIGITS_MIN; len <= XR_PIN_DIGITS_MAX; len++) {
        char digits[XR_PIN_DIGITS_MAX + 1] = {0};
        char *text = NULL;

        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            digits[i] = "0123456789abcdef"[seed >> 28];
        }
        text = explain(digits);
        has(text, len < 48 ? "the SHA-1 given" : "SHA-");
        free(text);
    }
}
