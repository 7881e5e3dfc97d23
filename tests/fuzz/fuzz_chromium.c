/* SPDX-License-Identifier: Apache-2.0 */
/* A ServerCertificate of a profile (chromium.h), any bytes as that file: is each item a certificate, and
 * is a reason given where not all was read. */
#include "../../backends/chromium/chromium.h"

#include "fuzz.h"
#include "kit/der.h"
#include "stores/registry.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int dir = -1;
    static char *path;
    struct chromium_view view = {0};
    struct xr_error err = {0};

    if (dir < 0) {
        dir = open(fuzz_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(dir >= 0);
        path = xr_format("%s/" CHROMIUM_FILE, fuzz_directory());
    }
    fuzz_write(path, (struct xr_bytes){data, size});
    if (chromium_load(&view, &xr_host, dir, "/profile", &err) == XR_OK) {
        CHECK(view.there);
        CHECK(!view.incomplete || view.problem[0] != '\0');
    } else {
        CHECK(err.text[0] != '\0'); /* may quote the file */
    }
    CHECK_TEXT(view.problem);
    for (size_t i = 0; i < view.count; i++) {
        struct xr_der_cert cert;

        CHECK(xr_der_cert(&cert, view.items[i].der, NULL) == XR_OK);
        CHECK(view.items[i].permitted_dns_count == view.rows[i].dns.count);
    }
    chromium_view_free(&view);
    return 0;
}

static void run(sqlite3 *db, const char *text)
{
    CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static void insert(sqlite3 *db, const struct pki_blob *cert, const void *settings, size_t len)
{
    sqlite3_stmt *s = NULL;
    char key[65];

    CHECK(pki_fingerprint(key, sizeof(key), "SHA256", cert) == 0);
    CHECK(sqlite3_prepare_v2(db, "INSERT INTO certificates VALUES(?,?,?)", -1, &s, NULL) ==
          SQLITE_OK);
    (void)sqlite3_bind_text(s, 1, key, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 2, cert->data, (int)cert->len, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 3, settings, (int)len, SQLITE_TRANSIENT);
    CHECK(sqlite3_step(s) == SQLITE_DONE);
    (void)sqlite3_finalize(s);
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();

    for (int rows = 0; rows < 4; rows++) {
        sqlite3 *db = NULL;
        sqlite3_int64 len = 0;
        unsigned char *file = NULL;

        CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
        run(db, "PRAGMA page_size=512");
        run(db,
            "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)");
        run(db, "INSERT INTO meta VALUES('mmap_status','-1'),('version','1'),"
                "('last_compatible_version','1')");
        run(db, "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL,"
                "trust_settings BLOB NOT NULL)");
        if (rows > 0)
            insert(db, &f->certs[FUZZ_ROOT], "\x0a\x02\x08\x03", 4);
        if (rows > 1)
            insert(db, &f->certs[FUZZ_ROOT2], "\x0a\x02\x08\x02", 4);
        if (rows > 2)
            insert(db, &f->certs[FUZZ_LEAF],
                   "\x0a\x02\x08\x03\x12\x05\x0a\x03"
                   "a.b",
                   11);
        file = sqlite3_serialize(db, "main", &len, 0);
        CHECK(file != NULL);
        fuzz_seed(corpus, file, (size_t)len);
        sqlite3_free(file);
        CHECK(sqlite3_close(db) == SQLITE_OK);
    }
}
