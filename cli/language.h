/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CLI_LANGUAGE_H
#define XR_CLI_LANGUAGE_H

#include <crossroot/crossroot.h>

/* Marks a text that is translated where it is printed; see kit/base.h. */
#define N_(text) text

/* The catalogues in the program, made from cli/po at build time; the last one has no name. */
struct language_file {
    const char *name; /* "ja" */
    struct xr_bytes mo;
};
extern const struct language_file language_files[];

/* What the environment says of the language, each NULL where it is not set: the variables of POSIX and of
 * gettext. */
struct language_wish {
    const char *language, *lc_all, *lc_messages, *lang;
    const char *system; /* the system's own word, where none of them is set */
};
/* The name of the language's catalogue, or NULL: English. */
const char *language_choose(const struct language_wish *wish);
/* Takes what the environment wishes. Without it everything is English. */
void language_begin(void);
void language_end(void);
/* The language's catalogue, or NULL; see xr_tr. */
const struct xr_catalogue *language(void);
/* A text or format of this program in that language. */
#define TR(text) xr_tr(language(), text)

#endif
