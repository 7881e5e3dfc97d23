/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/checked_cache.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW   INT64_C(1700000000)
#define ROOTS 20u

static struct xr_cert *certs[ROOTS + 1]; /* the last one is signed by the first */
static char dir[] = "/tmp/xr-checked.XXXXXX";
static char file[sizeof(dir) + 16];

static void setup(void)
{
    struct pki_key *keys[2] = {pki_key_new(PKI_EC), pki_key_new(PKI_EC)};
    struct pki_blob first = {0};

    for (size_t i = 0; i <= ROOTS; i++) {
        char name[32];
        struct pki_spec spec;
        struct pki_blob der = {0};
        bool below = i == ROOTS;

        (void)snprintf(name, sizeof(name), "Root %zu", i);
        spec = pki_spec_ca(name, NOW);
        cr_assert_eq(
            pki_issue(&der, keys[below], below ? &first : NULL, below ? keys[0] : NULL, &spec), 0);
        cr_assert_eq(xr_cert_new(&certs[i], (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
        if (i == 0)
            first = der;
        else
            pki_blob_free(&der);
    }
    pki_blob_free(&first);
    pki_key_free(keys[0]);
    pki_key_free(keys[1]);
    cr_assert(mkdtemp(dir) != NULL);
    (void)snprintf(file, sizeof(file), "%s/checked", dir);
}

static void teardown(void)
{
    for (size_t i = 0; i <= ROOTS; i++)
        xr_cert_free(certs[i]);
    (void)unlink(file);
    (void)rmdir(dir);
}

TestSuite(checked, .init = setup, .fini = teardown);

/* With certificates of its own, of which nothing is known. */
static void fill(struct xr_pool *pool)
{
    for (size_t i = 0; i <= ROOTS; i++) {
        struct xr_cert *cert = NULL;

        cr_assert_eq(xr_cert_new(&cert, certs[i]->der, NULL), XR_OK);
        (void)xr_pool_add(pool, cert);
        xr_cert_free(cert);
    }
}

static size_t known(const struct xr_pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++)
        count += pool->items[i].self_known;
    return count;
}

/* As two commands would, one after the other. */
static void keep(const struct xr_pool *pool, const char *to, bool make)
{
    struct xr_checked checked = {0};

    xr_checked_keep(&checked, pool, to, make);
    xr_checked_free(&checked);
}

static void recall(struct xr_pool *pool, const char *from)
{
    struct xr_checked checked = {0};

    xr_checked_recall(&checked, pool, from);
    xr_checked_free(&checked);
}

static void keep_all(void)
{
    struct xr_pool pool = {0};

    fill(&pool);
    for (size_t i = 0; i < pool.count; i++)
        (void)xr_pool_self_signed(&pool, i);
    keep(&pool, dir, false);
    xr_pool_free(&pool);
}

static size_t recalled(const char *from)
{
    struct xr_pool pool = {0};
    size_t count = 0;

    fill(&pool);
    recall(&pool, from);
    count = known(&pool);
    for (size_t i = 0; i < pool.count; i++)
        cr_assert(!pool.items[i].self_known || pool.items[i].self_signed);
    cr_assert_not(xr_pool_self_signed(&pool, ROOTS), "what is signed by another is no root");
    xr_pool_free(&pool);
    return count;
}

Test(checked, what_could_not_be_checked_is_not_kept_as_a_yes)
{
    static const char is[] = "\x2a\x86\x48\xce\x3d\x04\x03\x02";      /* ecdsa-with-SHA256 */
    static const char becomes[] = "\x2a\x86\x48\xce\x3d\x04\x03\x7e"; /* unknown */
    struct xr_pool pool = {0}, again = {0};

    for (size_t i = 0; i < ROOTS; i++) {
        struct pki_blob der = {xr_memdup(certs[i]->der.data, certs[i]->der.len), certs[i]->der.len};
        struct xr_cert *cert = NULL;

        cr_assert_eq(pki_patch(&der, is, becomes, sizeof(is) - 1), 2);
        cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){der.data, der.len}, NULL), XR_OK);
        (void)xr_pool_add(&pool, cert);
        (void)xr_pool_add(&again, cert);
        cr_assert_not_null(xr_pool_self_unchecked(&pool, i));
        xr_cert_free(cert);
        free(der.data);
    }
    keep(&pool, dir, false);
    recall(&again, dir);
    cr_assert_eq(known(&again), 0);
    cr_assert_not(xr_pool_self_signed(&again, 0));
    xr_pool_free(&pool);
    xr_pool_free(&again);
}

Test(checked, what_was_kept_is_recalled)
{
    keep_all();
    cr_assert_eq(recalled(dir), ROOTS);
    keep_all(); /* nothing new */
    cr_assert_eq(recalled(dir), ROOTS);
}

Test(checked, what_was_not_found_out_is_not_kept)
{
    struct xr_pool pool = {0};

    fill(&pool);
    keep(&pool, dir, false);
    xr_pool_free(&pool);
    cr_assert_eq(access(file, F_OK), -1);
    cr_assert_eq(recalled(dir), 0);
}

Test(checked, without_a_state_directory_nothing_is_made)
{
    char none[sizeof(dir) + 16];

    (void)snprintf(none, sizeof(none), "%s/none", dir);
    cr_assert_eq(recalled(none), 0);
    cr_assert_eq(rmdir(dir), 0);
    keep_all();
    cr_assert_eq(access(dir, F_OK), -1);
    cr_assert_eq(mkdir(dir, 0700), 0);
}

Test(checked, a_damaged_file_is_none)
{
    unsigned char byte = 0;
    int fd = -1;

    keep_all();
    for (off_t at = 0; at < 4 + 64 + (off_t)ROOTS * 33; at += 7) {
        fd = open(file, O_RDWR | O_CLOEXEC);
        cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
        byte ^= 1;
        cr_assert(pwrite(fd, &byte, 1, at) == 1);
        cr_assert_eq(recalled(dir), 0);
        byte ^= 1;
        cr_assert(pwrite(fd, &byte, 1, at) == 1 && close(fd) == 0);
    }
    for (off_t len = 0; len < 4 + 64 + (off_t)ROOTS * 33; len += 9) {
        keep_all();
        cr_assert_eq(truncate(file, len), 0);
        cr_assert_eq(recalled(dir), 0);
    }
    keep_all(); /* and it is written anew */
    cr_assert_eq(recalled(dir), ROOTS);
}

Test(checked, a_link_is_none)
{
    char other[sizeof(file) + 8];

    keep_all();
    (void)snprintf(other, sizeof(other), "%s.other", file);
    cr_assert_eq(rename(file, other), 0);
    cr_assert_eq(symlink(other, file), 0);
    cr_assert_eq(recalled(dir), 0);
    cr_assert_eq(unlink(other), 0);
}

static void accept_all(void)
{
    struct xr_pool pool = {0};

    fill(&pool);
    for (size_t i = 0; i < pool.count; i++)
        cr_assert(xr_cert_accepted(pool.items[i].cert, NULL));
    keep(&pool, dir, false);
    xr_pool_free(&pool);
}

static size_t accepted(void)
{
    struct xr_pool pool = {0};
    size_t count = 0;

    fill(&pool);
    recall(&pool, dir);
    for (size_t i = 0; i < pool.count; i++)
        count += pool.items[i].cert->accepted;
    xr_pool_free(&pool);
    return count;
}

Test(checked, what_libcrypto_accepts_is_kept_beside_who_signed)
{
    keep_all();
    cr_assert_eq(accepted(), 0);
    accept_all();
    cr_assert_eq(accepted(), ROOTS + 1);
    cr_assert_eq(recalled(dir), ROOTS, "the other is still known");
    keep_all();
    cr_assert_eq(accepted(), ROOTS + 1);
}

/* Writes the head anew, as if another judge had been there: the sum is right. */
static void change_judge(void)
{
    unsigned char all[4 + 64 + (ROOTS + 1) * 33];
    int fd = open(file, O_RDWR | O_CLOEXEC);

    cr_assert(fd >= 0 && pread(fd, all, sizeof(all), 0) == (ssize_t)sizeof(all));
    all[4 + 32] ^= 1;
    xr_x509_sha256(all + 4, (struct xr_bytes){all + 4 + 32, sizeof(all) - 4 - 32});
    cr_assert(pwrite(fd, all, sizeof(all), 0) == (ssize_t)sizeof(all) && close(fd) == 0);
}

Test(checked, another_libcrypto_accepts_for_itself)
{
    keep_all();
    accept_all();
    change_judge();
    cr_assert_eq(accepted(), 0);
    cr_assert_eq(recalled(dir), ROOTS, "a signature stays one");
    accept_all();
    cr_assert_eq(accepted(), ROOTS + 1);
    cr_assert_eq(recalled(dir), ROOTS);
}

Test(checked, a_hash_that_is_not_that_of_the_bytes_is_not_kept)
{
    struct xr_pool pool = {0};

    for (size_t i = 0; i < ROOTS; i++) {
        struct xr_cert *cert = NULL;
        unsigned char claimed[XR_SHA256_LEN];

        memcpy(claimed, certs[i]->sha256, sizeof(claimed));
        claimed[0] ^= 1;
        cr_assert_eq(xr_cert_new_known(&cert, certs[i]->der, claimed, NULL), XR_OK);
        (void)xr_pool_add(&pool, cert);
        xr_cert_free(cert);
        cr_assert(xr_pool_self_signed(&pool, i));
    }
    keep(&pool, dir, false);
    xr_pool_free(&pool);
    cr_assert_eq(access(file, F_OK), -1);
}

Test(checked, the_directory_is_made_where_the_caller_says_so)
{
    struct xr_pool pool = {0};
    char none[sizeof(dir) + 16], made[sizeof(none) + 16];

    (void)snprintf(none, sizeof(none), "%s/none", dir);
    (void)snprintf(made, sizeof(made), "%s/checked", none);
    fill(&pool);
    keep(&pool, none, true);
    cr_assert_eq(access(none, F_OK), -1, "for nothing, none is made");
    for (size_t i = 0; i < pool.count; i++)
        (void)xr_pool_self_signed(&pool, i);
    keep(&pool, none, false);
    cr_assert_eq(access(none, F_OK), -1);
    keep(&pool, none, true);
    cr_assert_eq(recalled(none), ROOTS);
    cr_assert_eq(unlink(made), 0);
    cr_assert_eq(rmdir(none), 0);
    xr_pool_free(&pool);
}
