/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs read: one file for each format, all behind one signature. Pure functions from
 * certificates to bytes; nothing here opens a file, and nothing knows a store. The wing formats may
 * use certs and kit; it uses the kit alone, so a plugin can carry it.
 *
 * Formats: PEM (RFC 7468); OpenSSL's TRUSTED CERTIFICATE (X509_CERT_AUX, crypto/x509/x_x509a.c);
 * Java's JKS (sun.security.provider.JavaKeyStore); EFI_SIGNATURE_LIST (UEFI 2.7, 31.4.1); directories
 * with links by hash as `openssl rehash` and `trust extract` make them.
 */
#ifndef XR_FORMATS_H
#define XR_FORMATS_H

#include "kit/base.h"

struct xr_cert;
struct xr_limits;

/* What was issued after that time is not trusted any more; the date is about the leaf's notBefore, never
 * about today (NSS, CKA_NSS_SERVER_DISTRUST_AFTER). */
struct xr_format_date {
    bool known;
    int64_t at; /* seconds since 1970 */
};

/* Every purpose that root lists and outputs tell apart. */
#define XR_ALL_PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME))

/* One certificate, as an output is to tell of it. Everything is the caller's, but base64. */
struct xr_format_cert {
    struct xr_bytes der;
    const char *label;  /* not checked: formats make it harmless */
    size_t label_len;   /* 0: without a label */
    int64_t not_before; /* seconds since 1970; for formats whose entries have a time */
    /* Purposes of OpenSSL's formats: whole OIDs (DER), one after the other. Without a trust list it
     * is trusted for everything; with an empty one for nothing. */
    bool has_trust, has_reject;
    struct xr_bytes trust, reject;
    struct xr_bytes key_id; /* octets; empty: none */
    /* Hashes of the subject that links of a directory are named by. */
    uint32_t link_hash[2];
    size_t link_count;
    /* What follows is for outputs.h alone, and zero elsewhere. der may be empty there: a distrust that is
     * known by issuer and serial. */
    struct xr_cert *cert;           /* NULL without der */
    struct xr_bytes issuer, serial; /* DER, whole elements */
    uint32_t trusted;               /* purposes that it is an anchor for; 0: for none */
    uint32_t distrusted;            /* purposes that it is refused for */
    struct xr_format_date server_after, email_after;
    bool mozilla_policy;              /* CKA_NSS_MOZILLA_CA_POLICY */
    struct xr_bytes limits_extension; /* an attached nameConstraints, DER; empty: none */
    const struct xr_limits *limits;   /* the same, or NULL */
    /* Set to NULL at first. The encoding is kept here for the next output; to be freed. */
    char *base64;
    size_t base64_len;
};

/* A file, or a link, of an output. */
struct xr_format_file {
    char *
        name; /* one path component, or two with "/" between them (outputs.h); NULL: the output is one
                   * file */
    char *target; /* of a link, else NULL */
    struct xr_buf content;
};
struct xr_format_files {
    struct xr_format_file *items;
    size_t count, capacity;
};
void xr_format_files_free(struct xr_format_files *files);

struct xr_format_options {
    const struct xr_host *host; /* for its hashes */
    bool comments;              /* PEM bundles: a line with the label before each certificate */
};

enum xr_format {
    XR_FORMAT_PEM_BUNDLE,
    XR_FORMAT_OPENSSL_BUNDLE,
    XR_FORMAT_JAVA,
    XR_FORMAT_EDK2,
    XR_FORMAT_PEM_DIRECTORY,
    XR_FORMAT_OPENSSL_DIRECTORY,
};
enum { XR_FORMAT_COUNT = XR_FORMAT_OPENSSL_DIRECTORY + 1 };
/* A directory of files and links; the other formats are one file. */
bool xr_format_is_directory(enum xr_format format);
/* Appends to out: one file without a name, or all that a directory has. The same certificates in the
 * same order give the same bytes. */
void xr_format_write(struct xr_format_files *out, enum xr_format format,
                     struct xr_format_cert *const *certs, size_t count,
                     const struct xr_format_options *options);

/* Are these two whole Java keystores that differ at most in the times of their entries? */
bool xr_format_same_jks(struct xr_bytes a, struct xr_bytes b, const struct xr_host *host);
/* Every trusted certificate of a Java keystore that has nothing else. False: the bytes are none with the
 * usual password, something in it is no trusted certificate, or emit failed; some may have been
 * emitted. */
bool xr_format_jks_read(struct xr_bytes file, const struct xr_host *host, xr_bytes_fn emit,
                        void *ctx);

#endif
