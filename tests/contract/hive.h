/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACT_HIVE_H
#define CONTRACT_HIVE_H

/* An empty registry hive of 8 KiB: a root key and its security descriptor. */
void hive_make(const char *dir, const char *name);

#endif
