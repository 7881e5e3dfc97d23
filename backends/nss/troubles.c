/* SPDX-License-Identifier: Apache-2.0 */
#include "troubles.h"

#include "kit/base.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIAL ((size_t)64 << 10) /* as much as a change of a few certificates writes */

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>

enum call { OPEN, WRITE, SYNC, REMOVE };

/* Of the last call that failed. SQLite, like softoken, is one for the whole process and takes no context
 * in these calls. */
static struct {
    int code;
    enum call call;
    char name[64];
} last;

static void note(int code, enum call call, const char *path)
{
    const char *slash = strrchr(path, '/');

    last.code = code;
    last.call = call;
    (void)snprintf(last.name, sizeof(last.name), "%.63s", slash != NULL ? slash + 1 : path);
}

/* SQLite does not log why a write failed. A descriptor that is none follows from what failed before. */
static void note_write(int fd)
{
    char link[64], path[PATH_MAX];
    int code = errno;
    ssize_t len = 0;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    note(code, WRITE, len > 0 ? path : N_("the database"));
    errno = code;
}

static ssize_t watched_write(int fd, const void *data, size_t len)
{
    ssize_t put = write(fd, data, len);

    if (put < 0 && errno != EINTR && errno != EBADF)
        note_write(fd);
    return put;
}

static ssize_t watched_pwrite(int fd, const void *data, size_t len, off_t at)
{
    ssize_t put = pwrite(fd, data, len, at);

    if (put < 0 && errno != EINTR && errno != EBADF)
        note_write(fd);
    return put;
}

/* SQLite goes on with a database that it may only read. */
static int watched_open(const char *path, int flags, int mode)
{
    int fd = open(path, flags, mode);

    if (fd < 0 && (flags & (O_WRONLY | O_RDWR)) != 0 && errno != EINTR) {
        int code = errno;

        note(code, OPEN, path);
        errno = code;
    }
    return fd;
}

/* What its layer for Unix logs: "os_unix.c:LINE: (ERRNO) CALL(PATH) - WORDS". */
static void on_log(void *ctx, int kind, const char *text)
{
    static const struct {
        const char *name;
        enum call call;
    } calls[] = {{"unlink", REMOVE}, {"ftruncate", WRITE}, {"full_fsync", SYNC}};
    const char *head = strstr(text, ": ("), *call = NULL, *end = NULL;
    char *after = NULL;
    long code = 0;

    (void)ctx;
    (void)kind;
    if (strncmp(text, "os_unix.c:", 10) != 0 || head == NULL)
        return;
    code = strtol(head + 3, &after, 10);
    call = strncmp(after, ") ", 2) == 0 ? after + 2 : NULL;
    end = call != NULL ? strstr(call, ") - ") : NULL;
    for (size_t i = 0; end != NULL && code > 0 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        size_t len = strlen(calls[i].name);

        if (strncmp(call, calls[i].name, len) == 0 && call[len] == '(') {
            char *path = xr_memdup(call + len + 1, (size_t)(end - call) - len - 1);

            note((int)code, calls[i].call, path);
            free(path);
        }
    }
}

/* Both are of SQLite's public interface; setting system calls is meant for tests, and is what tells. */
void nss_troubles_watch(void *handle)
{
    void *symbols[] = {dlsym(handle, "sqlite3_config"), dlsym(handle, "sqlite3_vfs_find")};
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls[] = {
        {"open", (sqlite3_syscall_ptr)watched_open},
        {"write", (sqlite3_syscall_ptr)watched_write},
        {"pwrite", (sqlite3_syscall_ptr)watched_pwrite},
        {"pwrite64", (sqlite3_syscall_ptr)watched_pwrite}, /* off_t has 64 bits everywhere here */
    };
    __typeof__(&sqlite3_config) config = NULL;
    __typeof__(&sqlite3_vfs_find) find = NULL;
    sqlite3_vfs *vfs = NULL;

    last.code = 0;
    if (symbols[0] == NULL || symbols[1] == NULL)
        return;
    memcpy(&config, &symbols[0], sizeof(config));
    memcpy(&find, &symbols[1], sizeof(find));
    (void)config(SQLITE_CONFIG_LOG, on_log, NULL); /* refused once SQLite has started */
    vfs = find("unix");
    if (vfs == NULL || vfs->iVersion < 3)
        return;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (vfs->xGetSystemCall(vfs, calls[i].name) != NULL)
            (void)vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
    }
}

bool nss_troubles_noted(void)
{
    return last.code != 0;
}

static bool tell_noted(struct xr_error *err)
{
    if (last.code == 0)
        return false;
    (void)xr_error_set(err, err->status, "errno", last.code,
                       last.call == OPEN    ? N_("cannot open %s: %s")
                       : last.call == WRITE ? N_("cannot write %s: %s")
                       : last.call == SYNC  ? N_("cannot sync %s: %s")
                                            : N_("cannot remove %s: %s"),
                       last.name, strerror(last.code));
    last.code = 0;
    return true;
}

#else
void nss_troubles_watch(void *handle)
{
    (void)handle;
}

bool nss_troubles_noted(void)
{
    return false;
}

static bool tell_noted(struct xr_error *err)
{
    (void)err;
    return false;
}
#endif

/* Behind the end of the database, for a limit of a file's size, in a file without a name. */
static int try_to_write(int dir)
{
    char *data = xr_new(TRIAL, 1);
    struct stat st = {.st_size = 0};
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), code = 0;

    (void)fstatat(dir, "cert9.db", &st, AT_SYMLINK_NOFOLLOW);
    if (fd < 0)
        code =
            errno == EOPNOTSUPP || errno == EISDIR ? 0 : errno; /* not every file system has them */
    else if (pwrite(fd, data, TRIAL, st.st_size) != (ssize_t)TRIAL)
        code = errno != 0 ? errno : ENOSPC;
    else if (fsync(fd) != 0)
        code = errno;
    if (fd >= 0)
        (void)close(fd);
    free(data);
    return code;
}

void nss_troubles_tell(struct xr_error *err, int dir)
{
    int code = 0;

    if (err == NULL || (strcmp(err->domain, "pkcs11") != 0 && strcmp(err->domain, "sqlite") != 0) ||
        tell_noted(err))
        return;
    errno = 0;
    code = dir >= 0 ? try_to_write(dir) : 0;
    if (code != 0) {
        char *text =
            xr_format(N_("%s; a trial write beside it fails: %s"), err->text, strerror(code));

        (void)snprintf(err->text, sizeof(err->text), "%s", text);
        free(text);
    }
}
