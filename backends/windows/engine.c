/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a new chain engine for every question, because the engines of the process remember what
 * stores held. */
#include "live.h"

#include "sys/windows/text.h"

#include <stdlib.h>

/* wincrypt.h; older headers lack them. */
#ifndef CERT_CHAIN_DISABLE_AIA
#define CERT_CHAIN_DISABLE_AIA 0x00002000
#endif
#ifndef SECURITY_FLAG_IGNORE_REVOCATION /* wininet.h */
#define SECURITY_FLAG_IGNORE_REVOCATION 0x00000080
#endif
#ifndef CERT_TRUST_IS_EXPLICIT_DISTRUST
#define CERT_TRUST_IS_EXPLICIT_DISTRUST 0x04000000
#endif
#ifndef CERT_TRUST_HAS_WEAK_SIGNATURE
#define CERT_TRUST_HAS_WEAK_SIGNATURE 0x00100000
#endif
#ifndef CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT
#define CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT 0x08000000
#endif

/* ip2string.h, which mingw-w64 lacks; ntdll. */
LONG NTAPI RtlIpv4StringToAddressA(const char *text, BOOLEAN strict, const char **end, void *out);
LONG NTAPI RtlIpv6StringToAddressA(const char *text, const char **end, void *out);

#define UNKNOWN_REVOCATION (CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION)

/* The first of these bits that is set gives the reason. */
static const struct {
    DWORD bit;
    const char *words;
} reasons[] = {
    {CERT_TRUST_IS_EXPLICIT_DISTRUST, N_("it is among the disallowed certificates")},
    {CERT_TRUST_IS_NOT_SIGNATURE_VALID, N_("a signature is wrong")},
    {CERT_TRUST_IS_REVOKED, N_("a certificate of the path is revoked")},
    {CERT_TRUST_IS_PARTIAL_CHAIN, N_("an issuer is missing: the path reaches no root")},
    {CERT_TRUST_IS_UNTRUSTED_ROOT, N_("the path ends in a root that is not trusted")},
    {CERT_TRUST_IS_NOT_TIME_VALID, N_("a certificate of the path is expired or not yet valid")},
    {CERT_TRUST_INVALID_BASIC_CONSTRAINTS,
     N_("basic constraints: a certificate may not issue others")},
    {CERT_TRUST_IS_NOT_VALID_FOR_USAGE, N_("the path is not trusted for this purpose")},
    {CERT_TRUST_INVALID_NAME_CONSTRAINTS, N_("name constraints are wrong")},
    {CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT, N_("name constraints do not permit the name")},
    {CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT, N_("name constraints exclude the name")},
    {CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT, N_("name constraints of an unknown kind")},
    {CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT, N_("name constraints do not permit the name")},
    {CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT, N_("a critical extension is not known")},
    {CERT_TRUST_INVALID_EXTENSION, N_("an extension is malformed")},
    {CERT_TRUST_INVALID_POLICY_CONSTRAINTS, N_("policy constraints are not met")},
    {CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY, N_("a policy that is required is missing")},
    {CERT_TRUST_HAS_WEAK_SIGNATURE, N_("a signature or key is too weak")},
    {CERT_TRUST_IS_CYCLIC, N_("the path leads back to itself")},
    {CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID, N_("a trust list's signature is wrong")},
    {CERT_TRUST_CTL_IS_NOT_TIME_VALID, N_("a trust list is expired")},
    {CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE, N_("a trust list is not for this purpose")},
};

static const struct {
    uint32_t purpose;
    const char *oid;
} usages[] = {
    {XR_SERVER, szOID_PKIX_KP_SERVER_AUTH},     {XR_CLIENT, szOID_PKIX_KP_CLIENT_AUTH},
    {XR_EMAIL, szOID_PKIX_KP_EMAIL_PROTECTION}, {XR_CODE, szOID_PKIX_KP_CODE_SIGNING},
    {XR_TIME, szOID_PKIX_KP_TIMESTAMP_SIGNING},
};

static const char *usage_of(uint32_t purpose)
{
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        if (usages[i].purpose == purpose)
            return usages[i].oid;
    }
    return NULL;
}

/* 100 ns since 1601; none of it is before 1970 here. */
static FILETIME filetime(int64_t at)
{
    uint64_t ticks = (uint64_t)(at + 11644473600) * 10000000;

    return (FILETIME){(DWORD)(ticks & 0xffffffff), (DWORD)(ticks >> 32)};
}

static void say_no(struct xr_verdict *out, DWORD bits, DWORD code)
{
    out->answer = XR_NO;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if ((bits & reasons[i].bit) != 0) {
            (void)snprintf(out->why, sizeof(out->why), "%s", reasons[i].words);
            return;
        }
    }
    if (code == (DWORD)CERT_E_CN_NO_MATCH)
        (void)snprintf(out->why, sizeof(out->why), N_("it does not carry that name"));
    else
        (void)snprintf(out->why, sizeof(out->why), N_("CryptoAPI says 0x%08lx"),
                       (unsigned long)(code != 0 ? code : bits));
}

static void take_path(struct xr_verdict *out, const struct xr_host *host,
                      const CERT_SIMPLE_CHAIN *chain)
{
    for (DWORD i = 0; i < chain->cElement && out->path_len < XR_PATH_MAX; i++) {
        PCCERT_CONTEXT cert = chain->rgpElement[i]->pCertContext;

        host->sha256(out->path[out->path_len++],
                     (struct xr_bytes){cert->pbCertEncoded, cert->cbCertEncoded});
    }
}

static DWORD policy_says(PCCERT_CHAIN_CONTEXT chain, const wchar_t *name)
{
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA ssl = {.cbSize = sizeof(ssl),
                                            .dwAuthType = AUTHTYPE_SERVER,
                                            .fdwChecks = SECURITY_FLAG_IGNORE_REVOCATION,
                                            .pwszServerName = (wchar_t *)(uintptr_t)name};
    /* The chain itself reports revoked certificates. Here an unknown revocation status would be an
     * error too. */
    CERT_CHAIN_POLICY_PARA para = {.cbSize = sizeof(para),
                                   .dwFlags = CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS,
                                   .pvExtraPolicyPara = name != NULL ? &ssl : NULL};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof(status)};

    if (!CertVerifyCertificateChainPolicy(
            name != NULL ? CERT_CHAIN_POLICY_SSL : CERT_CHAIN_POLICY_BASE, chain, &para, &status))
        return GetLastError();
    return status.dwError;
}

/* 4 or 16 bytes; 0: it is no address. */
static DWORD address_of(unsigned char out[16], const char *host)
{
    const char *end = NULL;

    if (RtlIpv4StringToAddressA(host, TRUE, &end, out) == 0 && *end == '\0')
        return 4;
    return RtlIpv6StringToAddressA(host, &end, out) == 0 && *end == '\0' ? 16 : 0;
}

/* Not every CryptoAPI compares addresses, so crossroot always does it. */
static bool carries(PCCERT_CONTEXT cert, const unsigned char *address, DWORD len)
{
    PCERT_EXTENSION found = CertFindExtension(szOID_SUBJECT_ALT_NAME2, cert->pCertInfo->cExtension,
                                              cert->pCertInfo->rgExtension);
    CERT_ALT_NAME_INFO *names = NULL;
    DWORD size = 0;
    bool match = false;

    if (found == NULL || !CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ALTERNATE_NAME,
                                              found->Value.pbData, found->Value.cbData,
                                              CRYPT_DECODE_ALLOC_FLAG, NULL, (void *)&names, &size))
        return false;
    for (DWORD i = 0; i < names->cAltEntry; i++) {
        const CERT_ALT_NAME_ENTRY *name = &names->rgAltEntry[i];

        match = match || (name->dwAltNameChoice == CERT_ALT_NAME_IP_ADDRESS &&
                          name->IPAddress.cbData == len &&
                          memcmp(name->IPAddress.pbData, address, len) == 0);
    }
    (void)LocalFree(names);
    return match;
}

static void judge(struct xr_verdict *out, const struct xr_host *host, PCCERT_CHAIN_CONTEXT chain,
                  PCCERT_CONTEXT cert, const char *name)
{
    DWORD bits = chain->TrustStatus.dwErrorStatus & ~(DWORD)UNKNOWN_REVOCATION, code = 0;
    unsigned char address[16];
    DWORD len = name != NULL ? address_of(address, name) : 0;

    if (bits == 0) {
        wchar_t *asked = name != NULL && len == 0 ? xr_wide(name) : NULL;

        code = policy_says(chain, asked);
        free(asked);
    }
    if (bits == 0 && code == 0 && len > 0 && !carries(cert, address, len))
        code = (DWORD)CERT_E_CN_NO_MATCH;
    if (bits != 0 || code != 0) {
        say_no(out, bits, code);
        return;
    }
    out->answer = XR_YES;
    if (chain->cChain > 0)
        take_path(out, host, chain->rgpChain[0]);
}

static enum xr_status ask(struct xr_verdict *out, const struct xr_host *host,
                          HCERTCHAINENGINE engine, PCCERT_CONTEXT cert, HCERTSTORE sent,
                          const struct xr_probe *question, struct xr_error *err)
{
    LPSTR usage = (LPSTR)(uintptr_t)usage_of(question->purpose);
    CERT_CHAIN_PARA para = {.cbSize = sizeof(para)};
    FILETIME at = filetime(question->at);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    const DWORD flags = CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL | CERT_CHAIN_DISABLE_AIA |
                        CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE |
                        CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT |
                        CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY;

    if (usage == NULL)
        return xr_error_set(err, XR_UNSUPPORTED, "windows", 0, "no such purpose");
    para.RequestedUsage.dwType = USAGE_MATCH_TYPE_AND;
    para.RequestedUsage.Usage.cUsageIdentifier = 1;
    para.RequestedUsage.Usage.rgpszUsageIdentifier = &usage;
    if (!CertGetCertificateChain(engine, cert, &at, sent, &para, flags, NULL, &chain))
        return win_fail(err, GetLastError(), "CertGetCertificateChain");
    /* Whoever names a host asks about a server, even if its certificate says that it is a CA. */
    judge(out, host, chain, cert, question->host);
    CertFreeCertificateChain(chain);
    return XR_OK;
}

enum xr_status win_ask(struct xr_verdict *out, const struct xr_host *host, bool machine,
                       const struct xr_probe *question, struct xr_error *err)
{
    /* The oldest size of the struct, which every Windows accepts; later members are not needed. */
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = offsetof(CERT_CHAIN_ENGINE_CONFIG, hExclusiveRoot),
                                       .dwFlags = machine ? CERT_CHAIN_USE_LOCAL_MACHINE_STORE : 0};
    HCERTSTORE sent = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    HCERTCHAINENGINE engine = NULL;
    PCCERT_CONTEXT cert = NULL;
    enum xr_status status = XR_OK;

    (void)snprintf(out->by, sizeof(out->by),
                   N_("CryptoAPI CertGetCertificateChain, from its cache: nothing is fetched"));
    for (size_t i = 1; sent != NULL && i < question->count; i++)
        (void)CertAddEncodedCertificateToStore(sent, X509_ASN_ENCODING, question->chain[i].data,
                                               (DWORD)question->chain[i].len, CERT_STORE_ADD_ALWAYS,
                                               NULL);
    cert = CertCreateCertificateContext(X509_ASN_ENCODING, question->chain[0].data,
                                        (DWORD)question->chain[0].len);
    if (sent == NULL || cert == NULL || !CertCreateCertificateChainEngine(&config, &engine))
        status = win_fail(err, GetLastError(), N_("CryptoAPI cannot be asked"));
    else
        status = ask(out, host, engine, cert, sent, question, err);
    if (engine != NULL)
        CertFreeCertificateChainEngine(engine);
    if (cert != NULL)
        (void)CertFreeCertificateContext(cert);
    if (sent != NULL)
        (void)CertCloseStore(sent, 0);
    return status;
}
