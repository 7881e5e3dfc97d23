/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal says of the past: what can be undone, what is unfinished, what may still be
 * published. */
#include "journal.h"

#include <stdlib.h>

struct xr_transaction *xr_journal_transaction(struct xr_journal *journal, const char *id)
{
    for (size_t i = journal->count; i-- > 0;) {
        if (strcmp(journal->items[i].id, id) == 0)
            return &journal->items[i];
    }
    return NULL;
}

static void mark_undone(struct xr_transaction *t, const struct xr_transaction *undo)
{
    bool all = true, any = false;

    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < undo->count; k++) {
            if (undo->items[k].stage == XR_STAGE_DONE &&
                strcmp(undo->items[k].store, t->items[i].store) == 0)
                t->items[i].undone = true;
        }
        any = any || t->items[i].undone;
        all = all && (t->items[i].undone || !xr_part_made(&t->items[i]));
    }
    if (any && all)
        memcpy(t->undone_by, undo->id, sizeof(t->undone_by));
}

static void link_undone(struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        journal->items[i].undone_by[0] = '\0';
        for (size_t k = 0; k < journal->items[i].count; k++)
            journal->items[i].items[k].undone = false;
    }
    /* Backwards: an undo that was itself undone undoes nothing. */
    for (size_t i = journal->count; i-- > 0;) {
        const struct xr_transaction *undo = &journal->items[i];
        struct xr_transaction *t = undo->undoes[0] && !undo->undone_by[0]
                                       ? xr_journal_transaction(journal, undo->undoes)
                                       : NULL;

        if (t != NULL)
            mark_undone(t, undo);
    }
}

static int by_number(const void *a, const void *b)
{
    const struct xr_part *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* Stores are changed in parallel, so the order of their records means nothing. */
static void sort_parts(struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->items[i].count > 1)
            qsort(journal->items[i].items, journal->items[i].count, sizeof(struct xr_part),
                  by_number);
    }
}

void xr_journal_derive(struct xr_journal *journal)
{
    sort_parts(journal);
    link_undone(journal);
}

bool xr_transaction_together(const struct xr_transaction *t)
{
    return (t->flags & XR_ALL_OR_NOTHING) != 0 && !t->ended;
}

bool xr_part_made(const struct xr_part *part)
{
    return part->stage == XR_STAGE_DONE || part->stage == XR_STAGE_LEFT;
}

bool xr_part_undoable(const struct xr_part *part)
{
    return part->stage != XR_STAGE_BACK && !part->undone;
}

/* Does it have a part that can be undone? */
static bool undoable(const struct xr_transaction *t, xr_store_fn wanted, void *ctx)
{
    for (size_t i = 0; i < t->count; i++) {
        if (xr_part_undoable(&t->items[i]) && (wanted == NULL || wanted(ctx, t->items[i].store)))
            return true;
    }
    return false;
}

size_t xr_journal_find(const struct xr_journal *journal, const char *id, xr_store_fn wanted,
                       void *ctx, struct xr_error *err)
{
    size_t found = SIZE_MAX, matches = 0;
    const char *pruned = NULL;

    for (size_t i = journal->count; i-- > 0;) {
        const struct xr_transaction *t = &journal->items[i];

        if (id == NULL) {
            if (t->undoes[0] == '\0' && undoable(t, wanted, ctx))
                return i;
        } else if (strncmp(t->id, id, strlen(id)) == 0) {
            matches++;
            found = i;
        }
    }
    for (size_t i = 0; id != NULL && i < journal->pruned.count; i++) {
        if (strncmp(journal->pruned.items[i], id, strlen(id)) == 0) {
            matches++;
            pruned = journal->pruned.items[i];
        }
    }
    if (matches > 1) {
        (void)xr_fail(err, XR_INVALID,
                      "more than one transaction ID begins with that; "
                      "give more digits");
        return SIZE_MAX;
    }
    if (pruned != NULL)
        (void)xr_fail(err, XR_ABSENT, "%s was pruned from the history; it cannot be undone",
                      pruned);
    else if (found == SIZE_MAX)
        (void)xr_fail(err, XR_ABSENT,
                      id ? N_("no such transaction; see crossroot history")
                         : N_("nothing to undo"));
    return found;
}

bool xr_journal_pending(const struct xr_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        for (size_t k = 0; k < journal->items[i].count; k++) {
            if (journal->items[i].items[k].stage == XR_STAGE_PENDING)
                return true;
        }
    }
    return false;
}

enum xr_stage xr_part_stage(const struct xr_transaction *t, const struct xr_part *part)
{
    return part->stage == XR_STAGE_DONE && xr_transaction_together(t) ? XR_STAGE_PENDING
                                                                      : part->stage;
}

bool xr_transaction_open(const struct xr_transaction *t)
{
    bool open = false;

    for (size_t i = 0; i < t->count; i++) {
        enum xr_stage stage = xr_part_stage(t, &t->items[i]);

        open = open || stage == XR_STAGE_PENDING || stage == XR_STAGE_LEFT;
    }
    return open;
}
