/* SPDX-License-Identifier: Apache-2.0 */
/* What a hashed directory finds by name, number and SHA-256: the same as by looking through all of it,
 * and in a number of steps that somebody's choice of names cannot raise. */
#include "openssl/index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(openssl_index);

static uint32_t random_state = 1;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static struct file *add(struct view *view, const char *name, uint32_t hash, int number,
                        unsigned char sum)
{
    struct file *file = xr_new(1, sizeof(*file));
    struct item *item = XR_PUSH(&file->held);

    file->name = xr_strdup(name);
    file->index = number;
    item->hash = hash;
    memset(item->sha256, sum, sizeof(item->sha256));
    od_index_add(view, file);
    return file;
}

static void drop(struct view *view, struct file *file)
{
    od_index_drop(view, file);
    free(file->held.items);
    free(file->name);
    free(file);
}

static void end(struct view *view)
{
    while (view->first != NULL)
        drop(view, view->first);
    od_index_free(view);
    free(view->foreign.items);
}

static void foreign(struct view *view, uint32_t hash, int number, bool blocks)
{
    *XR_PUSH(&view->foreign) = (struct hash_link){.hash = hash, .index = number, .blocks = blocks};
}

/* ---- the same, by looking through everything ---- */

static struct file *seen_named(const struct view *view, const char *name)
{
    for (struct file *file = view->first; file != NULL; file = file->next) {
        if (strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

static struct file *seen_numbered(const struct view *view, uint32_t hash, int number)
{
    for (struct file *file = view->first; file != NULL; file = file->next) {
        if (file->index == number && file->held.items[0].hash == hash)
            return file;
    }
    return NULL;
}

static bool seen_foreign(const struct view *view, uint32_t hash, int number, bool passing)
{
    for (size_t i = 0; i < view->foreign.count; i++) {
        const struct hash_link *link = &view->foreign.items[i];

        if (link->hash == hash && link->index == number && !(passing && link->blocks))
            return true;
    }
    return false;
}

static int seen_free(const struct view *view, uint32_t hash)
{
    int number = 0;

    while (seen_foreign(view, hash, number, false) || seen_numbered(view, hash, number) != NULL)
        number++;
    return number;
}

static int seen_stop(const struct view *view, uint32_t hash)
{
    for (int number = 0;; number++) {
        const struct file *file = seen_numbered(view, hash, number);

        if ((file == NULL || file->broken) && !seen_foreign(view, hash, number, true))
            return number;
    }
}

static const struct file *seen_nearest(const struct view *view, uint32_t hash, int number, bool up)
{
    const struct file *best = NULL;

    for (const struct file *file = view->first; file != NULL; file = file->next) {
        if (file->index < 0 || file->held.items[0].hash != hash ||
            (up ? file->index < number : file->index > number))
            continue;
        if (best == NULL || (up ? file->index < best->index : file->index > best->index))
            best = file;
    }
    return best;
}

static void same_sums(struct view *view, unsigned char sum)
{
    unsigned char sha256[XR_SHA256_LEN];
    const struct item *item = NULL;

    memset(sha256, sum, sizeof(sha256));
    item = od_index_sum(view, sha256, NULL);
    for (struct file *file = view->first; file != NULL; file = file->next) {
        for (size_t i = 0; i < file->held.count; i++) {
            if (file->held.items[i].sha256[0] != sum)
                continue;
            cr_assert_eq(item, &file->held.items[i]);
            item = od_index_sum(view, sha256, item);
        }
    }
    cr_assert_null(item);
}

static void same_answers(struct view *view)
{
    for (uint32_t hash = 0; hash < 3; hash++) {
        cr_assert_eq(od_index_free_number(view, hash), seen_free(view, hash));
        cr_assert_eq(od_index_stop(view, hash), seen_stop(view, hash));
        for (int number = 0; number < 12; number++) {
            const struct file *down = od_index_down(view, hash, number);
            const struct file *seen = seen_nearest(view, hash, number, false);

            cr_assert_eq(od_index_numbered(view, hash, number), seen_numbered(view, hash, number));
            cr_assert_eq(od_index_up(view, hash, number), seen_nearest(view, hash, number, true));
            /* Of several with one number, either is as good. */
            cr_assert_eq(down != NULL ? down->index : -1, seen != NULL ? seen->index : -1);
        }
    }
    for (unsigned char sum = 0; sum < 5; sum++)
        same_sums(view, sum);
    for (const struct file *file = view->first; file != NULL; file = file->next)
        cr_assert_eq(od_index_named(view, file->name), seen_named(view, file->name));
    cr_assert_null(od_index_named(view, "nobody"));
}

static struct file *any(const struct view *view)
{
    struct file *file = view->first;

    for (uint32_t at = view->count > 0 ? pick((uint32_t)view->count) : 0; at > 0; at--)
        file = file->next;
    return file;
}

Test(openssl_index, after_any_change_the_answers_are_those_of_a_search_through_all)
{
    for (unsigned round = 0; round < 60; round++) {
        struct view view = {.fd = -1};

        od_index_start(&view);
        for (uint32_t i = pick(6); i > 0; i--)
            foreign(&view, pick(3), (int)pick(8), pick(2) == 0);
        od_index_foreign(&view);
        for (unsigned step = 0; step < 60; step++) {
            struct file *file = any(&view);
            char name[16];

            (void)snprintf(name, sizeof(name), "%u", (unsigned)pick(40));
            switch (file == NULL ? 0 : pick(5)) {
            case 0:
            case 1:
                file = add(&view, name, pick(3), (int)pick(10) - 1, (unsigned char)pick(5));
                file->broken = pick(6) == 0;
                /* As it was when it came: the row was asked for after that. */
                od_index_number(&view, file, file->index);
                break;
            case 2:
                drop(&view, file);
                break;
            case 3:
                od_index_number(&view, file, (int)pick(11) - 1);
                break;
            default:
                od_index_name(&view, file, xr_strdup(name));
                break;
            }
            same_answers(&view);
        }
        end(&view);
    }
}

Test(openssl_index, one_file_may_hold_a_certificate_twice)
{
    struct view view = {.fd = -1};
    struct file *file = xr_new(1, sizeof(*file));

    od_index_start(&view);
    file->name = xr_strdup("several");
    file->index = -1;
    for (unsigned i = 0; i < 5; i++)
        memset(XR_PUSH(&file->held)->sha256, (int)(i % 2), XR_SHA256_LEN);
    od_index_add(&view, file);
    (void)add(&view, "other", 0, -1, 1);
    same_sums(&view, 0);
    same_sums(&view, 1);
    end(&view);
}

/* ---- steps ---- */

enum { MANY = 4096, DEPTH = 32 }; /* a tree of that many is at most 24 deep */

static size_t steps(const struct view *view)
{
    return view->names.compared + view->numbers.compared + view->sums.compared +
           view->rows.compared;
}

static void few_steps(const struct view *view, size_t operations)
{
    cr_assert_leq(steps(view), operations * DEPTH, "%zu steps for %zu operations", steps(view),
                  operations);
}

Test(openssl_index, a_row_of_thousands_is_filled_and_given_up_in_few_steps)
{
    struct view view = {.fd = -1};

    od_index_start(&view);
    for (int i = 0; i < MANY; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%08x", (unsigned)i);
        cr_assert_eq(od_index_free_number(&view, 7), i);
        (void)add(&view, name, 7, i, 0);
        cr_assert_eq(od_index_stop(&view, 7), i + 1);
    }
    /* From the front, where the last one moves into each gap. */
    for (int left = MANY; left > 1; left--) {
        struct file *gone = od_index_numbered(&view, 7, 0);
        struct file *last = od_index_down(&view, 7, od_index_stop(&view, 7));

        cr_assert_eq(last->index, left - 1);
        od_index_number(&view, last, 0);
        drop(&view, gone);
        cr_assert_eq(od_index_free_number(&view, 7), left - 1);
    }
    few_steps(&view, (size_t)MANY * 24);
    end(&view);
}

Test(openssl_index, a_low_number_that_changes_hands_costs_no_walk_along_the_row)
{
    struct view view = {.fd = -1};

    od_index_start(&view);
    for (int i = 0; i < MANY; i++)
        (void)add(&view, "twin", 7, i, 1);
    cr_assert_eq(od_index_free_number(&view, 7), MANY);
    for (int i = 0; i < MANY; i++) {
        struct file *first = od_index_numbered(&view, 7, 0);

        od_index_number(&view, first, MANY + i);
        (void)add(&view, "new", 7, 0, 2);
        cr_assert_eq(od_index_free_number(&view, 7), MANY + i + 1);
        cr_assert_eq(od_index_stop(&view, 7), MANY + i + 1);
    }
    few_steps(&view, (size_t)MANY * 40);
    end(&view);
}

Test(openssl_index, many_links_to_one_file_and_many_spellings_of_a_number_are_no_walk_either)
{
    struct view view = {.fd = -1};

    od_index_start(&view);
    (void)add(&view, "one", 7, 0, 1);
    for (int i = 1; i < MANY; i++) {
        foreign(&view, 7, i, false);
        foreign(&view, 8, 0, i % 2 == 0); /* HASH.0, HASH.00, … */
    }
    od_index_foreign(&view);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(od_index_free_number(&view, 7), MANY + i);
        cr_assert_eq(od_index_stop(&view, 8), 1);
        (void)add(&view, "ours", 7, MANY + i, 2);
    }
    few_steps(&view, (size_t)MANY * 24);
    end(&view);
}

Test(openssl_index, many_copies_of_one_certificate_are_listed_in_few_steps_each)
{
    struct view view = {.fd = -1};

    od_index_start(&view);
    for (int i = 0; i < MANY; i++)
        (void)add(&view, "copy", (uint32_t)i, 0, 9);
    same_sums(&view, 9);
    few_steps(&view, (size_t)MANY * 8);
    end(&view);
}
