/* SPDX-License-Identifier: Apache-2.0 */
/* What a program reads out of a report without parsing it. */
#include "asking.h"
#include "tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct asking a;

static void begin(void)
{
    asking_begin(&a);
    asking_store(&a, NULL);
    asking_store(&a, NULL);
}

static void end(void)
{
    asking_end(&a);
}

TestSuite(facts, .init = begin, .fini = end);

Test(facts, a_change_says_what_became_of_each_store_and_step)
{
    struct xr_report_store store = {.size = sizeof(store)};
    struct xr_report_step step = {.size = sizeof(step)};
    struct xr_report_entry entry = {.size = sizeof(entry)};

    cr_assert(asking_run(&a, XR_VERB_INSTALL, a.cert, 2) == 0);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(xr_report_store(a.report, i, &store));
        cr_assert_str_eq(store.address, a.stores[i]);
        cr_assert_str_eq(store.backend, "quirky");
        cr_assert_str_eq(store.state, "done");
        cr_assert(store.caps != NULL && store.caps->writable && store.why == NULL);
        cr_assert(store.verdict != NULL && store.verdict->answer == XR_YES);
        cr_assert(xr_report_step(a.report, i, 0, &step));
        cr_assert_str_eq(step.action, "add");
        cr_assert_str_eq(step.place, "anchor");
        cr_assert_str_eq(step.kind, "root");
        cr_assert(strstr(step.name, "Quirky Root") != NULL);
        cr_assert(step.subject->type == XR_SUBJECT_CERT);
        cr_assert(!xr_report_step(a.report, i, 1, &step));
        cr_assert(!xr_report_entry(a.report, i, 0, &entry), "what was before is no result");
    }
    cr_assert(!xr_report_store(a.report, 2, &store));
    cr_assert(!xr_report_step(a.report, 2, 0, &step));
}

Test(facts, a_list_lends_its_entries_in_any_order)
{
    struct xr_report_store store = {.size = sizeof(store)};
    struct xr_report_entry entry = {.size = sizeof(entry)}, other = {.size = sizeof(other)};
    struct xr_report_step step = {.size = sizeof(step)};
    const char *name = NULL;

    a.also = a.cross;
    cr_assert(asking_run(&a, XR_VERB_INSTALL, a.cert, 1) == 0);
    a.also = NULL;
    cr_assert(asking_run(&a, XR_VERB_LIST, NULL, 2) == 0);
    cr_assert(xr_report_store(a.report, 0, &store) && store.state == NULL);
    cr_assert(xr_report_entry(a.report, 0, 0, &entry) && entry.managed);
    name = entry.name;
    cr_assert(xr_report_entry(a.report, 0, 1, &other));
    cr_assert(other.entry != entry.entry && strcmp(other.name, name) != 0);
    cr_assert(!xr_report_entry(a.report, 0, 2, &other));
    cr_assert(!xr_report_entry(a.report, 1, 0, &other), "the other store is empty");
    cr_assert(xr_report_entry(a.report, 0, 1, &other) && xr_report_entry(a.report, 0, 0, &other));
    cr_assert(other.entry == entry.entry && other.name == name, "lent, not made again");
    cr_assert(!xr_report_step(a.report, 0, 0, &step));
}

Test(facts, a_transaction_is_named_only_where_something_was_changed)
{
    char first[32];

    cr_assert(asking_run(&a, XR_VERB_INSTALL, a.cert, 1) == 0);
    cr_assert(xr_report_transaction(a.report) != NULL);
    (void)snprintf(first, sizeof(first), "%s", xr_report_transaction(a.report));
    cr_assert(strlen(first) == 16 && strspn(first, "0123456789abcdef") == 16);
    cr_assert(asking_run(&a, XR_VERB_INSTALL, a.cert, 1) == 0);
    cr_assert_null(xr_report_transaction(a.report), "it was there already");
    cr_assert(asking_run(&a, XR_VERB_LIST, NULL, 1) == 0);
    cr_assert_null(xr_report_transaction(a.report));
    cr_assert(asking_run(&a, XR_VERB_UNDO, first, 1) == 0, "it is what undo takes");
}

Test(facts, a_list_of_managed_ones_leaves_the_others_out)
{
    struct xr_report_entry entry = {.size = sizeof(entry)};
    size_t count = 0;

    cr_assert(asking_run(&a, XR_VERB_INSTALL, a.cert, 1) == 0);
    a.rq.managed = true;
    cr_assert(asking_run(&a, XR_VERB_LIST, NULL, 1) == 0);
    while (xr_report_entry(a.report, 0, count, &entry)) {
        cr_assert(entry.managed);
        count++;
    }
    cr_assert(count == 1);
}

Test(facts, a_verdict_and_a_failure_are_told_apart)
{
    struct xr_report_answer answer = {.size = sizeof(answer)};
    struct xr_report_message message = {.size = sizeof(message)};

    asking_quirk(&a, 0, "verdict", "no");
    cr_assert(asking_run(&a, XR_VERB_VERIFY, a.cert, 1) == 6);
    cr_assert(xr_report_answer(a.report, 0, &answer));
    cr_assert_str_eq(answer.store, a.stores[0]);
    cr_assert_str_eq(answer.file, a.cert);
    cr_assert(answer.sha256 != NULL && answer.verdict != NULL && answer.verdict->answer == XR_NO);
    cr_assert(!xr_report_answer(a.report, 1, &answer));
    cr_assert(asking_run(&a, XR_VERB_VERIFY, "/nonexistent", 1) != 0);
    cr_assert(xr_report_message(a.report, 0, &message) && message.level == XR_ERROR);
    cr_assert(message.text[0] != '\0');
}

Test(facts, an_older_caller_gets_what_it_knows_and_a_newer_one_zeroes)
{
    struct {
        struct xr_report_store store;
        unsigned char later[32];
    } newer;
    struct xr_report_store store;

    cr_assert(asking_run(&a, XR_VERB_STORES, NULL, 1) == 0);
    memset(&newer, 0xff, sizeof(newer));
    newer.store.size = sizeof(newer);
    cr_assert(xr_report_store(a.report, 0, &newer.store) && newer.store.size == sizeof(newer));
    for (size_t i = 0; i < sizeof(newer.later); i++)
        cr_assert(newer.later[i] == 0);
    memset(&store, 0xff, sizeof(store));
    store.size = offsetof(struct xr_report_store, backend);
    cr_assert(xr_report_store(a.report, 0, &store));
    cr_assert_str_eq(store.address, a.stores[0]);
    cr_assert((uintptr_t)store.backend == UINTPTR_MAX, "untouched");
    store.size = 0;
    cr_assert(!xr_report_store(a.report, 0, &store), "a forgotten size");
}
