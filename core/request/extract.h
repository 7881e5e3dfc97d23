/* SPDX-License-Identifier: Apache-2.0 */
/* The command extract: extract.c reads the request, extract_choose.c says what an output holds, and
 * extract_write.c writes it. */
#ifndef XR_EXTRACT_H
#define XR_EXTRACT_H

#include "formats/outputs.h"
#include "sources.h"

struct xr_extract {
    struct xr_engine *engine;
    const struct xr_request *rq;
    struct xr_list list;
    struct xr_idmap blocked;
    struct xr_output_source source;
    bool only_look; /* find out what would fail, and write nothing */
    /* Of the output at work. */
    const struct xr_output_format *format;
    struct xr_written *written;
    struct {
        struct xr_told *items;
        size_t count, capacity;
    } told;
};

/* Chooses from the list for the output at work: fills told and written->left_out. */
void xr_extract_choose(struct xr_extract *x);
/* Writes what is told, or compares it with what is there. */
void xr_extract_write(struct xr_extract *x);

#endif
