/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of formats/ use of each other. */
#ifndef XR_FORMATS_PRIVATE_H
#define XR_FORMATS_PRIVATE_H

#include "formats.h"

typedef void (*xr_format_fn)(struct xr_format_files *out, struct xr_format_cert *const *certs,
                             size_t count, const struct xr_format_options *options);
void xr_format_pem_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                          size_t count, const struct xr_format_options *options);
void xr_format_openssl_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                              size_t count, const struct xr_format_options *options);
void xr_format_jks(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                   const struct xr_format_options *options);
void xr_format_edk2(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                    const struct xr_format_options *options);
void xr_format_pem_directory(struct xr_format_files *out, struct xr_format_cert *const *certs,
                             size_t count, const struct xr_format_options *options);
void xr_format_openssl_directory(struct xr_format_files *out, struct xr_format_cert *const *certs,
                                 size_t count, const struct xr_format_options *options);

/* Appends one certificate in its form. */
typedef void (*xr_format_put_fn)(struct xr_buf *out, struct xr_format_cert *cert);

/* pem.c: text from outside, up to a NUL, as part of one line of a file that PEM is read from: without
 * control characters, and never five dashes in a row. */
void xr_format_put_text(struct xr_buf *out, const char *text, size_t len);
/* One block; a bundle of blocks, with comments; and the parts of it. */
void xr_format_put_pem(struct xr_buf *out, struct xr_format_cert *cert);
void xr_format_put_all(struct xr_format_files *out, struct xr_format_cert *const *certs,
                       size_t count, const struct xr_format_options *options, xr_format_put_fn put);
void xr_format_encode(struct xr_format_cert *cert);
/* The file of a format that is one, with room for its certificates as PEM. */
struct xr_buf *xr_format_bundle(struct xr_format_files *out, struct xr_format_cert *const *certs,
                                size_t count);
/* openssl.c: one TRUSTED CERTIFICATE block. */
void xr_format_put_trusted(struct xr_buf *out, struct xr_format_cert *cert);

/* directory.c: the label as a file name without its ending, allocated: ASCII letters, digits, and
 * "._-"; and that name for names_take. */
char *xr_format_bare_name(const struct xr_format_cert *cert);
void xr_format_spell_file(struct xr_buf *buf, const char *name, size_t len, size_t n);

/* unique.c: keeps names apart as p11-kit does: NAME, NAME.1, NAME.2… What a name costs does not grow
 * with how often it was asked for. */
struct xr_format_names {
    const struct xr_host *host;
    struct xr_idmap taken, next;
    size_t *items; /* how often a name was asked for */
    size_t count, capacity;
};
/* Appends the n-th spelling of a name. */
typedef void (*xr_format_spell_fn)(struct xr_buf *buf, const char *name, size_t len, size_t n);
/* spelt becomes the first spelling that is not taken, and takes it. */
void xr_format_names_take(struct xr_format_names *names, struct xr_buf *spelt, const char *name,
                          size_t len, xr_format_spell_fn spell);
/* A name of somebody else: as if it were taken. */
void xr_format_names_reserve(struct xr_format_names *names, const char *name, size_t len);
void xr_format_names_free(struct xr_format_names *names);

/* jks.c: Java's keystores. */
#define XR_JKS_MAGIC  "\xfe\xed\xfe\xed"
#define XR_JKS_DIGEST 20
extern const struct xr_bytes xr_format_java_password; /* the usual one */
/* spelt becomes the alias that Java knows the certificate by. */
void xr_format_java_alias(struct xr_format_names *aliases, struct xr_buf *spelt, const char *prefix,
                          const struct xr_format_cert *cert);
/* A whole keystore, or what it is made of: head, entries, end. */
void xr_format_jks_write(struct xr_format_files *out, struct xr_format_cert *const *certs,
                         size_t count, const struct xr_host *host, struct xr_bytes password);
void xr_format_jks_head(struct xr_buf *out, size_t count);
void xr_format_jks_entry(struct xr_buf *out, const char *alias, size_t len,
                         const struct xr_format_cert *cert);
void xr_format_jks_close(struct xr_buf *out, struct xr_bytes password, const struct xr_host *host);
void xr_format_jks_digest(unsigned char out[XR_JKS_DIGEST], struct xr_bytes data,
                          struct xr_bytes password, const struct xr_host *host);

#endif
