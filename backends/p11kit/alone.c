/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What p11-kit's trust module reads is compiled into it, with the names of its tokens, and the
 * configuration of most machines says no more than that it be loaded. So where it says just that, the
 * text is looked for in the module's file, and no helper is started to run it. Everything else is left to
 * p11-kit: another module, a setting, a user's configuration, a library in an unusual place.
 */
#include "alone.h"

#include "../sources/sources.h"
#include "sys/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY  "libp11-kit.so.0"
#define MODULE   "p11-kit-trust.so"
#define CONFIG   "p11-kit-trust.module"
#define FILE_MAX ((size_t)16 << 20)

static const char *const directories[] = {"/etc/pkcs11/modules", "/usr/share/p11-kit/modules"};

/* Only files of root's, as those that a helper would load. */
static bool read_file(struct xr_buf *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
              (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && xr_read_whole(out, fd, FILE_MAX);

    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* Surely nothing: else p11-kit may see something there, or fail. */
static bool is_missing(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* ---- configuration ---- */

static bool user_has_none(const struct xr_site *site)
{
    char *home = NULL, *config = NULL;
    bool none = false;

    if (getuid() == 0) /* p11-kit reads no user's then */
        return true;
    if (site->home == NULL)
        return false;
    home = xr_format("%s/.config/pkcs11", site->home);
    config = xr_format("%s/pkcs11", site->config_home != NULL ? site->config_home : site->home);
    none = is_missing(home) && is_missing(config);
    free(home);
    free(config);
    return none;
}

/* Does the line say something that changes nothing for us, with p11-kit's white space? */
static bool is_usual(struct xr_bytes line, bool *named, bool *trusted)
{
    static const char *const usual[] = {"priority", "x-trust-lookup"};
    static const char space[] = " \t\r\v\f";
    char *text = xr_memdup(line.data, line.len), *name = text + strspn(text, space);
    char *colon = strchr(name, ':'), *value = colon != NULL ? colon + 1 : name;
    bool good = strlen(text) == line.len && colon != NULL && name[0] != '[' && name[0] != '-';

    if (name[0] == '#' || name[0] == '\0') {
        good = strlen(text) == line.len;
        free(text);
        return good;
    }
    value += strspn(value, space);
    for (size_t len = strlen(value); len > 0 && strchr(space, value[len - 1]) != NULL; len--)
        value[len - 1] = '\0';
    if (good) {
        *colon = '\0';
        for (size_t len = strlen(name); len > 0 && strchr(space, name[len - 1]) != NULL; len--)
            name[len - 1] = '\0';
        good = (strcmp(name, "disable-in") == 0 && strcmp(value, "p11-kit-proxy") == 0) ||
               (strcmp(name, "x-init-reserved") == 0 && value[0] == '\0');
        for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
            good = good || strcmp(name, usual[i]) == 0;
        if (strcmp(name, "module") == 0)
            good = *named = strcmp(value, MODULE) == 0;
        if (strcmp(name, "trust-policy") == 0)
            good = *trusted = strcmp(value, "yes") == 0;
    }
    free(text);
    return good;
}

static bool is_usual_module(const char *path)
{
    struct xr_buf text = {0};
    bool named = false, trusted = false, good = read_file(&text, path);

    for (size_t at = 0; good && at < text.len;) {
        const char *from = text.data + at, *end = memchr(from, '\n', text.len - at);
        size_t len = end != NULL ? (size_t)(end - from) : text.len - at;

        good = is_usual((struct xr_bytes){(const unsigned char *)from, len}, &named, &trusted);
        at += len + 1;
    }
    xr_buf_free(&text);
    return good && named && trusted;
}

/* Adds the configured modules of a directory to *count; false for anything that is not the usual one. */
static bool look_through(const char *directory, size_t *count)
{
    DIR *dir = opendir(directory);
    bool good = dir != NULL || errno == ENOENT || errno == ENOTDIR;

    for (;;) {
        const struct dirent *entry = NULL;
        char *path = NULL;

        errno = 0;
        entry = dir != NULL && good ? readdir(dir) : NULL;
        if (entry == NULL) {
            good = good && (dir == NULL || errno == 0);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path = xr_format("%s/%s", directory, entry->d_name);
        good = strcmp(entry->d_name, CONFIG) == 0 && is_usual_module(path);
        free(path);
        (*count)++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return good;
}

/* ---- the library and its module ---- */

static bool in_usual_place(const char *path)
{
    static const char *const places[] = {"/lib/", "/usr/lib/", "/lib64/", "/usr/lib64/"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strncmp(path, places[i], strlen(places[i])) == 0 && strstr(path, "/../") == NULL)
            return true;
    }
    return false;
}

/* The directory of the only library that the dynamic linker's cache knows; or NULL. */
static char *library_directory(void)
{
    static const char name[] = "/" LIBRARY; /* with its final zero */
    struct xr_buf cache = {0};
    char *found = NULL;
    bool one = read_file(&cache, "/etc/ld.so.cache");

    for (size_t at = 0; one && at < cache.len;) {
        const char *hit = xr_memmem(cache.data + at, cache.len - at, name, sizeof(name));
        const char *from = hit;
        char *path = NULL;

        if (hit == NULL)
            break;
        while (from > cache.data && from[-1] != '\0')
            from--;
        path = xr_memdup(from, (size_t)(hit - from) + 1);
        one = in_usual_place(path) && (found == NULL || strcmp(found, path) == 0);
        at = (size_t)(hit - cache.data) + sizeof(name);
        free(found);
        found = path;
    }
    xr_buf_free(&cache);
    if (!one) {
        free(found);
        found = NULL;
    }
    return found;
}

/* Is it one of the module's own texts? */
static bool has_text(const struct xr_buf *module, const char *text)
{
    size_t len = strlen(text) + 2;
    char *whole = xr_new(len + 1, 1);
    bool has = false;

    memcpy(whole + 1, text, len - 2);
    has = xr_memmem(module->data, module->len, whole, len) != NULL;
    free(whole);
    return has;
}

/* The paths that a distribution builds the module with, as its option has them. */
static char *paths_of(const struct ca_layout *layout)
{
    struct xr_buf out = {0};

    for (size_t i = 0; i < CA_TOKENS_MAX && layout->tokens[i].path != NULL; i++)
        xr_buf_fmt(&out, "%s/%s", i > 0 ? ":" : "", layout->tokens[i].path);
    if (out.len == 0 && layout->published[0] != NULL)
        xr_buf_fmt(&out, "/%s", layout->published[0]);
    return out.data;
}

/* The paths that this module was built with; NULL: none that we know, or one of several. */
static char *built_in(const struct xr_buf *module)
{
    char *found = NULL;

    for (size_t i = 0; i < ca_layout_count; i++) {
        char *paths = paths_of(&ca_layouts[i]);
        bool has = paths != NULL && has_text(module, paths);

        if (has && found != NULL && strcmp(found, paths) != 0) {
            free(paths);
            free(found);
            return NULL;
        }
        if (has) {
            free(found);
            found = paths;
        } else {
            free(paths);
        }
    }
    return found;
}

/* The module calls the first path below each of these prefixes so, and others by their last name. */
static bool add_tokens(struct pt_tokens *out, const char *paths)
{
    static const struct {
        const char *prefix, *label, *uri;
    } kinds[] = {
        {"/usr/share", "Default Trust", "pkcs11:token=Default%20Trust"},
        {"/etc", "System Trust", "pkcs11:token=System%20Trust"},
    };
    bool used[sizeof(kinds) / sizeof(kinds[0])] = {false};

    for (const char *at = paths; *at != '\0';) {
        size_t len = strcspn(at, ":"), kind = 0;

        while (kind < sizeof(kinds) / sizeof(kinds[0]) &&
               (used[kind] || strncmp(at, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0))
            kind++;
        if (kind == sizeof(kinds) / sizeof(kinds[0]))
            return false;
        used[kind] = true;
        *XR_PUSH(out) = (struct pt_token){.uri = xr_strdup(kinds[kind].uri),
                                          .label = xr_strdup(kinds[kind].label),
                                          .path = xr_memdup(at, len)};
        at += len + (at[len] == ':');
    }
    return true;
}

static bool look_into(struct pt_tokens *out, const char *directory)
{
    static const char *const texts[] = {"/etc", "/usr/share", "System Trust", "Default Trust"};
    char *path = xr_format("%s/pkcs11/" MODULE, directory), *paths = NULL;
    struct xr_buf module = {0};
    bool good = read_file(&module, path);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        good = good && has_text(&module, texts[i]);
    paths = good ? built_in(&module) : NULL;
    good = paths != NULL && add_tokens(out, paths);
    free(paths);
    free(path);
    xr_buf_free(&module);
    return good;
}

bool pt_alone(struct pt_tokens *out, const struct xr_site *site)
{
    size_t modules = 0;
    char *directory = NULL;
    bool good = is_missing("/etc/pkcs11/pkcs11.conf") && user_has_none(site);

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        good = good && look_through(directories[i], &modules);
    if (!good || modules > 1) /* settings of several files for one module are merged */
        return false;
    directory = library_directory();
    good = directory != NULL && (modules == 0 || look_into(out, directory));
    free(directory);
    if (!good)
        pt_tokens_free(out);
    return good;
}
