/* SPDX-License-Identifier: Apache-2.0 */
/* xr-cuts FILE STEP [KIND]: reads a root list that is cut after each STEP bytes, and prints where a cut is
 * taken for a whole list. A cut is only whole where an object ends. */
#include "certs/input.h"
#include "lists/lists.h"

#include <stdlib.h>

static size_t entries(struct xr_bytes data, bool *ok)
{
    struct xr_list list = {0};
    struct xr_error err = {0};
    size_t count = 0;
    bool csv = xr_list_guess(data) == XR_LIST_CCADB;

    *ok = (csv ? xr_list_ccadb(&list, data, &err) : xr_list_certdata(&list, data, &err)) == XR_OK;
    count = list.roots.count;
    xr_list_free(&list);
    return count;
}

int main(int argc, char **argv)
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    size_t step = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, tried = 0, whole = 0;
    bool ok = false;

    if (step == 0 || xr_input_text(&text, argv[1], &err) != XR_OK) {
        (void)fprintf(stderr, "xr-cuts FILE STEP %s\n", err.text);
        return 2;
    }
    for (size_t len = step; len < text.len; len += step) {
        size_t count = entries((struct xr_bytes){(const unsigned char *)text.data, len}, &ok);

        tried++;
        if (ok) {
            whole++;
            (void)printf("%zu: %zu entries, after \"", len, count);
            for (size_t i = len > 20 ? len - 20 : 0; i < len; i++)
                (void)putchar(text.data[i] == '\n' ? '~' : text.data[i]);
            (void)puts("\"");
        }
    }
    (void)printf("%zu cuts, %zu taken for whole\n", tried, whole);
    (void)entries((struct xr_bytes){(const unsigned char *)text.data, text.len}, &ok);
    xr_buf_free(&text);
    return ok ? 0 : 1;
}
