/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only UTF-16 is shown reliably on a console, but the C library writes bytes. So a stream to a
 * console is replaced by a pipe, and a thread of ours writes the pipe's text to the console.
 */
#include "language.h"
#include "password.h"
#include "platform.h"
#include "sys/sys.h"
#include "sys/windows/text.h"

#include <crossroot/crossroot.h>

#include <windows.h>

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <lmcons.h>
#include <process.h>
#include <stdlib.h>
#include <time.h>
#include <userenv.h>

/* Libraries are loaded only from System32, never from the program's directory, where downloads may
 * lie. packaging/windows/loadconfig points the program's header here. The structure is
 * IMAGE_LOAD_CONFIG_DIRECTORY64 (PE Format, "Load Configuration Layout"), which older headers do
 * not have whole. */
__attribute__((section(".ldcfg"), used)) const struct {
    DWORD size;
    BYTE before[74];
    WORD dependent_load_flags;
    ULONGLONG after[4];
} xr_load_config = {
    .size = sizeof(xr_load_config),
    .dependent_load_flags = LOAD_LIBRARY_SEARCH_SYSTEM32,
};
_Static_assert(sizeof(xr_load_config) == 112 && sizeof(WORD) == 2, "as the loader reads it");

/* ---- text ---- */

static char *variable(const wchar_t *name)
{
    const wchar_t *value = _wgetenv(name);

    return value != NULL && value[0] != L'\0' ? xr_narrow(value, SIZE_MAX) : NULL;
}

/* ---- the console ---- */

struct stream {
    HANDLE console; /* NULL: it is none */
    HANDLE thread;
    bool draws; /* it understands escape sequences */
};
static struct stream streams[2]; /* stdout, stderr */

struct pump {
    HANDLE from, console;
};

/* The length of the text without a last, incomplete character. */
static int whole(const char *text, int len)
{
    int back = 0;

    while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xc0) == 0x80)
        back++;
    if (back < len) {
        unsigned char lead = (unsigned char)text[len - 1 - back];
        int needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

        if (needs > back + 1)
            return len - 1 - back;
    }
    return len;
}

static unsigned __stdcall pump(void *arg)
{
    struct pump p = *(struct pump *)arg;
    char text[4096];
    wchar_t units[4096];
    int have = 0;
    DWORD got = 0, put = 0;

    free(arg);
    while (ReadFile(p.from, text + have, (DWORD)((int)sizeof(text) - have), &got, NULL) &&
           got > 0) {
        int len = whole(text, have + (int)got), count = 0;

        have += (int)got;
        count = MultiByteToWideChar(CP_UTF8, 0, text, len, units, 4096);
        (void)WriteConsoleW(p.console, units, (DWORD)count, &put, NULL);
        have -= len;
        memmove(text, text + len, (size_t)have);
    }
    (void)CloseHandle(p.from);
    return 0;
}

/* Connects the stream to a new pipe. The thread of an earlier pipe reads that to its end and
 * exits. */
static void connect_pump(struct stream *stream, FILE *file)
{
    HANDLE before = stream->thread, from = NULL, to = NULL;
    struct pump *p = calloc(1, sizeof(*p));
    int fd = -1;

    (void)fflush(file);
    if (p == NULL)
        abort();
    if (CreatePipe(&from, &to, NULL, 0) && (fd = _open_osfhandle((intptr_t)to, _O_BINARY)) >= 0 &&
        _dup2(fd, _fileno(file)) == 0) {
        *p = (struct pump){from, stream->console};
        stream->thread = (HANDLE)_beginthreadex(NULL, 0, pump, p, 0, NULL);
        (void)_close(fd);
    } else {
        free(p);
    }
    if (before != NULL) {
        (void)WaitForSingleObject(before, INFINITE);
        (void)CloseHandle(before);
    }
}

static void begin_stream(struct stream *stream, FILE *file, DWORD which)
{
    HANDLE handle = GetStdHandle(which);
    DWORD mode = 0;

    (void)_setmode(_fileno(file), _O_BINARY);
    (void)setvbuf(file, NULL, _IOFBF, 4096); /* else printf writes stderr byte by byte */
    if (handle == NULL || handle == INVALID_HANDLE_VALUE || !GetConsoleMode(handle, &mode))
        return;
    stream->draws = SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
    if (DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &stream->console, 0,
                        FALSE, DUPLICATE_SAME_ACCESS))
        connect_pump(stream, file);
}

static void end_stream(struct stream *stream, FILE *file)
{
    (void)fflush(file);
    if (stream->thread == NULL)
        return;
    (void)_close(_fileno(file));
    (void)WaitForSingleObject(stream->thread, INFINITE);
    stream->thread = NULL;
}

/* ---- arguments ---- */

static bool same_letter(wchar_t a, wchar_t b)
{
    return a != L'\0' && CompareStringOrdinal(&a, 1, &b, 1, TRUE) == CSTR_EQUAL;
}

/* Compares only the long name; Windows would also compare the short one, so that "*.pem" matches
 * "a.pem_old". */
static bool matches(const wchar_t *pattern, const wchar_t *name)
{
    const wchar_t *star = NULL, *again = NULL;

    while (*name != L'\0') {
        if (*pattern == L'*') {
            star = ++pattern;
            again = name;
        } else if (*pattern == L'?' || same_letter(*pattern, *name)) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == L'*')
        pattern++;
    return *pattern == L'\0';
}

/* Expands "*" and "?", because Windows' shells leave that to programs. A pattern without a match
 * stays as it was typed; a name that begins with "-" does not become an option. */
static void expand(struct xr_strings *out, const char *word)
{
    const char *last = word + strlen(word);
    struct xr_strings names = {0};
    struct xr_error err = {0};
    size_t before = out->count;
    wchar_t *pattern = NULL;
    char *dir = NULL;
    int fd = -1;

    while (last > word && strchr("/\\:", last[-1]) == NULL)
        last--;
    if (word[0] != '-' && strpbrk(last, "*?") != NULL && !platform_asks_help(word, true)) {
        dir = last > word ? xr_format("%.*s", (int)(last - word), word) : xr_strdup(".");
        pattern = xr_wide(strcmp(last, "*.*") == 0 ? "*" : last);
    }
    if (dir != NULL && xr_sys_open_input(&fd, XR_HERE, dir, true, &err) == XR_FILE_DIR)
        (void)xr_sys_names(&names, fd, &err);
    for (size_t i = 0; i < names.count; i++) {
        wchar_t *name = xr_wide(names.items[i]);

        if (matches(pattern, name)) {
            char *path = xr_format("%.*s%s%s", (int)(last - word), word,
                                   last == word && name[0] == L'-' ? ".\\" : "", names.items[i]);

            xr_strings_add(out, path);
            free(path);
        }
        free(name);
    }
    if (out->count == before)
        xr_strings_add(out, word);
    if (fd >= 0)
        (void)_close(fd);
    xr_strings_free(&names);
    free(pattern);
    free(dir);
}

/* "?" is in no file name; a file may be called \help. */
bool platform_asks_help(const char *word, bool first)
{
    return strcmp(word, "/?") == 0 || strcmp(word, "-?") == 0 ||
           (first && _stricmp(word, "/help") == 0);
}

/* Reads the arguments as UTF-16 from the system, independent of the code page. */
static void arguments(int *argc, char ***argv)
{
    int count = 0, by_code_page = 0, mode = 0;
    wchar_t **words = NULL, **environment = NULL;
    struct xr_strings out = {0};
    extern int __cdecl __wgetmainargs(int *, wchar_t ***, wchar_t ***, int, int *);

    if (__wgetmainargs(&count, &words, &environment, by_code_page, &mode) != 0 || count < 1)
        return;
    for (int i = 0; i < count; i++) {
        char *word = xr_narrow(words[i], SIZE_MAX);

        if (i == 0)
            xr_strings_add(&out, word);
        else
            expand(&out, word);
        free(word);
    }
    *argc = (int)out.count;
    *XR_PUSH(&out) = NULL;
    *argv = out.items; /* as long as the program runs */
}

void platform_begin(int *argc, char ***argv)
{
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    arguments(argc, argv);
    (void)_setmode(_fileno(stdin), _O_BINARY);
    begin_stream(&streams[0], stdout, STD_OUTPUT_HANDLE);
    begin_stream(&streams[1], stderr, STD_ERROR_HANDLE);
}

void platform_end(void)
{
    end_stream(&streams[0], stdout);
    end_stream(&streams[1], stderr);
}

const char *platform_language(void)
{
    return PRIMARYLANGID(GetUserDefaultUILanguage()) == LANG_JAPANESE ? "ja" : NULL;
}

static const struct stream *stream_of(FILE *file)
{
    return &streams[file == stderr];
}

bool platform_terminal(FILE *file)
{
    DWORD mode = 0;

    return file == stdin ? GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode) != 0
                         : stream_of(file)->thread != NULL;
}

/* The console tells it in UTF-16, whatever its code page lacks. */
bool platform_line(char *out, size_t size)
{
    wchar_t wide[256];
    DWORD count = 0;
    char *line = NULL;

    if (!ReadConsoleW(GetStdHandle(STD_INPUT_HANDLE), wide, 256, &count, NULL) || count == 0)
        return false;
    line = xr_narrow(wide, count);
    (void)snprintf(out, size, "%s", line);
    free(line);
    return true;
}

bool platform_color(FILE *file)
{
    const wchar_t *no_color = _wgetenv(L"NO_COLOR");

    return platform_terminal(file) && stream_of(file)->draws &&
           (no_color == NULL || no_color[0] == L'\0');
}

bool platform_draws(void)
{
    return platform_terminal(stderr) && streams[1].draws;
}

/* A console may begin a new line as soon as a line is full, so the last column stays empty. */
unsigned platform_width(FILE *file)
{
    const struct stream *stream = stream_of(file);
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (stream->console == NULL)
        return 0;
    return GetConsoleScreenBufferInfo(stream->console, &info) && info.dwSize.X > 1
               ? (unsigned)info.dwSize.X - 1
               : 79;
}

void platform_local_time(char *out, size_t size, int64_t at)
{
    __time64_t when = at;
    struct tm tm;
    int zone = 0;

    out[0] = '\0';
    if (_localtime64_s(&tm, &when) != 0)
        return;
    /* %z would be the zone's name, in the language of the system. */
    zone = (int)((_mkgmtime64(&tm) - when) / 60);
    (void)snprintf(out, size, "%04d-%02d-%02d %02d:%02d %c%02d%02d", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, zone < 0 ? '-' : '+',
                   abs(zone) / 60, abs(zone) % 60);
}

void platform_midnight(char *out, size_t size, int64_t day)
{
    __time64_t when = day;
    struct tm tm;

    out[0] = '\0';
    if (_gmtime64_s(&tm, &when) != 0)
        return;
    tm.tm_isdst = -1;
    when = _mktime64(&tm);
    if (_gmtime64_s(&tm, &when) != 0)
        return;
    (void)snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* One after the other: each stream has a thread of its own. */
void platform_flush(void)
{
    (void)fflush(stdout);
    if (streams[0].thread != NULL)
        connect_pump(&streams[0], stdout);
    (void)fflush(stderr);
    if (streams[1].thread != NULL)
        connect_pump(&streams[1], stderr);
}

/* A console takes what it is given: its thread must write it before anything else is shown. */
FILE *platform_collect(void)
{
    return stdout;
}

bool platform_deliver(FILE *results, bool to_the_end)
{
    (void)to_the_end;
    errno = 0;
    return fflush(results) == 0 && ferror(results) == 0;
}

/* ---- stopping ---- */

static volatile LONG stopped;

static BOOL WINAPI on_control(DWORD what)
{
    return (what == CTRL_C_EVENT || what == CTRL_BREAK_EVENT) &&
           InterlockedExchange(&stopped, 1) == 0;
}

void platform_heed_signals(void)
{
    (void)SetConsoleCtrlHandler(on_control, TRUE);
}

bool platform_stopped(void)
{
    return stopped != 0;
}

/* ---- who ---- */

/* Is this the elevated one of an administrator's two tokens? In the other one, the group only
 * denies. */
static bool elevated(void)
{
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid);
    BOOL member = FALSE;

    return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &size) &&
           CheckTokenMembership(NULL, sid, &member) && member;
}

/* Not from the environment, which the user who asks for elevation can set. Loading shell32 takes
 * longer than the rest of a short run, so it is done only if the first way fails (Wine 8). */
static char *program_data(void)
{
    typedef HRESULT(WINAPI * known_folder_fn)(const GUID *, DWORD, HANDLE, wchar_t **);
    static const GUID program_data_id = {
        0x62ab5d82, 0xfdc1, 0x4dc3, {0xa9, 0xdd, 0x07, 0x0d, 0x1d, 0x49, 0x5d, 0x97}};
    wchar_t path[MAX_PATH], *found = NULL;
    DWORD len = MAX_PATH;
    HMODULE shell = NULL;
    known_folder_fn known_folder = NULL;

    if (GetAllUsersProfileDirectoryW(path, &len))
        return xr_narrow(path, SIZE_MAX);
    shell = LoadLibraryExW(L"shell32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (shell != NULL) {
        FARPROC symbol = GetProcAddress(shell, "SHGetKnownFolderPath");

        memcpy(&known_folder, &symbol, sizeof(symbol));
    }
    /* Not freed: only ole32 could free it, and this runs once. */
    return known_folder != NULL && known_folder(&program_data_id, 0, NULL, &found) == S_OK
               ? xr_narrow(found, SIZE_MAX)
               : NULL;
}

void platform_find(struct here *out, bool image)
{
    bool may = elevated();
    wchar_t user[UNLEN + 1];
    DWORD len = UNLEN + 1;
    char *base = may ? program_data() : variable(L"LOCALAPPDATA");

    (void)image;
    *out = (struct here){.home = variable(L"USERPROFILE"),
                         .data_home = variable(L"LOCALAPPDATA"),
                         .config_home = variable(L"APPDATA"),
                         .uid = may ? 0 : 1,
                         .scope = XR_SCOPE_SYSTEM,
                         .user = GetUserNameW(user, &len) ? xr_narrow(user, SIZE_MAX) : NULL};
    if (base != NULL)
        out->state = platform_text("%s\\crossroot", base);
    free(base);
}

char *platform_path(const char *path)
{
    return path != NULL ? platform_text("%s", path) : NULL;
}

void platform_wipe(void *memory, size_t len)
{
    SecureZeroMemory(memory, len);
}

/* The command line as it was typed, after the program's name. */
static const wchar_t *after_name(const wchar_t *line)
{
    bool quoted = false;

    for (; *line != L'\0' && (quoted || (*line != L' ' && *line != L'\t')); line++)
        quoted = quoted != (*line == L'"');
    return line;
}

void platform_advise_privilege(void)
{
    wchar_t program[32768], here[32768];
    char *name = NULL, *words = NULL, *dir = NULL;

    if (GetModuleFileNameW(NULL, program, 32768) == 0 || GetCurrentDirectoryW(32768, here) == 0)
        return;
    name = xr_narrow(program, SIZE_MAX);
    words = xr_narrow(after_name(GetCommandLineW()), SIZE_MAX);
    dir = xr_narrow(here, SIZE_MAX);
    (void)fprintf(stderr,
                  TR("Run this in a Command Prompt started with \"Run as administrator\":\n"
                     "  cd /d \"%s\"\n"
                     "  \"%s\"%s\n"),
                  dir, name, words);
    free(name);
    free(words);
    free(dir);
}

/* ---- the system ---- */

/* To the log of applications. The source has no message file, so the Event Viewer says that it knows no
 * description, and shows the line below that. */
bool platform_log(const char *line)
{
    HANDLE log = RegisterEventSourceW(NULL, L"crossroot");
    wchar_t *wide = xr_wide(line);
    const wchar_t *texts[] = {wide};

    if (log != NULL) {
        (void)ReportEventW(log, EVENTLOG_INFORMATION_TYPE, 0, 1, NULL, 1, 0, texts, NULL);
        (void)DeregisterEventSource(log);
    }
    free(wide);
    return true;
}

/* GetVersion says what the program's manifest asks for; ntdll says what it is. */
char *platform_system(void)
{
    typedef LONG(WINAPI * version_fn)(OSVERSIONINFOW *);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    FARPROC symbol = ntdll != NULL ? GetProcAddress(ntdll, "RtlGetVersion") : NULL;
    OSVERSIONINFOW info = {.dwOSVersionInfoSize = sizeof(info)};
    version_fn version = NULL;

    memcpy(&version, &symbol, sizeof(symbol));
    if (version == NULL || version(&info) != 0)
        return platform_text("Windows");
    return platform_text("Windows %lu.%lu.%lu%s", info.dwMajorVersion, info.dwMinorVersion,
                         info.dwBuildNumber,
                         GetProcAddress(ntdll, "wine_get_version") != NULL ? ", Wine" : "");
}

/* Written by packaging/windows/notices, in English as the licences are. */
void platform_licences(FILE *out)
{
    HRSRC where = FindResourceW(NULL, L"NOTICES", MAKEINTRESOURCEW(10)); /* RT_RCDATA */
    HGLOBAL notices = where != NULL ? LoadResource(NULL, where) : NULL;

    if (notices == NULL)
        abort();
    (void)fwrite(LockResource(notices), 1, SizeofResource(NULL, where), out);
}

bool platform_runs(const char *path)
{
    wchar_t *wide = xr_wide(path);
    bool there = GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;

    free(wide);
    return there;
}

/* Everything is built in. */
void libraries_tell(void (*tell)(void *ctx, const char *name, const char *found), void *ctx)
{
    (void)tell;
    (void)ctx;
}

/* ---- passwords ---- */

bool password_read(char *out, size_t size, size_t *len, int fd, char **why)
{
    char byte = 0;
    int got = 0;

    *len = 0;
    while ((got = _read(fd, &byte, 1)) == 1 && byte != '\n') {
        if (*len == size) {
            *why =
                platform_text(N_("--password-fd %d: a password has at most %zu bytes"), fd, size);
            return false;
        }
        out[(*len)++] = byte;
    }
    if (got < 0) {
        *why = platform_text("--password-fd %d: %s", fd, strerror(errno));
        return false;
    }
    if (*len > 0 && out[*len - 1] == '\r')
        (*len)--;
    return true;
}

bool password_ask(char *out, size_t size, size_t *len, const char *store, bool again,
                  bool (*is_stopped)(void))
{
    (void)out;
    (void)size;
    (void)store;
    (void)again;
    (void)is_stopped;
    *len = 0;
    return false;
}
