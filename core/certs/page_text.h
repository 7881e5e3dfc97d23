/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_PAGE_TEXT_H
#define XR_PAGE_TEXT_H

#include "kit/base.h"

/* UTF-16 with a byte order mark as UTF-8; false: text is something else, and out is left empty. */
bool xr_page_utf8(struct xr_buf *out, struct xr_bytes text);
/* The same for Shift_JIS and EUC-JP: a page is that if it says so, or if its bytes can be nothing else
 * of these. Only what may be in a fingerprint stays; other characters become "?". */
bool xr_page_japanese(struct xr_buf *out, struct xr_bytes text);
/* Appends a character below U+10000 in UTF-8. */
void xr_page_put(struct xr_buf *out, uint32_t c);
/* The text of a page without tags, soft hyphens and characters that nobody sees. Between what stood on
 * both sides of a tag or a line end there is nothing if joined, else a blank: a value may be broken
 * there, or two may be apart. */
void xr_page_plain(struct xr_buf *out, struct xr_bytes text, bool joined);

#endif
