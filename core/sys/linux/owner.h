/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose files are: where this process knows only some users by their numbers (user_namespaces(7)),
 * and where root works for others.
 *
 * Like walk.h this uses the kit and libc alone, so that plugins carry it too (docs/decisions/0018).
 */
#ifndef XR_OWNER_H
#define XR_OWNER_H

#include "kit/base.h"

#include <sys/stat.h>

/* ---- who it is ---- */

enum xr_owned {
    XR_OWNED_OURS,
    XR_OWNED_ROOTS,
    XR_OWNED_OUTSIDE, /* somebody whom this user namespace does not map: nobody here can be them, and
                       * the kernel tells none of them from another, nor from its own root */
    XR_OWNED_OTHERS,
};
/* st is of fd, which is open for reading, or with O_PATH if it is a directory. */
enum xr_owned xr_owned_by(int fd, const struct stat *st);
/* The same of something that cannot be opened, as a link: OUTSIDE also if it may be a user of here who
 * has the number by which those outside are shown. */
enum xr_owned xr_owned_by_number(const struct stat *st);
/* For messages, such as: X belongs to … */
const char *xr_owner_text(enum xr_owned owned);

/* ---- whose it becomes ---- */

/*
 * What root makes belongs to the owner and group of what it replaces, name in dir, or if that is
 * missing (or name NULL) of the directory. In an image with shifted ids root's own would be nobody's.
 * An owner that cannot be given is no failure, and an ordinary user gives nothing.
 */
/* fd is new, a file or a directory with nothing in it, and nobody else may open it yet: call this
 * before its mode is widened. */
void xr_owner_give(int fd, int dir, const char *name);
void xr_owner_give_link(int dir, const char *link, const char *name); /* link is new, in dir */
/* mkdir(2) of exactly that mode: a umask may take even the owner's rights. false: see errno. */
bool xr_mkdir_exact(int dir, const char *name, unsigned mode);
/* mkdir(2) for a directory that belongs to whom dir belongs, of exactly that mode. false: see errno. */
bool xr_owner_mkdir(int dir, const char *name, unsigned mode);

#endif
