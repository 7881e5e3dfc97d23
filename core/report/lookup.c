/* SPDX-License-Identifier: Apache-2.0 */
/* What a catalogue has for a text. */
#include "catalogue.h"

const struct xr_tr_entry *xr_catalogue_find(const struct xr_catalogue *catalogue, const char *text)
{
    size_t low = 0, high = catalogue->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(text, catalogue->items[middle].one);

        if (order == 0)
            return &catalogue->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *xr_catalogue_form(const struct xr_catalogue *catalogue, const struct xr_tr_entry *entry,
                              unsigned long n)
{
    size_t skip = entry->many != NULL ? xr_plural_form(&catalogue->plural, n) : 0, at = 0;

    while (skip > 0 && at < entry->forms_len) {
        at += strlen(entry->forms + at) + 1;
        skip--;
    }
    return at < entry->forms_len && entry->forms[at] != '\0' ? entry->forms + at : NULL;
}

const char *xr_tr(const struct xr_catalogue *catalogue, const char *text)
{
    const struct xr_tr_entry *entry = catalogue != NULL ? xr_catalogue_find(catalogue, text) : NULL;
    const char *form = entry != NULL ? xr_catalogue_form(catalogue, entry, 1) : NULL;

    return form != NULL ? form : text;
}

const char *xr_tr_n(const struct xr_catalogue *catalogue, const char *one, const char *many,
                    size_t count)
{
    const struct xr_tr_entry *entry = catalogue != NULL ? xr_catalogue_find(catalogue, one) : NULL;
    const char *form = NULL;

    if (entry != NULL && entry->many != NULL && strcmp(entry->many, many) == 0)
        form = xr_catalogue_form(catalogue, entry, (unsigned long)count);
    return form != NULL ? form : count == 1 ? one : many;
}
