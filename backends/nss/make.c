/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new database. softoken makes its two files step by step, and what is there when it cannot go on
 * nobody can open. So it makes them under a hidden name, and they are moved from there when they are
 * whole.
 */
#include "store.h"
#include "troubles.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HIDDEN XR_TEMP_PREFIX "nss"

static const char *const files[] = {"key4.db",
                                    "cert9.db"}; /* the one that makes it a database last */
#define FILES (sizeof(files) / sizeof(files[0]))

void nss_make_clear(int dir)
{
    int hidden = openat(dir, HIDDEN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct xr_strings names = {0};

    if (hidden < 0)
        return;
    (void)xr_dir_names(&names, hidden, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++)
        (void)unlinkat(hidden, names.items[i], 0);
    xr_strings_free(&names);
    (void)close(hidden);
    (void)unlinkat(dir, HIDDEN, AT_REMOVEDIR);
}

/* An empty file counts as none. One that another program made meanwhile stays, and is used. */
static bool put(int hidden, int dir, const char *name)
{
    struct stat st;
    bool empty = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0;

    if (!empty && renameat2(hidden, name, dir, name, RENAME_NOREPLACE) == 0)
        return true;
    if (!empty && errno != EINVAL && errno != ENOSYS)
        return errno == EEXIST;
    return renameat(hidden, name, dir, name) == 0;
}

static enum xr_status make_in(struct xr_session *s, int hidden, struct xr_error *err)
{
    struct nss_token token = {0};
    enum xr_status status = nss_token_open(&token, &s->libs, hidden, true, err);
    size_t moved = 0;

    nss_token_close(&token);
    while (status == XR_OK && moved < FILES && put(hidden, s->dir, files[moved]))
        moved++;
    if (status == XR_OK && moved < FILES)
        status = xr_fail_errno(err, "cannot put %s in place", files[moved]);
    else if (status == XR_OK && fsync(s->dir) != 0)
        status = xr_fail_errno(err, "cannot make the new database durable");
    return status;
}

static enum xr_status make(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    int hidden = -1;

    /* The keys of a key4.db that is there belong to its password: softoken adds a cert9.db to it. */
    if (!nss_files_keyless(s->dir))
        return XR_OK;
    nss_make_clear(s->dir);
    if (mkdirat(s->dir, HIDDEN, 0700) == 0)
        hidden = openat(s->dir, HIDDEN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    status = hidden >= 0 ? make_in(s, hidden, err) : xr_fail_errno(err, "cannot make the database");
    if (hidden >= 0)
        (void)close(hidden);
    nss_make_clear(s->dir);
    return status;
}

enum xr_status nss_token_of(struct xr_session *s, bool create, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (s->token.open || (!s->exists && !create))
        return XR_OK;
    if (s->dir < 0) {
        status = nss_dir_make(&s->dir, s->above, s->missing, err);
        if (status == XR_OK)
            status = s->host->lock(s->dir, XR_LOCK_MS, "it", err);
        if (status != XR_OK)
            return status;
    }
    if (!s->exists && s->write)
        status = make(s, err);
    if (status == XR_OK)
        status = nss_token_open(&s->token, &s->libs, s->dir, s->write, err);
    if (status != XR_OK && s->write && err != NULL)
        nss_troubles_tell(err, s->dir);
    s->exists = s->exists || status == XR_OK;
    return status;
}
