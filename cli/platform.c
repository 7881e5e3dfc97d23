/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same on every system. */
#include "platform.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

char *platform_text(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len = 0;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        abort();
    return text;
}

struct xr_words platform_environment(void)
{
    struct xr_words words = {(const char *const *)environ, 0};

    while (environ != NULL && environ[words.count] != NULL)
        words.count++;
    return words;
}

void platform_free(struct here *here)
{
    free(here->home);
    free(here->data_home);
    free(here->config_home);
    free(here->state);
    free(here->user);
}
