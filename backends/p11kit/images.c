/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include "../sources/sources.h"

#include <stdlib.h>

/* If a file is in both, values of the first one count, and the second one adds missing values. */
static const char *const configured[] = {"etc/pkcs11/modules", "usr/share/p11-kit/modules"};

struct module {
    char *file, *policy, *arguments; /* module, trust-policy, x-init-reserved; or NULL */
};

static void module_free(struct module *module)
{
    free(module->file);
    free(module->policy);
    free(module->arguments);
}

static char *trimmed(const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r", text[0]) != NULL) {
        text++;
        len--;
    }
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
        len--;
    return xr_memdup(text, len);
}

static void take_line(struct module *out, const char *line, size_t len)
{
    const struct {
        const char *name;
        char **to;
    } fields[] = {{"module", &out->file},
                  {"trust-policy", &out->policy},
                  {"x-init-reserved", &out->arguments}};
    const char *colon = memchr(line, ':', len);
    char *name = trimmed(line, colon != NULL ? (size_t)(colon - line) : 0);

    for (size_t i = 0; colon != NULL && i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (*fields[i].to == NULL && strcmp(name, fields[i].name) == 0)
            *fields[i].to = trimmed(colon + 1, len - (size_t)(colon - line) - 1);
    }
    free(name);
}

static void read_module(struct module *out, const struct xr_session *s, const char *path)
{
    struct xr_buf text = {0};

    if (ca_read(&text, NULL, s, path, NULL) == XR_OK && text.len > 0 &&
        memchr(text.data, '\0', text.len) == NULL) {
        for (const char *at = text.data; *at != '\0';) {
            size_t len = strcspn(at, "\n");

            if (at[strspn(at, " \t")] != '#')
                take_line(out, at, len);
            at += len + (at[len] == '\n');
        }
    }
    xr_buf_free(&text);
}

static void add_path(struct xr_strings *out, const char *path)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i], path) == 0)
            return;
    }
    if (path[0] == '/' && path[1] != '\0')
        xr_strings_add(out, path);
}

/* Parses paths='/a:/b', quoted or not; false if there is no such text. */
static bool add_named(struct xr_strings *out, const char *arguments)
{
    const char *at = arguments != NULL ? strstr(arguments, "paths=") : NULL;
    char quote = '\0';
    size_t len = 0;

    if (at == NULL || (at > arguments && at[-1] != ' ' && at[-1] != '\t'))
        return false;
    at += strlen("paths=");
    if (*at == '\'' || *at == '"')
        quote = *at++;
    len = quote != '\0' ? strcspn(at, (char[]){quote, '\0'}) : strcspn(at, " \t");
    for (const char *end = at + len; at < end;) {
        size_t part = strcspn(at, ":");
        char *path = NULL;

        if (part > (size_t)(end - at))
            part = (size_t)(end - at);
        path = xr_memdup(at, part);
        add_path(out, path);
        free(path);
        at += part + 1;
    }
    return true;
}

/* By default the module reads the directories that the distribution publishes from, or its
 * published bundle. */
static void add_built_in(struct xr_strings *out, const struct xr_session *s)
{
    const struct ca_layout *layout = ca_detect(s);

    for (size_t i = 0; layout != NULL && i < CA_TOKENS_MAX && layout->tokens[i].path; i++) {
        char *path = xr_format("/%s", layout->tokens[i].path);

        add_path(out, path);
        free(path);
    }
    if (layout != NULL && layout->tokens[0].path == NULL && layout->published[0] != NULL) {
        char *path = xr_format("/%s", layout->published[0]);

        add_path(out, path);
        free(path);
    }
}

static bool is_module_file(const char *name)
{
    size_t len = strlen(name), ext = strlen(".module");

    return len > ext && strcmp(name + len - ext, ".module") == 0;
}

static void add_module(struct xr_strings *out, const struct xr_session *s, const char *name)
{
    struct module module = {0};
    const char *file = NULL;

    for (size_t i = 0; i < sizeof(configured) / sizeof(configured[0]); i++) {
        char *path = xr_format("%s/%s", configured[i], name);

        read_module(&module, s, path);
        free(path);
    }
    file = module.file != NULL ? ca_name(module.file) : "";
    if (module.policy != NULL && strcmp(module.policy, "yes") == 0 &&
        strncmp(file, "p11-kit-trust.", strlen("p11-kit-trust.")) == 0 &&
        !add_named(out, module.arguments))
        add_built_in(out, s);
    module_free(&module);
}

void pt_image_paths(struct xr_strings *out, const struct xr_host *host, const char *root)
{
    struct xr_session *s = ca_session_new(host, root);

    for (size_t i = 0; s->root >= 0 && i < sizeof(configured) / sizeof(configured[0]); i++) {
        struct xr_strings names = {0};

        ca_names(&names, s, configured[i]);
        for (size_t k = 0; k < names.count; k++) {
            if (is_module_file(names.items[k]))
                add_module(out, s, names.items[k]);
        }
        xr_strings_free(&names);
    }
    ca_session_free(s);
}
