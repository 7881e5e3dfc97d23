/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softoken's lib/softoken/sdb.c and sftkdb.c. It finds objects with one SELECT over the whole table, so
 * they come in the order of the rows, and reads each by its id through the table's own index, so that
 * index must say what the table says. A column that is NULL, or has no bytes, is an attribute that is
 * not there. Numbers have four bytes in the file. Attributes that are sealed are given if the seal in
 * key4.db holds, and without a look at it if there is no password.
 */
#include "look.h"

#include "seals.h"
#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX   ((size_t)64 << 20)
#define SCHEMA_MAX 12u /* tables and indexes; NSS makes eight */
#define ID_MAX     0x3fffffff

/* ---- what the schema says ---- */

enum { OTHERS = 4 };

struct table {
    const char *name;
    const char *sql;               /* all of it, or */
    uint32_t types[BTREE_COLUMNS]; /* the attributes in columns behind the id */
    size_t columns;                /* with the id */
    uint32_t root, index;          /* index: of its ids */
    uint32_t others[OTHERS];       /* indexes of names, 0: there is none */
};
struct schema {
    struct table *tables;
    size_t count;
    uint32_t pages, roots[SCHEMA_MAX];
    size_t rows;
};

static bool is(const struct btree_value *value, const char *text)
{
    return value->type == BTREE_TEXT && value->bytes.len == strlen(text) &&
           memcmp(value->bytes.data, text, value->bytes.len) == 0;
}

static bool skip(struct xr_bytes *rest, const char *text)
{
    size_t len = strlen(text);

    if (rest->len < len || memcmp(rest->data, text, len) != 0)
        return false;
    rest->data += len;
    rest->len -= len;
    return true;
}

/* As softoken writes it: "CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a1)". A
 * column that was added later stands at the end like the others. */
static bool read_columns(struct table *table, struct xr_bytes sql)
{
    if (!skip(&sql, "CREATE TABLE ") || !skip(&sql, table->name) ||
        !skip(&sql, " (id PRIMARY KEY UNIQUE ON CONFLICT ABORT"))
        return false;
    table->columns = 1;
    while (skip(&sql, ", a")) {
        uint32_t type = 0;
        size_t digits = 0;

        for (; digits < 8 && digits < sql.len; digits++) {
            unsigned char c = sql.data[digits];

            if (c >= '0' && c <= '9')
                type = type << 4 | (uint32_t)(c - '0');
            else if (c >= 'a' && c <= 'f')
                type = type << 4 | (uint32_t)(c - 'a' + 10);
            else
                break;
        }
        if (digits == 0 || (digits > 1 && sql.data[0] == '0') || table->columns == BTREE_COLUMNS)
            return false;
        for (size_t i = 1; i < table->columns; i++) {
            if (table->types[i] == type)
                return false;
        }
        table->types[table->columns++] = type;
        sql.data += digits;
        sql.len -= digits;
    }
    return skip(&sql, ")") && sql.len == 0;
}

static bool read_table(struct table *table, const struct btree_value *sql, uint32_t root)
{
    if (table->root != 0 || sql->type != BTREE_TEXT)
        return false;
    table->root = root;
    if (table->sql != NULL)
        return is(sql, table->sql);
    return read_columns(table, sql->bytes);
}

/* Indexes that are not used here, nor by softoken for a list; libnss3 finds issuers by them. */
static const struct {
    const char *name, *column;
} others[OTHERS] = {{"issuer", "a81"}, {"subject", "a101"}, {"label", "a3"}, {"ckaid", "a102"}};

static bool read_index(struct table *table, const struct btree_value *name,
                       const struct btree_value *sql, uint32_t root)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "sqlite_autoindex_%s_1", table->name);
    if (table->root == 0)
        return false;
    if (is(name, text)) {
        bool first = table->index == 0;

        table->index = root;
        return first && sql->type == BTREE_NULL;
    }
    for (size_t i = 0; table->sql == NULL && i < OTHERS; i++) {
        if (!is(name, others[i].name) || table->others[i] != 0)
            continue;
        table->others[i] = root;
        (void)snprintf(text, sizeof(text), "CREATE INDEX %s ON %s (%s)", others[i].name,
                       table->name, others[i].column);
        return is(sql, text);
    }
    return false;
}

static bool on_schema(void *ctx, const struct btree_row *row)
{
    struct schema *schema = ctx;
    const struct btree_value *v = row->values;
    uint32_t root = v[3].type == BTREE_INTEGER && v[3].number > 1 && v[3].number <= schema->pages
                        ? (uint32_t)v[3].number
                        : 0;

    if (row->count != 5 || root == 0 || schema->rows == SCHEMA_MAX)
        return false;
    for (size_t i = 0; i < schema->rows; i++) {
        if (schema->roots[i] == root)
            return false;
    }
    schema->roots[schema->rows++] = root;
    for (size_t i = 0; i < schema->count; i++) {
        struct table *table = &schema->tables[i];

        if (!is(&v[2], table->name))
            continue;
        if (is(&v[0], "table"))
            return is(&v[1], table->name) && read_table(table, &v[4], root);
        return is(&v[0], "index") && read_index(table, &v[1], &v[4], root);
    }
    return false;
}

/* Each name once: what is there twice is not known to SQLite either. */
static bool read_schema(struct btree_file *file, struct table *tables, size_t count)
{
    struct schema schema = {.tables = tables, .count = count, .pages = file->pages};
    bool good = btree_rows(file, 1, 5, on_schema, &schema);

    for (size_t i = 0; good && i < count; i++)
        good = tables[i].root != 0 && tables[i].index != 0;
    return good;
}

/* ---- key4.db ---- */

struct keys {
    bool checked; /* there is a password, an empty one, and trust needs its seals */
    struct nss_seals seals;
    struct btree_keys ids;
    struct {
        struct xr_bytes *items;
        size_t count, capacity;
    } firsts; /* item1 of each */
    struct btree_value salt, check;
};

static bool on_metadata(void *ctx, const struct btree_row *row)
{
    struct keys *keys = ctx;
    const struct btree_value *v = row->values;

    if (v[0].type != BTREE_TEXT)
        return false;
    *XR_PUSH(&keys->ids) = (struct btree_key){
        .row = keys->firsts.count, .rowid = row->rowid, .text = true, .bytes = v[0].bytes};
    *XR_PUSH(&keys->firsts) = v[1].type == BTREE_BLOB ? v[1].bytes : (struct xr_bytes){0};
    if (is(&v[0], "password")) {
        keys->salt = v[1];
        keys->check = v[2];
    }
    return true;
}

static bool read_keys(struct keys *out, const struct xr_host *host, struct btree_file *key4)
{
    struct table *tables = xr_new(2, sizeof(*tables));
    bool good = false;

    tables[0].name = "nssPrivate";
    tables[1].name = "metaData";
    tables[1].sql =
        "CREATE TABLE metaData (id PRIMARY KEY UNIQUE ON CONFLICT REPLACE, item1, item2)";
    good = read_schema(key4, tables, 2) && btree_rows(key4, tables[1].root, 3, on_metadata, out) &&
           btree_index(key4, tables[1].index, &out->ids);
    free(tables);
    if (!good || btree_find(&out->ids, "password") == NULL)
        return good;
    out->checked = true;
    return out->salt.type == BTREE_BLOB && out->check.type == BTREE_BLOB &&
           nss_seals_open(&out->seals, host, out->salt.bytes, out->check.bytes);
}

static void free_keys(struct keys *keys)
{
    free(keys->ids.items);
    free(keys->firsts.items);
}

static bool sealed(const struct keys *keys, uint32_t object, uint32_t type, struct xr_bytes value)
{
    const struct btree_key *key = NULL;
    char id[32];

    if (!keys->checked)
        return true;
    (void)snprintf(id, sizeof(id), "sig_cert_%08x_%08x", (unsigned)object, (unsigned)type);
    key = btree_find(&keys->ids, id);
    return key != NULL &&
           nss_seals_hold(&keys->seals, object, type, value, keys->firsts.items[key->row]);
}

/* ---- cert9.db ---- */

enum form { BYTES, NUMBER, FLAG };
struct attribute {
    unsigned long type;
    enum form form;
    bool sealed;
};
static const struct attribute of_certificate[] = {{CKA_VALUE, BYTES, false},
                                                  {CKA_LABEL, BYTES, false},
                                                  {CKA_ID, BYTES, false},
                                                  {NSS_CKA_EMAIL, BYTES, false},
                                                  {0, BYTES, false}};
static const struct attribute of_crl[] = {{CKA_VALUE, BYTES, false},
                                          {CKA_LABEL, BYTES, false},
                                          {NSS_CKA_URL, BYTES, false},
                                          {NSS_CKA_KRL, BYTES, false},
                                          {0, BYTES, false}};
static const struct attribute of_trust[] = {
    {CKA_ISSUER, BYTES, false},          {CKA_SERIAL_NUMBER, BYTES, false},
    {NSS_CKA_SERVER_AUTH, NUMBER, true}, {NSS_CKA_CLIENT_AUTH, NUMBER, true},
    {NSS_CKA_EMAIL_PROT, NUMBER, true},  {NSS_CKA_CODE, NUMBER, true},
    {NSS_CKA_STEP_UP, FLAG, true},       {NSS_CKA_SHA1, BYTES, true},
    {NSS_CKA_MD5, BYTES, true},          {0, BYTES, false}};
static const struct {
    unsigned long kind;
    const struct attribute *attributes; /* NULL: what it says depends on the softoken */
} kinds[] = {{CKO_CERTIFICATE, of_certificate},
             {NSS_CKO_TRUST, of_trust},
             {NSS_CKO_CRL, of_crl},
             {STD_CKO_TRUST, NULL}};

struct reading {
    const struct table *table;
    const struct keys *keys;
    struct btree_keys ids;
    struct p11_objects *out;
    struct xr_buf *all; /* for a digest, or NULL */
};

static const struct btree_value *column_of(const struct reading *r, const struct btree_row *row,
                                           unsigned long type)
{
    static const struct btree_value none;

    for (size_t i = 1; i < r->table->columns; i++) {
        if (r->table->types[i] == type)
            return &row->values[i];
    }
    return &none;
}

static uint32_t number_of(struct xr_bytes four)
{
    return (uint32_t)four.data[0] << 24 | (uint32_t)four.data[1] << 16 |
           (uint32_t)four.data[2] << 8 | four.data[3];
}

static bool read_attribute(struct p11_object *object, const struct reading *r,
                           const struct btree_row *row, const struct attribute *attribute)
{
    static const unsigned char empty[] = {0xa5, 0x00, 0x5a};
    const struct btree_value *v = column_of(r, row, attribute->type);
    struct xr_bytes value = v->bytes;

    if (v->type == BTREE_NULL || (v->type == BTREE_BLOB && value.len == 0))
        return true;
    if (v->type != BTREE_BLOB)
        return false;
    if (value.len == sizeof(empty) && memcmp(value.data, empty, sizeof(empty)) == 0)
        value.len = 0;
    if ((attribute->form == NUMBER && value.len != 4) ||
        (attribute->form == FLAG && value.len != 1) ||
        (attribute->sealed &&
         !sealed(r->keys, (uint32_t)row->values[0].number, (uint32_t)attribute->type, value)))
        return false;
    if (attribute->form == NUMBER)
        p11_set_ulong(object, attribute->type, number_of(value));
    else
        p11_set_bytes(object, attribute->type, value);
    return true;
}

static void put_value(struct xr_buf *out, const struct btree_value *value)
{
    xr_buf_put32(out, (uint32_t)value->type);
    xr_buf_put32(out, (uint32_t)((uint64_t)value->number >> 32));
    xr_buf_put32(out, (uint32_t)value->number);
    xr_buf_put32(out, (uint32_t)value->bytes.len);
    xr_buf_add(out, value->bytes.data, value->bytes.len);
}

static bool on_entry(void *ctx, const struct btree_row *row)
{
    put_value(ctx, &row->values[0]);
    put_value(ctx, &row->values[1]);
    return row->count == 2;
}

static bool on_public(void *ctx, const struct btree_row *row)
{
    struct reading *r = ctx;
    const struct btree_value *id = &row->values[0], *class = column_of(r, row, CKA_CLASS);

    if (id->type != BTREE_INTEGER || id->number <= 0 || id->number > ID_MAX)
        return false;
    for (size_t i = 1; r->all != NULL && i < r->table->columns; i++) {
        xr_buf_put32(r->all, r->table->types[i]);
        put_value(r->all, &row->values[i]);
    }
    *XR_PUSH(&r->ids) = (struct btree_key){.rowid = row->rowid, .number = id->number};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct p11_object *object = NULL;
        bool good = true;

        if (class->type != BTREE_BLOB || class->bytes.len != 4 ||
            number_of(class->bytes) != kinds[i].kind)
            continue;
        if (kinds[i].attributes == NULL)
            return false;
        object = XR_PUSH(r->out);
        object->kind = kinds[i].kind;
        for (const struct attribute *a = kinds[i].attributes; good && a->type != 0; a++)
            good = read_attribute(object, r, row, a);
        return good;
    }
    return true;
}

/* all: also gets what makes the answers of libnss3, unless it is NULL; false if that is not known. */
static bool read_both(struct p11_objects *out, const struct xr_host *host, struct btree_file *cert9,
                      struct btree_file *key4, struct xr_buf *all)
{
    struct table *table = xr_new(1, sizeof(*table));
    struct keys keys = {.checked = false};
    struct reading reading = {.table = table, .keys = &keys, .out = out, .all = all};
    bool good = false;

    table->name = "nssPublic";
    good = (key4 == NULL || read_keys(&keys, host, key4)) && read_schema(cert9, table, 1) &&
           btree_rows(cert9, table->root, table->columns, on_public, &reading) &&
           btree_index(cert9, table->index, &reading.ids);
    for (size_t i = 0; good && all != NULL && i < OTHERS; i++) {
        xr_buf_put32(all, table->others[i] != 0);
        good = table->others[i] == 0 || btree_entries(cert9, table->others[i], on_entry, all);
    }
    if (good && all != NULL)
        xr_buf_put32(all, keys.checked);
    if (!good)
        p11_objects_free(out);
    free(reading.ids.items);
    free_keys(&keys);
    free(table);
    return good;
}

bool nss_look_read(struct p11_objects *out, const struct xr_host *host, struct btree_file *cert9,
                   struct btree_file *key4)
{
    return read_both(out, host, cert9, key4, NULL);
}

/* Handles count from 1. */
static void copy(struct p11_object *to, const struct nss_look *look, unsigned long type)
{
    const struct p11_object *from = &look->objects.items[to->handle - 1];

    if (p11_has(from, type))
        p11_set_bytes(to, type, p11_get(from, type));
}

void nss_look_find(struct p11_objects *out, const struct nss_look *look, unsigned long kind,
                   const unsigned long *types, size_t count)
{
    for (size_t i = 0; i < look->objects.count; i++) {
        struct p11_object *to = NULL;

        if (look->objects.items[i].kind != kind)
            continue;
        to = XR_PUSH(out);
        to->kind = kind;
        to->handle = (CK_OBJECT_HANDLE)i + 1;
        for (size_t k = 0; k < count; k++)
            copy(to, look, types[k]);
    }
}

void nss_look_more(struct p11_object *object, const struct nss_look *look, unsigned long type)
{
    copy(object, look, type);
}

/* ---- the files ---- */

static const char *const names[] = {"cert9.db", "key4.db"};
enum { FILES = sizeof(names) / sizeof(names[0]) };

struct opened {
    int fd;
    unsigned char *data;
    struct btree_file file;
};

/* As an SQLite that reads: PENDING for a moment, which a writer that waits for readers keeps, then a
 * part of SHARED for as long as the file is open. Nothing is waited for. */
static bool share(int fd)
{
    struct flock pending = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 1};
    struct flock shared = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    bool good = fcntl(fd, F_SETLK, &pending) == 0 && fcntl(fd, F_SETLK, &shared) == 0;

    pending.l_type = F_UNLCK;
    return fcntl(fd, F_SETLK, &pending) == 0 && good;
}

/* A journal may be of a write that was interrupted, and a log may hold pages: both are softoken's. */
static bool alone(int dir, const char *name)
{
    static const char *const beside[] = {"-journal", "-wal"};
    char path[32];
    struct stat st;

    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", name, beside[i]);
        if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
            return false;
    }
    return true;
}

static bool stamp_of(struct nss_look_stamp *out, int *fd, int dir, const char *name)
{
    memset(out, 0, sizeof(*out));
    *fd = xr_open_regular(dir, name, &out->st);
    if (*fd < 0)
        return errno == ENOENT;
    out->there = out->st.st_size > 0;
    return true;
}

static bool read_counter(struct nss_look_stamp *stamp, int fd)
{
    return pread(fd, stamp->counter, sizeof(stamp->counter), 24) == (ssize_t)sizeof(stamp->counter);
}

/* *out stays without pages if there is no file, or an empty one. */
static bool open_file(struct opened *out, struct nss_look_stamp *stamp, int dir, const char *name)
{
    size_t size = 0;

    if (!stamp_of(stamp, &out->fd, dir, name))
        return false;
    if (!stamp->there)
        return alone(dir, name);
    size = (size_t)stamp->st.st_size;
    if (size > FILE_MAX || !share(out->fd) || !alone(dir, name) ||
        fstat(out->fd, &stamp->st) != 0 || (size_t)stamp->st.st_size != size ||
        !read_counter(stamp, out->fd))
        return false;
    out->data = xr_new(size, 1);
    return btree_open(&out->file, out->data, size, out->fd);
}

static bool look(struct nss_look *out, const struct xr_host *host, int dir, struct xr_buf *all)
{
    struct opened files[FILES] = {{.fd = -1}, {.fd = -1}};
    bool good = true;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; good && i < FILES; i++)
        good = open_file(&files[i], &out->stamps[i], dir, names[i]);
    good = good && out->stamps[0].there &&
           read_both(&out->objects, host, &files[0].file,
                     out->stamps[1].there ? &files[1].file : NULL, all);
    for (size_t i = 0; i < FILES; i++) {
        btree_close(&files[i].file);
        free(files[i].data);
        if (files[i].fd >= 0)
            (void)close(files[i].fd);
    }
    return good;
}

bool nss_look_open(struct nss_look *out, const struct xr_host *host, int dir)
{
    return look(out, host, dir, NULL);
}

bool nss_look_digest(unsigned char out[XR_SHA256_LEN], const struct xr_host *host, int dir)
{
    struct nss_look read;
    struct xr_buf all = {0};
    bool good = look(&read, host, dir, &all);

    xr_buf_put32(&all, read.stamps[1].there);
    host->sha256(out, (struct xr_bytes){(const unsigned char *)all.data, all.len});
    xr_buf_free(&all);
    nss_look_free(&read);
    return good;
}

static bool same(const struct nss_look_stamp *a, const struct nss_look_stamp *b)
{
    return a->there == b->there && a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
           a->st.st_size == b->st.st_size && a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
           a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec &&
           memcmp(a->counter, b->counter, sizeof(a->counter)) == 0;
}

bool nss_look_holds(const struct nss_look *look, int dir)
{
    bool good = true;

    for (size_t i = 0; good && i < FILES; i++) {
        struct nss_look_stamp now;
        int fd = -1;

        good = stamp_of(&now, &fd, dir, names[i]) && (!now.there || read_counter(&now, fd)) &&
               same(&now, &look->stamps[i]) && alone(dir, names[i]);
        if (fd >= 0)
            (void)close(fd);
    }
    return good;
}

void nss_look_free(struct nss_look *look)
{
    p11_objects_free(&look->objects);
    memset(look, 0, sizeof(*look));
}
