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

static void leave(void *file)
{
    (void)file; /* the list owns it */
}

struct ca_file *ca_keep_file(struct xr_session *s, struct ca_file *file)
{
    file->number = s->files.count;
    *XR_PUSH(&s->files) = file;
    if (tsearch(file, &s->by_path, by_path) == NULL)
        abort();
    return file;
}

struct ca_file *ca_find_by_path(void *const *paths, const char *path)
{
    const struct ca_file key = {.path = (char *)(uintptr_t)path};
    struct ca_file **found = tfind(&key, paths, by_path);

    return found != NULL ? *found : NULL;
}

struct ca_file *ca_find_file(const struct xr_session *s, const char *path)
{
    return ca_find_by_path(&s->by_path, path);
}

void ca_forget_paths(void **paths)
{
    tdestroy(*paths, leave);
    *paths = NULL;
}
