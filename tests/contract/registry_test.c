/* SPDX-License-Identifier: Apache-2.0 */
/* Which plugins get in. Each test copies them into a directory of its own. */
#include "stores/registry.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static struct xr_registry registry;

static void begin(void)
{
    dir = tree_new("plugins");
    registry = (struct xr_registry){0};
}

static void end(void)
{
    xr_registry_free(&registry);
    tree_remove(dir);
    free(dir);
}

TestSuite(registry, .init = begin, .fini = end);

/* Copies a plugin under another name. */
static char *plugin(const char *name, const char *as)
{
    size_t len = 0;
    char *file = xr_format("%s.so", name);
    char *data = tree_read(&len, XR_PLUGINS, file);

    tree_write(dir, as, data, len, 0755);
    free(data);
    free(file);
    return tree_path(dir, as);
}

static bool refused_with(const char *file, const char *why)
{
    for (size_t i = 0; i < registry.refused.count; i++) {
        if (strstr(registry.refused.items[i], file) != NULL)
            return strstr(registry.refused.items[i], why) != NULL;
    }
    return false;
}

static void add(const char *name, const char *as)
{
    free(plugin(name, as));
}

Test(registry, two_plugins_load_side_by_side)
{
    const struct xr_loaded *good = NULL, *naughty = NULL;

    add("good", "a.so");
    add("naughty", "b.so");
    xr_registry_directory(&registry, dir);
    good = xr_registry_find(&registry, "good");
    naughty = xr_registry_find(&registry, "naughty");
    cr_assert(registry.refused.count == 0, "%s",
              registry.refused.count ? registry.refused.items[0] : "");
    cr_assert(good != NULL && naughty != NULL);
    cr_assert(good->handle != naughty->handle && good->table.open != naughty->table.open);
    cr_assert(strstr(good->plugin, "/a.so") != NULL && strstr(naughty->plugin, "/b.so") != NULL);
}

Test(registry, each_bad_plugin_is_refused_by_name_and_reason_and_the_others_load)
{
    add("good", "00-good.so");
    add("wrongabi", "wrongabi.so");
    add("lacking", "lacking.so");
    add("nosymbol", "nosymbol.so");
    add("nulled", "nulled.so");
    add("badname", "badname.so");
    add("short", "short.so");
    add("old", "zz-old.so");
    tree_text(dir, "text.so", "this is no program");
    tree_write(dir, "empty.so", "", 0, 0755);
    xr_registry_directory(&registry, dir);
    cr_assert(refused_with("wrongabi.so", "ABI"));
    cr_assert(refused_with("lacking.so", "swap"));
    cr_assert(refused_with("nosymbol.so", "xr_backend_entry"));
    cr_assert(refused_with("nulled.so", "no table"));
    cr_assert(refused_with("badname.so", "name"));
    cr_assert(refused_with("short.so", "short"));
    cr_assert(refused_with("text.so", "cannot be loaded"));
    cr_assert(refused_with("empty.so", "cannot be loaded"));
    cr_assert(registry.refused.count == 8);
    cr_assert(registry.count == 2);
    cr_assert(xr_registry_find(&registry, "good") != NULL);
    cr_assert(xr_registry_find(&registry, "old") != NULL);
}

Test(registry, an_older_table_loads_and_what_it_lacks_is_absent)
{
    const struct xr_loaded *old = NULL;

    add("old", "old.so");
    xr_registry_directory(&registry, dir);
    old = xr_registry_find(&registry, "old");
    cr_assert(old != NULL);
    cr_assert(old->table.swap != NULL && old->table.flush == NULL && old->table.probe == NULL);
    cr_assert_str_eq(old->table.summary, "");
}

Test(registry, a_newer_table_loads)
{
    add("newer", "newer.so");
    xr_registry_directory(&registry, dir);
    cr_assert(xr_registry_find(&registry, "newer") != NULL);
}

Test(registry, a_table_that_ends_inside_an_operation_has_no_half_of_it)
{
    const struct xr_loaded *half = NULL;

    add("halfop", "halfop.so");
    xr_registry_directory(&registry, dir);
    half = xr_registry_find(&registry, "halfop");
    cr_assert(half == NULL || half->table.flush == NULL);
}

Test(registry, a_second_backend_of_a_name_is_refused)
{
    add("good", "a.so");
    add("good", "b.so");
    xr_registry_directory(&registry, dir);
    cr_assert(registry.count == 1);
    cr_assert(refused_with("b.so", "already"));
}

Test(registry, a_plugin_cannot_take_the_place_of_a_built_in_backend)
{
    const struct xr_backend *before = NULL;

    xr_registry_init(&registry);
    before = &xr_registry_find(&registry, "openssl")->table;
    cr_assert(before != NULL);
    add("second", "second.so");
    xr_registry_directory(&registry, dir);
    cr_assert(refused_with("second.so", "already"));
    cr_assert(xr_registry_find(&registry, "openssl")->plugin == NULL);
}

Test(registry, a_directory_that_others_may_write_gives_no_plugin)
{
    static const mode_t modes[] = {0777, 01777, 0775};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct xr_error err = {0};
        char *path = plugin("good", "good.so");

        cr_assert(chmod(dir, modes[i]) == 0);
        xr_registry_directory(&registry, dir);
        cr_assert(registry.count == 0 && registry.refused.count == i + 1);
        cr_assert(xr_registry_plugin(&registry, path, &err) == XR_REFUSED);
        cr_assert(strstr(err.text, path) != NULL && strstr(err.text, "write") != NULL);
        cr_assert(chmod(dir, 0755) == 0);
        free(path);
    }
}

Test(registry, a_directory_above_that_others_may_write_gives_no_plugin)
{
    struct xr_error err = {0};
    char *path = NULL;

    tree_dir(dir, "sub");
    add("good", "sub/good.so");
    path = tree_path(dir, "sub/good.so");
    cr_assert(chmod(dir, 0777) == 0);
    cr_assert(xr_registry_plugin(&registry, path, &err) == XR_REFUSED);
    cr_assert(chmod(dir, 0755) == 0);
    cr_assert(xr_registry_plugin(&registry, path, &err) == XR_OK);
    free(path);
}

Test(registry, a_file_that_others_may_write_is_no_plugin)
{
    struct xr_error err = {0};
    char *path = plugin("good", "good.so");

    cr_assert(chmod(path, 0666) == 0);
    cr_assert(xr_registry_plugin(&registry, path, &err) == XR_REFUSED);
    cr_assert(chmod(path, 0620) == 0);
    cr_assert(xr_registry_plugin(&registry, path, &err) == XR_REFUSED);
    cr_assert(registry.count == 0);
    free(path);
}

Test(registry, another_users_file_is_no_plugin)
{
    struct xr_error err = {0};
    char *path = plugin("good", "good.so");

    if (geteuid() == 0) {
        cr_assert(chown(path, 65534, 65534) == 0);
        cr_assert(xr_registry_plugin(&registry, path, &err) == XR_REFUSED);
        cr_assert(strstr(err.text, "another user") != NULL);
    }
    free(path);
    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a file away");
}

Test(registry, a_link_is_as_good_as_what_it_leads_to)
{
    struct xr_error err = {0};
    char *open_dir = NULL, *link = tree_path(dir, "link.so");

    tree_dir(dir, "open");
    open_dir = tree_path(dir, "open");
    add("good", "open/good.so");
    tree_link(dir, "link.so", "open/good.so");
    cr_assert(chmod(open_dir, 0777) == 0);
    cr_assert(xr_registry_plugin(&registry, link, &err) == XR_REFUSED);
    cr_assert(chmod(open_dir, 0755) == 0);
    cr_assert(xr_registry_plugin(&registry, link, &err) == XR_OK);
    free(open_dir);
    free(link);
}

Test(registry, only_names_that_end_in_so_are_looked_at)
{
    add("good", "good.so.bak");
    add("good", "README");
    add("good", ".so");
    xr_registry_directory(&registry, dir);
    cr_assert(registry.count == 0 && registry.refused.count == 0);
}

Test(registry, what_is_no_file_is_refused_without_waiting)
{
    char *pipe = tree_path(dir, "pipe.so");

    tree_dir(dir, "dir.so");
    cr_assert(mkfifo(pipe, 0644) == 0);
    tree_link(dir, "dangling.so", "nowhere");
    add("good", "zz.so");
    xr_registry_directory(&registry, dir);
    cr_assert(registry.count == 1 && registry.refused.count == 3);
    free(pipe);
}

Test(registry, an_absent_directory_holds_none)
{
    char *absent = tree_path(dir, "absent");

    xr_registry_directory(&registry, absent);
    cr_assert(registry.count == 0 && registry.refused.count == 0);
    free(absent);
}

Test(registry, a_plugin_that_was_not_there_is_refused_by_name)
{
    struct xr_error err = {0};
    char *absent = tree_path(dir, "ab\nsent.so");

    cr_assert(xr_registry_plugin(&registry, absent, &err) != XR_OK);
    cr_assert(strstr(err.text, "sent.so") != NULL && strchr(err.text, '\n') == NULL);
    free(absent);
}
