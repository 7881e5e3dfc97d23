/* SPDX-License-Identifier: Apache-2.0 */
/* xr-mkjournal DIR STORE N: a state directory whose journal has N transactions, by turns an anchor that
 * is installed in STORE and one that is removed from it, each of another certificate. */
#include "change/journal.h"

#include <stdio.h>
#include <stdlib.h>

enum { DER_LEN = 600, NATIVE_LEN = 40, EACH = 100 };

static struct xr_state *make(const struct xr_subject *subject)
{
    unsigned char der[DER_LEN], native[NATIVE_LEN] = {0};
    struct xr_state *state = xr_state_new(subject);
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = *subject,
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .der = {der, sizeof(der)},
                             .native = {native, sizeof(native)}};

    for (size_t i = 0; i < sizeof(der); i++)
        der[i] = subject->id[i % sizeof(subject->id)];
    xr_state_add(state, &entry);
    return state;
}

static bool transact(struct xr_journal *journal, const char *store, unsigned long number,
                     struct xr_error *err)
{
    struct xr_change change = {.subject = {.type = XR_SUBJECT_CERT}};
    struct xr_state *held = NULL;
    const struct xr_state *after[1];
    size_t t = 0, part = 0;
    bool good = false;

    for (size_t i = 0; i < sizeof(change.subject.id); i++)
        change.subject.id[i] = (unsigned char)(number >> 8 * (i % 4));
    held = make(&change.subject);
    *(number % 2 == 0 ? &change.want : &change.before) = held;
    after[0] = change.want;
    good = xr_journal_begin(journal, &t, number % 2 == 0 ? "install" : "remove", NULL, "bench",
                            XR_ALL_OR_NOTHING, 1700000000 + (int64_t)number, err) == XR_OK &&
           xr_journal_intent(journal, t, &part, 0, store, NULL, "", &change, 1, err) == XR_OK &&
           xr_journal_done(journal, t, part, after, err) == XR_OK &&
           xr_journal_end(journal, t, err) == XR_OK;
    xr_state_free(held);
    return good;
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, made = 0;
    struct xr_error err = {0};

    if (count == 0) {
        (void)fputs("usage: xr-mkjournal DIR STORE N\n", stderr);
        return 2;
    }
    /* Opened again and again, as commands do: then it has an index like theirs. */
    while (made < count) {
        struct xr_journal journal;
        bool good = xr_journal_open_brief(&journal, argv[1], &err) == XR_OK;

        for (unsigned long i = 0; good && i < EACH && made < count; i++)
            good = transact(&journal, argv[2], made++, &err);
        xr_journal_close(&journal);
        if (!good) {
            (void)fprintf(stderr, "xr-mkjournal: %s\n", err.text);
            return 1;
        }
    }
    return 0;
}
