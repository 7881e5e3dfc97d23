/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root lists: what a root program, a distribution or a machine says of certificates. Each source is read
 * into one list of entries; several are merged into one; two are compared. The folder lists may use
 * p11files, formats, certs, sys and kit. Nothing here opens a file.
 */
#ifndef XR_LISTS_H
#define XR_LISTS_H

#include "certs/input.h"
#include "formats/formats.h"
#include "kit/limits.h"

/* One certificate of a list, or what is said of one that the list does not have. */
struct xr_root {
    struct xr_cert *cert; /* referenced; NULL: not there */
    struct xr_bytes issuer,
        serial; /* DER, whole elements, owned where cert is NULL; empty: not known */
    bool has_sha256, has_id;
    unsigned char sha256[XR_SHA256_LEN]; /* of the certificate, which may not be there */
    unsigned char id[XR_SHA256_LEN];     /* of issuer and serial, which may not be there */
    char *label;         /* owned, hostile, UTF-8 as the source has it; NULL without one */
    char *subject;       /* for people, where cert is NULL; owned; or NULL */
    uint32_t trusted;    /* purposes that it is an anchor for */
    uint32_t distrusted; /* purposes that it is refused for: never also trusted */
    struct xr_format_date server_after, email_after;
    bool mozilla_policy;
    bool unsaid;             /* its sources are files of certificates, which say nothing of trust */
    struct xr_limits limits; /* that a store or a program puts on it, beside its own */
    size_t source;           /* index in the list's sources: the first that has it */
};

struct xr_list_source {
    char *name;       /* as named by the user */
    const char *kind; /* "certdata.txt", "CCADB", "store"… for people */
    unsigned char sha256[XR_SHA256_LEN];
    int64_t modified;
};

struct xr_list {
    struct {
        struct xr_root *items; /* in the order of the source */
        size_t count, capacity;
    } roots;
    struct {
        struct xr_list_source *items;
        size_t count, capacity;
    } sources;
    struct xr_idmap
        distrusted; /* IDs that are distrusted whatever certificates have them: SHA-256 of issuer
                                 * and serial number, or of a key (xr_list_settle) */
    struct xr_strings notes;   /* what was odd, for people; not visible-ised */
    struct xr_idmap by_sha256; /* of roots that have one */
    struct xr_idmap by_serial; /* by issuer and serial number */
};

/* The entry of that certificate; a new one, all zero but for its certificate, if it has none. */
struct xr_root *xr_list_add_cert(struct xr_list *list, struct xr_cert *cert);
/* The same for what is known by its issuer and serial number. */
struct xr_root *xr_list_add_serial(struct xr_list *list, struct xr_bytes issuer,
                                   struct xr_bytes serial);
/* The same for what is known by its SHA-256 alone. */
struct xr_root *xr_list_add_sha256(struct xr_list *list, const unsigned char sha256[XR_SHA256_LEN]);
/* The same for what is known by the hash of its issuer and serial number alone (XR_SUBJECT_ISSUER_SERIAL). */
struct xr_root *xr_list_add_id(struct xr_list *list, const unsigned char id[XR_SHA256_LEN]);
struct xr_root *xr_list_find(const struct xr_list *list, const unsigned char sha256[XR_SHA256_LEN]);
void xr_list_free(struct xr_list *list);
/* Text for people, allocated, visible: its label, else the short name of its subject, else what is known. */
char *xr_root_name(const struct xr_root *root);

/* ---- readers: each adds to an empty list ---- */

/* Which reader would read these bytes? */
enum xr_list_kind {
    XR_LIST_ITEMS,    /* certificates: whatever certs/input.h reads */
    XR_LIST_CERTDATA, /* Mozilla's certdata.txt */
    XR_LIST_CCADB,    /* CCADB's IncludedCACertificateReportPEMCSV */
    XR_LIST_P11KIT,   /* a source file of p11-kit */
    XR_LIST_JKS,      /* a Java keystore */
    XR_LIST_JSON,     /* a document of `crossroot list --json` */
};
enum xr_list_kind xr_list_guess(struct xr_bytes data);
/* Whole or an error, never a shorter list. err says where. */
enum xr_status xr_list_certdata(struct xr_list *out, struct xr_bytes data, struct xr_error *err);
enum xr_status xr_list_ccadb(struct xr_list *out, struct xr_bytes data, struct xr_error *err);
/* Files of one directory are read together: an extension may stand in another file than its
 * certificate. */
struct xr_p11_source *xr_p11_source_new(const struct xr_host *host);
enum xr_status xr_p11_source_add(struct xr_p11_source *source, const char *name,
                                 struct xr_bytes data, struct xr_error *err);
enum xr_status xr_list_p11kit(struct xr_list *out, struct xr_p11_source *source,
                              struct xr_error *err);
void xr_p11_source_free(struct xr_p11_source *source);
/* A document of `crossroot list --json`: hashes, subjects and purposes, no certificates. */
enum xr_status xr_list_json(struct xr_list *out, struct xr_bytes data, struct xr_error *err);
enum xr_status xr_list_jks(struct xr_list *out, struct xr_bytes data, const struct xr_host *host,
                           struct xr_error *err);

/* ---- writing ---- */

/* What an output is told of an entry: told points into root and memory (told.c). */
struct xr_told {
    struct xr_format_cert cert;
    struct xr_buf trust, reject, limits;
};
/* trusted and distrusted: what of it the output is to say. links: its directory has links by hash. */
void xr_told_init(struct xr_told *told, const struct xr_root *root, uint32_t trusted,
                  uint32_t distrusted, bool links, const struct xr_host *host);
void xr_told_free(struct xr_told *told);

/* ---- merging and comparing ---- */

/* Distrusts every certificate with that ID: of its issuer and serial number, or of its key. */
void xr_list_distrust(struct xr_list *list, const unsigned char id[XR_SHA256_LEN]);
/* Purposes of a certificate that both lists have. */
enum xr_merge {
    XR_MERGE_FIRST, /* those that list had, unless its files say nothing of trust and it had none */
    XR_MERGE_SAID,  /* those of both; but what says nothing of trust gives way to what does */
    XR_MERGE_ALL    /* those of both */
};
/* Moves what add holds into list. What is in both: a purpose that one distrusts is distrusted, and a note
 * says so. Of two dates the earlier one. Of limits those that there are; of two different ones those of
 * list, and without the purposes of add. add is empty afterwards. */
void xr_list_merge(struct xr_list *list, struct xr_list *add, enum xr_merge how);
/* Once all is merged: applies what is distrusted by an ID. */
void xr_list_settle(struct xr_list *list);

#endif
