/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_PAGE_TEXT_H
#define XR_PAGE_TEXT_H

#include "kit/base.h"

/* UTF-16 with a byte order mark as UTF-8; false: text is something else, and out is left empty. */
bool xr_page_utf8(struct xr_buf *out, struct xr_bytes text);
/* The text of a page without tags, soft hyphens and characters that nobody sees. Between what stood on
 * both sides of a tag or a line end there is nothing if joined, else a blank: a value may be broken
 * there, or two may be apart. */
void xr_page_plain(struct xr_buf *out, struct xr_bytes text, bool joined);

#endif
