/* SPDX-License-Identifier: Apache-2.0 */
/* DER and certificates (der.h, x509.h): do slices lie inside, is what is read written the same, are names
 * text that harms nobody; and does libcrypto parse what we say that it surely does. */
#include "kit/der.h"

#include "certs/cafile.h"
#include "certs/guess.h"
#include "certs/scan.h"
#include "certs/x509.h"
#include "fuzz.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define DEPTH_MAX 24

static void check_inside(struct xr_bytes in, struct xr_bytes all)
{
    CHECK(in.len == 0 || (in.data >= all.data && in.len <= all.len &&
                          (size_t)(in.data - all.data) <= all.len - in.len));
}

static void walk(struct xr_bytes rest, unsigned depth)
{
    struct xr_bytes all = rest;
    struct xr_der_item item;

    while (xr_der_next(&item, &rest)) {
        struct xr_buf again = {0};
        int64_t at = 0;

        check_inside(item.whole, all);
        check_inside(item.content, item.whole);
        CHECK(item.content.data + item.content.len == item.whole.data + item.whole.len);
        xr_der_put(&again, item.tag, item.content.data, item.content.len);
        CHECK(xr_bytes_equal(fuzz_buf_bytes(&again), item.whole));
        xr_buf_free(&again);
        (void)xr_der_time(&at, &item);
        if (depth < DEPTH_MAX && (item.tag & 0x20) != 0)
            walk(item.content, depth + 1);
    }
}

static void check_utf8(const char *text)
{
    size_t left = strlen(text);

    for (const char *at = text; left > 0;) {
        uint32_t c = 0;
        size_t len = xr_utf8_next(&c, (const unsigned char *)at, left);

        CHECK(len > 0 && c >= ' ' && c != 0x7f);
        at += len;
        left -= len;
    }
}

static void check_name(struct xr_bytes name)
{
    char *text = xr_x509_name_text(name), *brief = xr_x509_name_short(name);
    uint32_t hash = 0;

    check_utf8(text);
    check_utf8(brief);
    free(text);
    free(brief);
    if (xr_x509_name_hash(&hash, name, NULL) == XR_OK)
        CHECK(xr_x509_name_equal(name, name));
}

static void check_serial(struct xr_bytes serial)
{
    char *text = xr_x509_serial_text(serial);
    struct xr_buf again = {0};

    check_utf8(text);
    /* A serial number that is no INTEGER in the fewest octets is text, too, but another's. */
    if (xr_x509_serial_parse(&again, text)) {
        struct xr_bytes rest = fuzz_buf_bytes(&again);
        struct xr_der_item item;

        CHECK(xr_der_expect(&item, &rest, XR_DER_INTEGER) && rest.len == 0);
    }
    xr_buf_free(&again);
    free(text);
}

static bool libcrypto_parses(struct xr_bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);
    bool ok = x != NULL && at == der.data + der.len;

    X509_free(x);
    ERR_clear_error();
    return ok;
}

static void check_cert(struct xr_bytes der)
{
    struct xr_cert *cert = NULL;
    struct xr_der_cert d;
    struct xr_error err = {0};
    bool ok = xr_der_cert(&d, der, &err) == XR_OK;

    CHECK((xr_cert_new(&cert, der, NULL) == XR_OK) == ok);
    if (xr_surely_parsed(der))
        CHECK(libcrypto_parses(der));
    if (!ok) {
        CHECK(fuzz_printable(err.text) && err.text[0] != '\0');
        return;
    }
    check_inside(d.slices.tbs, der);
    check_inside(d.slices.serial, d.slices.tbs);
    check_inside(d.slices.issuer, d.slices.tbs);
    check_inside(d.slices.subject, d.slices.tbs);
    check_inside(d.slices.spki, d.slices.tbs);
    check_inside(d.signature_alg, der);
    check_inside(d.signature, der);
    check_inside(d.skid, d.slices.tbs);
    check_inside(d.akid, d.slices.tbs);
    CHECK(d.version >= 1 && d.version <= 3 && d.pathlen >= -1);
    CHECK(xr_der_cert_order(&d, &d) == 0);
    check_name(d.slices.subject);
    check_name(d.slices.issuer);
    check_serial(d.slices.serial);
    (void)xr_cert_is_ca(cert);
    (void)xr_cert_key_complaint(cert);
    (void)xr_cert_signature_complaint(cert);
    if (xr_cert_accepted(cert, &err))
        CHECK(libcrypto_parses(der));
    (void)xr_cert_self_signed(cert);
    xr_cert_free(cert);
}

static void check_crl(struct xr_bytes der)
{
    struct xr_crl *crl = NULL;
    struct xr_bytes issuer;

    if (xr_crl_new(&crl, der, NULL) != XR_OK)
        return;
    CHECK(xr_der_crl_issuer(&issuer, der, NULL) == XR_OK);
    check_inside(crl->issuer, crl->der);
    check_name(crl->issuer);
    xr_crl_free(crl);
}

static void check_aux(struct xr_bytes der)
{
    struct xr_der_aux aux;
    struct xr_der_item oid;
    uint32_t purpose = 0, purposes = 0;
    size_t len = 0;

    if (xr_der_aux(&aux, der, NULL) == XR_OK) {
        check_inside(aux.trust_oids, der);
        check_inside(aux.reject_oids, der);
        check_inside(aux.alias, der);
        while (xr_der_purpose(&oid, &purpose, &aux.trust_oids)) {
            char *text = xr_x509_oid_text(oid.whole);

            check_utf8(text);
            free(text);
        }
        CHECK(aux.trust_oids.len == 0);
    }
    if (xr_input_trusted(&len, &purposes, der, NULL) == XR_OK)
        CHECK(len <= der.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xr_bytes der = {data, size};
    bool key = false;

    walk(der, 0);
    check_cert(der);
    check_crl(der);
    check_aux(der);
    (void)xr_der_guess(der, &key);
    (void)xr_guess_der(der);
    check_name(der);
    return 0;
}

void fuzz_seeds(struct fuzz_corpus *corpus)
{
    const struct fuzz_fixtures *f = fuzz_fixtures();

    for (size_t i = 0; i < FUZZ_CERTS; i++) {
        struct xr_der_cert d;

        fuzz_seed(corpus, f->certs[i].data, f->certs[i].len);
        CHECK(xr_der_cert(&d, fuzz_bytes(&f->certs[i]), NULL) == XR_OK);
        fuzz_seed(corpus, d.slices.subject.data, d.slices.subject.len);
    }
    fuzz_seed(corpus, f->trusted.data, f->trusted.len);
    fuzz_seed(corpus, f->trusted.data + f->certs[FUZZ_ROOT].len,
              f->trusted.len - f->certs[FUZZ_ROOT].len);
    fuzz_seed(corpus, f->crl.data, f->crl.len);
}
