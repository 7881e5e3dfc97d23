/* SPDX-License-Identifier: Apache-2.0 */
/* The version of a program, without running it: from a file of its own, from where it lies, or from the
 * package database. */
#include "readers.h"

#include "sys/tree.h"

#include <stdlib.h>

#define DATABASE_MAX ((size_t)256 << 20)

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* As much of the text as is a version: digits, dots, letters after a digit. NULL if it begins
 * otherwise. */
static char *version_in(const char *text)
{
    size_t len = strspn(text, "0123456789.");

    while (len > 0 && text[len - 1] == '.')
        len--;
    return len > 0 ? xr_format("%.*s", (int)len, text) : NULL;
}

static char *from_mark(const struct xr_readers_at *at, const struct xr_program *program,
                       const char *real, const char *library)
{
    char *file = NULL, *text = NULL, *version = NULL;

    if (program->mark == NULL)
        return NULL;
    if (strcmp(program->mark_in, ".") == 0)
        file = xr_strdup(real);
    else if (strcmp(program->mark_in, "lib") == 0)
        file = library != NULL ? xr_strdup(library) : NULL;
    else
        file = xr_format("%.*s%s", (int)(base_name(real) - real), real, program->mark_in);
    if (file != NULL)
        text = xr_readers_after(at, file, program->mark, "\"\n\r \t");
    if (text != NULL)
        version = version_in(text);
    free(text);
    free(file);
    return version;
}

/* Tools that keep several versions put them in directories with their names. */
static char *from_path(const char *real)
{
    static const char *const above[] = {"/versions/", "/versions/node/v", "/candidates/java/"};
    char *version = NULL;

    for (size_t i = 0; version == NULL && i < sizeof(above) / sizeof(above[0]); i++) {
        const char *there = strstr(real, above[i]);

        if (there != NULL)
            version = version_in(there + strlen(above[i]));
    }
    return version;
}

/* The line of a package's record that begins with key. */
static char *field_of(const char *database, const char *name_key, const char *name, const char *key,
                      const char *end)
{
    char *mark = xr_format("\n%s%s\n", name_key, name), *line = xr_format("\n%s", key);
    const char *record = strstr(database, mark), *stop = NULL, *field = NULL;
    char *value = NULL;

    if (record != NULL) {
        stop = strstr(record, end);
        field = strstr(record, line);
    }
    if (field != NULL && (stop == NULL || field < stop)) {
        field += strlen(line);
        value = xr_format("%.*s", (int)strcspn(field, "\n"), field);
    }
    free(mark);
    free(line);
    return value;
}

/* "1:2.39.5-0+deb12u3" is 2.39.5 for those who made the program. */
static char *upstream(char *version)
{
    char *colon = NULL, *made = NULL;

    if (version == NULL)
        return NULL;
    colon = strchr(version, ':');
    made = version_in(colon != NULL ? colon + 1 : version);
    free(version);
    return made;
}

static char *from_package(const struct xr_readers_at *at, const char *package)
{
    static const struct {
        const char *path, *name_key, *key, *end;
    } databases[] = {
        {"/var/lib/dpkg/status", "Package: ", "Version: ", "\n\n"},
        {"/lib/apk/db/installed", "P:", "V:", "\n\n"},
        {"/usr/lib/apk/db/installed", "P:", "V:", "\n\n"},
    };
    char *version = NULL;

    for (size_t i = 0; version == NULL && i < sizeof(databases) / sizeof(databases[0]); i++) {
        struct xr_buf text = {0};

        xr_buf_str(&text, "\n");
        if (xr_tree_read(&text, at->root, databases[i].path, DATABASE_MAX, NULL) == XR_OK)
            version = upstream(field_of(text.data, databases[i].name_key, package, databases[i].key,
                                        databases[i].end));
        xr_buf_free(&text);
    }
    return version;
}

/* Only what lies where packages put it is of a package. */
static bool is_packaged(const char *real)
{
    return strncmp(real, "/usr/local/", 11) != 0 &&
           (strncmp(real, "/usr/", 5) == 0 || strncmp(real, "/bin/", 5) == 0);
}

char *xr_readers_version(const struct xr_readers_at *at, const struct xr_program *program,
                         const char *real, const char *library)
{
    char *version = from_mark(at, program, real, library);

    if (version == NULL)
        version = from_path(real);
    for (const char *word = program->packages;
         version == NULL && is_packaged(real) && word != NULL && *word != '\0';) {
        size_t len = strcspn(word, " ");
        char *package = len == 1 && *word == '@' ? xr_strdup(base_name(real))
                                                 : xr_format("%.*s", (int)len, word);

        version = from_package(at, package);
        free(package);
        word += len;
        word += strspn(word, " ");
    }
    return version;
}

bool xr_readers_measured(const struct xr_program *program, const char *version)
{
    const char *word = program->series;

    while (version != NULL && word != NULL && *word != '\0') {
        size_t len = strcspn(word, " ");

        /* "3.1" is no beginning of 3.11. */
        if (strncmp(version, word, len) == 0 && (version[len] == '\0' || version[len] == '.'))
            return true;
        word += len;
        word += strspn(word, " ");
    }
    return false;
}
