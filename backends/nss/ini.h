/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profiles.ini and installs.ini, line by line, as Mozilla's nsINIParser reads them:
 *
 * A line ends at CR or LF, the file at its first NUL byte. "#" and ";" make a comment at the very
 * start of a line only. Blanks before a key are skipped, those after it and all those of a value
 * belong to it. Upper and lower case differ. After a malformed [section], lines are ignored until
 * the next one. Sections and keys may be repeated: the last value counts, which is left to the
 * caller.
 */
#ifndef XR_NSS_INI_H
#define XR_NSS_INI_H

#include "kit/base.h"

/* Slices of the text, which must live as long. */
struct nss_ini {
    struct xr_bytes rest;
    struct xr_bytes section, key, value; /* section of the last line */
    bool in_section;
};

void nss_ini_open(struct nss_ini *ini, struct xr_bytes text);
/* The next "key=value" of a section; false at the end. */
bool nss_ini_next(struct nss_ini *ini);

#endif
