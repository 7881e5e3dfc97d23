/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of a library that is loaded at run time, each by the type its header gives it:
 *
 *     #define LIST(X) X(first) X(second)
 *     struct functions { LIST(P11_FUNCTION) };
 *     static const struct p11_symbol symbols[] = {LIST(P11_SYMBOL)};
 */
#ifndef XR_PKCS11_SYMBOLS_H
#define XR_PKCS11_SYMBOLS_H

#include <stddef.h>

struct p11_symbol {
    const char *name;
    size_t at; /* in struct functions */
};
#define P11_FUNCTION(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */
#define P11_SYMBOL(name)   {#name, offsetof(struct functions, name)},

/* Fills functions from what dlopen gave. The name of the first that is missing, or NULL. */
const char *p11_resolve(void *functions, void *library, const struct p11_symbol *symbols,
                        size_t count);
/* Of an array of symbols. */
#define P11_RESOLVE(functions, library, symbols) \
    p11_resolve((functions), (library), (symbols), sizeof(symbols) / sizeof((symbols)[0]))

#endif
