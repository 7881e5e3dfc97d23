/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor read to its end, or given all there is. Like sys/linux/walk.h this uses the kit and
 * libc alone, so that plugins carry it too (docs/decisions/0018). */
#ifndef XR_WHOLE_H
#define XR_WHOLE_H

#include "kit/base.h"

/* Appends what can be read, at most limit bytes in out. false: see errno, EFBIG if there are more;
 * out may then hold some of it. */
bool xr_read_whole(struct xr_buf *out, int fd, size_t limit);
/* The same of a regular file of that size, by fstat: one read, if the size is right. */
bool xr_read_file(struct xr_buf *out, int fd, uintmax_t size, size_t limit);
bool xr_sys_write_all(int fd, const void *data, size_t len); /* false: see errno */

#endif
