/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a load, and how they are found by their paths. */
#include "sources.h"

#include <search.h>
#include <stdlib.h>

void ca_file_free(struct ca_file *file)
{
    for (size_t i = 0; i < file->held.count; i++)
        free((void *)(uintptr_t)file->held.items[i].der.data);
    free(file->held.items);
    free(file->path);
    free(file->target);
    xr_buf_free(&file->content);
    free(file);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct ca_file *)a)->path, ((const struct ca_file *)b)->path);
}

static int at_path(const void *path, const void *file)
{
    return strcmp(path, (*(struct ca_file *const *)file)->path);
}

static void leave(void *file)
{
    (void)file; /* the list owns it */
}

struct ca_file *ca_keep_file(struct xr_session *s, struct ca_file *file)
{
    size_t last = s->files.count;

    file->number = last;
    *XR_PUSH(&s->files) = file;
    if (s->by_path.ascending == last &&
        (last == 0 || strcmp(s->files.items[last - 1]->path, file->path) < 0))
        s->by_path.ascending++;
    else if (tsearch(file, &s->by_path.others, by_path) == NULL)
        abort();
    return file;
}

struct ca_file *ca_find_by_path(const struct ca_paths *paths, struct ca_file *const *files,
                                const char *path)
{
    const struct ca_file key = {.path = (char *)(uintptr_t)path};
    size_t count = paths->ascending;
    struct ca_file *const *found = NULL;

    /* Often it is asked for before it is added. */
    if (count > 0 && strcmp(files[count - 1]->path, path) >= 0)
        found = bsearch(path, files, count, sizeof(struct ca_file *), at_path);
    if (found == NULL)
        found = tfind(&key, &paths->others, by_path);
    return found != NULL ? *found : NULL;
}

struct ca_file *ca_find_file(const struct xr_session *s, const char *path)
{
    return ca_find_by_path(&s->by_path, s->files.items, path);
}

void ca_forget_paths(struct ca_paths *paths)
{
    tdestroy(paths->others, leave);
    *paths = (struct ca_paths){0};
}
