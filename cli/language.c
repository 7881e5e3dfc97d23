/* SPDX-License-Identifier: Apache-2.0 */
#include "language.h"

#include "platform.h"

#include <stdlib.h>

static struct xr_catalogue *catalogue;

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Does language_TERRITORY.codeset@modifier name UTF-8, or no codeset? */
static bool is_utf8(const char *locale, size_t len)
{
    const char *dot = memchr(locale, '.', len);
    const char *codeset = "utf8";

    if (dot == NULL)
        return true;
    for (const char *at = dot + 1; at < locale + len && *at != '@'; at++) {
        if (*at == '-')
            continue;
        if (*codeset == '\0' || lower(*at) != *codeset++)
            return false;
    }
    return *codeset == '\0';
}

static bool speaks(const char *name, size_t name_len, const char *locale, size_t len)
{
    return len >= name_len && strncmp(locale, name, name_len) == 0 &&
           (len == name_len || strchr("_.@", locale[name_len]) != NULL) && is_utf8(locale, len);
}

/* True: *out is what that locale means, NULL for English. */
static bool find(const char **out, const char *locale, size_t len)
{
    *out = NULL;
    for (size_t i = 0; language_files[i].name != NULL; i++) {
        const char *name = language_files[i].name;

        if (speaks(name, strlen(name), locale, len)) {
            *out = name;
            return true;
        }
    }
    return speaks("en", 2, locale, len) || (len == 1 && locale[0] == 'C');
}

static bool is_set(const char *value)
{
    return value != NULL && value[0] != '\0';
}

const char *language_choose(const struct language_wish *wish)
{
    const char *locale = is_set(wish->lc_all)        ? wish->lc_all
                         : is_set(wish->lc_messages) ? wish->lc_messages
                         : is_set(wish->lang)        ? wish->lang
                                                     : NULL;
    const char *out = NULL;

    /* These mean the program's own words, whatever LANGUAGE says. */
    if (locale != NULL && (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0))
        return NULL;
    /* All that is written is UTF-8. */
    if (locale != NULL && !is_utf8(locale, strlen(locale)))
        return NULL;
    if (is_set(wish->language)) {
        for (const char *at = wish->language; *at != '\0'; at += *at == ':') {
            size_t len = strcspn(at, ":");

            if (len > 0 && find(&out, at, len))
                return out;
            at += len;
        }
        return NULL;
    }
    if (locale == NULL)
        locale = wish->system;
    if (locale != NULL)
        (void)find(&out, locale, strlen(locale));
    return out;
}

void language_begin(void)
{
    const struct language_wish wish = {getenv("LANGUAGE"), getenv("LC_ALL"), getenv("LC_MESSAGES"),
                                       getenv("LANG"), platform_language()};
    const char *name = language_choose(&wish);

    for (size_t i = 0; name != NULL && language_files[i].name != NULL; i++) {
        if (strcmp(language_files[i].name, name) == 0)
            catalogue = xr_catalogue_new(language_files[i].mo);
    }
}

void language_end(void)
{
    xr_catalogue_free(catalogue);
    catalogue = NULL;
}

const struct xr_catalogue *language(void)
{
    return catalogue;
}
