/* SPDX-License-Identifier: Apache-2.0 */
#include "gnutls.h"

#include "../pkcs11/symbols.h"

#include <dlfcn.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#define CHAIN_MAX 64u

/* All functions are looked up at run time, because this program seldom needs GnuTLS. */
#define FUNCTIONS(X)                         \
    X(gnutls_check_version)                  \
    X(gnutls_global_set_time_function)       \
    X(gnutls_pkcs11_init)                    \
    X(gnutls_pkcs11_token_get_flags)         \
    X(gnutls_strerror)                       \
    X(gnutls_x509_crt_init)                  \
    X(gnutls_x509_crt_import)                \
    X(gnutls_x509_crt_deinit)                \
    X(gnutls_x509_trust_list_init)           \
    X(gnutls_x509_trust_list_add_trust_file) \
    X(gnutls_x509_trust_list_verify_crt2)    \
    X(gnutls_x509_trust_list_deinit)

static struct functions {
    FUNCTIONS(P11_FUNCTION)
} tls;

static const struct p11_symbol symbols[] = {FUNCTIONS(P11_SYMBOL)};

static bool load(void)
{
    /* Never unloaded, because it may have started threads and modules. */
    void *handle = dlopen("libgnutls.so.30", RTLD_NOW | RTLD_LOCAL);

    return handle != NULL && P11_RESOLVE(&tls, handle, symbols) == NULL;
}

static int64_t asked_at;

static time_t clock_of_question(time_t *out)
{
    if (out != NULL)
        *out = (time_t)asked_at;
    return (time_t)asked_at;
}

static const char *why_not(unsigned status)
{
    static const struct {
        unsigned bit;
        const char *why;
    } reasons[] = {
        {GNUTLS_CERT_EXPIRED, N_("a certificate has expired")},
        {GNUTLS_CERT_NOT_ACTIVATED, N_("a certificate is not valid yet")},
        {GNUTLS_CERT_REVOKED, N_("a certificate is revoked or distrusted")},
        {GNUTLS_CERT_SIGNER_NOT_FOUND,
         N_("no trusted issuer; GnuTLS accepts only anchors as issuers")},
        {GNUTLS_CERT_SIGNER_NOT_CA, N_("an issuer is not a CA")},
        {GNUTLS_CERT_INSECURE_ALGORITHM, N_("an algorithm is too weak")},
        {GNUTLS_CERT_UNEXPECTED_OWNER, N_("it is for another host")},
        {GNUTLS_CERT_PURPOSE_MISMATCH, N_("not for this purpose")},
        {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, N_("a constraint of an issuer is violated")},
        {GNUTLS_CERT_SIGNATURE_FAILURE, N_("a signature is wrong")},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (status & reasons[i].bit)
            return reasons[i].why;
    }
    return N_("not trusted");
}

static const char *oid_of(uint32_t purpose)
{
    return purpose == XR_CLIENT  ? GNUTLS_KP_TLS_WWW_CLIENT
           : purpose == XR_EMAIL ? GNUTLS_KP_EMAIL_PROTECTION
           : purpose == XR_CODE  ? GNUTLS_KP_CODE_SIGNING
           : purpose == XR_TIME  ? GNUTLS_KP_TIME_STAMPING
                                 : GNUTLS_KP_TLS_WWW_SERVER;
}

static void ask(struct xr_opinion *out, gnutls_x509_trust_list_t list,
                const struct xr_probe *question)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    gnutls_typed_vdata_st about[2] = {
        {.type = GNUTLS_DT_KEY_PURPOSE_OID,
         .data = (unsigned char *)(uintptr_t)oid_of(question->purpose)},
        {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)question->host},
    };
    unsigned count = 0, status = 0;
    int result = 0;

    for (size_t i = 0; i < question->count && count < CHAIN_MAX && result >= 0; i++) {
        gnutls_datum_t der = {(unsigned char *)(uintptr_t)question->chain[i].data,
                              (unsigned)question->chain[i].len};

        result = tls.gnutls_x509_crt_init(&chain[count]);
        if (result >= 0)
            result = tls.gnutls_x509_crt_import(chain[count++], &der, GNUTLS_X509_FMT_DER);
    }
    if (result >= 0)
        result = tls.gnutls_x509_trust_list_verify_crt2(
            list, chain, count, about, question->host != NULL ? 2 : 1, 0, &status, NULL);
    out->answer = result < 0 ? XR_UNKNOWN : status == 0 ? XR_YES : XR_NO;
    if (out->answer != XR_YES)
        (void)snprintf(out->why, sizeof(out->why), "%s",
                       result < 0 ? tls.gnutls_strerror(result) : why_not(status));
    for (unsigned i = 0; i < count; i++)
        tls.gnutls_x509_crt_deinit(chain[i]);
}

void pt_gnutls(struct xr_verdict *verdict, const char *uri, const struct xr_probe *question)
{
    gnutls_x509_trust_list_t list = NULL;
    struct xr_opinion *out = NULL;
    unsigned flags = 0;

    if (!load() || tls.gnutls_x509_trust_list_init(&list, 0) < 0)
        return;
    asked_at = question->at;
    tls.gnutls_global_set_time_function(clock_of_question);
    out = &verdict->also[0];
    verdict->also_count = 1;
    *out = (struct xr_opinion){.size = sizeof(*out), .answer = XR_UNKNOWN};
    (void)snprintf(out->by, sizeof(out->by), "GnuTLS %.40s", tls.gnutls_check_version(NULL));
    /* GnuTLS initialises modules itself, and so ignores x-init-reserved in their configuration
     * (3.7.9 with p11-kit 0.24.1). */
    if (tls.gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO_TRUSTED, NULL) < 0 ||
        tls.gnutls_pkcs11_token_get_flags(uri, &flags) < 0 ||
        tls.gnutls_x509_trust_list_add_trust_file(list, uri, NULL, GNUTLS_X509_FMT_DER, 0, 0) < 0)
        (void)snprintf(out->why, sizeof(out->why), N_("GnuTLS does not see this token"));
    else
        ask(out, list, question);
    tls.gnutls_x509_trust_list_deinit(list, 1);
}
