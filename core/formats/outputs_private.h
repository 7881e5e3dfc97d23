/* SPDX-License-Identifier: Apache-2.0 */
/* The writers behind outputs.h, one file each. */
#ifndef XR_OUTPUTS_PRIVATE_H
#define XR_OUTPUTS_PRIVATE_H

#include "outputs.h"
#include "private.h"

#define XR_OUTPUT(name)                                                                       \
    void name(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count, \
              const struct xr_output_options *options)
XR_OUTPUT(xr_output_p11kit);
XR_OUTPUT(xr_output_debian);
XR_OUTPUT(xr_output_curl);
XR_OUTPUT(xr_output_certifi);
XR_OUTPUT(xr_output_chromium_policy);
XR_OUTPUT(xr_output_firefox_policy);
XR_OUTPUT(xr_output_mobileconfig);
XR_OUTPUT(xr_output_cluster_bundle);
XR_OUTPUT(xr_output_windows_reg);
XR_OUTPUT(xr_output_nss);
XR_OUTPUT(xr_output_java);
XR_OUTPUT(xr_output_java_p12);

/* output_parts.c */
/* Appends the name for people as it is, up to a NUL: the label, else the short name of the subject. */
void xr_output_label(struct xr_buf *out, const struct xr_format_cert *cert);
/* Appends base64 in lines of width characters (0: one line), each after indent, without a final line
 * end. */
void xr_output_base64(struct xr_buf *out, struct xr_format_cert *cert, size_t width,
                      const char *indent);
/* Appends a file of that name, which it takes. */
struct xr_buf *xr_output_file(struct xr_format_files *out, char *name);

const char *xr_output_cluster_refuses(const struct xr_format_cert *cert);

/* Keystores of others. Aliases of an update are "crossroot:" and the usual alias. */
enum xr_status xr_output_java_update(struct xr_buf *out, struct xr_bytes old,
                                     struct xr_format_cert *const *certs, size_t count,
                                     const struct xr_output_options *options, struct xr_error *err);
enum xr_status xr_output_java_p12_update(struct xr_buf *out, struct xr_bytes old,
                                         struct xr_format_cert *const *certs, size_t count,
                                         const struct xr_output_options *options,
                                         struct xr_error *err);
char *xr_output_java_keeps(struct xr_bytes old, const struct xr_output_options *options);
char *xr_output_java_p12_keeps(struct xr_bytes old, const struct xr_output_options *options);

#endif
