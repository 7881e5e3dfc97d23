/* SPDX-License-Identifier: Apache-2.0 */
/* What the system says of who runs this program, and its terminal. linux.c and windows.c. */
#ifndef XR_CLI_HERE_H
#define XR_CLI_HERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* First and last; in between text goes to stdout and stderr as UTF-8. */
void platform_begin(int *argc, char ***argv);
void platform_end(void);

/* The owner of what it points to; NULL where the system does not say. */
struct here {
    char *home, *data_home, *config_home;
    char *state;       /* where the journal is kept */
    unsigned long uid; /* 0: may do anything */
    bool invoked;      /* another user's program became root: */
    uint32_t invoker;
    unsigned scope; /* if none is asked for */
};
void platform_find(struct here *out, bool image);
void platform_free(struct here *here);

/* Absolute, allocated; what does not exist is left as it was typed, for the message about it. */
char *platform_path(const char *path);
void platform_wipe(void *memory, size_t len);

void platform_heed_signals(
    void); /* the first one to end it is only noted; the second one ends it */
bool platform_stopped(void);

bool platform_terminal(FILE *file);
bool platform_color(FILE *file);
bool platform_draws(void);     /* can lines on stderr be drawn over? */
unsigned platform_width(void); /* of the terminal that stderr is, in cells; 0: unknown */
void platform_flush(void);     /* what was written can be seen */
/* How the same command is given with the privilege it lacks; nothing where everybody knows. */
void platform_advise_privilege(void);

#endif
