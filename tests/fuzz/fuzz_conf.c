/* SPDX-License-Identifier: Apache-2.0 */
/* ca-certificates.conf (sources.h): lines lie in the text, and a path that is deselected and selected
 * again gives the text as it was. An input is a path, with two bytes of length before it, and the text. */
#include "../../backends/sources/sources.h"

#include "fuzz.h"

#include <stdlib.h>

static size_t lines(const struct xr_buf *text, const char *path, bool deselected)
{
    struct ca_conf_line line;
    size_t at = 0, count = 0;

    while (ca_conf_next(&line, &at, text)) {
        CHECK(line.path >= text->data && line.len > 0 &&
              (size_t)(line.path - text->data) + line.len <= text->len && line.mark < text->len);
        CHECK(memchr(line.path, '\n', line.len) == NULL &&
              memchr(line.path, '\0', line.len) == NULL);
        count += line.len == strlen(path) && memcmp(line.path, path, line.len) == 0 &&
                 line.deselected == deselected;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes rest = {data, size}, name = {0};
    struct xr_buf text = {0}, off = {0}, on = {0};
    char *path = NULL;
    size_t selected = 0, deselected = 0;

    (void)fuzz_part(&name, &rest);
    path = xr_memdup(name.data, name.len);
    xr_buf_add(&text, rest.data, rest.len);
    if (path[0] == '#' ||
        path[0] == '!') /* no path of a list: selected, it would be something else */
        goto out;
    selected = lines(&text, path, false);
    deselected = lines(&text, path, true);
    off = ca_conf_set(&text, path, true);
    on = ca_conf_set(&text, path, false);
    CHECK(lines(&off, path, false) == 0 && lines(&off, path, true) == selected + deselected);
    CHECK(lines(&on, path, true) == 0 && lines(&on, path, false) == selected + deselected);
    if (deselected == 0) {
        struct xr_buf again = ca_conf_set(&off, path, false);

        CHECK(xr_bytes_equal(fuzz_buf_bytes(&again), fuzz_buf_bytes(&text)));
        xr_buf_free(&again);
    }
out:
    xr_buf_free(&text);
    xr_buf_free(&off);
    xr_buf_free(&on);
    free(path);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        "# a comment\nmozilla/A.crt\n!mozilla/B.crt\n\n  mozilla/A.crt \nlocal/C.crt",
        "mozilla/A.crt\r\n!mozilla/A.crt\r\n#x\r\n",
        "mozilla/A.crt\n!mozilla/B.crt\r\n! mozilla/A.crt\n!!mozilla/A.crt\n",
    };
    struct xr_buf out = {0};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_put_part(&out, "mozilla/A.crt", 13);
        xr_buf_str(&out, texts[i]);
        fuzz_seed_buf(corpus, &out);
    }
}
