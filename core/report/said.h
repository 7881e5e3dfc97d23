/* SPDX-License-Identifier: Apache-2.0 */
/* What said.c and said_formats.c share: formats of a catalogue, and how a finished sentence is cut by one. */
#ifndef XR_SAID_H
#define XR_SAID_H

#include "catalogue.h"

#define XR_SAID_PIECES 48u /* of a format */

/* A format of the catalogue. */
struct xr_said_format {
    const struct xr_tr_entry *entry;
    bool many;    /* it is the entry's plural */
    bool lines;   /* it has more than one */
    size_t first; /* of its pieces */
    size_t count;
    size_t literal, letters; /* bytes */
};

struct xr_said {
    struct xr_said_format *items;
    size_t count, capacity;
    struct {
        struct xr_piece *items;
        size_t count, capacity;
    } pieces;
    /* Where formats begin in items whose first byte is that one; those that begin with a conversion come
     * last. Then the end. */
    size_t begin[258];
};

struct xr_span {
    const char *at;
    size_t len;
};

struct xr_cut {
    struct xr_span arguments[XR_SAID_PIECES];
    size_t count;
};

/* Cuts the text by the format, its arguments as short as possible from the left; one of *tries goes for each
 * way that is looked at, and at 0 nothing fits. */
bool xr_said_fits(const struct xr_said *said, const struct xr_said_format *format,
                  struct xr_span text, struct xr_cut *cut, unsigned *tries);

#endif
