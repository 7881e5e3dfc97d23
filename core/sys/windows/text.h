/* SPDX-License-Identifier: Apache-2.0 */
/* Converts between UTF-8 and Windows' UTF-16; allocated. Invalid text becomes a replacement
 * character. */
#ifndef XR_WINDOWS_TEXT_H
#define XR_WINDOWS_TEXT_H

#include <stddef.h>
#include <wchar.h>

wchar_t *xr_wide(const char *text);
char *xr_narrow(const wchar_t *text, size_t count); /* count units; SIZE_MAX: up to a zero */

#endif
