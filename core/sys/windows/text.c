/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "kit/base.h"

#include <windows.h>

wchar_t *xr_wide(const char *text)
{
    int len = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *out = xr_new(len > 0 ? (size_t)len : 1, sizeof(*out));

    if (len > 0)
        (void)MultiByteToWideChar(CP_UTF8, 0, text, -1, out, len);
    return out;
}

char *xr_narrow(const wchar_t *text, size_t count)
{
    int units = (int)(count != SIZE_MAX ? count : wcslen(text));
    int len = units > 0 ? WideCharToMultiByte(CP_UTF8, 0, text, units, NULL, 0, NULL, NULL) : 0;
    char *out = xr_new((size_t)len + 1, 1);

    if (len > 0)
        (void)WideCharToMultiByte(CP_UTF8, 0, text, units, out, len, NULL, NULL);
    return out;
}
