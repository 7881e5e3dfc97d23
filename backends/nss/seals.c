/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softoken's lib/softoken/sftkpwd.c. The key follows from what lies in the same file, so nothing here is
 * secret. AES is here because a backend gets hashes from the host and no cipher; one block is all that
 * is needed of it.
 */
#include "seals.h"

enum { SALT = 32, KEY = 32, BLOCK = 16, ROUNDS = 14, VALUE_MAX = 2048 };

/* DER: PBKDF2 with a salt, one round (that is how NSS knows the empty password), HMAC-SHA-256. */
static const unsigned char kdf[] = {0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                    0x0d, 0x01, 0x05, 0x0c, 0x30, 0x34, 0x04, 0x20};
static const unsigned char kdf_end[] = {0x02, 0x01, 0x01, 0x02, 0x01, 0x20, 0x30, 0x0a, 0x06,
                                        0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
/* PBES2 around it, with AES-256-CBC. The whole element with the vector is the vector. */
static const unsigned char check_head[] = {0x30, 0x81, 0x81, 0x30, 0x6d, 0x06, 0x09, 0x2a, 0x86,
                                           0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d, 0x30, 0x60};
static const unsigned char check_mid[] = {0x30, 0x1b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                          0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
static const unsigned char vector_head[] = {0x04, 0x0e};
static const unsigned char check_end[] = {0x04, 0x10};
/* PBMAC1 around it, with HMAC-SHA-256. */
static const unsigned char proof_head[] = {0x30, 0x81, 0x80, 0x30, 0x5c, 0x06, 0x09, 0x2a, 0x86,
                                           0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e, 0x30, 0x4f};
static const unsigned char proof_mid[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                          0x86, 0xf7, 0x0d, 0x02, 0x09, 0x04, 0x20};
static const unsigned char password_check[BLOCK] = {'p', 'a', 's', 's', 'w', 'o', 'r', 'd',
                                                    '-', 'c', 'h', 'e', 'c', 'k', 2,   2};

static bool take(const unsigned char **out, struct xr_bytes *rest, size_t len)
{
    if (rest->len < len)
        return false;
    *out = rest->data;
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool expect(struct xr_bytes *rest, const void *text, size_t len)
{
    const unsigned char *at = NULL;

    return take(&at, rest, len) && memcmp(at, text, len) == 0;
}
#define EXPECT(rest, array) expect(rest, array, sizeof(array))

/* ---- HMAC-SHA-256 (RFC 2104); key and first are short ---- */

static void hmac(unsigned char out[XR_SHA256_LEN], const struct xr_host *host, struct xr_bytes key,
                 struct xr_bytes first, struct xr_bytes second)
{
    unsigned char inner[64 + 64 + VALUE_MAX], outer[64 + XR_SHA256_LEN];
    size_t len = 64;

    memset(inner, 0x36, 64);
    memset(outer, 0x5c, 64);
    for (size_t i = 0; i < key.len; i++) {
        inner[i] ^= key.data[i];
        outer[i] ^= key.data[i];
    }
    memcpy(inner + len, first.data, first.len);
    len += first.len;
    if (second.len > 0)
        memcpy(inner + len, second.data, second.len);
    len += second.len;
    host->sha256(outer + 64, (struct xr_bytes){inner, len});
    host->sha256(out, (struct xr_bytes){outer, sizeof(outer)});
}

/* PBKDF2 (RFC 8018, 5.2) with one round and one block. */
static void derive(unsigned char out[KEY], const struct nss_seals *seals, const unsigned char *salt)
{
    static const unsigned char first_block[] = {0, 0, 0, 1};

    hmac(out, seals->host, (struct xr_bytes){seals->key, sizeof(seals->key)},
         (struct xr_bytes){salt, SALT}, (struct xr_bytes){first_block, sizeof(first_block)});
}

/* ---- AES-256 (FIPS 197), one block ---- */

static unsigned char twice(unsigned char x)
{
    return (unsigned char)((unsigned)x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static void make_box(unsigned char box[256])
{
    unsigned char p = 1, q = 1; /* p runs through the field, q is its inverse */

    do {
        unsigned x = 0;

        p = (unsigned char)(p ^ twice(p));
        q = (unsigned char)(q ^ q << 1);
        q = (unsigned char)(q ^ q << 2);
        q = (unsigned char)(q ^ q << 4);
        q = (unsigned char)(q & 0x80 ? q ^ 0x09 : q);
        x = q * 0x101U;
        box[p] = (unsigned char)((x ^ x >> 7 ^ x >> 6 ^ x >> 5 ^ x >> 4) ^ 0x63);
    } while (p != 1);
    box[0] = 0x63;
}

static void expand(unsigned char keys[ROUNDS + 1][BLOCK], const unsigned char key[KEY],
                   const unsigned char box[256])
{
    unsigned char *w = keys[0], round = 1;

    memcpy(w, key, KEY);
    for (size_t i = KEY; i < (size_t)(ROUNDS + 1) * BLOCK; i += 4) {
        unsigned char t[4] = {w[i - 4], w[i - 3], w[i - 2], w[i - 1]};

        if (i % KEY == 0) {
            unsigned char first = t[0];

            t[0] = (unsigned char)(box[t[1]] ^ round);
            t[1] = box[t[2]];
            t[2] = box[t[3]];
            t[3] = box[first];
            round = twice(round);
        } else if (i % KEY == 16) {
            for (size_t k = 0; k < 4; k++)
                t[k] = box[t[k]];
        }
        for (size_t k = 0; k < 4; k++)
            w[i + k] = w[i + k - KEY] ^ t[k];
    }
}

static void mix(unsigned char column[4])
{
    unsigned char all = column[0] ^ column[1] ^ column[2] ^ column[3], first = column[0];

    for (size_t i = 0; i < 4; i++)
        column[i] ^= all ^ twice(column[i] ^ (i < 3 ? column[i + 1] : first));
}

static void encrypt(unsigned char block[BLOCK], const unsigned char key[KEY])
{
    unsigned char box[256], keys[ROUNDS + 1][BLOCK];

    make_box(box);
    expand(keys, key, box);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= keys[0][i];
    for (size_t round = 1; round <= ROUNDS; round++) {
        unsigned char next[BLOCK];

        for (size_t i = 0; i < BLOCK; i++) /* row i % 4 moves by as many columns */
            next[i] = box[block[(i + 4 * (i % 4)) % BLOCK]];
        for (size_t i = 0; round < ROUNDS && i < BLOCK; i += 4)
            mix(next + i);
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = next[i] ^ keys[round][i];
    }
}

/* ---- records ---- */

bool nss_seals_open(struct nss_seals *out, const struct xr_host *host, struct xr_bytes salt,
                    struct xr_bytes check)
{
    const unsigned char *kdf_salt = NULL, *vector = NULL, *sealed = NULL;
    unsigned char key[KEY], block[BLOCK];

    if (salt.len != sizeof(out->key) || !EXPECT(&check, check_head) || !EXPECT(&check, kdf) ||
        !take(&kdf_salt, &check, SALT) || !EXPECT(&check, kdf_end) || !EXPECT(&check, check_mid) ||
        !take(&vector, &check, BLOCK) || memcmp(vector, vector_head, sizeof(vector_head)) != 0 ||
        !EXPECT(&check, check_end) || !take(&sealed, &check, BLOCK) || check.len > 0)
        return false;
    out->host = host;
    host->sha1(out->key, salt);
    derive(key, out, kdf_salt);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = password_check[i] ^ vector[i];
    encrypt(block, key);
    return memcmp(block, sealed, BLOCK) == 0;
}

bool nss_seals_hold(const struct nss_seals *seals, uint32_t object, uint32_t type,
                    struct xr_bytes value, struct xr_bytes proof)
{
    const unsigned char *salt = NULL, *mac = NULL;
    unsigned char key[KEY], right[XR_SHA256_LEN], about[8];

    if (value.len > VALUE_MAX || !EXPECT(&proof, proof_head) || !EXPECT(&proof, kdf) ||
        !take(&salt, &proof, SALT) || !EXPECT(&proof, kdf_end) || !EXPECT(&proof, proof_mid) ||
        !take(&mac, &proof, XR_SHA256_LEN) || proof.len > 0)
        return false;
    for (size_t i = 0; i < 4; i++) {
        about[i] = (unsigned char)(object >> (24 - 8 * i));
        about[4 + i] = (unsigned char)(type >> (24 - 8 * i));
    }
    derive(key, seals, salt);
    hmac(right, seals->host, (struct xr_bytes){key, sizeof(key)},
         (struct xr_bytes){about, sizeof(about)}, value);
    return memcmp(right, mac, XR_SHA256_LEN) == 0;
}
