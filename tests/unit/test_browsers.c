/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of Chromium's family below a home. */
#include "../../backends/homes/browsers.h"

#include "../../backends/homes/open.h"
#include "nss_home.h"

#include <fcntl.h>

#define STRANGER 12345

TestSuite(browsers, .init = make_top, .fini = remove_top);

static const struct nss_chromium *program(const char *settings)
{
    const struct nss_chromium *p = nss_chromiums;

    while (p->settings != NULL && strcmp(p->settings, settings) != 0)
        p++;
    cr_assert_not_null(p->settings, "%s is not in the table", settings);
    return p;
}

/* "NAME=PATH " for each profile, paths from the test's directory; config is one of them, or NULL. */
static void expect(const char *settings, const char *config, enum xr_status wanted,
                   const char *profiles)
{
    char *home = at("home"), *dir = config != NULL ? at(config) : NULL;
    struct browser_profiles found = {0};
    struct nss_tree tree;
    struct xr_buf out = {0};
    enum xr_status status = XR_OK;

    cr_assert_eq(nss_tree_open(&tree, NULL, home, NULL), XR_OK);
    status = browser_profiles(&found, &tree, dir, program(settings), NULL);
    cr_assert_eq(status, wanted, "%d", (int)status);
    xr_buf_str(&out, "");
    for (size_t i = 0; i < found.count; i++) {
        cr_assert_eq(strncmp(found.items[i].path, top, strlen(top)), 0);
        xr_buf_fmt(&out, "%s=%s ", found.items[i].name, found.items[i].path + strlen(top));
    }
    cr_assert_str_eq(out.data != NULL ? out.data : "", profiles);
    xr_buf_free(&out);
    browser_profiles_free(&found);
    nss_tree_close(&tree);
    free(home);
    free(dir);
}

Test(browsers, a_home_without_settings_has_no_profiles)
{
    make_dir("home");
    for (const struct nss_chromium *p = nss_chromiums; p->settings != NULL; p++)
        expect(p->settings, NULL, XR_OK, "");
}

Test(browsers, a_directory_with_preferences_or_certificates_is_a_profile)
{
    make_file("home/.config/chromium/Profile 1/Preferences", "{}");
    make_file("home/.config/chromium/Default/ServerCertificate", "");
    make_file("home/.config/chromium/Crowd Deny/list", "");
    make_file("home/.config/chromium/Local State", "{}");
    expect("chromium", NULL, XR_OK,
           "Default=/home/.config/chromium/Default Profile 1=/home/.config/chromium/Profile 1 ");
    expect("google-chrome", NULL, XR_OK, "");
}

Test(browsers, settings_may_be_elsewhere_unless_the_program_has_a_home_of_its_own)
{
    make_file("home/.config/chromium/Default/Preferences", "{}");
    make_file("other/chromium/Work/Preferences", "{}");
    make_file("home/snap/chromium/common/chromium/Default/Preferences", "{}");
    expect("chromium", "other", XR_OK, "Work=/other/chromium/Work ");
    expect("snap/chromium/common/chromium", "other", XR_OK,
           "Default=/home/snap/chromium/common/chromium/Default ");
}

Test(browsers, a_settings_directory_may_be_a_profile_itself)
{
    make_file("home/.config/opera/Preferences", "{}");
    make_file("home/.config/opera/Default/Preferences", "{}");
    expect("opera", NULL, XR_OK, "=/home/.config/opera Default=/home/.config/opera/Default ");
}

Test(browsers, the_browsers_own_links_do_not_matter)
{
    make_file("home/.config/chromium/Default/Preferences", "{}");
    make_link("home/.config/chromium/SingletonLock", "host-12345");
    make_link("home/.config/chromium/SingletonSocket", "/nowhere/socket");
    make_link("home/.config/chromium/RunningChromeVersion", "156.0");
    expect("chromium", NULL, XR_OK, "Default=/home/.config/chromium/Default ");
}

Test(browsers, links_of_ones_own_are_followed_and_loops_are_said)
{
    make_file("disk/Default/Preferences", "{}");
    make_dir("home/.config");
    make_link("home/.config/chromium", "../../disk");
    make_link("disk/loop", "loop");
    expect("chromium", NULL, XR_INVALID, "Default=/disk/Default ");
}

Test(browsers, links_of_another_user_are_refused_and_the_others_found)
{
    char *link = at("home/.config/chromium/Profile 1");

    if (geteuid() != 0)
        SKIP("not here: only root can give a link away");
    make_file("secret/Preferences", "{}");
    make_file("home/.config/chromium/Default/Preferences", "{}");
    make_file("home/.config/chromium/Profile 2/Preferences", "{}");
    make_link("home/.config/chromium/Profile 1", "../../../secret");
    cr_assert_eq(lchown(link, STRANGER, STRANGER), 0);
    expect("chromium", NULL, XR_REFUSED,
           "Default=/home/.config/chromium/Default Profile 2=/home/.config/chromium/Profile 2 ");
    free(link);
}

Test(browsers, what_is_no_directory_is_no_profile)
{
    make_file("home/.config/chromium", "");
    expect("chromium", NULL, XR_OK, "");
    make_file("home/.config/vivaldi/Default", "");
    expect("vivaldi", NULL, XR_OK, "");
}

/* ---- opening a directory by its address ---- */

static void expect_open(const char *path, enum xr_status wanted, const char *text)
{
    char *home = at("home"), *full = at(path);
    struct xr_site site = {.size = sizeof(site), .home = home, .uid = geteuid()};
    struct xr_error err = {0};
    int fd = -1;
    enum xr_status status = home_dir_open(&fd, NULL, &site, full, &err);

    cr_assert_eq(status, wanted, "%s: %d, %s", path, (int)status, err.text);
    cr_assert_not_null(strstr(err.text, text), "%s", err.text);
    cr_assert_eq(fd >= 0, wanted == XR_OK);
    if (fd >= 0)
        (void)close(fd);
    free(home);
    free(full);
}

Test(browsers, a_directory_is_opened_through_no_link)
{
    make_dir("home/a/b");
    make_link("home/link", "a");
    make_file("home/file", "");
    expect_open("home/a/b", XR_OK, "");
    expect_open("home/a", XR_OK, "");
    expect_open("home/link", XR_REFUSED, "link is a link or not a directory");
    expect_open("home/link/b", XR_REFUSED, "link is a link or not a directory");
    expect_open("home/file", XR_REFUSED, "file is a link or not a directory");
    expect_open("home/none", XR_ABSENT, "there is no such directory");
    expect_open("home/a/../a", XR_FAILED, "cannot open the directory");
}

Test(browsers, a_directory_of_somebody_else_in_a_home_is_refused)
{
    char *dir = at("home/a");

    if (geteuid() != 0)
        SKIP("not here: only root can give a directory away");
    make_dir("home/a/b");
    cr_assert_eq(chown(dir, STRANGER, STRANGER), 0);
    expect_open("home/a/b", XR_REFUSED, "a belongs to another user or can be written by one");
    expect_open("home/a", XR_REFUSED, "a belongs to another user or can be written by one");
    free(dir);
}
