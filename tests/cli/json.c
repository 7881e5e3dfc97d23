/* SPDX-License-Identifier: Apache-2.0 */
/* xr-json PATH [FILE]: prints what PATH names in the one JSON document of FILE or standard input,
 * one value a line, strings bare. PATH is segments joined by dots: NAME, [] (every element), [N],
 * [KEY=VALUE] (elements whose member KEY is the string VALUE), # (the count of elements or members)
 * and at the end {A,B,…} (those members, joined by tabs). An empty PATH prints nothing.
 * Exit 2: not exactly one document. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_value(const json_t *value)
{
    if (json_is_string(value))
        (void)fwrite(json_string_value(value), 1, json_string_length(value), stdout);
    else if (value != NULL)
        (void)json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

static void print_members(const json_t *value, char *names)
{
    char *save = NULL;
    const char *separator = "";

    for (char *name = strtok_r(names, ",}", &save); name != NULL;
         name = strtok_r(NULL, ",}", &save)) {
        (void)fputs(separator, stdout);
        print_value(json_object_get(value, name));
        separator = "\t";
    }
    (void)putchar('\n');
}

static void walk(const json_t *value, const char *path);

static void walk_elements(const json_t *value, const char *inside, const char *rest)
{
    const char *equals = memchr(inside, '=', (size_t)(rest - inside));
    size_t count = json_array_size(value);

    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(value, i);

        if (equals != NULL) {
            char key[64];
            const char *have = NULL;
            size_t key_len = (size_t)(equals - inside);
            size_t len = (size_t)(rest - equals) - 2;

            (void)snprintf(key, sizeof(key), "%.*s", (int)key_len, inside);
            have = json_string_value(json_object_get(element, key));
            if (have == NULL || strlen(have) != len || strncmp(have, equals + 1, len) != 0)
                continue;
        } else if (inside[0] != ']' && strtoul(inside, NULL, 10) != i) {
            continue;
        }
        walk(element, rest);
    }
}

static void walk(const json_t *value, const char *path)
{
    char name[64];
    size_t len = 0;

    if (*path == '.')
        path++;
    if (value == NULL)
        return;
    if (*path == '\0') {
        print_value(value);
        (void)putchar('\n');
    } else if (*path == '#') {
        (void)printf("%zu\n",
                     json_is_object(value) ? json_object_size(value) : json_array_size(value));
    } else if (*path == '{') {
        char *names = strdup(path + 1);

        print_members(value, names);
        free(names);
    } else if (*path == '[') {
        const char *end = strchr(path, ']');

        if (end != NULL)
            walk_elements(value, path + 1, end + 1);
    } else {
        len = strcspn(path, ".[#{");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        walk(json_object_get(value, name), path + len);
    }
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *document = NULL;

    if (argc != 2 && argc != 3) {
        (void)fputs("usage: xr-json PATH [FILE]\n", stderr);
        return 2;
    }
    document = argc == 3 ? json_load_file(argv[2], JSON_REJECT_DUPLICATES, &error)
                         : json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) {
        (void)fprintf(stderr, "xr-json: line %d: %s\n", error.line, error.text);
        return 2;
    }
    if (argv[1][0] != '\0')
        walk(document, argv[1]);
    json_decref(document);
    return 0;
}
