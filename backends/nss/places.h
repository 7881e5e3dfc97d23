/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where programs keep NSS databases below a home: the one table, for discovery and for what is said
 * of a database by its path. A profile that somebody keeps elsewhere is found by its profiles.ini, or
 * named by its address.
 */
#ifndef XR_NSS_PLACES_H
#define XR_NSS_PLACES_H

#include "kit/base.h"

enum nss_base { NSS_HOME, NSS_CONFIG, NSS_DATA }; /* the home, $XDG_CONFIG_HOME, $XDG_DATA_HOME */

/* A directory with a profiles.ini. The last has no dir. */
struct nss_profiles {
    enum nss_base base;
    const char *dir, *program, *packing;
    const char *process; /* beginning of its processes' names */
    /* It keeps certificates in memory unless its preference security.nocertdb is false. */
    bool forgets;
};
extern const struct nss_profiles nss_profiles[];

/* A database of Chromium and relatives: the first of two that is a directory. The last has no dir. */
struct nss_shared {
    enum nss_base base, next_base;
    const char *dir, *next, *summary;
};
extern const struct nss_shared nss_shared[];

/* Programs that have a home of their own, in a directory below parent that has their name: the
 * database is likewise the first of two that is a directory. The last has no parent. */
struct nss_boxes {
    const char *parent, *within; /* PARENT/NAME/WITHIN is what the program takes for its home */
    const char *dir, *next, *packing;
};
extern const struct nss_boxes nss_boxes[];
/* What people call the program with that name of a directory; NULL: not known. */
const char *nss_boxed_program(const char *name);

/* Files that are there if a browser is installed that has its database in nss_shared[0]. The last is
 * NULL. */
extern const char *const nss_chromium_files[];

/* The place in nss_profiles that path is below (the longest that fits), or NULL. A $XDG_CONFIG_HOME
 * that is not called .config is recognised only by the longer names of the table. */
const struct nss_profiles *nss_profiles_of(const char *path);

#endif
