/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One subdirectory of the store, as OpenSSL's by_dir lookup reads it: files, and links HASH.N
 * (CRLs: HASH.rN) to them, with N from 0 up without a gap. All access is through the directory's
 * descriptor; nothing is written through a link.
 */
#ifndef XR_OPENSSL_VIEW_H
#define XR_OPENSSL_VIEW_H

#include "tree.h"

/* One certificate or CRL of a file. */
struct item {
    struct file *file; /* once that is in a view */
    size_t at;         /* its place in the file, likewise */
    enum xr_item_kind kind;
    struct xr_bytes raw; /* owned: der, and trust settings behind it */
    struct xr_bytes der;
    uint32_t purposes; /* what trust settings leave, XR_ANY_PURPOSE without any */
    unsigned char sha256[XR_SHA256_LEN];
    uint32_t hash; /* of the subject, or the CRL's issuer */
};

/* Those of a view stand in the order in which they came into it. name and index are changed by index.h
 * only. */
struct file {
    struct file *previous, *next;
    size_t turn; /* of its coming, from 1 */
    char *name;
    char *shown;   /* the name as UTF-8, safe to show */
    unsigned mode; /* permission bits */
    char *target;  /* target of a file that is a link to another place, or NULL */
    struct xr_buf content;
    struct {
        struct item *items;
        size_t count, capacity;
    } held;
    int index;   /* N of its link, -1 without one */
    bool itself; /* the file itself is named HASH.N */
    bool hidden; /* after a gap in the numbers, where OpenSSL does not look */
    bool broken; /* OpenSSL takes what is held, then finds damage and looks no further */
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
    struct file *first, *last;
    size_t count, turns;
    struct {
        struct hash_link *items;
        size_t count, capacity;
    } foreign; /* foreign links that belong to no file: left alone; by hash, number, blocks */
    struct od_tree names;    /* files */
    struct od_tree numbers;  /* files that have a link */
    struct od_tree sums;     /* items, by SHA-256 */
    struct od_tree rows;     /* what is known of a hash: see index.c */
    struct xr_strings stray; /* our links that are dangling or duplicate, and temporary files */
};

#endif
