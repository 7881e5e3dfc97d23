/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": never the opposite of what was typed. */
#include "options.h"

/* Words of other programs and of people, for what a command does. They are only suggested: what they
 * do elsewhere may differ. */
static const struct {
    unsigned command;
    const char *words;
} synonyms[] = {
    {XR_VERB_INSPECT, "info print cat dump describe examine"},
    {XR_VERB_STORES, "backends databases"},
    {XR_VERB_LIST, "ls"},
    {XR_VERB_INSTALL, "trust entrust import put anchor retrust reinstall allow permit whitelist"},
    {XR_VERB_REMOVE, "delete del erase drop unset purge deinstall unimport"},
    {XR_VERB_DISTRUST, "untrust mistrust block deny forbid ban blacklist blocklist revoke disable "
                       "disallow unallow"},
    {XR_VERB_VERIFY, "check test validate probe"},
    {XR_VERB_UNDO, "rollback revert restore back"},
    {XR_VERB_HISTORY, "log journal transactions"},
    {XR_VERB_RECOVER, "repair fix resume finish"},
    {XR_VERB_READERS, "programs clients who users consumers applications"},
    {XR_VERB_EXTRACT, "convert export bundle write pack"},
    {XR_VERB_DIFF, "compare changes changelog delta"},
    {XR_VERB_CHAIN, "path fullchain issue serve"},
    {COMMAND_COMPLETION, "complete completions"},
};

/* Which way a command moves trust: a slip of the pen must not turn it around. */
static int direction(unsigned command)
{
    return command == XR_VERB_INSTALL                                 ? 1
           : command == XR_VERB_REMOVE || command == XR_VERB_DISTRUST ? -1
                                                                      : 0;
}

static bool begins(const char *text, size_t len, const char *const *with)
{
    for (; *with != NULL; with++) {
        if (len > strlen(*with) && strncmp(text, *with, strlen(*with)) == 0)
            return true;
    }
    return false;
}

#define LONGEST 63u

/* Edit distance of two short words; two letters that changed places are one mistake. */
static unsigned distance(const char *a, size_t la, const char *b, size_t lb)
{
    unsigned rows[3][LONGEST + 1];

    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (size_t i = 0; i <= la; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];

        for (size_t j = 0; j <= lb; j++) {
            unsigned least = (unsigned)(i > j ? i : j);

            if (i > 0 && j > 0) {
                least = above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);
                least = above[j] + 1 < least ? above[j] + 1 : least;
                least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                least = higher[j - 2] + 1 < least ? higher[j - 2] + 1 : least;
            row[j] = least;
        }
    }
    return rows[la % 3][lb];
}

/* More mistakes than this make another word. */
static unsigned most(size_t len)
{
    return len < 4 ? 1 : len < 6 ? 2 : 3;
}

struct best {
    const char *given;
    size_t len;
    unsigned command, least;
    unsigned least_by_direction[3];
};

static void compare(struct best *best, unsigned command, const char *word, size_t len)
{
    unsigned d = distance(best->given, best->len, word, len);
    unsigned *least = &best->least_by_direction[direction(command) + 1];

    if (best->len > 2 && best->len < len && strncmp(best->given, word, best->len) == 0)
        d = 0; /* its beginning is as good as all of it */
    *least = d < *least ? d : *least;
    if (d < best->least && d <= most(best->len)) {
        best->least = d;
        best->command = command;
    }
}

const char *suggest_command(const char *given)
{
    static const char *const negations[] = {"un", "dis", "de", "mis", "no", NULL};
    struct best best = {given, strlen(given), COMMANDS, LONGEST, {LONGEST, LONGEST, LONGEST}};
    int way = 0;

    for (unsigned command = 0; command < COMMANDS; command++) {
        const char *word = command_table[command].aliases;

        compare(&best, command, command_name(command), strlen(command_name(command)));
        for (size_t len = 0; (len = next_word(&word)) > 0; word += len)
            compare(&best, command, word, len);
    }
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
        const char *word = synonyms[i].words;

        for (size_t len = 0; (len = next_word(&word)) > 0; word += len)
            compare(&best, synonyms[i].command, word, len);
    }
    if (best.command == COMMANDS)
        return NULL;
    way = direction(best.command);
    if (best.least > 0 && way > 0 && begins(given, best.len, negations))
        return NULL;
    /* It might as well be the opposite. */
    if (best.least > 0 && way != 0 && best.least_by_direction[1 - way] <= best.least + 1)
        return NULL;
    return command_name(best.command);
}

const char *suggest_option(const char *given, size_t len)
{
    static const char *const negations[] = {"no-", "not-", "un", "dis", "without-", NULL};
    const char *best = NULL;
    unsigned least = most(len) + 1;

    for (size_t i = 0; i < option_count; i++) {
        const char *name = option_table[i].name;
        unsigned d = distance(given, len, name, strlen(name));

        if (d >= least || begins(given, len, negations) != begins(name, strlen(name), negations))
            continue;
        least = d;
        best = name;
    }
    return best;
}
