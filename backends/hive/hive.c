/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL_MAX   65536u
#define DEPTH_MAX 64u

/* All that is ever written lies below these keys. */
static const char *const written[][3] = {
    {"Microsoft", "SystemCertificates"},
    {"Microsoft", "EnterpriseCertificates"},
    {"Policies"},
};

/* ---- opening it ---- */

static uint32_t number(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The two sequence numbers of a hive differ if some changes are only in its logs, which libhivex
 * does not read. */
static enum xr_status check_header(int fd, struct xr_error *err)
{
    unsigned char head[12];

    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head, "regf", 4) != 0)
        return xr_fail(err, XR_INVALID, "it is not a registry hive");
    if (number(head + 4) != number(head + 8))
        return xr_fail(
            err, XR_REFUSED,
            "Windows was not shut down properly, and some registry changes are only in its logs: "
            "start it once and shut it down");
    return XR_OK;
}

static hive_h *open_fd(const struct hive *hive, int fd, bool write)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return hive->lib->open(path, write ? HIVEX_OPEN_WRITE : 0);
}

static enum xr_status load(struct hive *hive, bool write, struct xr_error *err)
{
    const struct hive_place *place = hive->place;
    int fd = xr_open_regular(place->dir, place->name, &hive->st);
    enum xr_status status = XR_OK;

    if (fd < 0 && errno == EINVAL)
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file", place->path);
    else if (fd < 0)
        status = xr_fail_errno(err, "cannot open %s", place->path);
    else
        status = check_header(fd, err);
    if (status == XR_OK) {
        hive->h = open_fd(hive, fd, write);
        if (hive->h == NULL)
            status = xr_fail(err, XR_INVALID, "libhivex cannot read %s: %s", place->path,
                             strerror(errno));
    }
    if (fd >= 0)
        (void)close(fd);
    return status;
}

enum xr_status hive_open(struct hive **out, const struct xr_host *host,
                         const struct hive_place *place, bool write, struct xr_error *err)
{
    const struct hive_functions *lib = hive_library(err);
    struct hive *hive = NULL;
    enum xr_status status = XR_OK;

    if (lib == NULL)
        return XR_ABSENT;
    hive = xr_new(1, sizeof(*hive));
    *hive = (struct hive){.lib = lib, .host = host, .place = place};
    hive->names = xr_new(1, sizeof(*hive->names));
    status = load(hive, write, err);
    if (status != XR_OK) {
        hive_close(hive);
        return status;
    }
    *out = hive;
    return XR_OK;
}

void hive_close(struct hive *hive)
{
    if (hive == NULL)
        return;
    hive_forget(hive);
    hive_names_free(hive->names);
    if (hive->h != NULL)
        (void)hive->lib->close(hive->h);
    free(hive);
}

/* ---- checking what was written ---- */

/* Of all keys and values below some keys. XOR, because their order may differ. */
struct digest {
    const struct hive *hive;
    unsigned char sum[XR_SHA256_LEN];
    size_t count;
    unsigned depth;
    struct xr_buf path;
    enum xr_status status;
};

static void add(struct digest *digest, const char *name, uint32_t type, struct xr_bytes data)
{
    unsigned char sum[XR_SHA256_LEN];
    struct xr_buf all = {0};

    xr_buf_add(&all, digest->path.data, digest->path.len);
    xr_buf_add(&all, name, strlen(name) + 1);
    xr_buf_put32(&all, type);
    xr_buf_add(&all, data.data, data.len);
    digest->hive->host->sha256(sum, (struct xr_bytes){(unsigned char *)all.data, all.len});
    for (size_t i = 0; i < sizeof(sum); i++)
        digest->sum[i] ^= sum[i];
    digest->count++;
    xr_buf_free(&all);
}

static void add_value(void *ctx, const struct hive_value *value)
{
    add(ctx, value->name, value->type, value->data);
}

static void add_key(void *ctx, hive_key key)
{
    struct digest *digest = ctx;
    const struct hive *hive = digest->hive;
    size_t len = digest->path.len;
    char *name = hive->lib->node_name(hive->h, key);

    if (name == NULL || digest->depth >= DEPTH_MAX || digest->count >= HIVE_KEYS_MAX)
        digest->status = XR_INVALID;
    if (digest->status == XR_OK) {
        add(digest, "", UINT32_MAX, (struct xr_bytes){(unsigned char *)name, strlen(name)});
        xr_buf_add(&digest->path, name, strlen(name) + 1);
        digest->status = hive_values(hive, key, add_value, digest, NULL);
    }
    if (digest->status == XR_OK) {
        digest->depth++;
        digest->status = hive_children(hive, key, add_key, digest, NULL);
        digest->depth--;
    }
    digest->path.len = len;
    free(name);
}

static enum xr_status digest_all(struct digest *out, const struct hive *hive)
{
    *out = (struct digest){.hive = hive};
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        hive_key key = hive_path(hive, written[i]);

        if (key != 0)
            add_key(out, key);
    }
    xr_buf_free(&out->path);
    return out->status;
}

static enum xr_status read_back(struct hive *hive, int fd, struct xr_error *err)
{
    struct hive copy = *hive;
    struct digest was, is;
    enum xr_status status = check_header(fd, err);

    if (status != XR_OK)
        return status;
    if (digest_all(&was, hive) != XR_OK)
        return xr_fail(err, XR_INVALID, "a key of the hive is damaged");
    copy.h = open_fd(hive, fd, false);
    if (copy.h == NULL)
        return xr_fail(err, XR_FAILED, "the new hive cannot be read back");
    copy.names = xr_new(1, sizeof(*copy.names)); /* its keys lie where that file says */
    if (digest_all(&is, &copy) != XR_OK || is.count != was.count ||
        memcmp(is.sum, was.sum, sizeof(is.sum)) != 0)
        status = xr_fail(err, XR_FAILED, "the new hive does not hold what was written");
    hive_names_free(copy.names);
    (void)hive->lib->close(copy.h);
    return status;
}

/* ---- writing it ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Access control lists and attributes of NTFS, as its drivers for Linux show them (ntfs-3g, ntfs3). */
static void keep_acl(const struct hive *hive, int to)
{
    static const char *const names[] = {"system.ntfs_acl", "system.ntfs_security",
                                        "system.ntfs_attrib"};
    int from =
        openat(hive->place->dir, hive->place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    for (size_t i = 0; from >= 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        char value[ACL_MAX];
        ssize_t len = fgetxattr(from, names[i], value, sizeof(value));

        if (len > 0 && fsetxattr(to, names[i], value, (size_t)len, 0) != 0)
            errno = 0; /* what the directory gives it then */
    }
    if (from >= 0)
        (void)close(from);
}

static enum xr_status write_copy(struct hive *hive, int fd, struct xr_error *err)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (hive->lib->commit(hive->h, path, 0) != 0)
        return xr_fail_errno(err, "cannot write a copy of %s", hive->place->path);
    if (fchown(fd, hive->st.st_uid, hive->st.st_gid) != 0 ||
        fchmod(fd, hive->st.st_mode & 0777) != 0)
        errno = 0; /* drivers of NTFS may know neither */
    keep_acl(hive, fd);
    if (fsync(fd) != 0)
        return xr_fail_errno(err, "cannot make a copy of %s durable", hive->place->path);
    return read_back(hive, fd, err);
}

enum xr_status hive_commit(struct hive *hive, struct xr_error *err)
{
    const struct hive_place *place = hive->place;
    char *temp = xr_format(XR_TEMP_PREFIX "%ld", (long)getpid());
    enum xr_status status = hive_settle(hive, err);
    struct stat now;
    int fd = -1;

    if (status != XR_OK || !hive->changed) {
        free(temp);
        return status;
    }
    fd = openat(place->dir, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        status = xr_fail_errno(err, "cannot make a copy of %s", place->path);
    if (status == XR_OK)
        status = write_copy(hive, fd, err);
    if (status == XR_OK && (fstatat(place->dir, place->name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
                            !same_file(&now, &hive->st)))
        status = xr_fail(err, XR_FAILED, "another program wrote the hive meanwhile");
    if (status == XR_OK &&
        (renameat(place->dir, temp, place->dir, place->name) != 0 || fsync(place->dir) != 0))
        status = xr_fail_errno(err, "cannot replace %s", place->path);
    if (status == XR_OK) {
        hive->changed = false;
        (void)fstat(fd, &hive->st);
    } else if (fd >= 0) {
        (void)unlinkat(place->dir, temp, 0);
    }
    if (fd >= 0)
        (void)close(fd);
    free(temp);
    return status;
}

void hive_tidy(const struct hive_place *place)
{
    struct xr_strings names = {0};

    (void)xr_dir_names(&names, place->dir, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++) {
        if (strncmp(names.items[i], XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0)
            (void)unlinkat(place->dir, names.items[i], 0);
    }
    xr_strings_free(&names);
}
