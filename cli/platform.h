/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between systems: the user, the terminal, signals. linux.c, windows.c, and what both
 * share in platform.c. */
#ifndef XR_CLI_PLATFORM_H
#define XR_CLI_PLATFORM_H

#include <crossroot/crossroot.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Call them first and last; in between, text for stdout and stderr is UTF-8. */
void platform_begin(int *argc, char ***argv);
void platform_end(void);

/* The language of the user's settings, such as "ja"; NULL if only the environment tells. */
const char *platform_language(void);

/* Is this word how people of this system ask for help? first: no command stands before it. */
bool platform_asks_help(const char *word, bool first);

/* Owns what it points to; NULL if the system does not say. */
struct here {
    char *home, *data_home, *config_home;
    char *state;       /* directory of the journal */
    unsigned long uid; /* 0: may do anything */
    char *user;        /* name of who asks: the invoker if there is one */
    bool invoked;      /* root runs this for another user, the invoker */
    uint32_t invoker;
    unsigned scope; /* the default */
    unsigned reach; /* where a backend's name alone looks by default; 0: there too */
};
void platform_find(struct here *out, bool image);
void platform_free(struct here *here);
/* "NAME=value" of every variable; valid until the environment changes. */
struct xr_words platform_environment(void);

/* A text, allocated. Without memory for it the process ends: a home or an option that got lost would
 * be taken for one that was not given. */
char *platform_text(const char *format, ...) XR_PRINTF(1, 2);
/* Absolute path, allocated; a path that does not exist stays as it was typed, for the message about
 * it. */
char *platform_path(const char *path);
void platform_wipe(void *memory, size_t len);

/* The first signal that ends a program is only noted; the second one ends it. */
void platform_heed_signals(void);
bool platform_stopped(void);

bool platform_terminal(FILE *file);
/* A line that somebody types on the terminal that is standard input, in UTF-8, or the beginning of a long
 * one. */
bool platform_line(char *out, size_t size);
bool platform_color(FILE *file);
bool platform_draws(void); /* can lines on stderr be overwritten? */
/* Width of the terminal that it writes to, in cells; 0: it is none. */
unsigned platform_width(FILE *file);
/* "2026-11-29 20:15 +0900": the time and zone of this machine. Empty if it has none for then. */
void platform_local_time(char *out, size_t size, int64_t at);
/* A day of this machine begins: that moment, as "2026-11-29T15:00:00Z", of the day that begins at that
 * moment in UTC. Empty if it has none. */
void platform_midnight(char *out, size_t size, int64_t day);
void platform_flush(void); /* makes what was written visible */
/* A stream for results; platform_deliver writes them to standard output at once, and closes it. False
 * if not everything could be written; errno says why, 0 if nobody knows. to_the_end: a reader that is
 * gone is an error too, and does not end the program. */
FILE *platform_collect(void);
bool platform_deliver(FILE *results, bool to_the_end);
/* Writes one line to the system's log of security events; nothing happens where there is none. False: the
 * log takes no messages now, and the line is lost. From any thread. */
bool platform_log(const char *line);
/* "Linux 6.1.0 x86_64, Debian GNU/Linux 12 (bookworm)": allocated, as the system says it. */
char *platform_system(void);
/* Under which licences the program is: its own, and those of what is linked into it. */
void platform_licences(FILE *out);
/* Is there such a file that this user may run? */
bool platform_runs(const char *path);
/* Prints how to run the same command with the missing privilege; nothing if that is well known. */
void platform_advise_privilege(void);

/* libraries.c, windows.c: calls tell for each library that backends load when they need it, with its version and
 * file, or why it is not there. None of them is loaded into this process. */
void libraries_tell(void (*tell)(void *ctx, const char *name, const char *found), void *ctx);

#endif
