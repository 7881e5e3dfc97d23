/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SOFTWARE hive of a Windows that is not running, by libhivex: system stores below
 * Microsoft\SystemCertificates, what group policy put there below Policies\Microsoft, and those of an
 * enterprise below Microsoft\EnterpriseCertificates ([MS-GPEF], wincrypt.h "CERT_LOCAL_MACHINE_…").
 */
#ifndef XR_WINDOWS_HIVE_H
#define XR_WINDOWS_HIVE_H

#include "entries.h"

#include <sys/stat.h>

struct win_hive;

/* dir is the directory that has it, open; borrowed. path is for messages. XR_REFUSED for a hive that Windows left with
 * changes of which some are only in its logs. */
enum xr_status win_hive_open(struct win_hive **out, const struct xr_host *host, int dir,
                             const char *name, const char *path, bool write, struct xr_error *err);
void win_hive_close(struct win_hive *hive); /* NULL is fine; drops uncommitted changes */
struct win_medium *win_hive_medium(struct win_hive *hive);
/* Writes all changes at once: to a copy beside it, which is read back, made durable and renamed.
 * Does nothing without changes. XR_CONFLICT if another program wrote the hive meanwhile. */
enum xr_status win_hive_commit(struct win_hive *hive, struct xr_error *err);
/* Removes what a killed run left. Call it under the lock. */
void win_hive_tidy(int dir);

#endif
