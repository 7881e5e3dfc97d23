/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/x509.h"
#include "journal_index_file.h"
#include "sys/sys.h"

#include <stdlib.h>

/* Writing costs what reading some hundred transactions does. So it is done when so many bytes, and that
 * part of the journal, are not covered. */
#define WORTH      (64u << 10)
#define WORTH_PART 64u

struct xr_change_rows {
    struct xr_change_row *items;
    size_t count, capacity;
};

/* Number of a store in the new index. Transactions name the same ones in turn. */
static size_t number_of(struct xr_strings *stores, size_t *last, const char *store)
{
    for (size_t i = 0; i < stores->count; i++) {
        *last = *last + 1 < stores->count ? *last + 1 : 0;
        if (strcmp(stores->items[*last], store) == 0)
            return *last;
    }
    xr_strings_add(stores, store);
    *last = stores->count - 1;
    return *last;
}

static void put_changes(struct xr_change_rows *out, const struct xr_transaction *t, size_t p,
                        size_t store)
{
    const struct xr_part *part = &t->items[p];

    for (size_t i = 0; i < part->count; i++) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *left = part->stage == XR_STAGE_BACK ? change->before : change->want;
        struct xr_change_row *row = XR_PUSH(out);

        memcpy(row->id, change->subject.id, sizeof(row->id));
        row->type = (uint64_t)change->subject.type;
        row->store = store;
        row->ordinal = t->ordinal;
        if (change->subject.type == XR_SUBJECT_CERT && xr_state_in(left, XR_ANCHOR) == NULL)
            row->bits |= XR_CHANGE_LEAVES;
        for (size_t k = 0; xr_part_made(part) && left != NULL && k < left->count; k++)
            row->bits |= XR_PLACE_BIT(left->entries[k]->place);
        if (t->undone_by[0] != '\0')
            row->bits |= XR_CHANGE_UNDONE;
    }
}

/* What the old index says of changes of which only outlines were read. */
static void keep_changes(struct xr_change_rows *out, const struct xr_journal *journal,
                         struct xr_strings *stores, size_t *last)
{
    for (size_t i = 0; journal->index != NULL && i < xr_index_count(journal->index); i++) {
        struct xr_change_row row = xr_index_change(journal->index, i);
        const struct xr_transaction *t = NULL;

        if (row.ordinal >= journal->count || row.store >= journal->index->stores.count)
            continue;
        t = &journal->items[row.ordinal];
        if (!t->outline) /* it was filled: its changes are those of its parts */
            continue;
        row.store = number_of(stores, last, journal->index->stores.items[row.store]);
        row.bits &= ~(uint64_t)XR_CHANGE_UNDONE;
        if (t->undone_by[0] != '\0')
            row.bits |= XR_CHANGE_UNDONE;
        *XR_PUSH(out) = row;
    }
}

static void put_sum(struct xr_buf *out, const struct xr_buf *section)
{
    unsigned char sum[XR_SHA256_LEN];

    xr_x509_sha256(sum, xr_index_bytes(section));
    xr_put_number(out, section->len);
    xr_buf_add(out, sum, sizeof(sum));
}

static void put_sections(struct xr_buf sections[XR_INDEX_SECTIONS],
                         const struct xr_journal *journal)
{
    struct xr_change_rows changes = {0};
    struct xr_strings stores = {0};
    size_t last = 0;

    keep_changes(&changes, journal, &stores, &last);
    for (size_t i = 0; i < journal->count; i++) {
        const struct xr_transaction *t = &journal->items[i];
        bool open = xr_transaction_open(t);

        xr_buf_add(&sections[XR_INDEX_ROWS], t->id, XR_JOURNAL_ID_LEN);
        xr_buf_add(&sections[XR_INDEX_ROWS], t->undoes, XR_JOURNAL_ID_LEN);
        xr_put_number(&sections[XR_INDEX_ROWS], t->begin);
        xr_put_number(&sections[XR_INDEX_ROWS], t->stop);
        xr_put_number(&sections[XR_INDEX_ROWS], t->count);
        xr_put_number(&sections[XR_INDEX_ROWS], open ? XR_ROW_OPEN : 0);
        for (size_t p = 0; p < t->count; p++) {
            size_t store = number_of(&stores, &last, t->items[p].store);

            xr_put_number(&sections[XR_INDEX_PARTS], store);
            xr_put_number(&sections[XR_INDEX_PARTS], (uint64_t)t->items[p].stage);
            if (!open && !t->outline)
                put_changes(&changes, t, p, store);
        }
    }
    for (size_t i = 0; i < stores.count; i++)
        xr_put_text(&sections[XR_INDEX_STORES], stores.items[i]);
    if (changes.count > 1)
        qsort(changes.items, changes.count, sizeof(*changes.items), xr_change_by_subject);
    for (size_t i = 0; i < changes.count; i++) {
        const struct xr_change_row *row = &changes.items[i];

        xr_buf_add(&sections[XR_INDEX_CHANGES], row->id, sizeof(row->id));
        xr_put_number(&sections[XR_INDEX_CHANGES], row->type);
        xr_put_number(&sections[XR_INDEX_CHANGES], row->store);
        xr_put_number(&sections[XR_INDEX_CHANGES], row->ordinal);
        xr_put_number(&sections[XR_INDEX_CHANGES], row->bits);
    }
    free(changes.items);
    xr_strings_free(&stores);
}

static void put_opens(struct xr_buf *body, const struct xr_journal *journal)
{
    struct xr_buf rows = {0};
    size_t count = 0;

    for (size_t i = 0; i < journal->count; i++) {
        const struct xr_transaction *t = &journal->items[i];

        if (!xr_transaction_open(t))
            continue;
        count++;
        xr_buf_add(&rows, t->id, XR_JOURNAL_ID_LEN);
        xr_put_number(&rows, t->ordinal);
        xr_put_number(&rows, t->begin);
        xr_put_number(&rows, t->stop);
    }
    xr_put_number(body, count);
    xr_buf_add(body, rows.data, rows.len);
    xr_buf_free(&rows);
}

static void write_file(const struct xr_journal *journal, const struct xr_buf *head)
{
    struct xr_buf sections[XR_INDEX_SECTIONS] = {{0}}, body = {0}, summed = {0}, file = {0};
    unsigned char sum[XR_SHA256_LEN];

    put_sections(sections, journal);
    xr_buf_add(&body, journal->key, XR_JOURNAL_KEY_LEN);
    xr_put_number(&body, journal->end);
    xr_put_number(&body, journal->last);
    xr_buf_add(&body, head->data, XR_RECORD_HEAD);
    xr_put_number(&body, journal->damaged);
    xr_put_number(&body, journal->count);
    for (unsigned i = 0; i < XR_INDEX_SECTIONS; i++)
        put_sum(&body, &sections[i]);
    put_opens(&body, journal);
    xr_put_number(&summed, body.len);
    xr_buf_add(&summed, body.data, body.len);
    xr_x509_sha256(sum, xr_index_bytes(&summed));
    xr_buf_add(&file, XR_INDEX_MAGIC, XR_INDEX_MAGIC_LEN);
    xr_buf_add(&file, sum, sizeof(sum));
    xr_buf_add(&file, summed.data, summed.len);
    for (unsigned i = 0; i < XR_INDEX_SECTIONS; i++) {
        xr_buf_add(&file, sections[i].data, sections[i].len);
        xr_buf_free(&sections[i]);
    }
    if (body.len <= XR_INDEX_BODY_MAX)
        (void)xr_sys_write_atomic(journal->dirfd, XR_INDEX_NAME, xr_index_bytes(&file), 0600, NULL);
    xr_buf_free(&body);
    xr_buf_free(&summed);
    xr_buf_free(&file);
}

bool xr_index_due(const struct xr_journal *journal)
{
    uint64_t covered = journal->index != NULL ? journal->index->covered : 0;
    uint64_t fresh = journal->end - covered;
    bool undone = false;

    if (!journal->writes || journal->broken || !journal->keyed || journal->last == 0)
        return false;
    for (size_t i = 0; journal->index != NULL && i < journal->count; i++)
        undone = undone || (journal->items[i].ordinal >= journal->indexed &&
                            journal->items[i].undoes[0] != '\0');
    return undone || (fresh >= WORTH && fresh >= covered / WORTH_PART);
}

void xr_index_write(struct xr_journal *journal)
{
    struct xr_buf head = {0};

    xr_journal_derive(journal);
    /* What is not durable could be another record after a power cut. */
    if (!xr_journal_place(journal) || (journal->synced < journal->end && !xr_sys_sync(journal->fd)))
        return;
    if (xr_journal_bytes(&head, journal->fd, journal->last, XR_RECORD_HEAD))
        write_file(journal, &head);
    xr_buf_free(&head);
}
