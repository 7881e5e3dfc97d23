/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_CHROMIUM_HOLDER_H
#define XR_CHROMIUM_HOLDER_H

#include "homes/browsers.h"

/* The browser whose profile is at path, and the profile's name; NULL: not known. */
const struct nss_chromium *chromium_program(const char **name, const char *path);

/* Who keeps the file in dir locked, and what to do: one line. False: nobody does. A lock that is none of
 * a browser's is waited for a little. Not while SQLite has the file open, see file.h. */
bool chromium_held(char out[256], int dir, const char *path);

#endif
