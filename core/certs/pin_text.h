/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_PIN_TEXT_H
#define XR_PIN_TEXT_H

#include "kit/base.h"

/* Takes the hex digits out of what people paste for a fingerprint, in lower case: groups, any case,
 * full width, quotes, wrapped lines, characters that nobody sees, "0x", a name of the digest before it
 * (openssl's "sha256 Fingerprint=…", "SHA-256: …"), sha256sum's line with the name of a file. *want is
 * how many digits the named digest has, 0 if none is named. XR_INVALID with a reason, which is ASCII:
 * other characters, another digest, the hash of a key as curl and HPKP write it. */
enum xr_status xr_pin_text(struct xr_buf *digits, size_t *want, const char *text,
                           struct xr_error *err);
/* What a number of hex digits is the length of, if that is no digest of a fingerprint: "an MD5"; or
 * NULL. */
const char *xr_pin_length_of(size_t digits);

#endif
