/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- owners ---- */

/* Files in a directory that another user owns or can write may be replaced while root works there.
 * For a parent directory it is enough that it is sticky. */
static enum xr_status check_path(const struct xr_session *s, const char *path, struct xr_error *err)
{
    struct stat top = {.st_gid = 0}; /* ids in an image may all be shifted */

    if (!s->live && fstat(s->root, &top) != 0)
        return xr_fail_errno(err, "cannot examine the root directory");
    for (size_t len = strcspn(path, "/"); geteuid() == 0; len += 1 + strcspn(path + len + 1, "/")) {
        char *part = xr_memdup(path, len);
        struct stat st = {.st_mode = 0};
        bool there = ca_stat(&st, s, part, true);
        bool open = (st.st_mode & S_IWOTH) != 0 ||
                    ((st.st_mode & S_IWGRP) != 0 && st.st_gid != 0 && st.st_gid != top.st_gid);
        enum xr_status status = XR_OK;

        if (there && !ca_may_lead(s, &st))
            status = xr_fail(err, XR_REFUSED,
                             "/%s belongs to another user, who has to run crossroot for it", part);
        else if (there && open && (path[len] == '\0' || (st.st_mode & S_ISVTX) == 0))
            status = xr_fail(err, XR_REFUSED, "/%s can be written by users other than root", part);
        free(part);
        if (status != XR_OK || path[len] == '\0')
            return status;
    }
    return XR_OK;
}

/* The same for the target of root's own links. */
static enum xr_status check_resolved(const struct xr_session *s, const char *path,
                                     struct xr_error *err)
{
    char fd_path[64], whole[PATH_MAX];
    int fd = s->live ? ca_open(s, path, O_PATH) : -1;
    ssize_t len = -1;

    if (fd >= 0) {
        (void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
        len = readlink(fd_path, whole, sizeof(whole) - 1);
        (void)close(fd);
    }
    if (len <= 1)
        return XR_OK;
    whole[len] = '\0';
    return check_path(s, whole + 1, err);
}

enum xr_status pt_check_owners(const struct xr_session *s, const char *path, struct xr_error *err)
{
    enum xr_status status = check_path(s, path, err);

    return status == XR_OK ? check_resolved(s, path, err) : status;
}

/* ---- marks ---- */

static void put(struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN])
{
    bool added = false;

    (void)xr_idmap_put(map, id, 0, &added);
}

void pt_marks_free(struct pt_marks *marks)
{
    xr_idmap_free(&marks->distrusted);
    xr_idmap_free(&marks->restricted);
}

void pt_mark(struct pt_marks *marks, const struct xr_session *s)
{
    pt_marks_free(marks);
    for (size_t i = 0; i < s->p11.certs.count; i++) {
        const struct pf_cert *cert = &s->p11.certs.items[i];
        struct xr_subject pair;
        unsigned char key[XR_SHA256_LEN];

        if (cert->distrusted && cert->spki.len > 0) {
            s->host->sha256(key, cert->spki);
            put(&marks->distrusted, key);
        }
        if (cert->distrusted && cert->serial.len > 0) {
            xr_subject_issuer_serial(&pair, cert->issuer, cert->serial, s->host->sha256);
            put(&marks->distrusted, pair.id);
        }
        /* OpenSSL can use attached extensions only for purposes. */
        for (size_t at = cert->attached; at != PF_NONE; at = s->p11.extensions.items[at].next) {
            if (!pf_is_trust(&s->p11.extensions.items[at]))
                put(&marks->restricted, cert->sha256);
        }
    }
}

bool pt_marks_distrust(const struct pt_marks *marks, const struct xr_host *host,
                       struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_subject pair;
    unsigned char key[XR_SHA256_LEN];
    size_t value = 0;

    if (marks->distrusted.count == 0 || host->slices(&slices, der, NULL) != XR_OK)
        return false;
    host->sha256(key, slices.spki);
    xr_subject_issuer_serial(&pair, slices.issuer, slices.serial, host->sha256);
    return xr_idmap_get(&marks->distrusted, key, &value) ||
           xr_idmap_get(&marks->distrusted, pair.id, &value);
}

bool pt_marks_restrict(const struct pt_marks *marks, const unsigned char sha256[XR_SHA256_LEN])
{
    size_t value = 0;

    return xr_idmap_get(&marks->restricted, sha256, &value);
}
