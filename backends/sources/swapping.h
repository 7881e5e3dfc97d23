/* SPDX-License-Identifier: Apache-2.0 */
/* What swap.c and keys.c use of each other: what has to happen, decided before anything does. */
#ifndef XR_SOURCES_SWAPPING_H
#define XR_SOURCES_SWAPPING_H

#include "sources.h"

struct holding {
    struct ca_cert *cert;
    bool kept; /* or written over: */
    bool over;
};

struct write {
    char *path;
    struct xr_buf content;
    char *target; /* a link, or NULL */
    unsigned mode;
};

/* What a swap is about: its subject and what applies to its key. Everything else that was loaded stays
 * valid; without this, a batch would take quadratic time. */
struct touch {
    bool known; /* else it may be anything */
    unsigned char subject[XR_SHA256_LEN], key[XR_SHA256_LEN];
    struct xr_bytes spki; /* a slice of the state's; empty without a certificate */
};

struct swapping {
    struct xr_session *s;
    const struct xr_subject *subject;
    const struct touch *touch;
    struct {
        struct holding *items;
        size_t count, capacity;
    } now;
    struct {
        struct write *items;
        size_t count, capacity;
    } writes;
    struct pf_store made; /* of the writes alone, see ca_check_key */
    bool deselects;
};

/* keys.c */
void ca_find_holdings(struct swapping *w, const struct xr_subject *subject);
/* Is an extension of that value attached to the key by another file than those of the subject? */
bool ca_key_keeps(const struct swapping *w, struct xr_bytes value);
/* Does the file hold nothing but purposes of the subject's key? */
bool ca_only_purposes(const struct swapping *w, const struct ca_file *file);
/* Would another anchor of the key, or the wanted one, get other limits than it has or should have? With
 * *stale, this can only be said after a load, which makes the swapping invalid. */
enum xr_status ca_check_key(struct swapping *w, const struct xr_state *want, bool *stale,
                            struct xr_error *err);
/* Counts what a swap that succeeded has changed about its key. */
void ca_note_key(struct swapping *w);

#endif
