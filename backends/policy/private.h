/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share about a view. */
#ifndef XR_POLICY_PRIVATE_H
#define XR_POLICY_PRIVATE_H

#include "policy.h"

#include "kit/limits.h"

#include <jansson.h>

/* Adds as many lines as fit into one. */
void policy_join(char *out, size_t size, const struct xr_strings *lines);
XR_PRINTF(2, 3) void policy_problem(struct policy_view *view, const char *format, ...);
/* Adds the entries of one list, which path sets. */
void policy_take(struct policy_view *view, enum policy_key key, const char *path,
                 const json_t *list);
void policy_finish(struct policy_view *view); /* makes items of what was taken */
/* One element of a list: the base64 of a certificate, or with limits an object. limits may be NULL. */
json_t *policy_element(struct xr_bytes der, const struct xr_limits *limits);
/* The reverse; limited: it is an object. false: the element, or its limits, cannot be told in the form
 * that we write. der and limits are to be freed in any case. */
bool policy_element_read(struct xr_buf *der, struct xr_limits *limits, const json_t *element,
                         bool limited);
/* base64 as Chromium decodes it: no blank, and padding. false: it ignores the text. */
bool policy_base64(struct xr_buf *out, const json_t *text);

#endif
