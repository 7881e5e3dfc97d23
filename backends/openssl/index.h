/* SPDX-License-Identifier: Apache-2.0 */
/* What a view finds without looking through all of it: files by name and by number, certificates by
 * SHA-256, ends of rows of numbers. Each takes a time that grows as the logarithm of what is there. */
#ifndef XR_OPENSSL_INDEX_H
#define XR_OPENSSL_INDEX_H

#include "view.h"

void od_index_start(struct view *view); /* before anything else */
/* Puts a file at the end of a view, or takes it out; it is the caller's again. */
void od_index_add(struct view *view, struct file *file);
void od_index_drop(struct view *view, struct file *file);
void od_index_number(struct view *view, struct file *file, int number); /* -1: none */
void od_index_name(struct view *view, struct file *file, char *name);   /* takes name */
/* Foreign links are complete. */
void od_index_foreign(struct view *view);
void od_index_free(struct view *view);

struct file *od_index_named(struct view *view, const char *name);
/* The first that came of those that have a number; two names of a link may spell one number. */
struct file *od_index_numbered(struct view *view, uint32_t hash, int number);
/* The one with the lowest number from here on, or with the highest up to it. */
struct file *od_index_up(struct view *view, uint32_t hash, int number);
struct file *od_index_down(struct view *view, uint32_t hash, int number);
/* The next item of that sum after one (NULL: the first), in the order of the view. */
struct item *od_index_sum(struct view *view, const unsigned char sha256[XR_SHA256_LEN],
                          const struct item *after);
/* Does OpenSSL go on past that number? */
bool od_index_passes(struct view *view, uint32_t hash, int number);
int od_index_free_number(struct view *view, uint32_t hash); /* the lowest free one */
int od_index_stop(struct view *view, uint32_t hash);        /* the first that it does not pass */

#endif
