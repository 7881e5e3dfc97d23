/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/selfsigned_cache.h"
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
static char dir[] = "/tmp/xr-selfsigned.XXXXXX";
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
    (void)snprintf(file, sizeof(file), "%s/self-signed", dir);
}

static void teardown(void)
{
    for (size_t i = 0; i <= ROOTS; i++)
        xr_cert_free(certs[i]);
    (void)unlink(file);
    (void)rmdir(dir);
}

TestSuite(selfsigned, .init = setup, .fini = teardown);

static void fill(struct xr_pool *pool)
{
    for (size_t i = 0; i <= ROOTS; i++)
        (void)xr_pool_add(pool, certs[i]);
}

static size_t known(const struct xr_pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++)
        count += pool->items[i].self_known;
    return count;
}

static void keep_all(void)
{
    struct xr_pool pool = {0};

    fill(&pool);
    for (size_t i = 0; i < pool.count; i++)
        (void)xr_pool_self_signed(&pool, i);
    xr_selfsigned_keep(&pool, dir);
    xr_pool_free(&pool);
}

static size_t recalled(const char *from)
{
    struct xr_pool pool = {0};
    size_t count = 0;

    fill(&pool);
    xr_selfsigned_recall(&pool, from);
    count = known(&pool);
    for (size_t i = 0; i < pool.count; i++)
        cr_assert(!pool.items[i].self_known || pool.items[i].self_signed);
    cr_assert_not(xr_pool_self_signed(&pool, ROOTS), "what is signed by another is no root");
    xr_pool_free(&pool);
    return count;
}

Test(selfsigned, what_could_not_be_checked_is_not_kept_as_a_yes)
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
    xr_selfsigned_keep(&pool, dir);
    xr_selfsigned_recall(&again, dir);
    cr_assert_eq(known(&again), 0);
    cr_assert_not(xr_pool_self_signed(&again, 0));
    xr_pool_free(&pool);
    xr_pool_free(&again);
}

Test(selfsigned, what_was_kept_is_recalled)
{
    keep_all();
    cr_assert_eq(recalled(dir), ROOTS);
    keep_all(); /* nothing new */
    cr_assert_eq(recalled(dir), ROOTS);
}

Test(selfsigned, what_was_not_found_out_is_not_kept)
{
    struct xr_pool pool = {0};

    fill(&pool);
    xr_selfsigned_keep(&pool, dir);
    xr_pool_free(&pool);
    cr_assert_eq(access(file, F_OK), -1);
    cr_assert_eq(recalled(dir), 0);
}

Test(selfsigned, without_a_state_directory_nothing_is_made)
{
    char none[sizeof(dir) + 16];

    (void)snprintf(none, sizeof(none), "%s/none", dir);
    cr_assert_eq(recalled(none), 0);
    cr_assert_eq(rmdir(dir), 0);
    keep_all();
    cr_assert_eq(access(dir, F_OK), -1);
    cr_assert_eq(mkdir(dir, 0700), 0);
}

Test(selfsigned, a_damaged_file_is_none)
{
    unsigned char byte = 0;
    int fd = -1;

    keep_all();
    for (off_t at = 0; at < 4 + 32 + (off_t)ROOTS * 32; at += 7) {
        fd = open(file, O_RDWR | O_CLOEXEC);
        cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
        byte ^= 1;
        cr_assert(pwrite(fd, &byte, 1, at) == 1);
        cr_assert_eq(recalled(dir), 0);
        byte ^= 1;
        cr_assert(pwrite(fd, &byte, 1, at) == 1 && close(fd) == 0);
    }
    for (off_t len = 0; len < 4 + 32 + (off_t)ROOTS * 32; len += 9) {
        keep_all();
        cr_assert_eq(truncate(file, len), 0);
        cr_assert_eq(recalled(dir), 0);
    }
    keep_all(); /* and it is written anew */
    cr_assert_eq(recalled(dir), ROOTS);
}

Test(selfsigned, a_link_is_none)
{
    char other[sizeof(file) + 8];

    keep_all();
    (void)snprintf(other, sizeof(other), "%s.other", file);
    cr_assert_eq(rename(file, other), 0);
    cr_assert_eq(symlink(other, file), 0);
    cr_assert_eq(recalled(dir), 0);
    cr_assert_eq(unlink(other), 0);
}
