/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two root lists, stores or machines. */
#include "sources.h"

#include <stdlib.h>

/* A kind of source can say for which purposes something is trusted, and from which date on no more. */
struct tells {
    bool purposes, dates;
};

static const struct {
    const char *kind;
    struct tells tells;
} kinds[] = {{"certdata.txt", {true, true}},
             {"CCADB", {true, true}},
             {"p11-kit", {true, true}},
             {"list --json", {true, false}},
             {"store", {true, false}}};

/* A store that trusts all that it has for any purpose knows no purposes. */
static bool restricts(const struct xr_list *list)
{
    for (size_t i = 0; i < list->roots.count; i++) {
        uint32_t trusted = list->roots.items[i].trusted;

        if (trusted != 0 && (trusted & XR_ANY_PURPOSE) == 0 &&
            (trusted & XR_ALL_PURPOSES) != XR_ALL_PURPOSES)
            return true;
    }
    return false;
}

static struct tells told(const struct xr_list *list)
{
    struct tells tells = {false, false};

    for (size_t i = 0; i < list->sources.count; i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            if (strcmp(kinds[k].kind, list->sources.items[i].kind) != 0)
                continue;
            tells.purposes = tells.purposes || kinds[k].tells.purposes;
            tells.dates = tells.dates || kinds[k].tells.dates;
        }
    }
    tells.purposes = tells.purposes && (tells.dates || restricts(list));
    return tells;
}

/* Each kind has names of its own: the list's, the store's, the subject's. */
static bool same_kind(const struct xr_list *a, const struct xr_list *b)
{
    const struct xr_list *const both[] = {a, b};
    const char *kind = a->sources.count > 0 ? a->sources.items[0].kind : "";

    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < both[k]->sources.count; i++) {
            if (strcmp(both[k]->sources.items[i].kind, kind) != 0)
                return false;
        }
    }
    return true;
}

static void say_notes(struct xr_report *report, size_t side)
{
    const struct xr_strings *notes = &report->compared.lists[side].notes;

    for (size_t i = 0; i < notes->count; i++)
        xr_report_say(report, XR_NOTE, NULL, "%s: %s", report->compared.names[side],
                      notes->items[i]);
}

/* What is not compared, since a side cannot tell it. */
static void choose(struct xr_report *report)
{
    struct xr_diff_options *options = &report->compared.options;
    const struct xr_list *lists = report->compared.lists;
    char *const *names = report->compared.names;
    struct tells tells[] = {told(&lists[0]), told(&lists[1])};

    options->no_labels = !same_kind(&lists[0], &lists[1]);
    options->no_dates = !(tells[0].dates && tells[1].dates);
    for (size_t i = 0; i < 2; i++) {
        if (lists[i].roots.count == 0)
            xr_report_say(report, XR_NOTE, NULL, "%s has no certificates", names[i]);
        options->silent[i] = !tells[i].purposes;
        if (!tells[i].purposes && tells[1 - i].purposes)
            xr_report_say(report, XR_NOTE, NULL,
                          options->purposes == 0
                              ? N_("%s does not say what its roots are trusted for: purposes are "
                                   "not compared without --for")
                              : N_("%s does not say what its roots are trusted for: taken as "
                                   "trusted for what --for names"),
                          names[i]);
        if (!tells[i].dates && tells[1 - i].dates)
            xr_report_say(report, XR_NOTE, NULL,
                          "%s has no dates after which roots are not trusted: they are not "
                          "compared",
                          names[i]);
    }
}

void xr_verb_diff(struct xr_engine *engine)
{
    struct xr_report *report = engine->report;
    const struct xr_words words = engine->rq->operands;
    uint32_t purposes = engine->rq->purposes;

    if (words.count != 2) {
        xr_report_fail(report, XR_EXIT_USAGE, "diff compares two: A and B");
        return;
    }
    report->compared.options.purposes = purposes & XR_ANY_PURPOSE ? 0 : purposes;
    for (size_t i = 0; i < 2; i++) {
        report->compared.names[i] = xr_strdup(words.items[i]);
        if (!xr_source_read(engine, &report->compared.lists[i], words.items[i], purposes))
            return;
        say_notes(report, i);
    }
    choose(report);
    xr_diff_lists(&report->compared.diff, &report->compared.lists[0], &report->compared.lists[1],
                  &report->compared.options);
    if (report->compared.diff.count > 0)
        xr_report_raise(report, XR_EXIT_DRIFT);
}
