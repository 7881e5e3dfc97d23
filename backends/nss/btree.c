/* SPDX-License-Identifier: Apache-2.0 */
#include "btree.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    HEADER = 100,
    DEPTH_MAX = 20,
    LEAF_TABLE = 13,
    INNER_TABLE = 5,
    LEAF_INDEX = 10,
    INNER_INDEX = 2,
    CELL_LEAST = 4, /* bytes that a cell takes at least */
    FRAGMENTS_MAX = 60,
};
enum { FREE, USED };

/* Pages behind it are numbered past the bytes that SQLite locks. */
#define FILE_MAX ((size_t)0x40000000)

static uint32_t be16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t be32(const unsigned char *at)
{
    return be16(at) << 16 | be16(at + 2);
}

/* ---- pages ---- */

static bool fetch(struct btree_file *file, size_t at, size_t len)
{
    while (len > 0) {
        ssize_t got = pread(file->fd, file->data + at, len, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += (size_t)got;
        len -= (size_t)got;
    }
    return true;
}

/* What is not known here: a log of writes, room kept free in pages, another encoding of text, a file
 * that vacuums itself, one that an SQLite before 3.7 wrote last. */
static bool known_header(const unsigned char *h)
{
    return memcmp(h, "SQLite format 3", 16) == 0 && h[18] == 1 && h[19] == 1 && h[20] == 0 &&
           h[21] == 64 && h[22] == 32 && h[23] == 32 && be32(h + 24) == be32(h + 92) &&
           be32(h + 44) >= 1 && be32(h + 44) <= 4 && be32(h + 52) == 0 && be32(h + 56) == 1 &&
           be32(h + 64) == 0;
}

bool btree_open(struct btree_file *out, unsigned char *data, size_t size, int fd)
{
    size_t page = 0;

    *out = (struct btree_file){.data = data, .size = size, .fd = fd};
    if (size < 512 || size > FILE_MAX || (fd >= 0 && !fetch(out, 0, HEADER)) || !known_header(data))
        return false;
    page = be16(data + 16) == 1 ? 65536 : be16(data + 16);
    if (page < 512 || (page & (page - 1)) != 0 || size % page != 0 ||
        be32(data + 28) != size / page)
        return false;
    out->page_size = page;
    out->pages = (uint32_t)(size / page);
    out->state = xr_new((size_t)out->pages + 1, 1);
    return true;
}

void btree_close(struct btree_file *file)
{
    for (size_t i = 0; i < file->joined.count; i++)
        free(file->joined.items[i]);
    free(file->joined.items);
    free(file->state);
    *file = (struct btree_file){.fd = -1};
}

/* Each page has one place in one tree. */
static const unsigned char *page_of(struct btree_file *file, uint32_t number)
{
    size_t at = 0;

    if (number == 0 || number > file->pages || file->state[number] == USED)
        return NULL;
    at = (number - 1) * file->page_size;
    if (file->fd >= 0 && !fetch(file, at, file->page_size))
        return NULL;
    file->state[number] = USED;
    return file->data + at;
}

/* ---- what lies in a page ---- */

struct page {
    const unsigned char *data, *cells; /* the page; two bytes for each cell */
    bool leaf, index;
    uint32_t count, content, right;
    size_t unused; /* bytes behind content that no cell takes */
};

struct cell {
    uint32_t left; /* page of what comes before it, if it is not in a leaf */
    int64_t rowid;
    struct xr_bytes payload;
};

/* At most nine bytes; false: they do not end before end. */
static bool varint(uint64_t *out, const unsigned char **at, const unsigned char *end)
{
    uint64_t value = 0;

    for (int i = 0; i < 9 && *at < end; i++) {
        unsigned char octet = *(*at)++;

        if (i == 8) {
            *out = value << 8 | octet;
            return true;
        }
        value = value << 7 | (octet & 0x7f);
        if ((octet & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Overflow pages hold what is left of a payload, and nothing comes after the last. */
static bool join(struct btree_file *file, unsigned char *to, uint32_t next, size_t left)
{
    size_t room = file->page_size - 4;

    while (left > 0) {
        const unsigned char *page = page_of(file, next);
        size_t part = left < room ? left : room;

        if (page == NULL)
            return false;
        memcpy(to, page + 4, part);
        next = be32(page);
        to += part;
        left -= part;
    }
    return next == 0;
}

/* How much of a payload lies in its cell ("B-tree Cell Format"). */
static size_t local_part(const struct btree_file *file, bool index, size_t len)
{
    size_t usable = file->page_size, least = (usable - 12) * 32 / 255 - 23,
           most = index ? (usable - 12) * 64 / 255 - 23 : usable - 35, part = 0;

    if (len <= most)
        return len;
    part = least + (len - least) % (usable - 4);
    return part <= most ? part : least;
}

static bool payload_at(struct xr_bytes *out, struct btree_file *file, bool index,
                       const unsigned char **at, const unsigned char *end, uint64_t len)
{
    size_t local = 0;
    unsigned char *joined = NULL;

    if (len > file->size)
        return false;
    local = local_part(file, index, (size_t)len);
    if (local + (local < len ? 4 : 0) > (size_t)(end - *at))
        return false;
    *out = (struct xr_bytes){*at, (size_t)len};
    *at += local;
    if (local == len)
        return true;
    joined = xr_new((size_t)len, 1);
    *XR_PUSH(&file->joined) = joined;
    memcpy(joined, out->data, local);
    out->data = joined;
    *at += 4;
    return join(file, joined + local, be32(*at - 4), (size_t)len - local);
}

/* *taken: bytes of the page. */
static bool cell_at(struct cell *out, size_t *taken, struct btree_file *file,
                    const struct page *page, uint32_t number)
{
    const unsigned char *end = page->data + file->page_size, *start = NULL, *at = NULL;
    uint32_t offset = be16(page->cells + 2 * (size_t)number);
    uint64_t len = 0, rowid = 0;
    bool good = true;

    if (offset < page->content || offset + CELL_LEAST > file->page_size)
        return false;
    start = at = page->data + offset;
    *out = (struct cell){0};
    if (!page->leaf) {
        out->left = be32(at);
        at += 4;
    }
    if (page->leaf || page->index)
        good = varint(&len, &at, end);
    if (good && !page->index)
        good = varint(&rowid, &at, end);
    out->rowid = (int64_t)rowid;
    if (good && (page->leaf || page->index))
        good = payload_at(&out->payload, file, page->index, &at, end, len);
    *taken = (size_t)(at - start) < CELL_LEAST ? CELL_LEAST : (size_t)(at - start);
    return good;
}

/* Bytes in the list of free blocks; false: it leads elsewhere. */
static bool free_bytes(size_t *out, const struct btree_file *file, const struct page *page,
                       uint32_t first)
{
    uint32_t at = first, before = 0;

    *out = 0;
    while (at != 0) {
        uint32_t len = 0;

        if (at < page->content || at < before || at + 4 > file->page_size)
            return false;
        len = be16(page->data + at + 2);
        if (len < 4 || at + len > file->page_size)
            return false;
        before = at + len;
        *out += len;
        at = be16(page->data + at);
    }
    return true;
}

/* Cells, free blocks and fragments fill what is behind the start of the content. */
static bool page_at(struct page *out, struct btree_file *file, uint32_t number, bool index)
{
    const unsigned char *data = page_of(file, number), *head = NULL;
    size_t start = number == 1 ? HEADER : 0, sum = 0;
    bool good = true;

    if (data == NULL)
        return false;
    head = data + start;
    *out = (struct page){.data = data, .index = index};
    out->leaf = head[0] == (index ? LEAF_INDEX : LEAF_TABLE);
    if (!out->leaf && head[0] != (index ? INNER_INDEX : INNER_TABLE))
        return false;
    start += out->leaf ? 8 : 12;
    out->count = be16(head + 3);
    out->content = be16(head + 5) == 0 ? 65536 : be16(head + 5);
    out->right = out->leaf ? 0 : be32(head + 8);
    out->cells = data + start;
    good = head[7] <= FRAGMENTS_MAX && out->content <= file->page_size &&
           start + 2 * (size_t)out->count <= out->content &&
           free_bytes(&sum, file, out, be16(head + 1));
    for (uint32_t i = 0; good && i < out->count; i++) {
        uint32_t offset = be16(out->cells + 2 * (size_t)i);

        good = offset >= out->content && offset + CELL_LEAST <= file->page_size;
    }
    out->unused = sum + head[7];
    return good && (out->leaf || out->count > 0);
}

/* ---- trees ---- */

struct walk {
    struct btree_file *file;
    bool index, some;
    int64_t last;    /* rowid, or that of an inner cell: what comes is greater */
    unsigned leaves; /* depth of all leaves; 0: none was seen */
    bool (*each)(struct walk *walk, const struct cell *cell);
};

static bool in_order(struct walk *walk, int64_t rowid, bool leaf)
{
    bool good = !walk->some || (leaf ? rowid > walk->last : rowid >= walk->last);

    walk->some = true;
    walk->last = rowid;
    return good;
}

/* NOLINTNEXTLINE(misc-no-recursion): its depth has a limit */
static bool visit(struct walk *walk, uint32_t number, unsigned depth)
{
    struct page page;
    size_t sum = 0;
    bool good = depth <= DEPTH_MAX && page_at(&page, walk->file, number, walk->index) &&
                (page.count > 0 || depth == 1);

    if (good && page.leaf) {
        good = walk->leaves == 0 || walk->leaves == depth;
        walk->leaves = depth;
    }
    for (uint32_t i = 0; good && i < page.count; i++) {
        struct cell cell;
        size_t taken = 0;

        good = cell_at(&cell, &taken, walk->file, &page, i) &&
               (page.leaf || visit(walk, cell.left, depth + 1)) &&
               (page.index || in_order(walk, cell.rowid, page.leaf)) &&
               (!(page.leaf || page.index) || walk->each(walk, &cell));
        sum += taken;
    }
    good = good && sum + page.unused == walk->file->page_size - page.content;
    return good && (page.leaf || visit(walk, page.right, depth + 1));
}

/* ---- records ---- */

static bool value_of(struct btree_value *out, uint64_t serial, const unsigned char **at,
                     const unsigned char *end)
{
    static const unsigned char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    uint64_t len = 0;
    uint64_t number = 0;

    if (serial == 10 || serial == 11)
        return false;
    len = serial >= 12 ? (serial - 12) / 2 : sizes[serial];
    if (len > (uint64_t)(end - *at))
        return false;
    *out = (struct btree_value){.type = serial == 0   ? BTREE_NULL
                                        : serial == 7 ? BTREE_REAL
                                        : serial < 12 ? BTREE_INTEGER
                                        : serial & 1  ? BTREE_TEXT
                                                      : BTREE_BLOB};
    if (serial >= 12)
        out->bytes = (struct xr_bytes){*at, (size_t)len};
    if (out->type == BTREE_INTEGER && len > 0) {
        number = (*at)[0] & 0x80 ? UINT64_MAX : 0;
        for (uint64_t i = 0; i < len; i++)
            number = number << 8 | (*at)[i];
    } else if (serial == 9) {
        number = 1;
    }
    out->number = (int64_t)number;
    *at += len;
    return true;
}

static bool record(struct btree_row *out, struct xr_bytes payload, size_t columns)
{
    const unsigned char *head = payload.data, *end = payload.data + payload.len, *body = NULL;
    uint64_t len = 0, serial = 0;

    out->count = 0;
    if (payload.len == 0 || !varint(&len, &head, end) || len > payload.len ||
        len < (uint64_t)(head - payload.data))
        return false;
    body = payload.data + len;
    for (const unsigned char *head_end = body; head < head_end;) {
        if (out->count == columns || !varint(&serial, &head, head_end) ||
            !value_of(&out->values[out->count], serial, &body, end))
            return false;
        out->count++;
    }
    return body == end;
}

struct rows {
    struct walk walk;
    struct btree_row *row;
    size_t columns;
    btree_row_fn each;
    void *ctx;
};

static bool on_row(struct walk *walk, const struct cell *cell)
{
    struct rows *rows = (struct rows *)walk;

    rows->row->rowid = cell->rowid;
    if (!record(rows->row, cell->payload, rows->columns))
        return false;
    for (size_t i = rows->row->count; i < rows->columns; i++)
        rows->row->values[i] = (struct btree_value){0};
    return rows->each(rows->ctx, rows->row);
}

static bool all(struct btree_file *file, uint32_t root, bool index, size_t columns,
                btree_row_fn each, void *ctx)
{
    struct rows rows = {.walk = {.file = file, .index = index, .each = on_row},
                        .row = xr_new(1, sizeof(*rows.row)),
                        .columns = columns,
                        .each = each,
                        .ctx = ctx};
    bool good = columns <= BTREE_COLUMNS && visit(&rows.walk, root, 1);

    free(rows.row);
    return good;
}

bool btree_rows(struct btree_file *file, uint32_t root, size_t columns, btree_row_fn each,
                void *ctx)
{
    return all(file, root, false, columns, each, ctx);
}

bool btree_entries(struct btree_file *file, uint32_t root, btree_row_fn each, void *ctx)
{
    return all(file, root, true, 2, each, ctx);
}

/* ---- indexes ---- */

static int compare(const void *a, const void *b)
{
    const struct btree_key *x = a, *y = b;
    int order = 0;

    if (x->text != y->text) /* numbers come first */
        return x->text ? 1 : -1;
    if (!x->text)
        return x->number < y->number ? -1 : x->number > y->number;
    if (x->bytes.len > 0 && y->bytes.len > 0)
        order = memcmp(x->bytes.data, y->bytes.data,
                       x->bytes.len < y->bytes.len ? x->bytes.len : y->bytes.len);
    return order != 0 ? order : x->bytes.len < y->bytes.len ? -1 : x->bytes.len > y->bytes.len;
}

struct index {
    struct walk walk;
    struct btree_row *row;
    const struct btree_keys *keys;
    size_t next;
};

static bool on_key(struct walk *walk, const struct cell *cell)
{
    struct index *index = (struct index *)walk;
    const struct btree_value *values = index->row->values;
    const struct btree_key *want = &index->keys->items[index->next];
    struct btree_key key;

    if (index->next == index->keys->count || !record(index->row, cell->payload, 2) ||
        index->row->count != 2 || values[1].type != BTREE_INTEGER ||
        (values[0].type != BTREE_INTEGER && values[0].type != BTREE_TEXT))
        return false;
    key = (struct btree_key){.rowid = values[1].number,
                             .text = values[0].type == BTREE_TEXT,
                             .number = values[0].number,
                             .bytes = values[0].bytes};
    index->next++;
    return key.rowid == want->rowid && compare(&key, want) == 0;
}

bool btree_index(struct btree_file *file, uint32_t root, struct btree_keys *keys)
{
    struct index index = {.walk = {.file = file, .index = true, .each = on_key},
                          .row = xr_new(1, sizeof(*index.row)),
                          .keys = keys};
    bool good = true;

    if (keys->count > 1)
        qsort(keys->items, keys->count, sizeof(*keys->items), compare);
    for (size_t i = 1; good && i < keys->count; i++)
        good = compare(&keys->items[i - 1], &keys->items[i]) < 0;
    good = good && visit(&index.walk, root, 1) && index.next == keys->count;
    free(index.row);
    return good;
}

const struct btree_key *btree_find(const struct btree_keys *keys, const char *text)
{
    struct btree_key key = {.text = true, .bytes = {(const unsigned char *)text, strlen(text)}};

    return keys->count > 0 ? bsearch(&key, keys->items, keys->count, sizeof(*keys->items), compare)
                           : NULL;
}
