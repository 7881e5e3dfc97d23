/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_OPTIONS_H
#define XR_CLI_OPTIONS_H

#include <crossroot/crossroot.h>

struct words {
    const char **items;
    size_t count;
};

/* Commands are the library's verbs, and those that need no library. */
/* XR_VERB_REFRESH, the last verb, is no command here: it is what update_ca.c does. */
enum { COMMAND_COMPLETION = XR_VERB_REFRESH, COMMANDS };

/* The parsed command line; strings belong to argv. */
struct options {
    unsigned command;  /* COMMANDS: none */
    enum xr_verb verb; /* XR_VERB_COUNT: the command is no verb */
    bool help, help_options, help_licences, version, json, quiet, verbose;
    bool yes, dry_run, best_effort, drop_constraints, key, require_verified, all_or_nothing,
        managed;
    bool has_place;
    enum xr_place place;
    uint32_t purposes;
    const char *host, *root, *state, *worker, *layout, *nss;
    bool updater_distro, rebuild, only, only_files, pem;
    bool has_password_fd;
    int password_fd;
    bool has_at;
    int64_t at;
    bool has_expires_within;
    unsigned expires_within; /* days */
    enum xr_sort sort;
    unsigned scope; /* all that were given; 0: none */
    struct words operands, stores, excluded, plugins, pins, published, untrusted, serials;
    struct words permit_dns, permit_cidrs;
    struct words from; /* remove: a place; else sources */
    struct words outputs, blocklists;
    bool merge, comments, check, update, overwrite, all_paths, markdown;
    enum xr_keep expired, distrust_after;
    bool has_modified;
    int64_t modified;
    const char *prune;
};

/* False with one line (allocated) that says what is wrong, perhaps with a suggestion. */
bool options_parse(struct options *out, int argc, char **argv, char **why);
void options_free(struct options *options);

/* ---- tables.c: what there is, for the parser, the help and the completion of shells ---- */

enum option_kind {
    FLAG,
    WORD,
    LIST,
    PLACE,
    PURPOSE,
    TIME,
    SCOPE,
    UPDATER,
    DESCRIPTOR,
    DAYS,
    SORT,
    KEEP
};

/* What a shell offers for a value. Otherwise: the words of the option, or nothing. */
enum option_offer { OFFER_WORDS, OFFER_FILES, OFFER_DIRS, OFFER_STORES };

struct option {
    const char *name; /* without the dashes; several rows of a name differ in their verbs */
    char letter;
    enum option_kind kind;
    unsigned verbs; /* bits 1 << command */
    size_t field;   /* in struct options */
    const char *value;
    const char *what; /* at most 56 columns; NULL: help and completion leave it out */
    enum option_offer offer;
    const char *words; /* separated by blanks, or NULL */
};
#define EVERY_COMMAND (~0u)
extern const struct option option_table[];
extern const size_t option_count;

enum operands {
    OPERANDS_NONE,
    OPERANDS_FILES,
    OPERANDS_FILE,
    OPERANDS_TWO,
    OPERANDS_UNDO,
    OPERANDS_SHELL
};

struct command {
    const char *summary; /* at most 46 columns; "To …." is a sentence */
    const char *usage;   /* what follows the name; may be empty */
    const char *text;    /* lines of at most 80 columns, or empty */
    const char *example; /* what follows the name, with a blank; in the default scope */
    const char *aliases; /* separated by blanks, or NULL */
    enum operands operands;
};
extern const struct command command_table[COMMANDS];
/* Does the usage line or the text of the command tell of that option? Its list leaves it out then. */
bool command_tells(unsigned command, const struct option *option);
const char *command_name(unsigned command);
/* The next of words that are separated by blanks: its length, 0 at the end. */
size_t next_word(const char **word);

/* ---- others ---- */

/* suggest.c: what was probably meant, or NULL. */
const char *suggest_command(const char *given);
const char *suggest_option(const char *given, size_t len);
/* help.c */
void help_all(FILE *out);
void help_options(FILE *out);
void help_command(unsigned command, FILE *out);
/* version.c: what a report of a bug needs to know of this installation. */
void version_tell(const struct options *o, FILE *out);
/* completion.c */
bool completion_knows(const char *shell);
void completion_write(const char *shell, FILE *out);

#endif
