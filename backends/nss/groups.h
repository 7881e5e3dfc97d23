/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles that Firefox's own profile manager made ("profile groups"). profiles.ini names one
 * profile of a group, and the group by its StoreID; the others stand only in a SQLite database. Seen
 * with Firefox ESR 153: it makes them beside profiles.ini, and the prefs.js of each member, the
 * first one's too, names the group:
 *
 *     user_pref("toolkit.profiles.storeID", "0106daf0");
 */
#ifndef XR_NSS_GROUPS_H
#define XR_NSS_GROUPS_H

#include "home.h"

/* The group that a prefs.js names: a slice of it, empty if it names none. Read line by line, as
 * Firefox writes it; the last one counts. */
struct xr_bytes nss_prefs_group(struct xr_bytes prefs);

/* Adds the paths of the profiles right below dir (absolute, in the image) that are of one of the
 * groups. Says what could not be read first, and still names the others. */
enum xr_status nss_group_members(struct xr_strings *out, const struct nss_tree *tree,
                                 const char *dir, const struct xr_strings *groups,
                                 struct xr_error *err);

#endif
