/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers of Chromium's family and their profiles: where they keep their settings below a home. */
#ifndef XR_HOMES_BROWSERS_H
#define XR_HOMES_BROWSERS_H

#include "home.h"

/* The last has no settings. */
struct nss_chromium {
    const char *settings; /* directory below $XDG_CONFIG_HOME or ~/.config */
    const char *name;
    const char *process; /* beginning of its processes' names */
    /* Packed with a home of its own: settings is below the user's home instead. */
    bool in_home;
    const char *packing; /* " (snap)", " (flatpak)" or "" */
};
extern const struct nss_chromium nss_chromiums[];

struct browser_profile {
    char *
        name; /* of its directory, such as "Default"; "" if that is the settings directory itself */
    char *path; /* in the image, without links */
};
struct browser_profiles {
    struct browser_profile *items;
    size_t count, capacity;
};

/* Adds the profiles of one program in the home of tree, sorted by name: directories among its
 * settings that have a file "Preferences" or "ServerCertificate". config_home is $XDG_CONFIG_HOME or
 * its default, or NULL. Without settings there are none. On a failure, such as a link of another user,
 * out has what was found before. */
enum xr_status browser_profiles(struct browser_profiles *out, const struct nss_tree *tree,
                                const char *config_home, const struct nss_chromium *program,
                                struct xr_error *err);
void browser_profiles_free(struct browser_profiles *profiles);

#endif
