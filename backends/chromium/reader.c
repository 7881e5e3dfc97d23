/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium reads all rows with one query, takes der_cert as the certificate whatever the row's key
 * says, and passes over rows whose trust it cannot parse. Here such a row makes the view incomplete.
 *
 * The bytes are a user's, and may be made to harm: SQLite does not trust the schema, and may read two
 * plain tables. More rows or bytes than the file has room for would
 * be pages that are used twice.
 */
#include "reader.h"

#include "file.h"
#include "kit/der.h"
#include "metadata.h"

#include <stdlib.h>
#include <strings.h>

#define DER_MAX    ((size_t)1 << 20)
#define KEY_MAX    200u
#define SCHEMA_MAX 10000 /* bytes of SQL in the schema's longest line */
#define ROW_LEAST  8u    /* bytes that any row takes in the file */
#define VERSION    1

struct reading {
    const struct sqlite_library *sqlite;
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

/* Whatever it is, another version of the browser may mean more by it: it reads on, nobody writes. */
#define UNKNOWN_FORM(out, ...)                                               \
    do {                                                                     \
        incomplete(out, __VA_ARGS__);                                        \
        if ((out)->fixed[0] == '\0')                                         \
            (void)snprintf((out)->fixed, sizeof((out)->fixed), __VA_ARGS__); \
    } while (0)

/* ---- SQLite ---- */

enum xr_status chromium_trouble(const struct sqlite_library *sqlite, sqlite3 *db,
                                const char *source, struct xr_error *err)
{
    static const struct {
        int code;
        enum xr_status status;
    } others[] = {{SQLITE_BUSY, XR_BUSY},       {SQLITE_LOCKED, XR_BUSY},
                  {SQLITE_NOMEM, XR_FAILED},    {SQLITE_IOERR, XR_FAILED},
                  {SQLITE_FULL, XR_FAILED},     {SQLITE_CANTOPEN, XR_FAILED},
                  {SQLITE_READONLY, XR_FAILED}, {SQLITE_AUTH, XR_REFUSED}};
    int code = sqlite->extended_errcode(db);
    enum xr_status status = XR_INVALID;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if ((code & 0xff) == others[i].code)
            status = others[i].status;
    }
    (void)(status == XR_INVALID
               ? xr_fail(err, status, "%s is damaged: %s", source, sqlite->errmsg(db))
               : xr_fail(err, status, "%s: %s", source, sqlite->errmsg(db)));
    if (err != NULL) {
        (void)snprintf(err->domain, sizeof(err->domain), "sqlite");
        err->code = code;
    }
    return status;
}

static bool one_of(const char *const *names, const char *name)
{
    while (*names != NULL && (name == NULL || strcasecmp(*names, name) != 0))
        names++;
    return *names != NULL;
}

/* What the schema makes of a statement is asked about too, with inner or another table. */
static int allowed(void *writing, int action, const char *a, const char *b, const char *schema,
                   const char *inner)
{
    static const char *const tables[] = {"meta", "certificates", "sqlite_master", "sqlite_schema",
                                         NULL};
    static const char *const pragmas[] = {"table_xinfo",     "encoding",   "journal_mode",
                                          "quick_check",     "mmap_size",  "synchronous",
                                          "cell_size_check", "temp_store", NULL};
    bool yes = false;

    (void)b;
    (void)schema;
    switch (action) {
    case SQLITE_SELECT:
        yes = true;
        break;
    case SQLITE_PRAGMA:
        yes = one_of(pragmas, a);
        break;
    case SQLITE_READ:
        yes = inner == NULL && one_of(tables, a);
        break;
    case SQLITE_TRANSACTION:
        yes = writing != NULL;
        break;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        yes = writing != NULL && inner == NULL && a != NULL && strcasecmp(a, "certificates") == 0;
        break;
    default:
        break;
    }
    return yes ? SQLITE_OK : SQLITE_DENY;
}

bool chromium_confine(const struct sqlite_library *sqlite, sqlite3 *db, bool writing)
{
    static char yes; /* only its address counts */

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
                  {SQLITE_LIMIT_VARIABLE_NUMBER, 3},
                  {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                  {SQLITE_LIMIT_WORKER_THREADS, 0}};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (sqlite->db_config(db, options[i].option, options[i].value, (int *)NULL) != SQLITE_OK)
            return false;
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite->limit(db, limits[i].limit, limits[i].value);
    return sqlite->set_authorizer(db, allowed, writing ? &yes : NULL) == SQLITE_OK;
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
        return chromium_trouble(r->sqlite, r->db, r->source, err);
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
        status = chromium_trouble(r->sqlite, r->db, r->source, err);
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
        UNKNOWN_FORM(r->out, N_("%s has a table %s of an unknown form"), r->source, name);
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
        UNKNOWN_FORM(r->out, N_("%s says no version of its format"), r->source);
    else if (status == XR_OK && (v.value[0] != VERSION || v.value[1] != VERSION))
        UNKNOWN_FORM(r->out, N_("%s has version %lld of its format, and version %d is known"),
                     r->source, (long long)v.value[0], VERSION);
    return status;
}

/* The first column of the only row is to be that, or there is to be no row. */
struct wanted {
    const char *value;
    bool good;
};

static void see_value(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    struct wanted *w = ctx;
    const char *value = (const char *)r->sqlite->column_text(row, 0);

    w->good = w->value != NULL && value != NULL && strcasecmp(value, w->value) == 0;
}

/* What does not matter to who reads, and would to who writes. */
static enum xr_status check_writing(struct reading *r, struct xr_error *err)
{
    struct wanted encoding = {"UTF-8", true}, triggers = {NULL, true};
    enum xr_status status = query(r, "PRAGMA encoding", see_value, &encoding, err);

    if (status == XR_OK)
        status = query(r, "SELECT name FROM sqlite_master WHERE type = 'trigger'", see_value,
                       &triggers, err);
    if (status == XR_OK && !(encoding.good && triggers.good) && r->out->fixed[0] == '\0')
        (void)snprintf(r->out->fixed, sizeof(r->out->fixed),
                       !encoding.good ? N_("%s is in an encoding that Chromium does not use")
                                      : N_("%s has triggers, which Chromium does not make"),
                       r->source);
    return status;
}

/* ---- its rows ---- */

/* Is it a CA for Chromium? One without basicConstraints is. NULL, or what is wrong with the row. */
static const char *read_certificate(bool *ca, struct xr_bytes der)
{
    struct xr_der_cert cert;

    if (der.len > DER_MAX || xr_der_cert(&cert, der, NULL) != XR_OK)
        return N_("it is not a certificate");
    *ca = !cert.has_basic_constraints || cert.ca;
    return NULL;
}

static bool names(struct xr_bytes key, const unsigned char hash[XR_SHA256_LEN])
{
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, hash, XR_SHA256_LEN);
    return xr_bytes_equal(key, (struct xr_bytes){(const unsigned char *)hex, strlen(hex)});
}

static void add(struct reading *r, struct xr_bytes key, struct xr_bytes der,
                struct xr_bytes metadata, struct chromium_metadata *m, bool ca, bool odd)
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
    r->host->sha256(row->sha256, der);
    row->misnamed = !names(key, row->sha256);
    row->odd = odd || strlen(row->key) != key.len;
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

static void add_stranger(struct reading *r, struct xr_bytes key, struct xr_bytes der)
{
    struct chromium_stranger *one = XR_PUSH(&r->out->strangers);

    one->key = xr_memdup(key.data, key.len);
    r->host->sha256(one->sha256, der);
}

static void see_row(struct reading *r, sqlite3_stmt *row, void *ctx)
{
    static const struct xr_bytes none = {0};
    struct xr_bytes key, der, metadata;
    struct chromium_metadata m = {0};
    const char *wrong = NULL;
    bool ca = false, odd = false, *overdrawn = ctx;
    bool known[3] = {column(&key, r, row, 0), column(&der, r, row, 1),
                     column(&metadata, r, row, 2)};
    size_t len = 0;

    if (!known[0] || !known[1] || !known[2] || key.len > KEY_MAX) {
        if (der.len < r->bytes)
            add_stranger(r, key.len > KEY_MAX ? none : key, der);
        incomplete(r->out, "%s has a row of an unknown form", r->source);
        return;
    }
    odd = r->sqlite->column_type(row, 0) != SQLITE_TEXT ||
          r->sqlite->column_type(row, 1) != SQLITE_BLOB ||
          r->sqlite->column_type(row, 2) != SQLITE_BLOB;
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
        add(r, key, der, metadata, &m, ca, odd);
    if (wrong != NULL) {
        add_stranger(r, key, der);
        incomplete(r->out, "%s has a row that is not known: %s", r->source, wrong);
    }
    chromium_metadata_free(&m);
}

static enum xr_status read_rows(struct reading *r, struct xr_error *err)
{
    static const char *const columns[] = {"sha256hash_hex", "der_cert", "trust_settings", NULL};
    bool there = false, overdrawn = false;
    enum xr_status status = look_at_table(&there, r, "certificates", columns, 7, err);

    r->out->tableless = status == XR_OK && !there && !r->out->unread;
    if (status == XR_OK && there)
        status = query(r, "SELECT sha256hash_hex, der_cert, trust_settings FROM certificates",
                       see_row, &overdrawn, err);
    if (status == XR_OK && overdrawn)
        status =
            xr_fail(err, XR_INVALID, "%s is damaged: its rows hold more than it has", r->source);
    return status;
}

/* ---- all of it ---- */

enum xr_status chromium_read(struct chromium_view *out, const struct xr_host *host,
                             const struct sqlite_library *sqlite, sqlite3 *db, size_t size,
                             struct xr_error *err)
{
    struct reading r = {.sqlite = sqlite,
                        .host = host,
                        .db = db,
                        .out = out,
                        .source = out->source,
                        .rows = size / ROW_LEAST,
                        .bytes = size};
    bool readable = false;
    enum xr_status status = check_version(&readable, &r, err);

    out->unread = out->unread || !readable;
    if (status == XR_OK)
        status = check_writing(&r, err);
    if (status == XR_OK && readable)
        status = read_rows(&r, err);
    return status;
}

/* A database that is to be used with a write-ahead log cannot be opened without one. Chromium's is not,
 * and a log that held anything was reported. */
static void forget_log(struct chromium_view *out, struct xr_buf *bytes)
{
    if (bytes->len < 20 || bytes->data[18] != 2 || bytes->data[19] != 2)
        return;
    bytes->data[18] = bytes->data[19] = 1;
    (void)snprintf(out->fixed, sizeof(out->fixed),
                   N_("%s is written with a log beside it, which Chromium does not do"),
                   out->source);
}

static enum xr_status read_bytes(struct chromium_view *out, const struct xr_host *host,
                                 const struct sqlite_library *sqlite, struct xr_buf *bytes,
                                 struct xr_error *err)
{
    sqlite3 *db = NULL;
    enum xr_status status = XR_OK;

    if (sqlite->open_v2(":memory:", &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_MEMORY, NULL) !=
            SQLITE_OK ||
        sqlite->deserialize(db, "main", (unsigned char *)bytes->data, (sqlite3_int64)bytes->len,
                            (sqlite3_int64)bytes->len, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK ||
        !chromium_confine(sqlite, db, false))
        status = xr_fail(err, XR_FAILED, "cannot start SQLite to read %s", out->source);
    else
        status = chromium_read(out, host, sqlite, db, bytes->len, err);
    (void)sqlite->close_v2(db);
    return status;
}

enum xr_status chromium_load(struct chromium_view *out, const struct xr_host *host, int dir,
                             const char *path, struct xr_error *err)
{
    struct chromium_file file = {.there = false};
    const struct sqlite_library *sqlite = NULL;
    enum xr_status status = chromium_file_read(&file, dir, path, err);

    out->source = xr_format("%s/" CHROMIUM_FILE, path);
    out->there = file.there;
    if (status != XR_OK || !file.there)
        goto out;
    if (file.unsettled != NULL) {
        incomplete(out, "%s: %s", out->source, file.unsettled);
        out->unread = true;
        out->stale = file.stale;
        goto out;
    }
    if (file.bytes.len == 0) /* one that Chromium is just making */
        goto out;
    forget_log(out, &file.bytes);
    sqlite = sqlite_library(err);
    status = sqlite != NULL ? read_bytes(out, host, sqlite, &file.bytes, err) : XR_ABSENT;
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
    for (size_t i = 0; i < view->strangers.count; i++)
        free(view->strangers.items[i].key);
    free(view->strangers.items);
    free(view->items);
    free(view->rows);
    free(view->source);
    *view = (struct chromium_view){0};
}
