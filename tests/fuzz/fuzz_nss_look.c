/* SPDX-License-Identifier: Apache-2.0 */
/* A cert9.db and a key4.db, any bytes as these files: what is accepted is what SQLite finds there, in its
 * order and by the index of ids, as softoken reads it. */
#include "../../backends/nss/look.h"

#include "fuzz.h"
#include "stores/registry.h"

#include <sqlite3.h>
#include <stdlib.h>

static sqlite3 *open_bytes(struct xr_bytes file)
{
    sqlite3 *db = NULL;

    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    CHECK(sqlite3_deserialize(db, "main", (unsigned char *)(uintptr_t)file.data,
                              (sqlite3_int64)file.len, (sqlite3_int64)file.len,
                              SQLITE_DESERIALIZE_READONLY) == SQLITE_OK);
    return db;
}

static void check_value(sqlite3 *db, int64_t id, const struct p11_object *object,
                        unsigned long type)
{
    char *sql = xr_format("SELECT DISTINCT a%lx FROM nssPublic where id=$ID LIMIT 1;", type);
    struct xr_bytes value = p11_get(object, type);
    sqlite3_stmt *s = NULL;
    const void *blob = NULL;
    size_t len = 0;

    CHECK(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK || !p11_has(object, type));
    free(sql);
    if (s == NULL)
        return;
    CHECK(sqlite3_bind_int64(s, 1, id) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW);
    blob = sqlite3_column_blob(s, 0);
    len = (size_t)sqlite3_column_bytes(s, 0);
    CHECK(p11_has(object, type) == (blob != NULL));
    CHECK(blob == NULL || (len == value.len && memcmp(blob, value.data, len) == 0) ||
          (value.len == 0 && len == 3 && memcmp(blob, "\xa5\x00\x5a", 3) == 0));
    (void)sqlite3_finalize(s);
}

static void check_kind(sqlite3 *db, const struct p11_objects *objects, unsigned long kind,
                       const unsigned long *types, size_t count)
{
    const unsigned char class[] = {(unsigned char)(kind >> 24), (unsigned char)(kind >> 16),
                                   (unsigned char)(kind >> 8), (unsigned char)kind};
    sqlite3_stmt *s = NULL;

    CHECK(sqlite3_prepare_v2(db, "SELECT ALL id FROM nssPublic WHERE a0=$DATA0;", -1, &s, NULL) ==
          SQLITE_OK);
    (void)sqlite3_bind_blob(s, 1, class, sizeof(class), SQLITE_STATIC);
    for (size_t i = 0; i < objects->count; i++) {
        if (objects->items[i].kind != kind)
            continue;
        CHECK(sqlite3_step(s) == SQLITE_ROW);
        for (size_t k = 0; k < count; k++)
            check_value(db, sqlite3_column_int(s, 0), &objects->items[i], types[k]);
    }
    CHECK(sqlite3_step(s) == SQLITE_DONE);
    (void)sqlite3_finalize(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned long cert[] = {CKA_VALUE, CKA_LABEL, CKA_ID, NSS_CKA_EMAIL},
                               trust[] = {CKA_ISSUER, CKA_SERIAL_NUMBER, NSS_CKA_SHA1, NSS_CKA_MD5},
                               crl[] = {CKA_VALUE, CKA_LABEL, NSS_CKA_URL, NSS_CKA_KRL};
    struct xr_bytes rest = {data, size}, part = {0};
    struct btree_file cert9, key4;
    struct p11_objects objects = {0};
    unsigned char *first = NULL, *second = NULL;
    bool good = fuzz_part(&part, &rest), keyless = rest.len == 0;

    first = xr_memdup(part.data, part.len);
    second = xr_memdup(rest.data, rest.len);
    good = btree_open(&cert9, first, part.len, -1) && good;
    good = (btree_open(&key4, second, rest.len, -1) || keyless) && good;
    if (good && nss_look_read(&objects, &xr_host, &cert9, keyless ? NULL : &key4)) {
        sqlite3 *db = open_bytes(part);

        /* a column that an old database has not makes no statement */
        if (sqlite3_exec(db, "SELECT a0 FROM nssPublic LIMIT 0", NULL, NULL, NULL) == SQLITE_OK) {
            check_kind(db, &objects, CKO_CERTIFICATE, cert, 4);
            check_kind(db, &objects, NSS_CKO_TRUST, trust, 4);
            check_kind(db, &objects, NSS_CKO_CRL, crl, 4);
        } else {
            CHECK(objects.count == 0);
        }
        (void)sqlite3_close(db);
    } else {
        CHECK(objects.count == 0);
    }
    p11_objects_free(&objects);
    btree_close(&cert9);
    btree_close(&key4);
    free(first);
    free(second);
    return 0;
}

/* ---- seeds ---- */

static void run(sqlite3 *db, const char *text)
{
    CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

#define INDEXES(table)                          \
    "CREATE INDEX issuer ON " table " (a81);"   \
    "CREATE INDEX subject ON " table " (a101);" \
    "CREATE INDEX label ON " table " (a3);"     \
    "CREATE INDEX ckaid ON " table " (a102);"

/* What certutil -N writes for an empty password. */
#define PASSWORD                                                                                \
    "x'53c48abad2d74af450dedabe2bb1c5e720cccd95', "                                             \
    "x'308181306d06092a864886f70d01050d3060304106092a864886f70d01050c30340420d38eb5174c6bb7fa"  \
    "576265774bed3136d3dc5aba38e047b62d2c34b9199ae8eb020101020120300a06082a864886f70d0209301b0" \
    "60960864801650304012a040e5ea3607c6355762d31c5fad5949c0410"                                 \
    "e9e04d85a5bb50829ecd4b8c36faabfb'"

static void make_cert9(struct xr_buf *out, const struct fuzz_fixtures *f, int rows)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    sqlite3_int64 len = 0;
    unsigned char *file = NULL;

    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    run(db, "PRAGMA page_size=512");
    run(db,
        "CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a3, a11, a81, a82, "
        "a101, a102, ace534351, ace534352, ace534358, ace536358, ace536359, ace53635a, ace53635b, "
        "ace536360, ace5363b4, ace5363b5)");
    run(db, INDEXES("nssPublic"));
    CHECK(sqlite3_prepare_v2(db,
                             "INSERT INTO nssPublic (id, a0, a3, a11) VALUES(?, x'00000001', ?, ?)",
                             -1, &s, NULL) == SQLITE_OK);
    for (int i = 0; i < rows; i++) {
        const struct pki_blob *cert = &f->certs[i % FUZZ_CERTS];

        (void)sqlite3_bind_int(s, 1, 1000 - i * 7);
        (void)sqlite3_bind_blob(s, 2, i % 2 == 0 ? "name" : "\xa5\x00\x5a", i % 2 == 0 ? 4 : 3,
                                SQLITE_STATIC);
        (void)sqlite3_bind_blob(s, 3, cert->data, (int)cert->len, SQLITE_STATIC);
        CHECK(sqlite3_step(s) == SQLITE_DONE);
        (void)sqlite3_reset(s);
    }
    (void)sqlite3_finalize(s);
    if (rows > 0)
        run(db,
            "INSERT INTO nssPublic (id, a0, a81, a82, ace536358, ace536359, ace5363b4, ace536360) "
            "VALUES(5, x'ce534353', x'30', x'02', x'ce534352', x'ce534353', x'0102', x'00');"
            "INSERT INTO nssPublic (id, a0, a11, ace534351) VALUES(6, x'ce534351', x'30', x'a5005a')");
    file = sqlite3_serialize(db, "main", &len, 0);
    CHECK(file != NULL);
    xr_buf_add(out, file, (size_t)len);
    sqlite3_free(file);
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

static void make_key4(struct xr_buf *out, const char *rows)
{
    sqlite3 *db = NULL;
    sqlite3_int64 len = 0;
    unsigned char *file = NULL;

    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    run(db, "PRAGMA page_size=512");
    run(db,
        "CREATE TABLE nssPrivate (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a3, a81, a101, a102)");
    run(db, INDEXES("nssPrivate"));
    run(db, "CREATE TABLE metaData (id PRIMARY KEY UNIQUE ON CONFLICT REPLACE, item1, item2)");
    run(db, rows);
    file = sqlite3_serialize(db, "main", &len, 0);
    CHECK(file != NULL);
    xr_buf_add(out, file, (size_t)len);
    sqlite3_free(file);
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const keys[] = {
        NULL,
        "SELECT 1",
        "INSERT INTO metaData VALUES('password', " PASSWORD ")",
        "INSERT INTO metaData (id, item1) VALUES('sig_cert_00000005_ce536358', x'00'), ('b', x'01')",
    };

    for (int rows = 0; rows < 30; rows += rows < 2 ? 1 : 9) {
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            struct xr_buf cert9 = {0}, seed = {0};

            make_cert9(&cert9, fuzz_fixtures(), rows);
            fuzz_put_part(&seed, cert9.data, cert9.len);
            if (keys[k] != NULL)
                make_key4(&seed, keys[k]);
            fuzz_seed_buf(corpus, &seed);
            xr_buf_free(&cert9);
        }
    }
}
