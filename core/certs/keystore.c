/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore.h"

#include "pbe.h"

#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

static X509_ALGOR *parse(struct xr_bytes algorithm)
{
    const unsigned char *at = algorithm.data;
    X509_ALGOR *parsed = NULL;

    if (algorithm.len <= LONG_MAX)
        parsed = d2i_X509_ALGOR(NULL, &at, (long)algorithm.len);
    ERR_clear_error();
    return parsed;
}

/* No password is not an empty one: that has the two zero bytes of an empty BMPString. */
static const char *text_of(struct xr_bytes password)
{
    return password.data != NULL ? (const char *)password.data : "";
}

enum xr_status xr_p12_mac(unsigned char out[XR_P12_MAC_MAX], size_t *len, uint64_t *spent,
                          struct xr_bytes algorithm, struct xr_bytes salt, uint64_t rounds,
                          struct xr_bytes password, struct xr_bytes content, struct xr_error *err)
{
    struct xr_pbe pbe = {.rounds = *spent};
    X509_ALGOR *alg = NULL;
    const EVP_MD *md = NULL;
    unsigned char key[EVP_MAX_MD_SIZE], *own_salt = NULL;
    unsigned made = 0;
    int nid = NID_undef;
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    pbe.rounds += rounds < XR_PBE_ROUNDS_MAX ? rounds : XR_PBE_ROUNDS_MAX + 1;
    *spent = pbe.rounds;
    status = xr_pbe_check_rounds(&pbe, err);
    if (status != XR_OK)
        return status;
    alg = parse(algorithm);
    if (alg != NULL) {
        nid = OBJ_obj2nid(alg->algorithm);
        md = EVP_get_digestbynid(nid);
    }
    X509_ALGOR_free(alg);
    if (md == NULL || rounds == 0)
        return xr_fail(
            err, XR_UNSUPPORTED,
            nid == NID_pbmac1
                ? N_("PKCS#12 whose MAC is of a kind that this program does not check: PBMAC1")
                : N_("PKCS#12 whose MAC is of a kind that this program does not check"));
    own_salt = xr_memdup(salt.data, salt.len); /* libcrypto wants it without const */
    if (password.len > INT_MAX || salt.len > INT_MAX ||
        PKCS12_key_gen_utf8(text_of(password), (int)password.len, own_salt, (int)salt.len,
                            PKCS12_MAC_ID, (int)rounds, EVP_MD_get_size(md), key, md) != 1 ||
        HMAC(md, key, EVP_MD_get_size(md), content.data, content.len, out, &made) == NULL)
        status = xr_crypto_fail(err, XR_FAILED, "cannot compute the MAC of PKCS#12");
    xr_wipe(key, sizeof(key));
    free(own_salt);
    *len = made;
    return status;
}

enum xr_status xr_p12_crypt(struct xr_buf *out, bool encrypt, uint64_t *spent,
                            struct xr_bytes algorithm, struct xr_bytes password,
                            struct xr_bytes data, struct xr_error *err)
{
    struct xr_pbe pbe = {.rounds = *spent};
    X509_ALGOR *alg = NULL;
    unsigned char *made = NULL;
    int len = 0;
    enum xr_status status = XR_OK;

    xr_crypto_ready();
    if (password.len > INT_MAX || data.len > INT_MAX)
        return xr_fail(err, XR_INVALID, "damaged PKCS#12");
    alg = parse(algorithm);
    if (alg == NULL || !xr_pbe_add(&pbe, alg)) {
        ERR_clear_error();
        status = xr_fail(err, XR_UNSUPPORTED,
                         "PKCS#12 that is encrypted in a way that this program does not know");
    }
    *spent = pbe.rounds;
    if (status == XR_OK)
        status = xr_pbe_check_rounds(&pbe, err);
    if (status == XR_OK && pbe.wants_legacy)
        status = xr_pbe_open_legacy(&pbe, err);
    if (status == XR_OK &&
        PKCS12_pbe_crypt_ex(alg, text_of(password), (int)password.len, data.data, (int)data.len,
                            &made, &len, encrypt, pbe.lib, NULL) == NULL)
        status = xr_fail(err, XR_INVALID, "the password is wrong, or the file is damaged");
    if (status == XR_OK)
        xr_buf_add(out, made, (size_t)len);
    if (made != NULL)
        OPENSSL_clear_free(made, (size_t)len);
    X509_ALGOR_free(alg);
    xr_pbe_close(&pbe);
    ERR_clear_error();
    return status;
}
