/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists by the words of a user: files, directories, addresses of stores. */
#ifndef XR_SOURCES_H
#define XR_SOURCES_H

#include "lists/lists.h"
#include "request.h"

/* Reads one word into an empty list: a file of any kind that lists.h reads or certs/input.h does, a
 * directory of such files, "-", or the address of a store (BACKEND or BACKEND:LOCATION; a file of that
 * name comes first). The certificates are also in the report's pool. False on an error (already
 * reported): what was read is not to be used.
 *
 * Files of certificates say nothing of trust: a root is an anchor for the purposes (0: servers) that its
 * own extended key usage and OpenSSL's trust settings leave; any other CA is trusted for nothing. */
bool xr_source_read(struct xr_engine *engine, struct xr_list *out, const char *word,
                    uint32_t purposes);
/* The same for all words, merged (xr_list_merge). */
bool xr_sources_read(struct xr_engine *engine, struct xr_list *out, struct xr_words words,
                     uint32_t purposes, bool more);
/* The stores that --store and the scope select, likewise. */
bool xr_sources_stores(struct xr_engine *engine, struct xr_list *out, bool more);

#endif
