/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softoken opens its databases by name and only by name. Under this layer those names are files in memory:
 * nobody else sees them, a killed process leaves none, and syncing them costs nothing. Locks are as SQLite
 * describes them, for connections of this one process.
 */
#include "memory.h"

#if __has_include(<sqlite3.h>)
#include <stdlib.h>

#define LARGEST ((size_t)1 << 30)

struct handle;
/* What a name stands for; its locks are between its handles. */
struct content {
    const char *name;
    bool there;
    unsigned char *data;
    size_t len, capacity;
    unsigned shared;
    const struct handle *reserved, *pending; /* who has them */
};
struct handle {
    sqlite3_file base;
    struct content *at;
    int lock;
    bool own; /* a file without a name: at is this handle's alone */
};

static struct content contents[] = {
    {.name = "cert9.db"},
    {.name = "key4.db"},
    {.name = "cert9.db-journal"},
    {.name = "key4.db-journal"},
};
static sqlite3_vfs *below;

static struct content *content_of(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : path;

    for (size_t i = 0; name != NULL && i < sizeof(contents) / sizeof(contents[0]); i++) {
        if (strcmp(contents[i].name, name) == 0)
            return &contents[i];
    }
    return NULL;
}

static void empty(struct content *at)
{
    free(at->data);
    *at = (struct content){.name = at->name};
}

/* ---- a file ---- */

static int close_it(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;

    if (h->own) {
        empty(h->at);
        free(h->at);
    }
    h->at = NULL;
    return SQLITE_OK;
}

static int read_it(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    const struct content *c = ((struct handle *)file)->at;
    size_t start = (size_t)at < c->len ? (size_t)at : c->len;
    size_t there = c->len - start < (size_t)len ? c->len - start : (size_t)len;

    if (there > 0)
        memcpy(out, c->data + start, there);
    if (there == (size_t)len)
        return SQLITE_OK;
    memset((char *)out + there, 0, (size_t)len - there);
    return SQLITE_IOERR_SHORT_READ;
}

static int write_it(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct content *c = ((struct handle *)file)->at;
    size_t start = (size_t)at, end = start + (size_t)len;

    if (at < 0 || end > LARGEST)
        return SQLITE_FULL;
    while (c->capacity < end) {
        size_t capacity = c->capacity > 0 ? 2 * c->capacity : (size_t)1 << 16;
        unsigned char *grown = realloc(c->data, capacity);

        if (grown == NULL)
            return SQLITE_FULL;
        c->data = grown;
        c->capacity = capacity;
    }
    if (start > c->len)
        memset(c->data + c->len, 0, start - c->len);
    memcpy(c->data + start, data, (size_t)len);
    if (end > c->len)
        c->len = end;
    return SQLITE_OK;
}

static int truncate_it(sqlite3_file *file, sqlite3_int64 size)
{
    struct content *c = ((struct handle *)file)->at;

    if ((size_t)size < c->len)
        c->len = (size_t)size;
    return SQLITE_OK;
}

static int sync_it(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int size_of(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)((struct handle *)file)->at->len;
    return SQLITE_OK;
}

static int lock_it(sqlite3_file *file, int want)
{
    struct handle *h = (struct handle *)file;
    struct content *c = h->at;

    if (want <= h->lock)
        return SQLITE_OK;
    if (want == SQLITE_LOCK_SHARED) {
        if (c->pending != NULL)
            return SQLITE_BUSY;
        c->shared++;
    } else if (c->reserved != NULL && c->reserved != h) {
        return SQLITE_BUSY;
    } else {
        c->reserved = h;
    }
    if (want == SQLITE_LOCK_EXCLUSIVE) {
        c->pending = h;
        if (c->shared > 1) {
            h->lock = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
    }
    h->lock = want;
    return SQLITE_OK;
}

static int unlock_it(sqlite3_file *file, int to)
{
    struct handle *h = (struct handle *)file;
    struct content *c = h->at;

    if (to >= h->lock)
        return SQLITE_OK;
    if (c->reserved == h)
        c->reserved = NULL;
    if (c->pending == h)
        c->pending = NULL;
    if (to == SQLITE_LOCK_NONE)
        c->shared--;
    h->lock = to;
    return SQLITE_OK;
}

static int is_reserved(sqlite3_file *file, int *yes)
{
    *yes = ((struct handle *)file)->at->reserved != NULL;
    return SQLITE_OK;
}

static int control(sqlite3_file *file, int what, void *arg)
{
    (void)file;
    (void)what;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* no shared memory, so no WAL */
    .xClose = close_it,
    .xRead = read_it,
    .xWrite = write_it,
    .xTruncate = truncate_it,
    .xSync = sync_it,
    .xFileSize = size_of,
    .xLock = lock_it,
    .xUnlock = unlock_it,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control,
    .xSectorSize = sector,
    .xDeviceCharacteristics = traits,
};

/* ---- the layer ---- */

static int open_it(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct handle *h = (struct handle *)file;
    struct content *c = content_of(name);

    (void)vfs;
    if (c == NULL && name != NULL)
        return below->xOpen(below, name, file, flags, out);
    *h = (struct handle){.own = c == NULL};
    if (h->own)
        c = calloc(1, sizeof(*c));
    if (c == NULL)
        return SQLITE_NOMEM;
    if (!h->own && !c->there && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
    c->there = true;
    h->at = c;
    h->base.pMethods = &methods;
    if (out != NULL)
        *out = flags;
    return SQLITE_OK;
}

static int delete_it(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct content *c = content_of(name);

    (void)vfs;
    if (c == NULL)
        return below->xDelete(below, name, sync);
    c->there = false;
    c->len = 0;
    return SQLITE_OK;
}

static int access_it(sqlite3_vfs *vfs, const char *name, int flags, int *yes)
{
    const struct content *c = content_of(name);
    size_t len = name != NULL ? strlen(name) : 0;

    (void)vfs;
    *yes = 0;
    if (len > 4 && strcmp(name + len - 4, "-wal") == 0)
        return SQLITE_OK; /* there is none of a copy */
    if (c == NULL)
        return below->xAccess(below, name, flags, yes);
    *yes = c->there;
    return SQLITE_OK;
}

static int keep_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

sqlite3_vfs *nss_memory(sqlite3_vfs *usual)
{
    static sqlite3_vfs own;

    if (own.zName != NULL)
        return &own;
    below = usual;
    own = *usual;
    own.pNext = NULL;
    own.zName = NSS_MEMORY;
    if ((size_t)own.szOsFile < sizeof(struct handle))
        own.szOsFile = (int)sizeof(struct handle);
    own.xOpen = open_it;
    own.xDelete = delete_it;
    own.xAccess = access_it;
    own.xFullPathname = keep_path;
    return &own;
}

void nss_memory_put(const char *name, unsigned char *data, size_t len)
{
    struct content *at = content_of(name);

    free(at->data);
    at->there = true;
    at->data = data;
    at->len = at->capacity = len;
}

const unsigned char *nss_memory_at(const char *name, size_t offset, size_t len)
{
    const struct content *at = content_of(name);

    return at->there && at->len >= offset && at->len - offset >= len ? at->data + offset : NULL;
}

void nss_memory_clear(void)
{
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
        empty(&contents[i]);
}
#endif
