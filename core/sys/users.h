/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose home a path is in: the users of this machine, or of an image.
 *
 * A home counts if its user owns it and nobody but root and that user can exchange it: all
 * directories above it are root's or that user's, and not for others to write. What lies in
 * somebody's home is that user's to arrange, so root neither looks at nor follows anything there;
 * a helper that is that user does.
 */
#ifndef XR_USERS_H
#define XR_USERS_H

#include "kit/base.h"

struct xr_user {
    char *name;
    uint32_t uid, gid;
    char *home; /* absolute; when settled, without links, and named from the root of the image */
};

struct xr_users {
    struct xr_user *items;
    size_t count, capacity;
    const char *root;        /* directory of an image, borrowed, or NULL: this machine */
    bool all;                /* everybody was read */
    struct xr_strings notes; /* one line for each home that looks like one and does not count */
};

/* Adds what lines of passwd(5) say. A line that is no account, or has no absolute home, is passed
 * over; nothing is looked up or checked. */
void xr_users_parse(struct xr_users *out, struct xr_bytes text);

/* Everybody, by uid: from the password database, or from the image's etc/passwd. Each home counts
 * once. Users that were added one by one stay. */
enum xr_status xr_users_read(struct xr_users *users, struct xr_error *err);
/* One user, from the password database if need be; of this machine only. XR_ABSENT if there is none
 * of this uid, or no home of it counts. *at is an index. */
enum xr_status xr_users_find(size_t *at, struct xr_users *users, uint32_t uid,
                             struct xr_error *err);
/* Index of the user in whose home a path is, without links and on this host; SIZE_MAX if nobody's.
 * Only those who were read or resolved before are known. */
size_t xr_users_of(const struct xr_users *users, const char *path);
/* xr_sys_resolve, but for root what follows the home of somebody else stays as it is written;
 * XR_REFUSED if it has "..". Reads of the database what it needs. */
enum xr_status xr_users_resolve(char **out, struct xr_users *users, const char *path,
                                struct xr_error *err);
void xr_users_free(struct xr_users *users);
void xr_user_free(struct xr_user *user); /* what it points to */

/* Who opens a store, if not the caller. {0}: the caller. */
struct xr_owner {
    bool other;
    uint32_t uid, gid;
    char *name;
    char *home, *config_home, *data_home; /* NULL: none; another user's XDG variables are unknown */
};
void xr_owner_set(struct xr_owner *owner, const struct xr_user *user);
/* What every image has files of, and none is that user's: good for reading what all may read. */
void xr_owner_nobody(struct xr_owner *owner);
void xr_owner_free(struct xr_owner *owner);

#endif
