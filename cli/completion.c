/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for shells, made from the tables of options and commands. What differs from machine to
 * machine (addresses of stores, IDs of transactions) is asked of crossroot itself when it is needed,
 * as JSON, whose form does not change.
 */
#include "language.h"
#include "options.h"
#include "platform.h"

#include <stdlib.h>

#define STORES_QUERY \
    "stores --json 2>/dev/null | grep -o '\"store\": *\"[^\"\\\\]*\"' | cut -d'\"' -f4 | sort -u"
#define TRANSACTIONS_QUERY \
    "history --json 2>/dev/null | grep -o '\"transaction\": *\"[0-9a-f]*\"' | cut -d'\"' -f4"

/* Options of this command alone, or of every command (COMMANDS). */
static const struct option *next_option(size_t *at, unsigned command)
{
    while (*at < option_count) {
        const struct option *option = &option_table[(*at)++];
        bool every = option->verbs == EVERY_COMMAND;

        if (option->what != NULL &&
            (command == COMMANDS ? every : !every && (option->verbs & 1u << command) != 0))
            return option;
    }
    return NULL;
}

static void put_words(FILE *out, const char *words, const char *separator)
{
    for (size_t len = 0, n = 0; (len = next_word(&words)) > 0; words += len)
        (void)fprintf(out, "%s%.*s", n++ > 0 ? separator : "", (int)len, words);
}

/* install|add, or with another separator. */
static void put_names(FILE *out, unsigned command, const char *separator)
{
    (void)fputs(command_name(command), out);
    if (command_table[command].aliases == NULL)
        return;
    (void)fputs(separator, out);
    put_words(out, command_table[command].aliases, separator);
}

static void put_commands(FILE *out)
{
    for (unsigned command = 0; command < COMMANDS; command++) {
        put_names(out, command, " ");
        (void)fputc(' ', out);
    }
    (void)fputs("help version", out);
}

static const char *stores_words(void)
{
    for (size_t i = 0; i < option_count; i++) {
        if (option_table[i].offer == OFFER_STORES)
            return option_table[i].words;
    }
    return "";
}

/* ---- bash ---- */

static const char bash_head[] =
    "# Completion of crossroot for bash, as \"crossroot completion bash\" prints it.\n"
    "\n"
    "# Bash splits words at = and :, which options and addresses have: here they are whole again, as\n"
    "# far as the cursor. Sets words, and broken: what of the last one bash does not replace.\n"
    "_crossroot_words() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} i word\n"
    "    words=()\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((i == 0)) || [[ $line == [[:space:]]* ]]; then\n"
    "            line=${line#\"${line%%[![:space:]]*}\"}\n"
    "            words+=('')\n"
    "        fi\n"
    "        ((i < COMP_CWORD)) || word=$line\n"
    "        words[${#words[@]}-1]+=$word\n"
    "        line=${line#\"$word\"}\n"
    "    done\n"
    "    word=${words[${#words[@]}-1]}\n"
    "    broken=''\n"
    "    case $word in *[=:]*) broken=${word%\"${word##*[=:]}\"} ;; esac\n"
    "    [[ $COMP_WORDBREAKS == *:* ]] || broken=''\n"
    "}\n"
    "\n"
    "# The offers that begin with $value, after $lead, as whole words. Never compgen -W: it would run what\n"
    "# stands in a word.\n"
    "_crossroot_offer() { # WORD...\n"
    "    local word\n"
    "    for word; do\n"
    "        [[ $word != \"$value\"* ]] || COMPREPLY+=(\"$lead$word\")\n"
    "    done\n"
    "}\n"
    "_crossroot_paths() { # -f|-d\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -P \"$lead\" \"$1\" -- \"$value\")\n"
    "}\n"
    "\n"
    "_crossroot_stores() { # BACKEND...\n"
    "    local found\n"
    "    case $value in\n"
    "    *:*)\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t found < <(\"$program\" \"${given[@]}\" --store \"${value%%:*}\" " STORES_QUERY
    ")\n"
    "        _crossroot_offer \"${found[@]}\"\n"
    "        lead+=${value%%:*}:\n"
    "        value=${value#*:}\n"
    "        ((${#COMPREPLY[@]})) || _crossroot_paths -f\n"
    "        ;;\n"
    "    *)\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        _crossroot_offer \"$@\"\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_crossroot_transactions() {\n"
    "    local found\n"
    "    mapfile -t found < <(\"$program\" \"${given[@]}\" " TRANSACTIONS_QUERY ")\n"
    "    _crossroot_offer \"${found[@]}\"\n"
    "}\n"
    "\n"
    "_crossroot() {\n"
    "    local program=$1 words broken lead='' value command='' option='' given=() i word\n"
    "    COMPREPLY=()\n"
    "    _crossroot_words\n"
    "    value=${words[${#words[@]}-1]}\n"
    "    for ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
    "        word=${words[i]}\n"
    "        option=''\n"
    "        case $word in\n";

static const char bash_middle[] =
    "            option=$word\n"
    "            ((++i < ${#words[@]} - 1)) || break\n"
    "            case $option in --state | --root | --scope) given+=(\"$option\" \"${words[i]}\") ;; esac\n"
    "            option=''\n"
    "            ;;\n"
    "        --state=* | --root=* | --scope=*) given+=(\"$word\") ;;\n"
    "        -*) ;;\n"
    "        *) [[ -n $command && $command != help ]] || command=$word ;;\n"
    "        esac\n"
    "    done\n"
    "    if [[ -z $option && $value == --*=* ]]; then\n"
    "        option=${value%%=*}\n"
    "        lead=$option=\n"
    "        value=${value#*=}\n"
    "    fi\n"
    "    case $command in\n";

static const char bash_end[] = "    COMPREPLY=(\"${COMPREPLY[@]#\"$broken\"}\")\n"
                               "}\n"
                               "complete -F _crossroot crossroot\n";

static void bash_value(FILE *out, const struct option *option, const char *command)
{
    (void)fprintf(out, "    '%s --%s')", command, option->name);
    switch (option->offer) {
    case OFFER_STORES:
        (void)fputs(" _crossroot_stores ", out);
        put_words(out, option->words, " ");
        break;
    case OFFER_FILES:
        (void)fputs(" _crossroot_paths -f", out);
        break;
    case OFFER_DIRS:
        (void)fputs(" _crossroot_paths -d", out);
        break;
    default:
        (void)fputs(option->words != NULL ? " _crossroot_offer " : " ", out);
        put_words(out, option->words, " ");
        break;
    }
    (void)fputs(" ;;\n", out);
}

static void bash_values(FILE *out)
{
    const struct option *option = NULL;

    (void)fputs("    case \"$command $option\" in\n", out);
    for (unsigned command = 0; command < COMMANDS; command++) {
        for (size_t at = 0; (option = next_option(&at, command)) != NULL;) {
            if (option->value != NULL)
                bash_value(out, option, command_name(command));
        }
    }
    (void)fputs("    *)\n        case \" $option\" in\n", out);
    for (size_t at = 0; (option = next_option(&at, COMMANDS)) != NULL;) {
        if (option->value != NULL) {
            (void)fputs("    ", out);
            bash_value(out, option, "");
        }
    }
    (void)fputs("        esac\n        ;;\n    esac\n", out);
}

static void bash_options(FILE *out, unsigned command)
{
    const struct option *option = NULL;

    for (size_t at = 0; (option = next_option(&at, command)) != NULL;)
        (void)fprintf(out, " --%s", option->name);
}

static void bash_operands(FILE *out)
{
    static const char *const offers[] = {
        [OPERANDS_NONE] = ":",
        [OPERANDS_FILES] = "_crossroot_paths -f",
        [OPERANDS_FILE] = "_crossroot_paths -f",
        [OPERANDS_UNDO] = "_crossroot_transactions",
        [OPERANDS_SHELL] = "_crossroot_offer bash zsh fish",
    };

    (void)fputs("    case $command in\n", out);
    for (unsigned command = 0; command < COMMANDS; command++)
        (void)fprintf(out, "    %s) %s ;;\n", command_name(command),
                      offers[command_table[command].operands]);
    (void)fputs("    help) _crossroot_offer options licences ", out);
    put_commands(out);
    (void)fputs(" ;;\n    '') _crossroot_offer ", out);
    put_commands(out);
    (void)fputs(" ;;\n    esac\n", out);
}

static void bash(FILE *out)
{
    const struct option *option = NULL;
    const char *separator = "        ";

    (void)fputs(bash_head, out);
    for (size_t i = 0; i < option_count; i++) { /* hidden ones too: their value is no command */
        option = &option_table[i];
        if (option->value == NULL)
            continue;
        (void)fprintf(out, "%s--%s", separator, option->name);
        separator = " | ";
    }
    (void)fputs(")\n", out);
    (void)fputs(bash_middle, out);
    for (unsigned command = 0; command < COMMANDS; command++) {
        if (command_table[command].aliases == NULL)
            continue;
        (void)fputs("    ", out);
        put_words(out, command_table[command].aliases, " | ");
        (void)fprintf(out, ") command=%s ;;\n", command_name(command));
    }
    (void)fputs("    esac\n    if [[ -n $option ]]; then\n", out);
    bash_values(out);
    (void)fputs("    elif [[ $value == -* ]]; then\n        _crossroot_offer", out);
    bash_options(out, COMMANDS);
    (void)fputs("\n        case $command in\n", out);
    for (unsigned command = 0; command < COMMANDS; command++) {
        size_t at = 0;

        if (next_option(&at, command) == NULL)
            continue;
        (void)fprintf(out, "        %s) _crossroot_offer", command_name(command));
        bash_options(out, command);
        (void)fputs(" ;;\n", out);
    }
    (void)fputs("        esac\n    else\n", out);
    bash_operands(out);
    (void)fputs("    fi\n", out);
    (void)fputs(bash_end, out);
}

/* ---- zsh ---- */

static const char zsh_head[] =
    "#compdef crossroot\n"
    "# Completion of crossroot for zsh, as \"crossroot completion zsh\" prints it.\n"
    "\n"
    "_crossroot_stores() {\n"
    "    local backend=${PREFIX%%:*}\n"
    "    local -a found\n"
    "    if [[ $PREFIX == *:* ]]; then\n"
    "        found=(${(f)\"$(crossroot $given --store $backend " STORES_QUERY ")\"})\n"
    "        if (( $#found )); then\n"
    "            compadd -a found && return\n"
    "        fi\n"
    "        compset -P '*:'\n"
    "        _files\n"
    "    else\n"
    "        compadd -S '' -- ";

static const char zsh_after_stores[] =
    "\n"
    "    fi\n"
    "}\n"
    "\n"
    "_crossroot_transactions() {\n"
    "    local -a found\n"
    "    found=(${(f)\"$(crossroot $given " TRANSACTIONS_QUERY ")\"})\n"
    "    compadd -V transactions -a found\n"
    "}\n"
    "\n"
    "_crossroot_commands() {\n"
    "    local -a commands\n"
    "    commands=(\n";

/* Inside single quotes and the brackets of a specification. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fprintf(out, "%s%c", strchr("[]:\\", *text) != NULL ? "\\" : "", *text);
    }
}

static void zsh_option(FILE *out, const struct option *option)
{
    bool again = option->kind == LIST || option->kind == SCOPE || option->kind == PURPOSE;

    if (option->letter != 0)
        (void)fprintf(out, "        '(-%c --%s)'{-%c,--%s}'[", option->letter, option->name,
                      option->letter, option->name);
    else
        (void)fprintf(out, "        '%s--%s%s[", again ? "*" : "", option->name,
                      option->value != NULL ? "=" : "");
    zsh_text(out, TR(option->what));
    (void)fputc(']', out);
    if (option->value != NULL) {
        (void)fprintf(out, ":%s:", option->value);
        if (option->offer == OFFER_STORES)
            (void)fputs("_crossroot_stores", out);
        else if (option->offer == OFFER_FILES)
            (void)fputs("_files", out);
        else if (option->offer == OFFER_DIRS)
            (void)fputs("_files -/", out);
        else if (option->words != NULL)
            (void)fprintf(out, "(%s)", option->words);
        else
            (void)fputc(' ', out);
    }
    (void)fputs("'\n", out);
}

static void zsh_described(FILE *out, const char *word, size_t len, const char *text)
{
    (void)fprintf(out, "        '%.*s:", (int)len, word);
    zsh_text(out, text);
    (void)fputs("'\n", out);
}

static void zsh_commands(FILE *out)
{
    for (unsigned command = 0; command < COMMANDS; command++) {
        const char *alias = command_table[command].aliases, *name = command_name(command);
        char *same = platform_text(TR("the same as %s"), name);

        zsh_described(out, name, strlen(name), TR(command_table[command].summary));
        for (size_t len = 0; (len = next_word(&alias)) > 0; alias += len)
            zsh_described(out, alias, len, same);
        free(same);
    }
    zsh_described(out, "help", 4, TR("help for a command"));
    zsh_described(out, "version", 7, TR("the version"));
}

static void zsh(FILE *out)
{
    static const char *const offers[] = {
        [OPERANDS_NONE] = "",
        [OPERANDS_FILES] = " '*:file:_files'",
        [OPERANDS_FILE] = " ':file:_files'",
        [OPERANDS_UNDO] = " ':transaction:_crossroot_transactions'",
        [OPERANDS_SHELL] = " ':shell:(bash zsh fish)'",
    };
    const struct option *option = NULL;

    (void)fputs(zsh_head, out);
    put_words(out, stores_words(), " ");
    (void)fputs(zsh_after_stores, out);
    zsh_commands(out);
    (void)fputs("    )\n"
                "    _describe command commands\n"
                "}\n"
                "\n"
                "_crossroot() {\n"
                "    local curcontext=$curcontext state line ret=1 i\n"
                "    typeset -A opt_args\n"
                "    local -a every own given\n"
                "    for ((i = 2; i < CURRENT; i++)); do\n"
                "        case $words[i] in\n"
                "        --state|--root|--scope) given+=($words[i] ${(Q)words[i+1]}) ;;\n"
                "        --state=*|--root=*|--scope=*) given+=(${(Q)words[i]}) ;;\n"
                "        esac\n"
                "    done\n"
                "    every=(\n",
                out);
    for (size_t at = 0; (option = next_option(&at, COMMANDS)) != NULL;)
        zsh_option(out, option);
    (void)fputs(
        "    )\n"
        "    _arguments -C $every ':command:_crossroot_commands' '*::argument:->argument' && ret=0\n"
        "    [[ $state == argument ]] || return ret\n"
        "    case $words[1] in\n",
        out);
    for (unsigned command = 0; command < COMMANDS; command++) {
        (void)fputs("    ", out);
        put_names(out, command, "|");
        (void)fputs(")\n        own=(\n", out);
        for (size_t at = 0; (option = next_option(&at, command)) != NULL;)
            zsh_option(out, option);
        (void)fprintf(out, "        )\n        _arguments $every $own%s && ret=0\n        ;;\n",
                      offers[command_table[command].operands]);
    }
    (void)fputs("    help) _crossroot_commands && ret=0 ;;\n"
                "    esac\n"
                "    return ret\n"
                "}\n"
                "\n"
                "_crossroot \"$@\"\n",
                out);
}

/* ---- fish ---- */

static void fish_text(FILE *out, const char *text)
{
    (void)fputc('\'', out);
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", strchr("'\\", *text) != NULL ? "\\" : "", *text);
    (void)fputc('\'', out);
}

static void fish_option(FILE *out, const struct option *option, unsigned command)
{
    (void)fputs("complete -c crossroot", out);
    if (command != COMMANDS) {
        (void)fputs(" -n '__fish_seen_subcommand_from ", out);
        put_names(out, command, " ");
        (void)fputc('\'', out);
    }
    if (option->letter != 0)
        (void)fprintf(out, " -s %c", option->letter);
    (void)fprintf(out, " -l %s", option->name);
    if (option->value != NULL) {
        bool files = option->offer == OFFER_FILES;

        (void)fprintf(out, " %s", files ? "-r -F" : "-x");
        if (option->offer == OFFER_STORES)
            (void)fputs(" -a '(__crossroot_stores)'", out);
        else if (option->offer == OFFER_DIRS)
            (void)fputs(" -a '(__fish_complete_directories)'", out);
        else if (option->words != NULL)
            (void)fprintf(out, " -a '%s'", option->words);
    }
    (void)fputs(" -d ", out);
    fish_text(out, TR(option->what));
    (void)fputc('\n', out);
}

/* Words for a command, separated by blanks. */
static void fish_described(FILE *out, const char *words, const char *text)
{
    (void)fprintf(out, "complete -c crossroot -n __crossroot_no_command -a '%s' -d ", words);
    fish_text(out, text);
    (void)fputc('\n', out);
}

static void fish_command(FILE *out, unsigned command)
{
    static const char *const offers[] = {
        [OPERANDS_NONE] = NULL,
        [OPERANDS_FILES] = "-F",
        [OPERANDS_FILE] = "-F",
        [OPERANDS_UNDO] = "-k -a '(__crossroot_transactions)'",
        [OPERANDS_SHELL] = "-a 'bash zsh fish'",
    };
    const char *offer = offers[command_table[command].operands];
    const struct option *option = NULL;

    fish_described(out, command_name(command), TR(command_table[command].summary));
    if (command_table[command].aliases != NULL) {
        char *same = platform_text(TR("the same as %s"), command_name(command));

        fish_described(out, command_table[command].aliases, same);
        free(same);
    }
    if (offer != NULL) {
        (void)fputs("complete -c crossroot -n '__fish_seen_subcommand_from ", out);
        put_names(out, command, " ");
        (void)fprintf(out, "' %s\n", offer);
    }
    for (size_t at = 0; (option = next_option(&at, command)) != NULL;)
        fish_option(out, option, command);
}

static void fish(FILE *out)
{
    const struct option *option = NULL;

    (void)fputs(
        "# Completion of crossroot for fish, as \"crossroot completion fish\" prints it.\n"
        "\n"
        "function __crossroot_given\n"
        "    set -l words (commandline -opc)\n"
        "    for i in (seq (count $words))\n"
        "        if string match -qr '^--(state|root|scope)=' -- $words[$i]\n"
        "            echo $words[$i]\n"
        "        else if contains -- $words[$i] --state --root --scope; and set -q words[(math $i + 1)]\n"
        "            printf '%s\\n' $words[$i] $words[(math $i + 1)]\n"
        "        end\n"
        "    end\n"
        "end\n"
        "function __crossroot_stores\n"
        "    set -l word (string replace -r '^--[a-z-]*=' '' -- (commandline -ct))\n"
        "    if string match -q '*:*' -- $word\n"
        "        set -l backend (string split -m 1 : -- $word)[1]\n"
        "        crossroot (__crossroot_given) --store $backend " STORES_QUERY "\n"
        "        __fish_complete_path (string split -m 1 : -- $word)[2] | "
        "string replace -r '^' \"$backend:\"\n"
        "    else\n"
        "        printf '%s\\n' ",
        out);
    put_words(out, stores_words(), " ");
    (void)fputs("\n"
                "    end\n"
                "end\n"
                "function __crossroot_transactions\n"
                "    crossroot (__crossroot_given) " TRANSACTIONS_QUERY "\n"
                "end\n"
                "function __crossroot_no_command\n"
                "    not __fish_seen_subcommand_from ",
                out);
    put_commands(out);
    (void)fputs("\nend\n\ncomplete -c crossroot -f\n", out);
    for (size_t at = 0; (option = next_option(&at, COMMANDS)) != NULL;)
        fish_option(out, option, COMMANDS);
    for (unsigned command = 0; command < COMMANDS; command++)
        fish_command(out, command);
    fish_described(out, "help", TR("help for a command"));
    fish_described(out, "version", TR("the version"));
    (void)fputs("complete -c crossroot -n '__fish_seen_subcommand_from help' -a 'options licences ",
                out);
    put_commands(out);
    (void)fputs("'\n", out);
}

static const struct {
    const char *name;
    void (*write)(FILE *out);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

bool completion_knows(const char *shell)
{
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shell, shells[i].name) == 0)
            return true;
    }
    return false;
}

void completion_write(const char *shell, FILE *out)
{
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shell, shells[i].name) == 0)
            shells[i].write(out);
    }
}
