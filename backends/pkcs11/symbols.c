/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols.h"

#include <dlfcn.h>
#include <string.h>

const char *p11_resolve(void *functions, void *library, const struct p11_symbol *symbols,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (symbol == NULL)
            return symbols[i].name;
        /* ISO C has no conversion from an object's address to a function's. */
        memcpy((char *)functions + symbols[i].at, &symbol, sizeof(symbol));
    }
    return NULL;
}
