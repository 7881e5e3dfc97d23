/* SPDX-License-Identifier: Apache-2.0 */
/* Help, each on one screen of 24 lines and 80 columns. */
#include "language.h"
#include "options.h"

static void put_option(const struct option *option, FILE *out)
{
    char left[48];

    if (option->what == NULL)
        return;
    (void)snprintf(left, sizeof(left), "%s%.*s%s--%s%s%s", option->letter ? "-" : "",
                   option->letter ? 1 : 0, &option->letter, option->letter ? ", " : "",
                   option->name, option->value ? " " : "", option->value ? option->value : "");
    (void)fprintf(out, "  %-20s  %s\n", left, TR(option->what));
}

void help_all(FILE *out)
{
    (void)fputs(TR("crossroot puts CA certificates where they belong in every trust store, checks\n"
                   "their fingerprints first, verifies the result, and can undo it.\n"
                   "\n"
                   "Usage: crossroot COMMAND [ARGUMENT]… [OPTION]…\n"
                   "\n"),
                out);
    for (unsigned command = 0; command < COMMANDS; command++) {
        const char *example = command_table[command].example;
        bool option = strncmp(example, " -", 2) == 0;
        size_t word =
            option ? 0 : strcspn(example + (example[0] == ' '), " ") + (example[0] == ' ');

        /* Without the options of the example: its own help shows it whole. */
        (void)fprintf(out, "  crossroot %s%.*s%*s  %s\n", command_name(command), (int)word, example,
                      20 - (int)strlen(command_name(command)) - (int)word, "",
                      TR(command_table[command].summary));
    }
    (void)fputs(TR("\n"
                   "More: crossroot COMMAND --help, and for the options of every command and the\n"
                   "exit codes crossroot help options.\n"),
                out);
}

void help_options(FILE *out)
{
    (void)fputs(TR("Options of every command, before or after it:\n\n"), out);
    for (size_t i = 0; i < option_count; i++) {
        if (option_table[i].verbs == EVERY_COMMAND)
            put_option(&option_table[i], out);
    }
    (void)fputs(
        TR("\n"
           "Exit: 0 as asked, 1 failed, 2 usage, 3 differences found, 4 some failed, 5 needs\n"
           "privilege, 6 a pin or a verifier said no, 7 needs confirmation, 130 interrupted.\n"),
        out);
    (void)fputs(TR("Licences: crossroot help licences\n"), out);
}

void help_command(unsigned command, FILE *out)
{
    const struct command *c = &command_table[command];
    const char *alias = c->aliases;
    size_t own = 0;

    (void)fprintf(out, TR("Usage: crossroot %s%s%s\n"), command_name(command),
                  c->usage[0] != '\0' ? " " : "", c->usage);
    for (size_t len = 0, n = 0; (len = next_word(&alias)) > 0; alias += len)
        (void)fprintf(out, n++ == 0 ? TR("The same: crossroot %.*s") : ", crossroot %.*s", (int)len,
                      alias);
    (void)fputs(c->aliases != NULL ? "\n\n" : "\n", out);
    (void)fprintf(out, TR("To %s.\n"), TR(c->summary));
    (void)fputs(TR(c->text), out);
    for (size_t i = 0; i < option_count; i++) {
        if (option_table[i].verbs == EVERY_COMMAND || command_tells(command, &option_table[i]) ||
            (option_table[i].verbs & 1u << command) == 0)
            continue;
        if (option_table[i].what != NULL && own++ == 0)
            (void)fputc('\n', out);
        put_option(&option_table[i], out);
    }
    (void)fprintf(
        out,
        TR("\nOptions of every command: crossroot help options\n\nExample:\n  crossroot %s%s\n"),
        command_name(command), c->example);
}
