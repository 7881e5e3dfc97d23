/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One subdirectory of the store, as OpenSSL's by_dir lookup sees it: files, and links HASH.N (CRLs:
 * HASH.rN) that lead to them, N counting up from 0 without a hole. Everything goes through the
 * directory's descriptor; no link is followed to write.
 */
#ifndef XR_OPENSSL_VIEW_H
#define XR_OPENSSL_VIEW_H

#include "kit/base.h"

/* One certificate or CRL of a file. */
struct item {
    enum xr_item_kind kind;
    struct xr_bytes raw; /* owned: der, and trust settings behind it */
    struct xr_bytes der;
    uint32_t purposes; /* what trust settings leave, XR_ANY_PURPOSE without any */
    unsigned char sha256[XR_SHA256_LEN];
    uint32_t hash; /* of the subject, or the CRL's issuer */
};

struct file {
    char *name;
    char *shown;   /* the name as UTF-8, harmless */
    unsigned mode; /* permission bits */
    char *target;  /* of a file that is a link to elsewhere, or NULL */
    struct xr_buf content;
    struct {
        struct item *items;
        size_t count, capacity;
    } held;
    int index;   /* N of its link, -1 without one */
    bool itself; /* the file is named HASH.N: it is its own link */
    bool hidden; /* behind a gap in the numbers, where OpenSSL does not look */
};

struct shape {
    enum xr_place place;
    const char *dir;
    const char *bundle; /* file beside dir with all of it as PEM, or NULL */
    const char *label;  /* of PEM */
    bool hashed;
    const char *infix; /* before N */
};

/* name and target only while loading. */
struct hash_link {
    uint32_t hash;
    int index;
    bool blocks; /* OpenSSL looks no further */
    char *name, *target;
};

struct view {
    const struct shape *shape;
    const struct xr_host *host;
    int fd; /* -1: the directory does not exist */
    bool loaded, dirty;
    struct file **items;
    size_t count, capacity;
    struct {
        struct hash_link *items;
        size_t count, capacity;
    } foreign;               /* links of others that are no file's own: left alone */
    struct xr_strings stray; /* links of ours that lead nowhere or twice, temporary files */
};

#endif
