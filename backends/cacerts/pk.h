/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What p11-kit's trust module makes of its source directories, and what `trust extract` makes of
 * that, without p11-kit: Fedora, RHEL, Arch and openSUSE publish their trust this way.
 *
 * Formats: p11-kit trust/{token,parser,persist,builder,enumerate,extract-*}.c, as of 0.24.1 and
 * 0.26. Pure: bytes in, bytes out; nothing here opens a file. Same input, same output.
 */
#ifndef XR_CACERTS_PK_H
#define XR_CACERTS_PK_H

#include "base.h"

/* Which part of a source directory a file lies in. */
enum pk_area { PK_BASE, PK_ANCHORS, PK_BLOCKLIST };

/* One certificate object of the module. */
struct pk_cert {
    struct xr_bytes der; /* owned; empty where the source has only issuer and serial, or a key */
    struct xr_bytes issuer, serial, spki; /* DER; slices of der, or owned where there is none */
    unsigned char sha256[XR_SHA256_LEN];  /* of der */
    char *label;                          /* UTF-8 or NULL */
    bool trusted, distrusted;             /* CKA_TRUSTED, CKA_X_DISTRUSTED */
    bool authority;                       /* CKA_CERTIFICATE_CATEGORY is 2 */
    size_t file;                          /* number of the source file, as pk_add gave it */
};

/* An extension attached from outside, bound to a key. */
struct pk_extension {
    struct xr_bytes spki, oid, value; /* owned; value is the whole Extension, DER */
    size_t file;
};

struct pk_store {
    const struct xr_host *host;
    struct {
        struct pk_cert *items;
        size_t count, capacity;
    } certs;
    struct {
        struct pk_extension *items;
        size_t count, capacity;
    } extensions;
    size_t files;
};

/* Reads one file's bytes. name is its last component. Files are added in the order of the module:
 * token after token. XR_INVALID with a reason: the module would not read it either (nothing was
 * added, the others go on). */
enum xr_status pk_add(struct pk_store *store, size_t token, enum pk_area area, const char *name,
                      struct xr_bytes data, struct xr_error *err);
void pk_free(struct pk_store *store);

/* Purposes p11-kit would extract this certificate for: attached EKU, else its own, else
 * XR_ANY_PURPOSE. */
uint32_t pk_purposes(const struct pk_store *store, const struct pk_cert *cert);

/* A file, or a link, below an output directory. */
struct pk_out {
    char *name;
    char *target; /* of a link, or NULL */
    struct xr_buf content;
};
struct pk_outs {
    struct pk_out *items;
    size_t count, capacity;
};
void pk_outs_free(struct pk_outs *outs);

enum pk_format {
    PK_PEM_BUNDLE,
    PK_OPENSSL_BUNDLE,
    PK_JAVA_CACERTS,
    PK_EDK2_CACERTS,
    PK_PEM_DIRECTORY_HASH,
    PK_OPENSSL_DIRECTORY,
};
enum pk_filter { PK_CA_ANCHORS, PK_CERTIFICATES };

struct pk_request {
    enum pk_format format;
    enum pk_filter filter;
    uint32_t purpose; /* one of XR_SERVER, XR_EMAIL, XR_CODE; 0: no limit */
    bool comments;
};
/* What `trust extract` would write. A bundle is one element without a name. */
enum xr_status pk_extract(struct pk_outs *out, const struct pk_store *store,
                          const struct pk_request *request, struct xr_error *err);

/* Are these two Java keystores the same but for the times of their entries? */
bool pk_same_keystore(struct xr_bytes a, struct xr_bytes b, const struct xr_host *host);

#endif
