/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#12 (RFC 7292) by libcrypto: "safes", each plain or encrypted as a whole, with "bags" in them. A
 * private key is encrypted once more in its bag, which stays closed. */
#include "containers.h"
#include "kit/pem.h"
#include "pbe.h"

#include <openssl/objects.h>
#include <openssl/pkcs12.h>

#define DEPTH_MAX 8u

struct reading {
    PKCS12 *p12;
    STACK_OF(PKCS7) * safes;
    struct xr_pbe pbe;
    xr_item_fn emit;
    void *ctx;
    unsigned left;
};

/* ---- algorithms ---- */

static bool is_encrypted(PKCS7 *safe)
{
    return PKCS7_type_is_encrypted(safe) && safe->d.encrypted != NULL;
}

/* Before anything is computed: a file may ask for hours of it. */
static enum xr_status check_algorithms(struct reading *r, struct xr_error *err)
{
    const ASN1_INTEGER *rounds = NULL;
    const X509_ALGOR *mac = NULL;

    if (PKCS12_mac_present(r->p12)) {
        PKCS12_get0_mac(NULL, &mac, NULL, &rounds, r->p12);
        if (EVP_get_digestbynid(OBJ_obj2nid(mac->algorithm)) == NULL)
            return xr_fail(err, XR_UNSUPPORTED,
                           "PKCS#12 whose MAC is of a kind that this program does not check");
        xr_pbe_add_rounds(&r->pbe, rounds);
    }
    for (int i = 0; i < sk_PKCS7_num(r->safes); i++) {
        PKCS7 *safe = sk_PKCS7_value(r->safes, i);

        if (is_encrypted(safe) && !xr_pbe_add(&r->pbe, safe->d.encrypted->enc_data->algorithm))
            return xr_fail(err, XR_UNSUPPORTED,
                           "PKCS#12 that is encrypted in a way that this program does not know");
    }
    return xr_pbe_check_rounds(&r->pbe, err);
}

/* ---- opening ---- */

static void forget(struct reading *r)
{
    sk_PKCS7_pop_free(r->safes, PKCS7_free);
    PKCS12_free(r->p12);
    r->safes = NULL;
    r->p12 = NULL;
}

static enum xr_status parse(struct reading *r, struct xr_bytes der, struct xr_error *err)
{
    const unsigned char *at = der.data;

    r->p12 = d2i_PKCS12(NULL, &at, (long)der.len);
    while (r->p12 != NULL && at < der.data + der.len && xr_pem_space(*at))
        at++;
    if (r->p12 == NULL)
        return xr_crypto_fail(err, XR_INVALID, "damaged PKCS#12");
    if (at != der.data + der.len)
        return xr_fail(err, XR_INVALID, "bytes follow this PKCS#12 file");
    r->safes = PKCS12_unpack_authsafes(r->p12);
    return r->safes != NULL ? XR_OK : xr_crypto_fail(err, XR_INVALID, "damaged PKCS#12");
}

/* The same file again, for the library context with the legacy algorithms. */
static enum xr_status parse_legacy(struct reading *r, struct xr_bytes der, struct xr_error *err)
{
    BIO *bio = NULL;
    enum xr_status status = xr_pbe_open_legacy(&r->pbe, err);

    if (status != XR_OK)
        return status;
    forget(r);
    bio = BIO_new_mem_buf(der.data, (int)der.len);
    r->p12 = PKCS12_init_ex(NID_pkcs7_data, r->pbe.lib, NULL);
    if (bio != NULL && r->p12 != NULL && d2i_PKCS12_bio(bio, &r->p12) != NULL)
        r->safes = PKCS12_unpack_authsafes(r->p12);
    BIO_free(bio);
    return r->safes != NULL ? XR_OK : xr_crypto_fail(err, XR_INVALID, "damaged PKCS#12");
}

/* ---- bags ---- */

static enum xr_status take_cert(struct reading *r, const PKCS12_SAFEBAG *bag, struct xr_error *err)
{
    X509 *x = PKCS12_SAFEBAG_get1_cert(bag);
    unsigned char *made = NULL;
    int len = x != NULL ? i2d_X509(x, &made) : -1;
    enum xr_status status = XR_OK;

    if (len > 0)
        status = r->emit(r->ctx, XR_ITEM_CERT, (struct xr_bytes){made, (size_t)len});
    else
        status = xr_crypto_fail(err, XR_INVALID, "PKCS#12 with a damaged certificate");
    OPENSSL_free(made);
    X509_free(x);
    return status;
}

static enum xr_status take_crl(struct reading *r, const PKCS12_SAFEBAG *bag, struct xr_error *err)
{
    X509_CRL *crl = PKCS12_SAFEBAG_get1_crl(bag);
    unsigned char *made = NULL;
    int len = crl != NULL ? i2d_X509_CRL(crl, &made) : -1;
    enum xr_status status = XR_OK;

    if (len > 0)
        status = r->emit(r->ctx, XR_ITEM_CRL, (struct xr_bytes){made, (size_t)len});
    else
        status = xr_crypto_fail(err, XR_INVALID, "PKCS#12 with a damaged CRL");
    OPENSSL_free(made);
    X509_CRL_free(crl);
    return status;
}

static enum xr_status take_bags(struct reading *r, const STACK_OF(PKCS12_SAFEBAG) * bags,
                                unsigned depth, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (depth >= DEPTH_MAX)
        return xr_fail(err, XR_INVALID, "PKCS#12 whose parts are nested too deep");
    for (int i = 0; status == XR_OK && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        int type = PKCS12_SAFEBAG_get_bag_nid(bag);

        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_certBag:
            if (type == NID_x509Certificate)
                status = take_cert(r, bag, err);
            else
                r->left |= XR_LEFT_OTHER;
            break;
        case NID_crlBag:
            if (type == NID_x509Crl)
                status = take_crl(r, bag, err);
            else
                r->left |= XR_LEFT_OTHER;
            break;
        case NID_safeContentsBag:
            status = take_bags(r, PKCS12_SAFEBAG_get0_safes(bag), depth + 1, err);
            break;
        case NID_keyBag:
        case NID_pkcs8ShroudedKeyBag:
            r->left |= XR_LEFT_KEY;
            break;
        case NID_secretBag:
            r->left |= XR_LEFT_SECRET;
            break;
        default:
            r->left |= XR_LEFT_OTHER;
            break;
        }
    }
    return status;
}

/* ---- passwords ---- */

/* NULL and "" are two passwords: the second has the two zero bytes of an empty BMPString. */
struct passwords {
    struct xr_bytes items[3];
    size_t count;
};

static enum xr_status denied(struct xr_error *err, bool given)
{
    return xr_fail(
        err, XR_DENIED, "%s",
        given ? N_("PKCS#12: the password is wrong, or the file is damaged; the right one is "
                   "given with --password-fd")
              : N_("PKCS#12 with a password: give it with --password-fd, such as "
                   "--password-fd 3 3<FILE"));
}

static bool mac_is_right(struct reading *r, struct xr_bytes password)
{
    bool right = PKCS12_verify_mac(r->p12, (const char *)password.data, (int)password.len) == 1;

    ERR_clear_error();
    return right;
}

static STACK_OF(PKCS12_SAFEBAG) * decrypt(PKCS7 *safe, const struct passwords *all)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    for (size_t i = 0; bags == NULL && i < all->count; i++)
        bags =
            PKCS12_unpack_p7encdata(safe, (const char *)all->items[i].data, (int)all->items[i].len);
    return bags;
}

static enum xr_status take_safe(struct reading *r, PKCS7 *safe, const struct passwords *all,
                                bool given, struct xr_error *err)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    enum xr_status status = XR_OK;

    if (PKCS7_type_is_data(safe) && safe->d.data != NULL) {
        bags = PKCS12_unpack_p7data(safe);
        if (bags == NULL)
            return xr_crypto_fail(err, XR_INVALID, "damaged PKCS#12");
    } else if (is_encrypted(safe)) {
        bags = decrypt(safe, all);
        if (bags == NULL)
            return denied(err, given);
    } else { /* encrypted for the owner of a key */
        r->left |= XR_LEFT_OTHER;
        return XR_OK;
    }
    status = take_bags(r, bags, 0, err);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return status;
}

static enum xr_status take_all(struct reading *r, struct xr_bytes password, struct xr_error *err)
{
    static const unsigned char empty[] = "";
    struct passwords all = {{{0}}, 0};
    bool given = password.data != NULL && password.len > 0;
    enum xr_status status = XR_OK;

    if (given)
        all.items[all.count++] = password;
    all.items[all.count++] = (struct xr_bytes){NULL, 0};
    all.items[all.count++] = (struct xr_bytes){empty, 0};
    if (PKCS12_mac_present(r->p12)) {
        size_t at = 0;

        while (at < all.count && !mac_is_right(r, all.items[at]))
            at++;
        if (at == all.count)
            return denied(err, given);
        all.items[0] = all.items[at];
        all.count = 1;
    }
    for (int i = 0; status == XR_OK && i < sk_PKCS7_num(r->safes); i++)
        status = take_safe(r, sk_PKCS7_value(r->safes, i), &all, given, err);
    return status;
}

enum xr_status xr_x509_pkcs12(unsigned *left, struct xr_bytes der, struct xr_bytes password,
                              xr_item_fn emit, void *ctx, struct xr_error *err)
{
    struct reading r = {.emit = emit, .ctx = ctx};
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    if (der.len > INT_MAX || password.len > INT_MAX)
        return xr_fail(err, XR_INVALID, "damaged PKCS#12");
    status = parse(&r, der, err);
    if (status == XR_OK)
        status = check_algorithms(&r, err);
    if (status == XR_OK && r.pbe.wants_legacy)
        status = parse_legacy(&r, der, err);
    if (status == XR_OK)
        status = take_all(&r, password, err);
    *left |= r.left;
    forget(&r);
    xr_pbe_close(&r.pbe);
    ERR_clear_error();
    return status;
}
