/* SPDX-License-Identifier: Apache-2.0 */
/* softoken's changes in one transaction: it works on a copy in memory (docs/decisions/0029). */
#ifndef XR_NSS_COPY_H
#define XR_NSS_COPY_H

#include "kit/base.h"

struct nss_copy;
/* handle: softoken's library, which is not started yet. From here until nss_copy_close it opens a copy of
 * the database in dir, which is the working directory. begin: as nss_copy_begin does; XR_BUSY if others
 * cannot be kept away. *out NULL: this cannot be done here, and it opens the files themselves. */
enum xr_status nss_copy_open(struct nss_copy **out, void *handle, int dir, bool begin,
                             struct xr_error *err);
/* After softoken was started: did it change tables, as a newer one does? Then it needs the files. */
bool nss_copy_usable(const struct nss_copy *copy);
void nss_copy_close(
    struct nss_copy *copy); /* after softoken; drops what was not saved; NULL is fine */
/* Before softoken is asked: copies anew, unless there is something to save. */
enum xr_status nss_copy_read(struct nss_copy *copy, struct xr_error *err);
/* Before softoken is told: keeps other writers away until nss_copy_save or the end, and copies anew. */
enum xr_status nss_copy_begin(struct nss_copy *copy, struct xr_error *err);
/* Does it keep other writers away? NULL: no. */
bool nss_copy_holds(const struct nss_copy *copy);
/* Carries what softoken changed into both files in one transaction. */
enum xr_status nss_copy_save(struct nss_copy *copy, struct xr_error *err);

#endif
