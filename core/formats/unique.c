/* SPDX-License-Identifier: Apache-2.0 */
/* Names that an output gives to certificates, each once. */
#include "private.h"

#include <stdlib.h>

/* Answers whether it was new; *at, its number, becomes value then. */
static bool put(struct xr_idmap *map, const struct xr_host *host, const char *name, size_t len,
                size_t value, size_t *at)
{
    unsigned char id[XR_SHA256_LEN];
    bool added = false;

    host->sha256(id, (struct xr_bytes){(const unsigned char *)name, len});
    *at = xr_idmap_put(map, id, value, &added);
    return added;
}

void xr_format_names_take(struct xr_format_names *names, struct xr_buf *spelt, const char *name,
                          size_t len, xr_format_spell_fn spell)
{
    size_t at = 0, unused = 0, *n = NULL;

    spelt->len = 0;
    spell(spelt, name, len, 0);
    if (put(&names->taken, names->host, spelt->data, spelt->len, 0, &unused))
        return;
    if (put(&names->next, names->host, name, len, names->count, &at))
        *XR_PUSH(names) = 0;
    n = &names->items[at];
    do {
        spelt->len = 0;
        spell(spelt, name, len, ++*n);
    } while (!put(&names->taken, names->host, spelt->data, spelt->len, 0, &unused));
}

void xr_format_names_reserve(struct xr_format_names *names, const char *name, size_t len)
{
    size_t unused = 0;

    (void)put(&names->taken, names->host, name, len, 0, &unused);
}

void xr_format_names_free(struct xr_format_names *names)
{
    xr_idmap_free(&names->taken);
    xr_idmap_free(&names->next);
    free(names->items);
    *names = (struct xr_format_names){.host = names->host};
}
