/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NSS databases (cert9.db, key4.db): the files of this backend and their interfaces.
 *
 *   nss.c       the table: opening, capabilities, flush
 *   libs.c      which NSS libraries, and loading them
 *   cert8.c     whether a database of an old program is whole
 *   token.c     softoken itself: one database a process (softoken is process-global)
 *   look.c      the same objects without softoken, from the files, where that is known to be equal
 *   btree.c     tables of SQLite, for look.c
 *   seals.c     what key4.db proves without a password, for look.c
 *   view.c      its objects as entries: certificates, both kinds of trust object, CRLs
 *   swap.c      the one mutation
 *   copy.c      a copy that softoken works on, and back into the files in one transaction each
 *   memory.c    where that copy is
 *   troubles.c  why the operating system refused a write
 *   names.c     nicknames of new certificates
 *   discover.c  profiles of Firefox, Thunderbird and the like, and Chromium's database
 *   groups.c    those of its profile groups, which Firefox keeps in a database of its own
 *   places.c    where programs keep them: data for discover.c and running.c
 *   returns.c   certificates that a browser's policies install again
 *   running.c   whether a browser uses the profile right now
 *   opinions.c  what the browsers say whose database it is
 *   content.c   what its verifier's answers depend on
 *   forgets.c   whether it reads the database at all
 *   verifier.c  libnss3's answer
 *   reasons.c   more about a no; only these two use NSS's certificate API
 *
 * Everything runs in a helper process, as the user who owns the files.
 */
#ifndef XR_NSS_H
#define XR_NSS_H

#include "kit/base.h"

/* libs.c: the libraries of one directory. Never load two sets in one process. */
struct nss_libs {
    char dir[4096]; /* empty: the system's, as the loader finds them */
};
/* Finds site->nss, else the system's libraries, else a browser's. XR_ABSENT says what to
 * install. */
enum xr_status nss_libs_find(struct nss_libs *out, const struct xr_site *site,
                             struct xr_error *err);
/* Loads name ("libsoftokn3.so", "libnss3.so") and what it needs; stays loaded. NULL says why. */
void *nss_libs_load(const struct nss_libs *libs, const char *name, struct xr_error *err);
/* Finds another library beside the one that symbol is in, never of another set. */
bool nss_libs_beside(char *out, size_t size, const void *symbol, const char *name);

/* discover.c */
enum xr_status nss_discover(const struct xr_host *host, const struct xr_site *site, unsigned scope,
                            xr_found_fn emit, void *ctx, struct xr_error *err);

/* Is that the path of the database (which does not exist) that Chromium would make in the home of
 * site? */
bool nss_may_be_made(const struct xr_site *site, const char *path);

/* forgets.c: the browser that keeps its certificates in memory only, if it is that of the profile in
 * dir (at path); else NULL. */
const char *nss_forgets(int dir, const char *path);

/* running.c: fills caps->notice if a program uses the database in dirfd (at path). */
void nss_running(struct xr_caps *caps, int dirfd, const char *path);
/* What the browser whose database lies at path makes of a peer, one line; NULL: no browser's place. */
const char *nss_peers(const char *path);
/* The home whose Chromium database that is, allocated, or NULL. */
char *nss_chromium_home(const char *path);

/* files.c: is there no key4.db, or an empty one? NSS makes it when it next opens the database for
 * writing. */
bool nss_files_keyless(int dir);

/* verifier.c: asks libnss3 about probe, with the database in the working directory (read-only) and
 * the built-in roots if their module is found. peers (or NULL) is said beside a yes that a peer owes to
 * itself. For one database at a time, until nss_verify_end. */
enum xr_status nss_verify(struct xr_verdict *out, const struct nss_libs *libs,
                          const struct xr_host *host, const struct xr_probe *probe,
                          const char *peers, struct xr_error *err);
void nss_verify_end(void);
/* token.c: a library of NSS could not be shut down, so this process must open no other database. */
void nss_stuck_set(void);
bool nss_stuck(void);
/* 3087 is NSS 3.87; 0: not started. */
long nss_verify_version(void);

#endif
