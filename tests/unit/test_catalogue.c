/* SPDX-License-Identifier: Apache-2.0 */
#include "report/catalogue.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ---- a catalogue as msgfmt makes it ---- */

#define HEADER "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"

struct text {
    const char *text, *translation;
    size_t text_len, translation_len; /* 0: strlen */
};

static void put(struct xr_buf *out, bool big, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        char byte = (char)(value >> 8 * (big ? 3 - i : i));

        xr_buf_add(out, &byte, 1);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct text *)a)->text, ((const struct text *)b)->text);
}

static size_t length(const char *text, size_t len)
{
    return len > 0 ? len : strlen(text);
}

/* The header counts as a text. */
static void make(struct xr_buf *out, bool big, const char *header, const struct text *given,
                 size_t count)
{
    struct text *texts = xr_new(count + 1, sizeof(*texts));
    size_t at = 28 + 16 * (count + 1);

    texts[0] = (struct text){"", header, 0, 0};
    if (count > 0)
        memcpy(texts + 1, given, count * sizeof(*texts));
    qsort(texts, count + 1, sizeof(*texts), by_text);
    put(out, big, 0x950412de);
    put(out, big, 0);
    put(out, big, (uint32_t)count + 1);
    put(out, big, 28);
    put(out, big, (uint32_t)(28 + 8 * (count + 1)));
    put(out, big, 0);
    put(out, big, 0);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i <= count; i++) {
            size_t len = side == 0 ? length(texts[i].text, texts[i].text_len)
                                   : length(texts[i].translation, texts[i].translation_len);

            put(out, big, (uint32_t)len);
            put(out, big, (uint32_t)at);
            at += len + 1;
        }
    }
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i <= count; i++) {
            if (side == 0)
                xr_buf_add(out, texts[i].text, length(texts[i].text, texts[i].text_len) + 1);
            else
                xr_buf_add(out, texts[i].translation,
                           length(texts[i].translation, texts[i].translation_len) + 1);
        }
    }
    free(texts);
}

static struct xr_bytes bytes(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

static const struct text usual[] = {
    {"hello", "こんにちは", 0, 0},
    {"anchor", "アンカー", 0, 0},
    {"peer", "ピア", 0, 0},
    {", ", "、", 0, 0},
    {" and ", "と", 0, 0},
    {"; ", "。", 0, 0},
    {"No such file or directory", "そのようなファイルはありません", 0, 0},
    {"cannot open %s", "%sを開けません", 0, 0},
    {"cannot open %s in %s", "「%s」を開けません (「%s」の中)", 0, 0},
    {"%s: cannot open %s: %s", "%s: %sが開きません: %s", 0, 0},
    {"it is %d years and 0x%04x old", "%d年と0x%04x", 0, 0},
    {"as %s in the store", "ストアで%sとして", 0, 0},
    {"written as '%c'", "文字「%c」", 0, 0},
    {"%.*s is too long", "%.*sは長すぎます", 0, 0},
    {"state %-8s of it", "状態%-8sです", 0, 0},
    {"100%% of %s", "%sの100%%", 0, 0},
    {"%s (%s)", "%s [%s]", 0, 0},
    {"of %s", "%sの", 0, 0},
    {"two\nlines of %s", "%sの\n二行", 0, 0},
    {"%zu file\0%zu files", "%zuつのファイル\0%zu個のファイル", 18, 0},
    {"wrong %s", "違う%d", 0, 0},
    {"wrong too", "違う%n", 0, 0},
    {"also wrong %s", "違う%1$s", 0, 0},
    {"the same %s twice", "同じ%s", 0, 0},
    {"the same %s %s", "一緒の%s%s", 0, 0},
    {"printf %b and 5% turn it", "printf %bと5%が変える", 0, 0},
    {"%s/%s %s", "%s/%s: %s", 0, 0},
    {"expired on %s", "%sに切れた", 0, 0},
    {"%s expired on %s", "%sは%sに切れた", 0, 0},
    {"in %s", "対象: %s", 0, 0},
    {"named \"%s\"", "名前は「%s」", 0, 0},
    {"%s: nothing in it", "%s: 中身なし", 0, 0},
    {"no text: nothing in it", "文章ではない: 中身なし", 0, 0},
    {"%s profile \"%s\"", "%sのプロファイル「%s」", 0, 0},
};

static struct xr_buf mo;

static struct xr_catalogue *catalogue(void)
{
    struct text texts[sizeof(usual) / sizeof(usual[0])];
    struct xr_catalogue *made = NULL;
    size_t count = sizeof(usual) / sizeof(usual[0]);

    memcpy(texts, usual, sizeof(usual));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i].text, "%zu file") == 0)
            texts[i].translation_len = sizeof("%zuつのファイル\0%zu個のファイル") - 1;
    }
    mo = (struct xr_buf){0};
    make(&mo, false, HEADER, texts, count);
    made = xr_catalogue_new(bytes(&mo));
    cr_assert(made != NULL);
    return made;
}

static void says(const char *english, const char *expected)
{
    struct xr_catalogue *made = catalogue();
    char *said = xr_tr_said(made, english);

    cr_assert(strcmp(said, expected) == 0, "\"%s\" became \"%s\"", english, said);
    free(said);
    xr_catalogue_free(made);
    xr_buf_free(&mo);
}

/* ---- lookup ---- */

Test(catalogue, texts_are_found_in_both_byte_orders)
{
    for (int big = 0; big < 2; big++) {
        struct xr_buf file = {0};
        struct xr_catalogue *made = NULL;

        make(&file, big == 1, HEADER, usual, 4);
        made = xr_catalogue_new(bytes(&file));
        cr_assert(made != NULL);
        cr_assert(strcmp(xr_tr(made, "hello"), "こんにちは") == 0);
        cr_assert(strcmp(xr_tr(made, "unknown"), "unknown") == 0);
        cr_assert(xr_tr(made, "")[0] == '\0', "the header is no translation");
        xr_catalogue_free(made);
        xr_buf_free(&file);
    }
}

Test(catalogue, without_a_catalogue_everything_is_english)
{
    char *said = xr_tr_said(NULL, "cannot open x");

    cr_assert(strcmp(said, "cannot open x") == 0);
    cr_assert(strcmp(xr_tr(NULL, "hello"), "hello") == 0);
    cr_assert(strcmp(xr_tr_n(NULL, "one", "many", 1), "one") == 0);
    cr_assert(strcmp(xr_tr_n(NULL, "one", "many", 0), "many") == 0);
    free(said);
    xr_catalogue_free(NULL);
}

Test(catalogue, a_number_chooses_the_form)
{
    struct xr_catalogue *made = catalogue();

    cr_assert(strcmp(xr_tr_n(made, "%zu file", "%zu files", 1), "%zuつのファイル") == 0);
    cr_assert(strcmp(xr_tr_n(made, "%zu file", "%zu files", 5), "%zu個のファイル") == 0);
    cr_assert(strcmp(xr_tr_n(made, "%zu file", "%zu others", 5), "%zu others") == 0);
    xr_catalogue_free(made);
    xr_buf_free(&mo);
}

Test(catalogue, a_translation_with_other_conversions_is_not_used)
{
    struct xr_catalogue *made = catalogue();

    cr_assert(strcmp(xr_tr(made, "wrong %s"), "wrong %s") == 0);
    cr_assert(strcmp(xr_tr(made, "wrong too"), "wrong too") == 0);
    cr_assert(strcmp(xr_tr(made, "also wrong %s"), "also wrong %s") == 0);
    xr_catalogue_free(made);
    xr_buf_free(&mo);
    says("wrong x", "wrong x");
}

/* ---- plural expressions ---- */

static size_t form(const char *expression, unsigned long n)
{
    struct xr_plural plural;
    char *text = xr_format("nplurals=6; plural=%s;\n", expression);
    bool read = xr_plural_read(&plural, text);

    free(text);
    cr_assert(read, "%s", expression);
    return xr_plural_form(&plural, n);
}

Test(catalogue, plural_expressions_of_real_languages_count)
{
    static const char russian[] = "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
                                  "(n%100<10 || n%100>=20) ? 1 : 2";

    cr_assert_eq(form("0", 7), 0);
    cr_assert_eq(form("n != 1", 1), 0);
    cr_assert_eq(form("n != 1", 2), 1);
    cr_assert_eq(form(russian, 21), 0);
    cr_assert_eq(form(russian, 11), 2);
    cr_assert_eq(form(russian, 23), 1);
    cr_assert_eq(form(russian, 12), 2);
    cr_assert_eq(form("n==0 ? 0 : n==1 ? 1 : n%100>=3 && n%100<=10 ? 3 : 5", 103), 3);
    cr_assert_eq(form("10 - 3 - 2 - n", 2), 3, "from the left");
    cr_assert_eq(form("1 + 2 * n", 2), 5);
    cr_assert_eq(form("!n", 0), 1);
    cr_assert_eq(form("!(n > 3)", 4), 0);
}

Test(catalogue, a_division_by_zero_and_a_form_too_many_are_safe)
{
    cr_assert_eq(form("1 / (n - n)", 3), 0);
    cr_assert_eq(form("1 % 0", 3), 0);
    cr_assert_eq(form("n", 99), 0);
    cr_assert_eq(form("0 - 1", 1), 0);
}

Test(catalogue, wrong_plural_expressions_are_refused)
{
    static const char *const wrong[] = {
        "",
        "nplurals=2",
        "nplurals=2; plural=",
        "nplurals=2; plural=n n;",
        "nplurals=2; plural=(n;",
        "nplurals=2; plural=n ? 1;",
        "nplurals=2; plural=n ? 1 : ;",
        "nplurals=2; plural=n = 1;",
        "nplurals=2; plural=system(n);",
        "nplurals=0; plural=0;",
        "nplurals=99; plural=0;",
        "nplurals=-1; plural=0;",
        "nplurals=2; plural=99999999999999999999;",
        "nplurals=2; plural=-1;",
    };
    struct xr_plural plural;
    struct xr_buf deep = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert(!xr_plural_read(&plural, wrong[i]), "%s", wrong[i]);
    for (int kind = 0; kind < 3; kind++) {
        xr_buf_str(&deep, "nplurals=2; plural=");
        for (int i = 0; i < 100000; i++)
            xr_buf_str(&deep, kind == 0 ? "(" : kind == 1 ? "!" : "n?n:");
        xr_buf_str(&deep, "n");
        cr_assert(!xr_plural_read(&plural, deep.data));
        xr_buf_free(&deep);
    }
}

/* ---- what is said ---- */

Test(catalogue, an_exact_text_is_translated_and_the_rest_stays)
{
    says("hello", "こんにちは");
    says("something else", "something else");
    says("", "");
}

Test(catalogue, a_format_is_found_again_with_its_arguments)
{
    says("cannot open /etc/x", "/etc/xを開けません");
    says("cannot open ", "を開けません");
    says("it is -7 years and 0x00ff old", "-7年と0x00ff");
    says("it is seven years and 0x00ff old", "it is seven years and 0x00ff old");
    says("it is 7 years and 0xzz old", "it is 7 years and 0xzz old");
    says("written as 'é'", "文字「é」");
    says("written as 'ab'", "written as 'ab'");
    says("name is too long", "nameは長すぎます");
    says("100% of it", "itの100%");
}

Test(catalogue, the_format_with_most_literal_bytes_wins)
{
    says("cannot open a in b", "「a」を開けません (「b」の中)");
    says("/x: cannot open a: why", "/x: aが開きません: why");
}

Test(catalogue, a_sentence_whose_end_is_one_too_keeps_its_own_beginning)
{
    says("in Firefox profile \"x\"", "対象: Firefoxのプロファイル「x」");
    says("Firefox profile \"in x\"", "Firefoxのプロファイル「in x」");
    says("in x", "対象: x");
    says("x: no text: nothing in it", "x: 文章ではない: 中身なし");
}

Test(catalogue, formats_that_fit_as_well_and_differ_leave_it_english)
{
    struct text texts[] = {{"the same %s ab", "甲%s", 0, 0}, {"the same a %sb", "乙%s", 0, 0}};
    struct xr_buf file = {0};
    struct xr_catalogue *made = NULL;
    char *said = NULL;

    make(&file, false, HEADER, texts, 2);
    made = xr_catalogue_new(bytes(&file));
    said = xr_tr_said(made, "the same a ab");
    cr_assert(strcmp(said, "the same a ab") == 0, "%s", said);
    free(said);
    said = xr_tr_said(made, "the same x ab");
    cr_assert(strcmp(said, "甲x") == 0, "%s", said);
    free(said);
    xr_catalogue_free(made);
    xr_buf_free(&file);
}

Test(catalogue, a_known_text_after_the_last_colon_is_translated_apart)
{
    says("cannot open /x: No such file or directory",
         "/xを開けません: そのようなファイルはありません");
    says("/x: No such file or directory", "/x: そのようなファイルはありません");
    says("/x: cannot open a: No such file or directory",
         "/x: aが開きません: そのようなファイルはありません");
    says("a: b: cannot open c", "a: b: cを開けません");
}

Test(catalogue, two_joined_sentences_are_not_one_with_a_long_last_argument)
{
    says("cannot open x; cannot open y", "xを開けません。yを開けません");
    says("cannot open x; y: hello", "x; y: helloを開けません");
    says("cannot open x; y", "x; yを開けません");
    says("x; y", "x; y");
}

Test(catalogue, a_name_that_is_a_word_or_holds_a_mark_stays_a_name)
{
    says("cannot open hello", "helloを開けません");
    says("hello: cannot open x", "hello: xを開けません");
    says("named \"anchor\"", "名前は「anchor」");
    says("cannot open /a b/c d", "/a b/c dを開けません");
}

Test(catalogue, words_and_lists_of_them_are_translated_as_arguments)
{
    says("as anchor in the store", "ストアでアンカーとして");
    says("as anchor, peer in the store", "ストアでアンカー、ピアとして");
    says("as anchor, other in the store", "ストアでanchor, otherとして");
    says("as anchor and peer in the store", "ストアでアンカーとピアとして");
    says("as anchor, peer and anchor in the store", "ストアでアンカー、ピアとアンカーとして");
    says("as anchor and other in the store", "ストアでanchor and otherとして");
    says("x (cannot open y)", "x [yを開けません]");
    says("x (y)", "x (y)");
}

Test(catalogue, the_number_of_a_finished_sentence_chooses_its_form)
{
    says("1 file", "1つのファイル");
    says("3 files", "3個のファイル");
}

Test(catalogue, lines_are_translated_each_and_keep_their_indentation)
{
    says("hello\n  cannot open x\n\nother", "こんにちは\n  xを開けません\n\nother");
    says("  ", "  ");
    says("two\nlines of x", "xの\n二行");
}

Test(catalogue, words_of_a_width_are_padded_by_cells)
{
    says("state peer     of it", "状態ピア    です");
}

Test(catalogue, a_text_with_a_percent_sign_that_is_no_format_is_a_text)
{
    says("printf %b and 5% turn it", "printf %bと5%が変える");
}

Test(catalogue, a_format_without_words_takes_nothing_from_one_with_words)
{
    says("a/b expired on Monday", "a/bはMondayに切れた");
    says("a/b of c: cannot open x", "a/b of c: xを開けません");
}

/* ---- what strangers choose ---- */

Test(catalogue, an_argument_is_never_a_format)
{
    says("cannot open %n%s%n", "%n%s%nを開けません");
    says("cannot open %1$*2$s", "%1$*2$sを開けません");
    says("%s", "%s");
    says("cannot open %s", "%sを開けません");
}

Test(catalogue, a_name_with_a_short_word_of_a_format_in_it_stays)
{
    says("cannot open of Japan", "of Japanを開けません");
}

Test(catalogue, an_argument_that_looks_like_a_sentence_is_one_at_most_four_deep)
{
    says("cannot open cannot open cannot open cannot open cannot open cannot open x",
         "cannot open xを開けませんを開けませんを開けませんを開けませんを開けません");
}

Test(catalogue, a_long_hostile_sentence_ends_soon)
{
    struct xr_catalogue *made = catalogue();
    struct xr_buf text = {0};
    char *said = NULL;

    for (int i = 0; i < 20000; i++)
        xr_buf_str(&text, i % 3 == 0 ? "cannot open a in b" : i % 3 == 1 ? ": " : " in ");
    said = xr_tr_said(made, text.data);
    cr_assert(strcmp(said, text.data) == 0);
    free(said);
    text.data[8000] = '\0';
    said = xr_tr_said(made, text.data);
    cr_assert(strlen(said) > 1000);
    free(said);
    xr_buf_free(&text);
    xr_catalogue_free(made);
    xr_buf_free(&mo);
}

/* ---- files ---- */

Test(catalogue, a_file_that_is_cut_anywhere_is_refused_or_read)
{
    struct xr_catalogue *made = catalogue();

    xr_catalogue_free(made);
    for (size_t len = 0; len < mo.len; len++) {
        /* Not longer, so that a byte too many is noticed. */
        unsigned char *copy = malloc(len > 0 ? len : 1);

        cr_assert_not_null(copy);
        memcpy(copy, mo.data, len);
        made = xr_catalogue_new((struct xr_bytes){copy, len});
        cr_assert(made == NULL, "%zu of %zu bytes", len, mo.len);
        free(copy);
    }
    xr_buf_free(&mo);
}

Test(catalogue, every_changed_number_of_a_file_is_survived)
{
    static const uint32_t values[] = {0, 1, 27, 0x7fffffff, 0xffffffff, 0xfffffff8};
    struct xr_catalogue *made = catalogue();
    size_t numbers = 28 + 16 * (sizeof(usual) / sizeof(usual[0]) + 1);

    xr_catalogue_free(made);
    for (size_t at = 0; at + 4 <= numbers; at += 4) {
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            unsigned char *copy = xr_memdup(mo.data, mo.len);
            char *said = NULL;

            for (int k = 0; k < 4; k++)
                copy[at + (size_t)k] = (unsigned char)(values[i] >> 8 * k);
            made = xr_catalogue_new((struct xr_bytes){copy, mo.len});
            said = xr_tr_said(made, "x: cannot open y: No such file or directory");
            cr_assert(said[0] != '\0');
            free(said);
            xr_catalogue_free(made);
            free(copy);
        }
    }
    xr_buf_free(&mo);
}

Test(catalogue, texts_that_share_their_bytes_are_refused)
{
    struct xr_buf file = {0};

    make(&file, false, HEADER, usual, 4);
    for (int i = 0; i < 5; i++) /* all translations are the whole file up to its last byte */
        memcpy(file.data + 28 + 8 * 5 + 8 * i, "\xff\xff\x00\x00\x00\x00\x00\x00", 8);
    cr_assert(xr_catalogue_new(bytes(&file)) == NULL);
    xr_buf_free(&file);
}

Test(catalogue, every_translation_is_utf8_wherever_its_bytes_stand)
{
    static const unsigned char seconds[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};
    size_t taken = 0;

    for (unsigned i = 0; i < 128 * sizeof(seconds) * 2 * 9; i++) {
        unsigned char lead = (unsigned char)(0x80 + i % 128);
        unsigned char second = seconds[i / 128 % sizeof(seconds)];
        bool third = i / 128 / sizeof(seconds) % 2 == 0;
        size_t before = i / 128 / sizeof(seconds) / 2, len = before + 4 + third;
        char text[16] = "aaaaaaaaaaaaaaa";
        struct text one = {"hello", text, 0, 0};
        struct xr_buf file = {0};
        struct xr_catalogue *made = NULL;
        bool good = true;
        uint32_t code = 0;

        text[before] = (char)lead;
        text[before + 1] = (char)second;
        if (third)
            text[before + 2] = (char)0x80;
        text[len] = '\0';
        one.translation_len = len;
        for (size_t at = 0, step = 0; good && at < len; at += step) {
            step = xr_utf8_next(&code, (const unsigned char *)text + at, len - at);
            good = step > 0;
        }
        make(&file, false, HEADER, &one, 1);
        made = xr_catalogue_new(bytes(&file));
        cr_assert_eq(made != NULL, good, "%02x %02x %d after %zu", lead, second, third, before);
        taken += good;
        xr_catalogue_free(made);
        xr_buf_free(&file);
    }
    cr_assert_gt(taken, 0);
}

Test(catalogue, formats_are_made_once_and_only_for_what_is_no_text_of_the_catalogue)
{
    struct xr_catalogue *made = catalogue();
    const struct xr_said *said = NULL;
    char *text = xr_tr_said(made, "No such file or directory");

    cr_assert(*made->said == NULL);
    free(text);
    text = xr_tr_said(made, "cannot open x");
    cr_assert_str_eq(text, "xを開けません");
    free(text);
    said = *made->said;
    cr_assert_not_null(said);
    text = xr_tr_said(made, "of x");
    cr_assert_str_eq(text, "xの");
    cr_assert(*made->said == said);
    free(text);
    xr_catalogue_free(made);
    xr_buf_free(&mo);
}

Test(catalogue, only_utf8_is_taken)
{
    static const char *const headers[] = {
        "Content-Type: text/plain; charset=EUC-JP\n",
        "Content-Type: text/plain\n",
        "Content-Type: text/plain; charset=UTF-80\n",
        "X: charset=UTF-8\n",
        "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n(;\n",
    };
    struct text broken = {"hello", "\xe3\x81", 0, 0};
    struct xr_buf file = {0};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        make(&file, false, headers[i], usual, 1);
        cr_assert(xr_catalogue_new(bytes(&file)) == NULL, "%s", headers[i]);
        xr_buf_free(&file);
    }
    make(&file, false, HEADER, &broken, 1);
    cr_assert(xr_catalogue_new(bytes(&file)) == NULL);
    xr_buf_free(&file);
}

Test(catalogue, thousands_of_formats_and_messages_take_a_moment)
{
    struct text *texts = xr_new(2000, sizeof(*texts));
    struct xr_buf file = {0};
    struct xr_catalogue *made = NULL;

    for (int i = 0; i < 2000; i++) {
        texts[i].text =
            xr_format(i % 2 ? "sentence %d of many: %%s is not %%s" : "%%s: it is %d of %%s", i);
        texts[i].translation = xr_format("文%d %%s %%s", i);
    }
    make(&file, false, HEADER, texts, 2000);
    made = xr_catalogue_new(bytes(&file));
    cr_assert(made != NULL);
    for (int i = 0; i < 1000; i++) {
        char *english = xr_format("sentence %d of many: a is not b", i * 2 + 1);
        char *expected = xr_format("文%d a b", i * 2 + 1), *said = xr_tr_said(made, english);

        cr_assert(i * 2 + 1 >= 2000 || strcmp(said, expected) == 0, "%s", said);
        free(english);
        free(expected);
        free(said);
    }
    for (int i = 0; i < 2000; i++) {
        free((void *)(uintptr_t)texts[i].text);
        free((void *)(uintptr_t)texts[i].translation);
    }
    free(texts);
    xr_catalogue_free(made);
    xr_buf_free(&file);
}
