/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What key4.db says of a password, and what it proves of trust, for the one case that softoken opens by
 * itself: the empty password. Only the forms that softoken writes today are known (NSS 3.87 to 3.125).
 */
#ifndef XR_NSS_SEALS_H
#define XR_NSS_SEALS_H

#include <crossroot/backend.h>

struct nss_seals {
    const struct xr_host *host;
    unsigned char key[20]; /* of the empty password */
};
/* From the record "password" of key4.db, its salt and its check. False: the password is another one, or
 * it is not known. */
bool nss_seals_open(struct nss_seals *out, const struct xr_host *host, struct xr_bytes salt,
                    struct xr_bytes check);
/* Does the record prove that value of an attribute of that object? False: no, or not known. */
bool nss_seals_hold(const struct nss_seals *seals, uint32_t object, uint32_t type,
                    struct xr_bytes value, struct xr_bytes proof);

#endif
