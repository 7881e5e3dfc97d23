/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogues of other languages: catalogue.c reads, lookup.c finds, plural.c counts, conversions.c knows what a
 * format converts, said.c finds the format of a finished sentence (said.h). Their bytes may come from anywhere. */
#ifndef XR_CATALOGUE_H
#define XR_CATALOGUE_H

#include "kit/base.h"

/* ---- plural.c: which of a language's forms a number takes ---- */

#define XR_PLURAL_NODES 64u
#define XR_PLURAL_FORMS 16u
struct xr_plural {
    struct xr_plural_node {
        unsigned char operation; /* 'n', '0' for a value, or the operator */
        unsigned char a, b, c;   /* operands, by their place in nodes */
        unsigned long value;
    } nodes[XR_PLURAL_NODES];
    size_t count;
    unsigned char top;
    unsigned long forms;
};
/* Reads "nplurals=2; plural=n != 1;" (gettext's manual, "Additional functions for plural forms").
 * False: it is no such text, or a longer or deeper one than languages need. */
bool xr_plural_read(struct xr_plural *out, const char *text);
/* Always less than forms. A division by zero gives 0. */
size_t xr_plural_form(const struct xr_plural *plural, unsigned long n);

/* ---- conversions.c ---- */

enum xr_piece_kind { XR_LITERAL, XR_ANY_TEXT, XR_NUMBER, XR_HEX_NUMBER, XR_CHARACTER };
/* A part of a format of printf. */
struct xr_piece {
    enum xr_piece_kind kind;
    const char *at; /* XR_LITERAL: that many bytes; else the conversion with its '%' */
    size_t len;
    unsigned width;
    bool left;
    char type[4]; /* length modifier and conversion */
    unsigned stars;
};
/* The part that begins at *at, and moves on; false at the end, and where a conversion is unknown (then
 * **at is not '\0'). */
bool xr_piece_next(struct xr_piece *out, const char **at);
/* May printf take b with the arguments of a? Both may have no conversion. */
bool xr_format_alike(const char *a, const char *b);
/* Is it a format that printf would write otherwise than it stands there? */
bool xr_format_converts(const char *text);
/* How long what a conversion other than of text wrote is at the beginning of text; 0: it is not there. */
size_t xr_piece_written(const struct xr_piece *piece, const char *text, size_t len);

/* ---- catalogue.c ---- */

struct xr_tr_entry {
    const char *one, *many; /* many: NULL if it has no plural */
    const char *forms;      /* the translations, each with its '\0' */
    size_t forms_len;
};
struct xr_catalogue {
    struct xr_tr_entry *items; /* in the order of strcmp(one) */
    size_t count, capacity;
    struct xr_plural plural;
    _Atomic(struct xr_said *) *said; /* made when first needed, by any thread; owned */
};

/* ---- lookup.c ---- */

const struct xr_tr_entry *xr_catalogue_find(const struct xr_catalogue *catalogue, const char *text);
/* NULL if the entry has no form for it. */
const char *xr_catalogue_form(const struct xr_catalogue *catalogue, const struct xr_tr_entry *entry,
                              unsigned long n);

/* ---- said_formats.c ---- */

/* The formats of a catalogue, for xr_tr_said, which many commands do not need. */
const struct xr_said *xr_said_of(const struct xr_catalogue *catalogue);
void xr_said_free(struct xr_said *said);

#endif
