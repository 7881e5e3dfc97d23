/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, hex, UTF-8, what a terminal may see, the map, the words for places and purposes. */
#include "kit/base.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

/* ---- memory and strings ---- */

Test(base, a_pushed_slot_is_zeroed_whatever_was_dropped_from_it)
{
    struct xr_strings strings = {0};

    for (int round = 0; round < 40; round++) {
        char **slot = XR_PUSH(&strings);

        cr_assert(*slot == NULL);
        *slot = (char *)&strings;
        if (round % 3 != 0)
            strings.count--; /* dropped, with what was in it */
    }
    free(strings.items);
}

Test(base, memory_is_zeroed_and_growth_keeps_what_was_there)
{
    size_t capacity = 0;
    unsigned char *zero = xr_new(64, 2);
    int *array = NULL, *same = NULL;

    for (size_t i = 0; i < 128; i++)
        cr_assert_eq(zero[i], 0);
    free(zero);
    free(xr_new(0, 0));
    array = xr_grow(NULL, &capacity, 3, sizeof(*array));
    cr_assert(capacity >= 3);
    array[0] = 7;
    same = xr_grow(array, &capacity, capacity, sizeof(*array));
    cr_assert(same == array, "there was room");
    array = xr_grow(array, &capacity, 1000, sizeof(*array));
    cr_assert(capacity >= 1000 && array[0] == 7);
    for (size_t i = 1; i < capacity; i++)
        cr_assert_eq(array[i], 0);
    free(array);
}

Test(base, a_copy_has_a_closing_zero)
{
    char *copy = xr_memdup("a\0b", 3);

    cr_assert(memcmp(copy, "a\0b", 4) == 0);
    free(copy);
    copy = xr_memdup(NULL, 0);
    cr_assert_str_eq(copy, "");
    free(copy);
    copy = xr_strdup("");
    cr_assert_str_eq(copy, "");
    free(copy);
}

Test(base, formatted_text_has_any_length)
{
    char *text = xr_format("%s-%05d-%%", "x", 42);
    char *wide = xr_format("%*s", 5000, "right");
    char *empty = xr_format("%s", "");

    cr_assert_str_eq(text, "x-00042-%");
    cr_assert_eq(strlen(wide), 5000u);
    cr_assert_str_eq(wide + 4995, "right");
    cr_assert_str_eq(empty, "");
    free(text);
    free(wide);
    free(empty);
}

Test(base, a_buffer_is_always_closed)
{
    struct xr_buf buf = {0};

    xr_buf_add(&buf, NULL, 0);
    cr_assert(buf.len == 0 && buf.data[0] == '\0');
    for (size_t i = 0; i < 1000; i++) {
        xr_buf_str(&buf, "ab");
        xr_buf_fmt(&buf, "%c", 'c');
        xr_buf_add(&buf, "\0", 1);
        cr_assert(buf.len == 4 * (i + 1) && buf.data[buf.len] == '\0');
    }
    cr_assert(memcmp(buf.data + 3996, "abc\0", 4) == 0);
    xr_buf_free(&buf);
    cr_assert(buf.data == NULL && buf.len == 0 && buf.capacity == 0);
    xr_buf_free(&buf);
}

Test(base, a_list_of_strings_owns_its_copies)
{
    struct xr_strings strings = {0};
    char text[8];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        xr_strings_add(&strings, text);
    }
    cr_assert_eq(strings.count, 100u);
    cr_assert_str_eq(strings.items[0], "0");
    cr_assert_str_eq(strings.items[99], "99");
    xr_strings_free(&strings);
    cr_assert(strings.items == NULL && strings.count == 0);
    xr_strings_free(&strings);
}

Test(base, bytes_are_equal_by_length_and_content)
{
    const unsigned char a[] = "abc", b[] = "abd";

    cr_assert(xr_bytes_equal((struct xr_bytes){0}, (struct xr_bytes){a, 0}));
    cr_assert(xr_bytes_equal((struct xr_bytes){a, 2}, (struct xr_bytes){b, 2}));
    cr_assert(!xr_bytes_equal((struct xr_bytes){a, 3}, (struct xr_bytes){b, 3}));
    cr_assert(!xr_bytes_equal((struct xr_bytes){a, 3}, (struct xr_bytes){a, 2}));
}

/* ---- hex ---- */

Test(base, hex_goes_there_and_back)
{
    unsigned char data[256], back[256];
    char text[513];

    for (size_t i = 0; i < 256; i++)
        data[i] = (unsigned char)i;
    xr_hex(text, data, 256);
    cr_assert_eq(strlen(text), 512u);
    cr_assert(strncmp(text, "000102", 6) == 0 && strcmp(text + 506, "fdfeff") == 0);
    cr_assert(xr_unhex(back, 256, text) && memcmp(data, back, 256) == 0);
    xr_hex(text, data, 0);
    cr_assert_str_eq(text, "");
    cr_assert(xr_unhex(back, 0, ""));
    cr_assert(xr_unhex(back, 2, "DEad") && back[0] == 0xde && back[1] == 0xad);
}

Test(base, only_exactly_that_many_hex_digits_are_taken)
{
    static const char *const bad[] = {"",       "0",    "00",    "000",   "00000",
                                      "000000", "0x00", "00 00", "00:00", "000g",
                                      "g000",   "-001", "000\n", " 0000", "00\xc3\xa9"};
    unsigned char out[2];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *exact = xr_strdup(bad[i]);

        cr_assert(!xr_unhex(out, 2, exact), "\"%s\"", bad[i]);
        free(exact);
    }
    cr_assert(!xr_unhex(out, 0, "0"));
}

Test(base, a_hex_digit_has_a_value_and_nothing_else_has)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

    for (unsigned c = 0; c < 256; c++) {
        int value = -1;

        for (int i = 0; i < 16; i++)
            value = (unsigned char)lower[i] == c || (unsigned char)upper[i] == c ? i : value;
        cr_assert_eq(xr_hex_digit((unsigned char)c), value, "%u", c);
    }
}

/* ---- UTF-8 ---- */

/* The length of the first code point, which must be this one; 0 for none. */
static size_t utf8(const char *text, size_t len, uint32_t expected)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    uint32_t c = 0xffffffff;
    size_t used = 0;

    memcpy(exact, text, len);
    used = xr_utf8_next(&c, exact, len);
    free(exact);
    cr_assert(used == 0 || c == expected, "%#x", c);
    return used;
}

Test(base, utf8_is_read_one_code_point_at_a_time)
{
    cr_assert_eq(utf8("", 0, 0), 0u);
    cr_assert_eq(utf8("\0", 1, 0), 1u);
    cr_assert_eq(utf8("\x7f", 1, 0x7f), 1u);
    cr_assert_eq(utf8("\xc2\x80", 2, 0x80), 2u);
    cr_assert_eq(utf8("\xdf\xbfx", 3, 0x7ff), 2u);
    cr_assert_eq(utf8("\xe0\xa0\x80", 3, 0x800), 3u);
    cr_assert_eq(utf8("\xed\x9f\xbf", 3, 0xd7ff), 3u);
    cr_assert_eq(utf8("\xee\x80\x80", 3, 0xe000), 3u);
    cr_assert_eq(utf8("\xef\xbf\xbf", 3, 0xffff), 3u);
    cr_assert_eq(utf8("\xf0\x90\x80\x80", 4, 0x10000), 4u);
    cr_assert_eq(utf8("\xf4\x8f\xbf\xbf", 4, 0x10ffff), 4u);
}

Test(base, overlong_forms_surrogates_and_more_are_no_utf8)
{
    cr_assert_eq(utf8("\xc0\x80", 2, 0), 0u);
    cr_assert_eq(utf8("\xc1\xbf", 2, 0), 0u);
    cr_assert_eq(utf8("\xe0\x80\x80", 3, 0), 0u);
    cr_assert_eq(utf8("\xe0\x9f\xbf", 3, 0), 0u);
    cr_assert_eq(utf8("\xf0\x80\x80\x80", 4, 0), 0u);
    cr_assert_eq(utf8("\xf0\x8f\xbf\xbf", 4, 0), 0u);
    cr_assert_eq(utf8("\xed\xa0\x80", 3, 0), 0u);
    cr_assert_eq(utf8("\xed\xbf\xbf", 3, 0), 0u);
    cr_assert_eq(utf8("\xf4\x90\x80\x80", 4, 0), 0u);
    cr_assert_eq(utf8("\xf8\x88\x80\x80\x80", 5, 0), 0u);
    cr_assert_eq(utf8("\xff\xff\xff\xff", 4, 0), 0u);
    cr_assert_eq(utf8("\x80", 1, 0), 0u);
    cr_assert_eq(utf8("\xbf\x80", 2, 0), 0u);
}

Test(base, cut_utf8_is_no_utf8)
{
    cr_assert_eq(utf8("\xc3", 1, 0), 0u);
    cr_assert_eq(utf8("\xe2\x82", 2, 0), 0u);
    cr_assert_eq(utf8("\xf0\x9f\x98", 3, 0), 0u);
    cr_assert_eq(utf8("\xc3x", 2, 0), 0u);
    cr_assert_eq(utf8("\xe2\x82x", 3, 0), 0u);
    cr_assert_eq(utf8("\xe2x\x82", 3, 0), 0u);
    cr_assert_eq(utf8("\xf0\x9f\x98\xff", 4, 0), 0u);
}

/* ---- what a terminal may see ---- */

static bool visible(const char *text, const char *expected)
{
    char *got = xr_visible(text);
    bool ok = strcmp(got, expected) == 0;

    if (!ok)
        cr_log_error("got %s", got);
    free(got);
    return ok;
}

Test(base, plain_text_stays_as_it_is)
{
    cr_assert(visible("", ""));
    cr_assert(visible("Root CA 1 ~ (x)", "Root CA 1 ~ (x)"));
    cr_assert(visible("Z\xc3\xbcrich \xe2\x82\xac \xe4\xb8\xad \xf0\x9f\x98\x80",
                      "Z\xc3\xbcrich \xe2\x82\xac \xe4\xb8\xad \xf0\x9f\x98\x80"));
    cr_assert(visible("\xd7\x90\xd7\x91", "\xd7\x90\xd7\x91"));
}

Test(base, control_characters_are_shown_and_not_sent)
{
    for (char c = 1; c < 0x20; c++) {
        char text[] = {c, '\0'}, expected[16];

        (void)snprintf(expected, sizeof(expected), "\\u{%04X}", (unsigned)c);
        cr_assert(visible(text, expected));
    }
    cr_assert(visible("a\x1b[2Jb\nc\x7f", "a\\u{001B}[2Jb\\u{000A}c\\u{007F}"));
    for (unsigned c = 0x80; c < 0xa0; c++) {
        char text[] = {(char)0xc2, (char)c, '\0'}, expected[16];

        (void)snprintf(expected, sizeof(expected), "\\u{%04X}", c);
        cr_assert(visible(text, expected));
    }
    cr_assert(visible("\xc2\xa0", "\xc2\xa0"), "a no-break space is a space");
}

Test(base, characters_that_reorder_or_hide_are_shown)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"\xe2\x80\xae", "\\u{202E}"},      /* right-to-left override */
        {"\xe2\x80\xaa", "\\u{202A}"},      /* left-to-right embedding */
        {"\xe2\x81\xa6", "\\u{2066}"},      /* left-to-right isolate */
        {"\xe2\x81\xa9", "\\u{2069}"},      /* pop directional isolate */
        {"\xe2\x80\x8e", "\\u{200E}"},      /* left-to-right mark */
        {"\xd8\x9c", "\\u{061C}"},          /* Arabic letter mark */
        {"\xe2\x80\x8b", "\\u{200B}"},      /* zero width space */
        {"\xe2\x80\x8d", "\\u{200D}"},      /* zero width joiner */
        {"\xe2\x81\xa0", "\\u{2060}"},      /* word joiner */
        {"\xef\xbb\xbf", "\\u{FEFF}"},      /* zero width no-break space */
        {"\xc2\xad", "\\u{00AD}"},          /* soft hyphen */
        {"\xe2\x80\xa8", "\\u{2028}"},      /* line separator */
        {"\xef\xb8\x8f", "\\u{FE0F}"},      /* variation selector */
        {"\xf3\xa0\x81\x81", "\\u{E0041}"}, /* tag A */
        {"\xe3\x85\xa4", "\\u{3164}"},      /* Hangul filler */
        {"\xef\xbf\xb9", "\\u{FFF9}"},      /* interlinear annotation */
        {"\xe2\x80\x90", "\xe2\x80\x90"},   /* a hyphen is not hidden */
        {"\xe2\x80\xaf", "\xe2\x80\xaf"},   /* nor is a narrow space */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert(visible(cases[i].text, cases[i].expected), "%s", cases[i].expected);
}

Test(base, bytes_that_are_not_utf8_are_shown_as_bytes)
{
    cr_assert(visible("\xff", "\\xFF"));
    cr_assert(visible("a\xc3", "a\\xC3"));
    cr_assert(visible("\xc3(", "\\xC3("));
    cr_assert(visible("\xed\xa0\x80", "\\xED\\xA0\\x80"));
    cr_assert(visible("\xc0\x9b[2J", "\\xC0\\x9B[2J"));
    cr_assert(visible("\x9b", "\\x9B"), "a C1 byte alone would be CSI to old terminals");
    cr_assert(visible("\xe2\x82\xc3\xa9", "\\xE2\\x82\xc3\xa9"));
}

Test(base, visible_text_may_hold_a_zero)
{
    struct xr_buf buf = {0};

    xr_buf_visible(&buf, "a\0b", 3);
    cr_assert_str_eq(buf.data, "a\\u{0000}b");
    xr_buf_visible(&buf, NULL, 0);
    cr_assert_str_eq(buf.data, "a\\u{0000}b");
    xr_buf_free(&buf);
    xr_buf_visible(&buf, "", 0);
    cr_assert_str_eq(buf.data, "");
    xr_buf_free(&buf);
}

/* ---- map ---- */

static void id_of(unsigned char id[XR_SHA256_LEN], size_t n, bool crowded)
{
    memset(id, 0, XR_SHA256_LEN);
    /* Crowded keys differ only behind what places them. */
    memcpy(id + (crowded ? 16 : 0), &n, sizeof(n));
}

static void fill(size_t count, bool crowded)
{
    struct xr_idmap map = {0};
    unsigned char id[XR_SHA256_LEN];
    size_t value = 0;
    bool added = false;

    id_of(id, 0, crowded);
    cr_assert(!xr_idmap_get(&map, id, &value));
    for (size_t i = 0; i < count; i++) {
        id_of(id, i * 16, crowded);
        cr_assert_eq(xr_idmap_put(&map, id, i * 3, &added), i * 3);
        cr_assert(added);
    }
    cr_assert_eq(map.count, count);
    for (size_t i = 0; i < count; i++) {
        id_of(id, i * 16, crowded);
        cr_assert_eq(xr_idmap_put(&map, id, 999999, &added), i * 3);
        cr_assert(!added);
        cr_assert(xr_idmap_get(&map, id, &value) && value == i * 3);
        id_of(id, i * 16 + 1, crowded);
        cr_assert(!xr_idmap_get(&map, id, &value));
    }
    cr_assert_eq(map.count, count);
    xr_idmap_free(&map);
    cr_assert(map.slots == NULL && map.count == 0 && map.capacity == 0);
}

Test(base, a_map_holds_thousands)
{
    fill(20000, false);
}

Test(base, keys_that_begin_alike_are_still_told_apart)
{
    fill(600, true);
}

/* ---- words ---- */

Test(base, places_have_names)
{
    static const char *const names[] = {"anchor", "intermediate", "peer", "distrust", "crl"};
    enum xr_place place = XR_ANCHOR;

    for (unsigned i = 0; i < XR_PLACE_COUNT; i++) {
        cr_assert_str_eq(xr_place_name((enum xr_place)i), names[i]);
        cr_assert(xr_place_parse(&place, names[i]) && (unsigned)place == i);
    }
    cr_assert_str_eq(xr_place_name(XR_PLACE_COUNT), "?");
    cr_assert(!xr_place_parse(&place, "Anchor") && !xr_place_parse(&place, "") &&
              !xr_place_parse(&place, "?") && !xr_place_parse(&place, "anchors"));
}

Test(base, purposes_have_names)
{
    static const char *const names[] = {"server", "client", "email", "code", "time"};

    for (unsigned i = 0; i < 5; i++) {
        cr_assert_str_eq(xr_purpose_name(1u << i), names[i]);
        cr_assert_eq(xr_purpose_parse(names[i]), 1u << i);
    }
    cr_assert_null(xr_purpose_name(1u << 5));
    cr_assert_null(xr_purpose_name(0));
    cr_assert_null(xr_purpose_name(XR_SERVER | XR_CLIENT));
    cr_assert_str_eq(xr_purpose_name(XR_ANY_PURPOSE), "any");
    cr_assert_eq(xr_purpose_parse("any"), (uint32_t)XR_ANY_PURPOSE);
    cr_assert(xr_purpose_parse("Server") == 0 && xr_purpose_parse("") == 0 &&
              xr_purpose_parse("servers") == 0);
}

static bool purposes_are(uint32_t purposes, const char *expected)
{
    char out[64];

    xr_purposes_text(out, sizeof(out), purposes);
    return strcmp(out, expected) == 0;
}

Test(base, purposes_make_a_list)
{
    cr_assert(purposes_are(0, "nothing"));
    cr_assert(purposes_are(XR_SERVER, "server"));
    cr_assert(purposes_are(XR_SERVER | XR_EMAIL, "server, email"));
    cr_assert(purposes_are(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME,
                           "server, client, email, code, time"));
    cr_assert(purposes_are(XR_ANY_PURPOSE, "any purpose"));
    cr_assert(purposes_are(XR_ANY_PURPOSE | XR_SERVER, "any purpose"));
}

/* ---- errors ---- */

Test(base, a_failure_is_one_statement)
{
    struct xr_error err = {.code = 5, .domain = "old"};

    cr_assert_eq(xr_fail(&err, XR_REFUSED, "no %s for %d", "way", 3), XR_REFUSED);
    cr_assert(err.size == sizeof(err) && err.status == XR_REFUSED && err.code == 0);
    cr_assert_str_eq(err.domain, "");
    cr_assert_str_eq(err.text, "no way for 3");
    cr_assert_eq(xr_fail(NULL, XR_BUSY, "%s", "unheard"), XR_BUSY);
    (void)xr_fail(&err, XR_FAILED, "%*s", 2000, "far");
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
}

Test(base, errors_of_the_system_become_a_status)
{
    static const struct {
        int code;
        enum xr_status status;
    } cases[] = {
        {EACCES, XR_DENIED}, {EPERM, XR_DENIED},  {EROFS, XR_DENIED}, {ENOENT, XR_ABSENT},
        {EIO, XR_FAILED},    {ENOSPC, XR_FAILED}, {ELOOP, XR_FAILED}, {ENOTDIR, XR_FAILED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xr_error err = {0};
        char *expected = xr_format("cannot open x: %s", strerror(cases[i].code));

        errno = cases[i].code;
        cr_assert_eq(xr_fail_errno(&err, "cannot open %s", "x"), cases[i].status);
        cr_assert(err.status == cases[i].status && err.code == cases[i].code);
        cr_assert_str_eq(err.domain, "errno");
        cr_assert_str_eq(err.text, expected);
        errno = cases[i].code;
        cr_assert_eq(xr_fail_errno(NULL, "unheard"), cases[i].status);
        free(expected);
    }
}

Test(base, a_long_path_does_not_cut_off_the_reason)
{
    char *end = xr_format("…: %s", strerror(ENOENT)), path[1200];
    struct xr_error err = {0};

    errno = ENOENT;
    cr_assert_eq(xr_fail_errno(&err, "%*s", 2000, "x"), XR_ABSENT);
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
    cr_assert_str_eq(err.text + strlen(err.text) - strlen(end), end);
    for (size_t i = 0; i + 1 < sizeof(path); i++) /* never half a character */
        path[i] = (char)"\xc3\xa0"[i % 2];
    path[sizeof(path) - 1] = '\0';
    for (size_t from = 0; from < 4; from += 2) {
        errno = ENOENT;
        cr_assert_eq(xr_fail_errno(&err, "%s%s", from == 0 ? "" : "a", path), XR_ABSENT);
        for (size_t at = 0, step = 0; at < strlen(err.text); at += step) {
            uint32_t point = 0;

            step =
                xr_utf8_next(&point, (const unsigned char *)err.text + at, strlen(err.text) - at);
            cr_assert(step > 0, "%s", err.text);
        }
        cr_assert_str_eq(err.text + strlen(err.text) - strlen(end), end);
    }
    free(end);
}

Test(base, a_private_key_or_a_long_file_is_never_kept)
{
    static const char key[] = "text\n-----BEGIN EC PRIVATE KEY-----\n";
    struct xr_buf file = {0};

    cr_assert(xr_why_not_kept((struct xr_bytes){0}) == NULL);
    for (size_t i = 0; i < XR_KEPT_MAX; i++)
        xr_buf_add(&file, "a", 1);
    cr_assert(xr_why_not_kept((struct xr_bytes){(unsigned char *)file.data, file.len}) == NULL);
    xr_buf_add(&file, "a", 1);
    cr_assert(strstr(xr_why_not_kept((struct xr_bytes){(unsigned char *)file.data, file.len}),
                     "too large") != NULL);
    cr_assert(strstr(xr_why_not_kept((struct xr_bytes){(const unsigned char *)key, strlen(key)}),
                     "private key") != NULL);
    xr_buf_free(&file);
}
