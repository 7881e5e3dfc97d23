/* SPDX-License-Identifier: Apache-2.0 */
#include "checked_cache.h"

#include "openssl.h"
#include "sys/sys.h"
#include "xr_config.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME  "checked"
#define MAGIC      "XRC1"
#define MAGIC_LEN  4u
#define HEAD_LEN   (MAGIC_LEN + 2u * XR_SHA256_LEN) /* the sum, and who accepted */
#define RECORD_LEN (XR_SHA256_LEN + 1u)
#define MOST       50000u /* records; in a full file, those that this command has no use for make room */
#define WORTH      16u /* number of checks that take as long as writing the file */

/* Of a certificate. */
#define SELF_SIGNED 1u
#define ACCEPTED    2u

/* What "accepted" depends on besides the bytes: our rules, and libcrypto, of which a build with other
 * patches has another date. */
static void judge(unsigned char out[XR_SHA256_LEN])
{
    struct xr_buf text = {0};

    xr_buf_fmt(&text, "%s\n%s\n%s\n%s\n%s", XR_VERSION, XR_COMMIT, OpenSSL_version(OPENSSL_VERSION),
               OpenSSL_version(OPENSSL_BUILT_ON), OpenSSL_version(OPENSSL_PLATFORM));
    xr_x509_sha256(out, (struct xr_bytes){(unsigned char *)text.data, text.len});
    xr_buf_free(&text);
}

static void forget(struct xr_checked *checked)
{
    xr_buf_free(&checked->file);
    *checked = (struct xr_checked){0};
}

static void read_records(struct xr_checked *checked, int dirfd)
{
    int fd = -1;
    unsigned char sum[XR_SHA256_LEN];
    const unsigned char *at = NULL;

    forget(checked);
    checked->read = true;
    if (xr_sys_open_own(&fd, dirfd, FILE_NAME, false, NULL) == XR_OK &&
        xr_sys_read_fd(&checked->file, fd, HEAD_LEN + (size_t)MOST * RECORD_LEN, NULL) == XR_OK &&
        checked->file.len > HEAD_LEN && memcmp(checked->file.data, MAGIC, MAGIC_LEN) == 0 &&
        (checked->file.len - HEAD_LEN) % RECORD_LEN == 0) {
        at = (unsigned char *)checked->file.data + MAGIC_LEN;
        xr_x509_sha256(sum, (struct xr_bytes){at + XR_SHA256_LEN,
                                              checked->file.len - MAGIC_LEN - XR_SHA256_LEN});
        if (memcmp(sum, at, sizeof(sum)) == 0)
            checked->records =
                (struct xr_bytes){at + 2u * XR_SHA256_LEN, checked->file.len - HEAD_LEN};
        judge(sum);
        checked->same_judge = memcmp(sum, at + XR_SHA256_LEN, sizeof(sum)) == 0;
    }
    if (fd >= 0)
        (void)close(fd);
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, XR_SHA256_LEN);
}

static unsigned known(const struct xr_checked *checked, const unsigned char sha256[XR_SHA256_LEN])
{
    const unsigned char *record =
        checked->records.len > 0 ? bsearch(sha256, checked->records.data,
                                           checked->records.len / RECORD_LEN, RECORD_LEN, by_hash)
                                 : NULL;

    if (record == NULL)
        return 0;
    return record[XR_SHA256_LEN] & (checked->same_judge ? SELF_SIGNED | ACCEPTED : SELF_SIGNED);
}

void xr_checked_recall(struct xr_checked *checked, struct xr_pool *pool, const char *state_dir)
{
    int dirfd = -1;

    if (pool->count == 0)
        return;
    if (!checked->read && xr_sys_state_dir_open(&dirfd, state_dir, NULL) == XR_OK) {
        read_records(checked, dirfd);
        (void)close(dirfd);
    }
    checked->read = true;
    for (size_t i = 0; checked->records.len > 0 && i < pool->count; i++) {
        struct xr_pool_item *item = &pool->items[i];
        unsigned bits = 0;

        if (item->self_known && item->cert->accepted)
            continue;
        bits = known(checked, item->cert->sha256);
        if (!item->self_known && (bits & SELF_SIGNED) != 0)
            item->self_known = item->self_signed = true;
        if ((bits & ACCEPTED) != 0)
            item->cert->accepted = true;
    }
}

static unsigned found_out(const struct xr_pool_item *item)
{
    return (item->self_known && item->self_signed ? SELF_SIGNED : 0u) |
           (item->cert->accepted ? ACCEPTED : 0u);
}

static size_t count_fresh(const struct xr_checked *checked, const struct xr_pool *pool)
{
    size_t fresh = 0;

    for (size_t i = 0; i < pool->count; i++) {
        unsigned bits = found_out(&pool->items[i]);

        if (bits != 0)
            fresh += (bits & ~known(checked, pool->items[i].cert->sha256)) != 0;
    }
    return fresh;
}

/* Whoever gave the bytes may have given the hash, too. */
static bool is_hash_of(const struct xr_cert *cert)
{
    unsigned char sum[XR_SHA256_LEN];

    xr_x509_sha256(sum, cert->der);
    return memcmp(sum, cert->sha256, sizeof(sum)) == 0;
}

static void add_record(struct xr_buf *out, const unsigned char sha256[XR_SHA256_LEN], unsigned bits)
{
    unsigned char byte = (unsigned char)bits;

    xr_buf_add(out, sha256, XR_SHA256_LEN);
    xr_buf_add(out, &byte, 1);
}

/* The records of this command's certificates, then as many of the others as there is room for. */
static void collect(struct xr_buf *out, const struct xr_checked *checked,
                    const struct xr_pool *pool)
{
    for (size_t i = 0; i < pool->count && out->len < (size_t)MOST * RECORD_LEN; i++) {
        const struct xr_pool_item *item = &pool->items[i];
        unsigned before = known(checked, item->cert->sha256), bits = found_out(item) | before;

        if (bits != 0 && (bits == before || is_hash_of(item->cert)))
            add_record(out, item->cert->sha256, bits);
    }
    for (size_t at = 0; at < checked->records.len && out->len < (size_t)MOST * RECORD_LEN;
         at += RECORD_LEN) {
        const unsigned char *id = checked->records.data + at;

        if (xr_pool_find(pool, id) == XR_NONE && known(checked, id) != 0)
            add_record(out, id, known(checked, id));
    }
    if (out->len > 0)
        qsort(out->data, out->len / RECORD_LEN, RECORD_LEN, by_hash);
}

static void write_records(int dirfd, const struct xr_buf *records)
{
    struct xr_buf after = {0}, file = {0};
    unsigned char sum[XR_SHA256_LEN];

    judge(sum);
    xr_buf_add(&after, sum, sizeof(sum));
    xr_buf_add(&after, records->data, records->len);
    xr_x509_sha256(sum, (struct xr_bytes){(unsigned char *)after.data, after.len});
    xr_buf_add(&file, MAGIC, MAGIC_LEN);
    xr_buf_add(&file, sum, sizeof(sum));
    xr_buf_add(&file, after.data, after.len);
    (void)xr_sys_write_atomic(dirfd, FILE_NAME,
                              (struct xr_bytes){(unsigned char *)file.data, file.len}, 0600, NULL);
    xr_buf_free(&after);
    xr_buf_free(&file);
}

void xr_checked_keep(struct xr_checked *checked, const struct xr_pool *pool, const char *state_dir,
                     bool make)
{
    struct xr_buf records = {0};
    int dirfd = -1;

    if (count_fresh(checked, pool) < WORTH ||
        (make ? xr_sys_state_dir(&dirfd, state_dir, NULL)
              : xr_sys_state_dir_open(&dirfd, state_dir, NULL)) != XR_OK)
        return;
    /* Others may have written it meanwhile. */
    read_records(checked, dirfd);
    if (count_fresh(checked, pool) >= WORTH) {
        collect(&records, checked, pool);
        /* What had no room stays fresh. */
        if (records.len > 0 &&
            (!checked->same_judge ||
             !xr_bytes_equal((struct xr_bytes){(unsigned char *)records.data, records.len},
                             checked->records)))
            write_records(dirfd, &records);
    }
    xr_buf_free(&records);
    (void)close(dirfd);
}

void xr_checked_free(struct xr_checked *checked)
{
    forget(checked);
}
