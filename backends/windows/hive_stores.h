/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System stores in the SOFTWARE hive of a Windows that is not running: below
 * Microsoft\SystemCertificates, what group policy put there below Policies\Microsoft, and those of an
 * enterprise below Microsoft\EnterpriseCertificates ([MS-GPEF], wincrypt.h "CERT_LOCAL_MACHINE_…").
 */
#ifndef XR_WINDOWS_HIVE_STORES_H
#define XR_WINDOWS_HIVE_STORES_H

#include "entries.h"
#include "hive/hive.h"

struct win_hive_stores {
    struct win_medium medium; /* first */
    struct hive *hive;        /* borrowed */
};
void win_hive_stores(struct win_hive_stores *out, struct hive *hive);

#endif
