/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium keeps the file locked as long as it runs (seen with 156: the whole of SQLite's lock bytes,
 * for writing), so the lock says nothing about whether it writes now. Its journal does: the file is
 * changed only while the journal's header is there (SQLite, pager.c), and is emptied after it. So the
 * journal must be without a header before and after the file is read, and the file unchanged in
 * between; if not, this waits a little and reads again. A header that stays is that of a write that
 * was interrupted: what the file held before is in the journal, and playing it back is for who may
 * write.
 */
#include "file.h"

#include "chromium.h"
#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX   ((size_t)128 << 20)
#define TRIES      20u
#define PAUSE_NS   25000000L
#define JOURNAL    CHROMIUM_FILE "-journal"
#define WAL        CHROMIUM_FILE "-wal"
#define UNFINISHED N_("a write of it was not finished; start the browser once, which ends it")
/* SQLite's lock bytes (its file format, "pending byte"): PENDING, RESERVED, then 510 of SHARED. */
#define LOCKS_AT  0x40000000
#define LOCKS_LEN 512

/* An absent file has neither. False: it cannot be told. */
static bool head(unsigned char out[8], off_t *size, int dir, const char *name)
{
    struct stat st = {0};
    int fd = xr_open_regular(dir, name, &st);
    ssize_t got = 0;

    memset(out, 0, 8);
    *size = 0;
    if (fd < 0)
        return errno == ENOENT;
    got = pread(fd, out, 8, 0);
    (void)close(fd);
    *size = st.st_size;
    return got >= 0;
}

/* NULL: no write is under way, none was interrupted. */
static const char *unsettled(int dir)
{
    static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    unsigned char bytes[8];
    off_t size = 0;

    if (!head(bytes, &size, dir, JOURNAL))
        return N_("its ServerCertificate-journal cannot be read");
    if (memcmp(bytes, magic, sizeof(magic)) == 0)
        return UNFINISHED;
    if (!head(bytes, &size, dir, WAL))
        return N_("its ServerCertificate-wal cannot be read");
    return size > 0
               ? N_("changes of it are in a ServerCertificate-wal, which is not read; close the browser")
               : NULL;
}

bool chromium_file_locked(long *pid, int dir)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKS_AT, .l_len = LOCKS_LEN};
    struct stat st;
    int fd = xr_open_regular(dir, CHROMIUM_FILE, &st);
    bool locked = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    *pid = locked && lock.l_pid > 0 ? (long)lock.l_pid : 0;
    if (fd >= 0)
        (void)close(fd);
    return locked;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Did nobody write it while it was read, and is it still the profile's? */
static bool kept(int dir, int fd, const struct stat *before, size_t len)
{
    struct stat after, named;

    return fstat(fd, &after) == 0 && same(before, &after) && (off_t)len == after.st_size &&
           fstatat(dir, CHROMIUM_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 && same(before, &named);
}

static enum xr_status open_it(int *out, struct stat *st, bool *there, int dir, const char *path,
                              struct xr_error *err)
{
    int fd = xr_open_regular(dir, CHROMIUM_FILE, st);

    *out = fd;
    *there = fd >= 0 || errno != ENOENT;
    if (!*there)
        return XR_OK;
    if (fd < 0)
        return errno == ELOOP ? xr_fail(err, XR_REFUSED, "%s/ServerCertificate is a link", path)
               : errno == EINVAL || errno == ENXIO
                   ? xr_fail(err, XR_REFUSED, "%s/ServerCertificate is not a regular file", path)
                   : xr_fail_errno(err, "cannot open %s/ServerCertificate", path);
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return xr_fail(err, XR_REFUSED, "%s/ServerCertificate belongs to another user (ID %lu)",
                       path, (unsigned long)st->st_uid);
    return XR_OK;
}

/* One try; *again: it was written meanwhile, or is being written. */
static enum xr_status read_once(struct chromium_file *out, bool *again, int dir, const char *path,
                                struct xr_error *err)
{
    struct stat st = {0};
    int fd = -1;
    enum xr_status status = open_it(&fd, &st, &out->there, dir, path, err);

    *again = false;
    out->bytes.len = 0;
    out->unsettled = NULL;
    if (status != XR_OK || !out->there)
        goto out;
    out->unsettled = unsettled(dir);
    if (out->unsettled != NULL) {
        *again = true;
    } else if (!xr_read_whole(&out->bytes, fd, FILE_MAX)) {
        status = errno == EFBIG
                     ? xr_fail(err, XR_INVALID, "%s/ServerCertificate is larger than %zu bytes",
                               path, FILE_MAX)
                     : xr_fail_errno(err, "cannot read %s/ServerCertificate", path);
    } else {
        out->unsettled = unsettled(dir);
        if (out->unsettled == NULL && !kept(dir, fd, &st, out->bytes.len))
            out->unsettled = N_("it was written all the time while it was read");
        *again = out->unsettled != NULL;
    }
out:
    if (fd >= 0)
        (void)close(fd);
    return status;
}

enum xr_status chromium_file_read(struct chromium_file *out, int dir, const char *path,
                                  struct xr_error *err)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    enum xr_status status = XR_OK;
    bool again = true;
    long pid = 0;

    for (unsigned i = 0; again && i < TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        status = read_once(out, &again, dir, path, err);
    }
    out->stale = status == XR_OK && out->unsettled != NULL &&
                 strcmp(out->unsettled, UNFINISHED) == 0 && !chromium_file_locked(&pid, dir);
    return status;
}
