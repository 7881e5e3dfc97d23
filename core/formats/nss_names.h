/* SPDX-License-Identifier: Apache-2.0 */
/* By which names NSS finds a certificate: its nickname and the ID of its key. Pure; plugins carry it. */
#ifndef XR_NSS_NAMES_H
#define XR_NSS_NAMES_H

#include "kit/base.h"

/* NSS finds a certificate's key by the SHA-1 of the modulus or the point. */
void xr_nss_key_id(unsigned char out[20], const struct xr_host *host, struct xr_bytes spki);
/* Appends a label as a nickname may be: visible, at most 120 bytes, and without colons, for NSS would take
 * text before one for the name of a token. Not yet unique. */
void xr_nss_nickname(struct xr_buf *out, const char *label, size_t len);
/* Appends how the nickname is spelt for the n-th subject that it is for; n counts from 0. */
void xr_nss_spell_nickname(struct xr_buf *out, const char *name, size_t len, size_t n);

#endif
