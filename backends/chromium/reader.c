/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium reads all rows with one query, takes der_cert as the certificate whatever the row's key
 * says, and passes over rows whose trust it cannot parse. Here such a row makes the view incomplete.
 *
 * The bytes are a user's, and may be made to harm: SQLite gets them in memory, with a schema that it
 * does not trust, and may read two plain tables. More rows or bytes than the file has room for would
 * be pages that are used twice.
 */
#include "chromium.h"
#include "file.h"
#include "kit/der.h"
#include "metadata.h"
#include "sqlite.h"

#include <stdlib.h>
#include <strings.h>

#define DER_MAX    ((size_t)1 << 20)
#define KEY_MAX    200u
#define SCHEMA_MAX 10000 /* bytes of SQL in the schema's longest line */
#define ROW_LEAST  8u    /* bytes that any row takes in the file */
#define VERSION    1

struct reading {
    const struct chromium_sqlite *sqlite;
    const struct xr_host *host;
    sqlite3 *db;
    struct chromium_view *out;
    const char *source;
    size_t rows, bytes; /* that may still come */
};

XR_PRINTF(2, 3) static void incomplete(struct chromium_view *out, const char *format, ...)
{
    va_list args;

    if (out->incomplete)
        return;
    out->incomplete = true;
    va_start(args, format);
    (void)vsnprintf(out->problem, sizeof(out->problem), format, args);
    va_end(args);
}

/* ---- SQLite ---- */

static enum xr_status damaged(const struct reading *r, struct xr_error *err)
{
    int code = r->sqlite->extended_errcode(r->db);

    (void)xr_fail(err, (code & 0xff) == SQLITE_NOMEM ? XR_FAILED : XR_INVALID, "%s is damaged: %s",
                  r->source, r->sqlite->errmsg(r->db));
    if (err != NULL) {
        (void)snprintf(err->domain, sizeof(err->domain), "sqlite");
        err->code = code;
    }
    return (code & 0xff) == SQLITE_NOMEM ? XR_FAILED : XR_INVALID;
}

static int allowed(void *ctx, int action, const char *a, const char *b, const char *schema,
                   const char *inner)
{
    static const char *const tables[] = {"meta", "certificates", "sqlite_master", "sqlite_schema"};

    (void)ctx;
    (void)b;
    (void)schema;
    if (action == SQLITE_SELECT)
        return SQLITE_OK;
    if (action == SQLITE_PRAGMA)
        return strcmp(a, "table_xinfo") == 0 ? SQLITE_OK : SQLITE_DENY;
    for (size_t i = 0;
         action == SQLITE_READ && inner == NULL && i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcasecmp(a, tables[i]) == 0)
            return SQLITE_OK;
    }
    return SQLITE_DENY;
}

static bool confine(struct reading *r)
{
    static const struct {
        int option, value;
    } options[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                   {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                   {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                   {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
                   {SQLITE_DBCONFIG_DQS_DDL, 0}};
    static const struct {
        int limit, value;
    } limits[] = {{SQLITE_LIMIT_SQL_LENGTH, SCHEMA_MAX},
                  {SQLITE_LIMIT_COLUMN, 100},
                  {SQLITE_LIMIT_EXPR_DEPTH, 20},
                  {SQLITE_LIMIT_COMPOUND_SELECT, 2},
                  {SQLITE_LIMIT_VDBE_OP, 10000},
                  {SQLITE_LIMIT_FUNCTION_ARG, 10},
                  {SQLITE_LIMIT_ATTACHED, 0},
                  {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
                  {SQLITE_LIMIT_VARIABLE_NUMBER, 1},
                  {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                  {SQLITE_LIMIT_WORKER_THREADS, 0}};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (r->sqlite->db_config(r->db, options[i].option, options[i].value, (int *)NULL) !=
            SQLITE_OK)
            return false;
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)r->sqlite->limit(r->db, limits[i].limit, limits[i].value);
    return r->sqlite->set_authorizer(r->db, allowed, NULL) == SQLITE_OK;
}

/* Calls each for every row. */
static enum xr_status query(struct reading *r, const char *sql,
                            void (*each)(struct reading *r, sqlite3_stmt *row, void *ctx),
                            void *ctx, struct xr_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum xr_status status = XR_OK;
    int step = SQLITE_DONE;

    if (r->sqlite->prepare_v2(r->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return damaged(r, err);
    while ((step = r->sqlite->step(statement)) == SQLITE_ROW && status == XR_OK) {
        if (r->rows == 0) {
            status = xr_fail(err, XR_INVALID, "%s is damaged: it has more rows than room for them",
                             r->source);
        } else {
            r->rows--;
            each(r, statement, ctx);
        }
    }
    if (status == XR_OK && step != SQLITE_DONE)
        status = damaged(r, err);
    (void)r->sqlite->finalize(statement);
    return status;
}

/* Text is taken as its bytes, as Chromium takes it. Borrowed until the next row; false: neither. */
static bool column(struct xr_bytes *out, struct reading *r, sqlite3_stmt *row, int at)
{
    int type = r->sqlite->column_type(row, at), len = 0;

    *out = (struct xr_bytes){0};
    if (type != SQLITE_BLOB && type != SQLITE_TEXT)
        return false;
    out->data = r->sqlite->column_blob(row, at);
    len = r->sqlite->column_bytes(row, at);
    out->len = out->data != NULL && len > 0 ? (size_t)len : 0;
    return true;
}

/* ---- the tables ---- */

/* What the schema says of one table. */
struct table {
    bool there, plain;
    unsigned known, others; /* columns that this reader knows, and others */
    const char *const *columns;
};

static void see_table(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    struct table *t = ctx;
    const char *type = (const char *)r->sqlite->column_text(row, 0);
    const char *sql = (const char *)r->sqlite->column_text(row, 2);

    t->plain = !t->there && type != NULL && strcmp(type, "table") == 0 &&
               r->sqlite->column_int64(row, 1) > 0 && sql != NULL &&
               strncasecmp(sql, "CREATE TABLE", strlen("CREATE TABLE")) == 0;
    t->there = true;
}

static void see_column(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    struct table *t = ctx;
    const char *name = (const char *)r->sqlite->column_text(row, 1);
    bool computed = r->sqlite->column_int64(row, 6) != 0;

    for (size_t i = 0; name != NULL && !computed && t->columns[i] != NULL; i++) {
        if (strcasecmp(name, t->columns[i]) == 0) {
            t->known |= 1u << i;
            return;
        }
    }
    t->others++;
}

/* *there: it can be read. */
static enum xr_status look_at_table(bool *there, struct reading *r, const char *name,
                                    const char *const *columns, unsigned all, struct xr_error *err)
{
    struct table t = {.columns = columns};
    char *sql = xr_format("SELECT type, rootpage, sql FROM sqlite_master WHERE name = '%s' COLLATE "
                          "NOCASE",
                          name);
    enum xr_status status = query(r, sql, see_table, &t, err);

    free(sql);
    *there = false;
    if (status != XR_OK || !t.there)
        return status;
    if (t.plain) {
        sql = xr_format("PRAGMA table_xinfo(%s)", name);
        status = query(r, sql, see_column, &t, err);
        free(sql);
    }
    *there = t.plain && t.known == all && status == XR_OK;
    r->out->unread = !*there;
    if (status == XR_OK && (!*there || t.others > 0))
        incomplete(r->out, "%s has a table %s of an unknown form", r->source, name);
    return status;
}

struct versions {
    bool there[2];
    int64_t value[2];
};

static void see_version(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    static const char *const keys[] = {"version", "last_compatible_version"};
    struct versions *v = ctx;
    const char *key = (const char *)r->sqlite->column_text(row, 0);

    for (size_t i = 0; i < 2; i++) {
        if (key != NULL && strcmp(key, keys[i]) == 0) {
            v->there[i] = true;
            v->value[i] = r->sqlite->column_int64(row, 1);
        }
    }
}

/* *readable: a program that knows VERSION may read it. */
static enum xr_status check_version(bool *readable, struct reading *r, struct xr_error *err)
{
    static const char *const columns[] = {"key", "value", NULL};
    struct versions v = {.there = {false}};
    bool there = false;
    enum xr_status status = look_at_table(&there, r, "meta", columns, 3, err);

    if (status == XR_OK && there)
        status = query(r, "SELECT key, value FROM meta", see_version, &v, err);
    *readable = v.there[0] && v.there[1] && v.value[0] >= VERSION && v.value[1] <= VERSION;
    if (status == XR_OK && (!v.there[0] || !v.there[1]))
        incomplete(r->out, "%s says no version of its format", r->source);
    else if (status == XR_OK && (v.value[0] != VERSION || v.value[1] != VERSION))
        incomplete(r->out, "%s has version %lld of its format, and version %d is known", r->source,
                   (long long)v.value[0], VERSION);
    return status;
}

/* ---- its rows ---- */

/* Is it a CA for Chromium? One without basicConstraints is. NULL, or what is wrong with the row. */
static const char *read_certificate(bool *ca, struct xr_bytes der)
{
    struct xr_der_cert cert;

    if (der.len > DER_MAX || xr_der_cert(&cert, der, NULL) != XR_OK)
        return "it is not a certificate";
    *ca = !cert.has_basic_constraints || cert.ca;
    return NULL;
}

static bool names(const struct reading *r, struct xr_bytes key, struct xr_bytes der)
{
    unsigned char hash[XR_SHA256_LEN];
    char hex[2 * XR_SHA256_LEN + 1];

    r->host->sha256(hash, der);
    xr_hex(hex, hash, sizeof(hash));
    return xr_bytes_equal(key, (struct xr_bytes){(const unsigned char *)hex, strlen(hex)});
}

static void add(struct reading *r, struct xr_bytes key, struct xr_bytes der,
                struct xr_bytes metadata, struct chromium_metadata *m, bool ca)
{
    static const enum xr_browser_trust trusts[] = {
        [CHROMIUM_UNSPECIFIED] = XR_BROWSER_HINT,
        [CHROMIUM_DISTRUSTED] = XR_BROWSER_DISTRUST_KEY,
        [CHROMIUM_TRUSTED] = XR_BROWSER_ANCHOR,
    };
    struct chromium_view *v = r->out;
    struct xr_browser_cert *item = NULL;
    struct chromium_row *row = NULL;

    v->items = xr_push_room(v->items, &v->items_capacity, v->count, sizeof(*v->items));
    v->rows = xr_push_room(v->rows, &v->rows_capacity, v->count, sizeof(*v->rows));
    item = &v->items[v->count];
    row = &v->rows[v->count++];
    row->key = xr_memdup(key.data, key.len);
    row->metadata = (struct xr_bytes){xr_memdup(metadata.data, metadata.len), metadata.len};
    row->peer = m->trust == CHROMIUM_TRUSTED && !ca;
    row->misnamed = !names(r, key, der);
    if (m->trust == CHROMIUM_TRUSTED) { /* it limits nothing else */
        row->dns = m->dns;
        row->cidrs = m->cidrs;
        m->dns = m->cidrs = (struct xr_strings){0};
    }
    item->size = sizeof(*item);
    item->der = (struct xr_bytes){xr_memdup(der.data, der.len), der.len};
    item->trust = trusts[m->trust];
    item->permitted_dns = (const char *const *)row->dns.items;
    item->permitted_dns_count = row->dns.count;
    item->permitted_cidrs = (const char *const *)row->cidrs.items;
    item->permitted_cidrs_count = row->cidrs.count;
    item->source = v->source;
}

static void see_row(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    struct xr_bytes key, der, metadata;
    struct chromium_metadata m = {0};
    const char *wrong = NULL;
    bool ca = false, *overdrawn = ctx;
    size_t len = 0;

    if (!column(&key, r, row, 0) || !column(&der, r, row, 1) || !column(&metadata, r, row, 2) ||
        key.len > KEY_MAX) {
        incomplete(r->out, "%s has a row of an unknown form", r->source);
        return;
    }
    len = key.len + der.len + metadata.len;
    if (len > r->bytes) {
        *overdrawn = true;
        return;
    }
    r->bytes -= len;
    wrong = read_certificate(&ca, der);
    if (wrong == NULL)
        wrong = chromium_metadata_read(&m, metadata);
    if (wrong == NULL)
        add(r, key, der, metadata, &m, ca);
    else
        incomplete(r->out, "%s has a row that is not known: %s", r->source, wrong);
    chromium_metadata_free(&m);
}

static enum xr_status read_rows(struct reading *r, struct xr_error *err)
{
    static const char *const columns[] = {"sha256hash_hex", "der_cert", "trust_settings", NULL};
    bool there = false, overdrawn = false;
    enum xr_status status = look_at_table(&there, r, "certificates", columns, 7, err);

    if (status == XR_OK && there)
        status = query(r, "SELECT sha256hash_hex, der_cert, trust_settings FROM certificates",
                       see_row, &overdrawn, err);
    if (status == XR_OK && overdrawn)
        status =
            xr_fail(err, XR_INVALID, "%s is damaged: its rows hold more than it has", r->source);
    return status;
}

/* ---- all of it ---- */

/* A database that is to be used with a write-ahead log cannot be opened without one. Chromium's is not,
 * and a log that held anything was reported. */
static void forget_log(struct xr_buf *bytes)
{
    if (bytes->len >= 20 && bytes->data[18] == 2 && bytes->data[19] == 2)
        bytes->data[18] = bytes->data[19] = 1;
}

static enum xr_status read_database(struct reading *r, struct xr_buf *bytes, struct xr_error *err)
{
    bool readable = false;
    enum xr_status status = XR_OK;

    if (r->sqlite->open_v2(":memory:", &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_MEMORY, NULL) !=
            SQLITE_OK ||
        r->sqlite->deserialize(r->db, "main", (unsigned char *)bytes->data,
                               (sqlite3_int64)bytes->len, (sqlite3_int64)bytes->len,
                               SQLITE_DESERIALIZE_READONLY) != SQLITE_OK ||
        !confine(r)) /* before anything of the schema is looked at */
        status = xr_fail(err, XR_FAILED, "cannot start SQLite to read %s", r->source);
    else
        status = check_version(&readable, r, err);
    r->out->unread = r->out->unread || !readable;
    if (status == XR_OK && readable)
        status = read_rows(r, err);
    (void)r->sqlite->close_v2(r->db);
    return status;
}

enum xr_status chromium_load(struct chromium_view *out, const struct xr_host *host, int dir,
                             const char *path, struct xr_error *err)
{
    struct chromium_file file = {.there = false};
    struct reading r = {.host = host, .out = out};
    enum xr_status status = chromium_file_read(&file, dir, path, err);

    out->source = xr_format("%s/" CHROMIUM_FILE, path);
    out->there = file.there;
    r.source = out->source;
    if (status != XR_OK || !file.there)
        goto out;
    if (file.unsettled != NULL) {
        incomplete(out, "%s: %s", out->source, file.unsettled);
        out->unread = true;
        goto out;
    }
    if (file.bytes.len == 0) /* one that Chromium is just making */
        goto out;
    forget_log(&file.bytes);
    r.rows = file.bytes.len / ROW_LEAST;
    r.bytes = file.bytes.len;
    r.sqlite = chromium_sqlite(err);
    status = r.sqlite != NULL ? read_database(&r, &file.bytes, err) : XR_ABSENT;
out:
    xr_buf_free(&file.bytes);
    return status;
}

void chromium_view_free(struct chromium_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        free((void *)(uintptr_t)view->items[i].der.data);
        free((void *)(uintptr_t)view->rows[i].metadata.data);
        free(view->rows[i].key);
        xr_strings_free(&view->rows[i].dns);
        xr_strings_free(&view->rows[i].cidrs);
    }
    free(view->items);
    free(view->rows);
    free(view->source);
    *view = (struct chromium_view){0};
}
