/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows. Paths are UTF-8 everywhere else. Here they become absolute UTF-16 paths with "\\?\", so
 * that their length and their last characters do not matter. Descriptors are those of the C
 * library, also for directories; files below a directory are opened relative to it (NtCreateFile).
 */
#include "sys/sys.h"

#include "text.h"

#define WIN32_NO_STATUS /* ntstatus.h has them */
#include <windows.h>
#undef WIN32_NO_STATUS

#include <aclapi.h>
#include <bcrypt.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <ntstatus.h>
#include <sddl.h>
#include <stdlib.h>
#include <winternl.h>

/* ---- errors ---- */

static int errno_of(DWORD code)
{
    static const struct {
        DWORD code;
        int is;
    } known[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_INVALID_DRIVE, ENOENT},
        {ERROR_BAD_NETPATH, ENOENT},
        {ERROR_BAD_NET_NAME, ENOENT},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_PRIVILEGE_NOT_HELD, EPERM},
        {ERROR_WRITE_PROTECT, EROFS},
        {ERROR_SHARING_VIOLATION, EBUSY},
        {ERROR_LOCK_VIOLATION, EBUSY},
        {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_DIRECTORY, ENOTDIR},
        {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
        {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
        {ERROR_INVALID_NAME, EINVAL},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == code)
            return known[i].is;
    }
    return EIO;
}

/* For xr_fail_errno. A Windows error without a counterpart in the C library loses its number. */
static void keep_errno(void)
{
    errno = errno_of(GetLastError());
}

/* ---- paths ---- */

static bool begins(const wchar_t *text, const wchar_t *with)
{
    return wcsncmp(text, with, wcslen(with)) == 0;
}

static wchar_t *join(const wchar_t *before, const wchar_t *between, const wchar_t *after)
{
    size_t len = wcslen(before) + wcslen(between) + wcslen(after) + 1;
    wchar_t *out = xr_new(len, sizeof(*out));

    (void)swprintf(out, len, L"%ls%ls%ls", before, between, after);
    return out;
}

static wchar_t *long_path(const char *path)
{
    wchar_t *typed = xr_wide(path), *full = NULL, *out = NULL;
    DWORD len = GetFullPathNameW(typed, 0, NULL, NULL);

    full = xr_new(len + 1, sizeof(*full));
    if (len == 0 || GetFullPathNameW(typed, len, full, NULL) >= len)
        full[0] = L'\0';
    free(typed);
    if (begins(full, L"\\\\?\\") || begins(full, L"\\\\.\\"))
        return full;
    out =
        begins(full, L"\\\\") ? join(L"\\\\?\\UNC", L"\\", full + 2) : join(L"\\\\?\\", L"", full);
    free(full);
    return out;
}

static HANDLE handle_of(int fd)
{
    return (HANDLE)_get_osfhandle(fd); /* NOLINT(performance-no-int-to-ptr) */
}

/* ---- whose it is ---- */

/* Owners whose files are trusted: administrators and the system, and the user who runs this, unless
 * that is an administrator, whose programs also run without that right. */
struct owners {
    unsigned char user[512], maker[512]; /* TOKEN_USER, TOKEN_OWNER */
    unsigned char administrators[SECURITY_MAX_SID_SIZE], system[SECURITY_MAX_SID_SIZE];
    PSID self;
    bool elevated;
};

/* Do files that this process creates belong to all administrators? If a policy gives them to the
 * user, changes that for this process. (Wine has neither: there an administrator has no second
 * token.) */
static bool makes_for_administrators(struct owners *o, HANDLE token)
{
    TOKEN_OWNER *maker = (TOKEN_OWNER *)(void *)o->maker, all = {.Owner = o->administrators};
    BOOL member = FALSE;
    DWORD len = 0;

    if (!GetTokenInformation(token, TokenOwner, maker, sizeof(o->maker), &len))
        return false;
    return EqualSid(maker->Owner, o->administrators) ||
           (CheckTokenMembership(NULL, o->administrators, &member) && member &&
            SetTokenInformation(token, TokenOwner, &all, sizeof(all)));
}

static bool load_owners(struct owners *o)
{
    DWORD len = 0, size = sizeof(o->administrators);
    HANDLE token = NULL;
    bool good = OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_DEFAULT, &token) &&
                GetTokenInformation(token, TokenUser, o->user, sizeof(o->user), &len) &&
                CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, o->administrators, &size);

    size = sizeof(o->system);
    good = good && CreateWellKnownSid(WinLocalSystemSid, NULL, o->system, &size);
    if (good) {
        o->self = ((TOKEN_USER *)(void *)o->user)->User.Sid;
        o->elevated = makes_for_administrators(o, token);
    }
    if (token != NULL)
        (void)CloseHandle(token);
    return good;
}

static bool is_theirs(struct owners *o, PSID sid)
{
    return sid != NULL && (EqualSid(sid, o->administrators) || EqualSid(sid, o->system) ||
                           (!o->elevated && EqualSid(sid, o->self)));
}

#define CHANGES                                                                   \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES | \
     FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

/* May other users change it? Entries that files created inside will inherit count too. */
static bool open_to_others(struct owners *o, PACL list)
{
    unsigned char maker[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(maker);

    if (list == NULL || !CreateWellKnownSid(WinCreatorOwnerSid, NULL, maker, &size))
        return true;
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACE_HEADER *head = NULL;
        ACCESS_ALLOWED_ACE *ace = NULL;

        if (!GetAce(list, i, (void **)&head))
            return true;
        if (head->AceType == ACCESS_DENIED_ACE_TYPE)
            continue;
        ace = (ACCESS_ALLOWED_ACE *)head;
        if (head->AceType != ACCESS_ALLOWED_ACE_TYPE)
            return true; /* a type that files do not have, or a conditional one */
        if ((ace->Mask & CHANGES) != 0 && !is_theirs(o, &ace->SidStart) &&
            !EqualSid(&ace->SidStart, maker))
            return true;
    }
    return false;
}

static enum xr_status check_owner(HANDLE handle, const char *shown, struct xr_error *err)
{
    struct owners o = {.self = NULL};
    PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    PACL list = NULL;
    enum xr_status status = XR_OK;
    DWORD code = GetSecurityInfo(handle, SE_FILE_OBJECT,
                                 OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                 NULL, &list, NULL, &sd);

    if (code != ERROR_SUCCESS || !load_owners(&o)) {
        errno = errno_of(code != ERROR_SUCCESS ? code : GetLastError());
        status = xr_fail_errno(err, "cannot find out who owns %s", shown);
    } else if (!is_theirs(&o, owner)) {
        status = xr_fail(err, XR_REFUSED, "%s belongs to another user", shown);
    } else if (open_to_others(&o, list)) {
        status = xr_fail(err, XR_REFUSED, "other users can write to %s", shown);
    }
    if (sd != NULL)
        (void)LocalFree(sd);
    return status;
}

/* ---- opening ---- */

/* -1 with errno; the handle is the descriptor's, or closed. */
static int descriptor(HANDLE handle, int flags)
{
    int fd =
        handle != INVALID_HANDLE_VALUE ? _open_osfhandle((intptr_t)handle, flags | _O_BINARY) : -1;

    if (handle == INVALID_HANDLE_VALUE)
        keep_errno();
    else if (fd < 0)
        (void)CloseHandle(handle);
    return fd;
}

static bool attributes(FILE_ATTRIBUTE_TAG_INFO *out, HANDLE handle)
{
    return GetFileInformationByHandleEx(handle, FileAttributeTagInfo, out, sizeof(*out)) != 0;
}

static bool is_link(const FILE_ATTRIBUTE_TAG_INFO *info)
{
    return (info->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
           IsReparseTagNameSurrogate(info->ReparseTag);
}

#define AS_IT_IS FILE_OPEN_REPARSE_POINT /* a link itself */

/* Like CreateFile, but for one name below an open directory: the path above it is not resolved
 * again. */
static HANDLE open_below(int dirfd, const char *name, ACCESS_MASK access, ULONG how, ULONG options)
{
    wchar_t *text = xr_wide(name);
    UNICODE_STRING string = {.Length = (USHORT)(wcslen(text) * sizeof(*text)), .Buffer = text};
    OBJECT_ATTRIBUTES object = {.Length = sizeof(object),
                                .RootDirectory = handle_of(dirfd),
                                .ObjectName = &string,
                                .Attributes = OBJ_CASE_INSENSITIVE};
    IO_STATUS_BLOCK said = {.Information = 0};
    HANDLE handle = INVALID_HANDLE_VALUE;
    NTSTATUS status = STATUS_OBJECT_NAME_INVALID;

    string.MaximumLength = string.Length;
    if (name[0] != '\0' && strpbrk(name, "/\\:*?") == NULL && strcmp(name, ".") != 0 &&
        strcmp(name, "..") != 0)
        status =
            NtCreateFile(&handle, access | SYNCHRONIZE, &object, &said, NULL, FILE_ATTRIBUTE_NORMAL,
                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, how,
                         options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    free(text);
    if (status == STATUS_SUCCESS)
        return handle;
    SetLastError(RtlNtStatusToDosError(status));
    return INVALID_HANDLE_VALUE;
}

/* A link to a directory, which is followed only if the user named it. */
static bool leads_away(int dirfd, const char *name)
{
    HANDLE handle = open_below(dirfd, name, FILE_READ_ATTRIBUTES, FILE_OPEN, AS_IT_IS);
    FILE_ATTRIBUTE_TAG_INFO info = {0};
    bool away = handle != INVALID_HANDLE_VALUE && attributes(&info, handle) && is_link(&info) &&
                (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;

    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    return away;
}

static HANDLE open_named(const char *path)
{
    wchar_t *full = long_path(path);
    HANDLE handle =
        CreateFileW(full, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    free(full);
    if (handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_NAME)
        SetLastError(ERROR_FILE_NOT_FOUND); /* no file can have that name */
    return handle;
}

enum xr_file_kind xr_sys_open_input(int *out, int dirfd, const char *name, bool named,
                                    struct xr_error *err)
{
    enum xr_file_kind kind = XR_FILE_NONE;
    FILE_ATTRIBUTE_TAG_INFO info = {0};
    HANDLE handle = INVALID_HANDLE_VALUE;
    DWORD type = FILE_TYPE_UNKNOWN;

    *out = -1;
    if (dirfd != XR_HERE && !named && leads_away(dirfd, name))
        return XR_FILE_LINK;
    handle =
        dirfd == XR_HERE ? open_named(name) : open_below(dirfd, name, GENERIC_READ, FILE_OPEN, 0);
    type = handle != INVALID_HANDLE_VALUE ? GetFileType(handle) : FILE_TYPE_UNKNOWN;
    if (type == FILE_TYPE_DISK && attributes(&info, handle))
        kind = (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? XR_FILE_DIR : XR_FILE_DATA;
    else if (handle != INVALID_HANDLE_VALUE)
        kind = named && type == FILE_TYPE_PIPE ? XR_FILE_DATA : XR_FILE_OTHER;
    if (kind == XR_FILE_OTHER) {
        (void)CloseHandle(handle);
        return kind;
    }
    *out = descriptor(handle, _O_RDONLY);
    if (*out < 0) {
        (void)xr_fail_errno(err, "cannot read");
        kind = XR_FILE_NONE;
    }
    return kind;
}

bool xr_sys_exists(const char *path)
{
    wchar_t *full = long_path(path);
    bool there = GetFileAttributesW(full) != INVALID_FILE_ATTRIBUTES;

    free(full);
    return there;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum xr_status xr_sys_names(struct xr_strings *out, int dirfd, struct xr_error *err)
{
    const size_t size = 65536;
    unsigned char *block = xr_new(size, 1);
    FILE_INFO_BY_HANDLE_CLASS what = FileIdBothDirectoryRestartInfo;

    while (GetFileInformationByHandleEx(handle_of(dirfd), what, block, (DWORD)size)) {
        const unsigned char *at = block;

        for (;;) {
            const FILE_ID_BOTH_DIR_INFO *info = (const void *)at;
            char *name = xr_narrow(info->FileName, info->FileNameLength / sizeof(wchar_t));

            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
                xr_strings_add(out, name);
            free(name);
            if (info->NextEntryOffset == 0)
                break;
            at += info->NextEntryOffset;
        }
        what = FileIdBothDirectoryInfo;
    }
    free(block);
    if (GetLastError() != ERROR_NO_MORE_FILES) {
        keep_errno();
        return xr_fail_errno(err, "cannot read the directory");
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_bytes);
    return XR_OK;
}

enum xr_status xr_sys_canonical(char **out, const char *path, struct xr_error *err)
{
    wchar_t *full = long_path(path);
    size_t skip = begins(full, L"\\\\?\\") && !begins(full, L"\\\\?\\UNC") ? 4 : 0;

    if (full[skip] == L'\0') {
        free(full);
        return xr_fail(err, XR_INVALID, "%s is not a path", path);
    }
    *out = xr_narrow(full + skip, wcslen(full + skip));
    free(full);
    return XR_OK;
}

enum xr_status xr_sys_resolve(char **out, const char *path, struct xr_error *err)
{
    return xr_sys_canonical(out, path, err);
}

/* ---- directories and files of our own ---- */

/* The user who runs this and administrators may write; everybody may read an administrator's. */
static bool make_dir(const wchar_t *path)
{
    struct owners o = {.self = NULL};
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
    wchar_t sddl[512], *self = NULL;
    bool made = false;

    if (load_owners(&o) && ConvertSidToStringSidW(o.self, &self)) {
        (void)swprintf(sddl, sizeof(sddl) / sizeof(sddl[0]),
                       o.elevated ? L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;BU)"
                                  : L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%ls)",
                       self);
        made = ConvertStringSecurityDescriptorToSecurityDescriptorW(
                   sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL) &&
               CreateDirectoryW(path, &attributes);
        if (attributes.lpSecurityDescriptor != NULL)
            (void)LocalFree(attributes.lpSecurityDescriptor);
        (void)LocalFree(self);
    }
    return made || GetLastError() == ERROR_ALREADY_EXISTS;
}

/* Missing directories above it get inherited access rights. */
static void make_parents(wchar_t *path)
{
    for (wchar_t *at = path + wcslen(L"\\\\?\\"); (at = wcschr(at, L'\\')) != NULL; at++) {
        *at = L'\0';
        (void)CreateDirectoryW(path, NULL); /* if it is still missing, opening it fails */
        *at = L'\\';
    }
}

static enum xr_status state_dir(int *out, const char *path, bool make, struct xr_error *err)
{
    FILE_ATTRIBUTE_TAG_INFO info = {0};
    enum xr_status status = XR_OK;
    HANDLE handle = INVALID_HANDLE_VALUE;
    wchar_t *full = NULL;
    size_t len = 0;

    if (path[0] == '\0')
        return xr_fail(err, make ? XR_INVALID : XR_ABSENT, "no state directory is known");
    full = long_path(path);
    len = wcslen(full);

    while (len > 7 && full[len - 1] == L'\\') /* not of "\\?\C:\" */
        full[--len] = L'\0';
    if (make && GetFileAttributesW(full) == INVALID_FILE_ATTRIBUTES) {
        make_parents(full);
        if (!make_dir(full)) {
            keep_errno();
            free(full);
            return xr_fail_errno(err, "cannot make %s", path);
        }
    }
    handle =
        CreateFileW(full, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(full);
    if (handle == INVALID_HANDLE_VALUE) {
        keep_errno();
        return xr_fail_errno(err, "%s", path);
    }
    if (!attributes(&info, handle) || (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        is_link(&info))
        status = xr_fail(err, XR_REFUSED, "%s is not a directory", path);
    if (status == XR_OK)
        status = check_owner(handle, path, err);
    if (status != XR_OK) {
        (void)CloseHandle(handle);
        return status;
    }
    *out = descriptor(handle, _O_RDONLY);
    return *out >= 0 ? XR_OK : xr_fail_errno(err, "%s", path);
}

enum xr_status xr_sys_state_dir(int *out, const char *path, struct xr_error *err)
{
    return state_dir(out, path, true, err);
}

enum xr_status xr_sys_state_dir_open(int *out, const char *path, struct xr_error *err)
{
    return state_dir(out, path, false, err);
}

enum xr_status xr_sys_open_own(int *out, int dirfd, const char *name, bool append,
                               struct xr_error *err)
{
    HANDLE handle = open_below(dirfd, name, GENERIC_READ | (append ? GENERIC_WRITE : 0),
                               append ? FILE_OPEN_IF : FILE_OPEN, AS_IT_IS);
    FILE_ATTRIBUTE_TAG_INFO info = {0};
    enum xr_status status = XR_OK;

    if (handle == INVALID_HANDLE_VALUE) {
        keep_errno();
        return xr_fail_errno(err, "%s", name);
    }
    if (GetFileType(handle) != FILE_TYPE_DISK || !attributes(&info, handle) || is_link(&info) ||
        (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        status = xr_fail(err, XR_REFUSED, "%s is not a regular file of this user", name);
    if (status == XR_OK)
        status = check_owner(handle, name, err);
    if (status != XR_OK) {
        (void)CloseHandle(handle);
        return status;
    }
    *out = descriptor(handle, append ? _O_RDWR | _O_APPEND : _O_RDONLY);
    return *out >= 0 ? XR_OK : xr_fail_errno(err, "%s", name);
}

#define RENAME_EX       ((FILE_INFORMATION_CLASS)65) /* FileRenameInformationEx, ntifs.h */
#define REPLACE_IF_OPEN 0x3u /* …_REPLACE_IF_EXISTS | …_POSIX_SEMANTICS */
#define RENAME_TRIES    200
#define RENAME_PAUSE_MS 10

/* Renames the file in its directory and replaces any file with that name. Windows 10 1709 and newer
 * can replace a file that others read (NTFS). Elsewhere, and while a virus scanner has one open,
 * that fails for a moment. */
static bool rename_to(HANDLE handle, int dirfd, const char *name)
{
    wchar_t *text = xr_wide(name);
    size_t len = wcslen(text) * sizeof(*text), size = sizeof(FILE_RENAME_INFORMATION) + len;
    FILE_RENAME_INFORMATION *info = xr_new(size, 1);
    IO_STATUS_BLOCK said = {.Information = 0};
    const DWORD flags = REPLACE_IF_OPEN;
    NTSTATUS status = STATUS_SUCCESS;

    memcpy(info, &flags, sizeof(flags)); /* the first member is ULONG Flags in this class */
    info->RootDirectory = handle_of(dirfd);
    info->FileNameLength = (ULONG)len;
    memcpy(info->FileName, text, len);
    status = NtSetInformationFile(handle, &said, info, (ULONG)size, RENAME_EX);
    memset(info, 0, sizeof(flags));
    info->ReplaceIfExists = TRUE;
    for (int tries = 0; status != STATUS_SUCCESS && tries < RENAME_TRIES; tries++) {
        if (tries > 0)
            Sleep(RENAME_PAUSE_MS);
        status = NtSetInformationFile(handle, &said, info, (ULONG)size, FileRenameInformation);
        if (status != STATUS_ACCESS_DENIED && status != STATUS_SHARING_VIOLATION)
            break;
    }
    free(info);
    free(text);
    SetLastError(RtlNtStatusToDosError(status));
    return status == STATUS_SUCCESS;
}

enum xr_status xr_sys_write_atomic(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err)
{
    unsigned char random[8] = {0};
    char hex[2 * sizeof(random) + 1];
    char temp[sizeof(XR_TEMP_PREFIX) + sizeof(hex)];
    enum xr_status status = XR_OK;
    int fd = -1;

    (void)mode; /* it inherits who may */
    if (!xr_sys_random(random, sizeof(random)))
        return xr_fail_errno(err, "cannot write %s", name);
    xr_hex(hex, random, sizeof(random));
    (void)snprintf(temp, sizeof(temp), "%s%s", XR_TEMP_PREFIX, hex);
    fd = descriptor(open_below(dirfd, temp, GENERIC_WRITE | DELETE, FILE_CREATE, 0), _O_WRONLY);
    if (fd < 0)
        return xr_fail_errno(err, "cannot write %s", name);
    if (!xr_sys_write_all(fd, data.data, data.len) || !xr_sys_sync(fd)) {
        status = xr_fail_errno(err, "cannot write %s", name);
    } else if (!rename_to(handle_of(fd), dirfd, name)) {
        keep_errno();
        status = xr_fail_errno(err, "cannot write %s", name);
    }
    if (status != XR_OK) {
        FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};

        (void)SetFileInformationByHandle(handle_of(fd), FileDispositionInfo, &gone, sizeof(gone));
    }
    (void)_close(fd);
    return status;
}

bool xr_sys_same_file(int fd, int dirfd, const char *name)
{
    HANDLE handle = open_below(dirfd, name, FILE_READ_ATTRIBUTES, FILE_OPEN, AS_IT_IS);
    BY_HANDLE_FILE_INFORMATION open_one, named;
    bool same = handle != INVALID_HANDLE_VALUE &&
                GetFileInformationByHandle(handle_of(fd), &open_one) &&
                GetFileInformationByHandle(handle, &named) &&
                open_one.dwVolumeSerialNumber == named.dwVolumeSerialNumber &&
                open_one.nFileIndexHigh == named.nFileIndexHigh &&
                open_one.nFileIndexLow == named.nFileIndexLow;

    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    return same;
}

bool xr_sys_unlink(int dirfd, const char *name)
{
    FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};
    HANDLE handle = open_below(dirfd, name, DELETE, FILE_OPEN, AS_IT_IS | FILE_NON_DIRECTORY_FILE);
    bool good = handle != INVALID_HANDLE_VALUE &&
                SetFileInformationByHandle(handle, FileDispositionInfo, &gone, sizeof(gone));

    keep_errno();
    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    return good;
}

bool xr_sys_sync(int fd)
{
    return _commit(fd) == 0;
}

/* The file system's own journal protects directories. */
bool xr_sys_sync_dir(int dirfd)
{
    (void)dirfd;
    return true;
}

/* ---- locks ---- */

/* Far behind any content, because nobody else can read a locked byte. */
static OVERLAPPED lock_place(void)
{
    return (OVERLAPPED){.OffsetHigh = 0x40000000};
}

enum xr_status xr_sys_lock(int fd, bool exclusive, unsigned wait_ms, struct xr_error *err)
{
    const unsigned step_ms = 10;
    DWORD flags = LOCKFILE_FAIL_IMMEDIATELY | (exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0);

    for (unsigned waited = 0;; waited += step_ms) {
        OVERLAPPED at = lock_place();

        if (LockFileEx(handle_of(fd), flags, 0, 1, 0, &at))
            return XR_OK;
        if (GetLastError() != ERROR_LOCK_VIOLATION && GetLastError() != ERROR_IO_PENDING) {
            keep_errno();
            return xr_fail_errno(err, "cannot lock");
        }
        if (waited >= wait_ms)
            return xr_fail(err, XR_BUSY, "another process holds the lock");
        Sleep(step_ms);
    }
}

void xr_sys_unlock(int fd)
{
    OVERLAPPED at = lock_place();

    (void)UnlockFileEx(handle_of(fd), 0, 1, 0, &at);
}

/* ---- the rest ---- */

bool xr_sys_random(void *out, size_t len)
{
    errno = EIO;
    return BCryptGenRandom(NULL, out, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

unsigned xr_sys_processors(void)
{
    DWORD_PTR ours = 0, all = 0;
    unsigned count = 0;

    if (GetProcessAffinityMask(GetCurrentProcess(), &ours, &all)) {
        for (; ours != 0; ours &= ours - 1)
            count++;
    }
    return count > 0 ? count : 1;
}

enum xr_status xr_run_command(int *exit_code, struct xr_command *command, struct xr_error *err)
{
    (void)exit_code;
    (void)command;
    return xr_fail(err, XR_UNSUPPORTED, "Windows stores run no programs");
}
