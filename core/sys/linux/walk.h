/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths walked here, one component after the other, so that no link leads elsewhere unseen; and what
 * is found in a directory. What a directory or a link must be to go on differs from store to store,
 * and is asked by the loop around a step.
 *
 * This and whole.h use the kit and libc alone, so that plugins carry their own copy as they do of
 * the kit: nothing else of sys is for backends (docs/decisions/0018).
 */
#ifndef XR_WALK_H
#define XR_WALK_H

#include "kit/base.h"

#include <sys/stat.h>

#define XR_WALK_MAX 4096

/* ---- a path that is to have no links ---- */

/* Each component is opened by its name in the directory before it. One that is a link fails. */
struct xr_walk {
    int dir;                /* where the walk is */
    struct stat st;         /* of dir */
    const char *rest;       /* borrowed */
    char name[XR_WALK_MAX]; /* what comes next; may be replaced before it is entered */
    bool last;              /* nothing comes after name */
    bool up;                /* ".." may be entered: harmless only where a walk begins at "/" */
};

/* Takes dir, of which -1 fails with errno as it is, as where path begins; a "/" in front of path
 * makes no difference. */
bool xr_walk_start(struct xr_walk *w, int dir, const char *path);
/* false: nothing is left. */
bool xr_walk_next(struct xr_walk *w);
/* Opens name, whatever it is unless flags have O_DIRECTORY; nothing is waited for. false: see errno,
 * ELOOP or ENOTDIR for a link, EXDEV for ".."; the walk stays where it was. */
bool xr_walk_enter(struct xr_walk *w, int flags);
void xr_walk_end(struct xr_walk *w); /* closes dir; errno stays */

/* All of path, through directories of any owner. Takes dir; -1: see errno. */
int xr_walk_to(int dir, const char *path, int flags);

/* ---- a path whose links are resolved ---- */

/* Each component is looked at through its own descriptor (O_PATH), and the kernel follows no link.
 * root is the caller's: where a link that begins with "/" leads to, and above which there is
 * nothing. */
struct xr_trail {
    int root;
    int dir;            /* done; -1: it does not exist */
    struct xr_buf done; /* from root, without links; "" is root itself */
    char *rest;         /* still to be walked */
    unsigned links;
    struct stat st;           /* of what was looked at last, */
    char name[XR_WALK_MAX];   /* its name, */
    char target[XR_WALK_MAX]; /* and if it is a link where it leads */
};

enum xr_trail_step {
    XR_TRAIL_END,     /* nothing is left */
    XR_TRAIL_THERE,   /* done ends with name, which is no link */
    XR_TRAIL_MISSING, /* done ends with name, which does not exist: errno is ENOENT or ENOTDIR */
    XR_TRAIL_LINK,    /* name, in done, is a link: xr_trail_follow or give up */
    XR_TRAIL_FAILED,  /* name, in done, cannot be looked at: see errno */
};

/* start has no links and is where path begins. */
void xr_trail_start(struct xr_trail *t, int root, const char *start, const char *path);
enum xr_trail_step xr_trail_next(struct xr_trail *t);
/* false: see errno, ELOOP if there were too many. */
bool xr_trail_follow(struct xr_trail *t);
/* Takes the next component of what is left off it into name, as it is written; false: none is left. */
bool xr_trail_take(struct xr_trail *t);
bool xr_trail_ends(const struct xr_trail *t);
void xr_trail_free(struct xr_trail *t);

/* The kernel resolves the links, as if root were "/". -1: see errno; ENOSYS before Linux 5.6. */
int xr_open_inside(int root, const char *path, int flags);
/* The same of a path without links, but for the last component with O_PATH | O_NOFOLLOW; else ELOOP. */
int xr_open_linkless(int root, const char *path, int flags);

/* ---- in a directory ---- */

/* To be read: a regular file, through no link. -1: see errno, EINVAL if it is something else. */
int xr_open_regular(int dir, const char *name, struct stat *st);

/* Why the file with that name cannot be replaced by another, or none be made there if there is none:
 * one line for people. NULL: nothing is known against it; that it may be written is not asked. "." asks
 * for any file. */
const char *xr_why_fixed(int dir, const char *name);

/* Names except "." and "..", sorted by bytes, at most max. false: see errno, EFBIG if there are more;
 * out has what was found so far. dir may be open for anything. */
bool xr_dir_names(struct xr_strings *out, int dir, size_t max);

#endif
