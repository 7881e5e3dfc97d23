/* SPDX-License-Identifier: Apache-2.0 */
/* Records, b-trees and the header of an SQLite database; the section numbers are those of its format. */
#include "sqlite.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PAGE = 4096,
    FILE_HEAD = 100, /* before the b-tree of page 1 */
    LEAF_HEAD = 8,
    INTERIOR_HEAD = 12,
    OVERFLOW_ROOM = PAGE - 4,
    CELL_MIN = 4,
    LOCK_PAGE = 0x40000000 / PAGE + 1, /* 1.4: the page that locks are on is never used */
    TABLE_INTERIOR = 0x05,
    TABLE_LEAF = 0x0d,
    INDEX_INTERIOR = 0x02,
    INDEX_LEAF = 0x0a,
    VARINT_MAX = 9,
    SCHEMA_COLUMNS = 5
};
/* 2.3: how much of a payload stays in its cell. */
enum {
    TABLE_LOCAL_MAX = PAGE - 35,
    INDEX_LOCAL_MAX = (PAGE - 12) * 64 / 255 - 23,
    LOCAL_MIN = (PAGE - 12) * 32 / 255 - 23
};

static void put_be(unsigned char *out, uint64_t value, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        out[i] = (unsigned char)(value >> (8 * (octets - 1 - i)));
}

static size_t varint(unsigned char out[VARINT_MAX], uint64_t value)
{
    unsigned char reversed[VARINT_MAX];
    size_t len = 0;

    assert(value >> 56 == 0); /* the ninth octet is another matter; nothing here is so large */
    do
        reversed[len++] = (unsigned char)((value & 0x7f) | 0x80);
    while ((value >>= 7) > 0);
    reversed[0] &= 0x7f;
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

static void put_varint(struct xr_buf *buf, uint64_t value)
{
    unsigned char octets[VARINT_MAX];

    xr_buf_add(buf, octets, varint(octets, value));
}

static uint64_t get_varint(const unsigned char **at)
{
    uint64_t value = 0;
    unsigned char octet = 0;

    do {
        octet = *(*at)++;
        value = value << 7 | (octet & 0x7f);
    } while (octet & 0x80);
    return value;
}

/* ---- records (2.1) ---- */

static uint64_t serial_type(const struct xr_sqlite_value *value)
{
    static const struct {
        uint64_t type;
        unsigned bits;
    } sizes[] = {{1, 8}, {2, 16}, {3, 24}, {4, 32}, {5, 48}};

    switch (value->kind) {
    case XR_SQLITE_INTEGER:
        if (value->number == 0 || value->number == 1)
            return 8 + (uint64_t)value->number;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int64_t limit = (int64_t)1 << (sizes[i].bits - 1);

            if (value->number >= -limit && value->number < limit)
                return sizes[i].type;
        }
        return 6;
    case XR_SQLITE_TEXT:
        return 2 * (uint64_t)value->bytes.len + 13;
    case XR_SQLITE_BLOB:
        return 2 * (uint64_t)value->bytes.len + 12;
    case XR_SQLITE_NULL:
        break;
    }
    return 0;
}

static size_t content_len(uint64_t type)
{
    static const unsigned char small[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};

    return type < sizeof(small) ? small[type] : (size_t)((type - 12) / 2);
}

static void put_record(struct xr_buf *out, const struct xr_sqlite_value *values, size_t count)
{
    unsigned char octets[VARINT_MAX];
    size_t types = 0, head = 1;

    for (size_t i = 0; i < count; i++)
        types += varint(octets, serial_type(&values[i]));
    while (varint(octets, types + head) > head) /* the length counts itself */
        head++;
    put_varint(out, types + head);
    for (size_t i = 0; i < count; i++)
        put_varint(out, serial_type(&values[i]));
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind == XR_SQLITE_INTEGER) {
            size_t len = content_len(serial_type(&values[i]));

            put_be(octets, (uint64_t)values[i].number, len);
            xr_buf_add(out, octets, len);
        } else if (values[i].kind != XR_SQLITE_NULL) {
            xr_buf_add(out, values[i].bytes.data, values[i].bytes.len);
        }
    }
}

/* One value of a record that put_record made. */
static struct xr_sqlite_value value_of(const unsigned char *record, size_t column)
{
    const unsigned char *at = record, *content = NULL;
    uint64_t type = 0;
    struct xr_sqlite_value value = {0};

    content = record + get_varint(&at);
    for (size_t i = 0; i <= column; i++) {
        content += content_len(type);
        type = get_varint(&at);
    }
    value.bytes = (struct xr_bytes){content, content_len(type)};
    if (type >= 12) {
        value.kind = type % 2 ? XR_SQLITE_TEXT : XR_SQLITE_BLOB;
    } else if (type > 0) {
        uint64_t number = type >= 8 ? type - 8 : content[0] & 0x80 ? UINT64_MAX : 0;

        for (size_t i = 0; i < value.bytes.len; i++)
            number = number << 8 | content[i];
        value.kind = XR_SQLITE_INTEGER;
        value.number = (int64_t)number;
    }
    return value;
}

void xr_sqlite_add(struct xr_sqlite_table *table, const struct xr_sqlite_value *row)
{
    struct xr_sqlite_span *span = XR_PUSH(table);

    span->at = table->records.len;
    put_record(&table->records, row, table->columns);
    span->len = table->records.len - span->at;
}

void xr_sqlite_free(struct xr_sqlite_table *table)
{
    xr_buf_free(&table->records);
    free(table->items);
    table->items = NULL;
    table->count = table->capacity = 0;
}

/* ---- pages ---- */

static unsigned char *page(struct xr_buf *file, uint32_t number)
{
    return (unsigned char *)file->data + (size_t)(number - 1) * PAGE;
}

static uint32_t new_page(struct xr_buf *file)
{
    static const char zeros[PAGE];

    do
        xr_buf_add(file, zeros, PAGE);
    while (file->len / PAGE == LOCK_PAGE);
    return (uint32_t)(file->len / PAGE);
}

/* 2.3: appends the length of a payload, more if that is what goes with it, the part that stays and the
 * number of the first page of the rest. */
static void put_payload(struct xr_buf *cells, struct xr_buf *file, struct xr_bytes payload,
                        const unsigned char *more, size_t more_len, size_t local_max)
{
    size_t local = payload.len;
    unsigned char number[4];
    uint32_t before = 0;

    if (local > local_max) {
        local = LOCAL_MIN + (payload.len - LOCAL_MIN) % OVERFLOW_ROOM;
        if (local > local_max)
            local = LOCAL_MIN;
    }
    put_varint(cells, payload.len);
    xr_buf_add(cells, more, more_len);
    xr_buf_add(cells, payload.data, local);
    for (size_t at = local; at < payload.len; at += OVERFLOW_ROOM) {
        size_t rest = payload.len - at;
        uint32_t next = new_page(file);

        put_be(number, next, sizeof(number));
        if (before == 0)
            xr_buf_add(cells, number, sizeof(number));
        else
            memcpy(page(file, before), number, sizeof(number));
        memcpy(page(file, next) + 4, payload.data + at,
               rest < OVERFLOW_ROOM ? rest : OVERFLOW_ROOM);
        before = next;
    }
}

/* ---- b-trees (1.6) ---- */

/* Cells of one level, in order. Those of an interior level lead with the number of a page; what comes
 * after the last of them is in the page last. */
struct level {
    struct cell {
        size_t at, len;
        uint32_t child, key; /* key: the rowid, in a table */
    } * items;
    size_t count, capacity;
    uint32_t last;
};

struct tree {
    struct xr_buf *file, cells;
    bool table;
    struct level level;
    bool interior;
};

static size_t cell_room(const struct tree *tree, const struct cell *cell)
{
    size_t len = cell->len + (tree->interior ? 4 : 0);

    return (len < CELL_MIN ? CELL_MIN : len) + 2; /* with its pointer */
}

/* Cells from to before end as the b-tree page number. */
static void fill_page(const struct tree *tree, uint32_t number, size_t from, size_t end)
{
    size_t start = number == 1 ? FILE_HEAD : 0, content = PAGE;
    unsigned char *at = page(tree->file, number), *head = at + start,
                  *pointer = head + (tree->interior ? INTERIOR_HEAD : LEAF_HEAD);

    head[0] = tree->interior ? (tree->table ? TABLE_INTERIOR : INDEX_INTERIOR)
                             : (tree->table ? TABLE_LEAF : INDEX_LEAF);
    put_be(head + 3, end - from, 2);
    for (size_t i = from; i < end; i++) {
        const struct cell *cell = &tree->level.items[i];
        size_t lead = tree->interior ? 4 : 0;

        content -= cell_room(tree, cell) - 2;
        put_be(at + content, cell->child, lead);
        memcpy(at + content + lead, tree->cells.data + cell->at, cell->len);
        put_be(pointer, content, 2);
        pointer += 2;
    }
    put_be(head + 5, content, 2);
    if (tree->interior)
        put_be(head + 8, end < tree->level.count ? tree->level.items[end].child : tree->level.last,
               4);
}

/* The cell that stands between two pages: in a table's leaves a copy of the key before it, elsewhere one
 * that is in neither. */
static void put_separator(struct tree *tree, struct level *above, const struct cell *from,
                          uint32_t child)
{
    struct cell *cell = XR_PUSH(above);

    *cell = *from;
    cell->child = child;
    if (tree->table && !tree->interior) {
        cell->at = tree->cells.len;
        put_varint(&tree->cells, from->key);
        cell->len = tree->cells.len - cell->at;
    }
}

/* How many cells from from on a page takes, if what is left after its separator is no empty page. */
static size_t page_end(const struct tree *tree, size_t from, size_t room)
{
    const struct level *level = &tree->level;
    size_t end = from;
    bool copied = tree->table && !tree->interior;

    while (end < level->count && cell_room(tree, &level->items[end]) <= room)
        room -= cell_room(tree, &level->items[end++]);
    if (!copied && end == level->count - 1)
        end--;
    return end;
}

/* Writes the level's pages; true: it is one page, and number is that of the root. */
static bool write_level(struct tree *tree, uint32_t *number, struct level *above)
{
    bool copied = tree->table && !tree->interior;
    size_t from = 0, room = PAGE - (tree->interior ? INTERIOR_HEAD : LEAF_HEAD);

    if (*number == 1) /* whose root is small */
        room -= FILE_HEAD;
    for (;;) {
        size_t end = page_end(tree, from, room);

        if (from == 0 && end == tree->level.count) {
            if (*number == 0)
                *number = new_page(tree->file);
            fill_page(tree, *number, from, end);
            return true;
        }
        assert(*number == 0 && end > from && tree->level.items != NULL);
        above->last = new_page(tree->file);
        fill_page(tree, above->last, from, end);
        if (end == tree->level.count)
            return false;
        put_separator(tree, above, &tree->level.items[copied ? end - 1 : end], above->last);
        from = copied ? end : end + 1;
    }
}

/* Writes a tree of the cells; returns its root, which is the page root unless that is 0. */
static uint32_t write_tree(struct tree *tree, uint32_t root)
{
    struct level above = {0};

    while (!write_level(tree, &root, &above)) {
        free(tree->level.items);
        tree->level = above;
        memset(&above, 0, sizeof(above));
        tree->interior = true;
    }
    free(tree->level.items);
    xr_buf_free(&tree->cells);
    return root;
}

static struct xr_bytes record_of(const struct xr_sqlite_table *table, size_t row)
{
    return (struct xr_bytes){(const unsigned char *)table->records.data + table->items[row].at,
                             table->items[row].len};
}

static uint32_t write_table(struct xr_buf *file, const struct xr_sqlite_table *table, uint32_t root)
{
    struct tree tree = {.file = file, .table = true};

    for (size_t i = 0; i < table->count; i++) {
        struct cell *cell = XR_PUSH(&tree.level);
        unsigned char rowid[VARINT_MAX];

        cell->at = tree.cells.len;
        cell->key = (uint32_t)(i + 1);
        put_payload(&tree.cells, file, record_of(table, i), rowid, varint(rowid, i + 1),
                    TABLE_LOCAL_MAX);
        cell->len = tree.cells.len - cell->at;
    }
    return write_tree(&tree, root);
}

/* ---- indexes ---- */

struct key {
    struct xr_sqlite_value values[2]; /* of the column, and the rowid */
};

/* 2.2, with the collation BINARY. */
static int by_key(const void *a, const void *b)
{
    const struct xr_sqlite_value *x = ((const struct key *)a)->values,
                                 *y = ((const struct key *)b)->values;
    size_t len = x->bytes.len < y->bytes.len ? x->bytes.len : y->bytes.len;
    int order = 0;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind == XR_SQLITE_INTEGER)
        order = (x->number > y->number) - (x->number < y->number);
    else if (x->kind != XR_SQLITE_NULL && len > 0)
        order = memcmp(x->bytes.data, y->bytes.data, len);
    if (order == 0 && x->kind != XR_SQLITE_INTEGER)
        order = (x->bytes.len > y->bytes.len) - (x->bytes.len < y->bytes.len);
    return order != 0 ? order : (x[1].number > y[1].number) - (x[1].number < y[1].number);
}

static uint32_t write_index(struct xr_buf *file, const struct xr_sqlite_table *table, size_t column)
{
    struct tree tree = {.file = file};
    struct xr_buf record = {0};
    struct key *keys = xr_new(table->count + 1, sizeof(*keys));

    for (size_t i = 0; i < table->count; i++) {
        keys[i].values[0] = value_of(record_of(table, i).data, column);
        keys[i].values[1] =
            (struct xr_sqlite_value){.kind = XR_SQLITE_INTEGER, .number = (int64_t)i + 1};
    }
    qsort(keys, table->count, sizeof(*keys), by_key);
    for (size_t i = 0; i < table->count; i++) {
        struct cell *cell = XR_PUSH(&tree.level);

        record.len = 0;
        put_record(&record, keys[i].values, 2);
        cell->at = tree.cells.len;
        put_payload(&tree.cells, file,
                    (struct xr_bytes){(const unsigned char *)record.data, record.len}, NULL, 0,
                    INDEX_LOCAL_MAX);
        cell->len = tree.cells.len - cell->at;
    }
    xr_buf_free(&record);
    free(keys);
    return write_tree(&tree, 0);
}

/* ---- the file ---- */

static struct xr_sqlite_value text(const char *words)
{
    return (struct xr_sqlite_value){
        .kind = words != NULL ? XR_SQLITE_TEXT : XR_SQLITE_NULL,
        .bytes = {(const unsigned char *)words, words != NULL ? strlen(words) : 0}};
}

static void put_schema(struct xr_sqlite_table *schema, const char *type, const char *name,
                       const char *table, uint32_t root, const char *sql)
{
    const struct xr_sqlite_value row[SCHEMA_COLUMNS] = {text(type),
                                                        text(name),
                                                        text(table),
                                                        {.kind = XR_SQLITE_INTEGER, .number = root},
                                                        text(sql)};

    xr_sqlite_add(schema, row);
}

/* 1.3. The version of SQLite that wrote it is what Debian 12 has; readers do not heed it. */
static void put_head(struct xr_buf *file, uint32_t cookie)
{
    static const unsigned char start[] = "SQLite format 3\0\x10\0\1\1\0\x40\x20\x20";
    unsigned char *head = page(file, 1);
    const struct {
        size_t at;
        uint32_t value;
    } numbers[] = {
        {24, 1}, /* changes so far, */
        {92, 1}, /* and when the next was true: */
        {28, (uint32_t)(file->len / PAGE)},
        {40, cookie},
        {44, 4}, /* the format of the schema */
        {56, 1}, /* UTF-8 */
        {96, 3040001},
    };

    memcpy(head, start, sizeof(start) - 1);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        put_be(head + numbers[i].at, numbers[i].value, 4);
}

void xr_sqlite_write(struct xr_buf *out, const struct xr_sqlite_table *tables, size_t count)
{
    struct xr_sqlite_table schema = {.columns = SCHEMA_COLUMNS};

    assert(out->len == 0);
    (void)new_page(out);
    for (size_t i = 0; i < count; i++) {
        const struct xr_sqlite_table *table = &tables[i];

        put_schema(&schema, "table", table->name, table->name, write_table(out, table, 0),
                   table->sql);
        for (size_t j = 0; j < table->index_count; j++) {
            const struct xr_sqlite_index *index = &table->indexes[j];

            put_schema(&schema, "index", index->name, table->name,
                       write_index(out, table, index->column), index->sql);
        }
    }
    (void)write_table(out, &schema, 1);
    put_head(out, (uint32_t)schema.count);
    xr_sqlite_free(&schema);
}
