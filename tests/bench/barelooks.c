/* xr-barelooks DIR...: the least that reading NSS databases through SQLite can cost. Of each, certificates
 * and the record of the password are selected, read-only, and nothing is made of them. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static sqlite3_int64 select_all(const char *dir, const char *file, const char *sql)
{
    char path[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    sqlite3_int64 bytes = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(s); i++)
            bytes += sqlite3_column_bytes(s, i);
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return bytes;
}

int main(int argc, char **argv)
{
    sqlite3_int64 bytes = 0;

    for (int i = 1; i < argc; i++) {
        bytes += select_all(argv[i], "cert9.db",
                            "SELECT id, a11, a3, a102, ace534352 FROM nssPublic "
                            "WHERE a0 = x'00000001'");
        bytes += select_all(argv[i], "key4.db",
                            "SELECT item1, item2 FROM metaData WHERE id = 'password'");
    }
    (void)printf("%lld bytes\n", (long long)bytes);
    return 0;
}
