/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite.h"

#include <dlfcn.h>

const struct sqlite_library *sqlite_library(struct xr_error *err)
{
    static struct sqlite_library table;
    static bool loaded;
    static const char *const names[] = {
#define NAME(name) "sqlite3_" #name,
        XR_SQLITE_CALLS(NAME)
#undef NAME
    };
    void *library = loaded ? NULL : dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);

    if (loaded)
        return &table;
    if (library == NULL) {
        (void)xr_fail(err, XR_ABSENT,
                      "libsqlite3 is needed to read it: install libsqlite3-0 or sqlite-libs");
        return NULL;
    }
    /* All members are pointers to functions, which POSIX lets a pointer to an object carry. */
    _Static_assert(sizeof(table) == sizeof(names) / sizeof(names[0]) * sizeof(void *), "one each");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        void *at = dlsym(library, names[i]);

        if (at == NULL) {
            (void)xr_fail(err, XR_ABSENT, "libsqlite3 is too old to read it: it has no %s",
                          names[i]);
            return NULL;
        }
        memcpy((char *)&table + i * sizeof(at), &at, sizeof(at));
    }
    loaded = true;
    return &table;
}
