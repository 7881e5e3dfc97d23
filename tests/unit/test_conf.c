/* SPDX-License-Identifier: Apache-2.0 */
/* ca-certificates.conf: which lines count, and that a change touches no other byte. Also what the
 * table of layouts has to hold for the code that walks it. */
#include "../../backends/sources/sources.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct xr_buf text(const char *content)
{
    struct xr_buf out = {0};

    xr_buf_str(&out, content);
    return out;
}

/* "+a -b": the lines that count, selected or not. */
static char *lines(const char *content)
{
    struct xr_buf conf = text(content), out = {0};
    struct ca_conf_line line;
    size_t at = 0;

    xr_buf_str(&out, "");
    while (ca_conf_next(&line, &at, &conf)) {
        xr_buf_fmt(&out, "%s%c", out.len > 0 ? " " : "", line.deselected ? '-' : '+');
        xr_buf_add(&out, line.path, line.len);
        cr_assert(line.mark <= conf.len);
    }
    xr_buf_free(&conf);
    return out.data;
}

static void expect_lines(const char *content, const char *wanted)
{
    char *have = lines(content);

    cr_assert_str_eq(have, wanted);
    free(have);
}

static void expect_set(const char *content, const char *path, bool deselected, const char *wanted)
{
    struct xr_buf conf = text(content), out = ca_conf_set(&conf, path, deselected);

    cr_assert(out.len == strlen(wanted) && memcmp(out.data ? out.data : "", wanted, out.len) == 0,
              "got: %.*s", (int)out.len, out.data ? out.data : "");
    xr_buf_free(&conf);
    xr_buf_free(&out);
}

Test(conf, lines_are_selected_or_deselected)
{
    expect_lines("a.crt\n!b.crt\nc/d.crt\n", "+a.crt -b.crt +c/d.crt");
}

Test(conf, an_empty_list_has_no_lines)
{
    expect_lines("", "");
    expect_lines("\n\n", "");
    expect_lines("!", "");
    expect_lines("!\n \t\n", "");
}

Test(conf, comments_count_only_at_the_start_of_a_line)
{
    expect_lines("#a.crt\n# b.crt\n#!c.crt\nd#e.crt\n", "+d#e.crt");
}

Test(conf, blanks_around_a_path_are_no_part_of_it)
{
    expect_lines("  a b.crt \t\n! c.crt \n", "+a b.crt -c.crt");
}

Test(conf, a_carriage_return_is_passed_over_only_where_every_line_has_one)
{
    expect_lines("# x\r\n\r\na.crt \r\n!b.crt\r\n", "+a.crt -b.crt");
    expect_lines("a.crt\r\nb.crt", "+a.crt +b.crt");
    expect_lines("!a.crt\na.crt\r\n", "-a.crt +a.crt\r");
    expect_lines("a.crt\r\n\nb.crt\r\n", "+a.crt\r +b.crt\r");
    expect_lines("a.crt\r", "+a.crt\r");
    expect_set("a.crt\r\n", "a.crt", true, "!a.crt\r\n");
}

Test(conf, the_last_line_needs_no_end)
{
    expect_lines("a.crt\n!b.crt", "+a.crt -b.crt");
    expect_set("a.crt\nb.crt", "b.crt", true, "a.crt\n!b.crt");
    expect_set("a.crt\n!b.crt", "b.crt", false, "a.crt\nb.crt");
}

Test(conf, a_line_with_a_zero_byte_names_nothing)
{
    static const char bytes[] = "a\0b.crt\nc.crt\n";
    struct xr_buf conf = {0};
    struct ca_conf_line line;
    size_t at = 0;

    xr_buf_add(&conf, bytes, sizeof(bytes) - 1);
    cr_assert(ca_conf_next(&line, &at, &conf) && line.len == 5 &&
              memcmp(line.path, "c.crt", 5) == 0);
    cr_assert(!ca_conf_next(&line, &at, &conf));
    xr_buf_free(&conf);
}

Test(conf, setting_and_unsetting_are_each_other_s_undo)
{
    static const char whole[] = "# head\n\na.crt\n!b.crt\n\n  c.crt\n#a.crt\n";

    expect_set(whole, "a.crt", true, "# head\n\n!a.crt\n!b.crt\n\n  c.crt\n#a.crt\n");
    expect_set("# head\n\n!a.crt\n!b.crt\n\n  c.crt\n#a.crt\n", "a.crt", false, whole);
    expect_set(whole, "c.crt", true, "# head\n\na.crt\n!b.crt\n\n!  c.crt\n#a.crt\n");
    expect_set("# head\n\na.crt\n!b.crt\n\n!  c.crt\n#a.crt\n", "c.crt", false, whole);
}

Test(conf, what_is_so_already_stays)
{
    expect_set("a.crt\n!b.crt\n", "b.crt", true, "a.crt\n!b.crt\n");
    expect_set("a.crt\n!b.crt\n", "a.crt", false, "a.crt\n!b.crt\n");
    expect_set("a.crt\n", "c.crt", true, "a.crt\n");
    expect_set("", "c.crt", true, "");
}

Test(conf, every_line_of_a_path_is_meant_and_no_other)
{
    expect_set("a.crt\nb.crt\n!a.crt\na.crt\n", "a.crt", true, "!a.crt\nb.crt\n!a.crt\n!a.crt\n");
    expect_set("xa.crt\na.crtx\nA.crt\na.crt/b\n", "a.crt", true,
               "xa.crt\na.crtx\nA.crt\na.crt/b\n");
}

Test(conf, a_dos_line_end_is_no_part_of_the_name_and_is_kept)
{
    expect_lines("a.crt\r\nb.crt \r\n!c.crt\r", "+a.crt +b.crt -c.crt");
    expect_set("a.crt\r\nb.crt\r\n", "b.crt", true, "a.crt\r\n!b.crt\r\n");
}

/* ---- layouts ---- */

static void plain(const char *path)
{
    cr_assert(path[0] != '/' && path[0] != '\0' && path[strlen(path) - 1] != '/', "%s", path);
    cr_assert(strstr(path, "//") == NULL && strstr(path, "..") == NULL, "%s", path);
}

Test(layouts, paths_are_inside_the_root_and_what_is_needed_is_there)
{
    for (size_t i = 0; i < ca_layout_count; i++) {
        const struct ca_layout *layout = &ca_layouts[i];

        cr_assert(layout->name != NULL && layout->title != NULL && layout->signs[0] != NULL);
        plain(layout->lock);
        plain(layout->anchors);
        plain(layout->published[0]);
        cr_assert(layout->published[1] == NULL || layout->published[2] != NULL);
        for (size_t k = 0; k < 5 && layout->signs[k] != NULL; k++)
            plain(layout->signs[k]);
        for (size_t k = 0; k < CA_OUTPUTS_MAX && layout->outputs[k].path != NULL; k++) {
            plain(layout->outputs[k].path);
            cr_assert(strchr(layout->outputs[k].path, '/') != NULL);
        }
        cr_assert((layout->family == CA_FIXED) == (layout->why_fixed != NULL));
        cr_assert((layout->family == CA_LIST) == (layout->conf != NULL));
        cr_assert((layout->family == CA_P11) == (layout->tokens[0].path != NULL));
        cr_assert((layout->family == CA_P11) == (layout->blocklist != NULL));
        cr_assert(layout->family == CA_FIXED || layout->extension[0] == '.');
    }
}

Test(layouts, what_programs_read_is_what_is_made)
{
    for (size_t i = 0; i < ca_layout_count; i++) {
        const struct ca_layout *layout = &ca_layouts[i];

        for (size_t p = 0; layout->family == CA_P11 && p < 3 && layout->published[p]; p++) {
            bool made = false;

            for (size_t k = 0; k < CA_OUTPUTS_MAX && layout->outputs[k].path != NULL; k++)
                made = made || strcmp(layout->outputs[k].path, layout->published[p]) == 0;
            cr_assert(made, "%s: %s", layout->name, layout->published[p]);
        }
    }
}

Test(layouts, no_two_have_one_name_and_the_general_ones_come_last)
{
    for (size_t i = 0; i < ca_layout_count; i++) {
        for (size_t k = i + 1; k < ca_layout_count; k++)
            cr_assert(strcmp(ca_layouts[i].name, ca_layouts[k].name) != 0);
    }
    cr_assert_str_eq(ca_layouts[ca_layout_count - 2].name, "debian");
    cr_assert_str_eq(ca_layouts[ca_layout_count - 1].name, "bundle");
}
