/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto itself: initialisation, digests, errors. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and the like, see below */
#include "openssl.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

const char *xr_x509_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

static EVP_MD *md_sha256;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT, once_sha256 = CRYPTO_ONCE_STATIC_INIT;

/* libcrypto's functions say "no" when they cannot get memory, as of a certificate that is not what it
 * says: an answer that must not be taken for one. */
static void *get_memory(size_t size, const char *file, int line)
{
    void *memory = size > 0 ? malloc(size) : NULL;

    (void)file;
    (void)line;
    if (memory == NULL && size > 0)
        xr_out_of_memory();
    return memory;
}

static void *change_memory(void *memory, size_t size, const char *file, int line)
{
    void *changed = NULL;

    if (memory == NULL)
        return get_memory(size, file, line);
    changed = size > 0 ? realloc(memory, size) : NULL;
    if (changed == NULL && size > 0)
        xr_out_of_memory();
    if (size == 0)
        free(memory);
    return changed;
}

static void drop_memory(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static void init(void)
{
    /* Refused, without harm, where the program that we are in has used libcrypto before. */
    (void)CRYPTO_set_mem_functions(get_memory, change_memory, drop_memory);
    /* No openssl.cnf: root must not run the engines and providers that it names. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void xr_crypto_ready(void)
{
    (void)CRYPTO_THREAD_run_once(&once, init);
}

static void fetch_sha256(void)
{
    md_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (md_sha256 == NULL) {
        (void)fputs("crossroot: libcrypto has no SHA-256\n", stderr);
        abort();
    }
}

const EVP_MD *xr_crypto_sha256(void)
{
    xr_crypto_ready();
    (void)CRYPTO_THREAD_run_once(&once_sha256, fetch_sha256);
    return md_sha256;
}

#ifdef OPENSSL_NO_DEPRECATED_3_0 /* as in crossroot.exe, whose libcrypto is small */
static void digest(unsigned char *out, const EVP_MD *md, struct xr_bytes data)
{
    if (EVP_Digest(data.data, data.len, out, NULL, md, NULL) != 1)
        abort();
}

void xr_x509_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes data)
{
    digest(out, xr_crypto_sha256(), data);
}

void xr_x509_sha1(unsigned char out[20], struct xr_bytes data)
{
    xr_crypto_ready();
    digest(out, EVP_sha1(), data);
}
#else
/* Not by EVP: the first fetch of a digest loads libcrypto's providers with all their names, which takes
 * as long as all else that a command does which checks no signature. Deprecated because these ask no
 * provider; as an identity the result is the same. */
void xr_x509_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes data)
{
    SHA256_CTX ctx;

    if (SHA256_Init(&ctx) != 1 || SHA256_Update(&ctx, data.data, data.len) != 1 ||
        SHA256_Final(out, &ctx) != 1)
        abort();
}

void xr_x509_sha1(unsigned char out[20], struct xr_bytes data)
{
    SHA_CTX ctx;

    if (SHA1_Init(&ctx) != 1 || SHA1_Update(&ctx, data.data, data.len) != 1 ||
        SHA1_Final(out, &ctx) != 1)
        abort();
}
#endif

void xr_x509_md5(unsigned char out[16], struct xr_bytes data)
{
    xr_crypto_ready();
    if (EVP_Digest(data.data, data.len, out, NULL, EVP_md5(), NULL) != 1)
        memset(out, 0, 16);
    ERR_clear_error();
}

/* RFC 2104. By the digest that is at hand: HMAC() of OpenSSL 3 looks for its parts at each call, which takes
 * longer than all that is done here. */
void xr_x509_hmac_sha256(unsigned char out[XR_SHA256_LEN], struct xr_bytes key,
                         struct xr_bytes data)
{
    enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5c };
    unsigned char block[BLOCK] = {0}, outer[BLOCK + XR_SHA256_LEN];
    struct xr_buf inner = {0};

    if (key.len > BLOCK)
        xr_x509_sha256(block, key);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    for (size_t i = 0; i < BLOCK; i++) {
        outer[i] = block[i] ^ OUTER;
        block[i] ^= INNER;
    }
    xr_buf_add(&inner, block, sizeof(block));
    xr_buf_add(&inner, data.data, data.len);
    xr_x509_sha256(outer + BLOCK, (struct xr_bytes){(unsigned char *)inner.data, inner.len});
    xr_x509_sha256(out, (struct xr_bytes){outer, sizeof(outer)});
    xr_buf_free(&inner);
}

void xr_x509_aes256_cbc(unsigned char out[16], const unsigned char key[32],
                        const unsigned char iv[16], struct xr_bytes data)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;

    assert(data.len < 16);
    xr_crypto_ready();
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv) != 1 ||
        EVP_EncryptUpdate(ctx, out, &len, data.data, (int)data.len) != 1 || len != 0 ||
        EVP_EncryptFinal_ex(ctx, out, &len) != 1 || len != 16)
        abort(); /* only out of memory */
    EVP_CIPHER_CTX_free(ctx);
}

enum xr_status xr_crypto_fail(struct xr_error *err, enum xr_status status, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    return xr_error_set(err, status, "openssl", (long)code, "%s%s%s", what, reason ? ": " : "",
                        reason ? reason : "");
}
