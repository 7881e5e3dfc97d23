/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <stdlib.h>

/* ---- orders ---- */

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int by_turn(const struct file *a, const struct file *b)
{
    return ORDER(a->turn, b->turn);
}

/* Two files have one name for a moment, while one is renamed over the other. */
static int by_name(const void *a, const void *b)
{
    const struct file *one = a, *two = b;
    int order = strcmp(one->name, two->name);

    return order != 0 ? order : by_turn(one, two);
}

static int by_number(const void *a, const void *b)
{
    const struct file *one = a, *two = b;
    uint32_t hash_one = one->held.items[0].hash, hash_two = two->held.items[0].hash;

    if (hash_one != hash_two)
        return ORDER(hash_one, hash_two);
    return one->index != two->index ? ORDER(one->index, two->index) : by_turn(one, two);
}

static int by_sum(const void *a, const void *b)
{
    const struct item *one = a, *two = b;
    int order = memcmp(one->sha256, two->sha256, XR_SHA256_LEN);

    if (order == 0)
        order = by_turn(one->file, two->file);
    return order != 0 ? order : ORDER(one->at, two->at);
}

static int by_blocking(const void *a, const void *b)
{
    const struct hash_link *one = a, *two = b;

    if (one->hash != two->hash)
        return ORDER(one->hash, two->hash);
    return one->index != two->index ? ORDER(one->index, two->index) : one->blocks - two->blocks;
}

/* ---- rows ---- */

/* How far the numbers of a hash go without a break: up to `at`, which is looked at again when somebody
 * asks. Past it, all before `skip` were found good before, so that a number that is given up and taken
 * again costs no second walk. */
struct edge {
    int at, skip;
};

struct row {
    uint32_t hash;
    struct edge taken, passed;
};

static int by_hash(const void *a, const void *b)
{
    const struct row *one = a, *two = b;

    return ORDER(one->hash, two->hash);
}

static int edge_find(struct edge *edge, struct view *view, uint32_t hash,
                     bool (*good)(struct view *view, uint32_t hash, int number))
{
    while (good(view, hash, edge->at)) {
        edge->at++;
        if (edge->at < edge->skip)
            edge->at = edge->skip;
    }
    return edge->at;
}

static void edge_changed(struct edge *edge, int number)
{
    if (number < edge->at) {
        edge->skip = edge->at;
        edge->at = number;
    } else if (number > edge->at && number < edge->skip) {
        edge->skip = number;
    }
}

static struct row *row_of(struct view *view, uint32_t hash)
{
    const struct row key = {.hash = hash};
    struct row *row = od_tree_from(&view->rows, &key);

    if (row != NULL && row->hash == hash)
        return row;
    row = xr_new(1, sizeof(*row));
    row->hash = hash;
    od_tree_add(&view->rows, row);
    return row;
}

static void number_changed(struct view *view, uint32_t hash, int number)
{
    const struct row key = {.hash = hash};
    struct row *row = od_tree_from(&view->rows, &key);

    if (row == NULL || row->hash != hash)
        return;
    edge_changed(&row->taken, number);
    edge_changed(&row->passed, number);
}

/* ---- files ---- */

void od_index_start(struct view *view)
{
    view->names.order = by_name;
    view->numbers.order = by_number;
    view->sums.order = by_sum;
    view->rows.order = by_hash;
}

void od_index_add(struct view *view, struct file *file)
{
    file->turn = ++view->turns;
    file->previous = view->last;
    if (view->last != NULL)
        view->last->next = file;
    else
        view->first = file;
    view->last = file;
    view->count++;
    od_tree_add(&view->names, file);
    for (size_t i = 0; i < file->held.count; i++) {
        file->held.items[i].file = file;
        file->held.items[i].at = i;
        od_tree_add(&view->sums, &file->held.items[i]);
    }
    if (file->index >= 0) {
        od_tree_add(&view->numbers, file);
        number_changed(view, file->held.items[0].hash, file->index);
    }
}

void od_index_drop(struct view *view, struct file *file)
{
    od_index_number(view, file, -1);
    (void)od_tree_remove(&view->names, file);
    for (size_t i = 0; i < file->held.count; i++)
        (void)od_tree_remove(&view->sums, &file->held.items[i]);
    *(file->previous != NULL ? &file->previous->next : &view->first) = file->next;
    *(file->next != NULL ? &file->next->previous : &view->last) = file->previous;
    file->previous = file->next = NULL;
    view->count--;
}

void od_index_number(struct view *view, struct file *file, int number)
{
    uint32_t hash = file->held.items[0].hash;
    int before = file->index;

    if (before >= 0)
        (void)od_tree_remove(&view->numbers, file);
    file->index = number;
    if (before >= 0)
        number_changed(view, hash, before);
    if (number < 0)
        return;
    od_tree_add(&view->numbers, file);
    number_changed(view, hash, number);
}

void od_index_name(struct view *view, struct file *file, char *name)
{
    (void)od_tree_remove(&view->names, file);
    free(file->name);
    file->name = name;
    od_tree_add(&view->names, file);
}

void od_index_foreign(struct view *view)
{
    if (view->foreign.count > 1)
        qsort(view->foreign.items, view->foreign.count, sizeof(*view->foreign.items), by_blocking);
}

void od_index_free(struct view *view)
{
    od_tree_free(&view->names, NULL);
    od_tree_free(&view->numbers, NULL);
    od_tree_free(&view->sums, NULL);
    od_tree_free(&view->rows, free);
    view->first = view->last = NULL;
    view->count = view->turns = 0;
}

/* ---- questions ---- */

struct file *od_index_named(struct view *view, const char *name)
{
    const struct file key = {.name = (char *)(uintptr_t)name};
    struct file *file = od_tree_from(&view->names, &key);

    return file != NULL && strcmp(file->name, name) == 0 ? file : NULL;
}

struct file *od_index_up(struct view *view, uint32_t hash, int number)
{
    struct item item = {.hash = hash};
    const struct file key = {.held = {&item, 1, 0}, .index = number};
    struct file *file = od_tree_from(&view->numbers, &key);

    return file != NULL && file->held.items[0].hash == hash ? file : NULL;
}

struct file *od_index_down(struct view *view, uint32_t hash, int number)
{
    struct item item = {.hash = hash};
    const struct file key = {.held = {&item, 1, 0}, .index = number, .turn = SIZE_MAX};
    struct file *file = od_tree_before(&view->numbers, &key);

    return file != NULL && file->held.items[0].hash == hash ? file : NULL;
}

struct file *od_index_numbered(struct view *view, uint32_t hash, int number)
{
    struct file *file = od_index_up(view, hash, number);

    return file != NULL && file->index == number ? file : NULL;
}

struct item *od_index_sum(struct view *view, const unsigned char sha256[XR_SHA256_LEN],
                          const struct item *after)
{
    struct file from = {.turn = after != NULL ? after->file->turn : 0};
    struct item key = {.file = &from, .at = after != NULL ? after->at + 1 : 0};
    struct item *item = NULL;

    memcpy(key.sha256, sha256, XR_SHA256_LEN);
    item = od_tree_from(&view->sums, &key);
    return item != NULL && memcmp(item->sha256, sha256, XR_SHA256_LEN) == 0 ? item : NULL;
}

/* Is there a foreign link of that number; with passing, one that OpenSSL goes past? */
static bool foreign_at(const struct view *view, uint32_t hash, int number, bool passing)
{
    size_t low = 0, high = view->foreign.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct hash_link *link = &view->foreign.items[middle];

        if (link->hash < hash || (link->hash == hash && link->index < number))
            low = middle + 1;
        else
            high = middle;
    }
    /* Of several, one that does not block comes first. */
    return low < view->foreign.count && view->foreign.items[low].hash == hash &&
           view->foreign.items[low].index == number &&
           !(passing && view->foreign.items[low].blocks);
}

static bool is_taken(struct view *view, uint32_t hash, int number)
{
    return foreign_at(view, hash, number, false) || od_index_numbered(view, hash, number) != NULL;
}

bool od_index_passes(struct view *view, uint32_t hash, int number)
{
    const struct file *file = od_index_numbered(view, hash, number);

    return (file != NULL && !file->broken) || foreign_at(view, hash, number, true);
}

int od_index_free_number(struct view *view, uint32_t hash)
{
    return edge_find(&row_of(view, hash)->taken, view, hash, is_taken);
}

int od_index_stop(struct view *view, uint32_t hash)
{
    return edge_find(&row_of(view, hash)->passed, view, hash, od_index_passes);
}
