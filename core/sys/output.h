/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories that a user asked for, such as what `crossroot extract` writes. A reader sees the
 * old or the new content of each file, and the old or the new directory as a whole. What replaces
 * something is durable on return; what is new may be lost with the power, as with other converters.
 */
#ifndef XR_OUTPUT_H
#define XR_OUTPUT_H

#include "kit/der.h"

struct xr_output_entry {
    const char *name;   /* one path component, or two with "/" between them */
    const char *target; /* of a link; NULL: a file */
    struct xr_bytes content;
};

enum xr_output_state {
    XR_OUTPUT_NEW,  /* there was nothing */
    XR_OUTPUT_SAME, /* it is there already, byte for byte */
    XR_OUTPUT_OTHER /* something else is, or was, there */
};

enum xr_output_how {
    XR_OUTPUT_CHECK,       /* only look */
    XR_OUTPUT_TRY,         /* the same, but refuse what XR_OUTPUT_PUT refuses */
    XR_OUTPUT_TRY_REPLACE, /* or what XR_OUTPUT_REPLACE refuses */
    XR_OUTPUT_PUT,         /* a directory that is not empty is left as it is: XR_REFUSED */
    /* All that a directory had goes, unless it has directories that the new one has not, files of another
     * kind, or what may be a private key: XR_REFUSED, and nothing is changed. */
    XR_OUTPUT_REPLACE
};

/* Why a file that is there must not be replaced, for people; NULL: nothing is known against it. */
static inline const char *xr_output_why_kept(struct xr_bytes old, bool keystores_too)
{
    static const char key[] = "PRIVATE KEY-----";
    bool is_key = false;
    size_t at = 2;

    if (old.len < at)
        return NULL;
    if (xr_memmem(old.data, old.len, key, sizeof(key) - 1) != NULL)
        return N_("it holds a private key");
    (void)xr_der_guess(old, &is_key);
    if (is_key)
        return N_("it is a private key");
    if (keystores_too && old.len >= 4 &&
        (memcmp(old.data, "\xfe\xed\xfe\xed", 4) == 0 ||
         memcmp(old.data, "\xce\xce\xce\xce", 4) == 0))
        return N_("it is a keystore");
    /* PKCS#12, in BER too, and cut or not: SEQUENCE { INTEGER 3, … */
    if (old.data[1] > 0x80)
        at += old.data[1] & 0x7fu;
    if (keystores_too && old.data[0] == XR_DER_SEQUENCE && old.len >= at + 3 &&
        memcmp(old.data + at, "\x02\x01\x03", 3) == 0)
        return N_("it is a keystore");
    return NULL;
}

/* Reads a file that may be there: XR_ABSENT if not. Links are followed that belong to root or to the
 * caller (xr_sys_resolve). */
enum xr_status xr_sys_output_read(struct xr_buf *out, const char *path, size_t limit,
                                  struct xr_error *err);
/* XR_REFUSED: a file that is there holds a private key, or is a keystore unless the caller has looked at
 * what is in it (keystore). */
enum xr_status xr_sys_output_file(enum xr_output_state *out, const char *path, struct xr_bytes data,
                                  enum xr_output_how how, bool keystore, struct xr_error *err);
/* differences, for people: "NAME is missing", "NAME differs", "NAME is not ours". XR_UNSUPPORTED: links
 * cannot be made here. */
enum xr_status xr_sys_output_directory(enum xr_output_state *out, const char *path,
                                       const struct xr_output_entry *entries, size_t count,
                                       enum xr_output_how how, struct xr_strings *differences,
                                       struct xr_error *err);

#endif
