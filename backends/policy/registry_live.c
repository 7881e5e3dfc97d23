/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of the Windows that runs this. */
#include "registry.h"

#include <stdlib.h>
#include <windows.h>

#define LOCK_MS  60000u
#define NAME_MAX 16384u /* characters of a value's name, with its zero */
#define ROOT     "SOFTWARE\\"
#define PROGRAMS "Microsoft\\Windows\\CurrentVersion\\App Paths\\"

struct live {
    struct registry registry; /* first */
    HANDLE lock;
    bool write;
};

static enum xr_status fail(struct xr_error *err, LSTATUS code, const char *what)
{
    if (code == ERROR_ACCESS_DENIED)
        return xr_error_set(err, XR_DENIED, "windows", code, "%s: access denied", what);
    return xr_error_set(err, XR_FAILED, "windows", code, "%s: Windows' error 0x%08lx", what,
                        (unsigned long)code);
}

static bool absent(LSTATUS code)
{
    return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND;
}

static wchar_t *wide(const char *text)
{
    int len = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *out = xr_new((size_t)len + 1, sizeof(*out));

    (void)MultiByteToWideChar(CP_UTF8, 0, text, -1, out, len);
    return out;
}

static char *narrow(const wchar_t *text)
{
    int len = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *out = xr_new((size_t)len + 1, 1);

    (void)WideCharToMultiByte(CP_UTF8, 0, text, -1, out, len, NULL, NULL);
    return out;
}

static wchar_t *path_of(const char *path)
{
    char *whole = xr_format(ROOT "%s", path);
    wchar_t *out = wide(whole);

    free(whole);
    return out;
}

static LSTATUS open_key(HKEY *out, const char *path, REGSAM access)
{
    wchar_t *whole = path_of(path);
    LSTATUS code = RegOpenKeyExW(HKEY_LOCAL_MACHINE, whole, 0, access | KEY_WOW64_64KEY, out);

    free(whole);
    return code;
}

/* ---- operations ---- */

/* Of a value that may grow between two calls. */
static LSTATUS take_value(struct registry_key *out, HKEY key, DWORD i, wchar_t *name)
{
    DWORD size = 1024;
    LSTATUS code = ERROR_MORE_DATA;
    BYTE *data = NULL;

    while (code == ERROR_MORE_DATA) {
        DWORD len = NAME_MAX, type = 0, got = size;

        free(data);
        data = xr_new(size, 1);
        code = RegEnumValueW(key, i, name, &len, NULL, &type, data, &got);
        if (code == ERROR_SUCCESS) {
            struct registry_value *value = XR_PUSH(out);

            value->name = narrow(name);
            value->type = type;
            xr_buf_add(&value->data, data, got);
        }
        size = got > size ? got : 2 * size;
    }
    free(data);
    return code;
}

static enum xr_status read_key(struct registry *registry, struct registry_key *out,
                               const char *path, struct xr_error *err)
{
    HKEY key = NULL;
    wchar_t *name = NULL;
    DWORD below = 0;
    LSTATUS code = open_key(&key, path, KEY_READ);

    (void)registry;
    *out = (struct registry_key){0};
    if (absent(code))
        return XR_OK;
    if (code != ERROR_SUCCESS)
        return fail(err, code, path);
    out->exists = true;
    name = xr_new(NAME_MAX, sizeof(*name));
    for (DWORD i = 0; code == ERROR_SUCCESS; i++)
        code = take_value(out, key, i, name);
    if (code == ERROR_NO_MORE_ITEMS)
        code = RegQueryInfoKeyW(key, NULL, NULL, NULL, &below, NULL, NULL, NULL, NULL, NULL, NULL,
                                NULL);
    out->below = below;
    free(name);
    (void)RegCloseKey(key);
    if (code == ERROR_SUCCESS)
        return XR_OK;
    registry_key_free(out);
    return fail(err, code, path);
}

static enum xr_status set(struct registry *registry, const char *path,
                          const struct registry_value *value, struct xr_error *err)
{
    wchar_t *whole = path_of(path), *name = wide(value->name);
    HKEY key = NULL;
    DWORD made = 0;
    LSTATUS code = RegCreateKeyExW(HKEY_LOCAL_MACHINE, whole, 0, NULL, 0,
                                   KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, &made);

    (void)registry;
    if (code == ERROR_SUCCESS) {
        code = RegSetValueExW(key, name, 0, value->type, (const BYTE *)value->data.data,
                              (DWORD)value->data.len);
        (void)RegCloseKey(key);
        if (code != ERROR_SUCCESS && made == REG_CREATED_NEW_KEY)
            (void)RegDeleteKeyExW(HKEY_LOCAL_MACHINE, whole, KEY_WOW64_64KEY, 0);
    }
    free(whole);
    free(name);
    return code == ERROR_SUCCESS ? XR_OK : fail(err, code, path);
}

static enum xr_status unset(struct registry *registry, const char *path, const char *name,
                            struct xr_error *err)
{
    wchar_t *value = wide(name);
    HKEY key = NULL;
    LSTATUS code = open_key(&key, path, KEY_SET_VALUE);

    (void)registry;
    if (code == ERROR_SUCCESS) {
        code = RegDeleteValueW(key, value);
        (void)RegCloseKey(key);
    }
    free(value);
    return code == ERROR_SUCCESS ? XR_OK : fail(err, code, path);
}

static enum xr_status remove_key(struct registry *registry, const char *path, struct xr_error *err)
{
    wchar_t *whole = path_of(path);
    LSTATUS code = RegDeleteKeyExW(HKEY_LOCAL_MACHINE, whole, KEY_WOW64_64KEY, 0);

    (void)registry;
    free(whole);
    return code == ERROR_SUCCESS || absent(code) ? XR_OK : fail(err, code, path);
}

static enum xr_status flush(struct registry *registry, struct xr_error *err)
{
    HKEY key = NULL;
    LSTATUS code = ERROR_SUCCESS;

    if (!((struct live *)(void *)registry)->write)
        return XR_OK;
    code = open_key(&key, "Policies", KEY_READ);
    if (code == ERROR_SUCCESS) {
        code = RegFlushKey(key);
        (void)RegCloseKey(key);
    }
    return code == ERROR_SUCCESS || absent(code) ? XR_OK : fail(err, code, N_("writing to disk"));
}

static bool drive(const char *path)
{
    char letter = (char)(path[0] | 0x20);

    return letter >= 'a' && letter <= 'z' && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

static bool file(struct registry *registry, struct xr_buf *out, const char *path)
{
    wchar_t *name = drive(path) ? wide(path) : NULL;
    HANDLE handle = name != NULL ? CreateFileW(name, GENERIC_READ, FILE_SHARE_READ, NULL,
                                               OPEN_EXISTING, 0, NULL)
                                 : INVALID_HANDLE_VALUE;
    LARGE_INTEGER size = {.QuadPart = 0};
    DWORD got = 0;
    bool good = handle != INVALID_HANDLE_VALUE && GetFileType(handle) == FILE_TYPE_DISK &&
                GetFileSizeEx(handle, &size) && size.QuadPart <= (LONGLONG)POLICY_FILE_MAX;

    (void)registry;
    if (good) {
        char *data = xr_new((size_t)size.QuadPart + 1, 1);

        good = ReadFile(handle, data, (DWORD)size.QuadPart, &got, NULL) != 0;
        if (good)
            xr_buf_add(out, data, got);
        free(data);
    }
    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    free(name);
    return good;
}

static void close_all(struct registry *registry)
{
    struct live *live = (struct live *)(void *)registry;

    if (live->lock != NULL) {
        (void)ReleaseMutex(live->lock);
        (void)CloseHandle(live->lock);
    }
    free(live);
}

/* ---- which one ---- */

/* A mutex that a killed process abandoned counts as taken: the journal knows what that process
 * left. */
static enum xr_status take_lock(struct live *live, const struct registry_product *product,
                                struct xr_error *err)
{
    char *text = xr_format("Global\\crossroot-policy-%s", product->name);
    wchar_t *name = wide(text);
    HANDLE lock = CreateMutexW(NULL, FALSE, name);
    DWORD got = lock != NULL ? WaitForSingleObject(lock, LOCK_MS) : WAIT_FAILED;
    enum xr_status status = XR_OK;

    if (got == WAIT_OBJECT_0 || got == WAIT_ABANDONED) {
        live->lock = lock;
    } else {
        status = got == WAIT_TIMEOUT
                     ? xr_error_set(err, XR_BUSY, "windows", 0, "another process keeps it locked")
                     : fail(err, (LSTATUS)GetLastError(), N_("the lock"));
        if (lock != NULL)
            (void)CloseHandle(lock);
    }
    free(text);
    free(name);
    return status;
}

bool registry_meant(const struct xr_target *target)
{
    return target->site->root == NULL;
}

enum xr_status registry_open(struct registry **out, const struct registry_product **product,
                             struct xr_caps *caps, const struct xr_host *host,
                             const struct xr_target *target, enum xr_mode mode,
                             struct xr_error *err)
{
    const struct registry_product *p = registry_products;
    struct live *live = NULL;
    enum xr_status status = XR_OK;

    (void)host;
    while (p->name != NULL && strcmp(p->name, target->location) != 0)
        p++;
    if (p->name == NULL || target->site->root != NULL)
        return xr_fail(err, XR_UNSUPPORTED, "%s",
                       target->site->root != NULL
                           ? N_("crossroot changes images only when it runs on Linux")
                           : N_("the stores are policy:chromium, chrome, edge, brave and firefox"));
    live = xr_new(1, sizeof(*live));
    live->registry = (struct registry){.read = read_key,
                                       .set = set,
                                       .unset = unset,
                                       .remove = remove_key,
                                       .flush = flush,
                                       .file = file,
                                       .close = close_all};
    *product = p;
    (void)snprintf(caps->identity, sizeof(caps->identity), "policy:%s", p->name);
    caps->writable = target->site->uid == 0;
    if (!caps->writable) {
        caps->needs_privilege = true;
        (void)snprintf(caps->why_not, sizeof(caps->why_not),
                       N_("only an administrator, in an elevated prompt, may change it"));
    }
    live->write = mode == XR_WRITE && caps->writable && p->family == POLICY_CHROMIUM;
    if (live->write)
        status = take_lock(live, p, err);
    if (status != XR_OK) {
        close_all(&live->registry);
        return status;
    }
    *out = &live->registry;
    return XR_OK;
}

static bool key_exists(const char *path)
{
    HKEY key = NULL;
    bool exists = open_key(&key, path, KEY_READ) == ERROR_SUCCESS;

    if (exists)
        (void)RegCloseKey(key);
    return exists;
}

/* A product that has a key of policies, or that is installed for all users. */
enum xr_status registry_discover(const struct xr_site *site,
                                 bool (*emit)(void *ctx, const struct registry_product *product),
                                 void *ctx, struct xr_error *err)
{
    bool more = site->root == NULL;

    (void)err;
    for (const struct registry_product *p = registry_products; more && p->name != NULL; p++) {
        char *program = p->program != NULL ? xr_format(PROGRAMS "%s", p->program) : NULL;

        if (key_exists(p->path) || (program != NULL && key_exists(program)))
            more = emit(ctx, p);
        free(program);
    }
    return XR_OK;
}
