/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "language.h"
#include "platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define FEW      3u  /* up to this many stores need no line, */
#define SOON_MS  500 /* unless they take longer than this */
#define PAUSE_MS 40  /* from one line to the next */

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* How many bytes fit into that many cells for sure; a character that is not ASCII may take two
 * cells. */
static int fitting(const char *text, size_t cells)
{
    size_t at = 0;

    for (size_t used = 0; text[at] != '\0';) {
        bool ascii = (unsigned char)text[at] < 0x80;

        used += ascii ? 1 : 2;
        if (used > cells)
            break;
        at++;
        while (!ascii && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
    }
    return (int)at;
}

void progress_show(void *ctx, size_t done, size_t total, const char *store)
{
    static int64_t begun, drawn; /* 0: not */
    size_t width = 80;
    char head[64];
    int64_t now = now_ms();
    int len = 0;

    (void)ctx;
    if (store == NULL) {
        if (drawn != 0)
            (void)fputs("\r\033[K", stderr);
        begun = drawn = 0;
        return;
    }
    begun = begun != 0 ? begun : now;
    if ((total <= FEW && now - begun < SOON_MS) || (drawn != 0 && now - drawn < PAUSE_MS))
        return;
    if (platform_width(stderr) > 0)
        width = platform_width(stderr);
    /* TRANSLATORS: in ASCII, whose characters take one cell. */
    len = snprintf(head, sizeof(head), TR("%zu of %zu: "), done, total);
    if ((size_t)len < width)
        (void)fprintf(stderr, "\r%s%.*s\033[K", head, fitting(store, width - 1 - (size_t)len),
                      store);
    platform_flush();
    drawn = now;
}
