/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 and Windows' UTF-16; allocated. What is neither becomes a replacement character. */
#ifndef XR_WINDOWS_TEXT_H
#define XR_WINDOWS_TEXT_H

#include <stddef.h>
#include <wchar.h>

wchar_t *xr_wide(const char *text);
char *xr_narrow(const wchar_t *text, size_t count); /* count units, or up to a zero: SIZE_MAX */

#endif
