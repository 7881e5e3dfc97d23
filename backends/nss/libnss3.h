/* SPDX-License-Identifier: Apache-2.0 */
/* libnss3's functions, for verifier.c and reasons.c. */
#ifndef XR_NSS_LIBNSS3_H
#define XR_NSS_LIBNSS3_H

#include "kit/base.h"

#include "../pkcs11/symbols.h"

#include <cert.h>
#include <certdb.h>
#include <nss.h>
#include <pk11func.h>
#include <prerror.h>
#include <secerr.h>
#include <secmod.h>
#include <sslerr.h>

/* All functions are looked up at run time, because this program must start without NSS. */
#define NSS_FUNCTIONS(X)               \
    X(NSS_Initialize)                  \
    X(NSS_Shutdown)                    \
    X(NSS_GetVersion)                  \
    X(SECMOD_LoadUserModule)           \
    X(SECMOD_UnloadUserModule)         \
    X(SECMOD_DestroyModule)            \
    X(SECMOD_OpenUserDB)               \
    X(SECMOD_CloseUserDB)              \
    X(CERT_GetDefaultCertDB)           \
    X(CERT_NewTempCertificate)         \
    X(CERT_DupCertificate)             \
    X(CERT_DestroyCertificate)         \
    X(CERT_DestroyCertList)            \
    X(CERT_CreateSubjectCertList)      \
    X(CERT_GetCertChainFromCert)       \
    X(CERT_GetCertTrust)               \
    X(CERT_FindCertByIssuerAndSN)      \
    X(CERT_FindCertExtension)          \
    X(CERT_DecodeBasicConstraintValue) \
    X(SECITEM_FreeItem)                \
    X(CERT_IsCACert)                   \
    X(CERT_CheckCertValidTimes)        \
    X(CERT_GetCertTimes)               \
    X(CERT_VerifyCACertForUsage)       \
    X(CERT_VerifyCertificate)          \
    X(CERT_VerifyCertName)             \
    X(CERT_VerifySignedData)           \
    X(CERT_PKIXVerifyCert)             \
    X(CERT_SetUsePKIXForValidation)    \
    X(PK11_GetInternalKeySlot)         \
    X(PK11_NeedLogin)                  \
    X(PK11_NeedUserInit)               \
    X(PK11_FreeSlot)                   \
    X(PR_GetError)                     \
    X(PR_SetError)                     \
    X(PR_ErrorToName)                  \
    X(PR_ErrorToString)

struct functions {
    NSS_FUNCTIONS(P11_FUNCTION)
};

/* reasons.c: the SHA-256 of a CA that has the name of the issuer that a path from cert upwards lacks,
 * but not its key; false: there is none. */
bool nss_namesake(unsigned char sha256[XR_SHA256_LEN], const struct functions *nss,
                  const struct xr_host *host, CERTCertificate *cert);

/* Likewise of the certificate with the issuer and serial number of der. */
bool nss_same_serial(unsigned char sha256[XR_SHA256_LEN], const struct functions *nss,
                     const struct xr_host *host, struct xr_bytes der);

/* NSS's name of an error; out: for one that it has no name for. */
const char *nss_error_name(char out[32], const struct functions *nss, PRErrorCode code);
/* Writes one line, without the final full stop of NSS's texts. */
void nss_say_error(struct xr_buf *why, const struct functions *nss, PRErrorCode code);

#endif
