/* SPDX-License-Identifier: Apache-2.0 */
/* What a session over a token's files checks: who may write them, and what they distrust. */
#ifndef XR_P11KIT_CHECKS_H
#define XR_P11KIT_CHECKS_H

#include "../sources/sources.h"

/* Refuses a path, without its first slash, that others than root could exchange while root works there. */
enum xr_status pt_check_owners(const struct xr_session *s, const char *path, struct xr_error *err);

/* What is noted once for all questions of the verifier. */
struct pt_marks {
    struct xr_idmap distrusted; /* keys, and pairs of issuer and serial number */
    struct xr_idmap restricted; /* certificates with something attached that OpenSSL cannot apply */
};
void pt_mark(struct pt_marks *marks, const struct xr_session *s);
void pt_marks_free(struct pt_marks *marks);
/* As in the module: by key, or by issuer and serial number. */
bool pt_marks_distrust(const struct pt_marks *marks, const struct xr_host *host,
                       struct xr_bytes der);
bool pt_marks_restrict(const struct pt_marks *marks, const unsigned char sha256[XR_SHA256_LEN]);

#endif
