/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte format of journal records and helper messages: numbers are 64-bit little-endian, byte
 * strings are a length and the bytes, structs are their fields in order. A reader that runs out of
 * bytes or meets a value out of range sets failed and then returns only zeros, so that decoders
 * need to check only once at the end.
 */
#ifndef XR_WIRE_H
#define XR_WIRE_H

#include "state.h"

struct xr_reader {
    struct xr_bytes rest;
    bool failed;
};

void xr_put_number(struct xr_buf *out, uint64_t value);
void xr_put_bytes(struct xr_buf *out, struct xr_bytes bytes);
void xr_put_text(struct xr_buf *out, const char *text); /* NULL and "" stay different */
void xr_put_subject(struct xr_buf *out, const struct xr_subject *subject);
void xr_put_subjects(struct xr_buf *out, const struct xr_subject *items, size_t count);
void xr_put_entry(struct xr_buf *out, const struct xr_entry *entry);
void xr_put_state(struct xr_buf *out, const struct xr_state *state); /* NULL allowed */
void xr_put_error(struct xr_buf *out, const struct xr_error *err);
void xr_put_verdict(struct xr_buf *out, const struct xr_verdict *verdict);
void xr_put_caps(struct xr_buf *out, const struct xr_caps *caps);

uint64_t xr_get_number(struct xr_reader *in, uint64_t max);
struct xr_bytes xr_get_bytes(struct xr_reader *in); /* borrowed from the input */
char *xr_get_text(struct xr_reader *in);            /* allocated or NULL */

void xr_get_fixed(struct xr_reader *in, void *out, size_t len);
void xr_get_subject(struct xr_reader *in, struct xr_subject *subject);
void xr_get_subjects(struct xr_reader *in, struct xr_subjects *out); /* adds to out */
/* Emits one entry, which is valid until emit returns; emit may be NULL. Returns what emit
 * returned. */
enum xr_status xr_get_entry(struct xr_reader *in, xr_entry_fn emit, void *ctx);
/* The same with members that are sent but not recorded. */
void xr_put_listed(struct xr_buf *out, const struct xr_entry *entry);
enum xr_status xr_get_listed(struct xr_reader *in, xr_entry_fn emit, void *ctx);
struct xr_state *xr_get_state(struct xr_reader *in); /* NULL: absent, or failed */
void xr_get_error(struct xr_reader *in, struct xr_error *err);
void xr_get_verdict(struct xr_reader *in, struct xr_verdict *verdict);
void xr_get_caps(struct xr_reader *in, struct xr_caps *caps);

#endif
