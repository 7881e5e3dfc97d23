/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose home a path is in: the users of this machine, or of an image.
 *
 * A home counts if its user owns it and only root and that user can replace it: all directories
 * above it belong to root or that user, and nobody else can write them. Users can put anything into
 * their homes, so root opens and follows nothing there; a helper that runs as that user does.
 */
#ifndef XR_USERS_H
#define XR_USERS_H

#include "kit/base.h"

struct xr_user {
    char *name;
    uint32_t uid, gid;
    char *home; /* absolute; after the check without links, and as seen inside the image */
};

struct xr_users {
    struct xr_user *items;
    size_t count, capacity;
    const char *root;        /* directory of an image, borrowed, or NULL: this machine */
    bool all;                /* everybody was read */
    struct xr_strings notes; /* one line for each home that was left out */
};

/* Adds the users of passwd(5) lines. A line that is not an account, or has no absolute home, is
 * skipped; nothing is looked up or checked. */
void xr_users_parse(struct xr_users *out, struct xr_bytes text);

/* Reads all users, ordered by uid: from the password database, or from the image's etc/passwd. Each
 * home counts once. Users that were added one by one stay. */
enum xr_status xr_users_read(struct xr_users *users, struct xr_error *err);
/* Finds one user of this machine, in the password database if necessary. XR_ABSENT if no user has
 * this uid, or the user has no home that counts. *at is an index. */
enum xr_status xr_users_find(size_t *at, struct xr_users *users, uint32_t uid,
                             struct xr_error *err);
/* Index of the user in whose home a path (on this host, without links) is; SIZE_MAX if in nobody's.
 * Only users that were read or resolved before are known. */
size_t xr_users_of(const struct xr_users *users, const char *path);
/* Like xr_sys_resolve, but what does not exist, and for root the part of the path below another
 * user's home, stays as it is written; XR_REFUSED if that part has "..". Reads users from the
 * database as needed. */
enum xr_status xr_users_resolve(char **out, struct xr_users *users, const char *path,
                                struct xr_error *err);
void xr_users_free(struct xr_users *users);
void xr_user_free(struct xr_user *user); /* what it points to */

/* The user who opens a store, if not the caller. {0}: the caller. */
struct xr_owner {
    bool other;
    uint32_t uid, gid;
    char *name;
    char *home, *config_home, *data_home; /* NULL: none; another user's XDG variables are unknown */
};
void xr_owner_set(struct xr_owner *owner, const struct xr_user *user);
/* An unprivileged user that owns nothing: for reading files of an image that everybody may read. */
void xr_owner_nobody(struct xr_owner *owner);
void xr_owner_free(struct xr_owner *owner);

#endif
