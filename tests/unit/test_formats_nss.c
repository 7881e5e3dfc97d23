/* SPDX-License-Identifier: Apache-2.0 */
/* NSS databases without NSS: SQLite reads what we write, and libcrypto proves what softoken will. */
#include "certs/x509.h"
#include "formats/nss_names.h"
#include "formats/outputs.h"
#include "formats/sqlite.h"
#include "pki.h"
#include "stores/registry.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sqlite3.h>
#include <stdlib.h>

#define NOW INT64_C(1700000000)

/* ---- databases as SQLite sees them ---- */

static sqlite3 *open_db(const struct xr_buf *file)
{
    sqlite3 *db = NULL;
    unsigned char *copy = sqlite3_malloc64(file->len);

    memcpy(copy, file->data, file->len);
    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    cr_assert_eq(sqlite3_deserialize(db, "main", copy, (sqlite3_int64)file->len,
                                     (sqlite3_int64)file->len, SQLITE_DESERIALIZE_FREEONCLOSE),
                 SQLITE_OK);
    return db;
}

static sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(db));
    return stmt;
}

/* The first column of the first row, as text in a buffer that the next call overwrites. */
static const char *answer(sqlite3 *db, const char *sql)
{
    static char text[4096];
    sqlite3_stmt *stmt = ask(db, sql);

    text[0] = '\0';
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
        (void)snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

static sqlite3 *open_whole(const struct xr_buf *file, const char *what)
{
    sqlite3 *db = open_db(file);

    cr_assert_str_eq(answer(db, "PRAGMA integrity_check"), "ok", "%s", what);
    return db;
}

/* ---- the writer ---- */

static const struct xr_sqlite_index by_key[] = {{.name = "sqlite_autoindex_t_1", .column = 0},
                                                {"b", "CREATE INDEX b ON t (v)", 1}};

static struct xr_sqlite_table new_table(void)
{
    return (struct xr_sqlite_table){.name = "t",
                                    .sql = "CREATE TABLE t (k PRIMARY KEY UNIQUE ON CONFLICT "
                                           "ABORT, v)",
                                    .columns = 2,
                                    .indexes = by_key,
                                    .index_count = 2};
}

static struct xr_sqlite_value integer(int64_t number)
{
    return (struct xr_sqlite_value){.kind = XR_SQLITE_INTEGER, .number = number};
}

static struct xr_sqlite_value bytes(enum xr_sqlite_kind kind, const void *data, size_t len)
{
    return (struct xr_sqlite_value){.kind = kind, .bytes = {data, len}};
}

Test(sqlite, a_tree_of_any_number_of_rows_is_whole)
{
    /* Small keys, and those of which four fill a page: both kinds of tree get one, two and three levels,
     * and each number of cells on their last pages. */
    static const struct {
        size_t len, most, step;
    } sizes[] = {{3, 1300, 1},  {300, 900, 1}, {990, 500, 1},
                 {1003, 60, 1}, {5000, 40, 1}, {20, 40000, 13331}};
    static unsigned char blob[8192];

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct xr_sqlite_table table = new_table();

        for (size_t n = 0; n <= sizes[s].most; n++) {
            struct xr_buf file = {0};
            char what[64];

            if (n > 0) {
                /* Not in order, and each once. */
                uint32_t key = (uint32_t)n * UINT32_C(2654435761);
                struct xr_sqlite_value row[2] = {integer((int64_t)n),
                                                 bytes(XR_SQLITE_BLOB, blob, sizes[s].len)};

                blob[0] = (unsigned char)(key >> 24);
                blob[1] = (unsigned char)(key >> 16);
                blob[2] = (unsigned char)(key >> 8);
                xr_sqlite_add(&table, row);
            }
            if (n % sizes[s].step != 0 && n != sizes[s].most)
                continue;
            if (n > 70 && n % 7 != 0 && sizes[s].len > 3) /* seconds, not minutes */
                continue;
            if (n > 300 && n % 11 != 0 && sizes[s].len == 3)
                continue;
            xr_sqlite_write(&file, &table, 1);
            (void)snprintf(what, sizeof(what), "%zu rows of %zu", n, sizes[s].len);
            sqlite3 *db = open_whole(&file, what);
            cr_assert_eq(strtoul(answer(db, "SELECT count(*) FROM t"), NULL, 10), n, "%s", what);
            cr_assert_eq(strtoul(answer(db, "SELECT count(*) FROM t INDEXED BY b WHERE v "
                                            ">= x''"),
                                 NULL, 10),
                         n, "%s", what);
            sqlite3_close(db);
            xr_buf_free(&file);
        }
        xr_sqlite_free(&table);
    }
}

Test(sqlite, a_row_of_any_length_comes_back)
{
    struct xr_sqlite_table table = new_table();
    struct xr_buf file = {0};
    size_t count = 0, lengths[600];
    unsigned char *data = xr_new(300000, 1);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    for (size_t i = 0; i < 300000; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t len = 0; len < 140; len++)
        lengths[count++] = len;
    /* Where a payload begins to overflow, in a table and in an index, and where one more page does. */
    for (size_t len = 995; len < 1010; len++)
        lengths[count++] = len;
    for (size_t page = 1; page < 4; page++) {
        for (size_t len = 4040; len < 4100; len++)
            lengths[count++] = page * 4092 + len - 4092;
        lengths[count++] = page * 99999;
    }
    for (size_t i = 0; i < count; i++) {
        struct xr_sqlite_value row[2] = {bytes(XR_SQLITE_TEXT, "abc", i % 4),
                                         bytes(XR_SQLITE_BLOB, data, lengths[i])};
        char key[32];

        row[0] = bytes(XR_SQLITE_TEXT, key, (size_t)snprintf(key, sizeof(key), "key %zu", i));
        xr_sqlite_add(&table, row);
    }
    xr_sqlite_write(&file, &table, 1);
    db = open_whole(&file, "lengths");
    stmt = ask(db, "SELECT v FROM t WHERE k = ?");
    for (size_t i = 0; i < count; i++) {
        char key[32];

        (void)snprintf(key, sizeof(key), "key %zu", i);
        sqlite3_bind_text(stmt, 1, key, -1, SQLITE_TRANSIENT);
        cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", key);
        cr_assert_eq((size_t)sqlite3_column_bytes(stmt, 0), lengths[i], "%s", key);
        cr_assert(lengths[i] == 0 || memcmp(sqlite3_column_blob(stmt, 0), data, lengths[i]) == 0,
                  "%s", key);
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    xr_buf_free(&file);
    xr_sqlite_free(&table);
    free(data);
}

Test(sqlite, values_of_all_kinds_come_back_and_are_in_order)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      2,
                                      127,
                                      128,
                                      -128,
                                      -129,
                                      32767,
                                      32768,
                                      -32769,
                                      8388607,
                                      8388608,
                                      -8388609,
                                      2147483647,
                                      2147483648,
                                      -2147483649,
                                      INT64_C(1) << 46,
                                      INT64_C(1) << 47,
                                      -(INT64_C(1) << 47) - 1,
                                      INT64_MAX,
                                      INT64_MIN};
    struct xr_sqlite_table table = new_table();
    struct xr_buf file = {0};
    size_t count = sizeof(numbers) / sizeof(numbers[0]);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    for (size_t i = 0; i < count; i++) {
        struct xr_sqlite_value row[2] = {integer(numbers[i]), integer(numbers[count - 1 - i])};

        xr_sqlite_add(&table, row);
    }
    for (size_t i = 0; i < 40; i++) {
        struct xr_sqlite_value row[2] = {bytes(i % 2 ? XR_SQLITE_TEXT : XR_SQLITE_BLOB,
                                               "aaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4", i % 26),
                                         {.kind = XR_SQLITE_NULL}};

        if (i % 26 == 25)
            row[0].bytes.len = 27;
        if (i < 26 * 2 && i >= 26)
            row[0].kind = i % 2 ? XR_SQLITE_BLOB : XR_SQLITE_TEXT;
        xr_sqlite_add(&table, row);
    }
    xr_sqlite_write(&file, &table, 1);
    db = open_whole(&file, "kinds");
    stmt = ask(db, "SELECT k FROM t NOT INDEXED WHERE typeof(k) = 'integer' ORDER BY rowid");
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
        cr_assert_eq(sqlite3_column_int64(stmt, 0), numbers[i], "%zu", i);
    }
    cr_assert_eq(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    cr_assert_str_eq(answer(db, "SELECT count(*) FROM t WHERE v IS NULL"), "40");
    sqlite3_close(db);
    xr_buf_free(&file);
    xr_sqlite_free(&table);
}

Test(sqlite, what_was_written_can_be_changed)
{
    struct xr_sqlite_table table = new_table();
    struct xr_buf file = {0};
    sqlite3 *db = NULL;
    unsigned char *copy = NULL;

    for (int64_t i = 0; i < 2000; i++) {
        struct xr_sqlite_value row[2] = {integer(i * 3), bytes(XR_SQLITE_TEXT, "value", 5)};

        xr_sqlite_add(&table, row);
    }
    xr_sqlite_write(&file, &table, 1);
    copy = sqlite3_malloc64(file.len);
    memcpy(copy, file.data, file.len);
    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_deserialize(db, "main", copy, (sqlite3_int64)file.len, (sqlite3_int64)file.len,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE),
        SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db,
                              "INSERT INTO t SELECT k + 1, hex(randomblob(50)) FROM t;"
                              "DELETE FROM t WHERE k % 2 = 0;"
                              "UPDATE t SET v = zeroblob(6000) WHERE k % 5 = 0;"
                              "ALTER TABLE t ADD COLUMN more",
                              NULL, NULL, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_neq(
        sqlite3_exec(db, "INSERT INTO t SELECT k, v, NULL FROM t LIMIT 1", NULL, NULL, NULL),
        SQLITE_OK, "keys are unique");
    cr_assert_str_eq(answer(db, "PRAGMA integrity_check"), "ok");
    cr_assert_str_eq(answer(db, "SELECT count(*) FROM t"), "2000");
    sqlite3_close(db);
    xr_buf_free(&file);
    xr_sqlite_free(&table);
}

/* ---- what proofs are made of ---- */

Test(nss_keys, hmac_is_that_of_rfc_4231)
{
    static const char *const cases[][3] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
         "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };
    unsigned char mac[XR_SHA256_LEN], key[131];
    char hex[2 * XR_SHA256_LEN + 1];
    static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";

    for (size_t i = 0; i < 2; i++) {
        xr_x509_hmac_sha256(
            mac, (struct xr_bytes){(const unsigned char *)cases[i][0], strlen(cases[i][0])},
            (struct xr_bytes){(const unsigned char *)cases[i][1], strlen(cases[i][1])});
        xr_hex(hex, mac, sizeof(mac));
        cr_assert_str_eq(hex, cases[i][2]);
    }
    memset(key, 0xaa, sizeof(key));
    xr_x509_hmac_sha256(mac, (struct xr_bytes){key, sizeof(key)},
                        (struct xr_bytes){(const unsigned char *)text, sizeof(text) - 1});
    xr_hex(hex, mac, sizeof(mac));
    cr_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* ---- databases ---- */

struct made {
    struct xr_format_files files;
    sqlite3 *certs, *keys;
};

static void make(struct made *out, struct xr_format_cert *const *certs, size_t count)
{
    const struct xr_output_options options = {.host = &xr_host};

    *out = (struct made){.certs = NULL};
    xr_output_format("nss", 3)->write(&out->files, certs, count, &options);
    cr_assert_eq(out->files.count, 2u);
    cr_assert_str_eq(out->files.items[0].name, "cert9.db");
    cr_assert_str_eq(out->files.items[1].name, "key4.db");
    out->certs = open_whole(&out->files.items[0].content, "cert9.db");
    out->keys = open_whole(&out->files.items[1].content, "key4.db");
}

static void made_free(struct made *made)
{
    sqlite3_close(made->certs);
    sqlite3_close(made->keys);
    xr_format_files_free(&made->files);
}

static struct pki_key *key;

static struct xr_cert *issue(const char *cn, const char *serial)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct pki_blob blob;
    struct xr_cert *cert = NULL;

    if (key == NULL)
        key = pki_key_new(PKI_EC);
    spec.serial = serial;
    cr_assert_eq(pki_issue(&blob, key, NULL, NULL, &spec), 0);
    cr_assert_eq(xr_cert_new(&cert, (struct xr_bytes){blob.data, blob.len}, NULL), XR_OK);
    pki_blob_free(&blob);
    return cert;
}

static struct xr_format_cert told(struct xr_cert *cert, const char *label, uint32_t trusted,
                                  uint32_t distrusted)
{
    return (struct xr_format_cert){.der = cert->der,
                                   .cert = cert,
                                   .label = label,
                                   .label_len = label != NULL ? strlen(label) : 0,
                                   .issuer = cert->d.slices.issuer,
                                   .serial = cert->d.slices.serial,
                                   .trusted = trusted,
                                   .distrusted = distrusted};
}

/* Server, client, e-mail, code of each trust object: a letter each, as certutil's. */
static const char *trusts(sqlite3 *db)
{
    return answer(db,
                  "SELECT group_concat(replace(replace(replace(replace(hex(ace536358) || "
                  "hex(ace536359) || hex(ace53635b) || hex(ace53635a), 'CE534352', 'C'), "
                  "'CE534353', '-'), 'CE53435A', 'p'), 'CE53435B', 'c') || (CASE WHEN ace5363b4 IS "
                  "NULL THEN '*' ELSE '' END), ' ') FROM nssPublic WHERE a0 = x'CE534353'");
}

Test(nss, trust_is_what_an_install_writes)
{
    static const struct {
        uint32_t trusted, distrusted;
        const char *is;
    } cases[] = {
        {0, 0, ""},
        {XR_SERVER, 0, "Cc--"},
        {XR_EMAIL, 0, "--C-"},
        {XR_CODE, 0, "---C"},
        {XR_CLIENT, 0, "-C--"},
        {XR_SERVER | XR_EMAIL, 0, "CcC-"},
        {XR_SERVER | XR_CLIENT, 0, "CC--"},
        {XR_ANY_PURPOSE, 0, "CCCC"},
        {0, XR_ANY_PURPOSE, "pppp"},
        {0, XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME, "pppp"},
        {XR_SERVER, XR_EMAIL, "Ccp-"},
        {XR_EMAIL, XR_SERVER, "p-C-"},
        {XR_SERVER, XR_CLIENT, "Cp--"},
        {XR_ANY_PURPOSE, XR_CODE, "CCCp"},
        {XR_TIME, 0, ""},
    };
    struct xr_cert *cert = issue("Root", "7");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xr_format_cert one = told(cert, "Root", cases[i].trusted, cases[i].distrusted),
                              *list[] = {&one};
        struct made made;

        make(&made, list, 1);
        cr_assert_str_eq(trusts(made.certs), cases[i].is, "%zu", i);
        cr_assert_str_eq(answer(made.certs, "SELECT count(*) FROM nssPublic WHERE a0 = "
                                            "x'00000001'"),
                         "1");
        made_free(&made);
    }
    xr_cert_free(cert);
}

Test(nss, one_issuer_and_serial_number_has_one_trust_that_is_the_least)
{
    struct xr_cert *a = issue("Twin", "9"), *b = issue("Twin", "9"), *c = issue("Other", "9");
    struct xr_format_cert first = told(a, "a", XR_SERVER | XR_EMAIL, 0),
                          second = told(b, "b", XR_SERVER, 0), other = told(c, "c", XR_CODE, 0),
                          serial = {.issuer = a->d.slices.issuer,
                                    .serial = a->d.slices.serial,
                                    .distrusted = XR_SERVER},
                          alone = {.issuer = c->d.slices.issuer,
                                   .serial = a->d.slices.issuer, /* any bytes */
                                   .distrusted = XR_ANY_PURPOSE};
    struct xr_format_cert *two[] = {&first, &other, &second},
                          *all[] = {&first, &alone, &second, &serial};
    struct made made;

    make(&made, two, 3);
    cr_assert_str_eq(trusts(made.certs), "Cc--* ---C");
    made_free(&made);
    make(&made, all, 4);
    cr_assert_str_eq(trusts(made.certs), "p---* pppp*");
    cr_assert_str_eq(answer(made.certs, "SELECT count(a11) FROM nssPublic"), "2");
    made_free(&made);
    xr_cert_free(a);
    xr_cert_free(b);
    xr_cert_free(c);
}

Test(nss, nicknames_are_unique_where_the_subject_differs)
{
    struct xr_cert *a = issue("A", "1"), *again = issue("A", "2"), *b = issue("B", "3"),
                   *c = issue("C", "4"), *d = issue("D", "5");
    char longest[600];
    struct xr_format_cert list[] = {told(a, "Name", 0, 0), told(again, "Name of another", 0, 0),
                                    told(b, "Name", 0, 0), told(c, NULL, 0, 0),
                                    told(d, NULL, 0, 0)};
    struct xr_format_cert *pointers[] = {&list[0], &list[1], &list[2], &list[3], &list[4]};
    struct made made;

    /* Hostile, and cut inside of a character. */
    (void)snprintf(longest, sizeof(longest), "to:ken\n\033[31m\xe2\x80\xae");
    for (size_t i = strlen(longest); i + 3 < sizeof(longest); i += 2)
        (void)snprintf(longest + i, 3, "\xc3\xa4");
    list[4].label = longest;
    list[4].label_len = strlen(longest);
    make(&made, pointers, 5);
    cr_assert_str_eq(answer(made.certs, "SELECT group_concat(CAST(a3 AS TEXT), '|') FROM (SELECT "
                                        "* FROM nssPublic ORDER BY id LIMIT 4)"),
                     "Name|Name|Name #2|C");
    cr_assert_str_eq(answer(made.certs,
                            "SELECT substr(CAST(a3 AS TEXT), 1, 33) FROM nssPublic WHERE "
                            "id = 5"),
                     "to ken\\u{000A}\\u{001B}[31m\\u{202E");
    cr_assert_str_eq(answer(made.certs, "SELECT length(a3) <= 120 AND length(a3) > 115 AND "
                                        "hex(a3) LIKE '%C3A4' FROM nssPublic WHERE id = 5"),
                     "1");
    made_free(&made);
    xr_cert_free(a);
    xr_cert_free(again);
    xr_cert_free(b);
    xr_cert_free(c);
    xr_cert_free(d);
}

/* The password key and one proof, as sftkpwd.c derives them. */
static void password_key(unsigned char out[20], sqlite3 *keys)
{
    sqlite3_stmt *stmt = ask(keys, "SELECT item1, item2 FROM metaData WHERE id = 'password'");
    const unsigned char *item = NULL;
    unsigned char secret[32], plain[64];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0;

    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    cr_assert_eq(sqlite3_column_bytes(stmt, 0), 20);
    xr_x509_sha1(out, (struct xr_bytes){sqlite3_column_blob(stmt, 0), 20});
    item = sqlite3_column_blob(stmt, 1);
    cr_assert_eq(sqlite3_column_bytes(stmt, 1), 132);
    cr_assert_eq(
        PKCS5_PBKDF2_HMAC((const char *)out, 20, item + 35, 32, 1, EVP_sha256(), 32, secret), 1);
    cr_assert_eq(EVP_DecryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, secret, item + 98), 1);
    cr_assert_eq(EVP_DecryptUpdate(ctx, plain, &len, item + 116, 16), 1);
    cr_assert_eq(EVP_DecryptFinal_ex(ctx, plain + len, &rest), 1);
    cr_assert(len + rest == 14 && memcmp(plain, "password-check", 14) == 0);
    EVP_CIPHER_CTX_free(ctx);
    sqlite3_finalize(stmt);
}

Test(nss, each_attribute_of_trust_is_proven)
{
    static const char *const types[] = {"ce536358", "ce536359", "ce53635a", "ce53635b",
                                        "ce536360", "ce5363b4", "ce5363b5"};
    struct xr_cert *cert = issue("Root", "11");
    struct xr_format_cert one = told(cert, "Root", XR_SERVER, 0), *list[] = {&one};
    unsigned char pass[20];
    struct made made;

    make(&made, list, 1);
    password_key(pass, made.keys);
    cr_assert_str_eq(answer(made.keys, "SELECT count(*) FROM metaData"), "8");
    cr_assert_str_eq(answer(made.keys, "SELECT count(*) FROM nssPrivate"), "0");
    cr_assert_str_eq(answer(made.certs, "SELECT id FROM nssPublic WHERE a0 = x'CE534353'"), "2");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char sql[128];
        unsigned char said[64] = {0, 0, 0, 2}, secret[32], mac[32];
        unsigned len = 0;
        sqlite3_stmt *value = NULL, *proof = NULL;
        const unsigned char *item = NULL;

        (void)snprintf(sql, sizeof(sql), "SELECT a%s FROM nssPublic WHERE id = 2", types[i]);
        value = ask(made.certs, sql);
        cr_assert_eq(sqlite3_step(value), SQLITE_ROW);
        (void)snprintf(sql, sizeof(sql),
                       "SELECT item1 FROM metaData WHERE id = 'sig_cert_00000002_%s' AND item2 IS "
                       "NULL",
                       types[i]);
        proof = ask(made.keys, sql);
        cr_assert_eq(sqlite3_step(proof), SQLITE_ROW, "%s", types[i]);
        cr_assert_eq(sqlite3_column_bytes(proof, 0), 131);
        item = sqlite3_column_blob(proof, 0);
        cr_assert(xr_unhex(said + 4, 4, types[i]));
        memcpy(said + 8, sqlite3_column_blob(value, 0), (size_t)sqlite3_column_bytes(value, 0));
        cr_assert_eq(
            PKCS5_PBKDF2_HMAC((const char *)pass, 20, item + 35, 32, 1, EVP_sha256(), 32, secret),
            1);
        cr_assert_not_null(HMAC(EVP_sha256(), secret, 32, said,
                                8 + (size_t)sqlite3_column_bytes(value, 0), mac, &len));
        cr_assert(memcmp(mac, item + 99, 32) == 0, "%s", types[i]);
        sqlite3_finalize(value);
        sqlite3_finalize(proof);
    }
    made_free(&made);
    xr_cert_free(cert);
}

Test(nss, the_same_list_gives_the_same_bytes_and_another_one_other_salts)
{
    struct xr_cert *a = issue("A", "1"), *b = issue("B", "2");
    struct xr_format_cert first = told(a, "A", XR_SERVER, 0), second = told(b, "B", XR_SERVER, 0);
    struct xr_format_cert *both[] = {&first, &second};
    struct made one, again, fewer;
    char salt[64];

    make(&one, both, 2);
    make(&again, both, 2);
    make(&fewer, both, 1);
    for (size_t i = 0; i < 2; i++)
        cr_assert(one.files.items[i].content.len == again.files.items[i].content.len &&
                  memcmp(one.files.items[i].content.data, again.files.items[i].content.data,
                         one.files.items[i].content.len) == 0);
    (void)snprintf(salt, sizeof(salt), "%s",
                   answer(one.keys, "SELECT hex(item1) FROM metaData WHERE id = 'password'"));
    cr_assert_str_neq(answer(fewer.keys, "SELECT hex(item1) FROM metaData WHERE id = 'password'"),
                      salt);
    cr_assert_str_eq(answer(one.keys, "SELECT count(DISTINCT substr(item1, 36, 32)) FROM metaData"),
                     "15");
    made_free(&one);
    made_free(&again);
    made_free(&fewer);
    xr_cert_free(a);
    xr_cert_free(b);
}

Test(nss, nothing_is_a_database_too)
{
    struct made made;

    make(&made, NULL, 0);
    cr_assert_str_eq(answer(made.certs, "SELECT count(*) FROM nssPublic"), "0");
    made_free(&made);
}
