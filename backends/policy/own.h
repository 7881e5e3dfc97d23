/* SPDX-License-Identifier: Apache-2.0 */
/* The file that crossroot writes among Chromium's policies: its entries, and its bytes. */
#ifndef XR_POLICY_OWN_H
#define XR_POLICY_OWN_H

#include "policy.h"

#include "kit/limits.h"

struct policy_own_entry {
    enum policy_key key;
    struct xr_buf der;
    struct xr_limits limits; /* of POLICY_LIMITED */
    unsigned char sha256[XR_SHA256_LEN];
};

struct policy_own_file {
    struct policy_own_entry *items;
    size_t count, capacity;
    bool there;
    bool strange; /* there, but not byte for byte what crossroot would write */
};

/* Reads managed/crossroot.json below dir. A strange one has no entries. */
void policy_own_read(struct policy_own_file *out, const struct policy_root *root,
                     const struct xr_host *host, const char *dir);
void policy_own_add(struct policy_own_file *file, const struct xr_host *host, enum policy_key key,
                    struct xr_bytes der, const struct xr_limits *limits);
void policy_own_drop(struct policy_own_file *file, size_t at);
/* The bytes of the file. The same entries give the same bytes. */
void policy_own_text(struct xr_buf *out, struct policy_own_file *file);
void policy_own_free(struct policy_own_file *file);

#endif
