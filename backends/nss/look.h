/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What softoken would list of a database, from its files alone (docs/decisions/0030). Whatever is not
 * known to mean the same to every softoken that was measured makes it no answer: then softoken is asked.
 */
#ifndef XR_NSS_LOOK_H
#define XR_NSS_LOOK_H

#include "btree.h"
#include "pkcs11/objects.h"

#include <sys/stat.h>

struct nss_look {
    struct p11_objects
        objects; /* certificates, trust objects of NSS's kind, CRLs: in their order */
    struct nss_look_stamp {
        bool there;
        struct stat st;
        unsigned char counter[4]; /* which every write changes */
    } stamps[2];
};

/* From the files in the directory. False: it is not known, and out is empty. Do not call it while
 * softoken is open: closing a file drops all locks of this process on it. */
bool nss_look_open(struct nss_look *out, const struct xr_host *host, int dir);
/* Of all that is in cert9.db but the IDs of its rows, its indexes of names among it. False: as above. */
bool nss_look_digest(unsigned char out[XR_SHA256_LEN], const struct xr_host *host, int dir);
/* Are the files still those? Not while softoken is open either. */
bool nss_look_holds(const struct nss_look *look, int dir);
void nss_look_free(struct nss_look *look);

/* The same from files in memory; key4 NULL: there is none. */
bool nss_look_read(struct p11_objects *out, const struct xr_host *host, struct btree_file *cert9,
                   struct btree_file *key4);

/* As p11_find would from softoken, and as p11_read one more attribute of what that found. */
void nss_look_find(struct p11_objects *out, const struct nss_look *look, unsigned long kind,
                   const unsigned long *types, size_t count);
void nss_look_more(struct p11_object *object, const struct nss_look *look, unsigned long type);

#endif
