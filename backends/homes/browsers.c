/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only Chromium's own place was seen at work (156); the others are from what their makers and
 * packagers say, read in 2026.
 *
 * "Local State" beside the profiles lists them, in JSON that the browser rewrites all the time. It is
 * not read: a profile that it does not list yet, or no longer, still has its certificates, and each
 * has "Preferences", which the browser makes first of all.
 */
#include "browsers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FLAT      ".var/app/"
#define SNAP      "snap/"
#define NAMES_MAX 4096u

const struct nss_chromium nss_chromiums[] = {
    {"chromium", "Chromium", "chrom", false, ""},
    {"google-chrome", "Google Chrome", "chrom", false, ""},
    {"google-chrome-beta", "Google Chrome", "chrom", false, ""},
    {"google-chrome-unstable", "Google Chrome", "chrom", false, ""},
    {"BraveSoftware/Brave-Browser", "Brave", "brave", false, ""},
    {"BraveSoftware/Brave-Browser-Beta", "Brave", "brave", false, ""},
    {"BraveSoftware/Brave-Browser-Nightly", "Brave", "brave", false, ""},
    {"microsoft-edge", "Microsoft Edge", "msedge", false, ""},
    {"microsoft-edge-beta", "Microsoft Edge", "msedge", false, ""},
    {"microsoft-edge-dev", "Microsoft Edge", "msedge", false, ""},
    {"vivaldi", "Vivaldi", "vivaldi", false, ""},
    {"vivaldi-snapshot", "Vivaldi", "vivaldi", false, ""},
    {"opera", "Opera", "opera", false, ""},
    {"opera-beta", "Opera", "opera", false, ""},
    {"opera-developer", "Opera", "opera", false, ""},
    {SNAP "chromium/common/chromium", "Chromium", "chrom", true, " (snap)"},
    {SNAP "brave/current/.config/BraveSoftware/Brave-Browser", "Brave", "brave", true, " (snap)"},
    {SNAP "opera/current/.config/opera", "Opera", "opera", true, " (snap)"},
    {SNAP "vivaldi/current/.config/vivaldi", "Vivaldi", "vivaldi", true, " (snap)"},
    {FLAT "org.chromium.Chromium/config/chromium", "Chromium", "chrom", true, " (flatpak)"},
    {FLAT "io.github.ungoogled_software.ungoogled_chromium/config/chromium", "ungoogled Chromium",
     "chrom", true, " (flatpak)"},
    {FLAT "com.github.Eloston.UngoogledChromium/config/chromium", "ungoogled Chromium", "chrom",
     true, " (flatpak)"},
    {FLAT "com.google.Chrome/config/google-chrome", "Google Chrome", "chrom", true, " (flatpak)"},
    {FLAT "com.google.ChromeDev/config/google-chrome-unstable", "Google Chrome", "chrom", true,
     " (flatpak)"},
    {FLAT "com.brave.Browser/config/BraveSoftware/Brave-Browser", "Brave", "brave", true,
     " (flatpak)"},
    {FLAT "com.microsoft.Edge/config/microsoft-edge", "Microsoft Edge", "msedge", true,
     " (flatpak)"},
    {FLAT "com.microsoft.EdgeDev/config/microsoft-edge-dev", "Microsoft Edge", "msedge", true,
     " (flatpak)"},
    {FLAT "com.vivaldi.Vivaldi/config/vivaldi", "Vivaldi", "vivaldi", true, " (flatpak)"},
    {FLAT "com.opera.Opera/config/opera", "Opera", "opera", true, " (flatpak)"},
    {NULL, NULL, NULL, false, NULL},
};

/* The file need not be fit to be read: that is found out when it is. */
static bool is_profile(const struct nss_tree *tree, const struct nss_place *place)
{
    struct stat st;
    int dir = place->there && S_ISDIR(place->st.st_mode) ? nss_place_dir(tree, place) : -1;
    bool yes = false;

    if (dir < 0)
        return false;
    yes = fstatat(dir, "Preferences", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
          fstatat(dir, "ServerCertificate", &st, AT_SYMLINK_NOFOLLOW) == 0;
    (void)close(dir);
    return yes;
}

static void add(struct browser_profiles *out, const char *name, const struct nss_place *place)
{
    struct browser_profile *one = XR_PUSH(out);

    one->name = xr_strdup(name);
    one->path = xr_strdup(place->path);
}

/* Opera's settings directory is a profile itself. A directory among them that cannot be examined is a
 * failure only after all others were looked at. */
static enum xr_status look_in(struct browser_profiles *out, const struct nss_tree *tree,
                              const struct nss_place *settings, struct xr_error *err)
{
    struct xr_strings names = {0};
    enum xr_status status = nss_place_names(&names, tree, settings->path, NAMES_MAX, err);

    if (is_profile(tree, settings))
        add(out, "", settings);
    for (size_t i = 0; i < names.count; i++) {
        char *path = xr_format("%s/%s", settings->path, names.items[i]);
        struct nss_place place = {0};
        struct xr_error problem = {0};
        /* SingletonLock and the like are links of the browser's that lead nowhere. */
        enum xr_status found = strncmp(names.items[i], "Singleton", strlen("Singleton")) == 0
                                   ? XR_OK
                                   : nss_place_find(&place, tree, path, &problem);

        if (found != XR_OK && status == XR_OK) {
            status = found;
            if (err != NULL)
                *err = problem;
        } else if (found == XR_OK && is_profile(tree, &place)) {
            add(out, names.items[i], &place);
        }
        nss_place_free(&place);
        free(path);
    }
    xr_strings_free(&names);
    return status;
}

enum xr_status browser_profiles(struct browser_profiles *out, const struct nss_tree *tree,
                                const char *config_home, const struct nss_chromium *program,
                                struct xr_error *err)
{
    bool own = !program->in_home && config_home != NULL && config_home[0] == '/';
    char *path = NULL;
    struct nss_place settings = {0};
    enum xr_status status = XR_OK;

    if (tree->home == NULL)
        return XR_OK;
    path = own ? xr_format("%s/%s", config_home, program->settings)
               : xr_format("%s/%s%s", tree->home, program->in_home ? "" : ".config/",
                           program->settings);
    status = nss_place_find(&settings, tree, path, err);
    if (status == XR_OK && settings.there && S_ISDIR(settings.st.st_mode))
        status = look_in(out, tree, &settings, err);
    nss_place_free(&settings);
    free(path);
    return status;
}

void browser_profiles_free(struct browser_profiles *profiles)
{
    for (size_t i = 0; i < profiles->count; i++) {
        free(profiles->items[i].name);
        free(profiles->items[i].path);
    }
    free(profiles->items);
    *profiles = (struct browser_profiles){0};
}
