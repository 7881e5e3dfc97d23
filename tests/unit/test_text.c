/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same in every text for people: IDs, columns and lines of a terminal. */
#include "report/json.h"
#include "report/text.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdlib.h>

static struct xr_text_style style_of(unsigned width, bool verbose)
{
    return (struct xr_text_style){
        .size = sizeof(struct xr_text_style), .width = width, .verbose = verbose};
}

/* What a test writes, as one string. */
struct written {
    FILE *out;
    char *text;
    size_t len;
};

static FILE *begin(struct written *w)
{
    *w = (struct written){0};
    w->out = open_memstream(&w->text, &w->len);
    cr_assert(w->out != NULL);
    return w->out;
}

static void expect(struct written *w, const char *expected)
{
    (void)fclose(w->out);
    cr_expect_str_eq(w->text, expected);
    free(w->text);
}

static const struct xr_subject subject = {
    .type = XR_SUBJECT_KEY, .id = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff}};
#define DIGITS_16 "0123456789abcdef"
#define DIGITS_64 DIGITS_16 "ff0000000000000000000000000000000000000000000000"

Test(text, an_id_has_sixteen_digits_on_a_terminal)
{
    struct xr_text_style style = style_of(80, false);
    struct written w;

    xr_text_id(&style, begin(&w), &subject);
    expect(&w, DIGITS_16 " (of the key)");
}

Test(text, an_id_is_whole_with_v_and_when_it_is_not_for_a_terminal)
{
    struct xr_text_style piped = style_of(0, false), verbose = style_of(80, true);
    struct written w;

    xr_text_id_digits(&piped, begin(&w), &subject);
    expect(&w, DIGITS_64);
    xr_text_id_digits(&verbose, begin(&w), &subject);
    expect(&w, DIGITS_64);
}

Test(text, what_does_not_fit_into_a_column_ends_in_an_ellipsis)
{
    struct written w;

    (void)begin(&w);
    cr_expect_eq(xr_text_cut(w.out, "twelve cells", 12), 12);
    expect(&w, "twelve cells");
    (void)begin(&w);
    cr_expect_eq(xr_text_cut(w.out, "twelve cells", 11), 11);
    expect(&w, "twelve cel…");
}

Test(text, a_wide_character_is_never_cut_in_half)
{
    struct written w;

    (void)begin(&w);
    cr_expect_eq(xr_text_cut(w.out, "日本語", 5), 5);
    expect(&w, "日本…");
    (void)begin(&w);
    cr_expect_eq(xr_text_cut(w.out, "日本語", 4), 3);
    expect(&w, "日…");
    xr_text_column(begin(&w), "日本語", 4);
    expect(&w, "日… ");
    xr_text_column(begin(&w), "日", 4);
    expect(&w, "日  ");
}

Test(text, long_text_is_broken_at_words_and_indented)
{
    struct xr_text_style style = style_of(30, false);
    struct written w;

    (void)fputs("  why  ", begin(&w));
    xr_text_wrap(&style, w.out, 7, 7, "the store cannot hold an entry in that place");
    expect(&w, "  why  the store cannot hold\n"
               "       an entry in that place\n");
}

Test(text, a_line_may_be_as_wide_as_the_terminal)
{
    struct xr_text_style style = style_of(30, false);
    struct written w;

    xr_text_wrap(&style, begin(&w), 0, 0, "123456789 123456789 1234567890 x");
    expect(&w, "123456789 123456789 1234567890\nx\n");
    xr_text_wrap(&style, begin(&w), 0, 0, "123456789 123456789 12345678901");
    expect(&w, "123456789 123456789\n12345678901\n");
}

Test(text, a_word_longer_than_a_line_goes_on_in_the_next)
{
    struct xr_text_style style = style_of(24, false);
    struct written w;

    xr_text_wrap(&style, begin(&w), 0, 4, "at /srv/a-directory-with-a-long-name/trust now");
    expect(&w, "at\n"
               "    /srv/a-directory-wit\n"
               "    h-a-long-name/trust\n"
               "    now\n");
}

Test(text, text_that_is_not_for_a_terminal_is_never_broken)
{
    struct xr_text_style style = style_of(0, false);
    struct written w;

    xr_text_wrap(
        &style, begin(&w), 2, 2,
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen");
    expect(&w,
           "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n");
}

Test(text, a_japanese_line_is_broken_between_characters)
{
    struct xr_text_style style = style_of(30, false);
    struct written w;

    xr_text_wrap(&style, begin(&w), 0, 2, "証明書はこのストアではアンカーとして信頼されていません");
    expect(&w, "証明書はこのストアではアンカー\n"
               "  として信頼されていません\n");
}

Test(text, no_line_begins_with_what_closes_or_ends_with_what_opens)
{
    struct xr_text_style style = style_of(30, false);
    struct written w;

    /* The full stop would be the first character of the second line. */
    xr_text_wrap(&style, begin(&w), 0, 0, "証明書は一二三四五六七八九十壱。次");
    expect(&w, "証明書は一二三四五六七八九十\n"
               "壱。次\n");
    /* So would a sound mark and a small letter. */
    xr_text_wrap(&style, begin(&w), 0, 0, "一二三四五六七八九十壱弐三四サーバー");
    expect(&w, "一二三四五六七八九十壱弐三四\n"
               "サーバー\n");
    xr_text_wrap(&style, begin(&w), 0, 0, "一二三四五六七八九十壱弐三四ちょうど");
    expect(&w, "一二三四五六七八九十壱弐三四\n"
               "ちょうど\n");
    xr_text_wrap(&style, begin(&w), 0, 0, "一二三四五六七八九十壱弐三四「鍵」");
    expect(&w, "一二三四五六七八九十壱弐三四\n"
               "「鍵」\n");
    xr_text_wrap(&style, begin(&w), 0, 0, "一二三四五六七八九十壱弐三四(鍵)");
    expect(&w, "一二三四五六七八九十壱弐三四\n"
               "(鍵)\n");
}

Test(text, a_latin_word_among_japanese_is_not_broken)
{
    struct xr_text_style style = style_of(30, false);
    struct written w;

    xr_text_wrap(&style, begin(&w), 0, 0, "証明書は一二三四五六crossrootで使用する");
    expect(&w, "証明書は一二三四五六crossroot\n"
               "で使用する\n");
    xr_text_wrap(&style, begin(&w), 0, 0, "証明書は一二三四五六七crossrootで使用する");
    expect(&w, "証明書は一二三四五六七\n"
               "crossrootで使用する\n");
}

static void in_tokyo(char *out, size_t size, int64_t at)
{
    (void)snprintf(out, size, "local %d\033", (int)at);
}

Test(text, a_time_is_local_where_the_caller_knows_it_and_cannot_move_the_cursor)
{
    struct xr_text_style style = style_of(80, false);
    struct written w;

    xr_text_when(&style, begin(&w), 0);
    expect(&w, "1970-01-01T00:00:00Z");
    style.local_time = in_tokyo;
    xr_text_when(&style, begin(&w), 7);
    expect(&w, "local 7\\u{001B}");
}

static void nine_hours_ahead(char *out, size_t size, int64_t at)
{
    (void)snprintf(out, size, "whenever %d %s", (int)at, at < 1000 ? "+0900" : "-0330");
}

static void like_utc(char *out, size_t size, int64_t at)
{
    (void)snprintf(out, size, "%d +0000", (int)at);
}

Test(text, times_of_a_certificate_are_local_to_the_second_where_that_is_not_utc)
{
    struct xr_text_style style = style_of(80, false);
    char *text = NULL;

    cr_expect_null(xr_text_local_times(&style, 0, 7));
    style.local_time = like_utc;
    cr_expect_null(xr_text_local_times(&style, 0, 7));
    style.local_time = in_tokyo; /* no offset at its end */
    cr_expect_null(xr_text_local_times(&style, 0, 7));
    style.local_time = nine_hours_ahead;
    text = xr_text_local_times(&style, 7, 86400);
    cr_expect_str_eq(text, "1970-01-01 09:00:07 +0900 to 1970-01-01 20:30:00 -0330");
    free(text);
}

Test(text, a_document_for_which_there_is_no_memory_ends_the_process, .signal = SIGABRT)
{
    xr_json_set(json_object(), "key", NULL); /* what jansson gives then */
}
