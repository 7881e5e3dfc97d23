/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What p11-kit's trust module makes of its source directories, and what `trust extract` makes of
 * that, without p11-kit: Fedora, RHEL, Arch and openSUSE publish their trust this way.
 *
 * Formats: p11-kit trust/{token,parser,persist,builder,enumerate,extract-*}.c, as of 0.24.1 and
 * 0.26.4. Pure: bytes in, bytes out; nothing here opens a file. Same input, same output.
 *
 * Which files are which: a token is one of the module's paths. Its own entries that are not
 * directories (links followed, any name) are PF_BASE, those of its anchors/ and blocklist/
 * PF_ANCHORS and PF_BLOCKLIST; nothing deeper is read. A token that is a file itself is
 * PF_ANCHORS. The order is tokens; areas; names by strcmp (before 0.25.6: as readdir has them).
 */
#ifndef XR_P11FILES_H
#define XR_P11FILES_H

#include "formats/formats.h"

/* Which part of a source directory a file lies in. */
enum pf_area { PF_BASE, PF_ANCHORS, PF_BLOCKLIST };

#define PF_NONE SIZE_MAX

/* One certificate object of the module. */
struct pf_cert {
    struct xr_bytes der; /* owned; empty where the source has only issuer and serial, or a key */
    struct xr_bytes issuer, serial, spki, subject; /* DER, as the module has them: slices of der
                                                      or of own; empty where it has none */
    unsigned char sha256[XR_SHA256_LEN];           /* of der */
    char *label; /* NULL without one; may hold NUL, and BMP strings make surrogates of it */
    size_t label_len;
    bool trusted, distrusted; /* CKA_TRUSTED, CKA_X_DISTRUSTED */
    bool dated; /* NSS takes what it issued up to a date: CKA_NSS_SERVER_DISTRUST_AFTER */
    struct xr_format_date server_after, email_after; /* that date; known if it can be read */
    bool mozilla_policy;                             /* CKA_NSS_MOZILLA_CA_POLICY */
    size_t token, file; /* numbers: as given to pf_add, and of that call */

    /* Known after pf_combine: */
    bool authority;    /* CKA_CERTIFICATE_CATEGORY is 2 */
    bool usable;       /* parses, and so does all that is attached: else it is in no output */
    bool blocked;      /* its key or its issuer and serial is distrusted somewhere */
    uint32_t purposes; /* attached EKU, else its own, else XR_ANY_PURPOSE; 0: none we know */
    size_t attached;   /* first attached extension, see pf_extension.next, or PF_NONE */

    bool left_out; /* set by the caller: not for pf_extract */

    /* Private: */
    unsigned char *own;
    int64_t not_before;
    struct xr_bytes eku; /* content of its own extension; data is NULL without one */
    struct xr_bytes key; /* SPKI inside der */
    int category;        /* said by the source, or -1 */
    int plain;           /* category of the certificate alone */
    bool parses;
    struct xr_format_cert told;  /* to outputs, see pf_extract */
    struct xr_buf trust, reject; /* for it */
};

/* What all extensions attached to a key say together; values of extensions, or empty. */
struct pf_attached {
    struct xr_bytes eku, reject, skid;
    size_t basic; /* of pf_store.extensions, or PF_NONE */
    bool broken;
};

/* An extension attached from outside, bound to a key within its token. */
struct pf_extension {
    struct xr_bytes spki, oid, value; /* owned; value is the whole Extension, DER */
    size_t token, file;
    /* Known after pf_combine: */
    size_t next;            /* next one of the same key that counts, or PF_NONE */
    struct pf_attached sum; /* in the first of a key */

    /* Private: */
    size_t place;     /* number of certificates read before it */
    size_t last_file; /* that brought one of this key and OID */
};

/* Is it about purposes, key identifiers or being a CA, which all outputs heed? Constraints are not. */
bool pf_is_trust(const struct pf_extension *extension);
uint32_t pf_rejected(const struct pf_attached *sum); /* purposes; XR_ANY_PURPOSE: all */

struct pf_store {
    const struct xr_host *host;
    bool first_rdn; /* label from the first RDN that has one, as p11-kit before 0.26 */
    struct {
        struct pf_cert *items;
        size_t count, capacity;
    } certs;
    struct {
        struct pf_extension *items;
        size_t count, capacity;
    } extensions;
    size_t files;
    bool combined;
};

/* Reads one file's bytes. name, its last component, is for messages. Files are added in the order
 * of the module. XR_INVALID with a reason: the module would not read it either. What it reads
 * before it stumbles was added, the other files go on. */
enum xr_status pf_add(struct pf_store *store, size_t token, enum pf_area area, const char *name,
                      struct xr_bytes data, struct xr_error *err);
/* Works out what depends on all files. pf_extract does it when needed; so must who reads the
 * fields marked above, after the last pf_add. */
void pf_combine(struct pf_store *store);
void pf_free(struct pf_store *store);

enum pf_filter { PF_CA_ANCHORS, PF_CERTIFICATES };

struct pf_request {
    enum xr_format format;
    enum pf_filter filter;
    uint32_t purpose; /* one of XR_SERVER … XR_TIME; 0: no limit, but for anchors in formats other
                         than OpenSSL's it is XR_SERVER then */
    bool comments;    /* a line with the label before each */
};
/* Emits each certificate that an output has, in its order. */
typedef void (*pf_cert_fn)(void *ctx, struct pf_cert *cert);
void pf_each(struct pf_store *store, const struct pf_request *request, pf_cert_fn emit, void *ctx);
/* What `trust extract` would write, but for two things. A Java entry's time is its certificate's
 * notBefore. Comments have no control characters and no five dashes in a row, with which a label
 * adds certificates to p11-kit's own bundles. */
void pf_extract(struct xr_format_files *out, struct pf_store *store,
                const struct pf_request *request);

#endif
