/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles of Firefox's own profile manager ("profile groups"). profiles.ini names one profile of a
 * group, and the group by its StoreID; the others are only in a SQLite database. Firefox ESR 153
 * creates them beside profiles.ini, and the prefs.js of each member, including the first one, names
 * the group:
 *
 *     user_pref("toolkit.profiles.storeID", "0106daf0");
 */
#ifndef XR_NSS_GROUPS_H
#define XR_NSS_GROUPS_H

#include "homes/home.h"

/* The group that a prefs.js names, as a slice of it; empty if it names none. Reads line by line, as
 * Firefox writes it; the last group counts. */
struct xr_bytes nss_prefs_group(struct xr_bytes prefs);

/* Adds the paths of the profiles right below dir (absolute, in the image) that belong to one of the
 * groups. If a profile cannot be read, err names the first such file, and the others are still
 * added. */
enum xr_status nss_group_members(struct xr_strings *out, const struct nss_tree *tree,
                                 const char *dir, const struct xr_strings *groups,
                                 struct xr_error *err);

#endif
