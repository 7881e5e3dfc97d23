/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softoken makes a transaction of its own for every object and for each of its proofs: nine to take away
 * one anchor. Here it works on a copy that costs nothing to sync, and the rows that differ are carried over,
 * each file's at once. Every byte of a row is still softoken's.
 *
 * The copy has cert9.db, and of key4.db the proofs and what the password is checked with: keys are never
 * copied. Other writers are kept out from the moment of the copy on, so a difference is our change and
 * nothing else. Proofs of new objects come before them, and those of old ones go after them: whenever this
 * is killed, the objects are all old or all new, and each has its proof. Two files in one transaction would
 * be possible, but then the journal of each names a third file by its path, and who sees the directory
 * under another path would take half a change for a whole one.
 *
 * softoken's own SQLite does it: a second one in the process would not know its locks.
 */
#include "copy.h"

#include "memory.h"

#if __has_include(<sqlite3.h>)
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST        ((off_t)64 << 20) /* of the file that is copied */
#define PATIENCE       5000              /* ms for other writers */
#define CHANGE_COUNTER 24                /* offsets in the file: SQLite's file format, 1.3 */
#define SCHEMA_COOKIE  40
#define NO_KEYS        "substr(id, 1, 8) <> 'sig_key_'" /* not the proofs of keys */

#define SQL(X)          \
    X(open_v2)          \
    X(close)            \
    X(exec)             \
    X(prepare_v2)       \
    X(step)             \
    X(finalize)         \
    X(column_int64)     \
    X(busy_timeout)     \
    X(db_config)        \
    X(file_control)     \
    X(extended_errcode) \
    X(errmsg)           \
    X(vfs_find)         \
    X(vfs_register)     \
    X(vfs_unregister)

struct sql {
#define MEMBER(name) __typeof__ (&sqlite3_##name)(name);
    SQL(MEMBER)
#undef MEMBER
};

enum file { CERTS, KEYS, FILES };
static const char *const uris[] = {"file:cert9.db?mode=rw", "file:key4.db?mode=rw"};

struct nss_copy {
    struct sql sql;
    sqlite3_vfs *usual, *memory;
    sqlite3 *files[FILES];   /* while others are kept out; else NULL */
    unsigned char cookie[4]; /* of the schema that was copied */
    bool fresh;              /* copied just now, and nothing was asked of it */
    int dir;
};

static bool functions(struct sql *out, void *handle)
{
    static const char *const names[] = {
#define NAME(name) "sqlite3_" #name,
        SQL(NAME)
#undef NAME
    };

    _Static_assert(sizeof(*out) == sizeof(names) / sizeof(names[0]) * sizeof(void *), "one each");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        void *at = dlsym(handle, names[i]);

        if (at == NULL)
            return false;
        memcpy((char *)out + i * sizeof(at), &at, sizeof(at));
    }
    return true;
}

static enum xr_status trouble(const struct nss_copy *copy, sqlite3 *db, struct xr_error *err)
{
    int code = copy->sql.extended_errcode(db);

    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        return xr_error_set(err, XR_BUSY, "sqlite", code,
                            "another program keeps the database locked");
    return xr_error_set(err, XR_FAILED, "sqlite", code, "cannot write the database: %s",
                        copy->sql.errmsg(db));
}

static enum xr_status run(const struct nss_copy *copy, sqlite3 *db, const char *sql,
                          struct xr_error *err)
{
    return copy->sql.exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? XR_OK : trouble(copy, db, err);
}

/* The number that a query gives; -1: none. */
static long long number(const struct nss_copy *copy, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    long long value = -1;

    if (copy->sql.prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        copy->sql.step(statement) == SQLITE_ROW)
        value = copy->sql.column_int64(statement, 0);
    (void)copy->sql.finalize(statement);
    return value;
}

static enum xr_status open_db(sqlite3 **out, const struct nss_copy *copy, const char *name,
                              const char *vfs, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    int code = copy->sql.open_v2(name, out,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, vfs);

    if (code != SQLITE_OK) {
        status = trouble(copy, *out, err);
        (void)copy->sql.close(*out);
        *out = NULL;
        return status;
    }
    (void)copy->sql.busy_timeout(*out, PATIENCE);
    (void)copy->sql.db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    (void)copy->sql.db_config(*out, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    (void)copy->sql.db_config(*out, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)NULL);
    return XR_OK;
}

/* What softoken makes, and nothing else. No WAL: its file beside the database is not looked at here. */
static const char *const whole[] = {
    "SELECT (SELECT count(*) FROM sqlite_master WHERE type <> 'index' AND NOT (type = 'table' AND name = "
    "'nssPublic')) + (SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal') + 0 * (SELECT "
    "count(*) FROM nssPublic)",
    "SELECT (SELECT count(*) FROM sqlite_master WHERE type <> 'index' AND NOT (type = 'table' AND name IN "
    "('nssPrivate', 'metaData'))) + (SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal') + "
    "0 * (SELECT count(*) FROM metaData)"};

/* One of the files, in a transaction. */
static enum xr_status open_file(struct nss_copy *copy, enum file which, bool lock,
                                struct xr_error *err)
{
    sqlite3 **out = &copy->files[which];
    enum xr_status status = open_db(out, copy, uris[which], copy->usual->zName, err);

    if (status == XR_OK)
        status = run(copy, *out, lock ? "BEGIN IMMEDIATE" : "BEGIN", err);
    if (status == XR_OK && number(copy, *out, whole[which]) != 0)
        status = xr_fail(err, XR_ABSENT, "the database is not as softoken makes it");
    return status;
}

static void close_files(struct nss_copy *copy)
{
    for (size_t i = 0; i < FILES; i++) {
        if (copy->files[i] != NULL)
            (void)copy->sql.close(copy->files[i]); /* rolls back what was not committed */
        copy->files[i] = NULL;
    }
}

/* What softoken keeps of an earlier copy is valid for SQLite as long as the counter in the file is that. */
static void count_on(unsigned char *header)
{
    const unsigned char *old = nss_memory_at("cert9.db", CHANGE_COUNTER, 4);
    size_t digit = CHANGE_COUNTER + 4;

    if (old == NULL)
        return;
    memcpy(header + CHANGE_COUNTER, old, 4);
    while (digit-- > CHANGE_COUNTER && ++header[digit] == 0) /* the first is the highest */
        continue;
}

/* Its bytes, through SQLite's own descriptor: nothing is written there while the transaction lasts, and
 * without WAL all that was committed is in the file. */
static enum xr_status copy_certs(struct nss_copy *copy, struct xr_error *err)
{
    sqlite3 *db = copy->files[CERTS];
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    unsigned char *data = NULL;
    bool good =
        copy->sql.file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file) == SQLITE_OK &&
        file->pMethods != NULL && file->pMethods->xFileSize(file, &size) == SQLITE_OK &&
        size >= 100 && size <= LARGEST;

    if (good) {
        data = xr_new((size_t)size, 1);
        good = file->pMethods->xRead(file, data, (int)size, 0) == SQLITE_OK;
    }
    if (!good) {
        free(data);
        return xr_fail(err, XR_FAILED, "cannot read");
    }
    memcpy(copy->cookie, data + SCHEMA_COOKIE, sizeof(copy->cookie));
    count_on(data);
    nss_memory_put("cert9.db", data, (size_t)size);
    return XR_OK;
}

static enum xr_status copy_proofs(const struct nss_copy *copy, struct xr_error *err)
{
    static const char sql[] =
        "CREATE TABLE IF NOT EXISTS nssPrivate (id PRIMARY KEY UNIQUE ON CONFLICT ABORT);"
        "CREATE TABLE IF NOT EXISTS metaData (id PRIMARY KEY UNIQUE ON CONFLICT REPLACE, item1, item2);"
        "ATTACH 'file:key4.db?mode=ro&vfs=%s' AS files;"
        "BEGIN; DELETE FROM main.metaData;"
        "INSERT INTO main.metaData SELECT id, item1, item2 FROM files.metaData WHERE " NO_KEYS ";"
        "COMMIT";
    char *text = xr_format(sql, copy->usual->zName);
    sqlite3 *to = NULL;
    enum xr_status status = open_db(&to, copy, "key4.db", NSS_MEMORY, err);

    if (status == XR_OK)
        status = run(copy, to, text, err);
    if (to != NULL)
        (void)copy->sql.close(to);
    free(text);
    return status;
}

/* In softoken's order, so that two that wait for each other are not possible. */
static enum xr_status load(struct nss_copy *copy, bool lock, struct xr_error *err)
{
    enum xr_status status =
        fchdir(copy->dir) == 0 ? XR_OK : xr_fail_errno(err, "cannot enter the directory");

    if (status == XR_OK)
        status = open_file(copy, CERTS, lock, err);
    if (status == XR_OK)
        status = open_file(copy, KEYS, lock, err);
    if (status == XR_OK)
        status = copy_certs(copy, err);
    if (status == XR_OK)
        status = copy_proofs(copy, err);
    if (status != XR_OK || !lock)
        close_files(copy);
    return status;
}

static bool copyable(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0 &&
           st.st_size <= LARGEST;
}

enum xr_status nss_copy_open(struct nss_copy **out, void *handle, int dir, bool begin,
                             struct xr_error *err)
{
    struct nss_copy *copy = xr_new(1, sizeof(*copy));
    struct xr_error why = {.size = sizeof(why)};
    enum xr_status status = XR_FAILED;

    *out = NULL;
    copy->dir = dir;
    if (!functions(&copy->sql, handle) || !copyable(dir, "cert9.db") || !copyable(dir, "key4.db") ||
        (copy->usual = copy->sql.vfs_find(NULL)) == NULL) {
        free(copy);
        return XR_OK;
    }
    copy->memory = nss_memory(copy->usual);
    if (copy->sql.vfs_register(copy->memory, 1) == SQLITE_OK)
        status = load(copy, begin, &why);
    if (status == XR_OK) {
        copy->fresh = true;
        *out = copy;
        return XR_OK;
    }
    nss_copy_close(copy);
    return begin && status == XR_BUSY
               ? xr_error_set(err, status, why.domain, why.code, "%s", why.text)
               : XR_OK;
}

bool nss_copy_usable(const struct nss_copy *copy)
{
    const unsigned char *now = nss_memory_at("cert9.db", SCHEMA_COOKIE, sizeof(copy->cookie));

    return now != NULL && memcmp(now, copy->cookie, sizeof(copy->cookie)) == 0;
}

void nss_copy_close(struct nss_copy *copy)
{
    if (copy == NULL)
        return;
    close_files(copy);
    (void)copy->sql.vfs_unregister(copy->memory);
    (void)copy->sql.vfs_register(copy->usual, 1);
    nss_memory_clear();
    free(copy);
}

enum xr_status nss_copy_read(struct nss_copy *copy, struct xr_error *err)
{
    bool fresh = copy->fresh;

    copy->fresh = false;
    return fresh || copy->files[CERTS] != NULL ? XR_OK : load(copy, false, err);
}

enum xr_status nss_copy_begin(struct nss_copy *copy, struct xr_error *err)
{
    copy->fresh = false;
    return copy->files[CERTS] != NULL ? XR_OK : load(copy, true, err);
}

/* ---- back into the files ---- */

/* IDS: of rows that from has and other has not, at least not like that. */
#define IDS(from, other) "(SELECT id FROM (SELECT * FROM " from " EXCEPT SELECT * FROM " other "))"
#define HELD             "(SELECT id, item1, item2 FROM main.metaData WHERE " NO_KEYS ")"
#define MADE             "(SELECT id, item1, item2 FROM made.metaData)"

static const char compare_proofs[] =
    "PRAGMA temp_store = MEMORY;"
    "ATTACH 'file:key4.db?mode=ro&vfs=" NSS_MEMORY "' AS made;"
    "CREATE TEMP TABLE added AS SELECT id FROM " IDS(
        MADE, HELD) ";"
                    "CREATE TEMP TABLE gone AS SELECT id FROM main.metaData WHERE " NO_KEYS
                    " AND id NOT IN (SELECT id FROM made.metaData)";
static const char insert_proofs[] =
    "DELETE FROM main.metaData WHERE id IN (SELECT id FROM added);"
    "INSERT INTO main.metaData (id, item1, item2) SELECT id, item1, item2 FROM made.metaData WHERE id IN "
    "(SELECT id FROM added);"
    "COMMIT";
/* Those that differ are deleted, then those that are not there are added. */
static const char exchange_objects[] =
    "ATTACH 'file:cert9.db?mode=ro&vfs=" NSS_MEMORY "' AS made;"
    "DELETE FROM main.nssPublic WHERE id IN " IDS(
        "main.nssPublic",
        "made.nssPublic") ";"
                          "INSERT INTO main.nssPublic SELECT * FROM made.nssPublic WHERE id IN " IDS(
                              "made.nssPublic", "main.nssPublic") ";"
                                                                  "COMMIT";

/* New proofs first: nothing refers to them yet. */
static enum xr_status add_proofs(const struct nss_copy *copy, bool *any, struct xr_error *err)
{
    sqlite3 *keys = copy->files[KEYS];
    enum xr_status status = run(copy, keys, compare_proofs, err);

    *any = false;
    if (status == XR_OK && number(copy, keys, "SELECT count(*) FROM made.nssPrivate") != 0)
        status = xr_fail(err, XR_FAILED, "NSS made a private key, which is not kept");
    if (status != XR_OK || number(copy, keys, "SELECT count(*) FROM added") == 0)
        return status;
    status = run(copy, keys, insert_proofs, err);
    *any = status == XR_OK;
    return status;
}

/* Of objects that are no more, or that could not be put. */
static enum xr_status drop_proofs(const struct nss_copy *copy, const char *which, bool begin,
                                  struct xr_error *err)
{
    sqlite3 *keys = copy->files[KEYS];
    char *count = xr_format("SELECT count(*) FROM %s", which);
    char *text = xr_format("%sDELETE FROM main.metaData WHERE id IN (SELECT id FROM %s); COMMIT",
                           begin ? "BEGIN IMMEDIATE; " : "", which);
    enum xr_status status = number(copy, keys, count) > 0 ? run(copy, keys, text, err) : XR_OK;

    free(count);
    free(text);
    return status;
}

bool nss_copy_holds(const struct nss_copy *copy)
{
    return copy != NULL && copy->files[0] != NULL;
}

enum xr_status nss_copy_save(struct nss_copy *copy, struct xr_error *err)
{
    enum xr_status status = XR_OK;
    bool added = false;

    if (copy->files[CERTS] == NULL)
        return XR_OK;
    status = fchdir(copy->dir) == 0 ? add_proofs(copy, &added, err)
                                    : xr_fail_errno(err, "cannot enter the directory");
    if (status == XR_OK) {
        status = run(copy, copy->files[CERTS], exchange_objects, err);
        if (status != XR_OK && added)
            (void)drop_proofs(copy, "added", true, NULL);
        else if (status == XR_OK)
            status = drop_proofs(copy, "gone", added, err);
    }
    close_files(copy);
    return status;
}

#else
enum xr_status nss_copy_open(struct nss_copy **out, void *handle, int dir, bool begin,
                             struct xr_error *err)
{
    (void)handle;
    (void)dir;
    (void)begin;
    (void)err;
    *out = NULL;
    return XR_OK;
}

bool nss_copy_usable(const struct nss_copy *copy)
{
    (void)copy;
    return false;
}

void nss_copy_close(struct nss_copy *copy)
{
    (void)copy;
}

enum xr_status nss_copy_read(struct nss_copy *copy, struct xr_error *err)
{
    (void)copy;
    (void)err;
    return XR_OK;
}

enum xr_status nss_copy_begin(struct nss_copy *copy, struct xr_error *err)
{
    (void)copy;
    (void)err;
    return XR_OK;
}

enum xr_status nss_copy_save(struct nss_copy *copy, struct xr_error *err)
{
    (void)copy;
    (void)err;
    return XR_OK;
}
#endif
