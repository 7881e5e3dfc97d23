/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file of a directory of policies decides each of them. Names are sorted by their bytes, the
 * last one counts first; what managed/ sets, whatever its value, is not read from recommended/.
 */
#include "private.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX ((size_t)4096)
#define TOTAL_MAX ((size_t)64 << 20) /* bytes in all files together */

/* ---- a file ---- */

/* The policies of one file. */
struct source {
    unsigned level;
    size_t path; /* in the view's files */
    json_t *set[POLICY_KEYS];
};

struct loading {
    struct policy_view *view;
    const struct policy_root *root;
    size_t total; /* bytes read */
    struct source *items;
    size_t count, capacity;
};

static void unclear(struct policy_view *view, const char *path, const char *why)
{
    policy_problem(view, "%s: %s; what a browser makes of it is not known", path, why);
    view->incomplete = true;
}

static void keep(struct loading *l, unsigned level, const char *path, const json_t *values)
{
    struct source *source = NULL;

    for (size_t i = 0; i < POLICY_KEYS; i++) {
        json_t *value = json_object_get(values, policy_names[i]);

        if (value == NULL)
            continue;
        if (source == NULL) {
            source = XR_PUSH(l);
            *source = (struct source){.level = level, .path = l->view->files.count};
            xr_strings_add(&l->view->files, path);
        }
        source->set[i] = json_incref(value);
    }
}

static void parse(struct loading *l, unsigned level, const char *path, const struct xr_buf *text)
{
    struct xr_bytes bytes = {(const unsigned char *)text->data, text->len};
    struct xr_buf strict = {0};
    json_error_t error = {.line = 1, .column = 1};
    json_t *values = NULL;

    if (policy_strict_json(&strict, bytes) && strict.len > 0)
        /* Large whole numbers are numbers for Chromium. */
        values = json_loadb(strict.data, strict.len, JSON_DECODE_INT_AS_REAL, &error);
    xr_buf_free(&strict);
    if (values == NULL && json_error_code(&error) == json_error_out_of_memory)
        unclear(l->view, path, N_("too much for this computer's memory"));
    else if (!json_is_object(values))
        policy_problem(
            l->view,
            values != NULL || text->len == 0
                ? N_("%s is ignored by the browser: it is not an object of JSON")
                : N_("%s is ignored by the browser: it is not an object of JSON that can be parsed"),
            path);
    else
        keep(l, level, path, values);
    json_decref(values);
}

static void denied(struct policy_view *view, const char *path)
{
    policy_problem(view, "%s cannot be read by this user, so the browser of this user ignores it",
                   path);
}

static void for_root_alone(struct policy_view *view, const char *path)
{
    view->closed = true;
    policy_problem(
        view, "%s cannot be read by everybody: browsers of other users than root ignore it", path);
}

static void read_file(struct loading *l, unsigned level, const char *path)
{
    char why[128] = "";
    bool closed = false;
    struct xr_buf text = {0};

    switch (policy_read(&text, why, &closed, l->root, path)) {
    case POLICY_FILE_READ:
        l->total += text.len;
        if (closed)
            for_root_alone(l->view, path);
        if (l->total > TOTAL_MAX)
            unclear(l->view, path,
                    N_("it and files after it in the order of names are too large together"));
        else
            parse(l, level, path, &text);
        break;
    case POLICY_FILE_DENIED:
        denied(l->view, path);
        break;
    case POLICY_FILE_STRANGE:
        unclear(l->view, path, why);
        break;
    case POLICY_FILE_NONE:
        break;
    }
    xr_buf_free(&text);
}

/* ---- a directory ---- */

static void read_names(struct loading *l, unsigned level, const char *path, int dir)
{
    struct xr_strings names = {0};

    if (!xr_dir_names(&names, dir, FILES_MAX))
        unclear(l->view, path, errno == EFBIG ? N_("more than 4096 files") : strerror(errno));
    for (size_t i = names.count; i-- > 0 && l->total <= TOTAL_MAX;) {
        char *file = xr_format("%s/%s", path, names.items[i]);

        read_file(l, level, file);
        free(file);
    }
    xr_strings_free(&names);
}

static void read_level(struct loading *l, unsigned level, const char *path)
{
    struct stat st;
    int dir = policy_open(l->root, path, O_RDONLY | O_DIRECTORY);

    if (dir >= 0) {
        if (fstat(dir, &st) == 0 && policy_closed(st.st_mode, S_IROTH | S_IXOTH))
            for_root_alone(l->view, path);
        read_names(l, level, path, dir);
        (void)close(dir);
    } else if (errno == EACCES) {
        denied(l->view, path);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        unclear(l->view, path, strerror(errno));
    }
}

/* ---- which value counts ---- */

/* The first source that sets key; NULL: none does. */
static const struct source *first(const struct loading *l, enum policy_key key)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].set[key] != NULL)
            return &l->items[i];
    }
    return NULL;
}

/* Is the policy named in PolicyListMultipleSourceMergeList? */
static bool merged(const struct loading *l, enum policy_key key)
{
    const struct source *source = first(l, POLICY_MERGE);
    size_t i = 0;
    json_t *name = NULL;

    if (source == NULL)
        return false;
    json_array_foreach(source->set[POLICY_MERGE], i, name)
    {
        if (json_is_string(name) && (strcmp(json_string_value(name), "*") == 0 ||
                                     strcmp(json_string_value(name), policy_names[key]) == 0))
            return true;
    }
    return false;
}

/* Is it the file that crossroot writes? */
static bool own(const struct loading *l, const struct source *source)
{
    const char *path = l->view->files.items[source->path], *name = strrchr(path, '/');

    return source->level == 0 && strcmp(name != NULL ? name + 1 : path, POLICY_OWN) == 0;
}

/* Lists are added to each other only where the policy is to be merged, within managed/, and if each of
 * them is one. */
static void find_taken(struct loading *l, enum policy_key key)
{
    bool adds = key != POLICY_MERGE && merged(l, key);

    for (size_t i = 0; i < l->count && l->view->taken[key] == NULL; i++) {
        const struct source *s = &l->items[i];

        if (s->set[key] != NULL && !own(l, s) &&
            (!adds || s->level != 0 || !json_is_array(s->set[key])))
            l->view->taken[key] = l->view->files.items[s->path];
    }
}

static void decide(struct loading *l, enum policy_key key)
{
    struct policy_view *view = l->view;
    const struct source *winner = first(l, key);
    bool all = winner != NULL && key != POLICY_MERGE && merged(l, key);

    if (winner == NULL)
        return;
    view->decides[key] = view->files.items[winner->path];
    if (key == POLICY_MERGE)
        return;
    if (key == POLICY_PLATFORM) {
        view->platform_off = json_is_false(winner->set[key]);
        view->platform_file = view->platform_off ? view->decides[key] : NULL;
        if (!json_is_boolean(winner->set[key]))
            policy_problem(
                view,
                "%s sets %s to something that is neither true nor false, so the browser ignores it",
                view->decides[key], policy_names[key]);
        return;
    }
    if (!json_is_array(winner->set[key])) {
        policy_problem(
            view,
            "%s sets %s to something that is no list, so the browser ignores that policy in all files",
            view->decides[key], policy_names[key]);
        return;
    }
    for (const struct source *s = winner; s < l->items + l->count; s++) {
        if (s->set[key] == NULL || (s != winner && (!all || s->level != winner->level)))
            continue;
        if (json_is_array(s->set[key]))
            policy_take(view, key, view->files.items[s->path], s->set[key]);
    }
    for (const struct source *s = winner + 1; s < l->items + l->count; s++) {
        if (s->set[key] != NULL && (!all || s->level != winner->level))
            policy_problem(view, "%s in %s is not used: %s sets it too, and counts first",
                           policy_names[key], view->files.items[s->path], view->decides[key]);
    }
}

enum xr_status policy_load(struct policy_view *out, const char *root, const char *dir,
                           struct xr_error *err)
{
    static const char *const levels[] = {"managed", "recommended"};
    struct policy_root at = {.fd = -1};
    struct loading l = {.view = out, .root = &at};
    enum xr_status status = XR_OK;

    *out = (struct policy_view){0};
    status = policy_root_open(&at, root, err);
    if (status != XR_OK)
        return status;
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        char *path = xr_format("%s/%s", dir, levels[i]);

        read_level(&l, i, path);
        free(path);
    }
    policy_root_close(&at);
    /* An anchor with limits comes before the same one without: the first of each counts. */
    for (unsigned i = 0; i < POLICY_KEYS; i++) {
        static const enum policy_key order[POLICY_KEYS] = {POLICY_LIMITED,  POLICY_ANCHORS,
                                                           POLICY_HINTS,    POLICY_DISTRUST,
                                                           POLICY_PLATFORM, POLICY_MERGE};
        decide(&l, order[i]);
        find_taken(&l, order[i]);
    }
    policy_finish(out);
    for (size_t i = 0; i < l.count; i++) {
        for (size_t k = 0; k < POLICY_KEYS; k++)
            json_decref(l.items[i].set[k]);
    }
    free(l.items);
    return XR_OK;
}
