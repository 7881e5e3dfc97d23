/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links HASH.N, by which OpenSSL finds a file. It counts N up from 0 and stops at the first that is not
 * there, so there is no hole at any moment: where a number is needed or given up, another file's moves
 * by one rename. A file may be its own link.
 */
#ifndef XR_OPENSSL_LINKS_H
#define XR_OPENSSL_LINKS_H

#include "view.h"

#define LINK_NAME_MAX 32
#define LINKS_MAX     100000

void od_link_name(char out[LINK_NAME_MAX], const struct view *view, uint32_t hash, int index);
/* "9d04f354.0", or "9d04f354.r0" for CRLs. */
bool od_link_parse(uint32_t *hash, int *index, const struct view *view, const char *name);
bool od_link_like(const char *name); /* HASH.N or HASH.rN, in any place */
/* Does OpenSSL get to that number? */
bool od_link_reached(struct view *view, uint32_t hash, int index);
/* The last number with a file of its own that OpenSSL gets to, or -1. */
int od_link_last(struct view *view, uint32_t hash);
/* Is name one more name of the file's link: a number that was about to move when we were interrupted? */
bool od_link_same(const struct view *view, const struct file *file, const char *name);

/* index: the number to have; -1, or one past the next free: the next free. */
/* Would OpenSSL find a certificate at that number, and no other that it did not find before? */
enum xr_status od_link_check(struct view *view, uint32_t hash, int index, struct xr_error *err);
/* Makes the missing link of a file; whoever has the number moves up. */
enum xr_status od_link_add(struct view *view, struct file *file, int index, struct xr_error *err);
/* Whoever has the number moves up, for a file that is its own link. */
enum xr_status od_link_vacate(struct view *view, uint32_t hash, int index, struct xr_error *err);
/* The last of the hash moves into the gap. */
enum xr_status od_link_remove(struct view *view, struct file *file, struct xr_error *err);

#endif
