/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "language.h"
#include "platform.h"

#include <stdlib.h>

#define BIT(command) (1u << (unsigned)(command))

XR_PRINTF(2, 3) static bool mistake(char **why, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *why = platform_text("%s", text);
    return false;
}

static bool unknown_command(char **why, const char *given)
{
    const char *meant = suggest_command(given);

    if (meant != NULL)
        return mistake(why, "unknown command \"%.100s\"; did you mean %s?; see crossroot --help",
                       given, meant);
    return mistake(why, "unknown command \"%.100s\"; see crossroot --help", given);
}

static bool unknown_option(char **why, const char *given, size_t len)
{
    const char *meant = suggest_option(given, len);

    int shown = (int)(len < 100 ? len : 100);

    if (meant != NULL)
        return mistake(why, "unknown option --%.*s; did you mean --%s?", shown, given, meant);
    return mistake(why, "unknown option --%.*s", shown, given);
}

static void push(struct words *words, const char *text)
{
    const char **grown = realloc((void *)words->items, (words->count + 1) * sizeof(*grown));

    if (grown == NULL)
        abort();
    words->items = grown;
    words->items[words->count++] = text;
}

static bool set_scope(struct options *out, const char *value, char **why)
{
    static const struct {
        const char *name;
        unsigned scope;
    } scopes[] = {{"user", XR_SCOPE_USER},
                  {"system", XR_SCOPE_SYSTEM},
                  {"all-users", XR_SCOPE_ALL_USERS},
                  {"all", XR_SCOPE_SYSTEM | XR_SCOPE_ALL_USERS | XR_SCOPE_POLICIES}};

    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (value != NULL && strcmp(value, scopes[i].name) == 0) {
            out->scope |= scopes[i].scope;
            return true;
        }
    }
    return mistake(why, "--scope must be user, system, all-users or all");
}

static bool set_sort(struct options *out, const char *value, char **why)
{
    static const struct {
        const char *name;
        enum xr_sort sort;
    } sorts[] = {
        {"expiry", XR_SORT_EXPIRY}, {"subject", XR_SORT_SUBJECT}, {"place", XR_SORT_PLACE}};

    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        if (value != NULL && strcmp(value, sorts[i].name) == 0) {
            out->sort = sorts[i].sort;
            return true;
        }
    }
    return mistake(why, "--sort must be expiry, subject or place");
}

/* Each row of the table names the words that its option takes. */
static bool set_keep(enum xr_keep *out, const struct option *option, const char *value, char **why)
{
    static const struct {
        const char *name;
        enum xr_keep keep;
    } words[] = {
        {"keep", XR_KEEP}, {"drop-past", XR_DROP_PAST}, {"drop-all", XR_DROP}, {"drop", XR_DROP}};
    const char *word = option->words;

    for (size_t len = 0; (len = next_word(&word)) > 0; word += len) {
        if (value == NULL || strlen(value) != len || strncmp(value, word, len) != 0)
            continue;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (strcmp(value, words[i].name) == 0)
                *out = words[i].keep;
        }
        return true;
    }
    return mistake(why, "--%s must be one of: %s", option->name, option->words);
}

/* "90d", "90" or "12w". */
static bool set_days(struct options *out, const char *value, char **why)
{
    size_t len = value != NULL ? strspn(value, "0123456789") : 0;
    const char *unit = len > 0 && len < 6 ? value + len : "?";
    bool weeks = strcmp(unit, "w") == 0;

    if (!weeks && unit[0] != '\0' && strcmp(unit, "d") != 0)
        return mistake(why,
                       "--expires-within must be a number of days or weeks, such as 90d or 12w");
    out->has_expires_within = true;
    out->expires_within = (unsigned)strtoul(value, NULL, 10) * (weeks ? 7 : 1);
    return true;
}

/* -1: none. */
static int descriptor(const char *text)
{
    size_t len = strspn(text, "0123456789");

    return len > 0 && len < 7 && text[len] == '\0' ? (int)strtol(text, NULL, 10) : -1;
}

static bool set(struct options *out, const struct option *option, const char *value, char **why)
{
    char *field = (char *)out + option->field;
    uint32_t purpose = 0;
    bool ok = true;

    switch (option->kind) {
    case FLAG:
        *(bool *)field = true;
        break;
    case WORD:
        *(const char **)(void *)field = value;
        break;
    case LIST:
        push((struct words *)(void *)field, value);
        break;
    case SCOPE:
        return set_scope(out, value, why);
    case DAYS:
        return set_days(out, value, why);
    case SORT:
        return set_sort(out, value, why);
    case UPDATER:
        out->updater_distro = value != NULL && strcmp(value, "distro") == 0;
        if (!out->updater_distro && (value == NULL || strcmp(value, "native") != 0))
            return mistake(why, "--updater must be native or distro");
        break;
    case PLACE:
        out->has_place = true;
        if (!xr_place_parse(&out->place, value))
            return mistake(why, "--as must be anchor, intermediate, peer or crl");
        if (out->place == XR_DISTRUST)
            return mistake(why, "to distrust, use crossroot distrust");
        break;
    case KEEP:
        return set_keep((enum xr_keep *)(void *)field, option, value, why);
    case PURPOSE:
        purpose = xr_purpose_parse(value);
        if (purpose == 0)
            return mistake(why, "--for must be server, client, email, code, time or any");
        out->purposes |= purpose;
        break;
    case DESCRIPTOR:
        out->has_password_fd = true;
        out->password_fd = value != NULL ? descriptor(value) : -1;
        if (out->password_fd < 0)
            return mistake(why, "--%s needs the number of an open file descriptor", option->name);
        break;
    case TIME:
        *(int64_t *)(void *)field = xr_time_parse(value, &ok);
        if (!ok)
            return mistake(why, "--%s must be a date such as 2029-05-30 or 2029-05-30T12:00:00Z",
                           option->name);
        if (field == (char *)&out->at)
            out->has_at = true;
        else
            out->has_modified = true;
        break;
    }
    return true;
}

/* Once the verb is known: does the verb have every option that was given? */
struct given {
    const struct option *items[256];
    size_t count;
};

static const struct option *by_letter(char letter)
{
    for (size_t i = 0; i < option_count; i++) {
        if (option_table[i].letter == letter && letter != 0)
            return &option_table[i];
    }
    return NULL;
}

static const struct option *by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < option_count; i++) {
        if (strlen(option_table[i].name) == len && strncmp(option_table[i].name, name, len) == 0)
            return &option_table[i];
    }
    return NULL;
}

static bool take(struct options *out, struct given *given, const struct option *option,
                 const char *value, char **why)
{
    if (given->count < sizeof(given->items) / sizeof(given->items[0]))
        given->items[given->count++] = option;
    return set(out, option, value, why);
}

static bool take_letters(struct options *out, struct given *given, const char *letters, char **why)
{
    for (; *letters != '\0'; letters++) {
        const struct option *option = by_letter(*letters);

        if (option == NULL)
            return mistake(why, "unknown option -%c", *letters);
        if (!take(out, given, option, NULL, why))
            return false;
    }
    return true;
}

static bool take_long(struct options *out, struct given *given, int argc, char **argv, int *at,
                      char **why)
{
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "=");
    const struct option *option = by_name(name, len);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;

    if (option == NULL)
        return unknown_option(why, name, len);
    if (option->kind == FLAG && value != NULL)
        return mistake(why, "--%s takes no value", option->name);
    if (option->kind != FLAG && value == NULL) {
        if (*at + 1 >= argc)
            return mistake(why, "--%s needs a value", option->name);
        value = argv[++*at];
    }
    return take(out, given, option, value, why);
}

static bool is_alias(unsigned command, const char *given)
{
    const char *word = command_table[command].aliases;

    for (size_t len = 0; (len = next_word(&word)) > 0; word += len) {
        if (strlen(given) == len && strncmp(given, word, len) == 0)
            return true;
    }
    return false;
}

static bool take_command(struct options *out, const char *word, char **why)
{
    for (unsigned command = 0; command < COMMANDS; command++) {
        if (strcmp(word, command_name(command)) == 0 || is_alias(command, word)) {
            out->command = command;
            out->verb = command < COMMAND_COMPLETION ? (enum xr_verb)command : XR_VERB_COUNT;
            return true;
        }
    }
    return unknown_command(why, word);
}

/* A word that is no option. */
static bool take_word(struct options *out, const char *word, char **why)
{
    if (out->command != COMMANDS) {
        push(&out->operands, word);
    } else if (strcmp(word, "help") == 0) {
        out->help = true;
    } else if (strcmp(word, "options") == 0 && out->help) {
        out->help_options = true;
    } else if ((strcmp(word, "licences") == 0 || strcmp(word, "licenses") == 0) && out->help) {
        out->help_licences = true;
    } else if (strcmp(word, "version") == 0) {
        out->version = true;
    } else {
        return take_command(out, word, why);
    }
    return true;
}

/* Several rows may have the name. */
static bool has_option(unsigned command, const struct option *given)
{
    for (size_t i = 0; i < option_count; i++) {
        if (strcmp(option_table[i].name, given->name) == 0 &&
            (option_table[i].verbs & BIT(command)) != 0)
            return true;
    }
    return false;
}

static bool check_operands(const struct options *out, char **why)
{
    static const struct {
        size_t least, most;
        const char *needs;
    } counts[] = {
        [OPERANDS_NONE] = {0, 0, NULL}, [OPERANDS_FILES] = {1, SIZE_MAX, N_("a file")},
        [OPERANDS_FILE] = {0, 1, NULL}, [OPERANDS_TWO] = {2, 2, N_("two root lists")},
        [OPERANDS_UNDO] = {0, 1, NULL}, [OPERANDS_SHELL] = {1, 1, N_("a shell: bash, zsh or fish")},
    };
    const char *name = command_name(out->command);
    enum operands operands = command_table[out->command].operands;

    if (out->operands.count < counts[operands].least)
        return mistake(why, "%s needs %s; see crossroot %s --help", name, counts[operands].needs,
                       name);
    if (out->operands.count > 0 && out->verb == XR_VERB_EXTRACT)
        return mistake(why, "sources need --from: --from %.100s", out->operands.items[0]);
    if (out->operands.count > counts[operands].most)
        return mistake(why, "%s: unexpected argument \"%.100s\"", name,
                       out->operands.items[out->operands.count - 1]);
    return true;
}

/* --from is a place for remove, and a source for others. */
static bool check_place(struct options *out, char **why)
{
    if (out->verb != XR_VERB_REMOVE || out->from.count == 0)
        return true;
    out->has_place = true;
    if (out->from.count > 1 || !xr_place_parse(&out->place, out->from.items[0]))
        return mistake(why, "--from must be anchor, intermediate, peer, distrust or crl");
    return true;
}

static bool check_extract(const struct options *out, char **why)
{
    if (out->verb != XR_VERB_EXTRACT)
        return true;
    if (out->outputs.count == 0)
        return mistake(why, "extract needs --to FORMAT=PATH; see crossroot extract --help");
    if ((out->purposes & ~(uint32_t)(XR_SERVER | XR_EMAIL | XR_CODE)) != 0)
        return mistake(why, "--for of extract must be server, email or code");
    if (out->check && out->overwrite)
        return mistake(why, "--check writes nothing: it excludes --overwrite");
    return true;
}

static bool check(struct options *out, const struct given *given, char **why)
{
    if (out->help || out->version)
        return true;
    if (out->command == COMMANDS)
        return mistake(why, "no command given; see crossroot --help");
    for (size_t i = 0; i < given->count; i++) {
        const char *name = command_name(out->command);

        if (!has_option(out->command, given->items[i]))
            return mistake(why, "%s has no option --%s; see crossroot %s --help", name,
                           given->items[i]->name, name);
    }
    if (out->only_files && out->stores.count > 0)
        return mistake(why, "--only-files and --store exclude each other");
    if ((out->verb == XR_VERB_VERIFY || out->verb == XR_VERB_READERS) &&
        (out->purposes & (out->purposes - 1)) != 0)
        return mistake(why, "%s checks one purpose at a time: give --for only once",
                       command_name(out->command));
    if (!check_operands(out, why) || !check_place(out, why) || !check_extract(out, why))
        return false;
    if (out->command == COMMAND_COMPLETION && !completion_knows(out->operands.items[0]))
        return mistake(why, "completion is for bash, zsh or fish");
    return true;
}

bool options_parse(struct options *out, int argc, char **argv, char **why)
{
    struct given given = {.count = 0};
    bool only_operands = false;

    *out = (struct options){.command = COMMANDS, .verb = XR_VERB_COUNT};
    for (int i = 1; i < argc; i++) { /* even after a mistake: the answer is JSON too */
        if (strcmp(argv[i], "--") == 0)
            break;
        out->json = out->json || strcmp(argv[i], "--json") == 0;
    }
    for (int i = 1; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && platform_asks_help(argv[i], out->command == COMMANDS)) {
            out->help = true;
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            if (!take_long(out, &given, argc, argv, &i, why))
                return false;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_letters(out, &given, argv[i] + 1, why))
                return false;
        } else if (!take_word(out, argv[i], why)) {
            return false;
        }
    }
    return check(out, &given, why);
}

void options_free(struct options *options)
{
    struct words *lists[] = {&options->operands,     &options->stores,  &options->excluded,
                             &options->plugins,      &options->pins,    &options->published,
                             &options->untrusted,    &options->serials, &options->permit_dns,
                             &options->permit_cidrs, &options->from,    &options->outputs,
                             &options->blocklists};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free((void *)lists[i]->items);
}
