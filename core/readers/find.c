/* SPDX-License-Identifier: Apache-2.0 */
/* Which programs of the table this machine, or an image, has: by the names of their files in the
 * directories of PATH, in those of the system, and in those of tools that keep several versions. */
#include "readers.h"

#include "sys/tree.h"

#include <stdlib.h>

#define DIRS_MAX  256u
#define FOUND_MAX 1024u

/* "*" is one component, "~" the home. */
static const char *const usual[] = {
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/go/bin",
    "/snap/bin",
    "/usr/lib/jvm/*/bin",
    "/opt/*/bin",
    "~/.local/bin",
    "~/.cargo/bin",
    "~/.rustup/toolchains/*/bin",
    "~/.pyenv/versions/*/bin",
    "~/.nvm/versions/node/*/bin",
    "~/.sdkman/candidates/java/*/bin",
};

static void add_dir(struct xr_strings *out, const char *dir)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i], dir) == 0)
            return;
    }
    if (out->count < DIRS_MAX)
        xr_strings_add(out, dir);
}

static void add_usual(struct xr_strings *out, const struct xr_readers_at *at, const char *pattern)
{
    const char *star = NULL;
    char *whole = NULL;

    if (pattern[0] == '~' && at->home == NULL)
        return;
    whole = pattern[0] == '~' ? xr_format("%s%s", at->home, pattern + 1) : xr_strdup(pattern);
    star = strstr(whole, "/*/");
    if (star == NULL) {
        add_dir(out, whole);
    } else {
        char *above = xr_format("%.*s", (int)(star - whole), whole);
        struct xr_strings names = {0};

        (void)xr_tree_names(&names, at->root, above, NULL);
        for (size_t i = 0; i < names.count; i++) {
            char *dir = xr_format("%s/%s%s", above, names.items[i], star + 2);

            add_dir(out, dir);
            free(dir);
        }
        xr_strings_free(&names);
        free(above);
    }
    free(whole);
}

static void directories(struct xr_strings *out, const struct xr_readers_at *at)
{
    const char *path = xr_readers_variable(at, "PATH");

    for (const char *dir = path; dir != NULL && *dir != '\0'; dir += *dir == ':') {
        size_t len = strcspn(dir, ":");
        char *whole = xr_format("%.*s", (int)len, dir);

        if (whole[0] == '/')
            add_dir(out, whole);
        free(whole);
        dir += len;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        add_usual(out, at, usual[i]);
}

/* "python3.@" takes python3.11, not python3.11-config. */
static bool fits(const char *pattern, size_t len, const char *name)
{
    size_t fixed = len;

    if (len > 0 && pattern[len - 1] == '@') {
        fixed--;
        return strncmp(name, pattern, fixed) == 0 && name[fixed] != '\0' &&
               strspn(name + fixed, "0123456789.") == strlen(name + fixed);
    }
    return strlen(name) == len && strncmp(name, pattern, len) == 0;
}

static bool is_named(const struct xr_program *program, const char *name)
{
    for (const char *word = program->files; *word != '\0'; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");

        if (fits(word, len, name))
            return true;
        word += len;
    }
    return false;
}

static bool is_elf(const struct xr_tree_file *file)
{
    return file->head.len >= 4 && memcmp(file->head.data, "\177ELF", 4) == 0;
}

struct finding {
    struct xr_readers *out;
    const struct xr_readers_at *at;
    struct xr_strings seen; /* "NAME IDENTITY" */
};

static bool is_new(struct finding *f, const char *name, const char *identity)
{
    char *key = xr_format("%s %s", name, identity);
    bool fresh = true;

    for (size_t i = 0; fresh && i < f->seen.count; i++)
        fresh = strcmp(f->seen.items[i], key) != 0;
    if (fresh)
        xr_strings_add(&f->seen, key);
    free(key);
    return fresh;
}

/* Of several rows of one program the one that its version was measured for. */
static const struct xr_program *row_for(const struct xr_program *program, const char *version)
{
    const struct xr_program *row = program;

    for (; row < xr_programs + xr_program_count && strcmp(row->name, program->name) == 0; row++) {
        if (xr_readers_measured(row, version))
            return row;
    }
    return program;
}

static struct xr_reader_row *add(struct finding *f, const struct xr_program *program,
                                 const char *real)
{
    struct xr_reader_row *reader = XR_PUSH(f->out);

    reader->path = xr_strdup(real);
    reader->version = xr_readers_version(f->at, program, real, NULL);
    reader->program = row_for(program, reader->version);
    reader->name = xr_strdup(program->name);
    return reader;
}

/* Packages of a Python, which decide for themselves what they trust. */
static void add_packages(struct finding *f, const char *python)
{
    const char *slash = strrchr(python, '/');
    int dir = slash != NULL ? (int)(slash - python) : 0;
    char *places[3] = {xr_format("%.*s/../lib/%s/site-packages", dir, python, slash + 1),
                       xr_format("%.*s/../lib/python3/dist-packages", dir, python),
                       xr_format("/usr/local/lib/%s/dist-packages", slash + 1)};

    for (size_t i = 0; i < xr_program_count; i++) {
        const struct xr_program *program = &xr_programs[i];

        for (size_t k = 0; program->habit == XR_HABIT_CERTIFI && k < 3; k++) {
            char *path = xr_format("%s/%s", places[k], program->files);
            struct xr_tree_file file = {0};

            /* /usr/local is the system's Python's alone. */
            if ((k < 2 || strncmp(python, "/usr/bin/", 9) == 0) &&
                xr_tree_file(&file, f->at->root, path, NULL) == XR_OK &&
                is_new(f, program->name, file.identity))
                xr_readers_reads(add(f, program, file.real), f->at);
            xr_tree_file_free(&file);
            free(path);
        }
    }
    for (size_t k = 0; k < 3; k++)
        free(places[k]);
}

static void try_file(struct finding *f, const struct xr_program *program, const char *dir,
                     const char *name)
{
    char *path = xr_format("%s/%s", dir, name);
    struct xr_tree_file file = {0};
    struct xr_error err = {0};
    enum xr_status status = xr_tree_file(&file, f->at->root, path, &err);
    const char *base = NULL;
    struct xr_reader_row *reader = NULL;

    if (status == XR_REFUSED && is_new(f, program->name, path)) {
        reader = add(f, program, path);
        reader->cannot = xr_strdup(err.text);
    }
    if (status != XR_OK || !file.executable)
        goto out;
    base = strrchr(file.real, '/');
    /* What starts one of several (rustup, pyenv) is none of them; those are found where they lie. */
    if (base != NULL && strcmp(base + 1, "rustup") == 0)
        goto out;
    if (!is_new(f, program->name, file.identity))
        goto out;
    if (program->engine != XR_ENGINE_BROWSER && !is_elf(&file)) {
        /* The same script under another name, as pyenv's python3 and python3.11. */
        if (!is_new(f, program->name, dir))
            goto out;
        reader = add(f, program, file.real);
        reader->cannot =
            xr_strdup(N_("it is a script that starts another program, which was not asked"));
        goto out;
    }
    reader = add(f, program, file.real);
    xr_readers_reads(reader, f->at);
    if (strcmp(program->name, "Python") == 0)
        add_packages(f, file.real);
out:
    xr_tree_file_free(&file);
    free(path);
}

static bool first_of_name(size_t program)
{
    return program == 0 || strcmp(xr_programs[program].name, xr_programs[program - 1].name) != 0;
}

void xr_readers_find(struct xr_readers *out, const struct xr_readers_at *at)
{
    struct finding f = {.out = out, .at = at};
    struct xr_strings dirs = {0};

    directories(&dirs, at);
    for (size_t i = 0; i < xr_program_count; i++) {
        const struct xr_program *program = &xr_programs[i];

        if (!first_of_name(i) || program->habit == XR_HABIT_CERTIFI)
            continue;
        for (size_t d = 0; d < dirs.count; d++) {
            struct xr_strings names = {0};

            /* A name without digits is tried as it is: the directory may have thousands. */
            if (strchr(program->files, '@') == NULL) {
                for (const char *word = program->files; *word != '\0'; word += strspn(word, " ")) {
                    char *name = xr_format("%.*s", (int)strcspn(word, " "), word);

                    word += strcspn(word, " ");
                    xr_strings_add(&names, name);
                    free(name);
                }
            } else {
                (void)xr_tree_names(&names, at->root, dirs.items[d], NULL);
            }
            for (size_t n = 0; n < names.count && out->count < FOUND_MAX; n++) {
                if (is_named(program, names.items[n]))
                    try_file(&f, program, dirs.items[d], names.items[n]);
            }
            xr_strings_free(&names);
        }
    }
    xr_strings_free(&f.seen);
    xr_strings_free(&dirs);
}

void xr_readers_free(struct xr_readers *readers)
{
    for (size_t i = 0; i < readers->count; i++) {
        struct xr_reader_row *reader = &readers->items[i];

        for (size_t k = 0; k < reader->reads.count; k++) {
            free(reader->reads.items[k].path);
            free(reader->reads.items[k].store);
            free(reader->reads.items[k].by);
        }
        free(reader->reads.items);
        free(reader->name);
        free(reader->path);
        free(reader->version);
        free(reader->user);
        free(reader->cannot);
        free(reader->engine);
        free(reader->decides);
        free(reader->why);
    }
    free(readers->items);
    *readers = (struct xr_readers){0};
}
