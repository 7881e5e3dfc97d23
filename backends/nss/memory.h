/* SPDX-License-Identifier: Apache-2.0 */
/* Files that only this process has, for SQLite: the databases of a copy and their journals. */
#ifndef XR_NSS_MEMORY_H
#define XR_NSS_MEMORY_H

#include "kit/base.h"

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>

#define NSS_MEMORY "crossroot-copy" /* the name of the layer below SQLite */

/* usual: the layer that is there, which opens all other files. Only names count, whatever directory they
 * are said to be in. The layer is one for the process. */
sqlite3_vfs *nss_memory(sqlite3_vfs *usual);
/* A file's content; takes data, from malloc. No connection may be in a transaction. */
void nss_memory_put(const char *name, unsigned char *data, size_t len);
/* Bytes of a file; NULL if it has not that many. */
const unsigned char *nss_memory_at(const char *name, size_t offset, size_t len);
/* What the files hold; nothing may have them open. */
void nss_memory_clear(void);
#endif

#endif
