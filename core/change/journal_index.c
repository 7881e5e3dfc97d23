/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_index_file.h"

#include "certs/x509.h"
#include "sys/sys.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- reading ---- */

uint64_t xr_index_covers(const struct xr_journal_index *index)
{
    return index->covered;
}

void xr_index_free(struct xr_journal_index *index)
{
    if (index == NULL)
        return;
    for (unsigned i = 0; i < XR_INDEX_SECTIONS; i++)
        xr_buf_free(&index->sections[i].bytes);
    if (index->fd >= 0)
        (void)close(index->fd);
    xr_strings_free(&index->stores);
    free(index->opens.items);
    free(index);
}

static bool sum_is(const unsigned char sum[XR_SHA256_LEN], struct xr_bytes bytes)
{
    unsigned char is[XR_SHA256_LEN];

    xr_x509_sha256(is, bytes);
    return memcmp(is, sum, sizeof(is)) == 0;
}

static bool reaches(int fd, uint64_t len)
{
    off_t end = lseek(fd, 0, SEEK_END);

    return end >= 0 && (uint64_t)end >= len;
}

/* Does the journal end there as it did when the index was made? */
static bool same_end(const struct xr_journal *journal, uint64_t covered, uint64_t last,
                     const unsigned char head[XR_RECORD_HEAD])
{
    struct xr_buf now = {0};
    bool same = covered >= XR_JOURNAL_RECORDS + XR_RECORD_HEAD &&
                last <= covered - XR_RECORD_HEAD && reaches(journal->fd, covered);

    same = same && xr_journal_bytes(&now, journal->fd, last, XR_RECORD_HEAD) &&
           memcmp(now.data, head, XR_RECORD_HEAD) == 0;
    xr_buf_free(&now);
    return same;
}

static bool read_body(struct xr_journal_index *index, struct xr_journal *journal,
                      struct xr_bytes body)
{
    struct xr_reader in = {body, false};
    unsigned char key[XR_JOURNAL_KEY_LEN], head[XR_RECORD_HEAD];
    uint64_t last = 0, opens = 0, at = XR_INDEX_HEAD + body.len;

    xr_get_fixed(&in, key, sizeof(key));
    index->covered = xr_get_number(&in, XR_JOURNAL_MAX);
    journal->last = last = xr_get_number(&in, XR_JOURNAL_MAX);
    xr_get_fixed(&in, head, sizeof(head));
    index->damaged = xr_get_number(&in, XR_JOURNAL_MAX);
    index->transactions = (size_t)xr_get_number(&in, XR_JOURNAL_MAX);
    for (unsigned i = 0; i < XR_INDEX_SECTIONS; i++) {
        index->sections[i].at = at;
        index->sections[i].len = xr_get_number(&in, XR_JOURNAL_MAX);
        xr_get_fixed(&in, index->sections[i].sum, XR_SHA256_LEN);
        at += index->sections[i].len;
    }
    opens = xr_get_number(&in, XR_INDEX_BODY_MAX);
    for (uint64_t i = 0; i < opens && !in.failed; i++) {
        struct open_row *row = XR_PUSH(&index->opens);

        xr_get_fixed(&in, row->id, XR_JOURNAL_ID_LEN);
        row->ordinal = xr_get_number(&in, index->transactions);
        row->begin = xr_get_number(&in, index->covered);
        row->stop = xr_get_number(&in, index->covered);
    }
    return !in.failed && in.rest.len == 0 && memcmp(key, journal->key, sizeof(key)) == 0 &&
           index->sections[XR_INDEX_ROWS].len == index->transactions * XR_ROW_LEN &&
           same_end(journal, index->covered, last, head);
}

static bool read_head(struct xr_journal_index *index, struct xr_journal *journal)
{
    struct xr_buf head = {0}, body = {0};
    uint64_t len = 0;
    bool good = xr_journal_bytes(&head, index->fd, 0, XR_INDEX_HEAD) &&
                memcmp(head.data, XR_INDEX_MAGIC, XR_INDEX_MAGIC_LEN) == 0;

    if (good) {
        struct xr_reader in = {{(unsigned char *)head.data + XR_INDEX_MAGIC_LEN + XR_SHA256_LEN, 8},
                               false};

        len = xr_get_number(&in, XR_INDEX_BODY_MAX);
        good = !in.failed && xr_journal_bytes(&body, index->fd, XR_INDEX_HEAD, len);
    }
    if (good) {
        struct xr_buf summed = {0};

        xr_buf_add(&summed, head.data + XR_INDEX_MAGIC_LEN + XR_SHA256_LEN, 8);
        xr_buf_add(&summed, body.data, body.len);
        good = sum_is((unsigned char *)head.data + XR_INDEX_MAGIC_LEN, xr_index_bytes(&summed)) &&
               read_body(index, journal, xr_index_bytes(&body));
        xr_buf_free(&summed);
    }
    xr_buf_free(&head);
    xr_buf_free(&body);
    return good;
}

/* Reads one transaction from its place in the journal. */
static bool read_transaction(struct xr_transaction *out, const struct xr_journal *journal,
                             const char *id, uint64_t begin, uint64_t stop)
{
    struct xr_journal one = {.fd = -1, .dirfd = -1};
    struct xr_buf bytes = {0};
    bool good = stop >= begin && xr_journal_bytes(&bytes, journal->fd, begin, stop - begin);

    memcpy(one.key, journal->key, sizeof(one.key));
    good = good && xr_journal_apply_all(&one, xr_index_bytes(&bytes), begin, id) &&
           one.count == 1 && one.items[0].begin == begin && one.items[0].stop == stop;
    if (good) {
        xr_journal_derive(&one);
        *out = one.items[0];
        one.count = 0;
    }
    xr_buf_free(&bytes);
    xr_journal_forget(&one);
    return good;
}

static bool any_made(const struct xr_transaction *t)
{
    bool any = false;

    for (size_t i = 0; i < t->count; i++)
        any = any || xr_part_made(&t->items[i]);
    return any;
}

bool xr_index_open(struct xr_journal *journal)
{
    struct xr_journal_index *index = xr_new(1, sizeof(*index));
    struct xr_buf key = {0};
    bool made = false;
    bool good = xr_journal_bytes(&key, journal->fd, 0, XR_JOURNAL_RECORDS) &&
                xr_journal_get_key(journal, xr_index_bytes(&key));

    index->fd = -1;
    good = good &&
           xr_sys_open_own(&index->fd, journal->dirfd, XR_INDEX_NAME, false, NULL) == XR_OK &&
           read_head(index, journal);
    xr_buf_free(&key);
    if (!good) {
        xr_index_free(index);
        return false;
    }
    journal->index = index;
    journal->indexed = index->transactions;
    journal->damaged = (size_t)index->damaged;
    for (size_t i = 0; i < index->opens.count; i++) {
        const struct open_row *row = &index->opens.items[i];
        struct xr_transaction t;

        if (!read_transaction(&t, journal, row->id, row->begin, row->stop))
            return false;
        t.ordinal = (size_t)row->ordinal;
        made = made || any_made(&t);
        *XR_PUSH(journal) = t;
    }
    /* What was left can be undone, by a transaction that is over. */
    return !made || xr_index_outlines(journal);
}

static bool read_section(struct xr_journal_index *index, unsigned which)
{
    struct section *section = &index->sections[which];

    if (!section->read)
        section->read = reaches(index->fd, section->at + section->len) &&
                        xr_journal_bytes(&section->bytes, index->fd, section->at, section->len) &&
                        sum_is(section->sum, xr_index_bytes(&section->bytes));
    return section->read;
}

static bool read_stores(struct xr_journal_index *index)
{
    struct xr_reader in = {{0}, false};

    if (index->stores.count > 0)
        return true;
    if (!read_section(index, XR_INDEX_STORES))
        return false;
    in.rest = xr_index_bytes(&index->sections[XR_INDEX_STORES].bytes);
    while (in.rest.len > 0 && !in.failed) {
        char *store = xr_get_text(&in);

        xr_strings_add(&index->stores, store != NULL ? store : "");
        free(store);
    }
    return !in.failed;
}

bool xr_index_changes(struct xr_journal_index *index)
{
    return read_stores(index) && read_section(index, XR_INDEX_CHANGES) &&
           index->sections[XR_INDEX_CHANGES].len % XR_CHANGE_LEN == 0;
}

/* ---- what it says of changes: sorted by store, subject and transaction ---- */

size_t xr_index_count(const struct xr_journal_index *index)
{
    return (size_t)index->sections[XR_INDEX_CHANGES].len / XR_CHANGE_LEN;
}

struct xr_change_row xr_index_change(const struct xr_journal_index *index, size_t i)
{
    struct xr_reader in = {xr_index_bytes(&index->sections[XR_INDEX_CHANGES].bytes), false};
    struct xr_change_row row;

    in.rest.data += i * XR_CHANGE_LEN;
    in.rest.len = XR_CHANGE_LEN;
    xr_get_fixed(&in, row.id, sizeof(row.id));
    row.type = xr_get_number(&in, UINT64_MAX);
    row.store = xr_get_number(&in, UINT64_MAX);
    row.ordinal = xr_get_number(&in, UINT64_MAX);
    row.bits = xr_get_number(&in, UINT64_MAX);
    return row;
}

int xr_change_by_subject(const void *a, const void *b)
{
    const struct xr_change_row *x = a, *y = b;
    int ids = 0;

    if (x->store != y->store)
        return x->store < y->store ? -1 : 1;
    ids = memcmp(x->id, y->id, sizeof(x->id));
    if (ids != 0)
        return ids;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static size_t store_at(const struct xr_journal_index *index, const char *store)
{
    size_t at = 0;

    while (at < index->stores.count && strcmp(index->stores.items[at], store) != 0)
        at++;
    return at;
}

/* The first row that is not before key. */
static size_t first_change(const struct xr_journal_index *index, const struct xr_change_row *key)
{
    size_t from = 0, to = xr_index_count(index);

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        struct xr_change_row row = xr_index_change(index, mid);

        if (xr_change_by_subject(&row, key) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

void xr_index_newest(const struct xr_journal_index *index, const char *store,
                     void (*tell)(void *ctx, const struct xr_subject *subject, size_t ordinal,
                                  bool leaves),
                     void *ctx)
{
    struct xr_change_row key = {.store = store_at(index, store)}, next;
    size_t count = xr_index_count(index);

    assert(index->sections[XR_INDEX_CHANGES].read);
    if (key.store == index->stores.count)
        return;
    for (size_t i = first_change(index, &key); i < count; i++) {
        struct xr_change_row row = xr_index_change(index, i);
        struct xr_subject subject = {.type = (enum xr_subject_type)row.type};

        if (row.store != key.store)
            break;
        if (i + 1 < count) {
            next = xr_index_change(index, i + 1);
            if (next.store == row.store && memcmp(next.id, row.id, sizeof(row.id)) == 0)
                continue;
        }
        memcpy(subject.id, row.id, sizeof(subject.id));
        tell(ctx, &subject, (size_t)row.ordinal,
             row.type == XR_SUBJECT_CERT && (row.bits & XR_CHANGE_LEAVES) != 0);
    }
}

bool xr_index_managed(const struct xr_journal_index *index, const char *store,
                      const struct xr_subject *subject, enum xr_place place)
{
    struct xr_change_row key = {.store = 0};

    key.store = store_at(index, store);
    memcpy(key.id, subject->id, sizeof(key.id));
    for (size_t i = first_change(index, &key); i < xr_index_count(index); i++) {
        struct xr_change_row row = xr_index_change(index, i);

        if (row.store != key.store || memcmp(row.id, key.id, sizeof(key.id)) != 0)
            break;
        if (row.type == (uint64_t)subject->type && (row.bits & XR_CHANGE_UNDONE) == 0 &&
            (row.bits & XR_PLACE_BIT(place)) != 0)
            return true;
    }
    return false;
}

/* ---- outlines ---- */

static bool read_outline(struct xr_transaction *t, uint64_t *flags, struct xr_reader *rows,
                         struct xr_reader *parts, const struct xr_strings *stores)
{
    uint64_t count = 0;

    xr_get_fixed(rows, t->id, XR_JOURNAL_ID_LEN);
    xr_get_fixed(rows, t->undoes, XR_JOURNAL_ID_LEN);
    t->begin = xr_get_number(rows, XR_JOURNAL_MAX);
    t->stop = xr_get_number(rows, XR_JOURNAL_MAX);
    count = xr_get_number(rows, XR_JOURNAL_MAX);
    *flags = xr_get_number(rows, UINT64_MAX);
    t->outline = true;
    for (uint64_t i = 0; i < count && !parts->failed; i++) {
        uint64_t store = xr_get_number(parts, XR_JOURNAL_MAX);
        uint64_t stage = xr_get_number(parts, XR_STAGE_COUNT - 1);

        if (store >= stores->count)
            parts->failed = true;
        else
            *XR_PUSH(t) = (struct xr_part){.number = i,
                                           .stage = (enum xr_stage)stage,
                                           .store = xr_strdup(stores->items[store]),
                                           .identity = xr_strdup("")};
    }
    return !rows->failed && !parts->failed;
}

bool xr_index_outlines(struct xr_journal *journal)
{
    struct xr_journal_index *index = journal->index;
    struct xr_journal all = {0};
    struct xr_reader rows = {{0}, false}, parts = {{0}, false};
    size_t next = 0;
    bool good = false;

    if (index->outlined)
        return true;
    good = read_section(index, XR_INDEX_ROWS) && read_section(index, XR_INDEX_PARTS) &&
           read_stores(index);

    rows.rest = xr_index_bytes(&index->sections[XR_INDEX_ROWS].bytes);
    parts.rest = xr_index_bytes(&index->sections[XR_INDEX_PARTS].bytes);
    for (size_t i = 0; good && i < index->transactions; i++) {
        struct xr_transaction t = {.ordinal = i};
        uint64_t flags = 0;

        good = read_outline(&t, &flags, &rows, &parts, &index->stores);
        if (good && next < journal->count && journal->items[next].ordinal == i) {
            xr_transaction_free(&t);
            *XR_PUSH(&all) = journal->items[next++];
        } else if (good && (flags & XR_ROW_OPEN) == 0) {
            *XR_PUSH(&all) = t;
        } else {
            xr_transaction_free(&t);
            good = false;
        }
    }
    if (!good) { /* what was read before stays with journal */
        for (size_t i = 0; i < all.count; i++) {
            if (all.items[i].outline)
                xr_transaction_free(&all.items[i]);
        }
        free(all.items);
        return false;
    }
    while (next < journal->count)
        *XR_PUSH(&all) = journal->items[next++];
    free(journal->items);
    journal->items = all.items;
    journal->count = all.count;
    journal->capacity = all.capacity;
    index->outlined = true;
    xr_journal_derive(journal);
    return true;
}

enum xr_status xr_journal_fill(struct xr_journal *journal, size_t transaction, struct xr_error *err)
{
    struct xr_transaction *t = &journal->items[transaction], whole;

    if (!t->outline)
        return XR_OK;
    if (!read_transaction(&whole, journal, t->id, t->begin, t->stop))
        return xr_fail(err, XR_FAILED, "%s: the record of that transaction is damaged",
                       journal->path);
    whole.ordinal = t->ordinal;
    xr_transaction_free(t);
    *t = whole;
    xr_journal_derive(journal);
    return XR_OK;
}
