/* SPDX-License-Identifier: Apache-2.0 */
/* What people have instead of a certificate, in words; and what may be one that a reader lost. */
#ifndef XR_GUESS_H
#define XR_GUESS_H

#include "kit/der.h"

/* What a file is in which no certificate was found, DER or not; NULL: not known. */
const char *xr_guess_file(struct xr_bytes data);
/* What the content of a DER element is, if that is something known; NULL otherwise. */
const char *xr_guess_der(struct xr_bytes der);
/* Why the body of a PEM block is not base64, to follow that; "" if it is not known. */
const char *xr_guess_body(struct xr_bytes body);

/* What lies beside PEM blocks and may be a certificate. */
enum xr_lost {
    XR_LOST_NONE = 0,
    XR_LOST_DER,    /* a whole DER element */
    XR_LOST_DASHES, /* a BEGIN line that has not five dashes */
    XR_LOST_QUOTED  /* a BEGIN that does not begin its line, as in a text about certificates */
};
/* beside is a part of the file that begins at start. */
enum xr_lost xr_guess_lost(const unsigned char *start, struct xr_bytes beside);

#endif
