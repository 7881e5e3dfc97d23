/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>

#define V(verb)  (1u << (unsigned)XR_VERB_##verb)
#define ALL      (~0u)
#define CHANGING (V(INSTALL) | V(REMOVE) | V(DISTRUST) | V(UNDO) | V(RECOVER))

enum kind { FLAG, WORD, LIST, PLACE, PURPOSE, TIME, SCOPE, UPDATER, DESCRIPTOR };

struct option {
    const char *name; /* without the dashes */
    char letter;
    enum kind kind;
    unsigned verbs;
    size_t field;
};

#define AT(field) offsetof(struct options, field)

static const struct option table[] = {
    {"store", 0, LIST, ALL, AT(stores)},
    {"exclude-store", 0, LIST, ALL, AT(excluded)},
    {"scope", 0, SCOPE, ALL, AT(scope)},
    {"root", 0, WORD, ALL, AT(root)},
    {"layout", 0, WORD, ALL, AT(layout)},
    {"updater", 0, UPDATER, ALL, AT(updater_distro)},
    {"nss", 0, WORD, ALL, AT(nss)},
    {"state", 0, WORD, ALL, AT(state)},
    {"plugin", 0, LIST, ALL, AT(plugins)},
    {"worker", 0, WORD, ALL, AT(worker)},
    {"json", 0, FLAG, ALL, AT(json)},
    {"dry-run", 'n', FLAG, ALL, AT(dry_run)},
    {"yes", 'y', FLAG, ALL, AT(yes)},
    {"quiet", 'q', FLAG, ALL, AT(quiet)},
    {"verbose", 'v', FLAG, ALL, AT(verbose)},
    {"help", 'h', FLAG, ALL, AT(help)},
    {"version", 'V', FLAG, ALL, AT(version)},
    {"pin", 0, LIST, V(INSTALL), AT(pins)},
    {"published", 0, LIST, V(INSTALL), AT(published)},
    {"as", 0, PLACE, V(INSTALL), AT(place)},
    {"from", 0, PLACE, V(REMOVE), AT(place)},
    {"for", 0, PURPOSE, V(INSTALL) | V(VERIFY), AT(purposes)},
    {"only", 0, FLAG, V(INSTALL), AT(only)},
    {"host", 0, WORD, V(VERIFY), AT(host)},
    {"untrusted", 0, LIST, V(VERIFY), AT(untrusted)},
    {"at", 0, TIME, V(VERIFY), AT(at)},
    {"managed", 0, FLAG, V(LIST), AT(managed)},
    {"key", 0, FLAG, V(DISTRUST), AT(key)},
    {"serial", 0, LIST, V(DISTRUST), AT(serials)},
    {"best-effort", 0, FLAG, V(DISTRUST), AT(best_effort)},
    {"drop-constraints", 0, FLAG, V(INSTALL), AT(drop_constraints)},
    {"require-verified", 0, FLAG, V(INSTALL), AT(require_verified)},
    {"all-or-nothing", 0, FLAG, CHANGING, AT(all_or_nothing)},
    {"rebuild", 0, FLAG, CHANGING, AT(rebuild)},
    {"password-fd", 0, DESCRIPTOR, CHANGING | V(INSPECT) | V(VERIFY), AT(password_fd)},
};
#define OPTIONS (sizeof(table) / sizeof(table[0]))

XR_PRINTF(2, 3) static bool wrong(char **why, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *why = strdup(text);
    return false;
}

/* Edit distance, for "did you mean"; names are short. */
static unsigned distance(const char *a, size_t la, const char *b)
{
    unsigned row[64];
    size_t lb = strlen(b);

    if (lb >= sizeof(row) / sizeof(row[0]) || la > 64)
        return 64;
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u);
            unsigned best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[lb];
}

static bool unknown_verb(char **why, const char *given)
{
    const char *best = NULL;
    unsigned least = 4;

    for (unsigned verb = 0; verb < XR_VERB_COUNT; verb++) {
        const char *name = xr_verb_name((enum xr_verb)verb);
        unsigned d = distance(given, strlen(given), name);

        if (d < least || (strlen(given) > 2 && strncmp(given, name, strlen(given)) == 0)) {
            least = d < least ? d : least;
            best = name;
        }
    }
    return wrong(why, "unknown command \"%.100s\"%s%s%s; see crossroot --help", given,
                 best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

static bool unknown_option(char **why, const char *given, size_t len)
{
    const char *best = NULL;
    unsigned least = 4;

    for (size_t i = 0; i < OPTIONS; i++) {
        unsigned d = distance(given, len, table[i].name);

        if (d < least) {
            least = d;
            best = table[i].name;
        }
    }
    return wrong(why, "unknown option --%.*s%s%s%s", (int)(len < 100 ? len : 100), given,
                 best ? "; did you mean --" : "", best ? best : "", best ? "?" : "");
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
    } scopes[] = {
        {"user", XR_SCOPE_USER}, {"system", XR_SCOPE_SYSTEM}, {"all-users", XR_SCOPE_ALL_USERS}};

    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (value != NULL && strcmp(value, scopes[i].name) == 0) {
            out->scope = scopes[i].scope;
            return true;
        }
    }
    return wrong(why, "--scope must be user, system or all-users");
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
    case UPDATER:
        out->updater_distro = value != NULL && strcmp(value, "distro") == 0;
        if (!out->updater_distro && (value == NULL || strcmp(value, "native") != 0))
            return wrong(why, "--updater must be native or distro");
        break;
    case PLACE:
        out->has_place = true;
        if (!xr_place_parse(&out->place, value))
            return wrong(why, "--%s must be anchor, intermediate, peer%s or crl", option->name,
                         option->verbs == V(REMOVE) ? ", distrust" : "");
        if (option->verbs == V(INSTALL) && out->place == XR_DISTRUST)
            return wrong(why, "to distrust, use crossroot distrust");
        break;
    case PURPOSE:
        purpose = xr_purpose_parse(value);
        if (purpose == 0)
            return wrong(why, "--for must be server, client, email, code, time or any");
        out->purposes |= purpose;
        break;
    case DESCRIPTOR:
        out->has_password_fd = true;
        out->password_fd = value != NULL ? descriptor(value) : -1;
        if (out->password_fd < 0)
            return wrong(why, "--%s needs the number of an open file descriptor", option->name);
        break;
    case TIME:
        out->at = xr_time_parse(value, &ok);
        if (!ok)
            return wrong(why, "--at must be a date such as 2029-05-30 or 2029-05-30T12:00:00Z");
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
    for (size_t i = 0; i < OPTIONS; i++) {
        if (table[i].letter == letter && letter != 0)
            return &table[i];
    }
    return NULL;
}

static const struct option *by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
            return &table[i];
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
            return wrong(why, "unknown option -%c", *letters);
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
        return wrong(why, "--%s takes no value", option->name);
    if (option->kind != FLAG && value == NULL) {
        if (*at + 1 >= argc)
            return wrong(why, "--%s needs a value", option->name);
        value = argv[++*at];
    }
    return take(out, given, option, value, why);
}

static bool take_verb(struct options *out, const char *word, char **why)
{
    for (unsigned verb = 0; verb < XR_VERB_COUNT; verb++) {
        if (strcmp(word, xr_verb_name((enum xr_verb)verb)) == 0) {
            out->verb = (enum xr_verb)verb;
            out->has_verb = true;
            return true;
        }
    }
    return unknown_verb(why, word);
}

static bool check(const struct options *out, const struct given *given, char **why)
{
    static const unsigned need_operands =
        V(INSPECT) | V(INSTALL) | V(REMOVE) | V(DISTRUST) | V(VERIFY);
    static const unsigned no_operands = V(STORES) | V(LIST) | V(HISTORY) | V(RECOVER);

    if (out->help || out->version)
        return true;
    if (!out->has_verb)
        return wrong(why, "no command given; see crossroot --help");
    for (size_t i = 0; i < given->count; i++) {
        if (!(given->items[i]->verbs & 1u << (unsigned)out->verb))
            return wrong(why, "%s has no option --%s; see crossroot %s --help",
                         xr_verb_name(out->verb), given->items[i]->name, xr_verb_name(out->verb));
    }
    if (out->verb == XR_VERB_VERIFY && (out->purposes & (out->purposes - 1)) != 0)
        return wrong(why, "verify checks one purpose at a time: give --for only once");
    if (need_operands & 1u << (unsigned)out->verb && out->operands.count == 0)
        return wrong(why, "%s needs a file; see crossroot %s --help", xr_verb_name(out->verb),
                     xr_verb_name(out->verb));
    if ((no_operands & 1u << (unsigned)out->verb && out->operands.count > 0) ||
        (out->verb == XR_VERB_UNDO && out->operands.count > 1))
        return wrong(why, "%s: unexpected argument \"%.100s\"", xr_verb_name(out->verb),
                     out->operands.items[out->operands.count - 1]);
    return true;
}

bool options_parse(struct options *out, int argc, char **argv, char **why)
{
    struct given given = {.count = 0};
    bool only_operands = false;

    *out = (struct options){.verb = XR_VERB_COUNT};
    for (int i = 1; i < argc; i++) { /* even after a mistake: the answer is JSON too */
        if (strcmp(argv[i], "--") == 0)
            break;
        out->json = out->json || strcmp(argv[i], "--json") == 0;
    }
    for (int i = 1; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            if (!take_long(out, &given, argc, argv, &i, why))
                return false;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_letters(out, &given, argv[i] + 1, why))
                return false;
        } else if (!out->has_verb && !out->help) {
            if (strcmp(argv[i], "help") == 0)
                out->help = true;
            else if (!take_verb(out, argv[i], why))
                return false;
        } else if (out->help && !out->has_verb) {
            if (!take_verb(out, argv[i], why))
                return false;
        } else {
            push(&out->operands, argv[i]);
        }
    }
    return check(out, &given, why);
}

void options_free(struct options *options)
{
    struct words *lists[] = {&options->operands,  &options->stores, &options->excluded,
                             &options->plugins,   &options->pins,   &options->published,
                             &options->untrusted, &options->serials};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free((void *)lists[i]->items);
}
