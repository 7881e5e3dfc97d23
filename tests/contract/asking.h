/* SPDX-License-Identifier: Apache-2.0 */
/* Whole requests on stores of the plugin "quirky": a directory each, with what is special about it
 * in files. Everything aborts with a message on failure. */
#ifndef CONTRACT_ASKING_H
#define CONTRACT_ASKING_H

#include "report/report.h"

#define ASKING_STORES 64u

struct asking {
    char *dir, *plugin, *state, *cert, *cross;
    const char *also; /* a second operand, or NULL */
    const char *operands[2];
    char *stores[ASKING_STORES]; /* addresses */
    size_t count;
    struct xr_request rq;
    struct xr_site site;
    struct xr_report *report;
};

/* A root certificate in a file, cert, and another CA's, cross; no store yet. */
void asking_begin(struct asking *a);
void asking_end(struct asking *a);
/* A new store, named s0, s1…; quirks are pairs of a file's name and text, closed by NULL. */
void asking_store(struct asking *a, const char *const *quirks);
void asking_quirk(struct asking *a, size_t store, const char *name, const char *text);
void asking_unquirk(struct asking *a, size_t store, const char *name);
bool asking_has(struct asking *a, size_t store, const char *name);
size_t asking_entries(struct asking *a, size_t store);
/* Runs verb on operand (or NULL) in the first count stores by name, with the rest of rq as it is;
 * the exit code. */
int asking_run(struct asking *a, enum xr_verb verb, const char *operand, size_t count);
/* What the store's log says, sessions by their turn: "1 open read, 1 list, 1 close, 2 open…". */
char *asking_log(struct asking *a, size_t store);
/* The text of the count-th message about a store ("" if there are fewer); store SIZE_MAX: any. */
const char *asking_message(struct asking *a, size_t store, size_t count);
/* Everything as JSON and as text, allocated. */
char *asking_json(struct asking *a);
char *asking_text(struct asking *a, bool verbose);

#endif
