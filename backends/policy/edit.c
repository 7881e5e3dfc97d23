/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library would write the whole file anew, in its own form. So positions are found here, in text that
 * jansson has taken as JSON, and jansson compares the meaning of what comes out with what should.
 *
 * White space marks what was made: in a list or object that was there and empty, the first element
 * follows its bracket at once; in one that was made, there is white space between.
 */
#include "edit.h"

#include <jansson.h>
#include <stdlib.h>

#define LOAD_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static const char *const path[] = {"policies", "Certificates", "Install"};
#define LEVELS (sizeof(path) / sizeof(path[0]))

/* An element of a list, or a member of an object. */
struct part {
    size_t start; /* of the element, or of the member's name */
    size_t value, end;
};

/* A list or an object, with the parts that matter. */
struct container {
    size_t open, close; /* its brackets */
    size_t count;
    struct part last, found, before, after; /* neighbours of the found one */
    size_t found_at, found_count;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blank(const char *text, size_t at)
{
    while (blank(text[at]))
        at++;
    return at;
}

static size_t skip_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        at += text[at] == '\\';
    return at + 1;
}

static size_t skip_value(const char *text, size_t at)
{
    size_t depth = 0;

    do {
        char c = text[at];

        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
        if (c != '}' && c != ']' && depth == 0) { /* a number or a word */
            while (text[at] != '\0' && strchr(",]}", text[at]) == NULL && !blank(text[at]))
                at++;
        }
    } while (depth > 0);
    return at;
}

/* Is the string at from this one, however it is written? */
static bool is_string(const char *text, size_t from, const char *what)
{
    size_t end = text[from] == '"' ? skip_string(text, from) : from;
    json_t *value =
        end > from ? json_loadb(text + from, end - from, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                   : NULL;
    bool same = value != NULL && json_string_length(value) == strlen(what) &&
                memcmp(json_string_value(value), what, strlen(what)) == 0;

    json_decref(value);
    return same;
}

/* Looks for the member with that name, or for that element: for the last, if there are several. */
static void look(struct container *out, const char *text, size_t open, const char *what)
{
    bool object = text[open] == '{', found = false;
    size_t at = skip_blank(text, open + 1);

    *out = (struct container){.open = open};
    while (text[at] != '}' && text[at] != ']') {
        struct part part = {.start = at, .value = at};

        if (object) {
            part.value = skip_blank(text, skip_string(text, at));
            part.value = skip_blank(text, part.value + 1);
        }
        part.end = skip_value(text, part.value);
        if (found)
            out->after = part;
        found = is_string(text, part.start, what);
        if (found) {
            out->before = out->last;
            out->found = part;
            out->found_at = out->count;
            out->found_count++;
        }
        out->last = part;
        out->count++;
        at = skip_blank(text, part.end);
        if (text[at] == ',')
            at = skip_blank(text, at + 1);
    }
    out->close = at;
}

/* ---- adding ---- */

/* How the file is written at some place. */
struct style {
    bool lines;
    const char *end; /* of a line */
    char indent[64]; /* of the members at that place */
    char unit[16];   /* of one level more */
};

static void find_style(struct style *out, const char *text, const struct container *in,
                       size_t level)
{
    size_t from = in->last.start, len = 0;

    *out = (struct style){.end = "\n", .unit = "  "};
    while (in->count > 0 && from > in->open && blank(text[from - 1]))
        from--;
    for (size_t i = from; in->count > 0 && i < in->last.start; i++) {
        if (text[i] == '\n') {
            out->lines = true;
            out->end = i > from && text[i - 1] == '\r' ? "\r\n" : "\n";
            len = 0;
        } else if (out->lines && len + 1 < sizeof(out->indent)) {
            out->indent[len++] = text[i];
        }
    }
    out->indent[len] = '\0';
    if (len > 0 && len % (level + 1) == 0 && len / (level + 1) < sizeof(out->unit))
        (void)snprintf(out->unit, sizeof(out->unit), "%.*s", (int)(len / (level + 1)), out->indent);
}

static void put_string(struct xr_buf *out, const char *text)
{
    json_t *value = json_string(text);
    char *dump = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

    if (dump == NULL)
        xr_out_of_memory();
    xr_buf_str(out, dump);
    free(dump);
    json_decref(value);
}

static void put_line(struct xr_buf *out, const struct style *style, size_t deeper)
{
    xr_buf_str(out, style->lines ? style->end : " ");
    if (!style->lines)
        return;
    xr_buf_str(out, style->indent);
    for (size_t i = 0; i < deeper; i++)
        xr_buf_str(out, style->unit);
}

/* The value of path[level], with all that is in it. */
static void put_made(struct xr_buf *out, const struct style *style, size_t level, const char *name)
{
    for (size_t i = level; i < LEVELS; i++) {
        xr_buf_str(out, i + 1 == LEVELS ? "[" : "{");
        put_line(out, style, i - level + 1);
        if (i + 1 == LEVELS)
            put_string(out, name);
        else
            xr_buf_fmt(out, "\"%s\": ", path[i + 1]);
    }
    for (size_t i = LEVELS; i-- > level;) {
        put_line(out, style, i - level);
        xr_buf_str(out, i + 1 == LEVELS ? "]" : "}");
    }
}

/* Elements of ours, in the directory of name, are in the order of their names, so that they can come
 * back in any order. The first that follows name; 0: none does. */
static size_t following(const char *text, const struct container *list, const char *name)
{
    size_t dir = (size_t)(strrchr(name, '/') - name) + 1, at = skip_blank(text, list->open + 1);

    while (text[at] != ']') {
        size_t end = skip_value(text, at);
        json_t *value = json_loadb(text + at, end - at, JSON_DECODE_ANY | LOAD_FLAGS, NULL);
        const char *other = json_string_value(value);
        bool follows = other != NULL && strncmp(other, name, dir) == 0 && strcmp(other, name) > 0;

        json_decref(value);
        if (follows)
            return at;
        at = skip_blank(text, end);
        if (text[at] == ',')
            at = skip_blank(text, at + 1);
    }
    return 0;
}

/* Adds an element in front of the one at that position. */
static void put_before(struct xr_buf *out, const char *text, size_t at, const char *name)
{
    size_t from = at;

    while (blank(text[from - 1]))
        from--;
    xr_buf_add(out, text, at);
    put_string(out, name);
    xr_buf_str(out, ",");
    xr_buf_add(out, text + from, at - from);
    xr_buf_str(out, text + at);
}

/* Adds path[level] to the container, or the element itself to the list. */
static void put_part(struct xr_buf *out, const char *text, const struct container *in, size_t level,
                     const char *name)
{
    size_t at = in->count > 0 ? in->last.end : in->open + 1, from = in->last.start;
    struct style style;

    find_style(&style, text, in, level);
    xr_buf_add(out, text, at);
    if (in->count > 0) {
        while (blank(text[from - 1]))
            from--;
        xr_buf_str(out, ",");
        xr_buf_add(out, text + from, in->last.start - from);
    }
    if (level == LEVELS) {
        put_string(out, name);
    } else {
        xr_buf_fmt(out, "\"%s\":%s", path[level], in->count > 0 ? " " : "");
        put_made(out, &style, level, name);
    }
    xr_buf_str(out, text + at);
}

/* ---- removing ---- */

static void cut(struct xr_buf *out, const char *text, size_t from, size_t to)
{
    xr_buf_add(out, text, from);
    xr_buf_str(out, text + to);
}

/* levels[i] is the container in which path[i] was found, the last one the list. */
static void remove_part(struct xr_buf *out, bool *gone, const char *text,
                        const struct container *levels)
{
    *gone = false;
    for (size_t i = LEVELS + 1; i-- > 0;) {
        const struct container *in = &levels[i];

        if (in->count > 1 && in->found_at > 0) {
            cut(out, text, in->before.end, in->found.end);
            return;
        }
        if (in->count > 1) {
            cut(out, text, in->found.start, in->after.start);
            return;
        }
        if (in->found.start == in->open + 1) {
            cut(out, text, in->found.start, in->found.end);
            return;
        }
    }
    *gone = true;
}

/* ---- both ---- */

/* Finds the containers; *reached: how many of path there are. Only they must be what they should. */
static enum xr_status find(struct container levels[LEVELS + 1], size_t *reached, const char *text,
                           const char *name, struct xr_error *err)
{
    size_t at = skip_blank(text, 0);

    memset(levels, 0, (LEVELS + 1) * sizeof(*levels));
    *reached = 0;
    for (size_t i = 0; i <= LEVELS; i++) {
        bool list = i == LEVELS;

        if (text[at] != (list ? '[' : '{'))
            return xr_fail(err, XR_REFUSED,
                           list ? N_("%s in it is not a list") : N_("%s in it is not an object"),
                           i > 0 ? path[i - 1] : N_("the value"));
        look(&levels[i], text, at, list ? name : path[i]);
        if (!list && levels[i].found_count > 1)
            return xr_fail(err, XR_REFUSED, "it has \"%s\" twice", path[i]);
        if (!list && levels[i].found_count == 0)
            return XR_OK;
        *reached = i + 1;
        at = levels[i].found.value;
    }
    return XR_OK;
}

static enum xr_status load(json_t **out, struct xr_bytes text, struct xr_error *err)
{
    json_error_t why = {.line = 1};

    *out = json_loadb(text.len > 0 ? (const char *)text.data : "", text.len, LOAD_FLAGS, &why);
    return *out != NULL
               ? XR_OK
               : xr_fail(err, XR_REFUSED,
                         "it cannot be parsed as JSON (line %d), so the browser ignores it: "
                         "correct it first",
                         why.line);
}

/* As following says. */
static size_t place_in(const json_t *list, const char *name)
{
    size_t dir = (size_t)(strrchr(name, '/') - name) + 1, at = 0;
    json_t *one = NULL;

    json_array_foreach(list, at, one)
    {
        const char *other = json_string_value(one);

        if (other != NULL && strncmp(other, name, dir) == 0 && strcmp(other, name) > 0)
            break;
    }
    return at;
}

/* What the list is to be, in a copy of all. */
static json_t *meant(const json_t *all, const char *name, bool add)
{
    json_t *out = all != NULL ? json_deep_copy(all) : json_object(), *at = out;

    for (size_t i = 0; i < LEVELS; i++) {
        if (json_object_get(at, path[i]) == NULL)
            (void)json_object_set_new(at, path[i], i + 1 == LEVELS ? json_array() : json_object());
        at = json_object_get(at, path[i]);
    }
    if (add)
        (void)json_array_insert_new(at, place_in(at, name), json_string(name));
    for (size_t i = json_array_size(at); !add && i-- > 0;) {
        const json_t *one = json_array_get(at, i);

        if (json_is_string(one) && strcmp(json_string_value(one), name) == 0) {
            (void)json_array_remove(at, i);
            break;
        }
    }
    return out;
}

/* Takes out of both what may be empty or not there at all. */
static void prune(json_t *all)
{
    for (size_t deep = LEVELS; deep > 0; deep--) {
        json_t *at = all;

        for (size_t i = 0; i + 1 < deep; i++)
            at = json_object_get(at, path[i]);
        if (json_array_size(json_object_get(at, path[deep - 1])) +
                json_object_size(json_object_get(at, path[deep - 1])) ==
            0)
            (void)json_object_del(at, path[deep - 1]);
    }
}

static enum xr_status check_meaning(const struct xr_buf *out, json_t *expected,
                                    struct xr_error *err)
{
    json_t *found = json_loadb(out->data, out->len, LOAD_FLAGS, NULL);
    bool same = false;

    prune(found);
    prune(expected);
    same = found != NULL && json_equal(found, expected);
    json_decref(found);
    return same ? XR_OK : xr_fail(err, XR_REFUSED, "it is written in a way that was not expected");
}

enum xr_status policy_edit_check(struct xr_bytes text, struct xr_error *err)
{
    struct container levels[LEVELS + 1];
    size_t reached = 0;
    json_t *all = NULL;
    char *copy = NULL;
    enum xr_status status = text.len > 0 ? load(&all, text, err) : XR_OK;

    if (status == XR_OK && text.len > 0) {
        copy = xr_memdup(text.data, text.len);
        status = find(levels, &reached, copy, "", err);
    }
    free(copy);
    json_decref(all);
    return status;
}

enum xr_status policy_edit_add(struct xr_buf *out, struct xr_bytes text, const char *name,
                               struct xr_error *err)
{
    static const struct style fresh = {.lines = true, .end = "\n", .indent = "  ", .unit = "  "};
    struct container levels[LEVELS + 1];
    size_t reached = 0, before = 0;
    json_t *all = NULL, *expected = NULL;
    char *copy = xr_memdup(text.data, text.len);
    enum xr_status status = text.len > 0 ? load(&all, text, err) : XR_OK;

    if (status == XR_OK && text.len > 0)
        status = find(levels, &reached, copy, name, err);
    if (status != XR_OK)
        goto out;
    before = reached > LEVELS ? following(copy, &levels[LEVELS], name) : 0;
    if (before > 0) {
        put_before(out, copy, before, name);
    } else if (text.len > 0) {
        size_t level = reached > LEVELS ? LEVELS : reached;

        put_part(out, copy, &levels[level], level, name);
    } else {
        xr_buf_fmt(out, "{\n  \"%s\": ", path[0]);
        put_made(out, &fresh, 0, name);
        xr_buf_str(out, "\n}\n");
    }
    expected = meant(all, name, true);
    status = check_meaning(out, expected, err);
out:
    json_decref(expected);
    json_decref(all);
    free(copy);
    return status;
}

enum xr_status policy_edit_remove(struct xr_buf *out, bool *gone, struct xr_bytes text,
                                  const char *name, struct xr_error *err)
{
    struct container levels[LEVELS + 1];
    size_t reached = 0;
    json_t *all = NULL, *expected = NULL;
    char *copy = xr_memdup(text.data, text.len);
    enum xr_status status = load(&all, text, err);

    if (status == XR_OK)
        status = find(levels, &reached, copy, name, err);
    if (status == XR_OK && (reached <= LEVELS || levels[LEVELS].found_count == 0))
        status = xr_fail(err, XR_ABSENT, "the list has no such element");
    if (status != XR_OK)
        goto out;
    remove_part(out, gone, copy, levels);
    expected = meant(all, name, false);
    if (!*gone)
        status = check_meaning(out, expected, err);
out:
    json_decref(expected);
    json_decref(all);
    free(copy);
    return status;
}
