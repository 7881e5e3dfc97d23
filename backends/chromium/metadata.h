/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message CertificateMetadata of Chromium's server_certificate_database.proto, in protobuf's
 * binary form:
 *
 *   CertificateMetadata  1: CertificateTrust  2: Constraints
 *   CertificateTrust     1: enum (1 unspecified, 2 distrusted, 3 trusted)
 *   Constraints          1: DNS name, repeated  3: CIDR, repeated
 *   CIDR                 1: address, 4 or 16 bytes  2: length of the prefix
 */
#ifndef XR_CHROMIUM_METADATA_H
#define XR_CHROMIUM_METADATA_H

#include "kit/limits.h"

enum chromium_trust {
    CHROMIUM_UNSPECIFIED = 1, /* a hint */
    CHROMIUM_DISTRUSTED,
    CHROMIUM_TRUSTED
};

struct chromium_metadata {
    enum chromium_trust trust;
    /* What the certificate is limited to: names in lower case without a final dot, "" is every name. */
    struct xr_strings dns, cidrs;
};

/* NULL, or why this is not a message that we know whole (one line for people): anything but the
 * above, each part once unless it is repeated. out is {0} before, and to be freed in any case. */
const char *chromium_metadata_read(struct chromium_metadata *out, struct xr_bytes message);
void chromium_metadata_free(struct chromium_metadata *metadata);
/* The message that Chromium writes for that. False: there is more than it takes. */
bool chromium_metadata_write(struct xr_buf *out, enum chromium_trust trust,
                             const struct xr_limits *limits);

#endif
