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
/* What the files hold; nothing may have them open. */
void nss_memory_clear(void);
#endif

#endif
