/* SPDX-License-Identifier: Apache-2.0 */
#include "selfsigned_cache.h"

#include "sys/sys.h"

#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "self-signed"
#define MAGIC     "XRP1"
#define MAGIC_LEN 4u
#define HEAD_LEN  (MAGIC_LEN + XR_SHA256_LEN)
#define IDS_MAX   100000u /* with more, the cache starts again */
#define WORTH     16u     /* number of checks that take as long as writing the file */

/* The hashes in the file; empty without a valid file. */
static struct xr_bytes read_ids(struct xr_buf *out, int dirfd)
{
    int fd = -1;
    struct xr_bytes ids = {0};
    unsigned char sum[XR_SHA256_LEN];

    if (xr_sys_open_own(&fd, dirfd, FILE_NAME, false, NULL) == XR_OK &&
        xr_sys_read_fd(out, fd, HEAD_LEN + (size_t)IDS_MAX * XR_SHA256_LEN, NULL) == XR_OK &&
        out->len > HEAD_LEN && memcmp(out->data, MAGIC, MAGIC_LEN) == 0) {
        ids = (struct xr_bytes){(unsigned char *)out->data + HEAD_LEN, out->len - HEAD_LEN};
        xr_x509_sha256(sum, ids);
        if (ids.len % XR_SHA256_LEN != 0 || memcmp(sum, out->data + MAGIC_LEN, sizeof(sum)) != 0)
            ids.len = 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return ids;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, XR_SHA256_LEN);
}

static bool is_in(struct xr_bytes ids, const unsigned char id[XR_SHA256_LEN])
{
    return ids.len > 0 && bsearch(id, ids.data, ids.len / XR_SHA256_LEN, XR_SHA256_LEN, by_bytes);
}

void xr_selfsigned_recall(struct xr_pool *pool, const char *state_dir)
{
    struct xr_buf file = {0};
    struct xr_bytes ids = {0};
    int dirfd = -1;

    if (pool->count == 0 || xr_sys_state_dir_open(&dirfd, state_dir, NULL) != XR_OK)
        return;
    ids = read_ids(&file, dirfd);
    for (size_t i = 0; i < pool->count; i++) {
        struct xr_pool_item *item = &pool->items[i];

        if (!item->self_known && is_in(ids, item->cert->sha256))
            item->self_known = item->self_signed = true;
    }
    xr_buf_free(&file);
    (void)close(dirfd);
}

static void write_ids(int dirfd, struct xr_buf *ids)
{
    struct xr_buf file = {0};
    unsigned char sum[XR_SHA256_LEN];

    qsort(ids->data, ids->len / XR_SHA256_LEN, XR_SHA256_LEN, by_bytes);
    xr_x509_sha256(sum, (struct xr_bytes){(unsigned char *)ids->data, ids->len});
    xr_buf_add(&file, MAGIC, MAGIC_LEN);
    xr_buf_add(&file, sum, sizeof(sum));
    xr_buf_add(&file, ids->data, ids->len);
    (void)xr_sys_write_atomic(dirfd, FILE_NAME,
                              (struct xr_bytes){(unsigned char *)file.data, file.len}, 0600, NULL);
    xr_buf_free(&file);
}

void xr_selfsigned_keep(const struct xr_pool *pool, const char *state_dir)
{
    struct xr_buf file = {0}, all = {0};
    struct xr_bytes ids = {0};
    size_t fresh = 0;
    int dirfd = -1;

    if (pool->count < WORTH || xr_sys_state_dir_open(&dirfd, state_dir, NULL) != XR_OK)
        return;
    ids = read_ids(&file, dirfd);
    for (size_t i = 0; i < pool->count; i++) {
        const struct xr_pool_item *item = &pool->items[i];

        if (item->self_known && item->self_signed && !is_in(ids, item->cert->sha256)) {
            xr_buf_add(&all, item->cert->sha256, XR_SHA256_LEN);
            fresh++;
        }
    }
    if (fresh + ids.len / XR_SHA256_LEN <= IDS_MAX)
        xr_buf_add(&all, ids.data, ids.len);
    if (fresh >= WORTH && fresh <= IDS_MAX)
        write_ids(dirfd, &all);
    xr_buf_free(&all);
    xr_buf_free(&file);
    (void)close(dirfd);
}
