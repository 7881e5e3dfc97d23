/* SPDX-License-Identifier: Apache-2.0 */
/* profiles.ini as Mozilla's parser takes it, and hostile ones. */
#include "../../backends/nss/ini.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* "section.key=value|…" of all lines that count. */
static char *read_all(const char *text, size_t len)
{
    unsigned char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a byte too far */
    struct xr_buf out = {0};
    struct nss_ini ini;

    memcpy(exact, text, len);
    xr_buf_str(&out, "");
    nss_ini_open(&ini, (struct xr_bytes){exact, len});
    while (nss_ini_next(&ini)) {
        xr_buf_str(&out, out.len > 0 ? "|" : "");
        xr_buf_add(&out, ini.section.data, ini.section.len);
        xr_buf_str(&out, ".");
        xr_buf_add(&out, ini.key.data, ini.key.len);
        xr_buf_str(&out, "=");
        xr_buf_add(&out, ini.value.data, ini.value.len);
    }
    free(exact);
    return out.data;
}

static void expect_bytes(const char *text, size_t len, const char *wanted)
{
    char *have = read_all(text, len);

    cr_assert_str_eq(have, wanted);
    free(have);
}

static void expect(const char *text, const char *wanted)
{
    expect_bytes(text, strlen(text), wanted);
}

Test(nss_ini, keys_belong_to_the_section_before_them)
{
    expect("[Profile0]\nName=default\nPath=a b.default\n\n[General]\nVersion=2\n",
           "Profile0.Name=default|Profile0.Path=a b.default|General.Version=2");
}

Test(nss_ini, nothing_is_in_an_empty_file)
{
    expect("", "");
    expect("\n\r\n \t\n", "");
}

Test(nss_ini, lines_may_end_as_on_other_systems)
{
    expect("[A]\r\nb=c\r\nd=e\r\n", "A.b=c|A.d=e");
    expect("[A]\rb=c\rd=e", "A.b=c|A.d=e");
}

Test(nss_ini, the_last_line_needs_no_end)
{
    expect("[A]\nb=c", "A.b=c");
    expect("[A]\nb=", "A.b=");
    expect("[A]\nb", "");
    expect("[A", "");
}

Test(nss_ini, a_byte_order_mark_is_no_part_of_the_first_line)
{
    expect("\xef\xbb\xbf[A]\nb=c\n", "A.b=c");
    expect("\xef\xbb", "");
    expect("\xef\xbb\xbf", "");
}

Test(nss_ini, comments_count_only_at_the_start_of_a_line)
{
    expect("# x\n; y\n[A]\n#b=c\n;d=e\nf=g # h\ni=j;k\n", "A.f=g # h|A.i=j;k");
}

Test(nss_ini, blanks_count_as_they_do_for_mozilla)
{
    expect(" \t[A] \t\n  b=c\n", "A.b=c");
    expect("[A]\nb =  c \n", "A.b =  c ");
}

Test(nss_ini, lines_before_a_section_count_for_nothing)
{
    expect("b=c\n[A]\nd=e\n", "A.d=e");
}

Test(nss_ini, a_malformed_section_hides_what_follows_it)
{
    expect("[A]\nb=c\n[B] x\nd=e\n[C]\nf=g\n", "A.b=c|C.f=g");
    expect("[]\nb=c\n", "");
    expect("[\nb=c\n", "");
    expect("[A[B]\nb=c\n", "");
    expect("[A]]\nb=c\n", "");
}

Test(nss_ini, a_section_that_is_never_closed_counts_as_it_does_for_mozilla)
{
    expect("[A\nb=c\n", "A.b=c");
}

Test(nss_ini, keys_and_values_are_parted_by_the_first_equals_sign)
{
    expect("[A]\nb=c=d\n=e\nf\n==\ng==h\n", "A.b=c=d|A.g==h");
}

Test(nss_ini, upper_and_lower_case_differ)
{
    expect("[a]\nname=x\nName=y\n", "a.name=x|a.Name=y");
}

Test(nss_ini, a_nul_byte_ends_the_file)
{
    expect_bytes("[A]\nb=c\nd=\0e\nf=g\n", 17, "A.b=c|A.d=");
    expect_bytes("\0[A]\nb=c\n", 9, "");
}

Test(nss_ini, every_beginning_of_a_file_can_be_read)
{
    static const char text[] =
        "\xef\xbb\xbf# c\r\n[Profile0]\r\nName=\xff\xfe\r\n[x] y\n=\n[Z\nk=v";

    for (size_t len = 0; len < sizeof(text); len++)
        free(read_all(text, len));
}
