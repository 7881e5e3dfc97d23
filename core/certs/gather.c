/* SPDX-License-Identifier: Apache-2.0 */
#include "gather.h"

#include <stdlib.h>

/* A candidate set larger than this is an attack on the verifier, not a PKI. */
#define CANDIDATES_MAX 256u

void xr_gather_init(struct xr_gather *g, const struct xr_path_check *check)
{
    *g = (struct xr_gather){.check = check,
                            .untrusted = sk_X509_new_null(),
                            .anchors = sk_X509_new_null(),
                            .crls = sk_X509_CRL_new_null()};
    if (g->untrusted == NULL || g->anchors == NULL || g->crls == NULL)
        abort();
}

void xr_gather_free(struct xr_gather *g)
{
    free(g->choices.items);
    free(g->sent.items);
    sk_X509_pop_free(g->untrusted, X509_free);
    sk_X509_pop_free(g->anchors, X509_free);
    sk_X509_CRL_pop_free(g->crls, X509_CRL_free);
}

bool xr_gather_held(STACK_OF(X509) * stack, const X509 *x)
{
    for (int i = 0; i < sk_X509_num(stack); i++) {
        if (X509_cmp(sk_X509_value(stack, i), x) == 0)
            return true;
    }
    return false;
}

static X509 *sent_as(const struct xr_gather *g, struct xr_bytes der)
{
    for (size_t i = 0; i < g->sent.count; i++) {
        if (xr_bytes_equal(g->sent.items[i].der, der))
            return g->sent.items[i].x;
    }
    return NULL;
}

static enum xr_status take_cert(void *ctx, struct xr_bytes der)
{
    struct xr_gather *g = ctx;
    X509 *x = NULL;

    if (sk_X509_num(g->into) >= (int)CANDIDATES_MAX)
        return XR_OK; /* nor is one too many, and parsing it would take long */
    x = sent_as(g, der);
    if (x != NULL)
        (void)X509_up_ref(x);
    else
        x = g->into == g->anchors ? xr_crypto_trusted_cert(der) : xr_crypto_cert(der);
    ERR_clear_error();
    if (x == NULL)
        return XR_OK; /* a certificate that does not parse is not part of a path */
    if (xr_gather_held(g->into, x) || sk_X509_push(g->into, x) == 0)
        X509_free(x);
    return XR_OK;
}

bool xr_gather_sent(struct xr_gather *g, struct xr_bytes der)
{
    int before = sk_X509_num(g->untrusted);

    g->into = g->untrusted;
    (void)take_cert(g, der);
    if (sk_X509_num(g->untrusted) == before)
        return false;
    *XR_PUSH(&g->sent) = (struct xr_sent){der, sk_X509_value(g->untrusted, before)};
    return true;
}

static enum xr_status take_crl(void *ctx, struct xr_bytes der)
{
    struct xr_gather *g = ctx;
    X509_CRL *crl = xr_crypto_crl(der);

    ERR_clear_error();
    if (crl != NULL &&
        (sk_X509_CRL_num(g->crls) >= (int)CANDIDATES_MAX || sk_X509_CRL_push(g->crls, crl) == 0))
        X509_CRL_free(crl);
    return XR_OK;
}

static enum xr_status look_up(struct xr_gather *g, enum xr_place place, X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    enum xr_status status = XR_OK;

    if (len > 0) {
        struct xr_bytes bytes = {der, (size_t)len};
        int ok = 0;
        uint32_t hash = (uint32_t)X509_NAME_hash_ex(name, NULL, NULL, &ok);

        if (place == XR_ANCHOR)
            g->into = g->anchors;
        else if (place == XR_INTERMEDIATE)
            g->into = g->untrusted;
        if (ok)
            status = g->check->lookup(g->check->lookup_ctx, place, bytes, hash,
                                      place == XR_CRL ? take_crl : take_cert, g);
    }
    OPENSSL_free(der);
    return status;
}

static bool asked(STACK_OF(X509) * stack, int before, const X509_NAME *name)
{
    for (int i = 0; i < before; i++) {
        if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(stack, i)), name) == 0)
            return true;
    }
    return false;
}

/* A store may search by the bytes of a name. */
static bool same_bytes(const X509_NAME *a, const X509_NAME *b)
{
    struct xr_bytes one = {0}, two = {0};

    return X509_NAME_get0_der(a, &one.data, &one.len) == 1 &&
           X509_NAME_get0_der(b, &two.data, &two.len) == 1 && xr_bytes_equal(one, two);
}

/* The untrusted stack is the work list: it takes each certificate only once, so loops of
 * cross-signatures end. */
enum xr_status xr_gather_all(struct xr_gather *g)
{
    /* With partial chains, the target may be an anchor itself. */
    X509_NAME *own = X509_get_subject_name(sk_X509_value(g->untrusted, 0));
    enum xr_status status = look_up(g, XR_ANCHOR, own);

    for (int i = 0; status == XR_OK && i < sk_X509_num(g->untrusted); i++) {
        X509_NAME *issuer = X509_get_issuer_name(sk_X509_value(g->untrusted, i));

        if (asked(g->untrusted, i, issuer))
            continue;
        if (!same_bytes(issuer, own))
            status = look_up(g, XR_ANCHOR, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_INTERMEDIATE, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_CRL, issuer);
    }
    /* An anchor that is not self-signed is still only an element of a path for libcrypto. */
    for (int i = 0; status == XR_OK && i < sk_X509_num(g->anchors); i++) {
        X509_NAME *issuer = X509_get_issuer_name(sk_X509_value(g->anchors, i));

        if (asked(g->anchors, i, issuer) || asked(g->untrusted, sk_X509_num(g->untrusted), issuer))
            continue;
        if (!same_bytes(issuer, own))
            status = look_up(g, XR_ANCHOR, issuer);
        if (status == XR_OK)
            status = look_up(g, XR_CRL, issuer);
    }
    return status;
}

/* ---- order ---- */

struct candidate {
    X509 *x;
    unsigned char *der;
    struct xr_der_cert d;
    unsigned char sha256[XR_SHA256_LEN];
};

static int by_subject(const void *a, const void *b)
{
    const struct candidate *one = a, *two = b;
    int order = X509_NAME_cmp(X509_get_subject_name(one->x), X509_get_subject_name(two->x));

    if (order == 0)
        order = xr_der_cert_order(&one->d, &two->d);
    return order != 0 ? order : memcmp(one->sha256, two->sha256, XR_SHA256_LEN);
}

void xr_gather_arrange(struct xr_gather *g)
{
    int sent = (int)g->sent.count;
    int count = sk_X509_num(g->untrusted) - sent;
    struct candidate *all = count > 1 ? xr_new((size_t)count, sizeof(*all)) : NULL;

    for (int i = 0; all != NULL && i < count; i++) {
        struct candidate *one = &all[i];
        int len = 0;

        one->x = sk_X509_value(g->untrusted, sent + i);
        len = i2d_X509(one->x, &one->der);
        if (len <= 0 ||
            xr_der_cert(&one->d, (struct xr_bytes){one->der, (size_t)len}, NULL) != XR_OK)
            one->d = (struct xr_der_cert){.malformed = true, .pathlen = -1};
        if (len > 0)
            xr_x509_sha256(one->sha256, (struct xr_bytes){one->der, (size_t)len});
    }
    if (all != NULL)
        qsort(all, (size_t)count, sizeof(*all), by_subject);
    for (int i = 0; all != NULL && i < count; i++) {
        struct xr_choice *last =
            g->choices.count > 0 ? &g->choices.items[g->choices.count - 1] : NULL;

        (void)sk_X509_set(g->untrusted, sent + i, all[i].x);
        if (i > 0 && X509_NAME_cmp(X509_get_subject_name(all[i - 1].x),
                                   X509_get_subject_name(all[i].x)) == 0) {
            if (last != NULL && last->at + last->count == sent + i)
                last->count++;
            else
                *XR_PUSH(&g->choices) = (struct xr_choice){.at = sent + i - 1, .count = 2};
        }
        OPENSSL_free(all[i].der);
    }
    free(all);
}
