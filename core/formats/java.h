/* SPDX-License-Identifier: Apache-2.0 */
/* Java's keystores of others, in JKS and in PKCS#12. */
#ifndef XR_FORMATS_JAVA_H
#define XR_FORMATS_JAVA_H

#include "outputs_private.h"

/* An update knows its own entries by it. */
#define XR_JAVA_PREFIX "crossroot:"

/* What a keystore has that is no trusted certificate. */
struct xr_java_others {
    size_t keys, secrets, rest;
};

/* java.c */
struct xr_bytes xr_java_password(const struct xr_output_options *options);
bool xr_java_is_ours(const char *alias, size_t len);
char *xr_java_others_text(const struct xr_java_others *others); /* NULL: none */
/* What a file is that was expected to be a keystore of that kind; allocated. */
char *xr_java_not_text(struct xr_bytes file, const char *kind);
enum xr_status xr_java_wrong(struct xr_error *err);

/* java_p12.c: parts of PKCS#12 (RFC 7292), appended. */
extern const struct xr_bytes xr_p12_data, xr_p12_encrypted; /* types of content; whole OIDs */
extern const struct xr_bytes xr_p12_cert_bag, xr_p12_x509, xr_p12_friendly_name, xr_p12_trusted;
void xr_p12_put_bags(struct xr_buf *out, struct xr_format_cert *const *certs, size_t count,
                     struct xr_format_names *names, const char *prefix);
/* A ContentInfo around SafeBags, which lie one after the other. */
void xr_p12_put_safe(struct xr_buf *out, struct xr_bytes bags);
/* How a file's MAC is made. */
struct xr_p12_mac {
    struct xr_bytes algorithm; /* AlgorithmIdentifier of the hash, whole; empty: no MAC */
    size_t salt_len;
    uint64_t rounds;
};
/* Of a new file: with a password that of keytool since JDK 16, else none. */
struct xr_p12_mac xr_p12_new_mac(const struct xr_output_options *options);
/* The whole file around ContentInfos. The salt comes from the content, so that the same content gives the
 * same bytes. */
enum xr_status xr_p12_put_file(struct xr_buf *out, struct xr_bytes safes,
                               const struct xr_p12_mac *mac, struct xr_bytes password,
                               const struct xr_host *host, struct xr_error *err);
/* len octets that seed decides. */
void xr_p12_derive(unsigned char *out, size_t len, struct xr_bytes seed, const char *use,
                   const struct xr_host *host);

#endif
