/* SPDX-License-Identifier: Apache-2.0 */
/* Taking old transactions out of the journal. */
#include "journal_prune.h"

#include "journal_file.h"
#include "sys/sys.h"

#include <stdlib.h>

/* ---- which ---- */

/* Subjects of each store, of which a later transaction has the last word. */
struct words {
    struct words_of {
        const char *store;
        struct xr_idmap any, made;           /* the last change; the last that was made */
        struct xr_idmap put[XR_PLACE_COUNT]; /* the last, not undone, that put it there */
    } * items;
    size_t count, capacity;
};

static struct words_of *words_of(struct words *words, const char *store)
{
    size_t at = 0;

    while (at < words->count && strcmp(words->items[at].store, store) != 0)
        at++;
    if (at == words->count)
        XR_PUSH(words)->store = store;
    return &words->items[at];
}

/* Does only this one say that crossroot put it there? Another program may put back what a later one
 * removed, and then it counts as crossroot's. */
static bool last_put(struct words_of *of, const struct xr_change *change)
{
    bool last = false;

    for (size_t i = 0; change->want != NULL && i < change->want->count; i++) {
        bool first = false;

        (void)xr_idmap_put(&of->put[change->want->entries[i]->place], change->subject.id, 0,
                           &first);
        last = last || first;
    }
    return last;
}

/* Has it the last word on what any store holds of a subject? Then lists and outputs need it. */
static bool last_word(struct words *words, const struct xr_transaction *t)
{
    bool last = false;

    for (size_t p = 0; p < t->count; p++) {
        const struct xr_part *part = &t->items[p];
        struct words_of *of = words_of(words, part->store);

        for (size_t i = 0; i < part->count; i++) {
            const unsigned char *id = part->items[i].subject.id;
            bool first = false, first_made = false;

            (void)xr_idmap_put(&of->any, id, 0, &first);
            if (xr_part_made(part))
                (void)xr_idmap_put(&of->made, id, 0, &first_made);
            last = last || first || first_made;
            if (xr_part_made(part) && t->undone_by[0] == '\0')
                last = last_put(of, &part->items[i]) || last;
        }
    }
    return last;
}

/* Without its undo, what stays would look as if it could be undone once more. */
static void keep_undos(struct xr_pruning *pruning, const struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct xr_transaction *undo = &journal->items[i];
        const struct xr_transaction *t = NULL;

        for (size_t k = i; k-- > 0 && undo->undoes[0] != '\0' && t == NULL;)
            t = strcmp(journal->items[k].id, undo->undoes) == 0 ? &journal->items[k] : NULL;
        if (t != NULL && !pruning->goes[t - journal->items])
            pruning->goes[i] = false;
    }
}

static bool is_old(const struct xr_transaction *t, size_t at, const struct xr_prune_before *before)
{
    return before->has_time ? t->at < before->time : at < before->transaction;
}

void xr_pruning_choose(struct xr_pruning *out, const struct xr_journal *journal,
                       const struct xr_prune_before *before)
{
    struct words words = {0};

    *out = (struct xr_pruning){.goes = xr_new(journal->count, sizeof(*out->goes))};
    for (size_t i = journal->count; i-- > 0;) {
        const struct xr_transaction *t = &journal->items[i];

        out->goes[i] = !last_word(&words, t) && is_old(t, i, before) && !xr_transaction_open(t);
    }
    keep_undos(out, journal);
    for (size_t i = 0; i < journal->count; i++) {
        if (out->goes[i])
            out->going++;
        else if (is_old(&journal->items[i], i, before))
            out->staying++;
    }
    for (size_t i = 0; i < words.count; i++) {
        xr_idmap_free(&words.items[i].any);
        xr_idmap_free(&words.items[i].made);
        for (size_t k = 0; k < XR_PLACE_COUNT; k++)
            xr_idmap_free(&words.items[i].put[k]);
    }
    free(words.items);
}

void xr_pruning_free(struct xr_pruning *pruning)
{
    free(pruning->goes);
    *pruning = (struct xr_pruning){0};
}

/* ---- the new file ---- */

/* IDs of what went, before and now, so that undo can say so. */
static void put_pruned(struct xr_buf *out, const struct xr_journal *under,
                       const struct xr_journal *journal, const struct xr_pruning *pruning)
{
    static const char none[XR_JOURNAL_ID_LEN] = {0};
    struct xr_buf payload = {0};

    xr_put_number(&payload, XR_RECORD_PRUNED);
    xr_buf_add(&payload, none, sizeof(none));
    for (size_t i = 0; i < journal->pruned.count; i++)
        xr_buf_add(&payload, journal->pruned.items[i], XR_JOURNAL_ID_LEN);
    for (size_t i = 0; i < journal->count; i++) {
        if (pruning->goes[i])
            xr_buf_add(&payload, journal->items[i].id, XR_JOURNAL_ID_LEN);
    }
    xr_journal_put_record(out, under, &payload);
    xr_buf_free(&payload);
}

/* Does a record stay? It begins with its kind and the ID of its transaction. */
static bool stays(const struct xr_journal *journal, const struct xr_pruning *pruning,
                  struct xr_bytes payload, size_t *last)
{
    struct xr_reader in = {payload, false};
    uint64_t kind = xr_get_number(&in, UINT64_MAX);
    char id[XR_JOURNAL_ID_LEN];

    xr_get_fixed(&in, id, sizeof(id));
    if (in.failed)
        return true;
    if (kind == XR_RECORD_PRUNED)
        return false;
    /* Records of a transaction mostly follow each other, and transactions too. */
    for (size_t i = 0; i < journal->count; i++, *last = (*last + 1) % journal->count) {
        if (memcmp(journal->items[*last].id, id, sizeof(id)) == 0)
            return !pruning->goes[*last];
    }
    return true;
}

/* The records that stay, under the key of the new file: an index of the old one is no index of it. */
static void put_rest(struct xr_buf *out, const struct xr_journal *under,
                     const struct xr_journal *journal, const struct xr_pruning *pruning,
                     struct xr_bytes old)
{
    size_t last = 0;

    for (size_t at = XR_JOURNAL_RECORDS; at < old.len;) {
        struct xr_bytes payload;

        if (!xr_journal_get_record(&payload, journal,
                                   (struct xr_bytes){old.data + at, old.len - at})) {
            at++;
            continue;
        }
        at += XR_RECORD_HEAD + payload.len;
        if (stays(journal, pruning, payload, &last)) {
            struct xr_buf copy = {0};

            xr_buf_add(&copy, payload.data, payload.len);
            xr_journal_put_record(out, under, &copy);
            xr_buf_free(&copy);
        }
    }
}

enum xr_status xr_pruning_apply(const struct xr_pruning *pruning, struct xr_journal *journal,
                                struct xr_error *err)
{
    struct xr_journal under = {.fd = -1, .dirfd = -1};
    struct xr_buf file = {0}, old = {0};
    struct xr_bytes was;
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    if (!xr_sys_random(under.key, sizeof(under.key)))
        return xr_fail_errno(err, "cannot get random bytes");
    if (!xr_journal_bytes(&old, journal->fd, 0, journal->end)) {
        status = xr_fail_errno(err, "cannot read %s", journal->path);
        xr_buf_free(&old);
        return status;
    }
    was = (struct xr_bytes){(const unsigned char *)old.data, old.len};
    xr_journal_put_key(&file, under.key);
    put_pruned(&file, &under, journal, pruning);
    put_rest(&file, &under, journal, pruning, was);
    if (journal->damaged > 0) { /* kept for inspection: it is there before the journal goes */
        status = xr_sys_write_atomic(journal->dirfd, XR_JOURNAL_NAME ".damaged", was, 0600, &why);
        if (status == XR_OK && !xr_sys_sync_dir(journal->dirfd))
            status = xr_fail_errno(&why, "cannot write %s", XR_JOURNAL_NAME ".damaged");
    }
    if (status == XR_OK)
        status = xr_sys_write_atomic(journal->dirfd, XR_JOURNAL_NAME,
                                     (struct xr_bytes){(const unsigned char *)file.data, file.len},
                                     0600, &why);
    if (status != XR_OK)
        (void)xr_fail(err, status, "%s: %s", journal->path, why.text);
    /* From here on, this descriptor is of a file that has no name. Who waits for its lock sees that. */
    journal->writes = journal->writes && status != XR_OK;
    if (status == XR_OK && !xr_sys_sync_dir(journal->dirfd)) {
        (void)xr_fail_errno(err, "%s is pruned, but a power cut could bring the old one back",
                            journal->path);
        status = XR_WARNED;
    }
    xr_buf_free(&old);
    xr_buf_free(&file);
    return status;
}
