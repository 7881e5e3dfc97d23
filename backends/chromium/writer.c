/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite opens the file itself here, and what is beside it. So that nobody can lead it elsewhere by a
 * link or another directory in the path, it gets a path through the descriptor of the directory that was
 * checked, and keeps that path as it is (a VFS that differs from the usual one in nothing else, which
 * follows no link at the end of a path).
 *
 * Measured with Chromium 156: if it finds the file locked for writing when it starts, it goes on
 * without any of the user's certificates until it is started again, also without what the user
 * blocked. So the file is locked for as short as can be. While a swap only compares (SQLite's
 * RESERVED), a browser starts as ever; the lock that keeps it out is there only while a commit writes.
 */
#include "writer.h"

#include "file.h"
#include "holder.h"
#include "reader.h"
#include "rows.h"
#include "sys/linux/owner.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VFS      "crossroot-chromium"
#define WAIT_MS  2000 /* for others who write; nobody is kept out by waiting */
#define TRIES    20u  /* of a commit that finds a reader */
#define PAUSE_NS 50000000L
#define JOURNAL  CHROMIUM_FILE "-journal"

/* As Chromium 156 makes it. */
#define MAKE_META                                                                        \
    "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);" \
    "INSERT INTO meta VALUES('mmap_status','-1');"                                       \
    "INSERT INTO meta VALUES('version','1');"                                            \
    "INSERT INTO meta VALUES('last_compatible_version','1');"
#define MAKE_TABLE                                                                      \
    "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL," \
    "trust_settings BLOB NOT NULL);"

struct writing {
    const struct chromium_place *at;
    const struct sqlite_library *sqlite;
    sqlite3 *db;
    char *source;              /* for messages */
    struct chromium_view view; /* what is there, in a transaction */
    bool blank;                /* likewise: there is not even a table */
};

/* ---- SQLite ---- */

static int keep_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static bool add_vfs(const struct sqlite_library *sqlite)
{
    static sqlite3_vfs own;
    const sqlite3_vfs *usual = sqlite->vfs_find(NULL);

    if (own.zName != NULL)
        return true;
    if (usual == NULL)
        return false;
    own = *usual;
    own.pNext = NULL;
    own.zName = VFS;
    own.xFullPathname = keep_path;
    if (sqlite->vfs_register(&own, 0) == SQLITE_OK)
        return true;
    own.zName = NULL;
    return false;
}

static enum xr_status trouble(struct writing *w, struct xr_error *err)
{
    enum xr_status status = chromium_trouble(w->sqlite, w->db, w->source, err);

    return status == XR_BUSY ? xr_fail(err, XR_BUSY, "another program has %s in use", w->source)
                             : status;
}

/* One statement or several, without rows that matter. */
static enum xr_status run(struct writing *w, const char *sql, struct xr_error *err)
{
    while (*sql != '\0') {
        sqlite3_stmt *statement = NULL;
        int code = w->sqlite->prepare_v2(w->db, sql, -1, &statement, &sql);

        while (code == SQLITE_OK && (code = w->sqlite->step(statement)) == SQLITE_ROW)
            code = SQLITE_OK;
        if (code != SQLITE_DONE && code != SQLITE_OK) {
            enum xr_status status = trouble(w, err);

            (void)w->sqlite->finalize(statement);
            return status;
        }
        (void)w->sqlite->finalize(statement);
    }
    return XR_OK;
}

/* A change of exactly one row. */
static enum xr_status change(struct writing *w, const char *sql, const char *key,
                             struct xr_bytes first, struct xr_bytes second, struct xr_error *err)
{
    const struct xr_bytes blobs[] = {first, second};
    sqlite3_stmt *statement = NULL;
    enum xr_status status = XR_OK;
    bool good =
        w->sqlite->prepare_v2(w->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        w->sqlite->bind_text(statement, 1, key, (int)strlen(key), SQLITE_STATIC) == SQLITE_OK;

    for (int i = 0; i < 2 && good; i++) {
        if (blobs[i].data != NULL)
            good = w->sqlite->bind_blob(statement, i + 2, blobs[i].data, (int)blobs[i].len,
                                        SQLITE_STATIC) == SQLITE_OK;
    }
    if (!good || w->sqlite->step(statement) != SQLITE_DONE)
        status = trouble(w, err);
    else if (w->sqlite->changes(w->db) != 1)
        status = xr_fail(err, XR_FAILED, "%s did not take a row", w->source);
    (void)w->sqlite->finalize(statement);
    return status;
}

/* ---- the file ---- */

/* What SQLite would open beside the file has to be harmless too. */
static enum xr_status look(const struct chromium_place *at, const char *name, struct xr_error *err)
{
    struct stat st;

    if (fstatat(at->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? XR_OK : xr_fail_errno(err, "cannot examine %s", name);
    if (!S_ISREG(st.st_mode))
        return xr_fail(err, XR_REFUSED,
                       S_ISLNK(st.st_mode) ? N_("%s/%s is a link")
                                           : N_("%s/%s is not a regular file"),
                       at->path, name);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return xr_fail(err, XR_REFUSED, "%s/%s belongs to another user (ID %lu)", at->path, name,
                       (unsigned long)st.st_uid);
    return XR_OK;
}

/* Empty, which for SQLite and the browser is a database without tables. */
static enum xr_status make_file(const struct chromium_place *at, struct xr_error *err)
{
    int fd =
        openat(at->dir, CHROMIUM_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0;

    if (fd < 0 && errno == EEXIST)
        return XR_OK;
    if (good) {
        xr_owner_give(fd, at->dir, NULL);
        good = fchmod(fd, 0600) == 0;
        (void)close(fd);
    }
    return good ? XR_OK : xr_fail_errno(err, "cannot make ServerCertificate");
}

static enum xr_status open_db(struct writing *w, struct xr_error *err)
{
    static const char *const names[] = {CHROMIUM_FILE, JOURNAL, CHROMIUM_FILE "-wal",
                                        CHROMIUM_FILE "-shm"};
    char *path = NULL;
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == XR_OK; i++)
        status = look(w->at, names[i], err);
    if (status == XR_OK && (w->sqlite = sqlite_library(err)) == NULL)
        status = XR_ABSENT;
    if (status != XR_OK)
        return status;
    w->source = xr_format("%s/" CHROMIUM_FILE, w->at->path);
    path = xr_format("/proc/self/fd/%d/" CHROMIUM_FILE, w->at->dir);
    if (!add_vfs(w->sqlite) ||
        w->sqlite->open_v2(path, &w->db, SQLITE_OPEN_READWRITE, VFS) != SQLITE_OK)
        status = w->db != NULL
                     ? trouble(w, err)
                     : xr_fail(err, XR_FAILED, "cannot start SQLite to write %s", w->source);
    free(path);
    if (status == XR_OK && (!chromium_confine(w->sqlite, w->db, true) ||
                            w->sqlite->busy_timeout(w->db, WAIT_MS) != SQLITE_OK))
        status = xr_fail(err, XR_FAILED, "cannot start SQLite to write %s", w->source);
    /* EXTRA: a commit is over when the directory is synced. After a power cut a journal that is back
     * would undo it. */
    if (status == XR_OK)
        status = run(w,
                     "PRAGMA synchronous=EXTRA; PRAGMA temp_store=MEMORY; "
                     "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0",
                     err);
    return status;
}

static void close_db(struct writing *w)
{
    if (w->db != NULL)
        (void)w->sqlite->close_v2(w->db);
    free(w->source);
}

enum xr_status chromium_roll_back(const struct chromium_place *at, struct xr_error *err)
{
    struct writing w = {.at = at};
    enum xr_status status = open_db(&w, err);

    if (status == XR_OK) /* which plays the journal back */
        status = run(&w, "BEGIN IMMEDIATE; SELECT name FROM sqlite_master; ROLLBACK", err);
    close_db(&w);
    return status;
}

/* ---- a swap ---- */

static const char *first_value(struct writing *w, sqlite3_stmt **statement, const char *sql)
{
    if (w->sqlite->prepare_v2(w->db, sql, -1, statement, NULL) != SQLITE_OK ||
        w->sqlite->step(*statement) != SQLITE_ROW)
        return NULL;
    return (const char *)w->sqlite->column_text(*statement, 0);
}

/* Damage is not to be made worse. And a log instead of a journal would be the browser's to find out. */
static enum xr_status check_whole(struct writing *w, struct xr_error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *said = first_value(w, &statement, "PRAGMA quick_check(1)");
    enum xr_status status = XR_OK;

    if (said == NULL)
        status = trouble(w, err);
    else if (strcmp(said, "ok") != 0)
        status = xr_fail(err, XR_INVALID, "%s is damaged: %.200s", w->source, said);
    (void)w->sqlite->finalize(statement);
    statement = NULL;
    if (status == XR_OK) {
        said = first_value(w, &statement, "PRAGMA journal_mode");
        if (said == NULL || strcmp(said, "delete") != 0)
            status = xr_fail(err, XR_REFUSED,
                             "%s is written with a log beside it, which Chromium does not do",
                             w->source);
        (void)w->sqlite->finalize(statement);
    }
    return status;
}

static enum xr_status read_now(struct writing *w, struct xr_error *err)
{
    struct stat st = {0};
    enum xr_status status = check_whole(w, err);

    if (status == XR_OK && fstatat(w->at->dir, CHROMIUM_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
        status = xr_fail_errno(err, "cannot examine ServerCertificate");
    w->view.there = true;
    w->view.source = xr_strdup(w->source);
    w->blank = w->view.tableless = st.st_size == 0;
    if (status == XR_OK && !w->blank)
        status = chromium_read(&w->view, w->at->host, w->sqlite, w->db, (size_t)st.st_size, err);
    if (status == XR_OK && w->view.fixed[0] != '\0')
        status = xr_fail(err, XR_REFUSED, "%s", w->view.fixed);
    else if (status == XR_OK && w->view.unread)
        status = xr_fail(err, XR_REFUSED, "%s", w->view.problem);
    return status;
}

/* A row that is not known may mean anything, and so may those that cannot be made again. */
static enum xr_status check_known(const struct writing *w, const struct xr_subject *subject,
                                  const struct chromium_entries *now, struct xr_error *err)
{
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, subject->id, XR_SHA256_LEN);
    for (size_t i = 0; i < w->view.strangers.count; i++) {
        const struct chromium_stranger *one = &w->view.strangers.items[i];

        if (memcmp(one->sha256, subject->id, XR_SHA256_LEN) == 0 || strcmp(one->key, hex) == 0)
            return xr_fail(err, XR_REFUSED,
                           "the browser keeps something about this certificate that crossroot does "
                           "not know, and that would be lost (%.200s)",
                           w->view.problem);
    }
    for (size_t i = 0; i < now->count; i++) {
        if (now->items[i].spoiled != NULL)
            return xr_fail(err, XR_REFUSED, "%s", now->items[i].spoiled);
    }
    return XR_OK;
}

/* The row with that key, of whatever certificate. */
static const struct chromium_row *row_of(const struct writing *w, const char *key)
{
    for (size_t i = 0; i < w->view.count; i++) {
        if (strcmp(w->view.rows[i].key, key) == 0)
            return &w->view.rows[i];
    }
    return NULL;
}

static const struct chromium_wanted_row *wanted_of(const struct chromium_wanted *wanted,
                                                   const char *key)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->items[i].key, key) == 0)
            return &wanted->items[i];
    }
    return NULL;
}

/* A key that another certificate has is never taken from it. */
static enum xr_status check_keys(const struct writing *w, const struct xr_subject *subject,
                                 const struct chromium_wanted *wanted, struct xr_error *err)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct chromium_row *row = row_of(w, wanted->items[i].key);
        bool taken = row != NULL && memcmp(row->sha256, subject->id, XR_SHA256_LEN) != 0;

        for (size_t k = 0; k < w->view.strangers.count && !taken; k++)
            taken = strcmp(w->view.strangers.items[k].key, wanted->items[i].key) == 0;
        if (taken)
            return xr_fail(err, XR_REFUSED,
                           "another certificate is stored under the hash of this one");
    }
    return XR_OK;
}

/* *changes: is there anything to commit? */
static enum xr_status write_rows(bool *changes, struct writing *w, const struct xr_subject *subject,
                                 const struct chromium_wanted *wanted, struct xr_bytes der,
                                 struct xr_error *err)
{
    static const struct xr_bytes none = {0};
    enum xr_status status = XR_OK;

    *changes = false;
    for (size_t i = 0; i < w->view.count && status == XR_OK; i++) {
        const struct chromium_row *row = &w->view.rows[i];
        const struct chromium_wanted_row *to = NULL;

        if (memcmp(row->sha256, subject->id, XR_SHA256_LEN) != 0)
            continue;
        to = wanted_of(wanted, row->key);
        if (to != NULL && xr_bytes_equal(to->metadata, row->metadata))
            continue;
        *changes = true;
        status = to == NULL
                     ? change(w, "DELETE FROM certificates WHERE sha256hash_hex = ?1", row->key,
                              none, none, err)
                     : change(w,
                              "UPDATE certificates SET trust_settings = ?2 WHERE sha256hash_hex = "
                              "?1",
                              row->key, to->metadata, none, err);
    }
    for (size_t i = 0; i < wanted->count && status == XR_OK; i++) {
        if (row_of(w, wanted->items[i].key) != NULL)
            continue;
        *changes = true;
        status = change(w,
                        "INSERT INTO certificates(sha256hash_hex, der_cert, trust_settings) "
                        "VALUES(?1, ?2, ?3)",
                        wanted->items[i].key, der, wanted->items[i].metadata, err);
    }
    return status;
}

/* In a database whose schema is none or Chromium's own. */
static enum xr_status make_tables(struct writing *w, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    (void)w->sqlite->set_authorizer(w->db, NULL, NULL);
    status = run(w, w->blank ? MAKE_META MAKE_TABLE : MAKE_TABLE, err);
    return chromium_confine(w->sqlite, w->db, true)
               ? status
               : xr_fail(err, XR_FAILED, "cannot start SQLite to write %s", w->source);
}

/* In a transaction. */
static enum xr_status swap_rows(bool *changes, struct writing *w, const struct xr_state *expect,
                                const struct xr_state *want, struct xr_error *err)
{
    const struct xr_subject *subject = expect != NULL ? &expect->subject : &want->subject;
    const struct xr_entry *entries[XR_PLACE_COUNT];
    struct xr_state now = {.size = sizeof(now), .subject = *subject, .entries = entries};
    struct chromium_entries there = {0};
    struct chromium_wanted wanted = {0};
    enum xr_status status = read_now(w, err);

    *changes = false;
    if (status != XR_OK)
        return status;
    chromium_entries_of(&there, &w->view, subject);
    for (size_t i = 0; i < there.count; i++)
        entries[now.count++] = &there.items[i].entry;
    status = check_known(w, subject, &there, err);
    if (status == XR_OK && !w->at->host->state_equal(expect, now.count > 0 ? &now : NULL))
        status = xr_fail(err, XR_CONFLICT, "it holds something else than expected");
    if (status == XR_OK)
        status = chromium_wanted_of(&wanted, want, &there, err);
    if (status == XR_OK)
        status = check_keys(w, subject, &wanted, err);
    if (status == XR_OK && w->view.tableless && wanted.count > 0)
        status = make_tables(w, err);
    if (status == XR_OK)
        status = write_rows(changes, w, subject, &wanted,
                            want != NULL ? want->entries[0]->der : (struct xr_bytes){0}, err);
    chromium_wanted_free(&wanted);
    chromium_entries_free(&there);
    return status;
}

/* *again: somebody reads the file just now, so that it cannot be written. */
static enum xr_status attempt(bool *again, struct writing *w, const struct xr_state *expect,
                              const struct xr_state *want, struct xr_error *err)
{
    bool changes = false, over = false;
    enum xr_status status = run(w, "BEGIN IMMEDIATE", err);

    *again = false;
    if (status != XR_OK)
        return status;
    w->view = (struct chromium_view){0};
    status = swap_rows(&changes, w, expect, want, err);
    chromium_view_free(&w->view);
    if (status == XR_OK && changes) {
        /* Waiting would keep a browser out that starts now. */
        (void)w->sqlite->busy_timeout(w->db, 0);
        status = run(w, "COMMIT", err);
        (void)w->sqlite->busy_timeout(w->db, WAIT_MS);
        over = status == XR_OK;
        *again = status == XR_BUSY;
    }
    if (!over)
        (void)run(w, "ROLLBACK", NULL);
    return status;
}

static enum xr_status make_if_missing(const struct chromium_place *at,
                                      const struct xr_state *expect, const struct xr_state *want,
                                      struct xr_error *err)
{
    static const struct chromium_entries none = {0};
    struct chromium_wanted wanted = {0};
    enum xr_status status = XR_OK;
    struct stat st;

    if (fstatat(at->dir, CHROMIUM_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
        return XR_OK;
    if (expect != NULL)
        return xr_fail(err, XR_CONFLICT, "it holds nothing");
    status = chromium_wanted_of(&wanted, want, &none, err);
    chromium_wanted_free(&wanted);
    return status == XR_OK ? make_file(at, err) : status;
}

enum xr_status chromium_swap(const struct chromium_place *at, const struct xr_state *expect,
                             const struct xr_state *want, struct xr_error *err)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct writing w = {.at = at};
    char holder[256];
    bool again = false;
    enum xr_status status = make_if_missing(at, expect, want, err);

    if (status != XR_OK)
        return status;
    if (chromium_held(holder, at->dir, at->path))
        return xr_fail(err, XR_BUSY, "%s", holder);
    status = open_db(&w, err);
    if (status == XR_OK)
        status = attempt(&again, &w, expect, want, err);
    for (unsigned i = 1; again && i < TRIES; i++) {
        (void)nanosleep(&pause, NULL);
        status = attempt(&again, &w, expect, want, err);
    }
    close_db(&w);
    if (status == XR_BUSY && chromium_held(holder, at->dir, at->path))
        (void)xr_fail(err, XR_BUSY, "%s", holder);
    return status;
}
