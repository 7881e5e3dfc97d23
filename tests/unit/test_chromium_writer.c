/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of Chromium's database where others are at work, or laid a trap. What every store promises is
 * in the contract, and what the browser makes of it in tests/chromium. */
#include "../../backends/chromium/writer.h"

#include "../../backends/chromium/chromium.h"
#include "pki.h"
#include "stores/state.h"
#include "stores/store.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[64], profile[80];
static int dir = -1;
static struct pki_blob root;
static struct chromium_place place;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void begin(void)
{
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Root", 1700000000);

    cr_assert_eq(pki_issue(&root, key, NULL, NULL, &spec), 0);
    pki_key_free(key);
    (void)strcpy(top, "/tmp/xr-chromium-XXXXXX");
    cr_assert_not_null(mkdtemp(top));
    (void)snprintf(profile, sizeof(profile), "%s/Default", top);
    cr_assert_eq(mkdir(profile, 0700), 0);
    dir = open(profile, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(dir >= 0);
    place = (struct chromium_place){.host = &xr_host, .dir = dir, .path = profile};
    (void)alarm(100);
}

static void end(void)
{
    (void)close(dir);
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    pki_blob_free(&root);
}

TestSuite(chromium_writer, .init = begin, .fini = end);

/* ---- what is there ---- */

static struct xr_state *wish(void)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {XR_SUBJECT_CERT, {0}},
                             .place = XR_ANCHOR,
                             .purposes = XR_SERVER,
                             .der = {root.data, root.len}};
    struct xr_state *state = NULL;

    xr_host.sha256(entry.subject.id, entry.der);
    state = xr_state_new(&entry.subject);
    xr_state_add(state, &entry);
    return state;
}

static enum xr_status put(struct xr_error *err)
{
    struct xr_state *state = wish();
    enum xr_status status = chromium_swap(&place, NULL, state, err);

    xr_state_free(state);
    return status;
}

/* SIZE_MAX: it cannot be read. */
static size_t count(void)
{
    struct chromium_view view = {0};
    size_t rows = chromium_load(&view, &xr_host, dir, profile, NULL) == XR_OK && !view.unread
                      ? view.count
                      : SIZE_MAX;

    chromium_view_free(&view);
    return rows;
}

static char *file(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", profile, name);
    return path;
}

/* ---- others ---- */

/* A process that has the database as these statements leave it, for so many milliseconds or until it is
 * killed. */
static pid_t other(const char *sql, unsigned ms)
{
    int ready[2];
    char byte = 0;
    pid_t pid = -1;

    cr_assert_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        sqlite3 *db = NULL;

        if (sqlite3_open(file(CHROMIUM_FILE), &db) != SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK || write(ready[1], "r", 1) != 1)
            _exit(1);
        (void)usleep(ms > 0 ? ms * 1000 : 60000000);
        _exit(0);
    }
    (void)close(ready[1]);
    cr_assert(pid > 0 && read(ready[0], &byte, 1) == 1);
    (void)close(ready[0]);
    return pid;
}

static void stop(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(chromium_writer, a_missing_database_is_made_for_its_user_alone)
{
    struct xr_error err = {0};
    struct stat st;
    mode_t before = umask(0777);
    enum xr_status status = put(&err);

    (void)umask(before);
    cr_assert_eq(status, XR_OK, "%s", err.text);
    cr_assert_eq(stat(file(CHROMIUM_FILE), &st), 0);
    cr_assert(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_uid == geteuid());
    cr_assert_eq(count(), 1);
    cr_assert_neq(access(file(CHROMIUM_FILE "-journal"), F_OK), 0);
}

Test(chromium_writer, whoever_holds_it_is_named_and_nothing_changes)
{
    static const char *const holds[] = {"BEGIN EXCLUSIVE", "BEGIN IMMEDIATE",
                                        "BEGIN; SELECT count(*) FROM meta"};

    cr_assert_eq(put(NULL), XR_OK);
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        struct xr_state *state = wish();
        struct xr_error err = {0};
        pid_t pid = other(holds[i], 0);
        char number[32];

        (void)snprintf(number, sizeof(number), "(process %ld)", (long)pid);
        cr_assert_eq(chromium_swap(&place, NULL, state, &err), XR_BUSY);
        cr_assert(strstr(err.text, number) != NULL, "%s", err.text);
        stop(pid);
        cr_assert_eq(count(), 1);
        xr_state_free(state);
    }
}

/* A reader that goes away soon is waited for. */
Test(chromium_writer, a_reader_of_a_moment_is_waited_for)
{
    struct xr_error err = {0};
    pid_t pid = -1;

    cr_assert_eq(put(NULL), XR_OK);
    pid = other("DELETE FROM certificates; BEGIN; SELECT count(*) FROM meta", 200);
    cr_assert_eq(put(&err), XR_OK, "%s", err.text);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(count(), 1);
}

Test(chromium_writer, an_interrupted_write_is_rolled_back)
{
    struct xr_error err = {0};
    struct chromium_view view = {0};
    pid_t pid = -1;

    cr_assert_eq(put(NULL), XR_OK);
    pid = other("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE;"
                "DELETE FROM certificates;"
                "INSERT INTO certificates WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 "
                "FROM c WHERE x < 3000) SELECT x, zeroblob(300), '' FROM c",
                0);
    stop(pid);
    cr_assert_eq(chromium_load(&view, &xr_host, dir, profile, NULL), XR_OK);
    cr_assert(view.unread && view.stale);
    chromium_view_free(&view);
    cr_assert_eq(chromium_roll_back(&place, &err), XR_OK, "%s", err.text);
    cr_assert_eq(count(), 1);
}

/* ---- traps ---- */

/* The directory was checked, and not what is called so by now. */
Test(chromium_writer, what_takes_the_place_of_the_directory_is_not_touched)
{
    char away[128], trap[128], in_trap[160];
    struct xr_error err = {0};

    (void)snprintf(away, sizeof(away), "%s/away", top);
    (void)snprintf(trap, sizeof(trap), "%s/trap", top);
    (void)snprintf(in_trap, sizeof(in_trap), "%s/" CHROMIUM_FILE, trap);
    cr_assert_eq(mkdir(trap, 0700), 0);
    cr_assert_eq(rename(profile, away), 0);
    cr_assert_eq(symlink(trap, profile), 0);
    cr_assert_eq(put(&err), XR_OK, "%s", err.text);
    cr_assert_neq(access(in_trap, F_OK), 0);
    cr_assert_eq(count(), 1);
    (void)snprintf(in_trap, sizeof(in_trap), "%s/" CHROMIUM_FILE, away);
    cr_assert_eq(access(in_trap, F_OK), 0);
    cr_assert_eq(unlink(profile), 0);
}

Test(chromium_writer, links_beside_it_are_not_followed)
{
    static const char *const names[] = {CHROMIUM_FILE, CHROMIUM_FILE "-journal",
                                        CHROMIUM_FILE "-wal", CHROMIUM_FILE "-shm"};
    char target[128];

    (void)snprintf(target, sizeof(target), "%s/elsewhere", top);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct xr_error err = {0};

        if (i > 0)
            cr_assert_eq(put(NULL), XR_OK);
        cr_assert_eq(symlink(target, file(names[i])), 0);
        cr_assert_eq(chromium_roll_back(&place, &err), XR_REFUSED);
        cr_assert(strstr(err.text, "is a link") != NULL, "%s", err.text);
        cr_assert_neq(put(&err), XR_OK);
        cr_assert_neq(access(target, F_OK), 0);
        cr_assert_eq(unlink(file(names[i])), 0);
        (void)unlink(file(CHROMIUM_FILE));
    }
}

/* A journal of SQLite's may name another file, which SQLite then looks for and deletes. */
Test(chromium_writer, a_journal_of_somebody_else_is_not_played_back)
{
    int fd = -1;
    struct xr_error err = {0};

    if (geteuid() != 0)
        cr_skip_test("not here: only root can give a file away");
    cr_assert_eq(put(NULL), XR_OK);
    fd = open(file(CHROMIUM_FILE "-journal"), O_WRONLY | O_CREAT, 0600);
    cr_assert(fd >= 0 && fchown(fd, 12345, 12345) == 0 && close(fd) == 0);
    cr_assert_eq(chromium_roll_back(&place, &err), XR_REFUSED);
    cr_assert(strstr(err.text, "belongs to another user (ID 12345)") != NULL, "%s", err.text);
}

Test(chromium_writer, what_chromium_would_not_make_is_never_written)
{
    static const char *const changes[] = {
        "UPDATE meta SET value=2 WHERE key='version'", "ALTER TABLE certificates ADD COLUMN x TEXT",
        "CREATE TRIGGER t AFTER DELETE ON certificates BEGIN DELETE FROM meta; END",
        "PRAGMA journal_mode=WAL", "DROP TABLE meta"};

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct xr_state *state = wish();
        struct xr_error err = {0};
        sqlite3 *db = NULL;

        cr_assert_eq(put(NULL), XR_OK);
        cr_assert_eq(sqlite3_open(file(CHROMIUM_FILE), &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK);
        cr_assert_eq(sqlite3_close(db), SQLITE_OK);
        cr_assert_eq(chromium_swap(&place, state, NULL, &err), XR_REFUSED, "%s: %s", changes[i],
                     err.text);
        cr_assert_eq(unlink(file(CHROMIUM_FILE)), 0);
        xr_state_free(state);
    }
}
