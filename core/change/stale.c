/* SPDX-License-Identifier: Apache-2.0 */
#include "stale.h"

#include <stdlib.h>

static enum xr_status open_and_close(struct xr_run *run, const struct xr_site *site,
                                     const struct xr_worker_config *worker, enum xr_mode mode,
                                     struct xr_error *err)
{
    struct xr_store store = {0};
    enum xr_status status = xr_run_open(&store, run, site, mode, worker, err);

    if (status == XR_OK)
        xr_run_caps(run, &store);
    xr_store_close(&store);
    return status;
}

enum xr_status xr_stale_look(struct xr_run *run, const struct xr_site *site,
                             const struct xr_worker_config *worker, struct xr_error *err)
{
    return open_and_close(run, site, worker, XR_READ, err);
}

enum xr_status xr_stale_end(struct xr_run *run, const struct xr_site *site,
                            const struct xr_worker_config *worker, struct xr_error *err)
{
    return open_and_close(run, site, worker, XR_WRITE, err);
}

/* Quotes text for a shell, because the address of a profile may have blanks or special
 * characters. */
static char *shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+=,";
    struct xr_buf out = {0};

    if (strspn(text, plain) == strlen(text))
        return xr_strdup(text);
    xr_buf_str(&out, "'");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            xr_buf_str(&out, "'\\''");
        else
            xr_buf_add(&out, text, 1);
    }
    xr_buf_str(&out, "'");
    return out.data;
}

enum xr_status xr_stale_advise(const struct xr_run *run, enum xr_status status,
                               struct xr_error *err)
{
    if (status == XR_STALE) {
        char *word = shell_word(run->address);

        (void)xr_fail(err, XR_STALE,
                      "an interrupted write of another program must be rolled back first: run "
                      "crossroot recover --store %s",
                      word);
        free(word);
    }
    return status;
}
