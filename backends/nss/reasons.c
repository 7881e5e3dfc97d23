/* SPDX-License-Identifier: Apache-2.0 */
#include "libnss3.h"

#include "kit/der.h"

#include <stdlib.h>

enum { STEPS_MAX = 8, NAMESAKES_MAX = 16 };

static struct xr_bytes der_of(const CERTCertificate *cert)
{
    return (struct xr_bytes){cert->derCert.data, cert->derCert.len};
}

/* RSA (1.2.840.113549) or elliptic curves (1.2.840.10045), of a key or a signature; 0: another. */
static int family(const SECAlgorithmID *algorithm)
{
    static const unsigned char starts[][5] = {{0x2a, 0x86, 0x48, 0x86, 0xf7},
                                              {0x2a, 0x86, 0x48, 0xce, 0x3d}};

    for (int i = 0; i < 2; i++) {
        if (algorithm->algorithm.len > sizeof(starts[0]) &&
            memcmp(algorithm->algorithm.data, starts[i], sizeof(starts[0])) == 0)
            return i + 1;
    }
    return 0;
}

/* Did that key sign it? Where that cannot be told, such as for an algorithm that NSS does not use any
 * more, the answer is yes. */
static bool may_have_signed(const struct functions *nss, CERTCertificate *issuer,
                            CERTCertificate *cert)
{
    PRTime from = 0, to = 0;
    PRErrorCode code = 0;
    int key = family(&issuer->subjectPublicKeyInfo.algorithm);
    int signature = family(&cert->signatureWrap.signatureAlgorithm);

    if (key != 0 && signature != 0 && key != signature)
        return false;
    /* Asked for a time when the issuer is valid: an expired one has the key all the same. */
    if (nss->CERT_GetCertTimes(issuer, &from, &to) != SECSuccess)
        return true;
    nss->PR_SetError(0, 0);
    if (nss->CERT_VerifySignedData(&cert->signatureWrap, issuer, from, NULL) == SECSuccess)
        return true;
    code = nss->PR_GetError();
    return code != SEC_ERROR_BAD_SIGNATURE;
}

/* One step upwards: *next is a certificate that the issuer may be, for the caller to destroy. Without
 * one, *other is a stored certificate that has but the name. */
static void step(CERTCertificate **next, CERTCertificate **other, const struct functions *nss,
                 CERTCertificate *cert)
{
    CERTCertList *issuers = nss->CERT_CreateSubjectCertList(NULL, nss->CERT_GetDefaultCertDB(),
                                                            &cert->derIssuer, 0, PR_FALSE);
    unsigned left = NAMESAKES_MAX;

    *next = *other = NULL;
    if (issuers == NULL)
        return;
    for (CERTCertListNode *node = CERT_LIST_HEAD(issuers);
         *next == NULL && left > 0 && !CERT_LIST_END(node, issuers);
         node = CERT_LIST_NEXT(node), left--) {
        if (xr_bytes_equal(der_of(node->cert), der_of(cert)))
            continue;
        if (may_have_signed(nss, node->cert, cert))
            *next = nss->CERT_DupCertificate(node->cert);
        else if (*other == NULL && node->cert->isperm)
            *other = nss->CERT_DupCertificate(node->cert);
    }
    nss->CERT_DestroyCertList(issuers);
}

bool nss_namesake(unsigned char sha256[XR_SHA256_LEN], const struct functions *nss,
                  const struct xr_host *host, CERTCertificate *cert)
{
    CERTCertificate *at = nss->CERT_DupCertificate(cert), *next = NULL, *other = NULL;
    bool found = false;

    for (unsigned steps = 0; at != NULL && !found && steps < STEPS_MAX; steps++) {
        step(&next, &other, nss, at);
        found = next == NULL && other != NULL;
        if (found)
            host->sha256(sha256, der_of(other));
        if (other != NULL)
            nss->CERT_DestroyCertificate(other);
        nss->CERT_DestroyCertificate(at);
        at = next;
    }
    if (at != NULL)
        nss->CERT_DestroyCertificate(at);
    return found;
}

/* NSS takes it without const. */
static SECItem item_of(struct xr_bytes bytes)
{
    return (SECItem){siBuffer, xr_memdup(bytes.data, bytes.len), (unsigned)bytes.len};
}

bool nss_same_serial(unsigned char sha256[XR_SHA256_LEN], const struct functions *nss,
                     const struct xr_host *host, struct xr_bytes der)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    struct xr_der_item number;
    CERTIssuerAndSN which;
    CERTCertificate *other = NULL;

    if (host->slices(&slices, der, NULL) != XR_OK ||
        !xr_der_expect(&number, &slices.serial, XR_DER_INTEGER))
        return false;
    memset(&which, 0, sizeof(which));
    which.derIssuer = item_of(slices.issuer);
    which.serialNumber = item_of(number.content);
    other = nss->CERT_FindCertByIssuerAndSN(nss->CERT_GetDefaultCertDB(), &which);
    free(which.derIssuer.data);
    free(which.serialNumber.data);
    if (other == NULL)
        return false;
    host->sha256(sha256, der_of(other));
    nss->CERT_DestroyCertificate(other);
    return true;
}

/* ---- words ---- */

const char *nss_error_name(char out[32], const struct functions *nss, PRErrorCode code)
{
    const char *name = nss->PR_ErrorToName(code);

    if (name != NULL)
        return name;
    (void)snprintf(out, 32, N_("error %ld"), (long)code);
    return out;
}

/* Replaces texts of NSS that are misleading ("marked as not trusted by the user" although nobody
 * marked anything) or in a library that is not loaded. */
static const struct {
    PRErrorCode code;
    const char *name, *text;
} plainly[] = {
    {SEC_ERROR_UNKNOWN_ISSUER, NULL, N_("no trusted issuer was found")},
    {SEC_ERROR_UNTRUSTED_ISSUER, NULL, N_("an issuer is not trusted for this purpose")},
    {SEC_ERROR_UNTRUSTED_CERT, NULL, N_("a certificate of the path is distrusted")},
    {SEC_ERROR_EXPIRED_CERTIFICATE, NULL, N_("it is not valid at that time")},
    {SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE, NULL, N_("an issuer is not valid at that time")},
    {SEC_ERROR_BAD_SIGNATURE, NULL,
     N_("a signature is not by the key of the issuer's certificate")},
    {SEC_ERROR_CERT_NOT_IN_NAME_SPACE, NULL,
     N_("an issuer's name constraints do not allow a name")},
    {SEC_ERROR_REUSED_ISSUER_AND_SERIAL, NULL,
     N_("another certificate has the same issuer and serial number")},
    {SSL_ERROR_BAD_CERT_DOMAIN, "SSL_ERROR_BAD_CERT_DOMAIN", N_("it is for another host")},
};

void nss_say_error(struct xr_buf *why, const struct functions *nss, PRErrorCode code)
{
    const char *text = nss->PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT);
    char number[32];
    const char *name = nss_error_name(number, nss, code);
    size_t len = 0;

    for (size_t i = 0; i < sizeof(plainly) / sizeof(plainly[0]); i++) {
        if (plainly[i].code != code)
            continue;
        text = plainly[i].text;
        name = plainly[i].name != NULL ? plainly[i].name : name;
    }
    len = text != NULL ? strlen(text) : 0;
    while (len > 0 && (text[len - 1] == '.' || text[len - 1] == ' '))
        len--;
    if (len > 0) {
        char *line = xr_memdup(text, len);

        xr_buf_fmt(why, N_("%s (%s)"), line, name);
        free(line);
    } else {
        xr_buf_str(why, name);
    }
}
