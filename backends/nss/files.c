/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile's directory belongs to a user who may put anything there. NSS follows links and creates
 * missing files. So the files are checked first, and NSS works in the directory that was checked:
 * the process enters it and gives softoken a relative name.
 */
#include "homes/open.h"
#include "store.h"

#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* An address that names the database's file instead of its directory. */
static enum xr_status names_file(const struct xr_site *site, const char *path, struct xr_error *err)
{
    static const char *const files[] = {"cert9.db", "key4.db", "cert8.db", "key3.db", "pkcs11.txt"};
    const char *name = strrchr(path, '/');
    size_t root = site->root != NULL && strncmp(path, site->root, strlen(site->root)) == 0
                      ? strlen(site->root)
                      : 0;

    for (size_t i = 0; name != NULL && i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(name + 1, files[i]) == 0)
            return xr_fail(err, XR_REFUSED, "that is a file; the address is nss:%.*s",
                           (int)(name - path - (ptrdiff_t)root), path + root);
    }
    return XR_OK;
}

enum xr_status nss_dir_open(int *out, const struct xr_site *site, const char *path,
                            struct xr_error *err)
{
    enum xr_status status = home_dir_open(out, NULL, site, path, err);

    if (status == XR_REFUSED && names_file(site, path, err) != XR_OK)
        return XR_REFUSED;
    return status;
}

enum xr_status nss_dir_above(int *out, char **missing, const struct xr_site *site, const char *path,
                             struct xr_error *err)
{
    return home_dir_open(out, missing, site, path, err);
}

enum xr_status nss_dir_make(int *out, int above, const char *missing, struct xr_error *err)
{
    struct xr_walk w;
    bool good = xr_walk_start(&w, openat(above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), missing);

    while (good && xr_walk_next(&w))
        good = (xr_mkdir_exact(w.dir, w.name, 0700) ? fsync(w.dir) == 0 : errno == EEXIST) &&
               xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
    if (good && w.st.st_uid == geteuid()) {
        *out = w.dir;
        return XR_OK;
    }
    if (good)
        (void)xr_fail(err, XR_REFUSED, "%s belongs to another user", w.name);
    else
        (void)xr_fail_errno(err, "cannot make %s", w.name);
    xr_walk_end(&w);
    return good ? XR_REFUSED : XR_FAILED;
}

struct owner {
    char name[32], mode[8];
};

static struct owner owner_of(const struct stat *st)
{
    struct owner owner;

    (void)snprintf(owner.name, sizeof(owner.name), st->st_uid == 0 ? "root" : N_("user ID %lu"),
                   (unsigned long)st->st_uid);
    (void)snprintf(owner.mode, sizeof(owner.mode), "%04o", (unsigned)st->st_mode & 07777u);
    return owner;
}

/* Notes the first that cannot be written, and whose it is. */
static void check_writable(struct nss_files *files, int dir, const char *name,
                           const struct stat *st)
{
    const char *what = strcmp(name, ".") == 0 ? N_("the directory") : name;
    struct owner owner;

    /* ENOENT: a journal of another writer, which has just ended. */
    if (faccessat(dir, name, W_OK, AT_EACCESS) == 0 || errno == ENOENT || !files->writable)
        return;
    files->writable = false;
    if (errno != EACCES) {
        (void)snprintf(files->why_not, sizeof(files->why_not), "%s: %s", what, strerror(errno));
        return;
    }
    owner = owner_of(st);
    (void)snprintf(files->why_not, sizeof(files->why_not),
                   N_("%s cannot be written: it belongs to %s, mode %s"), what, owner.name,
                   owner.mode);
}

static enum xr_status look(bool *there, struct nss_files *files, int dir, const char *name,
                           struct xr_error *err)
{
    struct stat st;

    *there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*there)
        return errno == ENOENT ? XR_OK : xr_fail_errno(err, "cannot examine %s", name);
    if (!S_ISREG(st.st_mode))
        return xr_fail(err, XR_REFUSED,
                       S_ISLNK(st.st_mode) ? N_("%s is a link") : N_("%s is not a regular file"),
                       name);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return xr_fail(err, XR_REFUSED, "%s belongs to another user (ID %lu)", name,
                       (unsigned long)st.st_uid);
    if (faccessat(dir, name, R_OK, AT_EACCESS) != 0) {
        struct owner owner;

        if (errno == ENOENT) { /* a journal of another writer, which has just ended */
            *there = false;
            return XR_OK;
        }
        owner = owner_of(&st);
        return xr_fail(err, XR_DENIED, "%s cannot be read: it belongs to %s, mode %s", name,
                       owner.name, owner.mode);
    }
    check_writable(files, dir, name, &st);
    return XR_OK;
}

enum xr_status nss_files_look(struct nss_files *out, int dir, struct xr_error *err)
{
    static const char *const beside[] = {"cert9.db-journal", "cert9.db-wal", "cert9.db-shm",
                                         "key4.db-journal",  "key4.db-wal",  "key4.db-shm"};
    enum xr_status status = XR_OK;
    struct stat st;
    bool there = false;

    *out = (struct nss_files){.writable = true};
    if (fstat(dir, &st) != 0)
        return xr_fail_errno(err, "cannot examine the directory");
    check_writable(out, dir, ".", &st);
    status = look(&out->cert9, out, dir, "cert9.db", err);
    if (status == XR_OK)
        status = look(&out->key4, out, dir, "key4.db", err);
    for (size_t i = 0; status == XR_OK && i < sizeof(beside) / sizeof(beside[0]); i++)
        status = look(&there, out, dir, beside[i], err);
    if (status == XR_OK && !out->cert9 && fstatat(dir, "profiles.ini", &st, 0) == 0)
        return xr_fail(err, XR_REFUSED,
                       "it is not a profile; its profiles.ini says where the "
                       "profiles are");
    /* NSS creates a new database in an empty file. */
    if (status == XR_OK && out->cert9 && fstatat(dir, "cert9.db", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_size == 0)
        out->cert9 = false;
    out->cert8 = fstatat(dir, "cert8.db", &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (status == XR_OK && out->cert8 && !out->cert9)
        status = look(&there, out, dir, "cert8.db", err);
    return status;
}

bool nss_files_keyless(int dir)
{
    struct stat st;

    if (fstatat(dir, "key4.db", &st, AT_SYMLINK_NOFOLLOW) == 0)
        return st.st_size == 0;
    return errno == ENOENT;
}

/* SQLite's lock bytes (its file format, "pending byte"): PENDING, RESERVED, then 510 of SHARED. */
static bool held(int dir, const char *name)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 2};
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool yes = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (fd >= 0)
        (void)close(fd);
    return yes;
}

static bool hot(int dir, const char *journal, const char *database)
{
    /* SQLite, pager_playback: a journal whose header is not this was already done with. */
    static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    unsigned char head[sizeof(magic)];
    int fd = openat(dir, journal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool yes = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
               memcmp(head, magic, sizeof(magic)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return yes && !held(dir, database);
}

bool nss_files_hot(int dir)
{
    return hot(dir, "cert9.db-journal", "cert9.db") || hot(dir, "key4.db-journal", "key4.db");
}

bool nss_files_busy(int dir)
{
    return held(dir, "cert9.db") || held(dir, "key4.db");
}
