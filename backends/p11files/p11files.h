/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What p11-kit's trust module makes of its source directories, and what `trust extract` makes of
 * that, without p11-kit: Fedora, RHEL, Arch and openSUSE publish their trust this way.
 *
 * Formats: p11-kit trust/{token,parser,persist,builder,enumerate,extract-*}.c, as of 0.24.1 and
 * 0.26.4. Pure: bytes in, bytes out; nothing here opens a file. Same input, same output.
 *
 * Which files are which: a token is one of the module's paths. Its own entries that are not
 * directories (links followed, any name) are PK_BASE, those of its anchors/ and blocklist/
 * PK_ANCHORS and PK_BLOCKLIST; nothing deeper is read. A token that is a file itself is
 * PK_ANCHORS. The order is tokens; areas; names by strcmp (before 0.25.6: as readdir has them).
 */
#ifndef XR_PK_PK_H
#define XR_PK_PK_H

#include "kit/base.h"

/* Which part of a source directory a file lies in. */
enum pk_area { PK_BASE, PK_ANCHORS, PK_BLOCKLIST };

#define PK_NONE SIZE_MAX

/* One certificate object of the module. */
struct pk_cert {
    struct xr_bytes der; /* owned; empty where the source has only issuer and serial, or a key */
    struct xr_bytes issuer, serial, spki, subject; /* DER, as the module has them: slices of der
                                                      or of own; empty where it has none */
    unsigned char sha256[XR_SHA256_LEN];           /* of der */
    char *label; /* NULL without one; may hold NUL, and BMP strings make surrogates of it */
    size_t label_len;
    bool trusted, distrusted; /* CKA_TRUSTED, CKA_X_DISTRUSTED */
    bool dated;         /* NSS takes what it issued up to a date: CKA_NSS_SERVER_DISTRUST_AFTER */
    size_t token, file; /* numbers: as given to pk_add, and of that call */

    /* Known after pk_settle: */
    bool authority;    /* CKA_CERTIFICATE_CATEGORY is 2 */
    bool usable;       /* parses, and so does all that is attached: else it is in no output */
    bool blocked;      /* its key or its issuer and serial is distrusted somewhere */
    uint32_t purposes; /* attached EKU, else its own, else XR_ANY_PURPOSE; 0: none we know */
    size_t attached;   /* first attached extension, see pk_extension.next, or PK_NONE */

    /* Private: */
    unsigned char *own;
    int64_t not_before;
    struct xr_bytes eku; /* content of its own extension; data is NULL without one */
    struct xr_bytes key; /* SPKI inside der */
    int category;        /* said by the source, or -1 */
    int plain;           /* category of the certificate alone */
    bool parses;
    char *base64;
    size_t base64_len;
};

/* What all extensions attached to a key say together; values of extensions, or empty. */
struct pk_attached {
    struct xr_bytes eku, reject, skid;
    size_t basic; /* of pk_store.extensions, or PK_NONE */
    bool broken;
};

/* An extension attached from outside, bound to a key within its token. */
struct pk_extension {
    struct xr_bytes spki, oid, value; /* owned; value is the whole Extension, DER */
    size_t token, file;
    /* Known after pk_settle: */
    size_t next;            /* next one of the same key that counts, or PK_NONE */
    struct pk_attached sum; /* in the first of a key */

    /* Private: */
    size_t place;     /* number of certificates read before it */
    size_t last_file; /* that brought one of this key and OID */
};

/* Is it about purposes, key identifiers or being a CA, which all outputs heed? Constraints are not. */
bool pk_is_trust(const struct pk_extension *extension);

struct pk_store {
    const struct xr_host *host;
    bool first_rdn; /* label from the first RDN that has one, as p11-kit before 0.26 */
    struct {
        struct pk_cert *items;
        size_t count, capacity;
    } certs;
    struct {
        struct pk_extension *items;
        size_t count, capacity;
    } extensions;
    size_t files;
    bool settled;
};

/* Reads one file's bytes. name, its last component, is for messages. Files are added in the order
 * of the module. XR_INVALID with a reason: the module would not read it either. What it reads
 * before it stumbles was added, the other files go on. */
enum xr_status pk_add(struct pk_store *store, size_t token, enum pk_area area, const char *name,
                      struct xr_bytes data, struct xr_error *err);
/* Works out what depends on all files. pk_extract does it when needed; so must who reads the
 * fields marked above, after the last pk_add. */
void pk_settle(struct pk_store *store);
void pk_free(struct pk_store *store);

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
    uint32_t purpose; /* one of XR_SERVER … XR_TIME; 0: no limit, but for anchors in formats other
                         than OpenSSL's it is XR_SERVER then */
    bool comments;    /* a line with the label before each */
};
/* What `trust extract` would write, but for two things. A Java entry's time is its certificate's
 * notBefore. Comments have no control characters and no five dashes in a row, with which a label
 * adds certificates to p11-kit's own bundles. A bundle is one element without a name. */
void pk_extract(struct pk_outs *out, struct pk_store *store, const struct pk_request *request);

/* Are these two whole Java keystores, the same but for the times of their entries? */
bool pk_same_keystore(struct xr_bytes a, struct xr_bytes b, const struct xr_host *host);

#endif
