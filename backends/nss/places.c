/* SPDX-License-Identifier: Apache-2.0 */
#include "places.h"

/*
 * Seen at work: Firefox ESR 153 (a new user's goes below ~/.config, an old ~/.mozilla stays in use)
 * and Thunderbird 153. All others are from what their makers and packagers say, read in 2026:
 *
 * Firefox's snap keeps to .mozilla; flatpaks have an XDG_CONFIG_HOME of their own, so that newer ones
 * moved. LibreWolf, Zen (1.18.6) and Floorp (12, Floorp-Runtime pull request 58) followed Firefox 147
 * there, and an old directory stays in use; Waterfox did not (6.7, its issue 2747). Betterbird shares
 * Thunderbird's. IceCat and SeaMonkey are below .mozilla. Mullvad Browser takes a directory for its
 * home if it came as a package or flatpak (mullvad-browser issues 224 and 268), Tor Browser keeps all
 * in the directory that it was unpacked in: here are those that torbrowser-launcher unpacks; of
 * others only their owner knows where.
 */
#define TOR   "torbrowser/tbb/"
#define TOR_P "tor-browser/Browser/TorBrowser/Data/Browser"
#define TOR_F ".var/app/org.torproject.torbrowser-launcher/data/" TOR
#define MB    ".mullvad/mullvadbrowser"
#define MB_F  ".var/app/net.mullvad.MullvadBrowser/"
#define FLAT  " (flatpak)"
#define SNAP  " (snap)"

const struct nss_profiles nss_profiles[] = {
    {NSS_HOME, ".mozilla/firefox", "Firefox", "", "firefox", false},
    {NSS_CONFIG, "mozilla/firefox", "Firefox", "", "firefox", false},
    {NSS_HOME, "snap/firefox/common/.mozilla/firefox", "Firefox", SNAP, "firefox", false},
    {NSS_HOME, ".var/app/org.mozilla.firefox/.mozilla/firefox", "Firefox", FLAT, "firefox", false},
    {NSS_HOME, ".var/app/org.mozilla.firefox/config/mozilla/firefox", "Firefox", FLAT, "firefox",
     false},
    {NSS_HOME, ".thunderbird", "Thunderbird", "", "thunderbird", false},
    {NSS_HOME, "snap/thunderbird/common/.thunderbird", "Thunderbird", SNAP, "thunderbird", false},
    {NSS_HOME, ".var/app/org.mozilla.Thunderbird/.thunderbird", "Thunderbird", FLAT, "thunderbird",
     false},
    {NSS_HOME, ".var/app/org.mozilla.thunderbird/.thunderbird", "Thunderbird", FLAT, "thunderbird",
     false},
    {NSS_HOME, ".var/app/net.thunderbird.Thunderbird/.thunderbird", "Thunderbird", FLAT,
     "thunderbird", false},
    {NSS_HOME, ".var/app/eu.betterbird.Betterbird/.thunderbird", "Betterbird", FLAT, "betterbird",
     false},
    {NSS_HOME, ".librewolf", "LibreWolf", "", "librewolf", false},
    {NSS_CONFIG, "librewolf/librewolf", "LibreWolf", "", "librewolf", false},
    {NSS_HOME, ".var/app/io.gitlab.librewolf-community/.librewolf", "LibreWolf", FLAT, "librewolf",
     false},
    {NSS_HOME, ".var/app/io.gitlab.librewolf-community/config/librewolf/librewolf", "LibreWolf",
     FLAT, "librewolf", false},
    {NSS_HOME, ".zen", "Zen", "", "zen", false},
    {NSS_CONFIG, "zen", "Zen", "", "zen", false},
    {NSS_HOME, ".var/app/app.zen_browser.zen/.zen", "Zen", FLAT, "zen", false},
    {NSS_HOME, ".var/app/app.zen_browser.zen/config/zen", "Zen", FLAT, "zen", false},
    {NSS_HOME, ".floorp", "Floorp", "", "floorp", false},
    {NSS_CONFIG, "floorp", "Floorp", "", "floorp", false},
    {NSS_HOME, ".var/app/one.ablaze.floorp/.floorp", "Floorp", FLAT, "floorp", false},
    {NSS_HOME, ".var/app/one.ablaze.floorp/config/floorp", "Floorp", FLAT, "floorp", false},
    {NSS_HOME, ".waterfox", "Waterfox", "", "waterfox", false},
    {NSS_HOME, ".var/app/net.waterfox.waterfox/.waterfox", "Waterfox", FLAT, "waterfox", false},
    {NSS_HOME, ".mozilla/icecat", "IceCat", "", "icecat", false},
    {NSS_HOME, ".mozilla/seamonkey", "SeaMonkey", "", "seamonkey", false},
    {NSS_HOME, MB, "Mullvad Browser", "", "mullvadbrowser", true},
    {NSS_HOME, ".mullvad-browser/" MB, "Mullvad Browser", "", "mullvadbrowser", true},
    {NSS_HOME, MB_F MB, "Mullvad Browser", FLAT, "mullvadbrowser", true},
    {NSS_HOME, MB_F ".mullvad-browser/" MB, "Mullvad Browser", FLAT, "mullvadbrowser", true},
    {NSS_DATA, TOR "x86_64/" TOR_P, "Tor Browser", "", "firefox", true},
    {NSS_DATA, TOR "i686/" TOR_P, "Tor Browser", "", "firefox", true},
    {NSS_DATA, TOR "aarch64/" TOR_P, "Tor Browser", "", "firefox", true},
    {NSS_HOME, TOR_F "x86_64/" TOR_P, "Tor Browser", FLAT, "firefox", true},
    {NSS_HOME, TOR_F "aarch64/" TOR_P, "Tor Browser", FLAT, "firefox", true},
    {NSS_HOME, NULL, NULL, NULL, NULL, false},
};

/* Measured with Chromium 156: it takes ~/.pki/nssdb if that is a directory, empty or reached by a
 * link; if not (absent, a file, a link to nowhere), it makes $XDG_DATA_HOME/pki/nssdb at its first
 * TLS connection, each directory that is missing with mode 0700 whatever the umask. Versions before
 * 146 make ~/.pki/nssdb, which then counts for newer ones too. So do Electron programs. */
const struct nss_shared nss_shared[] = {
    {NSS_HOME, NSS_DATA, ".pki/nssdb", "pki/nssdb", N_("Chromium and relatives")},
    {NSS_HOME, NSS_HOME, NULL, NULL, NULL},
};

/* From documentation: HOME is ~/snap/NAME/current in a snap, a few set it to ~/snap/NAME/common. In a
 * flatpak XDG_DATA_HOME is ~/.var/app/NAME/data; HOME is the user's, but what --persist names (.pki,
 * for most browsers) is in ~/.var/app/NAME. Those that get ~/.pki itself have no database of their
 * own. */
const struct nss_boxes nss_boxes[] = {
    {".var/app", "", ".pki/nssdb", "data/pki/nssdb", FLAT},
    {"snap", "/current", ".pki/nssdb", ".local/share/pki/nssdb", SNAP},
    {"snap", "/common", ".pki/nssdb", ".local/share/pki/nssdb", SNAP},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Names of flatpaks and snaps; others are called by the name of their directory. */
static const struct {
    const char *name, *program;
} boxed[] = {
    {"brave", "Brave"},
    {"chromium", "Chromium"},
    {"com.brave.Browser", "Brave"},
    {"com.discordapp.Discord", "Discord"},
    {"com.github.Eloston.UngoogledChromium", "ungoogled Chromium"},
    {"com.google.Chrome", "Google Chrome"},
    {"com.google.ChromeDev", "Google Chrome"},
    {"com.microsoft.Edge", "Microsoft Edge"},
    {"com.microsoft.EdgeDev", "Microsoft Edge"},
    {"com.opera.Opera", "Opera"},
    {"com.slack.Slack", "Slack"},
    {"com.visualstudio.code", "Visual Studio Code"},
    {"com.vivaldi.Vivaldi", "Vivaldi"},
    {"io.github.ungoogled_software.ungoogled_chromium", "ungoogled Chromium"},
    {"opera", "Opera"},
    {"org.chromium.Chromium", "Chromium"},
    {"vivaldi", "Vivaldi"},
};

/* Debian, Arch and Alpine; Fedora (Ubuntu's /usr/bin/chromium-browser only starts a snap); then as
 * the makers' packages have them. */
const char *const nss_chromium_files[] = {
    "/usr/bin/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/usr/bin/google-chrome-stable",
    "/usr/bin/google-chrome",
    "/usr/bin/brave-browser",
    "/usr/bin/microsoft-edge",
    "/usr/bin/vivaldi",
    "/usr/bin/opera",
    NULL,
};

const char *nss_boxed_program(const char *name)
{
    for (size_t i = 0; i < sizeof(boxed) / sizeof(boxed[0]); i++) {
        if (strcmp(boxed[i].name, name) == 0)
            return boxed[i].program;
    }
    return NULL;
}

static bool ends(const char *path, size_t len, const char *tail)
{
    size_t more = strlen(tail);

    return len >= more && memcmp(path + len - more, tail, more) == 0;
}

/* A directory of any user may be called "zen", but not what is in a ".config". */
static bool is_below(const char *path, const struct nss_profiles *p)
{
    size_t len = strlen(p->dir);
    bool alone = p->base == NSS_HOME || strchr(p->dir, '/') != NULL;

    for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
        if (strncmp(at + 1, p->dir, len) == 0 && at[1 + len] == '/' &&
            (alone || ends(path, (size_t)(at - path), "/.config")))
            return true;
    }
    return false;
}

const struct nss_profiles *nss_profiles_of(const char *path)
{
    const struct nss_profiles *best = NULL;

    for (const struct nss_profiles *p = nss_profiles; p->dir != NULL; p++) {
        if (is_below(path, p) && (best == NULL || strlen(p->dir) > strlen(best->dir)))
            best = p;
    }
    return best;
}
