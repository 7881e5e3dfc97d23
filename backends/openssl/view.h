/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One subdirectory of the store, as OpenSSL's by_dir lookup sees it: files, and links HASH.N (CRLs:
 * HASH.rN) that lead to them, N counting up from 0 without a hole. Everything goes through the
 * directory's descriptor; no link is followed to write.
 */
#ifndef XR_OPENSSL_VIEW_H
#define XR_OPENSSL_VIEW_H

#include "kit/base.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

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

/* Reads everything once; files that vanish meanwhile are passed over. */
enum xr_status od_view_load(struct view *view, struct xr_error *err);
void od_view_unload(struct view *view); /* the next load reads it anew */
void od_view_free(struct view *view);   /* closes fd too */
/* OpenSSL looks a name up by its hash: gives the files HASH.0, HASH.1… without loading the rest. */
enum xr_status od_view_lookup(const struct view *view, uint32_t hash, xr_bytes_fn emit, void *ctx);

bool od_view_ours(const struct file *file); /* in the form crossroot writes: SHA256.pem */
/* Does the store hold what is in the file? One without a link is nothing to OpenSSL, and stays
 * nothing, unless it is ours and was interrupted. */
bool od_view_counts(const struct view *view, const struct file *file);
bool od_view_link_like(const char *name); /* HASH.N or HASH.rN */
struct file *od_view_find(const struct view *view, const char *name);

/* Is that a file that can be, in a place where OpenSSL finds it and nothing else by it? */
enum xr_status od_view_may_add(const struct view *view, const struct file *wanted,
                               struct xr_bytes der, struct xr_error *err);
/* Adds a file that may be. content empty: canonical PEM of der. index -1: the next free. */
enum xr_status od_view_add(struct view *view, const struct file *wanted, struct xr_bytes der,
                           struct xr_error *err);
enum xr_status od_view_remove(struct view *view, struct file *file, struct xr_error *err);
/* Gives a file the link it lacks; index as for od_view_add. */
enum xr_status od_view_link(struct view *view, struct file *file, int index, struct xr_error *err);
enum xr_status od_view_unlink(struct view *view, struct file *file, struct xr_error *err);
/* Removes stray links and temporary files. */
enum xr_status od_view_tidy(struct view *view, struct xr_error *err);
/* Links files of ours that an interruption left without. */
enum xr_status od_view_link_all(struct view *view, struct xr_error *err);
/* Removes files an interrupted atomic write left in a directory. */
enum xr_status od_clear_temps(int fd, bool *cleared, struct xr_error *err);
/* To the end; false past limit bytes or when the system says so. */
bool od_read_whole(struct xr_buf *out, int fd, size_t limit);
size_t od_count(int fd); /* names in it */

void od_file_free(struct file *file);
/* Canonical file content of one item; the caller frees. */
struct xr_buf od_canonical(const struct xr_host *host, const struct shape *shape,
                           struct xr_bytes der);

#endif
