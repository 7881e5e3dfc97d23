/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a journal, with its index or whole, and what is asked of either. */
#include "journal_file.h"
#include "journal_index.h"

#include <stdlib.h>
#include <unistd.h>

/* What the file has from at on. */
static enum xr_status read_rest(struct xr_buf *out, const struct xr_journal *journal, uint64_t at,
                                struct xr_error *err)
{
    struct xr_error why = {0};
    off_t end = lseek(journal->fd, 0, SEEK_END);
    uint64_t len = end > 0 && (uint64_t)end > at ? (uint64_t)end - at : 0;

    if (len > XR_JOURNAL_MAX) {
        enum xr_status status =
            xr_fail(&why, XR_INVALID, "larger than %zu MiB", XR_JOURNAL_MAX >> 20);

        return xr_fail(err, status, "%s: %s", journal->path, why.text);
    }
    if (end < 0 || !xr_journal_some(out, journal->fd, at, len))
        return xr_fail_errno(err, "cannot read %s", journal->path);
    return XR_OK;
}

static enum xr_status load_all(struct xr_journal *journal, struct xr_error *err)
{
    struct xr_buf buf = {0};
    struct xr_bytes data;
    enum xr_status status = read_rest(&buf, journal, 0, err);

    data = (struct xr_bytes){(const unsigned char *)buf.data, buf.len};
    if (status == XR_OK) {
        journal->end = data.len;
        journal->keyed = xr_journal_get_key(journal, data) && data.len >= XR_JOURNAL_RECORDS;
        if (!xr_journal_get_key(journal, data)) {
            journal->damaged = journal->live && data.len < XR_JOURNAL_RECORDS ? 0 : data.len;
        } else if (data.len > XR_JOURNAL_RECORDS) {
            data.data += XR_JOURNAL_RECORDS;
            data.len -= XR_JOURNAL_RECORDS;
            (void)xr_journal_apply_all(journal, data, XR_JOURNAL_RECORDS, NULL);
        }
        xr_journal_derive(journal);
    }
    xr_buf_free(&buf);
    return status;
}

/* What the index says, and the records after it. False: that is not all there is to know. */
static bool load_new(struct xr_journal *journal)
{
    struct xr_buf buf = {0};
    bool good = xr_index_open(journal);
    uint64_t from = good ? xr_index_covers(journal->index) : 0;

    good = good && read_rest(&buf, journal, from, NULL) == XR_OK &&
           xr_journal_apply_all(
               journal, (struct xr_bytes){(const unsigned char *)buf.data, buf.len}, from, NULL);
    if (good) {
        journal->keyed = true;
        journal->end = from + buf.len;
        xr_journal_derive(journal);
    }
    xr_buf_free(&buf);
    return good;
}

enum xr_status xr_journal_load(struct xr_journal *journal, bool brief, struct xr_error *err)
{
    if (brief && load_new(journal)) {
        journal->managed = xr_new(1, sizeof(*journal->managed));
        return XR_OK;
    }
    xr_journal_forget(journal);
    xr_index_free(journal->index);
    journal->index = NULL;
    journal->indexed = 0;
    return load_all(journal, err);
}

enum xr_status xr_journal_whole(struct xr_journal *journal, struct xr_error *err)
{
    return journal->index != NULL ? xr_journal_load(journal, false, err) : XR_OK;
}

/* May published copies of it remain although the store no longer holds it? */
static bool may_leave(const struct xr_change *change, enum xr_stage stage)
{
    const struct xr_state *left = stage == XR_STAGE_BACK ? change->before : change->want;

    return change->subject.type == XR_SUBJECT_CERT &&
           (stage == XR_STAGE_PENDING || xr_state_in(left, XR_ANCHOR) == NULL);
}

/* Was it being made an anchor, or being put back, when the part was interrupted? */
static bool may_come(const struct xr_change *change, enum xr_stage stage)
{
    return change->subject.type == XR_SUBJECT_CERT &&
           (stage == XR_STAGE_PENDING || stage == XR_STAGE_LEFT) &&
           (xr_state_in(change->before, XR_ANCHOR) != NULL ||
            xr_state_in(change->want, XR_ANCHOR) != NULL);
}

/* The newest change of each subject in a store. */
struct newest {
    struct xr_idmap map;
    struct newest_row {
        struct xr_subject subject;
        size_t ordinal;
        bool leaves, comes;
    } * items;
    size_t count, capacity;
};

static void add_newest(struct newest *newest, const struct newest_row *row)
{
    bool added = false;
    size_t at = xr_idmap_put(&newest->map, row->subject.id, newest->count, &added);

    if (added)
        *XR_PUSH(newest) = *row;
    else if (newest->items[at].ordinal < row->ordinal)
        newest->items[at] = *row;
}

static void add_indexed(void *ctx, const struct xr_subject *subject, size_t ordinal, bool leaves)
{
    const struct newest_row row = {*subject, ordinal, leaves, false};

    add_newest(ctx, &row);
}

void xr_journal_recall(struct xr_subjects *leaving, struct xr_subjects *coming,
                       const struct xr_journal *journal, const char *store)
{
    struct newest newest = {0};

    for (size_t t = journal->count; t-- > 0;) {
        for (size_t p = 0; p < journal->items[t].count; p++) {
            const struct xr_part *part = &journal->items[t].items[p];
            enum xr_stage stage = xr_part_stage(&journal->items[t], part);

            for (size_t i = 0; strcmp(part->store, store) == 0 && i < part->count; i++) {
                const struct xr_change *change = &part->items[i];
                const struct newest_row row = {change->subject, journal->items[t].ordinal,
                                               may_leave(change, stage), may_come(change, stage)};

                add_newest(&newest, &row);
            }
        }
    }
    if (journal->index != NULL)
        xr_index_newest(journal->index, store, add_indexed, &newest);
    for (size_t i = 0; i < newest.count; i++) {
        if (newest.items[i].leaves)
            *XR_PUSH(leaving) = newest.items[i].subject;
        if (newest.items[i].comes)
            *XR_PUSH(coming) = newest.items[i].subject;
    }
    xr_idmap_free(&newest.map);
    free(newest.items);
}

/* Does what came later, or can still be continued, change what is undone of that which it covers? */
static bool undone_since(const struct xr_journal *journal)
{
    bool since = false;

    for (size_t i = 0; i < journal->count; i++)
        since = since || journal->items[i].undoes[0] != '\0' ||
                (journal->items[i].ordinal < journal->indexed && !journal->items[i].outline);
    return since;
}

bool xr_journal_managed_before(const struct xr_journal *journal, const char *store,
                               const struct xr_subject *subject, enum xr_place place)
{
    if (journal->index == NULL)
        return false;
    if (journal->managed->path == NULL &&
        (undone_since(journal) || !xr_index_changes(journal->index))) {
        *journal->managed =
            (struct xr_journal){.fd = journal->fd, .dirfd = -1, .path = xr_strdup(journal->path)};
        (void)xr_journal_load(journal->managed, false, NULL);
    }
    return journal->managed->path != NULL
               ? xr_journal_managed(journal->managed, store, subject, place)
               : xr_index_managed(journal->index, store, subject, place);
}

bool xr_journal_managed(const struct xr_journal *journal, const char *store,
                        const struct xr_subject *subject, enum xr_place place)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct xr_transaction *t = &journal->items[i];

        for (size_t k = 0; k < t->count && t->undone_by[0] == '\0'; k++) {
            const struct xr_part *part = &t->items[k];

            if (!xr_part_made(part) || strcmp(part->store, store) != 0)
                continue;
            for (size_t n = 0; n < part->count; n++) {
                if (xr_subject_equal(&part->items[n].subject, subject) &&
                    xr_state_in(part->items[n].want, place) != NULL)
                    return true;
            }
        }
    }
    return xr_journal_managed_before(journal, store, subject, place);
}

enum xr_status xr_journal_for_recall(struct xr_journal *journal, struct xr_error *err)
{
    return journal->index == NULL || xr_index_changes(journal->index)
               ? XR_OK
               : xr_journal_whole(journal, err);
}

/* May IDs have been pruned? The first record of a new file says which. */
static bool may_be_pruned(const struct xr_journal *journal)
{
    struct xr_buf first = {0};
    struct xr_reader in = {{0}, false};
    bool may = true;

    if (xr_journal_bytes(&first, journal->fd, XR_JOURNAL_RECORDS, XR_RECORD_HEAD + 8)) {
        in.rest = (struct xr_bytes){(unsigned char *)first.data + XR_RECORD_HEAD, 8};
        may = xr_get_number(&in, UINT64_MAX) == XR_RECORD_PRUNED;
    }
    xr_buf_free(&first);
    return may;
}

enum xr_status xr_journal_for_find(struct xr_journal *journal, const char *id, struct xr_error *err)
{
    bool shortened = id != NULL && strlen(id) < XR_JOURNAL_ID_LEN;

    if (journal->index == NULL)
        return XR_OK;
    return (shortened && may_be_pruned(journal)) || !xr_index_outlines(journal)
               ? xr_journal_whole(journal, err)
               : XR_OK;
}

void xr_journal_unload(struct xr_journal *journal)
{
    if (journal->managed != NULL) {
        xr_journal_forget(journal->managed);
        free(journal->managed->path);
    }
    free(journal->managed);
    journal->managed = NULL;
    xr_journal_forget(journal);
    xr_index_free(journal->index);
    journal->index = NULL;
    journal->indexed = 0;
}
