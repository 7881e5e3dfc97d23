/* SPDX-License-Identifier: Apache-2.0 */
#include "hive.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <hivex.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HEADER   4096u
#define VALUE    "Blob"
#define ELEMENTS 100000u
#define ACL_MAX  65536u

/* Where the stores of each origin lie in the SOFTWARE hive. */
static const char *const roots[WIN_ORIGINS][4] = {
    [WIN_LOCAL] = {"Microsoft", "SystemCertificates"},
    [WIN_POLICY] = {"Policies", "Microsoft", "SystemCertificates"},
    [WIN_ENTERPRISE] = {"Microsoft", "EnterpriseCertificates"},
};

struct win_hive {
    struct win_medium medium; /* first */
    const struct xr_host *host;
    hive_h *h;
    int dir;
    char *name, *path; /* of the file: in dir, and for messages */
    struct stat st;    /* of the file that was read */
    bool changed;
};

/* ---- the file ---- */

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

static hive_h *open_fd(int fd, bool write)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return hivex_open(path, write ? HIVEX_OPEN_WRITE : 0);
}

static enum xr_status load(struct win_hive *hive, bool write, struct xr_error *err)
{
    int fd = xr_open_regular(hive->dir, hive->name, &hive->st);
    enum xr_status status = XR_OK;

    if (fd < 0 && errno == EINVAL)
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file", hive->path);
    else if (fd < 0)
        status = xr_fail_errno(err, "cannot open %s", hive->path);
    else
        status = check_header(fd, err);
    if (status == XR_OK) {
        hive->h = open_fd(fd, write);
        if (hive->h == NULL)
            status = xr_fail(err, XR_INVALID, "libhivex cannot read %s: %s", hive->path,
                             strerror(errno));
    }
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* ---- keys ---- */

static hive_node_h child(const struct win_hive *hive, hive_node_h node, const char *name)
{
    return node == 0 ? 0 : hivex_node_get_child(hive->h, node, name);
}

static hive_node_h store_node(const struct win_hive *hive, enum win_origin origin, size_t store,
                              bool crls)
{
    hive_node_h node = hivex_root(hive->h);

    for (size_t i = 0; roots[origin][i] != NULL; i++)
        node = child(hive, node, roots[origin][i]);
    return child(hive, child(hive, node, win_stores[store].name), crls ? "CRLs" : "Certificates");
}

static hive_node_h make_child(const struct win_hive *hive, hive_node_h node, const char *name)
{
    hive_node_h found = child(hive, node, name);

    return found != 0 || node == 0 ? found : hivex_node_add_child(hive->h, node, name);
}

static hive_node_h make_store(const struct win_hive *hive, size_t store, bool crls)
{
    hive_node_h node = hivex_root(hive->h);

    for (size_t i = 0; roots[WIN_LOCAL][i] != NULL; i++)
        node = make_child(hive, node, roots[WIN_LOCAL][i]);
    return make_child(hive, make_child(hive, node, win_stores[store].name),
                      crls ? "CRLs" : "Certificates");
}

static void key_name(char out[41], const unsigned char sha1[20])
{
    xr_hex(out, sha1, 20);
    for (size_t i = 0; i < 40; i++)
        out[i] = (char)(out[i] >= 'a' ? out[i] - 32 : out[i]);
}

/* ---- the medium ---- */

static void emit_node(const struct win_hive *hive, hive_node_h node, size_t store,
                      enum win_origin origin, win_element_fn emit, void *ctx)
{
    hive_value_h value = hivex_node_get_value(hive->h, node, VALUE);
    hive_type type = hive_t_REG_NONE;
    size_t len = 0;
    char *data = value != 0 ? hivex_value_value(hive->h, value, &type, &len) : NULL;

    if (data != NULL && type == hive_t_REG_BINARY)
        emit(ctx, store, origin, (struct xr_bytes){(unsigned char *)data, len});
    free(data);
}

static enum xr_status list(struct win_medium *medium, win_element_fn emit, void *ctx,
                           struct xr_error *err)
{
    struct win_hive *hive = (struct win_hive *)(void *)medium;

    for (int origin = 0; origin < WIN_ORIGINS; origin++) {
        for (size_t store = 0; store < win_store_count; store++) {
            for (int crls = 0; crls < 2; crls++) {
                hive_node_h node = store_node(hive, (enum win_origin)origin, store, crls != 0);
                hive_node_h *children = node != 0 ? hivex_node_children(hive->h, node) : NULL;

                if (node != 0 && children == NULL)
                    return xr_fail(err, XR_INVALID, "a key of the hive is damaged");
                for (size_t i = 0; children != NULL && children[i] != 0 && i < ELEMENTS; i++)
                    emit_node(hive, children[i], store, (enum win_origin)origin, emit, ctx);
                free(children);
            }
        }
    }
    return XR_OK;
}

static enum xr_status put(struct win_medium *medium, size_t store, bool crl,
                          const unsigned char sha1[20], struct xr_bytes blob, struct xr_error *err)
{
    struct win_hive *hive = (struct win_hive *)(void *)medium;
    hive_set_value named = {.key = (char *)(uintptr_t)VALUE,
                            .t = hive_t_REG_BINARY,
                            .len = blob.len,
                            .value = (char *)(uintptr_t)blob.data};
    hive_node_h node = 0;
    char name[41];

    key_name(name, sha1);
    node = make_child(hive, make_store(hive, store, crl), name);
    hive->changed = true;
    if (node == 0 || hivex_node_set_values(hive->h, node, 1, &named, 0) != 0)
        return xr_fail_errno(err, "cannot change %s", hive->path);
    return XR_OK;
}

static enum xr_status take(struct win_medium *medium, size_t store, bool crl,
                           const unsigned char sha1[20], struct xr_error *err)
{
    struct win_hive *hive = (struct win_hive *)(void *)medium;
    hive_node_h node = 0;
    char name[41];

    key_name(name, sha1);
    node = child(hive, store_node(hive, WIN_LOCAL, store, crl), name);
    hive->changed = true;
    if (node == 0)
        return xr_fail(err, XR_FAILED,
                       "a certificate in the hive lies below a key with the wrong "
                       "name");
    if (hivex_node_delete_child(hive->h, node) != 0)
        return xr_fail_errno(err, "cannot change %s", hive->path);
    return XR_OK;
}

struct win_medium *win_hive_medium(struct win_hive *hive)
{
    return &hive->medium;
}

enum xr_status win_hive_open(struct win_hive **out, const struct xr_host *host, int dir,
                             const char *name, const char *path, bool write, struct xr_error *err)
{
    struct win_hive *hive = xr_new(1, sizeof(*hive));
    enum xr_status status = XR_OK;

    hive->medium = (struct win_medium){.list = list, .put = put, .take = take};
    hive->host = host;
    hive->dir = dir;
    hive->name = xr_strdup(name);
    hive->path = xr_strdup(path);
    status = load(hive, write, err);
    if (status != XR_OK) {
        win_hive_close(hive);
        return status;
    }
    *out = hive;
    return XR_OK;
}

void win_hive_close(struct win_hive *hive)
{
    if (hive == NULL)
        return;
    if (hive->h != NULL)
        (void)hivex_close(hive->h);
    free(hive->name);
    free(hive->path);
    free(hive);
}

/* ---- writing it ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Checks that the new file holds the changed content of the old one. */
struct digest {
    const struct xr_host *host;
    unsigned char sum[XR_SHA256_LEN]; /* XOR over all elements, because their order may differ */
    size_t count;
};

static void add_element(void *ctx, size_t store, enum win_origin origin, struct xr_bytes blob)
{
    struct digest *digest = ctx;
    unsigned char sum[XR_SHA256_LEN];
    struct xr_buf all = {0};

    xr_buf_put32(&all, (uint32_t)store);
    xr_buf_put32(&all, (uint32_t)origin);
    xr_buf_add(&all, blob.data, blob.len);
    digest->host->sha256(sum, (struct xr_bytes){(unsigned char *)all.data, all.len});
    for (size_t i = 0; i < sizeof(sum); i++)
        digest->sum[i] ^= sum[i];
    digest->count++;
    xr_buf_free(&all);
}

static enum xr_status read_back(struct win_hive *hive, int fd, struct xr_error *err)
{
    struct win_hive copy = *hive;
    struct digest was = {.host = hive->host}, is = {.host = hive->host};
    enum xr_status status = list(&hive->medium, add_element, &was, err);

    if (status == XR_OK)
        status = check_header(fd, err);
    if (status != XR_OK)
        return status;
    copy.h = open_fd(fd, false);
    if (copy.h == NULL)
        return xr_fail(err, XR_FAILED, "the new hive cannot be read back");
    status = list(&copy.medium, add_element, &is, err);
    (void)hivex_close(copy.h);
    if (status == XR_OK && (is.count != was.count || memcmp(is.sum, was.sum, sizeof(is.sum)) != 0))
        status = xr_fail(err, XR_FAILED, "the new hive does not hold what was written");
    return status;
}

/* Access control lists and attributes of NTFS, as its drivers for Linux show them (ntfs-3g, ntfs3). */
static void keep_acl(const struct win_hive *hive, int to)
{
    static const char *const names[] = {"system.ntfs_acl", "system.ntfs_security",
                                        "system.ntfs_attrib"};
    int from = openat(hive->dir, hive->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    for (size_t i = 0; from >= 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        char value[ACL_MAX];
        ssize_t len = fgetxattr(from, names[i], value, sizeof(value));

        if (len > 0 && fsetxattr(to, names[i], value, (size_t)len, 0) != 0)
            errno = 0; /* what the directory gives it then */
    }
    if (from >= 0)
        (void)close(from);
}

static enum xr_status write_copy(struct win_hive *hive, int fd, struct xr_error *err)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (hivex_commit(hive->h, path, 0) != 0)
        return xr_fail_errno(err, "cannot write a copy of %s", hive->path);
    if (fchown(fd, hive->st.st_uid, hive->st.st_gid) != 0 ||
        fchmod(fd, hive->st.st_mode & 0777) != 0)
        errno = 0; /* drivers of NTFS may know neither */
    keep_acl(hive, fd);
    if (fsync(fd) != 0)
        return xr_fail_errno(err, "cannot make a copy of %s durable", hive->path);
    return read_back(hive, fd, err);
}

enum xr_status win_hive_commit(struct win_hive *hive, struct xr_error *err)
{
    char *temp = xr_format(XR_TEMP_PREFIX "%ld", (long)getpid());
    enum xr_status status = XR_OK;
    struct stat now;
    int fd = -1;

    if (!hive->changed) {
        free(temp);
        return XR_OK;
    }
    fd = openat(hive->dir, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        status = xr_fail_errno(err, "cannot make a copy of %s", hive->path);
    if (status == XR_OK)
        status = write_copy(hive, fd, err);
    if (status == XR_OK && (fstatat(hive->dir, hive->name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
                            !same_file(&now, &hive->st)))
        status = xr_fail(err, XR_FAILED, "another program wrote the hive meanwhile");
    if (status == XR_OK &&
        (renameat(hive->dir, temp, hive->dir, hive->name) != 0 || fsync(hive->dir) != 0))
        status = xr_fail_errno(err, "cannot replace %s", hive->path);
    if (status == XR_OK) {
        hive->changed = false;
        (void)fstat(fd, &hive->st);
    } else if (fd >= 0) {
        (void)unlinkat(hive->dir, temp, 0);
    }
    if (fd >= 0)
        (void)close(fd);
    free(temp);
    return status;
}

void win_hive_tidy(int dir)
{
    struct xr_strings names = {0};

    (void)xr_dir_names(&names, dir, SIZE_MAX);
    for (size_t i = 0; i < names.count; i++) {
        if (strncmp(names.items[i], XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0)
            (void)unlinkat(dir, names.items[i], 0);
    }
    xr_strings_free(&names);
}
