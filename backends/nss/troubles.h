/* SPDX-License-Identifier: Apache-2.0 */
/* Why a database could not be written. softoken passes nothing on: of a full disk it says "general error". */
#ifndef XR_NSS_TROUBLES_H
#define XR_NSS_TROUBLES_H

#include <crossroot/backend.h>

/* Before softoken starts; handle is its library. From here on what the operating system refuses to its
 * SQLite is noted. Where that SQLite does not tell, or this was built without its header, nothing is. */
void nss_troubles_watch(void *handle);
bool nss_troubles_noted(void);
/* After an operation that failed: puts into err what was noted, or what a trial write in the directory
 * shows. Nothing measured, nothing said. */
void nss_troubles_tell(struct xr_error *err, int dir);

#endif
