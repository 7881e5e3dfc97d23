/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program that uses CryptoAPI, for what crossroot.exe says to be compared with:
 *   xr-capi list LOCATION STORE       "SHA1 [eku=N] [name=TEXT]" for each certificate, "crl SHA1"
 *   xr-capi chain LOCATION FILE.der   error status and number of certificates of the path
 *   xr-capi load HIVE KEY FILE        a value "Blob" made of FILE's bytes
 *   xr-capi unprivileged COMMAND…     runs it without the right of an administrator
 *   xr-capi hold SECONDS              keeps the lock of LocalMachine
 * LOCATION is machine or user; HIVE is machine or user too.
 */
#include <windows.h>

#include <wincrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static DWORD location_of(const wchar_t *text)
{
    return wcscmp(text, L"machine") == 0 ? CERT_SYSTEM_STORE_LOCAL_MACHINE
                                         : CERT_SYSTEM_STORE_CURRENT_USER;
}

static void print_sha1(const BYTE *data, DWORD len)
{
    BYTE hash[20];
    DWORD size = sizeof(hash);

    if (CryptHashCertificate(0, CALG_SHA1, 0, data, len, hash, &size)) {
        for (DWORD i = 0; i < size; i++)
            (void)printf("%02x", (unsigned)hash[i]);
    }
}

static int list(const wchar_t *location, const wchar_t *store)
{
    HCERTSTORE opened = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                      location_of(location) | CERT_STORE_READONLY_FLAG, store);
    PCCERT_CONTEXT cert = NULL;
    PCCRL_CONTEXT crl = NULL;

    while ((cert = CertEnumCertificatesInStore(opened, cert)) != NULL) {
        DWORD len = 0;

        print_sha1(cert->pbCertEncoded, cert->cbCertEncoded);
        if (CertGetEnhancedKeyUsage(cert, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, NULL, &len)) {
            CERT_ENHKEY_USAGE *usage = calloc(1, len);

            if (usage != NULL &&
                CertGetEnhancedKeyUsage(cert, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, usage, &len))
                (void)printf(" eku=%s,%lu",
                             usage->cUsageIdentifier > 0 ? usage->rgpszUsageIdentifier[0] : "none",
                             (unsigned long)usage->cUsageIdentifier);
            free(usage);
        }
        if (CertGetCertificateContextProperty(cert, CERT_FRIENDLY_NAME_PROP_ID, NULL, &len)) {
            wchar_t *name = calloc(1, len + 2);
            char text[1024] = "";

            if (name != NULL &&
                CertGetCertificateContextProperty(cert, CERT_FRIENDLY_NAME_PROP_ID, name, &len))
                (void)WideCharToMultiByte(CP_UTF8, 0, name, -1, text, sizeof(text), NULL, NULL);
            (void)printf(" name=%s", text);
            free(name);
        }
        (void)printf("\n");
    }
    while ((crl = CertEnumCRLsInStore(opened, crl)) != NULL) {
        (void)printf("crl ");
        print_sha1(crl->pbCrlEncoded, crl->cbCrlEncoded);
        (void)printf("\n");
    }
    return CertCloseStore(opened, CERT_CLOSE_STORE_CHECK_FLAG) ? 0 : 1;
}

static BYTE *read_file(const wchar_t *path, DWORD *len)
{
    FILE *file = _wfopen(path, L"rb");
    BYTE *data = calloc(1, 1 << 20);

    *len = file != NULL && data != NULL ? (DWORD)fread(data, 1, 1 << 20, file) : 0;
    if (file != NULL)
        (void)fclose(file);
    return data;
}

static int chain(const wchar_t *location, const wchar_t *path)
{
    DWORD len = 0;
    BYTE *data = read_file(path, &len);
    PCCERT_CONTEXT cert = CertCreateCertificateContext(X509_ASN_ENCODING, data, len);
    CERT_CHAIN_PARA para = {.cbSize = sizeof(para)};
    PCCERT_CHAIN_CONTEXT found = NULL;
    HCERTCHAINENGINE engine =
        location_of(location) == CERT_SYSTEM_STORE_LOCAL_MACHINE ? HCCE_LOCAL_MACHINE : NULL;

    free(data);
    if (cert == NULL || !CertGetCertificateChain(engine, cert, NULL, NULL, &para,
                                                 CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL, NULL, &found))
        return 1;
    (void)printf("%08lx %lu\n", (unsigned long)found->TrustStatus.dwErrorStatus,
                 found->cChain > 0 ? (unsigned long)found->rgpChain[0]->cElement : 0ul);
    CertFreeCertificateChain(found);
    (void)CertFreeCertificateContext(cert);
    return 0;
}

static int load(const wchar_t *hive, const wchar_t *path, const wchar_t *file)
{
    HKEY key = NULL;
    DWORD len = 0;
    BYTE *data = read_file(file, &len);
    LSTATUS code =
        RegCreateKeyExW(wcscmp(hive, L"machine") == 0 ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER,
                        path, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);

    if (code == ERROR_SUCCESS && len > 0)
        code = RegSetValueExW(key, L"Blob", 0, REG_BINARY, data, len);
    if (key != NULL)
        (void)RegCloseKey(key);
    free(data);
    return code == ERROR_SUCCESS && len > 0 ? 0 : 1;
}

/* What User Account Control does to an administrator: the group is there only to deny. */
static int unprivileged(int count, wchar_t **words)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid), code = 1;
    SID_AND_ATTRIBUTES deny = {.Sid = sid};
    HANDLE token = NULL, less = NULL;
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process = {0};
    wchar_t line[8192] = L"";

    for (int i = 0; i < count; i++) {
        (void)wcscat(line, i > 0 ? L" \"" : L"\"");
        (void)wcscat(line, words[i]);
        (void)wcscat(line, L"\"");
    }
    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &size) ||
        !OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token) ||
        !CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE, 1, &deny, 0, NULL, 0, NULL, &less) ||
        !CreateProcessAsUserW(less, NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                              &process)) {
        (void)fprintf(stderr, "unprivileged: %lu\n", (unsigned long)GetLastError());
        return 99;
    }
    (void)WaitForSingleObject(process.hProcess, INFINITE);
    (void)GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

static int hold(const wchar_t *seconds)
{
    HANDLE lock = CreateMutexW(NULL, TRUE, L"Global\\crossroot-LocalMachine");

    (void)printf("held\n");
    (void)fflush(stdout);
    Sleep((DWORD)wcstoul(seconds, NULL, 10) * 1000);
    return lock != NULL ? 0 : 1;
}

int wmain(int argc, wchar_t **argv); /* what -municode begins with */

int wmain(int argc, wchar_t **argv)
{
    if (argc == 4 && wcscmp(argv[1], L"list") == 0)
        return list(argv[2], argv[3]);
    if (argc == 4 && wcscmp(argv[1], L"chain") == 0)
        return chain(argv[2], argv[3]);
    if (argc == 5 && wcscmp(argv[1], L"load") == 0)
        return load(argv[2], argv[3], argv[4]);
    if (argc > 2 && wcscmp(argv[1], L"unprivileged") == 0)
        return unprivileged(argc - 2, argv + 2);
    if (argc == 3 && wcscmp(argv[1], L"hold") == 0)
        return hold(argv[2]);
    return 2;
}
