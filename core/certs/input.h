/* SPDX-License-Identifier: Apache-2.0 */
/* Files from people: PEM, DER, PKCS#7, PKCS#12, CRLs, directories, standard input. */
#ifndef XR_INPUT_H
#define XR_INPUT_H

#include "scan.h"

/* The largest honest file is a CRL of some ten MiB, or a bundle of thousands of roots. */
#define XR_INPUT_FILE_MAX ((size_t)64 << 20)
/* All of Certificate Transparency's roots and intermediates fit several times. */
#define XR_INPUT_ITEMS_MAX ((size_t)1 << 18)
/* Deeper than any certificate tree; also stops at a bind mount of a directory into itself. */
#define XR_INPUT_DEPTH_MAX 16

struct xr_input_item {
    const char *file;     /* as named by the user or found below it; borrowed from the input */
    size_t index;         /* 0-based, of the item within its file */
    struct xr_cert *cert; /* one of the two */
    struct xr_crl *crl;
    bool has_trust;      /* came as TRUSTED CERTIFICATE with trust settings */
    uint32_t trust;      /* purposes those settings leave */
    struct xr_bytes aux; /* the settings, DER (xr_der_aux); owned, empty without any */
};

struct xr_input_reject {
    const char *file;
    char *reason;
    bool note; /* something that was not asked for, such as a private key next to its certificate */
};

struct xr_input {
    struct {
        struct xr_input_item *items;
        size_t count, capacity;
    } found;
    struct {
        struct xr_input_reject *items;
        size_t count, capacity;
    } rejected;
    struct xr_strings files;
    struct xr_idmap seen;
    bool failed;              /* a reject that is not a note */
    struct xr_bytes password; /* borrowed while files are added; data NULL: not known */
    /* Sees the bytes of each file first; true: they are of another kind, and it took them. May be NULL. */
    bool (*take)(void *ctx, const char *file, struct xr_bytes data);
    void *ctx;
};

/* Adds the items of path: a file, a directory (all files below it, in byte order of their names),
 * or "-". What cannot be used goes to rejected. An item that occurs twice counts once. */
void xr_input_add(struct xr_input *input, const char *path);
/* The same for bytes already read. */
void xr_input_add_bytes(struct xr_input *input, const char *file, struct xr_bytes data);
void xr_input_free(struct xr_input *input);

/* Reads a text file such as a published page: any file or "-", whole. */
enum xr_status xr_input_text(struct xr_buf *out, const char *path, struct xr_error *err);

#endif
