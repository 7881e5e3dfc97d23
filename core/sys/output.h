/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories that a user asked for, such as what `crossroot extract` writes. A reader sees the
 * old or the new content of each file, and the old or the new directory as a whole. What replaces
 * something is durable on return; what is new may be lost with the power, as with other converters.
 */
#ifndef XR_OUTPUT_H
#define XR_OUTPUT_H

#include "kit/base.h"

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
    XR_OUTPUT_CHECK,  /* only look */
    XR_OUTPUT_TRY,    /* the same, but refuse what XR_OUTPUT_PUT refuses */
    XR_OUTPUT_PUT,    /* a directory that is not empty is left as it is: XR_REFUSED */
    XR_OUTPUT_REPLACE /* all that a directory had goes */
};

/* Reads a file that may be there: XR_ABSENT if not. Links are followed that belong to root or to the
 * caller (xr_sys_resolve). */
enum xr_status xr_sys_output_read(struct xr_buf *out, const char *path, size_t limit,
                                  struct xr_error *err);
enum xr_status xr_sys_output_file(enum xr_output_state *out, const char *path, struct xr_bytes data,
                                  enum xr_output_how how, struct xr_error *err);
/* differences, for people: "NAME is missing", "NAME differs", "NAME is not ours". XR_UNSUPPORTED: links
 * cannot be made here. */
enum xr_status xr_sys_output_directory(enum xr_output_state *out, const char *path,
                                       const struct xr_output_entry *entries, size_t count,
                                       enum xr_output_how how, struct xr_strings *differences,
                                       struct xr_error *err);

#endif
