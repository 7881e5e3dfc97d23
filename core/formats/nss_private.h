/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an NSS database share (softoken's lib/softoken/sdb.c, sftkdb.c, sftkpwd.c). */
#ifndef XR_NSS_PRIVATE_H
#define XR_NSS_PRIVATE_H

#include "sqlite.h"

/* pkcs11t.h: what rows are found by */
enum {
    XR_CKA_LABEL = 0x3,
    XR_CKA_ISSUER = 0x81,
    XR_CKA_SUBJECT = 0x101,
    XR_CKA_ID = 0x102,
};

/* nss_objects.c. The structure stays where it was started. */
enum { XR_NSS_INDEXES = 5 };
struct xr_nss_objects {
    struct xr_sqlite_table table;
    struct xr_sqlite_index indexes[XR_NSS_INDEXES];
    struct xr_sqlite_value *row; /* the one that is being made */
    char *sql[XR_NSS_INDEXES], *own_name;
};
void xr_nss_objects_start(struct xr_nss_objects *objects, const char *name);
/* Sets an attribute in the row that is being made; value stays the caller's. */
void xr_nss_objects_set(struct xr_nss_objects *objects, uint32_t type, struct xr_bytes value);
/* Adds the row, and starts an empty one; returns its handle. */
uint32_t xr_nss_objects_add(struct xr_nss_objects *objects);
void xr_nss_objects_free(struct xr_nss_objects *objects);

/* nss_keys.c: key4.db, the proofs of what another database says. NSS believes no trust without one. The
 * password is empty, as browsers have it, so the salts keep no secret; they come from seed. */
struct xr_nss_keys {
    unsigned char seed[XR_SHA256_LEN];
    unsigned char key[20]; /* of the password */
    struct xr_sqlite_table rows;
};
void xr_nss_keys_start(struct xr_nss_keys *keys, struct xr_bytes seed);
/* Proves the value of one attribute of an object in cert9.db. */
void xr_nss_keys_prove(struct xr_nss_keys *keys, uint32_t object, uint32_t type,
                       struct xr_bytes value);
/* Appends key4.db to out, which is empty, and frees keys. */
void xr_nss_keys_write(struct xr_buf *out, struct xr_nss_keys *keys);

#endif
