/* SPDX-License-Identifier: Apache-2.0 */
/* The database of keys, key4.db: without a key, but with the password and what it proves. */
#include "certs/x509.h"
#include "nss_private.h"

#include <assert.h>

enum { SALT = 32, KEY = 32, MAC = 32, PASSWORD_SALT = 20, IV = 16, ID_MAX = 32, COLUMNS = 3 };

/* DER of PBKDF2-params (RFC 8018, A.2) and what stands around them; the salt follows the first part. One
 * round is how NSS knows that the password is empty. */
#define PBKDF2 "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c\x30\x34\x04\x20"
#define ROUNDS "\x02\x01\x01\x02\x01\x20\x30\x0a\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09"
/* PBMAC1 with HMAC-SHA-256 */
#define PROOF_HEAD "\x30\x81\x80\x30\x5c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e\x30\x4f" PBKDF2
#define PROOF_MID  ROUNDS "\x30\x0a\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09\x04\x20"
/* PBES2 with AES-256-CBC. NSS takes the whole element for the vector, tag and length too. */
#define CHECK_HEAD "\x30\x81\x81\x30\x6d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x30\x60" PBKDF2
#define CHECK_MID  ROUNDS "\x30\x1b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
#define CHECK_TAIL "\x04\x10"
#define CHECK      "password-check"

#define ADD(buf, text) xr_buf_add(buf, text, sizeof(text) - 1)

static const struct xr_sqlite_index indexes[] = {{.name = "sqlite_autoindex_metaData_1"}};

static struct xr_bytes bytes_of(const struct xr_buf *buf)
{
    return (struct xr_bytes){(const unsigned char *)buf->data, buf->len};
}

static struct xr_sqlite_value blob_of(struct xr_bytes bytes)
{
    return (struct xr_sqlite_value){.kind = XR_SQLITE_BLOB, .bytes = bytes};
}

static struct xr_sqlite_value text_of(const char *text)
{
    return (struct xr_sqlite_value){.kind = XR_SQLITE_TEXT,
                                    .bytes = {(const unsigned char *)text, strlen(text)}};
}

/* As random as need be: another one for each purpose and each content. */
static void make_salt(unsigned char out[XR_SHA256_LEN], const struct xr_nss_keys *keys,
                      const char *purpose)
{
    unsigned char all[XR_SHA256_LEN + ID_MAX];
    size_t len = strlen(purpose);

    assert(len <= ID_MAX);
    memcpy(all, keys->seed, XR_SHA256_LEN);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): these are bytes */
    memcpy(all + XR_SHA256_LEN, purpose, len);
    xr_x509_sha256(out, (struct xr_bytes){all, XR_SHA256_LEN + len});
}

/* PBKDF2 (RFC 8018, 5.2) with one round and one block. */
static void derive(unsigned char out[KEY], const struct xr_nss_keys *keys,
                   const unsigned char salt[SALT])
{
    unsigned char block[SALT + 4] = {0};

    memcpy(block, salt, SALT);
    block[SALT + 3] = 1;
    xr_x509_hmac_sha256(out, (struct xr_bytes){keys->key, sizeof(keys->key)},
                        (struct xr_bytes){block, sizeof(block)});
}

static void add_password(struct xr_nss_keys *keys)
{
    unsigned char password_salt[XR_SHA256_LEN], salt[XR_SHA256_LEN], iv[XR_SHA256_LEN], key[KEY],
        sealed[IV];
    struct xr_buf check = {0};
    struct xr_sqlite_value row[COLUMNS];

    make_salt(password_salt, keys, "password");
    make_salt(salt, keys, "salt");
    make_salt(iv, keys, "vector");
    iv[0] = XR_DER_OCTET_STRING;
    iv[1] = IV - 2;
    xr_x509_sha1(keys->key, (struct xr_bytes){password_salt, PASSWORD_SALT});
    derive(key, keys, salt);
    xr_x509_aes256_cbc(sealed, key, iv,
                       (struct xr_bytes){(const unsigned char *)CHECK, sizeof(CHECK) - 1});
    ADD(&check, CHECK_HEAD);
    xr_buf_add(&check, salt, SALT);
    ADD(&check, CHECK_MID);
    xr_buf_add(&check, iv, IV);
    ADD(&check, CHECK_TAIL);
    xr_buf_add(&check, sealed, sizeof(sealed));
    row[0] = text_of("password");
    row[1] = blob_of((struct xr_bytes){password_salt, PASSWORD_SALT});
    row[2] = blob_of(bytes_of(&check));
    xr_sqlite_add(&keys->rows, row);
    xr_buf_free(&check);
}

void xr_nss_keys_start(struct xr_nss_keys *keys, struct xr_bytes seed)
{
    *keys = (struct xr_nss_keys){
        .rows = {.name = "metaData",
                 .sql = "CREATE TABLE metaData (id PRIMARY KEY UNIQUE ON CONFLICT REPLACE, item1, "
                        "item2)",
                 .columns = COLUMNS,
                 .indexes = indexes,
                 .index_count = sizeof(indexes) / sizeof(indexes[0])}};
    xr_x509_sha256(keys->seed, seed);
    add_password(keys);
}

static void put_be32(struct xr_buf *out, uint32_t value)
{
    const unsigned char octets[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};

    xr_buf_add(out, octets, sizeof(octets));
}

void xr_nss_keys_prove(struct xr_nss_keys *keys, uint32_t object, uint32_t type,
                       struct xr_bytes value)
{
    unsigned char salt[XR_SHA256_LEN], key[KEY], mac[MAC];
    char id[ID_MAX];
    struct xr_buf said = {0}, proof = {0};
    struct xr_sqlite_value row[COLUMNS] = {{.kind = XR_SQLITE_NULL}};

    (void)snprintf(id, sizeof(id), "sig_cert_%08x_%08x", object, type);
    make_salt(salt, keys, id);
    derive(key, keys, salt);
    put_be32(&said, object);
    put_be32(&said, type);
    xr_buf_add(&said, value.data, value.len);
    xr_x509_hmac_sha256(mac, (struct xr_bytes){key, sizeof(key)}, bytes_of(&said));
    ADD(&proof, PROOF_HEAD);
    xr_buf_add(&proof, salt, SALT);
    ADD(&proof, PROOF_MID);
    xr_buf_add(&proof, mac, sizeof(mac));
    row[0] = text_of(id);
    row[1] = blob_of(bytes_of(&proof));
    xr_sqlite_add(&keys->rows, row);
    xr_buf_free(&said);
    xr_buf_free(&proof);
}

void xr_nss_keys_write(struct xr_buf *out, struct xr_nss_keys *keys)
{
    struct xr_nss_objects none = {.own_name = NULL};
    struct xr_sqlite_table tables[2];

    xr_nss_objects_start(&none, "nssPrivate");
    tables[0] = none.table;
    tables[1] = keys->rows;
    xr_sqlite_write(out, tables, 2);
    xr_nss_objects_free(&none);
    xr_sqlite_free(&keys->rows);
}
