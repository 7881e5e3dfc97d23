/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of one list in somebody's policies.json, policies.Certificates.Install, that leave every
 * other byte as it was. What an addition had to make for the list is told by its white space, so that
 * the removal of the last element takes back exactly that.
 */
#ifndef XR_POLICY_EDIT_H
#define XR_POLICY_EDIT_H

#include "kit/base.h"

/* name is an absolute path; those in its directory are kept in order among each other. Text of no
 * bytes is a file that does not exist. out gets the new text.
 * XR_REFUSED: it is no JSON, or what is in the way of the list is no object or list, or has a name
 * twice. */
enum xr_status policy_edit_add(struct xr_buf *out, struct xr_bytes text, const char *name,
                               struct xr_error *err);
/* *gone: nothing is left, so the file is to go too. XR_ABSENT: the list has no such element. */
enum xr_status policy_edit_remove(struct xr_buf *out, bool *gone, struct xr_bytes text,
                                  const char *name, struct xr_error *err);
/* Could anything be added? */
enum xr_status policy_edit_check(struct xr_bytes text, struct xr_error *err);

#endif
