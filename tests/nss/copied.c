/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copied LIBS DIR: what a copy of the database in DIR has, as softoken's SQLite sees it. LIBS is "system"
 * or a directory. One line: objects, keys, proofs of keys, proofs of trust, rows of passwords.
 */
#include "nss/copy.h"
#include "nss/memory.h"
#include "nss/nss.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static __typeof__(&sqlite3_open_v2) open_it;
static __typeof__(&sqlite3_prepare_v2) prepare;
static __typeof__(&sqlite3_step) step;
static __typeof__(&sqlite3_column_int64) column;

static void *found(void *handle, const char *name)
{
    void *at = dlsym(handle, name);

    if (at == NULL)
        fprintf(stderr, "no %s\n", name);
    return at;
}

static long long count(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    if (open_it(file, &db, SQLITE_OPEN_READWRITE, NSS_MEMORY) != SQLITE_OK ||
        prepare(db, sql, -1, &statement, NULL) != SQLITE_OK || step(statement) != SQLITE_ROW)
        return -1;
    return column(statement, 0);
}

int main(int argc, char **argv)
{
    struct xr_site site = {.size = sizeof(site)};
    struct xr_error err = {0};
    struct nss_libs libs;
    struct nss_copy *copy = NULL;
    int dir = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    void *handle = NULL, *at = NULL;

    if (dir < 0 || fchdir(dir) != 0)
        return 2;
    site.nss = strcmp(argv[1], "system") != 0 ? argv[1] : NULL;
    handle = nss_libs_find(&libs, &site, &err) == XR_OK
                 ? nss_libs_load(&libs, "libsoftokn3.so", &err)
                 : NULL;
    if (handle == NULL) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    at = found(handle, "sqlite3_open_v2");
    memcpy(&open_it, &at, sizeof(at));
    at = found(handle, "sqlite3_prepare_v2");
    memcpy(&prepare, &at, sizeof(at));
    at = found(handle, "sqlite3_step");
    memcpy(&step, &at, sizeof(at));
    at = found(handle, "sqlite3_column_int64");
    memcpy(&column, &at, sizeof(at));
    if (open_it == NULL || prepare == NULL || step == NULL || column == NULL ||
        nss_copy_open(&copy, handle, dir, false, NULL) != XR_OK || copy == NULL) {
        puts("no copy");
        return 1;
    }
    printf(
        "%lld %lld %lld %lld %lld\n", count("cert9.db", "SELECT count(*) FROM nssPublic"),
        count("key4.db", "SELECT count(*) FROM nssPrivate"),
        count("key4.db", "SELECT count(*) FROM metaData WHERE id LIKE 'sig#_key#_%' ESCAPE '#'"),
        count("key4.db", "SELECT count(*) FROM metaData WHERE id LIKE 'sig#_cert#_%' ESCAPE '#'"),
        count("key4.db", "SELECT count(*) FROM metaData WHERE id = 'password'"));
    return 0;
}
