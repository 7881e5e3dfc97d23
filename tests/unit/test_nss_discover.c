/* SPDX-License-Identifier: Apache-2.0 */
/* Homes made for the purpose: which databases are named, and what hostile homes get. */
#include "../../backends/nss/nss.h"

#include "nss_home.h"

#define NOBODY 65534u

static void give_away(const char *path)
{
    char *full = at(path);

    cr_assert_eq(lchown(full, NOBODY, NOBODY), 0);
    free(full);
}

/* A database that Chromium would make is there in every home of a machine that has a browser
 * installed: only tests of that want to see it. */
static bool see_fresh;

/* "path = summary" a line, paths without the directory of the test. */
static enum xr_status collect(void *ctx, const struct xr_found *f)
{
    struct xr_buf *out = ctx;
    struct stat st;
    char identity[64] = "";

    cr_assert_eq(f->size, sizeof(*f));
    if (!see_fresh && f->identity == NULL && strcmp(f->summary, "Chromium and relatives") == 0)
        return XR_OK;
    cr_assert(strncmp(f->location, top, strlen(top)) == 0, "%s leads out", f->location);
    xr_buf_fmt(out, "%s = %s\n", f->location + strlen(top), f->summary);
    if (stat(f->location, &st) == 0) {
        (void)snprintf(identity, sizeof(identity), "%llu:%llu", (unsigned long long)st.st_dev,
                       (unsigned long long)st.st_ino);
        cr_assert_str_eq(f->identity, identity);
    } else {
        cr_assert_null(f->identity);
    }
    return XR_OK;
}

static struct xr_error err;

static enum xr_status discover(struct xr_buf *out, const struct xr_site *site, unsigned scope)
{
    static const struct xr_host host = {.size = sizeof(host)};

    *out = (struct xr_buf){0};
    xr_buf_str(out, "");
    err = (struct xr_error){0};
    return nss_discover(&host, site, scope, collect, out, &err);
}

static enum xr_status in_home(struct xr_buf *out)
{
    char *home = at("home");
    struct xr_site site = {.size = sizeof(site), .home = home, .uid = geteuid()};
    enum xr_status status = discover(out, &site, XR_SCOPE_USER);

    free(home);
    return status;
}

static void expect(const char *wanted)
{
    struct xr_buf out;
    enum xr_status status = in_home(&out);

    cr_assert_eq(status, XR_OK, "%s", err.text);
    cr_assert_str_eq(out.data, wanted);
    xr_buf_free(&out);
}

/* Something could not be read: told, and the rest is there. */
static void expect_trouble(enum xr_status wanted_status, const char *why, const char *wanted)
{
    struct xr_buf out;
    enum xr_status status = in_home(&out);

    cr_assert_eq(status, wanted_status, "%d: %s", (int)status, err.text);
    cr_assert_not_null(strstr(err.text, why), "%s", err.text);
    cr_assert_str_eq(out.data, wanted);
    xr_buf_free(&out);
}

TestSuite(nss_discover, .init = make_top, .fini = remove_top);

Test(nss_discover, nothing_is_in_an_empty_home_nor_in_one_that_is_not_there)
{
    expect("");
    make_dir("home");
    expect("");
}

Test(nss_discover, without_a_home_there_is_nothing_of_a_user)
{
    struct xr_site site = {.size = sizeof(site)};
    struct xr_buf out;

    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "");
    xr_buf_free(&out);
}

/* What Firefox ESR 153 wrote for a new user, byte for byte. */
#define FRESH                                                                      \
    "[Profile1]\nName=default\nIsRelative=1\nPath=88944apu.default\nDefault=1\n\n" \
    "[Profile0]\nName=default-esr\nIsRelative=1\nPath=smwd9uab.default-esr\n\n"    \
    "[General]\nStartWithLastProfile=1\nVersion=2\n\n"                             \
    "[Install3B6073811A6ABF12]\nDefault=smwd9uab.default-esr\nLocked=1\n\n"

Test(nss_discover, profiles_are_named_in_the_order_of_the_file_and_once)
{
    make_file("home/.mozilla/firefox/profiles.ini", FRESH);
    make_file("home/.mozilla/firefox/installs.ini",
              "[3B6073811A6ABF12]\nDefault=smwd9uab.default-esr\nLocked=1\n");
    make_dir("home/.mozilla/firefox/smwd9uab.default-esr");
    expect("/home/.mozilla/firefox/88944apu.default = Firefox profile \"default\"\n"
           "/home/.mozilla/firefox/smwd9uab.default-esr = Firefox profile \"default-esr\"\n");
}

Test(nss_discover, a_directory_that_no_file_names_is_no_profile)
{
    make_file("home/.mozilla/firefox/profiles.ini", "[General]\nVersion=2\n");
    make_file("home/.mozilla/firefox/old.default/cert9.db", "");
    expect("");
}

#define TBB  "torbrowser/tbb/x86_64/tor-browser/Browser/TorBrowser/Data/Browser"
#define TORF ".var/app/org.torproject.torbrowser-launcher/data/"

Test(nss_discover, every_place_is_looked_at_in_the_order_of_the_table)
{
    static const char *const dirs[][2] = {
        {".mozilla/firefox", "Firefox profile \"n\""},
        {".config/mozilla/firefox", "Firefox profile \"n\""},
        {"snap/firefox/common/.mozilla/firefox", "Firefox profile \"n\" (snap)"},
        {".var/app/org.mozilla.firefox/.mozilla/firefox", "Firefox profile \"n\" (flatpak)"},
        {".var/app/org.mozilla.firefox/config/mozilla/firefox", "Firefox profile \"n\" (flatpak)"},
        {".thunderbird", "Thunderbird profile \"n\""},
        {"snap/thunderbird/common/.thunderbird", "Thunderbird profile \"n\" (snap)"},
        {".var/app/org.mozilla.Thunderbird/.thunderbird", "Thunderbird profile \"n\" (flatpak)"},
        {".var/app/eu.betterbird.Betterbird/.thunderbird", "Betterbird profile \"n\" (flatpak)"},
        {".librewolf", "LibreWolf profile \"n\""},
        {".config/librewolf/librewolf", "LibreWolf profile \"n\""},
        {".zen", "Zen profile \"n\""},
        {".config/zen", "Zen profile \"n\""},
        {".var/app/app.zen_browser.zen/.zen", "Zen profile \"n\" (flatpak)"},
        {".floorp", "Floorp profile \"n\""},
        {".config/floorp", "Floorp profile \"n\""},
        {".var/app/one.ablaze.floorp/.floorp", "Floorp profile \"n\" (flatpak)"},
        {".waterfox", "Waterfox profile \"n\""},
        {".var/app/net.waterfox.waterfox/.waterfox", "Waterfox profile \"n\" (flatpak)"},
        {".mozilla/icecat", "IceCat profile \"n\""},
        {".mozilla/seamonkey", "SeaMonkey profile \"n\""},
        {".mullvad/mullvadbrowser", "Mullvad Browser profile \"n\""},
        {".mullvad-browser/.mullvad/mullvadbrowser", "Mullvad Browser profile \"n\""},
        {".local/share/" TBB, "Tor Browser profile \"n\""},
        {TORF TBB, "Tor Browser profile \"n\" (flatpak)"}};
    struct xr_buf wanted = {0};

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        char *ini = xr_format("home/%s/profiles.ini", dirs[i][0]);

        make_file(ini, "[Profile0]\nName=n\nIsRelative=1\nPath=p\n");
        xr_buf_fmt(&wanted, "/home/%s/p = %s\n", dirs[i][0], dirs[i][1]);
        free(ini);
    }
    expect(wanted.data);
    xr_buf_free(&wanted);
}

Test(nss_discover, paths_are_relative_to_the_file_or_absolute)
{
    char *ini = xr_format("[Profile0]\nName=abs\nIsRelative=0\nPath=%s/disk/my profile\n"
                          "[Profile1]\nName=up\nIsRelative=1\nPath=../../x\n"
                          "[Profile2]\nName=here\nIsRelative=0\nPath=~/y\n"
                          "[Profile3]\nName=wrong\nIsRelative=0\nPath=z\n"
                          "[Profile4]\nName=wrong\nIsRelative=1\nPath=/z\n"
                          "[Profile5]\nName=none\nIsRelative=1\n"
                          "[Profile6]\nName=empty\nIsRelative=1\nPath=\n"
                          "[Profile7]\nName=either\nPath=Profiles/z\n"
                          "[ProfileX]\nName=no number\nPath=w\n",
                          top);

    make_file("home/.mozilla/firefox/profiles.ini", ini);
    make_dir("disk/my profile");
    expect("/disk/my profile = Firefox profile \"abs\"\n"
           "/home/x = Firefox profile \"up\"\n"
           "/home/y = Firefox profile \"here\"\n"
           "/home/.mozilla/firefox/Profiles/z = Firefox profile \"either\"\n");
    free(ini);
}

Test(nss_discover, defaults_of_installations_count_wherever_they_are_named)
{
    make_file("home/.thunderbird/profiles.ini",
              "[Install1]\nDefault=a\n[Install2]\nDefault=b b\n[Profile0]\nName=A\nPath=a\n");
    make_file("home/.thunderbird/installs.ini", "[2]\nDefault=b b\n[3]\nDefault=c\n");
    expect("/home/.thunderbird/a = Thunderbird profile \"A\"\n"
           "/home/.thunderbird/b b = Thunderbird profile \"b b\"\n"
           "/home/.thunderbird/c = Thunderbird profile \"c\"\n");
}

Test(nss_discover, one_of_the_two_files_is_enough)
{
    make_file("home/.mozilla/firefox/installs.ini", "[3]\nDefault=c");
    expect("/home/.mozilla/firefox/c = Firefox profile \"c\"\n");
}

Test(nss_discover, a_section_that_comes_back_adds_to_itself)
{
    make_file("home/.mozilla/firefox/profiles.ini",
              "[Profile0]\r\nName=a\r\nPath=x\r\n[Profile1]\r\nPath=y\r\n"
              "[Profile0]\r\nPath=z\r\nIsRelative=1");
    expect("/home/.mozilla/firefox/z = Firefox profile \"a\"\n"
           "/home/.mozilla/firefox/y = Firefox profile \"y\"\n");
}

Test(nss_discover, one_directory_under_two_names_is_named_once)
{
    make_dir("home/.mozilla/firefox/real");
    make_link("home/.mozilla/firefox/alias", "real");
    make_file("home/.mozilla/firefox/profiles.ini",
              "[Profile0]\nPath=real\n[Profile1]\nPath=./real/\n[Profile2]\nPath=alias\n"
              "[Profile3]\nPath=gone\n[Profile4]\nPath=gone/../gone\n");
    expect("/home/.mozilla/firefox/real = Firefox profile \"real\"\n"
           "/home/.mozilla/firefox/gone = Firefox profile \"gone\"\n");
}

Test(nss_discover, names_cannot_play_tricks_on_a_terminal)
{
    make_file(
        "home/.mozilla/firefox/profiles.ini",
        "[Profile0]\nName=\033[31m\xe2\x80\xae\xff\nPath=a\n"
        "[Profile1]\nPath=b\nName="
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678ä!\n");
    expect(
        "/home/.mozilla/firefox/a = Firefox profile \"\\u{001B}[31m\\u{202E}\\xFF\"\n"
        "/home/.mozilla/firefox/b = Firefox profile "
        "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678…\"\n");
}

Test(nss_discover, what_is_no_readable_file_is_told_and_the_rest_goes_on)
{
    char *fifo = at("home/.mozilla/firefox/profiles.ini");
    char *large = xr_new((1u << 20) + 1, 1);

    make_file("home/.thunderbird/profiles.ini", "[Profile0]\nPath=a\n");
    make_dir("home/.mozilla/firefox");
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    expect_trouble(XR_INVALID, "profiles.ini is not a regular file",
                   "/home/.thunderbird/a = Thunderbird profile \"a\"\n");
    cr_assert_eq(unlink(fifo), 0);
    make_dir("home/.mozilla/firefox/profiles.ini");
    expect_trouble(XR_INVALID, "profiles.ini is not a regular file",
                   "/home/.thunderbird/a = Thunderbird profile \"a\"\n");
    cr_assert_eq(rmdir(fifo), 0);
    memset(large, '\n', (1u << 20) + 1);
    make_bytes("home/.mozilla/firefox/profiles.ini", large, (1u << 20) + 1);
    make_bytes("home/.librewolf/profiles.ini", large, (1u << 20) + 1);
    expect_trouble(XR_INVALID, "larger than 1048576 bytes (and 1 more)",
                   "/home/.thunderbird/a = Thunderbird profile \"a\"\n");
    make_bytes("home/.mozilla/firefox/profiles.ini", large, 1u << 20);
    make_file("home/.librewolf/profiles.ini", "");
    expect("/home/.thunderbird/a = Thunderbird profile \"a\"\n");
    free(large);
    free(fifo);
}

Test(nss_discover, a_list_without_end_is_told_of_and_its_beginning_counts)
{
    struct xr_buf ini = {0}, out;
    size_t lines = 0;

    for (unsigned i = 0; i < 30000; i++)
        xr_buf_fmt(&ini, "[Profile%u]\nPath=%u\n", i, i);
    make_bytes("home/.mozilla/firefox/profiles.ini", ini.data, ini.len);
    cr_assert_eq(in_home(&out), XR_INVALID);
    cr_assert_not_null(strstr(err.text, "more than 1000 profiles"));
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    cr_assert_eq(lines, 1000);
    xr_buf_free(&out);
    xr_buf_free(&ini);
}

/* ---- profile groups, as Firefox ESR 153 leaves them ---- */

#define FF "home/.mozilla/firefox/"
#define GROUPED                                                         \
    "[Profile0]\nName=first\nIsRelative=1\nPath=abc.first\nDefault=1\n" \
    "StoreID=0106daf0\nShowSelector=1\n\n[General]\nVersion=2\n"

static void make_prefs(const char *profile, const char *group)
{
    char *path = xr_format("%s/prefs.js", profile);
    char *text = xr_format("// Mozilla User Preferences\n\n"
                           "user_pref(\"app.shield.optoutstudies.enabled\", true);\n"
                           "user_pref(\"toolkit.profiles.storeID\", \"%s\");\n"
                           "user_pref(\"ui.osk.debug.keyboardDisplayReason\", \"\");\n",
                           group);

    make_file(path, text);
    free(text);
    free(path);
}

Test(nss_discover, profiles_of_a_group_count_though_no_file_lists_them)
{
    make_file(FF "profiles.ini", GROUPED);
    make_prefs(FF "abc.first", "0106daf0");
    make_prefs(FF "Dpc2eAXF.Profile 1", "0106daf0");
    make_prefs(FF "0Zpc2eAX.Work", "0106daf0");
    make_file(FF "Profile Groups/0106daf0.sqlite", "SQLite format 3");
    expect("/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
           "/home/.mozilla/firefox/0Zpc2eAX.Work = Firefox profile \"0Zpc2eAX.Work\"\n"
           "/home/.mozilla/firefox/Dpc2eAXF.Profile 1 = Firefox profile \"Dpc2eAXF.Profile 1\"\n");
}

Test(nss_discover, profiles_of_other_groups_or_of_none_do_not_count)
{
    make_file(FF "profiles.ini", GROUPED "[Profile1]\nPath=plain\n[Profile2]\nPath=x\nStoreID=\n");
    make_prefs(FF "a", "0106DAF0");
    make_prefs(FF "b", "0106daf");
    make_prefs(FF "c", "0106daf01");
    make_prefs(FF "d", "");
    make_file(FF "e/prefs.js", "// user_pref(\"toolkit.profiles.storeID\", \"0106daf0\");\n");
    make_file(FF "f/prefs.js", "user_pref(\"toolkit.profiles.storeID\", \"0106daf0\")");
    make_file(FF "g/prefs.js", "user_pref(\"toolkit.profiles.storeID\", \");");
    make_file(FF "h/prefs.js", "");
    make_dir(FF "i");
    expect("/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
           "/home/.mozilla/firefox/plain = Firefox profile \"plain\"\n"
           "/home/.mozilla/firefox/x = Firefox profile \"x\"\n");
}

Test(nss_discover, without_a_group_no_prefs_are_read)
{
    char *fifo = at(FF "a/prefs.js");

    make_file(FF "profiles.ini", "[Profile0]\nPath=abc.first\n[Install0]\nStoreID=0106daf0\n");
    make_dir(FF "a");
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    expect("/home/.mozilla/firefox/abc.first = Firefox profile \"abc.first\"\n");
    free(fifo);
}

Test(nss_discover, a_group_is_looked_for_beside_the_file_and_beside_its_listed_profile)
{
    make_file(FF "profiles.ini", "[Profile0]\nName=n\nIsRelative=1\nPath=Profiles/a\nStoreID=1\n"
                                 "[Profile1]\nIsRelative=1\nPath=Others/b\n");
    make_prefs(FF "Profiles/before", "1");
    make_prefs(FF "Others/c", "1");
    make_prefs(FF "z", "1");
    expect("/home/.mozilla/firefox/Profiles/a = Firefox profile \"n\"\n"
           "/home/.mozilla/firefox/Others/b = Firefox profile \"b\"\n"
           "/home/.mozilla/firefox/z = Firefox profile \"z\"\n"
           "/home/.mozilla/firefox/Profiles/before = Firefox profile \"before\"\n");
}

Test(nss_discover, of_a_preference_that_is_given_twice_the_last_counts)
{
    make_file(FF "profiles.ini", GROUPED);
    make_file(FF "a/prefs.js", "user_pref(\"toolkit.profiles.storeID\", \"other\");\r\n"
                               "user_pref(\"toolkit.profiles.storeID\", \"0106daf0\");\r\n");
    make_file(FF "b/prefs.js", "user_pref(\"toolkit.profiles.storeID\", \"0106daf0\");\n"
                               "user_pref(\"toolkit.profiles.storeID\", \"other\");");
    expect("/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
           "/home/.mozilla/firefox/a = Firefox profile \"a\"\n");
}

Test(nss_discover, prefs_that_are_a_trap_are_told_and_the_other_profiles_count)
{
    char *fifo = at(FF "a/prefs.js");
    char *large = xr_new((4u << 20) + 1, 1);

    make_file(FF "profiles.ini", GROUPED);
    make_prefs(FF "z", "0106daf0");
    make_dir(FF "a");
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    expect_trouble(XR_INVALID, "a/prefs.js is not a regular file",
                   "/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
                   "/home/.mozilla/firefox/z = Firefox profile \"z\"\n");
    cr_assert_eq(unlink(fifo), 0);
    memset(large, '\n', (4u << 20) + 1);
    make_bytes(FF "a/prefs.js", large, (4u << 20) + 1);
    expect_trouble(XR_INVALID, "larger than 4194304 bytes",
                   "/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
                   "/home/.mozilla/firefox/z = Firefox profile \"z\"\n");
    if (geteuid() == 0) {
        make_prefs("disk/a", "0106daf0");
        cr_assert_eq(unlink(fifo), 0);
        make_link(FF "a/prefs.js", "../../../../disk/a/prefs.js");
        give_away(FF "a/prefs.js");
        expect_trouble(XR_REFUSED, "another user's link",
                       "/home/.mozilla/firefox/abc.first = Firefox profile \"first\"\n"
                       "/home/.mozilla/firefox/z = Firefox profile \"z\"\n");
    }
    free(large);
    free(fifo);
}

Test(nss_discover, a_directory_without_end_is_told_and_its_beginning_counts)
{
    struct xr_buf out;
    size_t lines = 0;

    make_file(FF "profiles.ini", GROUPED);
    for (unsigned i = 0; i < 1010; i++) {
        char *path = xr_format(FF "%u", i);

        make_prefs(path, "0106daf0");
        free(path);
    }
    cr_assert_eq(in_home(&out), XR_INVALID);
    cr_assert_not_null(strstr(err.text, "holds more than 1000 names"), "%s", err.text);
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    cr_assert(lines >= 999 && lines <= 1001, "%zu", lines);
    xr_buf_free(&out);
}

Test(nss_discover, a_nul_byte_ends_what_counts)
{
    static const char ini[] = "[Profile0]\nPath=a\0b\n[Profile1]\nPath=c\n";

    make_bytes("home/.mozilla/firefox/profiles.ini", ini, sizeof(ini) - 1);
    expect("/home/.mozilla/firefox/a = Firefox profile \"a\"\n");
}

Test(nss_discover, links_of_the_caller_are_followed_and_the_place_they_lead_to_is_named)
{
    make_file("disk/mozilla/firefox/profiles.ini", "[Profile0]\nName=n\nPath=p\n");
    make_dir("home");
    make_link("home/.mozilla", "../disk/mozilla");
    expect("/disk/mozilla/firefox/p = Firefox profile \"n\"\n");
    /* as those make it who keep such files in a store */
    make_link("disk/mozilla/firefox/installs.ini", "../../ini");
    make_file("disk/ini", "[1]\nDefault=q\n");
    expect("/disk/mozilla/firefox/p = Firefox profile \"n\"\n"
           "/disk/mozilla/firefox/q = Firefox profile \"q\"\n");
}

Test(nss_discover, links_without_end_are_told)
{
    make_dir("home");
    make_link("home/.mozilla", ".mozilla");
    expect_trouble(XR_INVALID, "too many links", "");
}

Test(nss_discover, the_home_itself_may_be_reached_through_links)
{
    make_file("data/user/.thunderbird/profiles.ini", "[Profile0]\nPath=a\n");
    make_link("home", "data/user");
    expect("/data/user/.thunderbird/a = Thunderbird profile \"a\"\n");
}

Test(nss_discover, links_of_another_user_are_refused_and_told)
{
    if (geteuid() != 0)
        SKIP("only root can give a link away");
    make_file("disk/mozilla/firefox/profiles.ini", "[Profile0]\nName=n\nPath=p\n");
    make_file("home/.thunderbird/profiles.ini", "[Profile0]\nPath=a\n[Profile1]\nPath=b\n");
    make_link("home/.mozilla", "../disk/mozilla");
    give_away("home/.mozilla");
    expect_trouble(XR_REFUSED, "/home/.mozilla is another user's link: not followed",
                   "/home/.thunderbird/a = Thunderbird profile \"a\"\n"
                   "/home/.thunderbird/b = Thunderbird profile \"b\"\n");
    make_link("home/.thunderbird/a", "../../disk");
    give_away("home/.thunderbird/a");
    expect_trouble(XR_REFUSED, "(and 1 more)",
                   "/home/.thunderbird/b = Thunderbird profile \"b\"\n");
}

Test(nss_discover, what_may_not_be_read_is_told)
{
    char *denied = at("home/.mozilla");

    make_file("home/.mozilla/firefox/profiles.ini", "[Profile0]\nPath=a\n");
    make_file("home/.thunderbird/profiles.ini", "[Profile0]\nPath=a\n");
    cr_assert_eq(chmod(denied, 0), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(NOBODY), 0);
    expect_trouble(XR_DENIED, "/home/.mozilla/firefox: Permission denied",
                   "/home/.thunderbird/a = Thunderbird profile \"a\"\n");
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(denied, 0700), 0);
    free(denied);
}

Test(nss_discover, another_users_link_to_its_neighbour_leads_nowhere_new)
{
    make_dir("home/snap/chromium/3251/.pki/nssdb");
    make_link("home/snap/chromium/current", "3251");
    if (geteuid() == 0)
        give_away("home/snap/chromium/current");
    expect("/home/snap/chromium/3251/.pki/nssdb = Chromium (snap)\n");
}

Test(nss_discover, chromium_takes_the_old_place_if_it_is_a_directory)
{
    make_dir("home/.local/share/pki/nssdb");
    expect("/home/.local/share/pki/nssdb = Chromium and relatives\n");
    make_file("home/.pki/nssdb", "");
    expect("/home/.local/share/pki/nssdb = Chromium and relatives\n");
}

Test(nss_discover, chromium_follows_a_link_to_its_database)
{
    make_dir("home/.pki");
    make_dir("home/.local/share/pki/nssdb");
    make_link("home/.pki/nssdb", "../disk");
    expect("/home/.local/share/pki/nssdb = Chromium and relatives\n");
    make_dir("home/disk");
    expect("/home/disk = Chromium and relatives\n");
}

Test(nss_discover, of_chromiums_two_places_the_old_one_wins_even_empty)
{
    make_dir("home/.local/share/pki/nssdb");
    make_dir("home/.pki/nssdb");
    expect("/home/.pki/nssdb = Chromium and relatives\n");
}

Test(nss_discover, programs_in_boxes_are_named_by_their_directories)
{
    make_dir("home/.var/app/com.brave.Browser/.pki/nssdb");
    make_dir("home/.var/app/com.brave.Browser/data/pki/nssdb"); /* not asked: the first counts */
    make_dir("home/.var/app/io.github.ungoogled_software.ungoogled_chromium/data/pki/nssdb");
    make_dir("home/.var/app/org.example.Notes/data/pki/nssdb");
    make_dir("home/.var/app/org.example.Nothing/config");
    make_dir("home/.var/app/evil\033[31m\n/.pki/nssdb");
    make_file("home/.var/app/a-file", "");
    make_dir("home/snap/vivaldi/7/.local/share/pki/nssdb");
    make_link("home/snap/vivaldi/current", "7");
    make_dir("home/snap/slack/common/.pki/nssdb");
    expect("/home/.var/app/com.brave.Browser/.pki/nssdb = Brave (flatpak)\n"
           "/home/.var/app/evil\033[31m\n/.pki/nssdb = \"evil\\u{001B}[31m\\u{000A}\" (flatpak)\n"
           "/home/.var/app/io.github.ungoogled_software.ungoogled_chromium/data/pki/nssdb = "
           "ungoogled Chromium (flatpak)\n"
           "/home/.var/app/org.example.Notes/data/pki/nssdb = \"org.example.Notes\" (flatpak)\n"
           "/home/snap/vivaldi/7/.local/share/pki/nssdb = Vivaldi (snap)\n"
           "/home/snap/slack/common/.pki/nssdb = \"slack\" (snap)\n");
}

Test(nss_discover, traps_among_boxes_are_told_and_the_others_count)
{
    make_dir("home/.var/app/org.example.Good/.pki/nssdb");
    make_link("home/.var/app/loop", "loop");
    make_file("home/snap", "no directory");
    expect_trouble(XR_INVALID, "too many links",
                   "/home/.var/app/org.example.Good/.pki/nssdb = \"org.example.Good\" (flatpak)\n");
    if (geteuid() != 0)
        SKIP("only root can give a link away");
    make_dir("elsewhere/.pki/nssdb");
    make_link("home/.var/app/theirs", "../../../elsewhere");
    give_away("home/.var/app/theirs");
    expect_trouble(XR_INVALID, "more)",
                   "/home/.var/app/org.example.Good/.pki/nssdb = \"org.example.Good\" (flatpak)\n");
}

Test(nss_discover, of_thousands_of_boxes_the_first_are_looked_at)
{
    struct xr_buf out;
    char *more = at("home/snap/more");

    for (unsigned i = 0; i < 2000; i++) {
        char *path = xr_format("%s/home/snap/%u", top, i);

        if (i == 0)
            make_dir("home/snap");
        cr_assert_eq(mkdir(path, 0755), 0);
        free(path);
    }
    expect("");
    cr_assert_eq(mkdir(more, 0755), 0);
    cr_assert_eq(in_home(&out), XR_INVALID);
    cr_assert_not_null(strstr(err.text, "/home/snap holds more than 2000 names"), "%s", err.text);
    xr_buf_free(&out);
    free(more);
}

Test(nss_discover, an_installed_chromium_will_make_the_new_place)
{
    struct xr_site site = {.size = sizeof(site), .home = "/home/u"};
    char *image = at("image"), *path = at("image/home/u/.local/share/pki/nssdb");
    char *other = at("image/home/u/.local/share/pki/other");
    struct xr_buf out;

    see_fresh = true;
    site.root = image;
    make_dir("image/home/u");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "");
    xr_buf_free(&out);
    make_file("image/opt/google/chrome/google-chrome", "");
    make_dir("image/usr/bin");
    make_link("image/usr/bin/google-chrome-stable", "/opt/google/chrome/google-chrome");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "/image/home/u/.local/share/pki/nssdb = Chromium and relatives\n");
    xr_buf_free(&out);
    cr_assert(nss_may_be_made(&site, path) && !nss_may_be_made(&site, other));
    make_dir("image/home/u/.pki/nssdb"); /* which it takes instead */
    cr_assert(!nss_may_be_made(&site, path));
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "/image/home/u/.pki/nssdb = Chromium and relatives\n");
    xr_buf_free(&out);
    free(other);
    free(path);
    free(image);
}

Test(nss_discover, a_chromium_that_never_connected_will_make_the_new_place)
{
    see_fresh = true;
    make_dir("home/.config/chromium");
    expect("/home/.local/share/pki/nssdb = Chromium and relatives\n");
}

Test(nss_discover, directories_of_the_environment_are_taken)
{
    char *home = at("home"), *config = at("home/cc"), *data = at("dd");
    struct xr_site site = {
        .size = sizeof(site), .home = home, .config_home = config, .data_home = data};
    struct xr_buf out;

    make_file("home/cc/mozilla/firefox/profiles.ini", "[Profile0]\nPath=a\n");
    make_dir("home/.config/chromium");
    make_dir("dd/pki/nssdb");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "/home/cc/mozilla/firefox/a = Firefox profile \"a\"\n"
                               "/dd/pki/nssdb = Chromium and relatives\n");
    xr_buf_free(&out);
    free(home);
    free(config);
    free(data);
}

Test(nss_discover, of_all_users_the_one_whose_home_it_is_counts)
{
    char *home = at("home");
    struct xr_site site = {.size = sizeof(site), .home = home};
    struct xr_buf out;

    make_dir("home/.pki/nssdb");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_ALL_USERS), XR_OK);
    cr_assert_str_eq(out.data, "/home/.pki/nssdb = Chromium and relatives\n");
    xr_buf_free(&out);
    free(home);
}

Test(nss_discover, nothing_leads_out_of_an_image)
{
    struct xr_site site = {.size = sizeof(site), .home = "/home/u"};
    char *image = at("image"), *up = xr_format("[Profile0]\nIsRelative=0\nPath=%s/out\n"
                                               "[Profile1]\nPath=../../../../../../../out\n"
                                               "[Profile2]\nPath=l\n[Profile3]\nPath=m\n",
                                               top);
    struct xr_buf out;

    site.root = image;
    make_dir("out");
    make_dir("image/etc/pki/nssdb");
    make_dir("image/var/home/u/.mozilla/firefox");
    make_link("image/home", "/var/home"); /* of the image, not of this machine */
    make_file("image/var/home/u/.mozilla/firefox/profiles.ini", up);
    make_link("image/var/home/u/.mozilla/firefox/l", "../../../../../../../../../../../../tmp");
    make_link("image/var/home/u/.mozilla/firefox/m", top);
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER | XR_SCOPE_SYSTEM), XR_OK, "%s", err.text);
    {
        char *wanted = xr_format("/image%s/out = Firefox profile \"out\"\n"
                                 "/image/out = Firefox profile \"out\"\n"
                                 "/image/tmp = Firefox profile \"tmp\"\n"
                                 "/image%s = Firefox profile \"%s\"\n"
                                 "/image/etc/pki/nssdb = NSS database of the system\n",
                                 top, top, strrchr(top, '/') + 1);

        cr_assert_str_eq(out.data, wanted);
        free(wanted);
    }
    xr_buf_free(&out);
    free(image);
    free(up);
}

Test(nss_discover, the_database_of_the_system_is_no_users)
{
    struct xr_site site = {.size = sizeof(site)};
    char *image = at("image");
    struct xr_buf out;

    site.root = image;
    make_dir("image/etc/pki/nssdb");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER), XR_OK);
    cr_assert_str_eq(out.data, "");
    xr_buf_free(&out);
    cr_assert_eq(discover(&out, &site, XR_SCOPE_SYSTEM), XR_OK);
    cr_assert_str_eq(out.data, "/image/etc/pki/nssdb = NSS database of the system\n");
    xr_buf_free(&out);
    free(image);
}

Test(nss_discover, a_home_that_is_none_does_not_hide_the_system)
{
    struct xr_site site = {.size = sizeof(site), .home = "home"};
    char *image = at("image"), *missing = at("missing");
    struct xr_buf out;

    site.root = image;
    make_dir("image/etc/pki/nssdb");
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER | XR_SCOPE_SYSTEM), XR_INVALID);
    cr_assert_not_null(strstr(err.text, "not an absolute path"), "%s", err.text);
    cr_assert_str_eq(out.data, "/image/etc/pki/nssdb = NSS database of the system\n");
    xr_buf_free(&out);
    site.root = missing;
    cr_assert_eq(discover(&out, &site, XR_SCOPE_USER | XR_SCOPE_SYSTEM), XR_ABSENT);
    cr_assert_not_null(strstr(err.text, missing), "%s", err.text);
    xr_buf_free(&out);
    free(missing);
    free(image);
}

static enum xr_status refuse(void *ctx, const struct xr_found *f)
{
    (void)f;
    ++*(unsigned *)ctx;
    return XR_BUSY;
}

Test(nss_discover, whoever_listens_can_end_it)
{
    char *home = at("home");
    struct xr_site site = {.size = sizeof(site), .home = home};
    unsigned calls = 0;

    make_file("home/.mozilla/firefox/profiles.ini", "[Profile0]\nPath=a\n[Profile1]\nPath=b\n");
    make_dir("home/.pki/nssdb");
    cr_assert_eq(nss_discover(NULL, &site, XR_SCOPE_USER, refuse, &calls, NULL), XR_BUSY);
    cr_assert_eq(calls, 1);
    free(home);
}
