/* SPDX-License-Identifier: Apache-2.0 */
/* Chromium's ServerCertificate, as the browser makes it and in every other state. */
#include "../../backends/chromium/chromium.h"

#include "pki.h"
#include "stores/store.h"
#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define META                                                                             \
    "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);" \
    "INSERT INTO meta VALUES('mmap_status','-1'),('version','1'),('last_compatible_version','1');"
#define CERTIFICATES                                                                    \
    "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL," \
    "trust_settings BLOB NOT NULL);"

static char top[64];
static int dir = -1;
static struct pki_blob root, leaf;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void begin(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Root", 1700000000);
    struct pki_spec server = pki_spec_leaf("localhost", 1700000000);

    cr_assert_eq(pki_issue(&root, key, NULL, NULL, &spec), 0);
    cr_assert_eq(pki_issue(&leaf, key, NULL, NULL, &server), 0);
    pki_key_free(key);
    (void)strcpy(top, "/tmp/xr-chromium-XXXXXX");
    cr_assert_not_null(mkdtemp(top));
    dir = open(top, O_PATH | O_DIRECTORY);
    cr_assert(dir >= 0);
    (void)alarm(100);
}

static void end(void)
{
    (void)close(dir);
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    pki_blob_free(&root);
    pki_blob_free(&leaf);
}

TestSuite(chromium, .init = begin, .fini = end);

static char *at(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", top, name);
    return path;
}

static sqlite3 *open_db(void)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(at("ServerCertificate"), &db), SQLITE_OK);
    return db;
}

static void sql(const char *text)
{
    sqlite3 *db = open_db();
    char *problem = NULL;

    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, &problem), SQLITE_OK, "%s: %s", text, problem);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

/* A row; key NULL: the right one. settings in hex. */
static void insert(const char *key, const struct pki_blob *der, const char *settings)
{
    sqlite3 *db = open_db();
    sqlite3_stmt *s = NULL;
    char right[65];
    unsigned char bytes[256];
    size_t len = strlen(settings) / 2;

    cr_assert_eq(pki_fingerprint(right, sizeof(right), "SHA256", der), 0);
    cr_assert(xr_unhex(bytes, len, settings));
    cr_assert_eq(sqlite3_prepare_v2(db, "INSERT INTO certificates VALUES(?,?,?)", -1, &s, NULL),
                 SQLITE_OK);
    (void)sqlite3_bind_text(s, 1, key ? key : right, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 2, der->data, (int)der->len, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 3, bytes, (int)len, SQLITE_TRANSIENT);
    cr_assert_eq(sqlite3_step(s), SQLITE_DONE, "%s", sqlite3_errmsg(db));
    (void)sqlite3_finalize(s);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

static void usual(void)
{
    sql(META CERTIFICATES);
    insert(NULL, &root, "0a020803");
}

static void put(const char *name, const void *data, size_t len)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    cr_assert(fd >= 0 && xr_sys_write_all(fd, data, len) && close(fd) == 0);
}

/* The names in the directory, and what the files are: nothing may change by reading. */
static void fingerprint(char out[65])
{
    struct xr_strings names = {0};
    struct xr_buf all = {0};
    struct stat st;
    struct pki_blob blob;

    cr_assert(xr_dir_names(&names, dir, 100));
    for (size_t i = 0; i < names.count; i++) {
        int fd = openat(dir, names.items[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

        cr_assert_eq(fstatat(dir, names.items[i], &st, AT_SYMLINK_NOFOLLOW), 0);
        xr_buf_fmt(&all, "%s %o %ld %ld %lu.%lu\n", names.items[i], st.st_mode, (long)st.st_ino,
                   (long)st.st_size, (unsigned long)st.st_mtim.tv_sec,
                   (unsigned long)st.st_mtim.tv_nsec);
        if (fd >= 0)
            (void)xr_read_whole(&all, fd, 1u << 30);
        (void)close(fd);
    }
    blob = (struct pki_blob){(unsigned char *)all.data, all.len};
    cr_assert_eq(pki_fingerprint(out, 65, "SHA256", &blob), 0);
    xr_buf_free(&all);
    xr_strings_free(&names);
}

static enum xr_status load(struct chromium_view *view, struct xr_error *err)
{
    *view = (struct chromium_view){0};
    return chromium_load(view, &xr_host, dir, "/p", err);
}

static enum xr_status load_unchanged(struct chromium_view *view, struct xr_error *err)
{
    char before[65], after[65];
    enum xr_status status = XR_OK;

    fingerprint(before);
    status = load(view, err);
    fingerprint(after);
    cr_assert_str_eq(before, after, "reading changed a file");
    return status;
}

static void expect_status(enum xr_status wanted, const char *text)
{
    struct chromium_view view;
    struct xr_error err = {0};
    enum xr_status status = load(&view, &err);

    cr_assert_eq(status, wanted, "%d: %s", (int)status, err.text);
    cr_assert(strstr(err.text, text) != NULL, "%s", err.text);
    chromium_view_free(&view);
}

/* What is there is not all, and is said to be so; count items are known. */
static void expect_incomplete(size_t count, const char *text)
{
    struct chromium_view view;
    struct xr_error err = {0};
    enum xr_status status = load_unchanged(&view, &err);

    cr_assert_eq(status, XR_OK, "%s", err.text);
    cr_assert(view.there && view.incomplete);
    cr_assert(strstr(view.problem, text) != NULL, "%s", view.problem);
    cr_assert_eq(view.count, count, "%zu", view.count);
    chromium_view_free(&view);
}

static void expect_complete(size_t count)
{
    struct chromium_view view;
    struct xr_error err = {0};
    enum xr_status status = load_unchanged(&view, &err);

    cr_assert_eq(status, XR_OK, "%s", err.text);
    cr_assert(view.there && !view.incomplete, "%s", view.problem);
    cr_assert_eq(view.count, count, "%zu", view.count);
    chromium_view_free(&view);
}

/* ---- as it is ---- */

Test(chromium, a_profile_without_the_file_has_nothing)
{
    struct chromium_view view;
    struct xr_error err = {0};

    cr_assert_eq(load_unchanged(&view, &err), XR_OK);
    cr_assert(!view.there && !view.incomplete && view.count == 0);
    chromium_view_free(&view);
}

Test(chromium, each_kind_of_row_becomes_what_the_browser_makes_of_it)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Two", 1700000000);
    struct pki_blob two = {0}, three = {0};
    struct chromium_view view;
    struct xr_error err = {0};

    cr_assert_eq(pki_issue(&two, key, NULL, NULL, &spec), 0);
    spec.bare = true; /* says nothing of being a CA, so Chromium takes it for one */
    cr_assert_eq(pki_issue(&three, key, NULL, NULL, &spec), 0);
    sql(META CERTIFICATES);
    insert(NULL, &root, "0a020801");
    insert(NULL, &two, "0a020802");
    insert(NULL, &leaf, "0a020803");
    insert(NULL, &three, "0a020803120d0a01781a080a04c63364001018");
    cr_assert_eq(load_unchanged(&view, &err), XR_OK, "%s", err.text);
    cr_assert(view.there && !view.incomplete, "%s", view.problem);
    cr_assert_eq(view.count, 4);
    cr_assert_eq(view.items[0].trust, XR_BROWSER_HINT);
    cr_assert(view.items[0].size == sizeof(view.items[0]) && view.items[0].der.len == root.len &&
              memcmp(view.items[0].der.data, root.data, root.len) == 0);
    cr_assert_str_eq(view.items[0].source, "/p/ServerCertificate");
    cr_assert_eq(view.items[1].trust, XR_BROWSER_DISTRUST_KEY);
    cr_assert(view.items[2].trust == XR_BROWSER_ANCHOR && view.rows[2].peer);
    cr_assert(view.items[3].trust == XR_BROWSER_ANCHOR && !view.rows[3].peer);
    cr_assert_eq(view.items[3].permitted_dns_count, 1);
    cr_assert_str_eq(view.items[3].permitted_dns[0], "x");
    cr_assert_eq(view.items[3].permitted_cidrs_count, 1);
    cr_assert_str_eq(view.items[3].permitted_cidrs[0], "198.51.100.0/24");
    cr_assert(view.rows[3].metadata.len == 19 && !view.rows[3].misnamed);
    chromium_view_free(&view);
    pki_blob_free(&two);
    pki_blob_free(&three);
    pki_key_free(key);
}

/* Chromium blocks or uses such a certificate whatever limits stand there. */
Test(chromium, limits_of_what_is_no_anchor_do_not_count)
{
    struct chromium_view view;

    sql(META CERTIFICATES);
    insert(NULL, &root, "0a02080212030a0178");
    cr_assert_eq(load(&view, NULL), XR_OK);
    cr_assert(view.count == 1 && view.items[0].permitted_dns_count == 0 && !view.incomplete);
    chromium_view_free(&view);
}

/* It takes the certificate itself; only its certificate manager goes by the key. */
Test(chromium, a_row_whose_key_is_another_hash_counts_as_its_certificate)
{
    struct chromium_view view;

    sql(META CERTIFICATES);
    insert("0000", &root, "0a020803");
    insert(NULL, &leaf, "0a020802");
    cr_assert_eq(load(&view, NULL), XR_OK);
    cr_assert(view.count == 2 && !view.incomplete);
    cr_assert(view.rows[0].misnamed && !view.rows[1].misnamed);
    cr_assert_str_eq(view.rows[0].key, "0000");
    cr_assert_eq(view.items[0].der.len, root.len);
    chromium_view_free(&view);
}

Test(chromium, an_empty_file_is_one_that_is_just_made)
{
    put("ServerCertificate", "", 0);
    expect_complete(0);
}

Test(chromium, a_database_without_rows_is_complete)
{
    sql(META CERTIFICATES);
    expect_complete(0);
}

Test(chromium, a_database_with_meta_alone_is_one_that_has_no_certificates_yet)
{
    struct chromium_view view;

    sql(META);
    expect_complete(0);
    cr_assert_eq(load(&view, NULL), XR_OK);
    cr_assert(view.tableless);
    chromium_view_free(&view);
}

Test(chromium, other_encodings_page_sizes_and_free_pages_are_no_obstacle)
{
    static const char *const forms[] = {
        "PRAGMA encoding='UTF-16le';", "PRAGMA encoding='UTF-16be';",
        "PRAGMA page_size=512;",       "PRAGMA page_size=65536;",
        "PRAGMA auto_vacuum=FULL;",    "PRAGMA auto_vacuum=INCREMENTAL;"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char *text = xr_format("%s %s", forms[i], META CERTIFICATES);

        sql(text);
        insert(NULL, &root, "0a020803");
        insert(NULL, &leaf, "0a020803");
        sql("DELETE FROM certificates WHERE rowid = 1");
        expect_complete(1);
        cr_assert_eq(unlink(at("ServerCertificate")), 0);
        free(text);
    }
}

/* ---- rows and versions that are not known ---- */

Test(chromium, a_row_that_is_not_known_is_said_and_the_others_are_read)
{
    static const char *const settings[] = {"", "0a020804", "0a0208031801", "0a0208"};

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        usual();
        insert(NULL, &leaf, settings[i]);
        expect_incomplete(1, "row that is not known");
        cr_assert_eq(unlink(at("ServerCertificate")), 0);
    }
}

/* It may be another certificate's than its key says: both are to be left alone. */
Test(chromium, a_row_that_is_not_known_is_kept_with_its_key_and_certificate)
{
    struct chromium_view view;
    unsigned char hash[XR_SHA256_LEN];

    usual();
    insert("key", &leaf, "0a0208031801");
    cr_assert_eq(load(&view, NULL), XR_OK);
    xr_host.sha256(hash, (struct xr_bytes){leaf.data, leaf.len});
    cr_assert_eq(view.strangers.count, 1);
    cr_assert_str_eq(view.strangers.items[0].key, "key");
    cr_assert_eq(memcmp(view.strangers.items[0].sha256, hash, sizeof(hash)), 0);
    cr_assert_str_eq(view.fixed, "");
    chromium_view_free(&view);
}

Test(chromium, a_row_that_could_not_be_made_again_is_odd)
{
    static const char *const changes[] = {
        "UPDATE certificates SET der_cert = CAST(der_cert AS TEXT)",
        "UPDATE certificates SET trust_settings = CAST(trust_settings AS TEXT)",
        "UPDATE certificates SET sha256hash_hex = CAST(sha256hash_hex AS BLOB)",
        "UPDATE certificates SET sha256hash_hex = 'a' || char(0) || 'b'"};
    struct chromium_view view;

    usual();
    cr_assert_eq(load(&view, NULL), XR_OK);
    cr_assert(view.count == 1 && !view.rows[0].odd);
    chromium_view_free(&view);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        cr_assert_eq(unlink(at("ServerCertificate")), 0);
        usual();
        sql(changes[i]);
        cr_assert_eq(load(&view, NULL), XR_OK);
        cr_assert(view.count == 1 && view.rows[0].odd, "%s", changes[i]);
        chromium_view_free(&view);
    }
}

static void expect_fixed(const char *text)
{
    struct chromium_view view;
    struct xr_error err = {0};

    cr_assert_eq(load(&view, &err), XR_OK, "%s", err.text);
    cr_assert(strstr(view.fixed, text) != NULL, "%s", view.fixed);
    chromium_view_free(&view);
}

Test(chromium, what_chromium_would_not_make_is_not_to_be_changed)
{
    static const struct {
        const char *sql, *why;
    } forms[] = {
        {"UPDATE meta SET value=2 WHERE key='version'", "version 2"},
        {"DELETE FROM meta", "says no version"},
        {"ALTER TABLE certificates ADD COLUMN new TEXT", "table certificates of an unknown form"},
        {"CREATE TRIGGER t BEFORE INSERT ON certificates BEGIN DELETE FROM certificates; END",
         "has triggers"},
        {"PRAGMA journal_mode=WAL", "a log beside it"},
    };

    usual();
    expect_fixed("");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        cr_assert_eq(unlink(at("ServerCertificate")), 0);
        usual();
        sql(forms[i].sql);
        expect_fixed(forms[i].why);
    }
    cr_assert_eq(unlink(at("ServerCertificate")), 0);
    sql("PRAGMA encoding='UTF-16le';" META CERTIFICATES);
    expect_fixed("is in an encoding");
}

Test(chromium, a_row_without_a_certificate_is_not_known)
{
    struct pki_blob junk = {(unsigned char *)(uintptr_t) "junk", 4},
                    cut = {leaf.data, leaf.len - 1};

    usual();
    insert("1", &junk, "0a020803");
    expect_incomplete(1, "it is not a certificate");
    sql("DELETE FROM certificates WHERE sha256hash_hex='1'");
    insert("2", &cut, "0a020803");
    expect_incomplete(1, "it is not a certificate");
    sql("UPDATE certificates SET der_cert=zeroblob(3000000) WHERE sha256hash_hex='2'");
    expect_incomplete(1, "it is not a certificate");
    sql("UPDATE certificates SET der_cert=17 WHERE sha256hash_hex='2'");
    expect_incomplete(1, "unknown form");
}

Test(chromium, a_later_version_that_ours_may_read_is_read_and_said)
{
    usual();
    sql("UPDATE meta SET value=2 WHERE key='version'");
    expect_incomplete(1, "version 2");
}

Test(chromium, a_version_that_ours_may_not_read_is_not_read)
{
    usual();
    sql("UPDATE meta SET value=2 WHERE key LIKE '%version'");
    expect_incomplete(0, "version 2");
    sql("UPDATE meta SET value=0 WHERE key LIKE '%version'");
    expect_incomplete(0, "version 0");
    sql("UPDATE meta SET value='x' WHERE key LIKE '%version'");
    expect_incomplete(0, "version 0");
}

Test(chromium, a_database_that_says_no_version_is_not_read)
{
    usual();
    sql("DELETE FROM meta WHERE key='last_compatible_version'");
    expect_incomplete(0, "says no version");
    sql("DROP TABLE meta");
    expect_incomplete(0, "says no version");
}

Test(chromium, one_more_column_is_said)
{
    usual();
    sql("ALTER TABLE certificates ADD COLUMN new TEXT");
    expect_incomplete(1, "table certificates of an unknown form");
}

Test(chromium, a_table_without_one_of_the_columns_is_not_read)
{
    sql(META "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY, der_cert BLOB NOT NULL)");
    expect_incomplete(0, "table certificates of an unknown form");
}

/* ---- a schema that is made to harm ---- */

Test(chromium, what_is_not_a_plain_table_is_never_asked)
{
    static const char *const schemas[] = {
        META
        "CREATE VIEW certificates AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM "
        "c) SELECT x AS sha256hash_hex, x AS der_cert, x AS trust_settings FROM c",
        META
        "CREATE VIRTUAL TABLE certificates USING fts5(sha256hash_hex, der_cert, trust_settings)",
        META "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY, der_cert BLOB AS "
             "(zeroblob(100000000)), trust_settings BLOB);"
             "INSERT INTO certificates(sha256hash_hex) VALUES(1)",
    };

    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        sql(schemas[i]);
        expect_incomplete(0, "table certificates of an unknown form");
        cr_assert_eq(unlink(at("ServerCertificate")), 0);
    }
    sql("CREATE VIEW meta AS SELECT 'version' AS key, 1 AS value;" CERTIFICATES);
    expect_incomplete(0, "table meta of an unknown form");
}

Test(chromium, triggers_and_tables_of_others_do_not_matter)
{
    usual();
    sql("CREATE TABLE others(x); CREATE INDEX i ON certificates(der_cert);"
        "CREATE TRIGGER t BEFORE INSERT ON certificates BEGIN DELETE FROM certificates; END;"
        "CREATE VIEW v AS SELECT * FROM certificates");
    expect_complete(1);
}

/* A table that the schema calls one, and that is none. */
Test(chromium, a_schema_that_was_written_by_hand_is_not_believed)
{
    usual();
    sql("PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE certificates "
        "USING fts5(sha256hash_hex,der_cert,trust_settings)' WHERE name='certificates'");
    {
        struct chromium_view view;
        struct xr_error err = {0};
        enum xr_status status = load_unchanged(&view, &err);

        cr_assert(status == XR_INVALID || (status == XR_OK && view.incomplete));
        cr_assert_eq(view.count, 0);
        chromium_view_free(&view);
    }
}

Test(chromium, what_is_no_database_is_said)
{
    put("ServerCertificate", "junk", 4);
    expect_status(XR_INVALID, "is damaged: file is not a database");
    put("ServerCertificate", "SQLite format 3", 16);
    expect_status(XR_INVALID, "is damaged");
}

Test(chromium, any_cut_of_a_database_is_damaged_or_whole)
{
    struct stat st;

    usual();
    insert(NULL, &leaf, "0a020803");
    cr_assert_eq(stat(at("ServerCertificate"), &st), 0);
    for (off_t len = st.st_size - 1; len > 0; len -= 509) {
        struct chromium_view view;
        enum xr_status status = XR_OK;

        cr_assert_eq(truncate(at("ServerCertificate"), len), 0);
        status = load(&view, NULL);
        /* The last page is none of the rows': SQLite does not look at it. */
        cr_assert(status == XR_INVALID || (status == XR_OK && (view.incomplete || view.count == 2)),
                  "%ld: %d, %zu", (long)len, (int)status, view.count);
        chromium_view_free(&view);
    }
}

/* Any byte of it may be another: an answer comes, whichever. */
Test(chromium, any_damage_gets_an_answer)
{
    struct stat st;
    uint32_t seed = 7;

    usual();
    insert(NULL, &leaf, "0a02080312030a0178");
    cr_assert_eq(stat(at("ServerCertificate"), &st), 0);
    for (unsigned i = 0; i < 4000; i++) {
        struct chromium_view view;
        unsigned char was = 0, now = 0;
        size_t where = 0;
        int fd = open(at("ServerCertificate"), O_RDWR);

        seed = seed * 1664525u + 1013904223u;
        where = (seed >> 8) % (size_t)st.st_size;
        if (i % 2 == 0)
            where %= 200; /* the header, and the first page's */
        seed = seed * 1664525u + 1013904223u;
        now = (unsigned char)(seed >> 24);
        cr_assert(fd >= 0 && pread(fd, &was, 1, (off_t)where) == 1);
        cr_assert_eq(pwrite(fd, &now, 1, (off_t)where), 1);
        (void)load(&view, NULL);
        cr_assert(view.count <= 2);
        chromium_view_free(&view);
        cr_assert(pwrite(fd, &was, 1, (off_t)where) == 1 && close(fd) == 0);
    }
    expect_complete(2);
}

/* Length of a varint of SQLite's. */
static size_t varint(uint64_t *out, const unsigned char *bytes)
{
    size_t len = 0;

    for (*out = 0; len < 8; len++) {
        *out = *out << 7 | (bytes[len] & 0x7fu);
        if ((bytes[len] & 0x80u) == 0)
            break;
    }
    return len + 1;
}

static long long number(const char *query)
{
    sqlite3 *db = open_db();
    sqlite3_stmt *s = NULL;
    long long value = 0;

    cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(s), SQLITE_ROW);
    value = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return value;
}

/* Where a cell of a table's leaf says on which page it goes on (SQLite's file format, 1.6). */
static unsigned char *goes_on(unsigned char *page, size_t at_cell)
{
    uint64_t size = 0, row = 0;
    size_t cell = (size_t)page[8 + 2 * at_cell] << 8 | page[9 + 2 * at_cell];
    size_t head = varint(&size, page + cell), local = 0;

    head += varint(&row, page + cell + head);
    local = 489 + (size_t)(size - 489) % 4092;
    return page + cell + head + (local <= 4061 ? local : 489);
}

/* Seven rows of a megabyte in a file of little more: each goes on where the first does. */
Test(chromium, rows_that_share_their_pages_are_damage)
{
    unsigned char page[4096], count[4];
    off_t root_page = 0;
    long long pages = 0;
    int fd = -1;

    sql("PRAGMA page_size=4096;" META CERTIFICATES
        "INSERT INTO certificates VALUES('0', zeroblob(998935), '')");
    pages = number("PRAGMA page_count");
    for (unsigned i = 1; i < 7; i++) {
        char *text = xr_format("INSERT INTO certificates VALUES('%u', zeroblob(998935), '')", i);

        sql(text);
        free(text);
    }
    expect_incomplete(0, "it is not a certificate");
    root_page = 4096 * (number("SELECT rootpage FROM sqlite_master WHERE name='certificates'") - 1);
    fd = open(at("ServerCertificate"), O_RDWR);
    cr_assert_eq(pread(fd, page, sizeof(page), root_page), (ssize_t)sizeof(page));
    cr_assert(page[0] == 13 && page[4] == 7);
    for (size_t i = 1; i < 7; i++)
        memcpy(goes_on(page, i), goes_on(page, 0), 4);
    cr_assert_eq(pwrite(fd, page, sizeof(page), root_page), (ssize_t)sizeof(page));
    for (unsigned i = 0; i < 4; i++)
        count[i] = (unsigned char)(pages >> (24 - 8 * i));
    cr_assert_eq(pwrite(fd, count, sizeof(count), 28), (ssize_t)sizeof(count));
    cr_assert(ftruncate(fd, pages * 4096) == 0 && close(fd) == 0);
    cr_assert_eq(number("SELECT sum(length(der_cert)) FROM certificates"), 7 * 998935);
    expect_status(XR_INVALID, "its rows hold more than it has");
}

/* ---- what is beside it ---- */

Test(chromium, a_hot_journal_is_not_played_back_and_said)
{
    static const unsigned char magic[28] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

    usual();
    put("ServerCertificate-journal", magic, sizeof(magic));
    expect_incomplete(0, "write of it was not finished");
}

/* A real one, of a writer that was killed. */
Test(chromium, a_killed_writer_is_said_and_nothing_of_its_half_is_believed)
{
    pid_t pid = -1;
    int state = 0;

    usual();
    pid = fork();
    if (pid == 0) {
        sqlite3 *db = open_db();

        (void)sqlite3_exec(db, "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE;", NULL,
                           NULL, NULL);
        for (int i = 0; i < 2000; i++) /* until the cache is full, and pages go to the file */
            (void)sqlite3_exec(db,
                               "INSERT INTO certificates SELECT hex(randomblob(16)), der_cert, "
                               "trust_settings FROM certificates LIMIT 1",
                               NULL, NULL, NULL);
        (void)kill(getpid(), SIGKILL);
        _exit(1);
    }
    cr_assert(waitpid(pid, &state, 0) == pid && WIFSIGNALED(state));
    expect_incomplete(0, "write of it was not finished");
    {
        struct chromium_view view;

        cr_assert(load(&view, NULL) == XR_OK && view.stale && view.unread);
        chromium_view_free(&view);
    }
    sql("SELECT 1 FROM certificates"); /* SQLite plays it back */
    expect_complete(1);
}

Test(chromium, a_journal_that_was_done_with_is_none)
{
    static const unsigned char zeros[512];

    usual();
    put("ServerCertificate-journal", "", 0); /* as Chromium leaves it */
    expect_complete(1);
    put("ServerCertificate-journal", zeros, sizeof(zeros));
    expect_complete(1);
    put("ServerCertificate-journal", "junk of somebody", 16);
    expect_complete(1);
}

Test(chromium, changes_in_a_log_are_said)
{
    sqlite3 *db = NULL;

    usual();
    db = open_db();
    cr_assert_eq(
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; DELETE FROM certificates", NULL, NULL, NULL),
        SQLITE_OK);
    expect_incomplete(0, "-wal");
    cr_assert_eq(sqlite3_close(db), SQLITE_OK); /* takes the log away */
    expect_complete(0);
}

Test(chromium, a_journal_that_cannot_be_looked_at_is_said)
{
    usual();
    cr_assert_eq(symlink("/dev/null", at("ServerCertificate-journal")), 0);
    expect_incomplete(0, "-journal cannot be read");
    cr_assert_eq(unlink(at("ServerCertificate-journal")), 0);
    cr_assert_eq(mkfifo(at("ServerCertificate-journal"), 0600), 0);
    {
        struct chromium_view view;

        cr_assert_eq(load(&view, NULL), XR_OK);
        cr_assert(view.incomplete && view.count == 0);
        chromium_view_free(&view);
    }
}

/* As a browser that runs holds it. */
Test(chromium, a_database_that_is_locked_is_read)
{
    sqlite3 *db = NULL;

    usual();
    db = open_db();
    cr_assert_eq(sqlite3_exec(db,
                              "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE;"
                              "BEGIN EXCLUSIVE; UPDATE meta SET value=-1 WHERE key='mmap_status'; "
                              "COMMIT",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    {
        pid_t pid = fork(); /* locks are a process's */
        int state = 0;

        if (pid == 0) {
            struct chromium_view view;
            bool good = load(&view, NULL) == XR_OK && view.count == 1 && !view.incomplete;

            _exit(good ? 0 : 1);
        }
        cr_assert(waitpid(pid, &state, 0) == pid && state == 0);
    }
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

static void *write_on(void *stop)
{
    sqlite3 *db = open_db();

    (void)sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE", NULL,
                       NULL, NULL);
    while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE)) {
        (void)sqlite3_exec(db,
                           "BEGIN; DELETE FROM certificates WHERE sha256hash_hex LIKE 'x%';"
                           "INSERT INTO certificates SELECT 'x' || sha256hash_hex, der_cert, "
                           "trust_settings FROM certificates; COMMIT",
                           NULL, NULL, NULL);
        (void)sqlite3_exec(db, "DELETE FROM certificates WHERE sha256hash_hex LIKE 'x%'", NULL,
                           NULL, NULL);
    }
    (void)sqlite3_close(db);
    return NULL;
}

/* All of a write or nothing of it, or the word that it cannot be told. */
Test(chromium, a_writer_at_work_is_never_seen_half)
{
    bool stop = false;
    pthread_t writer;

    sql("PRAGMA page_size=512;" META CERTIFICATES);
    for (unsigned i = 0; i < 30; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "%u", i);
        insert(key, &root, "0a020803");
    }
    cr_assert_eq(pthread_create(&writer, NULL, write_on, &stop), 0);
    for (unsigned i = 0; i < 60; i++) {
        struct chromium_view view;
        struct xr_error err = {0};
        enum xr_status status = load(&view, &err);

        cr_assert_eq(status, XR_OK, "%s", err.text);
        cr_assert(view.incomplete ? view.count == 0 : view.count == 30 || view.count == 60, "%zu",
                  view.count);
        chromium_view_free(&view);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    cr_assert_eq(pthread_join(writer, NULL), 0);
    expect_complete(30);
}

/* ---- what is there instead ---- */

Test(chromium, a_link_is_refused_wherever_it_leads)
{
    usual();
    cr_assert_eq(rename(at("ServerCertificate"), "/tmp/xr-chromium-elsewhere"), 0);
    cr_assert_eq(symlink("/tmp/xr-chromium-elsewhere", at("ServerCertificate")), 0);
    expect_status(XR_REFUSED, "/p/ServerCertificate is a link");
    cr_assert_eq(unlink("/tmp/xr-chromium-elsewhere"), 0);
    expect_status(XR_REFUSED, "is a link");
}

Test(chromium, what_is_no_regular_file_is_refused_and_not_waited_for)
{
    cr_assert_eq(mkfifo(at("ServerCertificate"), 0600), 0);
    expect_status(XR_REFUSED, "is not a regular file");
    cr_assert_eq(unlink(at("ServerCertificate")), 0);
    cr_assert_eq(mkdir(at("ServerCertificate"), 0700), 0);
    expect_status(XR_REFUSED, "is not a regular file");
}

Test(chromium, a_file_that_is_too_large_is_refused)
{
    usual();
    cr_assert_eq(truncate(at("ServerCertificate"), (off_t)129 << 20), 0);
    expect_status(XR_INVALID, "is larger than");
}

Test(chromium, a_file_that_may_not_be_read_is_said)
{
    usual();
    cr_assert_eq(chmod(at("ServerCertificate"), 0), 0);
    cr_assert_eq(chmod(top, 0755), 0);
    if (geteuid() == 0) /* who may read anything */
        cr_assert_eq(seteuid(12345), 0);
    expect_status(XR_DENIED, "cannot open /p/ServerCertificate");
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
}

Test(chromium, a_file_of_somebody_else_is_refused)
{
    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a file away");
    usual();
    cr_assert_eq(chown(at("ServerCertificate"), 12345, 12345), 0);
    expect_status(XR_REFUSED, "belongs to another user (ID 12345)");
}

Test(chromium, a_hundred_thousand_rows_are_read)
{
    struct chromium_view view;
    struct xr_error err = {0};

    usual();
    sql("INSERT INTO certificates WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x "
        "< 99999) SELECT printf('%064d', x), der_cert, trust_settings FROM c, certificates");
    cr_assert_eq(load(&view, &err), XR_OK, "%s", err.text);
    cr_assert_eq(view.count, 100000);
    cr_assert(!view.incomplete, "%s", view.problem);
    chromium_view_free(&view);
}
