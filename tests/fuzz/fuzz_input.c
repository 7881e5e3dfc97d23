/* SPDX-License-Identifier: Apache-2.0 */
/* Files from people (input.h): is what was found what its kind says, is it found again in PEM, does a file
 * that gives nothing give a reason, and is no reason harmful on a terminal. */
#include "certs/input.h"
#include "fuzz.h"
#include "kit/pem.h"

#include <stdlib.h>

static void check_again(const struct xr_input_item *item)
{
    struct xr_input input = {0};
    size_t len = 0;
    struct xr_bytes der = item->cert != NULL ? item->cert->der : item->crl->der;
    char *pem = xr_pem(item->cert != NULL ? "CERTIFICATE" : "X509 CRL", der, &len);

    xr_input_add_bytes(&input, "again", (struct xr_bytes){(unsigned char *)pem, len});
    CHECK(input.found.count == 1 && !input.failed);
    CHECK(xr_bytes_equal(der, item->cert != NULL ? input.found.items[0].cert->der
                                                 : input.found.items[0].crl->der));
    xr_input_free(&input);
    free(pem);
}

static void check_item(const struct xr_input_item *item)
{
    struct xr_der_cert cert;
    struct xr_der_aux aux;
    struct xr_bytes issuer;

    CHECK((item->cert == NULL) != (item->crl == NULL));
    if (item->cert != NULL)
        CHECK(xr_der_cert(&cert, item->cert->der, NULL) == XR_OK);
    else
        CHECK(xr_der_crl_issuer(&issuer, item->crl->der, NULL) == XR_OK);
    if (item->aux.len > 0)
        CHECK(xr_der_aux(&aux, item->aux, NULL) == XR_OK);
    check_again(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_input input = {
        .password = {(const unsigned char *)FUZZ_PASSWORD, strlen(FUZZ_PASSWORD)}};

    xr_input_add_bytes(&input, "file", (struct xr_bytes){data, size});
    CHECK(input.found.count + input.rejected.count > 0);
    for (size_t i = 0; i < input.found.count; i++)
        check_item(&input.found.items[i]);
    for (size_t i = 0; i < input.rejected.count; i++)
        CHECK(fuzz_printable(input.rejected.items[i].reason));
    xr_input_free(&input);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();
    struct xr_buf all = {0};

    for (size_t i = 0; i < FUZZ_CERTS; i++) {
        fuzz_seed(corpus, f->certs[i].data, f->certs[i].len);
        fuzz_put_pem(&all, PKI_LABEL_CERT, &f->certs[i]);
    }
    xr_buf_str(&all, "\r\nSubject: a text beside it\n");
    fuzz_put_pem(&all, PKI_LABEL_TRUSTED, &f->trusted);
    fuzz_put_pem(&all, PKI_LABEL_CRL, &f->crl);
    fuzz_put_pem(&all, PKI_LABEL_PKCS7, &f->pkcs7);
    fuzz_seed_buf(corpus, &all);
    fuzz_put_pem(&all, PKI_LABEL_PKCS7, &f->pkcs7);
    fuzz_seed_buf(corpus, &all);
    fuzz_put_pem(&all, PKI_LABEL_KEY, &f->crl);
    fuzz_put_pem(&all, PKI_LABEL_CERT, &f->pkcs7);
    fuzz_seed_buf(corpus, &all);
    fuzz_seed(corpus, f->trusted.data, f->trusted.len);
    fuzz_seed(corpus, f->crl.data, f->crl.len);
    fuzz_seed(corpus, f->pkcs7.data, f->pkcs7.len);
    fuzz_seed(corpus, f->p12.data, f->p12.len);
    fuzz_seed(corpus, f->sst.data, f->sst.len);
}
