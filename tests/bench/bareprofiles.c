/* SPDX-License-Identifier: Apache-2.0 */
/* bareprofiles CERT [-t] DIR...: the floor of an installation into many NSS databases: one process that
 * has softoken make one certificate in each, and with -t its trust as an anchor, and asks nobody. */
#include "pkcs11/objects.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

/* NSS's own idea of CK_C_INITIALIZE_ARGS: a string before the reserved pointer. */
struct init_args {
    void *locks[4];
    CK_FLAGS flags;
    const char *parameters;
    void *reserved;
};

static struct {
    unsigned char *der, *subject, *issuer, *serial;
    CK_ULONG der_len, subject_len, issuer_len, serial_len;
    unsigned char sha1[20], md5[16];
} cert;

static bool load(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *x = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    int der = -1, subject = -1, issuer = -1, serial = -1;

    if (file != NULL)
        (void)fclose(file);
    if (x != NULL) {
        der = i2d_X509(x, &cert.der);
        subject = i2d_X509_NAME(X509_get_subject_name(x), &cert.subject);
        issuer = i2d_X509_NAME(X509_get_issuer_name(x), &cert.issuer);
        serial = i2d_ASN1_INTEGER(X509_get_serialNumber(x), &cert.serial);
    }
    X509_free(x);
    if (der <= 0 || subject <= 0 || issuer <= 0 || serial <= 0)
        return false;
    cert.der_len = (CK_ULONG)der;
    cert.subject_len = (CK_ULONG)subject;
    cert.issuer_len = (CK_ULONG)issuer;
    cert.serial_len = (CK_ULONG)serial;
    return EVP_Digest(cert.der, cert.der_len, cert.sha1, NULL, EVP_sha1(), NULL) == 1 &&
           EVP_Digest(cert.der, cert.der_len, cert.md5, NULL, EVP_md5(), NULL) == 1;
}

static CK_RV create(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, bool trust)
{
    CK_OBJECT_CLASS certificate = CKO_CERTIFICATE, of_trust = NSS_CKO_TRUST;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG anchor = NSS_DELEGATOR, other = NSS_MUST_VERIFY;
    CK_ATTRIBUTE of_cert[] = {{CKA_CLASS, &certificate, sizeof(certificate)},
                              {CKA_TOKEN, &yes, sizeof(yes)},
                              {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
                              {CKA_ID, cert.sha1, sizeof(cert.sha1)},
                              {CKA_LABEL, (void *)(uintptr_t) "bench", 5},
                              {CKA_VALUE, cert.der, cert.der_len},
                              {CKA_SUBJECT, cert.subject, cert.subject_len},
                              {CKA_ISSUER, cert.issuer, cert.issuer_len},
                              {CKA_SERIAL_NUMBER, cert.serial, cert.serial_len}};
    CK_ATTRIBUTE said[] = {{CKA_CLASS, &of_trust, sizeof(of_trust)},
                           {CKA_TOKEN, &yes, sizeof(yes)},
                           {CKA_ISSUER, cert.issuer, cert.issuer_len},
                           {CKA_SERIAL_NUMBER, cert.serial, cert.serial_len},
                           {NSS_CKA_SHA1, cert.sha1, sizeof(cert.sha1)},
                           {NSS_CKA_MD5, cert.md5, sizeof(cert.md5)},
                           {NSS_CKA_SERVER_AUTH, &anchor, sizeof(anchor)},
                           {NSS_CKA_CLIENT_AUTH, &other, sizeof(other)},
                           {NSS_CKA_CODE, &other, sizeof(other)},
                           {NSS_CKA_EMAIL_PROT, &other, sizeof(other)},
                           {NSS_CKA_STEP_UP, &no, sizeof(no)}};
    CK_OBJECT_HANDLE made = 0;
    CK_RV rv = f->C_CreateObject(session, of_cert, sizeof(of_cert) / sizeof(of_cert[0]), &made);

    if (rv == CKR_OK && trust)
        rv = f->C_CreateObject(session, said, sizeof(said) / sizeof(said[0]), &made);
    return rv;
}

static CK_RV fill(CK_FUNCTION_LIST *f, const char *dir, bool trust)
{
    char parameters[4200];
    struct init_args args = {.flags = CKF_OS_LOCKING_OK, .parameters = parameters};
    CK_SESSION_HANDLE session = 0;
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_RV rv = CKR_OK;

    (void)snprintf(parameters, sizeof(parameters),
                   "configdir='sql:%s' certPrefix='' keyPrefix='' secmod='secmod.db' flags=noModDB",
                   dir);
    rv = f->C_Initialize(&args);
    if (rv != CKR_OK)
        return rv;
    rv = f->C_GetSlotList(CK_TRUE, slots, &count);
    /* The first is for keys alone, the second has the database. */
    if (rv == CKR_OK)
        rv = count < 2 ? CKR_DEVICE_ERROR
                       : f->C_OpenSession(slots[1], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                          &session);
    if (rv == CKR_OK)
        rv = create(f, session, trust);
    (void)f->C_Finalize(NULL);
    return rv;
}

int main(int argc, char **argv)
{
    void *library = dlopen("libsoftokn3.so", RTLD_NOW), *symbol = NULL;
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *f = NULL;
    bool trust = argc > 2 && strcmp(argv[2], "-t") == 0;

    symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
    memcpy(&get, &symbol, sizeof(get));
    if (argc < 3 || get == NULL || get(&f) != CKR_OK || !load(argv[1])) {
        (void)fputs("bareprofiles: usage, certificate or softoken\n", stderr);
        return 2;
    }
    for (int i = trust ? 3 : 2; i < argc; i++) {
        CK_RV rv = fill(f, argv[i], trust);

        if (rv != CKR_OK) {
            (void)fprintf(stderr, "bareprofiles: %s: 0x%lx\n", argv[i], rv);
            return 1;
        }
    }
    OPENSSL_free(cert.der);
    OPENSSL_free(cert.subject);
    OPENSSL_free(cert.issuer);
    OPENSSL_free(cert.serial);
    return 0;
}
